package ingest

import (
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt/packet"
)

// said counts what devices say and ask that have no connection, by HTTPS and
// CoAP, where nothing of a device outlives its message. It is bounded: with
// maxSpeakers it begins anew, and each may say as much again as in a second.
type said struct {
	mu       sync.Mutex
	speakers map[dialect.Claim]*speech
}

const maxSpeakers = 8192

type speech struct {
	rates dialect.Rates
	asked dialect.Asked
}

// of lets f count for a device, alone.
func (s *said) of(c dialect.Claim, f func(*speech)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.speakers[c]
	if one == nil {
		if s.speakers == nil || len(s.speakers) >= maxSpeakers {
			s.speakers = make(map[dialect.Claim]*speech)
		}
		one = new(speech)
		s.speakers[c] = one
	}
	f(one)
}

// tooManyOf is tooMany for a message without a connection. It is answered, and
// counts as one of QoS 1.
func (in *Ingest) tooManyOf(who *dialect.Subject, p *packet.Publish, now time.Time) (drop bool) {
	if _, limited := who.Dialect.(dialect.Limited); limited {
		in.said.of(who.Claim, func(s *speech) { drop = in.tooMany(who, &s.rates, p, now) })
	}
	return drop
}
