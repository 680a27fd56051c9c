package feed_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
)

func status(device string) record.Record {
	return record.Record{Kind: record.StatusChange, Product: "p", Device: device, Time: time.UnixMilli(1), Body: []byte("ONLINE")}
}

// running is a feed that runs until the test's bubble ends.
func running(t *testing.T) (f *feed.Feed, stop func()) {
	t.Helper()
	f = feed.New(feed.Options{Log: &memory{batches: map[uint64][]byte{}}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	synctest.Wait()
	return f, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// kept is how many commits hold how many records.
func kept(f *feed.Feed) (commits, records int64) {
	return f.Counters().Batches.Load(), f.Counters().Records.Load()
}

func TestWhatIsToldSharesACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := running(t)
		defer stop()
		for _, d := range []string{"a", "b", "c"} {
			f.Tell(status(d))
			synctest.Wait()
		}
		if n, _ := kept(f); n != 0 {
			t.Errorf("%d commits although nobody waits", n)
		}
		time.Sleep(100 * time.Millisecond) // of the bubble's own clock
		synctest.Wait()
		if n, records := kept(f); n != 1 || records != 3 {
			t.Errorf("%d commits of %d records, want 1 of 3", n, records)
		}
		f.Tell(status("d")) // the next ones come as well
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n, records := kept(f); n != 2 || records != 4 {
			t.Errorf("%d commits of %d records, want 2 of 4", n, records)
		}
	})
}

func TestWhoWaitsTakesWhatIsToldAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := running(t)
		defer stop()
		start := time.Now()
		f.Tell(status("a"))
		if err := f.Append(status("b")).Wait(); err != nil {
			t.Fatal(err)
		}
		if n, records := kept(f); n != 1 || records != 2 || !time.Now().Equal(start) {
			t.Errorf("%d commits of %d records after %v, want 1 of 2 at once", n, records, time.Since(start))
		}
	})
}

func TestManyThatAreToldDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := running(t)
		defer stop()
		for range 256 {
			f.Tell(status("a"))
		}
		synctest.Wait()
		if n, records := kept(f); n != 1 || records != 256 {
			t.Errorf("%d commits of %d records, want a full one at once", n, records)
		}
	})
}

func TestWhatIsToldIsKeptAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, stop := running(t)
		f.Tell(status("a"))
		stop()
		if _, records := kept(f); records != 1 {
			t.Errorf("%d records kept, want 1", records)
		}
		f.Tell(status("b")) // too late: nothing happens
	})
}

func TestWhatIsToldAndUnfitIsLogged(t *testing.T) {
	var said strings.Builder
	f := feed.New(feed.Options{Log: &memory{}, Logger: logger(&said)})
	f.Tell(status(strings.Repeat("x", 1<<17)))
	if !strings.Contains(said.String(), "cannot be kept") {
		t.Errorf("log: %q", said.String())
	}
}

func logger(w *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
