package broker

import (
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A crowdScene is a subscriber to everything and the messages of others, each
// routed as another connection would.
type crowdScene struct {
	t       *testing.T
	b       *Broker
	c       *Client
	sink    *sink
	message packet.Publish
	now     uint32
}

func newCrowdScene(t *testing.T) *crowdScene {
	t.Helper()
	b, err := New(Options{Rules: OpenRules{}})
	if err != nil {
		t.Fatal(err)
	}
	c, sink := sunk(t, b, connectOf(t, mqtt.V311, "s"), subscribeTo(t, mqtt.V311, "#", 1))
	*sink = struct{ bytes, writes int }{}
	return &crowdScene{t: t, b: b, c: c, sink: sink, message: packet.Publish{Topic: []byte("a"), Payload: []byte("x"), QoS: 1}, now: 1000}
}

// publish routes a message as a work of its own.
func (s *crowdScene) publish() *work {
	w := new(work)
	s.b.route(w, &s.message, nil, time.Now())
	return w
}

// crowd sends until the subscriber counts as crowded and returns the work that
// has promised to flush it.
func (s *crowdScene) crowd() *work {
	s.t.Helper()
	for range crowdMost {
		w := s.publish()
		s.now += closeBy / 2
		if w.flushEarly(s.now); len(w.dirty) > 0 {
			*s.sink = struct{ bytes, writes int }{}
			return w
		}
	}
	s.t.Fatalf("%d flushes %d µs apart were not taken for a crowd", crowdMost, closeBy/2)
	return nil
}

func TestACrowdIsWrittenOnce(t *testing.T) {
	s := newCrowdScene(t)
	owner := s.crowd()
	for range 10 {
		if w := s.publish(); len(w.dirty) != 0 {
			t.Fatal("a second work flushes what the first one has promised to")
		}
	}
	if s.sink.writes != 0 {
		t.Fatalf("%d writes before the promised one", s.sink.writes)
	}
	owner.flushLate()
	const message = 8 // 3x .. 0001 61 id id 78
	if s.sink.writes != 1 || s.sink.bytes != 11*message {
		t.Errorf("%d writes of %d bytes in all, want 1 of %d", s.sink.writes, s.sink.bytes, 11*message)
	}
	if w := s.publish(); len(w.dirty) != 1 {
		t.Error("the promise was kept, and the next message still waits for somebody")
	}
}

func TestNoCrowdWaits(t *testing.T) {
	s := newCrowdScene(t)
	for range 3 * crowdMost {
		w := s.publish()
		s.now += 2 * closeBy
		if w.flushEarly(s.now); len(w.dirty) != 0 {
			t.Fatal("a message waits although the last one is long gone")
		}
	}
	if s.sink.writes != 3*crowdMost {
		t.Errorf("%d writes for %d messages", s.sink.writes, 3*crowdMost)
	}
}

// A promise must not fill the out-buffer so that messages are dropped as if the
// client were slow.
func TestACrowdsBufferIsBounded(t *testing.T) {
	s := newCrowdScene(t)
	s.message.Payload = make([]byte, outChunk/4)
	owner := s.crowd()
	for range 8 {
		s.publish().flush()
	}
	owner.flushLate()
	if s.sink.writes < 2 {
		t.Errorf("%d bytes waited for one write", s.sink.bytes)
	}
	if n := s.b.counters.DroppedSlow.Load(); n != 0 {
		t.Errorf("%d messages dropped", n)
	}
	s.now += closeBy / 2
	s.message.Payload = make([]byte, 2*outChunk)
	w := s.publish()
	if w.flushEarly(s.now); len(w.dirty) != 0 {
		t.Error("a large message waits for smaller ones")
	}
}

// The subscriber's own reading flushes too; the promise is void then.
func TestTheCrowdedFlushThemselves(t *testing.T) {
	s := newCrowdScene(t)
	owner := s.crowd()
	feed(t, s.c, encoded(t, mqtt.V311, &packet.Pingreq{}))
	if s.sink.writes != 1 {
		t.Fatalf("%d writes after the subscriber's turn, want 1", s.sink.writes)
	}
	if w := s.publish(); len(w.dirty) != 1 {
		t.Fatal("a message waits for a promise that is void")
	}
	owner.flushLate()
}
