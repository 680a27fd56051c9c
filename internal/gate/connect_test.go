package gate_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestConnectAdmits(t *testing.T) {
	h := open(t, nil)
	grant, err := h.Connect(t.Context(), connect("farm/pump1", pumpSecret), fromAfar)
	if err != nil {
		t.Fatal(err)
	}
	want := &broker.Grant{
		Session: "farm/pump1", MaxQoS: mqtt.ExactlyOnce,
		Identity: &dialect.Subject{Claim: dialect.Claim{Product: "farm", Device: "pump1"}, Dialect: plain.Dialect{}},
	}
	if !reflect.DeepEqual(grant, want) {
		t.Errorf("%+v", grant)
	}
	c := h.alink(lampSecret)
	c.KeepAlive = 10
	if grant, err = h.Connect(t.Context(), c, fromAfar); err != nil {
		t.Fatal(err)
	}
	want = &broker.Grant{
		Session: "a1NightLamp/lamp01", MaxQoS: mqtt.AtLeastOnce, KeepAlive: 30, KeepSubscriptions: true,
		IgnoreRetain: true, IgnoreWill: true, SessionExpiry: 7 * 24 * time.Hour,
		Identity: &dialect.Subject{Claim: dialect.Claim{Product: "a1NightLamp", Device: "lamp01"}, Dialect: aliyun.Dialect{}},
	}
	if grant.Downlink == nil || !grant.Downlink() {
		t.Error("nobody counts what the device is told")
	}
	if grant.Downlink = nil; !reflect.DeepEqual(grant, want) {
		t.Errorf("%+v", grant)
	}
	all := story(h.timeline, lamp)
	if got := kinds(all); got != "connect note:aliyun-keep-alive" || all[1].Parent != all[0].ID || all[0].Sentence == "" || all[0].SentenceZH == "" {
		t.Errorf("%s, %+v", got, all)
	}
	if got := kinds(story(h.strangers, lamp)); got != "" {
		t.Errorf("strangers: %s", got)
	}
	h.wantSecret(pumpSecret, pump, lamp)
	h.wantSecret(string(c.Password), pump, lamp)
}

func TestConnectRefuses(t *testing.T) {
	for _, tt := range []struct {
		name     string
		connect  func(h *house) *packet.Connect
		who      registry.ID
		code     string
		stranger bool // it goes to the timeline of strangers
	}{
		{"wrong password", func(*house) *packet.Connect { return connect("farm/pump1", guess) }, pump, "mqtt-wrong-password", false},
		{"previous secret", func(*house) *packet.Connect { return connect("farm/pump1", oldSecret) }, pump, "mqtt-previous-secret", false},
		{"no password", func(*house) *packet.Connect { return connect("farm/pump1", "") }, pump, "mqtt-no-password", false},
		{"secret sent in place of the signature", func(h *house) *packet.Connect {
			c := h.alink(lampSecret)
			c.Password = []byte(lampSecret)
			return c
		}, lamp, "aliyun-secret-as-password", false},
		{"signed with the previous secret", func(h *house) *packet.Connect { return h.alink(oldSecret) }, lamp, "aliyun-previous-secret", false},
		{"disabled device with the right password", func(h *house) *packet.Connect {
			h.disable(pump)
			return connect("farm/pump1", pumpSecret)
		}, pump, "device-disabled", false},
		{"unknown product", func(*house) *packet.Connect { return connect("form/pump1", pumpSecret) }, registry.ID{Product: "form", Device: "pump1"}, "mqtt-unknown-product", true},
		{"unknown device", func(*house) *packet.Connect { return connect("farm/pump2", pumpSecret) }, registry.ID{Product: "farm", Device: "pump2"}, "mqtt-unknown-device", true},
		{"unknown device of Alink", func(*house) *packet.Connect { return connect("lamp02&a1NightLamp", guess) }, registry.ID{Product: "a1NightLamp", Device: "lamp02"}, "aliyun-unknown-device", true},
		{"device of another dialect's product", func(*house) *packet.Connect { return connect("pump1&farm", pumpSecret) }, pump, "wrong-dialect", false},
		{"no user name", func(*house) *packet.Connect { return connect("", pumpSecret) }, registry.ID{}, "aliyun-username-form", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, nil)
			c := tt.connect(h)
			opinion, err := h.Judge(t.Context(), c, fromAfar)
			if err != nil {
				t.Fatal(err)
			}
			if len(story(h.timeline, tt.who))+len(story(h.strangers, tt.who)) > 0 || h.log.String() != "" {
				t.Error("Judge writes down")
			}
			grant, err := h.Connect(t.Context(), c, fromAfar)
			refusal, ok := errors.AsType[*broker.Refusal](err)
			if grant != nil || !ok || refusal.Reason != mqtt.BadUserNameOrPassword || refusal.ReturnCode != 0 || packet.ReturnCode(refusal.Reason) != 4 || refusal.Silent {
				t.Fatalf("%+v, %+v [aliyun-device §2.6]", grant, err)
			}
			mine, other := h.timeline, h.strangers
			if tt.stranger {
				mine, other = other, mine
			}
			all := story(mine, tt.who)
			if len(all) != 1 || len(story(other, tt.who)) != 0 {
				t.Fatalf("told %s, to the others %s", kinds(all), kinds(story(other, tt.who)))
			}
			e := all[0]
			if e.Kind != trace.Refuse || tt.code != "" && e.Code != tt.code || e.Sentence == "" || e.SentenceZH == "" {
				t.Errorf("%+v", e)
			}
			if d := opinion.Diagnosis; d == nil || d.Code != e.Code || d.Sentence != e.Sentence || refusal.ReasonString != d.Sentence {
				t.Errorf("Judge says %+v, Connect %+v", d, e)
			}
			for _, secret := range []string{pumpSecret, lampSecret, oldSecret, guess} {
				h.wantSecret(secret, tt.who)
				if strings.Contains(refusal.ReasonString, secret) {
					t.Errorf("a stranger is told %s", refusal.ReasonString)
				}
			}
		})
	}
}

func TestRefusalDetail(t *testing.T) {
	h := open(t, nil)
	if _, err := h.Connect(t.Context(), connect("farm/pump1", guess), fromAfar); err == nil {
		t.Fatal("admitted")
	}
	doc, err := json.Marshal(story(h.timeline, pump)[0].Detail)
	if err != nil {
		t.Fatal(err)
	}
	var detail struct {
		Code, Advice string
		Times        int
		Connect      struct {
			ClientID, Username, Version, Transport, From string
			PasswordLength, KeepAlive                    int
		}
	}
	if err := json.Unmarshal(doc, &detail); err != nil {
		t.Fatal(err)
	}
	c := detail.Connect
	if detail.Code != "mqtt-wrong-password" || detail.Advice == "" || detail.Times != 1 || c.ClientID != "c1" || c.Username != "farm/pump1" ||
		c.PasswordLength != len(guess) || c.KeepAlive != 60 || c.Transport != "tcp" || c.From != "192.0.2.7:5000" || c.Version == "" {
		t.Errorf("%s", doc)
	}
}

func TestRepeatedRefusalsAreCounted(t *testing.T) {
	h := open(t, nil)
	const times = 9
	for range times {
		if _, err := h.Connect(t.Context(), connect("farm/pump1", guess), fromAfar); err == nil {
			t.Fatal("admitted")
		}
	}
	var shown []uint64
	for _, e := range story(h.timeline, pump) {
		doc, err := json.Marshal(e.Detail)
		if err != nil {
			t.Fatal(err)
		}
		var detail struct{ Times uint64 }
		if err := json.Unmarshal(doc, &detail); err != nil {
			t.Fatal(err)
		}
		shown = append(shown, detail.Times)
	}
	if want := []uint64{1, 2, 4, 8}; !reflect.DeepEqual(shown, want) {
		t.Errorf("shown at %v, want %v", shown, want)
	}
	if n := strings.Count(h.log.String(), "device refused"); n != 4 {
		t.Errorf("%d times in the log", n)
	}
	status, err := h.registry.Status(t.Context(), pump)
	if err != nil {
		t.Fatal(err)
	}
	last := status.LastRefusal
	if status.Refusals != times || last == nil || last.Count != times || last.Code != "mqtt-wrong-password" || last.ReturnCode != 4 ||
		last.Addr != "192.0.2.7:5000" || !last.At.Equal(h.now) || last.Sentence == "" || last.SentenceZH == "" || last.Advice == "" || last.AdviceZH == "" {
		t.Errorf("%d refusals, the last %+v", status.Refusals, last)
	}

	// Another mistake, or the same one from elsewhere, is shown at once.
	h.Connect(t.Context(), connect("farm/pump1", oldSecret), fromAfar)
	h.Connect(t.Context(), connect("farm/pump1", guess), fromHere)
	if got := kinds(story(h.timeline, pump)); !strings.HasSuffix(got, "refuse:mqtt-wrong-password refuse:mqtt-previous-secret refuse:mqtt-wrong-password") || len(story(h.timeline, pump)) != 6 {
		t.Errorf("%s", got)
	}
	// After a while it begins anew.
	h.now = h.now.Add(11 * time.Minute)
	h.Connect(t.Context(), connect("farm/pump1", guess), fromAfar)
	if got := len(story(h.timeline, pump)); got != 7 {
		t.Errorf("%d entries", got)
	}
}

// TestAnotherTryIsShown: who mends a login the wrong way sees what became of it,
// and a device that signs anew each time does not fill its timeline.
func TestAnotherTryIsShown(t *testing.T) {
	h := open(t, nil)
	try := func(password string, later time.Duration) int {
		t.Helper()
		h.now = h.now.Add(later)
		before := len(story(h.timeline, pump))
		if _, err := h.Connect(t.Context(), connect("farm/pump1", password), fromAfar); err == nil {
			t.Fatal("admitted")
		}
		return len(story(h.timeline, pump)) - before
	}
	for i, tt := range []struct {
		password string
		later    time.Duration
		shown    int
	}{
		{"try-one", 0, 1}, {"try-one", time.Second, 1}, // the 1st and the 2nd
		{"try-one", time.Minute, 0},     // again what was shown
		{"try-one", time.Minute, 1},     // the 4th
		{"try-two", time.Second, 0},     // at once behind another
		{"try-two", 4 * time.Second, 1}, // another
		{"try-two", time.Minute, 0},
		{"try-three", time.Minute, 1}, // the 8th, and another
		{"try-two", 5 * time.Second, 1},
	} {
		if got := try(tt.password, tt.later); got != tt.shown {
			t.Errorf("try %d: %d entries", i+1, got)
		}
	}
	// Invented names are shown at each doubling alone.
	for i := range 3 {
		h.now = h.now.Add(time.Minute)
		h.Connect(t.Context(), connect("farm/nobody", string(rune('a'+i))), fromAfar)
	}
	if got := len(story(h.strangers, registry.ID{Product: "farm", Device: "nobody"})); got != 2 {
		t.Errorf("%d entries of a stranger", got)
	}
}

func TestOpenProducts(t *testing.T) {
	lab := netip.MustParsePrefix("192.0.2.0/24")
	elsewhere := broker.Origin{Remote: netip.MustParseAddrPort("198.51.100.1:5000"), Transport: "tcp"}
	mapped := broker.Origin{Remote: netip.MustParseAddrPort("[::ffff:192.0.2.7]:5000"), Transport: "tcp"}
	for _, tt := range []struct {
		name     string
		login    *packet.Connect
		from     broker.Origin
		networks []netip.Prefix
		ok       bool
		told     string
	}{
		{"loopback", connect("lab/probe", guess), fromHere, nil, true, "connect note:mqtt-wrong-password"},
		{"loopback of IPv6", connect("lab/probe", guess), fromHere6, nil, true, "connect note:mqtt-wrong-password"},
		{"from afar", connect("lab/probe", guess), fromAfar, nil, false, "refuse:mqtt-wrong-password"},
		{"from an open network", connect("lab/probe", guess), fromAfar, []netip.Prefix{lab}, true, "connect note:mqtt-wrong-password"},
		{"from an open network, as IPv6 spells it", connect("lab/probe", guess), mapped, []netip.Prefix{lab}, true, "connect note:mqtt-wrong-password"},
		{"from beside an open network", connect("lab/probe", guess), elsewhere, []netip.Prefix{lab}, false, "refuse:mqtt-wrong-password"},
		{"a right password needs no excuse", connect("lab/probe", pumpSecret), fromAfar, nil, true, "connect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, func(o *gate.Options) { o.OpenNetworks = tt.networks })
			opinion, err := h.Judge(t.Context(), tt.login, tt.from)
			if err != nil || (opinion.Diagnosis == nil) != tt.ok {
				t.Errorf("Judge says %+v, %v", opinion, err)
			}
			grant, err := h.Connect(t.Context(), tt.login, tt.from)
			if (err == nil) != tt.ok || (grant != nil) != tt.ok {
				t.Fatalf("%+v, %v", grant, err)
			}
			if got := kinds(story(h.timeline, probe)); got != tt.told {
				t.Errorf("told %s", got)
			}
			if grant != nil && grant.Identity.(*dialect.Subject).Mode != dialect.Open {
				t.Errorf("%+v", grant.Identity)
			}
			h.wantSecret(guess, probe)
		})
	}
	h := open(t, nil)
	if _, err := h.Connect(t.Context(), connect("farm/pump1", guess), fromHere); err == nil {
		t.Error("a device of a product that is not open was let in from loopback")
	}
	if _, err := h.Connect(t.Context(), connect("lab/nobody", guess), fromHere); err == nil {
		t.Error("an open product let in a device that does not exist")
	}
	h.disable(probe)
	if _, err := h.Connect(t.Context(), connect("lab/probe", pumpSecret), fromHere); err == nil {
		t.Error("an open product let in a disabled device")
	}
}

func TestJudgeAdmits(t *testing.T) {
	h := open(t, nil)
	c := h.alink(lampSecret)
	c.KeepAlive = 10
	got, err := h.Judge(t.Context(), c, fromAfar)
	if err != nil || got.Diagnosis != nil || got.Dialect != "aliyun" || got.Claim.Session() != "a1NightLamp/lamp01" || len(got.Notes) != 1 || got.Notes[0].Code != "aliyun-keep-alive" {
		t.Errorf("%+v, %v", got, err)
	}
	status, err := h.registry.Status(t.Context(), lamp)
	if err != nil || status.State != registry.Inactive || len(story(h.timeline, lamp)) > 0 {
		t.Errorf("Judge writes down: %+v, %v", status, err)
	}
}

func TestStoreThatFailsIsNobodysFault(t *testing.T) {
	h := open(t, nil)
	h.store.Hook = func(string) error { return errors.New("disk on fire") }
	_, err := h.Connect(t.Context(), connect("elsewhere/pump1", guess), fromAfar)
	if !errors.Is(err, mqtt.ServerUnavailable) || strings.Contains(err.Error(), "fire") {
		t.Errorf("%v", err)
	}
	if refusal, ok := errors.AsType[*broker.Refusal](err); !ok || packet.ReturnCode(refusal.Reason) != 3 {
		t.Errorf("%+v", err)
	}
	if _, err := h.Judge(t.Context(), connect("elsewhere/pump1", guess), fromAfar); err == nil {
		t.Error("Judge knows")
	}
	if !strings.Contains(h.log.String(), "disk on fire") {
		t.Errorf("log: %s", h.log.String())
	}
	h.wantSecret(guess, registry.ID{Product: "elsewhere", Device: "pump1"})
}

func TestNoDialectAtAll(t *testing.T) {
	h := open(t, func(o *gate.Options) { o.Dialects, o.Log, o.Now = nil, (*slog.Logger)(nil), nil })
	if _, err := h.Connect(t.Context(), connect("farm/pump1", pumpSecret), fromAfar); err == nil {
		t.Fatal("admitted")
	}
	if got := kinds(story(h.strangers, registry.ID{})); got != "refuse:login-not-understood" {
		t.Errorf("%s", got)
	}
}

func TestModesHaveTheSameNames(t *testing.T) {
	for from, to := range map[registry.Strictness]dialect.Strictness{registry.Lenient: dialect.Lenient, registry.Strict: dialect.Strict, registry.Open: dialect.Open} {
		if got := gate.Mode(from); got != to {
			t.Errorf("%v became %v", from, got)
		}
	}
}
