package storetest

import (
	"context"
	"io"
	"sync"
	"testing"

	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
)

// A Log is a feed.Log in memory, for tests of what keeps records. The zero Log
// is empty. Any number of goroutines may use it at once.
type Log struct {
	// Gate is waited for by each Append, Kept called after it. nil: nothing.
	Gate chan struct{}
	Kept func()

	mu      sync.Mutex
	fails   error
	batches [][]byte
}

var _ feed.Log = (*Log)(nil)

// Fail lets each Append return err, or no longer where it is nil.
func (l *Log) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = err
}

// Append is of [feed.Log].
func (l *Log) Append(_ context.Context, batch []byte) (uint64, error) {
	if l.Gate != nil {
		<-l.Gate
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return 0, l.fails
	}
	l.batches = append(l.batches, batch)
	if l.Kept != nil {
		l.Kept()
	}
	return uint64(len(l.batches)), nil
}

// Read is of [feed.Log].
func (l *Log) Read(_ context.Context, after uint64) (uint64, []byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= uint64(len(l.batches)) {
		return 0, nil, io.EOF
	}
	return after + 1, l.batches[after], nil
}

// Records is all that was kept, in order.
func (l *Log) Records(t testing.TB) (all []record.Record) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.batches {
		for len(b) > 0 {
			r, rest, err := record.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			all, b = append(all, r), rest
		}
	}
	return all
}
