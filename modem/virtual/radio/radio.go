// Package radio is the air side of a cellular module: the SIM card, the
// signal, the registration with a network and the time that the network
// gives. What can go wrong out there is switched on and off.
//
// It has no clock: the time goes in, changes come out.
package radio

import "time"

// A Registration is how a network takes a module [27.007 §7.2].
type Registration byte

// The registrations, numbered as they are on the line.
const (
	NotSearching Registration = 0
	Home         Registration = 1
	Searching    Registration = 2
	Denied       Registration = 3
	Roaming      Registration = 5
)

// Registered reports whether the network serves the module.
func (r Registration) Registered() bool { return r == Home || r == Roaming }

// A SIM is the state of the card.
type SIM byte

// The states of the card.
const (
	Busy SIM = iota // it is being read
	Ready
	Missing
)

// NoSignal is what AT+CSQ says when nothing is received [27.007 §8.5].
const NoSignal = 99

// Conditions are how things stand out there. The zero value is fine weather
// without a signal: see Usual.
type Conditions struct {
	SIMMissing bool
	Signal     int  // 0 to 31; NoSignal: none
	Denied     bool // the network refuses the card
	Abroad     bool // it is another country's network
	NoTime     bool // the network does not tell the time
}

// Usual is a good day.
var Usual = Conditions{Signal: 27}

// How long things take after power, and after a condition has changed.
const (
	SIMTime    = 1500 * time.Millisecond
	SearchTime = 2 * time.Second
)

// A Change is something that a module may have to say.
type Change byte

// The changes.
const (
	SIMChanged          Change = iota // ready or found missing
	RegistrationChanged               // of whatever kind
	TimeSet                           // the network told the time
)

// A Radio is the air side of one module. Its zero value is without power.
type Radio struct {
	on      bool
	sim     SIM
	simAt   time.Time // when the card has been read; zero: it has
	stat    Registration
	foundAt time.Time // when the search ends; zero: nothing is searched for
	c       Conditions
	clock   Clock
}

// PowerOn begins at now, forgetting all but the conditions. offline is a
// module that was told to keep its radio off.
func (r *Radio) PowerOn(now time.Time, c Conditions, offline bool) {
	*r = Radio{sim: Busy, simAt: now.Add(SIMTime), c: c, clock: Clock{power: now}}
	if !offline {
		r.Switch(true, now)
	}
}

// Switch turns transmitter and receiver on or off [27.007 §8.2].
func (r *Radio) Switch(on bool, now time.Time) []Change {
	r.on = on
	return r.settle(now)
}

// Set changes the conditions.
func (r *Radio) Set(c Conditions, now time.Time) (changes []Change) {
	switch pulled := c.SIMMissing; {
	case pulled == r.c.SIMMissing || r.sim == Busy: // the reading will show
	case pulled:
		r.sim = Missing
		changes = append(changes, SIMChanged)
	default:
		r.sim, r.simAt = Busy, now.Add(SIMTime)
	}
	r.c = c
	return append(changes, r.settle(now)...)
}

// settle begins or ends the search for a network as things are now.
func (r *Radio) settle(now time.Time) []Change {
	before := r.stat
	switch {
	case !r.on || r.sim != Ready:
		r.stat, r.foundAt = NotSearching, time.Time{}
	case r.c.Signal == NoSignal:
		r.stat, r.foundAt = Searching, time.Time{}
	case r.stat != r.wanted():
		r.stat = Searching
		if r.foundAt.IsZero() {
			r.foundAt = now.Add(SearchTime)
		}
	}
	if r.stat != before {
		return []Change{RegistrationChanged}
	}
	return nil
}

// wanted is how a search will end.
func (r *Radio) wanted() Registration {
	switch {
	case r.c.Denied:
		return Denied
	case r.c.Abroad:
		return Roaming
	}
	return Home
}

// Next returns when Tick has something to do; the zero time means never.
func (r *Radio) Next() time.Time {
	if r.simAt.IsZero() || !r.foundAt.IsZero() && r.foundAt.Before(r.simAt) {
		return r.foundAt
	}
	return r.simAt
}

// Tick does what is due.
func (r *Radio) Tick(now time.Time) (changes []Change) {
	if due(r.simAt, now) {
		r.simAt, r.sim = time.Time{}, Ready
		if r.c.SIMMissing {
			r.sim = Missing
		}
		changes = append(changes, SIMChanged)
		changes = append(changes, r.settle(now)...)
	}
	if due(r.foundAt, now) {
		r.foundAt, r.stat = time.Time{}, r.wanted()
		changes = append(changes, RegistrationChanged)
		if r.stat.Registered() && !r.c.NoTime {
			r.clock.Set(now, now)
			changes = append(changes, TimeSet)
		}
	}
	return changes
}

func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// SIM returns the state of the card.
func (r *Radio) SIM() SIM { return r.sim }

// Registration returns how the network takes the module.
func (r *Radio) Registration() Registration { return r.stat }

// Signal returns what AT+CSQ says: 0 to 31, or NoSignal.
func (r *Radio) Signal() int {
	if !r.on {
		return NoSignal
	}
	return r.c.Signal
}

// Conditions returns how things stand.
func (r *Radio) Conditions() Conditions { return r.c }

// Clock returns the module's clock.
func (r *Radio) Clock() *Clock { return &r.clock }
