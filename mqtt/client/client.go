// Package client is a small MQTT client for 3.1, 3.1.1 and 5.0 over any
// net.Conn: TCP, TLS, WebSocket (DialURL) or the socket of a module.
//
// New makes a client, Run connects it and reconnects until its context ends.
// Meanwhile any number of goroutines may call Publish, Subscribe and
// Unsubscribe, which wait for the server's acknowledgement, across
// reconnects if need be. Messages arrive one after another at handlers.
//
// It keeps its session in memory: what was not acknowledged when the process
// ends is gone. It does not do enhanced authentication, topic aliases or
// shared state between clients.
package client

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/mqtt/session"
)

// A Message is an application message. A received payload belongs to the
// handler; one handed to Publish must not be changed afterwards, for it may be
// sent again.
type Message struct {
	Topic      string
	Payload    []byte
	QoS        mqtt.QoS
	Retain     bool
	Dup        bool               // received: the server may have sent it before
	Properties *packet.Properties // 5.0, may be nil
}

// A Handler takes a received message. Handlers run one at a time, in the
// order of arrival; a message of QoS 1 or 2 is acknowledged when its handler
// has returned. While one runs, up to 1,024 more messages wait; beyond that
// the client stops reading, and the acknowledgement that a Publish inside the
// handler waits for may be among what it does not read: give such a Publish a
// deadline. ctx ends with Run.
type Handler func(ctx context.Context, m Message)

// A Client is one MQTT client. Make it with New, connect it with Run.
type Client struct {
	o     Options
	stop  chan struct{} // closed by Disconnect
	ended chan struct{} // closed when Run has ended
	room  chan struct{} // one token an exchange, MaxQueue in all
	wake  chan struct{} // tells the writer that there is work
	inbox chan delivery

	mu      sync.Mutex
	running bool
	stopped bool
	over    error // why Run ended, set with ended
	closed  bool  // ended is closed
	link    *link // nil while away
	waiting []*exchange
	out     session.Outbound[*exchange]
	in      session.Inbound
	routes  []*route
}

// New makes a client that does nothing until Run is called.
func New(o Options) *Client {
	o = o.withDefaults()
	return &Client{
		o:     o,
		stop:  make(chan struct{}),
		ended: make(chan struct{}),
		room:  make(chan struct{}, o.MaxQueue),
		wake:  make(chan struct{}, 1),
		inbox: make(chan delivery, maxInbox),
	}
}

// Publish sends m and waits until it is done: written to a connection at
// QoS 0, acknowledged at QoS 1 (PUBACK) and 2 (PUBCOMP). While the client is
// away it waits for the next connection. If the connection breaks before the
// acknowledgement, the message is sent again with DUP.
//
// If ctx ends first, a message not yet sent is taken back; one that was sent
// may still arrive. A refusal by the server (5.0) is an error that wraps its
// mqtt.ReasonCode; a topic that is no topic name wraps mqtt.TopicNameInvalid.
func (c *Client) Publish(ctx context.Context, m Message) error {
	if err := mqtt.ValidTopicName(m.Topic); err != nil && !hasAlias(m.Properties) {
		return fmt.Errorf("publish: %w", err)
	}
	if !m.QoS.Valid() {
		return fmt.Errorf("publish to %s: there is no QoS %d", m.Topic, m.QoS)
	}
	e := &exchange{packet: &packet.Publish{
		QoS: m.QoS, Retain: m.Retain, Topic: []byte(m.Topic), Payload: m.Payload, Properties: m.Properties,
	}}
	if _, err := c.do(ctx, e); err != nil {
		return fmt.Errorf("publish to %s: %w", m.Topic, err)
	}
	return nil
}

func hasAlias(p *packet.Properties) bool { return p != nil && p.TopicAlias != nil }

// Subscribe asks for the messages of one or more filters and waits for the
// answer, one code a filter in their order: the granted QoS, or a failure.
// The error is nil as long as the server answered, and wraps the reason if it
// refused every filter.
//
// h gets the messages whose topic matches, Options.OnMessage where h is nil;
// where several subscriptions match, the oldest gets them. A subscription lasts until Unsubscribe: after
// a reconnect without session it is made again. If ctx ends first, a request
// not yet sent is taken back; one that was sent may still succeed.
func (c *Client) Subscribe(ctx context.Context, h Handler, subs ...packet.Subscription) ([]mqtt.ReasonCode, error) {
	if len(subs) == 0 {
		return nil, errors.New("subscribe: no filter")
	}
	for _, s := range subs {
		if err := mqtt.ValidFilter(s.Filter); err != nil {
			return nil, fmt.Errorf("subscribe: %w", err)
		}
		if !s.QoS.Valid() {
			return nil, fmt.Errorf("subscribe to %s: there is no QoS %d", s.Filter, s.QoS)
		}
	}
	e := &exchange{packet: &packet.Subscribe{Subscriptions: subs}}
	for _, s := range subs {
		e.routes = append(e.routes, &route{Subscription: s, handler: h})
	}
	reasons, err := c.do(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	for _, r := range reasons {
		if !r.Failed() {
			return reasons, nil
		}
	}
	return reasons, fmt.Errorf("subscribe to %s: %w", subs[0].Filter, reasons[0])
}

// Unsubscribe ends subscriptions by their filters and waits for the answer.
// Their handlers are forgotten whatever it says.
func (c *Client) Unsubscribe(ctx context.Context, filters ...string) error {
	if len(filters) == 0 {
		return errors.New("unsubscribe: no filter")
	}
	e := &exchange{packet: &packet.Unsubscribe{Filters: filters}}
	if _, err := c.do(ctx, e); err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	return nil
}

// Disconnect ends Run: the running handler comes to its end, what can be
// written at once is written, DISCONNECT is sent, the connection closed. It
// waits for that until ctx ends. Messages not yet acknowledged are given up:
// wait for Publish first. Do not call it from a handler.
func (c *Client) Disconnect(ctx context.Context) error {
	c.mu.Lock()
	if !c.stopped {
		c.stopped = true
		close(c.stop)
	}
	running := c.running
	c.mu.Unlock()
	if !running {
		c.finish(nil)
	}
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Connected reports whether there is a connection now.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link != nil
}

// finish ends the client for good: everything under way fails.
func (c *Client) finish(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.over = ErrStopped
	if err != nil {
		c.over = fmt.Errorf("%w: %w", ErrStopped, err)
	}
	for _, e := range c.waiting {
		c.settle(e, result{err: c.over})
	}
	for _, x := range c.out.All() {
		c.settle(x.Message, result{err: c.over})
	}
	c.waiting = nil
	c.out.Reset()
	close(c.ended)
}
