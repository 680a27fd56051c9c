package command_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/trace"
)

const system = "/sys/a1NightLamp/lamp-1/rrpc/request/"

// withExt lets lamp-1 be one that can be asked on custom topics.
func (h *house) withExt() {
	h.registry.WentOnline(lamp, now(), "addr", "x|securemode=3,signmethod=hmacsha1,ext=1|", "MQTT")
}

// echo lets the device answer each question at once.
func (h *house) echo(payload string) {
	h.broker.onSend = func(m broker.Message) {
		parts := strings.Split(m.Topic, "/")
		id := parts[len(parts)-1]
		if parts[1] == "ext" {
			id = parts[3]
		}
		if _, err := h.Answered(h.Context(), &dialect.RRPCAnswer{Ask: dialect.Ask{Claim: who}, Question: id, Payload: []byte(payload)}); err != nil {
			h.Error(err)
		}
	}
}

func TestRRPC(t *testing.T) {
	for _, tt := range []struct {
		name, topic, want string
		ext               bool
	}{
		{"system topic [aliyun-device §4.6]", "", system, false},
		{"system topic of one with ext", "", system, true},
		{"custom topic", "/a1NightLamp/lamp-1/user/get", "/ext/rrpc/", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				if tt.ext {
					h.withExt()
				}
				h.echo("\x00pong")
				r, err := h.RRPC(h.Context(), lamp, command.Question{Topic: tt.topic, Payload: []byte("ping\xff")})
				if err != nil || r.Code != command.Success || string(r.Payload) != "\x00pong" || len(r.ID) < 18 || strings.Trim(r.ID, "0123456789") != "" {
					t.Fatalf("%+v, %v", r, err)
				}
				sent := h.broker.sent[0]
				want := tt.want + r.ID
				if tt.topic != "" {
					want += tt.topic
				}
				if sent.Topic != want || string(sent.Payload) != "ping\xff" || sent.QoS != 0 || sent.how != broker.Unasked || r.Topic != want {
					t.Errorf("%+v, want %s", sent, want)
				}
			})
		})
	}
}

func TestRRPCEndsAsTheVendorSays(t *testing.T) {
	ended := func(h *house, reason broker.Cause, ago time.Duration) {
		h.broker.online = false
		h.registry.WentOnline(lamp, now().Add(-time.Hour), "addr", "c", "MQTT")
		h.registry.WentOffline(lamp, now().Add(-ago), reason.String())
	}
	for _, tt := range []struct {
		name, code string
		given      func(h *house)
		took       time.Duration
	}{
		{"silent", command.Timeout, func(*house) {}, 3 * time.Second},
		{"never there", command.Away, func(h *house) { h.broker.online = false }, 0},
		{"left", command.Away, func(h *house) { ended(h, broker.Disconnected, time.Second) }, 0},
		{"broke a moment ago", command.HalfConn, func(h *house) { ended(h, broker.Lost, time.Second) }, 0},
		{"broke less than its keep-alive ago", command.HalfConn, func(h *house) {
			ended(h, broker.Lost, 19*time.Minute)
			h.registry.KeepsAlive(lamp, 20*time.Minute)
		}, 0},
		{"broke longer ago", command.Away, func(h *house) {
			ended(h, broker.Lost, 31*time.Second)
			h.registry.KeepsAlive(lamp, 30*time.Second)
		}, 0},
		{"broke long ago", command.Away, func(h *house) { ended(h, broker.Lost, 2*time.Minute) }, 0},
		{"goes while it is asked", command.HalfConn, func(h *house) {
			h.broker.onSend = func(broker.Message) { h.broker.mu.Lock(); h.broker.online = false; h.broker.mu.Unlock() }
		}, 3 * time.Second},
		{"takes nothing", command.Unknown, func(h *house) { h.broker.outcome = broker.QueueFull }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				tt.given(h)
				r, err := h.RRPC(h.Context(), lamp, command.Question{Timeout: 3 * time.Second})
				if err != nil || r.Code != tt.code || r.Took != tt.took {
					t.Errorf("%+v, %v; want %s after %v", r, err, tt.code, tt.took)
				}
			})
		})
	}
}

func TestRRPCThatCannotBe(t *testing.T) {
	bubble(t, func(h *house) {
		for _, tt := range []struct {
			q    command.Question
			kind fault.Kind
		}{
			{command.Question{Timeout: 999 * time.Millisecond}, fault.KindInvalid},
			{command.Question{Timeout: 8001 * time.Millisecond}, fault.KindInvalid},
			{command.Question{Payload: make([]byte, 256<<10+1)}, fault.KindInvalid},
			{command.Question{Topic: "/a1NightLamp/lamp-2/user/get"}, fault.KindInvalid},
			{command.Question{Topic: "/a1NightLamp/lamp-1/user/+"}, fault.KindInvalid},
			{command.Question{Topic: "/a1NightLamp/lamp-1/user/get"}, fault.KindConflict}, // it did not say ext
		} {
			if _, err := h.RRPC(h.Context(), lamp, tt.q); fault.KindOf(err) != tt.kind {
				t.Errorf("%+v: %v", tt.q, err)
			}
		}
		if len(h.broker.sent) > 0 {
			t.Errorf("sent %+v", h.broker.sent)
		}
		if _, err := h.RRPC(h.Context(), registry.ID{Product: lamp.Product, Device: "nobody"}, command.Question{}); fault.KindOf(err) != fault.KindNotFound {
			t.Error(err)
		}
	})
}

func TestALateAnswerIsTold(t *testing.T) {
	bubble(t, func(h *house) {
		r, err := h.RRPC(h.Context(), lamp, command.Question{Timeout: time.Second})
		if err != nil || r.Code != command.Timeout {
			t.Fatal(r, err)
		}
		_, err = h.Answered(h.Context(), &dialect.RRPCAnswer{Ask: dialect.Ask{Claim: who}, Question: r.ID})
		refused, ok := errors.AsType[*dialect.Refusal](err)
		if !ok || refused.Code != "rrpc-unmatched" || !strings.Contains(refused.Sentence, "1904") || !strings.Contains(refused.SentenceZH, "1904") {
			t.Errorf("%v", err)
		}
		// Nobody answers for another device.
		h.broker.onSend = func(m broker.Message) {
			id := m.Topic[strings.LastIndex(m.Topic, "/")+1:]
			if _, err := h.Answered(h.Context(), &dialect.RRPCAnswer{Ask: dialect.Ask{Claim: claim(other)}, Question: id}); err == nil {
				t.Error("lamp-2 answered for lamp-1")
			}
		}
		if r, err := h.RRPC(h.Context(), lamp, command.Question{Timeout: time.Second}); err != nil || r.Code != command.Timeout {
			t.Error(r, err)
		}
	})
}

func TestQuestionsAreBounded(t *testing.T) {
	bubble(t, func(h *house) {
		ctx, stop := context.WithCancel(h.Context())
		for range command.MaxPendingPerDevice {
			go h.RRPC(ctx, lamp, command.Question{Timeout: 8 * time.Second})
		}
		synctest.Wait()
		if _, err := h.RRPC(ctx, lamp, command.Question{}); fault.KindOf(err) != fault.KindExhausted {
			t.Error(err)
		}
		if r, err := h.RRPC(ctx, other, command.Question{Timeout: time.Second}); err != nil || r.Code != command.Timeout {
			t.Errorf("another device: %+v, %v", r, err)
		}
		stop()
	})
}

func TestASynchronousCallIsAQuestion(t *testing.T) {
	for _, tt := range []struct {
		name, topic string
		ext         bool
	}{
		{"on the system topic, as C3 and JS want it", "/sys/a1NightLamp/lamp-1/rrpc/request/ID", false},
		{"on its own topic, as C4 wants it", "/ext/rrpc/ID/sys/a1NightLamp/lamp-1/thing/service/Measure", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				if tt.ext {
					h.withExt()
				}
				h.echo(`{"id":"whatever","code":200,"data":{"Value":1}}`)
				c, err := h.Invoke(h.Context(), lamp, "Measure", nil, command.Order{Wait: time.Second})
				if err != nil || c.State != command.Acknowledged || c.Output != `{"Value":1}` {
					t.Fatalf("%+v, %v", c, err)
				}
				parts := strings.Split(tt.topic, "ID")
				if sent := h.broker.sent[0]; !strings.HasPrefix(sent.Topic, parts[0]) || !strings.HasSuffix(sent.Topic, parts[1]) ||
					string(sent.Payload) != `{"method":"thing.service.Measure","id":"`+c.ID+`","params":{},"version":"1.0.0"}` {
					t.Errorf("%s %s", sent.Topic, sent.Payload)
				}
			})
		})
	}
	bubble(t, func(h *house) {
		h.echo("no JSON")
		if c, err := h.Invoke(h.Context(), lamp, "Measure", nil, command.Order{Wait: time.Second}); err != nil || c.State != command.Failed || c.Code != 460 {
			t.Errorf("%+v, %v", c, err)
		}
	})
	bubble(t, func(h *house) {
		c, err := h.Invoke(h.Context(), lamp, "Measure", nil, command.Order{Wait: 20 * time.Second})
		if err != nil || c.State != command.TimedOut || c.DoneAt.Sub(c.SentAt) > 10*time.Second {
			t.Errorf("%+v, %v: a synchronous call waits 8 s", c, err)
		}
		h.broker.online = false
		if _, err := h.Invoke(h.Context(), lamp, "Measure", nil, command.Order{}); fault.KindOf(err) != fault.KindUnavailable {
			t.Error(err)
		}
		h.broker.outcome = broker.Queued
		c, err = h.Invoke(h.Context(), lamp, "Measure", nil, command.Order{Async: true})
		if err != nil || c.State != command.Queued || c.Topic != "/sys/a1NightLamp/lamp-1/thing/service/Measure" {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

// A cast is what was published.
type publisher struct{ all []broker.Message }

func (p *publisher) Publish(m broker.Message) int {
	p.all = append(p.all, m)
	return 2
}

func TestBroadcast(t *testing.T) {
	bubble(t, func(h *house) {
		said := new(publisher)
		h.Publisher = said
		got, err := h.Broadcast(h.Context(), lamp.Product, "all/news", []byte("hi"))
		if err != nil || got != (command.Cast{Topic: "/broadcast/a1NightLamp/all/news", Reached: 2}) || len(said.all) != 1 || said.all[0].Topic != got.Topic || said.all[0].QoS != 0 {
			t.Errorf("%+v, %v", got, err)
		}
		got, err = h.Broadcast(h.Context(), lamp.Product, "", []byte("hi"))
		if err != nil || got.Reached != 2 || got.Missed != 0 || got.Topic != "/sys/a1NightLamp/+/broadcast/request/"+got.ID {
			t.Errorf("%+v, %v", got, err)
		}
		for i, device := range []string{"lamp-1", "lamp-2"} {
			if s := h.broker.sent[i]; s.Topic != "/sys/a1NightLamp/"+device+"/broadcast/request/"+got.ID || string(s.Payload) != "hi" || s.how != broker.Unasked {
				t.Errorf("%+v", s)
			}
		}
		for _, path := range []string{"", "other"} {
			if _, err := h.Broadcast(h.Context(), lamp.Product, path, nil); fault.KindOf(err) != fault.KindExhausted {
				t.Errorf("%q again at once: %v", path, err)
			}
		}
		time.Sleep(time.Second)
		if _, err := h.Broadcast(h.Context(), lamp.Product, "", nil); err != nil {
			t.Errorf("a second later: %v", err)
		}
		for path, payload := range map[string]int{"a//b": 0, "a/+": 0, "x": 64<<10 + 1, strings.Repeat("x", 65): 0} {
			if _, err := h.Broadcast(h.Context(), lamp.Product, path, make([]byte, payload)); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%q, %d bytes: %v", path, payload, err)
			}
		}
	})
}

// scripts say each message as its length.
type scripts struct{ err error }

func (scripts) Raw(context.Context, string) bool { return true }

func (s scripts) Encode(_ context.Context, _ string, doc []byte) ([]byte, error) {
	return fmt.Appendf(nil, "\xff%d", len(doc)), s.err
}

func TestCommandsOfADeviceThatSpeaksBytes(t *testing.T) {
	bubble(t, func(h *house) {
		h.Scripts = scripts{}
		c := h.set(lightOn)
		if sent := h.broker.sent[0]; sent.Topic != "/sys/a1NightLamp/lamp-1/thing/model/down_raw" || sent.Payload[0] != 0xff {
			t.Errorf("%s %q", sent.Topic, sent.Payload)
		}
		h.answer(c.ID, false, "")
		if call := h.invoke("Measure", nil); !strings.HasSuffix(call.Topic, "/thing/model/down_raw") {
			t.Errorf("a synchronous call of it: %+v", call)
		}
		h.Scripts = scripts{&script.Error{Kind: script.Exception, Message: "no", Line: 3}}
		before := len(h.broker.sent)
		if _, err := h.Set(h.Context(), lamp, lightOn, command.Order{}); fault.KindOf(err) != fault.KindConflict || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%v", err)
		}
		if len(h.broker.sent) != before {
			t.Error("something was sent")
		}
		line, _ := h.recorder.Timeline(lamp.Product, lamp.Device, trace.Query{})
		if line[0].Code != "aliyun-script-exception" || line[0].SentenceZH == "" {
			t.Errorf("%+v", line[0])
		}
	})
}
