//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
	"time"
	"unsafe"
)

const (
	// readRoom is what one read may bring.
	readRoom = 256 << 10
	// eventRoom is how many sockets one wait may report.
	eventRoom = 1024
	// opening is how many connections wait for their CONNACK or SUBACK at once:
	// below the backlog of every peer's listener.
	opening = 64
	// openPatience is how long a fleet may take to be connected and subscribed.
	openPatience = 90 * time.Second
	// sources are the loopback addresses that connections come from in turn, so
	// that the ports of one do not run out.
	sources = 64
)

// A conn is one client's connection.
type conn struct {
	f       *fleet
	fd      int
	in      []byte // the beginning of a packet whose end has not come
	out     []byte // what has not been written
	dirty   bool   // it is in f.dirty
	full    bool   // its socket takes nothing for now
	open    bool   // it has its CONNACK and SUBACK
	present bool   // CONNACK said that the session was there
	index   int

	t      template
	nextID uint16
	copies uint32 // deliveries that make a message of its finished
	seq    uint32 // messages sent
	acked  uint32 // of them acknowledged
	got    uint32 // deliveries of its messages
	expect uint32 // with copies > 1: the next message that this subscriber awaits
}

// A fleet is a number of clients, driven by one thread with epoll. Its methods
// belong to one goroutine.
type fleet struct {
	target  netip.AddrPort
	ep      int
	conns   []*conn
	dirty   []*conn
	buf     []byte
	events  []syscall.EpollEvent
	handle  func(c *conn, first byte, body []byte) error // a packet has come
	hangup  func(c *conn) error                          // the server has closed; nil: that is an error
	source  int
	wakeups int64
}

func newFleet(addr string) (*fleet, error) {
	target, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &fleet{target: target, ep: ep, buf: make([]byte, readRoom), events: make([]syscall.EpollEvent, eventRoom)}, nil
}

// close closes all connections without a word.
func (f *fleet) close() {
	for _, c := range f.conns {
		c.close()
	}
	syscall.Close(f.ep)
}

// dial connects one client. Over loopback the kernel does that at once.
func (f *fleet) dial() (*conn, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c := &conn{f: f, fd: fd, index: -1}
	if err := c.connect(); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("connect to %v: %w", f.target, err)
	}
	return c, nil
}

// ipBindAddressNoPort leaves the choice of a port to connect, which may then
// use one again that another destination has [ip(7)].
const ipBindAddressNoPort = 24

func (c *conn) connect() error {
	f := c.f
	if err := syscall.SetsockoptInt(c.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return err
	}
	if f.target.Addr().IsLoopback() {
		if err := syscall.SetsockoptInt(c.fd, syscall.IPPROTO_IP, ipBindAddressNoPort, 1); err != nil {
			return err
		}
		f.source = f.source%sources + 1
		if err := syscall.Bind(c.fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(f.source)}}); err != nil {
			return err
		}
	}
	if err := syscall.Connect(c.fd, &syscall.SockaddrInet4{Addr: f.target.Addr().As4(), Port: int(f.target.Port())}); err != nil {
		return err
	}
	return syscall.SetNonblock(c.fd, true)
}

// enlist makes c one of the fleet.
func (f *fleet) enlist(c *conn) error {
	c.index = len(f.conns)
	f.conns = append(f.conns, c)
	return f.watch(c, syscall.EPOLL_CTL_ADD, syscall.EPOLLIN)
}

func (f *fleet) watch(c *conn, op int, events uint32) error {
	return syscall.EpollCtl(f.ep, op, c.fd, &syscall.EpollEvent{Events: events, Fd: int32(c.index)})
}

func (c *conn) close() {
	if c.fd >= 0 {
		syscall.Close(c.fd)
		c.fd = -1
	}
}

// A member is a client to be: its login and what it subscribes to, if anything.
type member struct {
	login  login
	clean  bool
	filter string
	qos    byte
	ping   bool // it says PINGREQ once, as a client that stays does
}

// keepAlive is what clients ask for: longer than any scenario takes.
const keepAlive = 1200

// enter connects members and waits until all are connected and subscribed.
func (f *fleet) enter(ctx context.Context, members []member) error {
	deadline := time.Now().Add(openPatience)
	begun, done := 0, 0
	base := len(f.conns)
	f.handle = func(c *conn, first byte, body []byte) error {
		finished, err := members[c.index-base].step(c, first, body)
		if finished {
			c.open = true
			done++
		}
		return err
	}
	for done < len(members) {
		for begun < len(members) && begun-done < opening {
			c, err := f.dial()
			if err != nil {
				return err
			}
			if err := f.enlist(c); err != nil {
				return err
			}
			m := &members[begun]
			c.write(appendConnect(nil, m.login, m.clean, keepAlive))
			begun++
		}
		if err := f.turn(100 * time.Millisecond); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d clients were connected after %v", done, len(members), openPatience)
		}
	}
	return nil
}

// step answers what came while a member enters; it reports true when it is in.
func (m *member) step(c *conn, first byte, body []byte) (finished bool, err error) {
	switch first >> 4 {
	case connack:
		if len(body) != 2 || body[1] != 0 {
			return false, fmt.Errorf("client %q was refused: CONNACK %x", m.login.clientID, body)
		}
		c.present = body[0]&1 != 0
		switch {
		case m.filter != "":
			c.write(appendSubscribe(nil, 1, m.filter, m.qos))
		case m.ping:
			c.write(pingreqFrame)
		default:
			return true, nil
		}
	case suback:
		if len(body) != 3 || body[2] != m.qos {
			return false, fmt.Errorf("client %q may not subscribe to %s: SUBACK %x", m.login.clientID, m.filter, body)
		}
		if !m.ping {
			return true, nil
		}
		c.write(pingreqFrame)
	case pingresp:
		return true, nil
	}
	return false, nil
}

// write queues b until the end of the turn.
func (c *conn) write(b []byte) {
	c.out = append(c.out, b...)
	c.mark()
}

// mark makes c be flushed at the end of the turn.
func (c *conn) mark() {
	if !c.dirty {
		c.dirty = true
		c.f.dirty = append(c.f.dirty, c)
	}
}

// turn waits until a socket has something or wait is over, handles all that is
// there, and flushes what was written meanwhile: one write a connection.
func (f *fleet) turn(wait time.Duration) error {
	if err := f.flush(); err != nil {
		return err
	}
	n, err := epollWait(f.ep, f.events, wait)
	if err != nil {
		return err
	}
	f.wakeups++
	for i := range f.events[:n] {
		e := &f.events[i]
		c := f.conns[e.Fd]
		if c.fd < 0 {
			continue
		}
		if e.Events&syscall.EPOLLOUT != 0 {
			c.full = false
			if err := f.watch(c, syscall.EPOLL_CTL_MOD, syscall.EPOLLIN); err != nil {
				return err
			}
			c.mark()
		}
		if e.Events&(syscall.EPOLLIN|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 {
			if err := c.read(); err != nil {
				return err
			}
		}
	}
	return f.flush()
}

var errClosed = errors.New("the server closed a connection")

// read handles the packets that one read brings.
func (c *conn) read() error {
	f := c.f
	kept := copy(f.buf, c.in)
	n, err := rawIO(syscall.SYS_READ, c.fd, f.buf[kept:])
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return nil
	case err == syscall.ECONNRESET:
		err = io.EOF
	case err == nil && n == 0:
		err = io.EOF
	}
	if err != nil {
		if f.hangup != nil && err == io.EOF {
			return f.hangup(c)
		}
		return fmt.Errorf("client %d: %w (%v)", c.index, errClosed, err)
	}
	b := f.buf[:kept+n]
	for len(b) > 0 {
		first, body, size, err := cut(b)
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		if err := f.handle(c, first, body); err != nil {
			return err
		}
		b = b[size:]
	}
	c.in = append(c.in[:0], b...)
	return nil
}

func (f *fleet) flush() error {
	for _, c := range f.dirty {
		c.dirty = false
		if err := c.flush(); err != nil {
			return err
		}
	}
	f.dirty = f.dirty[:0]
	return nil
}

func (c *conn) flush() error {
	if c.full || len(c.out) == 0 || c.fd < 0 {
		return nil
	}
	n, err := rawIO(syscall.SYS_WRITE, c.fd, c.out)
	switch {
	case err == syscall.EAGAIN:
		n = 0
	case err != nil && c.f.hangup != nil:
		return nil // reading tells of it
	case err != nil:
		return fmt.Errorf("client %d: write: %w", c.index, err)
	}
	c.out = c.out[:copy(c.out, c.out[n:])]
	if len(c.out) > 0 {
		c.full = true
		return c.f.watch(c, syscall.EPOLL_CTL_MOD, syscall.EPOLLIN|syscall.EPOLLOUT)
	}
	return nil
}

// rawIO reads or writes on a socket that does not block, without telling the
// scheduler: it could not use the time anyhow.
func rawIO(call uintptr, fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// sysEpollPwait2 takes its timeout in nanoseconds; the number is the same on
// all processors [epoll_wait(2)].
const sysEpollPwait2 = 441

// epollWait waits for at most wait.
func epollWait(ep int, events []syscall.EpollEvent, wait time.Duration) (int, error) {
	ts := syscall.NsecToTimespec(max(0, int64(wait)))
	n, _, errno := syscall.Syscall6(sysEpollPwait2, uintptr(ep), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)),
		uintptr(unsafe.Pointer(&ts)), 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EINTR:
		return 0, nil
	case syscall.ENOSYS:
		return syscall.EpollWait(ep, events, int(wait.Milliseconds()))
	}
	return 0, fmt.Errorf("epoll: %w", errno)
}
