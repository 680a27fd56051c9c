package broker

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A tape is a sink that keeps what it is sent.
type tape struct {
	sink
	b []byte
}

func (t *tape) write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	return len(b), nil
}

// packets are what was sent, as version v.
func (t *tape) packets(tb testing.TB, v mqtt.Version) (all []packet.Packet) {
	tb.Helper()
	for b := t.b; len(b) > 0; {
		h, err := packet.ParseHeader(b)
		if err != nil {
			tb.Fatal(err)
		}
		p, err := packet.Decode(h, bytes.Clone(b[h.Size:h.Size+h.Remaining]), v)
		if err != nil {
			tb.Fatal(err)
		}
		all, b = append(all, p), b[h.Size+h.Remaining:]
	}
	return all
}

// taped is a client that has sent the given bytes and whose answers are kept.
func taped(tb testing.TB, b *Broker, frames ...[]byte) (*Client, *tape) {
	tb.Helper()
	c, _ := sunk(tb, b)
	t := &tape{}
	c.t = t
	for _, f := range frames {
		feed(tb, c, f)
	}
	return c, t
}

func newBroker(tb testing.TB, l Limits) *Broker {
	tb.Helper()
	b, err := New(Options{Limits: l})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// forgotten fails where the broker still has anything of its clients.
func (b *Broker) forgotten(t *testing.T) {
	t.Helper()
	for i := range b.topics.shards {
		if n := len(b.topics.shards[i].exact); n > 0 {
			t.Errorf("%d exact topics are left", n)
		}
	}
	r := &b.topics.root
	if r.here != nil || r.below != nil || r.plus != nil || len(r.children) > 0 || b.topics.wildcards.Load() != 0 {
		t.Errorf("the tree of wildcards is not empty: %d entries", b.topics.wildcards.Load())
	}
	for i := range b.sessions {
		if n := len(b.sessions[i].m); n > 0 {
			t.Errorf("%d sessions are left", n)
		}
	}
	if n := len(b.timers.heap); n > 0 {
		t.Errorf("%d timers are left", n)
	}
	c := &b.counters
	if c.Sessions.Load() != 0 || c.Offline.Load() != 0 || c.Subscriptions.Load() != 0 || c.Queued.Load() != 0 || c.QueuedBytes.Load() != 0 || c.Clients.Load() != 0 {
		t.Errorf("counted as left: %d sessions, %d away, %d subscriptions, %d messages with %d bytes, %d clients", c.Sessions.Load(), c.Offline.Load(),
			c.Subscriptions.Load(), c.Queued.Load(), c.QueuedBytes.Load(), c.Clients.Load())
	}
}

// TestTheSubscriberToEverythingGetsEverything of thousands of publishers, once
// and in the order of each, at every QoS.
func TestTheSubscriberToEverythingGetsEverything(t *testing.T) {
	const publishers, each = 3000, 4
	b := newBroker(t, Limits{OutBuffer: 64 << 20, Inflight: 65535, QueueBytes: 1 << 30})
	_, all := taped(t, b, connectOf(t, mqtt.V311, "all"), subscribeTo(t, mqtt.V311, "#", 2))
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for i := w; i < publishers; i += 4 {
				c, _ := sunk(t, b, connectOf(t, mqtt.V311, fmt.Sprint("dev", i)))
				for n := range each {
					feed(t, c, encoded(t, mqtt.V311, &packet.Publish{Topic: fmt.Appendf(nil, "plain/dev%d/up", i), QoS: mqtt.QoS(n % 3), ID: uint16(n % 3 * (n + 1)), Payload: fmt.Append(nil, n)}))
				}
				c.finish(io.EOF)
			}
		})
	}
	workers.Wait()
	next := map[string]int{}
	for _, p := range all.packets(t, mqtt.V311)[2:] {
		m := p.(*packet.Publish)
		if n := next[string(m.Topic)]; string(m.Payload) != fmt.Sprint(n) || m.QoS != mqtt.QoS(n%3) {
			t.Fatalf("%s: message %s with QoS %d, want %d", m.Topic, m.Payload, m.QoS, n)
		}
		next[string(m.Topic)]++
	}
	for topic, n := range next {
		if n != each {
			t.Errorf("%s: %d messages", topic, n)
		}
	}
	if len(next) != publishers || b.counters.Sessions.Load() != 1 {
		t.Errorf("messages of %d publishers, %d sessions", len(next), b.counters.Sessions.Load())
	}
}

// TestOverlappingFiltersCostOnce: a session whose filters match by hundreds
// gets a message once, with the highest QoS, and routing it takes no memory.
func TestOverlappingFiltersCostOnce(t *testing.T) {
	b := newBroker(t, Limits{})
	c, got := taped(t, b, connectOf(t, mqtt.V311, "all"))
	const depth = 9
	for bits := range 1 << depth { // a/a/…, each level as it is or as +
		filter := strings.Repeat("a/", depth)
		levels := strings.Split(filter[:len(filter)-1], "/")
		for i := range levels {
			if bits>>i&1 == 1 {
				levels[i] = "+"
			}
		}
		feed(t, c, subscribeTo(t, mqtt.V311, strings.Join(levels, "/"), 0))
	}
	for i := range depth {
		feed(t, c, subscribeTo(t, mqtt.V311, strings.Repeat("a/", i)+"#", mqtt.QoS(i%3)))
	}
	if n := b.counters.Subscriptions.Load(); n != 1<<depth+depth {
		t.Fatalf("%d subscriptions", n)
	}
	topic := []byte("a/a/a/a/a/a/a/a/a")
	pub, _ := sunk(t, b, connectOf(t, mqtt.V311, "pub"))
	got.b = nil
	feed(t, pub, encoded(t, mqtt.V311, &packet.Publish{Topic: topic, QoS: 2, ID: 1, Payload: []byte("x")}))
	if all := got.packets(t, mqtt.V311); len(all) != 1 || all[0].(*packet.Publish).QoS != 2 {
		t.Fatalf("%d messages: %+v", len(all), all)
	}
	got.b = nil
	feed(t, pub, encoded(t, mqtt.V311, &packet.Publish{Topic: []byte("a/a/a/a/b"), Payload: []byte("x")}))
	if all := got.packets(t, mqtt.V311); len(all) != 1 { // by "#", "a/#" and so on to "a/a/a/a/#"
		t.Errorf("%d messages", len(all))
	}
	skipUnderRace(t)
	frame := encoded(t, mqtt.V311, &packet.Publish{Topic: topic, Payload: []byte("x")})
	got.b = make([]byte, 0, 1<<20)
	if n := testing.AllocsPerRun(100, func() { feed(t, pub, frame) }); n > 0 {
		t.Errorf("%v allocations for a message that %d filters match", n, 1<<depth)
	}
}

// TestTheDeepestFiltersMatchExactly, up to the limit of levels.
func TestTheDeepestFiltersMatchExactly(t *testing.T) {
	const most = 128
	b := newBroker(t, Limits{})
	c, got := taped(t, b, connectOf(t, mqtt.V5, "deep"))
	plus := strings.TrimSuffix(strings.Repeat("+/", most), "/")
	for i, filter := range []string{plus, plus[:len(plus)-1] + "#", strings.Repeat("+/", most-2) + "x/#", "#"} {
		feed(t, c, encoded(t, mqtt.V5, &packet.Subscribe{ID: 1, Properties: &packet.Properties{SubscriptionIDs: []uint32{uint32(i + 1)}},
			Subscriptions: []packet.Subscription{{Filter: filter}}}))
	}
	pub, _ := sunk(t, b, connectOf(t, mqtt.V5, "pub"))
	for _, tt := range []struct {
		levels int
		last   string
		want   string // subscription identifiers, any order
	}{
		{most, "x", "1 2 4"}, {most - 1, "x", "2 3 4"}, {most - 1, "y", "2 4"}, {most - 2, "x", "4"}, {1, "x", "4"},
	} {
		got.b = nil
		topic := strings.Repeat("/", tt.levels-1) + tt.last
		feed(t, pub, encoded(t, mqtt.V5, &packet.Publish{Topic: []byte(topic)}))
		all := got.packets(t, mqtt.V5)
		if len(all) != 1 {
			t.Fatalf("%d levels: %d messages", tt.levels, len(all))
		}
		matched := map[uint32]bool{}
		for _, id := range all[0].(*packet.Publish).Properties.SubscriptionIDs {
			matched[id] = true
		}
		var ids []string
		for id := range uint32(5) {
			if matched[id] {
				ids = append(ids, fmt.Sprint(id))
			}
		}
		if s := strings.Join(ids, " "); s != tt.want {
			t.Errorf("%d levels with %s: %s, want %s", tt.levels, tt.last, s, tt.want)
		}
	}
}

// TestDeepFiltersOfASessionAreBounded: 1,024 filters of 128 levels of their own
// each would take the tree 40 MiB a session.
func TestDeepFiltersOfASessionAreBounded(t *testing.T) {
	b := newBroker(t, Limits{})
	c, got := taped(t, b, connectOf(t, mqtt.V5, "deep"))
	got.b = nil
	deep := func(i int) string { return fmt.Sprintf("%d/%s+", i, strings.Repeat("x/", 126)) }
	for i := range 200 {
		feed(t, c, subscribeTo(t, mqtt.V5, deep(i), 0))
	}
	granted := 0
	for _, p := range got.packets(t, mqtt.V5) {
		switch r := p.(*packet.Suback).Reasons[0]; r {
		case 0:
			granted++
		case mqtt.QuotaExceeded:
		default:
			t.Errorf("reason %v", r)
		}
	}
	if want := wildLevels * 1024 / 128; granted != want {
		t.Errorf("%d granted, want %d", granted, want)
	}
	nodes := 0
	var count func(l *level)
	count = func(l *level) {
		nodes++
		for _, child := range l.children {
			count(child)
		}
		if l.plus != nil {
			count(l.plus)
		}
	}
	count(&b.topics.root)
	if most := wildLevels*1024 + 1; nodes > most {
		t.Errorf("%d nodes in the tree, want at most %d", nodes, most)
	}
	// Others, and filters of common depth, have their place.
	got.b = nil
	feed(t, c, subscribeTo(t, mqtt.V5, "a/b/c/d/e/f/g/+", 0))
	feed(t, c, subscribeTo(t, mqtt.V5, strings.Repeat("x/", 127)+"x", 0)) // takes no place in the tree
	other, hers := taped(t, b, connectOf(t, mqtt.V5, "other"))
	feed(t, other, subscribeTo(t, mqtt.V5, deep(0), 0))
	for _, p := range append(got.packets(t, mqtt.V5), hers.packets(t, mqtt.V5)[1]) {
		if r := p.(*packet.Suback).Reasons[0]; r != 0 {
			t.Errorf("reason %v", r)
		}
	}
	c.finish(io.EOF)
	other.finish(io.EOF)
	b.forgotten(t)
}

// TestChurnLeavesNothing: clients that subscribe and unsubscribe at random, all
// at once, while messages are routed and clients go, leave an empty house.
func TestChurnLeavesNothing(t *testing.T) {
	const clients, moves = 40, 300
	b := newBroker(t, Limits{})
	names := []string{"a", "b", "+", "c", "#"}
	filter := func(r *rand.Rand) string {
		var levels []string
		for range 1 + r.IntN(5) {
			name := names[r.IntN(len(names))]
			levels = append(levels, name)
			if name == "#" {
				break
			}
		}
		f := strings.Join(levels, "/")
		if r.IntN(4) == 0 {
			return fmt.Sprintf("$share/g%d/%s", r.IntN(3), f)
		}
		return f
	}
	stop := make(chan struct{})
	var publisher, churners sync.WaitGroup
	publisher.Go(func() {
		pub, _ := sunk(t, b, connectOf(t, mqtt.V311, "pub"))
		defer pub.finish(io.EOF)
		for {
			select {
			case <-stop:
				return
			default:
				feed(t, pub, encoded(t, mqtt.V311, &packet.Publish{Topic: []byte("a/b/c"), Payload: []byte("x")}))
			}
		}
	})
	for i := range clients {
		churners.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			c, _ := sunk(t, b, connectOf(t, mqtt.V311, fmt.Sprint("dev", i)))
			mine := map[string]bool{}
			for range moves {
				if f := filter(r); r.IntN(2) == 0 {
					feed(t, c, subscribeTo(t, mqtt.V311, f, mqtt.QoS(r.IntN(3))))
					mine[f] = true
				} else {
					feed(t, c, encoded(t, mqtt.V311, &packet.Unsubscribe{ID: 1, Filters: []string{f}}))
					delete(mine, f)
				}
			}
			if i%2 == 0 { // half of them say good-bye to each filter
				for f := range mine {
					feed(t, c, encoded(t, mqtt.V311, &packet.Unsubscribe{ID: 1, Filters: []string{f}}))
				}
				c.s.mu.Lock()
				if n := len(c.s.subs); n > 0 {
					t.Errorf("%d subscriptions are left of a client that ended all", n)
				}
				c.s.mu.Unlock()
			}
			c.finish(io.EOF)
		})
	}
	churners.Wait()
	close(stop)
	publisher.Wait()
	b.forgotten(t)
}

// TestComingAndGoingLeavesNothing: not a timer, not a session, neither of
// clients that stay away nor of those that end.
func TestComingAndGoingLeavesNothing(t *testing.T) {
	b := newBroker(t, Limits{})
	keep := encoded(t, mqtt.V311, &packet.Connect{ProtocolName: "MQTT", Version: mqtt.V311, ClientID: "dev"})
	for range 5000 {
		c, _ := sunk(t, b, keep)
		c.finish(io.EOF)
		c, _ = sunk(t, b, connectOf(t, mqtt.V311, "other"))
		c.finish(io.EOF)
	}
	if n, s := len(b.timers.heap), b.counters.Sessions.Load(); n != 1 || s != 1 {
		t.Errorf("%d timers and %d sessions for one absent client", n, s)
	}
	c, _ := sunk(t, b, connectOf(t, mqtt.V311, "dev"))
	c.finish(io.EOF)
	b.forgotten(t)
}

// TestTimersAreSetAndStopped in whatever order: each session has one, and they
// come soonest first.
func TestTimersAreSetAndStopped(t *testing.T) {
	var x timers
	start := time.Now()
	sessions := make([]*session, 50)
	at := map[*session]time.Time{}
	for i := range sessions {
		sessions[i] = &session{}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := sessions[r.IntN(len(sessions))]
		if r.IntN(3) == 0 {
			x.stop(s)
			delete(at, s)
		} else {
			at[s] = start.Add(time.Duration(r.IntN(1000)) * time.Second)
			x.set(s, at[s])
		}
		if len(x.heap) != len(at) {
			t.Fatalf("%d timers for %d sessions", len(x.heap), len(at))
		}
	}
	var last time.Time
	for _, s := range x.due(start.Add(500 * time.Second)) {
		if at[s].Before(last) || at[s].After(start.Add(500*time.Second)) || s.timer != 0 {
			t.Errorf("%v after %v", at[s], last)
		}
		last = at[s]
		delete(at, s)
	}
	for s, when := range at {
		if !when.After(start.Add(500*time.Second)) || s.timer == 0 {
			t.Errorf("%v was not due", when)
		}
		x.stop(s)
	}
	if len(x.heap) != 0 {
		t.Errorf("%d timers are left", len(x.heap))
	}
}

// TestDeepRetainedTopicsCountAsTheyCost: the places of their levels are counted
// with RetainedBytes and given back.
func TestDeepRetainedTopicsCountAsTheyCost(t *testing.T) {
	b := newBroker(t, Limits{RetainedBytes: 1 << 20})
	topic := func(i int) string { return fmt.Sprint(i) + strings.Repeat("/x", 127) }
	n := 0
	for ; b.counters.DroppedRetained.Load() == 0 && n < 1000; n++ {
		b.Publish(Message{Topic: topic(n), Payload: []byte("x"), Retain: true})
	}
	if c := &b.counters; n > 30 || c.Retained.Load() != int64(n-1) || c.RetainedBytes.Load() > 1<<20 {
		t.Errorf("%d topics of 128 levels in 1 MiB: %d kept with %d bytes", n, c.Retained.Load(), c.RetainedBytes.Load())
	}
	shelves := 0
	for s := &b.retained.root; len(s.children) > 0; shelves++ {
		for _, s = range s.children {
			break
		}
	}
	for i := range n {
		b.Publish(Message{Topic: topic(i), Retain: true})
	}
	if r := &b.retained; r.count != 0 || r.bytes != 0 || len(r.root.children) != 0 || shelves != 128 {
		t.Errorf("%d messages, %d bytes, %d shelves are left; %d deep", r.count, r.bytes, len(r.root.children), shelves)
	}
}

// TestOneSubscribeLooksForNoMoreThanFits: thousands of filters in one packet,
// each of which matches all retained messages.
func TestOneSubscribeLooksForNoMoreThanFits(t *testing.T) {
	const messages, filters = 3000, 8000
	b := newBroker(t, Limits{OutBuffer: 8 << 10, QueueCount: 100})
	for i := range messages {
		b.Publish(Message{Topic: fmt.Sprint("r/", i), Payload: []byte("x"), Retain: true})
	}
	s := packet.Subscribe{ID: 1}
	for range filters {
		s.Subscriptions = append(s.Subscriptions, packet.Subscription{Filter: "#"})
	}
	c, _ := sunk(t, b, connectOf(t, mqtt.V311, "a"))
	batch := borrow()
	batch.buf = encoded(t, mqtt.V311, &s)
	batch.n = len(batch.buf)
	if _, err := c.take(batch); err != nil {
		t.Fatal(err)
	}
	if n := b.counters.DroppedQueueFull.Load(); n == 0 || n > messages {
		t.Errorf("%d retained messages were dropped, want at most %d: those of one filter", n, messages)
	}
}
