package httpapi_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/program"
)

func TestProgramsForADevice(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	h.want(201, "POST", "/products/a1NightLamp/devices", object{"name": "lamp01"})
	h.want(201, "POST", "/products", object{"key": "VRqhDHF2wL", "dialect": "onenet"})
	h.want(201, "POST", "/products/VRqhDHF2wL/devices", object{"name": "my_tv"})
	h.want(201, "POST", "/products", object{"key": "house", "dialect": "mqtt"})
	h.want(201, "POST", "/products/house/devices", object{"name": "door"})
	connect := regexp.MustCompile(`AT\+CIPSEND=\d+\n(10[0-9a-f]+)\n`)
	for _, path := range []string{"/products/a1NightLamp/devices/lamp01", "/products/VRqhDHF2wL/devices/my_tv", "/products/house/devices/door"} {
		for _, name := range program.Names() {
			got := h.want(200, "GET", path+"/code?for="+name+"&host=192.168.1.10", nil)
			text, _ := got["text"].(string)
			if got["for"] != name || got["file"] == "" || got["titleZh"] == "" || !strings.Contains(text, "192.168.1.10") {
				t.Errorf("%s for %s: %v", path, name, got)
			}
			if name != "at" {
				continue
			}
			m := connect.FindStringSubmatch(text)
			if m == nil {
				t.Fatalf("no CONNECT in\n%s", text)
			}
			if got := h.want(200, "POST", "/doctor", object{"hex": m[1]}); got["ok"] != true {
				t.Errorf("%s: the CONNECT of the program: %v", path, got)
			}
		}
		h.want(422, "GET", path+"/code", nil)
		h.want(422, "GET", path+"/code?for=cobol", nil)
		h.want(400, "GET", path+"/code?for=c&method=crc32", nil)
		if got := h.want(400, "GET", path+"/code?for=at-nt35e&tls=true", nil); !strings.Contains(got["detail"].(string), "without TLS") {
			t.Errorf("TLS: %v", got)
		}
	}
	h.want(404, "GET", "/products/house/devices/window/code?for=c", nil)
	h.want(201, "POST", "/products", object{"key": "238322", "dialect": "onenet", "dataModel": "streams"})
	h.want(201, "POST", "/products/238322/devices", object{"name": "old"})
	if got := h.want(400, "GET", "/products/238322/devices/old/code?for=c", nil); !strings.Contains(got["detail"].(string), "data streams") {
		t.Errorf("data streams: %v", got)
	}
	// What the documentation lists is what there is.
	_, raw := h.do("", "GET", "/api/openapi.json", nil)
	var doc object
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		t.Fatal(err)
	}
	get := doc["paths"].(object)["/api/v1/products/{product}/devices/{device}/code"].(object)["get"].(object)
	for _, p := range get["parameters"].([]any) {
		if p := p.(object); p["name"] == "for" {
			var names []string
			for _, n := range p["schema"].(object)["enum"].([]any) {
				names = append(names, n.(string))
			}
			if strings.Join(names, " ") != strings.Join(program.Names(), " ") {
				t.Errorf("the documentation lists %v", names)
			}
		}
	}
}
