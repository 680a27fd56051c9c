package bench

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/device/fleet"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/onenet"
)

// The bounds of fleets, beside Options.FleetDevices.
const (
	maxFleetTime = time.Hour
	maxFleetRate = 2000 // reports a second, of one fleet
	keptFleets   = 20   // that have ended, the newest
	keptSamples  = 600  // of one fleet; beyond, every other one goes
)

// A FleetOrder says what a fleet shall do.
type FleetOrder struct {
	Scenario string        // YAML, as matou fleet run takes it
	Devices  int           // in all instead; 0: as the scenario says
	Duration time.Duration // how long they report instead; 0: as the scenario says
	Forget   bool          // devices that were made for it are deleted when it has ended
	By       string
}

// A Fleet is a scenario at work, or one that has ended.
type Fleet struct {
	ID       string
	By       string
	Scenario *fleet.Scenario
	Started  time.Time

	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	changed chan struct{} // closed at each change
	every   time.Duration // the least time between samples
	samples []FleetSample
	result  *fleet.Result
	failed  error
}

// A FleetSample is how far a fleet was at a time. Numbers count from its start;
// delays are those of the posts that were answered since the sample before.
type FleetSample struct {
	At        float64 `json:"at" doc:"Seconds since the start"`
	Connected int64   `json:"connected"`
	Posts     int64   `json:"posts"`
	Answered  int64   `json:"answered"`
	Refused   int64   `json:"refused" doc:"Logins"`
	Broken    int64   `json:"broken" doc:"Connections"`
	P50       float64 `json:"p50" doc:"Seconds from a post to its answer"`
	P99       float64 `json:"p99"`
}

// ReadFleet reads a scenario as this server would run it: against its own port
// for devices. Groups of products that are here take their dialect and their
// thing model from them where they name none. It opens no files but those of
// the scenarios that come with Matou.
func (b *Bench) ReadFleet(ctx context.Context, o FleetOrder) (*fleet.Scenario, error) {
	if len(b.o.Reach.Devices) == 0 {
		return nil, fault.Unavailable("this server has no port for devices")
	}
	if b.o.FleetDevices <= 0 {
		return nil, fault.Unavailable("fleets are switched off on this server: bench.fleetDevices is 0")
	}
	models := make(map[string][]byte)
	_, shipped, _ := fleet.Examples.Example(fleet.Examples.Names()[0])
	open := func(name string) ([]byte, error) {
		if text, ok := models[name]; ok {
			return text, nil
		}
		if text, err := shipped(name); err == nil {
			return text, nil
		}
		return nil, errors.New("a fleet on the bench opens no files of the server: leave the model out to take that of the product, or write values")
	}
	var wrong error
	s, err := fleet.Read("scenario", []byte(o.Scenario), open, func(s *fleet.Scenario) {
		s.Server.URL, s.Server.CAFile, s.Server.Insecure = "mqtt://"+at(b.o.Reach.Devices[0]).String(), "", false
		for _, g := range s.Groups {
			if g != nil {
				wrong = errors.Join(wrong, b.fromProduct(ctx, g, models))
			}
		}
		if o.Duration > 0 {
			s.Stretch(o.Duration)
		}
		if o.Devices > 0 && len(s.Groups) > 0 {
			s.Scale(o.Devices)
		}
	})
	if err = errors.Join(wrong, err); err != nil {
		return nil, fault.In("scenario", fault.Invalid("%v", err))
	}
	rate := 0.0
	for _, g := range s.Groups {
		rate += float64(g.Count) / g.Report.Every.Seconds()
	}
	switch {
	case s.Devices() > b.o.FleetDevices:
		return nil, fault.In("devices", fault.Invalid("%d devices are more than %d, which is what bench.fleetDevices allows; matou fleet run has no such bound", s.Devices(), b.o.FleetDevices))
	case s.Duration > maxFleetTime:
		return nil, fault.In("seconds", fault.Invalid("%v is longer than %v; matou fleet run has no such bound", s.Duration, maxFleetTime))
	case rate > maxFleetRate:
		return nil, fault.In("scenario", fault.Invalid("%.0f reports a second are more than %d: report less often, or take fewer devices", rate, maxFleetRate))
	}
	return s, nil
}

// fromProduct fills what a group leaves out from its product, if that is here.
func (b *Bench) fromProduct(ctx context.Context, g *fleet.Group, models map[string][]byte) error {
	p, err := b.o.Registry.Product(ctx, g.Product)
	if fault.KindOf(err) == fault.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	speaks := p.Dialect
	switch {
	case g.Dialect == "":
		g.Dialect = speaks
	case g.Dialect != speaks:
		return wording.Errorf("product %s speaks %s, not %s: name another product", p.Key, speaks, g.Dialect)
	}
	if g.Model != "" || len(g.Values) > 0 {
		return nil
	}
	if p.DataModel != registry.Thing || len(p.Model.Properties) == 0 {
		return wording.Errorf("product %s has no thing model with properties: say what its devices report, by values or a model", p.Key)
	}
	var text []byte
	switch speaks {
	case "aliyun":
		text, err = aliyun.ExportTSL(p.Key, p.Model)
	case "onenet":
		text, err = onenet.ExportModel(p.Key, p.Model)
	default:
		text, err = json.Marshal(p.Model)
	}
	g.Model = "model of " + p.Key
	models[g.Model] = text
	return err
}

// StartFleet makes the devices that a scenario lacks, and sets it to work.
func (b *Bench) StartFleet(ctx context.Context, o FleetOrder) (*Fleet, error) {
	s, err := b.ReadFleet(ctx, o)
	if err != nil {
		return nil, err
	}
	f := &Fleet{ID: newID(), By: o.By, Scenario: s, Started: time.Now(), done: make(chan struct{}), changed: make(chan struct{})}
	if f.Scenario.Name == "" {
		f.Scenario.Name = "fleet"
	}
	var work context.Context
	work, f.cancel = context.WithCancel(b.ctx)
	if err := b.enlist(f); err != nil {
		return nil, err
	}
	made, err := b.provision(ctx, s)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil && b.ctx.Err() != nil {
		err = fault.Unavailable("the server is stopping")
	}
	if err != nil {
		delete(b.fleets, f.ID)
		f.end(nil, err)
		return nil, err
	}
	b.working.Go(func() {
		defer f.cancel()
		result, err := s.Run(work, fleet.Options{Progress: f.progress, Explain: b.explain, Command: b.o.Command, Log: b.log})
		if o.Forget && b.ctx.Err() == nil {
			if err := b.forget(made); err != nil {
				b.log.Warn("devices of a fleet are left", "fleet", f.ID, "error", err)
			}
		}
		f.end(result, err)
	})
	return f, nil
}

// enlist takes a fleet in where there is room for it.
func (b *Bench) enlist(f *Fleet) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	total := f.Scenario.Devices()
	var ended []*Fleet
	for _, other := range b.fleets {
		if other.Ended() {
			ended = append(ended, other)
			continue
		}
		total += other.Scenario.Devices()
		for _, g := range other.Scenario.Groups {
			for _, own := range f.Scenario.Groups {
				if g.Product == own.Product && g.Prefix == own.Prefix {
					return fault.Conflict("devices %s… of product %s are at work in fleet %s: end it, or take another prefix", g.Prefix, g.Product, other.ID)
				}
			}
		}
	}
	switch {
	case b.ctx.Err() != nil:
		return fault.Unavailable("the server is stopping")
	case total > b.o.FleetDevices:
		return fault.Exhausted("%d devices in all fleets would be more than %d: end a fleet, or take fewer", total, b.o.FleetDevices)
	}
	slices.SortFunc(ended, func(x, y *Fleet) int { return x.Started.Compare(y.Started) })
	for len(ended) >= keptFleets {
		delete(b.fleets, ended[0].ID)
		ended = ended[1:]
	}
	b.fleets[f.ID] = f
	return nil
}

// provision makes the products and devices of a scenario that are not here, and
// returns those devices.
func (b *Bench) provision(ctx context.Context, s *fleet.Scenario) (made []registry.ID, err error) {
	for _, g := range s.Groups {
		if g.HasCredentials() {
			continue
		}
		if err := b.ensureProduct(ctx, g); err != nil {
			return made, err
		}
		secrets := make(map[string]string, g.Count)
		var missing []registry.Device
		for _, name := range g.Names() {
			d, err := b.o.Registry.Device(ctx, registry.ID{Product: g.Product, Device: name})
			switch {
			case err == nil:
				secrets[name] = d.Secret
			case fault.KindOf(err) == fault.KindNotFound:
				missing = append(missing, registry.Device{Name: name})
			default:
				return made, err
			}
		}
		for some := range slices.Chunk(missing, registry.MaxBatch) {
			list, bad, err := b.o.Registry.CreateDevices(ctx, g.Product, some)
			if len(bad) > 0 {
				err = bad[0].Err
			}
			if err != nil {
				return made, err
			}
			for i := range list {
				secrets[list[i].Name] = list[i].Secret
				made = append(made, list[i].ID())
			}
		}
		if err := g.SetCredentials(secrets); err != nil {
			return made, err
		}
	}
	return made, nil
}

func (b *Bench) ensureProduct(ctx context.Context, g *fleet.Group) error {
	_, err := b.o.Registry.Product(ctx, g.Product)
	if fault.KindOf(err) != fault.KindNotFound {
		return err
	}
	if _, err := b.o.Registry.CreateProduct(ctx, registry.Product{Key: g.Product, Name: g.Product, Dialect: g.Dialect}); err != nil {
		return err
	}
	if m := g.ThingModel(); m != nil {
		_, err = b.o.Registry.PublishModel(ctx, g.Product, m)
		return err
	}
	return nil
}

func (b *Bench) forget(made []registry.ID) error {
	for some := range slices.Chunk(made, registry.MaxBatch) {
		if _, err := b.o.Registry.DeleteDevices(b.ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// explain says why a device was refused.
func (b *Bench) explain(ctx context.Context, product, device string) string {
	s, err := b.o.Registry.Status(ctx, registry.ID{Product: product, Device: device})
	if err != nil || s.LastRefusal == nil {
		return ""
	}
	parts := []string{s.LastRefusal.Sentence}
	if s.LastRefusal.Advice != "" {
		parts = append(parts, s.LastRefusal.Advice)
	}
	return strings.Join(parts, "; ") + " (" + s.LastRefusal.Code + ")"
}

// Fleets are those at work and those that have ended last, the newest first.
func (b *Bench) Fleets() []*Fleet {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*Fleet
	for _, f := range b.fleets {
		all = append(all, f)
	}
	slices.SortFunc(all, func(x, y *Fleet) int { return y.Started.Compare(x.Started) })
	return all
}

// Fleet finds one of them.
func (b *Bench) Fleet(id string) (*Fleet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.fleets[id]; f != nil {
		return f, nil
	}
	return nil, fault.NotFound("there is no fleet %s", id)
}

// RemoveFleet ends a fleet and forgets its result.
func (b *Bench) RemoveFleet(id string) error {
	f, err := b.Fleet(id)
	if err != nil {
		return err
	}
	f.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.fleets, id)
	return nil
}

// FleetBounds are how many devices all fleets together may have, and how long
// one may take.
func (b *Bench) FleetBounds() (devices int, duration time.Duration) {
	return max(0, b.o.FleetDevices), maxFleetTime
}

// Stop ends the fleet before its time, and waits until its devices have gone.
func (f *Fleet) Stop() {
	f.cancel()
	<-f.done
}

// Ended reports whether the fleet is at work no longer.
func (f *Fleet) Ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// Result is what came of a fleet that has ended: a result, or why it could not
// begin.
func (f *Fleet) Result() (*fleet.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.result, f.failed
}

// Samples are those later than a time, and what is closed when there is more.
func (f *Fleet) Samples(after float64) ([]FleetSample, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := 0
	for i < len(f.samples) && f.samples[i].At <= after {
		i++
	}
	return slices.Clone(f.samples[i:]), f.changed
}

func (f *Fleet) progress(p fleet.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := FleetSample{
		At: p.Elapsed.Seconds(), Connected: p.Connected, Posts: p.Posts, Answered: p.Answered, Refused: p.Refused, Broken: p.Broken,
		P50: p.LastP50.Seconds(), P99: p.LastP99.Seconds(),
	}
	if n := len(f.samples); n > 0 && s.At-f.samples[n-1].At < f.every.Seconds() {
		last := &f.samples[n-1] // it becomes the newer one, and tells of both
		s.At, s.P50, s.P99 = last.At, max(s.P50, last.P50), max(s.P99, last.P99)
		*last = s
		return
	}
	if len(f.samples) == keptSamples {
		for i := range keptSamples / 2 {
			f.samples[i] = f.samples[2*i+1]
			f.samples[i].P99 = max(f.samples[i].P99, f.samples[2*i].P99)
		}
		f.samples = f.samples[:keptSamples/2]
		f.every = 2 * max(f.every, time.Second)
	}
	f.samples = append(f.samples, s)
	f.tell()
}

// tell wakes who waits for a change. f.mu is held.
func (f *Fleet) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *Fleet) end(result *fleet.Result, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if result != nil {
		result.BytesADevice = 0 // of the whole server, that would be
	}
	f.result, f.failed = result, err
	close(f.done)
	f.tell()
}
