// Package storetest is the contracts of the stores: one that passes is a
// store.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

// noon is when the stories of the contract happen.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// History is the contract of history.Store. open returns an empty store.
func History(t *testing.T, open func(t *testing.T) history.Store) {
	t.Run("values come back in order and in pages", func(t *testing.T) {
		s := open(t)
		h := history.New(s, history.Options{})
		apply(t, s, reports("d", 25)...)
		apply(t, s, report(1000, "other", "T", 99, noon))
		var got []string
		q := history.Query{Product: "p", Device: "d", Property: "T", Limit: 10}
		pages := 0
		for {
			points, next, err := h.Range(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			pages++
			for _, p := range points {
				got = append(got, p.Value.String())
			}
			if next == "" {
				break
			}
			q.After = next
		}
		if pages != 3 || fmt.Sprint(got) != "[0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24]" {
			t.Errorf("%d pages: %v", pages, got)
		}
	})
	t.Run("newest first, between times", func(t *testing.T) {
		s := open(t)
		apply(t, s, reports("d", 10)...)
		q := history.Query{Product: "p", Device: "d", Property: "T", From: noon.Add(2 * time.Second), To: noon.Add(6 * time.Second), Descending: true, Limit: 3}
		h := history.New(s, history.Options{})
		first, next, err := h.Range(t.Context(), q)
		if err != nil || placed(first) != "6:5 5:4 4:3 " || next == "" {
			t.Fatalf("%s %q %v", placed(first), next, err)
		}
		q.After = next
		if second, next, err := h.Range(t.Context(), q); err != nil || placed(second) != "3:2 " || next != "" {
			t.Errorf("%s %q %v", placed(second), next, err)
		}
	})
	t.Run("an older value does not become the latest", func(t *testing.T) {
		s := open(t)
		apply(t, s, report(1, "d", "T", 20, noon), report(2, "d", "H", 50, noon))
		apply(t, s, report(3, "d", "T", 10, noon.Add(-time.Hour)), report(4, "d", "H", 51, noon))
		latest, err := s.Latest(t.Context(), "p", "d")
		if err != nil || values(latest) != "51 20 " {
			t.Errorf("%s %v", values(latest), err)
		}
	})
	t.Run("a report with several times", func(t *testing.T) {
		s := open(t)
		r := record.Report{
			{Property: "T", Value: thing.IntValue(2), Time: noon.Add(time.Second)}, {Property: "T", Value: thing.IntValue(1), Time: noon},
			{Property: "H", Value: thing.IntValue(9), Time: noon},
		}
		apply(t, s, record.Record{Seq: 1, Kind: record.PropertyReport, Product: "p", Device: "d", Time: noon, Body: bytesOf(r)})
		points, _, err := history.New(s, history.Options{}).Range(t.Context(), history.Query{Product: "p", Device: "d", Property: "T"})
		if err != nil || placed(points) != "1:1 1:2 " {
			t.Errorf("%s %v", placed(points), err)
		}
	})
	t.Run("applying again changes nothing, the position is kept", func(t *testing.T) {
		s := open(t)
		group := append(reports("d", 5), event(600, "d", "Fault"), command(700, "7", "delivered"), command(800, "7", "acknowledged"))
		apply(t, s, group...)
		apply(t, s, group...)
		h := history.New(s, history.Options{})
		points, _, err := h.Range(t.Context(), history.Query{Product: "p", Device: "d", Property: "T"})
		if err != nil || len(points) != 5 {
			t.Errorf("%d values, %v", len(points), err)
		}
		events, _, err := h.Events(t.Context(), history.Query{Product: "p", Device: "d"})
		if err != nil || len(events) != 1 || events[0].Event != "Fault" || events[0].Level != thing.Fault || events[0].Seq != 600 {
			t.Errorf("%+v %v", events, err)
		}
		commands, _, err := h.Commands(t.Context(), history.Query{Product: "p", Device: "d"})
		if err != nil || len(commands) != 1 || commands[0].State != "acknowledged" {
			t.Errorf("%+v %v", commands, err)
		}
		if at, err := s.Applied(t.Context()); err != nil || at != 800 {
			t.Errorf("position %d, %v", at, err)
		}
	})
	t.Run("events by identifier and level, page by page", func(t *testing.T) {
		s := open(t)
		for seq := uint64(1); seq <= 12; seq++ {
			e := record.Event{Event: []string{"A", "B", "C"}[seq%3], Level: thing.Level(seq % 2), Output: "{}", Time: noon}
			apply(t, s, record.Record{Seq: seq, Kind: record.EventReport, Product: "p", Device: "d", Time: noon, Body: bytesOf(e)})
		}
		h := history.New(s, history.Options{})
		for _, tt := range []struct {
			q    history.Query
			want string
		}{
			{history.Query{Event: "B"}, "1 4 7 10 "},
			{history.Query{Event: "B", Levels: []thing.Level{thing.Alert}}, "1 7 "},
			{history.Query{Levels: []thing.Level{thing.Info}, Descending: true}, "12 10 8 6 4 2 "},
			{history.Query{Levels: []thing.Level{thing.Fault}}, ""},
			{history.Query{Event: "b"}, ""},
		} {
			tt.q.Product, tt.q.Device, tt.q.Limit = "p", "d", 2
			got, pages := "", 0
			for more := true; more && pages < 12; pages++ {
				events, next, err := h.Events(t.Context(), tt.q)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range events {
					got += fmt.Sprintf("%d ", e.Seq)
				}
				tt.q.After, more = next, next != ""
			}
			if got != tt.want || pages > 3 {
				t.Errorf("%+v: %q on %d pages", tt.q, got, pages)
			}
		}
	})
	t.Run("a record that cannot be read stops nothing", func(t *testing.T) {
		s := open(t)
		apply(t, s, record.Record{Seq: 1, Kind: record.PropertyReport, Product: "p", Device: "d", Body: []byte{1, 0xff}},
			record.Record{Seq: 2, Kind: record.EventReport, Product: "p", Device: "d", Body: []byte{9}}, report(3, "d", "T", 1, noon))
		if latest, err := s.Latest(t.Context(), "p", "d"); err != nil || values(latest) != "1 " {
			t.Errorf("%s %v", values(latest), err)
		}
	})
	t.Run("expiry takes the old and leaves the new", func(t *testing.T) {
		s := open(t)
		for _, d := range []string{"d", "e", "f"} {
			apply(t, s, reports(d, 10)...)
		}
		if err := s.Expire(t.Context(), noon.Add(7*time.Second)); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{"d", "e", "f"} {
			points, _, err := history.New(s, history.Options{}).Range(t.Context(), history.Query{Product: "p", Device: d, Property: "T"})
			if err != nil || placed(points) != "8:7 9:8 10:9 " {
				t.Errorf("%s: %s %v", d, placed(points), err)
			}
		}
	})
	t.Run("a forgotten device is gone, its neighbour is not", func(t *testing.T) {
		s := open(t)
		apply(t, s, append(reports("d", 3), report(900, "dd", "T", 1, noon))...)
		if err := s.Forget(t.Context(), "p", "d"); err != nil {
			t.Fatal(err)
		}
		if latest, err := s.Latest(t.Context(), "p", "d"); err != nil || len(latest) != 0 {
			t.Errorf("%v %v", latest, err)
		}
		if latest, err := s.Latest(t.Context(), "p", "dd"); err != nil || len(latest) != 1 {
			t.Errorf("%v %v", latest, err)
		}
	})
	t.Run("spans are summed up", func(t *testing.T) {
		s := open(t)
		apply(t, s, reports("d", 10)...)
		h := history.New(s, history.Options{})
		q := history.Query{Product: "p", Device: "d", Property: "T", From: noon, To: noon.Add(10 * time.Second)}
		got, err := h.Downsample(t.Context(), q, 4*time.Second, 0)
		if err != nil || len(got) != 3 {
			t.Fatalf("%+v %v", got, err)
		}
		if b := got[1]; *b.Min != 4 || *b.Max != 7 || *b.Avg != 5.5 || b.Last != 7 || b.Count != 4 || !b.Start.Equal(noon.Add(4*time.Second)) {
			t.Errorf("%+v", b)
		}
		q.From, q.To = time.Time{}, noon.Add(10*time.Second)
		if got, err := h.Downsample(t.Context(), q, 0, 5); err != nil || len(got) != 5 {
			t.Errorf("%d spans, %v", len(got), err)
		}
	})
	t.Run("a wrong cursor is named", func(t *testing.T) {
		s := open(t)
		_, _, err := history.New(s, history.Options{}).Range(t.Context(), history.Query{Product: "p", Device: "d", Property: "T", After: "?"})
		if err == nil {
			t.Error("it was taken")
		}
	})
}

func apply(t *testing.T, s history.Store, group ...record.Record) {
	t.Helper()
	if err := s.Apply(context.Background(), group); err != nil {
		t.Fatal(err)
	}
}

// reports are n reports of T = 0, 1, 2 … a second apart.
func reports(device string, n int) (group []record.Record) {
	for i := range n {
		group = append(group, report(uint64(i+1), device, "T", int64(i), noon.Add(time.Duration(i)*time.Second)))
	}
	return group
}

func report(seq uint64, device, property string, v int64, at time.Time) record.Record {
	body := bytesOf(record.Report{{Property: property, Value: thing.IntValue(v), Time: at}})
	return record.Record{Seq: seq, Kind: record.PropertyReport, Product: "p", Device: device, Time: at, Body: body}
}

func event(seq uint64, device, id string) record.Record {
	body := bytesOf(record.Event{Event: id, Level: thing.Fault, Output: "{}", Time: noon})
	return record.Record{Seq: seq, Kind: record.EventReport, Product: "p", Device: device, Time: noon, Body: body}
}

func command(seq uint64, id, state string) record.Record {
	body := bytesOf(record.Command{ID: id, Kind: "set", Input: "{}", State: state, SentAt: noon})
	return record.Record{Seq: seq, Kind: record.CommandDone, Product: "p", Device: "d", Time: noon, Body: body}
}

// bytesOf is the body of a record that fits.
func bytesOf(v interface{ Append([]byte) ([]byte, error) }) []byte {
	b, err := v.Append(nil)
	if err != nil {
		panic(err)
	}
	return b
}

func values(points []history.Point) (s string) {
	for _, p := range points {
		s += p.Value.String() + " "
	}
	return s
}

// placed are values, each behind the Seq of its record.
func placed(points []history.PointEntry) (s string) {
	for _, p := range points {
		s += fmt.Sprintf("%d:%v ", p.Seq, p.Value)
	}
	return s
}
