package aliyun

import (
	"bytes"
	"encoding/json"
	"errors"
	"sort"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/thing"
)

// MaxTSLBytes bounds a TSL file; the platform's own bound is 512 KiB
// [aliyun-device §6.2].
const MaxTSLBytes = 2 << 20

const schema = "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json"

type tsl struct {
	Schema    string        `json:"schema"`
	Profile   tslProfile    `json:"profile"`
	Props     []tslProperty `json:"properties"`
	Events    []tslEvent    `json:"events"`
	Services  []tslService  `json:"services"`
	BlockID   string        `json:"functionBlockId,omitempty"`
	BlockName string        `json:"functionBlockName,omitempty"`
	Link      string        `json:"link,omitempty"` // of a template: where the device's topics begin
}

type tslProfile struct {
	ProductKey string `json:"productKey"`
	DeviceName string `json:"deviceName,omitempty"` // of a template
}

type tslProperty struct {
	Identifier string  `json:"identifier"`
	Name       string  `json:"name"`
	AccessMode string  `json:"accessMode"`
	Required   bool    `json:"required"`
	Desc       string  `json:"desc,omitempty"`
	DataType   tslType `json:"dataType"`
}

type tslParam struct {
	Identifier string  `json:"identifier"`
	Name       string  `json:"name"`
	DataType   tslType `json:"dataType"`
}

type tslEvent struct {
	Identifier string     `json:"identifier"`
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Required   bool       `json:"required"`
	Desc       string     `json:"desc,omitempty"`
	Method     string     `json:"method"`
	OutputData []tslParam `json:"outputData"`
}

type tslService struct {
	Identifier string          `json:"identifier"`
	Name       string          `json:"name"`
	Required   bool            `json:"required"`
	CallType   string          `json:"callType"`
	Desc       string          `json:"desc,omitempty"`
	Method     string          `json:"method"`
	InputData  json.RawMessage `json:"inputData"` // parameters; of "get" plain identifiers
	OutputData []tslParam      `json:"outputData"`
}

type tslType struct {
	Type  string          `json:"type"`
	Specs json.RawMessage `json:"specs,omitempty"`
}

// generated are the event and services that the platform makes from the
// properties; they are no part of the neutral model [aliyun-device §6.1].
var generated = map[string]bool{
	"thing.event.property.post": true, "thing.service.property.set": true, "thing.service.property.get": true,
}

// ImportTSL reads a TSL file. Errors name the place.
func ImportTSL(doc []byte) (*thing.Model, error) {
	if len(doc) > MaxTSLBytes {
		return nil, wording.Errorf("aliyun: a TSL of %d bytes is larger than %d", len(doc), MaxTSLBytes)
	}
	var t tsl
	if err := json.Unmarshal(doc, &t); err != nil {
		return nil, wording.Errorf("aliyun: the TSL is not what it should be: %w", err)
	}
	if t.Props == nil && t.Events == nil && t.Services == nil {
		return nil, errors.New("aliyun: this is no TSL: it has neither properties nor events nor services")
	}
	prefix := ""
	if t.BlockID != "" && t.BlockID != "default" {
		prefix = t.BlockID + ":"
	}
	m := new(thing.Model)
	for i, p := range t.Props {
		dt, err := p.DataType.read()
		if err != nil {
			return nil, wording.Errorf("aliyun: properties[%d] %q: %w", i, p.Identifier, err)
		}
		access, err := accessOf(p.AccessMode)
		if err != nil {
			return nil, wording.Errorf("aliyun: properties[%d] %q: %w", i, p.Identifier, err)
		}
		m.Properties = append(m.Properties, thing.Property{
			ID: prefix + p.Identifier, Name: p.Name, Desc: p.Desc, Access: access, Required: p.Required, Type: dt,
		})
	}
	if err := t.importEvents(m, prefix); err != nil {
		return nil, err
	}
	if err := t.importServices(m, prefix); err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m.Index(), nil
}

func (t *tsl) importEvents(m *thing.Model, prefix string) error {
	for i, e := range t.Events {
		if generated[e.Method] || e.Identifier == "post" {
			continue
		}
		level, ok := map[string]thing.Level{"info": thing.Info, "": thing.Info, "alert": thing.Alert, "error": thing.Fault}[e.Type]
		if !ok {
			return wording.Errorf("aliyun: events[%d] %q: type %q is none of info, alert, error", i, e.Identifier, e.Type)
		}
		out, err := readParams(e.OutputData)
		if err != nil {
			return wording.Errorf("aliyun: events[%d] %q: outputData%w", i, e.Identifier, err)
		}
		m.Events = append(m.Events, thing.Event{
			ID: prefix + e.Identifier, Name: e.Name, Desc: e.Desc, Level: level, Required: e.Required, Output: out,
		})
	}
	return nil
}

func (t *tsl) importServices(m *thing.Model, prefix string) error {
	for i, s := range t.Services {
		if generated[s.Method] || s.Identifier == "set" || s.Identifier == "get" {
			continue
		}
		var params []tslParam
		if len(s.InputData) > 0 {
			if err := json.Unmarshal(s.InputData, &params); err != nil {
				return wording.Errorf("aliyun: services[%d] %q: inputData: %w", i, s.Identifier, err)
			}
		}
		in, err := readParams(params)
		if err != nil {
			return wording.Errorf("aliyun: services[%d] %q: inputData%w", i, s.Identifier, err)
		}
		out, err := readParams(s.OutputData)
		if err != nil {
			return wording.Errorf("aliyun: services[%d] %q: outputData%w", i, s.Identifier, err)
		}
		m.Services = append(m.Services, thing.Service{
			ID: prefix + s.Identifier, Name: s.Name, Desc: s.Desc, Async: s.CallType != "sync", Required: s.Required, Input: in, Output: out,
		})
	}
	return nil
}

func accessOf(mode string) (thing.Access, error) {
	switch mode {
	case "r", "":
		return thing.ReadOnly, nil
	case "rw":
		return thing.ReadWrite, nil
	case "w":
		return thing.WriteOnly, nil
	}
	return 0, wording.Errorf("accessMode %q is none of r, rw, w", mode)
}

func readParams(params []tslParam) ([]thing.Param, error) {
	var out []thing.Param
	for i, p := range params {
		dt, err := p.DataType.read()
		if err != nil {
			return nil, wording.Errorf("[%d] %q: %w", i, p.Identifier, err)
		}
		out = append(out, thing.Param{ID: p.Identifier, Name: p.Name, Type: dt})
	}
	return out, nil
}

// maxTypeDepth bounds arrays in structs in arrays.
const maxTypeDepth = 4

func (t tslType) read() (thing.DataType, error) { return t.readAt(0) }

func (t tslType) readAt(depth int) (thing.DataType, error) {
	if depth > maxTypeDepth {
		return thing.DataType{}, errors.New("dataType is nested too deeply")
	}
	kinds := map[string]thing.Kind{
		"int": thing.Int32, "int32": thing.Int32, "long": thing.Int64, "float": thing.Float, "double": thing.Double,
		"bool": thing.Bool, "enum": thing.Enum, "text": thing.Text, "date": thing.Date, "struct": thing.Struct, "array": thing.Array,
	}
	kind, ok := kinds[strings.ToLower(t.Type)]
	if !ok {
		return thing.DataType{}, wording.Errorf("dataType %q is none of int, float, double, bool, enum, text, date, struct, array", t.Type)
	}
	dt := thing.DataType{Kind: kind}
	switch kind {
	case thing.Struct:
		var fields []tslParam
		if err := t.specs(&fields); err != nil {
			return dt, err
		}
		for i, f := range fields {
			ft, err := f.DataType.readAt(depth + 1)
			if err != nil {
				return dt, wording.Errorf("specs[%d] %q: %w", i, f.Identifier, err)
			}
			dt.Fields = append(dt.Fields, thing.Param{ID: f.Identifier, Name: f.Name, Type: ft})
		}
	case thing.Array:
		var s struct {
			Size json.RawMessage `json:"size"`
			Item tslType         `json:"item"`
		}
		if err := t.specs(&s); err != nil {
			return dt, err
		}
		n, err := amount(s.Size)
		if err != nil {
			return dt, wording.Errorf("specs.size: %w", err)
		}
		item, err := s.Item.readAt(depth + 1)
		if err != nil {
			return dt, wording.Errorf("specs.item: %w", err)
		}
		dt.Item = &item
		if n != nil {
			dt.Size = int(*n)
		}
	default:
		return t.readPlain(dt)
	}
	return dt, nil
}

// readPlain reads the specs of numbers, texts and labels.
func (t tslType) readPlain(dt thing.DataType) (thing.DataType, error) {
	var s map[string]json.RawMessage
	if err := t.specs(&s); err != nil {
		return dt, err
	}
	switch dt.Kind {
	case thing.Bool, thing.Enum:
		for key, raw := range s {
			n, err := strconv.ParseInt(key, 10, 64)
			if err != nil {
				return dt, wording.Errorf("specs: %q is no whole number", key)
			}
			dt.Labels = append(dt.Labels, thing.Label{Value: n, Text: plain(raw)})
		}
		sort.Slice(dt.Labels, func(i, j int) bool { return dt.Labels[i].Value < dt.Labels[j].Value })
		return dt, nil
	}
	for name, to := range map[string]**float64{"min": &dt.Min, "max": &dt.Max, "step": &dt.Step} {
		n, err := amount(s[name])
		if err != nil {
			return dt, wording.Errorf("specs.%s: %w", name, err)
		}
		*to = n
	}
	n, err := amount(s["length"])
	if err != nil {
		return dt, wording.Errorf("specs.length: %w", err)
	}
	if n != nil {
		dt.Length = int(*n)
	}
	dt.Unit, dt.UnitName = plain(s["unit"]), plain(s["unitName"])
	return dt, nil
}

func (t tslType) specs(to any) error {
	if len(t.Specs) == 0 {
		return nil
	}
	if err := json.Unmarshal(t.Specs, to); err != nil {
		return wording.Errorf("specs of %s: %w", t.Type, err)
	}
	return nil
}

// plain is the text of a JSON string, or what else stands there.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}

// amount reads a number that TSL writes as text; nil for none.
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

// ExportTSL writes a model as TSL, with the event and services that the
// platform makes from properties.
func ExportTSL(productKey string, m *thing.Model) ([]byte, error) {
	t := writeTSL(productKey, m)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(t)
	return b.Bytes(), err
}

// Template writes a model as thing/dsltemplate/get gives it to a device:
// compact, with the device's name and where its topics begin [aliyun-device
// §4.15].
func Template(productKey, deviceName string, m *thing.Model) ([]byte, error) {
	t := writeTSL(productKey, m)
	t.Profile.DeviceName, t.Link = deviceName, sys(productKey, deviceName, "thing/")
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(t)
	return bytes.TrimSpace(b.Bytes()), err
}

func writeTSL(productKey string, m *thing.Model) tsl {
	t := tsl{Schema: schema, Profile: tslProfile{ProductKey: productKey}, Props: []tslProperty{}, Events: []tslEvent{}, Services: []tslService{}}
	var all, writable []tslParam
	names := []string{}
	for i := range m.Properties {
		p := &m.Properties[i]
		dt := writeType(&p.Type)
		mode := map[thing.Access]string{thing.ReadOnly: "r", thing.ReadWrite: "rw", thing.WriteOnly: "w"}[p.Access]
		t.Props = append(t.Props, tslProperty{p.ID, p.Name, mode, p.Required, p.Desc, dt})
		all, names = append(all, tslParam{p.ID, p.Name, dt}), append(names, p.ID)
		if p.Access != thing.ReadOnly {
			writable = append(writable, tslParam{p.ID, p.Name, dt})
		}
	}
	if len(all) > 0 {
		t.Events = append(t.Events, tslEvent{"post", "post", "info", true, "属性上报", "thing.event.property.post", all})
		t.Services = append(t.Services,
			tslService{"set", "set", true, "async", "属性设置", "thing.service.property.set", mustJSON(some(writable)), []tslParam{}},
			tslService{"get", "get", true, "async", "属性获取", "thing.service.property.get", mustJSON(names), all})
	}
	for i := range m.Events {
		e := &m.Events[i]
		t.Events = append(t.Events, tslEvent{e.ID, e.Name, e.Level.String(), e.Required, e.Desc, "thing.event." + e.ID + ".post", some(writeParams(e.Output))})
	}
	for i := range m.Services {
		s := &m.Services[i]
		call := "sync"
		if s.Async {
			call = "async"
		}
		t.Services = append(t.Services, tslService{s.ID, s.Name, s.Required, call, s.Desc, "thing.service." + s.ID, mustJSON(some(writeParams(s.Input))), some(writeParams(s.Output))})
	}
	return t
}

func some(p []tslParam) []tslParam {
	if p == nil {
		return []tslParam{}
	}
	return p
}

func writeParams(params []thing.Param) (out []tslParam) {
	for i := range params {
		out = append(out, tslParam{params[i].ID, params[i].Name, writeType(&params[i].Type)})
	}
	return out
}

func writeType(t *thing.DataType) tslType {
	names := map[thing.Kind]string{
		thing.Int32: "int", thing.Int64: "double", thing.Float: "float", thing.Double: "double", thing.Bool: "bool", thing.Enum: "enum",
		thing.Text: "text", thing.Date: "date", thing.Struct: "struct", thing.Array: "array", thing.Bitmap: "int",
	}
	out := tslType{Type: names[t.Kind]}
	switch t.Kind {
	case thing.Struct:
		out.Specs = mustJSON(some(writeParams(t.Fields)))
	case thing.Array:
		spec := map[string]any{"item": writeType(t.Item)}
		if t.Size > 0 {
			spec["size"] = strconv.Itoa(t.Size)
		}
		out.Specs = mustJSON(spec)
	case thing.Bool, thing.Enum:
		spec := map[string]string{}
		for _, l := range t.Labels {
			spec[strconv.FormatInt(l.Value, 10)] = l.Text
		}
		out.Specs = mustJSON(spec)
	default:
		out.Specs = mustJSON(numberSpecs(t))
	}
	return out
}

// numberSpecs writes bounds as text, as TSL has them.
func numberSpecs(t *thing.DataType) map[string]string {
	spec := map[string]string{}
	for name, f := range map[string]*float64{"min": t.Min, "max": t.Max, "step": t.Step} {
		if f != nil {
			spec[name] = strconv.FormatFloat(*f, 'f', -1, 64)
		}
	}
	if t.Length > 0 && t.Kind == thing.Text {
		spec["length"] = strconv.Itoa(t.Length)
	}
	if t.Unit != "" {
		spec["unit"] = t.Unit
	}
	if t.UnitName != "" {
		spec["unitName"] = t.UnitName
	}
	return spec
}

func mustJSON(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // maps and structs of text always marshal
	}
	return bytes.TrimSpace(b.Bytes())
}
