package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// A benchDevice is a simulated device at work.
type benchDevice struct {
	Product string       `json:"product"`
	Device  string       `json:"device"`
	By      string       `json:"by" doc:"Who started it"`
	Started time.Time    `json:"started"`
	Online  bool         `json:"online"`
	Values  []benchValue `json:"values,omitempty" doc:"With one device only"`
	News    []benchNews  `json:"news,omitempty" doc:"What happened, the newest last; with one device only"`
}

// A benchValue is a property as the simulated device has it.
type benchValue struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Kind   string       `json:"kind" doc:"As in the thing model: int32, float, bool …"`
	Sensor bool         `json:"sensor" doc:"It is measured: the cloud cannot set it"`
	Min    *float64     `json:"min,omitempty"`
	Max    *float64     `json:"max,omitempty"`
	Step   *float64     `json:"step,omitempty"`
	Unit   string       `json:"unit,omitempty"`
	Labels []benchLabel `json:"labels,omitempty"`
	Value  any          `json:"value,omitempty"`
	Fixed  bool         `json:"fixed" doc:"A sensor that is moved by hand"`
}

type benchLabel struct {
	Value int64  `json:"value"`
	Text  string `json:"text"`
}

// A benchNews is something that happened to a simulated device.
type benchNews struct {
	Time   time.Time      `json:"time"`
	Kind   string         `json:"kind" doc:"connected, away, reported, set, invoked, rule, event or failed"`
	Name   string         `json:"name,omitempty"`
	Values map[string]any `json:"values,omitempty"`
	Error  string         `json:"error,omitempty"`
}

func viewBenchDevice(d *bench.Device) benchDevice {
	_, online := d.News()
	return benchDevice{Product: d.ID.Product, Device: d.ID.Device, By: d.By, Started: d.Started.UTC(), Online: online}
}

func (a *api) listBenchDevices(context.Context, *none) (list[benchDevice], error) {
	items := []benchDevice{}
	for _, d := range a.Bench.Devices() {
		items = append(items, viewBenchDevice(d))
	}
	return page(items, ""), nil
}

type startBenchDeviceInput struct {
	Body struct {
		Product string `json:"product" doc:"ProductKey or product id"`
		Device  string `json:"device" doc:"DeviceName"`
	}
}

func (a *api) startBenchDevice(ctx context.Context, in *startBenchDeviceInput) (benchDevice, error) {
	d, err := a.Bench.StartDevice(ctx, registry.ID{Product: in.Body.Product, Device: in.Body.Device}, who(ctx).Name)
	if err != nil {
		return benchDevice{}, err
	}
	return viewBenchDevice(d), nil
}

func (a *api) showBenchDevice(_ context.Context, in *DevicePath) (benchDevice, error) {
	d, err := a.Bench.Device(in.id())
	if err != nil {
		return benchDevice{}, err
	}
	v := viewBenchDevice(d)
	values, fixed := d.Values()
	for _, p := range d.Model().Properties {
		t := &p.Type
		b := benchValue{
			ID: p.ID, Name: p.Name, Kind: t.Kind.String(), Sensor: p.Access == thing.ReadOnly,
			Min: t.Min, Max: t.Max, Step: t.Step, Unit: t.Unit, Fixed: fixed[p.ID],
		}
		for _, l := range t.Labels {
			b.Labels = append(b.Labels, benchLabel{l.Value, l.Text})
		}
		if x, ok := values[p.ID]; ok {
			b.Value = x
		}
		v.Values = append(v.Values, b)
	}
	news, _ := d.News()
	for _, n := range news {
		v.News = append(v.News, benchNews{n.Time.UTC(), n.Kind, n.Name, n.Values, n.Error})
	}
	return v, nil
}

func (a *api) stopBenchDevice(_ context.Context, in *DevicePath) error {
	d, err := a.Bench.Device(in.id())
	if err != nil {
		return err
	}
	d.Stop()
	return nil
}

type moveInput struct {
	DevicePath
	Property string `path:"property"`
	Body     struct {
		Value any `json:"value" doc:"As the thing model has it: a number, true, a text"`
	}
}

func (a *api) moveBenchDevice(ctx context.Context, in *moveInput) error {
	d, err := a.Bench.Device(in.id())
	if err != nil {
		return err
	}
	raw, err := json.Marshal(in.Body.Value)
	if err != nil {
		return err
	}
	v, err := thing.ParseValue(raw)
	if err != nil {
		return fault.In("value", fault.Invalid("%v", err))
	}
	return d.Move(ctx, in.Property, v)
}

type releaseInput struct {
	DevicePath
	Property string `path:"property"`
}

func (a *api) releaseBenchDevice(_ context.Context, in *releaseInput) error {
	d, err := a.Bench.Device(in.id())
	if err != nil {
		return err
	}
	d.Release(in.Property)
	return nil
}
