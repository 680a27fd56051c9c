package main

import (
	"fmt"
	"io"
	"time"
)

type deviceSubCmd struct {
	List   subListCmd   `cmd:"" help:"List a gateway's sub-devices."`
	Add    subAddCmd    `cmd:"" help:"Make devices sub-devices of a gateway, or ask it to add them."`
	Remove subRemoveCmd `cmd:"" help:"Remove a sub-device from its gateway."`
	Found  subFoundCmd  `cmd:"" help:"List devices that a gateway has seen and does not have."`
	Permit subPermitCmd `cmd:"" help:"Let a gateway take new sub-devices in for a while."`
}

// A subDevice is a sub-device as the API shows it.
type subDevice struct {
	Product string    `json:"product"`
	Device  string    `json:"device"`
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Added   time.Time `json:"added"`
	At      time.Time `json:"at"`
}

func (d *subDevice) ref() string { return d.Product + "/" + d.Device }

type subListCmd struct {
	Gateway deviceRef `arg:"" help:"PRODUCT/DEVICE of the gateway."`
	limitFlags
	apiFlags
}

func (*subListCmd) Help() string {
	return `Examples:
  matou device sub list a1Gateway/gate1
  matou device sub list a1Gateway/gate1 --limit 0 --json`
}

func (c *subListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(c.Gateway.at("subs"), nil, c.Limit)
	if err != nil {
		return err
	}
	return printPage(g, r, p, "no sub-devices", []string{"DEVICE", "STATE", "SINCE", "ADDED"}, func(d *subDevice) []string {
		return []string{d.ref(), d.State, seconds(d.Since), seconds(d.Added)}
	})
}

type subAddCmd struct {
	Gateway deviceRef   `arg:"" help:"PRODUCT/DEVICE of the gateway."`
	Subs    []deviceRef `arg:"" name:"sub" help:"PRODUCT/DEVICE of each sub-device."`
	Ask     bool        `help:"Ask the gateway to add them by itself, with their signatures."`
	apiFlags
}

func (*subAddCmd) Help() string {
	return `Adds all of them or none, and tells the gateway. With --ask nothing is added
here: the gateway is asked to, and proves that it knows their secrets.

Examples:
  matou device sub add a1Gateway/gate1 a1SubSensor/sub_1 a1SubSensor/sub_2
  matou device sub add a1Gateway/gate1 a1SubSensor/sub_1 --ask --json`
}

// named are devices for the API.
type named struct {
	Devices []namedDevice `json:"devices"`
}

type namedDevice struct {
	Product string `json:"product"`
	Device  string `json:"device"`
}

// gatewayTold says what became of a message to a gateway.
type gatewayTold struct {
	Outcome string `json:"outcome"`
}

func (t *gatewayTold) print(w io.Writer) { fields(w, "gateway told", t.Outcome) }

func (c *subAddCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var in named
	for _, d := range c.Subs {
		in.Devices = append(in.Devices, namedDevice(d))
	}
	if c.Ask {
		return printOne[gatewayTold](g, r, "POST", c.Gateway.at("subs-ask"), nil, in)
	}
	var p page
	if err := r.call("POST", c.Gateway.at("subs"), nil, in, &p); err != nil {
		return err
	}
	return g.emit(p, func(w io.Writer) { fmt.Fprintln(w, count(len(c.Subs), "sub-device", "sub-devices")+" added") })
}

type subRemoveCmd struct {
	Gateway deviceRef `arg:"" help:"PRODUCT/DEVICE of the gateway."`
	Sub     deviceRef `arg:"" help:"PRODUCT/DEVICE of the sub-device."`
	yesFlag
	apiFlags
}

func (*subRemoveCmd) Help() string {
	return `The device stays, with all it said; it is no longer heard through this gateway.

Examples:
  matou device sub remove a1Gateway/gate1 a1SubSensor/sub_1
  matou device sub remove a1Gateway/gate1 a1SubSensor/sub_1 --yes`
}

func (c *subRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	what := "Remove " + c.Sub.String() + " from its gateway " + c.Gateway.String()
	return r.remove(g, c.yesFlag, what, c.Gateway.at("subs", c.Sub.Product, c.Sub.Device), nil, removed{Product: c.Sub.Product, Device: c.Sub.Device})
}

type subFoundCmd struct {
	Gateway deviceRef `arg:"" help:"PRODUCT/DEVICE of the gateway."`
	apiFlags
}

func (*subFoundCmd) Help() string {
	return `Examples:
  matou device sub found a1Gateway/gate1`
}

func (c *subFoundCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var p page
	if err := r.call("GET", c.Gateway.at("subs-found"), nil, nil, &p); err != nil {
		return err
	}
	return printPage(g, r, p, "the gateway has found nobody", []string{"DEVICE", "SEEN"}, func(d *subDevice) []string {
		return []string{d.ref(), seconds(d.At)}
	})
}

type subPermitCmd struct {
	Gateway deviceRef `arg:"" help:"PRODUCT/DEVICE of the gateway."`
	Product string    `help:"Only devices of this product." placeholder:"KEY"`
	For     span      `default:"60s" help:"For how long, at most 1h." placeholder:"TIME"`
	apiFlags
}

func (*subPermitCmd) Help() string {
	return `Examples:
  matou device sub permit a1Gateway/gate1
  matou device sub permit a1Gateway/gate1 --product a1SubSensor --for 5m`
}

func (c *subPermitCmd) Run(g *globals) error {
	n := int(time.Duration(c.For) / time.Second)
	if n < 1 || n > 3600 {
		return usagef("--for %s is not from 1s to 1h", time.Duration(c.For))
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Product string `json:"product,omitempty"`
		Seconds int    `json:"seconds"`
	}{c.Product, n}
	return printOne[gatewayTold](g, r, "POST", c.Gateway.at("subs-permit"), nil, in)
}
