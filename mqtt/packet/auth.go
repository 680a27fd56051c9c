package packet

import "github.com/matou-iot/matou/mqtt"

// An Auth carries enhanced authentication, 5.0 only [MQTT5 §3.15].
type Auth struct {
	Reason     mqtt.ReasonCode // Success, ContinueAuthentication or ReAuthenticate
	Properties *Properties
}

// Type is TypeAuth.
func (p *Auth) Type() Type { return TypeAuth }

// Decode overwrites p with the packet in body. Before 5.0 the type is
// reserved and the packet refused.
func (p *Auth) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Auth{}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	if v < mqtt.V5 {
		c.malformed("MQTT3 §2.2.1", "", "control packet type 15 is reserved before 5.0")
	}
	p.Reason, p.Properties = c.optionalReason(TypeAuth)
	return c.end()
}

// Append appends the packet: see Packet. It fails before 5.0.
func (p *Auth) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	if v < mqtt.V5 {
		return dst, cannot(TypeAuth, "MQTT3 §2.2.1", "control packet type 15 is reserved before 5.0")
	}
	return appendReason(dst, TypeAuth, v, p.Reason, p.Properties)
}
