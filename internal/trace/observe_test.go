package trace

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestObserve(t *testing.T) {
	r := New(0)
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	r.now = func() time.Time { return now }
	if !r.Observed("p", "d").IsZero() {
		t.Error("somebody is under watch")
	}
	until, err := r.Observe("p", "d", now.Add(24*time.Hour))
	if err != nil || !until.Equal(now.Add(MaxObserveTime)) || !r.Observed("p", "d").Equal(until) {
		t.Errorf("%v until %v", err, until)
	}
	for i := 1; i < MaxObserved; i++ {
		if _, err := r.Observe("p", fmt.Sprint("d", i), now.Add(time.Minute)); err != nil {
			t.Fatal(i, err)
		}
	}
	if _, err := r.Observe("p", "one too many", now.Add(time.Minute)); !errors.Is(err, ErrObserved) {
		t.Errorf("one too many: %v", err)
	}
	if _, err := r.Observe("p", "d", now.Add(2*time.Minute)); err != nil { // again is always allowed
		t.Error(err)
	}
	if n := len(r.ObservedDevices()); n != MaxObserved {
		t.Errorf("%d under watch", n)
	}
	now = now.Add(90 * time.Second) // all but d are over
	if got := r.ObservedDevices(); !slices.Equal(got, []string{"p/d"}) {
		t.Errorf("%v", got)
	}
	if _, err := r.Observe("p", "one too many", now.Add(time.Minute)); err != nil {
		t.Errorf("there is room again: %v", err)
	}
	r.Unobserve("p", "d")
	r.Unobserve("p", "one too many")
	if r.observed.Load() != nil {
		t.Error("it costs something though nobody looks")
	}
}

func TestDevicesUnderWatchKeepMore(t *testing.T) {
	r := New(0)
	long := make([]byte, ObservedPayload+1)
	for _, tt := range []struct {
		device string
		want   int
	}{{"plain", MaxPayload}, {"watched", ObservedPayload}} {
		if tt.device == "watched" {
			r.Observe("p", "watched", time.Now().Add(time.Minute))
		}
		id := r.Record(Entry{Product: "p", Device: tt.device, Kind: Uplink, Payload: long, Packet: long})
		e, ok := r.Entry("p", tt.device, id)
		if !ok || len(e.Payload) != tt.want || len(e.Packet) != tt.want || e.Size != len(long) {
			t.Errorf("%s: %d and %d bytes", tt.device, len(e.Payload), len(e.Packet))
		}
	}
}

// TestDevicesUnderWatchKeepAll: what is plain is not thinned out.
func TestDevicesUnderWatchKeepAll(t *testing.T) {
	r := New(0)
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	r.now = func() time.Time { return now }
	r.Observe("p", "watched", now.Add(time.Minute))
	for _, device := range []string{"plain", "watched"} {
		for range 3 * PlainRate {
			r.Record(Entry{Product: "p", Device: device, Kind: Uplink, Topic: "t"})
		}
	}
	plain, _ := r.Timeline("p", "plain", Query{Limit: MaxEntries})
	watched, _ := r.Timeline("p", "watched", Query{Limit: MaxEntries})
	if len(plain) != PlainRate || len(watched) != 3*PlainRate {
		t.Errorf("%d and %d entries", len(plain), len(watched))
	}
}

// TestObservedAllocatesNothing: to look whether somebody is under watch costs nothing.
func TestObservedAllocatesNothing(t *testing.T) {
	r := New(0)
	if n := testing.AllocsPerRun(100, func() { r.Observed("p", "d") }); n != 0 {
		t.Errorf("%v allocations while nobody is", n)
	}
	r.Observe("p", "d", time.Now().Add(time.Minute))
	if n := testing.AllocsPerRun(100, func() { r.Observed("p", "d") }); n != 0 {
		t.Errorf("%v allocations while somebody is", n)
	}
}
