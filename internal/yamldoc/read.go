package yamldoc

import (
	"encoding"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/matou-iot/matou/internal/wording"
)

func (d *Doc) into(n *yaml.Node, path string, v any) { d.read(n, path, reflect.ValueOf(v).Elem()) }

// read reads one node into v.
func (d *Doc) read(n *yaml.Node, path string, v reflect.Value) {
	for n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	if d.nodes++; d.nodes == maxNodes {
		d.mistake(n.Line, path, "the document has more than %d values", maxNodes)
	}
	if d.nodes >= maxNodes {
		return
	}
	if d.depth++; d.depth > maxDepth {
		d.mistake(n.Line, path, "values stand more than %d deep inside one another", maxDepth)
		d.depth--
		return
	}
	defer func() { d.depth-- }()
	if path != "" {
		d.lines[path] = n.Line
	}
	if n.Kind == yaml.AliasNode {
		d.read(n.Alias, path, v)
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // as if it were not there
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, path, t)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.read(n, path, v.Elem())
	case reflect.Struct:
		d.fields(n, path, v)
	case reflect.Map:
		d.entries(n, path, v)
	case reflect.Slice:
		d.items(n, path, v)
	case reflect.Interface:
		v.Set(reflect.ValueOf(d.any(n, path)))
	default:
		d.scalar(n, path, v)
	}
}

func (d *Doc) text(n *yaml.Node, path string, t encoding.TextUnmarshaler) {
	if n.Kind != yaml.ScalarNode {
		d.mistake(n.Line, path, "one value belongs here, not %s", kindOf(n))
		return
	}
	if err := t.UnmarshalText([]byte(n.Value)); err != nil {
		d.mistake(n.Line, path, "%v", err)
	}
}

// fields reads a mapping into a struct.
func (d *Doc) fields(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.mistake(n.Line, path, "names and values belong here (%s), not %s", strings.Join(first(names(v.Type()), 3), ", ")+" …", kindOf(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		if seen[name] {
			d.mistake(key.Line, join(path, name), "it stands here twice: delete one")
			continue
		}
		seen[name] = true
		f, ok := field(v, name)
		if !ok {
			d.unknown(key, path, names(v.Type()))
			continue
		}
		d.read(value, join(path, name), f)
		d.lines[join(path, name)] = key.Line
	}
}

// unknown tells of a field that does not exist, and which was meant.
func (d *Doc) unknown(key *yaml.Node, path string, known []string) {
	if near := Nearest(key.Value, known); near != "" {
		d.mistake(key.Line, join(path, key.Value), "there is no such field; did you mean %s?", near)
		return
	}
	d.mistake(key.Line, join(path, key.Value), "there is no such field; there are %s", strings.Join(known, ", "))
}

// entries reads a mapping into a map by text.
func (d *Doc) entries(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.mistake(n.Line, path, "names and values belong here, not %s", kindOf(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		key := reflect.ValueOf(name).Convert(v.Type().Key())
		if v.MapIndex(key).IsValid() {
			d.mistake(n.Content[i].Line, join(path, name), "it stands here twice: delete one")
			continue
		}
		x := reflect.New(v.Type().Elem()).Elem()
		d.read(n.Content[i+1], join(path, name), x)
		d.lines[join(path, name)] = n.Content[i].Line
		v.SetMapIndex(key, x)
	}
}

func (d *Doc) items(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.mistake(n.Line, path, "a list belongs here ([a, b], or lines with -), not %s", kindOf(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.read(item, path+"["+strconv.Itoa(i)+"]", v.Index(i))
	}
}

// any reads what has no type of its own: whole numbers as int64.
func (d *Doc) any(n *yaml.Node, path string) any {
	switch n.Kind {
	case yaml.MappingNode:
		var m map[string]any
		d.entries(n, path, reflect.ValueOf(&m).Elem())
		return m
	case yaml.SequenceNode:
		var s []any
		d.items(n, path, reflect.ValueOf(&s).Elem())
		return s
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		return n.Value
	}
	if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(n.Value, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return f
	}
	if on, ok := Switch(n.Value); ok {
		return on
	}
	return n.Value
}

var duration = reflect.TypeFor[time.Duration]()

func (d *Doc) scalar(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.mistake(n.Line, path, "one value belongs here, not %s", kindOf(n))
		return
	}
	switch {
	case v.Type() == duration:
		t, err := Duration(n.Value)
		if err != nil {
			d.mistake(n.Line, path, "%v", err)
		}
		v.SetInt(int64(t))
	case v.Kind() == reflect.String:
		v.SetString(n.Value)
	case v.Kind() == reflect.Bool:
		on, err := Bool(n.Value)
		if err != nil {
			d.mistake(n.Line, path, "%v", err)
		}
		v.SetBool(on)
	case v.CanInt():
		i, err := Int(n.Value)
		if err == nil && v.OverflowInt(i) {
			err = wording.Errorf("%q is no whole number", n.Value)
		}
		if err != nil {
			d.mistake(n.Line, path, "%v", err)
			return
		}
		v.SetInt(i)
	case v.CanUint():
		i, err := strconv.ParseUint(strings.ReplaceAll(n.Value, "_", ""), 10, 64)
		if err != nil || v.OverflowUint(i) {
			d.mistake(n.Line, path, "%q is no whole number from 0 on", n.Value)
			return
		}
		v.SetUint(i)
	case v.CanFloat():
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			d.mistake(n.Line, path, "%q is no number", n.Value)
			return
		}
		v.SetFloat(f)
	default:
		panic("yamldoc: a field of type " + v.Type().String() + " at " + path) // our own struct is wrong
	}
}

// field finds the field with a tag, in inlined structs too.
func field(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("yaml")
		if tag == ",inline" {
			if f, ok := field(v.Field(i), name); ok {
				return f, true
			}
			continue
		}
		if tag == name && tag != "" && tag != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// names lists the fields of a struct.
func names(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		switch tag := t.Field(i).Tag.Get("yaml"); tag {
		case "", "-":
		case ",inline":
			out = append(out, names(t.Field(i).Type)...)
		default:
			out = append(out, tag)
		}
	}
	return out
}

func first(s []string, n int) []string { return s[:min(n, len(s))] }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func kindOf(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		return wording.Term("names and values")
	case yaml.SequenceNode:
		return wording.Term("a list")
	}
	return strconv.Quote(n.Value)
}
