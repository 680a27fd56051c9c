package packet

import "github.com/matou-iot/matou/mqtt"

// A Pingreq asks whether the server is there [MQTT3 §3.12] [MQTT5 §3.12].
type Pingreq struct{}

// Type is TypePingreq.
func (p *Pingreq) Type() Type { return TypePingreq }

// Decode refuses a body: there is none.
func (p *Pingreq) Decode(h Header, body []byte, v mqtt.Version) error {
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	return c.end()
}

// Append appends the packet: see Packet.
func (p *Pingreq) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	return appendHeader(dst, TypePingreq, 0, 0), nil
}
