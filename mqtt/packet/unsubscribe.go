package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// An Unsubscribe ends subscriptions [MQTT3 §3.10] [MQTT5 §3.10].
type Unsubscribe struct {
	ID         uint16
	Filters    []string // at least one; UTF-8, otherwise not checked
	Properties *Properties
}

// Type is TypeUnsubscribe.
func (p *Unsubscribe) Type() Type { return TypeUnsubscribe }

// Decode overwrites p with the packet in body.
func (p *Unsubscribe) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Unsubscribe{}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	p.ID = c.id()
	p.Properties = c.properties(TypeUnsubscribe)
	if c.err == nil && c.left() == 0 {
		c.fail(mqtt.ProtocolError, "MQTT3-3.10.3-2", "MQTT5-3.10.3-2", "no topic filter")
	}
	for c.left() > 0 {
		if len(p.Filters) == maxSubscriptionsPerPacket {
			c.fail(mqtt.QuotaExceeded, "MQTT3 §3.10.3", "MQTT5 §3.10.3", "more than 8192 topic filters")
			break
		}
		p.Filters = append(p.Filters, c.string())
	}
	return c.end()
}

// Append appends the packet: see Packet.
func (p *Unsubscribe) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	if err := needID(TypeUnsubscribe, p.ID); err != nil {
		return dst, err
	}
	if len(p.Filters) == 0 {
		return dst, cannot(TypeUnsubscribe, "MQTT3-3.10.3-2", "no topic filter")
	}
	z := sizer{n: 2}
	z.properties(p.Properties, TypeUnsubscribe, v)
	for _, f := range p.Filters {
		z.string(len(f))
	}
	if err := z.err(TypeUnsubscribe); err != nil {
		return dst, err
	}
	dst = appendHeader(dst, TypeUnsubscribe, flagReserved, z.n)
	dst = binary.BigEndian.AppendUint16(dst, p.ID)
	dst = appendProperties(dst, p.Properties, TypeUnsubscribe, v)
	for _, f := range p.Filters {
		dst = appendString(dst, f)
	}
	return dst, nil
}
