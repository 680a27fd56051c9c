package packet

import "github.com/matou-iot/matou/mqtt"

// A Pubcomp ends a QoS 2 exchange
// [MQTT3 §3.7] [MQTT5 §3.7].
type Pubcomp struct {
	ID         uint16
	Reason     mqtt.ReasonCode // 5.0 only, Success where it is left out
	Properties *Properties
}

// Type is TypePubcomp.
func (p *Pubcomp) Type() Type { return TypePubcomp }

// Decode overwrites p with the packet in body. Without properties it allocates
// nothing.
func (p *Pubcomp) Decode(h Header, body []byte, v mqtt.Version) error {
	a, err := decodeAck(h, body, v)
	*p = Pubcomp{a.id, a.reason, a.properties}
	return err
}

// Append appends the packet: see Packet.
func (p *Pubcomp) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	return appendAck(dst, TypePubcomp, v, ack{p.ID, p.Reason, p.Properties})
}
