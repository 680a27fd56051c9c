// Package onboard is the MQTT client that a module's firmware carries with
// it: the one behind AT+QMTCONN and AT+LMQTTCONN. The host chooses the packet
// identifiers, connecting to the server and logging in are two steps, packets
// that nobody acknowledges are sent again after a while, and a connection
// that ends stays ended.
//
// It has no sockets, goroutines or clocks: bytes and the time go in, bytes to
// write and events come out. What the events look like on a serial line is
// the module's business.
package onboard

import (
	"errors"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/mqtt/session"
)

// maxPacket is the largest packet that the firmware takes from a server; a
// larger one ends the connection.
const maxPacket = 64 << 10

// Options are the habits of a client; they hold for one connection.
type Options struct {
	Version       mqtt.Version  // 3.1 or 3.1.1
	KeepAlive     time.Duration // whole seconds; 0: no pings
	PacketTimeout time.Duration // how long one attempt waits for its answer
	Retries       int           // attempts after the first
	PingTimeout   time.Duration // how long a PINGREQ waits for its answer
	Window        int           // packets that may await their answers at once
}

// A State is how far a client has come.
type State byte

// The states, in the order of a life.
const (
	Closed     State = iota
	Opened           // there is a connection, nobody has logged in
	Connecting       // CONNECT was sent
	Connected
)

// Why an operation is refused before anything is sent.
var (
	ErrState      = errors.New("onboard: not in this state")
	ErrWindow     = errors.New("onboard: too many packets await their answers")
	ErrIdentifier = errors.New("onboard: the packet identifier is in use")
)

// A Client is one client of a module. Its zero value is closed; it may not be
// used by two goroutines at once.
type Client struct {
	o       Options
	state   State
	pending []exchange // bounded by Options.Window and one CONNECT
	in      session.Inbound
	rest    []byte    // of a packet that is not complete, at most maxPacket
	wrote   time.Time // when the last packet was sent
	pinged  time.Time // when the PINGREQ that awaits its answer was sent
	pings   int       // how often it was sent
}

// An exchange is a packet that awaits its answer.
type exchange struct {
	op     Op
	id     uint16
	packet packet.Packet // what is sent again
	sent   time.Time
	tries  int // repetitions so far
}

// A Step is what comes of an input: bytes to write, then events to tell, then
// the end of the connection.
type Step struct {
	Write  []byte
	Events []Event
	Close  bool
}

// State returns how far the client has come.
func (c *Client) State() State { return c.state }

// Open begins a connection that has just been made.
func (c *Client) Open(o Options, now time.Time) {
	c.o, c.state, c.wrote, c.pings = o, Opened, now, 0
	c.pending, c.rest = nil, nil
}

// Shut ends the connection without a word, as pulling the plug does.
func (c *Client) Shut() {
	c.state, c.pending, c.rest, c.pings = Closed, nil, nil, 0
}

// A Login is what a CONNECT says besides the options.
type Login struct {
	ClientID string
	Username string // empty: none is sent
	Password string // empty: none is sent
	Clean    bool
	Will     *packet.Will
}

// Connect logs in. KeepAlive and Version may still be given here: some
// modules take them until this moment.
func (c *Client) Connect(o Options, l Login, now time.Time) (Step, error) {
	if c.state != Opened {
		return Step{}, ErrState
	}
	c.o = o
	p := &packet.Connect{
		Version: o.Version, CleanStart: l.Clean, KeepAlive: uint16(o.KeepAlive / time.Second),
		ClientID: l.ClientID, Will: l.Will,
		HasUsername: l.Username != "", Username: l.Username,
		HasPassword: l.Password != "", Password: []byte(l.Password),
	}
	var s Step
	if err := c.write(&s, p, now); err != nil {
		return Step{}, err
	}
	if l.Clean {
		c.in.Reset()
	}
	c.state = Connecting
	c.pending = append(c.pending, exchange{op: Connect, sent: now})
	return s, nil
}

// Subscribe asks for topics.
func (c *Client) Subscribe(id uint16, subs []packet.Subscription, now time.Time) (Step, error) {
	return c.ask(Subscribe, id, &packet.Subscribe{ID: id, Subscriptions: subs}, now)
}

// Unsubscribe gives topics up.
func (c *Client) Unsubscribe(id uint16, filters []string, now time.Time) (Step, error) {
	return c.ask(Unsubscribe, id, &packet.Unsubscribe{ID: id, Filters: filters}, now)
}

// Publish sends a message; at QoS 0 the step says at once that it is done.
func (c *Client) Publish(p *packet.Publish, now time.Time) (Step, error) {
	if p.QoS > mqtt.AtMostOnce {
		return c.ask(Publish, p.ID, p, now)
	}
	if c.state != Connected {
		return Step{}, ErrState
	}
	var s Step
	if err := c.write(&s, p, now); err != nil {
		return Step{}, err
	}
	s.tell(Done{Op: Publish, ID: p.ID})
	return s, nil
}

// Disconnect says goodbye and ends the connection.
func (c *Client) Disconnect(now time.Time) (Step, error) {
	if c.state != Connected {
		return Step{}, ErrState
	}
	var s Step
	if err := c.write(&s, &packet.Disconnect{}, now); err != nil {
		return Step{}, err
	}
	s.Close = true
	c.Shut()
	return s, nil
}

// ask sends a packet and awaits its answer.
func (c *Client) ask(op Op, id uint16, p packet.Packet, now time.Time) (s Step, err error) {
	switch {
	case c.state != Connected:
		return s, ErrState
	case len(c.pending) >= c.o.Window:
		return s, ErrWindow
	case c.find(id) >= 0:
		return s, ErrIdentifier
	}
	if err := c.write(&s, p, now); err != nil {
		return Step{}, err
	}
	c.pending = append(c.pending, exchange{op: op, id: id, packet: p, sent: now})
	return s, nil
}

// write appends a packet to what a step writes.
func (c *Client) write(s *Step, p packet.Packet, now time.Time) (err error) {
	if s.Write, err = p.Append(s.Write, c.o.Version); err == nil {
		c.wrote = now
	}
	return err
}

// find returns the place of an exchange, -1 if there is none.
func (c *Client) find(id uint16) int {
	for i, x := range c.pending {
		if x.id == id && x.op != Connect {
			return i
		}
	}
	return -1
}
