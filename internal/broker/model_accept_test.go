package broker_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// accept takes a packet that a client got, or says why it must not have come.
func (m *reference) accept(c *refConn, p packet.Packet) error {
	if p, ok := p.(*packet.Publish); ok {
		return m.acceptPublish(c, p)
	}
	got := refSay(p, c.version)
	if rel, ok := p.(*packet.Pubrel); ok && (len(c.answers) == 0 || c.answers[0] != got) {
		if e := m.again(c); e != nil && e.released && e.id == rel.ID {
			e.sent = true
			return nil
		}
	}
	if len(c.answers) == 0 {
		return fmt.Errorf("%s: nothing of the kind was due", got)
	}
	want := c.answers[0]
	c.answers = c.answers[1:]
	if c.fault && strings.HasPrefix(want, "DISCONNECT") && strings.HasPrefix(got, "DISCONNECT") && got >= "DISCONNECT 80" {
		return nil
	}
	if got != want {
		return fmt.Errorf("%s, want %s", got, want)
	}
	return nil
}

// refSay is a packet as answers have it.
func refSay(p packet.Packet, v mqtt.Version) string {
	codes := func(list []mqtt.ReasonCode) (out string) {
		for _, r := range list {
			out += fmt.Sprintf(" %02x", byte(r))
		}
		return out
	}
	switch p := p.(type) {
	case *packet.Connack:
		return fmt.Sprintf("CONNACK %v %02x", p.SessionPresent, byte(p.Reason))
	case *packet.Suback:
		return fmt.Sprintf("SUBACK %d%s", p.ID, codes(p.Reasons))
	case *packet.Unsuback:
		return fmt.Sprintf("UNSUBACK %d%s", p.ID, codes(p.Reasons))
	case *packet.Puback:
		return fmt.Sprintf("PUBACK %d %02x", p.ID, byte(p.Reason))
	case *packet.Pubrec:
		return fmt.Sprintf("PUBREC %d %02x", p.ID, byte(p.Reason))
	case *packet.Pubrel:
		return fmt.Sprintf("PUBREL %d %02x", p.ID, byte(p.Reason))
	case *packet.Pubcomp:
		return fmt.Sprintf("PUBCOMP %d %02x", p.ID, byte(p.Reason))
	case *packet.Disconnect:
		return fmt.Sprintf("DISCONNECT %02x", byte(p.Reason))
	case *packet.Publish:
		return fmt.Sprintf("PUBLISH %d QoS %d dup %v retain %v %s %q %s", p.ID, p.QoS, p.Dup, p.Retain, p.Topic, p.Payload, refProps(p.Properties))
	}
	return p.Type().String()
}

func refProps(p *packet.Properties) string {
	if p == nil {
		return "-"
	}
	var b strings.Builder
	v := reflect.ValueOf(*p)
	for i := range v.NumField() {
		if f := v.Field(i); !f.IsZero() {
			if f.Kind() == reflect.Pointer {
				f = f.Elem()
			}
			fmt.Fprintf(&b, "%s=%v ", v.Type().Field(i).Name, f)
		}
	}
	return strings.TrimSpace(b.String())
}

func (m *reference) acceptPublish(c *refConn, p *packet.Publish) error {
	s := c.s
	refused := func(why string) error { return fmt.Errorf("%s: %s", refSay(p, c.version), why) }
	if p.Dup {
		e := m.again(c)
		if e == nil || e.released || e.id != p.ID || !m.same(c, p, e.refDelivery) {
			return refused("it is not the one to be sent again now")
		}
		if s.used() >= c.window {
			return refused("the client's window is full")
		}
		e.sent, e.counted = true, true
		return nil
	}
	if p.QoS == 0 {
		for i, d := range c.live {
			if m.same(c, p, d) && mayCome(c.live[:i], d) {
				c.live = slices.Delete(slices.Clone(c.live), i, i+1)
				return nil
			}
		}
		if m.take(c, p) {
			return nil
		}
		return refused("it was not due")
	}
	if _, used := s.exchange(p.ID); used != nil || p.ID == 0 {
		return refused("the packet identifier is in use")
	}
	if m.again(c) != nil {
		return refused("older ones have to be sent again first")
	}
	if s.used() >= c.window {
		return refused("the client's window is full")
	}
	d := s.nextOf(m, c, p)
	if d == nil {
		return refused("it was not due")
	}
	s.open = append(s.open, &refExchange{refDelivery: *d, id: p.ID, sent: true, counted: true})
	return nil
}

func (m *reference) take(c *refConn, p *packet.Publish) bool { return c.s.nextOf(m, c, p) != nil }

// nextOf takes what p is out of what waits: of the first group of which not
// everything may be over already.
func (s *refSession) nextOf(m *reference, c *refConn, p *packet.Publish) *refDelivery {
	for n, g := range s.queue {
		for i, d := range g {
			if m.same(c, p, d) && !d.m.expired(m.checked) && (d.round == 0 || mayCome(m.owing(c, g[:i]), d)) {
				s.queue = slices.Clone(s.queue[n:])
				s.queue[0] = slices.Delete(slices.Clone(g), i, i+1)
				if len(g) == 1 {
					s.queue = s.queue[1:]
				}
				return &d
			}
		}
		if len(m.owing(c, g)) > 0 {
			break
		}
	}
	return nil
}

// owing are those that c can be sent: they have not expired, and are not too
// large [MQTT5-3.3.2-5] [MQTT5-3.1.2-25].
func (m *reference) owing(c *refConn, list []refDelivery) []refDelivery {
	return slices.DeleteFunc(slices.Clone(list), func(d refDelivery) bool { return d.doubtful || d.m.expired(m.now) || m.tooLarge(c, d) })
}

// mayCome reports whether d may come before those that were published before.
func mayCome(before []refDelivery, d refDelivery) bool {
	return !slices.ContainsFunc(before, func(b refDelivery) bool { return b.round == 0 || b.round != d.round || b.from == d.from })
}

// again is the oldest exchange that has to be taken up again. What is too large
// for the client now is over [MQTT5-3.1.2-25].
func (m *reference) again(c *refConn) *refExchange {
	for {
		e := c.s.unsent()
		if e == nil || e.released || !m.tooLarge(c, e.refDelivery) || c.s.used() >= c.window {
			return e
		}
		i, _ := c.s.exchange(e.id)
		c.s.open = slices.Delete(c.s.open, i, i+1)
	}
}

func (x *refMessage) expired(now time.Time) bool {
	return !x.expires.IsZero() && !now.Before(x.expires)
}

// same reports whether p is d as c has to see it.
func (m *reference) same(c *refConn, p *packet.Publish, d refDelivery) bool {
	if p.QoS != d.qos || p.Retain != d.retain || string(p.Topic) != d.m.topic || string(p.Payload) != d.m.payload {
		return false
	}
	if c.version != mqtt.V5 {
		return p.Properties == nil
	}
	var got packet.Properties
	if p.Properties != nil {
		got = *p.Properties
	}
	want := d.m.props
	want.SubscriptionIDs = slices.Sorted(slices.Values(d.ids))
	got.SubscriptionIDs = slices.Sorted(slices.Values(got.SubscriptionIDs))
	if (got.MessageExpiry == nil) != d.m.expires.IsZero() {
		return false
	}
	if got.MessageExpiry != nil {
		n := time.Duration(*got.MessageExpiry)
		if n < max(d.m.expires.Sub(m.now), 0)/time.Second || n > max(d.m.expires.Sub(m.checked), 0)/time.Second {
			return false
		}
		got.MessageExpiry = nil
	}
	if !bytes.Equal(got.CorrelationData, want.CorrelationData) {
		return false
	}
	got.CorrelationData = want.CorrelationData
	return reflect.DeepEqual(got, want)
}

// missing says what a client should have got by now and did not.
func (m *reference) missing(c *refConn) error {
	s := c.s
	switch {
	case len(c.answers) > 0:
		return fmt.Errorf("no %s", c.answers[0])
	case len(c.live) > 0:
		return fmt.Errorf("no message %q of QoS 0", c.live[0].m.payload)
	case c.ended:
		return nil
	}
	if e := m.again(c); e != nil {
		if !e.released && s.used() >= c.window {
			return nil
		}
		return fmt.Errorf("exchange %d with %q was not taken up again", e.id, e.m.payload)
	}
	full := s.used() >= c.window
	for len(s.queue) > 0 {
		g := s.queue[0]
		if full && slices.ContainsFunc(g, func(d refDelivery) bool { return d.qos > 0 }) {
			return nil
		}
		if left := m.owing(c, g); len(left) > 0 {
			return fmt.Errorf("no message %q of QoS %d", left[0].m.payload, left[0].qos)
		}
		s.queue = s.queue[1:] // it was its turn
	}
	return nil
}
