package trace_test

import (
	"testing"

	"github.com/matou-iot/matou/internal/trace"
)

func TestRefusalsAreCountedByCode(t *testing.T) {
	r := trace.New(0)
	for _, code := range []string{"a", "b", "b"} {
		r.Record(trace.Entry{Product: "p", Device: "d", Kind: trace.Refuse, Code: code})
	}
	r.Record(trace.Entry{Product: "p", Device: "d", Kind: trace.Uplink})
	got := r.Refusals()
	if len(got) != 2 || got[0].Code != "b" || got[0].Count != 2 || got[1].Count != 1 || got[0].Last.IsZero() {
		t.Errorf("%+v", got)
	}
}
