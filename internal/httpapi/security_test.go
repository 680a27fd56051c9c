package httpapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
)

// TestEveryAnswerIsGuarded: whatever is asked for, the browser is told not to
// guess what it is, to frame it nowhere and to run nothing out of it.
func TestEveryAnswerIsGuarded(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{
		"/", "/nowhere", "/healthz", "/readyz", "/metrics", "/ca.pem", "/debug/pprof/", "/api/docs", "/api/docs.js", "/api/openapi.json", "/api/nothing",
		httpapi.Base + "/me", httpapi.Base + "/products", httpapi.Base + "/products/none", httpapi.Base + "/stream",
	} {
		for _, as := range []access.Role{"", access.Administrator} {
			resp := h.ask(h.tokens[as], "GET", path, nil)
			resp.Body.Close()
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s as %q has %s %q", path, as, name, got)
				}
			}
			policy := resp.Header.Get("Content-Security-Policy")
			scripts := policy[max(strings.Index(policy, "script-src"), 0):]
			scripts, _, _ = strings.Cut(scripts, ";")
			if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(scripts, "unsafe") {
				t.Errorf("%s as %q has the policy %q", path, as, policy)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s is for every site: %v", path, resp.Header)
			}
		}
	}
	if _, page := h.do("", "GET", "/api/docs", nil); strings.Contains(page, "<script>") || strings.Contains(page, " onclick=") {
		t.Error("the page about the API has a script in it, which its policy forbids")
	}
	if status, script := h.do("", "GET", "/api/docs.js", nil); status != 200 || !strings.Contains(script, "openapi.json") {
		t.Errorf("its script: %d %.80s", status, script)
	}
}

// needs reads the description: the role that each route names.
func (h *house) needs() map[string]access.Role {
	h.Helper()
	_, raw := h.do("", "GET", "/api/openapi.json", nil)
	var d struct {
		Paths map[string]map[string]struct{ Description string }
	}
	if err := json.Unmarshal([]byte(raw), &d); err != nil {
		h.Fatal(err)
	}
	all := map[string]access.Role{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			_, rest, _ := strings.Cut(op.Description, "Needs the role ")
			role, _, _ := strings.Cut(rest, ".")
			all[strings.ToUpper(method)+" "+path] = access.Role(role)
		}
	}
	return all
}

// TestEveryRouteHoldsItsRole asks each route as everybody who may not: what the
// description says is what the server does. What shows secrets by reading is
// named here, so that none of it becomes a viewer's by oversight.
func TestEveryRouteHoldsItsRole(t *testing.T) {
	h := newHouse(t)
	notForViewers := []string{
		"GET /audit", "GET /bench/modules/{module}/terminal", "GET /operators", "GET /products/{product}/batches/{batch}/devices.csv",
		"GET /products/{product}/devices.csv", "GET /products/{product}/devices/{device}/code", "GET /products/{product}/devices/{device}/credentials", "GET /settings",
	}
	roles := []access.Role{access.Viewer, access.OperatorRole, access.Administrator}
	var read []string
	for route, need := range h.needs() {
		method, path, _ := strings.Cut(route, " ")
		if route == "POST "+httpapi.Base+"/session" {
			continue
		}
		at := slices.Index(roles, need)
		if at < 0 {
			t.Errorf("%s names no role: %q", route, need)
			continue
		}
		if method == "GET" && need != access.Viewer {
			read = append(read, "GET "+strings.TrimPrefix(path, httpapi.Base))
		}
		for _, lesser := range roles[:at] {
			if status, raw := h.do(lesser, method, filled(path), "{}"); status != 403 {
				t.Errorf("%s needs %s; a %s gets %d %s", route, need, lesser, status, raw)
			}
		}
	}
	slices.Sort(read)
	if !slices.Equal(read, notForViewers) {
		t.Errorf("viewers may not read %v, expected were %v", read, notForViewers)
	}
}

// TestAnotherSiteGetsNothingDone: forms and scripts of other sites come with the
// visitor's cookie where the browser is old, and change nothing nevertheless.
func TestAnotherSiteGetsNothingDone(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/operators", object{"name": "li", "role": "operator", "password": "a long password"})
	send := func(header http.Header, path, body string, cookie *http.Cookie) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+httpapi.Base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		if cookie != nil {
			r.AddCookie(cookie)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	const login = `{"name":"li","password":"a long password","cookie":true}`
	here := http.Header{"Content-Type": {"application/json"}, "Origin": {h.url}}
	signedIn := send(here, "/session", login, nil)
	if signedIn.StatusCode != 201 || len(signedIn.Cookies()) != 1 {
		t.Fatalf("%d %v", signedIn.StatusCode, signedIn.Cookies())
	}
	cookie := signedIn.Cookies()[0]
	const evil = "https://evil.example.com"
	for _, tt := range []struct {
		name   string
		header http.Header
		path   string
		body   string
		want   int
	}{
		{"the console itself", here, "/products", `{"name":"lamp","dialect":"mqtt"}`, 201},
		{"a form", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {evil}}, "/products", "name=lamp&dialect=mqtt", 403},
		{"a form that pretends to be JSON", http.Header{"Content-Type": {"text/plain"}, "Origin": {evil}}, "/products", `{"name":"lamp","dialect":"mqtt"}`, 403},
		{"a script", http.Header{"Content-Type": {"application/json"}, "Origin": {evil}}, "/products", `{"name":"lamp","dialect":"mqtt"}`, 403},
		{"a script without a type", http.Header{"Origin": {evil}}, "/products", `{"name":"lamp","dialect":"mqtt"}`, 403},
		{"a page without a site", http.Header{"Content-Type": {"application/json"}, "Origin": {"null"}}, "/products", `{"name":"lamp","dialect":"mqtt"}`, 403},
		{"another port of this machine", http.Header{"Content-Type": {"application/json"}, "Origin": {"http://127.0.0.1:3000"}, "Sec-Fetch-Site": {"same-site"}}, "/products", `{"name":"lamp","dialect":"mqtt"}`, 403},
		{"an upload", http.Header{"Content-Type": {"application/octet-stream"}, "Origin": {evil}}, "/products/lamp/ota/packages?version=1", "firmware", 403},
		{"a sign-in as somebody else", http.Header{"Content-Type": {"application/json"}, "Origin": {evil}}, "/session", login, 403},
	} {
		if resp := send(tt.header, tt.path, tt.body, cookie); resp.StatusCode != tt.want || (tt.want == 403 && len(resp.Cookies()) > 0) {
			t.Errorf("%s: %d %v", tt.name, resp.StatusCode, resp.Cookies())
		}
	}
	if n := len(h.want(200, "GET", "/products", nil)["items"].([]any)); n != 1 {
		t.Errorf("there are %d products", n)
	}
}

// TestBehindAProxy: what the proxy says of a visitor is what counts his guesses,
// stands in the audit log and keeps his cookie on TLS; what he says himself is not.
func TestBehindAProxy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		proxies string // the network of those that are trusted
		from    string
		secure  bool
	}{
		{"trusted", "127.0.0.1/32", "192.0.2.1", true},
		{"not trusted", "192.0.2.0/24", "127.0.0.1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouseBehind(t, httpapi.Proxies{Networks: []netip.Prefix{netip.MustParsePrefix(tt.proxies)}})
			h.want(201, "POST", "/operators", object{"name": "li", "role": "operator", "password": "a long password"})
			signIn := func(visitor, password string) *http.Response {
				r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+httpapi.Base+"/session", strings.NewReader(`{"name":"li","cookie":true,"password":"`+password+`"}`))
				if err != nil {
					t.Fatal(err)
				}
				r.Header = http.Header{"Content-Type": {"application/json"}, "Origin": {strings.Replace(h.url, "http:", "https:", 1)}, "X-Forwarded-For": {visitor}, "X-Forwarded-Proto": {"https"}}
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				return resp
			}
			if resp := signIn("203.0.113.5, 192.0.2.1", "a long password"); resp.StatusCode != 201 || len(resp.Cookies()) != 1 || resp.Cookies()[0].Secure != tt.secure || !resp.Cookies()[0].HttpOnly || resp.Cookies()[0].SameSite != http.SameSiteStrictMode {
				t.Errorf("%d %v", resp.StatusCode, resp.Cookies())
			}
			if e := h.entries("?limit=1")[0]; e["from"] != tt.from || e["who"] != "li" {
				t.Errorf("the audit log has %v", e)
			}
			for i := range 5 { // each time he says to be somebody else
				if resp := signIn(fmt.Sprintf("203.0.113.%d, 192.0.2.1", i), "a guess"); resp.StatusCode != 401 {
					t.Fatalf("guess %d: %d", i, resp.StatusCode)
				}
			}
			if resp := signIn("203.0.113.9, 192.0.2.1", "a guess"); resp.StatusCode != 429 {
				t.Errorf("one guess more: %d", resp.StatusCode)
			}
			want := map[bool]int{true: 201, false: 429}[tt.secure]
			if resp := signIn("192.0.2.77", "a long password"); resp.StatusCode != want {
				t.Errorf("another visitor: %d", resp.StatusCode)
			}
		})
	}
}

// TestGuessingLocksNobodyElseOut: who guesses is refused for a while, also with
// the right password; others sign in from the same address, and the session of
// the operator whose password is guessed goes on.
func TestGuessingLocksNobodyElseOut(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"li", "wu"} {
		h.want(201, "POST", "/operators", object{"name": name, "role": "viewer", "password": "a long password"})
	}
	signIn := func(name, password string) (int, string) {
		status, raw := h.do("", "POST", httpapi.Base+"/session", object{"name": name, "password": password})
		var s struct{ Token string }
		if err := json.Unmarshal([]byte(raw), &s); err != nil {
			t.Fatal(err)
		}
		return status, s.Token
	}
	_, before := signIn("li", "a long password")
	for range 5 {
		if status, _ := signIn("li", "a guess"); status != 401 {
			t.Fatalf("a guess: %d", status)
		}
	}
	if status, _ := signIn("li", "a long password"); status != 429 {
		t.Errorf("after five guesses: %d", status)
	}
	if status, _ := signIn("wu", "a long password"); status != 201 {
		t.Errorf("somebody else: %d", status)
	}
	resp := h.ask(before, "GET", httpapi.Base+"/me", nil)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("the session from before: %d", resp.StatusCode)
	}
}

// TestStreamsEndWithTheSession: who signed out sees no more of what happens,
// and types at no module any more.
func TestStreamsEndWithTheSession(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/operators", object{"name": "li", "role": "operator", "password": "a long password"})
	session := func() string {
		return h.want(201, "POST", "/session", object{"name": "li", "password": "a long password"})["token"].(string)
	}
	follow := func(token string) (*http.Response, *bufio.Reader) {
		resp := h.ask(token, "GET", httpapi.Base+"/stream", nil)
		t.Cleanup(func() { resp.Body.Close() })
		lines := bufio.NewReader(resp.Body)
		if _, err := lines.ReadString('\n'); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%d %v", resp.StatusCode, err)
		}
		return resp, lines
	}
	first, second := session(), session()
	_, ended := follow(first)
	_, goes := follow(second)
	m := h.want(201, "POST", "/bench/modules", object{"kind": "esp8266", "fast": true})["id"].(string)
	typing, _, err := h.terminal(m, second, h.url)
	if err != nil {
		t.Fatal(err)
	}
	h.ask(first, "DELETE", httpapi.Base+"/session", nil).Body.Close()
	if _, err := io.Copy(io.Discard, ended); err != nil {
		t.Errorf("the stream of the session that ended: %v", err)
	}
	h.want(200, "PATCH", "/operators/li", object{"role": "viewer"}) // who may look, but not type
	for err = nil; err == nil; {
		_, _, err = typing.conn.Read(t.Context())
	}
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	h.want(204, "DELETE", "/operators/li", nil)
	if _, err := io.Copy(io.Discard, goes); err != nil {
		t.Errorf("the stream of an operator who is gone: %v", err)
	}
}

// TestWhoIsDisabled is let in by nothing until he is enabled again; nobody does
// it to himself, also not by his token, nor to the last administrator.
func TestWhoIsDisabled(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/operators", object{"name": "li", "role": "administrator", "password": "a long password"})
	session := h.want(201, "POST", "/session", object{"name": "li", "password": "a long password"})["token"].(string)
	_, made := h.doWith(session, "POST", httpapi.Base+"/tokens", object{"name": "dashboard", "role": "administrator"})
	var own struct{ Token string }
	if err := json.Unmarshal([]byte(made), &own); err != nil || own.Token == "" {
		t.Fatalf("%s: %v", made, err)
	}
	h.want(409, "PATCH", "/operators/li", object{"enabled": false}) // the last one
	h.want(201, "POST", "/operators", object{"name": "wu", "role": "administrator", "password": "a long password"})
	for _, by := range []string{session, own.Token} {
		if got, said := h.doWith(by, "PATCH", httpapi.Base+"/operators/li", object{"enabled": false}); got != 409 || !strings.Contains(said, "nobody disables himself") {
			t.Errorf("himself: %d %s", got, said)
		}
	}
	if got := h.want(200, "PATCH", "/operators/li", object{"enabled": false}); got["enabled"] != false || got["role"] != "administrator" {
		t.Errorf("%v", got)
	}
	for _, proof := range []string{session, own.Token} {
		if got, said := h.doWith(proof, "GET", httpapi.Base+"/me", nil); got != 401 {
			t.Errorf("%d %s", got, said)
		}
	}
	h.want(403, "POST", "/session", object{"name": "li", "password": "a long password"})
	h.want(401, "POST", "/session", object{"name": "li", "password": "another password"})
	h.want(200, "PATCH", "/operators/li", object{"enabled": true})
	if got, said := h.doWith(own.Token, "GET", httpapi.Base+"/me", nil); got != 200 {
		t.Errorf("his token: %d %s", got, said)
	}
	if got, said := h.doWith(session, "GET", httpapi.Base+"/me", nil); got != 401 {
		t.Errorf("his session from before: %d %s", got, said)
	}
	h.want(201, "POST", "/session", object{"name": "li", "password": "a long password"})
}
