package feed

import (
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/record"
)

// FuzzDecode: whatever a batch on disk has become, its records have places of
// their own in it, and no more bytes than it.
func FuzzDecode(f *testing.F) {
	var b []byte
	for range 3 {
		r := record.Record{Kind: record.StatusChange, Product: "pk", Device: "dn", Time: time.UnixMilli(1700000000123), Body: []byte("ONLINE")}
		var err error
		if b, err = r.Append(b); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b, uint64(7<<8))
	f.Add(b[:len(b)-1], uint64(0))
	feed := New(Options{})
	f.Fuzz(func(t *testing.T, b []byte, after uint64) {
		size := 0
		last := after
		for _, r := range feed.decode(nil, 7, b, after) {
			if r.Seq <= last || r.Seq>>8 != 7 {
				t.Errorf("place %x behind %x, want one in batch 7", r.Seq, last)
			}
			last = r.Seq
			size += len(r.Product) + len(r.Device) + len(r.Body)
		}
		if size > len(b) {
			t.Errorf("%d bytes became %d", len(b), size)
		}
	})
}

// TestNoPlaceBeyondABatch: a batch that claims more records than were ever put
// into one does not reach into the places of the next.
func TestNoPlaceBeyondABatch(t *testing.T) {
	var b []byte
	for range maxBatchRecords + 3 {
		r := record.Record{Kind: record.StatusChange}
		var err error
		if b, err = r.Append(b); err != nil {
			t.Fatal(err)
		}
	}
	got := New(Options{}).decode(nil, 7, b, 0)
	if len(got) != maxBatchRecords || got[len(got)-1].Seq != 7<<8|255 {
		t.Errorf("%d records, the last at %x", len(got), got[len(got)-1].Seq)
	}
}
