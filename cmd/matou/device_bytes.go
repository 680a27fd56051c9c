package main

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// usualWait is how long an answer is waited for where nobody says otherwise,
// of commands that are pointless without one.
const usualWait = span(10 * time.Second)

type deviceGetCmd struct {
	Device     deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	Properties []string  `arg:"" name:"property" help:"Identifiers of properties."`
	waitFlag
	apiFlags
}

func (*deviceGetCmd) Help() string {
	return `Asks the device itself; 'matou device latest' tells what it reported last. It
waits 10s for the answer unless --wait says otherwise.

Examples:
  matou device get VRqhDHF2wL/my_tv wendu Power
  matou device get VRqhDHF2wL/my_tv wendu --wait 30s --json`
}

func (c *deviceGetCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if c.Wait == 0 {
		c.Wait = usualWait
	}
	in := struct {
		Properties []string `json:"properties"`
		Wait       string   `json:"wait,omitempty"`
	}{c.Properties, c.wire()}
	return c.give(g, r, c.Device.at("properties", "get"), in)
}

// bytesFlags say what a device is sent as it is.
type bytesFlags struct {
	Text string `arg:"" optional:"" help:"The bytes, where they are text."`
	Hex  string `help:"The bytes as hexadecimal digits; blanks between them do not count." placeholder:"DIGITS"`
	File string `help:"A file with the bytes." placeholder:"FILE" type:"path"`
}

// bytesIn is a BytesBody of the API.
type bytesIn struct {
	Text   string `json:"text,omitempty"`
	Base64 string `json:"base64,omitempty"`
}

func (f *bytesFlags) wire() (in bytesIn, err error) {
	given := 0
	for _, s := range []string{f.Text, f.Hex, f.File} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		return in, usagef("give one of text, --hex and --file")
	}
	raw := []byte(f.Text)
	switch {
	case f.Hex != "":
		if raw, err = hex.DecodeString(strings.Join(strings.Fields(f.Hex), "")); err != nil {
			return in, usagef("%q are no hexadecimal digits", f.Hex)
		}
	case f.File != "":
		if raw, err = os.ReadFile(f.File); err != nil {
			return in, err
		}
	}
	if utf8.Valid(raw) {
		return bytesIn{Text: string(raw)}, nil
	}
	return bytesIn{Base64: base64.StdEncoding.EncodeToString(raw)}, nil
}

type deviceCommandCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	bytesFlags
	Timeout span `help:"How long an answer counts, 5s to 30s; left out, 30s." placeholder:"TIME"`
	waitFlag
	apiFlags
}

func (*deviceCommandCmd) Help() string {
	return `Sends a command as products of data streams have it: bytes, which the device
answers with bytes. It has to be online. The answer is waited for 10s unless
--wait says otherwise.

Examples:
  matou device command 238322/logger 'relay on'
  matou device command 238322/logger --hex '01 0f ff' --timeout 5s
  matou device command 238322/logger '{"reboot":true}' --wait 30s --json`
}

func (c *deviceCommandCmd) Run(g *globals) error {
	payload, err := c.bytesFlags.wire()
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	if c.Wait == 0 {
		c.Wait = usualWait
	}
	in := struct {
		bytesIn
		Wait    string `json:"wait,omitempty"`
		Timeout string `json:"timeout,omitempty"`
	}{payload, c.waitFlag.wire(), ""}
	if c.Timeout != 0 {
		in.Timeout = time.Duration(c.Timeout).String()
	}
	return c.give(g, r, c.Device.at("commands"), in)
}

type deviceRawCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	bytesFlags
	waitFlag
	apiFlags
}

func (*deviceRawCmd) Help() string {
	return `Passes bytes to the device as they are, in place of what its model says.

Examples:
  matou device raw VRqhDHF2wL/my_tv --hex '01 0f ff' --wait 5s
  matou device raw VRqhDHF2wL/my_tv --file frame.bin --json`
}

func (c *deviceRawCmd) Run(g *globals) error {
	payload, err := c.bytesFlags.wire()
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		bytesIn
		Wait string `json:"wait,omitempty"`
	}{payload, c.waitFlag.wire()}
	return c.give(g, r, c.Device.at("raw"), in)
}
