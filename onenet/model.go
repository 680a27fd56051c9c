package onenet

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/thing"
)

// MaxModelBytes bounds a model file.
const MaxModelBytes = 2 << 20

type file struct {
	Version    string     `json:"version"`
	Profile    profile    `json:"profile"`
	Properties []property `json:"properties"`
	Events     []event    `json:"events"`
	Services   []service  `json:"services"`
	Combs      []any      `json:"combs"`
}

type profile struct {
	IndustryID string `json:"industryId"`
	SceneID    string `json:"sceneId"`
	CategoryID string `json:"categoryId"`
	ProductID  string `json:"productId"`
}

type property struct {
	Identifier   string   `json:"identifier"`
	Name         string   `json:"name"`
	FunctionType string   `json:"functionType"`
	AccessMode   string   `json:"accessMode"`
	FunctionMode string   `json:"functionMode"`
	Desc         string   `json:"desc"`
	DataType     dataType `json:"dataType"`
	Required     bool     `json:"required"`
}

type event struct {
	Identifier   string  `json:"identifier"`
	Name         string  `json:"name"`
	FunctionType string  `json:"functionType"`
	FunctionMode string  `json:"functionMode"`
	EventType    string  `json:"eventType"`
	Desc         string  `json:"desc"`
	OutputData   []param `json:"outputData"`
	Required     bool    `json:"required"`
}

type service struct {
	Identifier   string  `json:"identifier"`
	Name         string  `json:"name"`
	FunctionType string  `json:"functionType"`
	FunctionMode string  `json:"functionMode"`
	CallType     string  `json:"callType"`
	Desc         string  `json:"desc"`
	Input        []param `json:"input"`
	Output       []param `json:"output"`
	Required     bool    `json:"required"`
}

type param struct {
	Identifier string   `json:"identifier"`
	Name       string   `json:"name"`
	DataType   dataType `json:"dataType"`
}

type dataType struct {
	Type  string          `json:"type"`
	Specs json.RawMessage `json:"specs"`
}

// ImportModel reads a model file of either generation [onenet §5]. Errors name
// the place.
func ImportModel(doc []byte) (*thing.Model, error) {
	if len(doc) > MaxModelBytes {
		return nil, wording.Errorf("onenet: a model of %d bytes is larger than %d", len(doc), MaxModelBytes)
	}
	var f file
	if err := json.Unmarshal(doc, &f); err != nil {
		return nil, wording.Errorf("onenet: the model is not what it should be: %w", err)
	}
	if f.Properties == nil && f.Events == nil && f.Services == nil {
		return nil, errors.New("onenet: this is no model: it has neither properties nor events nor services")
	}
	m := new(thing.Model)
	for i, p := range f.Properties {
		t, err := p.DataType.read(0)
		if err != nil {
			return nil, wording.Errorf("onenet: properties[%d] %q: %w", i, p.Identifier, err)
		}
		access, ok := map[string]thing.Access{"": thing.ReadOnly, "r": thing.ReadOnly, "rw": thing.ReadWrite, "w": thing.WriteOnly}[p.AccessMode]
		if !ok {
			return nil, wording.Errorf("onenet: properties[%d] %q: accessMode %q is neither r nor rw", i, p.Identifier, p.AccessMode)
		}
		m.Properties = append(m.Properties, thing.Property{ID: p.Identifier, Name: p.Name, Desc: p.Desc, Access: access, Required: p.Required, Type: t})
	}
	for i, e := range f.Events {
		out, err := readParams(e.OutputData, 0)
		if err != nil {
			return nil, wording.Errorf("onenet: events[%d] %q: outputData%w", i, e.Identifier, err)
		}
		level, ok := map[string]thing.Level{"": thing.Info, "info": thing.Info, "alert": thing.Alert, "error": thing.Fault}[e.EventType]
		if !ok {
			return nil, wording.Errorf("onenet: events[%d] %q: eventType %q is none of info, alert, error", i, e.Identifier, e.EventType)
		}
		m.Events = append(m.Events, thing.Event{ID: e.Identifier, Name: e.Name, Desc: e.Desc, Level: level, Required: e.Required, Output: out})
	}
	for i, s := range f.Services {
		in, err := readParams(s.Input, 0)
		if err != nil {
			return nil, wording.Errorf("onenet: services[%d] %q: input%w", i, s.Identifier, err)
		}
		out, err := readParams(s.Output, 0)
		if err != nil {
			return nil, wording.Errorf("onenet: services[%d] %q: output%w", i, s.Identifier, err)
		}
		m.Services = append(m.Services, thing.Service{ID: s.Identifier, Name: s.Name, Desc: s.Desc, Async: s.CallType == "a", Required: s.Required, Input: in, Output: out})
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m.Index(), nil
}

func readParams(params []param, depth int) ([]thing.Param, error) {
	var out []thing.Param
	for i, p := range params {
		t, err := p.DataType.read(depth)
		if err != nil {
			return nil, wording.Errorf("[%d] %q: %w", i, p.Identifier, err)
		}
		out = append(out, thing.Param{ID: p.Identifier, Name: p.Name, Type: t})
	}
	return out, nil
}

// maxTypeDepth bounds arrays in structs in arrays.
const maxTypeDepth = 4

var kinds = map[string]thing.Kind{
	"int32": thing.Int32, "int64": thing.Int64, "float": thing.Float, "double": thing.Double, "bool": thing.Bool, "enum": thing.Enum,
	"string": thing.Text, "date": thing.Date, "struct": thing.Struct, "array": thing.Array, "bitMap": thing.Bitmap,
}

func (d dataType) read(depth int) (thing.DataType, error) {
	if depth > maxTypeDepth {
		return thing.DataType{}, errors.New("dataType is nested too deeply")
	}
	kind, ok := kinds[d.Type]
	if !ok {
		return thing.DataType{}, wording.Errorf("dataType %q is none of int32, int64, float, double, bool, enum, string, date, struct, array, bitMap", d.Type)
	}
	t := thing.DataType{Kind: kind}
	if kind == thing.Struct {
		var fields []param
		if err := d.specs(&fields); err != nil {
			return t, err
		}
		var err error
		if t.Fields, err = readParams(fields, depth+1); err != nil {
			return t, wording.Errorf("specs%w", err)
		}
		return t, nil
	}
	var s map[string]json.RawMessage
	if err := d.specs(&s); err != nil {
		return t, err
	}
	length, err := count(s["length"])
	if err != nil {
		return t, wording.Errorf("specs.length: %w", err)
	}
	switch kind {
	case thing.Array:
		inner := dataType{Type: plain(s["type"]), Specs: s["specs"]}
		item, err := inner.read(depth + 1)
		if err != nil {
			return t, wording.Errorf("specs: %w", err)
		}
		t.Item = &item
		t.Size = length
		return t, nil
	case thing.Bool:
		t.Labels = []thing.Label{{Value: 0, Text: plain(s["false"])}, {Value: 1, Text: plain(s["true"])}}
		return t, nil
	case thing.Enum:
		t.Labels, err = enumLabels(s)
		return t, err
	}
	t.Length = length
	t.UnitName, t.Unit = splitUnit(plain(s["unit"]))
	for name, to := range map[string]**float64{"min": &t.Min, "max": &t.Max, "step": &t.Step} {
		if *to, err = amount(s[name]); err != nil {
			return t, wording.Errorf("specs.%s: %w", name, err)
		}
	}
	return t, nil
}

func (d dataType) specs(to any) error {
	if len(d.Specs) == 0 {
		return nil
	}
	if err := json.Unmarshal(d.Specs, to); err != nil {
		return wording.Errorf("specs of %s: %w", d.Type, err)
	}
	return nil
}

func enumLabels(s map[string]json.RawMessage) (labels []thing.Label, err error) {
	for key, raw := range s {
		n, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return nil, wording.Errorf("specs: %q is no whole number", key)
		}
		labels = append(labels, thing.Label{Value: n, Text: plain(raw)})
	}
	sort.Slice(labels, func(i, j int) bool { return labels[i].Value < labels[j].Value })
	return labels, nil
}

// plain is the text of a JSON string, or what else stands there; null is "".
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// amount reads a number that is written as text or number; nil for none.
func amount(raw json.RawMessage) (*float64, error) {
	s := strings.TrimSpace(plain(raw))
	if s == "" {
		return nil, nil
	}
	v, err := thing.ParseNumber(s)
	if err != nil {
		return nil, wording.Errorf("%q is no number", s)
	}
	f, _ := v.Number()
	return &f, nil
}

// maxLength bounds specs.length.
const maxLength = math.MaxInt32

// count reads an amount that counts something; 0 for none.
func count(raw json.RawMessage) (int, error) {
	f, err := amount(raw)
	switch {
	case err != nil || f == nil:
		return 0, err
	case *f < 0 || *f > maxLength || *f != math.Trunc(*f):
		return 0, wording.Errorf("%v is no whole number from 0 to %d", *f, maxLength)
	}
	return int(*f), nil
}

// ExportModel writes a model in the form of today's platform.
func ExportModel(productID string, m *thing.Model) ([]byte, error) {
	f := file{Version: "1.0", Profile: profile{ProductID: productID}, Properties: []property{}, Events: []event{}, Services: []service{}, Combs: []any{}}
	for i := range m.Properties {
		p := &m.Properties[i]
		mode := map[thing.Access]string{thing.ReadOnly: "r", thing.ReadWrite: "rw", thing.WriteOnly: "w"}[p.Access]
		f.Properties = append(f.Properties, property{p.ID, p.Name, functionType(p.ID), mode, "property", p.Desc, writeType(&p.Type), p.Required})
	}
	for i := range m.Events {
		e := &m.Events[i]
		f.Events = append(f.Events, event{e.ID, e.Name, functionType(e.ID), "event", e.Level.String(), e.Desc, writeParams(e.Output), e.Required})
	}
	for i := range m.Services {
		s := &m.Services[i]
		call := "s"
		if s.Async {
			call = "a"
		}
		f.Services = append(f.Services, service{s.ID, s.Name, functionType(s.ID), "service", call, s.Desc, writeParams(s.Input), writeParams(s.Output), s.Required})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(f)
	return b.Bytes(), err
}

func functionType(id string) string {
	if strings.HasPrefix(id, "$") {
		return "s"
	}
	return "u"
}

func writeParams(params []thing.Param) []param {
	out := []param{}
	for i := range params {
		out = append(out, param{params[i].ID, params[i].Name, writeType(&params[i].Type)})
	}
	return out
}

func writeType(t *thing.DataType) dataType {
	name := ""
	for n, k := range kinds {
		if k == t.Kind {
			name = n
		}
	}
	number := func(f *float64) string {
		if f == nil {
			return ""
		}
		return strconv.FormatFloat(*f, 'f', -1, 64)
	}
	var specs any
	switch t.Kind {
	case thing.Struct:
		specs = writeParams(t.Fields)
	case thing.Array:
		item := writeType(t.Item)
		specs = map[string]any{"length": t.Size, "type": item.Type, "specs": item.Specs}
	case thing.Bool:
		labels := map[string]string{"true": "", "false": ""}
		for _, l := range t.Labels {
			labels[strconv.FormatBool(l.Value != 0)] = l.Text
		}
		specs = labels
	case thing.Enum:
		labels := map[string]string{}
		for _, l := range t.Labels {
			labels[strconv.FormatInt(l.Value, 10)] = l.Text
		}
		specs = labels
	case thing.Text, thing.Bitmap:
		specs = map[string]any{"length": t.Length}
	case thing.Date:
		specs = map[string]any{}
	default:
		specs = map[string]string{"min": number(t.Min), "max": number(t.Max), "step": number(t.Step), "unit": joinUnit(t.UnitName, t.Unit)}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(specs); err != nil {
		panic(err) // maps and structs of text always marshal
	}
	return dataType{name, bytes.TrimSpace(b.Bytes())}
}

// unitSeparator stands between a unit's name and its symbol: "摄氏度 / °C"
// [onenet §5.1].
const unitSeparator = " / "

func splitUnit(s string) (name, symbol string) {
	name, symbol, both := strings.Cut(s, unitSeparator)
	if !both {
		return "", s
	}
	return name, symbol
}

func joinUnit(name, symbol string) string {
	if name == "" {
		return symbol
	}
	return name + unitSeparator + symbol
}
