package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./bench -update rewrites it):\n%s", path, got)
	}
}

// example is a report of three rounds in which one peer failed once, one is
// not there, and one scenario was not run.
func example() *report {
	r := &report{
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 12 * time.Minute, Rounds: 3, Command: "go run ./bench --rounds 3",
		Machine:  machine{CPU: "Fast <3> & Co", Cores: 2, MemoryMiB: 24105, Kernel: "Linux 6.1", Go: "go1.26"},
		Peers:    []string{"matou", "mosquitto", "mochi"},
		Versions: map[string]string{"matou": "matou v1", "mosquitto": "mosquitto 2.0.11", "mochi": "mochi-mqtt 2.7.9"},
		Skipped:  map[string]string{"nats": "it cannot be built"},
		Settings: map[string]string{"measured": "1.5s"},
		Faults:   []string{"fanin-qos1, mochi, round 2: of 10 messages in QoS 1 3 were lost\nsecond line"},
	}
	add := func(scenario, peer, metric string, values ...float64) {
		for i, v := range values {
			s := sample{Scenario: scenario, Peer: peer, Round: i + 1, Values: map[string]float64{metric: v}}
			if scenario == "fanin-qos1" && peer == "mochi" && s.Round == 2 {
				s.Error = "lost"
			}
			r.Samples = append(r.Samples, s)
		}
	}
	add("fanin-qos1", "matou", perMessage, 10, 12, 30)
	add("fanin-qos1", "mosquitto", perMessage, 20, 20, 20)
	add("fanin-qos1", "mochi", perMessage, 50, 1, 70)
	add("steady-qos1", "matou", p99, 150, 160, 170)
	add("steady-qos1", "mosquitto", p99, 100, 100, 100)
	add("connect", "matou", perConnect, 100, 110, 130)
	add("connect", "mosquitto", perConnect, 30, 30, 30)
	add("idle", "matou", perDevice, 6.4, 6.5, 6.6)
	add("idle", "mosquitto", perDevice, 1.3, 1.3, 1.3)
	add("job", "matou", rate, 43_210, 41_000, 29_000)
	add("start", "mosquitto", startUp, 0.4, 0.4, 0.5)
	r.digest()
	return r
}

func TestReport(t *testing.T) {
	r := example()
	var table bytes.Buffer
	r.writeTable(&table)
	golden(t, "report.txt", table.String())
	golden(t, "report.md", r.markdown())
	golden(t, "report.svg", r.svg())
}

func TestAFailedRoundCountsForNothing(t *testing.T) {
	l := example().Lines[0]
	if got := l.Peers["mochi"]; got.Rounds != 2 || got.Least != 50 {
		t.Errorf("mochi: %+v, want the rounds 1 and 3", got)
	}
	if got := l.Ratios["mochi"].Median; got != 3 {
		t.Errorf("mochi's ratio: %v, want 3", got)
	}
}

func TestVerdicts(t *testing.T) {
	want := map[string]verdict{ // by scenario, of the example
		"fanin-qos1": stretched, "steady-qos1": within, "connect": over, "idle": within, "job": within, "start": notMeasured,
	}
	for _, l := range example().Lines {
		if l.Verdict != want[l.Scenario] {
			t.Errorf("%s: %s, want %s", l.Scenario, l.Verdict, want[l.Scenario])
		}
	}
	quick := example()
	quick.Quick, quick.Lines = true, nil
	quick.digest()
	for _, l := range quick.Lines {
		if l.Scenario == "idle" && l.Verdict != notJudged {
			t.Errorf("a quick run judged idle memory: %s", l.Verdict)
		}
	}
}

func TestJudge(t *testing.T) {
	less := row{Budget: 3, Stretch: 1}
	more := row{Budget: 30, Stretch: 50, AtLeast: true}
	for _, tt := range []struct {
		r    row
		x    float64
		want verdict
	}{
		{less, 1, stretched}, {less, 1.01, within}, {less, 3, within}, {less, 3.01, over},
		{more, 50, stretched}, {more, 49, within}, {more, 30, within}, {more, 29, over},
	} {
		if got := tt.r.judge(tt.x); got != tt.want {
			t.Errorf("budget %v, stretch %v: %v is %q, want %q", tt.r.Budget, tt.r.Stretch, tt.x, got, tt.want)
		}
	}
}

func TestPictureIsXMLAndWithinItsFrame(t *testing.T) {
	r := example()
	d := xml.NewDecoder(strings.NewReader(r.svg()))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, ratio := range []float64{1e-9, 0.05, 1, 30, 1e9} {
		if x := position(ratio); x < svgLeft || x > svgRight {
			t.Errorf("ratio %v is drawn at %v, outside %v to %v", ratio, x, svgLeft, svgRight)
		}
	}
	if position(2) <= position(1) {
		t.Error("the axis runs backwards")
	}
}

func TestFigure(t *testing.T) {
	for _, tt := range []struct {
		x    float64
		want string
	}{
		{0.123, "0.12"}, {9.994, "9.99"}, {12.34, "12.3"}, {123.4, "123"}, {1234.5, "1,235"}, {43_210, "43,200"}, {1_234_567, "1,234,600"},
	} {
		if got := figure(tt.x); got != tt.want {
			t.Errorf("figure(%v) = %q, want %q", tt.x, got, tt.want)
		}
	}
}

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "docs", "bench")
	r := example()
	if err := r.writeFiles(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{reportText: r.markdown(), reportPicture: r.svg()} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, len(want))
		}
	}
}
