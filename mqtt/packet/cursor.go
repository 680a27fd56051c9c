package packet

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/matou-iot/matou/mqtt"
)

// A cursor reads one body from front to back. It fails once and stays failed:
// every read after that yields zeros, so that a decoder asks for the error
// only where it must decide something, and at the end. What it yields aliases
// the body.
type cursor struct {
	b      []byte
	off    int
	packet Type
	v      mqtt.Version
	err    *Error
}

// fail keeps the first complaint. three is the clause for 3.1 and 3.1.1, five
// the one for 5.0.
func (c *cursor) fail(reason mqtt.ReasonCode, three, five, detail string) {
	if c.err != nil {
		return
	}
	clause := three
	if c.v >= mqtt.V5 {
		clause = five
	}
	c.err = &Error{c.packet.String(), clause, detail, reason}
}

func (c *cursor) malformed(three, five, detail string) {
	c.fail(mqtt.MalformedPacket, three, five, detail)
}

// left is the number of bytes not read yet, 0 once failed.
func (c *cursor) left() int {
	if c.err != nil {
		return 0
	}
	return len(c.b) - c.off
}

// take yields the next n bytes, or fails where there are fewer.
func (c *cursor) take(n int) []byte {
	if n > c.left() {
		c.malformed("MQTT3 §2.2.3", "MQTT5 §2.1.4", "a field runs past the end of the packet")
		return nil
	}
	if c.err != nil {
		return nil
	}
	c.off += n
	return c.b[c.off-n : c.off : c.off]
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// varint reads a variable byte integer [MQTT5 §1.5.5].
func (c *cursor) varint() uint32 {
	var n uint32
	for shift := 0; shift < 28; shift += 7 {
		b := c.byte()
		if c.err != nil {
			return 0
		}
		n |= uint32(b&0x7F) << shift
		if b < 0x80 {
			if b == 0 && shift > 0 {
				c.malformed("MQTT5-1.5.5-1", "MQTT5-1.5.5-1", "a variable byte integer has more bytes than needed")
			}
			return n
		}
	}
	c.malformed("MQTT5 §1.5.5", "MQTT5 §1.5.5", "a variable byte integer has more than four bytes")
	return 0
}

// binary reads two bytes of length and as many bytes [MQTT5 §1.5.6]. It is nil
// only once failed.
func (c *cursor) binary() []byte {
	return c.take(int(c.uint16()))
}

// text reads a UTF-8 string [MQTT3 §1.5.3] and leaves it where it is.
func (c *cursor) text() []byte {
	b := c.binary()
	if !utf8.Valid(b) {
		c.malformed("MQTT3-1.5.3-1", "MQTT5-1.5.4-1", "a string is not UTF-8")
	}
	if bytes.IndexByte(b, 0) >= 0 {
		c.malformed("MQTT3-1.5.3-2", "MQTT5-1.5.4-2", "a string holds the null character")
	}
	return b
}

func (c *cursor) string() string { return string(c.text()) }

// topicName reads a topic name: text without wildcards [MQTT3-3.3.2-2].
func (c *cursor) topicName() []byte {
	b := c.text()
	if bytes.IndexByte(b, '+') >= 0 || bytes.IndexByte(b, '#') >= 0 {
		c.fail(mqtt.TopicNameInvalid, "MQTT3-3.3.2-2", "MQTT5-3.3.2-2", "a topic name holds a wildcard")
	}
	return b
}

// id reads a packet identifier, which is never 0 [MQTT3-2.3.1-1].
func (c *cursor) id() uint16 {
	id := c.uint16()
	if id == 0 {
		c.malformed("MQTT3-2.3.1-1", "MQTT5-2.2.1-3", "the packet identifier is 0")
	}
	return id
}

// rest yields all that is left.
func (c *cursor) rest() []byte { return c.take(c.left()) }

// end fails if anything is left, and returns the error. It is where every
// decoder ends.
func (c *cursor) end() error {
	if c.left() > 0 {
		c.malformed("MQTT3 §2.2.3", "MQTT5 §2.1.4", "bytes follow the last field")
	}
	if c.err != nil {
		return c.err
	}
	return nil
}

// open checks the header and begins to read its body.
func open(h Header, body []byte, v mqtt.Version) (cursor, error) {
	return cursor{b: body, packet: h.Type, v: v}, h.check(body, v)
}
