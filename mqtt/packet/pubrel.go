package packet

import "github.com/matou-iot/matou/mqtt"

// A Pubrel answers a PUBREC: the message may be forgotten
// [MQTT3 §3.6] [MQTT5 §3.6].
type Pubrel struct {
	ID         uint16
	Reason     mqtt.ReasonCode // 5.0 only, Success where it is left out
	Properties *Properties
}

// Type is TypePubrel.
func (p *Pubrel) Type() Type { return TypePubrel }

// Decode overwrites p with the packet in body. Without properties it allocates
// nothing.
func (p *Pubrel) Decode(h Header, body []byte, v mqtt.Version) error {
	a, err := decodeAck(h, body, v)
	*p = Pubrel{a.id, a.reason, a.properties}
	return err
}

// Append appends the packet: see Packet.
func (p *Pubrel) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	return appendAck(dst, TypePubrel, v, ack{p.ID, p.Reason, p.Properties})
}
