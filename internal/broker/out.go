package broker

import (
	"encoding/binary"
	"runtime"
	"sync"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// outbox is what a client is to be sent. There is no goroutine that writes it:
// whoever puts something in flushes, once for all that his work put there, and
// somebody who finds a flush under way leaves it to that. Only while the
// socket is full a goroutine waits for it.
type outbox struct {
	mu       sync.Mutex
	buf      *outBuffer // written by nobody yet, nil for nothing
	held     int        // bytes of the flush under way that the socket has not taken
	flushing bool
	reading  bool          // the client's own goroutine is at work and flushes when done
	unsynced bool          // buf has what must not be sent before the store has synced
	starved  bool          // somebody found no room: let the session go on when there is
	closing  bool          // nothing more comes; close when empty
	linger   bool          // let the client read to the end: close only our half
	closed   bool          // the last flush is over
	promised bool          // somebody flushes in a moment, for everybody: see flushEarly
	ended    chan struct{} // closed with closed; nil until somebody waits for it
	relief   chan struct{} // closed when few enough bytes wait; nil until catchUp waits for it
	cause    Cause         // why closing
	crowd    uint8         // grows while flushes are close by one another: see isCrowded
	flushed  uint32        // when the last flush was asked for: see batch.clock
	mark     *work         // the work whose dirty list holds the client already
}

const (
	// outKept is the largest buffer that goes back to the pool.
	outKept = 64 << 10
	// outChunk is what a waiting goroutine hands to the socket at a time: a
	// client that takes as much within Limits.StallTimeout is slow, not stalled.
	outChunk = 16 << 10
	// lingerTime is how long a client whose connection is ending may take to
	// read its last packets.
	lingerTime = time.Second
)

// An outBuffer is borrowed while there is something to write.
type outBuffer struct{ b []byte }

var outBuffers = sync.Pool{New: func() any { return &outBuffer{make([]byte, 0, 1024)} }}

func (b *outBuffer) giveBack() {
	if cap(b.b) <= outKept {
		b.b = b.b[:0]
		outBuffers.Put(b)
	}
}

// len is how many bytes wait; mu is held.
func (o *outbox) len() int {
	if o.buf == nil {
		return 0
	}
	return len(o.buf.b)
}

// room returns the buffer, borrowed if need be; mu is held.
func (o *outbox) room() *outBuffer {
	if o.buf == nil {
		o.buf = outBuffers.Get().(*outBuffer)
	}
	return o.buf
}

// hasRoom reports whether more may be put in. The bound is passed by at most
// one packet. If there is none, the session goes on once there is.
func (c *Client) hasRoom() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	room := c.out.len()+c.out.held < c.limits.OutBuffer
	c.out.starved = c.out.starved || !room
	return room
}

// pushing says how a packet is put in.
type pushing byte

const (
	again     pushing = 1 << iota // with the DUP flag
	bounded                       // not at all when there is no room
	afterSync                     // sent when the store has what was written before
)

// pushFrame puts in a packet that is encoded already, as w's. Where id is not
// 0 it is written at idOffset. sent says whether it is in.
func (c *Client) pushFrame(w *work, frame []byte, idOffset int, id uint16, how pushing) (sent bool) {
	o := &c.out
	o.mu.Lock()
	if o.closing || how&bounded != 0 && o.len()+o.held >= c.limits.OutBuffer {
		o.mu.Unlock()
		return false
	}
	buf := o.room()
	from := len(buf.b)
	buf.b = append(buf.b, frame...)
	if id != 0 {
		binary.BigEndian.PutUint16(buf.b[from+idOffset:], id)
	}
	if how&again != 0 {
		buf.b[from] |= 0x08 // [MQTT3-3.3.1-1] [MQTT5-3.3.1-1]
	}
	o.unsynced = o.unsynced || how&afterSync != 0
	c.touched(w)
	return true
}

// push puts in a control packet, as w's. One that is too large for the client
// can neither be sent nor left out: it ends the connection [MQTT5-3.1.2-24].
func (c *Client) push(w *work, p packet.Packet) {
	o := &c.out
	o.mu.Lock()
	if o.closing {
		o.mu.Unlock()
		return
	}
	from := o.len()
	if !c.encode(p) {
		o.mu.Unlock()
		c.end(Faulted, mqtt.PacketTooLarge)
		return
	}
	c.said(from)
	c.touched(w)
}

// said tells who listens what was put in from a place on; the lock is held.
func (c *Client) said(from int) {
	if c.b.listener != nil && c.admitted.Load() && c.out.len() > from && c.b.listener.Listens(c) {
		c.b.listener.Overheard(c, c.out.buf.b[from:], false)
	}
}

// encode appends p to the out-buffer, whose lock is held. It is false where p
// is too large for the client.
func (c *Client) encode(p packet.Packet) (fits bool) {
	buf := c.out.room()
	out, err := p.Append(buf.b, c.version)
	if err != nil {
		c.b.log.Error("packet cannot be said", "packet", p.Type().String(), "error", err)
		return true
	}
	if c.maxPacket > 0 && len(out)-len(buf.b) > int(c.maxPacket) {
		return false
	}
	buf.b = out
	return true
}

// fits reports whether the client takes a packet as large as p.
func (c *Client) fits(p packet.Packet) bool {
	if c.maxPacket == 0 {
		return true
	}
	out, err := p.Append(nil, c.version)
	return err != nil || len(out) <= int(c.maxPacket)
}

// pushAck puts in a PUBACK, PUBREC, PUBREL or PUBCOMP, as w's. It is push
// without its allocation. PUBREL and PUBCOMP let the other side forget: what
// they stand for has to be durable before.
func (c *Client) pushAck(w *work, t packet.Type, id uint16, reason mqtt.ReasonCode) {
	o := &c.out
	o.mu.Lock()
	if o.closing {
		o.mu.Unlock()
		return
	}
	buf := o.room()
	from := len(buf.b)
	switch t { // an acknowledgement with an identifier can always be said
	case packet.TypePuback:
		buf.b, _ = (&packet.Puback{ID: id, Reason: reason}).Append(buf.b, c.version)
	case packet.TypePubrec:
		buf.b, _ = (&packet.Pubrec{ID: id, Reason: reason}).Append(buf.b, c.version)
	case packet.TypePubrel:
		buf.b, _ = (&packet.Pubrel{ID: id, Reason: reason}).Append(buf.b, c.version)
	case packet.TypePubcomp:
		buf.b, _ = (&packet.Pubcomp{ID: id, Reason: reason}).Append(buf.b, c.version)
	}
	o.unsynced = o.unsynced || (t == packet.TypePubrel || t == packet.TypePubcomp) && c.s.durable()
	c.said(from)
	c.touched(w)
}

// touched enters c into w's dirty list, unless somebody else flushes it soon,
// and unlocks the outbox.
func (c *Client) touched(w *work) {
	left := c.out.reading || c.out.promised && c.out.len() < outChunk
	if !left && c.out.mark != w {
		c.out.mark = w
		w.dirty = append(w.dirty, c)
	}
	c.out.mu.Unlock()
}

// flush sends what w has put into out-buffers.
func (w *work) flush() {
	for i, c := range w.dirty {
		c.flush()
		w.dirty[i] = nil
	}
	w.dirty = w.dirty[:0]
}

// flushEarly is flush for all but the clients to whom many others are sending
// as well: those stay in the dirty list, for a flush after yield. It must
// follow soon, since the others rely on it.
func (w *work) flushEarly(now uint32) {
	crowded := w.dirty[:0]
	for _, c := range w.dirty {
		c.out.mu.Lock()
		if c.out.isCrowded(now) {
			c.out.promised = true
			c.out.mu.Unlock()
			crowded = append(crowded, c)
			continue
		}
		c.flushLocked()
	}
	clear(w.dirty[len(crowded):])
	w.dirty = crowded
}

// flushLate sends what flushEarly has left, when those who have something to
// read now, and may be about to send to the same clients, have done so: one
// write takes it all. To a client that 100 others send to one by one that
// saves a third of the CPU seconds.
func (w *work) flushLate() {
	if len(w.dirty) == 0 {
		return
	}
	runtime.Gosched()
	w.flush()
}

const (
	// closeBy is how many microseconds apart two flushes of a crowd are: about
	// what handling two messages costs.
	closeBy = 50
	// crowdFrom and crowdMost are how many flushes close by make a crowd, and
	// how many are remembered: a gap halves them.
	crowdFrom, crowdMost = 4, 8
)

// isCrowded notes a flush at a moment and reports whether it may as well be
// later; mu is held.
func (o *outbox) isCrowded(now uint32) bool {
	if now-o.flushed < closeBy {
		o.crowd = min(o.crowd+1, crowdMost)
	} else {
		o.crowd /= 2
	}
	o.flushed = now
	return o.crowd >= crowdFrom && o.len() < outChunk && !o.flushing && !o.closing
}

// flush writes until the out-buffer is empty and nothing has waited for that,
// or the socket is full, in which case a goroutine goes on. No lock is held.
func (c *Client) flush() {
	c.out.mu.Lock()
	c.flushLocked()
}

// waitsForStore reports whether a flush would wait for the store.
func (c *Client) waitsForStore() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.unsynced
}

// flushLocked is flush with the lock held, which it releases.
func (c *Client) flushLocked() {
	for c.flushOnce() {
		c.refill()
		c.out.mu.Lock()
	}
}

// flushOnce reports whether it has made room for which somebody waits; the
// lock is held and released.
func (c *Client) flushOnce() (starved bool) {
	o := &c.out
	o.mark, o.promised = nil, false
	if o.flushing || o.closed {
		o.mu.Unlock()
		return false
	}
	o.flushing = true
	for o.len() > 0 {
		buf, unsynced := o.buf, o.unsynced
		o.buf, o.held, o.unsynced = nil, len(buf.b), false
		o.mu.Unlock()
		if unsynced && !c.synced() {
			return false
		}
		n, err := c.t.write(buf.b)
		c.b.counters.BytesOut.Add(int64(n))
		if err == nil && n < len(buf.b) {
			c.wait(buf, n)
			return false
		}
		buf.giveBack()
		o.mu.Lock()
		o.held = 0
		c.relieve()
		if err != nil {
			c.broken()
			return false
		}
	}
	return c.flushed()
}

// synced waits for the store; it is false where the store failed, which ends
// the connection: the client comes back to the session as it is kept.
func (c *Client) synced() bool {
	err := c.b.store.Sync()
	if err == nil {
		return true
	}
	c.b.counters.StoreErrors.Add(1)
	c.b.log.Error("sessions are not kept", "error", err)
	o := &c.out
	o.mu.Lock()
	if o.cause == 0 {
		o.cause = NotKept
	}
	c.broken()
	return false
}

// flushed ends a flush and reports whether somebody waits for the room; the
// lock is held and released.
func (c *Client) flushed() (starved bool) {
	o := &c.out
	o.flushing = false
	if !o.closing || o.closed {
		starved, o.starved = o.starved, false
		o.mu.Unlock()
		return starved
	}
	if _, slow := c.t.(*stream); slow { // TLS and WebSocket say good-bye and may block
		c.writers.Go(c.t.stop)
		o.close()
		o.mu.Unlock()
		return false
	}
	if o.linger {
		c.t.closeWrite()
	}
	o.close()
	o.mu.Unlock()
	c.t.stop()
	return false
}

// broken ends a flush whose write failed: the lock is held and released.
func (c *Client) broken() {
	o := &c.out
	o.flushing, o.closing = false, true
	o.buf = nil
	o.close()
	o.mu.Unlock()
	c.t.stop()
	c.tell()
}

// close says that there will be no more flush.
func (o *outbox) close() {
	o.closed = true
	if o.relief != nil {
		close(o.relief)
		o.relief = nil
	}
	if o.ended != nil {
		close(o.ended)
		o.ended = nil
	}
}

// wait returns when the last flush is over. end was called before.
func (o *outbox) wait() {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return
	}
	ended := make(chan struct{})
	o.ended = ended
	o.mu.Unlock()
	<-ended
}

// mostAnswers is how many times Limits.OutBuffer may wait when answers, which
// cannot be dropped, are added to messages.
const mostAnswers = 2

func (c *Client) behind() bool {
	return c.out.len()+c.out.held >= mostAnswers*c.limits.OutBuffer
}

// catchUp waits while too much is on its way to the client: who asks on and
// does not read the answers is not read either. It reports whether the
// connection is ending. The connection's own goroutine calls it.
func (c *Client) catchUp(b *batch) (ending bool) {
	o := &c.out
	o.mu.Lock()
	if !o.flushing || o.closing || !c.behind() {
		ending = o.closing
		o.mu.Unlock()
		return ending
	}
	relief := make(chan struct{})
	o.relief = relief
	o.mu.Unlock()
	b.by.handOver()
	<-relief
	c.seen = time.Now() // what it sent meanwhile waits for us
	return c.stopped()
}

// relieve lets catchUp go on when it may; the lock is held.
func (c *Client) relieve() {
	if c.out.relief != nil && !c.behind() {
		close(c.out.relief)
		c.out.relief = nil
	}
}

// wait leaves the rest of a flush to a goroutine.
func (c *Client) wait(buf *outBuffer, n int) {
	c.writers.Go(func() { c.drain(buf, n) })
}

// drain waits for the socket to take buf from n on and what has come since,
// then lets the session go on.
func (c *Client) drain(buf *outBuffer, n int) {
	o := &c.out
	for {
		for n < len(buf.b) {
			chunk := buf.b[n:min(n+outChunk, len(buf.b))]
			o.mu.Lock()
			o.held = len(buf.b) - n
			c.relieve()
			patience := c.limits.StallTimeout
			if o.closing {
				patience = lingerTime
			}
			o.mu.Unlock()
			if err := c.t.writeAll(chunk, time.Now().Add(patience)); err != nil {
				c.stalled(err)
				return
			}
			n += len(chunk)
			c.b.counters.BytesOut.Add(int64(len(chunk)))
		}
		buf.giveBack()
		o.mu.Lock()
		o.held = 0
		c.relieve()
		if o.len() == 0 {
			break
		}
		unsynced := o.unsynced
		buf, n = o.buf, 0
		o.buf, o.unsynced = nil, false
		o.mu.Unlock()
		if unsynced && !c.synced() {
			return
		}
	}
	if c.flushed() {
		c.refill()
		c.flush()
	}
}

// stalled ends a drain: the client took nothing for too long, or is gone.
func (c *Client) stalled(err error) {
	o := &c.out
	o.mu.Lock()
	if isTimeout(err) && o.cause == 0 {
		o.cause = TooSlow
	}
	c.broken()
}

// refill puts into the out-buffer what the session has waiting for it.
func (c *Client) refill() {
	s := c.s
	w := works.Get().(*work)
	s.mu.Lock()
	if s.client.Load() == c {
		s.pump(w)
	}
	s.mu.Unlock()
	c.b.counters.MessagesOut.Add(w.out)
	w.reset() // c, which alone is in its dirty list, is being flushed
	works.Put(w)
}

// end closes the connection for cause: with a DISCONNECT to a 5.0 client that
// is connected, after everything that waits. The first cause counts. Anybody
// may call it.
func (c *Client) end(cause Cause, reason mqtt.ReasonCode) {
	o := &c.out
	o.mu.Lock()
	if o.closing {
		o.mu.Unlock()
		return
	}
	if c.version == mqtt.V5 && c.admitted.Load() && cause.told() {
		from := o.len()
		if c.encode(&packet.Disconnect{Reason: reason}) {
			c.said(from)
		}
	}
	o.closing, o.cause = true, cause
	o.linger = cause == Faulted || cause == RulesClosed || cause == refused
	busy := o.flushing
	o.mu.Unlock()
	if busy {
		c.t.hurry(time.Now().Add(lingerTime))
	}
	c.flush()
	c.tell()
}
