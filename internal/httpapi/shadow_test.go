package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/thing"
)

const one = "/products/a1NightLamp/devices/lamp01"

// lamp makes a product with a model and a device.
func (h *house) nightLamp() {
	h.Helper()
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	h.want(200, "PUT", "/products/a1NightLamp/model?format=matou", `{"properties":[{"id":"Mode","name":"mode","access":"read-write","type":{"kind":"text","length":8}},{"id":"Level","name":"level","access":"read-write","type":{"kind":"int32"}},{"id":"Seen","name":"seen","type":{"kind":"int32"}}]}`)
	h.want(201, "POST", "/products/a1NightLamp/devices", object{"name": "lamp01"})
}

func TestShadowOverREST(t *testing.T) {
	h := newHouse(t)
	h.nightLamp()
	if got := h.want(200, "GET", one+"/shadow", nil); fmt.Sprint(got) != "map[desired:map[] reported:map[] version:0]" {
		t.Errorf("%v", got)
	}
	got := h.want(200, "PUT", one+"/shadow/desired", object{"desired": object{"color": "green", "n": 1.5}})
	if color := got["desired"].(object)["color"].(object); got["version"] != 1.0 || got["told"] != "offline" || color["value"] != "green" || color["time"] == nil {
		t.Errorf("%v", got)
	}
	got = h.want(200, "PATCH", one+"/shadow/desired", `{"desired":{"color":null},"version":5}`)
	if len(got["desired"].(object)) != 1 || got["version"] != 5.0 {
		t.Errorf("%v", got)
	}
	if got := h.want(409, "PATCH", one+"/shadow/desired", `{"desired":{"a":1},"version":5}`); got["code"] != "conflict" || !strings.Contains(fmt.Sprint(got), "body.version") {
		t.Errorf("%v", got)
	}
	for body, status := range map[string]int{`{"desired":[1]}`: 400, `{"desired":{}}`: 400, `{"desired":{"a":1},"version":-1}`: 422, `{}`: 422} {
		if got, raw := h.do(access.Administrator, "PATCH", httpapi.Base+one+"/shadow/desired", body); got != status && got != 400 {
			t.Errorf("%s: %d %s", body, got, raw)
		}
	}
	h.want(204, "DELETE", one+"/shadow", nil)
	if got := h.want(200, "GET", one+"/shadow", nil); got["version"] != 0.0 {
		t.Errorf("%v", got)
	}
	h.want(404, "GET", "/products/a1NightLamp/devices/nobody/shadow", nil)
	if status, _ := h.do(access.Viewer, "DELETE", httpapi.Base+one+"/shadow", nil); status != 403 {
		t.Errorf("a viewer deletes: %d", status)
	}
}

func TestDesiredOverREST(t *testing.T) {
	h := newHouse(t)
	h.nightLamp()
	got := h.want(200, "POST", one+"/desired", `{"values":{"Mode":"eco","Level":3},"versions":{"Mode":0}}`)
	if got["told"] != "offline" || len(got["items"].([]any)) != 2 {
		t.Errorf("%v", got)
	}
	h.want(409, "POST", one+"/desired", `{"values":{"Mode":"dim"},"versions":{"Mode":7}}`)
	h.want(400, "POST", one+"/desired", `{"values":{"Seen":1}}`)
	var b record.ReportBuilder
	b.Reset()
	b.Add("Level", thing.IntValue(3), time.Now().UnixMilli())
	b.Add("Mode", thing.TextValue("dim"), time.Now().UnixMilli())
	h.feed.Append(record.Record{Kind: record.PropertyReport, Product: "a1NightLamp", Device: "lamp01", Time: time.Now(), Body: b.Bytes()}).Wait()
	for deadline := time.Now().Add(10 * time.Second); ; {
		got = h.want(200, "GET", one+"/desired", nil)
		level, mode := got["items"].([]any)[0].(object), got["items"].([]any)[1].(object)
		if level["reported"] == 3.0 && level["matches"] == true && mode["matches"] == false && mode["reported"] == "dim" && mode["version"] == 1.0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v", got)
		}
	}
	h.want(204, "DELETE", one+"/desired?property=Mode", nil)
	if got = h.want(200, "GET", one+"/desired", nil); len(got["items"].([]any)) != 1 {
		t.Errorf("%v", got)
	}
	h.want(204, "DELETE", one+"/desired", nil)
	if got = h.want(200, "GET", one+"/desired", nil); len(got["items"].([]any)) != 0 {
		t.Errorf("%v", got)
	}
}

func TestTagsAndLogOverREST(t *testing.T) {
	h := newHouse(t)
	h.nightLamp()
	h.want(200, "PATCH", one+"/tags", `{"set":{"floor":"3","room":"hall"}}`)
	if got := h.want(200, "PATCH", one+"/tags", `{"set":{"floor":"4"},"remove":["room","never"]}`); fmt.Sprint(got["tags"]) != "map[floor:4]" {
		t.Errorf("%v", got)
	}
	h.want(400, "PATCH", one+"/tags", `{"set":{"a b":"4"}}`)
	if got := h.want(200, "GET", one+"/log", nil); got["on"] != false {
		t.Errorf("%v", got)
	}
	if got := h.want(200, "PUT", one+"/log", `{"on":true}`); got["on"] != true || got["told"] == "" {
		t.Errorf("%v", got)
	}
	if got := h.want(200, "GET", one, nil); got["remoteLog"] != true {
		t.Errorf("%v", got)
	}
}

func TestRemoteConfigurationOverREST(t *testing.T) {
	h := newHouse(t)
	h.nightLamp()
	const config = "/products/a1NightLamp/config"
	if got := h.want(200, "GET", config, nil); got["on"] != true || len(got["items"].([]any)) != 0 {
		t.Errorf("%v", got)
	}
	h.want(409, "POST", config+"/push", `{}`)
	h.want(400, "PUT", config, `interval=60`)
	if got := h.want(201, "PUT", config, `{"interval":60}`); got["version"] != 1.0 || got["size"] != 15.0 || len(got["sha256"].(string)) != 64 {
		t.Errorf("%v", got)
	}
	if status, raw := h.do(access.Viewer, "GET", httpapi.Base+config+"/content", nil); status != 200 || raw != `{"interval":60}` {
		t.Errorf("%d %s", status, raw)
	}
	h.want(404, "GET", config+"/content?version=9", nil)
	if got := h.want(200, "POST", config+"/push", `{}`); got["told"].(float64)+got["queued"].(float64)+got["missed"].(float64) != 1 {
		t.Errorf("%v", got)
	}
	if got := h.want(200, "GET", config+"/deliveries", nil); len(got["items"].([]any)) != 1 {
		t.Errorf("%v", got)
	}
	if got := h.want(200, "PATCH", config, `{"on":false}`); got["on"] != false {
		t.Errorf("%v", got)
	}
	h.want(409, "POST", config+"/push", `{"device":"lamp01"}`)
}
