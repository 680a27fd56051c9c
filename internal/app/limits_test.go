package app

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
)

func TestEachLimitHasItsKey(t *testing.T) {
	var d Devices
	// Each field gets a number of its own, and has to be found again.
	number := func(v reflect.Value, from int64) int64 {
		for i := range v.NumField() {
			if f := v.Field(i); f.CanInt() {
				f.SetInt(from)
				from++
			}
		}
		return from
	}
	last := number(reflect.ValueOf(&d.Limits).Elem(), number(reflect.ValueOf(&d).Elem(), 1))
	l := reflect.ValueOf(d.broker())
	seen := map[int64]bool{int64(d.Limits.ConnectRatePerDevice): true} // the gate's
	for i := range l.NumField() {
		n := l.Field(i).Int()
		if name := l.Type().Field(i).Name; n == 0 || seen[n] {
			t.Errorf("broker.Limits.%s has no key of its own", name)
		}
		seen[n] = true
	}
	if len(seen) != int(last-1) {
		t.Errorf("%d keys, %d of them are limits", last-1, len(seen))
	}
}

func TestDefaultLimitsAreTheBrokers(t *testing.T) {
	c := Default()
	if got := c.Devices.broker(); got != broker.DefaultLimits() {
		t.Errorf("%+v", got)
	}
}

func TestLimitsAreReadAndChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "matou.yaml")
	write(t, file, "devices:\n  maxConnections: 7\n  limits:\n    queueMessages: 5\n    stallTimeout: 3s\n")
	c, err := Load(file, []string{"MATOU_DEVICES_LIMITS_TOPIC_BYTES=99"})
	if err != nil || c.Check() != nil {
		t.Fatal(err, c.Check())
	}
	if b := c.Devices.broker(); b.Connections != 7 || b.QueueCount != 5 || b.StallTimeout != 3*time.Second || b.TopicLength != 99 || b.QueueBytes != 1<<20 {
		t.Errorf("%+v", b)
	}
	for _, tt := range []struct{ key, value string }{
		{"maxConnections", "0"}, {"maxPacketBytes", "1023"}, {"maxPacketBytes", "268435461"}, {"connectTimeout", "999ms"},
		{"limits.connectionsPerAddress", "-1"}, {"limits.connectRatePerAddress", "-1"}, {"limits.connectRatePerDevice", "-1"},
		{"limits.stallTimeout", "0s"}, {"limits.connectBytes", "100"}, {"limits.topicBytes", "65536"}, {"limits.topicLevels", "0"},
		{"limits.subscriptions", "0"}, {"limits.inflight", "65536"}, {"limits.receiveMaximum", "0"}, {"limits.topicAliases", "65536"},
		{"limits.outBufferBytes", "0"}, {"limits.queueMessages", "0"}, {"limits.queueBytes", "-5"}, {"limits.queueTotalBytes", "0"},
		{"limits.sessionExpiry", "0s"}, {"limits.offlineSessions", "0"}, {"limits.retainedMessages", "0"}, {"limits.retainedBytes", "0"},
	} {
		t.Run(tt.key+" "+tt.value, func(t *testing.T) {
			text := "devices:\n  " + strings.ReplaceAll(tt.key, ".", ":\n    ") + ": " + tt.value + "\n"
			write(t, file, text)
			c, err := Load(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), "devices."+tt.key+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
}
