package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A heard module is told of event by event.
type heard struct {
	*testing.T
	*listener
	seq uint64
	now time.Time
}

func hearing(t *testing.T) *heard {
	whose := func(_ context.Context, c *packet.Connect) registry.ID {
		product, device, _ := strings.Cut(c.Username, "/")
		return registry.ID{Product: product, Device: device}
	}
	return &heard{T: t, listener: newListener("esp8266", whose, &memory{}), now: time.Unix(1700000000, 0)}
}

func (h *heard) tell(e virtual.Event) uint64 {
	h.seq++
	h.now = h.now.Add(time.Second)
	e.Seq, e.Time = h.seq, h.now
	h.hear(h.Context(), e)
	return h.seq
}

func (h *heard) line(text string) uint64 {
	return h.tell(virtual.Event{Kind: virtual.Line, Link: -1, Data: []byte(text)})
}

func (h *heard) says(text string) { h.tell(virtual.Event{Kind: virtual.Said, Data: []byte(text)}) }

func (h *heard) carried(kind virtual.EventKind, cause uint64, b []byte) {
	h.tell(virtual.Event{Kind: kind, Cause: cause, Data: b})
}

func (h *heard) bytes(p packet.Packet) []byte {
	h.Helper()
	b, err := p.Append(nil, mqtt.V311)
	if err != nil {
		h.Fatal(err)
	}
	return b
}

var pump = registry.ID{Product: "PK", Device: "pump"}

func (h *heard) login() {
	open := h.line(`AT+CIPSTART="TCP","here",1883`)
	h.tell(virtual.Event{Kind: virtual.Opened, Cause: open, Text: "TCP"})
	send := h.line("AT+CIPSEND=40")
	h.says("\r\nOK\r\n> ")
	h.carried(virtual.Sent, send, h.bytes(&packet.Connect{Version: mqtt.V311, ClientID: "c", HasUsername: true, Username: "PK/pump", HasPassword: true, Password: []byte("hush hush")}))
	h.says("\r\nSEND OK\r\n")
	h.carried(virtual.Received, open, []byte("\x20\x02\x00\x00"))
	h.says("\r\n+IPD,4:\x20\x02\x00\x00")
}

// TestALineAndItsPacket: the packet may come in pieces, and from a later line
// than the one that connected; what the module says of it goes with it.
func TestALineAndItsPacket(t *testing.T) {
	h := hearing(t)
	h.login()
	post := h.bytes(&packet.Publish{Topic: []byte("/sys/post"), Payload: []byte(`{"v":1}`)})
	send := h.line("AT+CIPSEND=20")
	h.says("\r\nOK\r\n> ")
	h.carried(virtual.Sent, send, post[:5])
	h.carried(virtual.Sent, send, post[5:])
	h.says("\r\nSEND OK\r\n")
	h.carried(virtual.Received, 1, h.bytes(&packet.Publish{Topic: []byte("/sys/set"), Payload: []byte("on")}))
	h.says("\r\n+IPD,13:…")
	h.line("AT")
	h.says("\r\nOK\r\n")
	for _, tt := range []struct {
		name       string
		e          trace.Entry
		line, said string
	}{
		{"the login", trace.Entry{Kind: trace.Connect, Direction: "up"}, "AT+CIPSEND=40", "\r\nOK\r\n> \r\nSEND OK\r\n\r\n+IPD,4: \\x02\\x00\\x00"},
		{"a report", trace.Entry{Kind: trace.Uplink, Direction: "up", Topic: "/sys/post", Payload: []byte(`{"v":1}`)}, "AT+CIPSEND=20", "\r\nOK\r\n> \r\nSEND OK\r\n"},
		{"a command", trace.Entry{Kind: trace.Command, Direction: "down", Topic: "/sys/set", Payload: []byte("on")}, "", "\r\n+IPD,13:…"},
	} {
		got, ok := h.memory.find(pump, tt.e)
		if !ok || got.Line != tt.line || got.Said != tt.said || got.Module != "esp8266" {
			t.Errorf("%s: %+v, %v", tt.name, got, ok)
		}
	}
	for name, e := range map[string]trace.Entry{
		"another payload":   {Kind: trace.Uplink, Direction: "up", Topic: "/sys/post", Payload: []byte(`{"v":2}`)},
		"another topic":     {Kind: trace.Uplink, Direction: "up", Topic: "/sys/past", Payload: []byte(`{"v":1}`)},
		"the other way":     {Kind: trace.Downlink, Direction: "down", Topic: "/sys/post", Payload: []byte(`{"v":1}`)},
		"what has no topic": {Kind: trace.Note},
	} {
		if got, ok := h.memory.find(pump, e); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, ok := h.memory.find(registry.ID{Product: "PK", Device: "other"}, trace.Entry{Kind: trace.Connect, Direction: "up"}); ok {
		t.Error("another device has its line")
	}
}

// TestAlikePackets: the nearest in time is meant.
func TestAlikePackets(t *testing.T) {
	h := hearing(t)
	h.login()
	at := map[string]time.Time{}
	for i := range 3 {
		line := fmt.Sprintf("AT+SEND=%d", i)
		h.carried(virtual.Sent, h.line(line), h.bytes(&packet.Publish{Topic: []byte("t"), Payload: []byte("same")}))
		at[line] = h.now
	}
	for line, when := range at {
		e := trace.Entry{Kind: trace.Uplink, Direction: "up", Topic: "t", Payload: []byte("same"), At: when.Add(time.Millisecond)}
		if got, _ := h.memory.find(pump, e); got.Line != line {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

// TestPasswordsAreHidden: a line that logs in may have the password in it.
func TestPasswordsAreHidden(t *testing.T) {
	h := hearing(t)
	h.tell(virtual.Event{Kind: virtual.Opened})
	line := h.line(`AT+QMTCONN=0,"c","PK/pump","hush hush"`)
	h.carried(virtual.Sent, line, h.bytes(&packet.Connect{Version: mqtt.V311, ClientID: "c", HasUsername: true, Username: "PK/pump", HasPassword: true, Password: []byte("hush hush")}))
	got, ok := h.memory.find(pump, trace.Entry{Kind: trace.Refuse, Direction: "up"})
	if !ok || got.Line != `AT+QMTCONN=0,"c","PK/pump","***"` {
		t.Errorf("%+v, %v", got, ok)
	}
}

// TestWhatIsKeptIsBounded: of packets, and of what is said of one.
func TestWhatIsKeptIsBounded(t *testing.T) {
	h := hearing(t)
	h.login()
	post := h.bytes(&packet.Publish{Topic: []byte("t"), Payload: []byte("x")})
	for range keptPackets + 10 {
		h.carried(virtual.Sent, h.line("AT+"+strings.Repeat("A", 2*keptText)), post)
		h.says(strings.Repeat("\x00", keptText))
	}
	if n := len(h.memory.kept); n != keptPackets {
		t.Errorf("%d packets are kept", n)
	}
	got, _ := h.memory.find(pump, trace.Entry{Kind: trace.Uplink, Direction: "up", Topic: "t", Payload: []byte("x")})
	if len(got.Line) > keptText || len(got.Said) > keptText || len(h.lines) > keptLines {
		t.Errorf("%d bytes of line, %d said, %d lines", len(got.Line), len(got.Said), len(h.lines))
	}
	h.carried(virtual.Sent, 0, []byte("this is no MQTT"))
	h.carried(virtual.Sent, 0, post)
}
