package series

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

// newest are the latest values of the devices that reported lately. They are
// written together with the position, once a second at the most instead of
// with each report: what a crash takes of them is read from the feed again.
type newest struct {
	db  *pebble.DB
	log *slog.Logger

	mu      sync.Mutex
	rows    map[string]*newestRow // by the key of the row
	points  int                   // in rows
	applied uint64                // the position; 0: nothing was applied since the start
	kept    uint64                // the position on disk, as far as it is known
	timer   *time.Timer           // set while something waits to be written
	closed  bool
	report  record.ReportBuilder // of the row being written
}

type newestRow struct {
	points map[string]record.Point
	dirty  bool
}

const (
	// keepEvery is how long latest values may be in memory only.
	keepEvery = time.Second
	// maxNewest is how many values are held in memory; with more they are
	// written at once and forgotten.
	maxNewest = 100_000
)

func newNewest(db *pebble.DB, log *slog.Logger) *newest {
	return &newest{db: db, log: log, rows: make(map[string]*newestRow)}
}

// remember merges the reports of a group that is kept, and the position behind
// it: the newest time wins, of equal ones the later record.
func (n *newest) remember(group []*record.Record, position uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range group {
		if r.Kind == record.PropertyReport {
			if err := n.merge(r); err != nil {
				return err
			}
		}
	}
	n.applied = position
	if n.points > maxNewest {
		return n.keep()
	}
	if n.timer == nil {
		n.timer = time.AfterFunc(keepEvery, n.keepLater)
	}
	return nil
}

func (n *newest) merge(r *record.Record) error {
	row, err := n.row(deviceKey(rowLatest, r.Product, r.Device))
	if err != nil {
		return err
	}
	before := len(row.points)
	// A body that is corrupt has been reported by Apply.
	record.VisitReport(r.Body, func(p []byte, v thing.Value, at int64) bool {
		t := time.UnixMilli(at).UTC()
		old, ok := row.points[string(p)]
		if ok && t.Before(old.Time) {
			return true
		}
		name := old.Property
		if !ok {
			name = string(p)
		}
		row.points[name] = record.Point{Property: name, Value: v, Time: t}
		row.dirty = true
		return true
	})
	n.points += len(row.points) - before
	return nil
}

// row returns the values of a device, read from disk where memory has none.
func (n *newest) row(key []byte) (*newestRow, error) {
	if row := n.rows[string(key)]; row != nil {
		return row, nil
	}
	report, err := n.read(key)
	if err != nil {
		return nil, err
	}
	row := &newestRow{points: make(map[string]record.Point, len(report)+4)}
	for _, p := range report {
		row.points[p.Property] = p
	}
	n.rows[string(key)] = row
	n.points += len(row.points)
	return row, nil
}

// get returns the latest values of a device in no order.
func (n *newest) get(key []byte) (record.Report, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	row := n.rows[string(key)]
	if row == nil {
		return n.read(key)
	}
	report := make(record.Report, 0, len(row.points))
	for _, p := range row.points {
		report = append(report, p)
	}
	return report, nil
}

// read reads a row of latest values. One that is corrupt counts as empty: the
// device's next report mends it.
func (n *newest) read(key []byte) (record.Report, error) {
	v, closer, err := n.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	report, err := record.DecodeReport(v)
	if err != nil {
		n.log.Error("the latest values of a device cannot be read", "key", fmt.Sprintf("%q", key), "error", err)
		return nil, nil
	}
	return report, nil
}

// keepLater is what the timer calls.
func (n *newest) keepLater() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	if err := n.keep(); err != nil {
		n.log.Error("latest values not kept; they are tried again", "in", keepEvery, "error", err)
		n.timer = time.AfterFunc(keepEvery, n.keepLater)
	}
}

// keep writes what changed, and the position; n.mu is held.
func (n *newest) keep() error {
	if n.timer != nil {
		n.timer.Stop()
		n.timer = nil
	}
	if n.applied == n.kept {
		return nil
	}
	batch := n.db.NewBatch()
	defer batch.Close()
	for key, row := range n.rows {
		if !row.dirty {
			continue
		}
		if err := batch.Set([]byte(key), n.bytes(row), nil); err != nil {
			return err
		}
	}
	if err := batch.Set([]byte{rowApplied}, binary.BigEndian.AppendUint64(nil, n.applied), nil); err != nil {
		return err
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return err
	}
	n.kept = n.applied
	for _, row := range n.rows {
		row.dirty = false
	}
	if n.points > maxNewest {
		clear(n.rows)
		n.points = 0
	}
	return nil
}

// bytes returns what is kept of a row: the newest values, as many as one
// report holds. A device that makes up new names for ever has no more.
func (n *newest) bytes(row *newestRow) []byte {
	points := slices.SortedFunc(maps.Values(row.points), func(a, b record.Point) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Property, b.Property))
	})
	n.report.Reset()
	for i, p := range points {
		err := n.report.Add(p.Property, p.Value, p.Time.UnixMilli())
		if err == nil {
			continue
		}
		n.log.Warn("the oldest of a device's latest values are dropped", "values", len(points)-i, "error", err)
		for _, p := range points[i:] {
			delete(row.points, p.Property)
		}
		n.points -= len(points) - i
		break
	}
	return n.report.Bytes()
}

// forget drops a device, as its row on disk is dropped.
func (n *newest) forget(key []byte, drop func() error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if row := n.rows[string(key)]; row != nil {
		n.points -= len(row.points)
		delete(n.rows, string(key))
	}
	return drop()
}

// position is that of the last record applied, 0 where none was since the
// start.
func (n *newest) position() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.applied
}

// close writes what is left. Nothing is remembered afterwards.
func (n *newest) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	return n.keep()
}
