package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// flushEvery is how long a change of presence may stay in memory only, but for
// Activate. What a crash takes is no loss: after a restart nobody is connected
// anyway.
const flushEvery = 500 * time.Millisecond

// flushSlowest is how long a store that fails is left alone at the most.
const flushSlowest = 30 * time.Second

// lingerMost is how many devices that went offline are remembered all the same:
// on bad lines they soon come back, and the store need not be asked again.
const lingerMost = 4096

// presences are what is known of devices' presence. A device is in memory
// while it is online or its last change has not been kept yet, or it is one of
// the last lingerMost that went, so that memory grows with connections and not
// with names.
type presences struct {
	s *presenceState
}

type presenceState struct {
	flushing chan struct{} // holds one while a flush is under way: an older one must not be the last to write

	mu     sync.Mutex
	known  map[ID]*Presence
	dirty  map[ID]bool
	online int // among known

	lately  []ID        // that went, as a ring; some have come back since
	oldest  int         // in lately
	lingers map[ID]bool // that are in lately
}

func newPresences() presences {
	return presences{&presenceState{flushing: make(chan struct{}, 1), known: make(map[ID]*Presence), dirty: make(map[ID]bool), lingers: make(map[ID]bool)}}
}

func (p presences) forget(id ID) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if known := p.s.known[id]; known != nil && known.State == Online {
		p.s.online--
	}
	delete(p.s.known, id)
	delete(p.s.dirty, id)
}

// Activate keeps when devices came for the first time; of those that have come
// before it does nothing. They are to be told that they are in only when it has
// returned: then it is on disk that their secrets are told no more. Devices that
// come at the same time share a write.
func (r *Registry) Activate(ctx context.Context, at time.Time, ids ...ID) error {
	var fresh []ID
	for _, id := range ids {
		switch already, err := r.store.Activated(ctx, id); {
		case err != nil:
			return err
		case !already:
			r.change(id, func(p *Presence) { p.activate(at.UTC().Truncate(time.Millisecond)) })
			fresh = append(fresh, id)
		}
	}
	return r.keep(ctx, fresh)
}

// activate notes a device's first time; it is not online for that.
func (p *Presence) activate(at time.Time) {
	if p.ActivatedAt.IsZero() {
		p.ActivatedAt = at
	}
	if p.State == Inactive {
		p.State, p.Since = Offline, at
	}
}

// WentOnline marks a device online; its first time activates it.
func (r *Registry) WentOnline(id ID, at time.Time, addr, clientID, protocol string) {
	r.change(id, func(p *Presence) {
		at = at.UTC().Truncate(time.Millisecond)
		p.activate(at)
		p.State, p.Since, p.LastOnline, p.LastAddr, p.ClientID, p.Protocol = Online, at, at, addr, clientID, protocol
		p.KeepAlive = 0
	})
}

// KeepsAlive remembers how often a device that is online has promised to be
// heard: until it has been silent for as long, nobody knows that it is gone.
func (r *Registry) KeepsAlive(id ID, every time.Duration) {
	r.change(id, func(p *Presence) { p.KeepAlive = int(every / time.Second) })
}

// WentOffline marks a device offline.
func (r *Registry) WentOffline(id ID, at time.Time, reason string) {
	r.change(id, func(p *Presence) {
		at = at.UTC().Truncate(time.Millisecond)
		p.State, p.Since, p.LastOffline, p.OfflineReason = Offline, at, at, reason
	})
}

// A Way is how a device is online: what WentOnline was told of it.
type Way struct{ Addr, ClientID, Protocol string }

// Ended marks a device offline whose way in has ended, unless it has come by
// another way since. It reports whether it was.
func (r *Registry) Ended(id ID, way Way, at time.Time, reason string) (was bool) {
	r.change(id, func(p *Presence) {
		if was = p.State == Online && (Way{p.LastAddr, p.ClientID, p.Protocol}) == way; was {
			at = at.UTC().Truncate(time.Millisecond)
			p.State, p.Since, p.LastOffline, p.OfflineReason = Offline, at, at, reason
		}
	})
	return was
}

// Refused remembers why a device was not let in. The same mistake from the
// same host is counted.
func (r *Registry) Refused(id ID, why Refusal) {
	why.At = why.At.UTC().Truncate(time.Millisecond)
	r.change(id, func(p *Presence) {
		p.Refusals++
		if last := p.LastRefusal; last != nil && last.Code == why.Code && host(last.Addr) == host(why.Addr) {
			why.Count = last.Count
		} else {
			why.Count = 0
		}
		why.Count++
		p.LastRefusal = &why
	})
}

func host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}

// change applies a change to what is known of a device.
func (r *Registry) change(id ID, apply func(*Presence)) {
	p := r.load(id)
	s := r.presence.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.known[id]; known != nil {
		p = known
		if p.State == Online {
			s.online--
		}
	}
	was := p.State
	apply(p)
	if p.State != was {
		r.watching.tell(id, false)
	}
	if p.State == Online {
		s.online++
	}
	s.known[id], s.dirty[id] = p, true
}

// load reads a presence from the store where memory has none.
func (r *Registry) load(id ID) *Presence {
	s := r.presence.s
	s.mu.Lock()
	known := s.known[id]
	s.mu.Unlock()
	if known != nil {
		return known
	}
	p, err := r.store.Presence(context.Background(), id)
	if err != nil {
		if !errors.Is(err, ErrNotFound) {
			r.log.Error("presence of a device", "device", id.String(), "error", err)
		}
		return new(Presence)
	}
	return p
}

// Status returns what is known of a device's presence.
func (r *Registry) Status(ctx context.Context, id ID) (Status, error) {
	d, err := r.Device(ctx, id)
	if err != nil {
		return Status{}, err
	}
	s := r.presence.s
	s.mu.Lock()
	var status Status
	known := s.known[id]
	if known != nil {
		status = known.Status
	}
	s.mu.Unlock()
	if known == nil {
		p, err := r.store.Presence(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Status{}, err
		}
		if p != nil {
			status = p.Status
		}
	}
	if !d.Enabled {
		status.State = Disabled
	}
	return status, nil
}

// Statuses are the Status of each of some devices, in their order. The store is
// asked once for those that are not in memory.
func (r *Registry) Statuses(ctx context.Context, devices []Device) ([]Status, error) {
	all := make([]Status, len(devices))
	var absent []ID
	s := r.presence.s
	s.mu.Lock()
	for i := range devices {
		if known := s.known[devices[i].ID()]; known != nil {
			all[i] = known.Status
		} else {
			absent = append(absent, devices[i].ID())
		}
	}
	s.mu.Unlock()
	kept, err := r.store.Presences(ctx, absent)
	if err != nil {
		return nil, err
	}
	for i := range devices {
		if p, ok := kept[devices[i].ID()]; ok {
			all[i] = p.Status
		}
		if !devices[i].Enabled {
			all[i].State = Disabled
		}
	}
	return all, nil
}

// CountOnline is how many devices are online.
func (r *Registry) CountOnline() int {
	s := r.presence.s
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.online
}

// Run keeps presence until ctx is done.
func (r *Registry) Run(ctx context.Context) error {
	wait := flushEvery
	tick := time.NewTimer(wait)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			switch err := r.flush(ctx); {
			case err == nil:
				wait = flushEvery
			case ctx.Err() == nil:
				wait = min(2*wait, flushSlowest)
				r.log.Error("presence not kept; it is tried again", "in", wait, "error", err)
			}
			tick.Reset(wait)
		case <-ctx.Done():
			return r.flush(context.WithoutCancel(ctx))
		}
	}
}

// Restarted marks offline whoever was online when the server stopped. Call it
// once, before devices connect.
func (r *Registry) Restarted(ctx context.Context) error {
	if err := r.store.AllOffline(ctx, "server restarted"); err != nil {
		return fmt.Errorf("mark devices offline: %w", err)
	}
	return nil
}

// keep returns when what changed of some devices is kept. Of those who wait for
// their turn the first writes for all.
func (r *Registry) keep(ctx context.Context, ids []ID) error {
	if len(ids) == 0 {
		return nil
	}
	s := r.presence.s
	s.flushing <- struct{}{}
	defer func() { <-s.flushing }()
	s.mu.Lock()
	waiting := slices.ContainsFunc(ids, func(id ID) bool { return s.dirty[id] })
	s.mu.Unlock()
	if !waiting {
		return nil
	}
	return r.write(ctx)
}

// flush keeps what changed and forgets who is offline.
func (r *Registry) flush(ctx context.Context) error {
	s := r.presence.s
	s.flushing <- struct{}{}
	defer func() { <-s.flushing }()
	return r.write(ctx)
}

// write is flush for who holds flushing.
func (r *Registry) write(ctx context.Context) error {
	s := r.presence.s
	s.mu.Lock()
	changed := make(map[ID]Presence, len(s.dirty))
	for id := range s.dirty {
		changed[id] = *s.known[id]
	}
	clear(s.dirty)
	s.mu.Unlock()
	if len(changed) == 0 {
		return nil
	}
	err := r.store.SavePresence(ctx, changed)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range changed {
		p := s.known[id]
		switch {
		case p == nil: // deleted meanwhile
		case err != nil:
			s.dirty[id] = true
		case !s.dirty[id] && p.State != Online:
			s.linger(id)
		}
	}
	return err
}

// linger remembers a device that is offline and kept, in place of the one that
// has been remembered for longest; mu is held.
func (s *presenceState) linger(id ID) {
	if s.lingers[id] {
		return
	}
	s.lingers[id] = true
	if len(s.lately) < lingerMost {
		s.lately = append(s.lately, id)
		return
	}
	last := s.lately[s.oldest]
	s.lately[s.oldest] = id
	s.oldest = (s.oldest + 1) % lingerMost
	delete(s.lingers, last)
	if p := s.known[last]; p != nil && p.State != Online && !s.dirty[last] {
		delete(s.known, last)
	}
}
