// Package history is what devices said and were told over time: the rules, and
// the Store they need. It reads the feed in batches and keeps its own position
// with its data, so that a crash between feed and history is repaired by
// reading on.
package history

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

// A Point is one value of one property at one time.
type Point = record.Point

// A PointEntry is a value and the record of the feed that brought it.
type PointEntry struct {
	Point
	Seq uint64
}

// An EventEntry is an event that happened.
type EventEntry struct {
	Seq    uint64      `json:"-"` // of the record that brought it
	Event  string      `json:"event"`
	Level  thing.Level `json:"level"`
	Output string      `json:"output"` // compact JSON object
	Time   time.Time   `json:"time"`
}

// A CommandEntry is a command and how far it has come.
type CommandEntry = record.Command

// A Bucket sums up the values of a property in one span of time. Switches
// count as 0 and 1; values that are no numbers count in Count and Last only.
type Bucket struct {
	Start time.Time `json:"start"`
	Min   *float64  `json:"min"`
	Avg   *float64  `json:"avg"`
	Max   *float64  `json:"max"`
	Last  float64   `json:"last"`
	Count int       `json:"count"`
}

// A Query asks for a part of a device's history.
type Query struct {
	Product, Device string
	Property        string        // of points; "" for events and commands
	Event           string        // of events: those with this identifier; "" means all
	Levels          []thing.Level // of events: those of these; none means all
	From, To        time.Time     // From is included, To is not; zero means open
	Limit           int           // 0 means DefaultLimit
	Descending      bool
	After           string // cursor from the page before
}

// wants reports whether e is one of the events asked for.
func (q *Query) wants(e EventEntry) bool {
	return (q.Event == "" || q.Event == e.Event) && (len(q.Levels) == 0 || slices.Contains(q.Levels, e.Level))
}

// The bounds of an answer.
const (
	DefaultLimit = 100
	MaxLimit     = 10_000
	MaxBuckets   = 10_000
)

// A Store remembers. It decides nothing. Implementations are in
// internal/store and pass storetest.History.
type Store interface {
	// Apply keeps a group of records and the position behind it in one step.
	// Applying a record again changes nothing.
	Apply(ctx context.Context, group []record.Record) error
	// Applied is the position: the Seq of the last record kept, 0 for none.
	Applied(ctx context.Context) (uint64, error)
	// Latest returns the newest value of each property.
	Latest(ctx context.Context, product, device string) ([]Point, error)
	// Points visits the values of a property between from and to in order of
	// time, behind or before the cursor, until visit returns false. The
	// position that visit gets is a cursor behind that value.
	Points(ctx context.Context, q Query, visit func(p PointEntry, cursor string) bool) error
	// Events and Commands do the same.
	Events(ctx context.Context, q Query, visit func(e EventEntry, cursor string) bool) error
	Commands(ctx context.Context, q Query, visit func(c CommandEntry, cursor string) bool) error
	// Forget drops all of a device.
	Forget(ctx context.Context, product, device string) error
	// Expire drops what is older than before.
	Expire(ctx context.Context, before time.Time) error
}

// A Source is where records come from: the feed.
type Source interface {
	ConsumeFrom(ctx context.Context, after uint64, fn func([]record.Record) error) error
}

// Options are the choices of a History.
type Options struct {
	Keep time.Duration // 0: for ever
	// Newest is the Seq of the newest record that the source can have; nil:
	// not known. A position behind it says that the source has lost records,
	// and that Seqs will come again: history reads on from there.
	Newest func(context.Context) (uint64, error)
	Log    *slog.Logger
	Now    func() time.Time
}

// A History answers what was. Any number of goroutines may use it at once.
type History struct {
	store   Store
	options Options
	applied position
}

// New makes a History on a store.
func New(s Store, o Options) *History {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &History{store: s, options: o, applied: newPosition()}
}

// expireEvery is how often old data is looked for.
const expireEvery = time.Hour

const (
	// gather is how long records are left to become more, where they come in
	// groups of busy already: a store keeps many together for much less than
	// as many alone. Of enough it is not worth it.
	gather       = 50 * time.Millisecond
	busy, enough = 64, 4096
)

// Run reads the feed until ctx is done.
func (h *History) Run(ctx context.Context, source Source) error {
	at, err := h.store.Applied(ctx)
	if err != nil {
		return fmt.Errorf("history's position: %w", err)
	}
	if at, err = h.within(ctx, at); err != nil {
		return err
	}
	h.applied.advance(at)
	next := h.options.Now().Add(expireEvery)
	return source.ConsumeFrom(ctx, at, func(group []record.Record) error {
		if err := h.store.Apply(context.WithoutCancel(ctx), group); err != nil {
			return fmt.Errorf("keep history: %w", err)
		}
		h.applied.advance(group[len(group)-1].Seq)
		if n := len(group); n >= busy && n < enough {
			select {
			case <-time.After(gather):
			case <-ctx.Done():
			}
		}
		if now := h.options.Now(); h.options.Keep > 0 && now.After(next) {
			next = now.Add(expireEvery)
			if err := h.store.Expire(ctx, now.Add(-h.options.Keep)); err != nil {
				return fmt.Errorf("expire history: %w", err)
			}
		}
		return nil
	})
}

// within returns at, or the newest Seq of a source that has lost records.
func (h *History) within(ctx context.Context, at uint64) (uint64, error) {
	if h.options.Newest == nil {
		return at, nil
	}
	newest, err := h.options.Newest(ctx)
	if err != nil {
		return 0, fmt.Errorf("the feed's newest record: %w", err)
	}
	if at > newest {
		h.options.Log.Error("the feed has lost records that are in history; what comes now is kept behind them", "history", at, "feed", newest)
		return newest, nil
	}
	return at, nil
}

// Applied is the Seq of the last record that answers include.
func (h *History) Applied() uint64 { return h.applied.get() }

// WaitFor returns when answers include the record with this Seq.
func (h *History) WaitFor(ctx context.Context, seq uint64) error { return h.applied.wait(ctx, seq) }

// Latest returns the newest value of each property that was ever reported.
func (h *History) Latest(ctx context.Context, product, device string) ([]Point, error) {
	return h.store.Latest(ctx, product, device)
}

// Range returns the values of a property, oldest first unless q says
// otherwise, and a cursor for the next page, "" where there is none.
func (h *History) Range(ctx context.Context, q Query) ([]PointEntry, string, error) {
	return page(ctx, q, h.store.Points)
}

// Events returns a device's events, as Range does values.
func (h *History) Events(ctx context.Context, q Query) ([]EventEntry, string, error) {
	return page(ctx, q, func(ctx context.Context, q Query, visit func(EventEntry, string) bool) error {
		return h.store.Events(ctx, q, func(e EventEntry, cursor string) bool { return !q.wants(e) || visit(e, cursor) })
	})
}

// Commands returns a device's commands, as Range does values.
func (h *History) Commands(ctx context.Context, q Query) ([]CommandEntry, string, error) {
	return page(ctx, q, h.store.Commands)
}

// Forget drops all of a device.
func (h *History) Forget(ctx context.Context, product, device string) error {
	return h.store.Forget(ctx, product, device)
}

func page[T any](ctx context.Context, q Query, visit func(context.Context, Query, func(T, string) bool) error) ([]T, string, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit > MaxLimit {
		return nil, "", fault.In("limit", fault.Invalid("limit %d is above the maximum %d", q.Limit, MaxLimit))
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return nil, "", fault.In("from", fault.Invalid("from lies not before to"))
	}
	found := []T{}
	last, next := "", ""
	err := visit(ctx, q, func(v T, cursor string) bool {
		if len(found) == q.Limit {
			next = last
			return false
		}
		found, last = append(found, v), cursor
		return true
	})
	return found, next, err
}

// Downsample sums up the values of a property between q.From and q.To in spans
// of step, or, where step is 0, in about the given number of spans. Empty
// spans are left out.
func (h *History) Downsample(ctx context.Context, q Query, step time.Duration, buckets int) ([]Bucket, error) {
	q.Descending, q.After = false, ""
	if q.To.IsZero() {
		q.To = h.options.Now()
	}
	if q.From.IsZero() {
		first, err := h.first(ctx, q)
		if err != nil || first.IsZero() {
			return []Bucket{}, err
		}
		q.From = first
	}
	if !q.From.Before(q.To) {
		return nil, fault.In("from", fault.Invalid("from lies not before to"))
	}
	if step <= 0 {
		step = max(q.To.Sub(q.From)/time.Duration(max(buckets, 1)), time.Millisecond)
	}
	if q.To.Sub(q.From)/step > MaxBuckets {
		return nil, fault.In("bucket", fault.Invalid("spans of %v make more than %d: choose longer ones", step, MaxBuckets))
	}
	found := []Bucket{}
	var sum float64
	var numbers int
	err := h.store.Points(ctx, q, func(p PointEntry, _ string) bool {
		start := q.From.Add(p.Time.Sub(q.From).Truncate(step))
		if n := len(found); n == 0 || !found[n-1].Start.Equal(start) {
			found, sum, numbers = append(found, Bucket{Start: start}), 0, 0
		}
		b := &found[len(found)-1]
		b.Count++
		v, ok := p.Value.Number()
		if !ok {
			return true
		}
		numbers++
		sum += v
		avg := sum / float64(numbers)
		b.Avg, b.Last = &avg, v
		if b.Min == nil || v < *b.Min {
			b.Min = &v
		}
		if b.Max == nil || v > *b.Max {
			b.Max = &v
		}
		return true
	})
	return found, err
}

// first is the time of the oldest value.
func (h *History) first(ctx context.Context, q Query) (t time.Time, err error) {
	err = h.store.Points(ctx, q, func(p PointEntry, _ string) bool {
		t = p.Time
		return false
	})
	return t, err
}
