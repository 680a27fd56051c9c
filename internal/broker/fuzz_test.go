package broker

import (
	"errors"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// FuzzTake: whatever a client sends, in whatever pieces, ends at most its own
// connection; another client goes on.
func FuzzTake(f *testing.F) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
		var all []byte
		for _, p := range []packet.Packet{
			&packet.Connect{ProtocolName: map[bool]string{true: "MQIsdp", false: "MQTT"}[v == mqtt.V31], Version: v, CleanStart: true, ClientID: "a",
				Will: &packet.Will{Topic: "w", QoS: 1, Retain: true}},
			&packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: "t/#", QoS: 2}, {Filter: "$share/g/+", QoS: 1}}},
			&packet.Publish{Topic: []byte("t/x"), QoS: 2, ID: 2, Retain: true, Payload: []byte("x")},
			&packet.Pubrel{ID: 2}, &packet.Puback{ID: 1}, &packet.Pubrec{ID: 1}, &packet.Pubcomp{ID: 1},
			&packet.Unsubscribe{ID: 3, Filters: []string{"t/#"}}, &packet.Pingreq{}, &packet.Disconnect{},
		} {
			all = append(all, encoded(f, v, p)...)
		}
		f.Add(all, uint8(7))
	}
	f.Fuzz(func(t *testing.T, bytes []byte, piece uint8) {
		b, err := New(Options{Limits: Limits{PacketSize: 4096}})
		if err != nil {
			t.Fatal(err)
		}
		other, sink := sunk(t, b, connectOf(t, mqtt.V311, "other"), subscribeTo(t, mqtt.V311, "#", 2))
		c, _ := sunk(t, b)
		err = trickle(c, bytes, int(piece)+1)
		if !errors.As(err, new(errUpgrade)) {
			if err == nil {
				err = errClosing
			}
			c.finish(err)
		}
		before := sink.bytes
		feed(t, other, []byte{0xC0, 0})
		if !other.stopped() && sink.bytes != before+2 {
			t.Error("the other client is not answered")
		}
		if n := b.counters.Clients.Load(); n != 1 {
			t.Errorf("%d clients are left", n)
		}
	})
}

// trickle feeds bytes in pieces until the connection ends.
func trickle(c *Client, bytes []byte, piece int) error {
	b := borrow()
	defer giveBack(b)
	for len(bytes) > 0 {
		n := copy(b.buf[b.n:], bytes[:min(piece, len(bytes))])
		b.n += n
		bytes = bytes[n:]
		if _, err := c.take(b); err != nil {
			return err
		}
	}
	return nil
}
