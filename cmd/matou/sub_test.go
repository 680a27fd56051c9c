package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// sender is a server that grants a subscription and sends messages.
func sender(t *testing.T, filters *[]string, messages ...*packet.Publish) *server {
	return serve(t, func(p *peer) {
		p.send(&packet.Connack{})
		s, ok := p.read().(*packet.Subscribe)
		if !ok {
			t.Error("no SUBSCRIBE")
			return
		}
		granted := &packet.Suback{ID: s.ID}
		for _, x := range s.Subscriptions {
			if filters != nil {
				*filters = append(*filters, x.Filter)
			}
			if x.Filter == "no" {
				granted.Reasons = append(granted.Reasons, mqtt.UnspecifiedError)
				continue
			}
			granted.Reasons = append(granted.Reasons, mqtt.ReasonCode(x.QoS))
		}
		p.send(granted)
		for _, m := range messages {
			p.send(m)
		}
		for p.read() != nil {
		}
	})
}

func msg(topic, payload string) *packet.Publish {
	return &packet.Publish{Topic: []byte(topic), Payload: []byte(payload)}
}

func TestSubPrints(t *testing.T) {
	for _, tt := range []struct{ name, flags, want string }{
		{"payload", "", "one\ntwo\n"},
		{"topic and payload", "-v", "t/1 one\nt/2 two\n"},
		{"hex", "--hex", "6f6e65\n74776f\n"},
		{"topic and hex", "-v --hex", "t/1 6f6e65\nt/2 74776f\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var filters []string
			s := sender(t, &filters, msg("t/1", "one"), msg("t/2", "two"), msg("t/3", "three"))
			code, stdout, stderr := matou(t.Context(), "", "sub -t t/+ u/# -q 1 -C 2 --port "+s.port+" "+tt.flags)
			if code != 0 || stdout != tt.want {
				t.Errorf("exit %d, %q, want %q", code, stdout, tt.want)
			}
			if stderr != "subscribed to t/+ at QoS 1\nsubscribed to u/# at QoS 1\n" {
				t.Errorf("stderr %q", stderr)
			}
			s.ln.Close()
			s.wg.Wait()
			if strings.Join(filters, " ") != "t/+ u/#" {
				t.Errorf("filters %q", filters)
			}
		})
	}
}

func TestSubPrintsJSONLines(t *testing.T) {
	expiry := uint32(60)
	rich := &packet.Publish{Topic: []byte("t"), Payload: []byte("<é>"), QoS: 1, ID: 1, Retain: true, Properties: &packet.Properties{
		ContentType: "text/plain", ResponseTopic: "r", CorrelationData: []byte{1, 2}, MessageExpiry: &expiry,
		UserProperties: []packet.UserProperty{{Name: "a", Value: "b"}},
	}}
	s := sender(t, nil, rich, msg("t", "\xFF\x00"))
	_, stdout, _ := matou(t.Context(), "", "sub t --json -C 2 --version 5 --port "+s.port)
	want := []string{
		`"topic":"t","qos":1,"retain":true,"payload":"<é>","contentType":"text/plain","responseTopic":"r","correlationHex":"0102","expirySeconds":60,"userProperties":[{"a":"b"}]}`,
		`"topic":"t","qos":0,"retain":false,"payloadHex":"ff00"}`,
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %s", len(lines), stdout)
	}
	for i, line := range lines {
		var l struct{ Time time.Time }
		if err := json.Unmarshal([]byte(line), &l); err != nil || time.Since(l.Time) > time.Hour || l.Time.Location() != time.UTC {
			t.Errorf("line %d: time %v, %v", i, l.Time, err)
		}
		if _, rest, _ := strings.Cut(line, `",`); rest != want[i] {
			t.Errorf("line %d: %s, want %s", i, rest, want[i])
		}
	}
}

func TestSubEnds(t *testing.T) {
	for _, tt := range []struct {
		name, flags string
		code        int
		says        string
	}{
		{"time is up", "t -W 1s", 0, "subscribed to t"},
		{"time is up before the count", "t -W 1s -C 9", 1, "timed out after 1s (--timeout)"},
		{"one of two filters refused", "t no -W 1s", 0, "subscription to no refused"},
		{"every filter refused", "no", 1, "subscription to no refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sender(t, nil)
			code, _, stderr := matou(t.Context(), "", "sub --port "+s.port+" "+tt.flags)
			if code != tt.code || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit %d, %q, want %d and %q", code, stderr, tt.code, tt.says)
			}
		})
	}
}

func TestSubEndsWhenInterrupted(t *testing.T) {
	s := sender(t, nil, msg("t", "x"))
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	var talk bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"sub", "t", "--port", s.port}, strings.NewReader(""), w, &talk) }()
	if b := make([]byte, 2); true {
		if _, err := io.ReadFull(r, b); err != nil || string(b) != "x\n" {
			t.Errorf("printed %q, %v", b, err)
		}
	}
	cancel() // what Ctrl-C does
	if got := <-code; got != 0 {
		t.Errorf("exit %d, %s, want 0", got, talk.String())
	}
}

func TestSubComesBackAfterALostConnection(t *testing.T) {
	conns := 0
	s := serve(t, func(p *peer) {
		conns++
		p.send(&packet.Connack{})
		if q, ok := p.read().(*packet.Subscribe); ok {
			p.send(&packet.Suback{ID: q.ID, Reasons: []mqtt.ReasonCode{0}})
		}
		if conns == 1 {
			return // hang up
		}
		p.send(msg("t", "again"))
		for p.read() != nil {
		}
	})
	code, stdout, stderr := matou(t.Context(), "", "sub t -C 1 --port "+s.port)
	if code != 0 || stdout != "again\n" || !strings.Contains(stderr, "connection lost") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}

func TestSubRefused(t *testing.T) {
	s := serve(t, func(p *peer) { p.send(&packet.Connack{Reason: mqtt.NotAuthorized}); p.read() })
	code, _, stderr := matou(t.Context(), "", "sub t --port "+s.port)
	if code != 1 || !strings.Contains(stderr, "this client may not connect") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
