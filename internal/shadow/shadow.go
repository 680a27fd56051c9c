// Package shadow is what a device and its applications tell one another while
// the other is away: the device's shadow, a document under one version
// [aliyun-device §4.8], and the desired values of properties, each with a
// version of its own [aliyun-device §4.15, onenet §3.2]. It holds the rules
// and declares the Store that remembers.
//
// It does not compare what is desired with what is reported: a device takes a
// desired value away itself when it has done it.
package shadow

import (
	"context"
	"hash/maphash"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// The bounds [aliyun-device §4.8, §4.15].
const (
	MaxBytes      = 16 << 10 // of all attributes of a shadow as JSON
	MaxAttributes = 128      // reported ones, and as many desired
	MaxDepth      = 5
	MaxDesired    = 1000 // desired values of one device
)

// A Store remembers shadows and desired values of devices that exist.
type Store interface {
	Shadow(ctx context.Context, id registry.ID) (dialect.Shadow, error) // the zero Shadow where there is none
	SaveShadow(ctx context.Context, id registry.ID, s dialect.Shadow) error
	DeleteShadow(ctx context.Context, id registry.ID) error

	Desired(ctx context.Context, id registry.ID) ([]dialect.DesiredValue, error) // in order of the properties
	// SaveDesired sets some values and takes others away, all or none.
	SaveDesired(ctx context.Context, id registry.ID, set []dialect.DesiredValue, gone []string) error
}

// A Teller says something to a device: package command.
type Teller interface {
	Push(ctx context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error)
}

// Options are what a Service needs.
type Options struct {
	Store    Store
	Registry *registry.Registry
	Dialects dialect.Set
	Teller   Teller
	Online   func(session string) bool
	// Set tells a device to set properties.
	Set func(ctx context.Context, id registry.ID, values []thing.Argument) error
	Log *slog.Logger
	Now func() time.Time
}

// A Service keeps shadows. Any number of goroutines may use it at once.
type Service struct {
	Options
	seed  maphash.Seed
	locks [64]sync.Mutex // a change is read, made and written by one at a time
}

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{Options: o, seed: maphash.MakeSeed()}
}

// lock keeps others from changing what is kept of a device, until the
// function that it returns is called.
func (s *Service) lock(id registry.ID) func() {
	l := &s.locks[maphash.Comparable(s.seed, id)%uint64(len(s.locks))]
	l.Lock()
	return l.Unlock
}

func idOf(a *dialect.Ask) registry.ID {
	return registry.ID{Product: a.Claim.Product, Device: a.Claim.Device}
}

// stamp is now, as exactly as it is kept.
func (s *Service) stamp() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Update takes what a device reports to its shadow.
func (s *Service) Update(ctx context.Context, r *dialect.ShadowUpdate) (*dialect.Shadow, error) {
	return s.change(ctx, idOf(r.Asked()), func(doc *dialect.Shadow, now time.Time) error {
		if err := advance(doc, r.Version, r.Reset); err != nil {
			return err
		}
		doc.Reported = merged(doc.Reported, r.Reported, now)
		if r.ClearDesired {
			doc.Desired = nil
		}
		return nil
	})
}

// Delete takes attributes away that the device no longer has.
func (s *Service) Delete(ctx context.Context, r *dialect.ShadowDelete) (*dialect.Shadow, error) {
	return s.change(ctx, idOf(r.Asked()), func(doc *dialect.Shadow, _ time.Time) error {
		if empty(doc) {
			return emptyShadow()
		}
		if err := advance(doc, r.Version, r.Reset); err != nil {
			return err
		}
		doc.Reported = slices.DeleteFunc(doc.Reported, func(a dialect.ShadowAttribute) bool {
			return r.All || slices.Contains(r.Names, a.Name)
		})
		if r.ClearDesired {
			doc.Desired = nil
		}
		return nil
	})
}

// Get gives a device its shadow.
func (s *Service) Get(ctx context.Context, r *dialect.ShadowGet) (*dialect.Shadow, error) {
	doc, err := s.Store.Shadow(ctx, idOf(r.Asked()))
	if err == nil && empty(&doc) {
		err = emptyShadow()
	}
	return &doc, err
}

func empty(doc *dialect.Shadow) bool { return len(doc.Reported)+len(doc.Desired) == 0 }

// advance gives the shadow the version of a message, which has to be greater,
// or begins anew at 0.
func advance(doc *dialect.Shadow, version int64, reset bool) error {
	switch {
	case reset:
		doc.Version = 0
		return nil
	case version > doc.Version, version == 0 && doc.UpdatedAt.IsZero():
		doc.Version = version
		return nil
	}
	return lowVersion(version, doc.Version)
}

// merged is the attributes after a report: lists are replaced as a whole,
// objects member by member; null takes away.
func merged(old []dialect.ShadowAttribute, news []thing.Argument, now time.Time) []dialect.ShadowAttribute {
	all := slices.Clone(old)
	for _, n := range news {
		at, there := slices.BinarySearchFunc(all, n.ID, func(a dialect.ShadowAttribute, name string) int {
			return strings.Compare(a.Name, name)
		})
		switch {
		case n.Value.Shape == thing.Null && there:
			all = slices.Delete(all, at, at+1)
		case n.Value.Shape == thing.Null:
		case there:
			all[at] = dialect.ShadowAttribute{Name: n.ID, Value: mergedValue(all[at].Value, n.Value), At: now}
		default:
			all = slices.Insert(all, at, dialect.ShadowAttribute{Name: n.ID, Value: n.Value, At: now})
		}
	}
	return all
}

func mergedValue(old, now thing.Value) thing.Value {
	if now.Shape != thing.Object {
		return now
	}
	var members []thing.Argument
	if old.Shape == thing.Object {
		members, _ = thing.ParseArguments([]byte(old.Text)) // it was read before
	}
	news, err := thing.ParseArguments([]byte(now.Text))
	if err != nil {
		return now
	}
	for _, n := range news {
		at := slices.IndexFunc(members, func(a thing.Argument) bool { return a.ID == n.ID })
		switch {
		case n.Value.Shape == thing.Null && at >= 0:
			members = slices.Delete(members, at, at+1)
		case n.Value.Shape == thing.Null:
		case at >= 0:
			members[at].Value = mergedValue(members[at].Value, n.Value)
		default:
			members = append(members, n)
		}
	}
	return thing.ObjectValue(string(thing.AppendArguments(nil, members)))
}

// change reads a shadow, changes it, checks its bounds and keeps it.
func (s *Service) change(ctx context.Context, id registry.ID, f func(doc *dialect.Shadow, now time.Time) error) (*dialect.Shadow, error) {
	defer s.lock(id)()
	doc, err := s.Store.Shadow(ctx, id)
	if err != nil {
		return nil, err
	}
	now := s.stamp()
	if err := f(&doc, now); err != nil {
		return nil, err
	}
	if err := bounded(&doc); err != nil {
		return nil, err
	}
	doc.UpdatedAt = now
	if err := s.Store.SaveShadow(ctx, id, doc); err != nil {
		return nil, err
	}
	return &doc, nil
}

func bounded(doc *dialect.Shadow) error {
	for _, part := range [][]dialect.ShadowAttribute{doc.Reported, doc.Desired} {
		if len(part) > MaxAttributes {
			return manyAttributes(len(part))
		}
	}
	size := 0
	for _, part := range [][]dialect.ShadowAttribute{doc.Reported, doc.Desired} {
		for _, a := range part {
			size += len(a.Name) + len(a.Value.AppendJSON(nil)) + len(`"":,`)
		}
	}
	if size > MaxBytes {
		return largeShadow(size)
	}
	return nil
}

// Shadow returns the shadow of a device, the zero Shadow where it has none.
func (s *Service) Shadow(ctx context.Context, id registry.ID) (dialect.Shadow, error) {
	if _, _, err := s.device(ctx, id); err != nil {
		return dialect.Shadow{}, err
	}
	return s.Store.Shadow(ctx, id)
}

// device returns the product of a device that exists, and who tells it of its
// shadow.
func (s *Service) device(ctx context.Context, id registry.ID) (*registry.Product, dialect.ShadowTeller, error) {
	p, err := s.Registry.Product(ctx, id.Product)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return nil, nil, err
	}
	speaks, _ := s.Dialects.ByName(p.Dialect)
	teller, ok := speaks.(dialect.ShadowTeller)
	if !ok {
		return nil, nil, fault.Invalid("devices of the dialect %s have no shadow; use desired values or set properties", p.Dialect)
	}
	return p, teller, nil
}

// A Wish is how an application wants a shadow.
type Wish struct {
	Desired []thing.Argument // null takes an attribute away
	Merge   bool             // leave the other desired attributes; otherwise these replace them
	Version int64            // greater than the shadow's; 0: whatever it is, one more
}

// Wish changes the desired part of a shadow and tells the device where it is
// online. told is what became of that.
func (s *Service) Wish(ctx context.Context, id registry.ID, w Wish) (doc *dialect.Shadow, told Told, err error) {
	_, teller, err := s.device(ctx, id)
	if err != nil {
		return nil, told, err
	}
	if err := checkWish(w); err != nil {
		return nil, told, err
	}
	doc, err = s.change(ctx, id, func(doc *dialect.Shadow, now time.Time) error {
		version := w.Version
		if version == 0 {
			version = doc.Version + 1
		}
		if err := advance(doc, version, false); err != nil {
			return fault.In("version", fault.Conflict("%w", err))
		}
		if !w.Merge {
			doc.Desired = nil
		}
		doc.Desired = merged(doc.Desired, w.Desired, now)
		return nil
	})
	if err != nil {
		return nil, told, asFault(err)
	}
	if !s.Online(id.String()) {
		return doc, Told{Outcome: broker.Offline.String()}, nil
	}
	outcome, err := s.Teller.Push(ctx, id, func(_ dialect.Dialect, c dialect.Claim) []dialect.Downlink {
		return teller.TellShadow(c, doc, doc.UpdatedAt)
	})
	return doc, toldOf(outcome, err), nil
}

func checkWish(w Wish) error {
	switch {
	case w.Version < 0:
		return fault.In("version", fault.Invalid("version %d is below 0", w.Version))
	case w.Merge && len(w.Desired) == 0:
		return fault.In("desired", fault.Invalid("name at least one attribute"))
	}
	for _, a := range w.Desired {
		if a.ID == "" {
			return fault.In("desired", fault.Invalid("an attribute has no name"))
		}
		if a.Value.Depth()+1 > MaxDepth {
			return fault.In("desired", fault.Invalid("attribute %q: a shadow has at most %d levels", a.ID, MaxDepth))
		}
	}
	return nil
}

// Forget takes the whole shadow of a device away; the next version may be any.
func (s *Service) Forget(ctx context.Context, id registry.ID) error {
	if _, _, err := s.device(ctx, id); err != nil {
		return err
	}
	defer s.lock(id)()
	return s.Store.DeleteShadow(ctx, id)
}

// Told is whether a device learned of a change at once.
type Told struct {
	Outcome string // delivered, queued, offline, …
	Why     string // it was not told, "" where it was
}

func toldOf(outcome broker.Outcome, err error) Told {
	t := Told{Outcome: outcome.String()}
	if err != nil {
		t.Why = fault.Sentence(err)
	}
	return t
}
