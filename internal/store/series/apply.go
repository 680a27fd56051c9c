package series

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

// Apply keeps a group of records and the position behind it in one batch. It
// is not synced: the feed has the records, and what a crash takes is read from
// there again.
func (d *DB) Apply(_ context.Context, group []record.Record) error {
	a := applying{db: d, batch: d.db.NewBatch(), latest: map[string]map[string]record.Point{}}
	defer a.batch.Close()
	for i := range group {
		if err := a.apply(&group[i]); err != nil {
			return err
		}
	}
	if err := a.writeLatest(); err != nil {
		return err
	}
	position := binary.BigEndian.AppendUint64(nil, group[len(group)-1].Seq)
	if err := a.batch.Set([]byte{rowApplied}, position, nil); err != nil {
		return err
	}
	return a.batch.Commit(pebble.NoSync)
}

// An applying is one group on its way in.
type applying struct {
	db     *DB
	batch  *pebble.Batch
	latest map[string]map[string]record.Point // by the key of the row
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
	if err := a.remember(r); err != nil {
		return err
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
		b.Add(string(p), v, at)
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

// remember merges a report into the latest values: the newest time wins, of
// equal ones the later record.
func (a *applying) remember(r *record.Record) error {
	key := string(deviceKey(rowLatest, r.Product, r.Device))
	latest := a.latest[key]
	if latest == nil {
		points, err := a.db.latest([]byte(key))
		if err != nil {
			return err
		}
		latest = make(map[string]record.Point, len(points)+4)
		for _, p := range points {
			latest[p.Property] = p
		}
		a.latest[key] = latest
	}
	return record.VisitReport(r.Body, func(p []byte, v thing.Value, at int64) bool {
		t := time.UnixMilli(at).UTC()
		if old, ok := latest[string(p)]; !ok || !t.Before(old.Time) {
			name := old.Property
			if !ok {
				name = string(p)
			}
			latest[name] = record.Point{Property: name, Value: v, Time: t}
		}
		return true
	})
}

func (a *applying) writeLatest() error {
	for key, points := range a.latest {
		report := make(record.Report, 0, len(points))
		for _, p := range points {
			report = append(report, p)
		}
		if err := a.batch.Set([]byte(key), report.Append(nil), nil); err != nil {
			return err
		}
	}
	return nil
}

// latest reads a row of latest values. One that is corrupt counts as empty:
// the device's next report mends it.
func (d *DB) latest(key []byte) (record.Report, error) {
	v, closer, err := d.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	report, err := record.DecodeReport(v)
	if err != nil {
		d.log.Error("the latest values of a device cannot be read", "error", err)
		return nil, nil
	}
	return report, nil
}
