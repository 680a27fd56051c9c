package series

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

// Apply keeps a group of records. It is not synced: the feed has the records,
// and what a crash takes is read from there again, from the position that was
// kept with the latest values.
func (d *DB) Apply(_ context.Context, group []record.Record) error {
	byDevice := sorted(group)
	a := applying{db: d, batch: d.db.NewBatch()}
	defer a.batch.Close()
	for _, r := range byDevice {
		if err := a.apply(r); err != nil {
			return err
		}
	}
	if err := a.batch.Commit(pebble.NoSync); err != nil {
		return err
	}
	return d.newest.remember(byDevice, group[len(group)-1].Seq)
}

// sorted are the records device by device, those of each in their order. So
// come the keys, nearly: rows beside one another are put in for a fraction of
// what it costs to look for the place of each.
func sorted(group []record.Record) []*record.Record {
	all := make([]*record.Record, len(group))
	for i := range group {
		all[i] = &group[i]
	}
	slices.SortStableFunc(all, func(a, b *record.Record) int {
		if c := strings.Compare(a.Device, b.Device); c != 0 {
			return c
		}
		return strings.Compare(a.Product, b.Product)
	})
	return all
}

// An applying is one group on its way in.
type applying struct {
	db    *DB
	batch *pebble.Batch
}

func (a *applying) apply(r *record.Record) error {
	switch r.Kind {
	case record.PropertyReport:
		return a.report(r)
	case record.EventReport:
		e, err := record.DecodeEvent(r.Body)
		if err != nil {
			return a.corrupt(r, err)
		}
		key := binary.BigEndian.AppendUint64(timeKey(deviceKey(rowEvent, r.Product, r.Device), e.Time), r.Seq)
		return a.batch.Set(key, r.Body, nil)
	case record.CommandSent, record.CommandDone:
		c, err := record.DecodeCommand(r.Body)
		if err != nil {
			return a.corrupt(r, err)
		}
		return a.batch.Set(append(timeKey(deviceKey(rowCommand, r.Product, r.Device), c.SentAt), c.ID...), r.Body, nil)
	}
	return nil // what history does not keep
}

// corrupt passes over a record that cannot be read: it must not stop the rest.
func (a *applying) corrupt(r *record.Record, err error) error {
	a.db.log.Error("a record cannot be read and is left out of history", "seq", r.Seq, "kind", r.Kind.String(), "product", r.Product, "device", r.Device, "error", err)
	return nil
}

// report keeps one row for values of one time; a report whose values have
// several times becomes a row for each.
func (a *applying) report(r *record.Record) error {
	first, mixed := int64(0), false
	n := 0
	err := record.VisitReport(r.Body, func(_ []byte, _ thing.Value, at int64) bool {
		if n == 0 {
			first = at
		}
		mixed = mixed || at != first
		n++
		return true
	})
	if err != nil {
		return a.corrupt(r, err)
	}
	if n == 0 {
		return nil
	}
	if !mixed {
		return a.row(r, first, r.Body)
	}
	rows := map[int64]*record.ReportBuilder{}
	record.VisitReport(r.Body, func(p []byte, v thing.Value, at int64) bool {
		b := rows[at]
		if b == nil {
			b = new(record.ReportBuilder)
			b.Reset()
			rows[at] = b
		}
		b.Add(string(p), v, at) // part of a report that was read fits into one
		return true
	})
	for at, b := range rows {
		if err := a.row(r, at, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (a *applying) row(r *record.Record, at int64, body []byte) error {
	key := timeKey(deviceKey(rowReport, r.Product, r.Device), time.UnixMilli(at))
	return a.batch.Set(binary.BigEndian.AppendUint64(key, r.Seq), body, nil)
}
