package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/thing"
)

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
		m, source := r.choose(n)
		if m == nil {
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
			err := r.o.Command(ctx, m.g.Product, m.g.credentialOf(int(m.index)).Name, source.id, r.valueFor(m, source, n))
			if err != nil && ctx.Err() == nil {
				r.cause("command", err.Error(), m)
				return
			}
			r.count.acknowledged.Add(1)
			r.commands.Add(time.Since(began))
		})
	}
}

// choose finds a device that is there and has something to set.
func (r *run) choose(n uint64) (*member, *source) {
	for try := range uint64(20) {
		m := &r.members[int(curve.Uniform(curve.Seed(r.s.Seed, "order")+n*20+try)*float64(len(r.members)))]
		if m.g.model == nil {
			continue
		}
		m.mu.Lock()
		there := m.state == up
		m.mu.Unlock()
		if !there {
			continue
		}
		for i := range m.g.sources {
			s := &m.g.sources[i]
			if p, ok := m.g.model.Property(s.id); ok && p.Access == thing.ReadWrite && s.shape.spec != nil {
				return m, s
			}
		}
	}
	return nil, nil
}

// valueFor is a value that the property may have.
func (r *run) valueFor(m *member, s *source, n uint64) any {
	c := s.shape.spec.New(m.seed + n)
	v, _ := c.Value(curve.Moment{})
	return s.shape.fit(v)
}
