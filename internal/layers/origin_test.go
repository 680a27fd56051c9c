package layers

import (
	"context"
	"errors"
	"testing"

	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/trace"
)

// records has records by their Seqs, with the entry that made each.
type records map[uint64]uint64

var errAway = errors.New("the log is away")

func (r records) At(_ context.Context, seq uint64) (record.Record, bool, error) {
	if r == nil {
		return record.Record{}, false, errAway
	}
	entry, ok := r[seq]
	return record.Record{Seq: seq, TraceID: entry}, ok, nil
}

// TestARowIsFoundByItsRecord: which of the rows of one time are a message's.
func TestARowIsFoundByItsRecord(t *testing.T) {
	l := &Layers{ID: 7, Followed: []trace.Entry{{ID: 8, Kind: trace.Uplink}, {ID: 9, Kind: trace.Downlink}}}
	row := func(seq uint64, same bool) candidate { return candidate{seq: seq, name: "T", same: same} }
	for _, tt := range []struct {
		name    string
		records records
		found   []candidate
		want    uint64 // Seq, 0 for none
		by      string
	}{
		{"the message's own among equal ones", records{1: 6, 2: 7, 3: 9}, []candidate{row(1, true), row(2, true), row(3, true)}, 2, ByRecord},
		{"what a script made of its bytes", records{1: 6, 2: 8}, []candidate{row(1, true), row(2, true)}, 2, ByRecord},
		{"its own, though the model reads another value today", records{1: 6, 2: 7}, []candidate{row(1, true), row(2, false)}, 2, ByRecord},
		{"others' only", records{1: 6, 2: 9}, []candidate{row(1, true), row(2, true)}, 0, ""},
		{"its own, and one that the feed has no more", records{2: 7}, []candidate{row(1, true), row(2, false)}, 2, ByRecord},
		{"the feed has it no more: by value", records{1: 6}, []candidate{row(1, true), row(2, false), row(3, true)}, 3, ByValue},
		{"another value, and no record", records{}, []candidate{row(1, false)}, 0, ""},
	} {
		o := (&Service{Options: Options{Records: tt.records}}).origins(l)
		var best candidate
		for _, c := range tt.found {
			if err := o.weigh(t.Context(), &best, c); err != nil {
				t.Fatal(err)
			}
		}
		var got Row
		if best.rank > 0 {
			o.take(&got, &best)
		}
		if got.Record != tt.want || got.By != tt.by || got.Found != (tt.want > 0) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}

	// A report that has a property twice is two rows, each found once.
	o := (&Service{Options: Options{Records: records{2: 7}}}).origins(l)
	for _, want := range []int{1, 0} {
		var best candidate
		for _, c := range []candidate{{0, 2, "T", false, 0}, {1, 2, "T", want == 1, 0}} {
			if err := o.weigh(t.Context(), &best, c); err != nil {
				t.Fatal(err)
			}
		}
		var got Row
		if o.take(&got, &best); best.index != want {
			t.Errorf("row %d, want %d", best.index, want)
		}
	}
	// What cannot be read is an error, not another answer.
	o = (&Service{Options: Options{Records: records(nil)}}).origins(l)
	if err := o.weigh(t.Context(), &candidate{}, row(1, true)); !errors.Is(err, errAway) {
		t.Error(err)
	}
}

// TestOriginsAreBounded: somebody who sends a thousand values with a thousand
// times does not make the log be read a thousand times.
func TestOriginsAreBounded(t *testing.T) {
	o := (&Service{Options: Options{Records: records{}}}).origins(&Layers{ID: 7})
	for seq := range uint64(3 * maxShown) {
		if v, err := o.of(t.Context(), seq); v != gone || err != nil {
			t.Fatal(v, err)
		}
	}
	if len(o.known) != maxShown {
		t.Errorf("%d were looked up", len(o.known))
	}
}
