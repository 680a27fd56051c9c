package feed

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/matou-iot/matou/internal/record"
)

// At returns the record with this Seq. It reports false for one that is there
// no more, or never was. It reads a whole batch, from memory or the log: it is
// for people who ask, not for what happens with each message.
func (f *Feed) At(ctx context.Context, seq uint64) (Record, bool, error) {
	bytes, err := f.batchAt(ctx, seq>>8)
	if err != nil || bytes == nil {
		return Record{}, false, err
	}
	for i := range seq&(maxBatchRecords-1) + 1 {
		r, rest, err := record.Decode(bytes)
		if err != nil { // its end, or what became corrupt
			return Record{}, false, nil
		}
		if r.Seq = place(seq>>8, int(i)); r.Seq == seq {
			return r, true, nil
		}
		bytes = rest
	}
	return Record{}, false, nil
}

// batchAt returns the bytes of a batch, nil where there is none.
func (f *Feed) batchAt(ctx context.Context, batch uint64) ([]byte, error) {
	if batch == 0 {
		return nil, nil
	}
	f.mu.Lock()
	for _, c := range f.recent {
		if c.seq == batch {
			f.mu.Unlock()
			return c.bytes, nil
		}
	}
	f.mu.Unlock()
	found, bytes, err := f.log.Read(ctx, batch-1)
	switch {
	case errors.Is(err, io.EOF) || err == nil && found != batch: // retention took it
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read batch %d of the feed: %w", batch, err)
	}
	return bytes, nil
}
