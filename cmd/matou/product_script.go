package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

type productScriptCmd struct {
	Set    productScriptSetCmd    `cmd:"" help:"Give a product a script that parses the bytes of its devices."`
	Show   productScriptShowCmd   `cmd:"" help:"Print the script of a product."`
	Remove productScriptRemoveCmd `cmd:"" help:"Delete the script of a product."`
	Test   productScriptTestCmd   `cmd:"" help:"Run a script with sample bytes; nothing else happens."`
}

// A parser is a product's script as the API shows it.
type parser struct {
	Product   string    `json:"product"`
	Functions []string  `json:"functions"`
	Version   int       `json:"version"`
	Bytes     int       `json:"bytes"`
	Source    string    `json:"source"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func (p *parser) print(w io.Writer) {
	fields(w, "product", p.Product, "version", strconv.Itoa(p.Version), "functions", strings.Join(p.Functions, " "),
		"size", count(p.Bytes, "byte", "bytes"), "changed", seconds(p.UpdatedAt))
}

type productScriptSetCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	File    string  `arg:"" help:"File with the JavaScript, or - for standard input." type:"path"`
	apiFlags
}

func (*productScriptSetCmd) Help() string {
	return `The script has one or more of the functions
  rawDataToProtocol(bytes)          bytes of a device to a message
  protocolToRawData(message)        a message to bytes for a device
  transformPayload(topic, bytes)    custom topics published with ?_sn=default
and takes the place of the one before. With either of the first two the devices
of the product speak bytes: on thing/model/up_raw and down_raw.

Examples:
  matou product script set a1RawMeter parse.js
  matou product script show a1RawMeter | matou product script set a1Copy -`
}

func (c *productScriptSetCmd) Run(g *globals) error {
	source, err := readAll(c.File, g.Stdin)
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		Source string `json:"source"`
	}{string(bytes.TrimPrefix(source, []byte("\xEF\xBB\xBF")))}
	return printOne[parser](g, r, "PUT", at("products", string(c.Product), "script"), nil, in)
}

type productScriptShowCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	apiFlags
}

func (*productScriptShowCmd) Help() string {
	return `Prints the JavaScript; with --json also its version and functions.

Examples:
  matou product script show a1RawMeter > parse.js
  matou product script show a1RawMeter --json`
}

func (c *productScriptShowCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := r.call("GET", at("products", string(c.Product), "script"), nil, nil, &raw); err != nil {
		return err
	}
	var p parser
	if err := r.read(raw, &p); err != nil {
		return err
	}
	if g.JSON {
		return g.emit(raw, p.print)
	}
	return writeFile(g, []byte(p.Source))
}

type productScriptRemoveCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	yesFlag
	apiFlags
}

func (*productScriptRemoveCmd) Help() string {
	return `The devices of the product speak the format of its dialect then.

Examples:
  matou product script remove a1RawMeter --yes`
}

func (c *productScriptRemoveCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	return r.remove(g, c.yesFlag, "Delete the script of the product "+string(c.Product), at("products", string(c.Product), "script"), nil, removed{Product: string(c.Product)})
}

type productScriptTestCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Hex     string  `arg:"" optional:"" help:"Bytes of a device as hexadecimal digits."`
	Message string  `help:"A message for protocolToRawData, JSON." placeholder:"JSON"`
	Topic   string  `help:"The topic for transformPayload." placeholder:"TOPIC"`
	Script  string  `help:"A file with another script than that of the product." placeholder:"FILE" type:"path"`
	apiFlags
}

func (*productScriptTestCmd) Help() string {
	return `Bytes go to rawDataToProtocol, with --topic to transformPayload; --message goes to
protocolToRawData. The exit code is 1 where the script fails.

Examples:
  matou product script test a1RawMeter '00 00223344 1232 01 3fa00000'
  matou product script test a1RawMeter --message '{"method":"thing.service.property.set","id":"1","params":{"On":1}}'
  matou product script test a1RawMeter 0102 --script new.js --json`
}

// A trial is a test run as the API shows it.
type trial struct {
	OK       bool            `json:"ok"`
	Function string          `json:"function"`
	Message  json.RawMessage `json:"message"`
	Base64   string          `json:"base64"`
	Log      []string        `json:"log"`
	CPU      string          `json:"cpu"`
	Error    *struct {
		Code       int    `json:"code"`
		Kind       string `json:"kind"`
		Sentence   string `json:"sentence"`
		SentenceZH string `json:"sentenceZh"`
		Advice     string `json:"advice"`
		AdviceZH   string `json:"adviceZh"`
	} `json:"error"`
}

func (t *trial) print(w io.Writer, chinese bool) {
	for _, line := range t.Log {
		fmt.Fprintln(w, "console: "+visible(line))
	}
	if e := t.Error; e != nil {
		sentence, advice := e.Sentence, e.Advice
		if chinese {
			sentence, advice = e.SentenceZH, e.AdviceZH
		}
		fields(w, "failed", visible(sentence), "code", strconv.Itoa(e.Code)+" "+e.Kind, "advice", advice, "cpu", t.CPU)
		return
	}
	raw, _ := base64.StdEncoding.DecodeString(t.Base64)
	fields(w, "function", t.Function, "message", document(t.Message), "bytes", hex.EncodeToString(raw), "cpu", t.CPU)
}

func (c *productScriptTestCmd) Run(g *globals) error {
	sample, err := hex.DecodeString(strings.TrimPrefix(strings.Join(strings.Fields(c.Hex), ""), "0x"))
	switch {
	case err != nil:
		return usagef("%q are no hexadecimal digits", c.Hex)
	case c.Message != "" && (c.Hex != "" || c.Topic != ""):
		return usagef("give bytes or --message, not both")
	case c.Message != "" && !json.Valid([]byte(c.Message)):
		return usagef("--message %q is no JSON", c.Message)
	}
	in := struct {
		Base64  string          `json:"base64,omitempty"`
		Message json.RawMessage `json:"message,omitempty"`
		Topic   string          `json:"topic,omitempty"`
		Source  string          `json:"source,omitempty"`
	}{Base64: base64.StdEncoding.EncodeToString(sample), Topic: c.Topic}
	if c.Message != "" {
		in.Message = json.RawMessage(c.Message)
	}
	if c.Script != "" {
		source, err := readAll(c.Script, g.Stdin)
		if err != nil {
			return err
		}
		in.Source = string(source)
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := r.call("POST", at("products", string(c.Product), "script", "test"), nil, in, &raw); err != nil {
		return err
	}
	var t trial
	if err := r.read(raw, &t); err != nil {
		return err
	}
	if err := g.emit(raw, func(w io.Writer) { t.print(w, g.chinese()) }); err != nil {
		return err
	}
	if !t.OK {
		return exitCode(exitFailed)
	}
	return nil
}
