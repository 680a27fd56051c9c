package client

import (
	"slices"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A route leads the messages of one subscription to its handler.
type route struct {
	packet.Subscription
	handler   Handler
	confirmed bool // the server granted it
}

// remember puts the routes of a SUBSCRIBE in place as it is sent, for
// messages may come before the SUBACK. A filter known already keeps its place
// and gets the new options and handler. c.mu is held.
func (c *Client) remember(e *exchange) {
	for _, r := range e.routes {
		i := slices.IndexFunc(c.routes, func(old *route) bool { return old.Filter == r.Filter })
		if i < 0 {
			c.routes = append(c.routes, r)
			continue
		}
		c.routes[i] = r
	}
}

// forget removes the routes of filters. c.mu is held.
func (c *Client) forget(filters ...string) {
	c.routes = slices.DeleteFunc(c.routes, func(r *route) bool { return slices.Contains(filters, r.Filter) })
}

// handler finds who takes a message on topic.
func (c *Client) handler(topic string) Handler {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.routes {
		filter := r.Filter
		if _, rest, ok := mqtt.SplitShared(filter); ok {
			filter = rest
		}
		if mqtt.Match(filter, topic) && r.handler != nil {
			return r.handler
		}
	}
	return c.o.OnMessage
}

// suback takes the answer to a SUBSCRIBE. c.mu is held.
func (c *Client) suback(id uint16, reasons []mqtt.ReasonCode) error {
	e, ok := find[*packet.Subscribe](c, id)
	if !ok {
		return nil
	}
	if len(reasons) != len(e.routes) {
		return &packet.Error{Packet: "SUBACK", Clause: "MQTT3-3.9.3-1", Detail: "the number of codes is not that of the filters", Reason: mqtt.ProtocolError}
	}
	c.out.Drop(id)
	for i, r := range e.routes {
		r.confirmed = !reasons[i].Failed()
		if !r.confirmed {
			c.o.Log.Warn("subscription refused", "filter", r.Filter, "reason", reasons[i])
			c.routes = slices.DeleteFunc(c.routes, func(old *route) bool { return old == r })
		}
	}
	c.settle(e, result{reasons: reasons})
	return nil
}

// unsuback takes the answer to an UNSUBSCRIBE. c.mu is held.
func (c *Client) unsuback(id uint16, reasons []mqtt.ReasonCode) {
	e, ok := find[*packet.Unsubscribe](c, id)
	if !ok {
		return
	}
	c.out.Drop(id)
	c.forget(e.packet.(*packet.Unsubscribe).Filters...)
	r := result{reasons: reasons}
	for _, reason := range reasons {
		if reason.Failed() {
			r.err = reason
		}
	}
	c.settle(e, r)
}

// find returns the open exchange with this identifier, if its packet is a P:
// an acknowledgement of another kind means nothing. c.mu is held.
func find[P packet.Packet](c *Client, id uint16) (*exchange, bool) {
	for _, x := range c.out.All() {
		if x.ID == id {
			_, ok := x.Message.packet.(P)
			return x.Message, ok
		}
	}
	return nil, false
}

// resubscribe puts SUBSCRIBEs for all granted subscriptions before whatever
// waits, because the server has no session for us. c.mu is held.
func (c *Client) resubscribe() {
	var again []*route
	for _, r := range c.routes {
		if r.confirmed {
			again = append(again, r)
		}
	}
	var first []*exchange
	for some := range slices.Chunk(again, filtersAtOnce) {
		e := &exchange{routes: slices.Clone(some)}
		p := &packet.Subscribe{}
		for _, r := range some {
			r.confirmed = false
			p.Subscriptions = append(p.Subscriptions, r.Subscription)
		}
		e.packet = p
		first = append(first, e)
	}
	c.waiting = append(first, c.waiting...)
}
