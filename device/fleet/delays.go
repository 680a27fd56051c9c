package fleet

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Delays counts delays from a microsecond to hours, exact to one part in 32,
// in a fixed amount of memory. Any number of goroutines may use it at once.
type Delays struct {
	slots [delaySlots]atomic.Int64
	count atomic.Int64
	most  atomic.Int64 // nanoseconds
}

// Below 32 µs a slot is a microsecond, then each doubling has 32 slots.
const (
	delayBits  = 5
	delaySlots = 36 << delayBits
)

// Add counts one delay.
func (d *Delays) Add(t time.Duration) {
	d.slots[slotOf(t)].Add(1)
	d.count.Add(1)
	for {
		most := d.most.Load()
		if int64(t) <= most || d.most.CompareAndSwap(most, int64(t)) {
			return
		}
	}
}

func slotOf(t time.Duration) int {
	us := uint64(max(0, t/time.Microsecond))
	shift := max(0, bits.Len64(us)-delayBits-1)
	return min(shift<<delayBits+int(us>>shift), delaySlots-1)
}

// upper is the longest delay that a slot counts.
func upper(slot int) time.Duration {
	shift := max(0, slot>>delayBits-1)
	return time.Duration((uint64(slot-shift<<delayBits)+1)<<shift) * time.Microsecond
}

// Count is how many delays were counted.
func (d *Delays) Count() int64 { return d.count.Load() }

// Most is the longest.
func (d *Delays) Most() time.Duration { return time.Duration(d.most.Load()) }

// Quantile is the delay within which the share q of all came, 0 of none.
func (d *Delays) Quantile(q float64) time.Duration {
	n := d.count.Load()
	if n == 0 {
		return 0
	}
	rank, seen := max(1, int64(math.Ceil(q*float64(n)))), int64(0)
	for i := range d.slots {
		if seen += d.slots[i].Load(); seen >= rank {
			return min(upper(i), d.Most())
		}
	}
	return d.Most()
}

// A window is what a Delays counted between two looks.
type window struct{ before, last Delays }

// next lets last be what d counted since the call before.
func (w *window) next(d *Delays) {
	var n int64
	for i := range d.slots {
		now := d.slots[i].Load()
		since := now - w.before.slots[i].Swap(now)
		w.last.slots[i].Store(since)
		n += since
		if since > 0 {
			w.last.most.Store(int64(upper(i)))
		}
	}
	w.last.count.Store(n)
}
