package esp8266

import (
	"time"

	"github.com/matou-iot/matou/modem"
)

// What fits the buffer of the MQTT client, header, topic and packet identifier
// included, comes whole [ESP-AT v2.2 +MQTTSUBRECV].
const (
	mqttBuffer = 1024
	// Before and after the topic stand 4 to 8 bytes.
	maxHeaders = 8
	// together is how soon the next piece of a message follows.
	together = 5 * time.Second
)

// pieces tells whole messages from parts of one. The firmware does not mark
// them: a first piece fills the buffer, and what follows it at once under the
// same topic, or under none, belongs to it until one is shorter. A message that
// just fills the buffer is taken for a piece as well. It is used by the
// goroutine that reads the port.
type pieces struct {
	topic string
	until time.Time // when what comes is none of the message any more; zero: no message is open
}

func (p *pieces) take(topic string, size int, now time.Time) modem.Piece {
	if now.Before(p.until) && (topic == p.topic || topic == "") {
		p.until = now.Add(together)
		if size < mqttBuffer {
			p.until = time.Time{}
		}
		return modem.NextPiece
	}
	p.until = time.Time{}
	if size+len(topic)+maxHeaders < mqttBuffer {
		return modem.Whole
	}
	p.topic, p.until = topic, now.Add(together)
	return modem.FirstPiece
}
