package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/thing"
)

// An attribute is one of a shadow.
type attribute struct {
	Value thing.Value `json:"value"`
	Time  time.Time   `json:"time" doc:"When it was said"`
}

// A shadowView is a shadow as people see it.
type shadowView struct {
	Version   int64                `json:"version"`
	UpdatedAt time.Time            `json:"updatedAt,omitzero" doc:"Absent for a shadow that was never written"`
	Reported  map[string]attribute `json:"reported" doc:"What the device said of itself"`
	Desired   map[string]attribute `json:"desired" doc:"What applications want of it"`
	Told      string               `json:"told,omitempty" doc:"Of a change: delivered, queued or offline"`
	Why       string               `json:"why,omitempty" doc:"Of a change: why the device could not be told"`
}

func viewShadow(s *dialect.Shadow) shadowView {
	attributes := func(all []dialect.ShadowAttribute) map[string]attribute {
		m := make(map[string]attribute, len(all))
		for _, a := range all {
			m[a.Name] = attribute{a.Value, a.At}
		}
		return m
	}
	return shadowView{Version: s.Version, UpdatedAt: s.UpdatedAt, Reported: attributes(s.Reported), Desired: attributes(s.Desired)}
}

func (a *api) showShadow(ctx context.Context, in *DevicePath) (shadowView, error) {
	s, err := a.Shadows.Shadow(ctx, in.id())
	return viewShadow(&s), err
}

type wishInput struct {
	DevicePath
	Body struct {
		Desired json.RawMessage `json:"desired" doc:"An object: attribute to value; null takes an attribute away"`
		Version int64           `json:"version,omitempty" minimum:"0" doc:"Greater than the shadow's; 0: whatever it is, one more"`
	}
}

// replaceWish and mergeWish are UpdateDeviceShadow without and with
// DeltaUpdate.
func (a *api) replaceWish(ctx context.Context, in *wishInput) (shadowView, error) {
	return a.wish(ctx, in, false)
}

func (a *api) mergeWish(ctx context.Context, in *wishInput) (shadowView, error) {
	return a.wish(ctx, in, true)
}

func (a *api) wish(ctx context.Context, in *wishInput, merge bool) (shadowView, error) {
	desired, err := arguments("desired", in.Body.Desired)
	if err != nil {
		return shadowView{}, err
	}
	s, told, err := a.Shadows.Wish(ctx, in.id(), shadow.Wish{Desired: desired, Merge: merge, Version: in.Body.Version})
	if err != nil {
		return shadowView{}, err
	}
	v := viewShadow(s)
	v.Told, v.Why = told.Outcome, told.Why
	return v, nil
}

func (a *api) forgetShadow(ctx context.Context, in *DevicePath) error {
	return a.Shadows.Forget(ctx, in.id())
}

// A desired is what a property shall be, beside what it is.
type desired struct {
	Property string       `json:"property"`
	Value    thing.Value  `json:"value"`
	Version  int64        `json:"version" doc:"1 for the first setting, then one more each time"`
	Time     time.Time    `json:"time" doc:"When it was set"`
	Reported *thing.Value `json:"reported,omitempty" doc:"What the device reported last"`
	Matches  bool         `json:"matches" doc:"The device reports what is desired"`
}

// A desiredList is the desired values of a device.
type desiredList struct {
	Items []desired `json:"items"`
	Told  string    `json:"told,omitempty" doc:"Of a change: delivered or offline"`
	Why   string    `json:"why,omitempty" doc:"Of a change: why the device could not be told"`
}

func (a *api) viewDesired(ctx context.Context, in DevicePath, all []dialect.DesiredValue) (desiredList, error) {
	points, err := a.History.Latest(ctx, in.Product, in.Device)
	if err != nil {
		return desiredList{}, err
	}
	items := make([]desired, len(all))
	for i, d := range all {
		items[i] = desired{Property: d.Property, Value: d.Value, Version: d.Version, Time: d.At}
		for _, p := range points {
			if p.Property == d.Property {
				items[i].Reported, items[i].Matches = &p.Value, same(p.Value, d.Value)
			}
		}
	}
	return desiredList{Items: items}, nil
}

// same reports whether two values are the same, 1 and 1.0 included.
func same(a, b thing.Value) bool {
	x, ok1 := a.Number()
	y, ok2 := b.Number()
	if ok1 && ok2 {
		return x == y
	}
	return a == b
}

func (a *api) listDesired(ctx context.Context, in *DevicePath) (desiredList, error) {
	all, err := a.Shadows.Desired(ctx, in.id())
	if err != nil {
		return desiredList{}, err
	}
	return a.viewDesired(ctx, *in, all)
}

type desireInput struct {
	DevicePath
	Body struct {
		Values   json.RawMessage  `json:"values" doc:"An object: property to value; null takes a desired value away"`
		Versions map[string]int64 `json:"versions,omitempty" doc:"The versions that the values are believed to have, 0 for none; another one refuses the change"`
	}
}

func (a *api) desire(ctx context.Context, in *desireInput) (desiredList, error) {
	values, err := arguments("values", in.Body.Values)
	if err != nil {
		return desiredList{}, err
	}
	all, told, err := a.Shadows.Desire(ctx, in.id(), values, in.Body.Versions)
	if err != nil {
		return desiredList{}, err
	}
	v, err := a.viewDesired(ctx, in.DevicePath, all)
	v.Told, v.Why = told.Outcome, told.Why
	return v, err
}

type undesireInput struct {
	DevicePath
	Property []string `query:"property,explode" doc:"Only these; left out, all"`
}

func (a *api) undesire(ctx context.Context, in *undesireInput) error {
	return a.Shadows.Undesire(ctx, in.id(), in.Property)
}
