package httpapi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/httpapi"
)

// uploaded lets the lamp upload a file in one block.
func (h *house) uploaded(name, data string) {
	h.Helper()
	ask := dialect.Ask{Claim: dialect.Claim{Product: "a1NightLamp", Device: "lamp01"}}
	begun, err := h.files.Begin(h.Context(), &dialect.FileBegin{Ask: ask, Name: name, Size: int64(len(data))})
	if err != nil {
		h.Fatal(err)
	}
	if got, err := h.files.Write(h.Context(), &dialect.FileWrite{Ask: ask, Upload: begun.ID, Data: []byte(data)}); err != nil || !got.Whole {
		h.Fatalf("%+v, %v", got, err)
	}
}

func TestFilesOverREST(t *testing.T) {
	h := newHouse(t)
	h.nightLamp()
	if got := h.want(200, "GET", one+"/files", nil); len(got["items"].([]any)) != 0 {
		t.Errorf("%v", got)
	}
	h.uploaded("b.log", "hello, lamp")
	h.uploaded("a.log", "a")
	got := h.want(200, "GET", one+"/files?limit=1", nil)
	if items := got["items"].([]any); len(items) != 1 || items[0].(object)["name"] != "a.log" || got["next"] != "a.log" {
		t.Errorf("%v", got)
	}
	f := h.want(200, "GET", one+"/files/b.log", nil)
	if f["size"] != 11.0 || f["product"] != "a1NightLamp" || f["device"] != "lamp01" || len(f["sha256"].(string)) != 64 || f["arrivedAt"] == nil {
		t.Errorf("%v", f)
	}
	for _, tt := range []struct {
		ranges, want string
		status       int
	}{{"", "hello, lamp", 200}, {"bytes=7-", "lamp", 206}, {"bytes=0-4", "hello", 206}, {"bytes=-4", "lamp", 206}, {"bytes=20-", "", 416}} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+httpapi.Base+one+"/files/b.log/content", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+h.tokens[access.Viewer])
		if tt.ranges != "" {
			req.Header.Set("Range", tt.ranges)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || tt.want != "" && string(body) != tt.want {
			t.Errorf("%q: %s %q, %v", tt.ranges, resp.Status, body, err)
		}
		if etag, as := resp.Header.Get("ETag"), resp.Header.Get("Content-Disposition"); tt.status != 416 && (etag != `"`+f["sha256"].(string)+`"` || !strings.Contains(as, `filename="b.log"`)) {
			t.Errorf("%q: %s, %s", tt.ranges, etag, as)
		}
	}
	if status, _ := h.do(access.Viewer, "DELETE", httpapi.Base+one+"/files/b.log", nil); status != 403 {
		t.Errorf("a viewer deletes: %d", status)
	}
	h.want(204, "DELETE", one+"/files/b.log", nil)
	h.want(404, "GET", one+"/files/b.log", nil)
	h.want(404, "GET", one+"/files/b.log/content", nil)
	h.want(404, "DELETE", one+"/files/b.log", nil)
	h.want(404, "GET", "/products/a1NightLamp/devices/nobody/files", nil)
}
