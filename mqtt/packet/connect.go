package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// A Connect opens a session [MQTT3 §3.1] [MQTT5 §3.1].
type Connect struct {
	ProtocolName string // "MQTT" or "MQIsdp"; Append writes the one of the version
	Version      mqtt.Version
	CleanStart   bool   // clean session in 3.x
	KeepAlive    uint16 // seconds, 0 means off
	ClientID     string
	Will         *Will // nil without a will
	HasUsername  bool
	HasPassword  bool
	Username     string
	Password     []byte
	Properties   *Properties // nil in 3.x
}

// A Will is the message published when a connection ends without DISCONNECT.
type Will struct {
	Topic      string
	Payload    []byte
	QoS        mqtt.QoS
	Retain     bool
	Properties *Properties
}

// Bits of the connect flags [MQTT3 §3.1.2.3].
const (
	connectReserved   = 1 << 0
	connectCleanStart = 1 << 1
	connectWill       = 1 << 2
	connectWillRetain = 1 << 5
	connectPassword   = 1 << 6
	connectUsername   = 1 << 7
	connectWillQoS    = 3 << connectWillShift
	connectWillShift  = 3
)

// The protocol names: 3.1 has its own [MQTT3 §3.1.2.1].
const (
	protocolName   = "MQTT"
	protocolName31 = "MQIsdp"
)

// Type is TypeConnect.
func (p *Connect) Type() Type { return TypeConnect }

// Decode overwrites p with the packet in body. The version is the one that
// body says; the argument is ignored. After an error, p.Version holds the
// level that was asked for if the packet came that far, so that the refusal
// can be written in it: an error whose Reason is UnsupportedProtocolVersion,
// ClientIdentifierNotValid or, in 5.0, anything is answered with a CONNACK.
func (p *Connect) Decode(h Header, body []byte, _ mqtt.Version) error {
	*p = Connect{}
	c, err := open(h, body, 0)
	if err != nil {
		return err
	}
	p.protocol(&c)
	flags := c.byte()
	c.connectFlags(flags)
	if c.err != nil {
		return c.err
	}
	if err := h.check(body, p.Version); err != nil {
		return err
	}
	p.CleanStart = flags&connectCleanStart != 0
	p.KeepAlive = c.uint16()
	p.Properties = c.properties(TypeConnect)
	p.clientID(&c)
	if flags&connectWill != 0 {
		p.Will = c.will(flags)
	}
	p.login(&c, flags)
	return c.end()
}

// protocol reads name and level and decides the version to read on with.
func (p *Connect) protocol(c *cursor) {
	p.ProtocolName = c.string()
	p.Version = mqtt.Version(c.byte())
	if c.err != nil {
		return
	}
	switch p.ProtocolName {
	case protocolName31:
		if p.Version != mqtt.V31 {
			c.fail(mqtt.UnsupportedProtocolVersion, "MQTT3-3.1.2-2", "MQTT5-3.1.2-2", "MQIsdp has level 3 only")
		}
	case protocolName:
		if p.Version != mqtt.V311 && p.Version != mqtt.V5 {
			c.fail(mqtt.UnsupportedProtocolVersion, "MQTT3-3.1.2-2", "MQTT5-3.1.2-2", "MQTT has levels 4 and 5 only")
		}
	default:
		c.fail(mqtt.UnsupportedProtocolVersion, "MQTT3-3.1.2-1", "MQTT5-3.1.2-1", "the protocol name is neither MQTT nor MQIsdp")
	}
	c.v = p.Version
}

// connectFlags refuses the combinations that the version does not allow. 3.1
// leaves its unused bits open.
func (c *cursor) connectFlags(flags byte) {
	willQoS := flags & connectWillQoS >> connectWillShift
	if c.v > mqtt.V31 {
		if flags&connectReserved != 0 {
			c.malformed("MQTT3-3.1.2-3", "MQTT5-3.1.2-3", "the reserved connect flag is set")
		}
		if flags&connectWill == 0 && willQoS != 0 {
			c.malformed("MQTT3-3.1.2-13", "MQTT5-3.1.2-11", "a will QoS without a will")
		}
		if flags&connectWill == 0 && flags&connectWillRetain != 0 {
			c.malformed("MQTT3-3.1.2-15", "MQTT5-3.1.2-13", "a retained will without a will")
		}
	}
	if willQoS == 3 {
		c.malformed("MQTT3-3.1.2-14", "MQTT5-3.1.2-12", "will QoS 3 does not exist")
	}
	if c.v < mqtt.V5 && flags&connectUsername == 0 && flags&connectPassword != 0 {
		c.malformed("MQTT3-3.1.2-22", "", "a password without a user name")
	}
}

// clientID reads the client identifier. 5.0 lets the server choose one; 3.1.1
// too, for a clean session; 3.1 never.
func (p *Connect) clientID(c *cursor) {
	p.ClientID = c.string()
	if p.ClientID != "" || c.v == mqtt.V5 {
		return
	}
	if c.v == mqtt.V31 || !p.CleanStart {
		c.fail(mqtt.ClientIdentifierNotValid, "MQTT3-3.1.3-8", "", "the client identifier is empty")
	}
}

func (c *cursor) will(flags byte) *Will {
	w := &Will{
		QoS:    mqtt.QoS(flags & connectWillQoS >> connectWillShift),
		Retain: flags&connectWillRetain != 0,
	}
	w.Properties = c.properties(typeWill)
	w.Topic = string(c.topicName())
	if w.Topic == "" {
		c.fail(mqtt.TopicNameInvalid, "MQTT3-4.7.3-1", "MQTT5-4.7.3-1", "the will topic is empty")
	}
	w.Payload = c.binary()
	return w
}

// login reads user name and password. In 3.1 either may be missing although
// its flag is set: the remaining length takes precedence [MQTT3.1 §3.1].
func (p *Connect) login(c *cursor, flags byte) {
	there := func(flag byte) bool {
		return flags&flag != 0 && (c.v != mqtt.V31 || c.left() > 0)
	}
	if there(connectUsername) {
		p.HasUsername, p.Username = true, c.string()
	}
	if there(connectPassword) {
		p.HasPassword, p.Password = true, c.binary()
	}
}

// Append appends the packet: see Packet. The version is v, or p.Version where
// v is 0; the protocol name follows from it.
func (p *Connect) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	if v == 0 {
		v = p.Version
	}
	z, err := p.size(v)
	if err != nil {
		return dst, err
	}
	dst = appendHeader(dst, TypeConnect, 0, z.n)
	dst = appendString(dst, protocolNameOf(v))
	dst = append(dst, byte(v), p.flags())
	dst = binary.BigEndian.AppendUint16(dst, p.KeepAlive)
	dst = appendProperties(dst, p.Properties, TypeConnect, v)
	dst = appendString(dst, p.ClientID)
	if p.Will != nil {
		dst = appendProperties(dst, p.Will.Properties, typeWill, v)
		dst = appendString(dst, p.Will.Topic)
		dst = appendString(dst, p.Will.Payload)
	}
	if p.HasUsername {
		dst = appendString(dst, p.Username)
	}
	if p.HasPassword {
		dst = appendString(dst, p.Password)
	}
	return dst, nil
}

func protocolNameOf(v mqtt.Version) string {
	if v == mqtt.V31 {
		return protocolName31
	}
	return protocolName
}

func (p *Connect) size(v mqtt.Version) (z sizer, err error) {
	z.string(len(protocolNameOf(v)))
	z.add(1 + 1 + 2)
	z.properties(p.Properties, TypeConnect, v)
	z.string(len(p.ClientID))
	if p.Will != nil {
		z.properties(p.Will.Properties, typeWill, v)
		z.string(len(p.Will.Topic))
		z.string(len(p.Will.Payload))
	}
	if p.HasUsername {
		z.string(len(p.Username))
	}
	if p.HasPassword {
		z.string(len(p.Password))
	}
	switch {
	case v != mqtt.V31 && v != mqtt.V311 && v != mqtt.V5:
		return z, cannot(TypeConnect, "MQTT3-3.1.2-2", "the version does not exist")
	case p.Will != nil && !p.Will.QoS.Valid():
		return z, cannot(TypeConnect, "MQTT3-3.1.2-14", "will QoS 3 does not exist")
	case v < mqtt.V5 && p.HasPassword && !p.HasUsername:
		return z, cannot(TypeConnect, "MQTT3-3.1.2-22", "a password without a user name")
	}
	return z, z.err(TypeConnect)
}

func (p *Connect) flags() (f byte) {
	if p.CleanStart {
		f |= connectCleanStart
	}
	if p.Will != nil {
		f |= connectWill | byte(p.Will.QoS)<<connectWillShift
		if p.Will.Retain {
			f |= connectWillRetain
		}
	}
	if p.HasPassword {
		f |= connectPassword
	}
	if p.HasUsername {
		f |= connectUsername
	}
	return f
}
