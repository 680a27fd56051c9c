package broker

import (
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Store keeps what must survive the process: sessions of absent clients,
// their subscriptions, their messages of QoS 1 and 2, and retained messages.
// It remembers records; what they mean is decided here.
//
// Sessions that need nothing kept never reach it. Write and Sync may be called
// by any number of goroutines.
type Store interface {
	// Load calls fn with every record, those of one session together: its
	// Session first, messages in the order of their Seq. A record that cannot
	// be read is left out. An error of fn ends Load and is returned.
	Load(fn func(Record) error) error
	// Write queues changes, in order: later ones of the same key win. It keeps
	// nothing of r but copies it, and does not wait for the disk unless much
	// more is queued than it can write.
	Write(r ...Record)
	// Together makes what fn writes durable in one step: after a crash all of
	// it is there or nothing. fn must not wait for anything.
	Together(fn func())
	// Sync returns when everything written before has been made durable, or
	// why it cannot be.
	Sync() error
}

// A RecordKind says which fields of a Record count.
type RecordKind byte

// The kinds of records. The key of each is in brackets.
const (
	SessionRecord      RecordKind = iota + 1 // [Session]; deleting it deletes all that is the session's
	SubscriptionRecord                       // [Session, Subscription.Filter]
	MessageRecord                            // [Session, Seq]
	ProgressRecord                           // [Session, Seq]: a message on its way; deleting the message deletes it
	ReceivedRecord                           // [Session, ID]: a QoS 2 message that awaits PUBREL
	RetainedRecord                           // [Message.Topic]
	ContentRecord                            // [Session]: deletes messages, progress and received, keeps the rest; never stored
)

// A Record is one thing to remember, or with Delete to forget.
type Record struct {
	Kind    RecordKind
	Delete  bool
	Session string // Grant.Session

	// SessionRecord
	ClientID string
	Present  bool          // a session in MQTT's sense; otherwise only subscriptions are kept
	Keep     bool          // Grant.KeepSubscriptions
	Expiry   time.Duration // how long it outlives its connection
	Offline  time.Time     // since when its client is away, zero while it is there

	// SubscriptionRecord; QoS is the one granted
	Subscription   packet.Subscription
	SubscriptionID uint32

	// MessageRecord, ProgressRecord, ReceivedRecord
	Seq    uint64
	ID     uint16   // packet identifier, 0 while none is given
	QoS    mqtt.QoS // of the delivery
	Stage  byte     // session.Stage of mqtt/session
	Retain bool     // the RETAIN flag of the delivery

	Message Message // MessageRecord, RetainedRecord; its QoS is the publisher's
	SubIDs  []uint32
}

// noStore forgets everything.
type noStore struct{}

func (noStore) Load(func(Record) error) error { return nil }
func (noStore) Write(...Record)               {}
func (noStore) Together(fn func())            { fn() }
func (noStore) Sync() error                   { return nil }
