package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// An Unsuback answers an UNSUBSCRIBE, in 5.0 with one code a filter
// [MQTT3 §3.11] [MQTT5 §3.11].
type Unsuback struct {
	ID         uint16
	Reasons    []mqtt.ReasonCode // empty in 3.x, at least one in 5.0
	Properties *Properties
}

// Type is TypeUnsuback.
func (p *Unsuback) Type() Type { return TypeUnsuback }

// Decode overwrites p with the packet in body.
func (p *Unsuback) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Unsuback{}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	p.ID = c.id()
	if v >= mqtt.V5 {
		p.Properties = c.properties(TypeUnsuback)
		p.Reasons = c.reasons(TypeUnsuback)
	}
	return c.end()
}

// Append appends the packet: see Packet.
func (p *Unsuback) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	if v < mqtt.V5 {
		return appendAck(dst, TypeUnsuback, v, ack{id: p.ID})
	}
	z := sizer{n: 2 + len(p.Reasons)}
	z.properties(p.Properties, TypeUnsuback, v)
	if err := sayable(z, TypeUnsuback, p.ID, p.Reasons); err != nil {
		return dst, err
	}
	dst = appendHeader(dst, TypeUnsuback, 0, z.n)
	dst = binary.BigEndian.AppendUint16(dst, p.ID)
	dst = appendProperties(dst, p.Properties, TypeUnsuback, v)
	for _, r := range p.Reasons {
		dst = append(dst, byte(r))
	}
	return dst, nil
}
