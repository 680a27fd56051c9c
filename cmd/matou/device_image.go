package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// An image is one as the API shows it.
type image struct {
	Version   int64                      `json:"version"`
	UpdatedAt time.Time                  `json:"updatedAt"`
	Desired   map[string]imageAttribute  `json:"desired"`
	Reported  map[string]imageAttribute  `json:"reported"`
	Delta     map[string]json.RawMessage `json:"delta"`
	Told      string                     `json:"told"`
}

type imageAttribute struct {
	Value json.RawMessage `json:"value"`
	Time  time.Time       `json:"time"`
}

func (im *image) print(w io.Writer) {
	fields(w, "version", strconv.FormatInt(im.Version, 10), "changed", seconds(im.UpdatedAt), "told", im.Told)
	names := map[string]bool{}
	for name := range im.Desired {
		names[name] = true
	}
	for name := range im.Reported {
		names[name] = true
	}
	if len(names) == 0 {
		return
	}
	t := table{{"ATTRIBUTE", "REPORTED", "DESIRED", "OPEN"}}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		open := ""
		if _, ok := im.Delta[name]; ok {
			open = "yes"
		}
		t.add(name, document(im.Reported[name].Value), document(im.Desired[name].Value), open)
	}
	t.print(w)
}

type deviceImageCmd struct {
	Device   deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Set      []string  `sep:"none" help:"What is wanted of an attribute: JSON, or text; null takes it away. May be given more than once." placeholder:"NAME=VALUE"`
	Reported []string  `sep:"none" help:"What to note as reported, in place of the device. May be given more than once." placeholder:"NAME=VALUE"`
	Forget   bool      `help:"Delete the image, its version included."`
	apiFlags
}

func (*deviceImageCmd) Help() string {
	return `Shows the image (设备镜像) of a OneNET device: what it reported, what is wanted of
it, and which of that is still open. A device that is online is told of the
difference at once, another asks when it comes back.

Examples:
  matou device image 238322/logger
  matou device image 238322/logger --set color=green --set 'limit={"max":80}'
  matou device image 238322/logger --set color=null
  matou device image 238322/logger --json`
}

func (c *deviceImageCmd) Run(g *globals) error {
	changes := len(c.Set)+len(c.Reported) > 0
	if c.Forget && changes {
		return usagef("--forget deletes the image: give it alone")
	}
	desired, err := assignments(c.Set)
	if err != nil {
		return err
	}
	reported, err := assignments(c.Reported)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	switch {
	case c.Forget:
		if err := r.call("DELETE", c.Device.at("image"), nil, nil, nil); err != nil {
			return err
		}
		return g.emit(removed{Product: c.Device.Product, Device: c.Device.Device, Removed: true}, func(w io.Writer) { fmt.Fprintln(w, "deleted") })
	case !changes:
		return printOne[image](g, r, "GET", c.Device.at("image"), nil, nil)
	}
	in := struct {
		Desired  map[string]json.RawMessage `json:"desired,omitempty"`
		Reported map[string]json.RawMessage `json:"reported,omitempty"`
	}{desired, reported}
	return printOne[image](g, r, "PATCH", c.Device.at("image"), nil, in)
}
