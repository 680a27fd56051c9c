package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/matou-iot/matou/internal/refusal"
)

type deviceStatusCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceStatusCmd) Help() string {
	return `Says whether the device is there, and why its last login was refused.

Examples:
  matou device status a1NightLamp/lamp01
  matou device status a1NightLamp/lamp01 --lang zh
  matou device status a1NightLamp/lamp01 --json`
}

// A standing is the status of a device as the API shows it.
type standing struct {
	State         string    `json:"state"`
	Since         time.Time `json:"since"`
	ActivatedAt   time.Time `json:"activatedAt"`
	LastAddr      string    `json:"lastAddr"`
	LastOnline    time.Time `json:"lastOnline"`
	LastOffline   time.Time `json:"lastOffline"`
	OfflineReason string    `json:"offlineReason"`
	ClientID      string    `json:"clientId"`
	Protocol      string    `json:"protocol"`
	Refusals      int       `json:"refusals"`
	LastRefusal   *struct {
		At         time.Time `json:"at"`
		Addr       string    `json:"addr"`
		Code       string    `json:"code"`
		Field      string    `json:"field"`
		Sentence   string    `json:"sentence"`
		SentenceZH string    `json:"sentenceZh"`
		Advice     string    `json:"advice"`
		AdviceZH   string    `json:"adviceZh"`
		Expected   string    `json:"expected"`
		Received   string    `json:"received"`
		ReturnCode int       `json:"returnCode"`
		Count      int       `json:"count"`
	} `json:"lastRefusal"`
}

func (s *standing) print(w io.Writer, chinese bool) {
	fields(w,
		"state", s.State, "since", seconds(s.Since), "first seen", seconds(s.ActivatedAt), "address", s.LastAddr,
		"protocol", s.Protocol, "client id", s.ClientID,
		"last online", seconds(s.LastOnline), "last offline", seconds(s.LastOffline), "went because", s.OfflineReason,
		"refusals", strconv.Itoa(s.Refusals))
	f := s.LastRefusal
	if f == nil {
		return
	}
	sentence, advice := f.Sentence, f.Advice
	if chinese {
		sentence, advice = f.SentenceZH, f.AdviceZH
	}
	fmt.Fprintf(w, "\n%s\n", visible(sentence))
	if advice != "" {
		fmt.Fprintln(w, visible(advice))
	}
	fmt.Fprintln(w)
	times := ""
	if f.Count > 1 {
		times = strconv.Itoa(f.Count) + " times in a row"
	}
	fields(w,
		"refused", seconds(f.At), "from", f.Addr, "code", f.Code, "field", f.Field,
		"received", f.Received, "expected", f.Expected, "CONNACK", strconv.Itoa(f.ReturnCode), "happened", times, "page", refusal.Path(f.Code))
}

func (c *deviceStatusCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := r.call("GET", c.Device.at("status"), nil, nil, &raw); err != nil {
		return err
	}
	var s standing
	if err := r.read(raw, &s); err != nil {
		return err
	}
	return g.emit(raw, func(w io.Writer) { s.print(w, g.chinese()) })
}

type deviceLatestCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceLatestCmd) Help() string {
	return `Examples:
  matou device latest a1NightLamp/lamp01
  matou device latest a1NightLamp/lamp01 --json`
}

// A latestValue is the newest value of a property; without Time there is none
// yet.
type latestValue struct {
	Property string          `json:"property"`
	Name     string          `json:"name"`
	Unit     string          `json:"unit"`
	Value    json.RawMessage `json:"value"`
	Time     time.Time       `json:"time"`
}

func (v *latestValue) text() string {
	if v.Time.IsZero() {
		return "-"
	}
	if v.Unit == "" {
		return text(v.Value)
	}
	return text(v.Value) + " " + v.Unit
}

func (c *deviceLatestCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var p page
	if err := r.call("GET", c.Device.at("properties"), nil, nil, &p); err != nil {
		return err
	}
	header := []string{"PROPERTY", "VALUE", "TIME", "NAME"}
	return printPage(g, r, p, "no properties", header, func(v *latestValue) []string {
		return []string{v.Property, v.text(), millis(v.Time), v.Name}
	})
}

// rangeFlags are a part of time, and the order of what is in it.
type rangeFlags struct {
	From  moment `help:"From then on: 2026-01-31, 2026-01-31T08:00, RFC 3339, or 90m or 7d for how long ago." placeholder:"TIME"`
	To    moment `help:"Before then, likewise." placeholder:"TIME"`
	Order string `enum:"asc,desc" default:"desc" help:"desc: newest first; asc: oldest first."`
}

func (f *rangeFlags) query() url.Values {
	return query("from", f.From.wire(), "to", f.To.wire(), "order", f.Order)
}

type deviceEventsCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Event  string    `help:"Only those with this identifier." placeholder:"ID"`
	Level  []string  `help:"Only those of these levels: info, alert, error." enum:"info,alert,error" placeholder:"LEVEL"`
	rangeFlags
	limitFlags
	apiFlags
}

func (*deviceEventsCmd) Help() string {
	return `Examples:
  matou device events a1NightLamp/lamp01
  matou device events a1NightLamp/lamp01 --level alert,error --from 90m
  matou device events a1NightLamp/lamp01 --event overheat --from 7d --limit 0 --json`
}

// A happening is an event of a device as the API shows it.
type happening struct {
	Event  string          `json:"event"`
	Level  string          `json:"level"`
	Output json.RawMessage `json:"output"`
	Time   time.Time       `json:"time"`
	Record uint64          `json:"record"` // as of a sample
}

func (c *deviceEventsCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	q := c.query()
	if c.Event != "" {
		q.Set("event", c.Event)
	}
	q["level"] = c.Level
	p, err := r.list(c.Device.at("events"), q, c.Limit)
	if err != nil {
		return err
	}
	return printPage(g, r, p, "no events", []string{"TIME", "LEVEL", "EVENT", "RECORD", "OUTPUT"}, func(e *happening) []string {
		return []string{millis(e.Time), e.Level, e.Event, strconv.FormatUint(e.Record, 10), document(e.Output)}
	})
}

type deviceCommandsCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	rangeFlags
	limitFlags
	apiFlags
}

func (*deviceCommandsCmd) Help() string {
	return `Examples:
  matou device commands a1NightLamp/lamp01
  matou device commands a1NightLamp/lamp01 --limit 10 --json`
}

func (c *deviceCommandsCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(c.Device.at("commands"), c.query(), c.Limit)
	if err != nil {
		return err
	}
	header := []string{"TIME", "ID", "COMMAND", "STATE", "INPUT", "ANSWER"}
	return printPage(g, r, p, "no commands", header, func(o *order) []string {
		return []string{millis(o.SentAt), o.ID, o.what(), o.State, document(o.Input), o.answer()}
	})
}
