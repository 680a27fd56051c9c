package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/thing"
)

// A service is what devices of a group can be called to do.
type service struct {
	id            string
	input, output []source
}

func servicesOf(m *thing.Model) (out []service) {
	if m == nil {
		return nil
	}
	for i := range m.Services {
		s := &m.Services[i]
		out = append(out, service{s.ID, sourcesOfParams(true, s.Input, nil), sourcesOfParams(true, s.Output, nil)})
	}
	return out
}

// outcome is what a device says to a call: values that fit its model.
func (m *member) outcome(h *device.Heard) (device.Values, error) {
	if h.Kind != device.Invoke || m.g.model == nil {
		return nil, nil
	}
	i := slices.IndexFunc(m.g.services, func(s service) bool { return s.id == h.Service })
	if i < 0 {
		return nil, fmt.Errorf("this device has no service %s", h.Service)
	}
	out := device.Values{}
	for _, s := range m.g.services[i].output {
		if v, ok := s.once(m.seed+uint64(m.r.count.commands.Load()), m.r.start); ok {
			out[s.id] = s.spoken(m.g.Dialect, v)
		}
	}
	return out, nil
}

// once is a value that belongs to no course.
func (s *source) once(seed uint64, date time.Time) (thing.Value, bool) {
	curves := begin([]source{*s}, seed, nil)
	return s.shape.value(curve.Moment{}, date.UnixMilli(), &curves)
}
