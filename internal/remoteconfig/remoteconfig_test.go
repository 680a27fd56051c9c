package remoteconfig_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
	"github.com/matou-iot/matou/internal/store/sqlite"
)

const lamp = "a1NightLamp"

// A house is the service on a real store, with devices that are told.
type house struct {
	*remoteconfig.Service
	*testing.T
	registry *registry.Registry
	outcome  map[string]broker.Outcome // of a device; delivered where there is none
	told     []string
}

func (h *house) Push(_ context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error) {
	for _, d := range say(aliyun.Dialect{}, dialect.Claim{Product: id.Product, Device: id.Device}) {
		h.told = append(h.told, d.Topic+" "+string(d.Payload))
	}
	if outcome, ok := h.outcome[id.Device]; ok && outcome == broker.Offline {
		return outcome, fault.Unavailable("device %s is offline", id)
	} else if ok {
		return outcome, nil
	}
	return broker.Delivered, nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "registry.db"), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{T: t, registry: registry.New(registry.Options{Store: db}), outcome: map[string]broker.Outcome{}}
	for _, p := range []registry.Product{{Key: lamp, Dialect: "aliyun"}, {Key: "plain", Dialect: "mqtt"}} {
		if _, err := h.registry.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"one", "two", "three", "off"} {
		if _, err := h.registry.CreateDevice(t.Context(), registry.Device{Product: lamp, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = h.registry.UpdateDevice(t.Context(), registry.ID{Product: lamp, Device: "off"}, func(d *registry.Device) error {
		d.Enabled = false
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Service = remoteconfig.New(remoteconfig.Options{
		Store: db, Registry: h.registry, Dialects: dialect.Set{aliyun.Dialect{}, plain.Dialect{}}, Teller: h, Base: "http://iot.example.com",
	})
	return h
}

func (h *house) save(content string) remoteconfig.Version {
	h.Helper()
	v, err := h.Save(h.Context(), lamp, []byte(content))
	if err != nil {
		h.Fatal(err)
	}
	return v
}

func from(device string) dialect.Ask {
	return dialect.Ask{Claim: dialect.Claim{Product: lamp, Device: device}}
}

func TestDeviceAsksForItsConfiguration(t *testing.T) {
	h := newHouse(t)
	ask := func() (dialect.ConfigFile, error) { return h.Ask(t.Context(), &dialect.ConfigGet{Ask: from("one")}) }
	if _, err := ask(); !errors.Is(err, dialect.ErrNoConfig) {
		t.Errorf("where there is none: %v", err)
	}
	v := h.save(`{"interval":60}`)
	got, err := ask()
	want := dialect.ConfigFile{ID: v.ID, Size: 15, SHA256: "4f0a4ab8", URL: "http://iot.example.com/remoteconfig/" + v.ID}
	if err != nil || len(got.SHA256) != 64 {
		t.Fatalf("%+v, %v", got, err)
	}
	if want.SHA256 = got.SHA256; got != want || len(v.ID) != 32 || v.SHA256 != got.SHA256 {
		t.Errorf("got %+v, not %+v", got, want)
	}
	if err := h.Switch(t.Context(), lamp, false); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(); !errors.Is(err, dialect.ErrConfigOff) {
		t.Errorf("switched off: %v", err)
	}
	if err := h.Switch(t.Context(), lamp, true); err != nil {
		t.Fatal(err)
	}
	newer := h.save(`[]`)
	if got, err := ask(); err != nil || got.ID != newer.ID || newer.Number != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLastVersionsAreKept(t *testing.T) {
	h := newHouse(t)
	for n := range remoteconfig.Keep + 2 {
		h.save(fmt.Sprintf(`{"n":%d}`, n+1))
	}
	all, on, err := h.Versions(t.Context(), lamp)
	if err != nil || !on || len(all) != remoteconfig.Keep || all[0].Number != 7 || all[4].Number != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	for number, want := range map[int64]string{0: `{"n":7}`, 7: `{"n":7}`, 3: `{"n":3}`} {
		if v, err := h.Content(t.Context(), lamp, number); err != nil || string(v.Content) != want {
			t.Errorf("version %d: %s, %v", number, v.Content, err)
		}
	}
	if _, err := h.Content(t.Context(), lamp, 2); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a forgotten version: %v", err)
	}
}

func TestBadConfigurationsAreRefused(t *testing.T) {
	h := newHouse(t)
	for what, content := range map[string]string{"no JSON": `interval=60`, "nothing": ``, "too long": `"` + strings.Repeat("x", remoteconfig.MaxBytes) + `"`} {
		if _, err := h.Save(t.Context(), lamp, []byte(content)); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := h.Save(t.Context(), "plain", []byte(`{}`)); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a dialect without configurations: %v", err)
	}
	if _, err := h.Save(t.Context(), "nothing", []byte(`{}`)); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a product that is not there: %v", err)
	}
	if all, _, err := h.Versions(t.Context(), lamp); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestPush(t *testing.T) {
	h := newHouse(t)
	if _, err := h.PushAll(t.Context(), lamp); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("nothing to push: %v", err)
	}
	v := h.save(`{"interval":60}`)
	h.outcome["two"], h.outcome["three"] = broker.Queued, broker.Offline
	result, err := h.PushAll(t.Context(), lamp)
	if err != nil || result != (remoteconfig.Result{ConfigID: v.ID, Told: 1, Queued: 1, Missed: 1}) {
		t.Fatalf("%+v, %v", result, err)
	}
	if len(h.told) != 3 || !strings.HasPrefix(h.told[0], "/sys/"+lamp+"/one/thing/config/push {\"id\":\"") || !strings.Contains(h.told[0], `"configId":"`+v.ID+`"`) {
		t.Errorf("told %v", h.told)
	}
	for _, r := range []struct {
		device string
		reply  dialect.Reply
	}{{"one", dialect.Reply{OK: true, Code: 200, Message: "success"}}, {"two", dialect.Reply{Code: 460, Message: "no room"}}, {"never", dialect.Reply{OK: true}}} {
		if _, err := h.Answered(t.Context(), &dialect.ConfigTaken{Ask: from(r.device), Reply: r.reply}); err != nil {
			t.Fatal(err)
		}
	}
	all, next, err := h.Deliveries(t.Context(), lamp, "", 0)
	if err != nil || next != "" || len(all) != 3 {
		t.Fatalf("%+v, %q, %v", all, next, err)
	}
	for i, want := range []string{"one taken 200 success", "three failed 0 device " + lamp + "/three is offline", "two failed 460 no room"} {
		d := all[i]
		if got := fmt.Sprintf("%s %s %d %s", d.Device, d.State, d.Code, d.Message); got != want || d.ConfigID != v.ID || d.AnsweredAt.IsZero() != (d.Device == "three") {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if all, next, err = h.Deliveries(t.Context(), lamp, "", 2); err != nil || len(all) != 2 || next != "three" {
		t.Errorf("a page: %+v, %q, %v", all, next, err)
	}
	delete(h.outcome, "three")
	if result, err := h.PushOne(t.Context(), registry.ID{Product: lamp, Device: "three"}); err != nil || result.Told != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	if all, _, err := h.Deliveries(t.Context(), lamp, "one", 1); err != nil || len(all) != 1 || all[0].State != remoteconfig.Pushed {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := h.PushOne(t.Context(), registry.ID{Product: lamp, Device: "nobody"}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("nobody: %v", err)
	}
}

func TestDownload(t *testing.T) {
	h := newHouse(t)
	v := h.save(`{"interval":60}`)
	mux := http.NewServeMux()
	mux.Handle("GET "+remoteconfig.Path+"{id}", h.Download())
	for _, tt := range []struct {
		path, ranged string
		status       int
		body         string
	}{
		{remoteconfig.Path + v.ID, "", 200, `{"interval":60}`},
		{remoteconfig.Path + v.ID, "bytes=2-9", 206, `interval`},
		{remoteconfig.Path + v.ID, "bytes=99-", 416, ``},
		{remoteconfig.Path + "0123", "", 404, ``},
	} {
		r := httptest.NewRequest("GET", tt.path, nil)
		if tt.ranged != "" {
			r.Header.Set("Range", tt.ranged)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != tt.status || tt.body != "" && w.Body.String() != tt.body {
			t.Errorf("%s %s: %d %s", tt.path, tt.ranged, w.Code, w.Body)
		}
		if tt.status == 200 && w.Header().Get("Content-Length") != "15" {
			t.Errorf("headers %v", w.Header())
		}
	}
}
