package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

type deviceWatchCmd struct {
	Device string `arg:"" optional:"" name:"device" help:"PRODUCT/DEVICE, or PRODUCT; left out, all devices."`
	Count  int    `short:"C" help:"End after this many." placeholder:"N"`
	apiFlags
}

func (*deviceWatchCmd) Help() string {
	return `Prints until it is interrupted; a stream that breaks is opened again. With --json
each line is an object with type (property, event, status, command, file, packet or
gap) and data.

Packets that carry no message (PINGREQ, PUBACK and their like) are among them when one
device is followed, while it is under watch: matou device trace PRODUCT/DEVICE --watch 10m.

Examples:
  matou device watch
  matou device watch a1NightLamp
  matou device watch a1NightLamp/lamp01 --json
  matou device watch a1NightLamp/lamp01 -C 1`
}

func (c *deviceWatchCmd) Run(g *globals) error {
	if c.Count < 0 {
		return usagef("--count %d is below 0", c.Count)
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	path, q, err := c.stream(r)
	if err != nil {
		return err
	}
	printed := 0
	return r.follow(g, path, q, nil, func(e streamEvent) error {
		line, err := describe(r, e)
		if err != nil || line == "" {
			return err
		}
		v := struct {
			Type string          `json:"type"`
			Data json.RawMessage `json:"data"`
		}{e.name, e.data}
		if err := streamOut(g, v, line); err != nil {
			return err
		}
		if printed++; printed == c.Count {
			return errEnough
		}
		return nil
	})
}

// stream finds what to follow. A device or product that does not exist is
// said: following it would be silence.
func (c *deviceWatchCmd) stream(r *rest) (path string, q url.Values, err error) {
	switch {
	case c.Device == "":
		return at("stream"), nil, nil
	case !strings.Contains(c.Device, "/"):
		if !isSegment(c.Device) {
			return "", nil, usagef("%q names no product", c.Device)
		}
		return at("stream"), query("product", c.Device), r.call("GET", at("products", c.Device), nil, nil, nil)
	}
	var d deviceRef
	if err := d.UnmarshalText([]byte(c.Device)); err != nil {
		return "", nil, usageError{err}
	}
	return d.at("stream"), nil, r.call("GET", d.at(), nil, nil, nil)
}

// A message is the data of any event of the stream.
type message struct {
	Product string                     `json:"product"`
	Device  string                     `json:"device"`
	Time    time.Time                  `json:"time"`
	Values  map[string]json.RawMessage `json:"values"`
	Event   string                     `json:"event"`
	Level   string                     `json:"level"`
	Reason  string                     `json:"reason"`
	Addr    string                     `json:"addr"`
	Missed  int                        `json:"missed"`
	Name    string                     `json:"name"`
	Size    int64                      `json:"size"`
	Packet  string                     `json:"packet"`
	Up      string                     `json:"direction"`
	order
}

// describe is an event of the stream for people, "" for one of no known kind.
func describe(r *rest, e streamEvent) (string, error) {
	var m message
	if err := r.read(e.data, &m); err != nil {
		return "", err
	}
	what := ""
	switch e.name {
	case "property":
		what = assigned(m.Values)
	case "event":
		what = strings.TrimSpace("event " + m.Event + " (" + m.Level + ") " + document(m.Output))
	case "status":
		what = strings.Join(strings.Fields(m.State+" "+m.Addr+" "+m.Reason), " ")
	case "command":
		if m.Time = m.DoneAt; m.Time.IsZero() {
			m.Time = m.SentAt
		}
		what = strings.TrimSpace(fmt.Sprintf("%s %s: %s %s", m.what(), document(m.Input), m.State, m.answer()))
	case "file":
		what = "file " + m.Name + " (" + bytesOf(m.Size) + ")"
	case "packet":
		what = "packet " + m.Up + " " + m.Packet
	case "gap":
		return fmt.Sprintf("… %s; history has them", count(m.Missed, "message was missed", "messages were missed")), nil
	default:
		return "", nil
	}
	return visible(millis(m.Time) + "  " + m.Product + "/" + m.Device + "  " + what), nil
}

// assigned shows values in order of their names.
func assigned(values map[string]json.RawMessage) string {
	var out []string
	for _, name := range sorted(values) {
		out = append(out, name+"="+text(values[name]))
	}
	return strings.Join(out, " ")
}
