// Package packet is the MQTT wire codec for 3.1, 3.1.1 and 5.0: one set of
// types for all three versions, one file a control packet.
//
// It touches no socket. ParseHeader reads the fixed header, Decode the body
// that follows it, Read both from a stream, Append writes a packet, Explain
// annotates any byte string, whole or broken, for people.
//
// Byte slices of a decoded packet (Topic, Payload, Password, CorrelationData,
// AuthData) alias the bytes they were decoded from: keep those alive and
// unchanged as long as the packet is used, or call Clone. Strings are copies.
//
// Decode checks what one packet can say about itself. Whether a topic filter
// is well formed is left to mqtt.ValidFilter, since one bad filter is answered
// in the SUBACK rather than with the end of the connection.
package packet

import "github.com/matou-iot/matou/mqtt"

// Limits of the wire and ours.
const (
	// MaxRemainingLength is the most bytes that may follow a fixed header
	// [MQTT3 §2.2.3].
	MaxRemainingLength = 268_435_455
	// MaxHeaderSize is the most bytes a fixed header may have: the first one
	// and four of remaining length.
	MaxHeaderSize = 5

	// maxString is the most bytes a string or binary field may have
	// [MQTT3 §1.5.3].
	maxString = 65_535
	// The specification bounds none of these; each entry costs us several
	// times its bytes on the wire, so we do. A packet with more is refused
	// with QuotaExceeded.
	maxUserProperties         = 1_024
	maxSubscriptionIDs        = 1_024
	maxSubscriptionsPerPacket = 8_192
)

// A Type is a control packet type, the upper four bits of the first byte
// [MQTT3 §2.2.1] [MQTT5 §2.1.2].
type Type byte

// The control packet types.
const (
	TypeConnect     Type = 1
	TypeConnack     Type = 2
	TypePublish     Type = 3
	TypePuback      Type = 4
	TypePubrec      Type = 5
	TypePubrel      Type = 6
	TypePubcomp     Type = 7
	TypeSubscribe   Type = 8
	TypeSuback      Type = 9
	TypeUnsubscribe Type = 10
	TypeUnsuback    Type = 11
	TypePingreq     Type = 12
	TypePingresp    Type = 13
	TypeDisconnect  Type = 14
	TypeAuth        Type = 15
)

var typeNames = [16]string{
	"RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String is the specification's name of the type, "RESERVED" where there is
// none.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return typeNames[0]
}

// A Packet is any control packet: *Connect, *Connack, *Publish, *Puback,
// *Pubrec, *Pubrel, *Pubcomp, *Subscribe, *Suback, *Unsubscribe, *Unsuback,
// *Pingreq, *Pingresp, *Disconnect or *Auth.
//
// Each also has Decode(h Header, body []byte, v mqtt.Version) error, which
// overwrites all of the packet, so that a reader may use one struct again and
// again. After an error the packet holds what was read before it.
type Packet interface {
	Type() Type
	// Append appends the packet as version v writes it. Fields that v does
	// not know (properties in 3.x) are left out, and so are properties that
	// this packet must not carry. It fails only where the packet cannot be
	// said: a string over 65,535 bytes, no identifier, QoS 3, a body over
	// MaxRemainingLength; dst is then returned unchanged.
	Append(dst []byte, v mqtt.Version) ([]byte, error)
}

// Decode reads the packet that h announces from body, which is exactly the
// h.Remaining bytes after the header. v is the version of the connection; a
// CONNECT says its own and ignores it. The packet aliases body (see the
// package comment); it is nil if there is an error, which is an *Error.
func Decode(h Header, body []byte, v mqtt.Version) (Packet, error) {
	p := newPacket(h.Type)
	if p == nil {
		return nil, h.malformed(v, "MQTT3 §2.2.1", "MQTT5 §2.1.2", "control packet type 0 is reserved")
	}
	if err := p.Decode(h, body, v); err != nil {
		return nil, err
	}
	return p, nil
}

// A decoder is a packet that can be read.
type decoder interface {
	Packet
	Decode(h Header, body []byte, v mqtt.Version) error
}

func newPacket(t Type) decoder {
	switch t {
	case TypeConnect:
		return new(Connect)
	case TypeConnack:
		return new(Connack)
	case TypePublish:
		return new(Publish)
	case TypePuback:
		return new(Puback)
	case TypePubrec:
		return new(Pubrec)
	case TypePubrel:
		return new(Pubrel)
	case TypePubcomp:
		return new(Pubcomp)
	case TypeSubscribe:
		return new(Subscribe)
	case TypeSuback:
		return new(Suback)
	case TypeUnsubscribe:
		return new(Unsubscribe)
	case TypeUnsuback:
		return new(Unsuback)
	case TypePingreq:
		return new(Pingreq)
	case TypePingresp:
		return new(Pingresp)
	case TypeDisconnect:
		return new(Disconnect)
	case TypeAuth:
		return new(Auth)
	}
	return nil
}
