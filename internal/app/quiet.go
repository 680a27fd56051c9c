package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// After a storm of connects the heap holds as much garbage as life, and the
// collector, which runs by what is allocated, has no reason to look again:
// a server of idle devices would keep it for minutes. So it is collected and
// given back once the storm is over.
const (
	quietEvery  = 2 * time.Second
	quietRate   = 1 << 20  // bytes allocated a second, below which it is quiet
	quietAmount = 16 << 20 // bytes allocated since the last time that make it worth while
)

// quiet gives memory back whenever the server has become quiet, until ctx is
// done.
func quiet(ctx context.Context) error {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	last, given := allocated(), uint64(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := allocated()
		calm := now-last < uint64(quietRate*quietEvery/time.Second)
		last = now
		if calm && now-given > quietAmount {
			debug.FreeOSMemory()
			given = now
		}
	}
}

// allocated is how many bytes were ever allocated on the heap.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
