package feed

import (
	"context"

	"github.com/matou-iot/matou/internal/record"
)

// liveQueue is how many records wait for one live subscriber; the oldest are
// dropped beyond and counted.
const liveQueue = 1024

// A Live is a subscription to what is committed from now on.
type Live struct {
	C <-chan Record // closed when the subscription ends
	s *subscriber
}

// Missed returns how many records were dropped since the last call, because
// the subscriber did not keep up.
func (l Live) Missed() int {
	l.s.feed.mu.Lock()
	defer l.s.feed.mu.Unlock()
	n := l.s.missed
	l.s.missed = 0
	return n
}

type subscriber struct {
	feed   *Feed
	ch     chan Record
	wants  func(*Record) bool
	kinds  kinds
	missed int
}

// kinds are a set of record.Kind.
type kinds uint64

func (k kinds) with(one record.Kind) kinds { return k | 1<<one }

func (k kinds) has(one record.Kind) bool { return k&(1<<one) != 0 }

// Subscribe returns the records from now on, of these kinds (none: of all),
// that wants accepts (nil: all), until ctx is done. wants must be quick and must
// not call the feed. Batches without the kinds are not even read.
func (f *Feed) Subscribe(ctx context.Context, wants func(*Record) bool, only ...record.Kind) Live {
	s := &subscriber{feed: f, ch: make(chan Record, liveQueue), wants: wants}
	for _, k := range only {
		s.kinds = s.kinds.with(k)
	}
	if len(only) == 0 {
		s.kinds = ^kinds(0)
	}
	f.mu.Lock()
	f.subscribers[s] = true
	f.mu.Unlock()
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subscribers, s)
		close(s.ch)
	})
	return Live{s.ch, s}
}

// publish hands a committed batch to the live subscribers.
func (f *Feed) publish(b *batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var wanted kinds
	for s := range f.subscribers {
		wanted |= s.kinds
	}
	if wanted&b.kinds == 0 {
		return
	}
	for _, r := range f.decode(nil, b.seq, b.bytes, 0) {
		for s := range f.subscribers {
			if s.kinds.has(r.Kind) && (s.wants == nil || s.wants(&r)) {
				s.offer(r)
			}
		}
	}
}

// offer is called with the feed locked, so that nothing is sent on a closed
// channel.
func (s *subscriber) offer(r Record) {
	select {
	case s.ch <- r:
		return
	default:
	}
	select {
	case <-s.ch:
		s.missed++
		s.feed.counters.Missed.Add(1)
	default:
	}
	select {
	case s.ch <- r:
	default:
	}
}
