package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

type productConfigCmd struct {
	Show   configShowCmd   `cmd:"" help:"List the versions that are kept."`
	Print  configPrintCmd  `cmd:"" help:"Print the file."`
	Upload configUploadCmd `cmd:"" help:"Give a product another configuration."`
	Push   configPushCmd   `cmd:"" help:"Tell devices of the configuration."`
	Status configStatusCmd `cmd:"" help:"List how far it has come with each device."`
	On     configOnCmd     `cmd:"" help:"Give devices the configuration."`
	Off    configOffCmd    `cmd:"" help:"Give devices no configuration any more."`
}

// A config is the remote configuration of a product as the API shows it.
type config struct {
	On    bool            `json:"on"`
	Items []configVersion `json:"items"`
}

type configVersion struct {
	ID        string    `json:"configId"`
	Number    int64     `json:"version"`
	Size      int       `json:"size"`
	SHA256    string    `json:"sha256"`
	CreatedAt time.Time `json:"createdAt"`
}

func (c *config) print(w io.Writer) {
	fields(w, "given to devices", yesNo(c.On))
	if len(c.Items) == 0 {
		fmt.Fprintln(w, "no configuration")
		return
	}
	t := table{{"VERSION", "MADE", "BYTES", "SHA256", "CONFIG ID"}}
	for _, v := range c.Items {
		t.add(strconv.FormatInt(v.Number, 10), seconds(v.CreatedAt), strconv.Itoa(v.Size), v.SHA256, v.ID)
	}
	t.print(w)
}

func (v *configVersion) print(w io.Writer) {
	fields(w, "version", strconv.FormatInt(v.Number, 10), "bytes", strconv.Itoa(v.Size), "sha256", v.SHA256, "config id", v.ID, "made", seconds(v.CreatedAt))
}

type configShowCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	apiFlags
}

func (*configShowCmd) Help() string {
	return `Examples:
  matou product config show a1NightLamp
  matou product config show a1NightLamp --json`
}

func (c *configShowCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[config](g, r, "GET", at("products", string(c.Product), "config"), nil, nil)
}

type configPrintCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Version int64   `help:"Another version than the newest." placeholder:"N"`
	apiFlags
}

func (*configPrintCmd) Help() string {
	return `Prints the file as it was uploaded, with or without --json.

Examples:
  matou product config print a1NightLamp
  matou product config print a1NightLamp --version 3 > config.json`
}

func (c *configPrintCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	version := ""
	if c.Version != 0 {
		version = strconv.FormatInt(c.Version, 10)
	}
	doc, err := r.raw(question{method: "GET", path: at("products", string(c.Product), "config", "content"), query: query("version", version), accept: jsonContent}, 0)
	if err != nil {
		return err
	}
	return writeFile(g, doc)
}

type configUploadCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	File    string  `arg:"" help:"JSON file of at most 64 KB, - for standard input."`
	apiFlags
}

func (*configUploadCmd) Help() string {
	return `The last five versions are kept. Devices learn of the new one when they ask, or
by 'matou product config push'.

Examples:
  matou product config upload a1NightLamp config.json
  echo '{"interval":60}' | matou product config upload a1NightLamp - --json`
}

func (c *configUploadCmd) Run(g *globals) error {
	doc, err := readAll(c.File, g.Stdin)
	if err != nil {
		return err
	}
	doc = bytes.TrimPrefix(doc, []byte("\xEF\xBB\xBF"))
	if !json.Valid(doc) {
		return fmt.Errorf("%s is no JSON", fileName(c.File))
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	raw, err := r.raw(question{method: "PUT", path: at("products", string(c.Product), "config"), body: doc, content: jsonContent, accept: jsonContent}, 0)
	if err != nil {
		return err
	}
	return printRaw[configVersion](g, r, raw)
}

type configPushCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Device  string  `arg:"" optional:"" help:"DeviceName; left out, all devices of the product."`
	apiFlags
}

// pushed is what came of a push.
type pushed struct {
	Told   int `json:"told"`
	Queued int `json:"queued"`
	Missed int `json:"missed"`
}

func (p *pushed) print(w io.Writer) {
	fmt.Fprintf(w, "%d told, %d away and told when they come back, %d not reached\n", p.Told, p.Queued, p.Missed)
}

func (*configPushCmd) Help() string {
	return `Examples:
  matou product config push a1NightLamp
  matou product config push a1NightLamp lamp01 --json`
}

func (c *configPushCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Device string `json:"device,omitempty"`
	}{c.Device}
	return printOne[pushed](g, r, "POST", at("products", string(c.Product), "config", "push"), nil, in)
}

type configStatusCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	limitFlags
	apiFlags
}

func (*configStatusCmd) Help() string {
	return `Examples:
  matou product config status a1NightLamp
  matou product config status a1NightLamp --limit 0 --json`
}

// A delivery is how far the configuration has come with a device.
type delivery struct {
	Device   string    `json:"device"`
	ConfigID string    `json:"configId"`
	State    string    `json:"state"`
	Code     int       `json:"code"`
	Message  string    `json:"message"`
	PushedAt time.Time `json:"pushedAt"`
}

func (c *configStatusCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("products", string(c.Product), "config", "deliveries"), nil, c.Limit)
	if err != nil {
		return err
	}
	header := []string{"DEVICE", "STATE", "PUSHED", "ANSWER", "CONFIG ID"}
	return printPage(g, r, p, "nothing was pushed", header, func(d *delivery) []string {
		answer := d.Message
		if d.Code != 0 {
			answer = strconv.Itoa(d.Code) + " " + answer
		}
		return []string{d.Device, d.State, seconds(d.PushedAt), answer, d.ConfigID}
	})
}

type configOnCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	apiFlags
}

func (*configOnCmd) Help() string {
	return `Examples:
  matou product config on a1NightLamp`
}

func (c *configOnCmd) Run(g *globals) error { return c.turn(g, c.Product, true) }

type configOffCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	apiFlags
}

func (*configOffCmd) Help() string {
	return `Examples:
  matou product config off a1NightLamp`
}

func (c *configOffCmd) Run(g *globals) error { return c.turn(g, c.Product, false) }

// turn gives devices the configuration of a product, or no longer.
func (f *apiFlags) turn(g *globals, product segment, on bool) error {
	r, err := f.open(g)
	if err != nil {
		return err
	}
	in := struct {
		On bool `json:"on"`
	}{on}
	return printOne[config](g, r, "PATCH", at("products", string(product), "config"), nil, in)
}
