package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/thing"
)

// A Command is what the cloud shall have a device do: give a property a value,
// or call a service.
type Command struct {
	Product, Device string
	Property        string
	Value           thing.Value
	Service         string // where Property is empty
	Input           map[string]thing.Value
}

// commandsAtOnce bounds the commands whose outcome is awaited; beyond, one is
// not given.
const commandsAtOnce = 64

// order asks the cloud for commands to devices that are there, in the
// scenario's interval, until its time is up.
func (r *run) order(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	room := make(chan struct{}, commandsAtOnce)
	tick := time.NewTicker(r.s.Commands.Every)
	defer tick.Stop()
	for n := uint64(0); ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if r.now() >= r.s.Duration {
			return
		}
		m, c, ok := r.choose(n)
		if !ok {
			continue
		}
		select {
		case room <- struct{}{}:
		default:
			r.cause("command", "not given: too many have no outcome yet", m)
			continue
		}
		r.count.ordered.Add(1)
		all.Go(func() {
			defer func() { <-room }()
			began := time.Now()
			err := r.o.Command(ctx, c)
			defer r.count.outcomes.Add(1)
			if err != nil && ctx.Err() == nil {
				r.cause("command", err.Error(), m)
				return
			}
			r.count.acknowledged.Add(1)
			r.commands.Add(time.Since(began))
		})
	}
}

// tries is how many devices are looked at for one that can be commanded.
const tries = 20

// choose finds a device that is there, and what to have it do.
func (r *run) choose(n uint64) (*member, Command, bool) {
	seed := curve.Seed(r.s.Seed, "order")
	call := curve.Uniform(curve.Seed(seed, "service")+n) < float64(r.s.Commands.Services)
	for try := range uint64(tries) {
		m := &r.members[pick(seed+n*tries+try, len(r.members))]
		sets, calls := m.g.settable, m.g.services
		if r.s.Commands.Services == 0 {
			calls = nil
		}
		if len(sets)+len(calls) == 0 || !m.there() {
			continue
		}
		c := Command{Product: m.g.Product, Device: m.g.credentialOf(int(m.index)).Name}
		which := curve.Seed(seed, "what") + n
		if len(sets) == 0 || call && len(calls) > 0 {
			s := &calls[pick(which, len(calls))]
			c.Service, c.Input = s.id, map[string]thing.Value{}
			for i := range s.input {
				if v, ok := s.input[i].once(m.seed+n, time.Now()); ok {
					c.Input[s.input[i].id] = v
				}
			}
			return m, c, true
		}
		s := sets[pick(which, len(sets))]
		c.Property = s.id
		c.Value, _ = s.once(m.seed+n, time.Now())
		return m, c, true
	}
	return nil, Command{}, false
}

// pick is a place among so many that belongs to x.
func pick(x uint64, among int) int { return int(curve.Uniform(x) * float64(among)) }

// there reports whether the device is connected.
func (m *member) there() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state == up
}
