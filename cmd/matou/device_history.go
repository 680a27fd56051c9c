package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

type deviceHistoryCmd struct {
	Device   deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Property segment   `arg:"" help:"Identifier of the property."`
	rangeFlags
	Points int    `xor:"sums" help:"Sum up in about this many spans of time." placeholder:"N"`
	Step   string `xor:"sums" help:"Sum up in spans of this length, such as 1m." placeholder:"TIME"`
	CSV    bool   `name:"csv" help:"Print CSV, with times in UTC."`
	limitFlags
	apiFlags
}

func (*deviceHistoryCmd) Help() string {
	return `Examples:
  matou device history a1NightLamp/lamp01 CurrentTemperature
  matou device history a1NightLamp/lamp01 CurrentTemperature --from 24h --points 48
  matou device history a1NightLamp/lamp01 CurrentTemperature --from 2026-01-01 \
    --to 2026-02-01 --order asc --limit 0 --csv > january.csv`
}

// A sample is a value at a time.
type sample struct {
	Time  time.Time       `json:"time"`
	Value json.RawMessage `json:"value"`
	// Record is what 'matou device trace --record' takes.
	Record uint64 `json:"record"`
}

// A bucket is what the values of a span of time amount to.
type bucket struct {
	Start time.Time       `json:"start"`
	Min   json.RawMessage `json:"min"`
	Avg   json.RawMessage `json:"avg"`
	Max   json.RawMessage `json:"max"`
	Last  json.RawMessage `json:"last"`
	Count int             `json:"count"`
}

func (b *bucket) cells(time string) []string {
	return []string{time, document(b.Min), document(b.Avg), document(b.Max), document(b.Last), strconv.Itoa(b.Count)}
}

func (c *deviceHistoryCmd) Run(g *globals) error {
	if c.CSV && g.JSON {
		return usagef("--csv and --json are two forms: give one of them")
	}
	if c.Points < 0 {
		return usagef("--points %d is below 0", c.Points)
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	path := c.Device.at("properties", string(c.Property), "history")
	if c.Points > 0 || c.Step != "" {
		return c.sums(g, r, path)
	}
	p, err := r.list(path, c.query(), c.Limit)
	if err != nil {
		return err
	}
	if !c.CSV {
		return printPage(g, r, p, "no values", []string{"TIME", "VALUE", "RECORD"}, func(s *sample) []string {
			return []string{millis(s.Time), text(s.Value), strconv.FormatUint(s.Record, 10)}
		})
	}
	samples, err := each[sample](r, p.Items)
	if err != nil {
		return err
	}
	rows := [][]string{{"time", "value"}}
	for _, s := range samples {
		rows = append(rows, []string{wireTime(s.Time), text(s.Value)})
	}
	p.talk(g, "no values")
	return writeCSV(g.Stdout, rows)
}

// sums prints buckets instead of values.
func (c *deviceHistoryCmd) sums(g *globals, r *rest, path string) error {
	q := c.query()
	if c.Step != "" {
		d, err := longSpan(c.Step)
		if err != nil || d == 0 {
			return usagef("--step %q is no length of time: write for instance 1m", c.Step)
		}
		q.Set("step", d.String())
	} else {
		q.Set("points", strconv.Itoa(c.Points))
	}
	var p struct {
		Buckets []json.RawMessage `json:"buckets"`
	}
	if err := r.call("GET", path, q, nil, &p); err != nil {
		return err
	}
	buckets, err := each[bucket](r, p.Buckets)
	if err != nil {
		return err
	}
	if p.Buckets == nil {
		p.Buckets = []json.RawMessage{}
	}
	if len(buckets) == 0 && !g.JSON {
		fmt.Fprintln(g.Stderr, "no values")
	}
	if c.CSV {
		rows := [][]string{{"start", "min", "avg", "max", "last", "count"}}
		for _, b := range buckets {
			rows = append(rows, b.cells(wireTime(b.Start)))
		}
		return writeCSV(g.Stdout, rows)
	}
	return g.emit(p, func(w io.Writer) {
		if len(buckets) == 0 {
			return
		}
		t := table{{"FROM", "MIN", "AVG", "MAX", "LAST", "COUNT"}}
		for _, b := range buckets {
			t.add(b.cells(seconds(b.Start))...)
		}
		t.print(w)
	})
}

func writeCSV(w io.Writer, rows [][]string) error {
	cw := csv.NewWriter(w)
	return cw.WriteAll(rows)
}
