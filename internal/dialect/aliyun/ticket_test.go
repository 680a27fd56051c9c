package aliyun

import (
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
)

func TestHTTPTokens(t *testing.T) {
	token := HTTPToken(lamp, deviceSecret, now)
	c, ticket, ok := ParseHTTPToken(token)
	if !ok || c != lamp {
		t.Fatalf("%s: %v %v", token, c, ok)
	}
	longest := HTTPToken(dialect.Claim{Product: strings.Repeat("p", 20), Device: strings.Repeat("d", 32)}, deviceSecret, now)
	if len(longest) > 192 || strings.ContainsAny(token, "\"\\ ") { // C3's buffer, and a header
		t.Errorf("%d bytes: %s", len(longest), longest)
	}
	other := dialect.Claim{Product: lamp.Product, Device: "lamp02"}
	for _, tt := range []struct {
		name   string
		who    dialect.Claim
		ticket string
		k      dialect.Secrets
		at     time.Time
		want   TicketState
	}{
		{"at once", lamp, ticket, secrets, now, TicketGood},
		{"in the last second", lamp, ticket, secrets, now.Add(TicketLife - time.Second), TicketGood},
		{"after seven days", lamp, ticket, secrets, now.Add(TicketLife), TicketExpired},
		{"after a reset", lamp, ticket, dialect.Secrets{Device: "new", PreviousDevice: deviceSecret}, now, TicketPrevious},
		{"after two resets", lamp, ticket, dialect.Secrets{Device: "new", PreviousDevice: "newer"}, now, TicketWrong},
		{"of another device", other, ticket, secrets, now, TicketWrong},
		{"with a later end", lamp, "zzzzzzz" + ticket[strings.IndexByte(ticket, '-'):], secrets, now, TicketWrong},
		{"cut off", lamp, ticket[:len(ticket)-1], secrets, now, TicketWrong},
		{"without a secret", lamp, ticket, dialect.Secrets{}, now, TicketWrong},
		{"nothing", lamp, "", secrets, now, TicketWrong},
	} {
		if got, _ := CheckHTTPToken(tt.who, tt.ticket, tt.k, tt.at); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	_, iotToken := IoTLogin(lamp, deviceSecret, now)
	if got, _ := CheckHTTPToken(lamp, iotToken, secrets, now); got != TicketWrong {
		t.Errorf("a token for MQTT is %v by HTTP", got)
	}
}

func TestIoTLogins(t *testing.T) {
	id, token := IoTLogin(dialect.Claim{Product: "a1NightLamp", Device: strings.Repeat("d", 32)}, deviceSecret, now)
	if len(id) > 64 || len(token) > 64 { // C3's buffers
		t.Errorf("%d and %d bytes", len(id), len(token))
	}
	id, token = IoTLogin(lamp, deviceSecret, now)
	login := func(username, password string) *dialect.Login {
		return &dialect.Login{ClientID: "anything", Username: username, Password: []byte(password), KeepAlive: 60, Version: mqtt.V311}
	}
	if got := (Dialect{}).Claim(login(id, token)); len(got) != 1 || got[0] != lamp {
		t.Fatalf("claims %v", got)
	}
	known := house{}
	stranger, strangersToken := IoTLogin(dialect.Claim{Product: "a1NightLamp", Device: "lamp09"}, deviceSecret, now)
	nowhere, _ := IoTLogin(dialect.Claim{Product: "a1Nowhere00", Device: "lamp01"}, deviceSecret, now)
	for _, tt := range []struct {
		name, username, password string
		k                        dialect.Secrets
		at                       time.Time
		code                     string
	}{
		{"right", id, token, secrets, now, ""},
		{"expired", id, token, secrets, now.Add(TicketLife), "aliyun-iot-token-expired"},
		{"after a reset", id, token, dialect.Secrets{Device: "new", PreviousDevice: deviceSecret}, now, "aliyun-iot-token-previous"},
		{"cut off", id, token[:20], secrets, now, "aliyun-iot-token-wrong"},
		{"no such device", stranger, strangersToken, dialect.Secrets{}, now, "aliyun-unknown-device"},
		{"no such product", nowhere, token, dialect.Secrets{}, now, "aliyun-unknown-product"},
	} {
		l := login(tt.username, tt.password)
		c := (Dialect{}).Claim(l)[0]
		v := (Dialect{}).Verify(l, c, tt.k, dialect.Lenient, tt.at)
		d := (Dialect{}).Diagnose(l, tt.k, known, dialect.Lenient, tt.at)
		if v.OK != (tt.code == "") || v.OK && d != nil || !v.OK && (d == nil || d.Code != tt.code || d.Connack != 3 || d.SentenceZH == "") {
			t.Errorf("%s: %v, %+v", tt.name, v.OK, d)
		}
	}
}

// FuzzTickets: no bytes but a right token get in.
func FuzzTickets(f *testing.F) {
	f.Add(HTTPToken(lamp, deviceSecret, now))
	f.Add("a-b-c")
	f.Add("zz-00-" + iotID(lamp))
	right := HTTPToken(lamp, deviceSecret, now)
	f.Fuzz(func(t *testing.T, token string) {
		c, ticket, ok := ParseHTTPToken(token)
		if !ok {
			return
		}
		if state, _ := CheckHTTPToken(c, ticket, secrets, now); state == TicketGood && token != right {
			t.Errorf("%q is good", token)
		}
	})
}
