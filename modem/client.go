package modem

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/matou-iot/matou/at"
)

// maxIdentifier is the greatest packet identifier [MQTT3 §2.3.1].
const maxIdentifier = 65535

// A Client is what the Sessions of all drivers share: the host's side of a
// module's own MQTT client. Its commands begin with the client's number and
// are answered OK at once; what came of one is a line of the same name that
// the module says later, with the same number first.
type Client struct {
	*Mailbox
	host   *Host
	number int
	turn   chan struct{} // holds a token while a packet awaits its outcome

	mu       sync.Mutex
	last     int // identifier
	finished bool
}

// NewClient is the session of a module's client of this number. receive may be
// nil.
func NewClient(h *Host, number int, receive func(Message), log *slog.Logger) *Client {
	return &Client{Mailbox: NewMailbox(receive, log), host: h, number: number, turn: make(chan struct{}, 1)}
}

// Turn waits for the packet before to be done with, as modules mix up the
// outcomes of two. done lets the next one go.
func (c *Client) Turn(ctx context.Context) (done func(), err error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	select {
	case c.turn <- struct{}{}:
		return func() { <-c.turn }, nil
	case <-c.Done():
		return nil, c.Err()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Identifier is the next packet identifier.
func (c *Client) Identifier() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = c.last%maxIdentifier + 1
	return c.last
}

// Set asks a command of this client, of whose answer only the result counts.
func (c *Client) Set(ctx context.Context, name string, args ...at.Arg) error {
	return c.host.Set(ctx, name, append([]at.Arg{at.Num(c.number)}, args...)...)
}

// Ask asks a command of this client and waits for its outcome, a line of the
// same name whose numbers match.
func (c *Client) Ask(ctx context.Context, timeout time.Duration, name string, match func(n []int) bool, args ...at.Arg) ([]int, error) {
	outcome := c.Await(match, name)
	defer outcome.Cancel()
	if err := c.Set(ctx, name, args...); err != nil {
		return nil, err
	}
	return outcome.Wait(ctx, timeout)
}

// Abandon ends a session whose login failed. What it left in the module is
// closed meanwhile, with a command of this name, and then given back; within
// bounds how long that may take.
func (c *Client) Abandon(failure error, within time.Duration, name string, free func()) {
	c.End(failure)
	c.host.Tidy(func() {
		defer free()
		defer c.Wait()
		if errors.Is(failure, ErrNotSent) {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		c.Set(ctx, name)
	})
}

// Finish ends the session, once: it logs out unless the module has ended the
// session before, waits until the receiver has returned, and gives the
// module's client back.
func (c *Client) Finish(logout func() error, free func()) (err error) {
	c.mu.Lock()
	finished := c.finished
	c.finished = true
	c.mu.Unlock()
	if finished {
		return nil
	}
	defer free()
	if c.Err() == nil {
		err = logout()
	}
	c.End(ErrClosed)
	c.Wait()
	return err
}
