package broker

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	exchange "github.com/matou-iot/matou/mqtt/session"
)

// An ack is what a PUBLISH is waiting for at the end of its batch.
type ack struct {
	id      uint16
	qos     mqtt.QoS
	repeat  bool // of QoS 2, taken before: only PUBREC is repeated
	lost    bool // pending has failed
	ready   bool // pending does not wait
	reason  mqtt.ReasonCode
	pending Pending
}

// A closeRequest is the wish of Rules to end a connection.
type closeRequest struct{ reason mqtt.ReasonCode }

func (e *closeRequest) Error() string { return "closed by rules: " + e.reason.Error() }

// errNotKept ends a 3.x connection whose message could not be made durable.
var errNotKept = errors.New("message could not be kept")

// publish handles a PUBLISH up to its acknowledgement, which settle writes.
func (c *Client) publish(b *batch, h packet.Header, body []byte) error {
	p := &b.pub
	if err := p.Decode(h, body, c.version); err != nil {
		return err
	}
	b.in++
	l := c.limits
	if len(p.Topic) > l.TopicLength || bytes.Count(p.Topic, slash) >= l.TopicLevels {
		return c.violation(packet.TypePublish, "MQTT3 §4.7.3", "MQTT5 §4.7.3", "the topic name is longer or deeper than this server takes", mqtt.TopicNameInvalid)
	}
	if c.version == mqtt.V5 {
		if err := c.checkPublish5(p); err != nil {
			return err
		}
	}
	if p.QoS > 0 {
		repeat, err := c.s.in.Publish(p.ID, p.QoS)
		if err != nil {
			return c.violation(packet.TypePublish, "", "MQTT5-3.3.4-7", "more messages without acknowledgement than the Receive Maximum", mqtt.ReceiveMaximumExceeded)
		}
		if repeat {
			b.acks = append(b.acks, ack{id: p.ID, qos: p.QoS, repeat: true})
			return nil
		}
	}
	if c.ignoreRetain {
		p.Retain = false
	}
	return c.decide(b, p)
}

// decide asks Rules about p and does as they say.
func (c *Client) decide(b *batch, p *packet.Publish) error {
	id, qos := p.ID, p.QoS
	d := c.b.rules.Publish(c, p)
	if d.Action == Close {
		if d.Pending != nil {
			d.Pending.Settle()
		}
		if qos == mqtt.ExactlyOnce {
			c.s.in.Refused(id) // it may come again
		}
		return &closeRequest{disconnectReason(d.Reason)}
	}
	routed := d.Action == Route && !d.Reason.Failed()
	switch {
	case qos == mqtt.ExactlyOnce && d.Pending == nil && c.s.durable():
		// That it was taken and who gets it, in one step: half of it after a
		// crash would be a message lost or one too many.
		c.b.store.Together(func() {
			c.received(b, id)
			if routed {
				c.b.route(&b.work, p, c.s, b.started)
			}
		})
	case routed:
		c.b.route(&b.work, p, c.s, b.started)
	}
	if qos > 0 || d.Pending != nil {
		b.acks = append(b.acks, ack{id: id, qos: qos, reason: d.Reason, pending: d.Pending})
	}
	return nil
}

// received writes down that a QoS 2 message was taken.
func (c *Client) received(b *batch, id uint16) {
	c.b.store.Write(Record{Kind: ReceivedRecord, Session: c.s.key, ID: id})
	b.sync = true
}

// checkPublish5 holds a 5.0 client to what it was told, and puts the topic in
// the place of an alias [MQTT5 §3.3.2.3.4].
func (c *Client) checkPublish5(p *packet.Publish) error {
	if p.QoS > c.maxQoS {
		return c.violation(packet.TypePublish, "", "MQTT5-3.2.2-11", "the QoS is above the Maximum QoS of this server", mqtt.QoSNotSupported)
	}
	if p.Retain && c.ignoreRetain {
		return c.violation(packet.TypePublish, "", "MQTT5-3.2.2-14", "this server keeps no retained messages of this client", mqtt.RetainNotSupported)
	}
	if p.Properties == nil {
		return nil
	}
	if len(p.Properties.SubscriptionIDs) > 0 {
		return c.violation(packet.TypePublish, "", "MQTT5-3.3.4-6", "a client sends no subscription identifier", mqtt.ProtocolError)
	}
	if p.Properties.TopicAlias == nil {
		return nil
	}
	alias := *p.Properties.TopicAlias
	if alias == 0 || int(alias) > c.limits.TopicAliases {
		return c.violation(packet.TypePublish, "", "MQTT5-3.3.2-9", "the topic alias is above the Topic Alias Maximum", mqtt.TopicAliasInvalid)
	}
	if len(p.Topic) > 0 {
		if c.aliases == nil {
			c.aliases = make(map[uint16][]byte)
		}
		c.aliases[alias] = append([]byte(nil), p.Topic...)
		return nil
	}
	p.Topic = c.aliases[alias]
	if p.Topic == nil {
		return c.violation(packet.TypePublish, "", "MQTT5 §3.3.2.3.4", "the topic alias has no topic yet", mqtt.ProtocolError)
	}
	return nil
}

// settle ends a batch: what others get is on its way first, then everything
// is made durable, then the acknowledgements are put into the out-buffer, in
// the order of receipt [MQTT3-4.6.0-2] [MQTT5-4.6.0-2].
func (c *Client) settle(b *batch) error {
	if b.waits() {
		b.by.handOver()
		b.flush()
	} else {
		b.flushEarly(b.clock())
	}
	for i := range b.acks {
		a := &b.acks[i]
		if a.pending == nil {
			continue
		}
		if r := a.pending.Settle(); r.Failed() {
			a.reason, a.lost = r, true
		} else if a.qos == mqtt.ExactlyOnce && c.s.durable() {
			c.received(b, a.id) // not before it is kept: once too often is better than never
		}
	}
	kept := c.b.keep(&b.work)
	var failed error
	for i := range b.acks {
		a := &b.acks[i]
		if a.qos > 0 && (a.lost || !kept) && c.version != mqtt.V5 {
			failed = errNotKept
		}
		if failed != nil { // sent again after a reconnect, all that follow too
			if a.qos == mqtt.ExactlyOnce && !a.repeat {
				c.notReceived(a.id)
			}
			continue
		}
		if !kept && !a.reason.Failed() {
			a.reason = mqtt.ImplementationSpecificError
		}
		c.acknowledge(b, a)
	}
	clear(b.acks)
	b.acks = b.acks[:0]
	return failed
}

// waits reports whether settling b takes as long as a disk does.
func (b *batch) waits() bool {
	return b.sync || slices.ContainsFunc(b.acks, func(a ack) bool { return a.pending != nil && !a.ready })
}

// park leaves b until what its acknowledgements wait for is there, if that is
// all that settling it waits for and an event loop goes on with it then. Where
// it reports true, that may have happened already: the caller has nothing to
// do with c and b any more. A worker that waits instead is a stack for each
// message under way, cold when it goes on: a tenth of what a post costs.
func (c *Client) park(b *batch) bool {
	if b.sync || len(b.dirty) > 0 || !b.by.leads() {
		return false
	}
	for i := range b.acks {
		a := &b.acks[i]
		if a.pending == nil || a.ready {
			continue
		}
		b.parked = true
		switch a.pending.Notify((*sleeper)(c)) {
		case Later:
			return true
		case Ready:
			b.parked, a.ready = false, true
		default:
			b.parked = false
			return false
		}
	}
	return false
}

// A sleeper is a client that is parked.
type sleeper Client

// Wake lets its event loop go on with it.
func (c *sleeper) Wake() { c.loop.wake((*Client)(c)) }

// keep waits until the store has what w wrote.
func (b *Broker) keep(w *work) bool {
	if !w.sync {
		return true
	}
	w.sync = false
	if err := b.store.Sync(); err != nil {
		b.counters.StoreErrors.Add(1)
		b.log.Error("sessions are not kept", "error", err)
		return false
	}
	return true
}

func (c *Client) acknowledge(b *batch, a *ack) {
	reason := a.reason
	if c.version != mqtt.V5 {
		reason = mqtt.Success
	}
	switch a.qos {
	case mqtt.AtLeastOnce:
		c.s.in.Acknowledged()
		c.pushAck(&b.work, packet.TypePuback, a.id, ackReason(reason))
	case mqtt.ExactlyOnce:
		if reason.Failed() {
			c.notReceived(a.id)
		}
		c.pushAck(&b.work, packet.TypePubrec, a.id, ackReason(reason))
	}
}

// ackReason is r where a PUBACK may carry it [MQTT5 §3.4.2.1].
func ackReason(r mqtt.ReasonCode) mqtt.ReasonCode {
	switch r {
	case mqtt.Success, mqtt.NoMatchingSubscribers, mqtt.UnspecifiedError, mqtt.ImplementationSpecificError,
		mqtt.NotAuthorized, mqtt.TopicNameInvalid, mqtt.QuotaExceeded, mqtt.PayloadFormatInvalid:
		return r
	}
	if r.Failed() {
		return mqtt.UnspecifiedError
	}
	return mqtt.Success
}

// notReceived frees the identifier of a QoS 2 message that was not taken.
func (c *Client) notReceived(id uint16) {
	c.s.in.Refused(id)
	if c.s.durable() {
		c.b.store.Write(Record{Kind: ReceivedRecord, Delete: true, Session: c.s.key, ID: id})
	}
}

// route gives p to its subscribers and keeps it if it is to be retained. It
// returns how many sessions it went to. from is the publisher's, nil for the
// server.
func (b *Broker) route(w *work, p *packet.Publish, from *session, now time.Time) int {
	w.begin()
	expires := expiryOf(p.Properties, now)
	w.fwd = packet.Publish{Topic: p.Topic, Payload: p.Payload, Properties: forwarded(&w.fwdProps, p.Properties)}
	if p.Retain {
		b.retain(w, p, expires)
	}
	b.topics.match(p.Topic, w)
	w.merge(from)
	n := 0
	for i := range w.found {
		if b.hand(w, p, &w.found[i], expires) {
			n++
		}
	}
	return n
}

// hand gives p to one session and reports whether it was taken.
func (b *Broker) hand(w *work, p *packet.Publish, t *target, expires time.Time) bool {
	s := t.sub.s
	qos := min(p.QoS, t.qos) // [MQTT3 §3.8.4] [MQTT5-3.8.4-8]
	retain := p.Retain && t.retain
	if qos == mqtt.AtMostOnce {
		c := s.client.Load()
		return c != nil && c.handQoS0(w, p, t, retain, expires)
	}
	d := delivery{m: w.shared(p, expires), qos: qos, retain: retain, ids: t.subscriptionIDs()}
	s.mu.Lock()
	o := s.offer(w, d, true)
	s.mu.Unlock()
	return o == Delivered || o == Queued
}

// handQoS0 sends p now or never: what a client's full out-buffer has no room
// for is dropped and counted.
func (c *Client) handQoS0(w *work, p *packet.Publish, t *target, retain bool, expires time.Time) bool {
	if c.throttled() {
		return false
	}
	frame, err := []byte(nil), error(nil)
	if c.named.max > 0 {
		own := w.fwd
		own.QoS, own.Retain, own.ID = mqtt.AtMostOnce, retain, 0
		if ids := t.subscriptionIDs(); ids != nil {
			own.Properties = w.withIDs(ids)
		}
		became := c.pushAliased(w, &own, bounded)
		if became == noRoom {
			c.b.counters.DroppedSlow.Add(1)
		}
		return c.counted(w, became, 0)
	}
	if ids := t.subscriptionIDs(); ids != nil && c.version == mqtt.V5 {
		own := w.fwd
		own.QoS, own.Retain, own.ID = mqtt.AtMostOnce, retain, 0
		own.Properties = w.withIDs(ids)
		w.scratch, _, err = own.AppendShared(w.scratch[:0], c.version)
		frame = w.scratch
	} else {
		frame, _, err = w.encode(c.version, mqtt.AtMostOnce, retain)
	}
	if err != nil {
		return false
	}
	if c.maxPacket > 0 && len(frame) > int(c.maxPacket) {
		c.b.counters.DroppedTooLarge.Add(1)
		return false
	}
	if !c.pushFrame(w, frame, 0, 0, bounded) {
		c.b.counters.DroppedSlow.Add(1)
		return false
	}
	w.out++
	return true
}

// withIDs are the properties of w.fwd with one receiver's subscription
// identifiers.
func (w *work) withIDs(ids []uint32) *packet.Properties {
	props := w.room()
	if w.fwd.Properties != nil {
		*props = *w.fwd.Properties
	}
	props.SubscriptionIDs = ids
	return props
}

// puback handles the end of a QoS 1 delivery.
func (c *Client) puback(b *batch, h packet.Header, body []byte) error {
	var p packet.Puback
	if err := p.Decode(h, body, c.version); err != nil {
		return err
	}
	if !c.s.acknowledged(b, p.ID) && c.conduct != nil && !c.conduct(h.Type, nil) {
		return &closeRequest{mqtt.ProtocolError}
	}
	return nil
}

// acknowledged ends a QoS 1 delivery; false where there is none of this
// identifier, which MQTT ignores.
func (s *session) acknowledged(b *batch, id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.out.Puback(id)
	if ok {
		s.ended(e.Message)
		s.pump(&b.work)
	}
	return ok
}

// pubrec handles the first answer to a QoS 2 delivery.
func (c *Client) pubrec(b *batch, h packet.Header, body []byte) error {
	var p packet.Pubrec
	if err := p.Decode(h, body, c.version); err != nil {
		return err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	e, step := s.out.Pubrec(p.ID, p.Reason)
	switch step {
	case exchange.Release:
		s.progress(e.Message, e.ID, exchange.Released)
		c.pushAck(&b.work, packet.TypePubrel, p.ID, mqtt.Success)
	case exchange.Ended:
		s.ended(e.Message)
		s.pump(&b.work)
	case exchange.Unknown:
		c.pushAck(&b.work, packet.TypePubrel, p.ID, mqtt.PacketIdentifierNotFound) // 3.x leaves the reason out
	}
	return nil
}

// pubcomp handles the end of a QoS 2 delivery.
func (c *Client) pubcomp(b *batch, h packet.Header, body []byte) error {
	var p packet.Pubcomp
	if err := p.Decode(h, body, c.version); err != nil {
		return err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.out.Pubcomp(p.ID); ok {
		s.ended(e.Message)
		s.pump(&b.work)
	}
	return nil
}

// pubrel handles the release of a QoS 2 message of the client. Its PUBREC may
// still be among the batch's acknowledgements: those come first.
func (c *Client) pubrel(b *batch, h packet.Header, body []byte) error {
	var p packet.Pubrel
	if err := p.Decode(h, body, c.version); err != nil {
		return err
	}
	if len(b.acks) > 0 {
		if err := c.settle(b); err != nil {
			return err
		}
	}
	reason := mqtt.Success
	switch known := c.s.in.Release(p.ID); {
	case known && c.s.durable():
		c.b.store.Write(Record{Kind: ReceivedRecord, Delete: true, Session: c.s.key, ID: p.ID})
	case !known:
		reason = mqtt.PacketIdentifierNotFound // 3.x leaves it out
	}
	c.pushAck(&b.work, packet.TypePubcomp, p.ID, reason)
	return nil
}
