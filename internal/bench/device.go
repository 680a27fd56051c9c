package bench

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/device/virtual"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

const (
	deviceReports = 5 * time.Second
	keptNews      = 50 // of a device, the newest
)

// A Device is a simulated device at work: over a real connection, like
// everybody else's.
type Device struct {
	ID      registry.ID
	By      string
	Started time.Time

	model *thing.Model
	unit  *virtual.Unit
	end   context.CancelFunc
	done  chan struct{}

	mu     sync.Mutex
	last   time.Time
	online bool
	news   []virtual.Event // the newest last
}

// StartDevice simulates a device of the registry. Its sensors follow curves
// that its thing model allows until they are moved by hand.
func (b *Bench) StartDevice(ctx context.Context, id registry.ID, by string) (*Device, error) {
	p, err := b.o.Registry.Product(ctx, id.Product)
	if err != nil {
		return nil, err
	}
	known, err := b.o.Registry.Device(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.DataModel != registry.Thing || len(p.Model.Properties) == 0 {
		return nil, fault.Invalid("product %s has no thing model with properties: there is nothing to simulate", p.Key)
	}
	description, err := b.describe(p, known)
	if err != nil {
		return nil, err
	}
	d := &Device{ID: id, By: by, Started: time.Now(), last: time.Now(), model: p.Model, done: make(chan struct{})}
	if d.unit, err = virtual.New(description, virtual.Options{Tell: d.tell, Log: b.log}); err != nil {
		return nil, fault.Invalid("%v", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.ctx.Err() != nil:
		return nil, fault.Unavailable("the server is stopping")
	case b.devices[id] != nil:
		return nil, fault.Conflict("device %s is simulated already", id)
	case len(b.devices) >= maxDevices:
		return nil, fault.Exhausted("%d devices are simulated, and no more are allowed: end one of them", maxDevices)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	d.end = cancel
	b.devices[id] = d
	b.working.Go(func() { b.simulate(ctx, d) })
	return d, nil
}

func (b *Bench) simulate(ctx context.Context, d *Device) {
	defer close(d.done)
	defer d.end()
	if err := d.unit.Run(ctx); err != nil {
		b.log.Warn("simulated device", "product", d.ID.Product, "device", d.ID.Device, "error", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.devices, d.ID)
}

// describe makes a device out of its thing model: what can be set is an
// actuator, the rest is measured.
func (b *Bench) describe(p *registry.Product, d *registry.Device) (*virtual.Description, error) {
	if len(b.o.Reach.Devices) == 0 {
		return nil, errNoPort
	}
	return virtual.Read("bench", []byte("device: {}\n"), nil, func(to *virtual.Description) {
		to.Device.Dialect, to.Device.DeviceName = p.Dialect, d.Name
		if p.Dialect != "aliyun" && p.Dialect != "onenet" {
			to.Device.Dialect = "mqtt"
		}
		*to.Device.ProductName() = p.Key
		*to.Device.SecretOf() = d.Secret
		to.Server.URL = "mqtt://" + at(b.o.Reach.Devices[0]).String()
		to.Report.Every, to.Report.OnChange = deviceReports, true
		to.Sensors, to.Actuators, to.Services = map[string]*virtual.Sensor{}, map[string]*virtual.Actuator{}, map[string]*virtual.Service{}
		for i := range p.Model.Properties {
			part := &p.Model.Properties[i]
			if part.Access == thing.ReadOnly {
				if s := sensorOf(&part.Type); s != nil {
					to.Sensors[part.ID] = s
				}
			} else if a := actuatorOf(&part.Type); a != nil {
				to.Actuators[part.ID] = a
			}
		}
		for _, s := range p.Model.Services {
			to.Services[s.ID] = &virtual.Service{}
		}
	})
}

// bounds are those of a number, or such as a person would expect.
func bounds(t *thing.DataType) (low, high float64, whole bool) {
	low, high = 0, 100
	if t.Min != nil {
		low = *t.Min
		high = max(high, low+1)
	}
	if t.Max != nil {
		high = *t.Max
		low = min(low, high)
	}
	return low, high, t.Kind == thing.Int32 || t.Kind == thing.Int64 || t.Kind == thing.Enum
}

// sensorOf measures a plain type, nil for any other.
func sensorOf(t *thing.DataType) *virtual.Sensor {
	switch t.Kind {
	case thing.Bool:
		return &virtual.Sensor{Spec: curve.Spec{Curve: "steps", Type: "bool", Values: []float64{0, 1}, Hold: time.Minute}}
	case thing.Text:
		return &virtual.Sensor{Spec: curve.Spec{Curve: "steps", Texts: []string{"ok"}}}
	case thing.Enum:
		s := curve.Spec{Curve: "steps", Hold: time.Minute, Decimals: new(int)}
		for _, l := range t.Labels {
			s.Values = append(s.Values, float64(l.Value))
		}
		if len(s.Values) > 0 {
			return &virtual.Sensor{Spec: s}
		}
	case thing.Int32, thing.Int64, thing.Float, thing.Double:
		low, high, whole := bounds(t)
		middle, swing := (low+high)/2, (high-low)/8
		low, high = middle-swing, middle+swing
		decimals := 1
		if whole {
			decimals = 0
		}
		return &virtual.Sensor{Spec: curve.Spec{Curve: "walk", Low: &low, High: &high, Decimals: &decimals, Every: deviceReports}}
	}
	return nil
}

// actuatorOf obeys for a plain type, nil for any other.
func actuatorOf(t *thing.DataType) *virtual.Actuator {
	switch t.Kind {
	case thing.Bool:
		return &virtual.Actuator{Type: "bool"}
	case thing.Text:
		return &virtual.Actuator{Type: "text"}
	case thing.Enum:
		if len(t.Labels) == 0 {
			return nil
		}
		low, high := float64(t.Labels[0].Value), float64(t.Labels[0].Value)
		for _, l := range t.Labels {
			low, high = min(low, float64(l.Value)), max(high, float64(l.Value))
		}
		return &virtual.Actuator{Type: "number", Whole: true, Low: &low, High: &high}
	case thing.Int32, thing.Int64, thing.Float, thing.Double:
		low, high, whole := bounds(t)
		return &virtual.Actuator{Type: "number", Whole: whole, Low: &low, High: &high}
	}
	return nil
}

// Devices are those that are simulated, the oldest first.
func (b *Bench) Devices() []*Device {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.devices), func(x, y *Device) int { return x.Started.Compare(y.Started) })
}

// Device finds one that is simulated.
func (b *Bench) Device(id registry.ID) (*Device, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.devices[id]; d != nil {
		return d, nil
	}
	return nil, fault.NotFound("device %s is not simulated", id)
}

// Stop simulates the device no longer, and waits until it has gone.
func (d *Device) Stop() {
	d.end()
	<-d.done
}

// Model is what the device can.
func (d *Device) Model() *thing.Model { return d.model }

// Values are the latest, and which sensors are moved by hand. Who asks keeps
// the device at work.
func (d *Device) Values() (values map[string]thing.Value, fixed map[string]bool) {
	d.mu.Lock()
	d.last = time.Now()
	d.mu.Unlock()
	return d.unit.Values()
}

// News is what happened last, the newest last, and whether the device is
// connected.
func (d *Device) News() (news []virtual.Event, online bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.news), d.online
}

// Move moves the device by hand.
func (d *Device) Move(ctx context.Context, property string, v thing.Value) error {
	p, ok := d.model.Property(property)
	if !ok {
		return fault.NotFound("device %s has no property %s", d.ID, property)
	}
	v, problem, ok := p.Type.Check(property, v, thing.Rules{})
	if !ok {
		return fault.In("value", fault.Invalid("%v", problem))
	}
	if err := d.unit.Put(ctx, property, v); err != nil {
		return fault.In("value", fault.Invalid("%v", err))
	}
	return nil
}

// Release lets a sensor follow its curve again.
func (d *Device) Release(property string) { d.unit.Release(property) }

func (d *Device) used() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

func (d *Device) tell(e virtual.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch e.Kind {
	case virtual.Connected:
		d.online = true
	case virtual.Away:
		d.online = false
	}
	if len(d.news) == keptNews {
		d.news = append(d.news[:0], d.news[1:]...)
	}
	d.news = append(d.news, e)
}
