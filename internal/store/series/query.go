package series

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

// Latest returns the newest value of each property, by name.
func (d *DB) Latest(_ context.Context, product, device string) ([]history.Point, error) {
	report, err := d.newest.get(deviceKey(rowLatest, product, device))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(report, func(a, b record.Point) int { return strings.Compare(a.Property, b.Property) })
	return report, nil
}

// Points visits the values of a property.
func (d *DB) Points(ctx context.Context, q history.Query, visit func(history.PointEntry, string) bool) error {
	return d.visit(ctx, rowReport, q, func(rest, value []byte) bool {
		goOn := true
		var found []history.PointEntry
		var seq uint64
		if len(rest) >= 16 {
			seq = binary.BigEndian.Uint64(rest[8:])
		}
		err := record.VisitReport(value, func(p []byte, v thing.Value, at int64) bool {
			if string(p) == q.Property {
				found = append(found, history.PointEntry{
					Point: history.Point{Property: q.Property, Value: v, Time: time.UnixMilli(at).UTC()}, Seq: seq,
				})
			}
			return true
		})
		if err != nil {
			d.unreadable(rest, q, err)
			return true
		}
		// A report may hold a property twice; a page never ends between them.
		if q.Descending {
			slices.Reverse(found)
		}
		for _, p := range found {
			goOn = goOn && visit(p, cursor(rest))
		}
		return goOn
	})
}

// Events visits a device's events.
func (d *DB) Events(ctx context.Context, q history.Query, visit func(history.EventEntry, string) bool) error {
	return d.visit(ctx, rowEvent, q, func(rest, value []byte) bool {
		e, err := record.DecodeEvent(value)
		if err != nil || len(rest) < 16 {
			d.unreadable(rest, q, err)
			return true
		}
		return visit(history.EventEntry{
			Seq: binary.BigEndian.Uint64(rest[8:]), Event: e.Event, Level: e.Level, Output: e.Output, Time: e.Time,
		}, cursor(rest))
	})
}

// Commands visits a device's commands by the time they were sent.
func (d *DB) Commands(ctx context.Context, q history.Query, visit func(history.CommandEntry, string) bool) error {
	return d.visit(ctx, rowCommand, q, func(rest, value []byte) bool {
		c, err := record.DecodeCommand(value)
		if err != nil {
			d.unreadable(rest, q, err)
			return true
		}
		return visit(c, cursor(rest))
	})
}

// unreadable says that a row was passed over.
func (d *DB) unreadable(rest []byte, q history.Query, err error) {
	d.log.Error("a row of history cannot be read and is left out", "product", q.Product, "device", q.Device, "time", keyTime(rest), "error", err)
}
