package broker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	exchange "github.com/matou-iot/matou/mqtt/session"
)

// A session is what belongs to one Grant.Session, with or without a client.
type session struct {
	b      *Broker
	key    string
	client atomic.Pointer[Client] // nil while away; changed with mu held
	admit  sync.Mutex             // held by the one connection that is taking the session: connects of one session happen one after the other

	mu     sync.Mutex
	gone   bool          // taken out of the broker: look again
	claims int           // connects under way: not to be taken out
	left   chan struct{} // made by who waits for the client to leave, closed when Rules.Closed has returned
	drop   bool          // forget everything when the client leaves
	timer  int           // its place in Broker.timers, from 1; 0 for none; guarded by timers.mu
	will   *will         // delayed, of a client that is away

	present  bool // a session in MQTT's sense: a client that comes back finds it [MQTT3-3.1.2-4] [MQTT5-3.1.3.2]
	keep     bool // Grant.KeepSubscriptions
	expiry   time.Duration
	most     time.Duration // the longest expiry that the grant allows
	offline  time.Time     // since when the client is away
	clientID string

	subs     []*subscription
	out      exchange.Outbound[delivery]
	underway int              // bytes of the messages in out
	in       exchange.Inbound // the client's goroutine's while there is one
	queue    queue
	seq      uint64 // last place given in the store
	recorded bool   // the store has a record of it
}

// A queue holds what waits for the client or for its window.
type queue struct {
	items []delivery // items[head:]
	head  int
	bytes int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(d delivery) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, d)
	q.bytes += d.m.size()
}

func (q *queue) pop() delivery {
	d := q.items[q.head]
	q.items[q.head] = delivery{}
	q.head++
	q.bytes -= d.m.size()
	if q.len() == 0 {
		*q = queue{}
	}
	return d
}

// sessionShards is how many parts the sessions are in, each with its lock.
const sessionShards = 64

type sessionShard struct {
	mu sync.Mutex
	m  map[string]*session
}

func (b *Broker) shard(key string) *sessionShard {
	return &b.sessions[b.hash(key)%sessionShards]
}

// lookup returns the session of key, nil if there is none.
func (b *Broker) lookup(key string) *session {
	sh := b.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.m[key]
}

// sessionOf returns the session of key, a new one if there is none.
func (b *Broker) sessionOf(key string) *session {
	sh := b.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.m[key]
	if s == nil {
		s = &session{b: b, key: key}
		sh.m[key] = s
		b.counters.Sessions.Add(1)
	}
	return s
}

// discard takes s out of the broker if nobody has or wants anything of it;
// s.mu is held.
func (s *session) discard() {
	if s.gone || s.claims > 0 || s.left != nil || s.client.Load() != nil ||
		s.present || s.keep || s.will != nil {
		return
	}
	s.gone = true
	sh := s.b.shard(s.key)
	sh.mu.Lock()
	delete(sh.m, s.key)
	sh.mu.Unlock()
	s.b.counters.Sessions.Add(-1)
}

// mostExpiry is the longest that the session may outlive its connection.
func (s *session) mostExpiry() time.Duration { return s.most }

// durable reports whether s is in the store: it outlives its connection.
func (s *session) durable() bool { return s.expiry > 0 }

// keeps reports whether messages are kept while the client is away.
func (s *session) keeps() bool { return s.present && s.expiry > 0 }

// offer sends d of QoS 1 or 2 now, or lets it wait; s.mu is held. shared says
// that w.fwd is d's message, which may then be encoded once for many.
func (s *session) offer(w *work, d delivery, shared bool) Outcome {
	c := s.client.Load()
	if c == nil && !s.keeps() {
		return Offline
	}
	if c != nil && d.qos > 0 && s.queue.len() == 0 && s.ready(d) && c.hasRoom() {
		if s.durable() {
			s.store(w, &d)
		}
		id := s.open(d)
		if s.durable() {
			s.progress(d, id, exchange.Published)
		}
		if !c.deliver(w, d, id, false, shared) {
			s.abandon(id)
			return TooLarge
		}
		return Delivered
	}
	if c != nil && d.qos == 0 && s.queue.len() == 0 && c.hasRoom() {
		c.deliver(w, d, 0, false, shared)
		return Delivered
	}
	return s.enqueue(w, d)
}

// ready reports whether d may be under way: the client's window has room, and
// what it has not acknowledged is less than may wait in a queue; s.mu is held.
func (s *session) ready(d delivery) bool {
	return s.out.Ready() && (s.underway == 0 || s.underway+d.m.size() <= s.b.limits.Load().QueueBytes)
}

// open begins the exchange of d, which is ready.
func (s *session) open(d delivery) (id uint16) {
	id, _ = s.out.Open(d, d.qos)
	s.underway += d.m.size()
	return id
}

// ended takes note that the exchange of d is over.
func (s *session) ended(d delivery) {
	s.underway -= d.m.size()
	s.forget(d)
}

// enqueue lets d wait; s.mu is held.
func (s *session) enqueue(w *work, d delivery) Outcome {
	l, n := s.b.limits.Load(), d.m.size()
	if s.queue.len() >= l.QueueCount || s.queue.len() > 0 && s.queue.bytes+n > l.QueueBytes ||
		s.b.counters.QueuedBytes.Load()+int64(n) > l.QueueTotal {
		s.b.counters.DroppedQueueFull.Add(1)
		return QueueFull
	}
	if s.durable() && d.qos > 0 {
		s.store(w, &d)
	}
	s.queue.push(d)
	s.b.counters.Queued.Add(1)
	s.b.counters.QueuedBytes.Add(int64(n))
	return Queued
}

func (s *session) dequeue() delivery {
	d := s.queue.pop()
	s.b.counters.Queued.Add(-1)
	s.b.counters.QueuedBytes.Add(-int64(d.m.size()))
	return d
}

// pump sends what may be sent now: first again what a broken connection left
// open, then what waits; s.mu is held.
func (s *session) pump(w *work) {
	c := s.client.Load()
	if c == nil {
		return
	}
	for c.hasRoom() {
		e, ok := s.out.Again()
		if !ok {
			break
		}
		if e.Stage == exchange.Released {
			c.pushAck(w, packet.TypePubrel, e.ID, mqtt.Success)
		} else if !c.deliver(w, e.Message, e.ID, true, false) {
			s.abandon(e.ID)
		}
	}
	for s.queue.len() > 0 && c.hasRoom() {
		if d := s.queue.items[s.queue.head]; d.qos > 0 && !s.ready(d) {
			return
		}
		s.next(w, c)
	}
}

// next sends the first message of the queue.
func (s *session) next(w *work, c *Client) {
	d := s.dequeue()
	if d.m.expired(time.Now()) { // [MQTT5-3.3.2-5]
		s.b.counters.DroppedExpired.Add(1)
		s.forget(d)
		return
	}
	if d.qos == 0 {
		c.deliver(w, d, 0, false, false)
		return
	}
	id := s.open(d)
	s.progress(d, id, exchange.Published)
	if !c.deliver(w, d, id, false, false) {
		s.abandon(id)
	}
}

// abandon ends an exchange whose message the client cannot take.
func (s *session) abandon(id uint16) {
	if e, ok := s.out.Drop(id); ok {
		s.ended(e.Message)
	}
}

// store writes d to the store and remembers its place.
func (s *session) store(w *work, d *delivery) {
	s.seq++
	d.seq = s.seq
	w.sync = true
	s.b.store.Write(Record{Kind: MessageRecord, Session: s.key, Seq: d.seq, QoS: d.qos, Retain: d.retain,
		Message: d.m.public(), SubIDs: d.ids})
}

// progress writes how far the exchange of a stored message is.
func (s *session) progress(d delivery, id uint16, stage exchange.Stage) {
	if d.seq != 0 {
		s.b.store.Write(Record{Kind: ProgressRecord, Session: s.key, Seq: d.seq, ID: id, Stage: byte(stage)})
	}
}

// forget takes a message out of the store.
func (s *session) forget(d delivery) {
	if d.seq != 0 {
		s.b.store.Write(Record{Kind: MessageRecord, Delete: true, Session: s.key, Seq: d.seq})
	}
}

// clear forgets messages and exchanges, not subscriptions; s.mu is held.
func (s *session) clear() {
	s.b.counters.Queued.Add(-int64(s.queue.len()))
	s.b.counters.QueuedBytes.Add(-int64(s.queue.bytes))
	s.queue = queue{}
	s.out.Reset()
	s.underway = 0
	s.in.Reset()
}

// unsubscribeAll ends all subscriptions; s.mu is held.
func (s *session) unsubscribeAll() {
	for _, sub := range s.subs {
		s.b.topics.remove(sub)
	}
	s.b.counters.Subscriptions.Add(-int64(len(s.subs)))
	s.subs = nil
}

// find returns the subscription with this filter, nil for none; s.mu is held.
func (s *session) find(filter string) (int, *subscription) {
	for i, sub := range s.subs {
		if sub.filter == filter {
			return i, sub
		}
	}
	return -1, nil
}

// matching returns how the session's subscriptions match topic; s.mu is held.
func (s *session) matching(topic string) (t target, ok bool) {
	for _, sub := range s.subs {
		if sub.share != nil || sub.topic != topic && !mqtt.Match(sub.topic, topic) {
			continue
		}
		if !ok {
			t, ok = target{sub: sub, qos: sub.qos, retain: sub.retainAsPublished}, true
			continue
		}
		t.join(target{sub: sub, qos: sub.qos, retain: sub.retainAsPublished})
	}
	return t, ok
}

// record writes what the store knows of the session itself; s.mu is held.
func (s *session) record() {
	s.recorded = true
	s.b.store.Write(Record{Kind: SessionRecord, Session: s.key, ClientID: s.clientID, Present: s.present,
		Keep: s.keep, Expiry: s.expiry, Offline: s.offline})
}

// erase takes everything of the session out of the store; s.mu is held.
func (s *session) erase() {
	if s.recorded {
		s.b.store.Write(Record{Kind: SessionRecord, Delete: true, Session: s.key})
	}
	s.recorded = false
}

// stored reports whether the store has anything of the session.
func (s *session) stored() bool { return s.durable() || s.keep }

// throttled counts a PUBLISH and reports whether it is one too many.
func (c *Client) throttled() bool {
	if c.downlink == nil || c.downlink() {
		return false
	}
	c.b.counters.DroppedThrottled.Add(1)
	return true
}

// deliver is put for what Grant.Downlink lets pass.
func (c *Client) deliver(w *work, d delivery, id uint16, dup, shared bool) bool {
	switch {
	case c.downlink == nil || dup:
	case d.qos > 0:
		c.downlink()
	case c.throttled():
		return false
	}
	return c.put(w, d, id, dup, shared)
}

// put puts a PUBLISH into the client's out-buffer. It is false where the
// client said that it takes no packet so large [MQTT5-3.1.2-24], or is leaving.
func (c *Client) put(w *work, d delivery, id uint16, dup, shared bool) bool {
	var how pushing
	if dup {
		how |= again
	}
	if d.seq != 0 && d.qos == mqtt.ExactlyOnce {
		how |= afterSync // sent again after a crash it has to have the same identifier
	}
	if c.named.max > 0 {
		var p packet.Publish
		d.publish(&p, w, c.version)
		p.ID = id
		return c.counted(w, c.pushAliased(w, &p, how), id)
	}
	frame, offset, err := c.frame(w, &d, id, shared)
	if err != nil {
		c.b.log.Error("message cannot be said", "session", c.s.key, "error", err)
		return false
	}
	if c.maxPacket > 0 && len(frame) > int(c.maxPacket) {
		return c.counted(w, tooLarge, id)
	}
	if !c.pushFrame(w, frame, offset, id, how) {
		return c.counted(w, noRoom, id)
	}
	return c.counted(w, sent, id)
}

// counted counts what became of a delivery and reports whether it goes on.
func (c *Client) counted(w *work, became pushed, id uint16) bool {
	switch became {
	case sent:
		w.out++
		return true
	case tooLarge:
		c.b.counters.DroppedTooLarge.Add(1)
	case noRoom:
		return id != 0 // an open exchange goes on when the client is back
	}
	return false
}

// frame encodes d, from what all share where it may.
func (c *Client) frame(w *work, d *delivery, id uint16, shared bool) (frame []byte, offset int, err error) {
	if shared && d.ids == nil {
		return w.encode(c.version, d.qos, d.retain)
	}
	var p packet.Publish
	d.publish(&p, w, c.version)
	p.ID = id
	w.scratch, offset, err = p.AppendShared(w.scratch[:0], c.version)
	return w.scratch, offset, err
}
