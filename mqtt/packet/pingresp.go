package packet

import "github.com/matou-iot/matou/mqtt"

// A Pingresp answers a PINGREQ [MQTT3 §3.13] [MQTT5 §3.13].
type Pingresp struct{}

// Type is TypePingresp.
func (p *Pingresp) Type() Type { return TypePingresp }

// Decode refuses a body: there is none.
func (p *Pingresp) Decode(h Header, body []byte, v mqtt.Version) error {
	c, err := open(h, body, v)
	if err != nil {
		return err
	}
	return c.end()
}

// Append appends the packet: see Packet.
func (p *Pingresp) Append(dst []byte, v mqtt.Version) ([]byte, error) {
	return appendHeader(dst, TypePingresp, 0, 0), nil
}
