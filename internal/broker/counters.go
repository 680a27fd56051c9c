package broker

import "sync/atomic"

// Counters are the broker's figures since its start. Each may be read at any
// time; two of them are not from the same instant.
type Counters struct {
	Accepted    atomic.Int64 // network connections accepted
	Connections atomic.Int64 // open now, with those that have not sent a CONNECT
	Clients     atomic.Int64 // connected now, by MQTT
	Connects    atomic.Int64 // CONNECTs admitted
	Refused     atomic.Int64 // CONNECTs refused by Rules or the protocol
	Rejected    atomic.Int64 // connections without a CONNECT, in form and in time; the Rejected… below are among them
	Shed        atomic.Int64 // connections closed unread by Limits, the sum of the Shed… below
	TakeOvers   atomic.Int64
	Faults      atomic.Int64 // connections ended by a broken packet or protocol

	ShedConnections atomic.Int64 // by Limits.Connections
	ShedPerAddress  atomic.Int64 // by Limits.ConnectionsPerAddress
	ShedRate        atomic.Int64 // by Limits.ConnectRatePerAddress

	RejectedTLS   atomic.Int64 // handshakes that failed, client certificates above all, or that nobody offers
	RejectedProxy atomic.Int64 // no PROXY header, or a broken one, from where one has to come

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
	DroppedRetained  atomic.Int64 // not retained, by Limits
	DroppedSessions  atomic.Int64 // sessions not kept, by Limits.OfflineSessions
	StoreErrors      atomic.Int64 // times that the store could not keep something
}
