package packet

import "github.com/matou-iot/matou/mqtt"

// A Connack answers a CONNECT [MQTT3 §3.2] [MQTT5 §3.2]. Reason is written as
// the return code of 3.x where that is the version: see ReturnCode.
type Connack struct {
	SessionPresent bool // written as false where Reason is a failure [MQTT3-3.2.2-4]; unknown to 3.1
	Reason         mqtt.ReasonCode
	Properties     *Properties
}

// Type is TypeConnack.
func (p *Connack) Type() Type { return TypeConnack }

// Decode overwrites p with the packet in body.
func (p *Connack) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Connack{}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	flags := c.byte()
	if v > mqtt.V31 { // 3.1 leaves this byte open
		p.SessionPresent = flags&1 == 1
		if flags > 1 {
			c.malformed("MQTT3 §3.2.2.1", "MQTT5-3.2.2-1", "a reserved bit of the acknowledge flags is set")
		}
	}
	if v >= mqtt.V5 {
		p.Reason = c.reason(TypeConnack)
		p.Properties = c.properties(TypeConnack)
	} else {
		p.Reason = c.returnCode()
	}
	if p.SessionPresent && p.Reason.Failed() {
		c.fail(mqtt.ProtocolError, "MQTT3-3.2.2-4", "MQTT5-3.2.2-6", "session present in a refusal")
	}
	return c.end()
}

// Append appends the packet: see Packet.
func (p *Connack) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	z := sizer{n: 2}
	z.properties(p.Properties, TypeConnack, v)
	if err := z.err(TypeConnack); err != nil {
		return dst, err
	}
	var flags byte
	if p.SessionPresent && !p.Reason.Failed() && v > mqtt.V31 {
		flags = 1
	}
	dst = appendHeader(dst, TypeConnack, 0, z.n)
	if v < mqtt.V5 {
		return append(dst, flags, ReturnCode(p.Reason)), nil
	}
	dst = append(dst, flags, byte(p.Reason))
	return appendProperties(dst, p.Properties, TypeConnack, v), nil
}

// The return codes of a 3.x CONNACK [MQTT3 §3.2.2.3].
const (
	returnAccepted = iota
	returnBadVersion
	returnBadClientID
	returnUnavailable
	returnBadLogin
	returnNotAuthorized
	returnCodes
)

// ReturnCode is the return code of a 3.x CONNACK for a reason, 0 to 5
// [MQTT3 §3.2.2.3]. What 3.x has no word for becomes 3, server unavailable:
// the client may try again.
func ReturnCode(reason mqtt.ReasonCode) byte {
	switch reason {
	case mqtt.UnsupportedProtocolVersion:
		return returnBadVersion
	case mqtt.ClientIdentifierNotValid:
		return returnBadClientID
	case mqtt.BadUserNameOrPassword, mqtt.BadAuthenticationMethod:
		return returnBadLogin
	case mqtt.NotAuthorized, mqtt.Banned:
		return returnNotAuthorized
	}
	if reason.Failed() {
		return returnUnavailable
	}
	return returnAccepted
}

// ReasonOf is the reason that a return code of a 3.x CONNACK stands for,
// UnspecifiedError for those that are reserved.
func ReasonOf(returnCode byte) mqtt.ReasonCode {
	switch returnCode {
	case returnAccepted:
		return mqtt.Success
	case returnBadVersion:
		return mqtt.UnsupportedProtocolVersion
	case returnBadClientID:
		return mqtt.ClientIdentifierNotValid
	case returnUnavailable:
		return mqtt.ServerUnavailable
	case returnBadLogin:
		return mqtt.BadUserNameOrPassword
	case returnNotAuthorized:
		return mqtt.NotAuthorized
	}
	return mqtt.UnspecifiedError
}

func (c *cursor) returnCode() mqtt.ReasonCode {
	code := c.byte()
	if code >= returnCodes {
		c.malformed("MQTT3 §3.2.2.3", "", "the return code is reserved")
	}
	return ReasonOf(code)
}
