package onenet

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

// The sample key and the tokens made with it, sha1 [onenet §2.4]; productKey
// is the key of the official example.
const (
	key          = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="
	productKey   = "EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM="
	token        = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=sha1&sign=fDfXBcMmuy1xrSMDu5C1CLAxmCo%3D"
	productToken = "version=2018-10-31&res=products%2FVRqhDHF2wL&et=1893456000&method=sha1&sign=%2BoTDL1B5EUIJonZSojO15238FR0%3D"
	textKeyToken = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=sha1&sign=mOj7oUAr7i3NPhDNiiQF8K8fK%2Bc%3D"
	seedToken    = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1661245031&method=md5&sign=y4iDPu6Yp84FO7sxpcdcSQ%3D%3D"
)

var (
	tv  = dialect.Claim{Product: "VRqhDHF2wL", Device: "my_tv"}
	now = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
)

var _ dialect.Dialect = Dialect{}

// login is a right one, changed.
func login(change func(l *dialect.Login)) *dialect.Login {
	l := &dialect.Login{
		ClientID: "my_tv", Username: "VRqhDHF2wL", Password: []byte(token), KeepAlive: 60, Version: mqtt.V311, CleanSession: true,
	}
	if change != nil {
		change(l)
	}
	return l
}

func TestName(t *testing.T) {
	if got := (Dialect{}).Name(); got != "onenet" {
		t.Errorf("name %q", got)
	}
}

func TestClaim(t *testing.T) {
	type claims = []dialect.Claim
	for _, tt := range []struct {
		name, clientID, username, password string
		first                              dialect.Claim
		among                              claims
	}{
		{"a right login", "my_tv", "VRqhDHF2wL", token, tv, claims{tv}},
		{"product token", "my_tv", "VRqhDHF2wL", productToken, tv, claims{tv}},
		{"client id pid&name: the token names the device [onenet §10 row 2]", "VRqhDHF2wL&my_tv", "VRqhDHF2wL", token, dialect.Claim{Product: "VRqhDHF2wL", Device: "VRqhDHF2wL&my_tv"}, claims{tv}},
		{"invented client id", "mqttx_17", "VRqhDHF2wL", token, dialect.Claim{Product: "VRqhDHF2wL", Device: "mqttx_17"}, claims{tv}},
		{"swapped names", "VRqhDHF2wL", "my_tv", token, dialect.Claim{Product: "my_tv", Device: "VRqhDHF2wL"}, claims{tv}},
		{"both names invented", "x", "y", token, dialect.Claim{Product: "y", Device: "x"}, claims{tv}},
		{"swapped names and no token", "VRqhDHF2wL", "my_tv", "", dialect.Claim{Product: "my_tv", Device: "VRqhDHF2wL"}, claims{tv}},
		{"user name left out", "my_tv", "", token, tv, claims{tv}},
		{"client id left out", "", "VRqhDHF2wL", token, tv, claims{tv}},
		{"token cut behind its resource", "x", "VRqhDHF2wL", token[:70], dialect.Claim{Product: "VRqhDHF2wL", Device: "x"}, claims{tv}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Dialect{}.Claim(&dialect.Login{ClientID: tt.clientID, Username: tt.username, Password: []byte(tt.password)})
			if len(got) == 0 || got[0] != tt.first {
				t.Fatalf("first of %v, want %v", got, tt.first)
			}
			for _, c := range tt.among {
				if !slices.Contains(got, c) {
					t.Errorf("%v is not among %v", c, got)
				}
			}
			for i, c := range got {
				if c.Product == "" || c.Device == "" || slices.Contains(got[:i], c) {
					t.Errorf("claim %v is empty or repeated", c)
				}
			}
		})
	}
	if got := (Dialect{}).Claim(new(dialect.Login)); got != nil {
		t.Errorf("an empty login claims %v", got)
	}
}

func TestVerify(t *testing.T) {
	device, product := dialect.Secrets{Device: key}, dialect.Secrets{Device: productKey, Product: key}
	for _, tt := range []struct {
		name   string
		change func(l *dialect.Login)
		keys   dialect.Secrets
		mode   dialect.Strictness
		ok     bool
		notes  []string
		code   string // of the verdict's own diagnosis
	}{
		{"device key", nil, device, dialect.Lenient, true, nil, ""},
		{"device key, strict", nil, device, dialect.Strict, true, nil, ""},
		{"device's resource signed with the product's key [onenet §2.1]", nil, product, dialect.Lenient, true, nil, ""},
		{"product's resource", func(l *dialect.Login) { l.Password = []byte(productToken) }, product, dialect.Lenient, true, nil, ""},
		{"product's resource signed with the device's key", func(l *dialect.Login) { l.Password = []byte(productToken) }, device, dialect.Lenient, false, nil, ""},
		{"no key known", nil, dialect.Secrets{}, dialect.Lenient, false, nil, ""},
		{"previous key", nil, dialect.Secrets{Device: productKey, PreviousDevice: key}, dialect.Lenient, false, nil, ""},
		{"key not decoded", func(l *dialect.Login) { l.Password = []byte(textKeyToken) }, device, dialect.Lenient, false, nil, ""},
		{"expired", func(l *dialect.Login) { l.Password = []byte(seedToken) }, device, dialect.Lenient, false, nil, ""},
		{"wrong client id", func(l *dialect.Login) { l.ClientID = "other" }, device, dialect.Lenient, false, nil, ""},
		{"wrong user name", func(l *dialect.Login) { l.Username = "other" }, device, dialect.Lenient, false, nil, ""},
		{"no password", func(l *dialect.Login) { l.Password = nil }, device, dialect.Lenient, false, nil, ""},
		{"lenient notes what OneNET minds", func(l *dialect.Login) {
			l.KeepAlive, l.CleanSession, l.Will, l.Version = 0, false, true, mqtt.V5
			l.Password = append(l.Password, "\r\n"...)
		}, device, dialect.Lenient, true, []string{"onenet-protocol-level", "onenet-keep-alive", "onenet-clean-session", "onenet-will", "onenet-trailing-bytes"}, ""},
		{"strict refuses a keep-alive of 5 s [onenet §1.3]", func(l *dialect.Login) { l.KeepAlive = 5 }, device, dialect.Strict, false, nil, "onenet-keep-alive"},
		{"strict refuses a will [onenet §1.3]", func(l *dialect.Login) { l.Will = true }, device, dialect.Strict, false, nil, "onenet-will"},
		{"strict refuses a kept session [onenet §1.3]", func(l *dialect.Login) { l.CleanSession = false }, device, dialect.Strict, false, nil, "onenet-clean-session"},
		{"strict refuses MQTT 3.1 [onenet §1.3]", func(l *dialect.Login) { l.Version = mqtt.V31 }, device, dialect.Strict, false, nil, "onenet-protocol-level"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := Dialect{}.Verify(login(tt.change), tv, tt.keys, tt.mode, now)
			if v.OK != tt.ok || !reflect.DeepEqual(noteCodes(v.Notes), tt.notes) {
				t.Errorf("ok %v, notes %v", v.OK, noteCodes(v.Notes))
			}
			code := ""
			if v.Diagnosis != nil {
				code = v.Diagnosis.Code
			}
			if code != tt.code {
				t.Errorf("diagnosis %q, want %q", code, tt.code)
			}
		})
	}
}

func noteCodes(notes []dialect.Note) (codes []string) {
	for _, n := range notes {
		if n.Sentence == "" || n.SentenceZH == "" {
			panic("note " + n.Code + " says nothing")
		}
		codes = append(codes, n.Code)
	}
	return codes
}

func TestVerifyLetsInOnlyTheClaimed(t *testing.T) {
	other := dialect.Claim{Product: "VRqhDHF2wL", Device: "your_tv"}
	for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict, dialect.Open} {
		if v := (Dialect{}).Verify(login(nil), other, dialect.Secrets{Device: key}, mode, now); v.OK {
			t.Errorf("mode %d: a login of my_tv is right for your_tv", mode)
		}
	}
}

func TestOpenWaivesTheExpiryOnly(t *testing.T) {
	later := time.Unix(1893456000, 0).Add(time.Hour)
	secrets := dialect.Secrets{Device: key}
	if v := (Dialect{}).Verify(login(nil), tv, secrets, dialect.Lenient, later); v.OK {
		t.Error("lenient takes an expired token")
	}
	if v := (Dialect{}).Verify(login(nil), tv, secrets, dialect.Open, later); !v.OK {
		t.Error("open refuses a token whose only mistake is its age")
	}
	if d := (Dialect{}).Diagnose(login(nil), secrets, nil, dialect.Open, later); d != nil {
		t.Errorf("open still minds %s", d.Code)
	}
	wrong := login(func(l *dialect.Login) { l.Password = []byte(textKeyToken) })
	if v := (Dialect{}).Verify(wrong, tv, secrets, dialect.Open, later); v.OK {
		t.Error("open calls a wrong signature right; the gate would not note it")
	}
}

type known struct{}

func (known) KnowsProduct(p string) bool   { return p == tv.Product }
func (known) KnowsDevice(p, d string) bool { return p == tv.Product && d == tv.Device }

func TestDiagnose(t *testing.T) {
	secrets := dialect.Secrets{Device: key}
	for _, tt := range []struct {
		name   string
		change func(l *dialect.Login)
		mode   dialect.Strictness
		code   string
		field  string
	}{
		{"right", nil, dialect.Lenient, "", ""},
		{"right, strict", nil, dialect.Strict, "", ""},
		{"the seed's token [onenet §2.5]", func(l *dialect.Login) { l.Password = []byte(seedToken) }, dialect.Lenient, "onenet-token-expired", "et"},
		{"pid&name", func(l *dialect.Login) { l.ClientID = "VRqhDHF2wL&my_tv" }, dialect.Lenient, "onenet-client-id-joined", "clientId"},
		{"swapped names", func(l *dialect.Login) { l.ClientID, l.Username = l.Username, l.ClientID }, dialect.Lenient, "onenet-names-swapped", "username"},
		{"key not decoded", func(l *dialect.Login) { l.Password = []byte(textKeyToken) }, dialect.Lenient, "onenet-key-not-decoded", "sign"},
		{"unknown product", func(l *dialect.Login) {
			l.Username, l.Password = "nobody", []byte(strings.ReplaceAll(token, tv.Product, "nobody"))
		}, dialect.Lenient, "onenet-unknown-product", "username"},
		{"keep-alive 5, strict", func(l *dialect.Login) { l.KeepAlive = 5 }, dialect.Strict, "onenet-keep-alive", "keepAlive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Dialect{}.Diagnose(login(tt.change), secrets, known{}, tt.mode, now)
			if tt.code == "" {
				if d != nil {
					t.Fatalf("a right login is diagnosed: %+v", d)
				}
				return
			}
			if d == nil || d.Code != tt.code || d.Field != tt.field {
				t.Fatalf("%+v, want %s in %s", d, tt.code, tt.field)
			}
			if d.Sentence == "" || d.SentenceZH == "" || d.Advice == "" || d.AdviceZH == "" {
				t.Errorf("something is left unsaid: %+v", d)
			}
			for _, secret := range []string{key, "2ae177353fe350127ad8b34107f03c5d"} {
				if strings.Contains(strings.Join([]string{d.Received, d.Expected, d.Sentence, d.Advice, d.StringToSign}, " "), secret) {
					t.Errorf("the key is in %+v", d)
				}
			}
		})
	}
}

func TestDiagnoseOffersTheRightLogin(t *testing.T) {
	wrong := login(func(l *dialect.Login) { l.Password = []byte(textKeyToken) })
	for name, known := range map[string]dialect.Known{"nobody knows": nil, "the registry knows": known{}} {
		d := Dialect{}.Diagnose(wrong, dialect.Secrets{Device: key}, known, dialect.Lenient, now)
		if d == nil || d.RightLogin == nil {
			t.Fatalf("%s: %+v", name, d)
		}
		if r := d.RightLogin; r.ClientID != "my_tv" || r.Username != "VRqhDHF2wL" || r.Password != token {
			t.Errorf("%s: offers %+v", name, r)
		}
		if want := "1893456000\nsha1\nproducts/VRqhDHF2wL/devices/my_tv\n2018-10-31"; d.StringToSign != want {
			t.Errorf("%s: to be signed is %q, want %q", name, d.StringToSign, want)
		}
	}
}

func TestSession(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
		for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict, dialect.Open} {
			want := dialect.Session{MaxQoS: mqtt.AtLeastOnce, IgnoreRetain: v == mqtt.V5, IgnoreWill: true}
			if got := (Dialect{}).Session(&dialect.Login{Version: v}, mode); got != want {
				t.Errorf("MQTT %v in mode %d: %+v", v, mode, got)
			}
		}
	}
}

func TestMaySubscribe(t *testing.T) {
	const own = "$sys/VRqhDHF2wL/my_tv/"
	for _, tt := range []struct {
		filter   string
		mode     dialect.Strictness
		code     string // "": granted
		expected string
	}{
		{own + "thing/property/set", dialect.Lenient, "", ""},
		{own + "thing/property/post/reply", dialect.Strict, "", ""},
		{own + "thing/service/+/invoke", dialect.Strict, "", ""},
		{own + "thing/#", dialect.Strict, "", ""},
		{own + "ota/#", dialect.Strict, "", ""},
		{own + "#", dialect.Strict, "", ""},
		{own + "custome/down/+", dialect.Strict, "", ""},
		{own + "cmd/request/+", dialect.Strict, "onenet-data-model", "a topic below thing/"},
		{own + "cmd/#", dialect.Strict, "onenet-data-model", "a topic below thing/"},
		{own + "dp/post/json/accepted", dialect.Strict, "onenet-data-model", "a topic below thing/"},
		{own + "thing/property/set#x!", dialect.Strict, "onenet-bad-topic", "at most 8 levels of letters, digits, _ and -"},
		{own + "thing/a/b/c/d/e", dialect.Strict, "onenet-bad-topic", "at most 8 levels of letters, digits, _ and -"},
		{"$sys/VRqhDHF2wL/your_tv/thing/property/set", dialect.Lenient, "onenet-topic", own + "thing/property/set"},
		{"/sys/VRqhDHF2wL/my_tv/thing/service/property/set", dialect.Lenient, "onenet-topic", own + "thing/property/set"},
		{"$sys/VRqhDHF2wL/my_tv", dialect.Lenient, "onenet-topic", own + "…"},
		{"$sys/+/my_tv/thing/#", dialect.Lenient, "onenet-topic", own + "…"},
		{"#", dialect.Lenient, "onenet-topic", own + "…"},
		{"weather", dialect.Open, "onenet-topic", own + "…"},
		{own + "weather", dialect.Lenient, "onenet-topic", own + "…"},
	} {
		t.Run(tt.filter, func(t *testing.T) {
			for _, qos := range []mqtt.QoS{mqtt.AtMostOnce, mqtt.AtLeastOnce, mqtt.ExactlyOnce} {
				granted, why := Dialect{}.MaySubscribe(tv, tt.filter, qos, tt.mode)
				if tt.code == "" {
					if granted != mqtt.ReasonCode(mqtt.AtMostOnce) || why != nil { // [onenet §1.5]
						t.Errorf("QoS %d: granted %v, %+v", qos, granted, why)
					}
					continue
				}
				if granted != mqtt.NotAuthorized || why == nil || why.Code != tt.code || why.Expected != tt.expected {
					t.Errorf("QoS %d: %v, %+v", qos, granted, why)
				}
			}
		})
	}
}

func TestUnasked(t *testing.T) {
	if (Dialect{}).Unasked(tv, "$sys/VRqhDHF2wL/my_tv/thing/property/set") {
		t.Error("OneNET sends to subscribers only [onenet §3.1]")
	}
}

func TestSetBytes(t *testing.T) {
	for _, tt := range []struct {
		id     string
		values []thing.Argument
		want   string
	}{
		{"1", []thing.Argument{{ID: "wendu", Value: thing.FloatValue(22.5)}}, `{"id":"1","version":"1.0","params":{"wendu":22.5}}`}, // [onenet §3.6]
		{"1", []thing.Argument{{ID: "door_status", Value: thing.BoolValue(true)}}, `{"id":"1","version":"1.0","params":{"door_status":true}}`},
		{"155", []thing.Argument{{ID: "a", Value: thing.TextValue(`"`)}, {ID: "b", Value: thing.IntValue(-3)}, {ID: "c", Value: thing.ObjectValue(`{"x":[1]}`)}}, `{"id":"155","version":"1.0","params":{"a":"\"","b":-3,"c":{"x":[1]}}}`},
	} {
		d := Dialect{}.Set(tv, tt.id, tt.values, nil)
		if d.Topic != "$sys/VRqhDHF2wL/my_tv/thing/property/set" || string(d.Payload) != tt.want {
			t.Errorf("%s %s\nwant %s", d.Topic, d.Payload, tt.want)
		}
	}
}

func TestInvokeBytes(t *testing.T) {
	input := []thing.Argument{{ID: "Power1", Value: thing.TextValue("on")}, {ID: "WF1", Value: thing.TextValue("2")}}
	d := Dialect{}.Invoke(tv, "123", &thing.Service{ID: "turn"}, input, nil)
	if want := `{"id":"123","version":"1.0","params":{"Power1":"on","WF1":"2"}}`; d.Topic != "$sys/VRqhDHF2wL/my_tv/thing/service/turn/invoke" || string(d.Payload) != want { // [onenet §3.2]
		t.Errorf("%s %s", d.Topic, d.Payload)
	}
	if d := (Dialect{}).Invoke(tv, "2", &thing.Service{ID: "$SyncGetFile"}, nil, nil); string(d.Payload) != `{"id":"2","version":"1.0","params":{}}` {
		t.Errorf("without input %s %s", d.Topic, d.Payload)
	}
}

func TestCredentials(t *testing.T) {
	expiry := time.Unix(1893456000, 0)
	for name, k := range map[string]dialect.Secrets{"device's key": {Device: key, Product: productKey}, "product's key": {Product: key}} {
		all, err := Dialect{}.Credentials(tv, k, dialect.CredentialOptions{Host: "h", Port: 1884, Expiry: expiry, Now: now})
		if err != nil || len(all) != len(vendor.Methods()) {
			t.Fatalf("%s: %v, %v", name, all, err)
		}
		want := dialect.Credentials{Method: "sha1", ClientID: "my_tv", Username: "VRqhDHF2wL", Password: token, Host: "h", Port: 1884}
		if all[0] != want {
			t.Errorf("%s: %+v\nwant %+v", name, all[0], want)
		}
		for i, c := range all {
			l := login(func(l *dialect.Login) { l.Password = []byte(c.Password) })
			if v := (Dialect{}).Verify(l, tv, k, dialect.Strict, now); !v.OK || len(v.Notes) > 0 {
				t.Errorf("%s: %s is not taken back: %+v", name, c.Method, v)
			}
			if c.Method != string(vendor.Methods()[i]) {
				t.Errorf("%s: method %d is %s", name, i, c.Method)
			}
		}
	}
}

func TestCredentialsLastAYear(t *testing.T) {
	all, err := Dialect{}.Credentials(tv, dialect.Secrets{Device: key}, dialect.CredentialOptions{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	got, err := vendor.ParseToken([]byte(all[0].Password))
	if et, _ := got.Expiry(); err != nil || et != now.Unix()+365*86400 {
		t.Errorf("ends at %d, %v", et, err)
	}
}

func TestCredentialsNeedAKey(t *testing.T) {
	for name, k := range map[string]dialect.Secrets{"none": {}, "not Base64": {Device: "top-secret!"}} {
		all, err := Dialect{}.Credentials(tv, k, dialect.CredentialOptions{Now: now})
		if err == nil || all != nil {
			t.Errorf("%s: %v", name, all)
		} else if strings.Contains(err.Error(), "top-secret") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestModelsGoThrough(t *testing.T) {
	out, err := Dialect{}.ExportModel("VRqhDHF2wL", model)
	if err != nil || !strings.Contains(string(out), `"productId": "VRqhDHF2wL"`) {
		t.Fatalf("%s, %v", out, err)
	}
	back, err := Dialect{}.ImportModel(out)
	if err != nil || len(back.Properties) != len(model.Properties) || len(back.Events) != len(model.Events) {
		t.Errorf("%+v, %v", back, err)
	}
	if _, err := (Dialect{}).ImportModel([]byte("{}")); err == nil {
		t.Error("an empty object is taken for a model")
	}
}
