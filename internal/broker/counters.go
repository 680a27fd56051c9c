package broker

import (
	"sync/atomic"

	"github.com/matou-iot/matou/mqtt"
)

// Counters are the broker's figures since its start. Each may be read at any
// time; two of them are not from the same instant.
type Counters struct {
	Accepted    atomic.Int64 // network connections accepted
	Connections atomic.Int64 // open now, with those that have not sent a CONNECT
	Clients     atomic.Int64 // connected now, by MQTT
	Connects    atomic.Int64 // CONNECTs admitted
	Refused     atomic.Int64 // CONNECTs refused by Rules or the protocol
	Throttled   atomic.Int64 // of those refused, the ones that came too often
	Rejected    atomic.Int64 // connections without a CONNECT, in form and in time; the Rejected… below are among them
	Shed        atomic.Int64 // connections closed unread by Limits, the sum of the Shed… below
	TakeOvers   atomic.Int64
	Faults      atomic.Int64 // connections ended by a broken packet or protocol, the sum of the Faults… below

	ShedConnections atomic.Int64 // by Limits.Connections
	ShedPerAddress  atomic.Int64 // by Limits.ConnectionsPerAddress
	ShedRate        atomic.Int64 // by Limits.ConnectRatePerAddress

	RejectedTLS    atomic.Int64 // handshakes that failed, client certificates above all, or that nobody offers
	RejectedProxy  atomic.Int64 // no PROXY header, or a broken one, from where one has to come
	RejectedLate   atomic.Int64 // no complete CONNECT within Limits.ConnectTimeout
	RejectedPacket atomic.Int64 // something else than a CONNECT, a broken one, or half of one

	FaultsPacketSize     atomic.Int64 // by Limits.PacketSize
	FaultsTopic          atomic.Int64 // a topic name by Limits.TopicLength or TopicLevels, or by the protocol
	FaultsReceiveMaximum atomic.Int64 // by Limits.ReceiveMaximum
	FaultsTopicAlias     atomic.Int64 // by Limits.TopicAliases, or by the protocol
	FaultsOther          atomic.Int64

	UnsubscribedLimit  atomic.Int64 // subscriptions refused by Limits.Subscriptions
	UnsubscribedFilter atomic.Int64 // by Limits.TopicLength or TopicLevels, or by the protocol
	UnsubscribedOther  atomic.Int64 // by Rules, or because the store failed

	Ended [refused]atomic.Int64 // connections that ended, by Cause; those that Rules know

	MessagesIn  atomic.Int64 // PUBLISH received
	MessagesOut atomic.Int64 // PUBLISH sent
	BytesIn     atomic.Int64
	BytesOut    atomic.Int64

	Sessions      atomic.Int64 // known, of present and absent clients
	Offline       atomic.Int64 // of absent clients
	Queued        atomic.Int64 // messages waiting in sessions
	QueuedBytes   atomic.Int64
	Retained      atomic.Int64 // retained messages
	RetainedBytes atomic.Int64
	Subscriptions atomic.Int64

	DroppedSlow      atomic.Int64 // QoS 0 for a client whose out-buffer is full
	DroppedQueueFull atomic.Int64 // the session's queue or the sum of queues is full
	DroppedExpired   atomic.Int64 // the message expired while it waited
	DroppedTooLarge  atomic.Int64 // larger than the client takes
	DroppedThrottled atomic.Int64 // by Grant.Downlink
	DroppedRetained  atomic.Int64 // not retained, by Limits
	DroppedSessions  atomic.Int64 // sessions not kept, by Limits.OfflineSessions
	ExpiredSessions  atomic.Int64 // sessions that ended because their client did not come back
	StoreErrors      atomic.Int64 // times that the store could not keep something
}

// reject counts a connection without a CONNECT, and why.
func (c *Counters) reject(why *atomic.Int64) {
	c.Rejected.Add(1)
	why.Add(1)
}

// fault counts a broken packet by the reason that its sender is told.
func (c *Counters) fault(reason mqtt.ReasonCode) {
	c.Faults.Add(1)
	switch reason {
	case mqtt.PacketTooLarge:
		c.FaultsPacketSize.Add(1)
	case mqtt.TopicNameInvalid:
		c.FaultsTopic.Add(1)
	case mqtt.ReceiveMaximumExceeded:
		c.FaultsReceiveMaximum.Add(1)
	case mqtt.TopicAliasInvalid:
		c.FaultsTopicAlias.Add(1)
	default:
		c.FaultsOther.Add(1)
	}
}

// unsubscribed counts the subscriptions that were refused.
func (c *Counters) unsubscribed(reasons []mqtt.ReasonCode) {
	for _, r := range reasons {
		switch {
		case !r.Failed():
		case r == mqtt.QuotaExceeded:
			c.UnsubscribedLimit.Add(1)
		case r == mqtt.TopicFilterInvalid:
			c.UnsubscribedFilter.Add(1)
		default:
			c.UnsubscribedOther.Add(1)
		}
	}
}
