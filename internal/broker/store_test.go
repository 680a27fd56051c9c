package broker_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A notebook is a Store that lists what is written, and fails if told to.
type notebook struct {
	mu      sync.Mutex
	records []broker.Record
	fail    error
	load    []broker.Record
}

func (n *notebook) Load(fn func(broker.Record) error) error {
	for _, r := range n.load {
		if err := fn(r); err != nil {
			return err
		}
	}
	return n.fail
}

func (n *notebook) Write(r ...broker.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records = append(n.records, r...)
}

func (n *notebook) Together(fn func()) { fn() }

func (n *notebook) Sync() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fail
}

func (n *notebook) broken(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = err
}

// TestNothingIsAcknowledgedThatIsNotKept: a store that fails ends a 3.1.1
// connection [MQTT3-4.8.0-2]; 5.0 has a reason code for it.
func TestNothingIsAcknowledgedThatIsNotKept(t *testing.T) {
	full := errors.New("disk full")
	for _, tt := range []struct {
		name string
		v    mqtt.Version
		send string
		want string
		end  bool
	}{
		{"3.1.1, QoS 1: the connection ends", mqtt.V311, "3209 0003'q/a' 0007 'hi'", "", true},
		{"3.1.1, QoS 2: the connection ends", mqtt.V311, "3409 0003'q/a' 0007 'hi'", "", true},
		{"3.1.1, QoS 0: nobody was promised anything", mqtt.V311, "3007 0003'q/a' 'hi' c000", "d000", false},
		{"3.1.1: what needs no keeping is acknowledged", mqtt.V311, "3207 0001'x' 0007 'hi'", "4002 0007", false},
		{"5.0: the client is told", mqtt.V5, "320a 0003'q/a' 0007 00 'hi'", "4003 0007 83", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store, w := &notebook{}, newWitness()
			h := serve(t, broker.Options{Rules: w, Store: store})
			h.away(w, "dev1")
			p := h.connected("pub")
			if tt.v == mqtt.V5 {
				p = h.connected5("pub")
			}
			store.broken(full)
			p.send(tt.send)
			p.want(tt.want)
			if tt.end {
				p.wantEnd()
				w.next(t, "connected")
				if tt.v == mqtt.V311 {
					w.next(t, "publish")
				}
				if e := w.next(t, "closed"); e.cause != broker.NotKept {
					t.Errorf("closed because %v", e.cause)
				}
			}
			store.broken(nil)
		})
	}
}

func TestSubscriptionsThatAreNotKeptAreRefused(t *testing.T) {
	store := &notebook{}
	h := serve(t, broker.Options{Store: store})
	p := h.durable("dev1", false)
	store.broken(errors.New("disk full"))
	p.send("8206 0001 0001'a' 01")
	p.want("9003 0001 80")
	store.broken(nil)
}

func TestUnreadableStoreKeepsTheBrokerFromStarting(t *testing.T) {
	broken := errors.New("no such file")
	if _, err := broker.New(broker.Options{Store: &notebook{fail: broken}}); !errors.Is(err, broken) {
		t.Errorf("New: %v", err)
	}
}

func TestLoad(t *testing.T) {
	m := broker.Message{Topic: "a", Payload: []byte("x"), QoS: 1}
	sub := packet.Subscription{Filter: "a/#", QoS: 1}
	h := serve(t, broker.Options{Store: &notebook{load: []broker.Record{
		{Kind: broker.RetainedRecord, Message: broker.Message{Topic: "r", Payload: []byte("on")}},
		{Kind: broker.SubscriptionRecord, Session: "unreadable", Subscription: sub}, // its session's record was left out
		{Kind: broker.SessionRecord, Session: "dev1", Present: true, Expiry: 1e12},
		{Kind: broker.SubscriptionRecord, Session: "dev1", Subscription: sub},
		{Kind: broker.SubscriptionRecord, Session: "other", Subscription: sub},
		{Kind: broker.MessageRecord, Session: "dev1", Seq: 3, QoS: 1, Message: m},
		{Kind: broker.MessageRecord, Session: "dev1", Seq: 4, QoS: 2, Message: m},
		{Kind: broker.ProgressRecord, Session: "dev1", Seq: 3, ID: 9},
		{Kind: broker.SessionRecord, Session: "ended", Present: true}, // it had no expiry
		{Kind: broker.SessionRecord, Session: "kept", Keep: true},
		{Kind: broker.SubscriptionRecord, Session: "kept", Subscription: sub},
	}}})
	c := h.Counters()
	if c.Sessions.Load() != 2 || c.Offline.Load() != 2 || c.Subscriptions.Load() != 2 || c.Queued.Load() != 1 || c.Retained.Load() != 1 {
		t.Errorf("%d sessions, %d away, %d subscriptions, %d waiting, %d retained", c.Sessions.Load(), c.Offline.Load(), c.Subscriptions.Load(), c.Queued.Load(), c.Retained.Load())
	}
	p := h.durable("dev1", true)
	p.want("3a06 0001'a' 0009 'x' 3406 0001'a' 000a 'x'")
}

func TestOfflineSessionsAreBounded(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{OfflineSessions: 1}})
	h.away(w, "dev1")
	h.away(w, "dev2")
	h.durable("dev1", true)
	h.durable("dev2", false)
	if n := h.Counters().DroppedSessions.Load(); n != 1 {
		t.Errorf("%d sessions were not kept", n)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	// A script that pipes its packets and ends, without waiting for CONNACK.
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	p := h.dial()
	p.send(connect311 + "3005 0001't' 'hi'")
	p.Conn.(interface{ CloseWrite() error }).CloseWrite()
	p.want(connack)
	p.wantEnd()
	for _, what := range []string{"connected", "publish", "closed"} {
		w.next(t, what)
	}
}

func TestNamesOfCausesAndOutcomes(t *testing.T) {
	seen := map[string]bool{}
	for c := broker.Disconnected; c <= broker.LifetimeOver; c++ {
		seen[c.String()] = true
	}
	for o := broker.Delivered; o <= broker.TooLarge; o++ {
		seen[o.String()] = true
		if zh := o.StringZH(); zh == "" || zh == o.String() || zh == (broker.TooLarge+1).StringZH() {
			t.Errorf("%v in Chinese: %q", o, zh)
		}
	}
	if len(seen) != int(broker.LifetimeOver)+int(broker.TooLarge)+1 {
		t.Errorf("%d names: %v", len(seen), seen)
	}
	for name := range seen {
		if name == "" || strings.Contains(name, "unknown") {
			t.Errorf("name %q", name)
		}
	}
}

// TestExactlyOnceWaitsForTheStore: what lets the other side forget, or begins
// an exchange, is not said before it is durable. Said too early, a crash makes
// one message two.
func TestExactlyOnceWaitsForTheStore(t *testing.T) {
	full := errors.New("disk full")
	t.Run("PUBLISH of QoS 2 to a client with a session", func(t *testing.T) {
		store := &notebook{}
		h := serve(t, broker.Options{Store: store})
		p := h.durable("dev1", false)
		p.send("8206 0001 0001'a' 02")
		p.want("9003 0001 02")
		store.broken(full)
		h.Publish(broker.Message{Topic: "a", Payload: []byte("x"), QoS: 2})
		p.wantEnd()
		store.broken(nil)
		p = h.durable("dev1", true)
		p.want("3c06 0001'a' 0001 'x'")
	})
	t.Run("PUBREL", func(t *testing.T) {
		store := &notebook{}
		h := serve(t, broker.Options{Store: store})
		p := h.durable("dev1", false)
		p.send("8206 0001 0001'a' 02")
		p.want("9003 0001 02")
		h.Publish(broker.Message{Topic: "a", Payload: []byte("x"), QoS: 2})
		p.want("3406 0001'a' 0001 'x'")
		store.broken(full)
		p.send("5002 0001")
		p.wantEnd()
		store.broken(nil)
		p = h.durable("dev1", true)
		p.want("6202 0001")
	})
	t.Run("PUBCOMP", func(t *testing.T) {
		store := &notebook{}
		h := serve(t, broker.Options{Store: store})
		p := h.durable("dev1", false)
		p.send("3406 0001'a' 0007 'x'")
		p.want("5002 0007")
		store.broken(full)
		p.send("6202 0007")
		p.wantEnd()
		store.broken(nil)
		p = h.durable("dev1", true)
		p.send("6202 0007")
		p.want("7002 0007")
	})
}
