package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

func TestWhatDoesNotFitIsNotSent(t *testing.T) {
	one := func(id string, v thing.Value) []thing.Argument { return []thing.Argument{{ID: id, Value: v}} }
	for _, tt := range []struct {
		name     string
		id       registry.ID
		service  string // "" for a set
		values   []thing.Argument
		kind     fault.Kind
		field    string
		sentence string
	}{
		{"no property", lamp, "", nil, fault.KindInvalid, "values", "at least one"},
		{"unknown property", lamp, "", one("Brigthness", thing.IntValue(1)), fault.KindInvalid, "values", `"Brightness" is`},
		{"read-only property", lamp, "", one("CurrentTemperature", thing.IntValue(1)), fault.KindInvalid, "values", "read-only"},
		{"wrong type", lamp, "", one("Brightness", thing.TextValue("hot")), fault.KindInvalid, "values", `"hot"`},
		{"out of range", lamp, "", one("Brightness", thing.IntValue(101)), fault.KindInvalid, "values", "outside"},
		{"one right and one wrong", lamp, "", append(one("NightLightSwitch", thing.BoolValue(true)), one("Brightness", thing.IntValue(-1))...), fault.KindInvalid, "values", "outside"},
		{"unknown service", lamp, "Blnk", nil, fault.KindNotFound, "service", `"Blnk"`},
		{"missing input", lamp, "Blink", nil, fault.KindInvalid, "input", "missing"},
		{"input out of range", lamp, "Blink", one("Times", thing.IntValue(101)), fault.KindInvalid, "input", "outside"},
		{"unknown input", lamp, "Reboot", one("Now", thing.IntValue(1)), fault.KindInvalid, "input", `"Now"`},
		{"unknown device", registry.ID{Product: lamp.Product, Device: "nobody"}, "", lightOn, fault.KindNotFound, "", "nobody"},
		{"unknown product", registry.ID{Product: "a1Nowhere00", Device: "lamp-1"}, "", lightOn, fault.KindNotFound, "", "a1Nowhere00"},
		{"unknown device, called", registry.ID{Product: lamp.Product, Device: "nobody"}, "Reboot", nil, fault.KindNotFound, "", "nobody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				var err error
				if tt.service == "" {
					_, err = h.Set(h.Context(), tt.id, tt.values, command.Order{Wait: time.Minute})
				} else {
					_, err = h.Invoke(h.Context(), tt.id, tt.service, tt.values, command.Order{Wait: time.Minute})
				}
				f, ok := errors.AsType[*fault.Error](err)
				if !ok || f.Kind != tt.kind || f.Field != tt.field || !strings.Contains(f.Error(), tt.sentence) {
					h.Errorf("%+v", err)
				}
				if len(h.broker.sent) != 0 || len(h.facts()) != 0 || len(h.timeline()) != 0 {
					h.Errorf("sent %+v, kept %+v, told %+v", h.broker.sent, h.facts(), h.timeline())
				}
			})
		})
	}
}

func TestDisabledDeviceIsNotTold(t *testing.T) {
	bubble(t, func(h *house) {
		if _, err := h.registry.UpdateDevice(h.Context(), lamp, func(d *registry.Device) error { d.Enabled = false; return nil }); err != nil {
			h.Fatal(err)
		}
		if _, err := h.Set(h.Context(), lamp, lightOn, command.Order{}); fault.KindOf(err) != fault.KindConflict || len(h.broker.sent) != 0 {
			h.Errorf("%v, sent %+v", err, h.broker.sent)
		}
	})
}

// TestSaidAsTheVendorSaysIt: on the wire, in the feed, in the timeline.
func TestSaidAsTheVendorSaysIt(t *testing.T) {
	const sys = "/sys/a1NightLamp/lamp-1/thing/service/"
	for _, tt := range []struct {
		name, topic, payload, input string
		give                        func(h *house) command.Command
	}{
		{"a set [aliyun-device §5.4]", sys + "property/set",
			`{"method":"thing.service.property.set","id":"ID","params":{"NightLightSwitch":1},"version":"1.0.0"}`, `{"NightLightSwitch":true}`,
			func(h *house) command.Command { return h.set(lightOn) }},
		{"a call [aliyun-device §5.7]", sys + "Blink",
			`{"method":"thing.service.Blink","id":"ID","params":{"Times":3},"version":"1.0.0"}`, `{"Times":3}`,
			func(h *house) command.Command { return h.invoke("Blink", thrice) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				c := tt.give(h)
				payload := strings.Replace(tt.payload, "ID", c.ID, 1)
				if c.State != command.Delivered || c.Done() || c.Product != lamp.Product || c.Device != lamp.Device || c.Topic != tt.topic ||
					c.Payload != payload || c.Input != tt.input || !c.SentAt.Equal(now()) || !c.DoneAt.IsZero() {
					h.Errorf("%+v", c)
				}
				if len(h.broker.sent) != 1 {
					h.Fatalf("%+v", h.broker.sent)
				}
				s := h.broker.sent[0]
				if s.session != lamp.String() || s.Topic != tt.topic || string(s.Payload) != payload || s.QoS != mqtt.AtMostOnce || s.how != broker.Unasked {
					h.Errorf("%+v", s)
				}
				want := record.Command{ID: c.ID, Kind: string(c.Kind), Service: c.Service, Input: tt.input, State: "delivered", SentAt: now()}
				if all := h.facts(); len(all) != 1 || all[0] != (fact{record.CommandSent, want}) {
					h.Errorf("%+v", all)
				}
				line := h.timeline()
				if len(line) != 1 || line[0].Kind != trace.Command || line[0].Direction != "down" || line[0].Topic != tt.topic ||
					string(line[0].Payload) != payload || line[0].Sentence != "sent" || line[0].SentenceZH == "" || line[0].ID != h.log.Records(h.T)[0].TraceID {
					h.Errorf("%+v", line)
				}
			})
		})
	}
}

// TestAwayDeviceGetsItLater: what waits in the queue has to be at QoS 1.
func TestAwayDeviceGetsItLater(t *testing.T) {
	bubble(t, func(h *house) {
		h.broker.online, h.broker.outcome = false, broker.Queued
		c := h.set(lightOn)
		if c.State != command.Queued || c.Done() || h.broker.sent[0].QoS != mqtt.AtLeastOnce || h.states()[c.ID] != command.Queued {
			h.Errorf("%+v, sent %+v, kept %v", c, h.broker.sent, h.states())
		}
		time.Sleep(30 * time.Second) // of the bubble's time
		h.answer(c.ID, false, "")
		if h.states()[c.ID] != command.Acknowledged {
			h.Error(h.states())
		}
	})
}

func TestUndeliverableIsAnError(t *testing.T) {
	for outcome, kind := range map[broker.Outcome]fault.Kind{
		broker.Offline: fault.KindUnavailable, broker.NoSession: fault.KindUnavailable,
		broker.NotSubscribed: fault.KindConflict, broker.QueueFull: fault.KindExhausted, broker.TooLarge: fault.KindConflict,
	} {
		bubble(t, func(h *house) {
			h.broker.outcome = outcome
			if _, err := h.Set(h.Context(), lamp, lightOn, command.Order{Wait: time.Hour}); fault.KindOf(err) != kind ||
				strings.Contains(err.Error(), "matou device desired set") != (kind == fault.KindUnavailable) { // what does wait for it
				h.Errorf("%v: %v", outcome, err)
			}
			if line := h.timeline(); len(line) != 2 || line[1].Parent != line[0].ID || !strings.HasPrefix(line[1].Sentence, outcome.String()) || (line[1].Detail != nil) != (outcome == broker.NotSubscribed) || line[1].SentenceZH == "" || !strings.HasPrefix(line[1].Code, "downlink-") {
				h.Errorf("%v: %+v", outcome, line)
			}
			// Nothing is open: neither time nor a report has anything to end.
			h.Reported(h.Context(), who, []dialect.Reading{{Property: "NightLightSwitch"}})
			time.Sleep(2 * command.Patience)
			if all := h.facts(); len(all) != 0 {
				h.Errorf("%v: kept %+v", outcome, all)
			}
		})
	}
}

func TestWaitEndsWithTheAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply dialect.Reply
		want  command.State
	}{
		{"obeyed", dialect.Reply{Code: 200, OK: true, Message: "success", Data: `{"Left":0}`}, command.Acknowledged},
		{"refused", dialect.Reply{Code: 100001, Message: "lamp broken"}, command.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				began := time.Now()
				h.broker.onSend = func(m broker.Message) {
					go func() {
						time.Sleep(3 * time.Second)
						tt.reply.ID, tt.reply.Service = idIn(m.Payload), "Blink"
						h.Reply(h.Context(), who, tt.reply, true)
					}()
				}
				c, err := h.Invoke(h.Context(), lamp, "Blink", thrice, command.Order{Wait: 30 * time.Second})
				if err != nil || time.Since(began) != 3*time.Second {
					h.Fatalf("after %v: %v", time.Since(began), err)
				}
				if c.State != tt.want || !c.Done() || c.Code != tt.reply.Code || c.Message != tt.reply.Message || c.Output != tt.reply.Data || !c.DoneAt.Equal(now()) {
					h.Errorf("%+v", c)
				}
				all := h.facts()
				if len(all) != 2 || all[0].kind != record.CommandSent || all[0].State != "delivered" || all[1].kind != record.CommandDone {
					h.Fatalf("%+v", all)
				}
				want := record.Command{
					ID: c.ID, Kind: "invoke", Service: "Blink", Input: `{"Times":3}`, Output: tt.reply.Data, State: string(tt.want),
					Code: tt.reply.Code, Message: tt.reply.Message, SentAt: c.SentAt, DoneAt: c.DoneAt,
				}
				if all[1].Command != want {
					h.Errorf("%+v", all[1])
				}
				if line := h.timeline(); len(line) != 2 || line[1].Code != "command-"+string(tt.want) || !strings.Contains(line[1].Sentence, c.ID) || line[1].SentenceZH == "" {
					h.Errorf("%+v", line)
				}
			})
		})
	}
}

// idIn finds the id of a command in its payload.
func idIn(payload []byte) string {
	var m struct{ ID string }
	json.Unmarshal(payload, &m)
	return m.ID
}

func TestWaitEndsWithoutAnAnswer(t *testing.T) {
	bubble(t, func(h *house) {
		began := time.Now()
		c, err := h.Set(h.Context(), lamp, lightOn, command.Order{Wait: 5 * time.Second})
		if err != nil || c.State != command.Delivered || time.Since(began) != 5*time.Second {
			h.Errorf("after %v: %+v %v", time.Since(began), c, err)
		}
		began = time.Now()
		ctx, cancel := context.WithTimeout(h.Context(), 2*time.Second)
		defer cancel()
		c, err = h.Set(ctx, lamp, lightOn, command.Order{Wait: time.Minute})
		if err != nil || c.State != command.Delivered || time.Since(began) != 2*time.Second {
			h.Errorf("after %v: %+v %v", time.Since(began), c, err)
		}
		h.answer(c.ID, false, "") // it is open still
		if h.states()[c.ID] != command.Acknowledged {
			h.Error(h.states())
		}
	})
}

// TestDeviceIsFaster: the answer may come while the command is still being
// sent, and while it is being recorded; history keeps what is recorded last.
func TestDeviceIsFaster(t *testing.T) {
	t.Run("than Send returns", func(t *testing.T) {
		bubble(t, func(h *house) {
			h.broker.onSend = func(m broker.Message) { h.answer(idIn(m.Payload), false, "") }
			c, err := h.Set(h.Context(), lamp, lightOn, command.Order{Wait: time.Minute})
			if err != nil || c.State != command.Acknowledged || h.states()[c.ID] != command.Acknowledged {
				h.Errorf("%+v %v, kept %v", c, err, h.states())
			}
		})
	})
	t.Run("than the queue says so", func(t *testing.T) {
		bubble(t, func(h *house) {
			h.broker.outcome = broker.Queued
			h.broker.onSend = func(m broker.Message) { h.answer(idIn(m.Payload), false, "") }
			if c := h.set(lightOn); c.State != command.Acknowledged {
				h.Errorf("%+v", c)
			}
		})
	})
	t.Run("than the record is written", func(t *testing.T) {
		bubble(t, func(h *house) {
			// The time is asked for when the command begins, and again for
			// its record: there the device answers.
			asked := 0
			o := h.options
			o.Now = func() time.Time {
				if asked++; asked == 3 {
					h.answer(idIn(h.broker.sent[0].Payload), false, "")
				}
				return now()
			}
			h.Service = command.New(o)
			c := h.set(lightOn)
			if c.State != command.Acknowledged || h.states()[c.ID] != command.Acknowledged {
				h.Errorf("%+v, kept %+v", c, h.facts())
			}
			if all := h.facts(); len(all) != 2 || all[0].kind != record.CommandSent || all[1].kind != record.CommandDone {
				h.Errorf("%+v", all)
			}
		})
	})
}

func TestAnswersAreMatchedByID(t *testing.T) {
	bubble(t, func(h *house) {
		first, second, third := h.set(lightOn), h.set(bright), h.invoke("Blink", thrice)
		h.answer(second.ID, false, "")
		want := map[string]command.State{first.ID: command.Delivered, second.ID: command.Acknowledged, third.ID: command.Delivered}
		same(h, want)
		h.Reply(h.Context(), claim(other), dialect.Reply{ID: first.ID, Code: 200, OK: true}, false) // another device
		same(h, want)
		h.answer(third.ID, true, "Blink")
		h.answer(first.ID, false, "")
		want[third.ID], want[first.ID] = command.Acknowledged, command.Acknowledged
		same(h, want)
	})
}

func same(h *house, want map[string]command.State) {
	h.Helper()
	got := h.states()
	for id, state := range want {
		if got[id] != state {
			h.Errorf("command %s is %s, want %s", id, got[id], state)
		}
	}
}

// TestForeignIDAnswersTheNewest: devices that do not echo the id
// [aliyun-device §5.4].
func TestForeignIDAnswersTheNewest(t *testing.T) {
	for _, id := range []string{"", "1", "4711", "1763708400", "1763708400123", "abc"} {
		bubble(t, func(h *house) {
			older, newer := h.set(lightOn), h.set(bright)
			blink, reboot := h.invoke("Blink", thrice), h.invoke("Reboot", nil)
			h.answer(id, false, "")
			want := map[string]command.State{
				older.ID: command.Delivered, newer.ID: command.Acknowledged, blink.ID: command.Delivered, reboot.ID: command.Delivered,
			}
			same(h, want)
			h.answer(id, true, "Blink")
			want[blink.ID] = command.Acknowledged
			same(h, want)
		})
	}
}

// TestLateAnswersChangeNothing: an id that was given out names its command and
// no other, also when that one is over.
func TestLateAnswersChangeNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(h *house, id string)
		want command.State
	}{
		{"twice", func(h *house, id string) { h.answer(id, false, "") }, command.Acknowledged},
		{"after the timeout", func(h *house, id string) { time.Sleep(command.Patience + 2*time.Second) }, command.TimedOut},
		{"after a restart", func(h *house, id string) {
			time.Sleep(time.Second)
			h.Service = command.New(h.options)
		}, command.Delivered},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				first := h.set(lightOn)
				tt.end(h, first.ID)
				second := h.set(bright)
				before := len(h.facts())
				h.answer(first.ID, false, "")
				same(h, map[string]command.State{first.ID: tt.want, second.ID: command.Delivered})
				if after := h.facts(); len(after) != before {
					h.Errorf("recorded %+v", after[before:])
				}
				line := h.timeline()
				if e := line[len(line)-1]; e.Code != "reply-unmatched" || e.Sentence == "" || e.SentenceZH == "" {
					h.Errorf("%+v", e)
				}
			})
		})
	}
}

// TestReportsAnswerSets: many devices never answer, they report
// [aliyun-device §5.4].
func TestReportsAnswerSets(t *testing.T) {
	light, dim := dialect.Reading{Property: "NightLightSwitch", Value: thing.BoolValue(true)}, dialect.Reading{Property: "Brightness"}
	for _, tt := range []struct {
		name   string
		after  time.Duration
		from   dialect.Claim
		report []dialect.Reading
		want   command.State
	}{
		{"all of it", 0, who, []dialect.Reading{dim, light}, command.Acknowledged},
		{"all of it and more", 0, who, []dialect.Reading{{Property: "CurrentTemperature"}, dim, light}, command.Acknowledged},
		{"just in time", command.ReportWindow, who, []dialect.Reading{dim, light}, command.Acknowledged},
		{"too late", command.ReportWindow + time.Millisecond, who, []dialect.Reading{dim, light}, command.Delivered},
		{"a part of it", 0, who, []dialect.Reading{light}, command.Delivered},
		{"another device's", 0, claim(other), []dialect.Reading{dim, light}, command.Delivered},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(h *house) {
				c := h.set(append(append([]thing.Argument{}, lightOn...), bright...))
				call := h.invoke("Reboot", nil)
				time.Sleep(tt.after)
				h.Reported(h.Context(), tt.from, tt.report)
				same(h, map[string]command.State{c.ID: tt.want, call.ID: command.Delivered})
				if all := h.facts(); tt.want == command.Acknowledged && (all[2].Code != 200 || all[2].Message != "reported by the device" || !all[2].DoneAt.Equal(now())) {
					h.Errorf("%+v", all[2])
				}
			})
		})
	}
	t.Run("several sets at once", func(t *testing.T) {
		bubble(t, func(h *house) {
			first, second, third := h.set(lightOn), h.set(bright), h.set(lightOn)
			h.Reported(h.Context(), who, []dialect.Reading{light})
			same(h, map[string]command.State{first.ID: command.Acknowledged, second.ID: command.Delivered, third.ID: command.Acknowledged})
		})
	})
}

func TestPendingCommandsAreBounded(t *testing.T) {
	bubble(t, func(h *house) {
		var last command.Command
		h.broker.outcome = broker.Offline
		for range command.MaxPendingPerDevice { // what was not sent is not pending
			if _, err := h.Set(h.Context(), lamp, lightOn, command.Order{}); fault.KindOf(err) != fault.KindUnavailable {
				h.Fatal(err)
			}
		}
		h.broker.outcome, h.broker.sent = broker.Delivered, nil
		for range command.MaxPendingPerDevice {
			last = h.set(lightOn)
		}
		if _, err := h.Set(h.Context(), lamp, lightOn, command.Order{}); fault.KindOf(err) != fault.KindExhausted {
			h.Error(err)
		}
		if n := len(h.broker.sent); n != command.MaxPendingPerDevice {
			h.Errorf("%d were sent", n)
		}
		if _, err := h.Set(h.Context(), other, lightOn, command.Order{}); err != nil {
			h.Errorf("another device: %v", err)
		}
		h.answer(last.ID, false, "")
		h.set(lightOn) // one ended, one more may begin
		time.Sleep(command.Patience + 2*time.Second)
		for range command.MaxPendingPerDevice {
			h.set(lightOn)
		}
	})
}

// TestIDs are decimal, at most 13 digits (OneNET's bound), and grow, also when
// the server is started again in the next moment.
func TestIDs(t *testing.T) {
	bubble(t, func(h *house) {
		var before int64
		for range 3 {
			for range 5 {
				c := h.set(lightOn)
				id, err := strconv.ParseInt(c.ID, 10, 64)
				if err != nil || id <= before || len(c.ID) > 13 {
					h.Errorf("%q after %d: %v", c.ID, before, err)
				}
				before = id
			}
			time.Sleep(10 * time.Millisecond)
			h.Service = command.New(h.options)
		}
	})
	t.Run("with a clock that was never set", func(t *testing.T) {
		bubble(t, func(h *house) {
			h.options.Now = func() time.Time { return time.Unix(0, 0) }
			h.Service = command.New(h.options)
			if id := h.set(lightOn).ID; strings.Trim(id, "0123456789") != "" {
				h.Errorf("%q is not decimal", id)
			}
		})
	})
}

func TestTimeouts(t *testing.T) {
	bubble(t, func(h *house) {
		early := h.set(lightOn)
		time.Sleep(30 * time.Second)
		began := time.Now()
		c, err := h.Set(h.Context(), lamp, bright, command.Order{Wait: time.Hour})
		if took := time.Since(began); err != nil || c.State != command.TimedOut || took < command.Patience || took > command.Patience+2*time.Second {
			h.Errorf("after %v: %+v %v", took, c, err)
		}
		if !c.Done() || !strings.Contains(c.Message, "1m0s") || c.DoneAt.Sub(c.SentAt) < command.Patience {
			h.Errorf("%+v", c)
		}
		same(h, map[string]command.State{early.ID: command.TimedOut, c.ID: command.TimedOut})
		if all := h.facts(); len(all) != 4 || all[2].ID != early.ID || all[2].kind != record.CommandDone || !all[2].DoneAt.Before(all[3].DoneAt) {
			h.Errorf("%+v", all)
		}
	})
	t.Run("not before its time", func(t *testing.T) {
		bubble(t, func(h *house) {
			c := h.set(lightOn)
			time.Sleep(command.Patience)
			same(h, map[string]command.State{c.ID: command.Delivered})
			h.answer(c.ID, false, "")
			same(h, map[string]command.State{c.ID: command.Acknowledged})
		})
	})
}

func TestUnrecordedIsAnError(t *testing.T) {
	bubble(t, func(h *house) {
		h.log.Fail(errDisk)
		_, err := h.Set(h.Context(), lamp, lightOn, command.Order{Wait: time.Hour})
		if fault.KindOf(err) != fault.KindUnavailable || !errors.Is(err, errDisk) || len(h.broker.sent) != 1 {
			h.Errorf("%v, sent %+v", err, h.broker.sent)
		}
	})
}

// TestTimelineHoldsLittleOfALot: long inputs and outputs are in history; the
// timeline shows their beginning, and no secret anywhere.
func TestTimelineHoldsLittleOfALot(t *testing.T) {
	bubble(t, func(h *house) {
		long := strings.Repeat("灯", 30_000)
		c := h.set([]thing.Argument{{ID: "Note", Value: thing.TextValue(long)}})
		h.Reply(h.Context(), who, dialect.Reply{ID: c.ID, Code: 500, Message: long, Data: `{"a":"` + long + `"}`}, false)
		all := h.facts()
		if len(all) != 2 || !strings.Contains(all[1].Input, long) || !strings.Contains(all[1].Output, long) || !strings.Contains(c.Payload, long) {
			h.Error("history or the caller got less")
		}
		for _, e := range h.timeline() {
			told, err := json.Marshal(e)
			if err != nil || len(told) > 16<<10 || strings.Contains(string(told), secret) || strings.Contains(string(told), `\ufffd`) {
				h.Errorf("%s: %d bytes: %v %.300s", e.Kind, len(told), err, told)
			}
			detail, _ := e.Detail.(json.RawMessage)
			var d command.Command
			if err := json.Unmarshal(detail, &d); err != nil || d.ID != c.ID || !strings.HasPrefix(d.Input, `{"Note":"灯`) {
				h.Errorf("%v: %.100s", err, detail)
			}
		}
		if e := h.timeline()[0]; e.Size != len(c.Payload) || string(e.Payload) != c.Payload[:trace.MaxPayload] {
			h.Errorf("%d of %d bytes", len(e.Payload), e.Size)
		}
	})
}

// TestManyAtOnce: devices answer on goroutines of their own while others
// still send; every command ends once.
func TestManyAtOnce(t *testing.T) {
	bubble(t, func(h *house) {
		h.broker.onSend = func(m broker.Message) { go h.answer(idIn(m.Payload), false, "") }
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 20 {
					c, err := h.Set(h.Context(), lamp, lightOn, command.Order{Wait: time.Second})
					if err != nil || c.State != command.Acknowledged {
						h.Errorf("%+v %v", c, err)
					}
				}
			})
		}
		all.Wait()
		synctest.Wait()
		states := h.states()
		for id, state := range states {
			if state != command.Acknowledged {
				h.Errorf("%s is %s", id, state)
			}
		}
		if len(states) != 160 || len(h.facts()) != 320 {
			h.Errorf("%d commands, %d records", len(states), len(h.facts()))
		}
	})
}

// TestTheTimelineTellsOfACommandBeforeItsAnswer: the device may answer before
// Send returns, and the entry of what it answers has to come first.
func TestTheTimelineTellsOfACommandBeforeItsAnswer(t *testing.T) {
	bubble(t, func(h *house) {
		var before int
		h.broker.onSend = func(broker.Message) { before = len(h.timeline()) }
		h.set(lightOn)
		if before != 1 {
			h.Errorf("%d entries when the device could answer", before)
		}
	})
}
