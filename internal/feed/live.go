package feed

import (
	"context"
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
	missed int
}

// Subscribe returns the records from now on that wants accepts (nil: all),
// until ctx is done. wants must be quick and must not call the feed.
func (f *Feed) Subscribe(ctx context.Context, wants func(*Record) bool) Live {
	s := &subscriber{feed: f, ch: make(chan Record, liveQueue), wants: wants}
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
func (f *Feed) publish(seq uint64, bytes []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.subscribers) == 0 {
		return
	}
	for _, r := range f.decode(nil, seq, bytes, 0) {
		for s := range f.subscribers {
			if s.wants == nil || s.wants(&r) {
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
