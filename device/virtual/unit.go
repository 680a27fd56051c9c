package virtual

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/thing"
)

// Options say how a Unit runs beyond its Description.
type Options struct {
	// Dial opens connections in place of the description's server, for
	// instance over a module's socket.
	Dial client.Dialer
	// Tell is told of all that happens, one Event after another; it must not
	// block for long. nil: nobody is told.
	Tell func(Event)
	// GiveUp ends Run with the error of a connection attempt; nil: never.
	GiveUp func(error) bool
	Log    *slog.Logger // nil: discard
}

// An Event is something that happened to a Unit.
type Event struct {
	Time    time.Time      `json:"time"`
	Kind    string         `json:"kind"` // see the constants
	Values  map[string]any `json:"values,omitempty"`
	Name    string         `json:"name,omitempty"` // of a service, an event, a rule's condition
	Seconds float64        `json:"seconds,omitempty"`
	Error   string         `json:"error,omitempty"`
	Err     error          `json:"-"`
}

// The kinds of events.
const (
	Connected = "connected"
	Away      = "away" // Err says why
	Reported  = "reported"
	WasSet    = "set"
	Invoked   = "invoked"
	Ruled     = "rule"
	Told      = "event"  // an event of the device was posted
	NoReading = "failed" // a sensor gave no value
	Lost      = "lost"   // a message to the device, of the topic Name, was lost; Err says why
)

// A Unit is a virtual device at work.
type Unit struct {
	d     *Description
	o     Options
	dev   *device.Device
	line  *line // nil: not through a module
	began time.Time

	telling sync.Mutex // held while Options.Tell runs

	mu     sync.Mutex
	curves map[string]*curve.Curve
	values map[string]thing.Value // the latest of each sensor and actuator
	fixed  map[string]thing.Value // what sensors measure by hand, in place of their curves
	held   []int8                 // by rule: 0 not known, 1 its condition holds, -1 it does not
	seq    uint64                 // draws of chance so far
}

// New makes a Unit that does nothing until Run.
func New(d *Description, o Options) (*Unit, error) {
	u := &Unit{d: d, o: o, curves: map[string]*curve.Curve{}, values: map[string]thing.Value{}, fixed: map[string]thing.Value{}, held: make([]int8, len(d.Rules))}
	for id, s := range d.Sensors {
		c := s.New(curve.Seed(d.Seed, id))
		u.curves[id] = &c
	}
	for id, a := range d.Actuators {
		u.values[id] = native(a.Initial)
	}
	config, err := d.tls()
	if err != nil {
		return nil, err
	}
	dial, patience := o.Dial, time.Duration(0)
	if dial == nil && d.Module.Kind != "" {
		if u.line, err = newLine(d, config, u.lose); err != nil {
			return nil, err
		}
		dial, config, patience = u.line.dial, u.line.tls, moduleTime
	}
	u.dev, err = device.New(device.Options{
		Identity: d.Device.Identity(), URL: d.Server.URL, TLS: config, Dial: dial, KeepAlive: d.Server.KeepAlive, ConnectTimeout: patience,
		Queue: d.Report.Queue, Desired: slices.Sorted(maps.Keys(d.Actuators)), GiveUp: o.GiveUp, Log: o.Log,
		OnConnect: func() { u.tell(Event{Kind: Connected, Name: d.Server.URL}) },
		OnAway:    func(err error) { u.tell(Event{Kind: Away, Err: err}) },
		OnReport: func(r []device.Reading, took time.Duration, err error) {
			u.tell(Event{Kind: Reported, Values: valuesOf(r), Seconds: took.Seconds(), Err: err})
		},
	})
	if err != nil {
		return nil, err
	}
	u.dev.OnSet(u.set)
	u.dev.OnInvoke(u.invoke)
	return u, nil
}

// Run is the device's life until ctx ends; then it returns nil. It can be
// called once.
func (u *Unit) Run(ctx context.Context) error {
	u.began = time.Now()
	if u.line != nil {
		defer u.line.module.Close()
	}
	u.report()
	ctx, cancel := context.WithCancel(ctx)
	var rules sync.WaitGroup
	defer rules.Wait()
	defer cancel()
	if len(u.d.Rules) > 0 {
		rules.Go(func() { u.watch(ctx) })
	}
	return u.dev.Run(ctx)
}

// report has the device report in its interval, what has changed, or both. With
// both, one look does it: of two at the same moment, the one that tells changes
// may come first, and the other tells the same again.
func (u *Unit) report() {
	every := u.d.Report.Every
	if !u.d.Report.OnChange {
		if every > 0 {
			u.dev.Every(every, func(context.Context) (device.Values, error) { return u.measure(), nil })
		}
		return
	}
	told := time.Duration(-1) // the interval, counted from the beginning, in which everything was told last
	u.dev.OnChange(u.pulse(), u.d.Report.Tolerance, func(context.Context) (device.Values, error) {
		v := u.measure()
		if every <= 0 {
			return v, nil
		}
		now := time.Since(u.began) / every
		if now == told {
			return v, nil
		}
		told = now
		u.dev.Post(v)
		return nil, nil
	})
}

// Dropped counts the reports that the full queue has lost.
func (u *Unit) Dropped() int64 { return u.dev.Dropped() }

// Put moves the device by hand: a sensor measures v from now on, until Release;
// an actuator stands at v and reports it.
func (u *Unit) Put(ctx context.Context, id string, v thing.Value) error {
	if u.d.Sensors[id] != nil {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.fixed[id], u.values[id] = v, v
		return nil
	}
	changed, err := u.accept(device.Params{id: v})
	if err != nil {
		return err
	}
	return u.carryOut(ctx, changed)
}

// Release lets a sensor follow its curve again.
func (u *Unit) Release(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.fixed, id)
}

// Values are the latest of all sensors and actuators, and which sensors are
// moved by hand.
func (u *Unit) Values() (values map[string]thing.Value, fixed map[string]bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	fixed = make(map[string]bool, len(u.fixed))
	for id := range u.fixed {
		fixed[id] = true
	}
	return maps.Clone(u.values), fixed
}

// pulse is how often rules and changes are looked at.
func (u *Unit) pulse() time.Duration {
	if e := u.d.Report.Every; e > 0 {
		return min(e, time.Second)
	}
	return time.Second
}

// measure reads all sensors; what fails is left out. The actuators' values
// belong to it.
func (u *Unit) measure() device.Values {
	m := curve.At(u.began, time.Now())
	v, failed := device.Values{}, []string(nil)
	u.mu.Lock()
	for _, id := range slices.Sorted(maps.Keys(u.curves)) {
		x, ok := u.curves[id].Value(m)
		if by, hand := u.fixed[id]; hand {
			x, ok = by, true
		}
		if !ok {
			failed = append(failed, id)
			continue
		}
		u.values[id], v[id] = x, plain(x)
	}
	for id := range u.d.Actuators {
		v[id] = plain(u.values[id])
	}
	u.mu.Unlock()
	for _, id := range failed {
		u.tell(Event{Kind: NoReading, Name: id})
	}
	return v
}

// set carries out a property set: all of it or nothing.
func (u *Unit) set(ctx context.Context, p device.Params) error {
	changed, err := u.accept(p)
	if err == nil {
		err = u.carryOut(ctx, changed)
	}
	u.tell(Event{Kind: WasSet, Values: of(p), Err: err})
	return err
}

// accept checks values for actuators.
func (u *Unit) accept(p device.Params) (map[string]thing.Value, error) {
	changed := make(map[string]thing.Value, len(p))
	for _, id := range slices.Sorted(maps.Keys(p)) {
		a := u.d.Actuators[id]
		if a == nil {
			if u.d.Sensors[id] != nil {
				return nil, wording.Errorf("%s is measured and cannot be set", id)
			}
			return nil, wording.Errorf("this device has no %s", id)
		}
		v, err := a.take(p[id])
		if err != nil {
			return nil, wording.Errorf("%s: %w", id, err)
		}
		changed[id] = v
	}
	return changed, nil
}

// carryOut moves actuators, which takes its time and may fail, and reports
// where they are now.
func (u *Unit) carryOut(ctx context.Context, changed map[string]thing.Value) error {
	var delay time.Duration
	for id := range changed {
		a := u.d.Actuators[id]
		delay = max(delay, a.Delay)
		if u.chance(float64(a.Fails)) {
			return wording.Errorf("%s does not move", id)
		}
	}
	if !wait(ctx, delay) {
		return ctx.Err()
	}
	v := device.Values{}
	u.mu.Lock()
	for id, x := range changed {
		u.values[id], v[id] = x, plain(x)
	}
	u.mu.Unlock()
	u.dev.Post(v)
	return nil
}

var errBroken = errors.New("it did not work this time")

func (u *Unit) invoke(ctx context.Context, service string, in device.Params) (device.Values, error) {
	out, err := u.serve(ctx, service, in)
	u.tell(Event{Kind: Invoked, Name: service, Values: of(in), Err: err})
	return out, err
}

func (u *Unit) serve(ctx context.Context, service string, in device.Params) (device.Values, error) {
	s := u.d.Services[service]
	if s == nil {
		return nil, wording.Errorf("this device has no service %s", service)
	}
	if !wait(ctx, s.Delay) {
		return nil, ctx.Err()
	}
	if u.chance(float64(s.Fails)) {
		return nil, errBroken
	}
	if len(s.Set) > 0 {
		if err := u.carryOut(ctx, u.settings(s.Set)); err != nil {
			return nil, err
		}
	}
	return fillIn(s.Output, in), nil
}

// settings are values of a description, which were checked.
func (u *Unit) settings(set map[string]any) map[string]thing.Value {
	out := make(map[string]thing.Value, len(set))
	for id, v := range set {
		out[id], _ = u.d.Actuators[id].take(native(v))
	}
	return out
}

// fillIn puts values in place of "$Name".
func fillIn(output map[string]any, values map[string]thing.Value) device.Values {
	out := device.Values{}
	for id, v := range output {
		if name, ok := v.(string); ok && strings.HasPrefix(name, "$") {
			if x, ok := values[name[1:]]; ok {
				out[id] = plain(x)
			}
			continue
		}
		out[id] = v
	}
	return out
}

// watch looks at the rules until ctx ends.
func (u *Unit) watch(ctx context.Context) {
	tick := time.NewTicker(u.pulse())
	defer tick.Stop()
	for {
		u.measure()
		u.obey(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// obey does what the rules say of what has just come true or ended.
func (u *Unit) obey(ctx context.Context) {
	for i, r := range u.d.Rules {
		u.mu.Lock()
		holds, was := r.cond.Holds(u.values), u.held[i]
		now := int8(-1)
		if holds {
			now = 1
		}
		u.held[i] = now
		values := maps.Clone(u.values)
		u.mu.Unlock()
		if now == was {
			continue
		}
		set := r.Otherwise
		if holds {
			set = r.Set
		}
		if len(set) > 0 {
			err := u.carryOut(ctx, u.settings(set))
			u.tell(Event{Kind: Ruled, Name: r.When, Values: set, Err: err})
		}
		if holds && r.Event != "" {
			u.tellEvent(ctx, r, values)
		}
	}
}

// tellEvent posts the event of a rule. Nobody waits longer for the cloud than
// a report would.
func (u *Unit) tellEvent(ctx context.Context, r *Rule, values map[string]thing.Value) {
	ctx, cancel := context.WithTimeout(ctx, 2*device.DefaultReplyTimeout)
	defer cancel()
	out := fillIn(r.Output, values)
	err := u.dev.Event(ctx, r.Event, out, time.Now())
	u.tell(Event{Kind: Told, Name: r.Event, Values: out, Err: err})
}

// chance is true this often; what comes out follows from the seed.
func (u *Unit) chance(share float64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seq++
	return curve.Chance(curve.Seed(u.d.Seed, "chance")+u.seq, share)
}

func (u *Unit) lose(topic string, err error) { u.tell(Event{Kind: Lost, Name: topic, Err: err}) }

func (u *Unit) tell(e Event) {
	if u.o.Tell == nil {
		return
	}
	e.Time = time.Now()
	if e.Err != nil {
		e.Error = e.Err.Error()
	}
	u.telling.Lock()
	defer u.telling.Unlock()
	u.o.Tell(e)
}

// wait waits; false if ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func of(p device.Params) map[string]any {
	out := make(map[string]any, len(p))
	for id, v := range p {
		out[id] = plain(v)
	}
	return out
}

func valuesOf(r []device.Reading) map[string]any {
	out := make(map[string]any, len(r))
	for _, x := range r {
		out[x.ID] = x.Value
	}
	return out
}
