package broker

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A sink is a transport that takes everything and delivers nothing by itself.
type sink struct{ bytes, writes int }

func (s *sink) receive(receiver) error           { return nil }
func (s *sink) write(b []byte) (int, error)      { s.bytes += len(b); s.writes++; return len(b), nil }
func (s *sink) writeAll([]byte, time.Time) error { return nil }
func (s *sink) until(time.Time)                  {}
func (s *sink) hurry(time.Time)                  {}
func (s *sink) closeWrite() bool                 { return true }
func (s *sink) discard(time.Time)                {}
func (s *sink) stop()                            {}
func (s *sink) close()                           {}

// sunk is a client over a sink that has sent the given bytes.
func sunk(tb testing.TB, b *Broker, frames ...[]byte) (*Client, *sink) {
	tb.Helper()
	t := &sink{}
	c := &Client{b: b, limits: b.limits.Load(), t: t, l: &listener{ctx: context.Background()}, since: time.Now()}
	for _, f := range frames {
		feed(tb, c, f)
	}
	return c, t
}

// feed is what a transport does with bytes that arrive.
func feed(tb testing.TB, c *Client, bytes []byte) {
	b := borrow()
	b.n = copy(b.buf, bytes)
	if _, err := c.take(b); err != nil {
		tb.Fatalf("% x: %v", bytes, err)
	}
	giveBack(b)
}

func encoded(tb testing.TB, v mqtt.Version, p packet.Packet) []byte {
	tb.Helper()
	b, err := p.Append(nil, v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func connectOf(tb testing.TB, v mqtt.Version, id string) []byte {
	return encoded(tb, v, &packet.Connect{ProtocolName: "MQTT", Version: v, CleanStart: true, ClientID: id})
}

func subscribeTo(tb testing.TB, v mqtt.Version, filter string, qos mqtt.QoS) []byte {
	return encoded(tb, v, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: filter, QoS: qos}}})
}

// countingRules count what they judge.
type countingRules struct {
	OpenRules
	n int
}

func (r *countingRules) Publish(*Client, *packet.Publish) Decision {
	r.n++
	return Decision{}
}

// skipUnderRace skips a test of allocations: the race detector makes pools
// forget at random.
func skipUnderRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
}

func TestRoutingAllocatesNothing(t *testing.T) {
	skipUnderRace(t)
	for _, tt := range []struct {
		name   string
		v      mqtt.Version
		filter string
		qos    mqtt.QoS // of the subscription
		send   mqtt.QoS
		most   float64
	}{
		{"QoS 0, exact filter", mqtt.V311, "dev/pk0/d00000/up", 0, 0, 0},
		{"QoS 0, wildcard", mqtt.V311, "dev/+/#", 0, 0, 0},
		{"QoS 0, 5.0", mqtt.V5, "dev/pk0/d00000/up", 0, 0, 0},
		{"QoS 1 in, QoS 0 out", mqtt.V311, "dev/pk0/d00000/up", 0, 1, 0},
		{"QoS 1 in, nobody", mqtt.V311, "other", 0, 1, 0},
		{"QoS 1 in and out: the message that is kept", mqtt.V311, "dev/pk0/d00000/up", 1, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := &countingRules{}
			b, err := New(Options{Rules: rules})
			if err != nil {
				t.Fatal(err)
			}
			sub, out := sunk(t, b, connectOf(t, tt.v, "sub"), subscribeTo(t, tt.v, tt.filter, tt.qos))
			pub, _ := sunk(t, b, connectOf(t, tt.v, "pub"))
			p := &packet.Publish{Topic: []byte("dev/pk0/d00000/up"), Payload: make([]byte, 100), QoS: tt.send}
			if tt.send > 0 {
				p.ID = 1
			}
			frame := encoded(t, tt.v, p)
			ack := encoded(t, tt.v, &packet.Puback{ID: 1})
			id := uint16(0)
			before := out.bytes
			allocs := testing.AllocsPerRun(1000, func() {
				feed(t, pub, frame)
				if tt.qos > 0 {
					id++
					ack[2], ack[3] = byte(id>>8), byte(id)
					feed(t, sub, ack)
				}
			})
			if allocs > tt.most {
				t.Errorf("%v allocations a message, want %v", allocs, tt.most)
			}
			if rules.n < 1000 || tt.filter != "other" && out.bytes-before < 1000*(len(frame)-2) { // QoS 0 has no identifier
				t.Errorf("%d messages judged, %d bytes delivered", rules.n, out.bytes-before)
			}
		})
	}
}

func TestFanOutEncodesOnce(t *testing.T) {
	skipUnderRace(t)
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var sinks []*sink
	for i := range 100 {
		v := mqtt.V311
		if i%2 == 1 {
			v = mqtt.V5
		}
		_, s := sunk(t, b, connectOf(t, v, fmt.Sprint("sub", i)), subscribeTo(t, v, "t", 0))
		sinks = append(sinks, s)
	}
	pub, _ := sunk(t, b, connectOf(t, mqtt.V311, "pub"))
	frame := encoded(t, mqtt.V311, &packet.Publish{Topic: []byte("t"), Payload: make([]byte, 100)})
	if n := testing.AllocsPerRun(100, func() { feed(t, pub, frame) }); n != 0 {
		t.Errorf("%v allocations for 100 receivers", n)
	}
	for i, s := range sinks {
		if s.bytes < 100*len(frame) {
			t.Errorf("receiver %d got %d bytes", i, s.bytes)
		}
	}
}

// TestIdleClientIsSmall bounds what the broker itself keeps for a client that
// is connected and has 16 subscriptions; goroutine and socket come on top.
func TestIdleClientIsSmall(t *testing.T) {
	const clients, most = 2000, 5 << 10
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept := make([]*Client, 0, clients)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range clients {
		var subs packet.Subscribe
		subs.ID = 1
		for j := range 16 {
			subs.Subscriptions = append(subs.Subscriptions, packet.Subscription{Filter: fmt.Sprintf("/sys/a1/dev%d/thing/%d", i, j)})
		}
		c, _ := sunk(t, b, connectOf(t, mqtt.V311, fmt.Sprint("dev", i)), encoded(t, mqtt.V311, &subs))
		kept = append(kept, c)
	}
	each := (int64(heap()) - int64(before)) / clients
	t.Logf("%d bytes a client with 16 subscriptions", each)
	if each > most {
		t.Errorf("%d bytes a client with 16 subscriptions, want at most %d", each, most)
	}
	runtime.KeepAlive(kept)
}

func BenchmarkRoute(b *testing.B) {
	for _, qos := range []mqtt.QoS{0, 1} {
		b.Run(fmt.Sprint("QoS", qos), func(b *testing.B) {
			br, _ := New(Options{})
			_, _ = sunk(b, br, connectOf(b, mqtt.V311, "sub"), subscribeTo(b, mqtt.V311, "dev/pk0/d00000/up", 0))
			pub, _ := sunk(b, br, connectOf(b, mqtt.V311, "pub"))
			p := &packet.Publish{Topic: []byte("dev/pk0/d00000/up"), Payload: make([]byte, 100), QoS: qos}
			if qos > 0 {
				p.ID = 1
			}
			frame := encoded(b, mqtt.V311, p)
			b.ReportAllocs()
			for b.Loop() {
				feed(b, pub, frame)
			}
		})
	}
}
