package broker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestGrantedLifetime: a connection that may not last ends, however lively it
// is, and so does its session, whatever was asked for.
func TestGrantedLifetime(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			inLab(t, broker.Options{}, func(l *lab) {
				lifetime := uint16(15)
				l.w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
					return &broker.Grant{MaxQoS: 1, Session: "s", Lifetime: lifetime}, nil
				}
				connect := &packet.Connect{Version: v, ClientID: "a", KeepAlive: 10}
				if v == mqtt.V5 {
					connect.Properties = &packet.Properties{SessionExpiry: ptr(uint32(1000))}
				}
				start := time.Now()
				p := l.dial(connect)
				l.next("connected")
				for range 7 {
					time.Sleep(2 * time.Second)
					p.wantSilence()
				}
				if v == mqtt.V5 {
					p.want("e001 a0") // maximum connect time
				}
				p.wantEnd()
				l.within(time.Since(start), 15*time.Second, 16*time.Second)
				if e := l.next("closed"); e.cause != broker.LifetimeOver {
					t.Errorf("closed because %v", e.cause)
				}
				if got := l.Send("s", broker.Message{Topic: "t", QoS: 1}, broker.Unasked); got != broker.NoSession {
					t.Errorf("its session is still there: %v", got)
				}

				p = l.dial(connect) // and one that says nothing is over before
				l.next("connected")
				start = time.Now()
				if v == mqtt.V5 {
					p.want("e001 a0")
				}
				p.wantEnd()
				l.within(time.Since(start), 15*time.Second, 16*time.Second)
				l.next("closed")
			})
		})
	}
}
