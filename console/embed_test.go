package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func packed(s string) *fstest.MapFile {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestPagesAreServed(t *testing.T) {
	h := handler{fstest.MapFS{"dist/index.html.gz": packed("<main>"), "dist/assets/a-1.js.gz": packed("script"), "dist/README": {Data: []byte("no page")}}}
	for _, tt := range []struct{ method, path, accept, kind, cache, encoding, body string }{
		{"GET", "/", "", "text/html; charset=utf-8", "no-cache", "", "<main>"},
		{"GET", "/devices/a/b", "", "text/html; charset=utf-8", "no-cache", "", "<main>"},
		{"GET", "/README", "", "text/html; charset=utf-8", "no-cache", "", "<main>"},
		{"GET", "/assets/a-1.js", "", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "", "script"},
		{"GET", "/assets/a-1.js", "br, gzip", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "gzip", "script"},
		{"HEAD", "/assets/a-1.js", "", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "", ""},
		{"GET", "/assets/gone.js", "", "text/plain; charset=utf-8", "", "", "404 page not found\n"},
		{"GET", "/../../etc/passwd", "", "text/html; charset=utf-8", "no-cache", "", "<main>"},
		{"POST", "/", "", "text/plain; charset=utf-8", "", "", "pages are only read\n"},
	} {
		r := httptest.NewRequest(tt.method, "http://matou"+tt.path, nil)
		r.Header.Set("Accept-Encoding", tt.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Body.Bytes()
		if tt.encoding == "gzip" {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			got, _ = io.ReadAll(z)
		}
		if string(got) != tt.body || w.Header().Get("Content-Type") != tt.kind || w.Header().Get("Cache-Control") != tt.cache || w.Header().Get("Content-Encoding") != tt.encoding {
			t.Errorf("%s %s: %d %v %q", tt.method, tt.path, w.Code, w.Header(), got)
		}
		if p := w.Header().Get("Content-Security-Policy"); tt.method == "GET" && (!strings.Contains(p, "default-src 'self'") || strings.Contains(p, "script-src")) {
			t.Errorf("policy %q", p)
		}
	}
}

func TestWithoutPages(t *testing.T) {
	w := httptest.NewRecorder()
	handler{fstest.MapFS{}}.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if !strings.Contains(w.Body.String(), "make build") || !strings.Contains(w.Body.String(), "构建") {
		t.Errorf("%q", w.Body)
	}
}
