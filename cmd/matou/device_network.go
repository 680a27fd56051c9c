package main

import (
	"encoding/json"
	"io"
	"time"
)

type deviceNetworkCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceNetworkCmd) Help() string {
	return `Shows what the device reported last of its network: the strength of its signal,
errors, and whatever else its firmware says (Alibaba Cloud's _thing/diag/post).

Examples:
  matou device network a1NightLamp/lamp01
  matou device network a1NightLamp/lamp01 --json`
}

func (c *deviceNetworkCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[network](g, r, "GET", c.Device.at("network"), nil, nil)
}

// A network is what a device reported of it.
type network struct {
	At     time.Time       `json:"at"`
	Report json.RawMessage `json:"report"`
}

func (n *network) print(w io.Writer) {
	fields(w, "reported", seconds(n.At), "network", document(n.Report))
}
