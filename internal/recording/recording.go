// Package recording is what a device and a broker said to one another, kept in
// a file: read from network captures, from recorded serial lines, from hex as
// people keep it in logs and articles, and from what `matou packet capture`
// writes; and cut into MQTT packets.
//
// It judges no packet: packet.Explain does that. It sends nothing.
package recording

import (
	"errors"
	"fmt"
	"time"

	"github.com/matou-iot/matou/internal/recording/pcap"
	"github.com/matou-iot/matou/internal/wording"
)

// A Side is one end of a conversation.
type Side byte

// The ends.
const (
	Device Side = iota
	Broker
)

func (s Side) String() string {
	if s == Broker {
		return "broker"
	}
	return "device"
}

// MarshalText writes the side's word.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a side's word.
func (s *Side) UnmarshalText(text []byte) error {
	switch string(text) {
	case "device":
		*s = Device
	case "broker":
		*s = Broker
	default:
		return wording.Errorf("%q is neither device nor broker", text)
	}
	return nil
}

// An Event is bytes that one side sent.
type Event struct {
	At   time.Duration // since the beginning
	From Side
	Gap  bool // bytes before these are not in the recording
	Data []byte
}

// A Recording is one conversation.
type Recording struct {
	Name   string // "192.168.1.7:50012 → 192.168.1.1:1883", or the file's kind
	Events []Event
	Timed  bool     // At says something
	Notes  []string // what a reader should know of it: bytes that are missing, lengths that are wrong
}

// Bounds of what is read.
const (
	MaxFile  = pcap.MaxBytes // bytes of a file
	maxNotes = 32            // of one recording; further ones are dropped
	maxText  = 16 << 20      // bytes of a text
)

// ErrEmpty says that a file was understood and holds nothing to replay.
var ErrEmpty = errors.New("no MQTT in it")

// note keeps a remark.
func (r *Recording) note(format string, args ...any) {
	if len(r.Notes) < maxNotes {
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	}
}

// count says how many bytes one side sent.
func (r *Recording) count(from Side) (n int) {
	for _, e := range r.Events {
		if e.From == from {
			n += len(e.Data)
		}
	}
	return n
}

// Answers reports whether the recording has what the broker said.
func (r *Recording) Answers() bool { return r.count(Broker) > 0 }
