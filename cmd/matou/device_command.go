package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// An order is a command as the API shows it.
type order struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	Service string          `json:"service"`
	State   string          `json:"state"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Input   json.RawMessage `json:"input"`
	Output  json.RawMessage `json:"output"`
	SentAt  time.Time       `json:"sentAt"`
	DoneAt  time.Time       `json:"doneAt"`
}

// acknowledged is the state of a command that the device carried out.
const acknowledged = "acknowledged"

// failed reports whether the command came to a bad end.
func (o *order) failed() bool { return o.State == "failed" || o.State == "timeout" }

func (o *order) what() string {
	if o.Service == "" {
		return o.Kind
	}
	return o.Kind + " " + o.Service
}

// answer is what the device said.
func (o *order) answer() string {
	s := document(o.Output)
	if s == "{}" {
		s = ""
	}
	if o.Message != "" && o.Code != 200 {
		s = o.Message + " " + s
	}
	if o.Code != 0 && o.Code != 200 {
		s = fmt.Sprintf("%d %s", o.Code, s)
	}
	return s
}

// meanings say in words what a state means for who gave the command.
var meanings = map[string]string{
	"sent":       "the command is on its way",
	"queued":     "the device is away; it gets the command when it comes back",
	"delivered":  "the command is with the device, which has not answered yet",
	acknowledged: "the device has done it",
	"failed":     "the device refused",
	"timeout":    "the device did not answer",
}

func (o *order) print(w io.Writer) {
	fields(w, "state", o.State, "meaning", meanings[o.State], "answer", o.answer(), "took", o.took(), "id", o.ID)
}

// took is how long the device needed, as far as milliseconds tell.
func (o *order) took() string {
	if o.DoneAt.IsZero() || o.SentAt.IsZero() {
		return ""
	}
	d := o.DoneAt.Sub(o.SentAt).Round(time.Millisecond)
	if d <= 0 {
		return "less than 1ms"
	}
	return d.String()
}

// waitFlag says how long to wait for the device.
type waitFlag struct {
	Wait span `help:"Wait this long for the device's answer, at most 1m." placeholder:"TIME"`
}

func (f *waitFlag) wire() string {
	if f.Wait == 0 {
		return ""
	}
	return time.Duration(f.Wait).String()
}

// give sends a command and shows what became of it.
func (f *waitFlag) give(g *globals, r *rest, path string, in any) error {
	var raw json.RawMessage
	if err := r.patiently(time.Duration(f.Wait), "POST", path, nil, in, &raw); err != nil {
		return err
	}
	var o order
	if err := r.read(raw, &o); err != nil {
		return err
	}
	if err := g.emit(raw, o.print); err != nil {
		return err
	}
	if o.failed() || f.Wait > 0 && o.State != acknowledged {
		return exitCode(exitFailed)
	}
	return nil
}

type deviceSetCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Values []string  `arg:"" name:"name=value" help:"Properties and their values: JSON, or text."`
	waitFlag
	apiFlags
}

func (*deviceSetCmd) Help() string {
	return `A value that is JSON is taken as that, any other as text: Mode=1 is a number,
Mode=eco and 'Mode="1"' are texts. With --wait the exit code is 0 only if the
device has done it.

Examples:
  matou device set a1NightLamp/lamp01 NightLightSwitch=1 --wait 5s
  matou device set a1NightLamp/lamp01 Mode=eco 'Colour={"r":255,"g":0,"b":0}'
  matou device set VRqhDHF2wL/my_tv wendu=21.5 --json`
}

func (c *deviceSetCmd) Run(g *globals) error {
	values, err := assignments(c.Values)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Values map[string]json.RawMessage `json:"values"`
		Wait   string                     `json:"wait,omitempty"`
	}{values, c.wire()}
	return c.give(g, r, c.Device.at("properties"), in)
}

type deviceInvokeCmd struct {
	Device  deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Service segment   `arg:"" help:"Identifier of the service."`
	Input   []string  `arg:"" optional:"" name:"name=value" help:"Parameters and their values: JSON, or text."`
	Async   bool      `help:"Do not ask for an answer at once: the call is queued for a device that is away."`
	waitFlag
	apiFlags
}

func (*deviceInvokeCmd) Help() string {
	return `Parameters are written as 'matou device set' has its properties.

Examples:
  matou device invoke a1NightLamp/lamp01 Blink --wait 5s
  matou device invoke a1NightLamp/lamp01 Blink times=3 colour=red
  matou device invoke a1NightLamp/lamp01 Blink times=3 --json`
}

func (c *deviceInvokeCmd) Run(g *globals) error {
	input, err := assignments(c.Input)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Input map[string]json.RawMessage `json:"input"`
		Wait  string                     `json:"wait,omitempty"`
		Async bool                       `json:"async,omitempty"`
	}{input, c.wire(), c.Async}
	return c.give(g, r, c.Device.at("services", string(c.Service)), in)
}
