package httpapi_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/httpapi"
	"github.com/matou-iot/matou/internal/registry"
)

func TestManyDevices(t *testing.T) {
	h := newHouse(t)
	h.want(201, "POST", "/products", object{"key": "p", "dialect": "aliyun"})
	var all []object
	for i := range 5 {
		name := fmt.Sprint("lamp", i)
		h.want(201, "POST", "/products/p/devices", object{"name": name})
		all = append(all, object{"product": "p", "device": name})
	}
	resp := h.ask(h.tokens[access.Viewer], "GET", httpapi.Base+"/devices/stream", nil)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	until := func(event, part string) {
		t.Helper()
		for now := ""; lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				now = rest
			}
			if now == event && strings.Contains(lines.Text(), part) {
				return
			}
		}
		t.Fatalf("the stream ended before %s %s: %v", event, part, lines.Err())
	}
	until("watching", "{}")

	if got := h.want(200, "POST", "/devices/change", object{"devices": append(all[:3:3], object{"product": "p", "device": "none"}), "set": object{"room": "1", "floor": "2"}}); got["changed"] != 3.0 {
		t.Errorf("%v", got)
	}
	until("devices", `"lamp2"`)
	h.want(200, "POST", "/devices/change", object{"devices": all[:2], "remove": []string{"floor"}, "enabled": false})
	h.registry.WentOnline(registry.ID{Product: "p", Device: "lamp4"}, time.Now(), "", "", "")
	for query, want := range map[string]float64{
		"": 5, "?tag=room%3D1": 3, "?tag=floor": 1, "?state=DISABLED": 2, "?state=online": 1, "?text=LAMP&product=p": 5, "?product=q": 0, "?batch=b": 0,
	} {
		if got := h.want(200, "GET", "/devices/count"+query, nil); got["count"] != want {
			t.Errorf("%s: %v, not %v", query, got["count"], want)
		}
	}
	if got := h.want(200, "GET", "/devices/tags?product=p", nil)["items"]; fmt.Sprint(got) != "[map[devices:3 name:room value:1] map[devices:1 name:floor value:2]]" {
		t.Errorf("tags in use: %v", got)
	}
	h.want(400, "GET", "/devices/count?state=ASLEEP", nil)
	h.want(422, "POST", "/devices/change", object{"devices": []object{}})
	h.want(400, "POST", "/devices/change", object{"devices": all, "set": object{"a b": ""}})
	for _, path := range []string{"/devices/change", "/devices/delete"} {
		if status, _ := h.do(access.Viewer, "POST", httpapi.Base+path, object{"devices": all}); status != 403 {
			t.Errorf("a viewer at %s: %d", path, status)
		}
	}
	if got := h.want(200, "POST", "/devices/delete", object{"devices": all[1:]}); got["changed"] != 4.0 {
		t.Errorf("%v", got)
	}
	until("devices", `"listed":true`)
	if got := h.want(200, "GET", "/overview", nil)["states"]; fmt.Sprint(got) != "map[DISABLED:1]" {
		t.Errorf("%v", got)
	}
	if got := h.entries("?limit=1")[0]; got["object"] != "/api/v1/devices/delete" && got["done"] != true {
		t.Errorf("%v", got)
	}
}
