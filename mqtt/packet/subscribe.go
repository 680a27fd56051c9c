package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// A Subscribe asks for messages [MQTT3 §3.8] [MQTT5 §3.8].
type Subscribe struct {
	ID            uint16
	Subscriptions []Subscription // at least one
	Properties    *Properties
}

// A Subscription is one filter of a SUBSCRIBE with its options. 3.x has QoS
// only.
type Subscription struct {
	Filter            string // UTF-8, otherwise not checked: see mqtt.ValidFilter
	QoS               mqtt.QoS
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    byte // 0 send retained, 1 only if new, 2 never
}

// Bits of the subscription options [MQTT5 §3.8.3.1].
const (
	optionQoS               = 0b0000_0011
	optionNoLocal           = 0b0000_0100
	optionRetainAsPublished = 0b0000_1000
	optionRetainHandling    = 0b0011_0000
	optionReserved          = 0b1100_0000
	shiftRetainHandling     = 4
)

// Type is TypeSubscribe.
func (p *Subscribe) Type() Type { return TypeSubscribe }

// Decode overwrites p with the packet in body.
func (p *Subscribe) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Subscribe{}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	p.ID = c.id()
	p.Properties = c.properties(TypeSubscribe)
	if c.err == nil && c.left() == 0 {
		c.fail(mqtt.ProtocolError, "MQTT3-3.8.3-3", "MQTT5-3.8.3-2", "no topic filter")
	}
	for c.left() > 0 {
		if len(p.Subscriptions) == maxSubscriptionsPerPacket {
			c.fail(mqtt.QuotaExceeded, "MQTT3 §3.8.3", "MQTT5 §3.8.3", "more than 8192 topic filters")
			break
		}
		p.Subscriptions = append(p.Subscriptions, c.subscription())
	}
	return c.end()
}

func (c *cursor) subscription() Subscription {
	s := Subscription{Filter: c.string()}
	o := c.byte()
	s.QoS = mqtt.QoS(o & optionQoS)
	switch c.v {
	case mqtt.V31: // leaves the other bits open
		if !s.QoS.Valid() {
			c.malformed("MQTT3-3.8.3-4", "", "QoS 3 does not exist")
		}
	case mqtt.V5:
		s.NoLocal = o&optionNoLocal != 0
		s.RetainAsPublished = o&optionRetainAsPublished != 0
		s.RetainHandling = o & optionRetainHandling >> shiftRetainHandling
		c.options(o, s)
	default:
		if o > byte(mqtt.ExactlyOnce) {
			c.malformed("MQTT3-3.8.3-4", "", "the requested QoS is not 0, 1 or 2")
		}
	}
	return s
}

// options refuses what 5.0 does not allow in the byte o.
func (c *cursor) options(o byte, s Subscription) {
	if o&optionReserved != 0 {
		c.malformed("", "MQTT5-3.8.3-5", "a reserved bit of the subscription options is set")
	}
	if !s.QoS.Valid() {
		c.fail(mqtt.ProtocolError, "", "MQTT5 §3.8.3.1", "QoS 3 does not exist")
	}
	if s.RetainHandling == 3 {
		c.fail(mqtt.ProtocolError, "", "MQTT5 §3.8.3.1", "retain handling 3 does not exist")
	}
	if _, _, shared := mqtt.SplitShared(s.Filter); shared && s.NoLocal {
		c.fail(mqtt.ProtocolError, "", "MQTT5-3.8.3-4", "no local in a shared subscription")
	}
}

// Append appends the packet: see Packet.
func (p *Subscribe) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	z, err := p.size(v)
	if err != nil {
		return dst, err
	}
	dst = appendHeader(dst, TypeSubscribe, flagReserved, z.n)
	dst = binary.BigEndian.AppendUint16(dst, p.ID)
	dst = appendProperties(dst, p.Properties, TypeSubscribe, v)
	for _, s := range p.Subscriptions {
		dst = appendString(dst, s.Filter)
		dst = append(dst, s.options(v))
	}
	return dst, nil
}

func (p *Subscribe) size(v mqtt.Version) (z sizer, err error) {
	if err := needID(TypeSubscribe, p.ID); err != nil {
		return z, err
	}
	if len(p.Subscriptions) == 0 {
		return z, cannot(TypeSubscribe, "MQTT3-3.8.3-3", "no topic filter")
	}
	z.add(2)
	z.properties(p.Properties, TypeSubscribe, v)
	for _, s := range p.Subscriptions {
		if !s.QoS.Valid() || s.RetainHandling > 2 {
			return z, cannot(TypeSubscribe, "MQTT5 §3.8.3.1", "an option is out of its range")
		}
		z.string(len(s.Filter))
		z.add(1)
	}
	return z, z.err(TypeSubscribe)
}

func (s Subscription) options(v mqtt.Version) byte {
	o := byte(s.QoS)
	if v < mqtt.V5 {
		return o
	}
	if s.NoLocal {
		o |= optionNoLocal
	}
	if s.RetainAsPublished {
		o |= optionRetainAsPublished
	}
	return o | s.RetainHandling<<shiftRetainHandling
}
