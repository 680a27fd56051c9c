package aliyun

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
)

var _ dialect.Dialect = Dialect{}

// The device of the worked vectors [aliyun-device §2.10].
const (
	deviceSecret   = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	productSecret  = "Pq9LmN4bVcXz7KsD"
	previousSecret = "0ldSecret0ldSecret0ldSecret0ldSe"
	// hmacsha1 over clientIdlampdeviceNamelamp01productKeya1NightLamptimestamp789.
	signature         = "d64e996b6d009b6509b82f37f2ce4d5cce5ecabf"
	previousSignature = "0a34c09148aafd06bc191417f5b841951ec88080"
	productSignature  = "0dd399ecf3fe473e47880e3b6c0d6dd919d0b115"
)

var (
	lamp    = dialect.Claim{Product: "a1NightLamp", Device: "lamp01"}
	secrets = dialect.Secrets{Device: deviceSecret, PreviousDevice: previousSecret, Product: productSecret}
	now     = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
)

// login is a right one, changed.
func login(change func(l *dialect.Login)) *dialect.Login {
	l := &dialect.Login{
		ClientID: "lamp|securemode=3,signmethod=hmacsha1,timestamp=789|", Username: "lamp01&a1NightLamp",
		Password: []byte(signature), KeepAlive: 60, Version: mqtt.V311,
	}
	if change != nil {
		change(l)
	}
	return l
}

func password(s string) func(l *dialect.Login) {
	return func(l *dialect.Login) { l.Password = []byte(s) }
}

func TestName(t *testing.T) {
	if got := (Dialect{}).Name(); got != "aliyun" {
		t.Errorf("name %q", got)
	}
}

func TestClaimIsTheUserName(t *testing.T) {
	for _, tt := range []struct {
		name, username string
		want           []dialect.Claim
	}{
		{"deviceName&productKey", "lamp01&a1NightLamp", []dialect.Claim{lamp}},
		{"the last ampersand parts them [aliyun-device §2.2]", "a&b&pk", []dialect.Claim{{Product: "pk", Device: "a&b"}}},
		{"no ampersand", "lamp01", nil},
		{"no product", "lamp01&", nil},
		{"no device", "&a1NightLamp", nil},
		{"nothing", "", nil},
	} {
		if got := (Dialect{}).Claim(&dialect.Login{ClientID: "any", Username: tt.username}); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(l *dialect.Login)
		mode   dialect.Strictness
		ok     bool
		notes  string // their codes
		code   string // of the verdict's own diagnosis
	}{
		{"right", nil, dialect.Lenient, true, "", ""},
		{"right, strict", nil, dialect.Strict, true, "", ""},
		{"signature in capitals [aliyun-device §9 row 7]", password(strings.ToUpper(signature)), dialect.Strict, true, "", ""},
		{"previous secret", password(previousSignature), dialect.Lenient, false, "", ""},
		{"product's secret", password(productSignature), dialect.Lenient, false, "", ""},
		{"no password", password(""), dialect.Lenient, false, "", ""},
		{"open does not verify either", password("00"), dialect.Open, false, "", ""},
		{"keep-alive below 30 s is noted [aliyun-device §9 row 24]", func(l *dialect.Login) { l.KeepAlive = 29 }, dialect.Lenient, true, "aliyun-keep-alive", ""},
		{"keep-alive above 1200 s is noted", func(l *dialect.Login) { l.KeepAlive = 1201 }, dialect.Lenient, true, "aliyun-keep-alive", ""},
		{"strict refuses a keep-alive below 30 s [aliyun-device §2.7]", func(l *dialect.Login) { l.KeepAlive = 29 }, dialect.Strict, false, "aliyun-keep-alive", "aliyun-keep-alive"},
		{"strict takes 30 s", func(l *dialect.Login) { l.KeepAlive = 30 }, dialect.Strict, true, "", ""},
		{"strict takes 1200 s", func(l *dialect.Login) { l.KeepAlive = 1200 }, dialect.Strict, true, "", ""},
		{"a wrong signature comes before the keep-alive", func(l *dialect.Login) { l.KeepAlive, l.Password = 0, nil }, dialect.Strict, false, "aliyun-keep-alive", ""},
		{"securemode of plain TCP over TLS is noted only [aliyun-device §9 row 11]", func(l *dialect.Login) { l.TLS = true }, dialect.Strict, true, "aliyun-securemode", ""},
		{"securemode of TLS over plain TCP is noted only", func(l *dialect.Login) {
			l.ClientID = "lamp|securemode=2,signmethod=hmacsha1,timestamp=789|"
		}, dialect.Lenient, true, "aliyun-securemode", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := Dialect{}.Verify(login(tt.change), lamp, secrets, tt.mode, now)
			var codes []string
			for _, n := range v.Notes {
				codes = append(codes, n.Code)
				if n.Sentence == "" || n.SentenceZH == "" {
					t.Errorf("note without words: %+v", n)
				}
			}
			code := ""
			if v.Diagnosis != nil {
				code = v.Diagnosis.Code
			}
			if v.OK != tt.ok || strings.Join(codes, " ") != tt.notes || code != tt.code {
				t.Errorf("ok %v, notes %q, diagnosis %q", v.OK, codes, code)
			}
		})
	}
	if (Dialect{}).Verify(login(nil), lamp, dialect.Secrets{PreviousDevice: deviceSecret, Product: deviceSecret}, dialect.Lenient, now).OK {
		t.Error("a device without a secret was let in by another one's")
	}
}

// A house knows one product with one device.
type house struct{}

func (house) KnowsProduct(p string) bool   { return p == lamp.Product }
func (house) KnowsDevice(p, d string) bool { return p == lamp.Product && d == lamp.Device }

func TestDiagnose(t *testing.T) {
	for _, tt := range []struct {
		name        string
		change      func(l *dialect.Login)
		code, field string
	}{
		{"previous secret", password(previousSignature), "aliyun-previous-secret", "password"},
		{"product's secret [aliyun-device §10 row 2]", password(productSignature), "aliyun-product-secret", "password"},
		{"unknown product", func(l *dialect.Login) { l.Username = "lamp01&a1Nowhere" }, "aliyun-unknown-product", "product"},
		{"unknown device", func(l *dialect.Login) { l.Username = "lamp02&a1NightLamp" }, "aliyun-unknown-device", "device"},
		{"device name in capitals", func(l *dialect.Login) { l.Username = "LAMP01&a1NightLamp" }, "aliyun-device-name-case", "device"},
		{"names swapped [aliyun-device §10 row 9]", func(l *dialect.Login) { l.Username = "a1NightLamp&lamp01" }, "aliyun-names-swapped", "username"},
		{"form of the user name", func(l *dialect.Login) { l.Username = "a1NightLamp/lamp01" }, "aliyun-username-form", "username"},
		{"other method than announced", func(l *dialect.Login) { l.ClientID = "lamp|securemode=3,signmethod=hmacsha256,timestamp=789|" }, "aliyun-wrong-method", "clientId"},
		{"the secret as password", password(deviceSecret), "aliyun-secret-as-password", "password"},
		{"somebody's signature", password(strings.Repeat("0", 40)), "aliyun-wrong-secret", "password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := login(tt.change)
			d := Dialect{}.Diagnose(l, secrets, house{}, dialect.Lenient, now)
			if d == nil || d.Code != tt.code || d.Field != tt.field {
				t.Fatalf("%+v", d)
			}
			if d.Sentence == "" || d.SentenceZH == "" || d.Advice == "" || d.AdviceZH == "" {
				t.Errorf("without words: %+v", d)
			}
			doc, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{deviceSecret, previousSecret, productSecret} {
				if strings.Contains(string(doc), secret) {
					t.Errorf("a secret is told: %s", doc)
				}
			}
		})
	}
	if d := (Dialect{}).Diagnose(login(nil), secrets, house{}, dialect.Lenient, now); d != nil {
		t.Errorf("a right login is refused: %+v", d)
	}
	if d := (Dialect{}).Diagnose(login(password(previousSignature)), secrets, nil, dialect.Lenient, now); d == nil || d.Code != "aliyun-previous-secret" {
		t.Errorf("without a house: %+v", d)
	}
}

// A secret in hex looks like a signature of hmacmd5, which may be shown.
func TestDiagnoseTellsNoSecretThatIsHex(t *testing.T) {
	const current, previous, product = "390358fc597040aa73221e8393aba86c", "1f0e6d5c4b3a29181706f5e4d3c2b1a0", "00112233445566778899aabbccddeeff"
	k := dialect.Secrets{Device: current, PreviousDevice: previous, Product: product}
	for _, sent := range []string{current, previous, product, strings.ToUpper(current)} {
		d := Dialect{}.Diagnose(login(password(sent)), k, house{}, dialect.Lenient, now)
		if d == nil {
			t.Fatalf("%s was let in", sent)
		}
		doc, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(doc), sent) {
			t.Errorf("%s is told: %s", sent, doc)
		}
	}
}

func TestDiagnosisHoldsTheRightLogin(t *testing.T) {
	d := Dialect{}.Diagnose(login(password(previousSignature)), secrets, house{}, dialect.Lenient, now)
	want := &dialect.Credentials{ClientID: "lamp|securemode=3,signmethod=hmacsha1,timestamp=789|", Username: "lamp01&a1NightLamp", Password: signature}
	if d == nil || !reflect.DeepEqual(d.RightLogin, want) {
		t.Fatalf("%+v", d)
	}
	if d.StringToSign != "clientIdlampdeviceNamelamp01productKeya1NightLamptimestamp789" || d.Received != previousSignature || d.Expected != signature {
		t.Errorf("%+v", d)
	}
}

func TestCredentialsLogIn(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options dialect.CredentialOptions
		want    []dialect.Credentials
	}{
		{"usual", dialect.CredentialOptions{Host: "iot.example", Port: 1883}, []dialect.Credentials{
			{Method: "hmacsha256", ClientID: "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256|", Username: "lamp01&a1NightLamp", Password: "fb10c679a86703b2134eea2f92feb8b9c773e5b402527d4355e8dd7d54e0b6ab", Host: "iot.example", Port: 1883},
			{Method: "hmacsha1", ClientID: "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha1|", Username: "lamp01&a1NightLamp", Password: "0c5e25c5723e91fea4edeab1929a9e329cdf4a82", Host: "iot.example", Port: 1883},
			{Method: "hmacmd5", ClientID: "a1NightLamp.lamp01|securemode=3,signmethod=hmacmd5|", Username: "lamp01&a1NightLamp", Password: "2f4ba8b0a597d7b1360d086ba00c1b0a", Host: "iot.example", Port: 1883},
		}},
		{"TLS, own client id, timestamp", dialect.CredentialOptions{ClientID: "lamp", Timestamp: "789", TLS: true, Port: 8883}, []dialect.Credentials{
			{Method: "hmacsha256", ClientID: "lamp|securemode=2,signmethod=hmacsha256,timestamp=789|", Username: "lamp01&a1NightLamp", Password: "8bf935e3a42a66f139a54edcd14ccc172c1ad24a24ee9d2a3dc5da3a94075dd7", Port: 8883},
			{Method: "hmacsha1", ClientID: "lamp|securemode=2,signmethod=hmacsha1,timestamp=789|", Username: "lamp01&a1NightLamp", Password: signature, Port: 8883},
			{Method: "hmacmd5", ClientID: "lamp|securemode=2,signmethod=hmacmd5,timestamp=789|", Username: "lamp01&a1NightLamp", Password: "324ae8b280160513d8591d94e749d3c0", Port: 8883},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Dialect{}.Credentials(lamp, secrets, tt.options)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Fatalf("%v\n got %+v\nwant %+v", err, got, tt.want)
			}
			for _, c := range got {
				l := &dialect.Login{ClientID: c.ClientID, Username: c.Username, Password: []byte(c.Password), KeepAlive: 60, TLS: tt.options.TLS, Version: mqtt.V311}
				if v := (Dialect{}).Verify(l, lamp, secrets, dialect.Strict, now); !v.OK || len(v.Notes) > 0 {
					t.Errorf("%s: refused, %+v", c.Method, v)
				}
			}
		})
	}
}

func TestSession(t *testing.T) {
	const week = 7 * 24 * time.Hour
	for _, tt := range []struct {
		name      string
		version   mqtt.Version
		keepAlive uint16
		want      dialect.Session
	}{
		{"as asked", mqtt.V311, 60, dialect.Session{KeepSubscriptions: true, MaxQoS: 1, IgnoreRetain: true, IgnoreWill: true, Expiry: week}},
		{"MQTT 3.1", mqtt.V31, 60, dialect.Session{KeepSubscriptions: true, MaxQoS: 1, IgnoreRetain: true, IgnoreWill: true, Expiry: week}},
		{"5.0 has retain and will [aliyun-device §2.5]", mqtt.V5, 60, dialect.Session{KeepSubscriptions: true, MaxQoS: 1, Expiry: week}},
		{"none is the longest", mqtt.V5, 0, dialect.Session{KeepAlive: 1200, KeepSubscriptions: true, MaxQoS: 1, Expiry: week}},
		{"too short", mqtt.V5, 29, dialect.Session{KeepAlive: 30, KeepSubscriptions: true, MaxQoS: 1, Expiry: week}},
		{"shortest", mqtt.V5, 30, dialect.Session{KeepSubscriptions: true, MaxQoS: 1, Expiry: week}},
		{"longest", mqtt.V5, 1200, dialect.Session{KeepSubscriptions: true, MaxQoS: 1, Expiry: week}},
		{"too long", mqtt.V5, 1201, dialect.Session{KeepAlive: 1200, KeepSubscriptions: true, MaxQoS: 1, Expiry: week}},
	} {
		if got := (Dialect{}).Session(&dialect.Login{KeepAlive: tt.keepAlive, Version: tt.version}, dialect.Lenient); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
