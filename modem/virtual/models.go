package virtual

import (
	"slices"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// A Model is a kind of module.
type Model struct {
	Name      string // as in Options
	Title     string // what the vendor calls it
	Firmwares []Firmware
	Quirks    []Quirk
	Faults    []FaultKind

	WiFi bool // it joins access points

	make func(*Module) personality
}

// A Firmware is a version that a model can run.
type Firmware struct {
	Name   string // as in Options
	Help   string
	HelpZH string
}

// A Quirk is a way in which units of one model differ.
type Quirk struct {
	Name   string
	Help   string
	HelpZH string
}

// Models are all there are.
func Models() []*Model { return []*Model{esp8266, ec20, nt35e} }

func find(name string) (*Model, error) {
	var names []string
	for _, d := range Models() {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return nil, wording.Errorf("module %q is not known: there are %s", name, strings.Join(names, ", "))
}

// firmware finds a version by its name or the beginning of it.
func (d *Model) firmware(name string) (string, error) {
	var names []string
	for _, f := range d.Firmwares {
		if name == "" || f.Name == name || strings.HasPrefix(f.Name, name+".") {
			return f.Name, nil
		}
		names = append(names, f.Name)
	}
	return "", wording.Errorf("firmware %q is not known to %s: there are %s", name, d.Name, strings.Join(names, ", "))
}

func (d *Model) quirkSet(names []string) (map[string]bool, error) {
	set := make(map[string]bool)
	for _, name := range names {
		if !slices.ContainsFunc(d.Quirks, func(q Quirk) bool { return q.Name == name }) {
			var known []string
			for _, q := range d.Quirks {
				known = append(known, q.Name)
			}
			return nil, wording.Errorf("quirk %q is not known to %s: there are %s", name, d.Name, strings.Join(known, ", "))
		}
		set[name] = true
	}
	return set, nil
}
