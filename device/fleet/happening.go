package fleet

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/thing"
)

// A happening is an event of a group: how often, and what it says.
type happening struct {
	id     string
	every  time.Duration // mean time between two
	output []source
	curves int // place of its first curve among a member's
}

// An occurrence is how far one device is with one of its group's happenings.
type occurrence struct {
	n    uint32        // how often it happened
	next time.Duration // when it happens again
}

// events finds what happens to devices of the group.
func (c checker) events(at string, g *Group) {
	if len(g.Events) > maxEvents {
		c.tell(at+".events", "%d events are more than %d", len(g.Events), maxEvents)
		return
	}
	for _, id := range slices.Sorted(maps.Keys(g.Events)) {
		e, where := g.Events[id], at+".events."+id
		if e == nil {
			e = &Event{}
			g.Events[id] = e
		}
		if e.Every == 0 {
			e.Every = defaultEvent
		}
		if e.Every < minEvery {
			c.tell(where+".every", "%v is below %v", e.Every, minEvery)
		}
		var output []thing.Param
		if g.model != nil {
			known, ok := g.model.Event(id)
			if !ok {
				c.tell(where, "the model has no event %s%s", id, meant(id, names(g.model.Events, func(e thing.Event) string { return e.ID })))
				continue
			}
			output = known.Output
			for name := range e.Values {
				if all := names(output, func(p thing.Param) string { return p.ID }); !slices.Contains(all, name) {
					c.tell(where+".values."+name, "the event %s has no output %s%s", id, name, meant(name, all))
				}
			}
		}
		if c.curves(where+".values.", e.Values) {
			g.happens = append(g.happens, happening{id: id, every: e.Every, output: sourcesOfParams(g.model != nil, output, e.Values)})
		}
	}
}

// names are the identifiers of a model's parts.
func names[T any](all []T, id func(T) string) (out []string) {
	for _, x := range all {
		out = append(out, id(x))
	}
	return out
}

// meant is what somebody may have wanted to write.
func meant(id string, known []string) error {
	return nearest(yamldoc.Nearest(id, known))
}

func nearest(near string) error {
	if near == "" {
		return wording.InBoth("", "")
	}
	return wording.Errorf("; did you mean %s?", near)
}

// await sets all events of a device to their first time.
func (m *member) await() {
	if len(m.g.happens) == 0 {
		return
	}
	m.occurs = make([]occurrence, len(m.g.happens))
	for i := range m.occurs {
		m.occurs[i].next = m.on + m.pause(i)
	}
}

// pause is how long it takes until an event happens again: a time without
// memory, which follows from the seed.
func (m *member) pause(i int) time.Duration {
	h := &m.g.happens[i]
	u := curve.Uniform(curve.Seed(m.seed, "event", h.id) + uint64(m.occurs[i].n))
	return max(time.Millisecond, time.Duration(-math.Log(1-u)*float64(h.every)))
}

// nextEvent is which event happens next, and when; -1 for none.
func (m *member) nextEvent() (which int, at time.Duration) {
	which, at = -1, m.r.s.Duration
	for i := range m.occurs {
		if next := m.occurs[i].next; next < at {
			which, at = i, next
		}
	}
	return which, at
}

// occur makes the event that was planned for at.
func (m *member) occur(i int, at time.Duration) {
	h, o := &m.g.happens[i], &m.occurs[i]
	o.n++
	o.next = at + m.pause(i)
	output := m.draw(fmt.Sprintf("%s/%d/%s/%d:", m.g.Product, m.index, h.id, o.n), h.output, m.curves[h.curves:], at, nil)
	m.r.count.events.Add(1)
	id, text := m.nextID()
	msg, err := m.speech.Event(text, h.id, output, m.r.start.Add(at))
	m.keep(id, msg, err)
}
