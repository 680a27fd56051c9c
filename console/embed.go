// Package console is the pages of the web console, as `make console` built
// them, and how they are served. Their sources lie beside this file.
package console

import (
	"compress/gzip"
	"embed"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// Policy is the content security policy of the pages: everything comes from
// here. Styles are made by scripts; the MQTT client of the workshop opens
// WebSockets to the port of the devices.
const Policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Built reports whether the pages are in this binary.
func Built() bool {
	_, err := fs.Stat(dist, "dist/index.html.gz")
	return err == nil
}

// Handler serves the pages. A path without a file is a page of the console,
// which finds its way by itself.
func Handler() http.Handler { return handler{dist} }

type handler struct{ files fs.FS }

const notBuilt = `<!doctype html><meta charset="utf-8"><title>Matou</title>
<p>This Matou was built without its console: <code>make build</code> builds both. The API is described <a href="/api/docs">here</a>.
<p>此程序未包含控制台，请用 <code>make build</code> 构建。接口文档见<a href="/api/docs">此处</a>。
`

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages are only read", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Security-Policy", Policy)
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	f, err := h.files.Open("dist/" + name + ".gz")
	switch {
	case err == nil:
	case strings.HasPrefix(name, "assets/"):
		http.NotFound(w, r)
		return
	default:
		name = "index.html"
		if f, err = h.files.Open("dist/index.html.gz"); err != nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, notBuilt)
			return
		}
	}
	defer f.Close()
	serve(w, r, name, f)
}

// serve writes one file. Names in assets have a digest in them and never
// change; the others are asked for each time.
func serve(w http.ResponseWriter, r *http.Request, name string, packed io.Reader) {
	header := w.Header()
	header.Set("Content-Type", typeOf(name))
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := packed
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
	} else {
		plain, err := gzip.NewReader(packed)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body = plain
	}
	if r.Method != http.MethodHead {
		io.Copy(w, body)
	}
}

func typeOf(name string) string {
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
