package client

import (
	"context"
	"log/slog"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/mqtt/session"
)

// The defaults of Options, and limits that have no option.
const (
	DefaultKeepAlive      = 60 * time.Second
	DefaultConnectTimeout = 15 * time.Second
	DefaultMinBackoff     = 500 * time.Millisecond
	DefaultMaxBackoff     = 60 * time.Second
	DefaultMaxPacketSize  = 4 << 20
	DefaultMaxInflight    = 64
	DefaultMaxQueue       = 256

	maxQueue      = 32 << 10        // largest MaxQueue: fewer than there are packet identifiers
	maxInbox      = 1024            // messages received and not yet handled
	maxKeepAlive  = 65535           // seconds
	minPingGrace  = 5 * time.Second // shortest wait for an answer to a PINGREQ
	maxBatch      = 64 << 10        // bytes joined into one write
	farewell      = time.Second     // how long a closing client tries to say DISCONNECT
	filtersAtOnce = 8               // filters in one SUBSCRIBE of ours; OneNET takes no more
)

// Options say how a Client connects. Only Dial is needed.
type Options struct {
	// Dial opens each connection; the client closes it. See DialURL.
	Dial Dialer

	Version  mqtt.Version // zero: 3.1.1
	ClientID string       // empty: the server chooses; 3.1 wants one
	Username string       // empty: none is sent
	Password []byte       // nil: none is sent

	// KeepSession asks the server to keep subscriptions and messages while
	// the client is away (clean session 0, clean start 0). For 5.0 give a
	// SessionExpiry in Properties too.
	KeepSession bool
	Will        *packet.Will
	Properties  *packet.Properties // of the CONNECT, 5.0 only

	// Prepare, if not nil, may change each CONNECT just before it is sent,
	// for instance to renew a token. Its error counts as a failed attempt.
	Prepare func(*packet.Connect) error

	KeepAlive      time.Duration // 0: DefaultKeepAlive; negative: off; whole seconds
	ConnectTimeout time.Duration // from dialling to CONNACK, and of one write; 0: DefaultConnectTimeout
	MinBackoff     time.Duration // bound of the first wait before reconnecting; 0: DefaultMinBackoff
	MaxBackoff     time.Duration // bound of every wait; 0: DefaultMaxBackoff
	SteadyBackoff  bool          // wait for the bound itself, not for a random part of it

	// GiveUp, if not nil, ends Run with the error of a failed attempt or a
	// lost connection when it returns true. nil means never: a device tries
	// for ever.
	GiveUp func(error) bool

	MaxPacketSize int // largest packet taken from the server, bytes; 0: DefaultMaxPacketSize
	MaxInflight   int // messages sent and not acknowledged, at most; 0: DefaultMaxInflight
	// MaxQueue bounds the messages, subscriptions and unsubscriptions that
	// are under way: waiting for a connection or sent and not acknowledged.
	// At the bound Publish, Subscribe and Unsubscribe wait until something
	// else is done, or until their context ends: nothing is dropped.
	// 0: DefaultMaxQueue; 32,768 at most.
	MaxQueue int

	// OnMessage gets the messages that no subscription's handler takes.
	// nil: they are acknowledged and dropped.
	OnMessage Handler
	// OnConnect is called after each CONNACK, OnDisconnect after each lost
	// connection; both in order with the messages, on the same goroutine.
	OnConnect    func(ctx context.Context, ack *packet.Connack)
	OnDisconnect func(ctx context.Context, err error)

	Log *slog.Logger // nil: discard
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Version == 0 {
		o.Version = mqtt.V311
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	or(&o.ConnectTimeout, DefaultConnectTimeout)
	or(&o.MinBackoff, DefaultMinBackoff)
	or(&o.MaxBackoff, DefaultMaxBackoff)
	or(&o.MaxPacketSize, DefaultMaxPacketSize)
	or(&o.MaxInflight, DefaultMaxInflight)
	or(&o.MaxQueue, DefaultMaxQueue)
	o.MaxPacketSize = min(o.MaxPacketSize, packet.MaxRemainingLength)
	o.MaxInflight = min(o.MaxInflight, session.MaxWindow)
	o.MaxQueue = min(o.MaxQueue, maxQueue)
	if o.KeepAlive == 0 {
		o.KeepAlive = DefaultKeepAlive
	}
	o.KeepAlive = min(max(o.KeepAlive, 0), maxKeepAlive*time.Second)
	return o
}

func or[N int | time.Duration](n *N, otherwise N) {
	if *n <= 0 {
		*n = otherwise
	}
}

// connect is the CONNECT that the options ask for.
func (o *Options) connect() *packet.Connect {
	c := &packet.Connect{
		Version:     o.Version,
		CleanStart:  !o.KeepSession,
		KeepAlive:   uint16((o.KeepAlive + time.Second - 1) / time.Second),
		ClientID:    o.ClientID,
		Will:        o.Will,
		HasUsername: o.Username != "",
		Username:    o.Username,
		HasPassword: o.Password != nil,
		Password:    o.Password,
	}
	if o.Version != mqtt.V5 {
		return c
	}
	p := packet.Properties{}
	if o.Properties != nil {
		p = *o.Properties
	}
	if p.MaximumPacketSize == nil {
		size := uint32(o.MaxPacketSize)
		p.MaximumPacketSize = &size
	}
	c.Properties = &p
	return c
}
