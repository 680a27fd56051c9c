package modem

import (
	"context"
	"slices"
)

// A Waiter waits for one line that the module says of its own accord, such as
// the outcome of a command that was answered OK long before. Make it before
// the command is sent: the outcome may overtake the OK.
type Waiter struct {
	host  *Host
	match func(line string) bool
	got   chan string
	err   chan error
}

// Await makes a Waiter for the first line that match is true of. Cancel it.
func (h *Host) Await(match func(line string) bool) *Waiter {
	w := &Waiter{host: h, match: match, got: make(chan string, 1), err: make(chan error, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiters = append(h.waiters, w)
	return w
}

// Wait returns the line.
func (w *Waiter) Wait(ctx context.Context) (string, error) {
	select {
	case line := <-w.got:
		return line, nil
	default:
	}
	select {
	case line := <-w.got:
		return line, nil
	case err := <-w.err:
		return "", err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-w.host.done:
		return "", w.host.Err()
	}
}

// Cancel ends the wait; later lines go where they would have gone.
func (w *Waiter) Cancel() {
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	w.host.waiters = slices.DeleteFunc(w.host.waiters, func(other *Waiter) bool { return other == w })
}

// fail ends the wait with an error.
func (w *Waiter) fail(err error) { w.err <- err }
