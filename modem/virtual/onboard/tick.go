package onboard

import (
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Next returns when Tick has something to do; the zero time means never.
func (c *Client) Next() (at time.Time) {
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, x := range c.pending {
		sooner(x.sent.Add(c.o.PacketTimeout))
	}
	if c.state == Connected {
		if c.pings > 0 {
			sooner(c.pinged.Add(c.o.PingTimeout))
		} else if c.o.KeepAlive > 0 {
			sooner(c.wrote.Add(c.o.KeepAlive))
		}
	}
	return at
}

// Tick does what is due: it sends again what nobody answered, and pings.
func (c *Client) Tick(now time.Time) (s Step) {
	c.repeat(&s, now)
	if c.state == Connected {
		c.ping(&s, now)
	}
	return s
}

// repeat sends again, or gives up, what waited for too long. A CONNECT is not
// sent again, for a server has to hang up on a second one [MQTT3-3.1.0-2]:
// another attempt is another wait.
func (c *Client) repeat(s *Step, now time.Time) {
	kept := c.pending[:0]
	noConnack := false
	for _, x := range c.pending {
		switch {
		case now.Before(x.sent.Add(c.o.PacketTimeout)):
		case x.tries >= c.o.Retries:
			s.tell(Failed{x.op, x.id})
			noConnack = noConnack || x.op == Connect
			continue
		default:
			x.tries++
			x.sent = now
			if x.packet != nil {
				c.write(s, again(x.packet), now)
			}
			s.tell(Repeated{x.op, x.id, x.tries})
		}
		kept = append(kept, x)
	}
	clear(c.pending[len(kept):])
	c.pending = kept
	if noConnack {
		c.lose(s, NoConnack)
	}
}

// again is the packet as it is repeated: a PUBLISH says so [MQTT3-3.3.1-1].
func again(p packet.Packet) packet.Packet {
	if m, ok := p.(*packet.Publish); ok && m.QoS > mqtt.AtMostOnce {
		dup := *m
		dup.Dup = true
		return &dup
	}
	return p
}

// ping keeps the connection alive, and ends it when the server is silent.
func (c *Client) ping(s *Step, now time.Time) {
	switch {
	case c.pings > 0 && !now.Before(c.pinged.Add(c.o.PingTimeout)):
		s.tell(PingLost{})
		if c.pings > c.o.Retries {
			c.lose(s, NoPong)
			return
		}
	case c.pings == 0 && c.o.KeepAlive > 0 && !now.Before(c.wrote.Add(c.o.KeepAlive)):
	default:
		return
	}
	c.pings++
	c.pinged = now
	c.write(s, &packet.Pingreq{}, now)
}
