package coapgate

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/mqtt"
)

// The device of the captured request [onenet §7].
var luat = dialect.Claim{Product: "SJaLt5cVL2", Device: "luatospc"}

// captured is that request, up to its payload.
const captured = "48020004b9e300448cc2b651b4247379730a534a614c743563564c32086c7561746f737063057468696e670870726f706572747904706f737411325132ff"

// A onenetGate knows that device, whose token is "good".
type onenetGate struct {
	*house
	key     string
	enabled bool
	gone    bool
}

func (g *onenetGate) Login(ctx context.Context, l dialect.Login, from broker.Origin, road string) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error) {
	who, why, err := g.Verify(ctx, l, from, road)
	if who == nil {
		return nil, nil, why, err
	}
	g.heard = append(g.heard, "login by "+road)
	return who, &registry.Device{Product: luat.Product, Name: luat.Device, Secret: g.key}, nil, nil
}

func (g *onenetGate) Verify(_ context.Context, l dialect.Login, _ broker.Origin, _ string) (*dialect.Subject, *dialect.Diagnosis, error) {
	switch {
	case g.broken != nil:
		return nil, nil, g.broken
	case l.Username != luat.Product || l.ClientID != luat.Device || string(l.Password) != "good" || !l.CleanSession || l.Version != mqtt.V311:
		return nil, &dialect.Diagnosis{Code: "onenet-wrong-key"}, nil
	}
	return &dialect.Subject{Claim: luat, Dialect: onenet.Dialect{}}, nil, nil
}

func (g *onenetGate) Known(_ context.Context, d dialect.Dialect, c dialect.Claim) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error) {
	device := &registry.Device{Product: luat.Product, Name: luat.Device, Secret: g.key}
	switch {
	case c != luat || d.Name() != "onenet" || g.gone:
		return nil, nil, &dialect.Diagnosis{Code: "device-unknown"}, nil
	case !g.enabled:
		return nil, device, &dialect.Diagnosis{Code: "device-disabled"}, nil
	}
	return &dialect.Subject{Claim: luat, Dialect: onenet.Dialect{}}, device, nil, nil
}

func onenetHouse(t *testing.T) (*house, *onenetGate) {
	g := &onenetGate{key: "k", enabled: true}
	h := newHouse(t, func(o *Options) { g.house, _ = o.Gate.(*house); o.Gate = g })
	return h, g
}

// askOneNET is a request byte by byte: POST /$sys/SJaLt5cVL2/luatospc/path.
func askOneNET(code byte, id uint16, token, path, payload string) []byte {
	b := []byte{0x40 | byte(len(token)), code, byte(id >> 8), byte(id)}
	b = append(b, token...)
	delta := 11
	for _, segment := range append([]string{"$sys", luat.Product, luat.Device}, strings.Split(path, "/")...) {
		b = appendOption(b, delta, []byte(segment))
		delta = 0
	}
	b = append(b, 0x11, 0x32, 0x51, 0x32) // content format and accept: JSON
	if payload != "" {
		b = append(append(b, 0xff), payload...)
	}
	return b
}

const goodLogin = `{"st":"good","lt":3600}`

// onenetLogin logs in and returns the token.
func onenetLogin(h *house, id uint16) string {
	h.Helper()
	got := h.one(askOneNET(2, id, "ab", "login", goodLogin))
	want := fmt.Sprintf("6241%04x6162ff", id) // 2.01 and eight bytes
	if !strings.HasPrefix(got, want) || len(got) != len(want)+16 {
		h.Fatalf("login: %s", got)
	}
	token, _ := hex.DecodeString(got[len(want):])
	return string(token)
}

func TestOneNETByCoAP(t *testing.T) {
	h, _ := onenetHouse(t)
	token := onenetLogin(h, 1)
	h.answer = ingest.Taken{Entry: 7, Answers: []dialect.Downlink{{Topic: "…/reply", Payload: []byte(`{"id":"3","code":200,"msg":"success"}`)}}}
	// The captured request, with the token that we made.
	request, _ := hex.DecodeString(captured)
	copy(request[4:12], token)
	got := h.one(append(request, `{"id":"3","version":"1.0","params":{}}`...))
	want := "68450004" + hex.EncodeToString([]byte(token)) + "c132" + "ff" + hex.EncodeToString([]byte(`{"id":"3","code":200,"msg":"success"}`))
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(h.taken) != 1 || h.taken[0] != `$sys/SJaLt5cVL2/luatospc/thing/property/post {"id":"3","version":"1.0","params":{}}` {
		t.Errorf("taken %q", h.taken)
	}
	h.answer = ingest.Taken{} // what has no reply
	if got := h.one(askOneNET(2, 5, token, "ota/inform_reply", `{}`)); got != "68450005"+hex.EncodeToString([]byte(token)) {
		t.Errorf("without a reply: %s", got)
	}
	// Kept alive by its token, and by its names alone.
	for i, with := range []string{token, "", "xyz"} {
		if got := h.one(askOneNET(2, uint16(10+i), with, "keep_alive", goodLogin)); got != fmt.Sprintf("%02x44%04x", 0x60|len(with), 10+i)+hex.EncodeToString([]byte(with)) {
			t.Errorf("keep alive with %q: %s", with, got)
		}
		h.at = h.at.Add(50 * time.Minute)
	}
	if got := h.one(askOneNET(2, 20, token, "thing/event/post", `{}`)); got[:4] != "6845" {
		t.Errorf("two and a half hours later: %s", got)
	}
	if got := h.one(askOneNET(4, 21, token, "logout", `{"st":"good"}`)); got != "68420015"+hex.EncodeToString([]byte(token)) {
		t.Errorf("logout: %s", got)
	}
	if got := h.one(askOneNET(2, 22, token, "thing/event/post", `{}`)); got[:4] != "6881" || h.lastRefusal() != "onenet-coap-token" {
		t.Errorf("after it: %s", got)
	}
	if last := h.heard[len(h.heard)-1]; last != "SJaLt5cVL2/luatospc left" || h.heard[0] != "login by CoAP over UDP" {
		t.Errorf("the gate heard %q", h.heard)
	}
}

func TestOneNETByCoAPIsRefused(t *testing.T) {
	h, g := onenetHouse(t)
	token := onenetLogin(h, 1)
	for i, tt := range []struct {
		name     string
		datagram func(id uint16) []byte
		code     string // of the answer, its second byte
		refusal  string
	}{
		{"no path", func(id uint16) []byte {
			return appendOption([]byte{0x40, 2, byte(id >> 8), byte(id)}, 11, []byte("$sys"))
		}, "84", "onenet-coap-request"},
		{"GET", func(id uint16) []byte { return askOneNET(1, id, token, "thing/property/post", "") }, "85", "onenet-coap-request"},
		{"a login by PUT", func(id uint16) []byte { return askOneNET(3, id, "", "login", goodLogin) }, "85", "onenet-coap-request"},
		{"a logout by POST", func(id uint16) []byte { return askOneNET(2, id, token, "logout", goodLogin) }, "85", "onenet-coap-request"},
		{"a critical option", func(id uint16) []byte {
			b := askOneNET(2, id, token, "thing/property/post", "")
			return append(appendOption(b, 65001-17, nil), 0xff, '{', '}')
		}, "82", "onenet-coap-request"},
		{"a login without JSON", func(id uint16) []byte { return askOneNET(2, id, "", "login", `{"st":"go`) }, "80", "onenet-coap-body"},
		{"a login with another key", func(id uint16) []byte { return askOneNET(2, id, "", "login", `{"st":"bad"}`) }, "81", ""},
		{"keep_alive with another key", func(id uint16) []byte { return askOneNET(2, id, token, "keep_alive", `{"st":"bad"}`) }, "81", ""},
		{"a token that is none", func(id uint16) []byte { return askOneNET(2, id, "12345678", "thing/property/post", `{}`) }, "81", "onenet-coap-token"},
		{"no token", func(id uint16) []byte { return askOneNET(2, id, "", "thing/property/post", `{}`) }, "81", "onenet-coap-token"},
	} {
		got := h.one(tt.datagram(uint16(100 + i)))
		if got[2:4] != tt.code || h.lastRefusal() != tt.refusal {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	if len(h.taken) > 0 {
		t.Errorf("taken %q", h.taken)
	}
	post := func(id uint16) string { return h.one(askOneNET(2, id, token, "thing/property/post", `{}`))[2:4] }
	h.answer = ingest.Taken{Reason: mqtt.NotAuthorized}
	if got := post(200); got != "83" {
		t.Errorf("a topic that is not its own: %s", got)
	}
	h.answer = ingest.Taken{}
	g.enabled = false
	if got := post(201); got != "83" || h.lastRefusal() != "device-disabled" {
		t.Errorf("disabled: %s", got)
	}
	g.enabled = true
	if got := post(202); got != "45" {
		t.Errorf("enabled again: %s", got)
	}
	g.key = "new"
	if got := post(203); got != "81" || h.lastRefusal() != "onenet-coap-token" {
		t.Errorf("another key: %s", got)
	}
	token = onenetLogin(h, 2)
	h.at = h.at.Add(time.Hour + time.Second)
	if got := post(204); got != "81" || h.lastRefusal() != "onenet-coap-token" {
		t.Errorf("its lifetime is over: %s", got)
	}
	token = onenetLogin(h, 3)
	g.gone = true
	if got := post(205); got != "81" || h.lastRefusal() != "device-unknown" {
		t.Errorf("deleted: %s", got)
	}
	g.gone = false
	if got := post(206); got != "81" || h.lastRefusal() != "onenet-coap-token" {
		t.Errorf("made again: %s", got)
	}
	// A token of OneNET's opens nothing of Aliyun's.
	token = onenetLogin(h, 4)
	if got := h.one(post2(300, tokenName([]byte(token)))); got[2:4] != "81" || h.lastRefusal() != "aliyun-coap-token-unknown" {
		t.Errorf("on Aliyun's path: %s", got)
	}
}

func post2(id uint16, bearer string) []byte {
	return post{id: id, path: "topic" + topic, format: 50, accept: 42, bearer: bearer, payload: []byte("x")}.bytes()
}
