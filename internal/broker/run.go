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
		s.b.timers.set(s, now.Add(tick))
		s.mu.Unlock()
		return
	}
	var due *will
	away := now.Sub(s.offline)
	if s.will != nil && away >= min(s.will.delay, s.expiry) {
		due, s.will = s.will, nil
	}
	if s.expiry > 0 && away >= s.expiry {
		s.b.counters.ExpiredSessions.Add(1)
		s.expire()
	} else {
		s.wind()
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

// wind sets the timer of an absent session to what comes next for it; s.mu is
// held.
func (s *session) wind() {
	var next time.Time
	if s.expiry > 0 {
		next = s.offline.Add(s.expiry)
	}
	if s.will != nil {
		next = s.offline.Add(min(s.will.delay, s.expiry))
	}
	if next.IsZero() {
		s.b.timers.stop(s)
		return
	}
	s.b.timers.set(s, next)
}

// timers are the moments at which absent sessions need something, soonest
// first: one for each session, so that clients that come and go leave none.
type timers struct {
	mu   sync.Mutex
	heap timerHeap
}

type timer struct {
	at time.Time
	s  *session
}

// set makes at the moment of s, in place of an earlier one.
func (t *timers) set(s *session, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.timer == 0 {
		heap.Push(&t.heap, timer{at, s})
		return
	}
	t.heap[s.timer-1].at = at
	heap.Fix(&t.heap, s.timer-1)
}

// stop takes out the moment of s, if it has one.
func (t *timers) stop(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.timer > 0 {
		heap.Remove(&t.heap, s.timer-1)
	}
}

// due takes out the sessions whose time has come.
func (t *timers) due(now time.Time) (list []*session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.heap) > 0 && !t.heap[0].at.After(now) {
		list = append(list, heap.Pop(&t.heap).(timer).s)
	}
	return list
}

type timerHeap []timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].s.timer, h[j].s.timer = i+1, j+1
}
func (h *timerHeap) Push(x any) {
	*h = append(*h, x.(timer))
	x.(timer).s.timer = len(*h)
}
func (h *timerHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = timer{}
	*h = old[:len(old)-1]
	x.s.timer = 0
	return x
}
