package fleet

import (
	"maps"
	"slices"
	"strconv"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/thing"
)

// A source is where the values of one property come from; its devices each
// have a state of their own for it.
type source struct {
	id    string
	shape shape
	of    *thing.DataType // nil without a model
}

// A shape makes values of one type out of curves: one for a plain value, one
// a field for a struct.
type shape struct {
	kind   thing.Kind // 0 where a curve alone says what the value is
	spec   *curve.Spec
	fields []source
	items  int // of an array: how many elements
}

// curves is how many curves the shape needs.
func (s *shape) curves() int {
	n := curvesOf(s.fields)
	if s.spec != nil {
		n++
	}
	return n
}

// sourcesOf finds what is reported: the readable properties of the model, with
// those curves that were given in their place.
func sourcesOf(m *thing.Model, given map[string]*curve.Spec) (out []source) {
	if m == nil {
		for _, id := range slices.Sorted(maps.Keys(given)) {
			out = append(out, source{id: id, shape: shape{spec: given[id]}})
		}
		return out
	}
	for i := range m.Properties {
		p := &m.Properties[i]
		if p.Access == thing.WriteOnly {
			continue
		}
		s := shapeOf(&p.Type, 0)
		if spec := given[p.ID]; spec != nil {
			s = shape{kind: p.Type.Kind, spec: spec}
		}
		out = append(out, source{p.ID, s, &p.Type})
	}
	return out
}

// sourcesOfParams finds what an event or a call says: the parameters of the
// model, with those curves that were given in their place; where there is no
// model, what was given.
func sourcesOfParams(modelled bool, params []thing.Param, given map[string]*curve.Spec) (out []source) {
	if !modelled {
		return sourcesOf(nil, given)
	}
	for i := range params {
		p := &params[i]
		s := shapeOf(&p.Type, 0)
		if spec := given[p.ID]; spec != nil {
			s = shape{kind: p.Type.Kind, spec: spec}
		}
		out = append(out, source{p.ID, s, &p.Type})
	}
	return out
}

// curvesOf counts the curves of sources.
func curvesOf(all []source) (n int) {
	for i := range all {
		n += all[i].shape.curves()
	}
	return n
}

// maxShapeDepth bounds structs inside one another.
const maxShapeDepth = 8

// shapeOf makes values that a type allows: numbers that walk within its
// bounds, switches and enums that change now and then.
func shapeOf(t *thing.DataType, depth int) shape {
	s := shape{kind: t.Kind}
	switch t.Kind {
	case thing.Struct:
		for i := range t.Fields {
			if depth < maxShapeDepth {
				s.fields = append(s.fields, source{id: t.Fields[i].ID, shape: shapeOf(&t.Fields[i].Type, depth+1)})
			}
		}
	case thing.Array:
		s.items = 3
		if t.Size > 0 {
			s.items = min(s.items, t.Size)
		}
		if t.Item != nil && depth < maxShapeDepth {
			s.fields = []source{{shape: shapeOf(t.Item, depth+1)}}
		}
	case thing.Date:
	default:
		s.spec = specOf(t)
	}
	return s
}

// specOf is the curve that suits a plain type.
func specOf(t *thing.DataType) *curve.Spec {
	whole, low, high := 0, 0.0, 100.0
	spec := &curve.Spec{Decimals: &whole}
	switch t.Kind {
	case thing.Bool:
		spec.Curve, spec.Values, spec.Random = "steps", []float64{0, 1}, true
	case thing.Enum, thing.Bitmap:
		spec.Curve, spec.Random = "steps", true
		for _, l := range t.Labels {
			spec.Values = append(spec.Values, float64(l.Value))
		}
		if len(spec.Values) == 0 {
			spec.Values = []float64{0}
		}
	case thing.Text:
		texts := []string{"ok", "on", "up"}
		for i, s := range texts {
			if t.Length > 0 && len(s) > t.Length {
				texts[i] = s[:t.Length]
			}
		}
		spec.Texts, spec.Random = texts, true
	default:
		if t.Min != nil {
			low = *t.Min
			high = max(high, low)
		}
		if t.Max != nil {
			high = *t.Max
			low = min(low, high)
		}
		spec.Curve, spec.Low, spec.High = "walk", &low, &high
		if t.Kind == thing.Float || t.Kind == thing.Double {
			decimals := decimalsOf(t.Step)
			spec.Decimals = &decimals
		}
	}
	spec.Check(func(field, format string, args ...any) { // a range wider than numbers are
		low, high := -1e6, 1e6
		spec.Low, spec.High, spec.Step = &low, &high, 0
	})
	spec.Check(func(string, string, ...any) {})
	return spec
}

// decimalsOf is how many digits a step has behind its point.
func decimalsOf(step *float64) int {
	if step == nil || *step <= 0 {
		return 1
	}
	for n := range 6 {
		if s := strconv.FormatFloat(*step, 'f', n, 64); s != "" {
			if f, _ := strconv.ParseFloat(s, 64); f == *step {
				return n
			}
		}
	}
	return 6
}

// begin makes the curves of one device for a list of sources.
func begin(all []source, seed uint64, curves []curve.Curve) []curve.Curve {
	for i := range all {
		s := &all[i].shape
		seed := curve.Seed(seed, all[i].id)
		if s.spec != nil {
			curves = append(curves, s.spec.New(seed))
		}
		curves = begin(s.fields, seed, curves)
	}
	return curves
}

// value makes one value; the curves that it used are taken off.
func (s *shape) value(m curve.Moment, unixMilli int64, curves *[]curve.Curve) (v thing.Value, ok bool) {
	switch {
	case s.spec != nil:
		c := &(*curves)[0]
		*curves = (*curves)[1:]
		v, ok = c.Value(m)
		return s.fit(v), ok
	case s.kind == thing.Date:
		return thing.IntValue(unixMilli), true
	case s.kind == thing.Array:
		b := []byte{'['}
		if len(s.fields) == 1 {
			item, _ := s.fields[0].shape.value(m, unixMilli, curves)
			for i := range s.items {
				if i > 0 {
					b = append(b, ',')
				}
				b = item.AppendJSON(b)
			}
		}
		return thing.ListValue(string(append(b, ']'))), true
	}
	args := make([]thing.Argument, 0, len(s.fields))
	for i := range s.fields {
		if x, ok := s.fields[i].shape.value(m, unixMilli, curves); ok {
			args = append(args, thing.Argument{ID: s.fields[i].id, Value: x})
		}
	}
	return thing.ObjectValue(string(thing.AppendArguments(nil, args))), true
}

// fit brings a curve's number into the type of the model.
func (s *shape) fit(v thing.Value) thing.Value {
	f, isNumber := v.Number()
	switch {
	case !isNumber || s.kind == 0:
		return v
	case s.kind == thing.Bool:
		return thing.BoolValue(f >= 0.5)
	case s.kind == thing.Float || s.kind == thing.Double:
		return thing.FloatValue(f)
	case s.kind == thing.Text:
		return thing.TextValue(v.String())
	}
	return thing.IntValue(int64(f))
}
