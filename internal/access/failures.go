package access

import (
	"net/netip"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// The bounds of failed sign-ins.
const (
	failureWindow      = time.Minute
	maxFailures        = 5      // of one name from one address in a window
	maxAddressFailures = 50     // of one address, whatever the names
	maxFailureEntries  = 10_000 // remembered; above it the oldest are forgotten
)

// failures counts sign-ins that did not succeed, those under way among them:
// many at once get no further than many in turn.
type failures struct {
	mu   sync.Mutex
	seen map[failureKey]*failure
	line []failureKey // in the order they were first seen
}

type failureKey struct{ name, addr string }

type failure struct {
	since time.Time
	n     int
}

// attempt counts a sign-in, or says no because too many failed.
func (f *failures) attempt(name, addr string, now time.Time) error {
	addr = house(addr)
	f.mu.Lock()
	defer f.mu.Unlock()
	own, all := f.at(failureKey{name, addr}, now), f.at(failureKey{"", addr}, now)
	for _, over := range []*failure{limited(own, maxFailures), limited(all, maxAddressFailures)} {
		if over != nil {
			wait := failureWindow - now.Sub(over.since)
			return fault.Exhausted("too many failed sign-ins; try again in %d seconds", int(wait/time.Second)+1)
		}
	}
	own.n++
	all.n++
	return nil
}

// house is where an address is: the /64 of an IPv6 address, since whoever has
// one address of it has them all.
func house(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Unmap().Is4() {
		return addr
	}
	p, _ := a.WithZone("").Prefix(64)
	return p.String()
}

func limited(e *failure, most int) *failure {
	if e.n >= most {
		return e
	}
	return nil
}

// forgive takes back an attempt that succeeded, and the failures of its name.
func (f *failures) forgive(name, addr string, now time.Time) {
	addr = house(addr)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at(failureKey{name, addr}, now).n = 0
	if all := f.at(failureKey{"", addr}, now); all.n > 0 {
		all.n--
	}
}

// at finds the count of the window that now is in.
func (f *failures) at(k failureKey, now time.Time) *failure {
	const most = 128 // bytes of what strangers make us remember
	k = failureKey{k.name[:min(len(k.name), most)], k.addr[:min(len(k.addr), most)]}
	e := f.seen[k]
	if e == nil {
		f.makeRoom()
		e = &failure{since: now}
		f.seen[k] = e
		f.line = append(f.line, k)
	}
	if now.Sub(e.since) >= failureWindow {
		*e = failure{since: now}
	}
	return e
}

func (f *failures) makeRoom() {
	if f.seen == nil {
		f.seen = make(map[failureKey]*failure)
	}
	for len(f.line) >= maxFailureEntries {
		delete(f.seen, f.line[0])
		f.line = f.line[1:]
	}
}
