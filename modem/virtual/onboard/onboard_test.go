package onboard

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

var (
	start = time.Date(2025, 1, 15, 14, 15, 27, 0, time.UTC)
	usual = Options{Version: mqtt.V311, KeepAlive: 120 * time.Second, PacketTimeout: 5 * time.Second, Retries: 3, PingTimeout: 5 * time.Second, Window: 5}
)

// say writes a step as people read it: bytes in hex, then events.
func say(s Step) string {
	var parts []string
	if len(s.Write) > 0 {
		parts = append(parts, hex.EncodeToString(s.Write))
	}
	for _, e := range s.Events {
		if a, ok := e.(Arrived); ok {
			parts = append(parts, fmt.Sprintf("Arrived{%d %s %s}", a.Message.ID, a.Message.Topic, a.Message.Payload))
			continue
		}
		parts = append(parts, strings.TrimPrefix(fmt.Sprintf("%T%v", e, e), "onboard."))
	}
	if s.Close {
		parts = append(parts, "close")
	}
	return strings.Join(parts, " ")
}

func wire(t testing.TB, p packet.Packet) []byte {
	t.Helper()
	b, err := p.Append(nil, mqtt.V311)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// loggedIn is a client whose CONNECT was accepted at start.
func loggedIn(t testing.TB, o Options) *Client {
	t.Helper()
	c := new(Client)
	c.Open(o, start)
	if _, err := c.Connect(o, Login{ClientID: "dev1", Clean: true}, start); err != nil {
		t.Fatal(err)
	}
	if got := say(c.Receive(wire(t, &packet.Connack{}), start)); got != "Done{0 0 [0]}" {
		t.Fatalf("CONNACK led to %s", got)
	}
	return c
}

func TestTheLoginIsByteExact(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     Options
		login Login
		want  string
	}{
		{"bare", usual, Login{ClientID: "dev1", Clean: true}, "1010" + "00044d515454" + "04" + "02" + "0078" + "000464657631"},
		{"kept session, 3.1, will", Options{Version: mqtt.V31, KeepAlive: 60 * time.Second},
			Login{ClientID: "d", Will: &packet.Will{Topic: "t", Payload: []byte("off"), QoS: 1, Retain: true}},
			"1017" + "00064d514973647003" + "2c" + "003c" + "000164" + "000174" + "00036f6666"},
		{"user name and password", usual, Login{ClientID: "d", Username: "u", Password: "p", Clean: true},
			"1013" + "00044d51545404" + "c2" + "0078" + "000164" + "000175" + "000170"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c Client
			c.Open(tt.o, start)
			s, err := c.Connect(tt.o, tt.login, start)
			if err != nil || say(s) != tt.want || c.State() != Connecting {
				t.Errorf("%s, %v in state %d, want %s", say(s), err, c.State(), tt.want)
			}
		})
	}
}

func TestARefusedLoginEndsTheConnection(t *testing.T) {
	for code, reason := range []mqtt.ReasonCode{1: mqtt.UnsupportedProtocolVersion, 2: mqtt.ClientIdentifierNotValid, 3: mqtt.ServerUnavailable,
		4: mqtt.BadUserNameOrPassword, 5: mqtt.NotAuthorized} {
		if code == 0 {
			continue
		}
		var c Client
		c.Open(usual, start)
		c.Connect(usual, Login{ClientID: "x"}, start)
		s := c.Receive(wire(t, &packet.Connack{Reason: reason}), start)
		if want := fmt.Sprintf("Done{0 0 [%d]} Lost{4} close", code); say(s) != want || c.State() != Closed {
			t.Errorf("code %d: %s, want %s", code, say(s), want)
		}
	}
}

func TestAnUnansweredConnectIsWaitedForAndNotRepeated(t *testing.T) {
	var c Client
	c.Open(usual, start)
	c.Connect(usual, Login{ClientID: "x"}, start)
	var got []string
	for c.State() != Closed {
		at := c.Next()
		got = append(got, at.Sub(start).String()+" "+say(c.Tick(at)))
	}
	want := []string{"5s Repeated{0 0 1}", "10s Repeated{0 0 2}", "15s Repeated{0 0 3}", "20s Failed{0 0} Lost{3} close"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestExchanges(t *testing.T) {
	subs := []packet.Subscription{{Filter: "a", QoS: 0}, {Filter: "b", QoS: 2}}
	message := func(qos mqtt.QoS) *packet.Publish {
		p := &packet.Publish{QoS: qos, Topic: []byte("t"), Payload: []byte("hi")}
		if qos > 0 {
			p.ID = 7
		}
		return p
	}
	for _, tt := range []struct {
		name    string
		ask     func(c *Client) (Step, error)
		asked   string
		answers []packet.Packet
		want    []string
	}{
		{"subscribe, two topics, one refused", func(c *Client) (Step, error) { return c.Subscribe(7, subs, start) },
			"820a0007000161000001" + "6202", []packet.Packet{&packet.Suback{ID: 7, Reasons: []mqtt.ReasonCode{1, 0x80}}}, []string{"Done{1 7 [1 128]}"}},
		{"unsubscribe", func(c *Client) (Step, error) { return c.Unsubscribe(7, []string{"a"}, start) },
			"a20500070001" + "61", []packet.Packet{&packet.Unsuback{ID: 7}}, []string{"Done{2 7 []}"}},
		{"publish QoS 0", func(c *Client) (Step, error) { return c.Publish(message(0), start) },
			"3005000174" + "6869 Done{3 0 []}", nil, nil},
		{"publish QoS 1", func(c *Client) (Step, error) { return c.Publish(message(1), start) },
			"3207000174" + "00076869", []packet.Packet{&packet.Puback{ID: 7}, &packet.Puback{ID: 7}}, []string{"Done{3 7 []}", ""}},
		{"publish QoS 2", func(c *Client) (Step, error) { return c.Publish(message(2), start) },
			"3407000174" + "00076869", []packet.Packet{&packet.Puback{ID: 7}, &packet.Pubrec{ID: 7}, &packet.Pubcomp{ID: 7}},
			[]string{"", "62020007", "Done{3 7 []}"}},
		{"answers to another identifier", func(c *Client) (Step, error) { return c.Publish(message(1), start) },
			"3207000174" + "00076869", []packet.Packet{&packet.Puback{ID: 8}, &packet.Suback{ID: 7, Reasons: []mqtt.ReasonCode{0}}, &packet.Unsuback{ID: 7}}, []string{"", "", ""}},
		{"as many codes as topics", func(c *Client) (Step, error) { return c.Subscribe(7, subs, start) },
			"820a0007000161000001" + "6202", []packet.Packet{&packet.Suback{ID: 7, Reasons: []mqtt.ReasonCode{0}}}, []string{"Lost{2} close"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := loggedIn(t, usual)
			s, err := tt.ask(c)
			if err != nil || say(s) != tt.asked {
				t.Fatalf("%s, %v, want %s", say(s), err, tt.asked)
			}
			for i, p := range tt.answers {
				if got := say(c.Receive(wire(t, p), start)); got != tt.want[i] {
					t.Errorf("%s led to %q, want %q", p.Type(), got, tt.want[i])
				}
			}
		})
	}
}

func TestWhatNobodyAcknowledgesIsSentAgainWithDup(t *testing.T) {
	o := usual
	o.Retries = 1
	c := loggedIn(t, o)
	c.Publish(&packet.Publish{QoS: 2, ID: 9, Topic: []byte("t")}, start)
	if got := say(c.Tick(start.Add(4 * time.Second))); got != "" {
		t.Errorf("too early: %s", got)
	}
	if got := say(c.Tick(start.Add(5 * time.Second))); got != "3c050001740009 Repeated{3 9 1}" {
		t.Errorf("PUBLISH again: %s", got)
	}
	c.Receive(wire(t, &packet.Pubrec{ID: 9}), start.Add(6*time.Second))
	if got := say(c.Tick(start.Add(11 * time.Second))); got != "62020009 Repeated{3 9 1}" {
		t.Errorf("PUBREL again: %s", got)
	}
	if got := say(c.Tick(start.Add(16 * time.Second))); got != "Failed{3 9}" || c.State() != Connected {
		t.Errorf("given up: %s in state %d", got, c.State())
	}
}

func TestPings(t *testing.T) {
	o := usual
	o.KeepAlive, o.Retries = 60*time.Second, 1
	c := loggedIn(t, o)
	if at := c.Next().Sub(start); at != 60*time.Second {
		t.Fatalf("next at %v", at)
	}
	if got := say(c.Tick(start.Add(60 * time.Second))); got != "c000" {
		t.Fatalf("ping: %s", got)
	}
	c.Receive(wire(t, &packet.Pingresp{}), start.Add(61*time.Second))
	var got []string
	for c.State() != Closed {
		at := c.Next()
		got = append(got, at.Sub(start).String()+" "+say(c.Tick(at)))
	}
	want := []string{"2m0s c000", "2m5s c000 PingLost{}", "2m10s PingLost{} Lost{1} close"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	o.KeepAlive = 0
	if c = loggedIn(t, o); !c.Next().IsZero() {
		t.Errorf("keep-alive 0: next at %v", c.Next())
	}
}

func TestMessagesArriveOnceAndAreAcknowledged(t *testing.T) {
	c := loggedIn(t, usual)
	at := func(qos mqtt.QoS, dup bool) []byte {
		p := &packet.Publish{QoS: qos, Dup: dup, Topic: []byte("t"), Payload: []byte("x")}
		if qos > 0 {
			p.ID = 3
		}
		return wire(t, p)
	}
	var got []string
	for _, b := range [][]byte{at(0, false), at(1, false), at(2, false), at(2, true), wire(t, &packet.Pubrel{ID: 3}), at(2, false)} {
		// One byte at a time: a serial module sees packets in any pieces.
		var all Step
		for _, one := range b {
			s := c.Receive([]byte{one}, start)
			all.Write, all.Events = append(all.Write, s.Write...), append(all.Events, s.Events...)
		}
		got = append(got, say(all))
	}
	want := []string{"Arrived{0 t x}", "40020003 Arrived{3 t x}", "50020003 Arrived{3 t x}", "50020003", "70020003", "50020003 Arrived{3 t x}"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatIsRefusedWritesNothing(t *testing.T) {
	c := loggedIn(t, usual)
	for id := uint16(1); id <= 5; id++ {
		if _, err := c.Publish(&packet.Publish{QoS: 1, ID: id, Topic: []byte("t")}, start); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := c.Publish(&packet.Publish{QoS: 1, ID: 6, Topic: []byte("t")}, start); !errors.Is(err, ErrWindow) || say(s) != "" {
		t.Errorf("the sixth: %s, %v", say(s), err)
	}
	c.Receive(wire(t, &packet.Puback{ID: 2}), start)
	if s, err := c.Unsubscribe(3, []string{"t"}, start); !errors.Is(err, ErrIdentifier) || say(s) != "" {
		t.Errorf("an identifier in use: %s, %v", say(s), err)
	}
	var closed Client
	for what, ask := range map[string]func() (Step, error){
		"connect":     func() (Step, error) { return closed.Connect(usual, Login{}, start) },
		"publish":     func() (Step, error) { return closed.Publish(&packet.Publish{Topic: []byte("t")}, start) },
		"subscribe":   func() (Step, error) { return closed.Subscribe(1, []packet.Subscription{{Filter: "t"}}, start) },
		"unsubscribe": func() (Step, error) { return closed.Unsubscribe(1, []string{"t"}, start) },
		"disconnect":  func() (Step, error) { return closed.Disconnect(start) },
	} {
		if s, err := ask(); !errors.Is(err, ErrState) || say(s) != "" {
			t.Errorf("%s of a closed client: %s, %v", what, say(s), err)
		}
	}
	if got := say(closed.Receive([]byte{1, 2}, start)) + say(closed.End()); got != "" {
		t.Errorf("a closed client says %s", got)
	}
}

func TestTheEnd(t *testing.T) {
	c := loggedIn(t, usual)
	if s, err := c.Disconnect(start); err != nil || say(s) != "e000 close" || c.State() != Closed {
		t.Errorf("disconnect: %s, %v", say(s), err)
	}
	c = loggedIn(t, usual)
	if got := say(c.End()); got != "Lost{0} close" || !c.Next().IsZero() {
		t.Errorf("the peer closes: %s", got)
	}
	for what, bytes := range map[string]string{"a second CONNACK": "20020000", "not MQTT": "48545450", "a CONNECT": "100c00044d5154540402003c0000",
		"a packet of 256 MiB": "30ffffff7f"} {
		c = loggedIn(t, usual)
		raw, _ := hex.DecodeString(bytes)
		if got := say(c.Receive(raw, start)); got != "Lost{2} close" {
			t.Errorf("%s: %s", what, got)
		}
	}
}

// FuzzServer lets a server say anything, at any time: the client answers with
// packets a client may send, keeps what it awaits within its window and ends
// at most once.
func FuzzServer(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0, 0xd0, 0, 0x40, 2, 0, 1}, byte(3))
	f.Add([]byte{0x20, 2, 0, 0, 0x34, 5, 0, 1, 't', 0, 9, 0x62, 2, 0, 9}, byte(1))
	f.Add([]byte{0x20, 2, 0, 0, 0x50, 2, 0, 1, 0x70, 2, 0, 1, 0x90, 3, 0, 2, 0}, byte(9))
	f.Fuzz(func(t *testing.T, b []byte, size byte) {
		var c Client
		c.Open(usual, start)
		c.Connect(usual, Login{ClientID: "x"}, start)
		now, lost := start, 0
		check := func(s Step) {
			for rest := s.Write; len(rest) > 0; {
				h, err := packet.ParseHeader(rest)
				if err != nil || len(rest) < h.Size+h.Remaining {
					t.Fatalf("wrote %x", s.Write)
				}
				rest = rest[h.Size+h.Remaining:]
			}
			for _, e := range s.Events {
				if _, ok := e.(Lost); ok {
					lost++
				}
			}
			if lost > 1 || (lost == 1) != (c.State() == Closed) || len(c.pending) > usual.Window || len(c.rest) > maxPacket+len(b) {
				t.Fatalf("lost %d times in state %d, %d pending, %d bytes kept", lost, c.State(), len(c.pending), len(c.rest))
			}
		}
		for id := uint16(1); len(b) > 0; id++ {
			n := min(int(size%16)+1, len(b))
			check(c.Receive(b[:n], now))
			b = b[n:]
			s, _ := c.Publish(&packet.Publish{QoS: mqtt.QoS(id % 3), ID: id, Topic: []byte("t")}, now)
			check(s)
			s, _ = c.Subscribe(id+1, []packet.Subscription{{Filter: "t"}}, now)
			check(s)
			if at := c.Next(); !at.IsZero() && id%4 == 0 {
				now = at
				check(c.Tick(now))
			}
		}
	})
}
