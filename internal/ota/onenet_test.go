package ota_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

const tv = "VRqhDHF2wL"

// cloud is OneNET's endpoints for a product with one device, my_tv.
func (h *house) cloud() func(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.Helper()
	h.product(tv, "onenet")
	if _, err := h.registry.CreateDevice(h.Context(), registry.Device{Product: tv, Name: "my_tv"}); err != nil {
		h.Fatal(err)
	}
	mux := http.NewServeMux()
	door := &ota.OneNET{Service: h.Service, Verify: func(_ context.Context, _ *http.Request, _, _, token string) (*dialect.Diagnosis, error) {
		switch token {
		case "old":
			return &dialect.Diagnosis{Code: "onenet-token-expired", Sentence: "the token expired", SentenceZH: "token 已过期"}, nil
		case "good":
			return nil, nil
		}
		return &dialect.Diagnosis{Code: "onenet-wrong-key", Sentence: "another key", SentenceZH: "密钥不符"}, nil
	}}
	door.Register(mux.Handle)
	return func(method, path, body string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "good")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
}

var hexID = regexp.MustCompile(`"request_id":"[0-9a-f]{32}"`)

func TestOneNETUpgradeOverHTTP(t *testing.T) {
	bubble(t, func(h *house) {
		call := h.cloud()
		base := "/fuse-ota/" + tv + "/my_tv"
		body := strings.Repeat("0123456789", 60)
		m, _ := digests(body)
		want := func(w *httptest.ResponseRecorder, json string) {
			t.Helper()
			if got := hexID.ReplaceAllString(w.Body.String(), "ID"); w.Code != 200 || got != json {
				t.Errorf("%d %s\nwant %s", w.Code, got, json)
			}
			if w.Header().Get("Content-Type") != "application/json;charset=UTF-8" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%v", w.Header())
			}
		}
		want(call("POST", base+"/version", `{"s_version":"V1.0","f_version":"V1.0"}`), `{"code":0,"msg":"succ",ID}`)
		versions, _ := h.Versions(h.Context(), registry.ID{Product: tv, Device: "my_tv"})
		if len(versions) != 2 || versions[0].Module != "default" || versions[1].Module != "fota" {
			t.Errorf("%+v", versions)
		}
		want(call("GET", base+"/check?type=2&version=V1.0", ""), `{"code":11,"msg":"no task",ID}`)
		p := h.pack(ota.Package{Product: tv, Version: "v3.0"}, body)
		j := h.job(p, ota.Plan{})
		want(call("GET", base+"/check?type=1&version=V1.0", ""), `{"code":11,"msg":"no task",ID}`)
		want(call("GET", base+"/check?type=2&version=V1.0", ""), `{"code":0,"msg":"succ",ID,"data":{"target":"v3.0","tid":1,"size":600,"md5":"`+m+`","status":1,"type":1}}`)
		want(call("GET", base+"/1/check", ""), `{"code":0,"msg":"succ",ID,"data":{"status":1}}`)

		for _, tt := range []struct{ ranges, want string }{
			{"", body}, {"0-511", body[:512]}, {"bytes=0-511", body[:512]}, {"598-", "89"}, {"-2", "89"}, {"nonsense", body}, {"595-9999", "56789"},
		} {
			w := call("GET", base+"/1/download", "", "Range", tt.ranges)
			if w.Code != 200 || w.Body.String() != tt.want || w.Header()["Ota-Errno"][0] != "0" || w.Header().Get("Content-Type") != "application/octet-stream" || w.Header().Get("Content-Disposition") == "" {
				t.Errorf("%s: %d, %d bytes, %v", tt.ranges, w.Code, w.Body.Len(), w.Header())
			}
		}
		want(call("POST", base+"/1/status", `{"step":10}`), `{"code":0,"msg":"succ",ID}`)
		want(call("GET", base+"/1/check", ""), `{"code":0,"msg":"succ",ID,"data":{"status":2}}`)
		want(call("POST", base+"/1/status", `{"step":101}`), `{"code":0,"msg":"succ",ID}`)
		want(call("GET", base+"/1/check", ""), `{"code":0,"msg":"succ",ID,"data":{"status":3}}`)
		want(call("POST", base+"/1/status", `{"step":201}`), `{"code":0,"msg":"succ",ID}`)
		h.want(j, "my_tv SUCCEEDED 100")
		want(call("GET", base+"/1/check", ""), `{"code":0,"msg":"succ",ID,"data":{"status":4}}`)
		want(call("POST", base+"/1/status", `{"step":10}`), `{"code":20,"msg":"task finish",ID}`)
		want(call("GET", base+"/1/download", ""), `{"code":20,"msg":"task finish",ID}`)
		versions, _ = h.Versions(h.Context(), registry.ID{Product: tv, Device: "my_tv"})
		if versions[0].Version != "v3.0" { // 201 means that it runs [onenet §6.5]
			t.Errorf("%+v", versions)
		}
		// A failure with its code, and the older host's envelope.
		k := h.job(h.pack(ota.Package{Product: tv, Version: "v4.0", Source: "v3.0"}, "d"), ota.Plan{})
		older := "/ota/" + tv + "/my_tv"
		w := call("GET", older+"/check?type=2&version=v3.0", "")
		want(w, `{"errno":0,"error":"succ",ID,"data":{"target":"v4.0","tid":2,"size":1,"md5":"8277e0910d750195b448797616e091ad","status":1,"type":2}}`)
		want(call("POST", older+"/2/status", `{"step":205}`), `{"errno":0,"error":"succ",ID}`)
		h.want(k, "my_tv FAILED 0")
		want(call("GET", base+"/2/check", ""), `{"code":0,"msg":"succ",ID,"data":{"status":5}}`)
	})
}

func TestOneNETRefusesAndSaysWhy(t *testing.T) {
	bubble(t, func(h *house) {
		call := h.cloud()
		base := "/fuse-ota/" + tv + "/my_tv"
		h.fleet(1)
		h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{}) // task 1 is another's
		for _, tt := range []struct {
			method, path, body, token string
			code                      int
			note                      string // in the timeline
		}{
			{"GET", base + "/check?type=2&version=1", "", "old", 12, "onenet-token-expired"},
			{"GET", base + "/check?type=2&version=1", "", "bad", 4, "onenet-wrong-key"},
			{"GET", base + "/check?type=2&version=1", "", "", 4, "onenet-wrong-key"},
			{"GET", base + "/check?type=3", "", "good", 2, "onenet-ota-request"},
			{"POST", base + "/version", "{}", "good", 2, "onenet-ota-request"},
			{"POST", base + "/version", `{"s_version":"` + strings.Repeat("1", 65) + `"}`, "good", 2, "onenet-ota-version"},
			{"POST", base + "/1/status", `{"step":5}`, "good", 11, "onenet-ota-no-upgrade"},
			{"POST", base + "/1/status", `{"step":500}`, "good", 2, "onenet-ota-request"},
			{"GET", base + "/1/download", "", "good", 11, "onenet-ota-no-upgrade"},
			{"GET", base + "/1/check", "", "good", 11, "onenet-ota-no-upgrade"},
			{"GET", base + "/zero/check", "", "good", 2, ""},
			{"GET", "/fuse-ota/" + tv + "/nobody/check?type=2", "", "good", 1, ""},
			{"GET", "/fuse-ota/nothing/my_tv/check?type=2", "", "good", 1, ""},
			{"GET", "/fuse-ota/" + lamp + "/d000/check?type=2", "", "good", 1, ""},
		} {
			w := call(tt.method, tt.path, tt.body, "Authorization", tt.token)
			if !strings.HasPrefix(w.Body.String(), fmt.Sprintf(`{"code":%d,`, tt.code)) || w.Code != 200 {
				t.Errorf("%s %s: %d %s", tt.method, tt.path, w.Code, w.Body)
			}
			if tt.note == "" {
				continue
			}
			line, _ := h.recorder.Timeline(tv, "my_tv", trace.Query{Limit: 1})
			if len(line) != 1 || line[0].Code != tt.note || line[0].SentenceZH == "" {
				t.Errorf("%s %s: timeline %+v, want %s", tt.method, tt.path, line, tt.note)
			}
		}
	})
}
