package broker

import (
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A will is published when its client's connection ends without a DISCONNECT
// [MQTT3-3.1.2-8] [MQTT5-3.1.2-8]. Shutdown publishes none, as 5.0 allows
// [MQTT5 §3.1.2.5], and a will that is delayed does not outlive the process.
type will struct {
	p      packet.Publish
	delay  time.Duration // after the end of the connection, 5.0 only
	client *Client       // whose it was, once it is delayed
}

// newWill copies w, which aliases the read buffer.
func newWill(w *packet.Will) *will {
	n := &will{p: packet.Publish{
		Topic:   []byte(w.Topic),
		Payload: append([]byte(nil), w.Payload...),
		QoS:     w.QoS,
		Retain:  w.Retain,
	}}
	if w.Properties != nil {
		n.p.Properties = cloneProperties(w.Properties)
		if w.Properties.WillDelay != nil {
			n.delay = time.Duration(*w.Properties.WillDelay) * time.Second
		}
	}
	return n
}

// publishWill asks Rules about the will like about any PUBLISH of the client
// and routes it.
func (c *Client) publishWill(wl *will) {
	p := wl.p
	if c.ignoreRetain {
		p.Retain = false
	}
	if mqtt.ValidTopicName(string(p.Topic)) != nil {
		return
	}
	d := c.b.rules.Publish(c, &p)
	w := works.Get().(*work)
	if d.Action == Route && !d.Reason.Failed() {
		c.b.route(w, &p, c.s, time.Now())
	}
	c.b.finish(w, true)
	if d.Pending != nil {
		d.Pending.Settle()
	}
}
