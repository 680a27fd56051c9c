package broker_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestAThousandWillsAtOnce: the clients of a place are cut off in one moment;
// each will is delivered once to who reads it, and kept once for who is away.
func TestAThousandWillsAtOnce(t *testing.T) {
	const clients = 1000
	inLab(t, broker.Options{Limits: broker.Limits{Inflight: 100}}, func(l *lab) {
		l.w.events = make(chan event, 5*clients)
		away := l.dial(&packet.Connect{Version: mqtt.V311, ClientID: "away"})
		away.subscribe("will/+", 1)
		away.send("e000")
		away.wantEnd()
		l.next("connected")
		l.next("closed")
		sub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "sub"})
		sub.subscribe("will/+", 2)
		var all []*peer
		for i := range clients {
			all = append(all, l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: fmt.Sprint("dev", i),
				Will: &packet.Will{Topic: fmt.Sprint("will/", i), Payload: []byte("gone"), QoS: mqtt.QoS(i % 3)}}))
		}
		for _, p := range all {
			p.Close()
		}
		read := func(p *peer, want int) {
			seen := map[string]bool{}
			for len(seen) < want {
				switch m := p.get(mqtt.V311).(type) {
				case *packet.Publish:
					if seen[string(m.Topic)] || string(m.Payload) != "gone" {
						t.Fatalf("%s came again, or with %q", m.Topic, m.Payload)
					}
					seen[string(m.Topic)] = true
					switch m.QoS {
					case 1:
						p.put(mqtt.V311, &packet.Puback{ID: m.ID})
					case 2:
						p.put(mqtt.V311, &packet.Pubrec{ID: m.ID})
					}
				case *packet.Pubrel:
					p.put(mqtt.V311, &packet.Pubcomp{ID: m.ID})
				}
			}
		}
		read(sub, clients)
		synctest.Wait()
		if c := l.Counters(); c.Clients.Load() != 1 || c.Sessions.Load() != 2 || c.DroppedQueueFull.Load() != 0 || c.DroppedSlow.Load() != 0 {
			t.Errorf("%d clients, %d sessions, %d and %d dropped", c.Clients.Load(), c.Sessions.Load(), c.DroppedQueueFull.Load(), c.DroppedSlow.Load())
		}
		sub.Close()
		back := l.dial(nil)
		back.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, ClientID: "away"}, "20020100")
		read(back, clients-(clients+2)/3) // those of QoS 0 are not kept
		back.wantSilence()
		back.Close()
	})
}

// TestTheAbsentDelayNobody: sessions of absent clients fill up to their bound
// and keep the oldest, in order, while those who are there get everything.
func TestTheAbsentDelayNobody(t *testing.T) {
	const absent, messages, kept = 30, 500, 100
	inLab(t, broker.Options{Limits: broker.Limits{QueueCount: kept}}, func(l *lab) {
		l.w.events = make(chan event, 10*messages)
		for i := range absent {
			p := l.dial(&packet.Connect{Version: mqtt.V311, ClientID: fmt.Sprint("away", i)})
			p.subscribe("t", 1)
			p.send("e000")
			p.wantEnd()
			l.next("connected")
			l.next("closed")
		}
		here := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "here"})
		here.subscribe("t", 1)
		pub := l.dial(&packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "pub"})
		start := time.Now()
		for n := range messages {
			pub.put(mqtt.V311, &packet.Publish{Topic: []byte("t"), Payload: fmt.Append(nil, n), QoS: 1, ID: 1})
			m := here.get(mqtt.V311).(*packet.Publish)
			if string(m.Payload) != fmt.Sprint(n) {
				t.Fatalf("got %s, want %d", m.Payload, n)
			}
			here.put(mqtt.V311, &packet.Puback{ID: m.ID})
			pub.get(mqtt.V311)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v", took)
		}
		if c := l.Counters(); c.Queued.Load() != absent*kept || c.DroppedQueueFull.Load() != absent*(messages-kept) {
			t.Errorf("%d wait, %d were dropped", c.Queued.Load(), c.DroppedQueueFull.Load())
		}
		back := l.dial(nil)
		back.connect(&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, ClientID: "away7"}, "20020100")
		for n := range kept {
			m := back.get(mqtt.V311).(*packet.Publish)
			if string(m.Payload) != fmt.Sprint(n) {
				t.Fatalf("got %s, want %d", m.Payload, n)
			}
			back.put(mqtt.V311, &packet.Puback{ID: m.ID})
		}
		back.wantSilence()
		for _, p := range []*peer{back, here, pub} {
			p.Close()
		}
	})
}

// TestACrowdThatSaysNothing leaves nothing: hundreds of half-open connections
// on real sockets, half of which have begun a TLS handshake, an HTTP request or
// a CONNECT, while somebody else is served.
func TestACrowdThatSaysNothing(t *testing.T) {
	const crowd = 400
	cert, _ := certificate(t)
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, TLS: tlsOf(cert), HTTP: reading, Limits: broker.Limits{ConnectTimeout: time.Second}})
	undisturbed := h.bystander()
	w.next(t, "connected")
	before := runtime.NumGoroutine()
	var all []net.Conn
	for i := range crowd {
		nc, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		nc.Write(wire(t, []string{"", "10", "1010 0004'MQTT'", "16", "16030100c8 010000c4 0303", "'GET / HTTP/1.1'0d0a", "'G'", ""}[i%8]))
		all = append(all, nc)
	}
	c := h.Counters()
	for deadline := time.Now().Add(patience); c.Accepted.Load() != crowd+1 && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if n := c.Accepted.Load(); n != crowd+1 {
		t.Errorf("%d connections were accepted", n)
	}
	undisturbed()
	for _, nc := range all {
		if _, err := io.Copy(io.Discard, nc); isTimeout(err) {
			t.Fatal("a connection is still open")
		}
	}
	undisturbed()
	for deadline := time.Now().Add(patience); (c.Connections.Load() > 1 || runtime.NumGoroutine() > before+2) && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if n, g := c.Connections.Load(), runtime.NumGoroutine(); n != 1 || g > before+2 {
		t.Errorf("left: %d connections; %d goroutines, %d before", n, g, before)
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}
