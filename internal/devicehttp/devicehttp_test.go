package devicehttp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func serve(m *Mux, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestEndpointsAreServed(t *testing.T) {
	m := New(nil)
	m.Handle("POST /auth/{what}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.PathValue("what"))
	}))
	if w := serve(m, "POST", "/auth/register", "{}"); w.Code != 200 || w.Body.String() != "register" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := serve(m, "GET", "/auth/register", ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" ||
		w.Body.String() != "/auth/register is asked for with POST, not with GET.\n/auth/register 应使用 POST 请求，而不是 GET。\n" {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
	w := serve(m, "GET", "/nowhere", "")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "This port is for devices") || !strings.Contains(w.Body.String(), "该端口") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if m.Unknown() != 2 {
		t.Errorf("%d requests counted as unknown", m.Unknown())
	}
}

func TestBodiesAreBounded(t *testing.T) {
	m := New(nil)
	var got error
	read := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, got = io.ReadAll(r.Body) })
	m.Handle("/usual", read)
	m.HandleBody("/small", 4, read)
	for _, tt := range []struct {
		path  string
		bytes int
		fits  bool
	}{
		{"/usual", UsualBody, true}, {"/usual", UsualBody + 1, false}, {"/small", 4, true}, {"/small", 5, false},
	} {
		serve(m, "POST", tt.path, strings.Repeat("x", tt.bytes))
		tooLarge, refused := errors.AsType[*http.MaxBytesError](got)
		if refused == tt.fits || !tt.fits && tooLarge.Limit == 0 {
			t.Errorf("%s with %d bytes: %v", tt.path, tt.bytes, got)
		}
	}
}
