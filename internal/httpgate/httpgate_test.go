package httpgate_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
)

// login is vector V10 of the reference.
const login = `{"version":"default","clientId":"a1NightLamp.lamp01","signmethod":"hmacsha1","sign":"0c5e25c5723e91fea4edeab1929a9e329cdf4a82","productKey":"a1NightLamp","deviceName":"lamp01"}`

// registration is vector V6 of the reference, as the older C SDK sends it.
const registration = "productKey=a1NightLamp&deviceName=lamp01&random=8Ygb7ULYh53B6OA&signMethod=hmacsha256&sign=5c6d7653fbc13007bdc11a52d62aba67386864208c3dd67d4b2e83952d041e55"

func TestAuthAnswers(t *testing.T) {
	h := newHouse(t)
	got := h.ask("/auth", login)
	if !regexp.MustCompile(`^\{"code":0,"message":"success","info":\{"token":"[0-9A-Za-z._-]{16,192}"\}\}$`).MatchString(got) || len(got) > 256 {
		t.Errorf("got %s", got)
	}
	for _, tt := range []struct{ name, body, want, code string }{
		{"upper case", strings.Replace(login, "0c5e25c5723e91fea4edeab1929a9e329cdf4a82", "0C5E25C5723E91FEA4EDEAB1929A9E329CDF4A82", 1), "", ""},
		{"wrong sign", strings.Replace(login, "0c5e", "0c5f", 1), `{"code":20000,"message":"auth check error"}`, "aliyun-wrong-secret"},
		{"no sign", strings.Replace(login, `"sign":"0c5e25c5723e91fea4edeab1929a9e329cdf4a82",`, "", 1), `{"code":10001,"message":"param error"}`, "aliyun-http-missing"},
		{"no JSON", "<xml>", `{"code":10001,"message":"param error"}`, ""},
		{"nothing", "", `{"code":10001,"message":"param error"}`, ""},
		{"too large", login[:len(login)-1] + `,"x":"` + strings.Repeat("x", 5000) + `"}`, `{"code":10001,"message":"param error"}`, ""},
		{"another device", strings.Replace(login, `"lamp01"`, `"lamp02"`, 1), `{"code":20000,"message":"auth check error"}`, ""},
	} {
		before := len(codes(h.timeline, lamp))
		got := h.ask("/auth", tt.body)
		if tt.want != "" && got != tt.want || tt.want == "" && !strings.HasPrefix(got, `{"code":0,`) {
			t.Errorf("%s: got %s", tt.name, got)
		}
		if all := codes(h.timeline, lamp)[before:]; tt.code != "" && !slices.Contains(all, tt.code) {
			t.Errorf("%s is told as %v", tt.name, all)
		}
	}
}

func TestTooManyLogins(t *testing.T) {
	h := newHouse(t)
	for range 5 {
		h.token()
	}
	if got := h.ask("/auth", login); got != `{"code":40000,"message":"request too many"}` {
		t.Errorf("got %s", got)
	}
}

func TestReportsAreKeptAndAnswered(t *testing.T) {
	h := newHouse(t)
	token := h.token()
	for _, tt := range []struct{ name, path, body, want string }{
		{"a report", post, `{"id":"1","version":"1.0","params":{"CurrentTemperature":25.6}}`, `^\{"code":0,"message":"success","info":\{"messageId":[0-9]+\}\}$`},
		{"a value that is none", post, `{"id":"2","params":{"CurrentTemperature":"warm"}}`, `^\{"code":0,"message":"success","info":\{"messageId":[0-9]+,"data":\{"code":200,"data":\{"CurrentTemperature":".+"\},"id":"2",.*\}\}\}$`},
		{"a custom topic", own, "hello", `^\{"code":0,"message":"success","info":\{"messageId":[0-9]+\}\}$`},
		{"another's topic", "/topic/sys/a1NightLamp/lamp02/thing/event/property/post", `{}`, `^\{"code":30001,"message":"publish message error"\}$`},
		{"no topic", "/topic/", `{}`, `^\{"code":10001,"message":"param error"\}$`},
		{"a wildcard", "/topic/a1NightLamp/lamp01/user/+", `{}`, `^\{"code":10001,"message":"param error"\}$`},
		{"too large", post, strings.Repeat(" ", 128<<10+1), `^\{"code":10001,"message":"param error"\}$`},
	} {
		if got := h.ask(tt.path, tt.body, "password", token); !regexp.MustCompile(tt.want).MatchString(got) {
			t.Errorf("%s: got %s", tt.name, got)
		}
	}
	if kept := h.log.Records(t); len(kept) != 1 || kept[0].Device != "lamp01" {
		t.Errorf("kept %+v", kept)
	}
	if len(h.routed) != 1 || h.routed[0].Topic != "/a1NightLamp/lamp01/user/update" || string(h.routed[0].Payload) != "hello" {
		t.Errorf("routed %+v", h.routed)
	}
	if st, err := h.registry.Status(t.Context(), lamp); err != nil || st.State == registry.Online {
		t.Errorf("a device by HTTPS is not online: %+v, %v", st, err)
	}
}

// TestQueries: the vendor's own takes no query by HTTPS; here one means what it
// means over MQTT.
func TestQueries(t *testing.T) {
	h := newHouse(t)
	token := h.token()
	for _, path := range []string{own + "?_sn=default", own + "%3F_sn=default", own + "?_rid=17", post + "?_rid=17"} {
		body := "hello"
		if strings.HasPrefix(path, post) {
			body = `{"id":"1","params":{"CurrentTemperature":1}}`
		}
		if got := h.ask(path, body, "password", token); !strings.HasPrefix(got, `{"code":0,`) {
			t.Errorf("%s: got %s", path, got)
		}
	}
	const topic = "/a1NightLamp/lamp01/user/update"
	for i, want := range []string{topic + " HELLO", topic + " HELLO", "hello"} {
		if i >= len(h.routed) || h.routed[i].Topic != topic || string(h.routed[i].Payload) != want {
			t.Errorf("routed %+v", h.routed)
			break
		}
	}
	if kept := h.log.Records(t); len(kept) != 1 {
		t.Errorf("kept %+v", kept)
	}
}

func TestTooManyReports(t *testing.T) {
	h := newHouse(t)
	token := h.token()
	if _, err := h.registry.UpdateProduct(t.Context(), lamp.Product, func(p *registry.Product) error { p.Strictness = registry.Strict; return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		got, want := h.ask(post, `{"id":"1","params":{"CurrentTemperature":1}}`, "password", token), `{"code":0,`
		if i >= 10 {
			want = `{"code":40000,"message":"request too many"}`
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%d: got %s", i, got)
		}
	}
	h.now = h.now.Add(time.Second)
	if got := h.ask(post, `{"id":"1","params":{"CurrentTemperature":1}}`, "password", token); !strings.HasPrefix(got, `{"code":0,`) {
		t.Errorf("a second later: %s", got)
	}
	if kept := h.log.Records(t); len(kept) != 11 {
		t.Errorf("%d are kept", len(kept))
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	h := newHouse(t)
	token := h.token()
	report := func(token string) string {
		return h.ask(post, `{"id":"1","params":{"CurrentTemperature":1}}`, "password", token)
	}
	for _, tt := range []struct {
		name, want, code string
		change           func() string // and the token to use
	}{
		{"none", `{"code":20002,"message":"token is null"}`, "aliyun-http-token-missing", func() string { return "" }},
		{"garbage", `{"code":20003,"message":"check token error"}`, "aliyun-http-token-wrong", func() string { return "garbage" }},
		{"another letter", `{"code":20003,"message":"check token error"}`, "aliyun-http-token-wrong", func() string {
			at, other := strings.IndexByte(token, '-')+1, "A" // in its proof
			if token[at] == 'A' {
				other = "B"
			}
			return token[:at] + other + token[at+1:]
		}},
		{"another secret", `{"code":20003,"message":"check token error"}`, "aliyun-http-token-previous", func() string {
			if _, err := h.registry.UpdateDevice(t.Context(), lamp, func(d *registry.Device) error {
				d.PreviousSecret, d.Secret = d.Secret, "another"
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return token
		}},
		{"disabled", `{"code":20000,"message":"auth check error"}`, "device-disabled", func() string {
			if _, err := h.registry.UpdateDevice(t.Context(), lamp, func(d *registry.Device) error {
				d.Secret, d.Enabled = lampSecret, false
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return token
		}},
		{"a week old", `{"code":20001,"message":"token is expired"}`, "aliyun-http-token-expired", func() string {
			h.now = h.now.Add(7*24*time.Hour + time.Second)
			return token
		}},
	} {
		before := len(codes(h.timeline, lamp))
		if got := report(tt.change()); got != tt.want {
			t.Errorf("%s: got %s", tt.name, got)
		}
		if all := codes(h.timeline, lamp)[before:]; tt.code != "" && !slices.Contains(all, tt.code) {
			t.Errorf("%s is told as %v", tt.name, all)
		}
	}
	if kept := h.log.Records(t); len(kept) != 0 {
		t.Errorf("kept %+v", kept)
	}
}

func TestRegistrationAnswers(t *testing.T) {
	h := newHouse(t)
	want := `{"code":200,"data":{"productKey":"a1NightLamp","deviceName":"lamp01","deviceSecret":"` + lampSecret + `"},"message":"success"}`
	if got := h.ask("/auth/register/device", registration); got != want || len(got) > 256 {
		t.Errorf("got %s", got)
	}
	for _, tt := range []struct {
		name, body string
		why        error
		code       int
	}{
		{"wrong sign", strings.Replace(registration, "sign=5c", "sign=5d", 1), nil, 6600},
		{"no product", strings.Replace(registration, "a1NightLamp", "a1Nothing", 1), nil, 6250},
		{"no sign", registration[:strings.Index(registration, "&sign=")], nil, 460},
		{"another method", strings.Replace(registration, "hmacsha256", "crc32", 1), nil, 6292},
		{"switched off", registration, &dialect.RegistrationError{Why: dialect.ErrRegistrationOff}, 6288},
		{"activated", registration, &dialect.RegistrationError{Why: dialect.ErrRegistrationActivated}, 6289},
		{"the server's own trouble", registration, errors.New("disk"), 500},
	} {
		h.enroll = tt.why
		var told struct {
			Code    int
			Data    any
			Message string
		}
		got := h.ask("/auth/register/device", tt.body)
		if err := json.Unmarshal([]byte(got), &told); err != nil || told.Code != tt.code || told.Message == "" || strings.Contains(got, lampSecret) {
			t.Errorf("%s: got %s, %v", tt.name, got, err)
		}
	}
}

func TestPreAuthenticationAnswers(t *testing.T) {
	h := newHouse(t)
	const form = "productKey=a1NightLamp&deviceName=lamp01&clientId=a1NightLamp.lamp01&signmethod=hmacsha1&version=default&resources=mqtt&sign="
	got := h.ask("/auth/devicename", form+"0c5e25c5723e91fea4edeab1929a9e329cdf4a82")
	if !regexp.MustCompile(`^\{"code":200,"data":\{"iotId":"[^"]+","iotToken":"[^"]+","resources":\{"mqtt":\{"host":"iot\.example\.com","port":1883\}\}\},"message":"success"\}$`).MatchString(got) {
		t.Errorf("got %s", got)
	}
	for _, tt := range []struct{ name, body, want string }{
		{"wrong sign", form + "00", `{"code":401,`},
		{"no sign", strings.TrimSuffix(form, "&sign="), `{"code":460,`},
		{"no device", strings.Replace(form, "lamp01&", "lamp02&", 1) + "0c5e25c5723e91fea4edeab1929a9e329cdf4a82", `{"code":5001,`},
	} {
		if got := h.ask("/auth/devicename", tt.body); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %s", tt.name, got)
		}
	}
}

// TestOneNETReports: its device endpoint says errno.
func TestOneNETReports(t *testing.T) {
	h := newHouse(t)
	const topic = "?topic=$sys/pid1/dev1/thing/property/post"
	for _, tt := range []struct{ name, path, token, body, want string }{
		{"no token", "/fuse/http/device/thing/property/post" + topic, "", "{}", `{"errno":3,"error":"auth failed"}`},
		{"garbage", "/studio/http/device/thing/property/post" + topic, "version=x", "{}", `{"errno":3,"error":"auth failed"}`},
		{"too large", "/fuse/http/device/thing/property/post" + topic, "x", strings.Repeat("x", 128<<10+1), `{"errno":2,"error":"the body is larger than 131072 bytes"}`},
	} {
		if got := h.ask(tt.path, tt.body, "token", tt.token); strings.TrimSpace(got) != tt.want {
			t.Errorf("%s: got %s", tt.name, got)
		}
	}
}

// FuzzEndpoints: whatever comes, the answer is JSON with a code, and holds no
// secret of anybody.
func FuzzEndpoints(f *testing.F) {
	f.Add("/auth", login, "")
	f.Add("/auth/register/device", registration, "")
	f.Add("/auth/devicename", "productKey=a&deviceName=b", "")
	f.Add("/topic/sys/a1NightLamp/lamp01/thing/event/property/post?_sn=default", `{"id":"1"}`, "x")
	f.Add("/fuse/http/device/x", "{}", "version=2018-10-31&res=products/pid1")
	f.Fuzz(func(t *testing.T, path, body, token string) {
		h := newHouse(t)
		h.enroll = errors.New("nobody")
		for _, endpoint := range []string{"/auth", "/auth/register/device", "/auth/devicename", "/topic/", "/fuse/http/device/"} {
			if !strings.HasPrefix(path, endpoint) || strings.ContainsAny(path, " %\x00\r\n#") || !regexp.MustCompile(`^[!-~]*$`).MatchString(path) {
				continue
			}
			var said map[string]any
			got := h.try(path, body, token)
			if got != "" && json.Unmarshal([]byte(got), &said) != nil || strings.Contains(got, lampSecret) || strings.Contains(got, productSecret) {
				t.Errorf("%q: %s", path, got)
			}
		}
	})
}
