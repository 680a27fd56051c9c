package dialect

import (
	"time"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// An Uplink is what one PUBLISH said. The caller owns it and reuses it: Reset
// keeps the memory. Texts may alias the payload until the next use.
type Uplink struct {
	Kind    Kind
	ID      string // the message's id, as text
	Report  []Reading
	Events  []Event
	Parts   []Part // likewise of a gateway's sub-devices
	Reply   Reply
	Request Request     // of the kind Asks
	Notes   []Note      // accepted, but the vendor's rules or ours would like it otherwise
	Refused []Rejection // values that were not taken, or all of them for RefusedAll
	Fault   *Diagnosis  // the message as a whole is not understood
	Answers []Downlink  // what the device is told once the message is kept

	// RefusedAll says that nothing of the message is stored, Close that the
	// vendor ends the connection over it.
	RefusedAll, Close bool
	Loose             loose.Looseness // deviations from JSON that were accepted

	Others Others // who knows about sub-devices, the caller's; nil: nobody has any
}

// Reset empties u for the next message.
func (u *Uplink) Reset() {
	*u = Uplink{
		Report:  u.Report[:0],
		Events:  u.Events[:0],
		Notes:   u.Notes[:0],
		Refused: u.Refused[:0],
		Answers: u.Answers[:0],
		Parts:   u.Parts[:0],
		Others:  u.Others,
	}
}

// A Kind is what an uplink is.
type Kind byte

// The kinds of uplinks.
const (
	Other         Kind = iota // not the platform's: route it to subscribers
	PropertyPost              // Report holds the values
	EventPost                 // Events, one or several
	SetReply                  // Reply to a property set
	InvokeReply               // Reply to a service call
	Asks                      // Request holds what for
	Unimplemented             // the platform's, answered politely and not understood yet
	Forbidden                 // a topic the device may not use
	GetReply                  // Reply to a property get
	Raw                       // bytes of the device's own, for a script
	RawReply                  // likewise, in answer to such bytes
)

// A Reading is one property value with its time.
type Reading struct {
	Property string // the model's own string where the model knows it
	Value    thing.Value
	Time     time.Time      // zero: time of arrival
	Flag     *thing.Problem // accepted, but not as the model wants it; nil if all is well
}

// An Event is what happened on a device.
type Event struct {
	ID     string
	Level  thing.Level
	Output []thing.Argument
	Time   time.Time
}

// A Reply is a device's answer to a command.
type Reply struct {
	ID      string
	ByID    bool   // nothing but the id tells what is answered
	Relayed bool   // a gateway answers for a sub-device that only the id names
	Service string // of an invoke
	Code    int
	OK      bool
	Message string
	Data    string // compact JSON, "" for none
}

// A Rejection is a value that was not taken, and why.
type Rejection struct {
	ID      string
	Problem thing.Problem
	Code    int    // the vendor's
	Text    string // the vendor's
}
