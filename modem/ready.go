package modem

import (
	"context"
	"errors"
)

// setUpTries is how often a module may restart in the middle of being set up.
const setUpTries = 3

// A Readiness keeps a module in the state that its driver works in: it sets it
// up at first, and again when it is needed after a restart.
type Readiness struct {
	host      *Host
	tries     int
	configure func(ctx context.Context, first bool) error
	turn      chan struct{} // holds a token while the module is set up or joins
	ready     int           // restarts when it was set up; -1: not yet. Who has the turn may touch it
}

// NewReadiness makes the Readiness of a module that may need tries of AT, a
// second each, until it answers. configure sets up a module that answers;
// first says that this was never done.
func NewReadiness(h *Host, tries int, configure func(ctx context.Context, first bool) error) *Readiness {
	return &Readiness{host: h, tries: tries, configure: configure, turn: make(chan struct{}, 1), ready: -1}
}

// Ensure sets the module up if it is not, and then does what follows, which
// may be nil. One goroutine does so at a time, others wait.
func (r *Readiness) Ensure(ctx context.Context, then func(context.Context) error) error {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-r.turn }()
	if err := r.setUp(ctx); err != nil || then == nil {
		return err
	}
	return then(ctx)
}

// setUp is for the one who has the turn. A module that restarts in the middle
// gets another chance, not an endless number of them.
func (r *Readiness) setUp(ctx context.Context) (err error) {
	for range setUpTries {
		if err := r.host.Err(); err != nil {
			return err
		}
		if r.ready == r.host.Restarts() {
			return nil
		}
		if err = r.host.Attention(ctx, r.tries); err != nil {
			return err
		}
		restarts := r.host.Restarts() // those that it told of while it was asked are over
		if err = r.configure(ctx, r.ready < 0); err == nil {
			r.ready = restarts
			continue // unless it restarted meanwhile, it is ready
		}
		if !errors.Is(err, ErrRestart) {
			return err
		}
	}
	if err == nil {
		err = ErrRestart
	}
	return err
}
