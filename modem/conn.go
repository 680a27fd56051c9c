package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// maxReceived bounds the bytes that a Conn has received and nobody has read.
const maxReceived = 64 << 10

// farewell bounds how long a closing Conn waits for the module.
const farewell = 10 * time.Second

// A Socket is what a driver does for a Conn.
type Socket interface {
	// Send sends p, which is no longer than MaxSend, or none of it. Its error
	// is ErrNotSent only if the module has seen nothing of it.
	Send(ctx context.Context, p []byte) error
	// Hangup closes the module's socket. It is called once.
	Hangup(ctx context.Context) error
	// Wanted is called when bytes were read and there is room for more.
	Wanted()
}

// A Conn is a net.Conn over a socket of a module. Received bytes are kept up
// to 64 KiB; beyond that a connection whose module cannot wait is broken with
// ErrOverflow, rather than left with a gap.
type Conn struct {
	socket  Socket
	maxSend int
	remote  net.Addr
	sending chan struct{} // holds a token while somebody writes
	closed  sync.Once
	down    chan struct{} // closed with the connection

	mu       sync.Mutex
	received []byte
	end      error         // what Read returns after received
	cut      error         // what Write returns
	arrived  chan struct{} // closed and replaced when received or end change
	read     deadline
	write    deadline
}

// NewConn makes a Conn over a socket. remote is what was dialled.
func NewConn(s Socket, remote net.Addr, maxSend int) *Conn {
	return &Conn{
		socket: s, maxSend: maxSend, remote: remote,
		sending: make(chan struct{}, 1), down: make(chan struct{}), arrived: make(chan struct{}),
		read: makeDeadline(), write: makeDeadline(),
	}
}

// Receive hands over bytes that the module received.
func (c *Conn) Receive(p []byte) {
	c.mu.Lock()
	if c.end != nil {
		c.mu.Unlock()
		return
	}
	if len(c.received)+len(p) > maxReceived {
		c.mu.Unlock()
		c.Lose(ErrOverflow)
		return
	}
	c.received = append(c.received, p...)
	c.wake()
	c.mu.Unlock()
}

// Room is how many bytes Receive takes now.
func (c *Conn) Room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maxReceived - len(c.received)
}

// Lose ends the connection from the module's side: io.EOF when the peer closed
// it, any other error otherwise. What was received can still be read.
func (c *Conn) Lose(err error) {
	cut := err
	if err == io.EOF {
		cut = fmt.Errorf("%w: the peer closed it", ErrLost)
	}
	c.finish(err, cut)
}

// Lost reports whether the connection has ended.
func (c *Conn) Lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil
}

// Down is closed when the connection has ended, from whichever side.
func (c *Conn) Down() <-chan struct{} { return c.down }

func (c *Conn) finish(end, cut error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil {
		c.end, c.cut = end, cut
		close(c.down)
		c.wake()
	}
}

// wake tells readers to look again. mu is held.
func (c *Conn) wake() {
	close(c.arrived)
	c.arrived = make(chan struct{})
}

// Read reads what the module received.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		c.mu.Lock()
		n := copy(p, c.received)
		c.received = c.received[n:]
		if len(c.received) == 0 {
			c.received = nil
		}
		end, arrived, expired := c.end, c.arrived, c.read.expired()
		c.mu.Unlock()
		switch {
		case n > 0:
			c.socket.Wanted()
			return n, nil
		case len(p) == 0:
			return 0, nil
		case end == io.EOF:
			return 0, io.EOF
		case end != nil:
			return 0, c.problem("read", end)
		}
		select {
		case <-arrived:
		case <-expired:
			return 0, c.problem("read", os.ErrDeadlineExceeded)
		}
	}
}

// Write sends p through the module, in pieces that it can take. A deadline
// that passes while a piece is under way breaks the connection, because
// nobody knows whether the peer has got it.
func (c *Conn) Write(p []byte) (sent int, err error) {
	c.mu.Lock()
	expired := c.write.expired()
	c.mu.Unlock()
	select {
	case c.sending <- struct{}{}:
	case <-expired:
		return 0, c.problem("write", os.ErrDeadlineExceeded)
	case <-c.down:
		return 0, c.problem("write", c.cutBy())
	}
	defer func() { <-c.sending }()
	for len(p) > 0 {
		n := min(len(p), c.maxSend)
		if err := c.send(p[:n], expired); err != nil {
			return sent, c.problem("write", err)
		}
		p, sent = p[n:], sent+n
	}
	return sent, nil
}

// send sends one piece.
func (c *Conn) send(p []byte, expired <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-expired:
			cancel(os.ErrDeadlineExceeded)
		case <-c.down:
			cancel(c.cutBy())
		case <-ctx.Done():
		}
	}()
	err := c.cutBy()
	if err == nil {
		err = c.socket.Send(ctx, p)
	}
	cancel(nil)
	<-watched
	if err == nil {
		return nil
	}
	if cut := c.cutBy(); cut != nil {
		return cut
	}
	if !errors.Is(err, ErrNotSent) {
		c.Lose(fmt.Errorf("%w: %w", ErrLost, err))
	}
	return err
}

func (c *Conn) cutBy() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// Close closes the module's socket. Reads and writes that wait are ended.
func (c *Conn) Close() (err error) {
	c.closed.Do(func() {
		c.finish(net.ErrClosed, net.ErrClosed)
		c.mu.Lock()
		c.received, c.end, c.cut = nil, net.ErrClosed, net.ErrClosed
		c.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		err = c.socket.Hangup(ctx)
	})
	return err
}

// LocalAddr is not known to the host: the module has it.
func (c *Conn) LocalAddr() net.Addr { return Addr("module") }

// RemoteAddr is what was dialled.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline bounds Reads, also those that wait already.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.set(t)
	c.wake()
	return nil
}

// SetWriteDeadline bounds Writes, also those that wait already.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write.set(t)
	return nil
}

func (c *Conn) problem(op string, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = os.ErrDeadlineExceeded // the one that says of itself that it is a timeout
	}
	return &net.OpError{Op: op, Net: "module", Addr: c.remote, Err: err}
}

// An Addr is an address as it was dialled: only the module resolves names.
type Addr string

// Network is "module".
func (Addr) Network() string  { return "module" }
func (a Addr) String() string { return string(a) }

// HostPort reads an address that is dialled. The port is a number: modules
// know no names of services.
func HostPort(address string) (host string, port int, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(service)
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("address %s: the port is a number from 1 to 65535", address)
	}
	return host, port, nil
}
