package gate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	dialectaliyun "github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

const lampProductSecret = "Pq9LmN4bVcXz7KsD"

// An office says yes, or why not.
type office struct {
	asked []dialect.Registration
	err   error
	times int
}

func (o *office) Enroll(_ context.Context, r *dialect.Registration) (*dialect.Registered, error) {
	o.asked = append(o.asked, *r)
	if o.err != nil {
		return nil, o.err
	}
	return &dialect.Registered{Claim: r.Claim, Secret: lampSecret, Free: r.Free, Times: o.times, Again: o.times > 3}, nil
}

func (o *office) Would(context.Context, *dialect.Registration) error { return o.err }

// byTLS is fromAfar inside TLS.
func byTLS() broker.Origin {
	from := fromAfar
	from.Transport, from.TLSVersion = "tls", 0x0304
	return from
}

// registering is the CONNECT of the lamp that asks for a secret.
func registering(kind, secret string) *packet.Connect {
	return &packet.Connect{
		ProtocolName: "MQTT", Version: mqtt.V311, ClientID: "lamp01|securemode=2,authType=" + kind + ",random=7,signmethod=hmacsha1|", KeepAlive: 3,
		HasUsername: true, Username: "lamp01&a1NightLamp", HasPassword: true,
		Password: []byte(aliyun.Sign(aliyun.HMACSHA1, secret, aliyun.RegistrationContent("a1NightLamp", "lamp01", "7"))),
	}
}

func TestARegistrantIsToldAndHeardNoFurther(t *testing.T) {
	o := &office{times: 4}
	h := open(t, func(g *gate.Options) { g.Enrolments = o })
	for _, kind := range []string{"register", "regnwl"} {
		grant, err := h.Connect(t.Context(), registering(kind, lampProductSecret), byTLS())
		if err != nil {
			t.Fatal(err)
		}
		if _, subject := grant.Identity.(*dialect.Subject); subject || grant.Session == lamp.String() || grant.Lifetime != 15 || grant.KeepSubscriptions || grant.KeepAlive < 10 {
			t.Errorf("%s: granted %+v", kind, grant)
		}
	}
	if len(o.asked) != 2 || o.asked[0].Free || !o.asked[1].Free || o.asked[0].Road != "mqtt" || o.asked[0].Addr != fromAfar.Remote.String() {
		t.Errorf("%+v", o.asked)
	}
	if got := kinds(story(h.timeline, lamp)); got != "note:registered note:aliyun-register-again note:registered note:aliyun-register-again" {
		t.Errorf("the timeline tells %s", got)
	}
	h.wantSecret(lampSecret, lamp)
	h.wantSecret(lampProductSecret, lamp)
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		secret  string
		from    broker.Origin
		err     error
		code    string
		connack byte
		reason  mqtt.ReasonCode
	}{
		{"wrong secret", "another", byTLS(), nil, "aliyun-register-wrong-sign", 4, mqtt.BadUserNameOrPassword},
		{"the device's secret", lampSecret, byTLS(), nil, "aliyun-register-device-secret", 4, mqtt.BadUserNameOrPassword},
		{"no TLS", lampProductSecret, fromAfar, nil, "aliyun-register-plain", 2, mqtt.ClientIdentifierNotValid},
		{"switched off", lampProductSecret, byTLS(), dialect.ErrRegistrationOff, "aliyun-register-off", 4, mqtt.BadUserNameOrPassword},
		{"free is off", lampProductSecret, byTLS(), dialect.ErrRegistrationFreeOff, "aliyun-register-free-off", 4, mqtt.BadUserNameOrPassword},
		{"full", lampProductSecret, byTLS(), dialect.ErrRegistrationFull, "aliyun-register-full", 4, mqtt.BadUserNameOrPassword},
		{"not listed", lampProductSecret, byTLS(), dialect.ErrRegistrationUnlisted, "aliyun-register-unlisted", 4, mqtt.BadUserNameOrPassword},
		{"no device", lampProductSecret, byTLS(), dialect.ErrRegistrationNoDevice, "aliyun-register-no-device", 4, mqtt.BadUserNameOrPassword},
		{"no name", lampProductSecret, byTLS(), dialect.ErrRegistrationName, "aliyun-register-name", 2, mqtt.ClientIdentifierNotValid},
		{"disabled", lampProductSecret, byTLS(), dialect.ErrRegistrationDisabled, "aliyun-register-disabled", 4, mqtt.BadUserNameOrPassword},
		{"activated", lampProductSecret, byTLS(), dialect.ErrRegistrationActivated, "aliyun-register-activated", 4, mqtt.BadUserNameOrPassword},
		{"too often", lampProductSecret, byTLS(), dialect.ErrRegistrationTooOften, "aliyun-register-too-often", 3, mqtt.ServerUnavailable},
		{"not written down", lampProductSecret, byTLS(), dialect.ErrRegistrationUnavailable, "aliyun-register-unavailable", 3, mqtt.ServerUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &office{}
			if tt.err != nil {
				o.err = &dialect.RegistrationError{Why: tt.err, Count: 7}
			}
			h := open(t, func(g *gate.Options) { g.Enrolments = o })
			_, err := h.Connect(t.Context(), registering("register", tt.secret), tt.from)
			r, ok := errors.AsType[*broker.Refusal](err)
			if !ok || r.Reason != tt.reason || r.ReturnCode != tt.connack && (r.ReturnCode != 0 || packet.ReturnCode(r.Reason) != tt.connack) {
				t.Fatalf("%+v", err)
			}
			e := story(h.timeline, lamp)
			if len(e) != 1 || e[0].Code != tt.code || e[0].Sentence == "" || e[0].SentenceZH == "" || strings.Contains(e[0].Sentence+e[0].SentenceZH, "%!") {
				t.Errorf("%+v", e)
			}
			if tt.err == nil && len(o.asked) > 0 {
				t.Error("who signed nothing right was asked for")
			}
			h.wantSecret(lampSecret, lamp)
			h.wantSecret(lampProductSecret, lamp)
		})
	}
}

func TestRegistrationWithoutAnOffice(t *testing.T) {
	h := open(t, nil)
	if _, err := h.Connect(t.Context(), registering("register", lampProductSecret), byTLS()); err == nil {
		t.Fatal("let in")
	}
	if got := kinds(story(h.timeline, lamp)); got != "refuse:aliyun-register-off" {
		t.Errorf("%s", got)
	}
}

func TestTheDoctorExaminesRegistrations(t *testing.T) {
	o := &office{}
	h := open(t, func(g *gate.Options) { g.Enrolments = o })
	for secret, code := range map[string]string{lampProductSecret: "", lampSecret: "aliyun-register-device-secret"} {
		opinion, err := h.Judge(t.Context(), registering("register", secret), byTLS())
		if err != nil || (opinion.Diagnosis == nil) != (code == "") || code != "" && opinion.Diagnosis.Code != code {
			t.Errorf("%+v, %v", opinion, err)
		}
	}
	o.err = &dialect.RegistrationError{Why: dialect.ErrRegistrationActivated}
	if opinion, err := h.Judge(t.Context(), registering("register", lampProductSecret), byTLS()); err != nil || opinion.Diagnosis == nil || opinion.Diagnosis.Code != "aliyun-register-activated" {
		t.Errorf("%+v, %v", opinion, err)
	}
	if len(o.asked) > 0 || len(story(h.timeline, lamp)) > 0 {
		t.Error("an opinion has consequences")
	}
}

func TestRegistrationOfAnUnknownProductGoesToTheStrangers(t *testing.T) {
	h := open(t, func(g *gate.Options) { g.Enrolments = &office{} })
	r := dialectaliyun.RegistrationOf(aliyun.Registration{ProductKey: "a1Nowhere00", DeviceName: "x", Random: "1", SignMethod: "hmacmd5", Sign: "00", HTTP: true}, "https")
	told, why, err := h.Register(t.Context(), dialectaliyun.Dialect{}, r, byTLS())
	if told != nil || err != nil || why == nil || why.Code != "aliyun-unknown-product" {
		t.Errorf("%+v %+v %v", told, why, err)
	}
	nowhere := registry.ID{Product: "a1Nowhere00", Device: "x"}
	if got := kinds(story(h.strangers, nowhere)); got != "refuse:aliyun-unknown-product" || len(story(h.timeline, nowhere)) > 0 {
		t.Errorf("%s", got)
	}
}
