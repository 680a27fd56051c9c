package broker

import (
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// Limits bounds what clients can make the broker hold. A zero field has the
// default in its comment; each comment says what happens at the bound, and
// Counters counts it.
type Limits struct {
	Connections           int // 1,000,000 open at once; a further one is closed unread
	ConnectionsPerAddress int // no limit: whole fleets share an address; a further one is closed unread
	ConnectRatePerAddress int // no limit; connections a second, with a burst of as many: a further one is closed unread

	ConnectTimeout time.Duration // 10 s from accept to a complete CONNECT, TLS included, then it is closed; as long for the header of an HTTP request, for its body, and again after a WebSocket upgrade
	StallTimeout   time.Duration // 30 s in which a client takes nothing of what is sent to it, then it is disconnected

	PacketSize    int // 1 MiB a packet; a larger one ends its connection (Packet too large)
	ConnectSize   int // 128 KiB a CONNECT; as PacketSize
	TopicLength   int // 1,024 bytes a topic name or filter; a longer name ends the connection, a longer filter is refused
	TopicLevels   int // 128, as TopicLength
	Subscriptions int // 1,024 a session, with up to 8 levels each on average where they have wildcards; a further one is refused (Quota exceeded)

	Inflight       int // 256 messages of QoS 1 and 2 without acknowledgement, to a client; further ones wait in its queue; so they do when those are QueueBytes
	ReceiveMaximum int // 1,024 from a 5.0 client, who is told; more ends its connection (Receive Maximum exceeded)
	TopicAliases   int // 16 from a 5.0 client, who is told; a higher one ends its connection; as many at the most are used towards one
	OutBuffer      int // 256 KiB written but not yet taken by the socket; QoS 0 is dropped then, QoS 1 and 2 wait in the queue

	QueueCount int   // 10,000 messages waiting in a session; a further one is dropped
	QueueBytes int   // 1 MiB waiting in a session, or one message of any size; as QueueCount
	QueueTotal int64 // 512 MiB waiting in all sessions; as QueueCount

	SessionExpiry   time.Duration // 7 days for a session of an absent client; it is also the most a 5.0 client may ask for, unless its Grant says otherwise
	OfflineSessions int           // 2,000,000 sessions of absent clients; a further one ends with its connection

	RetainedCount int   // 100,000 retained messages; a further topic is not retained
	RetainedBytes int64 // 256 MiB of them and of their places in the tree of topics; as RetainedCount
}

// DefaultLimits are those of the zero Limits.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	set(&l.Connections, 1_000_000)
	set(&l.ConnectTimeout, 10*time.Second)
	set(&l.StallTimeout, 30*time.Second)
	set(&l.PacketSize, 1<<20)
	set(&l.ConnectSize, 128<<10)
	set(&l.TopicLength, 1_024)
	set(&l.TopicLevels, 128)
	set(&l.Subscriptions, 1_024)
	set(&l.Inflight, 256)
	set(&l.ReceiveMaximum, 1_024)
	set(&l.TopicAliases, 16)
	set(&l.OutBuffer, 256<<10)
	set(&l.QueueCount, 10_000)
	set(&l.QueueBytes, 1<<20)
	set(&l.QueueTotal, 512<<20)
	set(&l.SessionExpiry, 7*24*time.Hour)
	set(&l.OfflineSessions, 2_000_000)
	set(&l.RetainedCount, 100_000)
	set(&l.RetainedBytes, 256<<20)
	l.ReceiveMaximum = min(l.ReceiveMaximum, 65535)
	l.TopicLevels = min(l.TopicLevels, mqtt.MaxTopicLevels)
	return l
}

func set[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
