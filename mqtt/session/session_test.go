package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// say writes a packet as tests compare it: "PUBLISH 1 q2 dup a".
func say(p packet.Packet) string {
	switch p := p.(type) {
	case nil:
		return "-"
	case *packet.Publish:
		s := fmt.Sprintf("PUBLISH %d q%d", p.ID, p.QoS)
		if p.Dup {
			s += " dup"
		}
		return s + " " + string(p.Topic)
	case *packet.Puback:
		return fmt.Sprintf("PUBACK %d", p.ID)
	case *packet.Pubrec:
		return fmt.Sprintf("PUBREC %d", p.ID)
	case *packet.Pubrel:
		return strings.TrimSuffix(fmt.Sprintf("PUBREL %d %02x", p.ID, byte(p.Reason)), " 00")
	case *packet.Pubcomp:
		return strings.TrimSuffix(fmt.Sprintf("PUBCOMP %d %02x", p.ID, byte(p.Reason)), " 00")
	}
	return fmt.Sprintf("%T", p)
}

func sayAll(list []packet.Packet) string {
	var out []string
	for _, p := range list {
		out = append(out, say(p))
	}
	return strings.Join(out, ", ")
}

func message(topic string, qos mqtt.QoS) *packet.Publish {
	return &packet.Publish{Topic: []byte(topic), QoS: qos}
}

// publish sends and returns what State says to send, "full" for nothing.
func publish(t *testing.T, s *State, topic string, qos mqtt.QoS) string {
	t.Helper()
	p, ok := s.Publish(message(topic, qos))
	if !ok {
		return "full"
	}
	return say(p)
}

// receive returns what a packet leads to: "reply; done; deliver".
func receive(t *testing.T, s *State, p packet.Packet) string {
	t.Helper()
	r, err := s.Receive(p)
	if err != nil {
		return err.Error()
	}
	out := say(r.Reply)
	if r.Done != nil {
		out += "; done " + string(r.Done.Topic)
	}
	if r.Deliver != nil {
		out += "; deliver " + string(r.Deliver.Topic)
	}
	return out
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestQoS0HasNoExchange(t *testing.T) { // [MQTT3 §4.3.1]
	var s State
	s.Connect(mqtt.V311, 1, 0)
	want(t, publish(t, &s, "a", 0), "PUBLISH 0 q0 a")
	want(t, publish(t, &s, "b", 0), "PUBLISH 0 q0 b")
	want(t, receive(t, &s, message("c", 0)), "-; deliver c")
}

func TestQoS1(t *testing.T) { // [MQTT3 §4.3.2] [MQTT5 §4.3.2]
	var s State
	s.Connect(mqtt.V311, MaxWindow, 0)
	want(t, publish(t, &s, "a", 1), "PUBLISH 1 q1 a")
	want(t, publish(t, &s, "b", 1), "PUBLISH 2 q1 b")
	want(t, receive(t, &s, &packet.Pubrec{ID: 1}), "PUBREL 1") // no PUBREC belongs to QoS 1
	want(t, receive(t, &s, &packet.Puback{ID: 1}), "-; done a")
	want(t, receive(t, &s, &packet.Puback{ID: 1}), "-")
	p := message("c", 1)
	p.ID = 9
	want(t, receive(t, &s, p), "PUBACK 9; deliver c")
	want(t, receive(t, &s, p), "PUBACK 9; deliver c") // at least once
}

func TestQoS2(t *testing.T) { // [MQTT3 §4.3.3] [MQTT5 §4.3.3]
	var s State
	s.Connect(mqtt.V5, MaxWindow, 10)
	want(t, publish(t, &s, "a", 2), "PUBLISH 1 q2 a")
	want(t, receive(t, &s, &packet.Puback{ID: 1}), "-") // no PUBACK belongs to QoS 2
	want(t, receive(t, &s, &packet.Pubcomp{ID: 1}), "-")
	want(t, receive(t, &s, &packet.Pubrec{ID: 1}), "PUBREL 1")
	want(t, receive(t, &s, &packet.Pubrec{ID: 1}), "PUBREL 1")
	want(t, receive(t, &s, &packet.Pubcomp{ID: 1}), "-; done a")
	want(t, receive(t, &s, &packet.Pubrec{ID: 1}), "PUBREL 1 92") // Packet Identifier not found
	p := message("c", 2)
	p.ID = 9
	want(t, receive(t, &s, p), "PUBREC 9; deliver c")
	want(t, receive(t, &s, p), "PUBREC 9") // exactly once [MQTT5-4.3.3-10]
	want(t, receive(t, &s, &packet.Pubrel{ID: 9}), "PUBCOMP 9")
	want(t, receive(t, &s, &packet.Pubrel{ID: 9}), "PUBCOMP 9 92")
	want(t, receive(t, &s, p), "PUBREC 9; deliver c") // a new message
}

func TestRefusedPubrecEndsTheExchange(t *testing.T) { // [MQTT5-4.3.3-4]
	var s State
	s.Connect(mqtt.V5, 1, 10)
	publish(t, &s, "a", 2)
	r, _ := s.Receive(&packet.Pubrec{ID: 1, Reason: mqtt.QuotaExceeded})
	if r.Done == nil || r.Reason != mqtt.QuotaExceeded || r.Reply != nil {
		t.Errorf("got %+v, want the message done with quota exceeded and no reply", r)
	}
	want(t, publish(t, &s, "b", 1), "PUBLISH 2 q1 b")
}

func TestUnknownPubrecIn3xIsReleased(t *testing.T) {
	var s State
	s.Connect(mqtt.V311, 1, 0)
	want(t, receive(t, &s, &packet.Pubrec{ID: 7}), "PUBREL 7")
	want(t, receive(t, &s, &packet.Pubrel{ID: 7}), "PUBCOMP 7")
}

func TestWindowHoldsBack(t *testing.T) { // [MQTT5-3.3.4-9] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2]
	var s State
	s.Connect(mqtt.V5, 2, 10)
	want(t, publish(t, &s, "a", 1), "PUBLISH 1 q1 a")
	want(t, publish(t, &s, "b", 2), "PUBLISH 2 q2 b")
	want(t, publish(t, &s, "c", 1), "full")
	want(t, receive(t, &s, &packet.Pubrec{ID: 2}), "PUBREL 2")
	want(t, publish(t, &s, "c", 1), "full") // PUBREC gives nothing back, PUBCOMP does
	want(t, receive(t, &s, &packet.Pubcomp{ID: 2}), "-; done b")
	want(t, publish(t, &s, "c", 1), "PUBLISH 3 q1 c")
}

func TestInboundWindow(t *testing.T) { // [MQTT5-3.3.4-7]
	var s State
	s.Connect(mqtt.V5, 2, 2)
	for id := uint16(1); id <= 2; id++ {
		p := message("a", 2)
		p.ID = id
		want(t, receive(t, &s, p), fmt.Sprintf("PUBREC %d; deliver a", id))
	}
	third := message("a", 2)
	third.ID = 3
	if _, err := s.Receive(third); !errors.Is(err, mqtt.ReceiveMaximumExceeded) {
		t.Errorf("got %v, want receive maximum exceeded", err)
	}
	second := message("a", 2)
	second.ID = 2
	want(t, receive(t, &s, second), "PUBREC 2") // a repetition is no further message
	want(t, receive(t, &s, &packet.Pubrel{ID: 1}), "PUBCOMP 1")
	want(t, receive(t, &s, third), "PUBREC 3; deliver a")
}

func TestReconnectSendsAgainInOrder(t *testing.T) { // [MQTT3-4.4.0-1] [MQTT3-4.6.0-1] [MQTT5-4.4.0-1]
	var s State
	s.Connect(mqtt.V311, MaxWindow, 0)
	for _, m := range []struct {
		topic string
		qos   mqtt.QoS
	}{{"a", 1}, {"b", 2}, {"c", 2}, {"d", 1}, {"e", 1}} {
		publish(t, &s, m.topic, m.qos)
	}
	receive(t, &s, &packet.Puback{ID: 4})
	receive(t, &s, &packet.Pubrec{ID: 2})
	want(t, sayAll(s.Connect(mqtt.V311, MaxWindow, 0)),
		"PUBLISH 1 q1 dup a, PUBREL 2, PUBLISH 3 q2 dup c, PUBLISH 5 q1 dup e")
	want(t, publish(t, &s, "f", 1), "PUBLISH 6 q1 f")
	want(t, receive(t, &s, &packet.Pubcomp{ID: 2}), "-; done b")
}

func TestReconnectWithASmallerWindow(t *testing.T) { // [MQTT5 §4.9]
	var s State
	s.Connect(mqtt.V5, 10, 10)
	for _, topic := range []string{"a", "b", "c"} {
		publish(t, &s, topic, 1)
	}
	want(t, sayAll(s.Connect(mqtt.V5, 1, 10)), "PUBLISH 1 q1 dup a")
	want(t, sayAll(s.Again()), "")
	want(t, publish(t, &s, "d", 1), "full")
	want(t, receive(t, &s, &packet.Puback{ID: 1}), "-; done a")
	want(t, publish(t, &s, "d", 1), "full") // the older ones first
	want(t, sayAll(s.Again()), "PUBLISH 2 q1 dup b")
}

func TestReleasedDoesNotUseTheWindowAgain(t *testing.T) {
	var s State
	s.Connect(mqtt.V5, 1, 10)
	publish(t, &s, "a", 2)
	receive(t, &s, &packet.Pubrec{ID: 1})
	want(t, sayAll(s.Connect(mqtt.V5, 1, 10)), "PUBREL 1")
	want(t, publish(t, &s, "b", 1), "PUBLISH 2 q1 b")
}

func TestReceivedSurvivesReconnect(t *testing.T) { // [MQTT5-4.3.3-10]
	var s State
	s.Connect(mqtt.V311, 1, 0)
	p := message("a", 2)
	p.ID = 5
	receive(t, &s, p)
	s.Connect(mqtt.V311, 1, 0)
	p.Dup = true
	want(t, receive(t, &s, p), "PUBREC 5")
}

func TestIdentifiersAreNotUsedTwice(t *testing.T) { // [MQTT3-2.3.1-2] [MQTT3-2.3.1-4] [MQTT5-2.2.1-4] [MQTT5-4.3.2-1] [MQTT5-4.3.3-1]
	var o Outbound[int]
	o.Connect(MaxWindow)
	first, _ := o.Open(0, 1)
	for i := 1; i < MaxWindow; i++ {
		if id, ok := o.Open(i, 1); !ok || id == 0 {
			t.Fatalf("message %d: identifier %d, %v", i, id, ok)
		}
		if i > 2 {
			o.Puback(uint16(i)) // keep the list short, leave 1 and the latest
		}
	}
	for range 10 {
		id, ok := o.Open(0, 1)
		if !ok || id == first || id == 0 {
			t.Fatalf("identifier %d, %v: it is in use", id, ok)
		}
		if e := o.All(); slices.ContainsFunc(e[:len(e)-1], func(x Exchange[int]) bool { return x.ID == id }) {
			t.Fatalf("identifier %d is in use", id)
		}
	}
}

func TestAcknowledgementsOutOfOrder(t *testing.T) {
	var o Outbound[string]
	o.Connect(10)
	for _, m := range []string{"a", "b", "c"} {
		o.Open(m, 1)
	}
	for _, x := range []struct {
		id   uint16
		want string
	}{{2, "b"}, {3, "c"}, {1, "a"}} {
		if e, ok := o.Puback(x.id); !ok || e.Message != x.want {
			t.Errorf("PUBACK %d ends %q, %v, want %q", x.id, e.Message, ok, x.want)
		}
	}
	if o.Len() != 0 || !o.Ready() {
		t.Errorf("%d exchanges open, ready %v", o.Len(), o.Ready())
	}
}

func TestRestore(t *testing.T) {
	var o Outbound[string]
	o.Restore(Exchange[string]{ID: 7, QoS: 2, Stage: Released, Message: "a"})
	o.Restore(Exchange[string]{ID: 3, QoS: 1, Message: "b"})
	o.Restore(Exchange[string]{ID: 3, QoS: 1, Message: "again"})
	o.Connect(10)
	a, _ := o.Again()
	b, _ := o.Again()
	if _, more := o.Again(); more || a.ID != 7 || a.Stage != Released || b.ID != 3 || b.Message != "b" {
		t.Errorf("sent again: %+v, %+v, and more %v", a, b, more)
	}
	if id, _ := o.Open("c", 1); id != 8 {
		t.Errorf("a new message has identifier %d, want 8", id)
	}
	if e, ok := o.Drop(3); !ok || e.Message != "b" {
		t.Errorf("Drop(3) = %+v, %v", e, ok)
	}
	var in Inbound
	in.Restore(4)
	in.Connect(1)
	if dup, err := in.Publish(4, 2); !dup || err != nil {
		t.Errorf("a message that was received before: duplicate %v, %v", dup, err)
	}
	if _, err := in.Publish(5, 1); !errors.Is(err, mqtt.ReceiveMaximumExceeded) {
		t.Errorf("it does not count: %v", err)
	}
}

func TestLongRunKeepsNoMemory(t *testing.T) {
	var o Outbound[[64]byte]
	o.Connect(100)
	for i := range 10_000 {
		o.Open([64]byte{}, 1)
		if i >= 50 {
			o.Puback(o.All()[0].ID)
		}
	}
	if cap(o.open) > 1_000 {
		t.Errorf("50 exchanges are kept in room for %d", cap(o.open))
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	var o Outbound[*packet.Publish]
	o.Connect(10)
	p := message("a", 1)
	if n := testing.AllocsPerRun(1000, func() {
		id, _ := o.Open(p, 1)
		o.Puback(id)
	}); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// FuzzState plays two sides over a network that breaks at any time: every QoS
// 1 message arrives at least once, every QoS 2 message exactly once.
func FuzzState(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Add([]byte("0a1b2c3d4e5f6g7h"))
	f.Fuzz(func(t *testing.T, moves []byte) {
		moves = moves[:min(len(moves), 300)]
		var a, b State
		var toB, toA []packet.Packet
		delivered := map[string]int{}
		sent := map[string]mqtt.QoS{}
		reconnect := func() {
			toA, toB = b.Connect(mqtt.V5, 3, 3), a.Connect(mqtt.V5, 3, 3)
		}
		deliver := func(s *State, list *[]packet.Packet, back *[]packet.Packet) {
			if len(*list) == 0 {
				return
			}
			p := (*list)[0]
			*list = (*list)[1:]
			r, err := s.Receive(p)
			if err != nil {
				t.Fatalf("%s: %v", say(p), err)
			}
			if r.Reply != nil {
				*back = append(*back, r.Reply)
			}
			if r.Deliver != nil {
				delivered[string(r.Deliver.Topic)]++
			}
			*back = append(*back, s.Again()...)
		}
		reconnect()
		for i, m := range moves {
			switch m % 8 {
			case 0, 1, 2:
				name := fmt.Sprint(i)
				qos := mqtt.QoS(m%2 + 1)
				if p, ok := a.Publish(message(name, qos)); ok {
					sent[name] = qos
					toB = append(toB, p)
				}
			case 3, 4, 5:
				deliver(&b, &toB, &toA)
			case 6:
				deliver(&a, &toA, &toB)
			case 7:
				reconnect()
			}
		}
		reconnect()
		for range 10 * (len(moves) + 1) {
			deliver(&b, &toB, &toA)
			deliver(&a, &toA, &toB)
		}
		for name, qos := range sent {
			if n := delivered[name]; n == 0 || qos == 2 && n != 1 {
				t.Errorf("message %s of QoS %d arrived %d times", name, qos, n)
			}
		}
		if a.Out.Len() != 0 || b.In.Len() != 0 {
			t.Errorf("left open: %d and %d", a.Out.Len(), b.In.Len())
		}
	})
}
