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
	shards [addressShards]addressShard
}

type addressShard struct {
	mu sync.Mutex
	m  map[netip.Addr]*address
}

type address struct {
	open int
	bucket
}

// A place is one connection that was counted for its address. The zero place
// is that of a connection that nobody counted.
type place struct {
	shard *addressShard
	x     *address
}

func (a *addresses) init() {
	a.seed = maphash.MakeSeed()
	for i := range a.shards {
		a.shards[i].m = make(map[netip.Addr]*address)
	}
}

// enter reports whether addr may open one more connection, and counts it or
// why not.
func (a *addresses) enter(addr netip.Addr, l *Limits, c *Counters) (p place, ok bool) {
	if l.ConnectionsPerAddress == 0 && l.ConnectRatePerAddress == 0 {
		return place{}, true
	}
	sh := &a.shards[maphash.Comparable(a.seed, addr)%addressShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := time.Now()
	x := sh.m[addr]
	if x == nil {
		x = &address{bucket: fullBucket(l.ConnectRatePerAddress, now)}
		sh.m[addr] = x
	}
	if l.ConnectionsPerAddress > 0 && x.open >= l.ConnectionsPerAddress {
		c.ShedPerAddress.Add(1)
		return place{}, false
	}
	if l.ConnectRatePerAddress > 0 && !x.take(l.ConnectRatePerAddress, now) {
		c.ShedRate.Add(1)
		return place{}, false
	}
	x.open++
	return place{sh, x}, true
}

// leave takes back what enter counted.
func (p place) leave() {
	if p.x == nil {
		return
	}
	p.shard.mu.Lock()
	p.x.open--
	p.shard.mu.Unlock()
}

// tidy forgets addresses that have no connection and all their tokens.
func (a *addresses) tidy(now time.Time, l *Limits) {
	for i := range a.shards {
		sh := &a.shards[i]
		sh.mu.Lock()
		for addr, x := range sh.m {
			if x.open <= 0 && x.full(l.ConnectRatePerAddress, now) {
				delete(sh.m, addr)
			}
		}
		sh.mu.Unlock()
	}
}

// A bucket holds tokens that come back at a rate a second, as many at the most
// as come back in one second.
type bucket struct {
	tokens float64
	since  time.Time
}

func fullBucket(rate int, now time.Time) bucket { return bucket{float64(rate), now} }

// take takes one token, if there is one.
func (b *bucket) take(rate int, now time.Time) bool {
	b.refill(rate, now)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (b *bucket) full(rate int, now time.Time) bool {
	b.refill(rate, now)
	return b.tokens >= float64(rate)
}

func (b *bucket) refill(rate int, now time.Time) {
	b.tokens = min(float64(rate), b.tokens+float64(rate)*now.Sub(b.since).Seconds())
	b.since = now
}
