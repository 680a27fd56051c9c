package main

import (
	"maps"
	"slices"
	"time"
)

// A sample is what one peer did in one scenario in one round.
type sample struct {
	Scenario string `json:"scenario"`
	Peer     string `json:"peer"`
	Round    int    `json:"round"`

	Messages     int64              `json:"messages"` // or connections
	Seconds      float64            `json:"seconds"`
	ServerCPU    float64            `json:"serverCPUSeconds"`
	GeneratorCPU float64            `json:"generatorCPUSeconds"`
	Memory       memory             `json:"memory"` // at the end
	Values       map[string]float64 `json:"values"` // by metric
	Lost         int64              `json:"lost,omitempty"`
	Disordered   int64              `json:"disordered,omitempty"`
	Error        string             `json:"error,omitempty"`
}

// The metrics.
const (
	perMessage = "cpu"     // CPU seconds of the server per million messages: microseconds a message
	perConnect = "connect" // CPU microseconds of the server a connection
	rate       = "rate"    // messages a second
	p50        = "p50"     // microseconds from write to delivery
	p99        = "p99"
	perDevice  = "memory" // KiB of the server an idle device
	startUp    = "start"  // seconds from exec to the first CONNACK
)

// A row is a line of the report: one metric of one scenario and what Matou may
// cost there.
type row struct {
	Scenario string  `json:"scenario"`
	Metric   string  `json:"metric"`
	Title    string  `json:"title"`
	Unit     string  `json:"unit"`
	Of       string  `json:"of,omitempty"`       // the peer whose budget it is; left out: subject
	Absolute bool    `json:"absolute,omitempty"` // the budget is a value, not a ratio to the yardstick
	AtLeast  bool    `json:"atLeast,omitempty"`  // more is better
	FullOnly bool    `json:"fullOnly,omitempty"` // a quick run does too little to judge it
	Budget   float64 `json:"budget"`
	Stretch  float64 `json:"stretch"`
}

// yardstick is the peer that the ratios are to.
const yardstick = "mosquitto"

// subject is the peer that the budgets are for.
const subject = "matou"

// rows are the budgets of the design, in its order.
var rows = []row{
	{Scenario: "fanin-qos1", Metric: perMessage, Title: "100 publishers → 1 subscriber, QoS 1, one message a segment", Unit: "µs CPU a message", Budget: 0.85, Stretch: 0.65},
	{Scenario: "fanin-qos1-16", Metric: perMessage, Title: "100 publishers → 1 subscriber, QoS 1, 16 in flight each", Unit: "µs CPU a message", Budget: 0.25, Stretch: 0.12},
	{Scenario: "pair-qos0", Metric: perMessage, Title: "500 → 500 in pairs, QoS 0, one message a segment", Unit: "µs CPU a message", Budget: 0.95, Stretch: 0.70},
	{Scenario: "pair-qos1", Metric: perMessage, Title: "500 → 500 in pairs, QoS 1", Unit: "µs CPU a message", Budget: 0.85, Stretch: 0.65},
	{Scenario: "fanout-qos0", Metric: perMessage, Title: "fan-out 1 → 100, QoS 0", Unit: "µs CPU a delivery", Budget: 0.35, Stretch: 0.22},
	{Scenario: "steady-qos0", Metric: perMessage, Title: "steady 10,000 messages/s, QoS 0", Unit: "µs CPU a message", Budget: 1.7, Stretch: 1.1},
	{Scenario: "steady-qos1", Metric: perMessage, Title: "steady 10,000 messages/s, QoS 1", Unit: "µs CPU a message", Budget: 1.5, Stretch: 1.0},
	{Scenario: "steady-qos1", Metric: p99, Title: "steady 10,000 messages/s, QoS 1: p99 latency", Unit: "µs", Budget: 3, Stretch: 1.2},
	{Scenario: "connect", Metric: perConnect, Title: "a connect with HMAC check", Unit: "µs CPU", Budget: 3, Stretch: 1.5},
	{Scenario: "idle", Metric: perDevice, Title: "memory of an idle device, authenticated, with session", Unit: "KiB", Absolute: true, FullOnly: true, Budget: 7, Stretch: 4},
	{Scenario: "held", Metric: perDevice, Of: "engine", Title: "the engine's own memory a device (full run: 100,000 in memory)", Unit: "KiB", Absolute: true, FullOnly: true, Budget: 7, Stretch: 4},
	{Scenario: "held-most", Metric: perDevice, Of: "engine", Title: "the engine's own memory a device (full run: 1,000,000 in memory)", Unit: "KiB", Absolute: true, FullOnly: true, Budget: 7, Stretch: 4},
	{Scenario: "job", Metric: perMessage, Title: "the whole job: signed post of 3 properties, checked, durable, answered, in history", Unit: "µs CPU a post", Budget: 1.6, Stretch: 1.0},
	{Scenario: "job", Metric: rate, Title: "the whole job: posts a second", Unit: "posts/s", Absolute: true, AtLeast: true, Budget: 30_000, Stretch: 50_000},
	{Scenario: "job-onenet", Metric: perMessage, Title: "the same as OneNET's devices do it", Unit: "µs CPU a post", Budget: 1.6, Stretch: 1.0},
	{Scenario: "job-onenet", Metric: rate, Title: "the same as OneNET's devices do it: posts a second", Unit: "posts/s", Absolute: true, AtLeast: true, Budget: 30_000, Stretch: 50_000},
	{Scenario: "start", Metric: startUp, Title: "start with devices and sessions on disk (full run: 100,000) to the first CONNACK", Unit: "s", Absolute: true, FullOnly: true, Budget: 3, Stretch: 1},
}

// A verdict is how a row stands to its budget.
type verdict string

// The verdicts.
const (
	notMeasured verdict = "not measured"
	notJudged   verdict = "not judged" // by a quick run
	over        verdict = "over budget"
	within      verdict = "within budget"
	stretched   verdict = "stretch reached"
)

// judge compares a value or ratio with a row's budget.
func (r row) judge(x float64) verdict {
	reaches := func(bound float64) bool { return x <= bound && !r.AtLeast || x >= bound && r.AtLeast }
	switch {
	case reaches(r.Stretch):
		return stretched
	case reaches(r.Budget):
		return within
	}
	return over
}

// of is the peer whose budget it is.
func (r row) of() string {
	if r.Of != "" {
		return r.Of
	}
	return subject
}

// A line is a row with what was measured.
type line struct {
	row
	Peers   map[string]summary `json:"peers"`  // values, by peer
	Ratios  map[string]summary `json:"ratios"` // to the yardstick in the same round, by peer
	Verdict verdict            `json:"verdict"`
}

// judged is what the budget is compared with, if it was measured.
func (l line) judged() (summary, bool) {
	if l.Absolute {
		s, ok := l.Peers[l.of()]
		return s, ok
	}
	s, ok := l.Ratios[l.of()]
	return s, ok
}

// A report is everything that a run found out.
type report struct {
	Started  time.Time         `json:"started"`
	Took     time.Duration     `json:"tookNanoseconds"`
	Quick    bool              `json:"quick"`
	Rounds   int               `json:"rounds"`
	Command  string            `json:"command"`
	Machine  machine           `json:"machine"`
	Peers    []string          `json:"peers"`    // in the order of the run
	Versions map[string]string `json:"versions"` // by peer
	Skipped  map[string]string `json:"skipped"`  // peers that are not there, and why
	Settings map[string]string `json:"settings"`
	Lines    []line            `json:"lines"`
	Faults   []string          `json:"faults"` // what went wrong, by scenario, peer and round
	Samples  []sample          `json:"samples"`
}

// machine is where it ran.
type machine struct {
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	MemoryMiB int64  `json:"memoryMiB"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
}

// digest fills Lines from Samples.
func (r *report) digest() {
	for _, row := range rows {
		l := line{row: row, Peers: map[string]summary{}, Ratios: map[string]summary{}, Verdict: notMeasured}
		values := r.values(row)
		for peer, byRound := range values {
			if s, ok := summarize(slices.Collect(maps.Values(byRound))); ok {
				l.Peers[peer] = s
			}
			if s, ok := summarize(ratios(byRound, values[yardstick])); ok && peer != yardstick {
				l.Ratios[peer] = s
			}
		}
		if len(l.Peers) == 0 {
			continue
		}
		l.Verdict = r.verdict(l)
		r.Lines = append(r.Lines, l)
	}
}

// values are a row's by peer and round.
func (r *report) values(row row) map[string]map[int]float64 {
	out := map[string]map[int]float64{}
	for _, s := range r.Samples {
		v, ok := s.Values[row.Metric]
		if s.Scenario != row.Scenario || s.Error != "" || !ok {
			continue
		}
		if out[s.Peer] == nil {
			out[s.Peer] = map[int]float64{}
		}
		out[s.Peer][s.Round] = v
	}
	return out
}

func (r *report) verdict(l line) verdict {
	s, ok := l.judged()
	switch {
	case !ok:
		return notMeasured
	case r.Quick && l.FullOnly:
		return notJudged
	}
	return l.judge(s.Median)
}
