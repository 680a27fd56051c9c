package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

type productCmd struct {
	List        productListCmd        `cmd:"" help:"List products."`
	Add         productAddCmd         `cmd:"" help:"Make a product."`
	Show        productShowCmd        `cmd:"" help:"Show a product."`
	Set         productSetCmd         `cmd:"" help:"Change a product."`
	Remove      productRemoveCmd      `cmd:"" help:"Delete a product."`
	ResetSecret productResetSecretCmd `cmd:"" help:"Give a product another secret."`
	Config      productConfigCmd      `cmd:"" help:"Remote configuration of the devices of a product."`
	Script      productScriptCmd      `cmd:"" help:"The script that parses the bytes of a product's devices."`
	Topic       productTopicCmd       `cmd:"" help:"Classes of custom topics that a product declares."`
	Broadcast   productBroadcastCmd   `cmd:"" help:"Tell many devices of a product something."`

	Registration productRegistrationCmd `cmd:"" help:"Say which devices may register by themselves."`
	Allow        productAllowCmd        `cmd:"" help:"Put names on the list of those that may register."`
	Disallow     productDisallowCmd     `cmd:"" help:"Take names off that list."`
	Allowed      productAllowedCmd      `cmd:"" help:"Print that list."`
}

// A product is one as the API shows it.
type product struct {
	Key          string    `json:"key"`
	Name         string    `json:"name"`
	Desc         string    `json:"desc"`
	Dialect      string    `json:"dialect"`
	Strictness   string    `json:"strictness"`
	DataModel    string    `json:"dataModel"`
	NodeType     string    `json:"nodeType"`
	Secret       string    `json:"secret"`
	ModelVersion int       `json:"modelVersion"`
	Devices      int       `json:"devices"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
}

func (p *product) print(w io.Writer) {
	fields(w,
		"key", p.Key, "name", p.Name, "description", p.Desc, "dialect", p.Dialect, "strictness", p.Strictness, "data model", p.DataModel, "node type", p.NodeType,
		"secret", p.Secret, "model", p.model(), "devices", strconv.Itoa(p.Devices),
		"made", seconds(p.CreatedAt), "changed", seconds(p.UpdatedAt))
}

func (p *product) model() string {
	if p.ModelVersion == 0 {
		return "none"
	}
	return "version " + strconv.Itoa(p.ModelVersion)
}

type productListCmd struct {
	Text string `arg:"" optional:"" help:"Only products with this in key or name."`
	limitFlags
	apiFlags
}

func (*productListCmd) Help() string {
	return `Examples:
  matou product list
  matou product list lamp --limit 10
  matou product list --json`
}

func (c *productListCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	p, err := r.list(at("products"), query("text", c.Text), c.Limit)
	if err != nil {
		return err
	}
	header := []string{"KEY", "DIALECT", "STRICTNESS", "MODEL", "DEVICES", "NAME"}
	return printPage(g, r, p, "no products", header, func(p *product) []string {
		return []string{p.Key, p.Dialect, p.Strictness, p.model(), strconv.Itoa(p.Devices), p.Name}
	})
}

// query is a URL query of names and values; those without a value are left
// out.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// asked is "true" or nothing, for query.
func asked(b bool) string {
	if b {
		return "true"
	}
	return ""
}

type productAddCmd struct {
	Name       string `arg:"" optional:"" help:"What people call it."`
	Dialect    string `required:"" enum:"aliyun,onenet,mqtt" help:"What its devices speak: aliyun, onenet or mqtt." placeholder:"DIALECT"`
	Key        string `help:"ProductKey or product id that the devices have; left out, one is made." placeholder:"KEY"`
	Desc       string `help:"Description." placeholder:"TEXT"`
	Strictness string `enum:",strict,lenient,open" default:"" help:"How exact devices have to be: strict, lenient or open; left out, lenient." placeholder:"WORD"`
	DataModel  string `enum:",thing,streams" default:"" help:"What its devices report: thing, or streams (onenet only); left out, thing." placeholder:"WORD"`
	NodeType   string `enum:",device,gateway" default:"" help:"What its devices are: device, or gateway of sub-devices; left out, device." placeholder:"WORD"`
	Secret     string `help:"ProductSecret, or OneNET's access key; left out, one is made." placeholder:"SECRET"`
	apiFlags
}

func (*productAddCmd) Help() string {
	return `Devices that exist already keep the key and the secrets they have.

Examples:
  matou product add --dialect aliyun --key a1NightLamp "Night light"
  matou product add --dialect onenet --key VRqhDHF2wL --strictness open Sensor
  matou product add --dialect onenet --key 238322 --data-model streams "Old ones"
  matou product add --dialect aliyun --key a1Gateway --node-type gateway
  matou product add --dialect mqtt Sensors --json`
}

func (c *productAddCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Key        string `json:"key,omitempty"`
		Name       string `json:"name,omitempty"`
		Desc       string `json:"desc,omitempty"`
		Dialect    string `json:"dialect"`
		Strictness string `json:"strictness,omitempty"`
		DataModel  string `json:"dataModel,omitempty"`
		NodeType   string `json:"nodeType,omitempty"`
		Secret     string `json:"secret,omitempty"`
	}{c.Key, c.Name, c.Desc, c.Dialect, c.Strictness, c.DataModel, c.NodeType, c.Secret}
	return printOne[product](g, r, "POST", at("products"), nil, in)
}

type productShowCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Secrets bool    `help:"Show its secret, too."`
	apiFlags
}

func (*productShowCmd) Help() string {
	return `Examples:
  matou product show a1NightLamp
  matou product show a1NightLamp --secrets --json`
}

func (c *productShowCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[product](g, r, "GET", at("products", string(c.Product)), query("secrets", asked(c.Secrets)), nil)
}

type productSetCmd struct {
	Product    segment `arg:"" help:"Key of the product."`
	Name       *string `help:"What people call it." placeholder:"TEXT"`
	Desc       *string `help:"Description." placeholder:"TEXT"`
	Strictness *string `enum:"strict,lenient,open" help:"How exact devices have to be: strict, lenient or open." placeholder:"WORD"`
	DataModel  *string `enum:"thing,streams" help:"What its devices report, from their next login on: thing, or streams (onenet only)." placeholder:"WORD"`
	NodeType   *string `enum:"device,gateway" help:"What its devices are: device, or gateway of sub-devices." placeholder:"WORD"`
	apiFlags
}

func (*productSetCmd) Help() string {
	return `Examples:
  matou product set a1NightLamp --name "Night light"
  matou product set VRqhDHF2wL --strictness open --desc "the old ones, with expired tokens"`
}

func (c *productSetCmd) Run(g *globals) error {
	if c.Name == nil && c.Desc == nil && c.Strictness == nil && c.DataModel == nil && c.NodeType == nil {
		return usagef("nothing to change: give --name, --desc, --strictness, --data-model or --node-type")
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Name       *string `json:"name,omitempty"`
		Desc       *string `json:"desc,omitempty"`
		Strictness *string `json:"strictness,omitempty"`
		DataModel  *string `json:"dataModel,omitempty"`
		NodeType   *string `json:"nodeType,omitempty"`
	}{c.Name, c.Desc, c.Strictness, c.DataModel, c.NodeType}
	return printOne[product](g, r, "PATCH", at("products", string(c.Product)), nil, in)
}

type productRemoveCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Force   bool    `help:"Delete its devices, too, and all they said."`
	yesFlag
	apiFlags
}

func (*productRemoveCmd) Help() string {
	return `A product that has devices stays, unless --force is given.

Examples:
  matou product remove a1NightLamp
  matou product remove a1NightLamp --force --yes`
}

func (c *productRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	what := "Delete the product " + string(c.Product)
	if c.Force {
		what += " with its devices and all they said"
	}
	return r.remove(g, c.yesFlag, what, at("products", string(c.Product)), query("force", asked(c.Force)), removed{Product: string(c.Product)})
}

// removed is what a remove command says in JSON.
type removed struct {
	Product  string `json:"product,omitempty"`
	Device   string `json:"device,omitempty"`
	Operator string `json:"operator,omitempty"`
	Token    string `json:"token,omitempty"`
	Package  string `json:"package,omitempty"`
	File     string `json:"file,omitempty"`
	Removed  bool   `json:"removed"`
}

// remove deletes after a person has agreed.
func (r *rest) remove(g *globals, yes yesFlag, what, path string, query url.Values, say removed) error {
	if err := yes.confirm(g, what); err != nil {
		return err
	}
	if err := r.call("DELETE", path, query, nil, nil); err != nil {
		return err
	}
	say.Removed = true
	return g.emit(say, func(w io.Writer) { fmt.Fprintln(w, "deleted") })
}

type productResetSecretCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Secret  string  `help:"The new secret; left out, one is made." placeholder:"SECRET"`
	apiFlags
}

func (*productResetSecretCmd) Help() string {
	return `Devices that sign with the secret of their product have to be given the new one.

Examples:
  matou product reset-secret VRqhDHF2wL
  matou product reset-secret VRqhDHF2wL --secret KEY --json`
}

func (c *productResetSecretCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return printOne[product](g, r, "POST", at("products", string(c.Product), "secret"), nil, secretIn{c.Secret})
}

// secretIn names a new secret; one is made where it is empty.
type secretIn struct {
	Secret string `json:"secret,omitempty"`
}
