package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/device/virtual"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt/client"
)

type deviceRunCmd struct {
	File string `arg:"" optional:"" help:"YAML file that describes the device; - is standard input." placeholder:"FILE"`

	Example  string `help:"Run a description that comes with Matou: night-light or sensor." placeholder:"NAME"`
	Print    bool   `help:"Print the description instead of running it."`
	Check    bool   `help:"Check the description and stop."`
	URL      string `name:"url" help:"Connect here instead: mqtt://, mqtts://, ws:// or wss://." placeholder:"URL"`
	CAFile   string `name:"cafile" help:"PEM file of the authorities to trust, instead." placeholder:"FILE"`
	Insecure bool   `help:"Accept any certificate."`
	Module   string `help:"Connect through a module on a serial line: esp8266, ec20 or nt35e." placeholder:"KIND"`
	MQTT     string `name:"module-mqtt" help:"Who speaks MQTT: this program over a socket of the module (socket), or the module itself (own); an nt35e has its own only." placeholder:"WHO"`
	AliAuth  bool   `name:"module-aliauth" help:"Let a module that speaks MQTT itself, an ec20 or nt35e, sign for Alibaba Cloud as well (aliauth)."`
	Port     string `help:"Port of the module: /dev/ttyUSB0, COM3, a pseudo-terminal, or tcp:host:port." placeholder:"PORT"`
	Baud     int    `help:"Speed of the port." placeholder:"N"`
	SSID     string `name:"ssid" help:"Wi-Fi that the module joins." placeholder:"SSID"`
	WifiPass string `name:"wifi-password" help:"Password of the Wi-Fi; left out, what the environment has as MATOU_WIFI_PASSWORD." placeholder:"PASSWORD"`
	APN      string `name:"apn" help:"Access point that a cellular module uses." placeholder:"APN"`
	PIN      string `name:"pin" help:"PIN of the SIM card in a cellular module." placeholder:"PIN"`
	Name     string `name:"device-name" help:"Be this device of the product instead." placeholder:"NAME"`
	Secret   string `name:"device-secret" help:"Secret or key of the device instead." env:"MATOU_DEVICE_SECRET" placeholder:"SECRET"`
	Seed     uint64 `help:"Seed of all that is random instead." placeholder:"N"`
	For      span   `help:"End after this time; exit code 1 if the device did not connect in it, or did not come to --count." placeholder:"TIME"`
	Reports  int    `short:"C" name:"count" help:"End after this many reports." placeholder:"N"`
	Create   bool   `help:"Make the product, its model and the device on a Matou first, where they are missing; a device that is there keeps its secret, and it is used."`

	apiFlags
}

func (*deviceRunCmd) Help() string {
	return `Is the device that a YAML file describes: it signs in as its vendor's devices do,
measures, reports, obeys and answers, and comes back when its connection breaks. It
needs no hardware, and any server that such a device can use will do.

Where a Matou refuses it and an access token is at hand, its reason is printed.

Examples:
  matou device run --example night-light --create
  matou device run --example night-light --print > lamp.yaml
  matou device run lamp.yaml --url mqtts://iot.example.com
  matou device run lamp.yaml --device-name lamp02 --for 10m --json
  matou device run lamp.yaml --check

Through a module on a serial line; in lamp.yaml it is "module: {kind: esp8266,
port: /dev/ttyUSB0, ssid: home, password: \"${WIFI_PASSWORD}\"}":
  matou modem run esp8266 --pty /tmp/esp --wifi home=12345678
  matou device run lamp.yaml --module esp8266 --port /tmp/esp --ssid home \
    --wifi-password 12345678

A module may speak MQTT itself ("mqtt: own"); an NT35E has no other way:
  matou modem run nt35e --pty /tmp/nb
  matou device run lamp.yaml --module nt35e --port /tmp/nb
  matou device run lamp.yaml --module ec20 --port /dev/ttyUSB2 --module-mqtt own

An EC20 or NT35E may sign for Alibaba Cloud as well ("aliauth: true"):
  matou device run lamp.yaml --module ec20 --port /dev/ttyUSB2 --module-mqtt own \
    --module-aliauth`
}

func (c *deviceRunCmd) Run(g *globals) error {
	d, text, err := c.read(g.Stdin)
	if err != nil {
		return err
	}
	switch {
	case c.Print:
		_, err := g.Stdout.Write(text)
		return err
	case c.Check:
		fmt.Fprintln(g.Stdout, "the description is good")
		return nil
	}
	if c.Create {
		if err := c.create(g, d); err != nil {
			return err
		}
	}
	return c.live(g, d)
}

// read finds the description and reads it.
func (c *deviceRunCmd) read(stdin io.Reader) (d *virtual.Description, text []byte, err error) {
	if c.Reports < 0 {
		return nil, nil, usagef("--count %d is below 0", c.Reports)
	}
	from, err := readDescribed("matou device run lamp.yaml", c.File, c.Example, virtual.Examples, stdin, c.CAFile)
	if err != nil {
		return nil, nil, err
	}
	d, err = virtual.Read(from.name, from.text, from.open, c.change)
	if err != nil {
		return nil, from.text, from.mistaken(err, "groups", "fleet", "matou fleet run")
	}
	return d, from.text, nil
}

// change lets flags win.
func (c *deviceRunCmd) change(d *virtual.Description) {
	if c.URL != "" {
		d.Server.URL = c.URL
	}
	if c.Module != "" {
		d.Module.Kind = c.Module
	}
	if c.Port != "" {
		d.Module.Port = c.Port
	}
	if c.MQTT != "" {
		d.Module.MQTT = c.MQTT
	}
	if c.AliAuth {
		d.Module.AliAuth, d.Device.SignMethod = true, ""
	}
	if c.Baud != 0 {
		d.Module.Baud = c.Baud
	}
	if c.SSID != "" {
		d.Module.SSID = c.SSID
	}
	switch known := os.Getenv("MATOU_WIFI_PASSWORD"); {
	case c.WifiPass != "": // also for a module without Wi-Fi, which is a mistake to tell
		d.Module.Password = c.WifiPass
	case known != "" && d.Module.Kind == "esp8266":
		d.Module.Password = known
	}
	if c.APN != "" {
		d.Module.APN = c.APN
	}
	if c.PIN != "" {
		d.Module.PIN = c.PIN
	}
	if c.CAFile != "" {
		d.Server.CAFile = c.CAFile
	}
	d.Server.Insecure = d.Server.Insecure || c.Insecure
	if c.Name != "" {
		d.Device.DeviceName = c.Name
	}
	if c.Secret != "" {
		*d.Device.SecretOf() = c.Secret
	}
	if c.Seed != 0 {
		d.Seed = c.Seed
	}
}

// create makes on a Matou what is missing there, and takes the secret of a
// device that is there already.
func (c *deviceRunCmd) create(g *globals, d *virtual.Description) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var model []byte
	if d.Model != "" {
		if model, err = d.ModelText(); err != nil {
			return err
		}
	}
	product := *d.Device.ProductName()
	lacks, err := ensureProduct(r, product, d.Device.Dialect, false, model)
	if err != nil {
		return err
	}
	warnOfModel(g.Stderr, product, lacks)
	var there gadget
	err = r.call("GET", at("products", product, "devices", d.Device.DeviceName), nil, nil, &there)
	if isNotFound(err) {
		return r.call("POST", at("products", product, "devices"), nil, newDevice{Name: d.Device.DeviceName, Secret: *d.Device.SecretOf()}, nil)
	}
	if err == nil && there.Secret != "" {
		*d.Device.SecretOf() = there.Secret
	}
	return err
}

// live is the device's life.
func (c *deviceRunCmd) live(g *globals, d *virtual.Description) error {
	ctx, cancel := context.WithCancel(g.Ctx)
	defer cancel()
	if c.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.For))
		defer cancel()
	}
	s := &unitScreen{g: g, c: c, d: d, done: cancel}
	u, err := virtual.New(d, virtual.Options{Tell: s.show})
	if err != nil {
		return err
	}
	if err := u.Run(ctx); err != nil {
		return err
	}
	if n := u.Dropped(); n > 0 {
		fmt.Fprintf(g.Stderr, "matou: %s were lost: they did not fit the queue (report.queue)\n", count(int(n), "report", "reports"))
	}
	if g.Ctx.Err() != nil { // somebody ended it
		return nil
	}
	return s.lacking()
}

// lacking is what had not come about when the time was up.
func (s *unitScreen) lacking() error {
	within := time.Duration(s.c.For)
	switch {
	case s.connections == 0 && s.last != "":
		return fmt.Errorf("the device did not connect within %v: %s", within, s.last)
	case s.connections == 0:
		return fmt.Errorf("the device did not connect within %v; no attempt came to an end: give it longer (--for)", within)
	case s.reports < s.c.Reports:
		return fmt.Errorf("%d of %s within %v", s.reports, count(s.c.Reports, "report", "reports"), within)
	}
	return nil
}

// A unitScreen tells what happens to a virtual device.
type unitScreen struct {
	g       *globals
	c       *deviceRunCmd
	d       *virtual.Description
	done    context.CancelFunc
	reports int
	last    string // what was said of being away, to say it once

	connections int
}

func (s *unitScreen) show(e virtual.Event) {
	if e.Kind == virtual.Away {
		s.away(e)
		return
	}
	if e.Kind == virtual.Connected {
		s.last = ""
		s.connections++
	}
	s.print(e, s.line(e))
	if e.Kind == virtual.Reported && e.Err == nil {
		if s.reports++; s.reports == s.c.Reports {
			s.done()
		}
	}
}

// away says once why there is no connection, however often it is tried.
func (s *unitScreen) away(e virtual.Event) {
	if e.Error == s.last {
		return
	}
	s.last = e.Error
	s.print(e, "⚠ "+e.Error+"; trying again")
	refused, ok := errors.AsType[*client.Refused](e.Err)
	if !ok && !errors.Is(e.Err, modem.ErrUntold) {
		return
	}
	if why := explainRefusal(s.g, &s.c.apiFlags, *s.d.Device.ProductName(), s.d.Device.DeviceName, s.g.chinese()); why != "" {
		fmt.Fprintf(s.g.Stderr, "matou: %s\n", why)
	} else if vendor := s.d.Device.Dialect; refused != nil && vendor != "mqtt" {
		fmt.Fprintf(s.g.Stderr, "matou: CONNACK %d; 'matou doctor %s' finds the mistake in a login\n", refused.ReturnCode, vendor)
	}
}

func (s *unitScreen) print(e virtual.Event, line string) {
	if !s.g.JSON {
		fmt.Fprintln(s.g.Stdout, visible(millis(e.Time)+"  "+line))
		return
	}
	b, err := json.Marshal(e)
	if err == nil {
		s.g.Stdout.Write(append(b, '\n'))
	}
}

// line is an event for people.
func (s *unitScreen) line(e virtual.Event) string {
	bad := ""
	if e.Err != nil {
		bad = "  ✗ " + e.Error
	}
	switch e.Kind {
	case virtual.Connected:
		return "connected to " + e.Name + " as " + *s.d.Device.ProductName() + "/" + s.d.Device.DeviceName
	case virtual.Reported:
		if e.Err == nil {
			bad = fmt.Sprintf("  ✓ %.0f ms", 1000*e.Seconds)
		}
		return "→ " + pairsOfValues(e.Values) + bad
	case virtual.WasSet:
		return "← set " + pairsOfValues(e.Values) + bad
	case virtual.Invoked:
		return strings.TrimSpace("← "+e.Name+" "+pairsOfValues(e.Values)) + bad
	case virtual.Ruled:
		return "· " + e.Name + ": " + pairsOfValues(e.Values) + bad
	case virtual.Told:
		return strings.TrimSpace("→ event "+e.Name+" "+pairsOfValues(e.Values)) + bad
	case virtual.Lost:
		return "⚠ message on " + e.Name + ": " + e.Error
	case virtual.NoReading:
		return "· " + e.Name + " gives no value this time"
	}
	return e.Kind + bad
}

// pairsOfValues shows values in the order of their names.
func pairsOfValues(values map[string]any) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		b, err := json.Marshal(values[name])
		if err != nil {
			b = []byte("?")
		}
		out = append(out, name+"="+text(b))
	}
	return strings.Join(out, " ")
}
