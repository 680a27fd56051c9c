package broker_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestTheNewerConnectionTakesOver(t *testing.T) { // [MQTT3-3.1.4-2] [MQTT5-3.1.4-3]
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	old := h.connected("dev1")
	first := w.next(t, "connected").client
	young := h.connected("dev1")
	old.wantEnd()
	if e := w.next(t, "closed"); e.client != first || e.cause != broker.TakenOver {
		t.Errorf("closed: %+v, want the older, taken over", e)
	}
	if e := w.next(t, "connected"); e.client == first {
		t.Error("the older was connected again")
	}
	young.wantSilence()
	if !h.Online("dev1") {
		t.Error("the session is not online")
	}
}

func TestTakeOverIsTold(t *testing.T) { // [MQTT5-3.1.4-3]
	h := serve(t, broker.Options{})
	old := h.connected5("dev1")
	h.connected("dev1")
	old.want("e001 8e")
	old.wantEnd()
}

func TestTakeOverGoesBySessionNotByClientID(t *testing.T) {
	w := newWitness()
	w.connect = func(c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
		return &broker.Grant{Session: "pk/dn", MaxQoS: 1, Identity: c.ClientID}, nil
	}
	h := serve(t, broker.Options{Rules: w})
	old := h.connected("one")
	h.connected("two")
	old.wantEnd()
	w.next(t, "connected")
	if e := w.next(t, "closed"); e.client.ID() != "one" || e.client.Identity() != "one" || e.client.Session() != "pk/dn" {
		t.Errorf("closed: %q with identity %v, session %q", e.client.ID(), e.client.Identity(), e.client.Session())
	}
}

func TestTakeOverRace(t *testing.T) {
	// Many connect as one. Each Connected is followed by its Closed before the
	// next one, and one is left.
	const many = 20
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			p := h.dial()
			b, _ := (&packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, ClientID: "dev1"}).Append(nil, mqtt.V311)
			p.Write(b)
			ack := make([]byte, 4)
			p.Read(ack)
		})
	}
	all.Wait()
	var there *broker.Client
	for n := 0; n < many; {
		select {
		case e := <-w.events:
			switch {
			case e.what == "connected" && there == nil:
				there = e.client
				n++
			case e.what == "closed" && there == e.client:
				there = nil
			default:
				t.Fatalf("after %d connects: %s of %p while %p is there", n, e.what, e.client, there)
			}
		default:
			if n < many { // events of the last ones are still coming
				e := <-w.events
				w.events <- e
			}
		}
	}
	if there == nil || !h.Online("dev1") {
		t.Error("nobody is left")
	}
}

func TestSessionPresent(t *testing.T) { // [MQTT3-3.2.2-1] [MQTT3-3.2.2-2]
	h := serve(t, broker.Options{})
	end := func(p *peer) {
		p.send("e000")
		p.wantEnd()
	}
	end(h.durable("dev1", false))
	end(h.durable("dev1", true))
	end(h.connected("dev1")) // a clean session ends it
	end(h.durable("dev1", false))
}

func TestSubscriptionsOfASession(t *testing.T) {
	for _, tt := range []struct {
		name  string
		keep  bool
		first bool // CleanSession of the connection that subscribes
		then  bool // CleanSession of the next
		want  bool // the subscription still holds
	}{
		{"end with a clean session", false, true, true, false},
		{"outlive one that is not clean [MQTT3-3.1.2-4]", false, false, false, true},
		{"are ended by a clean one [MQTT3-3.1.2-6]", false, false, true, false},
		{"hold for ever where the grant says so", true, true, true, true},
		{"hold for ever across kinds of sessions", true, false, true, true},
		{"hold for ever, but make no session", true, true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWitness()
			w.connect = func(*packet.Connect, broker.Origin) (*broker.Grant, error) {
				return &broker.Grant{MaxQoS: 1, KeepSubscriptions: tt.keep}, nil
			}
			h := serve(t, broker.Options{Rules: w})
			dial := func(clean, present bool) *peer {
				if clean {
					return h.connected("dev1")
				}
				return h.durable("dev1", present)
			}
			p := dial(tt.first, false)
			p.subscribe("a", 0)
			p.send("e000")
			p.wantEnd()
			w.next(t, "connected")
			w.next(t, "closed")
			p = dial(tt.then, !tt.first)
			w.next(t, "connected")
			n := h.Publish(broker.Message{Topic: "a", Payload: []byte("hi")})
			if tt.want {
				p.want("3005 0001'a' 'hi'")
			}
			p.wantSilence()
			if (n == 1) != tt.want {
				t.Errorf("Publish reached %d sessions", n)
			}
			if c := h.Counters(); tt.want && c.Subscriptions.Load() != 1 || !tt.want && c.Subscriptions.Load() != 0 {
				t.Errorf("%d subscriptions", c.Subscriptions.Load())
			}
		})
	}
}

func TestForget(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	p := h.durable("dev1", false)
	p.subscribe("a", 1)
	w.next(t, "connected")
	h.Forget("dev1")
	p.wantEnd()
	if e := w.next(t, "closed"); e.cause != broker.Kicked {
		t.Errorf("closed because %v", e.cause)
	}
	if o := h.Send("dev1", broker.Message{Topic: "a", QoS: 1}, broker.Unasked); o != broker.NoSession {
		t.Errorf("Send to the forgotten: %v", o)
	}
	h.durable("dev1", false).send("e000")
	w.next(t, "connected")
	w.next(t, "closed")
	h.Forget("dev1") // while away
	if c := h.Counters(); c.Sessions.Load() != 0 || c.Offline.Load() != 0 || c.Subscriptions.Load() != 0 {
		t.Errorf("left: %d sessions, %d away, %d subscriptions", c.Sessions.Load(), c.Offline.Load(), c.Subscriptions.Load())
	}
	h.Forget("nobody")
}

func TestDisconnect(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	p := h.connected5("dev1")
	w.next(t, "connected")
	if !h.Disconnect("dev1", mqtt.QuotaExceeded) {
		t.Error("nobody was disconnected")
	}
	p.want("e001 97")
	p.wantEnd()
	if e := w.next(t, "closed"); e.cause != broker.Kicked {
		t.Errorf("closed because %v", e.cause)
	}
	if h.Disconnect("dev1", mqtt.QuotaExceeded) || h.Disconnect("nobody", 0) {
		t.Error("somebody was disconnected again")
	}
}

func TestManyClients(t *testing.T) {
	h := serve(t, broker.Options{})
	var all sync.WaitGroup
	sub := h.connected("all")
	sub.subscribe("t/#", 1)
	for i := range 50 {
		all.Go(func() {
			p := h.connected(fmt.Sprint("dev", i))
			for n := range 20 {
				p.put(mqtt.V311, &packet.Publish{Topic: fmt.Appendf(nil, "t/%d", i), QoS: 1, ID: uint16(n + 1), Payload: fmt.Append(nil, n)})
				if a, ok := p.get(mqtt.V311).(*packet.Puback); !ok || a.ID != uint16(n+1) {
					t.Errorf("answer to %d: %+v", n+1, a)
				}
			}
			p.send("e000")
		})
	}
	next := map[string]int{} // messages of one publisher come in order [MQTT3-4.6.0-5] [MQTT3-4.6.0-6] [MQTT5-4.6.0-5] [MQTT5-4.6.0-6]
	for range 50 * 20 {
		p, ok := sub.get(mqtt.V311).(*packet.Publish)
		if !ok {
			t.Fatalf("no PUBLISH")
		}
		sub.put(mqtt.V311, &packet.Puback{ID: p.ID})
		if string(p.Payload) != fmt.Sprint(next[string(p.Topic)]) {
			t.Fatalf("%s: message %s, want %d", p.Topic, p.Payload, next[string(p.Topic)])
		}
		next[string(p.Topic)]++
	}
	all.Wait()
}
