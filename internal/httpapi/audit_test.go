package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
)

// entries is the audit log as text, the newest first.
func (h *house) entries(query string) []object {
	h.Helper()
	var found []object
	for _, item := range h.want(200, "GET", "/audit"+query, nil)["items"].([]any) {
		found = append(found, item.(object))
	}
	return found
}

func TestChangesAreAudited(t *testing.T) {
	h := newHouse(t)
	const password = "a very long secret phrase"
	h.want(201, "POST", "/operators", object{"name": "lin", "role": "operator", "password": password})
	made := h.want(201, "POST", "/tokens", object{"name": "CI", "role": "viewer"})
	if status, _ := h.do(access.Viewer, "DELETE", httpapi.Base+"/operators/lin", nil); status != 403 {
		t.Fatal(status)
	}
	for _, name := range []string{"lin", "typed-the-password-here"} {
		if status, _ := h.do("", "POST", httpapi.Base+"/session", object{"name": name, "password": "wrong"}); status != 401 {
			t.Fatal(status)
		}
	}
	h.do(access.Administrator, "POST", httpapi.Base+"/operators", "{no JSON")
	h.want(200, "POST", "/explain", object{"hex": "c000"})

	got := h.entries("")
	if len(got) != 6 {
		t.Fatalf("%d entries: %v", len(got), got)
	}
	for i, want := range []object{
		{"who": "administrator", "method": "POST", "object": "/api/v1/operators", "done": false},
		{"method": "POST", "object": "/api/v1/session", "done": false, "code": "unauthorized", "from": "127.0.0.1"},
		{"who": "lin", "method": "POST", "object": "/api/v1/session", "done": false, "code": "unauthorized"},
		{"who": "viewer", "role": "viewer", "method": "DELETE", "route": "/api/v1/operators/{name}", "object": "/api/v1/operators/lin", "done": false, "code": "forbidden"},
		{"who": "administrator", "object": "/api/v1/tokens", "done": true, "subject": "CI (viewer, " + made["id"].(string) + ")"},
		{"who": "administrator", "object": "/api/v1/operators", "done": true, "subject": "lin (operator)"},
	} {
		for key, value := range want {
			if got[i][key] != value {
				t.Errorf("entry %d has %s %v, not %v: %v", i, key, got[i][key], value, got[i])
			}
		}
	}
	if _, known := got[1]["who"]; known {
		t.Errorf("what may be a password is kept: %v", got[1])
	}
	raw, _ := json.Marshal(got)
	for _, secret := range []string{password, "wrong", made["token"].(string), "typed-the"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q is in the audit log", secret)
		}
	}
	for query, n := range map[string]int{"?outcome=done": 2, "?outcome=refused": 4, "?who=lin": 1, "?object=/api/v1/operators": 3, "?limit=4": 4, "?to=2020-01-01T00:00:00Z": 0} {
		if found := h.entries(query); len(found) != n {
			t.Errorf("%s: %d entries, not %d", query, len(found), n)
		}
	}
	first := h.want(200, "GET", "/audit?limit=4", nil)
	if rest := h.entries("?after=" + first["next"].(string)); len(rest) != 2 {
		t.Errorf("the rest: %v", rest)
	}
	h.want(400, "GET", "/audit?after=x", nil)
	if status, _ := h.do(access.OperatorRole, "GET", httpapi.Base+"/audit", nil); status != 403 {
		t.Errorf("an operator reads the audit log: %d", status)
	}
}

// TestTheAuditLogSaysWhatWasChanged: who was disabled, or given another role or
// password, is seen without asking him; no secret is.
func TestTheAuditLogSaysWhatWasChanged(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/operators", object{"name": "lin", "role": "operator", "password": "a long password"})
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	h.want(201, "POST", "/products/a1NightLamp/devices", object{"name": "lamp01"})
	for _, tt := range []struct {
		method, path string
		body         object
		want         string
	}{
		{"PATCH", "/operators/lin", object{"enabled": false}, "lin (operator): enabled=false"},
		{"PATCH", "/operators/lin", object{"role": "viewer", "password": "another password", "enabled": true}, "lin (viewer): role=viewer, password, enabled=true"},
		{"PATCH", "/products/a1NightLamp/devices/lamp01", object{"enabled": false}, "lamp01: enabled=false"},
		{"PATCH", "/products/a1NightLamp/devices/lamp01", object{"nickname": "a secret name"}, "lamp01: nickname"},
	} {
		h.want(200, tt.method, tt.path, tt.body)
		if got := h.entries("?limit=1")[0]["subject"]; got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.path, tt.body, got, tt.want)
		}
	}
}

// computes are the routes that only compute, though their method says that they
// change something.
var computes = map[string]bool{
	"POST /explain": true, "POST /explain/recording": true, "POST /doctor": true, "POST /packets": true, "POST /sign/aliyun": true, "POST /sign/onenet": true,
	"POST /products/{product}/script/test": true, "POST /products/{product}/models/check": true, "POST /products/{product}/models/convert": true,
	"POST /bench/fleets/check": true,
}

// TestNoRouteForgetsTheAudit asks every route that changes something, as nobody.
func TestNoRouteForgetsTheAudit(t *testing.T) {
	h := newHouse(t)
	resp, err := http.Get(h.url + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var described struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&described); err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for path, methods := range described.Paths {
		for method := range methods {
			if method = strings.ToUpper(method); method != "GET" {
				asked[method+" "+path] = true
				h.do("", method, strings.NewReplacer("{", "", "}", "").Replace(path), object{})
			}
		}
	}
	for _, e := range h.entries("?limit=1000") {
		delete(asked, e["method"].(string)+" "+e["route"].(string))
	}
	for route := range computes {
		delete(asked, strings.Replace(route, " ", " "+httpapi.Base, 1))
	}
	if len(asked) > 0 {
		t.Errorf("not in the audit log: %v", asked)
	}
}
