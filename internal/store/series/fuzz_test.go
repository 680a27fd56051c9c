package series

import (
	"bytes"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/record"
)

// FuzzRows: whatever a row and a page's cursor have become, a query ends with
// what can be read, and the neighbour's rows are as they were.
func FuzzRows(f *testing.F) {
	at := make([]byte, 16)
	e, err := record.Event{Event: "Fault", Output: "{}", Time: time.UnixMilli(5)}.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(rowReport), at, []byte("\x01\x01t\x00\x02\x02"), "")
	f.Add(byte(rowEvent), at, e, "AAAAAAAAAAA")
	f.Add(byte(rowEvent), at[:9], e, "gAAAAAAAAAAAAAAAAAAAAA")
	f.Add(byte(rowCommand), append(at[:8:8], "id"...), []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "_______________")
	f.Add(byte(rowLatest), []byte{}, []byte("\x01\x01t\x00\x02\x02"), "")
	f.Add(byte(rowApplied), []byte("x"), []byte("y"), "!")
	d, err := Open(f.TempDir(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { d.Close() })
	f.Fuzz(func(t *testing.T, kind byte, rest, value []byte, after string) {
		if err := d.Apply(t.Context(), []record.Record{report(1, "e", 1000, 7)}); err != nil {
			t.Fatal(err)
		}
		key := append(deviceKey(kind, "p", "d"), rest...)
		raw := append([]byte{kind}, rest...)
		for _, k := range [][]byte{key, raw} {
			if len(k) > 1 { // the position is one byte
				if err := d.db.Set(k, value, pebble.NoSync); err != nil {
					t.Fatal(err)
				}
				defer d.db.Delete(k, pebble.NoSync)
			}
		}
		for _, descending := range []bool{false, true} {
			q := history.Query{Product: "p", Device: "d", Property: "t", Descending: descending, After: after}
			n := 0
			for _, err := range []error{
				d.Points(t.Context(), q, func(history.PointEntry, string) bool { n++; return true }),
				d.Events(t.Context(), q, func(history.EventEntry, string) bool { n++; return true }),
				d.Commands(t.Context(), q, func(history.CommandEntry, string) bool { n++; return true }),
			} {
				if err != nil && fault.KindOf(err) != fault.KindInvalid {
					t.Fatal(err)
				}
			}
			if n > 2*len(value)+2 {
				t.Errorf("%d entries out of %d bytes", n, len(value))
			}
		}
		if _, err := d.Latest(t.Context(), "p", "d"); err != nil {
			t.Fatal(err)
		}
		if err := d.Expire(t.Context(), time.UnixMilli(500)); err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(raw, deviceKey(kind, "p", "e")) {
			return // it is the neighbour's
		}
		n := 0
		if err := d.Points(t.Context(), history.Query{Product: "p", Device: "e", Property: "t"}, func(p history.PointEntry, _ string) bool {
			n++
			return true
		}); err != nil || n != 1 {
			t.Errorf("the neighbour has %d values, %v", n, err)
		}
	})
}
