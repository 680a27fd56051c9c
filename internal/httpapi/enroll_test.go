package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
)

// TestBatchesSayWhatIsWrongWhereItIs: a name that no device can have is told at
// the names, not at the name of the batch.
func TestBatchesSayWhatIsWrongWhereItIs(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	for _, tt := range []struct {
		body   object
		status int
		at     string
	}{
		{object{}, 400, "body.count"},
		{object{"count": 1_000_000}, 422, "body.count"},
		{object{"names": []string{"lamp01", "lamp01"}}, 409, "body.names"},
		{object{"names": []string{"灯"}}, 400, "body.names"},
		{object{"names": []string{"灯", "lamp 2"}}, 400, "body.names"},
		{object{"count": 2, "prefix": "灯"}, 400, "body.prefix"},
	} {
		said := h.want(tt.status, "POST", "/products/a1NightLamp/batches", tt.body)
		if at := said["errors"].([]any)[0].(object)["location"]; at != tt.at {
			t.Errorf("%v is wrong at %v, want %s: %v", tt.body, at, tt.at, said["detail"])
		}
	}
	if n := len(h.want(200, "GET", "/products/a1NightLamp/batches", nil)["items"].([]any)); n != 0 {
		t.Errorf("%d batches were made", n)
	}
}

func TestRegistrationIsManaged(t *testing.T) {
	h := newHouse(t)
	const p = "/products/a1NightLamp"
	made := h.want(201, "POST", "/products", object{"key": "a1NightLamp", "dialect": "aliyun"})
	if r := made["registration"].(object); r["enabled"] != false || r["free"] != false || r["listed"] != false {
		t.Errorf("a new product lets devices register: %v", r)
	}
	h.want(201, "POST", "/products", object{"key": "plain", "dialect": "mqtt"})
	h.want(400, "PATCH", "/products/plain/registration", object{"enabled": true})
	h.want(400, "PATCH", p+"/registration", object{"maxDevices": -1})
	h.want(200, "PATCH", p+"/registration", object{"enabled": true, "maxDevices": 7})
	if r := h.want(200, "PATCH", p+"/registration", object{"listed": true})["registration"].(object); r["enabled"] != true || r["listed"] != true || r["maxDevices"] != 7.0 {
		t.Errorf("what was not spoken of has changed: %v", r)
	}

	if n := h.want(200, "POST", p+"/registration/names", object{"names": []string{"b", "a", "a"}}); n["changed"] != 2.0 {
		t.Errorf("added %v", n)
	}
	first := h.want(200, "GET", p+"/registration/names?limit=1", nil)
	if items := first["items"].([]any); len(items) != 1 || items[0] != "a" || first["next"] != "a" {
		t.Errorf("%v", first)
	}
	if some := h.want(200, "GET", p+"/registration/names?text=B", nil); fmt.Sprint(some["items"]) != "[b]" {
		t.Errorf("with a B in them: %v", some)
	}
	h.want(422, "POST", p+"/registration/names", object{"names": []string{}})
	h.want(400, "POST", p+"/registration/names", object{"names": []string{"a/b"}})
	if n := h.want(200, "POST", p+"/registration/names/remove", object{"names": []string{"a", "c"}}); n["changed"] != 1.0 {
		t.Errorf("removed %v", n)
	}

	b := h.want(201, "POST", p+"/batches", object{"name": "march", "names": []string{"lamp01", "lamp02"}, "note": "first"})
	if b["devices"] != 2.0 || b["note"] != "first" {
		t.Errorf("%v", b)
	}
	h.want(409, "POST", p+"/batches", object{"name": "march", "count": 1})
	h.want(400, "POST", p+"/batches", object{"name": "april"})
	h.want(422, "POST", p+"/batches", object{"name": "april", "count": 10001})
	h.want(404, "GET", p+"/batches/april", nil)
	if all := h.want(200, "GET", p+"/batches", nil); len(all["items"].([]any)) != 1 {
		t.Errorf("%v", all)
	}
	for query, n := range map[string]int{"batch=march": 2, "batch=march&text=lamp02": 1, "batch=april": 0} {
		if all := h.want(200, "GET", "/devices?"+query, nil); len(all["items"].([]any)) != n {
			t.Errorf("%s: %v", query, all)
		}
	}
	devices := h.want(200, "GET", p+"/batches/march/devices?limit=1", nil)
	if items := devices["items"].([]any); len(items) != 1 || items[0].(object)["name"] != "lamp01" || items[0].(object)["secret"] != nil || devices["next"] != "lamp01" {
		t.Errorf("%v", devices)
	}
	if status, _ := h.do(access.Viewer, "GET", httpapi.Base+p+"/batches/march/devices.csv", nil); status != 403 {
		t.Errorf("a viewer exports secrets: %d", status)
	}
	if n := h.want(200, "PATCH", p+"/batches/march", object{"enabled": false}); n["changed"] != 2.0 {
		t.Errorf("%v", n)
	}
	if d := h.want(200, "GET", p+"/devices/lamp02", nil); d["state"] != "DISABLED" || d["batch"] != "march" {
		t.Errorf("%v", d)
	}
	h.want(409, "DELETE", p+"/batches/march", nil)

	h.want(404, "GET", p+"/devices/lamp01/registration", nil)
	h.want(404, "POST", p+"/devices/lamp99/reset", nil)
	if d := h.want(200, "POST", p+"/devices/lamp01/reset", nil); d["secret"] != nil {
		t.Errorf("the new secret is shown: %v", d)
	}
	fingerprint := strings.Repeat("0a", 32)
	bad := h.want(400, "PUT", p+"/devices/lamp01/certificate", object{"certificate": "mine"})
	if first := bad["errors"].([]any)[0].(object); first["location"] != "body.certificate" || !strings.Contains(first["message"].(string), "openssl") {
		t.Errorf("%v", bad)
	}
	if d := h.want(200, "PUT", p+"/devices/lamp01/certificate", object{"certificate": strings.ToUpper(fingerprint)}); d["certificate"] != fingerprint {
		t.Errorf("%v", d)
	}
	h.want(409, "PUT", p+"/devices/lamp02/certificate", object{"certificate": fingerprint})
	if d := h.want(200, "DELETE", p+"/devices/lamp01/certificate", nil); d["certificate"] != nil {
		t.Errorf("%v", d)
	}
}
