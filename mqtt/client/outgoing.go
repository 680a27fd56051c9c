package client

import (
	"context"
	"slices"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/mqtt/session"
)

// An exchange is a packet that waits for its answer: a PUBLISH, SUBSCRIBE or
// UNSUBSCRIBE. All share one set of packet identifiers, so all are exchanges
// of the session; a SUBSCRIBE taking a place in the server's window only makes
// us a little more careful than we must be.
type exchange struct {
	packet packet.Packet // *Publish, *Subscribe or *Unsubscribe
	routes []*route      // of a Subscribe
	done   chan result   // takes one; nil for our own resubscriptions
}

type result struct {
	reasons []mqtt.ReasonCode
	err     error
}

// qos is how the session counts the exchange.
func (e *exchange) qos() mqtt.QoS {
	if p, ok := e.packet.(*packet.Publish); ok {
		return p.QoS
	}
	return mqtt.AtLeastOnce
}

// withID returns the packet to write: a copy, for a PUBLISH under way belongs
// to the session.
func (e *exchange) withID(id uint16, again bool) packet.Packet {
	switch p := e.packet.(type) {
	case *packet.Publish:
		q := *p
		q.ID, q.Dup = id, again
		return &q
	case *packet.Subscribe:
		q := *p
		q.ID = id
		return &q
	case *packet.Unsubscribe:
		q := *p
		q.ID = id
		return &q
	}
	return e.packet
}

// do queues e and waits for its result.
func (c *Client) do(ctx context.Context, e *exchange) ([]mqtt.ReasonCode, error) {
	e.done = make(chan result, 1)
	select {
	case c.room <- struct{}{}:
	case <-c.ended:
		return nil, c.overErr()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.mu.Lock()
	if c.closed {
		<-c.room
		err := c.over
		c.mu.Unlock()
		return nil, err
	}
	c.waiting = append(c.waiting, e)
	c.mu.Unlock()
	c.nudge()
	select {
	case r := <-e.done:
		return r.reasons, r.err
	case <-ctx.Done():
		c.withdraw(e)
		return nil, ctx.Err()
	}
}

func (c *Client) overErr() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// withdraw takes e back if it was not sent yet.
func (c *Client) withdraw(e *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.waiting, e); i >= 0 {
		c.waiting = slices.Delete(c.waiting, i, i+1)
		<-c.room
	}
}

// settle ends e and makes room for another. c.mu is held.
func (c *Client) settle(e *exchange, r result) {
	if e.done == nil {
		return
	}
	e.done <- r
	<-c.room
}

// nudge wakes the writer.
func (c *Client) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// batch appends what may be written on l now to buf. It returns the QoS 0
// messages among it, which are done once written. c.mu is held.
func (c *Client) batch(l *link, buf []byte) ([]byte, []*exchange) {
	for _, p := range l.control {
		buf, _ = p.Append(buf, l.version) // ours, always sayable
	}
	l.control = l.control[:0]
	for len(buf) < maxBatch {
		x, ok := c.out.Again()
		if !ok {
			break
		}
		buf = c.again(l, buf, x)
	}
	var written []*exchange
	for len(buf) < maxBatch && len(c.waiting) > 0 {
		e := c.waiting[0]
		if e.qos() > 0 && !c.out.Ready() {
			break
		}
		c.waiting[0] = nil
		c.waiting = c.waiting[1:]
		var sent bool
		if buf, sent = c.first(l, buf, e); sent && e.qos() == 0 {
			written = append(written, e)
		}
	}
	return buf, written
}

// again writes an exchange that an earlier connection began.
func (c *Client) again(l *link, buf []byte, x session.Exchange[*exchange]) []byte {
	if x.Stage == session.Released {
		buf, _ = (&packet.Pubrel{ID: x.ID}).Append(buf, l.version)
		return buf
	}
	out, err := l.append(buf, x.Message.withID(x.ID, true))
	if err != nil {
		c.out.Drop(x.ID)
		c.settle(x.Message, result{err: err})
	}
	return out
}

// first writes an exchange for the first time; false if it failed.
func (c *Client) first(l *link, buf []byte, e *exchange) ([]byte, bool) {
	var id uint16
	if e.qos() > 0 {
		id, _ = c.out.Open(e, e.qos())
	}
	out, err := l.append(buf, e.withID(id, false))
	if err != nil {
		if id != 0 {
			c.out.Drop(id)
		}
		c.settle(e, result{err: err})
		return out, false
	}
	c.remember(e)
	return out, true
}
