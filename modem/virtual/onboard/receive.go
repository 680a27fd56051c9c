package onboard

import (
	"bytes"
	"errors"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Receive takes bytes of the server, in pieces of any size.
func (c *Client) Receive(b []byte, now time.Time) (s Step) {
	if c.state == Closed {
		return s
	}
	c.rest = append(c.rest, b...)
	for c.state != Closed {
		p, n, err := next(c.rest, c.o.Version)
		if err != nil {
			c.lose(&s, NotAllowed)
			return s
		}
		if p == nil {
			return s
		}
		c.rest = c.rest[n:]
		c.take(&s, p, now)
	}
	return s
}

// End says that the connection was closed by the other side or broke.
func (c *Client) End() (s Step) {
	if c.state != Closed {
		c.lose(&s, ByPeer)
	}
	return s
}

// lose ends the connection from within.
func (c *Client) lose(s *Step, why Cause) {
	s.tell(Lost{why})
	s.Close = true
	c.Shut()
}

var errTooLarge = errors.New("onboard: the packet is larger than the firmware takes")

// next cuts the first packet from b; nil while it is incomplete.
func next(b []byte, v mqtt.Version) (packet.Packet, int, error) {
	h, err := packet.ParseHeaderOf(b, v)
	if errors.Is(err, packet.ErrIncomplete) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	size := h.Size + h.Remaining
	if size > maxPacket {
		return nil, 0, errTooLarge
	}
	if len(b) < size {
		return nil, 0, nil
	}
	// The packet keeps its bytes, which b's next owner may overwrite.
	p, err := packet.Decode(h, bytes.Clone(b[h.Size:size]), v)
	return p, size, err
}

// take handles one packet.
func (c *Client) take(s *Step, p packet.Packet, now time.Time) {
	if ack, ok := p.(*packet.Connack); ok {
		c.connack(s, ack)
		return
	}
	if c.state != Connected {
		c.lose(s, NotAllowed) // a server says nothing before its CONNACK
		return
	}
	switch p := p.(type) {
	case *packet.Publish:
		c.arrive(s, p, now)
	case *packet.Pubrel:
		c.in.Release(p.ID)
		c.write(s, &packet.Pubcomp{ID: p.ID}, now)
	case *packet.Puback:
		c.answered(s, Publish, p.ID, mqtt.AtLeastOnce)
	case *packet.Pubrec:
		c.pubrec(s, p.ID, now)
	case *packet.Pubcomp:
		c.answered(s, Publish, p.ID, mqtt.ExactlyOnce)
	case *packet.Suback:
		c.answered(s, Subscribe, p.ID, 0, codes(p.Reasons)...)
	case *packet.Unsuback:
		c.answered(s, Unsubscribe, p.ID, 0)
	case *packet.Pingresp:
		c.pings = 0
	default:
		c.lose(s, NotAllowed)
	}
}

func (c *Client) connack(s *Step, p *packet.Connack) {
	if c.state != Connecting {
		c.lose(s, NotAllowed)
		return
	}
	c.pending = nil
	code := packet.ReturnCode(p.Reason)
	s.tell(Done{Op: Connect, Codes: []byte{code}})
	c.state = Connected
	if code != 0 {
		// The server hangs up; until then nothing can be done here.
		c.state = Opened
		c.lose(s, Refused)
	}
}

// arrive acknowledges a message and tells of it, once at QoS 2.
func (c *Client) arrive(s *Step, p *packet.Publish, now time.Time) {
	switch p.QoS {
	case mqtt.AtLeastOnce:
		c.write(s, &packet.Puback{ID: p.ID}, now)
	case mqtt.ExactlyOnce:
		duplicate, _ := c.in.Publish(p.ID, p.QoS) // 3.x knows no Receive Maximum
		c.write(s, &packet.Pubrec{ID: p.ID}, now)
		if duplicate {
			return
		}
	}
	s.tell(Arrived{p})
}

// answered ends an exchange. An answer that nobody awaits means nothing.
func (c *Client) answered(s *Step, op Op, id uint16, qos mqtt.QoS, granted ...byte) {
	i := c.find(id)
	if i < 0 || c.pending[i].op != op {
		return
	}
	switch p := c.pending[i].packet.(type) {
	case *packet.Publish:
		if p.QoS != qos {
			return // PUBACK to QoS 2, or PUBCOMP without PUBREC
		}
	case *packet.Pubrel:
		if qos != mqtt.ExactlyOnce {
			return
		}
	case *packet.Subscribe:
		if len(granted) != len(p.Subscriptions) {
			c.lose(s, NotAllowed)
			return
		}
	}
	c.pending = append(c.pending[:i], c.pending[i+1:]...)
	s.tell(Done{Op: op, ID: id, Codes: granted})
}

// pubrec takes the first answer to a message of QoS 2: from now on its PUBREL
// is what is sent again.
func (c *Client) pubrec(s *Step, id uint16, now time.Time) {
	rel := &packet.Pubrel{ID: id}
	if i := c.find(id); i >= 0 && c.pending[i].op == Publish {
		x := &c.pending[i]
		if p, ok := x.packet.(*packet.Publish); ok && p.QoS == mqtt.AtLeastOnce {
			return
		}
		x.packet, x.sent, x.tries = rel, now, 0
	}
	c.write(s, rel, now)
}

func codes(reasons []mqtt.ReasonCode) []byte {
	out := make([]byte, len(reasons))
	for i, r := range reasons {
		out[i] = byte(r)
		if r.Failed() {
			out[i] = 128 // the only failure that 3.1.1 knows
		}
	}
	return out
}
