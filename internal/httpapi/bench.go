package httpapi

import (
	"context"
	"time"

	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/modem/virtual"
)

// A moduleKind is a module that can be started.
type moduleKind struct {
	Name      string       `json:"name"`
	Title     string       `json:"title" doc:"What the vendor calls it"`
	Firmwares []moduleItem `json:"firmwares" doc:"The first is what runs if none is named"`
	Quirks    []moduleItem `json:"quirks" doc:"Ways in which units differ"`
	Faults    []moduleItem `json:"faults" doc:"What can go wrong on demand"`
}

// A moduleItem is one thing that can be chosen of a module.
type moduleItem struct {
	Name    string `json:"name"`
	Help    string `json:"help"`
	HelpZH  string `json:"helpZh"`
	Default string `json:"default,omitempty" doc:"Of a fault's value"`
}

func (a *api) listModuleKinds(context.Context, *none) (list[moduleKind], error) {
	var items []moduleKind
	for _, m := range virtual.Models() {
		k := moduleKind{m.Name, m.Title, []moduleItem{}, []moduleItem{}, []moduleItem{}}
		for _, f := range m.Firmwares {
			k.Firmwares = append(k.Firmwares, moduleItem{f.Name, f.Help, f.HelpZH, ""})
		}
		for _, q := range m.Quirks {
			k.Quirks = append(k.Quirks, moduleItem{q.Name, q.Help, q.HelpZH, ""})
		}
		for _, f := range m.Faults {
			k.Faults = append(k.Faults, moduleItem{f.Name, f.Help, f.HelpZH, f.Default})
		}
		items = append(items, k)
	}
	return page(items, ""), nil
}

// A benchModule is a virtual module at work.
type benchModule struct {
	ID       string       `json:"id"`
	Kind     string       `json:"kind"`
	Firmware string       `json:"firmware"`
	By       string       `json:"by" doc:"Who started it"`
	Started  time.Time    `json:"started"`
	Attached bool         `json:"attached" doc:"A terminal is there"`
	Quirks   []string     `json:"quirks"`
	Faults   []benchFault `json:"faults" doc:"Those in force"`
}

type benchFault struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty" doc:"How badly, for those that have degrees"`
}

func viewModule(m *bench.Module) benchModule {
	v := benchModule{m.ID, m.Model, m.Firmware, m.By, m.Started.UTC(), m.Attached(), m.Quirks(), []benchFault{}}
	if v.Quirks == nil {
		v.Quirks = []string{}
	}
	for _, f := range m.Faults() {
		v.Faults = append(v.Faults, benchFault{f.Name, f.Value})
	}
	return v
}

func (a *api) listBenchModules(context.Context, *none) (list[benchModule], error) {
	items := []benchModule{}
	for _, m := range a.Bench.Modules() {
		items = append(items, viewModule(m))
	}
	return page(items, ""), nil
}

type startModuleInput struct {
	Body struct {
		Kind     string   `json:"kind" doc:"See GET /bench/kinds"`
		Firmware string   `json:"firmware,omitempty" doc:"Left out, the kind's first"`
		Quirks   []string `json:"quirks,omitempty" maxItems:"50"`
		Fast     bool     `json:"fast,omitempty" doc:"Without the pace of a serial line and of the real module"`
	}
}

func (a *api) startModule(ctx context.Context, in *startModuleInput) (benchModule, error) {
	m, err := a.Bench.StartModule(bench.Start{
		Model: in.Body.Kind, Firmware: in.Body.Firmware, Quirks: in.Body.Quirks, Fast: in.Body.Fast, By: who(ctx).Name,
	})
	if err != nil {
		return benchModule{}, err
	}
	return viewModule(m), nil
}

// A BenchModulePath names a virtual module.
type BenchModulePath struct {
	Module string `path:"module" doc:"The id"`
}

func (a *api) showBenchModule(_ context.Context, in *BenchModulePath) (benchModule, error) {
	m, err := a.Bench.Module(in.Module)
	if err != nil {
		return benchModule{}, err
	}
	return viewModule(m), nil
}

func (a *api) stopModule(_ context.Context, in *BenchModulePath) error {
	m, err := a.Bench.Module(in.Module)
	if err != nil {
		return err
	}
	m.Stop()
	return nil
}

func (a *api) resetModule(_ context.Context, in *BenchModulePath) error {
	m, err := a.Bench.Module(in.Module)
	if err != nil {
		return err
	}
	m.Reset()
	return nil
}

type quirkInput struct {
	BenchModulePath
	Quirk string `path:"quirk"`
	Body  struct {
		On bool `json:"on"`
	}
}

func (a *api) setModuleQuirk(_ context.Context, in *quirkInput) (benchModule, error) {
	m, err := a.Bench.Module(in.Module)
	if err == nil {
		err = m.SetQuirk(in.Quirk, in.Body.On)
	}
	if err != nil {
		return benchModule{}, err
	}
	return viewModule(m), nil
}

type faultInput struct {
	BenchModulePath
	Fault string `path:"fault"`
	Body  struct {
		On    bool   `json:"on"`
		Value string `json:"value,omitempty" maxLength:"40" doc:"How badly, for those that have degrees; left out, the default"`
		Times int    `json:"times,omitempty" minimum:"0" maximum:"1000" doc:"Strikes so often and is over; 0: until it is ended"`
	}
}

func (a *api) setModuleFault(_ context.Context, in *faultInput) (benchModule, error) {
	m, err := a.Bench.Module(in.Module)
	switch {
	case err != nil:
	case in.Body.On:
		err = fault.In("value", m.SetFault(virtual.Fault{Name: in.Fault, Value: in.Body.Value, Times: in.Body.Times}))
	default:
		err = m.ClearFault(in.Fault)
	}
	if err != nil {
		return benchModule{}, err
	}
	return viewModule(m), nil
}
