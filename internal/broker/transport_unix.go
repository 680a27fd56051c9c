//go:build unix

package broker

import (
	"io"
	"net"
	"syscall"
	"time"
)

// newTransport chooses how to carry the bytes of nc. abort closes what is
// below nc without a good-bye, nil for a connection with nothing below.
func newTransport(nc net.Conn, abort func()) transport {
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			t := &socket{nc: nc, raw: raw}
			t.onReadable = t.readable
			if raw.Control(func(fd uintptr) { t.fd = int(fd) }) == nil {
				return t
			}
		}
	}
	return &stream{nc: nc, abort: abort}
}

// socket is the transport over a bare socket. It holds no buffer while it
// waits, and writes without blocking.
//
// All reading happens inside one RawConn.Read: returning false from its
// function waits for the next edge of readiness, and an edge that came
// meanwhile is remembered there, though not across two calls of RawConn.Read.
// That is why a short read may be taken for an empty socket, and why nothing
// that handles input may close the socket: closing waits for the RawConn.Read.
type socket struct {
	nc         net.Conn
	raw        syscall.RawConn
	fd         int                   // to write to: see close
	onReadable func(fd uintptr) bool // made once: a method value costs an allocation

	// receive's
	r       receiver
	b       *batch
	readErr error
}

func (t *socket) receive(r receiver) error {
	t.r, t.readErr = r, nil
	if err := t.nc.SetReadDeadline(r.look()); err != nil {
		return err
	}
	if r.stopped() {
		return errClosing
	}
	err := t.raw.Read(t.onReadable)
	if t.readErr != nil {
		err = t.readErr
	}
	if t.b != nil && !isTimeout(err) {
		t.release()
	}
	return nonNil(err)
}

func (t *socket) release() {
	giveBack(t.b)
	t.b = nil
}

// readable reads and handles until the socket is empty; true ends receive.
func (t *socket) readable(fd uintptr) (done bool) {
	for {
		if t.b == nil {
			t.b = borrow()
		}
		room := t.b.buf[t.b.n:]
		n, err := readNow(int(fd), room)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			if t.b.n == 0 {
				t.release()
			}
			return false
		case err != nil:
			t.readErr = err
			return true
		case n == 0:
			t.readErr = io.EOF
			return true
		}
		t.b.n += n
		again, err := t.r.take(t.b)
		if err != nil {
			t.readErr = err
			return true
		}
		if n == len(room) || again {
			continue
		}
		if t.b.n == 0 {
			t.release()
		}
		return false
	}
}

// write writes once and never waits. It asks nobody whether the socket is
// open: only close closes it, which is called when nobody writes any more.
func (t *socket) write(b []byte) (int, error) {
	for {
		n, err := writeNow(t.fd, b)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, err
		}
	}
}

func (t *socket) writeAll(b []byte, deadline time.Time) error {
	t.nc.SetWriteDeadline(deadline)
	_, err := t.nc.Write(b)
	return err
}

func (t *socket) until(deadline time.Time) { t.nc.SetReadDeadline(deadline) }

func (t *socket) hurry(deadline time.Time) { t.nc.SetDeadline(deadline) }

// maxDiscard is how many bytes are read for nobody.
const maxDiscard = 4 << 20

func (t *socket) closeWrite() bool {
	half, ok := t.nc.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

func (t *socket) discard(deadline time.Time) {
	t.nc.SetReadDeadline(deadline)
	io.CopyN(io.Discard, t.nc, maxDiscard)
}

func (t *socket) stop() { t.nc.SetDeadline(longAgo) }

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

func (t *socket) close() { t.nc.Close() }
