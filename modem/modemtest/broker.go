package modemtest

import (
	"io"
	"net"
	"sync"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Broker is an MQTT 3.1.1 server for one test: it takes every login, sends
// every message to all that subscribed to its very topic, and remembers what
// it got. Serve is a peer of a World.
type Broker struct {
	mu       sync.Mutex
	refusal  mqtt.ReasonCode
	logins   []packet.Connect
	messages []packet.Publish
	links    map[*brokerLink]bool
}

type brokerLink struct {
	conn   net.Conn
	topics map[string]bool
}

// Logins are the CONNECTs so far.
func (b *Broker) Logins() []packet.Connect {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]packet.Connect(nil), b.logins...)
}

// Messages are the PUBLISHes so far.
func (b *Broker) Messages() []packet.Publish {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]packet.Publish(nil), b.messages...)
}

// Refuse makes reason that of every CONNACK from now on; 0 is a welcome.
func (b *Broker) Refuse(reason mqtt.ReasonCode) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusal = reason
}

// Cut closes all connections.
func (b *Broker) Cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.links {
		l.conn.Close()
	}
}

// Send sends a message to those who subscribed to its topic.
func (b *Broker) Send(p packet.Publish) {
	b.mu.Lock()
	var to []*brokerLink
	for l := range b.links {
		if l.topics[string(p.Topic)] {
			to = append(to, l)
		}
	}
	b.mu.Unlock()
	for _, l := range to {
		l.say(&p)
	}
}

// Serve serves one connection.
func (b *Broker) Serve(conn net.Conn) {
	l := &brokerLink{conn: conn, topics: make(map[string]bool)}
	b.mu.Lock()
	if b.links == nil {
		b.links = make(map[*brokerLink]bool)
	}
	b.links[l] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.links, l)
		b.mu.Unlock()
	}()
	for {
		p, err := ReadPacket(conn)
		if err != nil || !b.take(l, p) {
			return
		}
	}
}

// ReadPacket reads what an MQTT 3.1.1 client sends next.
func ReadPacket(r io.Reader) (packet.Packet, error) {
	var head []byte
	for {
		var one [1]byte
		if _, err := io.ReadFull(r, one[:]); err != nil {
			return nil, err
		}
		head = append(head, one[0])
		h, err := packet.ParseHeader(head)
		if err == packet.ErrIncomplete {
			continue
		}
		if err != nil {
			return nil, err
		}
		body := make([]byte, h.Remaining)
		if _, err := io.ReadFull(r, body); err != nil {
			return nil, err
		}
		return packet.Decode(h, body, mqtt.V311)
	}
}

// take answers a packet; false ends the connection.
func (b *Broker) take(l *brokerLink, p packet.Packet) bool {
	switch p := p.(type) {
	case *packet.Connect:
		b.mu.Lock()
		b.logins = append(b.logins, *p)
		refusal := b.refusal
		b.mu.Unlock()
		l.say(&packet.Connack{Reason: refusal})
		return refusal == 0
	case *packet.Subscribe:
		s := &packet.Suback{ID: p.ID}
		b.mu.Lock()
		for _, f := range p.Subscriptions {
			l.topics[f.Filter] = true
			s.Reasons = append(s.Reasons, mqtt.ReasonCode(f.QoS))
		}
		b.mu.Unlock()
		l.say(s)
	case *packet.Unsubscribe:
		b.mu.Lock()
		for _, f := range p.Filters {
			delete(l.topics, f)
		}
		b.mu.Unlock()
		l.say(&packet.Unsuback{ID: p.ID})
	case *packet.Pingreq:
		l.say(&packet.Pingresp{})
	case *packet.Publish:
		b.mu.Lock()
		b.messages = append(b.messages, *p)
		b.mu.Unlock()
		if p.QoS == 1 {
			l.say(&packet.Puback{ID: p.ID})
		}
		b.Send(packet.Publish{Topic: p.Topic, Payload: p.Payload})
	case *packet.Disconnect:
		return false
	}
	return true
}

func (l *brokerLink) say(p packet.Packet) {
	if wire, err := p.Append(nil, mqtt.V311); err == nil {
		l.conn.Write(wire)
	}
}
