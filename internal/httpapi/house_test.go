package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/audit"
	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/fileupload"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/httpapi"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/layers"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
	"github.com/matou-iot/matou/internal/remotelog"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/internal/store/series"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/internal/store/stream"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

// A house is the API with everything below it, on real stores.
type house struct {
	*testing.T
	url      string
	devices  string // host:port
	registry *registry.Registry
	feed     *feed.Feed
	history  *history.History
	access   *access.Access
	files    *fileupload.Service
	tokens   map[access.Role]string
}

func newHouse(t *testing.T) *house { return newHouseBehind(t, httpapi.Proxies{}) }

func newHouseBehind(t *testing.T, proxies httpapi.Proxies) *house {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqlite.Open(filepath.Join(dir, "registry.db"), bytes.Repeat([]byte{7}, 32))
	must(err)
	points, err := series.Open(filepath.Join(dir, "history"), series.Options{})
	must(err)
	log, err := stream.Open(filepath.Join(dir, "feed"), stream.Options{})
	must(err)

	h := &house{T: t, tokens: map[access.Role]string{}}
	h.registry = registry.New(registry.Options{Store: db})
	h.feed = feed.New(feed.Options{Log: log})
	h.history = history.New(points, history.Options{})
	h.access = access.New(access.Options{Store: db, HashCost: bcrypt.MinCost})
	recorder := trace.New(0)
	speaks := dialect.Set{aliyun.Dialect{}, onenet.Dialect{}, plain.Dialect{}}
	in := ingest.New(ingest.Options{Registry: h.registry, Feed: h.feed, Trace: recorder})
	judge := gate.New(gate.Options{Registry: h.registry, Dialects: speaks, Uplinks: in, Trace: recorder, Strangers: trace.New(0), Statuses: h.feed})
	b, err := broker.New(broker.Options{Rules: judge})
	must(err)
	commands := command.New(command.Options{Registry: h.registry, Dialects: speaks, Broker: b, Feed: h.feed, Trace: recorder})
	in.Sender, in.Commands = b, commands
	upgrades, err := ota.New(t.Context(), ota.Options{
		Store: db.OTA(), Registry: h.registry, Dialects: speaks, Feed: h.feed, Trace: recorder, Pusher: commands, Dir: filepath.Join(dir, "ota"),
		URL: "http://iot.example.com:1883", MaxPackageBytes: 1 << 20,
	})
	must(err)
	shadows := shadow.New(shadow.Options{
		Store: db, Registry: h.registry, Dialects: speaks, Teller: commands, Online: b.Online,
		Set: func(ctx context.Context, id registry.ID, values []thing.Argument) error {
			_, err := commands.Set(ctx, id, values, command.Order{})
			return err
		},
	})
	configs := remoteconfig.New(remoteconfig.Options{Store: db, Registry: h.registry, Dialects: speaks, Teller: commands, Base: "http://iot.example.com"})
	logs := remotelog.New(remotelog.Options{Registry: h.registry, Dialects: speaks, Teller: commands, Trace: recorder})
	h.files, err = fileupload.New(t.Context(), fileupload.Options{Store: db, Registry: h.registry, Feed: h.feed, Trace: recorder, Dir: filepath.Join(dir, "files")})
	must(err)
	ingest.Handle(in, h.files.Begin)
	ingest.Handle(in, h.files.Write)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	workbench := bench.New(bench.Options{Registry: h.registry, Modules: 2, FleetDevices: 20, Reach: bench.Reach{Devices: []netip.AddrPort{netip.MustParseAddrPort(ln.Addr().String())}}})
	api, err := httpapi.New(httpapi.Options{
		Bench:    workbench,
		Proxies:  proxies,
		Registry: h.registry, History: h.history, Commands: commands, Timeline: recorder, Feed: h.feed, OTA: upgrades, Broker: b, Gate: judge,
		Files: h.files, Shadows: shadows, Configs: configs, Logs: logs,
		Layers:  layers.New(layers.Options{Registry: h.registry, Records: h.feed, History: h.history, Timeline: recorder, Dialects: speaks}),
		Scripts: script.New(script.Options{Store: db}),
		Images:  deviceimage.New(deviceimage.Options{Store: db, Registry: h.registry, Teller: commands}),
		Access:  h.access, Audit: audit.New(audit.Options{Store: db}), Enroll: enroll.New(enroll.Options{Registry: h.registry, Store: db}), Dialects: speaks, Version: "test", PublicHost: "iot.example.com", PublicPort: 1883, Started: time.Now(),
	})
	must(err)
	h.devices = ln.Addr().String()

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	runs := []func() error{
		func() error { return h.feed.Run(ctx) },
		func() error { return h.history.Run(ctx, h.feed) },
		func() error { return h.registry.Run(ctx) },
		func() error { return commands.Run(ctx) },
		func() error { return upgrades.Run(ctx) },
		func() error { return b.Run(ctx) },
		func() error { return workbench.Run(ctx) },
		func() error { return b.Serve(ctx, ln) },
	}
	for _, run := range runs {
		go func() { ended <- run() }()
	}
	server := httptest.NewServer(api)
	h.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		stop()
		for range runs {
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		log.Close()
		points.Close()
		db.Close()
	})
	for _, r := range []access.Role{access.Administrator, access.OperatorRole, access.Viewer} {
		h.tokens[r], err = h.access.CreateToken(ctx, r, string(r))
		must(err)
	}
	return h
}

// do asks as a role and returns status and body.
func (h *house) do(as access.Role, method, path string, body any) (int, string) {
	h.Helper()
	return h.doWith(h.tokens[as], method, path, body)
}

// doWith is do by the bearer of a token.
func (h *house) doWith(token, method, path string, body any) (int, string) {
	h.Helper()
	resp := h.ask(token, method, path, body)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func (h *house) ask(token, method, path string, body any) *http.Response {
	h.Helper()
	kind := "application/json"
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case csvText:
		r, kind = strings.NewReader(string(b)), "text/csv"
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			h.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(h.Context(), method, h.url+path, r)
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	return resp
}

type csvText string

type object = map[string]any

// want asks as the administrator and checks the status; the answer is JSON.
func (h *house) want(status int, method, path string, body any) object {
	h.Helper()
	got, raw := h.do(access.Administrator, method, httpapi.Base+path, body)
	if got != status {
		h.Fatalf("%s %s: %d, not %d: %s", method, path, got, status, raw)
	}
	var o object
	if len(raw) > 0 {
		if err := json.Unmarshal([]byte(raw), &o); err != nil {
			h.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return o
}
