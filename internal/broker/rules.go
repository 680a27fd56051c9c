package broker

import (
	"context"
	"crypto/x509"
	"errors"
	"net/netip"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Rules is what the broker asks of the house around it: who may connect, what
// a client may subscribe to, what becomes of a message. Its methods are called
// by the goroutine of the connection concerned, for one client never two at
// once, and never with a lock of the broker held: they may call the broker.
// While one blocks, that connection reads nothing.
type Rules interface {
	// Connect judges a CONNECT. A refusal is a *Refusal; any other error
	// refuses with Server unavailable. c and its parts may be kept, except for
	// Password and the will's payload, which alias the read buffer.
	Connect(ctx context.Context, c *packet.Connect, from Origin) (*Grant, error)
	// Subscribe judges one filter: a granted QoS (0 to 2) or a failure code.
	// The filter is valid; a shared one comes whole, with its $share/group/.
	// The broker grants no more than was asked for and Grant.MaxQoS.
	Subscribe(c *Client, s packet.Subscription) mqtt.ReasonCode
	// Publish judges and may take over one PUBLISH, or a will, which arrives
	// here before Closed unless it was delayed. Topic and payload of p alias
	// the read buffer: they stay valid until Pending.Settle has returned, or
	// until Publish has returned where there is no Pending. The struct p
	// itself is used again for the next packet: keep its slices, not p.
	// A message of QoS 2 comes once, however often it was sent.
	Publish(c *Client, p *packet.Publish) Decision
	// Connected says that c's CONNACK was written. Nothing else is asked for c
	// before it, and a client that c took over was Closed before.
	Connected(c *Client)
	// Closed comes exactly once for each Connected.
	Closed(c *Client, why Cause)
	// Rejected tells of bytes that never became a connection: a first packet
	// that is no CONNECT or a broken one, or none in time. raw aliases a
	// buffer and must not be kept.
	Rejected(from Origin, raw []byte, why error)
	// Faulty tells of a malformed packet or protocol violation on an open
	// connection, before Closed. raw must not be kept.
	Faulty(c *Client, raw []byte, why error)
}

// A Listener is Rules that want to hear of the packets that carry no message:
// acknowledgements, pings, the end of subscriptions, good-byes, and what they
// are answered.
type Listener interface {
	// Listens is asked before each such packet; where it is false, which should
	// cost next to nothing, no more is done about it.
	Listens(c *Client) bool
	// Overheard is told of a packet from c, up, or to it. raw must not be kept.
	// It may be called with locks held, and by several at once: it may not call
	// the broker.
	Overheard(c *Client, raw []byte, up bool)
}

// A FilterListener is Rules that want to hear of filters that are refused before
// they are asked: MQTT forbids them, or Limits do. It is called as Rules are.
type FilterListener interface {
	Unfit(c *Client, s packet.Subscription, why error)
}

// An Origin is where a connection comes from.
type Origin struct {
	Remote     netip.AddrPort
	Local      netip.AddrPort
	Transport  string            // "tcp", "tls", "ws" or "wss"
	ServerName string            // what TLS asked for, "" without
	TLSVersion uint16            // 0 without TLS
	Peer       *x509.Certificate // the client's, verified; nil without one. PeerName and PeerFingerprint are of it
}

// A Refusal is the error by which Rules refuses a CONNECT.
type Refusal struct {
	Reason       mqtt.ReasonCode
	ReturnCode   byte   // of a 3.x CONNACK; 0: what packet.ReturnCode makes of Reason
	Silent       bool   // close without CONNACK
	ReasonString string // for 5.0 clients; it goes to a stranger: no secrets
}

// Error names the reason.
func (r *Refusal) Error() string {
	if r.ReasonString != "" {
		return "connection refused: " + r.Reason.Error() + ": " + r.ReasonString
	}
	return "connection refused: " + r.Reason.Error()
}

// Unwrap makes errors.Is(err, mqtt.NotAuthorized) work.
func (r *Refusal) Unwrap() error { return r.Reason }

// A Grant admits a client and says on which terms.
type Grant struct {
	// Session is whose session it is: take-over and Send go by it, not by the
	// MQTT client identifier. Empty: the client identifier.
	Session  string
	Identity any // the judge's own; Client.Identity returns it
	// KeepAlive is enforced (at 1.5 times), in seconds; 0 is what the client asked for.
	KeepAlive uint16
	// KeepSubscriptions lets subscriptions outlive clean sessions: they hold
	// until UNSUBSCRIBE [aliyun-device §4.2].
	KeepSubscriptions bool
	MaxQoS            mqtt.QoS // the most that SUBSCRIBE grants; 5.0 clients are told and held to it
	IgnoreRetain      bool     // publish retained messages as if they were not; 5.0 clients are told and held to it
	IgnoreWill        bool     // never publish this client's will
	// SessionExpiry is how long the session of an absent client is kept, and
	// the most that a 5.0 client may ask for; 0 is Limits.SessionExpiry.
	SessionExpiry time.Duration
	// Lifetime is how long the connection may last, in seconds, whatever the
	// client does; its session ends with it. 0 is without limit.
	Lifetime uint16
	// Conduct is asked before a SUBSCRIBE or UNSUBSCRIBE, with its filters, before
	// a PINGREQ is answered, before a PUBREC, PUBREL or PUBCOMP, and after a PUBACK
	// that ends nothing, as Rules' methods are; false ends the connection
	// (RulesClosed). nil: nobody counts.
	Conduct func(t packet.Type, filters []string) bool
	// Downlink is asked before a PUBLISH is put in for the client: false drops
	// one of QoS 0; others go, for they are paced by their acknowledgements and
	// may be on record. It is called by whoever sends, several at once and with
	// locks held: it may not call the broker. nil: nobody counts.
	Downlink func() bool
}

// A Decision is what becomes of a PUBLISH.
type Decision struct {
	Action Action
	// Reason is for 5.0 clients: of PUBACK or PUBREC, or of DISCONNECT with
	// Close. A 3.x client cannot be told: it gets its acknowledgement
	// [MQTT3-3.3.5-2].
	Reason  mqtt.ReasonCode
	Pending Pending // nil: settled
}

// An Action is what to do with a PUBLISH.
type Action byte

// The actions.
const (
	Route   Action = iota // to the subscribers, as MQTT does
	Consume               // taken care of: acknowledge, do not route
	Close                 // end the connection
)

// Pending is a PUBLISH whose acknowledgement waits for durability. The
// connection collects those of one read, settles them in the order of receipt
// and writes the acknowledgements in that order [MQTT3-4.6.0-2]. A failure goes
// to a 5.0 client as reason; a 3.x client's connection is closed without an
// acknowledgement, so that it sends the message again.
type Pending interface {
	// Settle waits, however long that takes, and is called once.
	Settle() mqtt.ReasonCode
	// Notify says whether Settle would wait. Where that is Later, w is woken
	// when it is worth to ask again; in the other cases w is not.
	Notify(w Waker) Readiness
}

// A Readiness says how long Pending.Settle takes.
type Readiness byte

// How long it takes.
const (
	Whenever Readiness = iota // nobody knows
	Ready                     // microseconds
	Later                     // w is going to be woken
)

// A Waker is told that what it waits for is there. Wake returns at once; any
// goroutine may call it, once for each Notify.
type Waker interface{ Wake() }

// A Cause is why a connection ended.
type Cause byte

// The causes.
const (
	Disconnected  Cause = iota + 1 // the client sent DISCONNECT
	Lost                           // the network connection ended without one
	KeepAliveOver                  // nothing came for 1.5 times the keep-alive
	TakenOver                      // a newer connection has the session
	Faulted                        // the client broke the protocol, or takes no packet as large as its answer
	RulesClosed                    // Rules.Publish said Close
	TooSlow                        // it did not read what it was sent
	NotKept                        // its message could not be made durable
	Kicked                         // Broker.Disconnect or Broker.Forget
	ServerDown                     // the server is shutting down
	LifetimeOver                   // Grant.Lifetime was
	refused                        // no client yet: Rules never see it
)

var causeNames = [...]string{"unknown", "client disconnected", "connection lost", "keep-alive timeout",
	"taken over", "protocol fault", "closed by rules", "client too slow", "message not kept",
	"disconnected by administrator", "server shutting down", "time was up"}

// told reports whether a 5.0 client is sent a DISCONNECT.
func (c Cause) told() bool { return c != Disconnected && c != Lost && c != refused }

// String names the cause in a few words.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return causeNames[0]
}

// OpenRules admits everybody and routes everything. Embed it to judge only
// some of it.
type OpenRules struct{}

// Connect admits.
func (OpenRules) Connect(context.Context, *packet.Connect, Origin) (*Grant, error) {
	return &Grant{MaxQoS: mqtt.ExactlyOnce}, nil
}

// Subscribe grants what is asked for.
func (OpenRules) Subscribe(_ *Client, s packet.Subscription) mqtt.ReasonCode {
	return mqtt.ReasonCode(s.QoS)
}

// Publish routes.
func (OpenRules) Publish(*Client, *packet.Publish) Decision { return Decision{} }

// Connected does nothing.
func (OpenRules) Connected(*Client) {}

// Closed does nothing.
func (OpenRules) Closed(*Client, Cause) {}

// Rejected does nothing.
func (OpenRules) Rejected(Origin, []byte, error) {}

// Faulty does nothing.
func (OpenRules) Faulty(*Client, []byte, error) {}

// refusalOf makes a Refusal of what Rules.Connect returned.
func refusalOf(err error) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	return &Refusal{Reason: mqtt.ServerUnavailable}
}
