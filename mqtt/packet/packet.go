// Package packet is the MQTT wire codec for 3.1, 3.1.1 and 5.0: one set of
// types for all three versions, one file a control packet.
//
// It touches no socket. Decode takes the bytes of one whole packet, Append
// writes one, Explain annotates any byte string, whole or broken, for people.
// Decoded packets alias the bytes they were decoded from (topic, payload,
// strings of a CONNECT excepted where a field is a string): keep the bytes
// alive and unchanged as long as the packet is used, or call Clone.
package packet

import "github.com/matou-iot/matou/mqtt"

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

// A Packet is any control packet: *Connect, *Connack, *Publish, *Puback,
// *Pubrec, *Pubrel, *Pubcomp, *Subscribe, *Suback, *Unsubscribe, *Unsuback,
// *Pingreq, *Pingresp, *Disconnect or *Auth.
type Packet interface {
	Type() Type
	// Append appends the packet as version v writes it. Fields that v does
	// not know (properties in 3.x) are left out. It fails only where the
	// packet cannot be said: a string over 65,535 bytes, no identifier, a
	// body over MaxRemainingLength; dst is then returned unchanged.
	Append(dst []byte, v mqtt.Version) ([]byte, error)
}

// A Header is the fixed header of a packet [MQTT3 §2.2] [MQTT5 §2.1].
type Header struct {
	Type      Type
	Flags     byte // the lower four bits of the first byte
	Remaining int  // remaining length: bytes that follow the header
	Size      int  // of the header itself, 2 to 5 bytes
}

// An Error reports a packet that breaks the specification. errors.Is sees its
// Reason.
type Error struct {
	Packet string          // "SUBSCRIBE"
	Clause string          // "MQTT5-3.8.3-5" or "MQTT3 §3.3.1": where the specification says so
	Detail string          // what is wrong, in a few words, no received bytes
	Reason mqtt.ReasonCode // what the peer is told
}

func (e *Error) Error() string {
	s := "mqtt: bad " + e.Packet + " [" + e.Clause + "]"
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap makes errors.Is(err, mqtt.MalformedPacket) work.
func (e *Error) Unwrap() error { return e.Reason }
