package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// A Suback answers a SUBSCRIBE, one code a filter [MQTT3 §3.9] [MQTT5 §3.9].
// 3.x knows one failure, 0x80, which every other becomes.
type Suback struct {
	ID         uint16
	Reasons    []mqtt.ReasonCode // at least one
	Properties *Properties
}

// Type is TypeSuback.
func (p *Suback) Type() Type { return TypeSuback }

// Decode overwrites p with the packet in body.
func (p *Suback) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Suback{}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	p.ID = c.id()
	p.Properties = c.properties(TypeSuback)
	p.Reasons = c.reasons(TypeSuback)
	return c.end()
}

// Append appends the packet: see Packet.
func (p *Suback) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	z := sizer{n: 2 + len(p.Reasons)}
	z.properties(p.Properties, TypeSuback, v)
	if err := sayable(z, TypeSuback, p.ID, p.Reasons); err != nil {
		return dst, err
	}
	dst = appendHeader(dst, TypeSuback, 0, z.n)
	dst = binary.BigEndian.AppendUint16(dst, p.ID)
	dst = appendProperties(dst, p.Properties, TypeSuback, v)
	for _, r := range p.Reasons {
		if v < mqtt.V5 && r.Failed() {
			r = mqtt.UnspecifiedError
		}
		dst = append(dst, byte(r))
	}
	return dst, nil
}

// sayable holds what SUBACK and UNSUBACK need: an identifier and a code for
// each filter.
func sayable(z sizer, t Type, id uint16, reasons []mqtt.ReasonCode) error {
	if err := needID(t, id); err != nil {
		return err
	}
	if len(reasons) == 0 {
		return cannot(t, "MQTT3 §3.9.3", "no reason code")
	}
	return z.err(t)
}
