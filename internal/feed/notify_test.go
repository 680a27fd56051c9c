package feed_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/store/storetest"
)

type waker chan struct{}

func (w waker) Wake() { w <- struct{}{} }

// TestNotify: who waits for a record is woken when its commit has ended,
// whether that worked or not, and hears at once of one that is over.
func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &storetest.Log{Gate: make(chan struct{})}
		f := feed.New(feed.Options{Log: log})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- f.Run(ctx) }()

		woken := make(waker, 10)
		first := f.Append(status("a"))
		synctest.Wait() // it is being committed
		second, third := f.Append(status("b")), f.Append(status("c"))
		for _, ticket := range []feed.Ticket{first, second, third, third} {
			if !ticket.Notify(woken) {
				t.Error("a record that is not kept is ready")
			}
		}
		for _, step := range []struct {
			err   error
			woken int
		}{{nil, 1}, {errors.New("disk full"), 4}} {
			log.Fail(step.err)
			log.Gate <- struct{}{}
			synctest.Wait()
			if len(woken) != step.woken {
				t.Errorf("%d woken, want %d", len(woken), step.woken)
			}
		}
		for i, ticket := range []feed.Ticket{first, second, third, feed.Refused(record.ErrUnfit)} {
			if ticket.Notify(woken) || len(woken) != 4 {
				t.Errorf("record %d is still waited for", i)
			}
			if err := ticket.Wait(); (err == nil) != (i == 0) {
				t.Errorf("record %d: %v", i, err)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
