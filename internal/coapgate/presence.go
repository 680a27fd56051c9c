package coapgate

import (
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
)

// onlineFor is how long a device is online after it has reported: the vendor's
// console shows it so.
const onlineFor = 10 * time.Minute

// presence is which devices have reported lately. It has no more entries than
// there are devices.
type presence struct {
	mu    sync.Mutex
	known map[dialect.Claim]seen
}

type seen struct {
	who  *dialect.Subject
	at   time.Time
	over time.Time
}

func (p *presence) init() { p.known = make(map[dialect.Claim]seen) }

func (p *presence) forget(c dialect.Claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, c)
}

// heard notes that a device has reported.
func (x *conversation) heard(who *dialect.Subject) { x.heardFor(who, onlineFor) }

// heardFor notes that a device is there, for how long.
func (x *conversation) heardFor(who *dialect.Subject, lasts time.Duration) {
	now := x.Now()
	x.presence.mu.Lock()
	x.presence.known[who.Claim] = seen{who, now, now.Add(lasts)}
	x.presence.mu.Unlock()
	x.Gate.Heard(who, x.from, x.road)
}

// sweep takes note of those that have not reported for a while.
func (s *Server) sweep(now time.Time) {
	s.presence.mu.Lock()
	var gone []seen
	for c, was := range s.presence.known {
		if !now.Before(was.over) {
			gone = append(gone, was)
			delete(s.presence.known, c)
		}
	}
	s.presence.mu.Unlock()
	for _, was := range gone {
		s.Gate.Silent(was.who, was.at)
	}
	s.counters.Sessions.Store(int64(s.sessions.count(now)))
}
