// Package httpapi is REST over HTTP: all routes in routes.go, a file a
// resource, errors mapped once, live data as server-sent events. It is what
// the command line, the console and other programs speak; its description is
// OpenAPI 3.1, generated from the handlers' types and served with a page that
// needs no internet.
//
// A handler decodes, calls one method of a concept and encodes. No rule lives
// here.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/audit"
	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/fileupload"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/layers"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
	"github.com/matou-iot/matou/internal/remotelog"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/internal/topics"
	"github.com/matou-iot/matou/internal/topology"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

// Base is the path of all routes.
const Base = "/api/v1"

// A Timeline is what devices and Matou said to one another.
type Timeline interface {
	Timeline(product, device string, q trace.Query) ([]trace.Entry, uint64)
	Watch(ctx context.Context, product, device string) <-chan trace.Entry
	Observe(product, device string, until time.Time) (time.Time, error)
	Unobserve(product, device string)
	Observed(product, device string) time.Time
	ObservedDevices() []string
	Refusals() []trace.Tally
}

// Options are what the API needs.
type Options struct {
	Registry *registry.Registry
	History  *history.History
	Commands *command.Service
	Topology *topology.Service
	Images   *deviceimage.Service
	Scripts  *script.Scripts
	Topics   *topics.Topics
	Timeline Timeline
	Layers   *layers.Service
	Feed     *feed.Feed
	OTA      *ota.Service
	Files    *fileupload.Service
	Broker   *broker.Broker
	Gate     *gate.Gate
	Access   *access.Access
	Audit    *audit.Log // nil: none is kept
	Enroll   *enroll.Service
	Shadows  *shadow.Service
	Configs  *remoteconfig.Service
	Networks Networks
	Logs     *remotelog.Service
	Bench    *bench.Bench
	Dialects dialect.Set
	Version  string
	Log      *slog.Logger // nil: discard
	// PublicHost and PublicPort are what credentials name where nobody says
	// otherwise.
	PublicHost string
	PublicPort int
	Started    time.Time
	// RootCertificate is the file with the certificate authority that devices
	// may trust, "" where certificates come from elsewhere.
	RootCertificate string
	Proxies         Proxies
	// Console serves the pages of the console; nil: there are none, and the
	// description of the API stands in their place.
	Console http.Handler
	// Settings is the configuration without secrets; nil: none is shown.
	Settings func() []Setting
	// Ready reports why requests cannot be served yet; nil: always ready.
	Ready func() error
	// Disk tells of the room on the disk of the data; nil: nobody knows.
	Disk func() DiskUse
	// Measure adds figures to the metrics; nil: none.
	Measure func(prometheus.Registerer)
}

// An api is the handlers with what they need.
type api struct {
	Options
	huma huma.API
}

// New makes the handler of everything under /api, /healthz and /readyz.
func New(o Options) (http.Handler, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	a := &api{Options: o}
	a.huma = humago.New(mux, config(o.Version))
	a.huma.OpenAPI().Components.Schemas.RegisterTypeAlias(reflect.TypeFor[thing.Value](), reflect.TypeFor[anyValue]())
	a.huma.UseMiddleware(a.keepAudit)
	a.routes()
	a.operate(mux)
	a.docs(mux)
	mux.HandleFunc("GET /ca.pem", a.rootCertificate)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("/api/", nothingHere)
	if o.Console != nil {
		mux.Handle("/", o.Console)
	} else {
		mux.Handle("GET /{$}", http.RedirectHandler("/api/docs", http.StatusFound))
	}
	return a.Proxies.behind(safely(mux), a.Log), nil
}

// anyValue describes a thing.Value as it is sent.
type anyValue struct{}

// Schema is of [huma.SchemaProvider].
func (anyValue) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "As the device reported it: any JSON value"}
}

// acceptLanguage is the component that describes the header of all routes.
const acceptLanguage = "AcceptLanguage"

func config(version string) huma.Config {
	c := huma.DefaultConfig("Matou", version)
	c.Info.Description = "Products, devices, their data and commands. Lists carry `next`, to be passed as `after`. " +
		"Times are RFC 3339 in UTC. Errors are problem+json: `code` for machines, `detail` for people, " +
		"in English or Chinese as `Accept-Language` asks; `Content-Language` says which."
	c.CreateHooks = nil // no $schema members
	c.Transformers = []huma.Transformer{tell}
	c.Components.Parameters = map[string]*huma.Param{acceptLanguage: {
		Name: "Accept-Language", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "Language of what people read of a refusal: en or zh, by weight as in `zh-CN,zh;q=0.9,en;q=0.8`; English where it names neither",
		Example:     "zh",
	}}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/openapi", "", ""
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token, or the token of a session."},
	}
	return c
}

// safely adds the headers that every answer carries. Nothing of what the API
// answers is a page: should a browser show it as one, it may do nothing.
func safely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		h.Add("Vary", "Accept-Language")
		next.ServeHTTP(w, withLanguage(r))
	})
}

func (a *api) ready(w http.ResponseWriter, r *http.Request) {
	if a.Ready != nil {
		if err := a.Ready(); err != nil {
			plain(w, http.StatusServiceUnavailable, languageIn(r.Context()).all(err))
			return
		}
	}
	plain(w, http.StatusOK, "ready")
}

// rootCertificate lets people download what their devices have to trust.
func (a *api) rootCertificate(w http.ResponseWriter, r *http.Request) {
	raw, ok := a.authority()
	if !ok {
		plain(w, http.StatusNotFound, "the certificate was configured by file: ask who made it for its authority")
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `attachment; filename="matou-ca.pem"`)
	w.Write(raw)
}

// authority is the certificate of the server's own authority, if it has one.
func (a *api) authority() (pem []byte, ok bool) {
	if a.RootCertificate == "" {
		return nil, false
	}
	raw, err := os.ReadFile(a.RootCertificate)
	return raw, err == nil
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(text + "\n"))
}
