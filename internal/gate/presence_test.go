package gate_test

import (
	"testing"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

var lampSubject = &dialect.Subject{Claim: dialect.Claim{Product: lamp.Product, Device: lamp.Device}, Dialect: aliyun.Dialect{}}

func TestADeviceWithoutAConnectionComesAndGoes(t *testing.T) {
	h := open(t, nil)
	told := h.timeline.Watch(t.Context(), lamp.Product, lamp.Device)
	for range 3 {
		h.Heard(lampSubject, fromAfar, "CoAP over UDP")
	}
	if got := h.status(lamp); got.State != registry.Online || got.LastAddr != fromAfar.Remote.String() || got.Protocol != "CoAP over UDP" || got.ActivatedAt.IsZero() {
		t.Errorf("online: %+v", got)
	}
	last := h.now
	h.now = h.now.Add(10 * time.Minute)
	h.Silent(lampSubject, last)
	h.Silent(lampSubject, last)
	if got := h.status(lamp); got.State != registry.Offline || got.OfflineReason == "" {
		t.Errorf("offline: %+v", got)
	}
	if e := until(t, told, trace.Disconnect); e.Sentence != "nothing was reported for a while: the last report came at 2026-07-01T00:00:00Z" || e.SentenceZH == "" {
		t.Errorf("%+v", e)
	}
	if got := h.statuses.String(); got != "a1NightLamp/lamp01 ONLINE, a1NightLamp/lamp01 OFFLINE" {
		t.Errorf("told %s", got)
	}
}

func TestWhoHasAConnectionStaysOnline(t *testing.T) {
	h := open(t, nil)
	h.Heard(lampSubject, fromAfar, "CoAP over UDP")
	h.registry.WentOnline(lamp, h.now, "192.0.2.9:1", "c1", "MQTT 3.1.1 over tcp") // it has come by another road
	h.Heard(lampSubject, fromAfar, "CoAP over UDP")
	h.Silent(lampSubject, h.now)
	if got := h.status(lamp); got.State != registry.Online || got.ClientID != "c1" || got.Protocol != "MQTT 3.1.1 over tcp" {
		t.Errorf("%+v", got)
	}
	nobody := &dialect.Subject{Claim: dialect.Claim{Product: lamp.Product, Device: "deleted"}, Dialect: aliyun.Dialect{}}
	h.Heard(nobody, fromAfar, "CoAP over UDP")
	h.Silent(nobody, h.now)
	if got := h.statuses.String(); got != "a1NightLamp/lamp01 ONLINE" {
		t.Errorf("told %s", got)
	}
}

func TestLoginsThatSignOtherTexts(t *testing.T) {
	h := open(t, nil)
	login := func(f dialect.Form, sign string) string {
		t.Helper()
		who, device, why, err := h.Login(t.Context(), dialect.Login{Username: lamp.Device + "&" + lamp.Product, Password: []byte(sign), Form: &f}, fromAfar, "CoAP over UDP")
		switch {
		case err != nil:
			t.Fatal(err)
		case why != nil:
			return why.Code
		case who.Claim != lampSubject.Claim || device.ID() != lamp:
			t.Errorf("let in as %+v", who)
		}
		return "in"
	}
	text := "clientIdc1deviceNamelamp01productKeya1NightLampseq10"
	f := dialect.Form{ClientID: "c1", Texts: []string{text}}
	for _, tt := range []struct {
		form       dialect.Form
		sign, want string
	}{
		{f, vendor.Sign(vendor.HMACMD5, lampSecret, text), "in"},
		{f, vendor.Sign(vendor.HMACMD5, lampSecret, "clientIdc1deviceNamelamp01productKeya1NightLamp"), "aliyun-members-unsigned"},
		{f, vendor.Sign(vendor.HMACMD5, guess, text), "aliyun-wrong-secret"},
		{dialect.Form{Proved: true}, "", "in"},
		{dialect.Form{}, "", "aliyun-no-password"},
	} {
		if got := login(tt.form, tt.sign); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.form, got, tt.want)
		}
	}
	h.wantSecret(lampSecret, lamp)
}

func TestWhyOfflineIsSaidInChinese(t *testing.T) {
	for cause := broker.Disconnected; cause <= broker.LifetimeOver; cause++ {
		if zh := gate.ReasonZH(cause.String()); zh == cause.String() {
			t.Errorf("%q has no Chinese", zh)
		}
	}
	if got := gate.ReasonZH("logged out"); got != "设备已登出" {
		t.Error(got)
	}
	if got := gate.ReasonZH("as nobody says"); got != "as nobody says" {
		t.Error(got)
	}
}
