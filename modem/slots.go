package modem

import "sync"

// Slots are the numbered connections that a module has room for.
type Slots[T any] struct {
	mu   sync.Mutex
	used []*T
	next int // the number that was used longest ago
}

// NewSlots makes n free slots, numbered from 0.
func NewSlots[T any](n int) *Slots[T] { return &Slots[T]{used: make([]*T, n)} }

// Claim makes the connection of the free number that was used longest ago: the
// module may still say something of the one before. Its error is ErrInUse.
func (s *Slots[T]) Claim(make func(id int) *T) (*T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.used {
		id := s.next
		s.next = (s.next + 1) % len(s.used)
		if s.used[id] == nil {
			s.used[id] = make(id)
			return s.used[id], nil
		}
	}
	return nil, ErrInUse
}

// Get returns the connection of a number; nil if it has none, or is none.
func (s *Slots[T]) Get(id int) *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 0 || id >= len(s.used) {
		return nil
	}
	return s.used[id]
}

// All returns the connections that there are.
func (s *Slots[T]) All() (all []*T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.used {
		if c != nil {
			all = append(all, c)
		}
	}
	return all
}

// Free gives a number back.
func (s *Slots[T]) Free(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[id] = nil
}
