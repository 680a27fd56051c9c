package client

import (
	"context"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/mqtt/session"
)

// A delivery waits in the inbox for the handlers' goroutine: a message, or a
// call such as OnConnect.
type delivery struct {
	link    *link
	message *packet.Publish // nil: only acknowledge
	ack     packet.Packet   // nil at QoS 0
	call    func(context.Context)
}

// receive takes one packet from the server. An error ends the link.
func (c *Client) receive(ctx context.Context, l *link, p packet.Packet) error {
	switch p := p.(type) {
	case *packet.Publish:
		return c.publish(ctx, l, p)
	case *packet.Pubrel:
		return c.pubrel(l, p)
	case *packet.Puback, *packet.Pubrec, *packet.Pubcomp:
		c.acknowledged(l, p)
		return nil
	case *packet.Suback:
		c.mu.Lock()
		defer c.mu.Unlock()
		defer c.nudge()
		return c.suback(p.ID, p.Reasons)
	case *packet.Unsuback:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.unsuback(p.ID, p.Reasons)
		c.nudge()
		return nil
	case *packet.Pingresp:
		return nil
	case *packet.Disconnect:
		return DisconnectionOf(p)
	}
	return &packet.Error{Packet: p.Type().String(), Clause: "MQTT5 §2.1.2", Detail: "a server does not send it here", Reason: mqtt.ProtocolError}
}

// publish queues a message for its handler; it waits while the inbox is full.
func (c *Client) publish(ctx context.Context, l *link, p *packet.Publish) error {
	d := delivery{link: l, message: p}
	if len(p.Topic) == 0 {
		return &packet.Error{Packet: "PUBLISH", Clause: "MQTT5-3.3.2-9", Detail: "a topic alias that was not offered", Reason: mqtt.TopicAliasInvalid}
	}
	if p.QoS > mqtt.AtMostOnce {
		c.mu.Lock()
		duplicate, err := c.in.Publish(p.ID, p.QoS)
		c.mu.Unlock()
		if err != nil {
			return err
		}
		if duplicate {
			d.message = nil
		}
		d.ack = &packet.Puback{ID: p.ID}
		if p.QoS == mqtt.ExactlyOnce {
			d.ack = &packet.Pubrec{ID: p.ID}
		}
	}
	select {
	case c.inbox <- d:
	case <-l.dead:
	case <-ctx.Done():
	}
	return nil
}

func (c *Client) pubrel(l *link, p *packet.Pubrel) error {
	c.mu.Lock()
	known := c.in.Release(p.ID)
	c.mu.Unlock()
	answer := &packet.Pubcomp{ID: p.ID}
	if !known {
		answer.Reason = mqtt.PacketIdentifierNotFound
	}
	c.reply(l, answer)
	return nil
}

// acknowledged takes the answers to our messages.
func (c *Client) acknowledged(l *link, p packet.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.nudge()
	switch p := p.(type) {
	case *packet.Puback:
		if _, ok := find[*packet.Publish](c, p.ID); !ok {
			return
		}
		if x, ok := c.out.Puback(p.ID); ok {
			c.settle(x.Message, outcome(p.Reason))
		}
	case *packet.Pubrec:
		x, step := c.out.Pubrec(p.ID, p.Reason)
		switch step {
		case session.Ended:
			c.settle(x.Message, outcome(p.Reason))
		case session.Release:
			l.control = append(l.control, &packet.Pubrel{ID: p.ID})
		case session.Unknown:
			l.control = append(l.control, &packet.Pubrel{ID: p.ID, Reason: mqtt.PacketIdentifierNotFound})
		}
	case *packet.Pubcomp:
		if x, ok := c.out.Pubcomp(p.ID); ok {
			c.settle(x.Message, result{})
		}
	}
}

func outcome(reason mqtt.ReasonCode) (r result) {
	if reason.Failed() {
		r.err = reason
	}
	return r
}

// deliver runs the handlers until ctx ends: one goroutine for all of them.
func (c *Client) deliver(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-c.inbox:
			if ctx.Err() != nil {
				return // unacknowledged: the server keeps it
			}
			c.handle(ctx, d)
		}
	}
}

func (c *Client) handle(ctx context.Context, d delivery) {
	if d.call != nil {
		d.call(ctx)
		return
	}
	if p := d.message; p != nil {
		topic := string(p.Topic)
		if h := c.handler(topic); h != nil {
			h(ctx, Message{topic, p.Payload, p.QoS, p.Retain, p.Dup, p.Properties})
		}
	}
	if d.ack == nil {
		return
	}
	if _, ok := d.ack.(*packet.Puback); ok {
		c.mu.Lock()
		if c.link == d.link {
			c.in.Acknowledged()
		}
		c.mu.Unlock()
	}
	c.reply(d.link, d.ack)
}

// tell queues a call in order with the messages.
func (c *Client) tell(ctx context.Context, call func(context.Context)) {
	select {
	case c.inbox <- delivery{call: call}:
	case <-ctx.Done():
	}
}
