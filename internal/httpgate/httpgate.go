// Package httpgate is how devices get in and report by plain HTTP on a device
// port: Alibaba Cloud's registration, pre-authentication, /auth and /topic, and
// OneNET's device endpoints. It reads and answers in the vendors' words; who
// may come in the gate decides, and what a report says goes the way of every
// uplink.
package httpgate

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/devicehttp"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
)

// A Gate decides who comes in.
type Gate interface {
	Register(ctx context.Context, d dialect.Registrar, r *dialect.Registration, from broker.Origin) (*dialect.Registered, *dialect.Diagnosis, error)
	Login(ctx context.Context, l dialect.Login, from broker.Origin, road string) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error)
	Verify(ctx context.Context, l dialect.Login, from broker.Origin, road string) (*dialect.Subject, *dialect.Diagnosis, error)
	Known(ctx context.Context, d dialect.Dialect, c dialect.Claim) (*dialect.Subject, *registry.Device, *dialect.Diagnosis, error)
	Refuse(ctx context.Context, d dialect.Dialect, c dialect.Claim, from broker.Origin, why *dialect.Diagnosis)
}

// Uplinks takes what devices report.
type Uplinks interface {
	Take(who *dialect.Subject, topic string, payload []byte) ingest.Taken
}

// A Router hands messages to subscribers: the broker.
type Router interface {
	Publish(m broker.Message) int
}

// Options are what a Server needs.
type Options struct {
	Gate     Gate
	Uplinks  Uplinks
	Router   Router
	Registry *registry.Registry
	// Host and Port are where devices are told to connect to by MQTT.
	Host string
	Port int
	Log  *slog.Logger
	Now  func() time.Time
}

// A Server serves devices.
type Server struct {
	Options
	aliyun aliyun.Dialect
}

// maxMessage is the greatest message by HTTP [aliyun-device §7.1], maxLogin the
// greatest login, in bytes.
const (
	maxMessage = 128 << 10
	maxLogin   = 4 << 10
)

// New makes a Server and registers its endpoints.
func New(o Options, mux *devicehttp.Mux) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{Options: o}
	mux.HandleBody("POST /auth/register/device", maxLogin, http.HandlerFunc(s.register))
	mux.HandleBody("POST /auth/devicename", maxLogin, http.HandlerFunc(s.preAuth))
	mux.HandleBody("POST /auth", maxLogin, http.HandlerFunc(s.auth))
	mux.HandleBody("POST /topic/", maxMessage, http.HandlerFunc(s.topic))
	for _, prefix := range []string{"/fuse/http/device/", "/studio/http/device/"} {
		mux.HandleBody("POST "+prefix, maxMessage, http.HandlerFunc(s.report))
	}
	return s
}

// origin is where a request comes from, and its road in a word.
func origin(r *http.Request) (from broker.Origin, road string) {
	from, _ = broker.HTTPOrigin(r)
	from.Transport, road = "http", "http"
	if from.TLSVersion != 0 {
		from.Transport, road = "https", "https"
	}
	return from, road
}

// read reads a body; false where it is larger than may be, or did not come.
func read(r *http.Request) (body []byte, tooLarge bool, ok bool) {
	body, err := io.ReadAll(r.Body)
	_, tooLarge = errors.AsType[*http.MaxBytesError](err)
	return body, tooLarge, err == nil
}

// answer writes JSON with its length, so that small parsers know its end.
func answer(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Write(body)
}

// down is what the server's own trouble looks like.
func (s *Server) down(what string, err error) {
	s.Log.Error("request of a device by HTTP", "what", what, "error", err)
}
