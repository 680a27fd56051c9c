package device

import (
	"math"

	"github.com/matou-iot/matou/thing"
)

// Params are the values of a set or the input of a service, by identifier.
type Params map[string]thing.Value

// Bool is a switch, however it was written: true, 1 or "1". ok is false if
// there is none or it is no switch.
func (p Params) Bool(id string) (on, ok bool) {
	v, there := p[id]
	if !there {
		return false, false
	}
	switch v.Shape {
	case thing.Boolean:
		return v.Bool, true
	case thing.Integer:
		return v.Int == 1, v.Int == 0 || v.Int == 1
	case thing.String:
		return v.Text == "1" || v.Text == "true", v.Text == "0" || v.Text == "1" || v.Text == "true" || v.Text == "false"
	}
	return false, false
}

// Float is a number. ok is false if there is none or it is no number.
func (p Params) Float(id string) (f float64, ok bool) {
	switch v := p[id]; v.Shape {
	case thing.Integer:
		return float64(v.Int), true
	case thing.Real:
		return v.Float, true
	}
	return 0, false
}

// Int is a whole number, 3.0 too. ok is false if there is none or it is no
// whole number.
func (p Params) Int(id string) (n int64, ok bool) {
	switch v := p[id]; {
	case v.Shape == thing.Integer:
		return v.Int, true
	case v.Shape == thing.Real && v.Float == math.Trunc(v.Float) && math.Abs(v.Float) < 1<<53:
		return int64(v.Float), true
	}
	return 0, false
}

// Text is a string. ok is false if there is none or it is no string.
func (p Params) Text(id string) (s string, ok bool) {
	v := p[id]
	return v.Text, v.Shape == thing.String
}
