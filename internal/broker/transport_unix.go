//go:build unix

package broker

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// newTransport chooses how to carry the bytes of nc. abort closes what is
// below nc without a good-bye, nil for a connection with nothing below.
func newTransport(nc net.Conn, abort func()) transport {
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			t := &socket{nc: nc, raw: raw}
			t.onReadable = func(fd uintptr) bool { return t.readable(fd) != empty }
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
// A short read is taken for an empty socket: who waits for it waits for the next
// edge of readiness, and one that came meanwhile is remembered. In receive all
// reading happens inside one RawConn.Read for that reason, since edges are not
// remembered across two of them, and nothing that handles input may close the
// socket: closing waits for the RawConn.Read. An event loop remembers them in
// Client.turn.
type socket struct {
	fd         int                   // guarded by outbox.flushing: see close
	onReadable func(fd uintptr) bool // made once: a method value costs an allocation

	mu     sync.Mutex
	nc     net.Conn // nil once the socket is detached
	raw    syscall.RawConn
	file   *os.File // of a detached socket that somebody had to wait for: a copy of fd
	closed bool

	// receive's, or whose turn it is
	by      *worker
	r       receiver
	b       *batch
	readErr error
}

func (t *socket) receive(r receiver) error {
	t.r, t.readErr = r, nil
	if err := t.nc.SetReadDeadline(r.deadline()); err != nil {
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

// patientReads is how many reads in a row a client of an event loop may have
// while others wait for theirs.
const patientReads = 4

// What readable leaves the socket as.
type condition byte

const (
	empty  condition = iota
	over             // readErr says why
	parked           // whoever goes on with it has it already
)

// readable reads and handles until the socket is empty, beginning with what
// was parked.
func (t *socket) readable(fd uintptr) condition {
	for reads := 1; ; reads++ {
		if t.b == nil {
			t.b = borrow()
		}
		t.b.by = t.by
		if !t.b.parked {
			room := t.b.buf[t.b.n:]
			n, err := readNow(int(fd), room)
			switch {
			case err == syscall.EINTR:
				continue
			case err == syscall.EAGAIN:
				if t.b.n == 0 {
					t.release()
				}
				return empty
			case err != nil:
				t.readErr = err
				return over
			case n == 0:
				t.readErr = io.EOF
				return over
			}
			t.b.n += n
			t.b.full = n == len(room)
		}
		again, err := t.r.take(t.b)
		if err == errParked {
			return parked
		}
		if err != nil {
			t.readErr = err
			return over
		}
		if t.b.full || again {
			if reads == patientReads {
				t.by.handOver()
			}
			continue
		}
		if t.b.n == 0 {
			t.release()
		}
		return empty
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
	w, err := t.waiting()
	if err != nil {
		return err
	}
	w.SetWriteDeadline(deadline)
	_, err = w.Write(b)
	return err
}

// A waiter is a connection that can be waited for until a deadline.
type waiter interface {
	io.ReadWriter
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// waiting returns the socket as the runtime watches it. A detached one it
// begins to watch now.
func (t *socket) waiting() (waiter, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nc != nil {
		return t.nc, nil
	}
	if t.file == nil {
		fd, err := dup(t.fd)
		if err != nil {
			return nil, err
		}
		t.file = os.NewFile(uintptr(fd), "socket") // does not block, so the runtime watches it
	}
	return t.file, nil
}

// watched returns what somebody may be waiting for, nil for nothing.
func (t *socket) watched() waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.nc != nil:
		return t.nc
	case t.file != nil:
		return t.file
	}
	return nil
}

func (t *socket) until(deadline time.Time) {
	if w := t.watched(); w != nil {
		w.SetReadDeadline(deadline)
	}
}

func (t *socket) hurry(deadline time.Time) {
	if w := t.watched(); w != nil {
		w.SetDeadline(deadline)
	}
}

func (t *socket) stop() { t.hurry(longAgo) }

// maxDiscard is how many bytes are read for nobody.
const maxDiscard = 4 << 20

func (t *socket) discard(deadline time.Time) {
	if w, err := t.waiting(); err == nil {
		w.SetReadDeadline(deadline)
		io.CopyN(io.Discard, w, maxDiscard)
	}
}

func (t *socket) closeWrite() bool { return t.CloseWrite() == nil }

// CloseRead and CloseWrite end one direction, for sever. Anybody may call them
// and Close at any time.
func (t *socket) CloseRead() error  { return t.shutdown(syscall.SHUT_RD) }
func (t *socket) CloseWrite() error { return t.shutdown(syscall.SHUT_WR) }

// Close severs the socket: closing it is for those who serve it.
func (t *socket) Close() error { return t.shutdown(syscall.SHUT_RDWR) }

func (t *socket) shutdown(how int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return net.ErrClosed
	}
	return syscall.Shutdown(t.fd, how)
}

// detach goes on with fd, a copy of the socket's number. Nobody may be flushing,
// and the caller closes what t was made from.
func (t *socket) detach(fd int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fd, t.nc, t.raw = fd, nil, nil
}

// dup returns another number for what fd is.
func dup(fd int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("fcntl", errno)
	}
	return int(n), nil
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

func (t *socket) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.nc != nil {
		t.nc.Close()
		return
	}
	if t.file != nil {
		t.file.Close()
	}
	syscall.Close(t.fd)
}
