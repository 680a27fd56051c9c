package ota_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/internal/trace"
)

const lamp = "a1NightLamp"

// A house is the service with the real parts below it and a stand-in for the
// way to the devices, inside a bubble of time.
type house struct {
	*ota.Service
	*testing.T
	registry *registry.Registry
	recorder *trace.Recorder
	options  ota.Options
	feed     *feed.Feed
	wire     *wire
	stop     func()
}

// bubble runs a test in a house where time passes only when all wait.
func bubble(t *testing.T, test func(h *house)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { test(newHouse(t, dir)) })
}

func newHouse(t *testing.T, dir string) *house {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(dir, "registry.db"), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, recorder: trace.New(0), wire: new(wire)}
	h.registry = registry.New(registry.Options{Store: db})
	h.feed = feed.New(feed.Options{Log: new(log)})
	h.options = ota.Options{
		Store: db.OTA(), Registry: h.registry, Dialects: dialect.Set{aliyun.Dialect{}, onenet.Dialect{}, plain.Dialect{}}, Feed: h.feed,
		Trace: h.recorder, Pusher: h.wire, Dir: filepath.Join(dir, "ota"), URL: "http://iot.example.com", MaxPackageBytes: 1 << 20,
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.feed.Run(ctx) }()
	h.start()
	t.Cleanup(func() {
		h.stop()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return h
}

// start runs a Service, as after a restart.
func (h *house) start() {
	h.Helper()
	s, err := ota.New(h.Context(), h.options)
	if err != nil {
		h.Fatal(err)
	}
	h.Service = s
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	h.stop = func() {
		stop()
		if err := <-ended; err != nil {
			h.Error(err)
		}
	}
}

// restart ends the Service and begins another on the same store, with nobody
// online.
func (h *house) restart() {
	h.Helper()
	h.stop()
	h.start()
}

// fleet makes a product of n devices, d000 and so on.
func (h *house) fleet(n int) {
	h.Helper()
	h.product(lamp, "aliyun")
	var devices []registry.Device
	for i := range n {
		devices = append(devices, registry.Device{Name: fmt.Sprintf("d%03d", i)})
	}
	if _, bad, err := h.registry.CreateDevices(h.Context(), lamp, devices); err != nil || len(bad) > 0 {
		h.Fatal(bad, err)
	}
}

func (h *house) product(key, speaks string) {
	h.Helper()
	if _, err := h.registry.CreateProduct(h.Context(), registry.Product{Key: key, Dialect: speaks}); err != nil {
		h.Fatal(err)
	}
}

// pack makes a package with one file.
func (h *house) pack(p ota.Package, body string) ota.Package {
	h.Helper()
	if p.Product == "" {
		p.Product = lamp
	}
	u, err := h.Begin(h.Context(), p)
	if err != nil {
		h.Fatal(err)
	}
	defer u.Close()
	if err := u.File(h.Context(), "a.bin", strings.NewReader(body), ota.Want{}); err != nil {
		h.Fatal(err)
	}
	if p, err = u.Commit(h.Context()); err != nil {
		h.Fatal(err)
	}
	return p
}

func (h *house) job(pkg ota.Package, plan ota.Plan, names ...string) ota.Job {
	h.Helper()
	j, err := h.CreateJob(h.Context(), pkg.Product, pkg.ID, plan, names)
	if err != nil {
		h.Fatal(err)
	}
	synctest.Wait()
	return j
}

// connect brings devices online.
func (h *house) connect(names ...string) {
	for _, n := range names {
		id := registry.ID{Product: lamp, Device: n}
		h.registry.WentOnline(id, time.Now(), "192.0.2.1:1", n, "MQTT")
		h.feed.Append(record.Record{Kind: record.StatusChange, Product: lamp, Device: n, Time: time.Now(), Body: []byte("ONLINE")})
	}
	synctest.Wait()
}

func (h *house) disconnect(name string) {
	h.registry.WentOffline(registry.ID{Product: lamp, Device: name}, time.Now(), "test")
}

// inform reports a version.
func (h *house) inform(name, version string) {
	h.Helper()
	if _, err := h.Report(h.Context(), &dialect.VersionReport{Ask: ask(name), Module: "default", Version: version}); err != nil {
		h.Fatal(err)
	}
	synctest.Wait()
}

func ask(name string) dialect.Ask {
	return dialect.Ask{Claim: dialect.Claim{Product: lamp, Device: name}}
}

func (h *house) progress(name string, percent int, code string) {
	h.Helper()
	if _, err := h.Progressed(h.Context(), &dialect.UpgradeProgress{Ask: ask(name), Module: "default", Percent: percent, Code: code, Desc: "said"}); err != nil {
		h.Fatal(err)
	}
	synctest.Wait()
}

// states is the state of each device of a job, with the percentage.
func (h *house) states(j ota.Job) string {
	h.Helper()
	list, _, err := h.Tasks(h.Context(), ota.TaskQuery{Job: j.ID, Product: j.Product, Limit: 1000})
	if err != nil {
		h.Fatal(err)
	}
	var all []string
	for _, k := range list {
		all = append(all, fmt.Sprintf("%s %s %d", k.Device, k.State, k.Percent))
	}
	return strings.Join(all, ", ")
}

func (h *house) want(j ota.Job, states string) {
	h.Helper()
	if got := h.states(j); got != states {
		h.Errorf("%v: %s\nwant %s", time.Now().Format(time.TimeOnly), got, states)
	}
}

// over is the state of a job.
func (h *house) over(j ota.Job) ota.JobState {
	h.Helper()
	p, err := h.Job(h.Context(), j.Product, j.ID)
	if err != nil {
		h.Fatal(err)
	}
	return p.State
}

func hasKind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if got := fault.KindOf(err); got != want {
		t.Errorf("%v is %q, want %q", err, got, want)
	}
}

// A wire is the way to the devices: it notes who was told, and when.
type wire struct {
	mu   sync.Mutex
	told []told
	fail map[string]broker.Outcome
}

type told struct {
	device string
	at     time.Time
	say    dialect.Downlink
}

// Push notes a message.
func (w *wire) Push(_ context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range say(aliyun.Dialect{}, dialect.Claim{Product: id.Product, Device: id.Device}) {
		w.told = append(w.told, told{id.Device, time.Now(), d})
	}
	if outcome, bad := w.fail[id.Device]; bad {
		return outcome, fault.Unavailable("%s", outcome)
	}
	return broker.Delivered, nil
}

func (w *wire) failing(device string, o broker.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail = maps.Clone(w.fail); w.fail == nil {
		w.fail = map[string]broker.Outcome{}
	}
	delete(w.fail, device)
	if o != broker.Delivered {
		w.fail[device] = o
	}
}

// devices is who was told since the last call, in order.
func (w *wire) devices() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, t := range w.told {
		all = append(all, t.device)
	}
	w.told = nil
	return strings.Join(all, " ")
}

// A log keeps batches in memory.
type log struct {
	mu      sync.Mutex
	batches [][]byte
}

func (l *log) Append(_ context.Context, b []byte) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches = append(l.batches, slices.Clone(b))
	return uint64(len(l.batches)), nil
}

func (l *log) Read(_ context.Context, after uint64) (uint64, []byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= uint64(len(l.batches)) {
		return 0, nil, io.EOF
	}
	return after + 1, l.batches[after], nil
}
