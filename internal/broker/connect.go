package broker

import (
	"crypto/rand"
	"errors"
	"math"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// connect handles the CONNECT.
func (c *Client) connect(b *batch, h packet.Header, body []byte) error {
	b.by.handOver() // Rules may ask a store, and the session's last client may have to leave
	var p packet.Connect
	err := p.Decode(h, body, 0)
	if p.Properties != nil && p.Properties.MaximumPacketSize != nil {
		c.maxPacket = min(*p.Properties.MaximumPacketSize, math.MaxInt32)
	}
	if err != nil {
		c.answerMalformed(b, &p, err)
		return err
	}
	c.version, c.cleanStart, c.id = p.Version, p.CleanStart, p.ClientID
	assigned := false
	if p.ClientID == "" { // where that is allowed: Decode has refused the others
		c.id, assigned = rand.Text(), true // [MQTT3-3.1.3-6] [MQTT5-3.1.3-6]
	}
	if p.Will != nil && c.tooDeep(p.Will.Topic) {
		c.refuse(b, &Refusal{Reason: mqtt.TopicNameInvalid})
		return c.violation(packet.TypeConnect, "MQTT3 §4.7.3", "MQTT5 §4.7.3", "the will's topic name is longer or deeper than this server takes", mqtt.TopicNameInvalid)
	}
	if p.Properties != nil && p.Properties.AuthMethod != "" { // [MQTT5 §4.12]
		return c.refuse(b, &Refusal{Reason: mqtt.BadAuthenticationMethod})
	}
	grant, err := c.b.rules.Connect(c.l.ctx, &p, c.origin)
	if err != nil {
		return c.refuse(b, refusalOf(err))
	}
	if c.b.closing.Load() {
		return c.refuse(b, &Refusal{Reason: mqtt.ServerUnavailable})
	}
	if r := refuseWill(&p, grant); r != nil {
		return c.refuse(b, r)
	}
	c.accept(&p, grant)
	if c.maxPacket > 0 && !c.fits(c.connack(&p, grant, false, assigned)) {
		return c.refuse(b, &Refusal{Reason: mqtt.PacketTooLarge})
	}
	return c.enter(b, &p, grant, assigned)
}

// refuseWill refuses a 5.0 client whose will asks for more than it is granted
// [MQTT5-3.2.2-12] [MQTT5-3.2.2-13]; nil where it may stay.
func refuseWill(p *packet.Connect, g *Grant) *Refusal {
	switch {
	case p.Will == nil || g.IgnoreWill || p.Version != mqtt.V5:
		return nil
	case p.Will.QoS > g.MaxQoS:
		return &Refusal{Reason: mqtt.QoSNotSupported}
	case p.Will.Retain && g.IgnoreRetain:
		return &Refusal{Reason: mqtt.RetainNotSupported}
	}
	return nil
}

// answerMalformed tells the client why its CONNECT is no good, where the
// protocol has a word for it: an unknown level [MQTT3-3.1.2-2], or anything
// if the client is known to speak 5.0 [MQTT5-3.1.4-1].
func (c *Client) answerMalformed(b *batch, p *packet.Connect, err error) {
	reason := mqtt.MalformedPacket
	if pe, ok := errors.AsType[*packet.Error](err); ok {
		reason = pe.Reason
	}
	switch {
	case p.Version == mqtt.V5:
		c.version = mqtt.V5
		if ack := (&packet.Connack{Reason: reason}); c.fits(ack) {
			c.push(&b.work, ack)
		}
	case reason == mqtt.UnsupportedProtocolVersion:
		c.pushFrame(&b.work, []byte{0x20, 2, 0, 1}, 0, 0, 0)
	case reason == mqtt.ClientIdentifierNotValid:
		c.pushFrame(&b.work, []byte{0x20, 2, 0, 2}, 0, 0, 0)
	}
}

// refuse answers a CONNECT with a failure; the connection ends
// [MQTT3-3.2.2-5] [MQTT5-3.2.2-7].
func (c *Client) refuse(b *batch, r *Refusal) error {
	c.b.counters.Refused.Add(1)
	if r.Reason == mqtt.ConnectionRateExceeded {
		c.b.counters.Throttled.Add(1)
	}
	if r.Silent {
		return errRefused
	}
	if c.version == mqtt.V5 {
		ack := &packet.Connack{Reason: r.Reason}
		if r.ReasonString != "" {
			ack.Properties = &packet.Properties{ReasonString: r.ReasonString}
			if !c.fits(ack) { // [MQTT5-3.2.2-19]
				ack.Properties = nil
			}
		}
		if c.fits(ack) {
			c.push(&b.work, ack)
		}
		return errRefused
	}
	code := r.ReturnCode
	if code == 0 {
		code = packet.ReturnCode(r.Reason)
	}
	c.pushFrame(&b.work, []byte{0x20, 2, 0, code}, 0, 0, 0)
	return errRefused
}

// accept takes over what CONNECT and Grant say about the connection.
func (c *Client) accept(p *packet.Connect, g *Grant) {
	c.identity = g.Identity
	c.since = time.Now()
	c.maxQoS = min(g.MaxQoS, mqtt.ExactlyOnce)
	c.ignoreRetain, c.conduct, c.downlink = g.IgnoreRetain, g.Conduct, g.Downlink
	c.keepAlive = p.KeepAlive
	if g.KeepAlive != 0 {
		c.keepAlive = g.KeepAlive
	}
	if p.Properties != nil && p.Properties.TopicAliasMaximum != nil {
		c.named.max = min(int(*p.Properties.TopicAliasMaximum), c.limits.TopicAliases)
	}
	c.lifetime = g.Lifetime
	c.expiry = c.askedExpiry(p, g)
	if p.Will != nil && !g.IgnoreWill {
		c.will = newWill(p.Will)
	}
}

// askedExpiry is how long the session outlives this connection: in 3.x that is
// what CleanSession says, in 5.0 the client does [MQTT5 §3.1.2.11.2].
func (c *Client) askedExpiry(p *packet.Connect, g *Grant) time.Duration {
	if g.Lifetime > 0 {
		return 0
	}
	most := c.b.mostExpiry(g)
	if p.Version != mqtt.V5 {
		if p.CleanStart {
			return 0
		}
		return most
	}
	if p.Properties == nil || p.Properties.SessionExpiry == nil {
		return 0
	}
	return min(time.Duration(*p.Properties.SessionExpiry)*time.Second, most)
}

func (b *Broker) mostExpiry(g *Grant) time.Duration {
	if g.SessionExpiry > 0 {
		return g.SessionExpiry
	}
	return b.limits.Load().SessionExpiry
}

// enter takes the session, from another client if need be, answers the
// CONNECT and tells Rules.
func (c *Client) enter(b *batch, p *packet.Connect, g *Grant, assigned bool) error {
	key := g.Session
	if key == "" {
		key = c.id
	}
	s := c.b.claim(key)
	defer s.release()
	if !s.takeOver(c.limits.ConnectTimeout) {
		return c.refuse(b, &Refusal{Reason: mqtt.ServerBusy})
	}
	if wl := s.endedBy(p.CleanStart); wl != nil {
		wl.client.publishWill(wl)
	}
	c.s = s
	c.attach(b, p, g, assigned)
	c.phase = open
	c.admitted.Store(true)
	c.b.counters.Connects.Add(1)
	c.b.counters.Clients.Add(1)
	c.t.until(c.deadline())
	c.flush()
	c.b.rules.Connected(c)
	if c.b.closing.Load() { // Shutdown may have looked before we were there
		c.end(ServerDown, mqtt.ServerShuttingDown)
	}
	return nil
}

// claim returns the session of key with admit locked. It stays in the broker
// until release.
func (b *Broker) claim(key string) *session {
	for {
		s := b.sessionOf(key)
		s.admit.Lock()
		s.mu.Lock()
		if !s.gone {
			s.claims++
			s.mu.Unlock()
			return s
		}
		s.mu.Unlock()
		s.admit.Unlock()
	}
}

func (s *session) release() {
	s.mu.Lock()
	s.claims--
	s.discard()
	s.mu.Unlock()
	s.admit.Unlock()
}

// takeOver disconnects the session's client, if there is one, and waits until
// Rules have been told that it is gone [MQTT3-3.1.4-2] [MQTT5-3.1.4-3]. It is
// false when that takes too long. s.admit is held.
func (s *session) takeOver(patience time.Duration) bool {
	s.mu.Lock()
	old := s.client.Load()
	if old == nil && s.left == nil {
		s.mu.Unlock()
		return true
	}
	if s.left == nil {
		s.left = make(chan struct{})
	}
	left := s.left
	s.mu.Unlock()
	if old != nil {
		s.b.counters.TakeOvers.Add(1)
		old.end(TakenOver, mqtt.SessionTakenOver)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-left:
		return true
	case <-timer.C:
		return false
	}
}

// endedBy returns the delayed will that a clean start makes due: it ends the
// session [MQTT5-3.1.2-8].
func (s *session) endedBy(cleanStart bool) (due *will) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cleanStart {
		due, s.will = s.will, nil
	}
	return due
}

// attach makes c the session's client and puts CONNACK and what the session
// still has for it into the out-buffer.
func (c *Client) attach(b *batch, p *packet.Connect, g *Grant, assigned bool) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.present && !p.CleanStart
	if !found {
		s.begin(g)
	}
	if !s.offline.IsZero() {
		c.b.counters.Offline.Add(-1)
		c.b.timers.stop(s)
	}
	changed := !found || !s.offline.IsZero() || s.expiry != c.expiry || s.clientID != c.id || s.keep != g.KeepSubscriptions
	s.will = nil // the session goes on: a delayed will is not sent [MQTT5-3.1.3-9]
	s.drop = false
	s.present = true
	s.keep = g.KeepSubscriptions
	s.expiry, s.most = c.expiry, c.b.mostExpiry(g)
	s.offline = time.Time{}
	s.clientID = c.id
	if s.stored() && !s.recorded || changed && (s.stored() || s.recorded) {
		s.record()
	}
	window, ours := c.limits.Inflight, 0
	if c.version == mqtt.V5 {
		ours = c.limits.ReceiveMaximum
		if p.Properties != nil && p.Properties.ReceiveMaximum != nil {
			window = min(window, int(*p.Properties.ReceiveMaximum))
		}
	}
	s.out.Connect(window)
	s.in.Connect(ours)
	s.client.Store(c)
	c.push(&b.work, c.connack(p, g, found, assigned))
	s.pump(&b.work)
}

// begin makes s a new session; what was there ends [MQTT3-3.1.2-6]
// [MQTT5-3.1.2-4], except for subscriptions that hold for ever.
func (s *session) begin(g *Grant) {
	had := s.recorded
	s.clear()
	if !g.KeepSubscriptions {
		s.unsubscribeAll()
		s.erase()
		return
	}
	if had {
		s.b.store.Write(Record{Kind: ContentRecord, Delete: true, Session: s.key})
	}
}

// connack answers the CONNECT. A 3.x client gets two bytes, a 5.0 client what
// differs from what it asked for or would assume [MQTT5 §3.2.2.3].
func (c *Client) connack(p *packet.Connect, g *Grant, found, assigned bool) *packet.Connack {
	ack := &packet.Connack{SessionPresent: found && c.version != mqtt.V31}
	if c.version != mqtt.V5 {
		return ack
	}
	l := c.limits
	props := &packet.Properties{
		ReceiveMaximum:    ptr(uint16(l.ReceiveMaximum)),
		MaximumPacketSize: ptr(uint32(l.PacketSize)),
		TopicAliasMaximum: ptr(uint16(l.TopicAliases)),
	}
	if assigned {
		props.AssignedClientID = c.id // [MQTT5-3.2.2-16]
	}
	if c.maxQoS < mqtt.ExactlyOnce {
		props.MaximumQoS = ptr(byte(c.maxQoS)) // [MQTT5-3.2.2-9]
	}
	if c.ignoreRetain {
		props.RetainAvailable = ptr(byte(0)) // [MQTT5 §3.2.2.3.5]
	}
	if c.keepAlive != p.KeepAlive {
		props.ServerKeepAlive = ptr(c.keepAlive) // [MQTT5-3.2.2-21]
	}
	if granted := uint32(c.expiry / time.Second); p.Properties != nil && p.Properties.SessionExpiry != nil && *p.Properties.SessionExpiry != granted {
		props.SessionExpiry = &granted
	}
	ack.Properties = props
	return ack
}

func ptr[T any](v T) *T { return &v }

// leave ends c's hold on its session and tells Rules, then whoever waits to
// take the session over.
func (c *Client) leave(why Cause) {
	s := c.s
	s.mu.Lock()
	if s.left == nil {
		s.left = make(chan struct{}) // a connect from now on waits for Closed
	}
	s.client.Store(nil)
	if s.drop {
		c.expiry, s.keep = 0, false
		c.will = nil
	}
	s.expiry = c.expiry
	now := time.Now()
	w := c.will
	if why == ServerDown {
		w = nil
	}
	if w != nil && w.delay > 0 && c.expiry > 0 {
		s.will, w = w, nil
		s.will.client = c
	}
	s.rest(now)
	s.mu.Unlock()

	if w != nil {
		c.publishWill(w)
	}
	c.b.counters.Clients.Add(-1)
	c.b.counters.Ended[why].Add(1)
	c.b.rules.Closed(c, why)

	s.mu.Lock()
	close(s.left)
	s.left = nil
	s.discard()
	s.mu.Unlock()
}

// rest leaves s without a client: it ends, or waits for one to come back;
// s.mu is held.
func (s *session) rest(now time.Time) {
	full := s.b.counters.Offline.Load() >= int64(s.b.limits.Load().OfflineSessions)
	if full && s.stored() && !s.drop {
		s.b.counters.DroppedSessions.Add(1)
		s.expiry, s.keep = 0, false
		s.drop = true
	}
	if s.expiry == 0 {
		s.present = false
		s.clear()
	}
	if s.expiry == 0 && !s.keep {
		s.end()
		return
	}
	s.offline = now
	s.b.counters.Offline.Add(1)
	if s.expiry == 0 && s.recorded { // only its subscriptions stay
		s.b.store.Write(Record{Kind: ContentRecord, Delete: true, Session: s.key})
	}
	s.record()
	s.wind()
}

// end forgets all that s has; s.mu is held and its client gone.
func (s *session) end() {
	s.clear()
	s.unsubscribeAll()
	s.erase()
	s.present, s.keep, s.will = false, false, nil
	if !s.offline.IsZero() {
		s.b.counters.Offline.Add(-1)
		s.b.timers.stop(s)
		s.offline = time.Time{}
	}
	s.discard()
}
