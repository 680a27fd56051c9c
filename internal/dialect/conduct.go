package dialect

import (
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Mannered is a dialect whose vendor minds how a device uses MQTT, whatever
// it says.
type Mannered interface {
	// Manners judges how a message was sent, once Uplink has read it: up gets a
	// note or, where the vendor ends the connection over it, the fault. It is
	// asked about messages of QoS 2 and about those to be retained only.
	Manners(qos mqtt.QoS, retain bool, mode Strictness, up *Uplink)
	// MaySubscribeAll judges the filters of one SUBSCRIBE together: nil, a word
	// about it, or why the vendor ends the connection.
	MaySubscribeAll(filters []string, mode Strictness) (why *Diagnosis, closes bool)
	// Pace is how often a device may do something; nil: as often as it likes.
	Pace() *Pace
}

// An Unacknowledged is a dialect whose vendor sends everything with QoS 0.
type Unacknowledged interface {
	// Unwanted says why a strict vendor ends a connection over an
	// acknowledgement: a packet of QoS 2, or a PUBACK of nothing that was sent.
	Unwanted(t packet.Type) *Diagnosis
}

// A Pace is how often a device may do something in a Window. Once more, and a
// strict vendor ends its connection and lets it in no more for the time of Ban.
type Pace struct {
	Window        time.Duration
	Ban           time.Duration
	Connects      int
	AtMostOnce    int // messages of QoS 0
	AtLeastOnce   int // messages of a higher QoS
	Unsubscribes  int
	Pings         int
	Filters       int // of SUBSCRIBEs
	Subscriptions int // that a device has at a time, whenever they came
}

// A Meter counts what a device does.
type Meter interface {
	// Published counts a message; false ends the connection.
	Published(qos mqtt.QoS) bool
}
