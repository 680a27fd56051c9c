package topology_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/internal/topology"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
)

// A house is the service on a registry of its own. What it tells gateways and
// does to sessions is written down.
type house struct {
	*topology.Service
	t        *testing.T
	registry *registry.Registry
	timeline *trace.Recorder
	now      time.Time
	mu       sync.Mutex
	told     []string // topic and payload
	done     []string // to sessions
	online   map[string]bool
	enrolled []dialect.Claim
	refusal  error // of enrolments
	sent     []string
	outcome  broker.Outcome // of what is sent
	full     error          // there is no room on the disk
}

const (
	gatePK, nodePK = "gw", "node"
	gateSecret     = "secret of the gateway"
)

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	key, err := sqlite.LoadOrCreateKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(filepath.Join(dir, "registry.db"), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{
		t: t, registry: registry.New(registry.Options{Store: db}), timeline: trace.New(0), now: time.Unix(1_700_000_000, 0), online: map[string]bool{},
	}
	h.Service = topology.New(topology.Options{
		Registry: h.registry, Dialects: dialect.Set{aliyun.Dialect{}, onenet.Dialect{}}, Broker: h, Push: h, Enroll: h, Trace: h.timeline, Store: db, Room: func() error { return h.full },
		Now: func() time.Time { return h.now },
	})
	h.registry.OnChange(h.Changed)
	t.Cleanup(h.saysItInChinese)
	for _, p := range []registry.Product{
		{Key: gatePK, Dialect: "aliyun", NodeType: registry.GatewayNode}, {Key: nodePK, Dialect: "aliyun"},
		{Key: "plain", Dialect: "aliyun"}, {Key: "tv", Dialect: "onenet"},
	} {
		if _, err := h.registry.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []registry.Device{
		{Product: gatePK, Name: "g1", Secret: gateSecret}, {Product: gatePK, Name: "g2"}, {Product: "plain", Name: "lamp"}, {Product: "tv", Name: "t1"},
	} {
		h.device(d)
	}
	for i := range 4 {
		h.device(registry.Device{Product: nodePK, Name: fmt.Sprint("s", i), Secret: fmt.Sprint("secret of s", i)})
	}
	return h
}

// saysItInChinese: whatever ended a stay in the test was said in both
// languages.
func (h *house) saysItInChinese() {
	for i := range 4 {
		all, _ := h.timeline.Timeline(nodePK, fmt.Sprint("s", i), trace.Query{Limit: 100, Kinds: []trace.Kind{trace.Disconnect}})
		for _, e := range all {
			if e.SentenceZH == "子设备下线："+e.Sentence {
				h.t.Errorf("%q is not said in Chinese", e.Sentence)
			}
		}
	}
}

func (h *house) device(d registry.Device) {
	h.t.Helper()
	if _, err := h.registry.CreateDevice(h.t.Context(), d); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) Disconnect(session string, _ mqtt.ReasonCode) bool {
	linger()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.online[session] {
		h.done = append(h.done, "disconnect "+session)
	}
	return h.online[session]
}

// linger lets others go first: what comes in between would show.
func linger() {
	for range 20 {
		runtime.Gosched()
	}
}

func (h *house) Online(session string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.online[session]
}

func (h *house) Send(session string, m broker.Message, how broker.Delivery) broker.Outcome {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.outcome == broker.Delivered || h.outcome == broker.Queued {
		h.sent = append(h.sent, fmt.Sprintf("%s QoS %d %s %s", session, m.QoS, m.Topic, m.Payload))
	}
	return h.outcome
}

func (h *house) Unsubscribe(session string, drop func(string) bool) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range []string{"s0", "s1", "s2", "s3"} {
		if drop("/node/" + name + "/user/get") {
			h.done = append(h.done, "unsubscribe "+session+" "+name)
		}
	}
	return 0
}

func (h *house) Push(_ context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error) {
	p, err := h.registry.Product(context.Background(), id.Product)
	if err != nil {
		return broker.Offline, err
	}
	var d dialect.Dialect = aliyun.Dialect{}
	if p.Dialect == "onenet" {
		d = onenet.Dialect{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range say(d, dialect.Claim{Product: id.Product, Device: id.Device}) {
		h.told = append(h.told, m.Topic+" "+string(m.Payload))
	}
	return broker.Delivered, nil
}

func (h *house) Enroll(_ context.Context, r *dialect.Registration) (*dialect.Registered, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refusal != nil {
		return nil, h.refusal
	}
	h.enrolled = append(h.enrolled, r.Claim)
	return &dialect.Registered{Claim: r.Claim, Secret: "handed out"}, nil
}

// heard returns what gateways were told since it was asked last.
func (h *house) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := slices.Clone(h.told)
	h.told = nil
	return told
}

// connected is a gateway that is connected.
func (h *house) connected(name string) *dialect.Subject {
	g := &dialect.Subject{Claim: dialect.Claim{Product: gatePK, Device: name}, Dialect: aliyun.Dialect{}}
	h.Direct(g, func() {
		h.registry.WentOnline(registry.ID{Product: gatePK, Device: name}, h.now, "10.0.0.1:1", name, "MQTT 3.1.1 over tcp")
	})
	return g
}

func node(i int) dialect.Claim { return dialect.Claim{Product: nodePK, Device: fmt.Sprint("s", i)} }

// signed is a sub-device as a gateway signs it with a secret.
func signed(c dialect.Claim, secret string) dialect.SubDevice {
	s := &vendor.SubDevice{ProductKey: c.Product, DeviceName: c.Device, ClientID: "c", SignMethod: "hmacSha1"}
	s.Content = vendor.Content("c", c.Product, c.Device, "")
	s.Sign = vendor.Sign(vendor.HMACSHA1, secret, s.Content)
	return dialect.SubDevice{Claim: c, ClientID: "c", Proof: s}
}

// right are sub-devices with their own signatures.
func right(is ...int) (subs []dialect.SubDevice) {
	for _, i := range is {
		subs = append(subs, signed(node(i), "secret of s"+fmt.Sprint(i)))
	}
	return subs
}

func ask(by *dialect.Subject) dialect.Ask { return dialect.Ask{Claim: by.Claim, By: by} }

// has adds sub-devices to a gateway and logs them in.
func (h *house) has(g *dialect.Subject, is ...int) {
	h.t.Helper()
	if _, err := h.Add(h.t.Context(), &dialect.TopoAdd{Ask: ask(g), Subs: right(is...)}); err != nil {
		h.t.Fatal(err)
	}
	h.login(g, is...)
}

func (h *house) login(g *dialect.Subject, is ...int) {
	h.t.Helper()
	if _, err := h.Login(h.t.Context(), &dialect.SubLogin{Ask: ask(g), Subs: right(is...)}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) state(i int) registry.Status {
	h.t.Helper()
	s, err := h.registry.Status(h.t.Context(), registry.ID(node(i)))
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}
