package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

type batchCmd struct {
	Create  batchCreateCmd  `cmd:"" help:"Make a batch of devices for a factory."`
	List    batchListCmd    `cmd:"" help:"List batches."`
	Show    batchShowCmd    `cmd:"" help:"Show a batch."`
	Devices batchDevicesCmd `cmd:"" help:"Print who of a batch registered and connected, and when."`
	Export  batchExportCmd  `cmd:"" help:"Print the devices of a batch with their secrets as CSV."`
	Disable batchDisableCmd `cmd:"" help:"Refuse all devices of a batch and end their connections."`
	Enable  batchEnableCmd  `cmd:"" help:"Let the devices of a batch in again."`
	Remove  batchRemoveCmd  `cmd:"" help:"Forget a batch that has no devices any more."`
}

// A batchRef names a batch: PRODUCT/BATCH.
type batchRef struct{ Product, Batch string }

// UnmarshalText reads PRODUCT/BATCH.
func (b *batchRef) UnmarshalText(text []byte) error {
	product, batch, _ := strings.Cut(string(text), "/")
	if !isSegment(product) || !isSegment(batch) || strings.Contains(batch, "/") {
		return fmt.Errorf("%q names no batch: write PRODUCT/BATCH", text)
	}
	b.Product, b.Batch = product, batch
	return nil
}

func (b batchRef) String() string { return b.Product + "/" + b.Batch }

// at is a path of this batch.
func (b batchRef) at(parts ...string) string {
	return at(append([]string{"products", b.Product, "batches", b.Batch}, parts...)...)
}

// batch is one as the API shows it.
type batch struct {
	Product    string    `json:"product"`
	Name       string    `json:"name"`
	Note       string    `json:"note"`
	CreatedAt  time.Time `json:"createdAt"`
	Devices    int       `json:"devices"`
	Registered int       `json:"registered"`
	Activated  int       `json:"activated"`
	Disabled   int       `json:"disabled"`
}

func (b *batch) print(w io.Writer) {
	fields(w, "batch", b.Product+"/"+b.Name, "note", b.Note, "made", seconds(b.CreatedAt), "devices", strconv.Itoa(b.Devices),
		"registered", strconv.Itoa(b.Registered), "activated", strconv.Itoa(b.Activated), "disabled", strconv.Itoa(b.Disabled))
}

type batchCreateCmd struct {
	Product segment `required:"" help:"Key of the product." placeholder:"KEY"`
	Count   int     `help:"How many devices, with names that are made up." placeholder:"N"`
	Prefix  string  `help:"What those names begin with." placeholder:"TEXT"`
	File    string  `help:"File with chosen names, one a line; - is standard input." placeholder:"FILE"`
	Name    string  `help:"Name of the batch; left out, the time." placeholder:"NAME"`
	Note    string  `help:"Anything about it." placeholder:"TEXT"`
	List    bool    `help:"Put the names on the product's list of those that may register, too."`
	apiFlags
}

func (*batchCreateCmd) Help() string {
	return `Makes all devices of the batch or none, at most 10000. Their names and secrets are
printed by matou batch export; devices that register need their names only.

Examples:
  matou batch create --product a1NightLamp --count 500
  matou batch create --product a1NightLamp --count 500 --prefix NL- --name march
  matou batch create --product a1NightLamp --file serials.txt --list --json`
}

func (c *batchCreateCmd) Run(g *globals) error {
	in := struct {
		Name   string   `json:"name,omitempty"`
		Note   string   `json:"note,omitempty"`
		Count  int      `json:"count,omitempty"`
		Prefix string   `json:"prefix,omitempty"`
		Names  []string `json:"names,omitempty"`
		List   bool     `json:"list,omitempty"`
	}{c.Name, c.Note, c.Count, c.Prefix, nil, c.List}
	if c.File != "" {
		raw, err := readAll(c.File, g.Stdin)
		if err != nil {
			return err
		}
		for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
			if name := strings.TrimSpace(lines.Text()); name != "" {
				in.Names = append(in.Names, name)
			}
		}
	}
	switch {
	case c.Count < 0 || c.Count == 0 && len(in.Names) == 0:
		return usagef("say how many devices with --count, or which with --file")
	case c.Count > 0 && c.File != "":
		return usagef("--count makes names up and --file chooses them: give one")
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[batch](g, r, "POST", at("products", string(c.Product), "batches"), nil, in)
}

type batchListCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	limitFlags
	apiFlags
}

func (*batchListCmd) Help() string {
	return `Examples:
  matou batch list a1NightLamp
  matou batch list a1NightLamp --json`
}

func (c *batchListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("products", string(c.Product), "batches"), nil, c.Limit)
	if err != nil {
		return err
	}
	header := []string{"BATCH", "MADE", "DEVICES", "REGISTERED", "ACTIVATED", "DISABLED", "NOTE"}
	return printPage(g, r, p, "no batches", header, func(b *batch) []string {
		return []string{b.Name, seconds(b.CreatedAt), strconv.Itoa(b.Devices), strconv.Itoa(b.Registered), strconv.Itoa(b.Activated), strconv.Itoa(b.Disabled), b.Note}
	})
}

type batchShowCmd struct {
	Batch batchRef `arg:"" help:"PRODUCT/BATCH."`
	apiFlags
}

func (*batchShowCmd) Help() string {
	return `Examples:
  matou batch show a1NightLamp/march
  matou batch show a1NightLamp/march --json`
}

func (c *batchShowCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[batch](g, r, "GET", c.Batch.at(), nil, nil)
}

type batchDevicesCmd struct {
	Batch batchRef `arg:"" help:"PRODUCT/BATCH."`
	limitFlags
	apiFlags
}

func (*batchDevicesCmd) Help() string {
	return `Examples:
  matou batch devices a1NightLamp/march
  matou batch devices a1NightLamp/march --limit 0 --json`
}

// batchDevice is one device of a batch.
type batchDevice struct {
	Name         string    `json:"name"`
	Enabled      bool      `json:"enabled"`
	RegisteredAt time.Time `json:"registeredAt"`
	Road         string    `json:"road"`
	ActivatedAt  time.Time `json:"activatedAt"`
}

func (c *batchDevicesCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(c.Batch.at("devices"), nil, c.Limit)
	if err != nil {
		return err
	}
	header := []string{"DEVICE", "ENABLED", "REGISTERED", "BY", "ACTIVATED"}
	return printPage(g, r, p, "no devices", header, func(d *batchDevice) []string {
		return []string{d.Name, yesNo(d.Enabled), seconds(d.RegisteredAt), d.Road, seconds(d.ActivatedAt)}
	})
}

type batchExportCmd struct {
	Batch batchRef `arg:"" help:"PRODUCT/BATCH."`
	apiFlags
}

func (*batchExportCmd) Help() string {
	return `Prints CSV, also with --json: name, secret, and what has become of the device.

Examples:
  matou batch export a1NightLamp/march > march.csv`
}

func (c *batchExportCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	file, err := r.raw(question{method: "GET", path: c.Batch.at("devices.csv"), accept: "text/csv, application/problem+json"}, 0)
	if err != nil {
		return err
	}
	return writeFile(g, file)
}

type batchDisableCmd struct {
	Batch batchRef `arg:"" help:"PRODUCT/BATCH."`
	yesFlag
	apiFlags
}

func (*batchDisableCmd) Help() string {
	return `A single device is disabled with matou device disable.

Examples:
  matou batch disable a1NightLamp/march
  matou batch disable a1NightLamp/march --yes --json`
}

func (c *batchDisableCmd) Run(g *globals) error {
	if err := c.confirm(g, "Refuse all devices of the batch "+c.Batch.String()); err != nil {
		return err
	}
	return c.enableBatch(g, c.Batch, false)
}

type batchEnableCmd struct {
	Batch batchRef `arg:"" help:"PRODUCT/BATCH."`
	apiFlags
}

func (*batchEnableCmd) Help() string {
	return `Examples:
  matou batch enable a1NightLamp/march`
}

func (c *batchEnableCmd) Run(g *globals) error { return c.enableBatch(g, c.Batch, true) }

type batchRemoveCmd struct {
	Batch batchRef `arg:"" help:"PRODUCT/BATCH."`
	apiFlags
}

func (*batchRemoveCmd) Help() string {
	return `Its devices have to be deleted before; matou batch disable refuses them all at once.

Examples:
  matou batch remove a1NightLamp/march`
}

func (c *batchRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if err := r.call("DELETE", c.Batch.at(), nil, nil, nil); err != nil {
		return err
	}
	return g.emit(map[string]any{"product": c.Batch.Product, "batch": c.Batch.Batch, "removed": true}, func(w io.Writer) { fmt.Fprintln(w, "forgotten") })
}

func (f *apiFlags) enableBatch(g *globals, b batchRef, enabled bool) error {
	r, err := f.open(g)
	if err != nil {
		return err
	}
	var n howMany
	if err := r.call("PATCH", b.at(), nil, map[string]bool{"enabled": enabled}, &n); err != nil {
		return err
	}
	done := " disabled"
	if enabled {
		done = " enabled"
	}
	return g.emit(n, func(w io.Writer) { fmt.Fprintln(w, count(n.Changed, "device", "devices")+done) })
}
