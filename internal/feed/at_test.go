package feed_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
)

// A memory is a log that forgets what is told.
type memory struct {
	batches map[uint64][]byte
	last    uint64
	err     error
}

func (m *memory) Append(_ context.Context, batch []byte) (uint64, error) {
	m.last++
	m.batches[m.last] = batch
	return m.last, nil
}

func (m *memory) Read(_ context.Context, after uint64) (uint64, []byte, error) {
	for seq := after + 1; seq <= m.last; seq++ {
		if b, ok := m.batches[seq]; ok {
			return seq, b, m.err
		}
	}
	return 0, nil, io.EOF
}

// TestAt: a record is found by its Seq, in memory and in the log; what never
// was, or is no more, is not.
func TestAt(t *testing.T) {
	log := &memory{batches: map[uint64][]byte{}}
	f := feed.New(feed.Options{Log: log})
	var tickets []feed.Ticket
	add := func(device string, trace uint64) {
		tickets = append(tickets, f.Append(record.Record{Kind: record.StatusChange, Product: "p", Device: device, Time: time.UnixMilli(1), TraceID: trace, Body: []byte("ONLINE")}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	add("a", 11)
	add("b", 12) // in one batch with a, since nothing runs yet
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	for _, t := range tickets {
		t.Wait()
	}
	add("c", 13)
	tickets[2].Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*feed.Feed{"memory": f, "log": feed.New(feed.Options{Log: log})} {
		for i, want := range []string{"a", "b", "c"} {
			r, ok, err := f.At(t.Context(), tickets[i].Seq())
			if err != nil || !ok || r.Device != want || r.TraceID != uint64(11+i) || r.Seq != tickets[i].Seq() {
				t.Errorf("%s: %+v %v %v", name, r, ok, err)
			}
		}
		for _, seq := range []uint64{0, 1, 255, 1<<8 + 2, 1<<8 + 255, 2<<8 + 1, 3 << 8, 1<<64 - 1} {
			if r, ok, err := f.At(t.Context(), seq); ok || err != nil {
				t.Errorf("%s: %d: %+v %v", name, seq, r, err)
			}
		}
	}
	again := feed.New(feed.Options{Log: log})
	delete(log.batches, 1) // retention
	if r, ok, err := again.At(t.Context(), tickets[0].Seq()); ok || err != nil {
		t.Errorf("one that is no more: %+v %v", r, err)
	}
	log.batches[2] = log.batches[2][:3]
	if r, ok, err := again.At(t.Context(), tickets[2].Seq()); ok || err != nil {
		t.Errorf("one that is corrupt: %+v %v", r, err)
	}
	log.err = errors.New("the disk is away")
	if _, _, err := again.At(t.Context(), tickets[2].Seq()); !errors.Is(err, log.err) {
		t.Error(err)
	}
}
