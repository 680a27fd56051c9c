package broker

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Client is one MQTT connection, from CONNECT to its end. Its exported
// methods may be called by anybody at any time, also after the end.
type Client struct {
	b       *Broker
	l       *listener
	limits  *Limits // those of the moment the connection began: what a client was told stays true
	t       transport
	s       *session // set when admitted
	out     outbox
	writers sync.WaitGroup // goroutines that wait for a full socket

	origin   Origin
	identity any
	id       string
	since    time.Time
	version  mqtt.Version
	maxQoS   mqtt.QoS
	admitted atomic.Bool

	keepAlive    uint16 // seconds that are enforced, 0 for none
	lifetime     uint16 // seconds from since, 0 without limit
	ignoreRetain bool
	conduct      func(packet.Type, []string) bool // Grant.Conduct
	downlink     func() bool                      // Grant.Downlink
	cleanStart   bool
	told         bool // Rules have been told of the end already: a fault
	maxPacket    uint32
	expiry       time.Duration // of the session, once this connection ends
	will         *will
	aliases      map[uint16][]byte // topic aliases that a 5.0 client uses, nil until it does
	named        aliases           // those that it takes; guarded by out.mu

	now   *batch // being taken, nil between reads; the connection's goroutine's
	phase phase
	seen  time.Time // when something came last; the connection's goroutine's
	at    place     // to be released with the connection
	part  int       // bytes of the packet that was incomplete then

	// What the connection's goroutine has, whoever has the turn has.
	turn atomic.Int32
	seat int32 // in loop
	loop *loop // nil before and after
}

// A phase is how far a connection has come.
type phase byte

const (
	sniffing  phase = iota // the first byte says what it is
	expecting              // a CONNECT
	open
)

// Identity is what Rules.Connect put into the Grant.
func (c *Client) Identity() any { return c.identity }

// Session is whose session the client has: Grant.Session.
func (c *Client) Session() string {
	if c.s == nil {
		return ""
	}
	return c.s.key
}

// Raw is the packet that Rules are asked about, as it came. Only Rules may ask,
// while they are asked about c: it aliases the read buffer. It is nil for a
// will.
func (c *Client) Raw() []byte {
	if c.now == nil {
		return nil
	}
	return c.now.raw
}

// ID is the MQTT client identifier, assigned if the client had none.
func (c *Client) ID() string { return c.id }

// Version is the protocol version that the client speaks.
func (c *Client) Version() mqtt.Version { return c.version }

// Origin is where the client comes from.
func (c *Client) Origin() Origin { return c.origin }

// Since is when the client's connection was accepted by Rules.
func (c *Client) Since() time.Time { return c.since }

// Subscriptions is how many subscriptions the client's session has whose filter
// counts.
func (c *Client) Subscriptions(counts func(filter string) bool) (n int) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, sub := range c.s.subs {
		if counts(sub.filter) {
			n++
		}
	}
	return n
}

// Subscribed reports whether the client's session has a subscription with this
// very filter.
func (c *Client) Subscribed(filter string) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	_, sub := c.s.find(filter)
	return sub != nil
}

// Fellows is how many sessions have a subscription with this very filter,
// counted up to most. A group that shares it counts as one.
func (c *Client) Fellows(filter string, most int) int { return c.b.topics.count(filter, most) }

// KeepAlive is the keep-alive that is enforced, at 1.5 times; 0 for none.
func (c *Client) KeepAlive() time.Duration { return time.Duration(c.keepAlive) * time.Second }

// deadline is until when the client has to send something: its CONNECT, or
// anything within 1.5 times the keep-alive [MQTT3-3.1.2-24] [MQTT5-3.1.2-22].
func (c *Client) deadline() time.Time {
	if c.phase != open {
		return c.since.Add(c.limits.ConnectTimeout)
	}
	var by time.Time
	if c.keepAlive > 0 {
		by = c.seen.Add(time.Duration(c.keepAlive) * time.Second * 3 / 2)
	}
	if end := c.lifetimeEnd(); c.lifetime > 0 && (by.IsZero() || end.Before(by)) {
		by = end
	}
	return by
}

func (c *Client) lifetimeEnd() time.Time {
	return c.since.Add(time.Duration(c.lifetime) * time.Second)
}

// A turn says who handles what a client sends. Where there is no event loop its
// own goroutine has it.
const (
	turnTaken int32 = iota // one goroutine has it
	turnTold               // and may not have seen what happened since
	turnFree
	turnOver // nobody will have it any more
)

// claim takes the turn if it is free; if not, who has it is told.
func (c *Client) claim() bool {
	for {
		switch c.turn.Load() {
		case turnFree:
			if c.turn.CompareAndSwap(turnFree, turnTaken) {
				return true
			}
		case turnTaken:
			if c.turn.CompareAndSwap(turnTaken, turnTold) {
				return false
			}
		default:
			return false
		}
	}
}

// letGo gives up the turn, which the caller has. It is false where something
// happened since it was taken: then he keeps it, and has to look.
func (c *Client) letGo() bool {
	if c.turn.CompareAndSwap(turnTaken, turnFree) {
		return true
	}
	c.turn.Store(turnTaken)
	return false
}

// tell makes an event loop look whether something has ended c. Without one,
// its goroutine hears of it by transport.stop.
func (c *Client) tell() {
	if c.claim() {
		go c.loop.serve(c, nil, true)
	}
}

// verdict is what has ended the connection, nil for nothing.
func (c *Client) verdict() error {
	if c.stopped() {
		return errClosing
	}
	if d := c.deadline(); !d.IsZero() && !time.Now().Before(d) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// HandOver says that what Rules are asked about c may take longer than
// microseconds, so that other clients are not kept waiting. Only Rules may
// call it, while they are asked.
func (c *Client) HandOver() {
	if c.now != nil {
		c.now.by.handOver()
	}
}

// signOfLife is how many bytes of a packet that is not whole yet count for the
// keep-alive as a packet does: large ones take their time on slow lines, but
// nobody holds a connection by a byte now and then.
const signOfLife = 1 << 10

// stopped reports whether the connection is ending.
func (c *Client) stopped() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.closing
}

// Errors by which a handler ends receive without a fault of the client.
var (
	errDisconnected = errors.New("client sent DISCONNECT")
	errRefused      = errors.New("connection refused")
	errClosing      = errors.New("connection is closing")
	errParked       = errors.New("the client is woken when its message is kept")
)

// errUpgrade ends receive when the first byte is none of MQTT's.
type errUpgrade struct{ head []byte }

func (errUpgrade) Error() string { return "not MQTT" }

// violation is a fault of the client that no decoder saw, in the words of its
// version: three is the clause before 5.0.
func (c *Client) violation(t packet.Type, three, five, detail string, reason mqtt.ReasonCode) error {
	clause := three
	if c.version == mqtt.V5 {
		clause = five
	}
	return &packet.Error{Packet: t.String(), Clause: clause, Detail: detail, Reason: reason}
}

// take handles the whole packets in b, then settles them all.
func (c *Client) take(b *batch) (again bool, err error) {
	if b.parked {
		b.parked = false
		return c.conclude(b)
	}
	b.started = time.Now()
	b.first = c.phase != open // a script may send all it has at once, FIN included
	if b.first {
		c.seen = b.started
	}
	if c.phase == sniffing {
		if head := b.buf[0]; head != byte(packet.TypeConnect)<<4 {
			if sniffable(head) {
				return false, errUpgrade{append([]byte(nil), b.buf[:b.n]...)}
			}
		}
		c.phase = expecting
	}
	c.out.mu.Lock()
	c.out.reading = true
	c.out.mu.Unlock()

	c.now = b
	b.used, b.err = c.frames(b)
	c.now = nil
	if b.used > 0 || b.n-c.part >= signOfLife {
		c.seen, c.part = b.started, b.n-b.used
	}
	return c.conclude(b)
}

// conclude is the second half of take: what waits for the disk.
func (c *Client) conclude(b *batch) (again bool, err error) {
	if c.park(b) {
		return false, errParked
	}
	used, err := b.used, b.err
	if serr := c.settle(b); err == nil {
		err = serr
	}
	if err != nil {
		c.blame(b.buf[used:b.n], err)
	}
	c.out.mu.Lock()
	c.out.reading = false
	waiting, unsynced := c.out.len() > 0, c.out.unsynced
	closing := c.out.closing
	c.out.mu.Unlock()
	if unsynced {
		b.by.handOver()
		b.flush()
	}
	if waiting {
		c.flush()
	}
	if !b.by.later(&b.work) {
		b.flushLate()
	}
	if waiting {
		closing = closing || c.catchUp(b)
	}
	c.b.counters.BytesIn.Add(int64(used))
	if b.work.out > 0 {
		c.b.counters.MessagesOut.Add(b.work.out)
		b.work.out = 0
	}
	if b.in > 0 {
		c.b.counters.MessagesIn.Add(b.in)
		b.in = 0
	}
	if err == nil && closing {
		err = errClosing
	}
	b.consume(used)
	return b.n > 0 || b.first, err
}

// frames handles one packet after the other and returns how many bytes it
// used: up to the packet that the error is about.
func (c *Client) frames(b *batch) (used int, err error) {
	for {
		rest := b.buf[used:b.n]
		if len(rest) == 0 {
			return used, nil
		}
		if t := packet.Type(rest[0] >> 4); c.phase == expecting && t != packet.TypeConnect {
			return used, c.violation(t, "MQTT3-3.1.0-1", "MQTT5-3.1.0-1", "the first packet is no CONNECT", mqtt.ProtocolError)
		}
		h, err := packet.ParseHeaderOf(rest, c.version)
		if err == packet.ErrIncomplete {
			return used, nil
		}
		if err != nil {
			return used, err
		}
		size := h.Size + h.Remaining
		if size > c.largest() {
			return used, c.violation(h.Type, "MQTT3 §2.2.3", "MQTT5-3.2.2-15", "the packet is larger than this server takes", mqtt.PacketTooLarge)
		}
		if len(rest) < size {
			return used, nil
		}
		b.raw = rest[:size]
		if err := c.handle(b, h, rest[h.Size:size]); err != nil {
			return used, err
		}
		used += size
	}
}

func (c *Client) largest() int {
	if c.phase != open {
		return c.limits.ConnectSize
	}
	return c.limits.PacketSize
}

func (c *Client) handle(b *batch, h packet.Header, body []byte) error {
	if c.phase != open {
		return c.connect(b, h, body)
	}
	switch h.Type { // not those that Rules are asked about, and no second CONNECT: it holds a password
	case packet.TypePuback, packet.TypePubrec, packet.TypePubrel, packet.TypePubcomp, packet.TypePingreq, packet.TypeUnsubscribe, packet.TypeDisconnect:
		if c.b.listener != nil && c.b.listener.Listens(c) {
			c.b.listener.Overheard(c, b.raw, true)
		}
	}
	switch h.Type {
	case packet.TypePublish:
		return c.publish(b, h, body)
	case packet.TypePuback:
		return c.puback(b, h, body)
	case packet.TypePubrec, packet.TypePubrel, packet.TypePubcomp:
		if c.conduct != nil && !c.conduct(h.Type, nil) {
			return &closeRequest{mqtt.ProtocolError}
		}
		switch h.Type {
		case packet.TypePubrec:
			return c.pubrec(b, h, body)
		case packet.TypePubrel:
			return c.pubrel(b, h, body)
		}
		return c.pubcomp(b, h, body)
	case packet.TypePingreq:
		if err := new(packet.Pingreq).Decode(h, body, c.version); err != nil {
			return err
		}
		if c.conduct != nil && !c.conduct(h.Type, nil) {
			return &closeRequest{mqtt.MessageRateTooHigh}
		}
		c.push(&b.work, &packet.Pingresp{})
		return nil
	case packet.TypeSubscribe:
		return c.subscribe(b, h, body)
	case packet.TypeUnsubscribe:
		return c.unsubscribe(b, h, body)
	case packet.TypeDisconnect:
		return c.disconnect(h, body)
	}
	return c.misplaced(h, body)
}

// misplaced refuses a second CONNECT [MQTT3-3.1.0-2] [MQTT5-3.1.0-2], what only
// a server sends, and AUTH, which nobody negotiated [MQTT5-4.12.0-7].
func (c *Client) misplaced(h packet.Header, body []byte) error {
	if _, err := packet.Decode(h, body, c.version); err != nil {
		return err
	}
	switch h.Type {
	case packet.TypeConnect:
		return c.violation(h.Type, "MQTT3-3.1.0-2", "MQTT5-3.1.0-2", "a second CONNECT on one connection", mqtt.ProtocolError)
	case packet.TypeAuth:
		return c.violation(h.Type, "", "MQTT5-4.12.0-7", "AUTH without an authentication method in the CONNECT", mqtt.ProtocolError)
	}
	return c.violation(h.Type, "MQTT3 §2.2.1", "MQTT5 §2.1.2", "only a server sends this", mqtt.ProtocolError)
}

// disconnect handles the client's good-bye: its will is discarded unless a
// 5.0 client gives another reason than Success, be it that it asks for the
// will or that something went wrong [MQTT3-3.14.4-3] [MQTT5-3.1.2-10]
// [MQTT5-3.14.4-3].
func (c *Client) disconnect(h packet.Header, body []byte) error {
	var d packet.Disconnect
	if err := d.Decode(h, body, c.version); err != nil {
		return err
	}
	if d.Properties != nil && d.Properties.SessionExpiry != nil {
		asked := *d.Properties.SessionExpiry
		if c.expiry == 0 && asked > 0 {
			return c.violation(packet.TypeDisconnect, "", "MQTT5 §3.14.2.2.2", "a session that ends with its connection cannot be kept afterwards", mqtt.ProtocolError)
		}
		c.expiry = min(time.Duration(asked)*time.Second, c.s.mostExpiry())
	}
	if d.Reason == mqtt.Success {
		c.will = nil
	}
	return errDisconnected
}

// blame tells Rules and the client about the error that ends the connection.
func (c *Client) blame(raw []byte, err error) {
	var pe *packet.Error
	switch {
	case err == errDisconnected:
		c.end(Disconnected, 0)
	case err == errRefused:
		c.told = true
		c.end(refused, 0)
	case errors.As(err, new(*closeRequest)):
		c.end(RulesClosed, err.(*closeRequest).reason)
	case err == errNotKept:
		c.end(NotKept, mqtt.ImplementationSpecificError)
	case errors.As(err, &pe):
		c.faulty(raw, pe)
	default:
		c.end(Lost, 0)
	}
}

func (c *Client) faulty(raw []byte, pe *packet.Error) {
	if c.phase == open {
		c.b.counters.fault(pe.Reason)
		c.b.rules.Faulty(c, raw, pe)
		c.end(Faulted, disconnectReason(pe.Reason))
		return
	}
	c.b.counters.reject(&c.b.counters.RejectedPacket)
	c.told = true
	c.b.rules.Rejected(c.origin, raw, pe)
	c.end(refused, 0)
}

// disconnectReason is r where a DISCONNECT may carry it [MQTT5 §3.14.2.1].
func disconnectReason(r mqtt.ReasonCode) mqtt.ReasonCode {
	switch r {
	case mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.ImplementationSpecificError, mqtt.NotAuthorized,
		mqtt.TopicFilterInvalid, mqtt.TopicNameInvalid, mqtt.ReceiveMaximumExceeded, mqtt.TopicAliasInvalid,
		mqtt.PacketTooLarge, mqtt.MessageRateTooHigh, mqtt.QuotaExceeded, mqtt.AdministrativeAction,
		mqtt.PayloadFormatInvalid, mqtt.RetainNotSupported, mqtt.QoSNotSupported, mqtt.ServerBusy,
		mqtt.SharedSubscriptionsNotSupported, mqtt.SubscriptionIdentifiersNotSupported, mqtt.WildcardSubscriptionsNotSupported:
		return r
	case mqtt.PacketIdentifierInUse, mqtt.PacketIdentifierNotFound:
		return mqtt.ProtocolError
	}
	return mqtt.UnspecifiedError
}

// run receives until the connection ends and returns why.
func (c *Client) run() (err error) {
	for {
		err = c.t.receive(c)
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.verdict() != nil {
			return err
		}
	}
}

// finish ends a connection of which receive has returned err: it ends it,
// leaves the session and tells Rules if it had come so far, and closes it.
func (c *Client) finish(err error) {
	switch {
	case c.phase == open && errors.Is(err, os.ErrDeadlineExceeded) && c.lifetime > 0 && !time.Now().Before(c.lifetimeEnd()):
		c.end(LifetimeOver, mqtt.MaximumConnectTime)
	case c.phase == open && errors.Is(err, os.ErrDeadlineExceeded):
		c.end(KeepAliveOver, mqtt.KeepAliveTimeout)
	case c.phase != open && !c.told:
		c.incomplete(err)
		fallthrough
	default:
		c.end(c.lost(), 0)
	}
	c.out.wait() // from here on nobody writes c.out
	if c.phase == open {
		c.leave(c.out.cause)
	}
	if c.out.linger {
		c.t.discard(time.Now().Add(lingerTime))
	}
	c.writers.Wait()
	c.t.close()
}

// lost is the cause of an end that nobody announced.
func (c *Client) lost() Cause {
	if c.l.ctx.Err() != nil {
		return ServerDown
	}
	return Lost
}

// incomplete tells Rules of a connection that ended before its CONNECT did.
// One that said nothing at all was somebody looking for open ports.
func (c *Client) incomplete(err error) {
	timeout := errors.Is(err, os.ErrDeadlineExceeded)
	if c.seen.IsZero() && !timeout {
		return
	}
	err = ErrNoConnect
	why := &c.b.counters.RejectedPacket
	if timeout {
		err, why = ErrConnectTimeout, &c.b.counters.RejectedLate
	}
	c.b.counters.reject(why)
	c.b.rules.Rejected(c.origin, nil, err)
}

// Errors that Rules.Rejected hears.
var (
	ErrConnectTimeout = errors.New("no complete CONNECT in time")
	ErrNoConnect      = errors.New("the connection ended inside its first packet")
)
