package broker

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A transport carries the bytes of one connection.
type transport interface {
	// receive hands what arrives to r until r or the network says stop. It
	// returns r's error, io.EOF, or a network error; after
	// os.ErrDeadlineExceeded it may be called again. One goroutine calls it.
	receive(r receiver) error
	// write sends what the socket takes at once and returns how much that was.
	// Whoever flushes the out-buffer calls it, one at a time.
	write(b []byte) (int, error)
	// writeAll sends all of b, waiting no longer than until deadline.
	writeAll(b []byte, deadline time.Time) error
	// until sets anew until when something has to arrive, while receive runs.
	until(deadline time.Time)
	// hurry makes a writeAll that is under way fail at deadline, and receive
	// return by then.
	hurry(deadline time.Time)
	// closeWrite ends only our half, so that the peer can read what was sent
	// last, and reports whether it did; if not, close is the way.
	closeWrite() bool
	// discard reads for nobody until the peer ends, until deadline, or until
	// it has sent enough: closing with bytes unread would take from the peer
	// what it has not read yet.
	discard(deadline time.Time)
	// stop makes receive and writeAll return soon. Anybody may call it. It may
	// say good-bye where the transport has a way to, for as long as lingerTime.
	stop()
	// close ends the connection. It waits for receive to return, therefore
	// only he calls it for whom it has.
	close()
}

// A receiver takes bytes from a transport.
type receiver interface {
	// take consumes what it can of b.buf[:b.n], moves the rest to the front
	// and makes room behind it. again asks to read once more before waiting:
	// a FIN may have come with the bytes. With errParked b and the receiver are
	// somebody else's already; he calls take again, with nothing new in b.
	take(b *batch) (again bool, err error)
	// deadline is until when something has to arrive, zero for no limit.
	deadline() time.Time
	// stopped reports whether stop is about to be called or has been, so that
	// a new deadline does not undo it.
	stopped() bool
}

// readSize is the room that one read has. A read that fills less has emptied
// the socket.
const readSize = 16 << 10

// A batch is what is borrowed while there is something to read: the bytes, and
// the room to work on them.
type batch struct {
	work
	buf []byte // len(buf) is all its room
	n   int    // bytes in it

	acks    []ack
	raw     []byte // the packet that is being handled, in buf
	in      int64  // PUBLISH read
	started time.Time
	by      *worker // who works on it, nil for a goroutine of the client's own

	// Where handling it was left off: see Client.park.
	full   bool  // the read that brought its last bytes filled the room: there may be more
	first  bool  // the client was not connected before it
	used   int   // bytes of its whole packets
	err    error // what ended handling them
	parked bool  // nobody works on it until the client is woken
}

// clock is when b was begun in microseconds of a clock that runs over after an
// hour.
func (b *batch) clock() uint32 { return uint32(b.started.Sub(clockStart).Microseconds()) }

var clockStart = time.Now()

var batches = sync.Pool{New: func() any { return &batch{buf: make([]byte, readSize)} }}

func borrow() *batch { return batches.Get().(*batch) }

// giveBack returns b to the pool, without memory out of the ordinary.
func giveBack(b *batch) {
	b.n, b.raw, b.by, b.err = 0, nil, nil, nil
	if len(b.buf) > readSize {
		b.buf = make([]byte, readSize)
	}
	clear(b.acks)
	b.acks = b.acks[:0]
	b.work.reset()
	batches.Put(b)
}

// grow makes room in a full buffer. It doubles, so that a peer has to send
// the bytes for which memory is taken.
func (b *batch) grow() {
	if b.n < len(b.buf) {
		return
	}
	buf := make([]byte, 2*len(b.buf))
	copy(buf, b.buf[:b.n])
	b.buf = buf
}

// consume moves what is left after n bytes to the front.
func (b *batch) consume(n int) {
	if n > 0 {
		b.n = copy(b.buf, b.buf[n:b.n])
	}
	b.grow()
}

// stream is the transport over a connection that hides its socket: TLS,
// WebSocket, net.Pipe. While idle it waits with one byte of room. Its write
// takes nothing, so that each flush has its own goroutine: such a connection
// cannot say what it would take without blocking.
type stream struct {
	nc    net.Conn
	abort func() // closes without a good-bye, nil where nc.Close does not wait
	one   [1]byte
	b     *batch
}

func (t *stream) receive(r receiver) error {
	for {
		if err := t.read(r); err != nil {
			if t.b != nil && !isTimeout(err) {
				giveBack(t.b)
				t.b = nil
			}
			return err
		}
	}
}

func (t *stream) read(r receiver) error {
	if err := t.nc.SetReadDeadline(r.deadline()); err != nil {
		return err
	}
	if r.stopped() {
		return errClosing
	}
	if t.b == nil {
		n, err := t.nc.Read(t.one[:])
		if n == 0 {
			return nonNil(err)
		}
		t.b = borrow()
		t.b.buf[0], t.b.n = t.one[0], 1
	}
	// No packet has one byte only, so more is coming.
	n, err := t.nc.Read(t.b.buf[t.b.n:])
	if n == 0 {
		return nonNil(err)
	}
	t.b.n += n
	if _, err := r.take(t.b); err != nil {
		return err
	}
	if t.b.n == 0 {
		giveBack(t.b)
		t.b = nil
	}
	return nil
}

// nonNil makes an error of a Read that returned neither bytes nor error.
func nonNil(err error) error {
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

func (t *stream) write([]byte) (int, error) { return 0, nil }

func (t *stream) writeAll(b []byte, deadline time.Time) error {
	t.nc.SetWriteDeadline(deadline)
	_, err := t.nc.Write(b)
	return err
}

func (t *stream) until(time.Time) {} // read asks each time

func (t *stream) hurry(deadline time.Time) { t.nc.SetDeadline(deadline) }

func (t *stream) closeWrite() bool { return false }

func (t *stream) discard(time.Time) {}

func (t *stream) stop() {
	if t.abort != nil {
		defer time.AfterFunc(lingerTime, t.abort).Stop()
	}
	t.nc.Close()
}

func (t *stream) close() { t.stop() }

func isTimeout(err error) bool { return os.IsTimeout(err) }
