package packet

import (
	"encoding/binary"

	"github.com/matou-iot/matou/mqtt"
)

// cannot is the error of an Append whose packet cannot be said.
func cannot(t Type, clause, detail string) error {
	return &Error{t.String(), clause, detail, mqtt.ImplementationSpecificError}
}

func appendString[S string | []byte](dst []byte, s S) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// A sizer adds up the bytes of a body before it is written, and notes what
// has no wire form.
type sizer struct {
	n         int
	longText  bool // a string over maxString
	bigNumber bool // a number over MaxRemainingLength where a variable byte integer stands
}

func (z *sizer) add(n int) { z.n += n }

// string adds the two bytes of length and the n bytes of a string.
func (z *sizer) string(n int) {
	z.n += 2 + n
	z.longText = z.longText || n > maxString
}

// err reports what keeps the body from being said.
func (z *sizer) err(t Type) error {
	switch {
	case z.longText:
		return cannot(t, "MQTT3 §1.5.3", "a string is longer than 65535 bytes")
	case z.bigNumber:
		return cannot(t, "MQTT5 §1.5.5", "a number is greater than 268435455")
	case z.n > MaxRemainingLength:
		return cannot(t, "MQTT3 §2.2.3", "the packet is longer than 268435455 bytes")
	}
	return nil
}

// needID refuses the packet identifier 0.
func needID(t Type, id uint16) error {
	if id == 0 {
		return cannot(t, "MQTT3-2.3.1-1", "the packet identifier is 0")
	}
	return nil
}
