package dialect

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Loss is a member of a document that another one, made from it, has not or
// has otherwise.
type Loss struct {
	Path   string `json:"path" doc:"Where, such as properties[Status].dataType.specs.define"`
	Was    string `json:"was" doc:"As JSON, shortened"`
	Became string `json:"became,omitempty" doc:"As JSON, shortened; left out where it is gone"`
}

// The bounds of what Lost tells.
const (
	maxLosses = 200
	maxShown  = 80 // bytes of a value
)

// frame are the members of a model file around its functions. They say where
// it came from, which is no part of a model.
var frame = []string{"schema", "version", "profile", "link", "functionBlockId"}

// Lost compares the JSON of a model with the JSON of what was made from it and
// names what the second does not say: to read a vendor's file and write it
// again shows what the neutral model has no place for, to write a model and
// read it again what the vendor's form has no place for. Functions and
// parameters are the same where their identifiers are; numbers may be texts;
// what is empty or false is as good as left out.
func Lost(from, made []byte) ([]Loss, error) {
	before, err := tree(from)
	if err != nil {
		return nil, err
	}
	after, err := tree(made)
	if err != nil {
		return nil, err
	}
	c := comparison{found: []Loss{}}
	if top, ok := before.(map[string]any); ok {
		if block := textOf(top["functionBlockId"]); block != "" {
			c.block = block + ":"
		}
		for _, name := range frame {
			delete(top, name)
		}
	}
	c.compare("", before, after)
	return c.found, nil
}

func tree(doc []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

type comparison struct {
	block string // the module whose name stands before identifiers in one of the documents, with a colon [aliyun-device §6.2]
	found []Loss
}

func (c *comparison) compare(path string, was, became any) {
	switch was := was.(type) {
	case map[string]any:
		other, ok := became.(map[string]any)
		if !ok {
			c.lose(path, was, became)
			return
		}
		names := make([]string, 0, len(was))
		for name := range was {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			c.compare(strings.TrimPrefix(path+"."+name, "."), was[name], other[name])
		}
	case []any:
		other, ok := became.([]any)
		if !ok {
			c.lose(path, was, became)
			return
		}
		for i, v := range was {
			name, same := c.counterpart(i, v, other)
			c.compare(path+"["+name+"]", v, same)
		}
	default:
		if c.text(was) != c.text(became) {
			c.lose(path, was, became)
		}
	}
}

func (c *comparison) lose(path string, was, became any) {
	if len(c.found) < maxLosses && !blank(was) {
		c.found = append(c.found, Loss{path, shown(was), shown(became)})
	}
}

// counterpart is the element of a list that speaks of the same as element i of
// another, nil where there is none, and what it is called.
func (c *comparison) counterpart(i int, v any, list []any) (name string, same any) {
	for _, key := range []string{"identifier", "id", "value"} {
		name := c.text(member(v, key))
		if name == "" {
			continue
		}
		matches := func(other any) bool { return c.text(member(other, key)) == name }
		if i < len(list) && matches(list[i]) {
			return name, list[i]
		}
		if at := slices.IndexFunc(list, matches); at >= 0 {
			return name, list[at]
		}
		return name, nil
	}
	if i < len(list) {
		same = list[i]
	}
	return strconv.Itoa(i), same
}

// text is textOf without the name of the module.
func (c *comparison) text(v any) string {
	s := textOf(v)
	if c.block == "" {
		return s
	}
	return strings.ReplaceAll(s, c.block, "")
}

func member(v any, name string) any {
	object, _ := v.(map[string]any)
	return object[name]
}

// textOf is a value that holds no others as text, the same for 1, 1.0 and "1".
func textOf(v any) string {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return s
}

// blank reports whether a value says nothing.
func blank(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			if !blank(inner) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(v, func(inner any) bool { return !blank(inner) })
	case bool:
		return !v
	}
	return v == nil || v == ""
}

func shown(v any) string {
	if v == nil {
		return ""
	}
	raw, err := json.Marshal(v)
	if err != nil || len(raw) <= maxShown {
		return string(raw)
	}
	cut := maxShown
	for !utf8.RuneStart(raw[cut]) {
		cut--
	}
	return string(raw[:cut]) + "…"
}
