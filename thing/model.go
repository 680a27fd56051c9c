package thing

import (
	"fmt"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// Index builds the look-up maps and returns m. Call it once, before m is
// shared. A nil m becomes an empty model.
func (m *Model) Index() *Model {
	if m == nil {
		m = new(Model)
	}
	m.properties = make(map[string]*Property, len(m.Properties))
	for i := range m.Properties {
		m.properties[m.Properties[i].ID] = &m.Properties[i]
	}
	m.events = make(map[string]*Event, len(m.Events))
	for i := range m.Events {
		m.events[m.Events[i].ID] = &m.Events[i]
	}
	m.services = make(map[string]*Service, len(m.Services))
	for i := range m.Services {
		m.services[m.Services[i].ID] = &m.Services[i]
	}
	return m
}

// Property finds a property by its identifier.
func (m *Model) Property(id string) (*Property, bool) {
	p, ok := m.properties[id]
	return p, ok
}

// PropertyBytes is Property without an allocation.
func (m *Model) PropertyBytes(id []byte) (*Property, bool) {
	p, ok := m.properties[string(id)]
	return p, ok
}

// Event finds an event by its identifier.
func (m *Model) Event(id string) (*Event, bool) {
	e, ok := m.events[id]
	return e, ok
}

// Service finds a service by its identifier.
func (m *Model) Service(id string) (*Service, bool) {
	s, ok := m.services[id]
	return s, ok
}

// The bounds of a model. They are above both vendors' own.
const (
	MaxFeatures = 1000 // properties, events and services together
	MaxParams   = 200  // of one event, service or struct
	maxNesting  = 4    // of structs and arrays
	maxID       = 128  // bytes of an identifier
)

// Validate finds what cannot be a model: empty, repeated or impossible
// identifiers, bounds upside down, types without their parts. The error names
// the place.
func (m *Model) Validate() error {
	if n := len(m.Properties) + len(m.Events) + len(m.Services); n > MaxFeatures {
		return wording.Errorf("thing: %d properties, events and services are more than %d", n, MaxFeatures)
	}
	seen := make(map[string]bool)
	for i := range m.Properties {
		p := &m.Properties[i]
		where := fmt.Sprintf("properties[%d] %q", i, p.ID)
		if err := once(seen, where, p.ID); err != nil {
			return err
		}
		if err := p.Type.validate(where, 0); err != nil {
			return err
		}
	}
	seen = make(map[string]bool)
	for i := range m.Events {
		e := &m.Events[i]
		where := fmt.Sprintf("events[%d] %q", i, e.ID)
		if err := once(seen, where, e.ID); err != nil {
			return err
		}
		if err := validateParams(where+".output", e.Output, 0); err != nil {
			return err
		}
	}
	seen = make(map[string]bool)
	for i := range m.Services {
		s := &m.Services[i]
		where := fmt.Sprintf("services[%d] %q", i, s.ID)
		if err := once(seen, where, s.ID); err != nil {
			return err
		}
		if err := validateParams(where+".input", s.Input, 0); err != nil {
			return err
		}
		if err := validateParams(where+".output", s.Output, 0); err != nil {
			return err
		}
	}
	return nil
}

func once(seen map[string]bool, where, id string) error {
	switch {
	case id == "":
		return wording.Errorf("thing: %s has no identifier", where)
	case len(id) > maxID:
		return wording.Errorf("thing: %s: the identifier is longer than %d bytes", where, maxID)
	case strings.ContainsAny(id, "/+#\"\\") || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' }):
		return wording.Errorf("thing: %s: an identifier holds no blanks, quotes, slashes or wildcards", where)
	case seen[id]:
		return wording.Errorf("thing: %s: the identifier stands twice", where)
	}
	seen[id] = true
	return nil
}

func validateParams(where string, params []Param, depth int) error {
	if len(params) > MaxParams {
		return wording.Errorf("thing: %s has %d members, more than %d", where, len(params), MaxParams)
	}
	seen := make(map[string]bool)
	for i := range params {
		at := fmt.Sprintf("%s[%d] %q", where, i, params[i].ID)
		if err := once(seen, at, params[i].ID); err != nil {
			return err
		}
		if err := params[i].Type.validate(at, depth); err != nil {
			return err
		}
	}
	return nil
}

func (t *DataType) validate(where string, depth int) error {
	switch {
	case depth > maxNesting:
		return wording.Errorf("thing: %s is nested deeper than %d", where, maxNesting)
	case t.Kind < Int32 || t.Kind > Bitmap:
		return wording.Errorf("thing: %s has no type that is known", where)
	case t.Min != nil && t.Max != nil && *t.Min > *t.Max:
		return wording.Errorf("thing: %s: min %v is above max %v", where, *t.Min, *t.Max)
	case t.Step != nil && *t.Step < 0:
		return wording.Errorf("thing: %s: step %v is below zero", where, *t.Step)
	case t.Length < 0 || t.Size < 0:
		return wording.Errorf("thing: %s: a length cannot be below zero", where)
	case t.Kind == Array && t.Item == nil:
		return wording.Errorf("thing: %s: an array needs the type of its elements", where)
	case t.Kind == Array:
		return t.Item.validate(where+"[]", depth+1)
	case t.Kind == Struct:
		return validateParams(where, t.Fields, depth+1)
	}
	return nil
}

// NearestProperty finds the identifier that somebody who wrote id most likely
// meant: the same but for upper and lower case, or a slip of a letter or two.
// It is "" where nothing is near.
func (m *Model) NearestProperty(id string) string {
	best, least := "", 3
	if len(id) <= 4 {
		least = 2
	}
	for i := range m.Properties {
		known := m.Properties[i].ID
		if strings.EqualFold(known, id) {
			return known
		}
		if d := distance(strings.ToLower(known), strings.ToLower(id), least); d < least {
			best, least = known, d
		}
	}
	return best
}

// mostNamed is how many identifiers a Problem names of a model.
const mostNamed = 6

// UnknownProperty is the problem of a property that the model does not have: it
// names the one that was most likely meant, else what there is.
func (m *Model) UnknownProperty(id string) Problem {
	p := Problem{Fault: Unknown, Path: id, Hint: m.NearestProperty(id)}
	if p.Hint != "" {
		return p
	}
	n := len(m.Properties)
	if n == 0 {
		p.Want, p.WantZH = "no properties yet: import one", "它还没有属性，请先导入"
		return p
	}
	names := make([]string, 0, mostNamed)
	for i := range m.Properties[:min(n, mostNamed)] {
		names = append(names, m.Properties[i].ID)
	}
	p.Want, p.WantZH = strings.Join(names, ", "), "已有属性 "+strings.Join(names, "、")
	if more := n - mostNamed; more > 0 {
		p.Want, p.WantZH = fmt.Sprintf("%s and %d more", p.Want, more), fmt.Sprintf("%s 等 %d 个", p.WantZH, n)
	}
	return p
}

// distance counts inserted, deleted and changed bytes, and gives up at limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > maxID || len(b) > maxID {
		return limit
	}
	var rows [2][maxID + 1]int
	prev, cur := &rows[0], &rows[1]
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			change := prev[j]
			if a[i] != b[j] {
				change++
			}
			cur[j+1] = min(change, prev[j+1]+1, cur[j]+1)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}
