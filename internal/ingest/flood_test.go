package ingest_test

import (
	"context"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
)

// TestFloodOfCustomMessages: all are routed; the timeline has the first of a
// second, and says with what comes next how many it left out. Who watches sees all.
func TestFloodOfCustomMessages(t *testing.T) {
	r := trace.New(0)
	in := build(t, storetest.NewMemory(), new(counter), new(counter), quiet{}, r)
	who, p := subject(one), message("/"+lamp+"/"+one+"/user/update", "x")
	publish := func() {
		if d := in.Publish(nil, who, p); d.Action != broker.Route {
			t.Fatalf("%+v", d)
		}
	}
	for range trace.RoutedRate + 30 {
		publish()
	}
	all, _ := r.Timeline(lamp, one, trace.Query{Limit: trace.MaxEntries})
	if len(all) != trace.RoutedRate {
		t.Fatalf("%d entries, want the first %d of the second", len(all), trace.RoutedRate)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := r.Watch(ctx, lamp, one)
	for range 50 {
		publish()
	}
	cancel()
	n, skipped := 0, 0
	for e := range seen {
		n++
		skipped += e.Skipped
	}
	if n != 50 || skipped != 30 {
		t.Errorf("a watcher saw %d of 50, and was told of %d of 30 before", n, skipped)
	}
}

// TestFloodOfReports: all are kept and answered; the timeline has the first of a
// second, and says with what comes next how much it left out.
func TestFloodOfReports(t *testing.T) {
	r, c := trace.New(0), new(counter)
	in := build(t, storetest.NewMemory(), c, c, quiet{}, r)
	who, p := subject(one), message(post, warm)
	const beyond = 30
	for range trace.PlainRate + beyond {
		settle(t, in.Publish(nil, who, p))
	}
	if n := c.answers.Load(); n != trace.PlainRate+beyond {
		t.Errorf("%d answers", n)
	}
	if all, _ := r.Timeline(lamp, one, trace.Query{Limit: trace.MaxEntries}); len(all) != trace.PlainRate {
		t.Fatalf("%d entries, want the first %d of the second", len(all), trace.PlainRate)
	}
	settle(t, in.Publish(nil, who, message(post, `{"id":"1","params":{"Nobody":1}}`)))
	all, _ := r.Timeline(lamp, one, trace.Query{Limit: trace.MaxEntries})
	skipped := 0
	for _, e := range all {
		skipped += e.Skipped
	}
	if all[0].Code == "" || skipped != 2*(trace.PlainRate+beyond)-trace.PlainRate {
		t.Errorf("%d left out, %q", skipped, all[0].Code)
	}
}

// BenchmarkFlood is what a message costs that the timeline leaves out.
func BenchmarkFlood(b *testing.B) {
	in := build(b, storetest.NewMemory(), new(counter), new(counter), quiet{}, trace.New(0))
	who, p := subject(one), message("/"+lamp+"/"+one+"/user/update", "x")
	b.ReportAllocs()
	for b.Loop() {
		in.Publish(nil, who, p)
	}
}
