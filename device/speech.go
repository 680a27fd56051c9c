package device

import (
	"time"

	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// An Identity is who a device is: Aliyun, OneNET or MQTT.
type Identity interface {
	// Speech checks the identity and returns how it talks; secure says that
	// its connections are TLS. The error names the field.
	Speech(secure bool) (Speech, error)
}

// A Speech is the device's side of a vendor's protocol, without a connection:
// what to say and what was said. A Device uses one, and so does whoever drives
// connections of his own. The cloud's side is written elsewhere and shares
// nothing with it. Any number of goroutines may use a Speech at once.
type Speech interface {
	// Login fills in a CONNECT.
	Login(c *packet.Connect, now time.Time) error
	// Filters lists what to subscribe to.
	Filters() []string
	// Report says values. Replies tells whether the cloud replies to that, on
	// a topic, beyond the acknowledgement of MQTT.
	Report(id string, r []Reading) (client.Message, error)
	Replies() bool
	// Event says that something happened; a zero time is when it arrives.
	Event(id, event string, output []Reading, at time.Time) (client.Message, error)
	// AskDesired asks which values are desired of properties, ForgetDesired
	// says that some were carried out; ErrNoDesired where the protocol has none.
	AskDesired(id string, properties []string) (client.Message, error)
	ForgetDesired(id string, versions map[string]int64) (client.Message, error)
	// Hear reads a message; false for one that is none of the protocol's.
	Hear(topic string, payload []byte) (Heard, bool)
	// Answer says the outcome of a set or an invoke.
	Answer(h Heard, out Values, failed error) (client.Message, error)
}

// A Kind is what a message is about.
type Kind byte

// The kinds of what a device hears.
const (
	Reply  Kind = iota + 1 // to a report, an event or a question
	Set                    // set these properties
	Invoke                 // call this service
)

// Heard is what the cloud said.
type Heard struct {
	Kind    Kind
	Topic   string
	ID      string // of the message: a reply has that of what it answers
	Service string // of an invoke
	Params  Params // of a set or an invoke

	Code    int    // of a reply
	Message string // of a reply
	Data    string // of a reply: compact JSON, "" for nothing in particular
}

// Rejected is the error that a reply stands for, nil where the cloud took all.
func (h *Heard) Rejected() error {
	if h.Code == codeSuccess && h.Data == "" {
		return nil
	}
	return &Rejected{Code: h.Code, Message: h.Message, Data: h.Data}
}

// codeSuccess is the good code of both vendors, in both directions;
// codeFailed is what a device says when a handler failed.
const (
	codeSuccess = 200
	codeFailed  = 400
)
