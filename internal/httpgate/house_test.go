package httpgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/devicehttp"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/httpgate"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

// The names of the reference's vectors.
var lamp = registry.ID{Product: "a1NightLamp", Device: "lamp01"}

const (
	lampSecret    = "Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b"
	productSecret = "Pq9LmN4bVcXz7KsD"
	post          = "/topic/sys/a1NightLamp/lamp01/thing/event/property/post"
	own           = "/topic/a1NightLamp/lamp01/user/update"
)

// A house is the endpoints with the real gate and ingest below them.
type house struct {
	*testing.T
	*devicehttp.Mux
	registry  *registry.Registry
	timeline  *trace.Recorder
	strangers *trace.Recorder
	log       *storetest.Log
	now       time.Time

	mu     sync.Mutex
	routed []broker.Message
	enroll error
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, Mux: devicehttp.New(nil), timeline: trace.New(0), strangers: trace.New(0), log: new(storetest.Log), now: time.UnixMilli(1_700_000_000_000)}
	h.registry = registry.New(registry.Options{Store: storetest.NewMemory()})
	model := (&thing.Model{Properties: []thing.Property{{ID: "CurrentTemperature", Type: thing.DataType{Kind: thing.Double}}}}).Index()
	for _, p := range []registry.Product{{Key: lamp.Product, Dialect: "aliyun", Secret: productSecret, Model: model}, {Key: "pid1", Dialect: "onenet", Model: model}} {
		if _, err := h.registry.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.registry.CreateDevice(t.Context(), registry.Device{Product: lamp.Product, Name: lamp.Device, Secret: lampSecret}); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return h.now }
	f := feed.New(feed.Options{Log: h.log})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	in := ingest.New(ingest.Options{Registry: h.registry, Feed: f, Commands: h, Scripts: h, Trace: h.timeline, Now: now})
	g := gate.New(gate.Options{
		Registry: h.registry, Dialects: dialect.Set{aliyun.Dialect{}, onenet.Dialect{}}, Trace: h.timeline, Strangers: h.strangers, Enrolments: h, ConnectRate: 5, Now: now,
	})
	httpgate.New(httpgate.Options{Gate: g, Uplinks: in, Router: h, Registry: h.registry, Host: "iot.example.com", Port: 1883, Now: now}, h.Mux)
	return h
}

// Publish takes what goes to subscribers.
func (h *house) Publish(m broker.Message) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.routed = append(h.routed, m)
	return 1
}

func (h *house) Enroll(_ context.Context, r *dialect.Registration) (*dialect.Registered, error) {
	if h.enroll != nil {
		return nil, h.enroll
	}
	return &dialect.Registered{Claim: r.Claim, Secret: lampSecret}, nil
}

func (h *house) Would(context.Context, *dialect.Registration) error { return h.enroll }

func (h *house) Reply(context.Context, dialect.Claim, dialect.Reply, bool)  {}
func (h *house) Reported(context.Context, dialect.Claim, []dialect.Reading) {}
func (h *house) Raw(context.Context, string) bool                           { return false }
func (h *house) Decode(context.Context, string, []byte) ([]byte, error)     { return nil, errors.New("no") }
func (h *house) Encode(context.Context, string, []byte) ([]byte, error)     { return nil, errors.New("no") }
func (h *house) Transform(_ context.Context, _, topic string, b []byte) ([]byte, error) {
	return []byte(topic + " " + strings.ToUpper(string(b))), nil
}

// ask sends a request and returns the body of the answer.
func (h *house) ask(path, body string, header ...string) string {
	h.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		h.Errorf("POST %s: %d %s", path, w.Code, w.Header())
	}
	return w.Body.String()
}

// try sends what may match no endpoint, and returns the body of the answer of
// one that does.
func (h *house) try(path, body, token string) string {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	u, err := r.URL.Parse(path)
	if err != nil {
		return ""
	}
	r.URL = u
	r.Header.Set("password", token)
	r.Header.Set("token", token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 {
		return ""
	}
	return w.Body.String()
}

// token logs the lamp in.
func (h *house) token() string {
	h.Helper()
	body := h.ask("/auth", login)
	var told struct {
		Code int
		Info struct{ Token string }
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil || told.Code != 0 || told.Info.Token == "" {
		h.Fatalf("%s, %v", body, err)
	}
	return told.Info.Token
}

// codes are the codes of what was refused of a device, or of strangers.
func codes(r *trace.Recorder, id registry.ID) (all []string) {
	line, _ := r.Timeline(id.Product, id.Device, trace.Query{})
	slices.Reverse(line)
	for _, e := range line {
		if e.Code != "" {
			all = append(all, e.Code)
		}
	}
	return all
}
