package history_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/record"
)

// A ledger is a store that remembers how large the groups were.
type ledger struct {
	history.Store
	groups []int
}

func (*ledger) Applied(context.Context) (uint64, error) { return 0, nil }

func (l *ledger) Apply(_ context.Context, group []record.Record) error {
	l.groups = append(l.groups, len(group))
	return nil
}

// A stream is a source to which records come meanwhile.
type stream struct {
	newest atomic.Uint64
	more   chan struct{}
}

func (s *stream) add(n uint64) {
	s.newest.Add(n)
	s.more <- struct{}{}
	synctest.Wait()
}

func (s *stream) ConsumeFrom(ctx context.Context, after uint64, fn func([]record.Record) error) error {
	for {
		var group []record.Record
		for ; after < s.newest.Load(); after++ {
			group = append(group, record.Record{Seq: after + 1})
		}
		if len(group) > 0 {
			if err := fn(group); err != nil {
				return err
			}
			continue
		}
		select {
		case <-s.more:
		case <-ctx.Done():
			return nil
		}
	}
}

// TestBusyRecordsShareAGroup: few records are in history at once; where many
// come, those of a moment are kept together; a backlog is not held up.
func TestBusyRecordsShareAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, source := &ledger{}, &stream{more: make(chan struct{}, 100)}
		h := history.New(store, history.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- h.Run(ctx, source) }()
		synctest.Wait()

		source.add(1)
		source.add(2)
		source.add(5000)
		source.add(3)
		source.add(100) // from here on many come
		for range 4 {
			source.add(200)
		}
		if got := h.Applied(); got != 5106 {
			t.Errorf("%d records at once, want 5106", got)
		}
		time.Sleep(100 * time.Millisecond) // of the bubble's own clock
		synctest.Wait()
		if want := []int{1, 2, 5000, 3, 100, 800}; !slices.Equal(store.groups, want) {
			t.Errorf("groups of %v, want %v", store.groups, want)
		}
		time.Sleep(100 * time.Millisecond)
		source.add(100)
		before := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(before) > 0 {
			t.Errorf("the end took %v: %v", time.Since(before), err)
		}
	})
}
