package coapgate

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/mqtt"
)

// The answer to a login, byte for byte but for what is random in it.
func TestLoginAnswerBytes(t *testing.T) {
	h := newHouse(t)
	got := h.one(h.auth(0x1234, v11).bytes())
	// An acknowledgement of 0x1234 with the token, 2.05, Content-Format 50.
	want := "64451234" + "61626364" + "c132" + "ff" + hex.EncodeToString([]byte(`{"random":"`))
	if !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s…", got, want)
	}
	cbor, _ := hex.DecodeString("a5" + "6a70726f647563744b6579" + "6b61314e696768744c616d70" + "6a6465766963654e616d65" + "666c616d703031" +
		"68636c69656e744964" + "7261314e696768744c616d70266c616d703031" + "647369676e" + "7820" + hex.EncodeToString([]byte("8cef8fea53bfbf04765c3f05d0b1c4f6")) + "63736571" + "0a")
	got = h.one(post{id: 2, path: "auth", format: 60, accept: 60, payload: cbor}.bytes())
	want = "64450002" + "61626364" + "c13c" + "ff" + "a3" + "6672616e646f6d" + "70"
	if !strings.HasPrefix(got, want) {
		t.Errorf("in CBOR: got  %s\nwant %s…", got, want)
	}
	if fmt.Sprint(h.heard) != "[login by CoAP over UDP login by CoAP over UDP]" {
		t.Errorf("the gate heard %v", h.heard)
	}
}

// TestAnswersAreOfOneBlock: an answer longer than devices read is left out, and
// the report is taken all the same; asking for small blocks is no mistake.
func TestAnswersAreOfOneBlock(t *testing.T) {
	h := newHouse(t)
	token, key := h.login(1)
	short, long := []byte(`{"code":200}`), bytes.Repeat([]byte("x"), maxReply+1)
	for i, tt := range []struct{ said, told []byte }{{short, short}, {long, nil}, {long[1:], long[1:]}} {
		h.answer = ingest.Taken{Entry: 7, Answers: []dialect.Downlink{{Topic: topic + "_reply", Payload: tt.said}}}
		p := report(uint16(i+2), token, key, i+1, `{"id":"1"}`)
		p.extra = append(p.extra, opt{23, []byte{2}}) // Block2: block 0 of 64 bytes
		want := fmt.Sprintf("6445%04x", i+2) + "61626364" + "e1071d37" + "ff" + hex.EncodeToString(key.Append(nil, tt.told))
		if got := h.one(p.bytes()); got != want {
			t.Errorf("%d bytes: got  %.80s\nwant %.80s", len(tt.said), got, want)
		}
	}
	if len(h.taken) != 3 {
		t.Errorf("%d reports are taken", len(h.taken))
	}
}

func TestReportBytes(t *testing.T) {
	h := newHouse(t)
	token, key := h.login(1)
	h.answer = ingest.Taken{Entry: 892687627916247040, Answers: []dialect.Downlink{{Topic: topic + "_reply", Payload: []byte(`{"code":200}`)}}}
	got := h.one(report(2, token, key, 1, `{"id":"1"}`).bytes())
	// 2.05 with option 2090, 0x082a = 269 + 0x071d, the digits of the message id.
	want := "64450002" + "61626364" + "ed071d05" + hex.EncodeToString([]byte("892687627916247040")) + "ff" + hex.EncodeToString(key.Append(nil, []byte(`{"code":200}`)))
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(h.taken) != 1 || h.taken[0] != topic+` {"id":"1"}` || len(h.routed) != 0 || h.heard[1] != "a1NightLamp/lamp01 by CoAP over UDP" {
		t.Errorf("taken %q, routed %q, heard %q", h.taken, h.routed, h.heard)
	}
	// Not confirmable, as C3 reports its firmware: the answer is not either, and
	// has an id of its own. The topic is nobody's but subscribers'.
	h.answer = ingest.Taken{Route: true, Topic: "/a1NightLamp/lamp01/user/update", Entry: 7}
	p := report(3, token, key, 2, "x")
	p.typ, p.path = 1, "topic/a1NightLamp/lamp01/user/update"
	got = h.one(p.bytes())
	if want := "61626364" + "e1071d37" + "ff" + hex.EncodeToString(key.Append(nil, nil)); got[:4] != "5445" || got[8:] != want {
		t.Errorf("got  %s\nwant 5445 …%s", got, want)
	}
	if len(h.routed) != 1 || h.routed[0] != "/a1NightLamp/lamp01/user/update" {
		t.Errorf("routed %q", h.routed)
	}
	// Token and sequence number may stand in the query.
	p = report(4, token, key, 3, "x")
	p.extra = []opt{{15, []byte("token=" + token)}, {15, []byte("seq=" + hex.EncodeToString(p.seq))}}
	p.bearer, p.seq, p.accept = "", nil, -1
	if got := h.one(p.bytes()); got[2:4] != "45" {
		t.Errorf("from the query: %s", got)
	}
}

func TestAnswersApart(t *testing.T) {
	h := newHouse(t)
	sign := vendor.Sign(vendor.HMACMD5, ds, "clientIda1NightLamp&lamp01deviceNamelamp01productKeya1NightLampseq10")
	got := h.say(h.auth(1, `{`+names+`,"seq":"10","ackMode":"1","sign":"`+sign+`"}`).bytes())
	if len(got) != 2 || hex.EncodeToString(got[0]) != "60000001" || got[1][0] != 0x54 || got[1][1] != 0x45 {
		t.Fatalf("login: %x", got)
	}
	again := h.say(h.auth(1, `{}`).bytes())
	if len(again) != 2 || string(again[0]) != string(got[0]) || string(again[1]) != string(got[1]) {
		t.Errorf("sent again: %x", again)
	}
}

func TestARequestThatComesAgainIsAnsweredAgain(t *testing.T) {
	h := newHouse(t)
	token, key := h.login(1)
	first := h.one(report(2, token, key, 1, "x").bytes())
	if again := h.one(report(2, token, key, 1, "x").bytes()); again != first {
		t.Errorf("answered %s, then %s", first, again)
	}
	if len(h.taken) != 1 {
		t.Errorf("taken %d times", len(h.taken))
	}
	// From another address the same id is another message: here one that was
	// overheard.
	got := h.sayFrom(netip.MustParseAddrPort("192.0.2.8:40001"), report(2, token, key, 1, "x").bytes())
	if len(got) != 1 || hex.EncodeToString(got[0]) != "64830002"+"61626364" || h.lastRefusal() != "aliyun-coap-seq-repeated" || len(h.taken) != 1 {
		t.Errorf("replayed: %x, taken %d times", got, len(h.taken))
	}
	// After a while the id is free again, and the sequence number is not.
	h.at = h.at.Add(lifetime + time.Second)
	if got := h.one(report(2, token, key, 1, "x").bytes()); got != "64830002"+"61626364" {
		t.Errorf("later: %s", got)
	}
}

// What is refused: the code, no payload, and the reason in the timeline.
func TestRefusals(t *testing.T) {
	h := newHouse(t)
	token, key := h.login(1)
	good := report(0, token, key, 5, "x")
	id := uint16(100)
	for _, tt := range []struct {
		name, code, reason string
		change             func(p *post)
	}{
		{"another path", "84", "aliyun-coap-path", func(p *post) { p.path = "rd/" + strings.Repeat("x", 300) }},
		{"below /auth", "84", "aliyun-coap-path", func(p *post) { p.path = "auth/more" }},
		{"GET", "85", "aliyun-coap-method", func(p *post) { p.code = 3 }},
		{"a critical option that nobody knows", "82", "aliyun-coap-option", func(p *post) { p.extra = []opt{{65, []byte{1}}} }},
		{"no token", "81", "aliyun-coap-token-missing", func(p *post) { p.bearer = "" }},
		{"an unknown token", "81", "aliyun-coap-token-unknown", func(p *post) { p.bearer = strings.Repeat("0", 32) }},
		{"no sequence number", "81", "aliyun-coap-seq-missing", func(p *post) { p.seq = nil }},
		{"a sequence number in the clear", "81", "aliyun-coap-seq-unreadable", func(p *post) { p.seq = []byte("5") }},
		{"a sequence number of zero", "81", "aliyun-coap-seq-low", func(p *post) { p.seq = key.Append(nil, []byte("0")) }},
		{"a payload in the clear", "80", "aliyun-coap-cipher", func(p *post) { p.payload = []byte("{}") }},
		{"no payload", "80", "aliyun-coap-cipher", func(p *post) { p.payload = nil }},
		{"a topic with a wildcard", "84", "aliyun-coap-topic", func(p *post) { p.path = "topic/sys/+/x" }},
		{"no topic", "84", "aliyun-coap-topic", func(p *post) { p.path, p.seq = "topic", key.Append(nil, []byte("50")) }},
		{"too large", "8d", "aliyun-coap-too-large", func(p *post) { p.payload, p.seq = make([]byte, maxSent+1), nil }},
		{"larger than a datagram may be", "8d", "aliyun-coap-too-large", func(p *post) { p.payload = make([]byte, maxDatagram) }},
		{"a login in plain text", "8f", "aliyun-coap-format", func(p *post) { p.path, p.format, p.accept = "auth", 0, 50 }},
		{"a login answered as XML", "86", "aliyun-coap-accept", func(p *post) { p.path, p.accept = "auth", 41 }},
		{"a login that is no JSON", "80", "aliyun-coap-body", func(p *post) { *p = h.auth(0, "hello") }},
		{"a login without seq", "80", "aliyun-coap-missing", func(p *post) { *p = h.auth(0, `{`+names+`,"sign":"00"}`) }},
		{"a login without names", "80", "aliyun-coap-missing", func(p *post) { *p = h.auth(0, `{}`) }},
		{"a wrong signature", "81", "aliyun-wrong-secret", func(p *post) { *p = h.auth(0, strings.Replace(v11, "8cef", "8cee", 1)) }},
		{"seq not signed", "81", "aliyun-members-unsigned", func(p *post) {
			*p = h.auth(0, `{`+names+`,"seq":"1","sign":"`+vendor.Sign(vendor.HMACMD5, ds, "clientIda1NightLamp&lamp01deviceNamelamp01productKeya1NightLamp")+`"}`)
		}},
	} {
		p := good
		tt.change(&p)
		id++
		p.id = id
		if p.seq != nil && tt.reason == "aliyun-coap-topic" && len(p.seq) == 16 {
			p.seq = key.Append(nil, []byte(fmt.Sprint(id)))
		}
		got := h.one(p.bytes())
		if want := fmt.Sprintf("64%s%04x61626364", tt.code, id); got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
		if reason := h.lastRefusal(); reason != tt.reason {
			t.Errorf("%s: refused for %q, want %q", tt.name, reason, tt.reason)
		}
	}
	if len(h.taken) != 0 {
		t.Errorf("taken %q", h.taken)
	}
	if n := h.counters.Refused.Load(); n != int64(id-100) {
		t.Errorf("%d refusals counted, of %d", n, id-100)
	}
	// And after all of that the session is as good as before.
	good.id = 99
	if got := h.one(good.bytes()); got[2:4] != "45" {
		t.Errorf("a right message: %s", got)
	}
}

func TestWhatBecomesOfADeviceEndsItsSessions(t *testing.T) {
	for name, tt := range map[string]struct {
		change       func(h *house)
		code, reason string
	}{
		"disabled":       {func(h *house) { h.device.Enabled = false }, "83", "device-disabled"},
		"deleted":        {func(h *house) { h.gone = true }, "81", "device-unknown"},
		"another secret": {func(h *house) { h.device.Secret = "another" }, "81", "aliyun-coap-token-previous"},
		"store broken":   {func(h *house) { h.broken = errors.New("broken") }, "a0", ""},
		"expired":        {func(h *house) { h.at = h.at.Add(tokenLife + time.Second) }, "81", "aliyun-coap-token-unknown"},
		"forgotten":      {func(h *house) { h.Forget(lamp) }, "81", "aliyun-coap-token-unknown"},
		"not stored":     {func(h *house) { h.answer.Reason = mqtt.ImplementationSpecificError }, "a0", ""},
		"not its topic":  {func(h *house) { h.answer.Reason = mqtt.NotAuthorized }, "83", ""},
		"not understood": {func(h *house) { h.answer.Fault = &dialect.Diagnosis{} }, "80", ""},
	} {
		h := newHouse(t)
		token, key := h.login(1)
		tt.change(h)
		if got, want := h.one(report(2, token, key, 1, "x").bytes()), "64"+tt.code+"0002"+"61626364"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if reason := h.lastRefusal(); reason != tt.reason {
			t.Errorf("%s: refused for %q, want %q", name, reason, tt.reason)
		}
	}
	h := newHouse(t)
	h.device.Enabled = false
	if got := h.one(h.auth(1, v11).bytes()); got != "6483000161626364" {
		t.Errorf("login of a disabled device: %s", got)
	}
	h.broken = errors.New("broken")
	if got := h.one(h.auth(2, v11).bytes()); got != "64a0000261626364" {
		t.Errorf("login while the store is broken: %s", got)
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	h := newHouse(t)
	for name, tt := range map[string]struct{ sent, want string }{
		"a ping":                                    {"40001234", "70001234"},
		"an acknowledgement":                        {"60001234", ""},
		"a reset":                                   {"70001234", ""},
		"empty, not confirmable":                    {"50001234", ""},
		"a response":                                {"4045123400", "70001234"},
		"a response, not confirmable":               {"50451234", ""},
		"a token of nine bytes":                     {"49021234616263646566676869", "70001234"},
		"an option that is cut off":                 {"40021234b461", "70001234"},
		"an option with a reserved length":          {"40021234bf61", "70001234"},
		"a slash in a segment":                      {"40021234b3612f62", "70001234"},
		"a block larger than there are":             {"40021234b461757468d10307", "70001234"},
		"another version":                           {"80021234", ""},
		"three bytes":                               {"400212", ""},
		"nothing":                                   {"", ""},
		"more options than a message has":           {"40021234" + "b161" + strings.Repeat("0161", 100), "70001234"},
		"a DTLS ClientHello, on the port for plain": {"16fefd0000000000000000002a01", ""},
	} {
		sent, err := hex.DecodeString(tt.sent)
		if err != nil {
			t.Fatal(name, err)
		}
		var got string
		for _, b := range h.say(sent) {
			got += hex.EncodeToString(b)
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	if len(h.exchanges.known) != 0 || len(h.taken) != 0 {
		t.Errorf("%d exchanges are remembered", len(h.exchanges.known))
	}
}
