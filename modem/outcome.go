package modem

import (
	"context"
	"fmt"
	"time"
)

// An Outcome is what a Client's command will have come to. Make it before the
// command is sent: the outcome may overtake the OK.
type Outcome struct {
	client *Client
	names  []string
	line   *Waiter
}

// Await makes an Outcome: the first line with one of the names whose numbers,
// of which the client's is the first, match. The first name is the command's;
// some firmware reports under another one. Cancel it.
func (c *Client) Await(match func(n []int) bool, names ...string) *Outcome {
	o := &Outcome{client: c, names: names}
	o.line = c.host.Await(func(line string) bool {
		n := o.numbers(line)
		return len(n) > 0 && n[0] == c.number && match(n)
	})
	return o
}

func (o *Outcome) numbers(line string) []int {
	for _, name := range o.names {
		if n := Numbers(line, name+":"); n != nil {
			return n
		}
	}
	return nil
}

// Wait returns the numbers of the outcome, or the error that the session ended
// with meanwhile.
func (o *Outcome) Wait(ctx context.Context, timeout time.Duration) ([]int, error) {
	silence := fmt.Errorf("AT%s: wanted the outcome, got nothing within %v: %w", o.names[0], timeout, ErrSilent)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, silence)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-o.client.Done():
			stop(o.client.Err())
		case <-ctx.Done():
		}
	}()
	line, err := o.line.Wait(ctx)
	stop(nil)
	<-watched
	return o.numbers(line), err
}

// Cancel ends the wait; later lines go where they would have gone.
func (o *Outcome) Cancel() { o.line.Cancel() }
