package command_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
)

var (
	tv      = registry.ID{Product: "VRqhDHF2wL", Device: "my_tv"} // with a thing model
	logger  = registry.ID{Product: "238322", Device: "logger"}    // with data streams
	tvSays  = claim(tv)
	logSays = claim(logger)
)

// onenetBubble is bubble with a house that has devices of OneNET.
func onenetBubble(t *testing.T, test func(h *house)) {
	bubble(t, func(h *house) {
		for _, p := range []registry.Product{
			{Key: tv.Product, Dialect: "onenet", Model: model()}, {Key: logger.Product, Dialect: "onenet", DataModel: registry.Streams},
		} {
			if _, err := h.registry.CreateProduct(h.Context(), p); err != nil {
				h.Fatal(err)
			}
		}
		for _, id := range []registry.ID{tv, logger} {
			if _, err := h.registry.CreateDevice(h.Context(), registry.Device{Product: id.Product, Name: id.Device}); err != nil {
				h.Fatal(err)
			}
		}
		h.Dialects = dialect.Set{aliyun.Dialect{}, onenet.Dialect{}}
		test(h)
	})
}

// response is a device's answer in bytes.
func response(who dialect.Claim, id, payload string) *dialect.Response {
	return &dialect.Response{Ask: dialect.Ask{Claim: who}, Command: id, Payload: []byte(payload)}
}

// whileSending lets the device answer before the command is sent.
func (h *house) whileSending(answer func(id string)) {
	h.broker.onSend = func(m broker.Message) { answer(m.Topic[strings.LastIndexByte(m.Topic, '/')+1:]) }
}

func TestCommandAndItsResponse(t *testing.T) {
	onenetBubble(t, func(h *house) {
		h.whileSending(func(id string) {
			if _, err := h.Respond(h.Context(), response(logSays, id, "done")); err != nil {
				h.Error(err)
			}
		})
		c, err := h.Command(h.Context(), logger, []byte("\xff\x00"), command.Order{Wait: time.Minute, Timeout: 10 * time.Second})
		if err != nil || c.State != command.Acknowledged || c.Output != `"done"` || c.Input != `{"base64":"/wA="}` || c.Payload != "/wA=" || c.Kind != command.Bytes {
			h.Errorf("%+v, %v", c, err)
		}
		if s := h.broker.sent; len(s) != 1 || s[0].Topic != "$sys/238322/logger/cmd/request/"+c.ID || string(s[0].Payload) != "\xff\x00" || s[0].how != broker.IfSubscribed {
			h.Errorf("%+v", s)
		}
		for name, who := range map[string]dialect.Claim{"answered twice": logSays, "another device": tvSays} {
			_, err := h.Respond(h.Context(), response(who, c.ID, "again"))
			if r, ok := errors.AsType[*dialect.Refusal](err); !ok || !errors.Is(err, dialect.ErrResponseUnasked) || r.Code != "response-unasked" || r.SentenceZH == "" {
				h.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestCommandTimesOut(t *testing.T) {
	onenetBubble(t, func(h *house) {
		begun := time.Now()
		c, err := h.Command(h.Context(), logger, []byte("on"), command.Order{Wait: time.Minute, Timeout: 5 * time.Second})
		if took := time.Since(begun); err != nil || c.State != command.TimedOut || took < 5*time.Second || took > 7*time.Second || !strings.Contains(c.Message, "5s") {
			h.Errorf("%+v after %v, %v", c, took, err)
		}
		if _, err := h.Respond(h.Context(), response(logSays, c.ID, "done")); !errors.Is(err, dialect.ErrResponseLate) {
			h.Errorf("an answer afterwards: %v", err)
		}
		if _, err := h.Respond(h.Context(), response(tvSays, c.ID, "done")); !errors.Is(err, dialect.ErrResponseUnasked) {
			h.Errorf("of another device: %v", err)
		}
	})
}

func TestRawBytesAndTheirReply(t *testing.T) {
	onenetBubble(t, func(h *house) {
		h.whileSending(func(id string) { h.Respond(h.Context(), response(tvSays, id, "\x01\xfe")) })
		c, err := h.Raw(h.Context(), tv, []byte{1}, command.Order{Wait: time.Minute})
		if err != nil || c.State != command.Acknowledged || c.Output != `{"base64":"Af4="}` || c.Input != `"\u0001"` || c.Topic != "$sys/VRqhDHF2wL/my_tv/custome/down/"+c.ID {
			h.Errorf("%+v, %v", c, err)
		}
	})
}

func TestPropertiesAreAskedFor(t *testing.T) {
	onenetBubble(t, func(h *house) {
		h.broker.onSend = func(m broker.Message) {
			id := strings.Split(string(m.Payload), `"`)[3]
			h.Reply(h.Context(), tvSays, dialect.Reply{ID: "no such", ByID: true, Code: 200, OK: true}, false)
			h.Reply(h.Context(), tvSays, dialect.Reply{ID: id, ByID: true, Code: 200, OK: true, Data: `{"Brightness":40}`}, false)
		}
		c, err := h.Get(h.Context(), tv, []string{"Brightness", "Note"}, command.Order{Wait: time.Minute})
		if err != nil || c.State != command.Acknowledged || c.Output != `{"Brightness":40}` || c.Kind != command.Get || c.Input != `["Brightness","Note"]` {
			h.Errorf("%+v, %v", c, err)
		}
		if want := `{"id":"` + c.ID + `","version":"1.0","params":["Brightness","Note"]}`; c.Topic != "$sys/VRqhDHF2wL/my_tv/thing/property/get" || c.Payload != want {
			h.Errorf("%s %s", c.Topic, c.Payload)
		}
	})
}

// TestGetReplyAnswersNoSet: a reply to a get goes by its id alone.
func TestGetReplyAnswersNoSet(t *testing.T) {
	onenetBubble(t, func(h *house) {
		c, err := h.Set(h.Context(), tv, lightOn, command.Order{})
		if err != nil {
			h.Fatal(err)
		}
		h.Reply(h.Context(), tvSays, dialect.Reply{ID: "7", ByID: true, Code: 200, OK: true}, false)
		if state := h.lastState(c.ID); state != command.Delivered {
			h.Errorf("the set is %s", state)
		}
	})
}

func (h *house) lastState(id string) command.State {
	h.Helper()
	var state command.State
	for _, r := range h.log.Records(h.T) {
		c, err := record.DecodeCommand(r.Body)
		if err != nil {
			h.Fatal(err)
		}
		if c.ID == id {
			state = command.State(c.State)
		}
	}
	return state
}

func TestBytesThatAreNotSent(t *testing.T) {
	onenetBubble(t, func(h *house) {
		give := func(id registry.ID, size int, timeout time.Duration) error {
			_, err := h.Command(h.Context(), id, make([]byte, size), command.Order{Timeout: timeout})
			return err
		}
		get := func(id registry.ID, names ...string) error {
			_, err := h.Get(h.Context(), id, names, command.Order{})
			return err
		}
		raw := func(id registry.ID, size int) error {
			_, err := h.Raw(h.Context(), id, make([]byte, size), command.Order{})
			return err
		}
		_, set := h.Set(h.Context(), logger, lightOn, command.Order{})
		for name, tt := range map[string]struct {
			err   error
			kind  fault.Kind
			field string
		}{
			"more than 20 KB":           {give(logger, 20<<10+1, 0), fault.KindInvalid, "payload"},
			"timeout too short":         {give(logger, 1, 4*time.Second), fault.KindInvalid, "timeout"},
			"timeout too long":          {give(logger, 1, 31*time.Second), fault.KindInvalid, "timeout"},
			"a command of Aliyun":       {give(lamp, 1, 0), fault.KindConflict, ""},
			"raw bytes of Aliyun":       {raw(lamp, 1), fault.KindConflict, ""},
			"too many raw bytes":        {raw(tv, 128<<10+1), fault.KindInvalid, "payload"},
			"get of no property":        {get(tv), fault.KindInvalid, "properties"},
			"get of an unknown one":     {get(tv, "Brigthness"), fault.KindInvalid, "properties"},
			"get of data streams":       {get(logger, "a"), fault.KindConflict, ""},
			"get of an unknown device":  {get(registry.ID{Product: tv.Product, Device: "x"}, "Note"), fault.KindNotFound, ""},
			"set of data streams":       {set, fault.KindConflict, "values"},
			"raw for an unknown device": {raw(registry.ID{Product: tv.Product, Device: "x"}, 1), fault.KindNotFound, ""},
		} {
			f, ok := errors.AsType[*fault.Error](tt.err)
			if !ok || f.Kind != tt.kind || f.Field != tt.field {
				h.Errorf("%s: %+v", name, tt.err)
			}
		}
		h.broker.online = false
		if err := give(logger, 1, 0); fault.KindOf(err) != fault.KindUnavailable {
			h.Errorf("a device that is away: %v", err)
		}
		if len(h.broker.sent) > 0 {
			h.Errorf("sent %+v", h.broker.sent)
		}
	})
}
