package device

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"
)

// Properties are functions that read one property each, such as a sensor's
// driver. Read has the form that Every and OnChange take.
type Properties map[string]func(context.Context) (any, error)

// Read reads all of them. One that fails is left out of the values, and is in
// the error by its name.
func (p Properties) Read(ctx context.Context) (Values, error) {
	v, failed := Values{}, []error(nil)
	for _, id := range slices.Sorted(maps.Keys(p)) {
		x, err := p[id](ctx)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", id, err))
			continue
		}
		v[id] = x
	}
	return v, errors.Join(failed...)
}

// A sampler reads values and posts them.
type sampler struct {
	every     time.Duration
	changes   bool // post only what has changed
	tolerance float64
	read      func(context.Context) (Values, error)
}

// Every posts what read returns, at once after the first connection and then
// in this interval, away or not: see Post. Where there is no connection yet
// after one interval, it begins without. The interval has to be above 0. nil values post nothing; an error
// is logged, and what was read all the same is posted.
func (d *Device) Every(interval time.Duration, read func(context.Context) (Values, error)) {
	d.samplers = append(d.samplers, &sampler{every: interval, read: read})
}

// OnChange reads in an interval and posts those values that are others than
// when they were last posted, by whomever. A number has changed when it differs by
// tolerance or more; with 0 every difference counts.
func (d *Device) OnChange(interval time.Duration, tolerance float64, read func(context.Context) (Values, error)) {
	d.samplers = append(d.samplers, &sampler{every: interval, changes: true, tolerance: tolerance, read: read})
	d.last = Values{}
}

// sample works for one sampler until ctx ends.
func (d *Device) sample(ctx context.Context, s *sampler) {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	select {
	case <-d.ready:
		tick.Reset(s.every)
	case <-tick.C:
	case <-ctx.Done():
		return
	}
	for {
		v, err := s.read(ctx)
		if err != nil && ctx.Err() == nil {
			d.o.Log.Warn("device could not read", "err", err)
		}
		if ctx.Err() == nil {
			d.Post(d.changed(s, v))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// changed is what of v has to be posted.
func (d *Device) changed(s *sampler, v Values) Values {
	if !s.changes {
		return v
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	out := Values{}
	for id, x := range v {
		if before, ok := d.last[id]; !ok || differs(before, x, s.tolerance) {
			out[id] = x
		}
	}
	return out
}

// differs reports whether two values are so unlike that it matters.
func differs(a, b any, tolerance float64) bool {
	x, okX := number(a)
	y, okY := number(b)
	if okX && okY {
		if math.IsNaN(x) || math.IsNaN(y) {
			return math.IsNaN(x) != math.IsNaN(y)
		}
		return x != y && math.Abs(x-y) >= tolerance
	}
	if okX != okY {
		return true
	}
	p, errP := json.Marshal(a)
	q, errQ := json.Marshal(b)
	return errP != nil || errQ != nil || string(p) != string(q)
}

func number(v any) (float64, bool) {
	switch r := reflect.ValueOf(v); {
	case !r.IsValid():
		return 0, false
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		return r.Float(), true
	}
	return 0, false
}
