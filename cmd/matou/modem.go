package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/matou-iot/matou/modem/virtual"
)

type modemCmd struct {
	Run   modemRunCmd   `cmd:"" help:"Be a module: on a pseudo-terminal, a TCP port or this terminal."`
	Probe modemProbeCmd `cmd:"" help:"Look at a module: its speed, what it is, its network, and what is wrong."`
	List  modemListCmd  `cmd:"" help:"List the modules that there are, with their firmwares, quirks and faults."`
}

type modemListCmd struct {
	Module string `arg:"" optional:"" help:"Only this module."`
}

func (*modemListCmd) Help() string {
	return `Needs no server.

Examples:
  matou modem list
  matou modem list esp8266
  matou modem list --json`
}

// The description of a module, as --json prints it.
type moduleDescription struct {
	Name      string       `json:"name"`
	Title     string       `json:"title"`
	Firmwares []choiceItem `json:"firmwares"` // the first is what runs if none is named
	Quirks    []choiceItem `json:"quirks"`
	Faults    []choiceItem `json:"faults"`
}

// A choiceItem is one thing that can be chosen of a module.
type choiceItem struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
	Default string `json:"default,omitempty"` // of a fault's value
}

func (c *modemListCmd) Run(g *globals) error {
	out := struct {
		Items []moduleDescription `json:"items"`
	}{[]moduleDescription{}}
	var names []string
	for _, m := range virtual.Models() {
		names = append(names, m.Name)
		if c.Module == "" || c.Module == m.Name {
			out.Items = append(out.Items, describeModule(m, g.chinese()))
		}
	}
	if len(out.Items) == 0 {
		return usagef("module %q is not known: there are %s", c.Module, strings.Join(names, ", "))
	}
	return g.emit(out, func(w io.Writer) {
		for i, m := range out.Items {
			if i > 0 {
				fmt.Fprintln(w)
			}
			m.print(w)
		}
	})
}

func describeModule(m *virtual.Model, chinese bool) moduleDescription {
	d := moduleDescription{m.Name, m.Title, []choiceItem{}, []choiceItem{}, []choiceItem{}}
	for _, f := range m.Firmwares {
		d.Firmwares = append(d.Firmwares, choiceItem{f.Name, choose(chinese, f.Help, f.HelpZH), ""})
	}
	for _, q := range m.Quirks {
		d.Quirks = append(d.Quirks, choiceItem{q.Name, choose(chinese, q.Help, q.HelpZH), ""})
	}
	for _, f := range m.Faults {
		d.Faults = append(d.Faults, choiceItem{f.Name, choose(chinese, f.Help, f.HelpZH), f.Default})
	}
	return d
}

func (d moduleDescription) print(w io.Writer) {
	t := table{{"MODULE", d.Name, d.Title}}
	add := func(flag string, items []choiceItem) {
		for _, it := range items {
			t.add(flag, it.Name+valueOf(it), it.Meaning)
		}
	}
	add("--firmware", d.Firmwares)
	add("--quirk", d.Quirks)
	add("--fault", d.Faults)
	t.print(w)
}

func valueOf(it choiceItem) string { return cmp.Or(strings.TrimSuffix("="+it.Default, "="), "") }
