package dialect

import "time"

// A Limited is a dialect that says how much one device may say.
type Limited interface{ Limits() Limits }

// Limits are the vendor's written ones for one device; 0 is none. A strict
// product is held to them; any other is told where it is ten times beyond.
type Limits struct {
	QoS0, QoS1 int // messages a second from the device
	Bytes      int // a second from the device
	TopicBytes int // of a custom topic
	Slashes    int // slashes in one
}

// Leniency is how many times a limit of rate is where a product is not strict.
const Leniency = 10

// Rates count what a connection says in one second. They belong to the
// goroutine of the connection.
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
	l.QoS0, l.QoS1, l.Bytes = n*l.QoS0, n*l.QoS1, n*l.Bytes
	return l
}
