package broker_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A reference is what a broker is, in maps and slices: no network, no locks,
// no indexes, nothing encoded. It says what each client has to get; where the
// broker may choose (the order of retained messages, packet identifiers), it
// takes what came and checks that it is one of the choices.
type reference struct {
	limits   broker.Limits
	now      time.Time
	checked  time.Time // when clients were looked at before
	started  time.Time // the broker's clock ticks each second from here on
	sessions map[string]*refSession
	retained map[string]*refMessage
	shares   map[string]*refShare // by filter
	closed   []string             // connections that ended, "session cause"
	round    int                  // not 0 while several publish at once
}

type refSession struct {
	id       string
	keep     bool     // its subscriptions hold until UNSUBSCRIBE
	present  bool     // a client that comes back finds it
	conn     *refConn // nil while away
	expiry   time.Duration
	away     time.Time
	will     *refWill // delayed
	subs     []*refSub
	open     []*refExchange // on their way, the oldest first
	queue    []refGroup
	received map[uint16]bool // QoS 2, PUBREL awaited
	ahead    int             // of queue: sent before the connection ended, not seen yet
}

type refConn struct {
	s         *refSession
	version   mqtt.Version
	window    int // messages of QoS 1 and 2 on their way to it
	ours      int // the same from it; 0: no limit
	will      *refWill
	expiry    time.Duration
	keepAlive time.Duration
	maxPacket int // 0: no limit
	seen      time.Time
	unacked   int      // QoS 1 in the batch that is being read
	refused   []uint16 // QoS 2 in it that are free again once they are answered

	answers []string      // that it has to get, in order
	live    []refDelivery // QoS 0 that it has to get, in order
	ended   bool
	fault   bool // it is told some reason, whichever
}

type refWill struct {
	m      refMessage
	retain bool
	delay  time.Duration
}

type refSub struct {
	s                    *refSession
	filter               string
	qos                  mqtt.QoS
	noLocal, asPublished bool
	id                   uint32
}

type refShare struct {
	members []*refSub
	turn    int
}

type refMessage struct {
	topic, payload string
	qos            mqtt.QoS
	expires        time.Time
	props          packet.Properties // what is passed on
}

type refDelivery struct {
	m      *refMessage
	qos    mqtt.QoS
	retain bool
	ids    []uint32
	round  int // of publishers that spoke at once, 0: nobody else did
	from   string

	doubtful bool // it was too large when its turn may have come, or not
}

// A refGroup may be sent in any order, but that of one publisher in a round.
type refGroup []refDelivery

type refExchange struct {
	refDelivery
	id                      uint16
	released, sent, counted bool
}

// refMatch is the definition of a match, level by level [MQTT5 §4.7].
func refMatch(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && strings.ContainsAny(filter[:1], "+#") {
		return false
	}
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i := range f {
		if f[i] == "#" {
			return true
		}
		if i >= len(t) || f[i] != "+" && f[i] != t[i] {
			return false
		}
	}
	return len(f) == len(t)
}

// refShared takes a filter apart.
func refShared(filter string) (topic string, shared bool) {
	if p := strings.SplitN(filter, "/", 3); len(p) == 3 && p[0] == "$share" {
		return p[2], true
	}
	return filter, false
}

func (m *reference) ids() (list []string) {
	for id := range m.sessions {
		list = append(list, id)
	}
	sort.Strings(list)
	return list
}

// connect is a CONNECT that is accepted.
func (m *reference) connect(id string, version mqtt.Version, clean bool, c *refConn) {
	s := m.sessions[id]
	if s != nil && s.conn != nil {
		m.end(s.conn, broker.TakenOver, "DISCONNECT 8e")
	}
	if s = m.sessions[id]; s != nil && clean {
		if w := s.will; w != nil {
			s.will = nil
			m.publishWill(id, w)
		}
		m.forget(s)
	}
	if s = m.sessions[id]; s == nil {
		s = &refSession{id: id, received: make(map[uint16]bool)}
		m.sessions[id] = s
	}
	present := s.present
	s.keep, s.present = keepsSubscriptions(id), true
	s.conn, s.will, s.away, s.expiry = c, nil, time.Time{}, c.expiry
	for _, e := range s.open {
		e.sent, e.counted = false, false
	}
	c.s, c.version, c.seen = s, version, m.now
	c.answers = append(c.answers, fmt.Sprintf("CONNACK %v 00", present))
}

// end is the end of a connection. told is for a 5.0 client.
func (m *reference) end(c *refConn, why broker.Cause, told string) {
	s := c.s
	c.ended = true
	if told != "" && c.version == mqtt.V5 {
		c.answers = append(c.answers, told)
	}
	m.closed = append(m.closed, s.id+" "+why.String())
	s.ahead = max(0, min(s.free(), s.waiting()))
	s.conn = nil
	s.expiry, s.away = c.expiry, m.now
	w := c.will
	if why == broker.ServerDown {
		w = nil
	}
	if w != nil && w.delay > 0 && c.expiry > 0 {
		s.will, w = w, nil
	}
	if c.expiry == 0 {
		left := *s // what is on its way to the client arrives
		c.s = &left
		m.forget(s)
	}
	if w != nil {
		m.publishWill(s.id, w)
	}
}

func (m *reference) publishWill(from string, w *refWill) {
	msg := w.m
	if p := w.m.props.MessageExpiry; p != nil {
		msg.expires = m.now.Add(time.Duration(*p) * time.Second)
	}
	msg.props.MessageExpiry = nil
	m.route(from, &msg, w.retain)
}

// forget ends a session, but for subscriptions that hold for ever.
func (m *reference) forget(s *refSession) {
	if s.keep {
		s.present, s.expiry, s.open, s.queue, s.received = false, 0, nil, nil, make(map[uint16]bool)
		return
	}
	for _, sub := range s.subs {
		m.leaveShare(sub)
	}
	delete(m.sessions, s.id)
}

func (m *reference) leaveShare(sub *refSub) {
	if _, shared := refShared(sub.filter); !shared {
		return
	}
	g := m.shares[sub.filter]
	g.members = slices.DeleteFunc(g.members, func(x *refSub) bool { return x == sub })
	if len(g.members) == 0 {
		delete(m.shares, sub.filter)
	}
}

func (m *reference) joinShare(sub *refSub) {
	if _, shared := refShared(sub.filter); !shared {
		return
	}
	g := m.shares[sub.filter]
	if g == nil {
		g = new(refShare)
		m.shares[sub.filter] = g
	}
	g.members = append(g.members, sub)
}

// next is the member whose turn it is, one who is there if anybody is.
func (g *refShare) next() *refSub {
	var absent *refSub
	for range g.members {
		g.turn = (g.turn + 1) % len(g.members)
		x := g.members[g.turn]
		if x.s.conn != nil {
			return x
		}
		if absent == nil {
			absent = x
		}
	}
	return absent
}

// subscribe is a SUBSCRIBE.
func (m *reference) subscribe(c *refConn, packetID uint16, subs []packet.Subscription, id uint32) {
	s := c.s
	answer := fmt.Sprintf("SUBACK %d", packetID)
	var retained []refGroup
	for _, p := range subs {
		topic, shared := refShared(p.Filter)
		if mqtt.ValidFilter(p.Filter) != nil {
			answer += refReason(c, mqtt.TopicFilterInvalid)
			continue
		}
		if strings.HasPrefix(topic, "deny") {
			answer += refReason(c, mqtt.NotAuthorized)
			continue
		}
		i := slices.IndexFunc(s.subs, func(x *refSub) bool { return x.filter == p.Filter })
		fresh := i < 0
		if fresh && len(s.subs) == m.limits.Subscriptions {
			answer += refReason(c, mqtt.QuotaExceeded)
			continue
		}
		answer += fmt.Sprintf(" %02x", byte(p.QoS))
		sub := &refSub{s: s, filter: p.Filter, qos: p.QoS, noLocal: p.NoLocal, asPublished: p.RetainAsPublished, id: id}
		switch {
		case fresh:
			s.subs = append(s.subs, sub)
			m.joinShare(sub)
		case *s.subs[i] != *sub: // what does not change keeps its turn in the group
			m.leaveShare(s.subs[i])
			s.subs[i] = sub
			m.joinShare(sub)
		}
		if shared || p.RetainHandling == 2 || p.RetainHandling == 1 && !fresh {
			continue
		}
		var g refGroup
		for _, r := range m.retained {
			if !r.expired(m.now) && refMatch(topic, r.topic) {
				d := refDelivery{m: r, qos: min(r.qos, p.QoS), retain: true}
				if id != 0 {
					d.ids = []uint32{id}
				}
				d.doubtful = m.tooLarge(c, d)
				g = append(g, d)
			}
		}
		retained = append(retained, g)
	}
	c.answers = append(c.answers, answer)
	for _, g := range retained {
		if len(g) > 0 {
			s.queue = append(s.queue, g)
		}
	}
}

// refReason is a failure as the client's version knows it.
func refReason(c *refConn, r mqtt.ReasonCode) string {
	if c.version != mqtt.V5 {
		r = 0x80
	}
	return fmt.Sprintf(" %02x", byte(r))
}

// unsubscribe is an UNSUBSCRIBE.
func (m *reference) unsubscribe(c *refConn, packetID uint16, filters []string) {
	answer := fmt.Sprintf("UNSUBACK %d", packetID)
	for _, f := range filters {
		reason := mqtt.NoSubscriptionExisted
		for i, sub := range c.s.subs {
			if sub.filter == f {
				m.leaveShare(sub)
				c.s.subs = slices.Delete(c.s.subs, i, i+1)
				reason = mqtt.Success
				break
			}
		}
		if c.version == mqtt.V5 {
			answer += fmt.Sprintf(" %02x", byte(reason))
		}
	}
	c.answers = append(c.answers, answer)
}

// publish is a PUBLISH. It is false when it ends the connection.
func (m *reference) publish(c *refConn, id uint16, msg *refMessage, retain bool) bool {
	s := c.s
	if msg.qos > 0 && !(msg.qos == 2 && s.received[id]) && c.ours > 0 && c.unacked+len(s.received) >= c.ours {
		m.end(c, broker.Faulted, "DISCONNECT 93")
		return false
	}
	reason := mqtt.Success
	denied := strings.HasPrefix(msg.topic, "deny")
	if denied && c.version == mqtt.V5 {
		reason = mqtt.NotAuthorized
	}
	switch {
	case msg.qos == 1:
		c.unacked++
		c.answers = append(c.answers, fmt.Sprintf("PUBACK %d %02x", id, byte(reason)))
	case msg.qos == 2 && s.received[id]:
		c.answers = append(c.answers, fmt.Sprintf("PUBREC %d 00", id))
		return true
	case msg.qos == 2:
		s.received[id] = true
		if reason.Failed() {
			c.refused = append(c.refused, id)
		}
		c.answers = append(c.answers, fmt.Sprintf("PUBREC %d %02x", id, byte(reason)))
	}
	if !denied {
		m.route(s.id, msg, retain)
	}
	return true
}

// pubrel is a PUBREL.
func (m *reference) pubrel(c *refConn, id uint16) {
	c.settle() // what came before is answered first
	reason := mqtt.Success
	if !c.s.received[id] && c.version == mqtt.V5 {
		reason = mqtt.PacketIdentifierNotFound
	}
	delete(c.s.received, id)
	c.answers = append(c.answers, fmt.Sprintf("PUBCOMP %d %02x", id, byte(reason)))
}

// settle is the end of a batch: all in it is answered.
func (c *refConn) settle() {
	for _, id := range c.refused {
		delete(c.s.received, id)
	}
	c.unacked, c.refused = 0, nil
}

// route gives a message to all who subscribed, each session once.
func (m *reference) route(from string, msg *refMessage, retain bool) {
	if retain && msg.payload == "" {
		delete(m.retained, msg.topic)
	} else if retain {
		m.retained[msg.topic] = msg
	}
	found := map[*refSession]*refDelivery{}
	join := func(sub *refSub) {
		d := found[sub.s]
		if d == nil {
			d = &refDelivery{m: msg, round: m.round, from: from}
			found[sub.s] = d
		}
		d.qos = max(d.qos, min(sub.qos, msg.qos))
		d.retain = d.retain || sub.asPublished && retain
		if sub.id != 0 {
			d.ids = append(d.ids, sub.id)
		}
	}
	for _, s := range m.sessions {
		for _, sub := range s.subs {
			if _, shared := refShared(sub.filter); !shared && refMatch(sub.filter, msg.topic) && !(sub.noLocal && s.id == from) {
				join(sub)
			}
		}
	}
	for filter, g := range m.shares {
		if topic, _ := refShared(filter); refMatch(topic, msg.topic) {
			join(g.next())
		}
	}
	for s, d := range found {
		m.give(s, *d)
	}
}

func (m *reference) give(s *refSession, d refDelivery) {
	if d.qos == 0 {
		if s.conn != nil && !m.tooLarge(s.conn, d) {
			s.conn.live = append(s.conn.live, d)
		}
		return
	}
	if s.conn == nil && !s.present || s.waiting()-s.ahead-s.free() >= m.limits.QueueCount {
		return
	}
	if large := s.conn != nil && m.tooLarge(s.conn, d); large && d.round > 0 {
		d.doubtful = true
	} else if large && s.free() > s.waiting() {
		return // it would have been sent at once
	}
	if n := len(s.queue); d.round > 0 && n > 0 && s.queue[n-1][0].round == d.round {
		s.queue[n-1] = append(s.queue[n-1], d)
		return
	}
	s.queue = append(s.queue, refGroup{d})
}

// size is that of d as a packet for c.
func (m *reference) size(c *refConn, d refDelivery) int {
	p := packet.Publish{QoS: d.qos, Topic: []byte(d.m.topic), Payload: []byte(d.m.payload)}
	if d.qos > 0 {
		p.ID = 1
	}
	props := d.m.props
	props.SubscriptionIDs = d.ids
	if !d.m.expires.IsZero() {
		props.MessageExpiry = new(uint32)
	}
	p.Properties = &props
	b, _ := p.Append(nil, c.version)
	return len(b)
}

// tooLarge reports whether c takes no packet as large as d's.
func (m *reference) tooLarge(c *refConn, d refDelivery) bool {
	return c.maxPacket > 0 && m.size(c, d) > c.maxPacket
}

func (s *refSession) waiting() (n int) {
	for _, g := range s.queue {
		n += len(g)
	}
	return n
}

func (s *refSession) used() (n int) {
	for _, e := range s.open {
		if e.counted {
			n++
		}
	}
	return n
}

// free is how many new messages the client's window has room for.
func (s *refSession) free() int {
	if s.conn == nil || s.unsent() != nil {
		return 0
	}
	return s.conn.window - s.used()
}

// unsent is the oldest exchange that has to be sent again.
func (s *refSession) unsent() *refExchange {
	for _, e := range s.open {
		if !e.sent {
			return e
		}
	}
	return nil
}

func (s *refSession) exchange(id uint16) (int, *refExchange) {
	for i, e := range s.open {
		if e.id == id {
			return i, e
		}
	}
	return -1, nil
}

// puback is a PUBACK, pubrec a PUBREC, pubcomp a PUBCOMP of the client.
func (m *reference) puback(c *refConn, id uint16) {
	if i, e := c.s.exchange(id); e != nil && e.qos == 1 {
		c.s.open = slices.Delete(c.s.open, i, i+1)
	}
}

func (m *reference) pubrec(c *refConn, id uint16, failed bool) {
	i, e := c.s.exchange(id)
	switch {
	case e == nil || e.qos != 2:
		if c.version == mqtt.V5 {
			c.answers = append(c.answers, fmt.Sprintf("PUBREL %d 92", id))
			return
		}
		c.answers = append(c.answers, fmt.Sprintf("PUBREL %d 00", id))
	case failed:
		c.s.open = slices.Delete(c.s.open, i, i+1)
	default:
		e.released, e.sent = true, true
		c.answers = append(c.answers, fmt.Sprintf("PUBREL %d 00", id))
	}
}

func (m *reference) pubcomp(c *refConn, id uint16) {
	if i, e := c.s.exchange(id); e != nil && e.released {
		c.s.open = slices.Delete(c.s.open, i, i+1)
	}
}

// advance lets time pass. Sessions and wills are looked after at each tick,
// the keep-alive to the moment.
func (m *reference) advance(to time.Time) {
	for {
		next, what := to, func() {}
		if tick := m.started.Add(m.now.Sub(m.started).Truncate(time.Second) + time.Second); tick.Before(next) {
			next, what = tick, m.tick
		}
		for _, s := range m.sessions {
			c := s.conn
			if c == nil || c.keepAlive == 0 {
				continue
			}
			if at := c.seen.Add(c.keepAlive * 3 / 2); at.Before(next) {
				next, what = at, func() { m.end(c, broker.KeepAliveOver, "DISCONNECT 8d") }
			}
		}
		m.now = next
		what()
		if next.Equal(to) {
			return
		}
	}
}

func (m *reference) tick() {
	due := func(s *refSession) (at time.Time) {
		at = s.away.Add(s.expiry)
		if s.will != nil && s.will.delay < s.expiry {
			at = s.away.Add(s.will.delay)
		}
		return at
	}
	var list []*refSession
	for _, s := range m.sessions {
		if s.conn == nil && s.present && !due(s).After(m.now) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *refSession) int { return due(a).Compare(due(b)) })
	for _, s := range list {
		w := s.will
		s.will = nil
		if !s.away.Add(s.expiry).After(m.now) {
			m.forget(s)
		}
		if w != nil {
			m.publishWill(s.id, w)
		}
	}
}

// send is Broker.Send.
func (m *reference) send(id string, msg *refMessage, retain bool, how broker.Delivery) broker.Outcome {
	s := m.sessions[id]
	if s == nil {
		return broker.NoSession
	}
	d := refDelivery{m: msg, qos: msg.qos}
	matches, most := false, mqtt.QoS(0)
	for _, sub := range s.subs {
		if _, shared := refShared(sub.filter); shared || !refMatch(sub.filter, msg.topic) {
			continue
		}
		matches, most = true, max(most, sub.qos)
		d.retain = d.retain || retain && sub.asPublished
		if sub.id != 0 {
			d.ids = append(d.ids, sub.id)
		}
	}
	switch {
	case how == broker.IfSubscribed && !matches:
		return broker.NotSubscribed
	case s.conn == nil && (d.qos == 0 || !s.present):
		return broker.Offline
	}
	if how == broker.IfSubscribed {
		d.qos = min(d.qos, most)
	}
	before, free := s.waiting(), s.free()
	if d.qos == 0 && s.conn == nil {
		return broker.Offline
	}
	m.give(s, d)
	switch {
	case s.conn != nil && m.tooLarge(s.conn, d) && (d.qos == 0 || free > before):
		return broker.TooLarge
	case d.qos == 0 || free > before:
		return broker.Delivered
	case s.waiting() > before:
		return broker.Queued
	}
	return broker.QueueFull
}

// kick is Broker.Disconnect, or Broker.Forget.
func (m *reference) kick(id string, forget bool) {
	s := m.sessions[id]
	if s == nil {
		return
	}
	if forget {
		s.keep, s.will = false, nil
	}
	if c := s.conn; c != nil {
		if forget {
			c.expiry, c.will = 0, nil
		}
		m.end(c, broker.Kicked, "DISCONNECT 98")
	} else if forget {
		m.forget(s)
	}
}

// restart is the end of the process and the next one: sessions, subscriptions,
// messages of QoS 1 and 2 and retained messages are kept, delayed wills are not.
func (m *reference) restart() {
	for _, id := range m.ids() {
		if s := m.sessions[id]; s.conn != nil {
			m.end(s.conn, broker.ServerDown, "DISCONNECT 8b")
		}
	}
	m.shares = make(map[string]*refShare)
	for _, id := range m.ids() {
		s := m.sessions[id]
		s.will = nil
		for _, sub := range s.subs {
			m.joinShare(sub)
		}
		var kept []refGroup
		for _, g := range s.queue {
			g = slices.DeleteFunc(slices.Clone(g), func(d refDelivery) bool { return d.qos == 0 })
			if len(g) > 0 {
				kept = append(kept, g)
			}
		}
		s.queue = kept
	}
	m.started = m.now
}
