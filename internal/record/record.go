// Package record is the durable facts and their bytes: what the feed keeps,
// what history and consumers read. A record, once written, is never written
// differently: a new shape gets a new version byte.
package record

import (
	"encoding/binary"
	"errors"
	"time"
)

// A Record is one fact in the order it happened.
type Record struct {
	Seq     uint64 // its place in the feed, set by the feed
	Kind    Kind
	Product string
	Device  string
	Time    time.Time // of arrival, milliseconds
	TraceID uint64    // the timeline's entry, 0 for none
	Body    []byte    // of the kind; aliases what was decoded
}

// A Kind is what a record tells.
type Kind byte

// The kinds of records.
const (
	PropertyReport Kind = iota + 1 // Body: a Report
	EventReport                    // Body: an Event
	CommandSent                    // Body: a Command
	CommandDone                    // Body: a Command
	StatusChange                   // Body: text, the new state
)

// String is the kind's word.
func (k Kind) String() string {
	switch k {
	case PropertyReport:
		return "property"
	case EventReport:
		return "event"
	case CommandSent, CommandDone:
		return "command"
	case StatusChange:
		return "status"
	}
	return "unknown"
}

// ErrCorrupt says that bytes are no record.
var ErrCorrupt = errors.New("record: corrupt")

// The bounds of a record.
const (
	maxName = 256     // bytes of a product key or device name
	maxBody = 4 << 20 // bytes of a body
)

const version = 1

// Append appends r without its Seq, with its length in front, so that several
// stand one behind the other.
func (r *Record) Append(dst []byte) []byte {
	size := 1 + 1 + uvarintLen(uint64(len(r.Product))) + len(r.Product) + uvarintLen(uint64(len(r.Device))) + len(r.Device) + 8 + 8 + len(r.Body)
	dst = binary.AppendUvarint(dst, uint64(size))
	dst = append(dst, version, byte(r.Kind))
	dst = appendText(dst, r.Product)
	dst = appendText(dst, r.Device)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Time.UnixMilli()))
	dst = binary.BigEndian.AppendUint64(dst, r.TraceID)
	return append(dst, r.Body...)
}

func uvarintLen(v uint64) (n int) {
	for n = 1; v >= 0x80; n++ {
		v >>= 7
	}
	return n
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Decode reads the record that b begins with and returns what is behind it.
func Decode(b []byte) (r Record, rest []byte, err error) {
	c := cursor{b: b}
	size := c.uvarint(maxBody + 2*maxName + 64)
	body := cursor{b: c.bytes(size)}
	if c.bad || body.byte() != version {
		return Record{}, nil, ErrCorrupt
	}
	r.Kind = Kind(body.byte())
	r.Product = body.text(maxName)
	r.Device = body.text(maxName)
	r.Time = time.UnixMilli(int64(body.uint64())).UTC()
	r.TraceID = body.uint64()
	r.Body = body.b
	if body.bad {
		return Record{}, nil, ErrCorrupt
	}
	return r, c.b, nil
}

// A cursor reads bytes; it fails once and stays failed.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) bytes(n int) []byte {
	if c.bad || n < 0 || n > len(c.b) {
		c.bad = true
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte() byte {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// uvarint reads a length of at most limit.
func (c *cursor) uvarint(limit int) int {
	v, n := binary.Uvarint(c.b)
	if c.bad || n <= 0 || v > uint64(limit) {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return int(v)
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if c.bad || n <= 0 {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) text(limit int) string { return string(c.bytes(c.uvarint(limit))) }
