package ingest_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
)

// A counter is a feed.Log and a Sender that only count.
type counter struct{ batches, answers atomic.Uint64 }

func (c *counter) Append(context.Context, []byte) (uint64, error) { return c.batches.Add(1), nil }

func (c *counter) Read(context.Context, uint64) (uint64, []byte, error) { return 0, nil, io.EOF }

func (c *counter) Send(string, broker.Message, broker.Delivery) broker.Outcome {
	c.answers.Add(1)
	return broker.Delivered
}

// postAllocations is what one property post may allocate on its whole way,
// the commit of a batch of its own included. What was measured is in the
// failure; lower it when the way becomes shorter, never raise it unseen.
const postAllocations = 16

func TestPropertyPostAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, and empties pools at random")
	}
	c := new(counter)
	in := build(t, storetest.NewMemory(), c, c, quiet{}, trace.New(0))
	who, p := subject(one), message(post, warm)
	got := testing.AllocsPerRun(1000, func() { settle(t, in.Publish(nil, who, p)) })
	if got > postAllocations {
		t.Errorf("%v allocations, at most %d", got, postAllocations)
	}
}

func settle(t testing.TB, d broker.Decision) {
	if d.Pending == nil || d.Pending.Settle() != mqtt.Success {
		t.Fatalf("%+v", d)
	}
}

// quiet are commands of which none is open.
type quiet struct{}

func (quiet) Reply(context.Context, dialect.Claim, dialect.Reply, bool) {}

func (quiet) Reported(context.Context, dialect.Claim, []dialect.Reading) {}

// BenchmarkPropertyPost is the way of a report through the house: decoded,
// checked, kept by a log that costs nothing, answered. Sixteen are settled
// together, as a connection settles what one read brought.
func BenchmarkPropertyPost(b *testing.B) {
	c := new(counter)
	in := build(b, storetest.NewMemory(), c, c, quiet{}, trace.New(0))
	who, p := subject(one), message(post, warm)
	b.ReportAllocs()
	b.SetBytes(int64(len(warm)))
	var batch [16]broker.Decision
	for n := 0; b.Loop(); {
		batch[n] = in.Publish(nil, who, p)
		if n++; n == len(batch) {
			for i := range batch {
				settle(b, batch[i])
			}
			n = 0
		}
	}
}
