package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

type modelCmd struct {
	Import modelImportCmd `cmd:"" help:"Give a product the thing model of a file."`
	Export modelExportCmd `cmd:"" help:"Print the thing model of a product."`
}

type modelImportCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	File    string  `arg:"" help:"File with the model; - is standard input."`
	Format  string  `enum:",matou,aliyun,onenet" default:"" help:"Form of the model: matou, aliyun (TSL) or onenet; left out, what it looks like." placeholder:"FORM"`
	apiFlags
}

func (*modelImportCmd) Help() string {
	return `The model takes the place of the one before, and counts from the next report.

Examples:
  matou model import a1NightLamp tsl.json
  matou model import VRqhDHF2wL model.json --format onenet
  matou model export a1NightLamp | matou model import a1Copy -`
}

// modelCounts is what came of a model.
type modelCounts struct {
	Version    int    `json:"version"`
	Format     string `json:"format"`
	Properties int    `json:"properties"`
	Events     int    `json:"events"`
	Services   int    `json:"services"`
}

func (m *modelCounts) print(w io.Writer) {
	fmt.Fprintf(w, "version %d", m.Version)
	if m.Format != "" {
		fmt.Fprintf(w, ", read as %s", visible(m.Format))
	}
	fmt.Fprintf(w, ": %s, %s, %s\n", count(m.Properties, "property", "properties"), count(m.Events, "event", "events"), count(m.Services, "service", "services"))
}

func (c *modelImportCmd) Run(g *globals) error {
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
	raw, err := r.raw(question{
		method: "PUT", path: at("products", string(c.Product), "model"), query: query("format", c.Format),
		body: doc, content: jsonContent, accept: jsonContent,
	}, 0)
	if err != nil {
		return err
	}
	return printRaw[modelCounts](g, r, raw)
}

func fileName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

type modelExportCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	Format  string  `enum:",matou,aliyun,onenet" default:"" help:"Form of the model: matou, aliyun (TSL) or onenet; left out, that of the product's dialect." placeholder:"FORM"`
	apiFlags
}

func (*modelExportCmd) Help() string {
	return `Prints the model as the file that the vendor's console imports: JSON, with or
without --json.

Examples:
  matou model export a1NightLamp > tsl.json
  matou model export a1NightLamp --format matou`
}

func (c *modelExportCmd) Run(g *globals) error {
	r, err := c.open(g)
	if err != nil {
		return err
	}
	doc, err := r.raw(question{method: "GET", path: at("products", string(c.Product), "model"), query: query("format", c.Format), accept: jsonContent}, 0)
	if err != nil {
		return err
	}
	return writeFile(g, doc)
}

// writeFile writes a file's bytes to standard output, ending with a line end.
func writeFile(g *globals, b []byte) error {
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	_, err := g.Stdout.Write(b)
	return err
}
