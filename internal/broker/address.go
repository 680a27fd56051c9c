package broker

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// addressShards is how many parts the addresses are in, each with its lock.
const addressShards = 16

// addresses counts connections and their rate by remote address, if Limits
// ask for it.
type addresses struct {
	seed   maphash.Seed
	shards [addressShards]struct {
		mu sync.Mutex
		m  map[netip.Addr]*address
	}
}

type address struct {
	open   int
	tokens float64 // connects that are allowed now
	since  time.Time
}

func (a *addresses) init() {
	a.seed = maphash.MakeSeed()
	for i := range a.shards {
		a.shards[i].m = make(map[netip.Addr]*address)
	}
}

// enter reports whether addr may open one more connection, and counts it.
func (a *addresses) enter(addr netip.Addr, l *Limits) bool {
	if l.ConnectionsPerAddress == 0 && l.ConnectRatePerAddress == 0 {
		return true
	}
	sh := &a.shards[maphash.Comparable(a.seed, addr)%addressShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := time.Now()
	x := sh.m[addr]
	if x == nil {
		x = &address{tokens: float64(l.ConnectRatePerAddress), since: now}
		sh.m[addr] = x
	}
	if l.ConnectionsPerAddress > 0 && x.open >= l.ConnectionsPerAddress {
		return false
	}
	if l.ConnectRatePerAddress > 0 {
		x.refill(now, l)
		if x.tokens < 1 {
			return false
		}
		x.tokens--
	}
	x.open++
	return true
}

func (x *address) refill(now time.Time, l *Limits) {
	rate := float64(l.ConnectRatePerAddress)
	x.tokens = min(rate, x.tokens+rate*now.Sub(x.since).Seconds())
	x.since = now
}

// leave takes back what enter counted.
func (a *addresses) leave(addr netip.Addr, l *Limits) {
	if l.ConnectionsPerAddress == 0 && l.ConnectRatePerAddress == 0 {
		return
	}
	sh := &a.shards[maphash.Comparable(a.seed, addr)%addressShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if x := sh.m[addr]; x != nil {
		x.open--
	}
}

// tidy forgets addresses that have no connection and all their tokens.
func (a *addresses) tidy(now time.Time, l *Limits) {
	for i := range a.shards {
		sh := &a.shards[i]
		sh.mu.Lock()
		for addr, x := range sh.m {
			x.refill(now, l)
			if x.open <= 0 && x.tokens >= float64(l.ConnectRatePerAddress) {
				delete(sh.m, addr)
			}
		}
		sh.mu.Unlock()
	}
}
