package httpapi_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
)

// A screen is the page's end of a terminal.
type screen struct {
	*testing.T
	conn   *websocket.Conn
	text   string
	events []object
}

func (h *house) terminal(module, token, origin string) (*screen, *http.Response, error) {
	header := http.Header{"Cookie": {"matou_session=" + token}}
	if origin != "" {
		header.Set("Origin", origin)
	}
	conn, resp, err := websocket.Dial(h.Context(), h.url+httpapi.Base+"/bench/modules/"+module+"/terminal", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		return nil, resp, err
	}
	h.Cleanup(func() { conn.CloseNow() })
	return &screen{T: h.T, conn: conn}, resp, nil
}

func (s *screen) write(text string) {
	s.Helper()
	if err := s.conn.Write(s.Context(), websocket.MessageBinary, []byte(text)); err != nil {
		s.Fatal(err)
	}
}

// until reads what comes until it is enough.
func (s *screen) until(what string, enough func() bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	for !enough() {
		kind, b, err := s.conn.Read(ctx)
		if err != nil {
			s.Fatalf("no %s: %v, after %q and %v", what, err, s.text, s.events)
		}
		if kind == websocket.MessageBinary {
			s.text += string(b)
			continue
		}
		var e object
		if err := json.Unmarshal(b, &e); err != nil {
			s.Fatal(err)
		}
		s.events = append(s.events, e)
	}
}

func (s *screen) says(text string) {
	s.Helper()
	s.until(text, func() bool {
		_, rest, ok := strings.Cut(s.text, text)
		if ok {
			s.text = rest
		}
		return ok
	})
}

func (s *screen) event(kind, part string) (found object) {
	s.Helper()
	s.until(kind, func() bool {
		for i, e := range s.events {
			raw, _ := json.Marshal(e)
			if e["kind"] == kind && strings.Contains(string(raw), part) {
				found, s.events = e, s.events[i+1:]
				return true
			}
		}
		return false
	})
	return found
}

// TestModuleTerminal is the ESP8266 tutorial up to the CONNACK, word for word
// with the vendor's host name, over the page's WebSocket.
func TestModuleTerminal(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1Bench", "dialect": "aliyun"})
	h.want(201, "POST", "/products/a1Bench/devices", object{"name": "d1"})
	login := h.want(200, "GET", "/products/a1Bench/devices/d1/credentials", nil)["items"].([]any)[0].(object)
	m := h.want(201, "POST", "/bench/modules", object{"kind": "esp8266", "fast": true})["id"].(string)

	s, _, err := h.terminal(m, h.tokens[access.OperatorRole], h.url)
	if err != nil {
		t.Fatal(err)
	}
	h.want(204, "POST", "/bench/modules/"+m+"/reset", nil)
	s.says("ready")
	s.write("AT\r\n")
	s.says("OK")
	s.write("AT+CWMODE=1\r\n")
	s.says("OK")
	s.write(`AT+CWJAP="home","12345678"` + "\r\n")
	s.says("OK")
	s.write(`AT+CIPSTART="TCP","a1Bench.iot-as-mqtt.cn-shanghai.aliyuncs.com",1883` + "\r\n")
	s.says("OK")
	line := s.event("line", "CIPSTART")
	opened := s.event("opened", h.devices)
	if opened["cause"] != line["seq"] {
		t.Errorf("the connection was not caused by its line: %v %v", line, opened)
	}
	packet := unhex(t, login["connect"].(string))
	s.write("AT+CIPSEND=" + strconv.Itoa(len(packet)) + "\r\n")
	s.says(">")
	s.write(packet)
	s.says("SEND OK")
	s.says("+IPD,4:\x20\x02\x00\x00")
	if sent := s.event("sent", ""); sent["hex"] != login["connect"] {
		t.Errorf("sent %v", sent)
	}
	if got := s.event("received", ""); got["hex"] != "20020000" {
		t.Errorf("received %v", got)
	}

	// Elsewhere is nowhere, and the page says why.
	s.write("AT+CIPCLOSE\r\n")
	s.says("OK")
	s.write(`AT+CIPSTART="TCP","` + strings.TrimPrefix(h.url, "http://127.0.0.1:") + `.example.com",80` + "\r\n")
	s.says("ERROR")
	s.event("note", "bench.allow")
	s.write(`AT+CIPSTART="TCP","127.0.0.1",` + strings.TrimPrefix(h.url, "http://127.0.0.1:") + "\r\n")
	s.says("ERROR")
	s.event("note", "bench.allow")

	// Faults and quirks while it runs.
	got := h.want(200, "PUT", "/bench/modules/"+m+"/faults/dns-failure", object{"on": true})
	if f := got["faults"].([]any); len(f) != 1 {
		t.Errorf("%v", got)
	}
	s.event("fault", "dns-failure")
	h.want(200, "PUT", "/bench/modules/"+m+"/faults/dns-failure", object{"on": false})
	h.want(400, "PUT", "/bench/modules/"+m+"/faults/none-such", object{"on": true})
	h.want(200, "PUT", "/bench/modules/"+m+"/quirks/double-cr", object{"on": true})
	h.want(404, "PUT", "/bench/modules/"+m+"/quirks/none-such", object{"on": true})

	// One terminal at a time; the end of the module is the terminal's.
	second, _, err := h.terminal(m, h.tokens[access.OperatorRole], h.url)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := second.conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("a second terminal: %v", err)
	}
	h.want(204, "DELETE", "/bench/modules/"+m, nil)
	for err == nil {
		_, _, err = s.conn.Read(t.Context())
	}
	h.want(404, "GET", "/bench/modules/"+m, nil)
}

func TestModulesAreForOperatorsOfThisSite(t *testing.T) {
	h := newHouse(t)
	m := h.want(201, "POST", "/bench/modules", object{"kind": "ec20"})["id"].(string)
	for _, tt := range []struct {
		name, token, origin string
		want                int
	}{
		{"nobody", "", h.url, 401},
		{"a viewer", h.tokens[access.Viewer], h.url, 403},
		{"a page of another site", h.tokens[access.Administrator], "https://evil.example.com", 403},
		{"a page of no site", h.tokens[access.Administrator], "null", 403},
	} {
		_, resp, err := h.terminal(m, tt.token, tt.origin)
		if err == nil || resp == nil || resp.StatusCode != tt.want {
			t.Errorf("%s: %v, %v", tt.name, resp, err)
		}
	}
	if status, body := h.do(access.Viewer, "POST", httpapi.Base+"/bench/modules", object{"kind": "ec20"}); status != 403 {
		t.Errorf("a viewer starts a module: %d %s", status, body)
	}
	h.want(201, "POST", "/bench/modules", object{"kind": "nt35e"})
	h.want(429, "POST", "/bench/modules", object{"kind": "nt35e"})
	h.want(400, "POST", "/bench/modules", object{"kind": "sim800"})
	if kinds := h.want(200, "GET", "/bench/kinds", nil)["items"].([]any); len(kinds) < 3 {
		t.Errorf("%v", kinds)
	}
}

func unhex(t *testing.T, text string) string {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSimulatedDevice: it reports what it is moved to, like any device.
func TestSimulatedDevice(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1Sim", "dialect": "aliyun"})
	h.want(200, "PUT", "/products/a1Sim/model", object{"properties": []object{
		{"id": "Temp", "name": "Temp", "access": "read-only", "type": object{"kind": "float", "min": -40, "max": 85}},
		{"id": "Lamp", "name": "Lamp", "access": "read-write", "type": object{"kind": "bool"}},
	}})
	h.want(201, "POST", "/products/a1Sim/devices", object{"name": "s1"})
	start := object{"product": "a1Sim", "device": "s1"}
	h.want(201, "POST", "/bench/devices", start)
	h.want(409, "POST", "/bench/devices", start)
	h.want(404, "POST", "/bench/devices", object{"product": "a1Sim", "device": "nobody"})
	const path = "/bench/devices/a1Sim/s1"
	h.want(204, "PUT", path+"/values/Temp", object{"value": 33.5})
	h.want(204, "PUT", path+"/values/Lamp", object{"value": true})
	h.want(400, "PUT", path+"/values/Temp", object{"value": "warm"})
	h.want(404, "PUT", path+"/values/None", object{"value": 1})
	// What a person moved is in the cloud with the next report.
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, raw := h.do(access.Viewer, "GET", httpapi.Base+"/products/a1Sim/devices/s1/properties", nil)
		if strings.Contains(raw, "33.5") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("never reported: %s", raw)
		}
		<-time.After(50 * time.Millisecond)
	}
	if v := h.want(200, "GET", path, nil); v["online"] != true || !v["values"].([]any)[0].(object)["fixed"].(bool) {
		t.Errorf("%v", v)
	}
	h.want(204, "DELETE", path+"/values/Temp", nil)
	h.want(204, "DELETE", path, nil)
	h.want(404, "GET", path, nil)
}
