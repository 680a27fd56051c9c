package history

import (
	"context"
	"sync"
)

// A position grows and can be waited for.
type position struct {
	s *positionState
}

type positionState struct {
	mu    sync.Mutex
	at    uint64
	grown chan struct{} // closed and replaced when at grows
}

func newPosition() position { return position{&positionState{grown: make(chan struct{})}} }

func (p position) get() uint64 {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.at
}

func (p position) advance(to uint64) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.at = to
	close(p.s.grown)
	p.s.grown = make(chan struct{})
}

func (p position) wait(ctx context.Context, seq uint64) error {
	for {
		p.s.mu.Lock()
		at, grown := p.s.at, p.s.grown
		p.s.mu.Unlock()
		if at >= seq {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
