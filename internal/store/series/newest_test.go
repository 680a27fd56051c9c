package series

import (
	"fmt"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

func report(seq uint64, device string, at int64, value float64) record.Record {
	var b record.ReportBuilder
	b.Reset()
	b.Add("t", thing.FloatValue(value), at)
	return record.Record{Seq: seq, Kind: record.PropertyReport, Product: "p", Device: device, Time: time.UnixMilli(at), Body: b.Bytes()}
}

func openAt(t *testing.T, dir string) *DB {
	t.Helper()
	d, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wantLatest(t *testing.T, d *DB, device string, want float64) {
	t.Helper()
	got, err := d.Latest(t.Context(), "p", device)
	if err != nil || len(got) != 1 || got[0].Value.Float != want {
		t.Errorf("latest of %s: %v, %v; want %v", device, got, err, want)
	}
}

// TestCrashLosesNoLatestValue ends a database without closing it: the position
// on disk is that of the latest values on disk, and from there the feed is
// read again.
func TestCrashLosesNoLatestValue(t *testing.T) {
	dir := t.TempDir()
	d := openAt(t, dir)
	if err := d.Apply(t.Context(), []record.Record{report(1, "d", 1000, 1)}); err != nil {
		t.Fatal(err)
	}
	d.newest.keepLater()
	rest := []record.Record{report(2, "d", 2000, 2), report(3, "e", 2000, 7)}
	if err := d.Apply(t.Context(), rest); err != nil {
		t.Fatal(err)
	}
	wantLatest(t, d, "d", 2)
	d.newest.mu.Lock()
	d.newest.closed = true // the timer finds nobody
	d.newest.mu.Unlock()
	if err := d.db.Close(); err != nil {
		t.Fatal(err)
	}

	d = openAt(t, dir)
	defer d.Close()
	if at, err := d.Applied(t.Context()); err != nil || at != 1 {
		t.Fatalf("position %d, %v", at, err)
	}
	wantLatest(t, d, "d", 1)
	if err := d.Apply(t.Context(), rest); err != nil {
		t.Fatal(err)
	}
	wantLatest(t, d, "d", 2)
	wantLatest(t, d, "e", 7)
	n := 0
	if err := d.Points(t.Context(), history.Query{Product: "p", Device: "d", Property: "t"}, func(history.PointEntry, string) bool { n++; return true }); err != nil || n != 2 {
		t.Errorf("%d points, %v", n, err)
	}
}

func TestCloseKeepsPositionAndLatest(t *testing.T) {
	dir := t.TempDir()
	d := openAt(t, dir)
	if err := d.Apply(t.Context(), []record.Record{report(9, "d", 1000, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = openAt(t, dir)
	defer d.Close()
	if at, err := d.Applied(t.Context()); err != nil || at != 9 {
		t.Errorf("position %d, %v", at, err)
	}
	wantLatest(t, d, "d", 1)
}

func TestManyLatestValuesDoNotStayInMemory(t *testing.T) {
	d := openAt(t, t.TempDir())
	defer d.Close()
	group := make([]record.Record, maxNewest+1)
	for i := range group {
		group[i] = report(uint64(i+1), fmt.Sprint("d", i), 1000, float64(i))
	}
	if err := d.Apply(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	if n := len(d.newest.rows); n != 0 || d.newest.points != 0 {
		t.Errorf("%d rows, %d points in memory", n, d.newest.points)
	}
	wantLatest(t, d, "d0", 0)
	wantLatest(t, d, fmt.Sprint("d", maxNewest), maxNewest)
}

func TestForgottenDeviceStaysForgotten(t *testing.T) {
	d := openAt(t, t.TempDir())
	defer d.Close()
	if err := d.Apply(t.Context(), []record.Record{report(1, "d", 1000, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := d.Forget(t.Context(), "p", "d"); err != nil {
		t.Fatal(err)
	}
	d.newest.keepLater()
	if got, err := d.Latest(t.Context(), "p", "d"); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestLatestValuesAreBounded: a device that makes up names for ever has as many
// latest values as one row holds, the newest.
func TestLatestValuesAreBounded(t *testing.T) {
	dir := t.TempDir()
	d := openAt(t, dir)
	const n = 15_000
	for from := 0; from < n; from += 5_000 {
		var b record.ReportBuilder
		b.Reset()
		for i := range 5_000 {
			if err := b.Add(fmt.Sprint(from+i), thing.IntValue(1), int64(1000+from+i)); err != nil {
				t.Fatal(err)
			}
		}
		r := record.Record{Seq: uint64(from + 1), Kind: record.PropertyReport, Product: "p", Device: "d", Time: time.UnixMilli(1), Body: b.Bytes()}
		if err := d.Apply(t.Context(), []record.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = openAt(t, dir)
	defer d.Close()
	got, err := d.Latest(t.Context(), "p", "d")
	if err != nil || len(got) != 10_000 {
		t.Fatalf("%d values, %v; want 10000", len(got), err)
	}
	for _, p := range got {
		if p.Time.UnixMilli() < 1000+5_000 {
			t.Fatalf("%s of %v is older than what was dropped", p.Property, p.Time)
		}
	}
}
