package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// A Publish carries a message [MQTT3 §3.3] [MQTT5 §3.3].
type Publish struct {
	Dup        bool
	QoS        mqtt.QoS
	Retain     bool
	Topic      []byte // empty only in 5.0 with a topic alias
	ID         uint16 // 0 at QoS 0
	Properties *Properties
	Payload    []byte
}

// Type is TypePublish.
func (p *Publish) Type() Type { return TypePublish }

// Decode overwrites p with the packet in body. Topic and Payload alias body;
// Properties is nil where their length is 0. Without properties it allocates
// nothing.
func (p *Publish) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Publish{
		Dup:    h.Flags&flagDup != 0,
		QoS:    mqtt.QoS(h.Flags >> shiftQoS & 3),
		Retain: h.Flags&flagRetain != 0,
	}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	if !p.QoS.Valid() {
		c.malformed("MQTT3-3.3.1-4", "MQTT5-3.3.1-4", "QoS 3 does not exist")
	}
	if p.Dup && p.QoS == mqtt.AtMostOnce {
		c.malformed("MQTT3-3.3.1-2", "MQTT5-3.3.1-2", "DUP is set at QoS 0")
	}
	p.Topic = c.topicName()
	if p.QoS > mqtt.AtMostOnce {
		p.ID = c.id()
	}
	p.Properties = c.properties(TypePublish)
	if len(p.Topic) == 0 {
		p.needAlias(&c)
	}
	p.Payload = c.rest()
	return c.end()
}

// needAlias refuses an empty topic name, which only a topic alias can stand
// for.
func (p *Publish) needAlias(c *cursor) {
	if p.Properties != nil && p.Properties.TopicAlias != nil {
		return
	}
	reason := mqtt.TopicNameInvalid
	if c.v >= mqtt.V5 {
		reason = mqtt.ProtocolError
	}
	c.fail(reason, "MQTT3-4.7.3-1", "MQTT5 §3.3.2.1", "the topic name is empty")
}

// Append appends the packet: see Packet. It allocates nothing where dst has
// room.
func (p *Publish) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	if p.QoS > mqtt.AtMostOnce {
		if err := needID(TypePublish, p.ID); err != nil {
			return dst, err
		}
	}
	dst, _, err := p.AppendShared(dst, v)
	return dst, err
}

// AppendPublish is p.Append, for those who have no interface in between.
func AppendPublish(dst []byte, v mqtt.Version, p *Publish) ([]byte, error) {
	return p.Append(dst, v)
}

// AppendShared appends the packet as many receivers of one version and QoS
// share it. idOffset is where in out the two bytes of the packet identifier
// stand, for each receiver to fill in his copy; it is -1 at QoS 0. Unlike
// Append it takes the ID 0. DUP, also of one receiver only, is flag 0x08 of
// the first byte.
func (p *Publish) AppendShared(dst []byte, v mqtt.Version) (out []byte, idOffset int, err error) {
	z := sizer{n: len(p.Payload)}
	z.string(len(p.Topic))
	if p.QoS > mqtt.AtMostOnce {
		z.add(2)
	}
	z.properties(p.Properties, TypePublish, v)
	if err := z.err(TypePublish); err != nil {
		return dst, -1, err
	}
	if !p.QoS.Valid() {
		return dst, -1, cannot(TypePublish, "MQTT3-3.3.1-4", "QoS 3 does not exist")
	}
	dst = appendHeader(dst, TypePublish, p.flags(), z.n)
	dst = appendString(dst, p.Topic)
	idOffset = -1
	if p.QoS > mqtt.AtMostOnce {
		idOffset = len(dst)
		dst = binary.BigEndian.AppendUint16(dst, p.ID)
	}
	dst = appendProperties(dst, p.Properties, TypePublish, v)
	return append(dst, p.Payload...), idOffset, nil
}

// flags are those of the first byte. DUP does not exist at QoS 0
// [MQTT3-3.3.1-2].
func (p *Publish) flags() byte {
	f := byte(p.QoS) << shiftQoS
	if p.Retain {
		f |= flagRetain
	}
	if p.Dup && p.QoS > mqtt.AtMostOnce {
		f |= flagDup
	}
	return f
}
