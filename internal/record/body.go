package record

import (
	"encoding/binary"
	"errors"
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

// Append appends an event. The error is ErrUnfit.
func (e Event) Append(dst []byte) ([]byte, error) {
	if err := errors.Join(fits("event name", e.Event, maxName), fits("event output", e.Output, maxText)); err != nil {
		return dst, err
	}
	dst = append(dst, version, byte(e.Level))
	dst = appendText(dst, e.Event)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Time.UnixMilli()))
	return appendText(dst, e.Output), nil
}

// DecodeEvent reads an event.
func DecodeEvent(b []byte) (Event, error) {
	c := cursor{b: b}
	c.version()
	var e Event
	e.Level = thing.Level(c.byte("level"))
	e.Event = c.text("name", maxName)
	e.Time = c.time("time")
	e.Output = c.text("output", maxText)
	c.end()
	if err := c.err("event"); err != nil {
		return Event{}, err
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

// commandTexts are the names of a command's texts, in their order.
var commandTexts = [...]string{"id", "kind", "service", "input", "output", "state", "message"}

// Append appends a command. The error is ErrUnfit.
func (c Command) Append(dst []byte) ([]byte, error) {
	texts := [...]string{c.ID, c.Kind, c.Service, c.Input, c.Output, c.State, c.Message}
	for i, s := range texts {
		if err := fits("command "+commandTexts[i], s, maxText); err != nil {
			return dst, err
		}
	}
	dst = append(dst, version)
	for _, s := range texts {
		dst = appendText(dst, s)
	}
	dst = binary.AppendVarint(dst, int64(c.Code))
	dst = appendTime(dst, c.SentAt)
	return appendTime(dst, c.DoneAt), nil
}

// DecodeCommand reads a command.
func DecodeCommand(b []byte) (Command, error) {
	c := cursor{b: b}
	c.version()
	var out Command
	for i, s := range []*string{&out.ID, &out.Kind, &out.Service, &out.Input, &out.Output, &out.State, &out.Message} {
		*s = c.text(commandTexts[i], maxText)
	}
	out.Code = int(c.varint("code"))
	out.SentAt = c.time("time of sending")
	out.DoneAt = c.time("time of its end")
	c.end()
	if err := c.err("command"); err != nil {
		return Command{}, err
	}
	return out, nil
}

// A File is one that a device uploaded.
type File struct {
	Name   string
	Size   int64
	SHA256 string // hexadecimal
}

// Append appends a file. The error is ErrUnfit.
func (f File) Append(dst []byte) ([]byte, error) {
	if err := errors.Join(fits("file name", f.Name, maxName), fits("digest", f.SHA256, maxName)); err != nil {
		return dst, err
	}
	dst = appendText(append(dst, version), f.Name)
	return appendText(binary.AppendVarint(dst, f.Size), f.SHA256), nil
}

// DecodeFile reads a file.
func DecodeFile(b []byte) (File, error) {
	c := cursor{b: b}
	c.version()
	f := File{Name: c.text("name", maxName), Size: c.varint("size"), SHA256: c.text("digest", maxName)}
	c.end()
	if err := c.err("file"); err != nil {
		return File{}, err
	}
	return f, nil
}

// appendTime writes milliseconds; the zero time is 0.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.BigEndian.AppendUint64(dst, 0)
	}
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixMilli()))
}

func (c *cursor) time(what string) time.Time {
	if ms := c.uint64(what); ms != 0 {
		return time.UnixMilli(int64(ms)).UTC()
	}
	return time.Time{}
}
