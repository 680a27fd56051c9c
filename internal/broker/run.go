package broker

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

const (
	// tick is how exactly sessions expire and delayed wills are published.
	tick = time.Second
	// tidyEvery is how often what has expired is looked for where no timer is kept.
	tidyEvery = time.Minute
)

// Run does what time demands: it ends sessions that have expired and publishes
// delayed wills, until ctx is done. Then it makes durable what is not yet, and
// returns.
func (b *Broker) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	tidied := time.Now()
	for {
		select {
		case <-ctx.Done():
			return b.store.Sync()
		case <-ticker.C:
		}
		now := time.Now()
		for _, s := range b.timers.due(now) {
			s.ring(now)
		}
		if now.Sub(tidied) >= tidyEvery {
			tidied = now
			b.tidy(now)
		}
	}
}

func (b *Broker) tidy(now time.Time) {
	b.addresses.tidy(now, b.limits.Load())
	for _, topic := range b.retained.expire(now) {
		b.store.Write(Record{Kind: RetainedRecord, Delete: true, Message: Message{Topic: topic}})
		b.counters.DroppedExpired.Add(1)
	}
	b.countRetained()
}

// ring handles a timer of s.
func (s *session) ring(now time.Time) {
	s.mu.Lock()
	if s.client.Load() != nil || s.offline.IsZero() || s.left != nil {
		s.mu.Unlock()
		return // somebody is here, or is leaving and sets his own timers
	}
	if s.claims > 0 { // somebody is about to come, or to be refused
		s.b.timers.add(now.Add(tick), s, s.wakeup)
		s.mu.Unlock()
		return
	}
	var due *will
	away := now.Sub(s.offline)
	if s.will != nil && away >= min(s.will.delay, s.expiry) {
		due, s.will = s.will, nil
	}
	if s.expiry > 0 && away >= s.expiry {
		s.expire()
	}
	s.mu.Unlock()
	if due != nil {
		due.client.publishWill(due)
	}
}

// expire ends the session, except for subscriptions that hold for ever; s.mu
// is held.
func (s *session) expire() {
	if !s.keep {
		s.end()
		return
	}
	s.present, s.expiry = false, 0
	s.clear()
	s.b.store.Write(Record{Kind: ContentRecord, Delete: true, Session: s.key})
	s.record()
}

// timers are the moments at which absent sessions need something, soonest
// first. One that is out of date by the time it comes is ignored.
type timers struct {
	mu   sync.Mutex
	heap timerHeap
}

type timer struct {
	at     time.Time
	s      *session
	wakeup uint32 // session.wakeup when it was set
}

func (t *timers) add(at time.Time, s *session, wakeup uint32) {
	t.mu.Lock()
	heap.Push(&t.heap, timer{at, s, wakeup})
	t.mu.Unlock()
}

// due takes out the sessions whose time has come.
func (t *timers) due(now time.Time) (list []*session) {
	t.mu.Lock()
	var ready []timer
	for len(t.heap) > 0 && !t.heap[0].at.After(now) {
		ready = append(ready, heap.Pop(&t.heap).(timer))
	}
	t.mu.Unlock()
	for _, x := range ready {
		x.s.mu.Lock()
		fresh := x.s.wakeup == x.wakeup
		x.s.mu.Unlock()
		if fresh {
			list = append(list, x.s)
		}
	}
	return list
}

type timerHeap []timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)        { *h = append(*h, x.(timer)) }
func (h *timerHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = timer{}
	*h = old[:len(old)-1]
	return x
}
