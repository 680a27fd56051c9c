// Package enroll hands devices their secrets: batches of devices that a
// factory makes, and devices that register by themselves with the secret of
// their product [aliyun-device §3]. It holds the rules who may register: the
// product's switches, its list of names, and that a device that has connected
// once may not register again unless it is reset.
//
// It checks no signature: that is the gate's.
package enroll

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// The bounds of registration.
const (
	// PendingFor is how long a device that asks again is told the same secret;
	// later it is told another one, and the one before is of no more use
	// [aliyun-device §3.5].
	PendingFor = 10 * time.Minute
	// FewTimes is how often a device may register without ever connecting
	// before that is remarked upon [aliyun-device §3.5].
	FewTimes = 3
	// MaxPerMinute is how often one device may register in a minute.
	MaxPerMinute = 20
	// MaxNames is how many names a product's list may hold.
	MaxNames = 1_000_000
	// MaxNamesAtOnce is how many of them are added or taken away at once.
	MaxNamesAtOnce = 10_000
)

// An Enrollment is what was handed out to a device that registered.
type Enrollment struct {
	registry.ID
	Road     string    `json:"road"` // mqtt, https or http
	Free     bool      `json:"free"` // it was told a token, not its secret
	Addr     string    `json:"addr"`
	FirstAt  time.Time `json:"firstAt"`
	LastAt   time.Time `json:"lastAt"`
	SecretAt time.Time `json:"secretAt"` // when its present secret was handed out first
	Times    int       `json:"times"`    // since it last connected
}

// A Store remembers batches, lists of names and who registered. Where something
// is not there it says registry.ErrNotFound, where it is there already
// registry.ErrExists. Implementations pass storetest.Enroll.
type Store interface {
	Enrollment(ctx context.Context, id registry.ID) (*Enrollment, error)
	SaveEnrollment(ctx context.Context, e *Enrollment) error // ErrNotFound where the device is not there
	DeleteEnrollment(ctx context.Context, id registry.ID) error

	AddNames(ctx context.Context, product string, names []string, at time.Time) (added int, err error)
	RemoveNames(ctx context.Context, product string, names []string) (removed int, err error)
	HasName(ctx context.Context, product, name string) (bool, error)
	// Names are those that have text in them, upper and lower case alike; all for "".
	Names(ctx context.Context, product, text, after string, limit int) ([]string, error)
	CountNames(ctx context.Context, product string) (int, error)

	InsertBatch(ctx context.Context, b *Batch) error
	Batch(ctx context.Context, product, name string) (*Batch, error)
	Batches(ctx context.Context, product, after string, limit int) ([]Batch, error) // by name
	DeleteBatch(ctx context.Context, product, name string) error                    // it has no devices any more
	BatchDevices(ctx context.Context, product, name, after string, limit int) ([]BatchDevice, error)
}

// Options are what a Service needs.
type Options struct {
	Registry *registry.Registry
	Store    Store
	Log      *slog.Logger
	Now      func() time.Time
}

// A Service enrolls. Any number of goroutines may use it at once.
type Service struct {
	Options
	mu   sync.Mutex // one registration at a time: it is read, decided and written
	pace pace
}

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{Options: o}
}

// Enroll decides on a registration whose signature holds, and returns what the
// device is told; that is durable. An error is a *dialect.RegistrationError.
func (s *Service) Enroll(ctx context.Context, r *dialect.Registration) (*dialect.Registered, error) {
	id := registry.ID{Product: r.Product, Device: r.Device}
	if len(id.Device) > maxName { // what is remembered of it below is bounded
		return nil, refuse(dialect.ErrRegistrationName)
	}
	if !s.pace.take(id, s.Now()) {
		return nil, &dialect.RegistrationError{Why: dialect.ErrRegistrationTooOften, Count: MaxPerMinute}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	told, err := s.enroll(ctx, id, r)
	if err == nil {
		return told, nil
	}
	if _, ok := errors.AsType[*dialect.RegistrationError](err); !ok {
		s.Log.Error("registration of a device", "device", id.String(), "error", err)
		err = refuse(dialect.ErrRegistrationUnavailable)
	}
	return nil, err
}

func refuse(why error) error { return &dialect.RegistrationError{Why: why} }

func (s *Service) enroll(ctx context.Context, id registry.ID, r *dialect.Registration) (*dialect.Registered, error) {
	device, err := s.admit(ctx, id, r)
	if err == nil && device == nil {
		device, err = s.make(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	return s.handOut(ctx, device, r)
}

// Would says what Enroll would say, and does nothing else: nil where the device
// would be told.
func (s *Service) Would(ctx context.Context, r *dialect.Registration) error {
	_, err := s.admit(ctx, registry.ID{Product: r.Product, Device: r.Device}, r)
	return err
}

// admit finds the device that may register, nil for one that has to be made.
func (s *Service) admit(ctx context.Context, id registry.ID, r *dialect.Registration) (*registry.Device, error) {
	product, err := s.Registry.Product(ctx, id.Product)
	if err != nil {
		return nil, err
	}
	rules := product.Registration
	switch {
	case !rules.Enabled:
		return nil, refuse(dialect.ErrRegistrationOff)
	case r.Free && !rules.Free:
		return nil, refuse(dialect.ErrRegistrationFreeOff)
	}
	if rules.Listed {
		listed, err := s.Store.HasName(ctx, id.Product, id.Device)
		if err != nil {
			return nil, err
		}
		if !listed {
			return nil, refuse(dialect.ErrRegistrationUnlisted)
		}
	}
	device, err := s.Registry.Device(ctx, id)
	switch {
	case fault.KindOf(err) == fault.KindNotFound && r.Free:
		return nil, s.room(ctx, id.Product, rules)
	case fault.KindOf(err) == fault.KindNotFound:
		return nil, refuse(dialect.ErrRegistrationNoDevice)
	case err != nil:
		return nil, err
	case !device.Enabled:
		return nil, refuse(dialect.ErrRegistrationDisabled)
	}
	status, err := s.Registry.Status(ctx, id)
	if err != nil {
		return nil, err
	}
	if !status.ActivatedAt.IsZero() {
		return nil, refuse(dialect.ErrRegistrationActivated)
	}
	return device, nil
}

// room reports an error where a product has as many devices as registration may
// make.
func (s *Service) room(ctx context.Context, product string, rules registry.Registration) error {
	n, err := s.Registry.CountDevices(ctx, registry.DeviceQuery{Product: product})
	if err == nil && n >= rules.Bound() {
		err = &dialect.RegistrationError{Why: dialect.ErrRegistrationFull, Count: n}
	}
	return err
}

func (s *Service) make(ctx context.Context, id registry.ID) (*registry.Device, error) {
	made, err := s.Registry.CreateDevice(ctx, registry.Device{Product: id.Product, Name: id.Device})
	if fault.KindOf(err) == fault.KindInvalid {
		return nil, refuse(dialect.ErrRegistrationName)
	}
	return &made, err
}

// handOut gives a device that never connected its secret: the one it was given
// before, for a while, then another one.
func (s *Service) handOut(ctx context.Context, device *registry.Device, r *dialect.Registration) (*dialect.Registered, error) {
	now := s.Now().UTC().Truncate(time.Millisecond)
	e, err := s.Store.Enrollment(ctx, device.ID())
	if errors.Is(err, registry.ErrNotFound) {
		e, err = &Enrollment{ID: device.ID(), FirstAt: now, SecretAt: now}, nil
	}
	if err != nil {
		return nil, err
	}
	if now.Sub(e.SecretAt) > PendingFor {
		reset, err := s.Registry.ResetSecret(ctx, device.ID(), "")
		if err != nil {
			return nil, err
		}
		device, e.SecretAt = &reset, now
	}
	e.Road, e.Free, e.Addr, e.LastAt = r.Road, r.Free, r.Addr, now
	e.Times++
	if err := s.Store.SaveEnrollment(ctx, e); err != nil {
		return nil, err
	}
	return &dialect.Registered{
		Claim: dialect.Claim{Product: device.Product, Device: device.Name}, Secret: device.Secret,
		Free: r.Free, Times: e.Times, Again: e.Times > FewTimes,
	}, nil
}

// Enrollment says how a device registered; NotFound where it never did.
func (s *Service) Enrollment(ctx context.Context, id registry.ID) (*Enrollment, error) {
	e, err := s.Store.Enrollment(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, fault.NotFound("device %q never registered", id)
	}
	return e, err
}

// Reset lets a device register again: it is as if it had never connected, and
// what it has to log in with is of no more use.
func (s *Service) Reset(ctx context.Context, id registry.ID) (registry.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.Registry.ResetActivation(ctx, id)
	if err != nil {
		return registry.Device{}, err
	}
	if err := s.Store.DeleteEnrollment(ctx, id); err != nil && !errors.Is(err, registry.ErrNotFound) {
		return registry.Device{}, err
	}
	return d, nil
}

// pace bounds how often one device registers. It counts in whole minutes and is
// bounded itself: at maxPaced devices it starts anew.
type pace struct {
	mu     sync.Mutex
	minute int64
	taken  map[registry.ID]int
}

const maxPaced = 10_000

func (p *pace) take(id registry.ID, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if minute := now.Unix() / 60; minute != p.minute || len(p.taken) >= maxPaced {
		p.minute, p.taken = minute, make(map[registry.ID]int)
	}
	p.taken[id]++
	return p.taken[id] <= MaxPerMinute
}
