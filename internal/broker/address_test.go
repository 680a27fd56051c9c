package broker

import (
	"net/netip"
	"testing"
	"time"
)

func TestABucketHoldsOneSecond(t *testing.T) {
	start := time.Now()
	b := fullBucket(3, start)
	for i, step := range []struct {
		after time.Duration
		want  bool
	}{
		{0, true}, {0, true}, {0, true}, {0, false}, // the burst
		{333 * time.Millisecond, false}, {334 * time.Millisecond, true}, {335 * time.Millisecond, false}, // one comes back in a third of a second
		{time.Hour, true}, {time.Hour, true}, {time.Hour, true}, {time.Hour, false}, // and no more than the burst
	} {
		if got := b.take(3, start.Add(step.after)); got != step.want {
			t.Errorf("step %d, after %v: %v", i, step.after, got)
		}
	}
}

func TestSeldomSaysWhatItDidNotSay(t *testing.T) {
	var s seldom
	start := time.Now()
	for i, step := range []struct {
		after  time.Duration
		unsaid int
		ok     bool
	}{{0, 0, true}, {0, 0, false}, {time.Second / 2, 0, false}, {time.Second, 2, true}, {time.Hour, 0, true}} {
		if unsaid, ok := s.say(start.Add(step.after)); unsaid != step.unsaid || ok != step.ok {
			t.Errorf("step %d: %d, %v", i, unsaid, ok)
		}
	}
}

func TestAddressesAreForgotten(t *testing.T) {
	var a addresses
	var c Counters
	a.init()
	limits := &Limits{ConnectRatePerAddress: 2}
	addr := netip.MustParseAddr("192.0.2.1")
	at, _ := a.enter(addr, limits, &c)
	known := func() (n int) {
		for i := range a.shards {
			n += len(a.shards[i].m)
		}
		return n
	}
	a.tidy(time.Now().Add(time.Hour), limits)
	if known() != 1 {
		t.Error("an address with a connection is forgotten")
	}
	at.leave()
	a.tidy(time.Now().Add(time.Hour), limits)
	if known() != 0 {
		t.Error("an address with nothing open and all its tokens is kept")
	}
}
