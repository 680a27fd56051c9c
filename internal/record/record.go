// Package record is the durable facts and their bytes: what the feed keeps,
// what history and consumers read. A record, once written, is never written
// differently: a new shape gets a new version byte.
package record

import (
	"encoding/binary"
	"errors"
	"fmt"
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
	FileArrived                    // Body: a File
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
	case FileArrived:
		return "file"
	}
	return "unknown"
}

// Errors to be tested with errors.Is; what they are wrapped in names the part.
var (
	// ErrCorrupt says that bytes are no record.
	ErrCorrupt = errors.New("record: corrupt")
	// ErrUnfit says that something cannot be kept: it is longer than what is
	// read back, or no value at all. Nothing of it was appended.
	ErrUnfit = errors.New("record: cannot be kept")
	// ErrFull says that a report holds no more: begin another.
	ErrFull = errors.New("record: the report is full")
)

// unfit says that size bytes of something are more than may be kept.
func unfit(what string, size, most int) error {
	return fmt.Errorf("%w: %s of %d bytes, the most is %d", ErrUnfit, what, size, most)
}

// fits returns the error for a text that is too long.
func fits(what, s string, most int) error {
	if len(s) > most {
		return unfit(what, len(s), most)
	}
	return nil
}

// The bounds of a record.
const (
	maxName = 256     // bytes of a product key or device name
	maxBody = 4 << 20 // bytes of a body

	maxRecord = maxBody + 2*maxName + 64 // the body with its head
)

const version = 1

// Append appends r without its Seq, with its length in front, so that several
// stand one behind the other. The error is ErrUnfit.
func (r *Record) Append(dst []byte) ([]byte, error) {
	if err := errors.Join(fits("product key", r.Product, maxName), fits("device name", r.Device, maxName)); err != nil {
		return dst, err
	}
	if len(r.Body) > maxBody {
		return dst, unfit("body", len(r.Body), maxBody)
	}
	size := 1 + 1 + uvarintLen(uint64(len(r.Product))) + len(r.Product) + uvarintLen(uint64(len(r.Device))) + len(r.Device) + 8 + 8 + len(r.Body)
	dst = binary.AppendUvarint(dst, uint64(size))
	dst = append(dst, version, byte(r.Kind))
	dst = appendText(dst, r.Product)
	dst = appendText(dst, r.Device)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Time.UnixMilli()))
	dst = binary.BigEndian.AppendUint64(dst, r.TraceID)
	return append(dst, r.Body...), nil
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
// The error is ErrCorrupt and names the field.
func Decode(b []byte) (r Record, rest []byte, err error) {
	outer := cursor{b: b}
	size := outer.uvarint("length", maxRecord)
	c := cursor{b: outer.bytes("length", size), bad: outer.bad}
	c.version()
	r.Kind = Kind(c.byte("kind"))
	r.Product = c.text("product key", maxName)
	r.Device = c.text("device name", maxName)
	r.Time = time.UnixMilli(int64(c.uint64("time"))).UTC()
	r.TraceID = c.uint64("timeline entry")
	r.Body = c.b
	if len(r.Body) > maxBody {
		c.fail("body")
	}
	if err := c.err("record"); err != nil {
		return Record{}, nil, err
	}
	return r, outer.b, nil
}

// A cursor reads bytes; it fails once and stays failed.
type cursor struct {
	b   []byte
	bad string // the field at which it failed, "" while it has not
}

func (c *cursor) fail(what string) {
	if c.bad == "" {
		c.bad = what
	}
	c.b = nil
}

// err says where it failed.
func (c *cursor) err(kind string) error {
	if c.bad == "" {
		return nil
	}
	return fmt.Errorf("%w: %s of %s", ErrCorrupt, c.bad, kind)
}

// end fails if something is left.
func (c *cursor) end() {
	if len(c.b) > 0 {
		c.fail("end")
	}
}

func (c *cursor) version() {
	if c.byte("version") != version {
		c.fail("version")
	}
}

func (c *cursor) bytes(what string, n int) []byte {
	if c.bad != "" || n < 0 || n > len(c.b) {
		c.fail(what)
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte(what string) byte {
	if b := c.bytes(what, 1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint64(what string) uint64 {
	if b := c.bytes(what, 8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// uvarint reads a length of at most limit.
func (c *cursor) uvarint(what string, limit int) int {
	v, n := binary.Uvarint(c.b)
	if c.bad != "" || n <= 0 || v > uint64(limit) {
		c.fail(what)
		return 0
	}
	c.b = c.b[n:]
	return int(v)
}

func (c *cursor) varint(what string) int64 {
	v, n := binary.Varint(c.b)
	if c.bad != "" || n <= 0 {
		c.fail(what)
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) text(what string, limit int) string {
	return string(c.bytes(what, c.uvarint(what, limit)))
}
