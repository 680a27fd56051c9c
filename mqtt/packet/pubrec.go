package packet

import "github.com/matou-iot/matou/mqtt"

// A Pubrec is the first answer to a QoS 2 PUBLISH
// [MQTT3 §3.5] [MQTT5 §3.5].
type Pubrec struct {
	ID         uint16
	Reason     mqtt.ReasonCode // 5.0 only, Success where it is left out
	Properties *Properties
}

// Type is TypePubrec.
func (p *Pubrec) Type() Type { return TypePubrec }

// Decode overwrites p with the packet in body. Without properties it allocates
// nothing.
func (p *Pubrec) Decode(h Header, body []byte, v mqtt.Version) error {
	a, err := decodeAck(h, body, v)
	*p = Pubrec{a.id, a.reason, a.properties}
	return err
}

// Append appends the packet: see Packet.
func (p *Pubrec) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	return appendAck(dst, TypePubrec, v, ack{p.ID, p.Reason, p.Properties})
}
