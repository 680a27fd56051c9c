package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// PUBACK, PUBREC, PUBREL and PUBCOMP have one form [MQTT3 §3.4] [MQTT5 §3.4]:
// an identifier and, in 5.0, a reason code and properties, which may be left
// out from the back.
type ack struct {
	id         uint16
	reason     mqtt.ReasonCode
	properties *Properties
}

func decodeAck(h Header, body []byte, v mqtt.Version) (a ack, err error) {
	c, err := open(h, body, v)
	if err != nil {
		return a, err
	}
	a.id = c.id()
	if v >= mqtt.V5 && c.left() > 0 { // left out: Success [MQTT5 §3.4.2.1]
		a.reason = c.reason(h.Type)
	}
	if v >= mqtt.V5 && c.left() > 0 { // left out: none [MQTT5 §3.4.2.2.1]
		a.properties = c.properties(h.Type)
	}
	return a, c.end()
}

func appendAck(dst []byte, t Type, v mqtt.Version, a ack) ([]byte, error) {
	if err := needID(t, a.id); err != nil {
		return dst, err
	}
	z := sizer{n: 2}
	withReason := v >= mqtt.V5 && (a.reason != mqtt.Success || a.properties != nil)
	if withReason {
		z.add(1)
	}
	if withReason && a.properties != nil {
		z.properties(a.properties, t, v)
	}
	if err := z.err(t); err != nil {
		return dst, err
	}
	dst = appendHeader(dst, t, wantFlags(t), z.n)
	dst = binary.BigEndian.AppendUint16(dst, a.id)
	if withReason {
		dst = append(dst, byte(a.reason))
	}
	if withReason && a.properties != nil {
		dst = appendProperties(dst, a.properties, t, v)
	}
	return dst, nil
}
