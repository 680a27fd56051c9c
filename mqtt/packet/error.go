package packet

import (
	"errors"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt"
)

// ErrIncomplete says that the bytes at hand end before the fixed header does:
// read more and ask again.
var ErrIncomplete = errors.New("mqtt: fixed header incomplete")

// An Error reports a packet that breaks the specification. errors.Is sees its
// Reason.
type Error struct {
	Packet string          // "SUBSCRIBE"
	Clause string          // "MQTT5-3.8.3-5" or "MQTT3 §3.3.1": where the specification says so
	Detail string          // what is wrong, in a few words, no received bytes
	Reason mqtt.ReasonCode // what the peer is told
}

func (e *Error) Error() string {
	s := "mqtt: bad " + e.Packet + " [" + e.Clause + "]"
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Wording is what the sentence was made of.
func (e *Error) Wording() error {
	if e.Detail == "" {
		return wording.Errorf("mqtt: bad %s [%s]", e.Packet, e.Clause)
	}
	return wording.Errorf("mqtt: bad %s [%s]: %s", e.Packet, e.Clause, wording.Term(e.Detail))
}

// Unwrap makes errors.Is(err, mqtt.MalformedPacket) work.
func (e *Error) Unwrap() error { return e.Reason }
