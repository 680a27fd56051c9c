package httpapi_test

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
)

const smallFleet = `
name: few
duration: 1s
ramp: 200ms
groups:
  - {name: few, product: a1Few, count: 3, report: {every: 100ms}}
storms: [{at: 500ms, share: 100%}]
reconnect: {min: 20ms, max: 100ms}
expect: {connected: 100%, answered: 100%, lost: 0, rejected: 0, refused: 0}
`

// fewLamps is the product of smallFleet.
func (h *house) fewLamps() {
	h.Helper()
	h.want(201, "POST", "/products", object{"key": "a1Few", "dialect": "aliyun"})
	h.want(200, "PUT", "/products/a1Few/model?format=matou", object{"properties": []object{
		{"id": "Temp", "name": "T", "access": "read-only", "type": object{"kind": "float", "min": 0, "max": 40}},
	}})
}

// TestFleet runs a fleet to its end, as the console does.
func TestFleet(t *testing.T) {
	h := newHouse(t)
	h.fewLamps()
	if got := h.want(200, "POST", "/bench/fleets/check", object{"scenario": smallFleet}); got["devices"] != 3.0 || got["groups"].([]any)[0].(object)["dialect"] != "aliyun" {
		t.Errorf("%v", got)
	}
	h.want(201, "POST", "/products/a1Few/devices", object{"name": "few-000002"}) // one is here before
	id := h.want(201, "POST", "/bench/fleets", object{"scenario": smallFleet, "forget": true})["id"].(string)
	h.want(409, "POST", "/bench/fleets", object{"scenario": smallFleet})

	resp := h.ask(h.tokens[access.Viewer], "GET", httpapi.Base+"/bench/fleets/"+id+"/stream", nil)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	var ended object
	samples, event := 0, ""
	for ended == nil && lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = rest
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case ok && event == "samples":
			samples++
		case ok && event == "ended":
			if err := json.Unmarshal([]byte(data), &ended); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ended["state"] != "passed" || samples == 0 {
		t.Fatalf("%d times samples, %v", samples, ended)
	}
	result := ended["result"].(object)
	if result["devices"] != 3.0 || result["cut"] != 3.0 || len(result["checks"].([]any)) != 5 {
		t.Errorf("%v", result)
	}
	if status, raw := h.do(access.Viewer, "GET", httpapi.Base+"/bench/fleets/"+id+"/result?format=junit", nil); status != 200 || xml.Unmarshal([]byte(raw), new(struct{})) != nil || !strings.Contains(raw, `tests="6" failures="0"`) {
		t.Errorf("%d %s", status, raw)
	}
	if got := h.want(200, "GET", "/bench/fleets/"+id+"/result", nil); got["scenario"] != "few" {
		t.Errorf("%v", got)
	}
	h.want(200, "GET", "/products/a1Few/devices/few-000002", nil) // was not made for it
	h.want(404, "GET", "/products/a1Few/devices/few-000001", nil)
	if got := h.entries("?limit=2"); got[0]["object"] != "/api/v1/bench/fleets" || got[1]["subject"] != "few ("+id+")" {
		t.Errorf("%v", got)
	}
	h.want(204, "DELETE", "/bench/fleets/"+id, nil)
	h.want(404, "GET", "/bench/fleets/"+id, nil)
}

func TestFleetIsStopped(t *testing.T) {
	h := newHouse(t)
	h.fewLamps()
	id := h.want(201, "POST", "/bench/fleets", object{"scenario": smallFleet, "seconds": 600})["id"].(string)
	h.want(409, "GET", "/bench/fleets/"+id+"/result", nil)
	got := h.want(200, "POST", "/bench/fleets/"+id+"/stop", nil)
	if got["state"] != "failed" || got["result"].(object)["interrupted"] != true {
		t.Errorf("%v", got)
	}
	if all := h.want(200, "GET", "/bench/fleets", nil)["items"].([]any); len(all) != 1 || all[0].(object)["state"] != "failed" {
		t.Errorf("%v", all)
	}
}

// TestFleetsAreBounded: nobody gets at files of the server or keeps it busy.
func TestFleetsAreBounded(t *testing.T) {
	h := newHouse(t)
	h.fewLamps()
	known := h.want(200, "GET", "/bench/fleets/scenarios", nil)
	if known["maxDevices"] != 20.0 || known["maxSeconds"] != 3600.0 || len(known["items"].([]any)) < 5 {
		t.Errorf("%v", known)
	}
	for _, s := range known["items"].([]any) {
		h.want(200, "POST", "/bench/fleets/check", object{"scenario": s.(object)["text"], "devices": 10, "seconds": 60})
	}
	group := func(s string) string { return strings.Replace(smallFleet, "count: 3,", s, 1) }
	for _, tt := range []struct {
		order object
		says  string
	}{
		{object{"scenario": smallFleet, "devices": 21}, "bench.fleetDevices"},
		{object{"scenario": smallFleet, "seconds": 3601}, "1h0m0s"},
		{object{"scenario": strings.Replace(group("count: 20,"), "100ms}}", "10ms}}", 1), "devices": 20}, ""},
		{object{"scenario": group("count: 3, model: /etc/hostname,")}, "opens no files"},
		{object{"scenario": group("count: 3, credentials: /etc/hostname,")}, "opens no files"},
		{object{"scenario": strings.Replace(smallFleet, "ramp:", "server: {caFile: /etc/hostname, url: 'mqtt://198.51.100.1:1883'}\nramp:", 1)}, ""},
		{object{"scenario": group("count: 3, dialect: onenet,")}, "speaks aliyun"},
		{object{"scenario": strings.Replace(smallFleet, "a1Few", "a1None", 1)}, "dialect"},
		{object{"scenario": "groups: ["}, "scenario"},
	} {
		status, raw := h.do(access.Viewer, "POST", httpapi.Base+"/bench/fleets/check", tt.order)
		if want := map[bool]int{true: 200, false: 400}[tt.says == ""]; status != want || !strings.Contains(raw, tt.says) {
			t.Errorf("%v: %d %s", tt.order, status, raw)
		}
	}
	if status, _ := h.do(access.Viewer, "POST", httpapi.Base+"/bench/fleets", object{"scenario": smallFleet}); status != 403 {
		t.Errorf("a viewer starts a fleet: %d", status)
	}
}
