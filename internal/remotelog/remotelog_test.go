package remotelog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/plain"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remotelog"
	"github.com/matou-iot/matou/internal/store/sqlite"
	"github.com/matou-iot/matou/internal/trace"
)

var (
	lamp = registry.ID{Product: "a1NightLamp", Device: "one"}
	ask  = dialect.Ask{Claim: dialect.Claim{Product: lamp.Product, Device: lamp.Device}}
)

// A line tells the device, or fails to.
type line struct {
	told []string
	err  error
}

func (l *line) Push(_ context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error) {
	for _, d := range say(aliyun.Dialect{}, dialect.Claim{Product: id.Product, Device: id.Device}) {
		_, params, _ := strings.Cut(string(d.Payload), `"params":`)
		l.told = append(l.told, d.Topic+" "+params)
	}
	return broker.Delivered, l.err
}

func newService(t *testing.T) (*remotelog.Service, *line) {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "registry.db"), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	reg := registry.New(registry.Options{Store: db})
	for _, p := range []registry.Product{{Key: lamp.Product, Dialect: "aliyun"}, {Key: "plain", Dialect: "mqtt"}} {
		if _, err := reg.CreateProduct(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if _, err := reg.CreateDevice(t.Context(), registry.Device{Product: p.Key, Name: lamp.Device}); err != nil {
			t.Fatal(err)
		}
	}
	l := new(line)
	return remotelog.New(remotelog.Options{Registry: reg, Dialects: dialect.Set{aliyun.Dialect{}, plain.Dialect{}}, Teller: l, Trace: trace.New(0)}), l
}

func TestTheSwitchOfTheLog(t *testing.T) {
	s, l := newService(t)
	for _, on := range []bool{true, false, true} {
		if on {
			l.err = fault.Unavailable("device is offline")
		}
		told, err := s.Switch(t.Context(), lamp, on)
		if err != nil || (told == "device is offline") != on {
			t.Errorf("%v: %q, %v", on, told, err)
		}
		l.err = nil
		if got, err := s.Mode(t.Context(), &dialect.LogGet{Ask: ask}); err != nil || got.On != on {
			t.Errorf("%v: %+v, %v", on, got, err)
		}
	}
	want := "/sys/a1NightLamp/one/thing/config/log/push " + `{"getType":"content","content":{"mode":1}},"method":"thing.config.log.push"}`
	if len(l.told) != 3 || l.told[0] != want {
		t.Errorf("told %v", l.told)
	}
	if _, err := s.Switch(t.Context(), registry.ID{Product: "plain", Device: "one"}, true); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a dialect without a log: %v", err)
	}
	if _, err := s.Switch(t.Context(), registry.ID{Product: lamp.Product, Device: "nobody"}, true); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("nobody: %v", err)
	}
}

func TestLinesGoToTheTimelineWithinBounds(t *testing.T) {
	s, _ := newService(t)
	lines := []dialect.LogLine{{Level: "ERROR", Module: "MQTT", Code: "6", Content: "lost"}, {Level: "INFO", Content: strings.Repeat("长", 2000)}}
	for range remotelog.MaxLines {
		lines = append(lines, dialect.LogLine{Level: "DEBUG", Content: "tick"})
	}
	if _, err := s.Take(t.Context(), &dialect.LogPost{Ask: ask, Lines: lines, More: 7}); err != nil {
		t.Fatal(err)
	}
	all, _ := s.Trace.Timeline(lamp.Product, lamp.Device, trace.Query{})
	if len(all) != remotelog.MaxLines+1 {
		t.Fatalf("%d entries", len(all))
	}
	if cut := all[0]; cut.Code != "device-log-cut" || !strings.Contains(cut.Sentence, "9 more") || !strings.Contains(cut.SentenceZH, "9") {
		t.Errorf("newest: %+v", cut)
	}
	if first := all[len(all)-1]; first.Code != "device-log" || first.Sentence != "ERROR MQTT: lost" || !strings.Contains(string(first.Detail.(json.RawMessage)), `"code":"6"`) {
		t.Errorf("oldest: %+v", first)
	}
	if long := all[len(all)-2]; len(long.Sentence) > remotelog.MaxContent+20 || !strings.HasSuffix(long.Sentence, "长…") {
		t.Errorf("a long line has %d bytes: …%s", len(long.Sentence), long.Sentence[len(long.Sentence)-12:])
	}
}
