package session

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A ledger is a session as a list: what FuzzPeer holds State against.
type ledger struct {
	open     []entry
	window   int
	received map[uint16]bool
	ours     int
}

type entry struct {
	id                      uint16
	qos                     mqtt.QoS
	topic                   string
	released, sent, counted bool
}

func (l *ledger) at(id uint16) int {
	return slices.IndexFunc(l.open, func(e entry) bool { return e.id == id })
}

func (l *ledger) used() (n int) {
	for _, e := range l.open {
		if e.counted {
			n++
		}
	}
	return n
}

// again are the packets that have to be sent again now.
func (l *ledger) again() (out []string) {
	for i := range l.open {
		e := &l.open[i]
		switch {
		case e.sent:
			continue
		case e.released:
			out = append(out, fmt.Sprintf("PUBREL %d", e.id))
		case l.used() == l.window:
			return out
		default:
			e.counted = true
			out = append(out, fmt.Sprintf("PUBLISH %d q%d dup %s", e.id, e.qos, e.topic))
		}
		e.sent = true
	}
	return out
}

// answer is what an acknowledgement leads to: the reply, and the message that
// is done.
func (l *ledger) answer(p packet.Packet) (reply, done string) {
	end := func(i int) string {
		topic := l.open[i].topic
		l.open = slices.Delete(l.open, i, i+1)
		return topic
	}
	switch p := p.(type) {
	case *packet.Puback:
		if i := l.at(p.ID); i >= 0 && l.open[i].qos == 1 {
			return "-", end(i)
		}
	case *packet.Pubrec:
		i := l.at(p.ID)
		switch {
		case i < 0 || l.open[i].qos != 2:
			return fmt.Sprintf("PUBREL %d 92", p.ID), ""
		case p.Reason.Failed():
			return "-", end(i)
		}
		l.open[i].released, l.open[i].sent = true, true
		return fmt.Sprintf("PUBREL %d", p.ID), ""
	case *packet.Pubcomp:
		if i := l.at(p.ID); i >= 0 && l.open[i].released {
			return "-", end(i)
		}
	case *packet.Pubrel:
		known := l.received[p.ID]
		delete(l.received, p.ID)
		if !known {
			return fmt.Sprintf("PUBCOMP %d 92", p.ID), ""
		}
		return fmt.Sprintf("PUBCOMP %d", p.ID), ""
	}
	return "-", ""
}

// FuzzPeer lets a peer send whatever it likes: nothing is lost, done twice or
// delivered twice, identifiers are unique, and no more is under way than the
// peer's Receive Maximum [MQTT5-2.2.1-3] [MQTT5-3.3.4-9] [MQTT5-4.3.3-10].
func FuzzPeer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 7, 2, 1, 1, 2, 1, 2, 2, 4, 2})
	f.Add([]byte{0, 1, 3, 2, 7, 1, 3, 1, 8, 0, 4, 1, 5, 3, 5, 3, 6, 3, 5, 3})
	f.Add([]byte{7, 5, 0, 0, 0, 1, 0, 0, 7, 4, 2, 1, 8, 0, 3, 2, 8, 0})
	f.Fuzz(func(t *testing.T, moves []byte) {
		var s State
		l := ledger{received: make(map[uint16]bool)}
		connect := func(arg byte) []packet.Packet {
			l.window, l.ours = int(arg%4)+1, int(arg/4%3)+1
			for i := range l.open {
				l.open[i].sent, l.open[i].counted = false, false
			}
			return s.Connect(mqtt.V5, l.window, l.ours)
		}
		check := func(what string, got []packet.Packet) {
			if want := l.again(); !slices.Equal(texts(got), want) {
				t.Fatalf("%s: sent again %q, want %q", what, texts(got), want)
			}
		}
		check("first", connect(0))
		for i := 0; i+1 < min(len(moves), 600); i += 2 {
			arg := moves[i+1]
			id := uint16(arg % 8)
			what := fmt.Sprintf("move %d", i/2)
			switch moves[i] % 9 {
			case 0:
				m := entry{qos: mqtt.QoS(arg%2 + 1), topic: what, sent: true, counted: true}
				p, ok := s.Publish(message(m.topic, m.qos))
				free := l.used() < l.window && !slices.ContainsFunc(l.open, func(e entry) bool { return !e.sent })
				if ok != free {
					t.Fatalf("%s: taken %v, want %v", what, ok, free)
				}
				if !ok {
					continue
				}
				if p.ID == 0 || p.Dup || l.at(p.ID) >= 0 {
					t.Fatalf("%s: %s while %v are open", what, say(p), l.open)
				}
				m.id = p.ID
				l.open = append(l.open, m)
			case 1, 2, 3, 4, 6:
				p := []packet.Packet{1: &packet.Puback{ID: id}, 2: &packet.Pubrec{ID: id}, 3: &packet.Pubrec{ID: id, Reason: mqtt.QuotaExceeded},
					4: &packet.Pubcomp{ID: id}, 6: &packet.Pubrel{ID: id}}[moves[i]%9]
				r, err := s.Receive(p)
				reply, done := l.answer(p)
				if err != nil || say(r.Reply) != reply || r.Deliver != nil || topicOf(r.Done) != done {
					t.Fatalf("%s: %s led to %s and %q, %v; want %s and %q", what, say(p), say(r.Reply), topicOf(r.Done), err, reply, done)
				}
			case 5:
				p := message(what, mqtt.QoS(arg/8%3))
				if p.QoS > 0 {
					p.ID = id
				}
				repeat := p.QoS == 2 && l.received[id]
				full := p.QoS > 0 && !repeat && len(l.received) >= l.ours
				r, err := s.Receive(p)
				if full != errors.Is(err, mqtt.ReceiveMaximumExceeded) || (r.Deliver != nil) != (!repeat && !full) {
					t.Fatalf("%s: %s: delivered %v, %v; full %v, repeated %v", what, say(p), r.Deliver != nil, err, full, repeat)
				}
				if p.QoS == 2 && !full {
					l.received[id] = true
				}
			case 7:
				check(what, connect(arg))
			case 8:
				check(what, s.Again())
			}
			if s.Out.Len() != len(l.open) || s.In.Len() != len(l.received) || l.used() > l.window {
				t.Fatalf("%s: %d and %d are open, want %d and %d", what, s.Out.Len(), s.In.Len(), len(l.open), len(l.received))
			}
			for i, e := range s.Out.All() {
				if e.ID != l.open[i].id || string(e.Message.Topic) != l.open[i].topic {
					t.Fatalf("%s: exchange %d is %d of %s, want %+v", what, i, e.ID, e.Message.Topic, l.open[i])
				}
			}
		}
	})
}

func texts(list []packet.Packet) (out []string) {
	for _, p := range list {
		out = append(out, say(p))
	}
	return out
}

func topicOf(p *packet.Publish) string {
	if p == nil {
		return ""
	}
	return string(p.Topic)
}
