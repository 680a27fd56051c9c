package plain

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

var _ dialect.Dialect = Dialect{}

const (
	secret   = "Correct-Horse-7"
	previous = "battery-staple-1"
)

var (
	pump    = dialect.Claim{Product: "farm", Device: "pump1"}
	secrets = dialect.Secrets{Device: secret, PreviousDevice: previous}
	now     = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
)

func login(username, password string) *dialect.Login {
	return &dialect.Login{ClientID: "x", Username: username, Password: []byte(password), Version: mqtt.V311}
}

func TestClaimIsTheUserName(t *testing.T) {
	for username, want := range map[string][]dialect.Claim{
		"farm/pump1":   {pump},
		"farm/pump1/x": {{Product: "farm", Device: "pump1/x"}},
		"farm":         nil, "farm/": nil, "/pump1": nil, "": nil,
	} {
		if got := (Dialect{}).Claim(login(username, secret)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", username, got, want)
		}
	}
	if got := (Dialect{}).Name(); got != "mqtt" {
		t.Errorf("name %q", got)
	}
}

func TestThePasswordIsTheSecret(t *testing.T) {
	for _, tt := range []struct {
		name, password string
		keys           dialect.Secrets
		ok             bool
	}{
		{"right", secret, secrets, true},
		{"wrong", "guess", secrets, false},
		{"cut off", secret[:3], secrets, false},
		{"previous", previous, secrets, false},
		{"none sent", "", secrets, false},
		{"none sent, none kept", "", dialect.Secrets{}, false},
		{"the product's", "shared", dialect.Secrets{Device: secret, Product: "shared"}, false},
	} {
		for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict, dialect.Open} {
			if v := (Dialect{}).Verify(login("farm/pump1", tt.password), pump, tt.keys, mode, now); v.OK != tt.ok {
				t.Errorf("%s, mode %d: %v", tt.name, mode, v.OK)
			}
		}
	}
}

// A house knows one product with one device.
type house struct{}

func (house) KnowsProduct(p string) bool   { return p == pump.Product }
func (house) KnowsDevice(p, d string) bool { return p == pump.Product && d == pump.Device }

func TestDiagnose(t *testing.T) {
	for _, tt := range []struct{ name, username, password, code, field string }{
		{"form of the user name", "pump1&farm", secret, "mqtt-username-form", "username"},
		{"unknown product", "form/pump1", secret, "mqtt-unknown-product", "username"},
		{"unknown device", "farm/pump2", secret, "mqtt-unknown-device", "username"},
		{"no password", "farm/pump1", "", "mqtt-no-password", "password"},
		{"line end behind it", "farm/pump1", secret + "\r\n", "mqtt-password-blanks", "password"},
		{"previous secret", "farm/pump1", previous, "mqtt-previous-secret", "password"},
		{"other letters", "farm/pump1", strings.ToLower(secret), "mqtt-password-case", "password"},
		{"another's", "farm/pump1", "something-else", "mqtt-wrong-password", "password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Dialect{}.Diagnose(login(tt.username, tt.password), secrets, house{}, dialect.Lenient, now)
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
			for _, s := range []string{secret, previous, strings.ToLower(secret), "something-else"} {
				if strings.Contains(string(doc), s) {
					t.Errorf("a password is told: %s", doc)
				}
			}
		})
	}
	if d := (Dialect{}).Diagnose(login("farm/pump1", secret), secrets, house{}, dialect.Lenient, now); d != nil {
		t.Errorf("a right login is refused: %+v", d)
	}
	if d := (Dialect{}).Diagnose(login("farm/pump1", ""), secrets, nil, dialect.Lenient, now); d == nil || d.Code != "mqtt-no-password" {
		t.Errorf("without a house: %+v", d)
	}
}

func TestCredentialsLogIn(t *testing.T) {
	got, err := Dialect{}.Credentials(pump, secrets, dialect.CredentialOptions{Host: "iot.example", Port: 1883})
	want := []dialect.Credentials{{Method: "password", ClientID: "farm.pump1", Username: "farm/pump1", Password: secret, Host: "iot.example", Port: 1883}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	l := login(got[0].Username, got[0].Password)
	if c := (Dialect{}).Claim(l); len(c) != 1 || c[0] != pump || !(Dialect{}).Verify(l, c[0], secrets, dialect.Strict, now).OK {
		t.Errorf("%+v is refused", got[0])
	}
	if got, _ := (Dialect{}).Credentials(pump, secrets, dialect.CredentialOptions{ClientID: "mine"}); got[0].ClientID != "mine" {
		t.Errorf("%+v", got)
	}
}

func TestSessionIsAsMQTTHasIt(t *testing.T) {
	if got, want := (Dialect{}).Session(login("farm/pump1", secret), dialect.Strict), (dialect.Session{MaxQoS: mqtt.ExactlyOnce}); got != want {
		t.Errorf("%+v", got)
	}
}

func TestMaySubscribe(t *testing.T) {
	for _, tt := range []struct {
		filter          string
		lenient, strict bool
	}{
		{"farm/pump1/set", true, true},
		{"farm/pump1/#", true, true},
		{"farm/pump1", true, true},
		{"farm/pump2/properties", true, false},
		{"farm/+/properties", true, false},
		{"farm/#", true, false},
		{"farm", true, false},
		{"farm/pump10/set", true, false},
		{"$share/g/farm/pump1/set", true, true},
		{"$share/g/other/x", false, false},
		{"farmer/pump1/set", false, false},
		{"/farm/pump1/set", false, false},
		{"+/pump1/set", false, false},
		{"#", false, false},
		{"$SYS/#", false, false},
	} {
		for mode, ok := range map[dialect.Strictness]bool{dialect.Lenient: tt.lenient, dialect.Open: tt.lenient, dialect.Strict: tt.strict} {
			code, why := Dialect{}.MaySubscribe(pump, tt.filter, mqtt.ExactlyOnce, mode)
			switch {
			case ok && (code != mqtt.ReasonCode(mqtt.ExactlyOnce) || why != nil):
				t.Errorf("%s, mode %d: %#x, %+v", tt.filter, mode, code, why)
			case !ok && (code != mqtt.NotAuthorized || why == nil || why.Code != "mqtt-topic-forbidden"):
				t.Errorf("%s, mode %d: %#x, %+v", tt.filter, mode, code, why)
			}
		}
	}
	if (Dialect{}).Unasked(pump, "farm/pump1/set") {
		t.Error("plain MQTT delivers what was subscribed to, nothing else")
	}
}

func TestDownlinks(t *testing.T) {
	set := Dialect{}.Set(pump, "7", []thing.Argument{{ID: "Power", Value: thing.IntValue(1)}, {ID: "On", Value: thing.BoolValue(true)}, {ID: "Name", Value: thing.TextValue(`a"泵`)}}, model)
	if want := `{"id":"7","values":{"Power":1,"On":true,"Name":"a\"泵"}}`; set.Topic != "farm/pump1/set" || string(set.Payload) != want {
		t.Errorf("%s %s", set.Topic, set.Payload)
	}
	invoke := Dialect{}.Invoke(pump, "8", &thing.Service{ID: "flush"}, nil, model)
	if invoke.Topic != "farm/pump1/services/flush" || string(invoke.Payload) != `{"id":"8","input":{}}` {
		t.Errorf("%s %s", invoke.Topic, invoke.Payload)
	}
}

func TestModelGoesOutAndIn(t *testing.T) {
	doc, err := Dialect{}.ExportModel("farm", model)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Dialect{}.ImportModel(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Properties, model.Properties) || !reflect.DeepEqual(back.Events, model.Events) {
		t.Errorf("%s", doc)
	}
	for _, bad := range []string{"{", `{"properties":[{"id":"","type":{"kind":"int32"}}]}`} {
		if _, err := (Dialect{}).ImportModel([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
