package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/mqtt/session"
)

// Run connects and reconnects until ctx ends or Disconnect is called, then
// says DISCONNECT and returns nil; or until GiveUp says so, then it returns
// that error. When it returns, its connection is closed and its goroutines
// are gone, the handlers' too. It can be called once.
//
// Between attempts it waits a random time below a bound that starts at
// MinBackoff and doubles up to MaxBackoff, so that a thousand devices do not
// come back at once; with SteadyBackoff it waits for the bound.
func (c *Client) Run(ctx context.Context) (err error) {
	c.mu.Lock()
	again := c.running || c.stopped
	c.running = true
	c.mu.Unlock()
	if again {
		return ErrStopped
	}
	ctx, cancel := context.WithCancel(ctx)
	quit := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		select {
		case <-c.stop:
			cancel()
		case <-ctx.Done():
		}
	})
	others.Go(func() {
		defer close(quit) // only when no handler will answer any more
		c.deliver(ctx)
	})
	defer func() {
		cancel()
		others.Wait()
		c.finish(err)
	}()
	for attempt := 0; ; attempt++ {
		connected, err := c.once(ctx, quit)
		if ctx.Err() != nil {
			return nil
		}
		if connected {
			attempt = 0
			c.lost(ctx, err)
		}
		if c.o.GiveUp != nil && c.o.GiveUp(err) {
			return err
		}
		wait := c.backoff(attempt)
		c.o.Log.Warn("mqtt client is away", "err", err, "retry", wait)
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

func (c *Client) lost(ctx context.Context, err error) {
	if f := c.o.OnDisconnect; f != nil {
		c.tell(ctx, func(ctx context.Context) { f(ctx, err) })
	}
}

// backoff is exponential with full jitter, unless SteadyBackoff.
func (c *Client) backoff(attempt int) time.Duration {
	bound := c.o.MaxBackoff
	if attempt < 32 {
		bound = min(bound, c.o.MinBackoff<<attempt)
	}
	if bound <= 0 { // the shift ran over
		bound = c.o.MaxBackoff
	}
	if c.o.SteadyBackoff {
		return bound
	}
	return rand.N(bound)
}

// sleep waits; false if ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once is one attempt and, if it succeeds, one connection to its end.
func (c *Client) once(ctx context.Context, quit <-chan struct{}) (connected bool, err error) {
	l, ack, err := c.connect(ctx)
	if err != nil {
		return false, err
	}
	c.attach(l, ack)
	if f := c.o.OnConnect; f != nil {
		c.tell(ctx, func(ctx context.Context) { f(ctx, ack) })
	}
	var writer sync.WaitGroup
	writer.Go(func() { c.write(l, quit) })
	c.read(ctx, l)
	writer.Wait()
	c.mu.Lock()
	c.link = nil
	c.mu.Unlock()
	return true, l.err
}

// connect dials, sends CONNECT and reads CONNACK within ConnectTimeout.
func (c *Client) connect(ctx context.Context) (*link, *packet.Connack, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.ConnectTimeout)
	defer cancel()
	conn, err := c.o.Dial(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	l, ack, err := c.handshake(conn)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("no CONNACK within %v", c.o.ConnectTimeout)
		}
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	conn.SetDeadline(time.Time{})
	return l, ack, nil
}

func (c *Client) handshake(conn net.Conn) (*link, *packet.Connack, error) {
	hello := c.o.connect()
	if c.o.Prepare != nil {
		if err := c.o.Prepare(hello); err != nil {
			return nil, nil, err
		}
	}
	b, err := hello.Append(nil, hello.Version)
	if err != nil {
		return nil, nil, err
	}
	if _, err := conn.Write(b); err != nil {
		return nil, nil, err
	}
	l := newLink(conn)
	if err := notMQTT(l.r); err != nil {
		return nil, nil, err
	}
	p, err := packet.Read(l.r, hello.Version, c.o.MaxPacketSize)
	if errors.Is(err, io.EOF) {
		err = errSilent
	}
	if err != nil {
		return nil, nil, err
	}
	ack, ok := p.(*packet.Connack)
	if !ok {
		return nil, nil, fmt.Errorf("the server answered CONNECT with %s: %w", p.Type(), mqtt.ProtocolError)
	}
	if err := RefusalOf(ack, hello.Version); err != nil {
		return nil, nil, err
	}
	l.agree(hello, ack)
	return l, ack, nil
}

// notMQTT looks at the first byte of what the server says.
func notMQTT(r *bufio.Reader) error {
	b, err := r.Peek(1)
	if err != nil {
		return nil // whoever reads sees it again
	}
	return NotMQTT(b[0])
}

// NotMQTT names the two other protocols that people reach by a wrong scheme or
// port, by the first byte of the server's answer to a CONNECT; nil for others.
func NotMQTT(first byte) error {
	switch first {
	case 'H':
		return errors.New("the server answered in HTTP: this is no MQTT port, or it wants ws:// or wss://")
	case 0x15:
		return errors.New("the server answered in TLS: it wants mqtts:// or wss://")
	}
	return nil
}

// attach makes l the client's link and settles what the server remembers of
// the session: without one, released QoS 2 messages are done (the server has
// them), subscriptions are made again and old QoS 2 receipts mean nothing.
func (c *Client) attach(l *link, ack *packet.Connack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
	window, ours := c.o.MaxInflight, 0
	if p := ack.Properties; p != nil && p.ReceiveMaximum != nil {
		window = min(window, int(*p.ReceiveMaximum))
	}
	if p := c.o.Properties; l.version == mqtt.V5 && p != nil && p.ReceiveMaximum != nil {
		ours = int(*p.ReceiveMaximum)
	}
	if !ack.SessionPresent {
		c.resubscribe()
	}
	// 3.1 cannot say whether it has a session: believe in the one we asked for.
	if !ack.SessionPresent && !(l.version == mqtt.V31 && c.o.KeepSession) {
		c.in.Reset()
		for _, id := range c.released() {
			if x, ok := c.out.Drop(id); ok {
				c.settle(x.Message, result{})
			}
		}
	}
	c.out.Connect(window)
	c.in.Connect(ours)
}

// released lists the QoS 2 messages that the server acknowledged with PUBREC.
func (c *Client) released() (ids []uint16) {
	for _, x := range c.out.All() {
		if x.Stage == session.Released {
			ids = append(ids, x.ID)
		}
	}
	return ids
}
