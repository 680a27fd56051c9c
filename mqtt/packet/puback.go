package packet

import "github.com/matou-iot/matou/mqtt"

// A Puback acknowledges a QoS 1 PUBLISH
// [MQTT3 §3.4] [MQTT5 §3.4].
type Puback struct {
	ID         uint16
	Reason     mqtt.ReasonCode // 5.0 only, Success where it is left out
	Properties *Properties
}

// Type is TypePuback.
func (p *Puback) Type() Type { return TypePuback }

// Decode overwrites p with the packet in body. Without properties it allocates
// nothing.
func (p *Puback) Decode(h Header, body []byte, v mqtt.Version) error {
	a, err := decodeAck(h, body, v)
	*p = Puback{a.id, a.reason, a.properties}
	return err
}

// Append appends the packet: see Packet.
func (p *Puback) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	return appendAck(dst, TypePuback, v, ack{p.ID, p.Reason, p.Properties})
}
