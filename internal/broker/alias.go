package broker

import (
	"github.com/matou-iot/matou/mqtt/packet"
)

// aliases are the topic aliases that a 5.0 client takes: the first topics it
// gets have one, later ones go by their names. A topic is named once for a
// connection [MQTT5 §3.3.2.3.4].
type aliases struct {
	max   int // how many, 0 for none [MQTT5-3.1.2-26] [MQTT5-3.1.2-27]
	known map[string]uint16
}

// A pushed says what became of a packet.
type pushed byte

const (
	sent     pushed = iota
	noRoom          // or the connection is ending
	tooLarge        // for the client [MQTT5-3.1.2-24]
	unsayable
)

// pushAliased encodes p into the out-buffer with the alias of its topic. Other
// than frames that many share, it is encoded under the outbox's lock: the name
// has to come before the first alias without one.
func (c *Client) pushAliased(w *work, p *packet.Publish, how pushing) pushed {
	o := &c.out
	o.mu.Lock()
	if o.closing || how&bounded != 0 && o.len()+o.held >= c.limits.OutBuffer {
		o.mu.Unlock()
		return noRoom
	}
	props := packet.Properties{}
	if p.Properties != nil {
		props = *p.Properties
	}
	alias, known := c.named.known[string(p.Topic)]
	fresh := !known && len(c.named.known) < c.named.max
	if fresh {
		alias = uint16(len(c.named.known) + 1)
	}
	aliased := *p
	if known {
		aliased.Topic = nil
	}
	if alias != 0 {
		props.TopicAlias = &alias
		aliased.Properties = &props
	}
	aliased.Dup = how&again != 0
	buf := o.room()
	from := len(buf.b)
	out, err := aliased.Append(buf.b, c.version)
	if err != nil || c.maxPacket > 0 && len(out)-from > int(c.maxPacket) {
		buf.b = buf.b[:from]
		o.mu.Unlock()
		if err != nil {
			c.b.log.Error("message cannot be said", "session", c.s.key, "error", err)
			return unsayable
		}
		return tooLarge
	}
	if fresh {
		if c.named.known == nil {
			c.named.known = make(map[string]uint16)
		}
		c.named.known[string(p.Topic)] = alias
	}
	buf.b = out
	o.unsynced = o.unsynced || how&afterSync != 0
	c.touched(w)
	return sent
}
