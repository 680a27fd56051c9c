package dialect

import (
	"sync/atomic"
	"time"
)

// A Limited is a dialect that says how much one device may say and hear.
type Limited interface{ Limits() Limits }

// Limits are the vendor's written ones for one device; 0 is none. A strict
// product is held to them; any other is told where it is ten times beyond.
type Limits struct {
	QoS0, QoS1    int // messages a second from the device
	Bytes         int // a second from the device
	Downlinks     int // messages a second to the device
	Subscriptions int // that it may have
	Listeners     int // subscriptions to one topic of broadcasts
	TopicBytes    int // of a custom topic
	Slashes       int // slashes in one
}

// Leniency is how many times a limit of rate is where a product is not strict,
// unless an operator says otherwise.
const Leniency = 10

// A Rulebook is the Limits in force: what vendors wrote down, or what an
// operator put in its place. The zero Rulebook, and nil, have the former. Any
// number of goroutines may use it at once.
type Rulebook struct{ book atomic.Pointer[rules] }

type rules struct {
	dialect         string
	strict, lenient Limits
}

// Set puts l in the place of a vendor's limits of rate and number, and leniency
// in the place of Leniency.
func (b *Rulebook) Set(d Limited, name string, l Limits, leniency int) {
	written := d.Limits()
	l.TopicBytes, l.Slashes = written.TopicBytes, written.Slashes
	b.book.Store(&rules{name, l, l.Times(leniency)})
}

// Limits are those for devices of a dialect; false where nobody limits them.
func (b *Rulebook) Limits(d Dialect, mode Strictness) (Limits, bool) {
	l, ok := d.(Limited)
	if !ok {
		return Limits{}, false
	}
	if b != nil {
		if r := b.book.Load(); r != nil && r.dialect == d.Name() {
			if mode == Strict {
				return r.strict, true
			}
			return r.lenient, true
		}
	}
	if mode == Strict {
		return l.Limits(), true
	}
	return l.Limits().Times(Leniency), true
}

// Rates count what a device says in one second. Those of a connection belong to
// its goroutine.
type Rates struct {
	second            int64
	qos0, qos1, bytes int
}

// Count takes one message into account. It returns which limit is exceeded, ""
// for none, what that is and how much was said, and whether it is the first
// message of this second for which that is so.
func (r *Rates) Count(l Limits, qos, size int, now time.Time) (what string, limit, said int, first bool) {
	if s := now.Unix(); s != r.second {
		*r = Rates{second: s}
	}
	before := *r
	r.bytes += size
	if qos == 0 {
		r.qos0++
	} else {
		r.qos1++
	}
	switch {
	case l.QoS0 > 0 && r.qos0 > l.QoS0 && qos == 0:
		return "QoS 0 messages", l.QoS0, r.qos0, before.qos0 == l.QoS0
	case l.QoS1 > 0 && r.qos1 > l.QoS1 && qos > 0:
		return "QoS 1 messages", l.QoS1, r.qos1, before.qos1 == l.QoS1
	case l.Bytes > 0 && r.bytes > l.Bytes:
		return "bytes", l.Bytes, r.bytes, before.bytes <= l.Bytes
	}
	return "", 0, 0, false
}

// Times is the limits of rate, n times as high.
func (l Limits) Times(n int) Limits {
	l.QoS0, l.QoS1, l.Bytes, l.Downlinks = n*l.QoS0, n*l.QoS1, n*l.Bytes, n*l.Downlinks
	return l
}
