// Package trace is the timeline of each device: what it and Matou said to one
// another, across all layers, so that every refusal and every value can be
// explained later. It is bounded in memory whatever the devices do, and it can
// be followed live.
//
// It decides nothing and keeps nothing on disk: what must survive a restart
// is in registry and history.
package trace

import (
	"fmt"
	"time"

	"github.com/matou-iot/matou/internal/wording"
)

// An Entry is one thing that happened. Once recorded it is not changed; one
// that is read has a memory of its own, and its Detail is a json.RawMessage.
type Entry struct {
	ID         uint64    `json:"id"`               // grows with time, also across restarts; below 2^53
	Parent     uint64    `json:"parent,omitempty"` // the entry that caused this one
	At         time.Time `json:"at"`
	Product    string    `json:"product"`
	Device     string    `json:"device"`
	Kind       Kind      `json:"kind"`
	Direction  string    `json:"direction,omitempty"` // "up" from the device, "down" to it
	Topic      string    `json:"topic,omitempty"`
	QoS        int       `json:"qos,omitempty"`
	Size       int       `json:"size,omitempty"`    // of the whole payload in bytes
	Payload    []byte    `json:"payload,omitempty"` // its first MaxPayload bytes
	Packet     []byte    `json:"packet,omitempty"`  // raw MQTT bytes of a device under watch, or where the failure is in them; as much as of Payload
	Code       string    `json:"code,omitempty"`    // stable, for a refusal or fault
	Sentence   string    `json:"sentence,omitempty"`
	SentenceZH string    `json:"sentenceZh,omitempty"`
	Skipped    int       `json:"skipped,omitempty"` // messages of the device that were left out just before this entry: see PlainRate
	Detail     any       `json:"detail,omitempty"`  // what marshals to JSON: diagnosis, values, rejections
}

// A Kind is what an entry tells of.
type Kind byte

// The kinds of entries.
const (
	Connect Kind = iota + 1
	Refuse
	Disconnect
	Subscribe
	Uplink
	Downlink
	Command
	Reply
	Fault
	Note
	Packet // of a device under watch, one that carries no message
)

var kindNames = [...]string{
	Connect: "connect", Refuse: "refuse", Disconnect: "disconnect", Subscribe: "subscribe", Uplink: "uplink",
	Downlink: "downlink", Command: "command", Reply: "reply", Fault: "fault", Note: "note", Packet: "packet",
}

// String names the kind in one lower-case word.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind-%d", byte(k))
}

// MarshalText writes the kind's word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's word.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, name := range kindNames {
		if name != "" && name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return wording.Errorf("unknown kind %q of timeline entry", text)
}

// A Query asks for a part of a timeline.
type Query struct {
	Limit  int    // entries at the most; 0 means DefaultLimit
	Before uint64 // entries with a smaller ID only; 0 means from the newest
	Kinds  []Kind // only these; empty means all
}

// The bounds. What is over them is forgotten, oldest first.
const (
	MaxPayload   = 4 << 10  // bytes kept of one payload
	MaxText      = 64 << 10 // bytes kept of a topic, a sentence or a detail
	PlainRate    = 20       // messages a second of one device with nothing to tell of them; more are counted, unless somebody watches or the device is under watch
	RoutedRate   = 5        // the same, of messages that are only passed on to subscribers
	MaxEntries   = 200      // kept of one device
	DefaultBytes = 64 << 20 // kept of all devices together, approximately
	DefaultLimit = 100
	watchQueue   = 256 // entries that wait for one watcher; the oldest are dropped beyond
	shards       = 64
)
