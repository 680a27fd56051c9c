package packet

import "github.com/matou-iot/matou/mqtt"

// A Disconnect ends a connection [MQTT3 §3.14] [MQTT5 §3.14].
type Disconnect struct {
	Reason     mqtt.ReasonCode // 5.0 only, Success is the normal end
	Properties *Properties
}

// Type is TypeDisconnect.
func (p *Disconnect) Type() Type { return TypeDisconnect }

// Decode overwrites p with the packet in body.
func (p *Disconnect) Decode(h Header, body []byte, v mqtt.Version) error {
	*p = Disconnect{}
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	if v >= mqtt.V5 {
		p.Reason, p.Properties = c.optionalReason(TypeDisconnect)
	}
	return c.end()
}

// Append appends the packet: see Packet. In 3.x it is always the normal end.
func (p *Disconnect) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	return appendReason(dst, TypeDisconnect, v, p.Reason, p.Properties)
}
