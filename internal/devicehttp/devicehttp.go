// Package devicehttp is what a device port answers to plain HTTP: the vendors'
// endpoints of registration, reports and firmware, each served by the room
// that keeps it. The broker tells HTTP from MQTT by the first bytes and ends
// TLS; what arrives here may have come either way.
//
// It knows no vendor and no device: who registers an endpoint says who may use
// it.
package devicehttp

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
)

// UsualBody is the greatest body of an endpoint that names no other bound, in
// bytes.
const UsualBody = 256 << 10

// A Mux is the endpoints of a device port. Register them before it serves; it
// may then serve any number of requests at once.
type Mux struct {
	mux     http.ServeMux
	log     *slog.Logger
	unknown atomic.Int64
}

// New makes a Mux without endpoints. log may be nil.
func New(log *slog.Logger) *Mux {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := &Mux{log: log}
	m.mux.HandleFunc("/", m.nothing)
	return m
}

// Handle serves the requests that match a pattern of [http.ServeMux]. A body
// beyond UsualBody ends with an *http.MaxBytesError where h reads it.
func (m *Mux) Handle(pattern string, h http.Handler) { m.HandleBody(pattern, UsualBody, h) }

// HandleBody is Handle with a bound of its own for the body, in bytes.
func (m *Mux) HandleBody(pattern string, most int64, h http.Handler) {
	m.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		h.ServeHTTP(w, r)
	})
}

// Unknown is how many requests no endpoint took.
func (m *Mux) Unknown() int64 { return m.unknown.Load() }

// ServeHTTP serves one request.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	m.mux.ServeHTTP(w, r)
}

// methods are those with which the path of a request is an endpoint.
func (m *Mux) methods(r *http.Request) (found []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := m.mux.Handler(other); pattern != "/" && pattern != "" {
			found = append(found, method)
		}
	}
	return found
}

// nothing answers what no endpoint takes: a person's browser as often as a
// device with a wrong path.
func (m *Mux) nothing(w http.ResponseWriter, r *http.Request) {
	m.unknown.Add(1)
	m.log.Debug("no such endpoint on a device port", "method", r.Method, "path", r.URL.Path, "from", r.RemoteAddr)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if allowed := m.methods(r); len(allowed) > 0 {
		list := strings.Join(allowed, ", ")
		w.Header().Set("Allow", list)
		w.WriteHeader(http.StatusMethodNotAllowed)
		fmt.Fprintf(w, "%s is asked for with %s, not with %s.\n%s 应使用 %s 请求，而不是 %s。\n", r.URL.Path, list, r.Method, r.URL.Path, list, r.Method)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	w.Write([]byte("This port is for devices: MQTT, MQTT over TLS, WebSocket, and the vendors' HTTP endpoints; this path is none of them.\n" +
		"该端口供设备接入（MQTT、TLS、WebSocket 及厂商 HTTP 接口），没有此路径。\n"))
}
