// Package series keeps history in Pebble: one row a report, its values encoded
// together, and beside it the latest value of each property. It decides
// nothing; see history for the rules.
//
// Keys, all ending in nothing that was not counted first:
//
//	p | device | time | seq          a report
//	l | device                       the latest values
//	e | device | time | seq          an event
//	c | device | time sent | id      a command
//	a                                the position
//
// device is product and name, each with its length in front; time is
// milliseconds with the sign turned, so that bytes sort as times do.
package series

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable/block"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/record"
)

// Options are the choices of a DB.
type Options struct {
	Log *slog.Logger
	// Fatal ends the process, after Log was told why: a damaged file was found
	// that nothing can be read from. nil: panic.
	Fatal func()
}

// A DB implements history.Store. Any number of goroutines may use it at once;
// Apply is called by one.
type DB struct {
	db     *pebble.DB
	log    *slog.Logger
	newest *newest
}

// The kinds of rows. Other rooms that share the database have prefixes of
// their own.
const (
	rowReport  = 'p'
	rowLatest  = 'l'
	rowEvent   = 'e'
	rowCommand = 'c'
	rowApplied = 'a'
)

// Open opens or makes the database in a directory.
func Open(dir string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	po := &pebble.Options{
		Logger:             quiet{o.Log, dir, o.Fatal},
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       16 << 20,
	}
	po.ApplyCompressionSettings(func() pebble.DBCompressionSettings {
		return pebble.UniformDBCompressionSettings(block.BalancedCompression)
	})
	db, err := pebble.Open(dir, po)
	if err != nil {
		return nil, fmt.Errorf("open history: %w; %s", err, remedy(dir))
	}
	return &DB{db, o.Log, newNewest(db, o.Log)}, nil
}

// DB is the database itself, for rooms that keep rows of their own in it.
func (d *DB) DB() *pebble.DB { return d.db }

// Close closes the database.
func (d *DB) Close() error { return errors.Join(d.newest.close(), d.db.Close()) }

// quiet lets Pebble's errors through and drops its daily news.
type quiet struct {
	log   *slog.Logger
	dir   string
	fatal func()
}

func (quiet) Infof(string, ...any) {}
func (q quiet) Errorf(format string, args ...any) {
	q.log.Error("history store: " + fmt.Sprintf(format, args...))
}
func (q quiet) Fatalf(format string, args ...any) {
	q.log.Error("history store: "+fmt.Sprintf(format, args...), "remedy", remedy(q.dir))
	if q.fatal != nil {
		q.fatal()
	}
	panic(fmt.Sprintf(format, args...))
}

// remedy is what helps against a damaged database.
func remedy(dir string) string {
	return "if a file in it is damaged, restore " + dir + " from a backup, or move it away: then the values of the last days are read again from the feed, older ones, sessions and retained messages are lost"
}

// deviceKey is a row's prefix.
func deviceKey(kind byte, product, device string) []byte {
	k := append(make([]byte, 0, 32+len(product)+len(device)), kind)
	k = append(binary.AppendUvarint(k, uint64(len(product))), product...)
	return append(binary.AppendUvarint(k, uint64(len(device))), device...)
}

func timeKey(k []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(k, uint64(t.UnixMilli())^1<<63)
}

func keyTime(b []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b) ^ 1<<63)).UTC()
}

// upper is the first key behind all that begin with prefix.
func upper(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// Applied is the position of the last record kept.
func (d *DB) Applied(context.Context) (uint64, error) {
	if at := d.newest.position(); at > 0 {
		return at, nil
	}
	v, closer, err := d.db.Get([]byte{rowApplied})
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	if len(v) != 8 {
		return 0, record.ErrCorrupt
	}
	return binary.BigEndian.Uint64(v), nil
}

// Forget drops all rows of a device.
func (d *DB) Forget(_ context.Context, product, device string) error {
	b := d.db.NewBatch()
	defer b.Close()
	for _, kind := range []byte{rowReport, rowLatest, rowEvent, rowCommand} {
		from := deviceKey(kind, product, device)
		if err := b.DeleteRange(from, upper(from), nil); err != nil {
			return err
		}
	}
	return d.newest.forget(deviceKey(rowLatest, product, device), func() error { return b.Commit(pebble.Sync) })
}

// Expire drops reports, events and commands that are older than before. It
// seeks from device to device, so its cost grows with their number and not
// with the rows.
func (d *DB) Expire(ctx context.Context, before time.Time) error {
	for _, kind := range []byte{rowReport, rowEvent, rowCommand} {
		if err := d.expire(ctx, kind, before); err != nil {
			return fmt.Errorf("expire: %w", err)
		}
	}
	return nil
}

func (d *DB) expire(ctx context.Context, kind byte, before time.Time) error {
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok && ctx.Err() == nil; {
		device := devicePrefix(it.Key())
		if device == nil {
			d.log.Error("history store: a key cannot be read", "key", fmt.Sprintf("%x", it.Key()))
			ok = it.Next()
			continue
		}
		device = append([]byte(nil), device...)
		limit := timeKey(append([]byte(nil), device...), before)
		if err := d.db.DeleteRange(device, limit, pebble.NoSync); err != nil {
			return err
		}
		ok = it.SeekGE(upper(device))
	}
	return it.Error()
}

// devicePrefix is the part of a key that names the device, nil for a key that
// is none.
func devicePrefix(key []byte) []byte {
	n := 1
	for range 2 {
		if n > len(key) {
			return nil
		}
		size, used := binary.Uvarint(key[n:])
		if used <= 0 || size > uint64(len(key)-n-used) {
			return nil
		}
		n += used + int(size)
	}
	return key[:n]
}

// span turns a query into the bounds of its keys.
func span(kind byte, q history.Query) (from, to []byte, err error) {
	prefix := deviceKey(kind, q.Product, q.Device)
	from, to = prefix, upper(prefix)
	if !q.From.IsZero() {
		from = timeKey(append([]byte(nil), prefix...), q.From)
	}
	if !q.To.IsZero() {
		to = timeKey(append([]byte(nil), prefix...), q.To)
	}
	if q.After == "" {
		return from, to, nil
	}
	at, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(at) < 8 {
		return nil, nil, fault.In("after", fault.Invalid("%q is no cursor: take it from the page before", q.After))
	}
	key := append(append([]byte(nil), prefix...), at...)
	if q.Descending {
		return from, key, nil
	}
	return append(key, 0), to, nil
}

// visit calls fn with the rows of a query in its order, until fn returns
// false. rest is the key behind the device: its time and what follows.
func (d *DB) visit(ctx context.Context, kind byte, q history.Query, fn func(rest, value []byte) bool) error {
	from, to, err := span(kind, q)
	if err != nil {
		return err
	}
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer it.Close()
	skip := len(deviceKey(kind, q.Product, q.Device))
	step, ok := it.Next, false
	if q.Descending {
		ok, step = it.Last(), it.Prev
	} else {
		ok = it.First()
	}
	for ; ok; ok = step() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if len(it.Key()) < skip+8 {
			continue
		}
		if !fn(it.Key()[skip:], value) {
			return nil
		}
	}
	return it.Error()
}

func cursor(rest []byte) string { return base64.RawURLEncoding.EncodeToString(rest) }
