package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

// A shadow is one as the API shows it.
type shadow struct {
	Version   int64                `json:"version"`
	UpdatedAt time.Time            `json:"updatedAt"`
	Reported  map[string]attribute `json:"reported"`
	Desired   map[string]attribute `json:"desired"`
	Told      string               `json:"told"`
	Why       string               `json:"why"`
}

type attribute struct {
	Value json.RawMessage `json:"value"`
	Time  time.Time       `json:"time"`
}

func (s *shadow) print(w io.Writer) {
	fields(w, "version", strconv.FormatInt(s.Version, 10), "changed", seconds(s.UpdatedAt), "told", meaningOf(s.Told, s.Why))
	if len(s.Reported)+len(s.Desired) == 0 {
		return
	}
	t := table{{"ATTRIBUTE", "REPORTED", "DESIRED", "SINCE"}}
	names := map[string]bool{}
	for _, part := range []map[string]attribute{s.Reported, s.Desired} {
		for name := range part {
			names[name] = true
		}
	}
	for _, name := range sorted(names) {
		is, wanted := s.Reported[name], s.Desired[name]
		since := is.Time
		if wanted.Time.After(since) {
			since = wanted.Time
		}
		t.add(name, document(is.Value), document(wanted.Value), seconds(since))
	}
	t.print(w)
}

// meaningOf says in words whether a device learned of a change.
func meaningOf(told, why string) string {
	switch {
	case why != "":
		return "the device could not be told: " + why
	case told == "offline":
		return "the device is away; it asks when it comes back"
	case told == "delivered":
		return "the device was told"
	}
	return told
}

type deviceShadowCmd struct {
	Device  deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Set     []string  `sep:"none" help:"What is wanted of an attribute: JSON, or text; null takes it away. May be given more than once." placeholder:"NAME=VALUE"`
	Replace bool      `help:"Want nothing else any more."`
	Version int64     `help:"Only where the shadow's version is below this one." placeholder:"N"`
	Forget  bool      `help:"Delete the shadow, its version included."`
	apiFlags
}

func (*deviceShadowCmd) Help() string {
	return `Shows what a device reported to its shadow and what is wanted of it. A device
that is online is told of a change at once, another asks when it comes back.

Examples:
  matou device shadow a1NightLamp/lamp01
  matou device shadow a1NightLamp/lamp01 --set color=green --set 'blink={"times":3}'
  matou device shadow a1NightLamp/lamp01 --replace
  matou device shadow a1NightLamp/lamp01 --json`
}

func (c *deviceShadowCmd) Run(g *globals) error {
	changes := len(c.Set) > 0 || c.Replace
	switch {
	case c.Forget && (changes || c.Version != 0):
		return usagef("--forget deletes the shadow: give it alone")
	case c.Version != 0 && !changes:
		return usagef("--version is of a change: give --set or --replace, too")
	case c.Version < 0:
		return usagef("--version %d is below 0", c.Version)
	}
	wanted, err := assignments(c.Set)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if c.Forget {
		if err := r.call("DELETE", c.Device.at("shadow"), nil, nil, nil); err != nil {
			return err
		}
		return g.emit(removed{Product: c.Device.Product, Device: c.Device.Device, Removed: true}, func(w io.Writer) { fmt.Fprintln(w, "deleted") })
	}
	if !changes {
		return printOne[shadow](g, r, "GET", c.Device.at("shadow"), nil, nil)
	}
	method := "PATCH"
	if c.Replace {
		method = "PUT"
	}
	in := struct {
		Desired map[string]json.RawMessage `json:"desired"`
		Version int64                      `json:"version,omitempty"`
	}{wanted, c.Version}
	return printOne[shadow](g, r, method, c.Device.at("shadow", "desired"), nil, in)
}

type deviceDesiredCmd struct {
	Get   desiredGetCmd   `cmd:"" help:"Print desired values beside reported ones."`
	Set   desiredSetCmd   `cmd:"" help:"Set desired values."`
	Clear desiredClearCmd `cmd:"" help:"Take desired values away."`
}

// A desiredList is the desired values of a device as the API shows them.
type desiredList struct {
	Items []struct {
		Property string          `json:"property"`
		Value    json.RawMessage `json:"value"`
		Version  int64           `json:"version"`
		Time     time.Time       `json:"time"`
		Reported json.RawMessage `json:"reported"`
		Matches  bool            `json:"matches"`
	} `json:"items"`
	Told string `json:"told"`
	Why  string `json:"why"`
}

func (l *desiredList) print(w io.Writer) {
	if meaning := meaningOf(l.Told, l.Why); meaning != "" {
		fmt.Fprintln(w, visible(meaning))
	}
	if len(l.Items) == 0 {
		fmt.Fprintln(w, "no desired values")
		return
	}
	t := table{{"PROPERTY", "DESIRED", "VERSION", "SET", "REPORTED", "MATCHES"}}
	for _, d := range l.Items {
		t.add(d.Property, document(d.Value), strconv.FormatInt(d.Version, 10), seconds(d.Time), document(d.Reported), yesNo(d.Matches))
	}
	t.print(w)
}

type desiredGetCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*desiredGetCmd) Help() string {
	return `Examples:
  matou device desired get a1NightLamp/lamp01
  matou device desired get a1NightLamp/lamp01 --json`
}

func (c *desiredGetCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[desiredList](g, r, "GET", c.Device.at("desired"), nil, nil)
}

type desiredSetCmd struct {
	Device  deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Values  []string  `arg:"" name:"name=value" help:"Properties and their values: JSON, or text; null takes a desired value away."`
	Version []string  `sep:"none" help:"Only where the desired value of a property has this version, 0 for none. May be given more than once." placeholder:"NAME=N"`
	apiFlags
}

func (*desiredSetCmd) Help() string {
	return `A device that is online is told to set the properties at once; one that is away
asks for them when it comes back. It takes a desired value away when it has done
with it.

Examples:
  matou device desired set a1NightLamp/lamp01 NightLightSwitch=1
  matou device desired set a1NightLamp/lamp01 Mode=eco --version Mode=3 --json`
}

func (c *desiredSetCmd) Run(g *globals) error {
	values, err := assignments(c.Values)
	if err != nil {
		return err
	}
	versions, err := assignments(c.Version)
	if err != nil {
		return err
	}
	for name, v := range versions {
		if _, err := strconv.ParseInt(string(v), 10, 64); err != nil {
			return usagef("--version %s=%s: write a whole number", name, v)
		}
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Values   map[string]json.RawMessage `json:"values"`
		Versions map[string]json.RawMessage `json:"versions,omitempty"`
	}{values, versions}
	return printOne[desiredList](g, r, "POST", c.Device.at("desired"), nil, in)
}

type desiredClearCmd struct {
	Device     deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Properties []string  `arg:"" optional:"" name:"property" help:"Only these; left out, all."`
	apiFlags
}

func (*desiredClearCmd) Help() string {
	return `Examples:
  matou device desired clear a1NightLamp/lamp01 NightLightSwitch
  matou device desired clear a1NightLamp/lamp01 --json`
}

func (c *desiredClearCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	q := url.Values{}
	for _, p := range c.Properties {
		q.Add("property", p)
	}
	if err := r.call("DELETE", c.Device.at("desired"), q, nil, nil); err != nil {
		return err
	}
	return g.emit(removed{Product: c.Device.Product, Device: c.Device.Device, Removed: true}, func(w io.Writer) { fmt.Fprintln(w, "cleared") })
}

type deviceTagCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Tags   []string  `arg:"" optional:"" name:"name=value" help:"Tags to set; the others stay."`
	Remove []string  `sep:"none" help:"Take this tag away. May be given more than once." placeholder:"NAME"`
	apiFlags
}

func (*deviceTagCmd) Help() string {
	return `Examples:
  matou device tag a1NightLamp/lamp01 floor=3 room=kitchen
  matou device tag a1NightLamp/lamp01 --remove floor --json`
}

func (c *deviceTagCmd) Run(g *globals) error {
	if len(c.Tags)+len(c.Remove) == 0 {
		return usagef("nothing to change: name tags to set, or --remove")
	}
	set, err := tags(c.Tags)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Set    map[string]string `json:"set,omitempty"`
		Remove []string          `json:"remove,omitempty"`
	}{set, c.Remove}
	return printOne[gadget](g, r, "PATCH", c.Device.at("tags"), nil, in)
}

type deviceLogCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Switch string    `arg:"" optional:"" enum:",on,off" default:"" help:"on or off; left out, as it is."`
	apiFlags
}

// A logSwitch is whether a device shall post its log.
type logSwitch struct {
	On   bool   `json:"on"`
	Told string `json:"told"`
}

func (s *logSwitch) print(w io.Writer) {
	state := "off"
	if s.On {
		state = "on"
	}
	fields(w, "log", state, "told", s.Told)
}

func (*deviceLogCmd) Help() string {
	return `The lines that a device posts are in its timeline, with the code device-log.

Examples:
  matou device log a1NightLamp/lamp01
  matou device log a1NightLamp/lamp01 on
  matou device timeline a1NightLamp/lamp01 --kind note
  matou device log a1NightLamp/lamp01 off --json`
}

func (c *deviceLogCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if c.Switch == "" {
		return printOne[logSwitch](g, r, "GET", c.Device.at("log"), nil, nil)
	}
	in := struct {
		On bool `json:"on"`
	}{c.Switch == "on"}
	return printOne[logSwitch](g, r, "PUT", c.Device.at("log"), nil, in)
}
