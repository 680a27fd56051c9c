package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

type deviceCmd struct {
	List        deviceListCmd        `cmd:"" help:"List devices."`
	Add         deviceAddCmd         `cmd:"" help:"Make devices."`
	Show        deviceShowCmd        `cmd:"" help:"Show a device."`
	Remove      deviceRemoveCmd      `cmd:"" help:"Delete a device."`
	Enable      deviceEnableCmd      `cmd:"" help:"Let a device in again."`
	Disable     deviceDisableCmd     `cmd:"" help:"Refuse a device and end its connection."`
	ResetSecret deviceResetSecretCmd `cmd:"" help:"Give a device another secret."`
	Import      deviceImportCmd      `cmd:"" help:"Make the devices of a CSV file."`
	Export      deviceExportCmd      `cmd:"" help:"Print devices with their secrets as CSV."`

	Reset        deviceResetCmd        `cmd:"" help:"Let a device register again."`
	Registration deviceRegistrationCmd `cmd:"" help:"Print when and how a device registered."`
	Certificate  deviceCertificateCmd  `cmd:"" help:"Bind a device to its X.509 certificate."`

	Sub deviceSubCmd `cmd:"" help:"A gateway's sub-devices."`

	Credentials deviceCredentialsCmd `cmd:"" help:"Print what a device has to send to log in."`
	Code        deviceCodeCmd        `cmd:"" help:"Write a program for the device itself."`
	Status      deviceStatusCmd      `cmd:"" help:"Is it there, since when, why not."`
	Latest      deviceLatestCmd      `cmd:"" help:"Print the latest values."`
	History     deviceHistoryCmd     `cmd:"" help:"Print the values of a property over time."`
	Events      deviceEventsCmd      `cmd:"" help:"Print events that happened."`
	Commands    deviceCommandsCmd    `cmd:"" help:"Print commands and how far they have come."`
	Set         deviceSetCmd         `cmd:"" help:"Set properties of a device."`
	Invoke      deviceInvokeCmd      `cmd:"" help:"Call a service of a device."`
	Timeline    deviceTimelineCmd    `cmd:"" help:"Print what a device and Matou said to one another."`
	Trace       deviceTraceCmd       `cmd:"" help:"Follow a message from its bytes to the stored row."`
	Run         deviceRunCmd         `cmd:"" help:"Be a device that a YAML file describes."`
	Watch       deviceWatchCmd       `cmd:"" help:"Print values, events, commands and states as they come."`

	Shadow  deviceShadowCmd  `cmd:"" help:"Show a shadow, and say what is wanted of it."`
	Desired deviceDesiredCmd `cmd:"" help:"Desired values of properties, for devices that come back."`
	Tag     deviceTagCmd     `cmd:"" help:"Set and take away tags of a device."`
	Network deviceNetworkCmd `cmd:"" help:"What a device reported last of its network."`
	Log     deviceLogCmd     `cmd:"" help:"Let a device post its own log."`
	Get     deviceGetCmd     `cmd:"" help:"Ask a device itself for properties."`
	Command deviceCommandCmd `cmd:"" help:"Send a command of bytes to a device of data streams."`
	Raw     deviceRawCmd     `cmd:"" help:"Pass bytes to a device as they are."`
	RRPC    deviceRRPCCmd    `cmd:"" name:"rrpc" help:"Ask a device something that it answers at once."`
	File    deviceFileCmd    `cmd:"" help:"Files that a device uploaded."`
	Image   deviceImageCmd   `cmd:"" help:"Show the image of a device, and say what is wanted of it."`
}

// A gadget is a device as the API shows it.
type gadget struct {
	Product   string            `json:"product"`
	Name      string            `json:"name"`
	Nickname  string            `json:"nickname"`
	Enabled   bool              `json:"enabled"`
	Tags      map[string]string `json:"tags"`
	System    map[string]string `json:"systemTags"`
	State     string            `json:"state"`
	Since     time.Time         `json:"since"`
	Secret    string            `json:"secret"`
	Gateway   *namedDevice      `json:"gateway"`
	Batch     string            `json:"batch"`
	Bound     string            `json:"certificate"`
	CreatedAt time.Time         `json:"createdAt"`
	UpdatedAt time.Time         `json:"updatedAt"`
}

func (d *gadget) ref() string { return d.Product + "/" + d.Name }

// gateway is the one that a sub-device has, "" for none.
func (d *gadget) gateway() string {
	if d.Gateway == nil {
		return ""
	}
	return d.Gateway.Product + "/" + d.Gateway.Device
}

func (d *gadget) print(w io.Writer) {
	fields(w,
		"device", d.ref(), "nickname", d.Nickname, "state", d.State, "since", seconds(d.Since), "enabled", yesNo(d.Enabled),
		"tags", tagged(d.Tags), "gateway", d.gateway(), "system tags", tagged(d.System), "batch", d.Batch, "certificate", d.Bound, "secret", d.Secret,
		"made", seconds(d.CreatedAt), "changed", seconds(d.UpdatedAt))
}

type deviceListCmd struct {
	Product string `arg:"" optional:"" help:"Key of a product; left out, all."`
	Text    string `help:"Only devices with this in name or nickname." placeholder:"TEXT"`
	Tag     string `help:"Only devices with this tag: NAME or NAME=VALUE." placeholder:"TAG"`
	State   string `enum:",inactive,online,offline,disabled,INACTIVE,ONLINE,OFFLINE,DISABLED" default:"" help:"Only devices in this state: inactive, online, offline or disabled." placeholder:"STATE"`
	limitFlags
	apiFlags
}

func (*deviceListCmd) Help() string {
	return `Examples:
  matou device list
  matou device list a1NightLamp --state online --limit 0
  matou device list --tag floor=3 --text lamp --json`
}

func (c *deviceListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	path := at("devices")
	if c.Product != "" {
		path = at("products", c.Product, "devices")
	}
	p, err := r.list(path, query("text", c.Text, "tag", c.Tag, "state", strings.ToUpper(c.State)), c.Limit)
	if err != nil {
		return err
	}
	header := []string{"DEVICE", "STATE", "SINCE", "TAGS", "NICKNAME"}
	return printPage(g, r, p, "no devices", header, func(d *gadget) []string {
		return []string{d.ref(), d.State, seconds(d.Since), tagged(d.Tags), d.Nickname}
	})
}

type deviceAddCmd struct {
	Product  segment  `arg:"" help:"Key of the product."`
	Names    []string `arg:"" optional:"" name:"name" help:"DeviceNames; left out, one is made."`
	Secret   string   `help:"DeviceSecret or key that the device has already; left out, one is made." placeholder:"SECRET"`
	Nickname string   `help:"What people call it." placeholder:"TEXT"`
	Tag      []string `sep:"none" help:"Tag of the devices; may be given more than once." placeholder:"NAME=VALUE"`
	apiFlags
}

func (*deviceAddCmd) Help() string {
	return `Makes all of the devices or none.

Examples:
  matou device add a1NightLamp lamp01
  matou device add a1NightLamp lamp01 --secret Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b
  matou device add a1NightLamp lamp02 lamp03 lamp04 --tag floor=3 --json`
}

// newDevice is what somebody says of a device to be made.
type newDevice struct {
	Name     string            `json:"name,omitempty"`
	Secret   string            `json:"secret,omitempty"`
	Nickname string            `json:"nickname,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

func (c *deviceAddCmd) Run(g *globals) error {
	if len(c.Names) > 1 && (c.Secret != "" || c.Nickname != "") {
		return usagef("--secret and --nickname are of one device, not of %d", len(c.Names))
	}
	labels, err := tags(c.Tag)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if len(c.Names) > 1 {
		return c.many(g, r, labels)
	}
	d := newDevice{Secret: c.Secret, Nickname: c.Nickname, Tags: labels}
	if len(c.Names) == 1 {
		d.Name = c.Names[0]
	}
	return printOne[gadget](g, r, "POST", at("products", string(c.Product), "devices"), nil, d)
}

func (c *deviceAddCmd) many(g *globals, r *rest, labels map[string]string) error {
	var in struct {
		Devices []newDevice `json:"devices"`
	}
	for _, n := range c.Names {
		in.Devices = append(in.Devices, newDevice{Name: n, Tags: labels})
	}
	var p page
	if err := r.call("POST", at("products", string(c.Product), "devices", "batch"), nil, in, &p); err != nil {
		return err
	}
	return printPage(g, r, p, "no devices", []string{"DEVICE", "SECRET"}, func(d *gadget) []string {
		return []string{d.ref(), d.Secret}
	})
}

type deviceShowCmd struct {
	Device  deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Secrets bool      `help:"Show its secret, too."`
	apiFlags
}

func (*deviceShowCmd) Help() string {
	return `Examples:
  matou device show a1NightLamp/lamp01
  matou device show a1NightLamp/lamp01 --secrets --json`
}

func (c *deviceShowCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[gadget](g, r, "GET", c.Device.at(), query("secrets", asked(c.Secrets)), nil)
}

type deviceRemoveCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	yesFlag
	apiFlags
}

func (*deviceRemoveCmd) Help() string {
	return `Examples:
  matou device remove a1NightLamp/lamp01
  matou device remove a1NightLamp/lamp01 --yes`
}

func (c *deviceRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	what := "Delete the device " + c.Device.String() + " and all it said"
	return r.remove(g, c.yesFlag, what, c.Device.at(), nil, removed{Product: c.Device.Product, Device: c.Device.Device})
}

type deviceEnableCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceEnableCmd) Help() string {
	return `Examples:
  matou device enable a1NightLamp/lamp01`
}

func (c *deviceEnableCmd) Run(g *globals) error { return c.enable(g, c.Device, true) }

type deviceDisableCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	apiFlags
}

func (*deviceDisableCmd) Help() string {
	return `Examples:
  matou device disable a1NightLamp/lamp01`
}

func (c *deviceDisableCmd) Run(g *globals) error { return c.enable(g, c.Device, false) }

func (f *apiFlags) enable(g *globals, d deviceRef, enabled bool) error {
	r, err := f.open(g)
	if err != nil {
		return err
	}
	return printOne[gadget](g, r, "PATCH", d.at(), nil, map[string]bool{"enabled": enabled})
}

type deviceResetSecretCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Secret string    `help:"The new secret; left out, one is made." placeholder:"SECRET"`
	apiFlags
}

func (*deviceResetSecretCmd) Help() string {
	return `The next login of the device has to be signed with the new secret.

Examples:
  matou device reset-secret a1NightLamp/lamp01
  matou device reset-secret a1NightLamp/lamp01 --secret SECRET --json`
}

func (c *deviceResetSecretCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[gadget](g, r, "POST", c.Device.at("secret"), nil, secretIn{c.Secret})
}

type deviceImportCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	File    string  `arg:"" help:"CSV file; - is standard input."`
	apiFlags
}

func (*deviceImportCmd) Help() string {
	return `The first line names the columns: name, secret, nickname; what is empty is made.
Makes all of the devices or none. What export printed can be imported.

Examples:
  matou device import a1NightLamp lamps.csv
  matou device export a1NightLamp | matou device import a1Copy -`
}

// csvCreated is what came of a CSV file.
type csvCreated struct {
	Created int `json:"created"`
}

func (c *csvCreated) print(w io.Writer) {
	fmt.Fprintln(w, count(c.Created, "device", "devices")+" made")
}

func (c *deviceImportCmd) Run(g *globals) error {
	file, err := readAll(c.File, g.Stdin)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	raw, err := r.raw(question{
		method: "POST", path: at("products", string(c.Product), "devices.csv"), body: file, content: "text/csv", accept: jsonContent,
	}, 0)
	if err != nil {
		return err
	}
	return printRaw[csvCreated](g, r, raw)
}

type deviceExportCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	apiFlags
}

func (*deviceExportCmd) Help() string {
	return `Prints CSV; with --json, the list of all devices with their secrets and tags.

Examples:
  matou device export a1NightLamp > lamps.csv
  matou device export a1NightLamp --json`
}

func (c *deviceExportCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if g.JSON {
		p, err := r.list(at("products", string(c.Product), "devices"), query("secrets", "true"), 0)
		if err != nil {
			return err
		}
		return g.emit(p, nil)
	}
	file, err := r.raw(question{method: "GET", path: at("products", string(c.Product), "devices.csv"), accept: "text/csv, application/problem+json"}, 0)
	if err != nil {
		return err
	}
	return writeFile(g, file)
}

type deviceCredentialsCmd struct {
	Device    deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Host      string    `help:"Host that the device connects to; left out, what the server's configuration says." placeholder:"HOST"`
	Port      int       `help:"Port that the device connects to, likewise." placeholder:"PORT"`
	TLS       bool      `name:"tls" help:"The device connects with TLS."`
	Method    string    `help:"Only this sign method." placeholder:"METHOD"`
	ClientID  string    `name:"client-id" help:"Aliyun: the free part of the client id." placeholder:"ID"`
	Timestamp string    `help:"Aliyun: a timestamp to be signed, too." placeholder:"MS"`
	apiFlags
}

func (*deviceCredentialsCmd) Help() string {
	return `Prints, for each sign method, client id, user name and password, and the whole
CONNECT packet for devices that write bytes themselves.

Examples:
  matou device credentials a1NightLamp/lamp01
  matou device credentials a1NightLamp/lamp01 --host 192.168.1.10 --method hmacsha256
  matou device credentials a1NightLamp/lamp01 --tls --port 8883 --json`
}

// credentials are what a device needs, as the API shows them.
type credentials struct {
	Method   string `json:"method"`
	ClientID string `json:"clientId"`
	Username string `json:"username"`
	Password string `json:"password"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Connect  string `json:"connect"`
	Length   int    `json:"length"`
}

func (c *credentials) print(w io.Writer) {
	send := ""
	if c.Connect != "" {
		send = "AT+CIPSEND=" + strconv.Itoa(c.Length)
	}
	fields(w,
		"method", c.Method, "client id", c.ClientID, "user name", c.Username, "password", c.Password,
		"host", c.Host, "port", strconv.Itoa(c.Port), "connect", c.Connect, "length", send)
}

func (c *deviceCredentialsCmd) Run(g *globals) error {
	if c.Port < 0 || c.Port > 65535 {
		return usagef("--port %d is no port", c.Port)
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	port := ""
	if c.Port != 0 {
		port = strconv.Itoa(c.Port)
	}
	var p page
	q := query("host", c.Host, "port", port, "tls", asked(c.TLS), "method", c.Method, "clientId", c.ClientID, "timestamp", c.Timestamp)
	if err := r.call("GET", c.Device.at("credentials"), q, nil, &p); err != nil {
		return err
	}
	all, err := each[credentials](r, p.Items)
	if err != nil {
		return err
	}
	return g.emit(p, func(w io.Writer) {
		for i := range all {
			if i > 0 {
				fmt.Fprintln(w)
			}
			all[i].print(w)
		}
	})
}
