package onboard

import "github.com/matou-iot/matou/mqtt/packet"

// An Op is something the host asked for that ends with an answer.
type Op byte

// The operations.
const (
	Connect Op = iota
	Subscribe
	Unsubscribe
	Publish
)

// An Event is something the host should hear of: Done, Repeated, Failed,
// Arrived, PingLost or Lost.
type Event interface{ event() }

// Done says that the server answered, or that a message of QoS 0 is on its
// way.
type Done struct {
	Op    Op
	ID    uint16
	Codes []byte // the return code of a CONNACK, the granted QoS of each topic
}

// Repeated says that nobody answered and that the packet was sent again.
type Repeated struct {
	Op    Op
	ID    uint16
	Count int // from 1
}

// Failed says that nobody answered any attempt.
type Failed struct {
	Op Op
	ID uint16
}

// Arrived is a message of the server.
type Arrived struct{ Message *packet.Publish }

// PingLost says that a PINGREQ was not answered in time.
type PingLost struct{}

// Lost says that the connection has ended, and why.
type Lost struct{ Cause Cause }

// A Cause is why a connection ended.
type Cause byte

// The causes.
const (
	ByPeer     Cause = iota // the server closed it, or the network did
	NoPong                  // pings were not answered
	NotAllowed              // the server broke the protocol
	NoConnack               // CONNECT was not answered
	Refused                 // CONNECT was answered with a code that is not 0
)

func (Done) event()     {}
func (Repeated) event() {}
func (Failed) event()   {}
func (Arrived) event()  {}
func (PingLost) event() {}
func (Lost) event()     {}

func (s *Step) tell(e Event) { s.Events = append(s.Events, e) }
