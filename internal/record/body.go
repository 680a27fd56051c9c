package record

import (
	"encoding/binary"
	"time"

	"github.com/matou-iot/matou/thing"
)

// An Event is what happened on a device.
type Event struct {
	Event  string
	Level  thing.Level
	Output string // compact JSON object
	Time   time.Time
}

// Append appends an event.
func (e Event) Append(dst []byte) []byte {
	dst = append(dst, version, byte(e.Level))
	dst = appendText(dst, e.Event)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Time.UnixMilli()))
	return appendText(dst, e.Output)
}

// DecodeEvent reads an event.
func DecodeEvent(b []byte) (Event, error) {
	c := cursor{b: b}
	if c.byte() != version {
		return Event{}, ErrCorrupt
	}
	var e Event
	e.Level = thing.Level(c.byte())
	e.Event = c.text(maxName)
	e.Time = c.time()
	e.Output = c.text(maxText)
	if c.bad || len(c.b) > 0 {
		return Event{}, ErrCorrupt
	}
	return e, nil
}

// A Command is an order to a device and how far it has come.
type Command struct {
	ID      string
	Kind    string // set, invoke
	Service string
	Input   string // compact JSON
	Output  string // compact JSON, "" for none
	State   string // queued, delivered, acknowledged, failed, timeout
	Code    int    // the device's
	Message string
	SentAt  time.Time
	DoneAt  time.Time // zero until it is done
}

// Append appends a command.
func (c Command) Append(dst []byte) []byte {
	dst = append(dst, version)
	for _, s := range []string{c.ID, c.Kind, c.Service, c.Input, c.Output, c.State, c.Message} {
		dst = appendText(dst, s)
	}
	dst = binary.AppendVarint(dst, int64(c.Code))
	dst = appendTime(dst, c.SentAt)
	return appendTime(dst, c.DoneAt)
}

// DecodeCommand reads a command.
func DecodeCommand(b []byte) (Command, error) {
	c := cursor{b: b}
	if c.byte() != version {
		return Command{}, ErrCorrupt
	}
	var out Command
	for _, s := range []*string{&out.ID, &out.Kind, &out.Service, &out.Input, &out.Output, &out.State, &out.Message} {
		*s = c.text(maxText)
	}
	out.Code = int(c.varint())
	out.SentAt, out.DoneAt = c.time(), c.time()
	if c.bad || len(c.b) > 0 {
		return Command{}, ErrCorrupt
	}
	return out, nil
}

// appendTime writes milliseconds; the zero time is 0.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.BigEndian.AppendUint64(dst, 0)
	}
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixMilli()))
}

func (c *cursor) time() time.Time {
	if ms := c.uint64(); ms != 0 {
		return time.UnixMilli(int64(ms)).UTC()
	}
	return time.Time{}
}
