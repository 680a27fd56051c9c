package fleet

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// A schedule wakes members when something of theirs is due. Each member is in
// it once at most, with the earliest of its times.
type schedule struct {
	now  func() time.Duration
	kick func(*member)

	mu    sync.Mutex
	due   dueHeap
	wakes chan struct{} // the earliest time has changed
}

func newSchedule(now func() time.Duration, kick func(*member)) *schedule {
	return &schedule{now: now, kick: kick, wakes: make(chan struct{}, 1)}
}

// at asks for a wake-up; an earlier one that was asked for stays.
func (s *schedule) at(m *member, t time.Duration) {
	s.mu.Lock()
	switch {
	case m.place < 0:
		m.due = t
		heap.Push(&s.due, m)
	case t < m.due:
		m.due = t
		heap.Fix(&s.due, m.place)
	}
	first := m.place == 0
	s.mu.Unlock()
	if first {
		select {
		case s.wakes <- struct{}{}:
		default:
		}
	}
}

// run wakes members until ctx ends. It returns how late the latest wake-up was.
func (s *schedule) run(ctx context.Context) (late time.Duration) {
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	for {
		wait := time.Hour
		for {
			s.mu.Lock()
			if len(s.due) == 0 {
				s.mu.Unlock()
				break
			}
			m, now := s.due[0], s.now()
			if m.due > now {
				wait = m.due - now
				s.mu.Unlock()
				break
			}
			heap.Pop(&s.due)
			late = max(late, now-m.due)
			s.mu.Unlock()
			s.kick(m)
		}
		alarm.Reset(wait)
		select {
		case <-alarm.C:
		case <-s.wakes:
		case <-ctx.Done():
			return late
		}
	}
}

// dueHeap has the member that is due first at its top.
type dueHeap []*member

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *dueHeap) Push(x any) {
	m := x.(*member)
	m.place = len(*h)
	*h = append(*h, m)
}
func (h *dueHeap) Pop() any {
	old := *h
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	m.place = -1
	return m
}
