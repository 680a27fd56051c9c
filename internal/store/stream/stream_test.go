package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
	"github.com/nats-io/nats.go/jetstream"
)

func open(t *testing.T, dir string) *Log {
	t.Helper()
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestBatchesAreReadInOrderAndSurvive(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for i := range 5 {
		if seq, err := l.Append(t.Context(), []byte{byte(i)}); err != nil || seq != uint64(i+1) {
			t.Fatal(seq, err)
		}
	}
	l.Close()
	l = open(t, dir)
	at := uint64(2)
	for want := byte(2); want < 5; want++ {
		seq, b, err := l.Read(t.Context(), at)
		if err != nil || b[0] != want {
			t.Fatal(seq, b, err)
		}
		at = seq
	}
	if _, _, err := l.Read(t.Context(), at); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

// TestReadPassesOverAHole: a damaged file may take batches from the middle.
func TestReadPassesOverAHole(t *testing.T) {
	l := open(t, t.TempDir())
	for i := range 6 {
		if _, err := l.Append(t.Context(), []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, seq := range []uint64{3, 4} {
		if err := l.running.stream.DeleteMsg(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	if seq, b, err := l.Read(t.Context(), 2); err != nil || seq != 5 || b[0] != 4 {
		t.Errorf("behind 2: %d, %v, %v", seq, b, err)
	}
	if _, _, err := l.Read(t.Context(), 6); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestReadPassesOverWhatRetentionTook(t *testing.T) {
	l := open(t, t.TempDir())
	for i := range 5 {
		if _, err := l.Append(t.Context(), []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.running.stream.Purge(t.Context(), jetstream.WithPurgeSequence(4)); err != nil {
		t.Fatal(err)
	}
	if seq, b, err := l.Read(t.Context(), 0); err != nil || seq != 4 || b[0] != 3 {
		t.Errorf("%d %v %v", seq, b, err)
	}
}

func TestFeedKeepsOrderAndResumes(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 8, 200
	func() {
		f, stop := run(t, open(t, dir))
		defer stop()
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					ticket := f.Append(feed.Record{Kind: record.StatusChange, Product: "p", Device: fmt.Sprint(w), Time: time.UnixMilli(1), Body: fmt.Append(nil, i)})
					if i%50 == 0 {
						if err := ticket.Wait(); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
	}()
	// A new feed on the same directory reads from the log, then what is new.
	l := open(t, dir)
	f, stop := run(t, l)
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	next := map[string]int{}
	total, last := 0, uint64(0)
	err := f.ConsumeFrom(ctx, 0, func(group []feed.Record) error {
		for _, r := range group {
			if string(r.Body) != fmt.Sprint(next[r.Device]) {
				t.Errorf("device %s: %s, want %d", r.Device, r.Body, next[r.Device])
			}
			if r.Seq <= last {
				t.Errorf("sequence %d behind %d", r.Seq, last)
			}
			last = r.Seq
			next[r.Device]++
			total++
		}
		if total == writers*each {
			if err := f.Append(feed.Record{Device: "new", Body: []byte("0")}).Wait(); err != nil {
				t.Error(err)
			}
		}
		if next["new"] == 1 {
			cancel()
		}
		return nil
	})
	if err != nil || total != writers*each+1 {
		t.Errorf("%d records, %v", total, err)
	}
}

func TestResumeInTheMiddleOfABatch(t *testing.T) {
	l := open(t, t.TempDir())
	f, stop := run(t, l)
	defer stop()
	var tickets []feed.Ticket
	for i := range 20 {
		tickets = append(tickets, f.Append(feed.Record{Device: "d", Body: fmt.Append(nil, i)}))
	}
	for _, ticket := range tickets {
		if err := ticket.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	for _, source := range []*feed.Feed{f, feed.New(feed.Options{Log: l})} { // from memory, and from the log
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		err := source.ConsumeFrom(ctx, tickets[12].Seq(), func(group []feed.Record) error {
			for _, r := range group {
				got = append(got, string(r.Body))
			}
			if len(got) >= 7 {
				cancel()
			}
			return nil
		})
		if err != nil || fmt.Sprint(got) != "[13 14 15 16 17 18 19]" {
			t.Errorf("%v %v", got, err)
		}
		cancel()
	}
}

func TestLiveSubscriberWhoSleepsIsToldWhatItMissed(t *testing.T) {
	f, stop := run(t, open(t, t.TempDir()))
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	live := f.Subscribe(ctx, func(r *feed.Record) bool { return r.Device == "d" })
	var last feed.Ticket
	const sent = 1500
	for range sent {
		f.Append(feed.Record{Device: "other"})
		last = f.Append(feed.Record{Device: "d"})
	}
	if err := last.Wait(); err != nil {
		t.Fatal(err)
	}
	stop() // the committer has ended: everything was published
	missed := live.Missed()
	cancel()
	got := 0
	for range live.C {
		got++
	}
	if got+missed != sent || missed == 0 {
		t.Errorf("%d came, %d missed of %d", got, missed, sent)
	}
}

// TestLiveSubscriberOfOneKind: it gets these and no others, in batches of all
// kinds and of one.
func TestLiveSubscriberOfOneKind(t *testing.T) {
	f, stop := run(t, open(t, t.TempDir()))
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	live := f.Subscribe(ctx, nil, record.StatusChange, record.FileArrived)
	sent := []record.Kind{record.PropertyReport, record.StatusChange, record.EventReport, record.FileArrived, record.PropertyReport, record.StatusChange}
	for i, kind := range sent {
		if last := f.Append(feed.Record{Kind: kind, Device: "d"}); i%2 == 0 {
			if err := last.Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop()
	cancel()
	var got []record.Kind
	for r := range live.C {
		got = append(got, r.Kind)
	}
	if want := []record.Kind{record.StatusChange, record.FileArrived, record.StatusChange}; !slices.Equal(got, want) {
		t.Errorf("%v came, want %v", got, want)
	}
}

func TestClosedFeedRefuses(t *testing.T) {
	f, stop := run(t, open(t, t.TempDir()))
	stop()
	if err := f.Append(feed.Record{}).Wait(); !errors.Is(err, feed.ErrClosed) {
		t.Error(err)
	}
}

// run runs a feed; stop may be called more than once.
func run(t *testing.T, l *Log) (*feed.Feed, func()) {
	f := feed.New(feed.Options{Log: l})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	return f, func() { cancel(); <-done }
}
