package fleet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// arrived takes what the network brought, and waits for more.
func (m *member) arrived(now time.Duration) {
	if m.inputErr != nil && m.state >= joining {
		err := m.inputErr
		m.inputErr = nil
		m.lose(now, err)
		return
	}
	if m.input == nil || now < m.inputAt {
		return
	}
	b, n := m.input, m.inputLen
	m.input = nil
	if m.state < joining {
		giveBack(b)
		return
	}
	m.heard, m.asked = now, false
	err := m.feed((*b)[:n], now)
	giveBack(b)
	if err != nil {
		m.lose(now, err)
		return
	}
	if m.state >= joining {
		m.r.listen(m, m.conn)
	}
}

// feed takes bytes, which may hold several packets and parts of them.
func (m *member) feed(b []byte, now time.Duration) error {
	if len(m.in) > 0 {
		m.in = append(m.in, b...)
		b = m.in
	}
	for len(b) > 0 {
		h, err := packet.ParseHeader(b)
		if errors.Is(err, packet.ErrIncomplete) {
			break
		}
		if err != nil {
			return err
		}
		whole := h.Size + h.Remaining
		if whole > maxPacket {
			return fmt.Errorf("the server sent a packet of %d bytes, more than %d", whole, maxPacket)
		}
		if whole > len(b) {
			break
		}
		p, err := packet.Decode(h, b[h.Size:whole], m.g.version)
		if err != nil {
			return err
		}
		if err := m.take(p, now); err != nil {
			return err
		}
		if m.state < joining {
			return nil // it was lost over an answer
		}
		b = b[whole:]
	}
	if m.in = append(m.in[:0], b...); len(m.in) == 0 {
		m.in = nil
	}
	return nil
}

// take handles one packet.
func (m *member) take(p packet.Packet, now time.Duration) error {
	switch p := p.(type) {
	case *packet.Suback:
		if p.ID == m.subPid && m.state == joining {
			if slices.ContainsFunc(p.Reasons, mqtt.ReasonCode.Failed) {
				m.r.cause("subscribe", "the server does not grant a subscription", m)
			}
			m.joined(now)
		}
	case *packet.Puback:
		m.acknowledged(p.ID, p.Reason, now)
	case *packet.Publish:
		if p.QoS > mqtt.AtMostOnce {
			m.write([]byte{0x40, 2, byte(p.ID >> 8), byte(p.ID)}, now) // PUBACK
		}
		topic := string(p.Topic)
		if h, ok := m.speech.Hear(topic, p.Payload); ok {
			m.hear(h, now)
			return nil
		}
		m.forSub(now, func(sub *member) bool {
			h, ok := sub.speech.Hear(topic, p.Payload)
			if ok {
				sub.hear(h, now)
			}
			return ok
		})
	case *packet.Pingresp:
	default:
		if d, ok := p.(*packet.Disconnect); ok && m.g.version == mqtt.V5 {
			return client.DisconnectionOf(d)
		}
		return fmt.Errorf("the server sent %s, which it may not", p.Type())
	}
	return nil
}

// acknowledged takes a PUBACK: all that a plain device is ever told. One of
// MQTT 5 may say no, and then nothing more comes [MQTT5 §3.4.2.1].
func (m *member) acknowledged(pid uint16, reason mqtt.ReasonCode, now time.Duration) {
	if !m.taken(pid, reason, now) {
		m.forSub(now, func(sub *member) bool { return sub.taken(pid, reason, now) })
	}
}

// taken is acknowledged for what this device said; false where it said no such.
func (m *member) taken(pid uint16, reason mqtt.ReasonCode, now time.Duration) bool {
	i := slices.IndexFunc(m.posts, func(p post) bool { return p.pid == pid })
	if i < 0 {
		return false
	}
	if m.posts[i].acked {
		return true
	}
	m.posts[i].acked = true
	m.r.count.acked.Add(1)
	if reason.Failed() {
		m.r.cause("post", "the server did not take it: "+reason.Error(), m, &m.r.count.rejected)
	}
	if reason.Failed() || !m.speech.Replies() {
		m.answered(i, now)
	}
	return true
}

// answered ends a post.
func (m *member) answered(i int, now time.Duration) {
	c := &m.r.count
	c.answered.Add(1)
	c.waiting.Add(-1)
	m.r.delays.Add(now - m.posts[i].first)
	m.posts = slices.Delete(m.posts, i, i+1)
	if len(m.posts) == 0 {
		m.posts = nil
	}
}

// hear takes what the cloud said: an answer to a post, or a command.
func (m *member) hear(h device.Heard, now time.Duration) {
	if h.Kind == device.Reply {
		if !m.reply(&h, now) {
			m.forSub(now, func(sub *member) bool { return sub.reply(&h, now) })
		}
		return
	}
	c := &m.r.count
	c.commands.Add(1)
	if len(m.answers) >= maxInflight {
		m.r.cause("answer", "more commands came than a device answers at once", m)
		return
	}
	fails := m.random("answer", uint64(c.commands.Load())) < float64(m.g.Answer.Fails)
	if h.Kind == device.Set && !fails {
		m.adopt(h.Params)
	}
	m.answers = append(m.answers, answer{now + m.g.Answer.Delay, h, fails})
}

// adopt makes set values those that are reported from now on.
func (m *member) adopt(p device.Params) {
	for id, v := range p {
		i := slices.IndexFunc(m.g.sources, func(s source) bool { return s.id == id })
		if i < 0 {
			continue
		}
		if m.adopted == nil {
			m.adopted = map[string]thing.Value{}
		}
		m.adopted[id] = m.g.sources[i].shape.fit(v)
	}
}

// causeOf is an error in words that are the same for all devices: without
// addresses and ports.
func causeOf(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection"
	case errors.As(err, &errno):
		return errno.Error() + remedyOf(errno)
	}
	return err.Error()
}

func remedyOf(errno syscall.Errno) string {
	switch errno {
	case syscall.EMFILE:
		return ": allow more open files (ulimit -n), or run several processes"
	case syscall.EADDRNOTAVAIL:
		return ": the ports of this machine's address are used up: use several machines or addresses"
	case syscall.ECONNREFUSED:
		return ": is the server running, and is that its port?"
	}
	return ""
}
