package packet

import (
	"strings"

	"github.com/matou-iot/matou/mqtt"
)

// reasonCodes are the reason codes that each 5.0 packet may carry, one a byte
// [MQTT5 table 2-6].
var reasonCodes = [16]string{
	TypeConnack:  "\x00\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8A\x8C\x90\x95\x97\x99\x9A\x9B\x9C\x9D\x9F",
	TypePuback:   "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	TypePubrec:   "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	TypePubrel:   "\x00\x92",
	TypePubcomp:  "\x00\x92",
	TypeSuback:   "\x00\x01\x02\x80\x83\x87\x8F\x91\x97\x9E\xA1\xA2",
	TypeUnsuback: "\x00\x11\x80\x83\x87\x8F\x91",
	TypeDisconnect: "\x00\x04\x80\x81\x82\x83\x87\x89\x8B\x8D\x8E\x8F\x90\x93\x94\x95\x96\x97\x98\x99\x9A\x9B" +
		"\x9C\x9D\x9E\x9F\xA0\xA1\xA2",
	TypeAuth: "\x00\x18\x19",
}

// reasonClauses say that a packet carries one of its own codes.
var reasonClauses = [16]string{
	TypeConnack: "MQTT5-3.2.2-8", TypePuback: "MQTT5-3.4.2-1", TypePubrec: "MQTT5-3.5.2-1",
	TypePubrel: "MQTT5-3.6.2-1", TypePubcomp: "MQTT5-3.7.2-1", TypeSuback: "MQTT5-3.9.3-2",
	TypeUnsuback: "MQTT5-3.11.3-2", TypeDisconnect: "MQTT5-3.14.2-1", TypeAuth: "MQTT5-3.15.2-1",
}

// reason reads a reason code of a packet t in 5.0.
func (c *cursor) reason(t Type) mqtt.ReasonCode {
	b := c.byte()
	if c.err == nil && strings.IndexByte(reasonCodes[t], b) < 0 {
		c.malformed("", reasonClauses[t], "this packet does not have that reason code")
	}
	return mqtt.ReasonCode(b)
}

// optionalReason reads the reason code and the properties of a DISCONNECT or
// AUTH, which may be left out from the back [MQTT5 §3.14.2.1].
func (c *cursor) optionalReason(t Type) (r mqtt.ReasonCode, p *Properties) {
	if c.left() > 0 {
		r = c.reason(t)
	}
	if c.left() > 0 {
		p = c.properties(t)
	}
	return r, p
}

// appendReason appends a packet that is a reason code and properties, as short
// as it can be said.
func appendReason(dst []byte, t Type, v mqtt.Version, r mqtt.ReasonCode, p *Properties) ([]byte, error) {
	if v < mqtt.V5 || r == mqtt.Success && p == nil {
		return appendHeader(dst, t, 0, 0), nil
	}
	if p == nil {
		return append(appendHeader(dst, t, 0, 1), byte(r)), nil
	}
	z := sizer{n: 1}
	z.properties(p, t, v)
	if err := z.err(t); err != nil {
		return dst, err
	}
	dst = append(appendHeader(dst, t, 0, z.n), byte(r))
	return appendProperties(dst, p, t, v), nil
}

// reasons reads the codes of a SUBACK or UNSUBACK, one a filter, to the end.
func (c *cursor) reasons(t Type) []mqtt.ReasonCode {
	if c.err == nil && c.left() == 0 {
		c.fail(mqtt.ProtocolError, "MQTT3 §3.9.3", "MQTT5 §3.9.3", "no reason code")
	}
	if c.left() > maxSubscriptionsPerPacket {
		c.fail(mqtt.QuotaExceeded, "MQTT3 §3.9.3", "MQTT5 §3.9.3", "more than 8192 reason codes")
	}
	if c.err != nil {
		return nil
	}
	codes := make([]mqtt.ReasonCode, 0, c.left())
	for c.left() > 0 {
		codes = append(codes, c.reasonOfFilter(t))
	}
	return codes
}

// reasonOfFilter reads one code. 3.x has three successes and one failure
// [MQTT3-3.9.3-2].
func (c *cursor) reasonOfFilter(t Type) mqtt.ReasonCode {
	if c.v >= mqtt.V5 {
		return c.reason(t)
	}
	b := c.byte()
	if b > byte(mqtt.GrantedQoS2) && b != byte(mqtt.UnspecifiedError) {
		c.malformed("MQTT3-3.9.3-2", "", "this packet does not have that return code")
	}
	return mqtt.ReasonCode(b)
}
