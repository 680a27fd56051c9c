package app

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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
	seen := map[int64]bool{ // the gate's, and those of CoAP
		int64(d.Limits.ConnectRatePerDevice): true, int64(d.Limits.CoAPSessions): true, int64(d.Limits.CoAPSConnections): true,
	}
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
		{"limits.coapSessions", "0"}, {"limits.coapsConnections", "-1"},
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

// TestTheDocumentedDefaults: the table of docs/operating.md has every limit,
// with its default.
func TestTheDocumentedDefaults(t *testing.T) {
	raw, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // key to default
	for line := range strings.Lines(string(raw)) {
		if cells := strings.Split(line, " | "); len(cells) == 5 {
			rows[strings.Trim(cells[1], "`")] = cells[2]
		}
	}
	c := Default()
	for _, key := range differences(&c, new(Config)) {
		key, device := strings.CutPrefix(key, "devices.")
		if !device || !live("devices."+key) {
			continue
		}
		value := valueOf(reflect.ValueOf(c.Devices), key)
		if !slices.ContainsFunc(spellings(value), func(s string) bool { return rows[key] == s || strings.HasPrefix(rows[key], s+", ") }) {
			t.Errorf("%s is %v; the table says %q", key, value, rows[key])
		}
	}
	for _, key := range []string{"limits.connectionsPerAddress", "limits.connectRatePerAddress"} {
		if rows[key] != "0: none" {
			t.Errorf("%s: the table says %q", key, rows[key])
		}
	}
}

func valueOf(v reflect.Value, key string) any {
	for name := range strings.SplitSeq(key, ".") {
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == name {
				v = v.Field(i)
				break
			}
		}
	}
	return v.Interface()
}

// spellings are how people may write a value.
func spellings(value any) []string {
	if d, ok := value.(time.Duration); ok {
		return []string{d.String(), strings.TrimSuffix(d.String(), "0m0s")}
	}
	n := reflect.ValueOf(value).Int()
	plain := fmt.Sprint(n)
	for i := len(plain) - 3; i > 0; i -= 3 {
		plain = plain[:i] + "," + plain[i:]
	}
	return []string{plain, fmt.Sprintf("%d KiB", n>>10), fmt.Sprintf("%d MiB", n>>20)}
}
