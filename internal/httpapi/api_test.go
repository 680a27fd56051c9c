package httpapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

// routes reads the description: each method and path, and whether it needs proof.
func (h *house) routes() map[string]bool {
	h.Helper()
	status, raw := h.do("", "GET", "/api/openapi.json", nil)
	var d struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Security []any
			Summary  string
		}
	}
	if err := json.Unmarshal([]byte(raw), &d); err != nil || status != 200 || !strings.HasPrefix(d.OpenAPI, "3.1") {
		h.Fatalf("%d %v %.200s", status, err, raw)
	}
	all := map[string]bool{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			if op.Summary == "" {
				h.Errorf("%s %s has no summary", method, path)
			}
			all[strings.ToUpper(method)+" "+path] = len(op.Security) > 0
		}
	}
	return all
}

func TestEveryRouteButSignInNeedsProof(t *testing.T) {
	h := newHouse(t)
	all := h.routes()
	if len(all) < 40 {
		t.Fatalf("only %d routes are described", len(all))
	}
	for route, secured := range all {
		method, path, _ := strings.Cut(route, " ")
		if secured != (route != "POST /api/v1/session") {
			t.Errorf("%s: secured is %v", route, secured)
		}
		if !secured {
			continue
		}
		resp := h.ask("", method, filled(path), "{}")
		if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s without proof: %d %v", route, resp.StatusCode, resp.Header)
		}
		resp.Body.Close()
		resp = h.ask("mt_nonsense", method, filled(path), "{}")
		if resp.StatusCode != 401 {
			t.Errorf("%s with nonsense: %d", route, resp.StatusCode)
		}
		resp.Body.Close()
	}
}

var parameter = regexp.MustCompile(`\{[^}]+\}`)

func filled(path string) string { return parameter.ReplaceAllString(path, "x") }

func TestAViewerChangesNothing(t *testing.T) {
	h := newHouse(t)
	own := map[string]bool{"DELETE /api/v1/session": true, "PUT /api/v1/me/password": true, "POST /api/v1/tokens": true, "DELETE /api/v1/tokens/{id}": true, "POST /api/v1/explain": true, "POST /api/v1/products/{product}/models/check": true, "POST /api/v1/products/{product}/models/convert": true, "POST /api/v1/bench/fleets/check": true}
	for route, secured := range h.routes() {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" || !secured || own[route] {
			continue
		}
		if status, raw := h.do(access.Viewer, method, filled(path), "{}"); status != 403 {
			t.Errorf("%s as a viewer: %d %s", route, status, raw)
		}
	}
	for _, path := range []string{"/operators"} {
		if status, _ := h.do(access.OperatorRole, "GET", httpapi.Base+path, nil); status != 403 {
			t.Errorf("%s as an operator: %d", path, status)
		}
	}
}

func TestProductsAndDevices(t *testing.T) {
	h := newHouse(t)
	p := h.want(201, "POST", "/products", object{"key": "a1NightLamp", "name": "Night light 夜灯", "dialect": "aliyun"})
	if p["secret"] == "" || p["strictness"] != "lenient" {
		t.Errorf("made %v", p)
	}
	h.want(409, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	bad := h.want(400, "POST", "/products", object{"key": "x", "dialect": "zigbee"})
	if first := bad["errors"].([]any)[0].(object); first["location"] != "body.dialect" || !strings.Contains(first["message"].(string), "aliyun") {
		t.Errorf("a wrong dialect: %v", bad)
	}
	h.want(422, "POST", "/products", object{"key": "x", "dialect": "aliyun", "colour": "red"})

	d := h.want(201, "POST", "/products/a1NightLamp/devices", object{"name": "lamp01", "secret": "s3cr3t-s3cr3t-s3cr3t", "tags": object{"room": "1"}})
	if d["secret"] != "s3cr3t-s3cr3t-s3cr3t" || d["state"] != "INACTIVE" {
		t.Errorf("made %v", d)
	}
	for _, path := range []string{"/products/a1NightLamp", "/products/a1NightLamp/devices/lamp01", "/products/a1NightLamp/devices", "/devices", "/products"} {
		if _, raw := h.do(access.Viewer, "GET", httpapi.Base+path, nil); strings.Contains(raw, "s3cr3t") || strings.Contains(raw, p["secret"].(string)) {
			t.Errorf("%s shows a secret: %s", path, raw)
		}
	}
	if status, _ := h.do(access.Viewer, "GET", httpapi.Base+"/products/a1NightLamp/devices/lamp01?secrets=true", nil); status != 403 {
		t.Errorf("a viewer asks for secrets: %d", status)
	}
	if d := h.want(200, "GET", "/products/a1NightLamp/devices/lamp01?secrets=true", nil); d["secret"] != "s3cr3t-s3cr3t-s3cr3t" {
		t.Errorf("secret asked for: %v", d)
	}
	if d := h.want(200, "PATCH", "/products/a1NightLamp/devices/lamp01", object{"enabled": false}); d["state"] != "DISABLED" || d["tags"].(object)["room"] != "1" {
		t.Errorf("disabled: %v", d)
	}
	if found := h.want(200, "GET", "/devices?state=disabled&tag=room%3D1&text=lamp", nil); len(found["items"].([]any)) != 1 {
		t.Errorf("found %v", found)
	}
	h.want(400, "GET", "/devices?state=asleep", nil)
	if d := h.want(200, "POST", "/products/a1NightLamp/devices/lamp01/secret", object{}); d["secret"] == "" || d["secret"] == "s3cr3t-s3cr3t-s3cr3t" {
		t.Errorf("reset: %v", d)
	}
	h.want(404, "GET", "/products/a1NightLamp/devices/lamp99", nil)
	h.want(404, "GET", "/products/nowhere/devices", nil)
	h.want(409, "DELETE", "/products/a1NightLamp", nil)
	h.want(204, "DELETE", "/products/a1NightLamp?force=true", nil)
	h.want(404, "GET", "/products/a1NightLamp/devices/lamp01", nil)
	h.want(404, "GET", "/nothing/here", nil)
}

func TestManyDevicesAllOrNone(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	bad := h.want(400, "POST", "/products/a1NightLamp/devices/batch", object{"devices": []object{{"name": "one"}, {"name": "t w o"}, {"name": "one"}}})
	locations := ""
	for _, e := range bad["errors"].([]any) {
		locations += e.(object)["location"].(string) + " "
	}
	if locations != "body.devices[1] body.devices[2] " {
		t.Errorf("rows %q of %v", locations, bad)
	}
	if n := h.want(200, "GET", "/products/a1NightLamp", nil)["devices"]; n != 0.0 {
		t.Errorf("%v devices of a refused batch", n)
	}
	made := h.want(201, "POST", "/products/a1NightLamp/devices.csv", csvText("\xEF\xBB\xBFname,secret,nickname\nlamp01,secret01secret01,厨房\nlamp02,,\"=SUM(A1)\"\n"))
	if made["created"] != 2.0 {
		t.Errorf("%v", made)
	}
	status, text := h.do(access.OperatorRole, "GET", httpapi.Base+"/products/a1NightLamp/devices.csv", nil)
	lines := strings.Split(text, "\n")
	if status != 200 || lines[0] != "name,secret,nickname,enabled,state" || lines[1] != "lamp01,secret01secret01,厨房,true,INACTIVE" || !strings.Contains(lines[2], ",'=SUM(A1),") {
		t.Errorf("%d %q", status, text)
	}
	h.want(201, "POST", "/products", object{"key": "a1Copy00000", "dialect": "aliyun"})
	h.want(201, "POST", "/products/a1Copy00000/devices.csv", csvText(text))
	if _, copied := h.do(access.OperatorRole, "GET", httpapi.Base+"/products/a1Copy00000/devices.csv", nil); copied != text {
		t.Errorf("an export imported is exported as %q", copied)
	}
	for _, wrong := range []string{"", "name,colour\na,b\n", "name\n", "name\n\"unclosed\n"} {
		h.want(400, "POST", "/products/a1Copy00000/devices.csv", csvText(wrong))
	}
}

func TestPagesHoldEveryDeviceOnce(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	var all []object
	for i := range 25 {
		all = append(all, object{"name": fmt.Sprintf("lamp%02d", i)})
	}
	h.want(201, "POST", "/products/a1NightLamp/devices/batch", object{"devices": all})
	seen := map[string]bool{}
	for after, pages := "", 0; ; pages++ {
		got := h.want(200, "GET", "/devices?limit=10&after="+after, nil)
		for _, d := range got["items"].([]any) {
			seen[d.(object)["name"].(string)] = true
		}
		next, more := got["next"].(string)
		if !more {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
		after = next
	}
	if len(seen) != 25 {
		t.Errorf("%d devices", len(seen))
	}
	h.want(400, "GET", "/devices?limit=100000", nil)
}

const tsl = `{"profile":{"productKey":"a1NightLamp"},"properties":[
 {"identifier":"Temp","name":"温度","accessMode":"r","dataType":{"type":"float","specs":{"min":"-40","max":"85","step":"0.1","unit":"°C"}}},
 {"identifier":"Light","name":"灯","accessMode":"rw","dataType":{"type":"bool","specs":{"0":"关","1":"开"}}}],"events":[],"services":[]}`

func TestModelsComeAndGoInEveryForm(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	if got := h.want(200, "PUT", "/products/a1NightLamp/model", tsl); got["format"] != "aliyun" || got["properties"] != 2.0 || got["version"] != 1.0 {
		t.Errorf("imported %v", got)
	}
	for i, form := range []string{"aliyun", "onenet", "matou"} {
		status, doc := h.do(access.Viewer, "GET", httpapi.Base+"/products/a1NightLamp/model?format="+form, nil)
		if status != 200 || !strings.Contains(doc, "Light") {
			t.Fatalf("%s: %d %s", form, status, doc)
		}
		if got := h.want(200, "PUT", "/products/a1NightLamp/model", doc); got["properties"] != 2.0 || got["version"] != float64(i+2) || got["format"] != form {
			t.Errorf("%s again: %v", form, got)
		}
	}
	h.want(400, "PUT", "/products/a1NightLamp/model", `{"properties":[{"identifier":""}]}`)
	h.want(400, "PUT", "/products/a1NightLamp/model?format=xml", tsl)
	h.want(400, "GET", "/products/a1NightLamp/model?format=xml", nil)
	if p := h.want(200, "GET", "/products/a1NightLamp", nil); p["modelVersion"] != 4.0 {
		t.Errorf("after refused imports: %v", p)
	}
}

func TestEventsAreFoundByIdentifierLevelAndTime(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	h.want(201, "POST", "/products/a1NightLamp/devices", object{"name": "lamp01"})
	start := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	var last uint64
	for i, e := range []record.Event{{Event: "Hello", Level: thing.Info}, {Event: "Hot", Level: thing.Alert}, {Event: "Hot", Level: thing.Fault}, {Event: "Hello", Level: thing.Fault}} {
		e.Output, e.Time = "{}", start.Add(time.Duration(i)*time.Minute)
		body, err := e.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		ticket := h.feed.Append(record.Record{Kind: record.EventReport, Product: "a1NightLamp", Device: "lamp01", Time: start, Body: body})
		if err := ticket.Wait(); err != nil {
			t.Fatal(err)
		}
		last = ticket.Seq()
	}
	if err := h.history.WaitFor(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"":                         "Hello error, Hot error, Hot alert, Hello info, ",
		"?event=Hot":               "Hot error, Hot alert, ",
		"?level=error&order=asc":   "Hot error, Hello error, ",
		"?level=info&level=alert":  "Hot alert, Hello info, ",
		"?event=Hello&level=alert": "",
		"?from=yesterday":          "422",
		"?event=Hot&from=2025-03-01T12:01:00Z&to=2025-03-01T12:02:00Z": "Hot alert, ",
		"?level=fatal": "422",
	} {
		status, text := h.do(access.Viewer, "GET", httpapi.Base+"/products/a1NightLamp/devices/lamp01/events"+query, nil)
		var found struct {
			Items []struct{ Event, Level string }
		}
		json.Unmarshal([]byte(text), &found)
		got := ""
		for _, e := range found.Items {
			got += e.Event + " " + e.Level + ", "
		}
		if status != 200 {
			got = strconv.Itoa(status)
		}
		if got != want {
			t.Errorf("%s: %s, not %s: %s", query, got, want, text)
		}
	}
}

func TestDataAndStream(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	h.want(200, "PUT", "/products/a1NightLamp/model", tsl)
	h.want(201, "POST", "/products/a1NightLamp/devices", object{"name": "lamp01"})
	lamp := "/products/a1NightLamp/devices/lamp01"

	resp := h.ask(h.tokens[access.Viewer], "GET", httpapi.Base+lamp+"/stream", nil)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Scan() // the greeting says that the subscription is coming
	if resp.Header.Get("Content-Type") != "text/event-stream" || !strings.HasPrefix(lines.Text(), ":") {
		t.Fatalf("%v %q", resp.Header, lines.Text())
	}
	start := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	told := make(chan string, 1)
	go func() {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				told <- data
				return
			}
		}
	}()
	var last uint64
	for i := range 10 {
		report := record.Report{{Property: "Temp", Value: thing.FloatValue(20 + float64(i)/2), Time: start.Add(time.Duration(i) * time.Minute)}}
		body, err := report.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		ticket := h.feed.Append(record.Record{
			Kind: record.PropertyReport, Product: "a1NightLamp", Device: "lamp01", Time: start, Body: body,
		})
		if err := ticket.Wait(); err != nil {
			t.Fatal(err)
		}
		last = ticket.Seq()
	}
	if err := h.history.WaitFor(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	var e struct {
		Product, Device string
		Values          map[string]float64
	}
	if text := <-told; json.Unmarshal([]byte(text), &e) != nil || e.Device != "lamp01" || len(e.Values) != 1 {
		t.Errorf("streamed %s", text)
	}
	items := h.want(200, "GET", lamp+"/properties", nil)["items"].([]any)
	if first := items[0].(object); len(items) != 2 || first["value"] != 24.5 || first["unit"] != "°C" || first["time"] != "2025-03-01T12:09:00Z" {
		t.Errorf("latest %v", items)
	}
	if second := items[1].(object); second["value"] != nil || second["time"] != nil {
		t.Errorf("never reported: %v", second)
	}
	past := h.want(200, "GET", lamp+"/properties/Temp/history?order=asc&limit=4", nil)
	if got := past["items"].([]any); len(got) != 4 || got[0].(object)["value"] != 20.0 || past["next"] == "" {
		t.Errorf("history %v", past)
	}
	sums := h.want(200, "GET", lamp+"/properties/Temp/history?step=5m&from=2025-03-01T12:00:00Z&to=2025-03-01T12:10:00Z", nil)["buckets"].([]any)
	if len(sums) != 2 || sums[0].(object)["avg"] != 21.0 || sums[1].(object)["max"] != 24.5 || sums[0].(object)["count"] != 5.0 {
		t.Errorf("sums %v", sums)
	}
	h.want(400, "GET", lamp+"/properties/Temp/history?step=often", nil)
	broughtBy := func(i int) float64 { return past["items"].([]any)[i].(object)["record"].(float64) }
	export := func(query string) (int, string) {
		return h.do(access.Viewer, "GET", httpapi.Base+lamp+"/properties.csv?"+query, nil)
	}
	if status, rows := export("property=Light&property=Temp&from=2025-03-01T12:02:00Z&to=2025-03-01T12:04:00Z"); status != 200 ||
		rows != fmt.Sprintf("time,property,value,record\n2025-03-01T12:02:00Z,Temp,21,%d\n2025-03-01T12:03:00Z,Temp,21.5,%d\n", int(broughtBy(2)), int(broughtBy(3))) {
		t.Errorf("%d %q", status, rows)
	}
	if status, rows := export("property=Temp"); status != 200 || strings.Count(rows, "\n") != 11 {
		t.Errorf("%d %q", status, rows)
	}
	for _, query := range []string{"", "property=Temp&from=2025-03-02T00:00:00Z&to=2025-03-01T00:00:00Z"} {
		if status, said := export(query); status < 400 || status > 422 {
			t.Errorf("export of %q: %d %s", query, status, said)
		}
	}
	h.want(404, "GET", "/products/a1NightLamp/devices/lamp99/properties.csv?property=Temp", nil)
	h.want(404, "GET", "/products/a1NightLamp/devices/lamp99/stream", nil)
	if empty := h.want(200, "GET", lamp+"/properties/Light/history", nil); empty["items"] == nil {
		t.Errorf("nothing reported: %v", empty)
	}
	h.want(404, "GET", "/products/a1NightLamp/devices/lamp99/properties", nil)
	if away := h.want(503, "POST", lamp+"/properties", object{"values": object{"Light": 1}}); !strings.Contains(away["detail"].(string), "offline") {
		t.Errorf("set while it is away: %v", away)
	}
	h.want(400, "POST", lamp+"/properties", object{"values": object{"Temp": 1}})
	h.want(400, "POST", lamp+"/properties", object{"values": object{"Light": 1}, "wait": "long"})
	h.want(400, "POST", lamp+"/properties", object{"values": []int{1}})
	h.want(404, "POST", lamp+"/services/Nothing", object{})
}

func TestCredentialsLetADeviceIn(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	h.want(201, "POST", "/products/a1NightLamp/devices", object{"name": "lamp01"})
	h.want(201, "POST", "/products", object{"key": "VRqhDHF2wL", "dialect": "onenet"})
	h.want(201, "POST", "/products/VRqhDHF2wL/devices", object{"name": "my_tv"})
	for _, path := range []string{"/products/a1NightLamp/devices/lamp01", "/products/VRqhDHF2wL/devices/my_tv"} {
		items := h.want(200, "GET", path+"/credentials", nil)["items"].([]any)
		if len(items) < 3 {
			t.Errorf("%s: %d methods", path, len(items))
		}
		for _, i := range items {
			c := i.(object)
			if c["host"] != "iot.example.com" || c["port"] != 1883.0 || float64(len(c["connect"].(string))) != 2*c["length"].(float64) {
				t.Errorf("%v", c)
			}
			got := h.want(200, "POST", "/doctor", object{"clientId": c["clientId"], "username": c["username"], "password": c["password"]})
			if got["ok"] != true {
				t.Errorf("%s %s: %v", path, c["method"], got)
			}
			if got := h.want(200, "POST", "/doctor", object{"hex": c["connect"]}); got["ok"] != true {
				t.Errorf("%s %s as a packet: %v", path, c["method"], got)
			}
			got = h.want(200, "POST", "/doctor", object{"clientId": c["clientId"], "username": c["username"], "password": c["password"].(string) + "x"})
			if d, _ := got["diagnosis"].(object); got["ok"] != false || d["code"] == "" || d["sentenceZh"] == "" {
				t.Errorf("%s %s spoilt: %v", path, c["method"], got)
			}
		}
		h.want(400, "GET", path+"/credentials?method=crc32", nil)
	}
	if got := h.want(200, "POST", "/explain", object{"hex": "30 92 00"}); len(got["packets"].([]any)) == 0 {
		t.Errorf("%v", got)
	}
	h.want(400, "POST", "/explain", object{"hex": "xyz"})
	h.want(400, "POST", "/explain", object{})
}

func TestSigningIn(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/operators", object{"name": "li", "role": "viewer", "password": "a long password"})
	h.want(400, "POST", "/operators", object{"name": "wu", "role": "viewer", "password": "short"})
	status, raw := h.do("", "POST", httpapi.Base+"/session", object{"name": "li", "password": "a long password"})
	var s struct{ Token, Role string }
	if json.Unmarshal([]byte(raw), &s) != nil || status != 201 || s.Role != "viewer" {
		t.Fatalf("%d %s", status, raw)
	}
	as := func(method, path string, body any) int {
		resp := h.ask(s.Token, method, httpapi.Base+path, body)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := as("GET", "/me", nil); got != 200 {
		t.Errorf("me: %d", got)
	}
	if got := as("POST", "/tokens", object{"name": "more", "role": "administrator"}); got == 201 {
		t.Error("a viewer made an administrator's token")
	}
	if got := as("PUT", "/me/password", object{"old": "wrong", "new": "another long password"}); got != 400 {
		t.Errorf("password with a wrong old one: %d", got)
	}
	if got := as("DELETE", "/session", nil); got != 204 {
		t.Errorf("sign out: %d", got)
	}
	if got := as("GET", "/me", nil); got != 401 {
		t.Errorf("after signing out: %d", got)
	}
	if status, raw := h.do("", "POST", httpapi.Base+"/session", object{"name": "li", "password": "wrong"}); status != 401 {
		t.Errorf("%d %s", status, raw)
	}
}

// TestSigningOutEverywhere ends the sessions of one operator, all of them, and
// nobody else's; what his tokens let in goes on.
func TestSigningOutEverywhere(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/operators", object{"name": "li", "role": "operator", "password": "a long password"})
	h.want(201, "POST", "/operators", object{"name": "wu", "role": "viewer", "password": "a long password"})
	signIn := func(name string) string {
		return h.want(201, "POST", "/session", object{"name": name, "password": "a long password"})["token"].(string)
	}
	here, there, other := signIn("li"), signIn("li"), signIn("wu")
	_, made := h.doWith(here, "POST", httpapi.Base+"/tokens", object{"name": "dashboard", "role": "viewer"})
	var own struct{ Token string }
	if err := json.Unmarshal([]byte(made), &own); err != nil || own.Token == "" {
		t.Fatalf("%s: %v", made, err)
	}
	if got, said := h.doWith(here, "DELETE", httpapi.Base+"/me/sessions", nil); got != 200 || !strings.Contains(said, `"ended":2`) {
		t.Errorf("%d %s", got, said)
	}
	for _, tt := range []struct {
		whose, token string
		want         int
	}{{"this session", here, 401}, {"his other one", there, 401}, {"somebody else's", other, 200}, {"his token", own.Token, 200}} {
		if got, said := h.doWith(tt.token, "GET", httpapi.Base+"/me", nil); got != tt.want {
			t.Errorf("%s: %d %s", tt.whose, got, said)
		}
	}
	if got, said := h.do(access.Viewer, "DELETE", httpapi.Base+"/me/sessions", nil); got != 403 {
		t.Errorf("a token of the house: %d %s", got, said)
	}
}

// TestSessionsOfPages: a page gets its token as a cookie that scripts cannot
// read, and another site cannot make its visitor change anything with it.
func TestSessionsOfPages(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/operators", object{"name": "li", "role": "operator", "password": "a long password"})
	resp := h.ask("", "POST", httpapi.Base+"/session", object{"name": "li", "password": "a long password", "cookie": true})
	raw, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	cookies := resp.Cookies()
	if resp.StatusCode != 201 || strings.Contains(string(raw), "token") || len(cookies) != 1 ||
		!cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Path != httpapi.Base || cookies[0].Secure {
		t.Fatalf("%d %s %v", resp.StatusCode, raw, cookies)
	}
	as := func(method, path, site string, body string) *http.Response {
		r, err := http.NewRequest(method, h.url+httpapi.Base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(cookies[0])
		r.Header.Set("Content-Type", "application/json")
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	const product = `{"name":"lamp","dialect":"mqtt"}`
	for _, tt := range []struct {
		method, path, site, body string
		want                     int
	}{
		{"GET", "/me", "same-origin", "", 200},
		{"POST", "/products", "same-origin", product, 201},
		{"POST", "/products", "cross-site", product, 403},
		{"POST", "/products", "same-site", product, 403},
		{"DELETE", "/session", "cross-site", "", 403},
		{"DELETE", "/session", "same-origin", "", 204},
		{"GET", "/me", "same-origin", "", 401},
	} {
		resp := as(tt.method, tt.path, tt.site, tt.body)
		if resp.StatusCode != tt.want {
			t.Errorf("%s %s from %s: %d, want %d", tt.method, tt.path, tt.site, resp.StatusCode, tt.want)
		}
		if tt.want == 204 && (len(resp.Cookies()) != 1 || resp.Cookies()[0].Value != "" || !resp.Cookies()[0].Expires.Before(time.Now())) {
			t.Errorf("the cookie stays: %v", resp.Cookies())
		}
	}
}

func TestMetricsAndProfilesNeedAToken(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		path string
		as   access.Role
		want int
	}{
		{"/metrics", "", 401}, {"/metrics", access.Viewer, 200},
		{"/debug/pprof/goroutine?debug=1", "", 401}, {"/debug/pprof/goroutine?debug=1", access.OperatorRole, 403},
		{"/debug/pprof/goroutine?debug=1", access.Administrator, 200},
	} {
		if got, raw := h.do(tt.as, "GET", tt.path, nil); got != tt.want {
			t.Errorf("%s as %q: %d %.100s", tt.path, tt.as, got, raw)
		}
	}
	_, raw := h.do(access.Viewer, "GET", "/metrics", nil)
	for _, want := range []string{"matou_mqtt_clients 0", `matou_mqtt_connects_total{outcome="refused"} 0`, "matou_feed_records_total", `matou_build_info{version="test"} 1`, "go_goroutines"} {
		if !strings.Contains(raw, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestDocsNeedNoInternet(t *testing.T) {
	h := newHouse(t)
	status, page := h.do("", "GET", "/api/docs", nil)
	if status != 200 || regexp.MustCompile(`(src|href)="(https?:)?//`).MatchString(page) {
		t.Errorf("%d", status)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _ := h.do("", "GET", path, nil); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
}
