package broker

import (
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Send sends m to one session, once, whether none, one or several of its
// subscriptions match: with m's QoS where it is unasked, with no more than
// the granted one if how is IfSubscribed. Queued means kept durably.
//
// It may be called by Rules; what it sends to the client that is being handled
// leaves together with that client's acknowledgements. It blocks only for the
// store, and only if the result is Queued.
func (b *Broker) Send(session string, m Message, how Delivery) Outcome {
	s := b.lookup(session)
	if s == nil {
		return NoSession
	}
	return s.send(m, how)
}

// Answer is Broker.Send to the session of c, which it need not look for. Only
// Rules and what they left Pending may call it.
func (c *Client) Answer(m Message, how Delivery) Outcome { return c.s.send(m, how) }

func (s *session) send(m Message, how Delivery) Outcome {
	if m.QoS > mqtt.ExactlyOnce || m.Topic == "" {
		s.b.log.Error("message cannot be sent", "session", s.key, "qos", byte(m.QoS), "topic", m.Topic)
		return Offline
	}
	d := delivery{qos: m.QoS}
	s.mu.Lock()
	t, matches := s.matching(m.Topic)
	c := s.client.Load()
	switch {
	case how == IfSubscribed && !matches:
		s.mu.Unlock()
		return NotSubscribed
	case c == nil && (m.QoS == 0 || !s.keeps()):
		s.mu.Unlock()
		return Offline
	}
	if matches {
		d.ids = t.subscriptionIDs()
		d.retain = m.Retain && t.retain
		if how == IfSubscribed {
			d.qos = min(d.qos, t.qos)
		}
	}
	w := works.Get().(*work)
	if m.QoS == 0 { // nobody keeps it
		w.bytes = append(w.bytes[:0], m.Topic...)
		w.passing = message{topic: w.bytes, payload: m.Payload, props: propertiesOf(&m), expires: m.Expiry}
		d.m = &w.passing
	} else {
		d.m = messageOf(m)
	}
	o := s.sendNow(w, c, d)
	s.mu.Unlock()
	s.b.finish(w, o == Queued)
	return o
}

// sendNow offers d, at QoS 0 only if there is room; s.mu is held.
func (s *session) sendNow(w *work, c *Client, d delivery) Outcome {
	if d.qos > 0 {
		return s.offer(w, d, false)
	}
	if c == nil {
		return Offline
	}
	if !c.hasRoom() {
		s.b.counters.DroppedSlow.Add(1)
		return QueueFull
	}
	if c.throttled() {
		return Throttled
	}
	if c.put(w, d, 0, false, false) {
		return Delivered
	}
	if c.stopped() {
		return Offline
	}
	return TooLarge
}

// finish flushes what w did, waits for the store if asked to, and gives w back.
func (b *Broker) finish(w *work, wait bool) {
	w.flush()
	if wait {
		b.keep(w)
	}
	b.counters.MessagesOut.Add(w.out)
	w.reset()
	works.Put(w)
}

// Publish routes m to its subscribers, and retains it if m.Retain, as if a
// client of no session had published it. It returns how many sessions took it,
// after the store has what it has to keep.
func (b *Broker) Publish(m Message) int {
	if mqtt.ValidTopicName(m.Topic) != nil || !m.QoS.Valid() {
		return 0
	}
	p := packet.Publish{Topic: []byte(m.Topic), Payload: m.Payload, QoS: m.QoS, Retain: m.Retain, Properties: m.Properties}
	now := time.Now()
	if !m.Expiry.IsZero() {
		props := packet.Properties{}
		if m.Properties != nil {
			props = *m.Properties
		}
		props.MessageExpiry = ptr(uint32(max(m.Expiry.Sub(now)/time.Second, 0)))
		p.Properties = &props
	}
	w := works.Get().(*work)
	n := b.route(w, &p, nil, now)
	b.finish(w, true)
	return n
}

// Disconnect ends the connection of a session's client, telling a 5.0 client
// the reason. It reports whether there was one. The client's Closed comes
// later, with the cause Kicked.
func (b *Broker) Disconnect(session string, reason mqtt.ReasonCode) bool {
	s := b.lookup(session)
	if s == nil {
		return false
	}
	c := s.client.Load()
	if c == nil {
		return false
	}
	c.end(Kicked, disconnectReason(reason))
	return true
}

// Forget ends a session and everything that is kept of it: subscriptions,
// queue, exchanges. Its client is disconnected; its will is not published.
func (b *Broker) Forget(session string) {
	s := b.lookup(session)
	if s == nil {
		return
	}
	s.mu.Lock()
	c := s.client.Load()
	s.drop = c != nil
	if c == nil {
		s.end()
	}
	s.mu.Unlock()
	if c != nil {
		c.end(Kicked, mqtt.AdministrativeAction)
	}
}

// Online reports whether a session has a client.
func (b *Broker) Online(session string) bool {
	s := b.lookup(session)
	return s != nil && s.client.Load() != nil
}

// Unsubscribe ends the subscriptions of a session whose filters drop picks, as
// UNSUBSCRIBE would: for topics that stopped being the session's to hear. It
// returns how many there were, after the store has it.
func (b *Broker) Unsubscribe(session string, drop func(filter string) bool) int {
	s := b.lookup(session)
	if s == nil {
		return 0
	}
	var filters []string
	s.mu.Lock()
	for _, sub := range s.subs {
		filters = append(filters, sub.filter)
	}
	s.mu.Unlock()
	w := works.Get().(*work)
	n := 0
	for _, filter := range filters {
		if drop(filter) && s.unsubscribe(w, filter) == mqtt.Success {
			n++
		}
	}
	b.finish(w, true)
	return n
}
