package recording

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/recording/pcap"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Read takes a file apart, whatever it is: a capture (pcap, pcapng), the JSON
// lines of `matou packet capture`, a recorded serial line, a text with hex in
// it, or the bytes of packets themselves. A capture may hold several
// conversations, everything else holds one.
//
// A file that breaks off is read as far as it makes sense, which a note says.
// An error says why there is nothing to replay; errors.Is(err, ErrEmpty) if
// the file was understood all the same.
func Read(b []byte) ([]Recording, error) {
	switch {
	case len(b) > MaxFile:
		return nil, wording.Errorf("%d bytes are more than the %d that are read", len(b), MaxFile)
	case len(b) == 0:
		return nil, wording.Errorf("%w: it is empty", ErrEmpty)
	case pcap.Is(b):
		return readCapture(b)
	case begins(b):
		return []Recording{{Name: "bytes", Events: []Event{{Data: b}}}}, nil
	case !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0:
		return nil, wording.Errorf("%w: bytes that begin no packet, and no text (they begin % x)", ErrEmpty, b[:min(8, len(b))])
	case len(b) > maxText:
		return nil, wording.Errorf("a text of %d bytes is more than the %d that are read", len(b), maxText)
	case isJSONLines(b):
		return readJSONLines(b)
	}
	if all, ok, err := readTranscript(b); ok {
		return all, err
	}
	return readText(string(b))
}

// begins reports whether b begins with a CONNECT in bytes.
func begins(b []byte) bool {
	h, err := packet.ParseHeader(b)
	if err != nil || h.Type != packet.TypeConnect || h.Remaining < 10 || len(b) < h.Size+6 {
		return false
	}
	name := string(b[h.Size+2 : h.Size+6])
	return name == "MQTT" || name == "MQIs"
}

// readCapture finds the MQTT among the connections of a capture.
func readCapture(b []byte) ([]Recording, error) {
	c, err := pcap.Read(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	var all []Recording
	others := map[string]int{}
	for i := range c.Streams {
		s := &c.Streams[i]
		if kind := kindOf(s); kind != "" {
			others[kind]++
			continue
		}
		r := fromStream(s)
		if c.Broken != nil {
			r.note("the capture breaks off: %v", c.Broken)
		}
		all = append(all, r)
	}
	if len(all) > 0 {
		return all, nil
	}
	if len(c.Streams) == 0 {
		err := wording.Errorf("%w: %d frames, and none belongs to a TCP connection that carried something", ErrEmpty, c.Frames)
		if c.Broken != nil {
			err = wording.Errorf("%w; %w", err, c.Broken)
		}
		return nil, err
	}
	var found []string
	for _, kind := range []string{kindTLS, kindWebSocket, kindOther} {
		if n := others[kind]; n > 0 {
			found = append(found, fmt.Sprintf("%d with %s", n, kind))
		}
	}
	if others[kindTLS]+others[kindWebSocket] > 0 {
		return nil, wording.Errorf("%w: connections %s; `matou packet capture` records a device in clear and speaks TLS to its broker", ErrEmpty, strings.Join(found, ", "))
	}
	return nil, wording.Errorf("%w: connections %s", ErrEmpty, strings.Join(found, ", "))
}

// What a connection may carry in place of MQTT.
const (
	kindTLS       = "TLS, which cannot be read"
	kindWebSocket = "HTTP or WebSocket"
	kindOther     = "another protocol"
)

// kindOf says what a connection carries, "" for MQTT.
func kindOf(s *pcap.Stream) string {
	for _, c := range s.Chunks {
		if c.FromServer && s.Whole {
			continue
		}
		d := c.Data
		switch {
		case begins(d), c.Gap && s.Whole && startsPacket(d):
			return ""
		case len(d) > 2 && d[0] == 0x16 && d[1] == 0x03, len(d) > 2 && d[0] == 0x17 && d[1] == 0x03:
			return kindTLS
		case bytes.HasPrefix(d, []byte("GET ")), bytes.HasPrefix(d, []byte("POST ")), bytes.HasPrefix(d, []byte("HTTP/")):
			return kindWebSocket
		case !s.Whole && startsPacket(d), s.Server.Port() == mqtt.Port:
			return ""
		}
		return kindOther
	}
	return kindOther
}

// startsPacket reports whether b may be one whole packet of a client or
// server, and what follows it another: the middle of a conversation.
func startsPacket(b []byte) bool {
	h, err := packet.ParseHeader(b)
	if err != nil || h.Size+h.Remaining > len(b) {
		return false
	}
	_, err = packet.Decode(h, b[h.Size:h.Size+h.Remaining], 0)
	return err == nil
}

func fromStream(s *pcap.Stream) Recording {
	r := Recording{Name: s.String(), Timed: true}
	for _, c := range s.Chunks {
		e := Event{At: c.Time.Sub(s.Chunks[0].Time), Data: c.Data, Gap: c.Gap}
		if c.FromServer {
			e.From = Broker
		}
		r.Events = append(r.Events, e)
	}
	if !s.Whole {
		r.note("the capture begins in the middle of the connection")
	}
	if s.Lost > 0 {
		r.note("the capture lacks %d bytes of the connection", s.Lost)
	}
	return r
}

// since is the time between two moments of which the first may be unknown.
func since(first, t time.Time) time.Duration {
	if first.IsZero() || t.IsZero() {
		return 0
	}
	return max(0, t.Sub(first))
}
