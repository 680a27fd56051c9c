package trace

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// The bounds of being under watch.
const (
	MaxObserved     = 16        // devices at once
	MaxObserveTime  = time.Hour // of one, without being asked again
	ObservedPayload = 64 << 10  // bytes kept of one payload or packet
)

// ErrObserved says that MaxObserved other devices are under watch.
var ErrObserved = errors.New("trace: too many devices under watch")

// Observe puts a device under watch until the given time, or MaxObserveTime
// from now: its packets are kept as they came, and more of each message. To do
// so again changes the time.
func (r *Recorder) Observe(product, device string, until time.Time) (time.Time, error) {
	now := r.now()
	if most := now.Add(MaxObserveTime); until.After(most) {
		until = most
	}
	k := key{product, device}
	full := false
	r.observe(func(all map[key]time.Time) {
		maps.DeleteFunc(all, func(_ key, end time.Time) bool { return !end.After(now) })
		if _, known := all[k]; !known && len(all) >= MaxObserved {
			full = true
			return
		}
		all[k] = until
	})
	if full {
		return time.Time{}, ErrObserved
	}
	return until, nil
}

// Unobserve ends it.
func (r *Recorder) Unobserve(product, device string) {
	r.observe(func(all map[key]time.Time) { delete(all, key{product, device}) })
}

// observe changes who is under watch. Readers take no lock: they see the map
// before or the map after.
func (r *Recorder) observe(change func(map[key]time.Time)) {
	r.observing.Lock()
	defer r.observing.Unlock()
	all := map[key]time.Time{}
	if old := r.observed.Load(); old != nil {
		maps.Copy(all, *old)
	}
	change(all)
	if len(all) == 0 {
		r.observed.Store(nil)
		return
	}
	r.observed.Store(&all)
}

// Observing reports whether any device is under watch, or was until its time
// was over. It costs next to nothing.
func (r *Recorder) Observing() bool { return r.observed.Load() != nil }

// Observed returns until when a device is under watch, zero where it is not.
// It costs nothing while nobody is.
func (r *Recorder) Observed(product, device string) time.Time {
	all := r.observed.Load()
	if all == nil {
		return time.Time{}
	}
	until := (*all)[key{product, device}]
	if until.IsZero() || !until.After(r.now()) {
		return time.Time{}
	}
	return until
}

// ObservedDevices lists those under watch as product/device, in order.
func (r *Recorder) ObservedDevices() []string {
	names := []string{}
	if all := r.observed.Load(); all != nil {
		for k, until := range *all {
			if until.After(r.now()) {
				names = append(names, k.product+"/"+k.device)
			}
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
