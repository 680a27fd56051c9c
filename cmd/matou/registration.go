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

type productRegistrationCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	On      bool    `help:"Devices that exist and never connected may register." xor:"on"`
	Off     bool    `help:"No device may register." xor:"on"`
	Free    *bool   `negatable:"" help:"Devices need not exist before: they are made when they register."`
	Listed  *bool   `negatable:"" help:"Only names on the product's list may register."`
	Max     *int    `help:"Make no device by registration where the product has N; 0 means 10000." placeholder:"N"`
	apiFlags
}

func (*productRegistrationCmd) Help() string {
	return `Devices that know only their ProductSecret register to be told a secret of their
own (Aliyun's 一型一密). Without a flag the command shows what is allowed.

Examples:
  matou product registration a1NightLamp
  matou product registration a1NightLamp --on
  matou product registration a1NightLamp --on --listed
  matou product registration a1NightLamp --on --free --max 5000
  matou product registration a1NightLamp --off --json`
}

func (c *productRegistrationCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Enabled    *bool `json:"enabled,omitempty"`
		Free       *bool `json:"free,omitempty"`
		Listed     *bool `json:"listed,omitempty"`
		MaxDevices *int  `json:"maxDevices,omitempty"`
	}{nil, c.Free, c.Listed, c.Max}
	if c.On || c.Off {
		in.Enabled = &c.On
	}
	if in.Enabled == nil && in.Free == nil && in.Listed == nil && in.MaxDevices == nil {
		return printOne[registration](g, r, "GET", at("products", string(c.Product)), nil, nil)
	}
	return printOne[registration](g, r, "PATCH", at("products", string(c.Product), "registration"), nil, in)
}

// registration is the part of a product that says who may register.
type registration struct {
	Key          string `json:"key"`
	Registration struct {
		Enabled    bool `json:"enabled"`
		Free       bool `json:"free"`
		Listed     bool `json:"listed"`
		MaxDevices int  `json:"maxDevices"`
	} `json:"registration"`
}

func (p *registration) print(w io.Writer) {
	r := p.Registration
	most := "10000 devices"
	if r.MaxDevices > 0 {
		most = count(r.MaxDevices, "device", "devices")
	}
	if !r.Free {
		most = ""
	}
	fields(w, "product", p.Key, "registration", onOff(r.Enabled), "free of pre-registration", onOff(r.Free), "names on the list only", yesNo(r.Listed), "makes devices up to", most)
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

type productAllowCmd struct {
	Product segment  `arg:"" help:"Key of the product."`
	Names   []string `arg:"" optional:"" name:"name" help:"DeviceNames."`
	File    string   `help:"File with a name a line; - is standard input." placeholder:"FILE"`
	apiFlags
}

func (*productAllowCmd) Help() string {
	return `The list counts for products that register with --listed.

Examples:
  matou product allow a1NightLamp lamp01 lamp02
  matou product allow a1NightLamp --file names.txt --json`
}

func (c *productAllowCmd) Run(g *globals) error {
	return changeNames(g, &c.apiFlags, c.Product, c.Names, c.File, "names", "added")
}

type productDisallowCmd struct {
	Product segment  `arg:"" help:"Key of the product."`
	Names   []string `arg:"" optional:"" name:"name" help:"DeviceNames."`
	File    string   `help:"File with a name a line; - is standard input." placeholder:"FILE"`
	apiFlags
}

func (*productDisallowCmd) Help() string {
	return `A device that has registered already keeps what it was told: disable it to refuse it.

Examples:
  matou product disallow a1NightLamp lamp01 lamp02
  matou product disallow a1NightLamp --file names.txt`
}

func (c *productDisallowCmd) Run(g *globals) error {
	return changeNames(g, &c.apiFlags, c.Product, c.Names, c.File, "names/remove", "removed")
}

// maxNamesAtOnce is how many names one request may hold.
const maxNamesAtOnce = 10_000

// howMany is what came of a change of many.
type howMany struct {
	Changed int `json:"changed"`
}

func changeNames(g *globals, f *apiFlags, product segment, names []string, file, path, done string) error {
	if file != "" {
		text, err := readAll(file, g.Stdin)
		if err != nil {
			return err
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			if name := strings.TrimSpace(lines.Text()); name != "" {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return usagef("name at least one device, or give --file")
	}
	r, err := f.open(g)
	if err != nil {
		return err
	}
	var all howMany
	for len(names) > 0 {
		n := min(len(names), maxNamesAtOnce)
		var one howMany
		in := map[string][]string{"names": names[:n]}
		if err := r.call("POST", at(append([]string{"products", string(product), "registration"}, strings.Split(path, "/")...)...), nil, in, &one); err != nil {
			return err
		}
		all.Changed += one.Changed
		names = names[n:]
	}
	return g.emit(all, func(w io.Writer) { fmt.Fprintln(w, count(all.Changed, "name", "names")+" "+done) })
}

type productAllowedCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	limitFlags
	apiFlags
}

func (*productAllowedCmd) Help() string {
	return `Examples:
  matou product allowed a1NightLamp
  matou product allowed a1NightLamp --limit 0 --json`
}

func (c *productAllowedCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("products", string(c.Product), "registration", "names"), nil, c.Limit)
	if err != nil {
		return err
	}
	return printPage(g, r, p, "no names are on the list", []string{"NAME"}, func(s *string) []string { return []string{*s} })
}

type deviceResetCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceResetCmd) Help() string {
	return `The device is as if it had never connected and may register again. It gets another
secret: what it has to log in with is of no more use, and a connection that it
has ends. Its data stays.

Examples:
  matou device reset a1NightLamp/lamp01`
}

func (c *deviceResetCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[gadget](g, r, "POST", c.Device.at("reset"), nil, nil)
}

type deviceRegistrationCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceRegistrationCmd) Help() string {
	return `Examples:
  matou device registration a1NightLamp/lamp01
  matou device registration a1NightLamp/lamp01 --json`
}

// enrollment is how a device registered.
type enrollment struct {
	Product  string    `json:"product"`
	Device   string    `json:"device"`
	Road     string    `json:"road"`
	Free     bool      `json:"free"`
	Addr     string    `json:"addr"`
	FirstAt  time.Time `json:"firstAt"`
	LastAt   time.Time `json:"lastAt"`
	SecretAt time.Time `json:"secretAt"`
	Times    int       `json:"times"`
}

func (e *enrollment) print(w io.Writer) {
	told := "its secret"
	if e.Free {
		told = "a token"
	}
	fields(w, "device", e.Product+"/"+e.Device, "was told", told, "by", e.Road, "from", e.Addr, "first", seconds(e.FirstAt), "last", seconds(e.LastAt),
		"this secret since", seconds(e.SecretAt), "times", strconv.Itoa(e.Times))
}

func (c *deviceRegistrationCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[enrollment](g, r, "GET", c.Device.at("registration"), nil, nil)
}

type deviceCertificateCmd struct {
	Set   deviceCertificateSetCmd   `cmd:"" help:"Bind a device to its certificate."`
	Clear deviceCertificateClearCmd `cmd:"" help:"Unbind a device from its certificate."`
}

type deviceCertificateSetCmd struct {
	Device      deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Certificate string    `arg:"" help:"File in PEM, or the SHA-256 in hexadecimal digits; - is standard input."`
	apiFlags
}

func (*deviceCertificateSetCmd) Help() string {
	return `A device that is bound gets in with its certificate by TLS and not otherwise; the
server has to trust who issued it (tls.clientCA).

Examples:
  matou device certificate set a1NightLamp/lamp01 lamp01.pem
  openssl x509 -noout -fingerprint -sha256 -in lamp01.pem | matou device certificate set a1NightLamp/lamp01 -`
}

func (c *deviceCertificateSetCmd) Run(g *globals) error {
	given := c.Certificate
	if !isFingerprint(given) {
		raw, err := readAll(given, g.Stdin)
		if err != nil {
			return err
		}
		given = string(raw)
	}
	if strings.Contains(given, "PRIVATE KEY") {
		return usagef("%s holds a private key: give the certificate only, and keep the key in the device", c.Certificate)
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[gadget](g, r, "PUT", c.Device.at("certificate"), nil, map[string]string{"certificate": given})
}

// isFingerprint reports whether s is 64 hexadecimal digits, with colons or
// without.
func isFingerprint(s string) bool {
	digits := strings.ReplaceAll(s, ":", "")
	return len(digits) == 64 && strings.Trim(strings.ToLower(digits), "0123456789abcdef") == ""
}

type deviceCertificateClearCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceCertificateClearCmd) Help() string {
	return `Examples:
  matou device certificate clear a1NightLamp/lamp01`
}

func (c *deviceCertificateClearCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[gadget](g, r, "DELETE", c.Device.at("certificate"), nil, nil)
}
