package virtual

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/device"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/thing"
)

// The bounds of what a description may ask for.
const (
	minEvery = 10 * time.Millisecond
	maxQueue = 100_000
	maxDelay = time.Hour
)

// check fills in what was left out and tells mistakes.
func (a *Actuator) check(tell func(field, format string, args ...any)) {
	initial := native(a.Initial)
	if a.Type == "" {
		number := a.Low != nil || a.High != nil || a.Whole || initial.Shape == thing.Integer || initial.Shape == thing.Real
		switch {
		case len(a.Texts) > 0 || initial.Shape == thing.String:
			a.Type = "text"
		case number:
			a.Type = "number"
		default:
			a.Type = "bool"
		}
	}
	if !slices.Contains([]string{"bool", "number", "text"}, a.Type) {
		tell("type", "%q is none of bool, number, text", a.Type)
		return
	}
	switch {
	case a.Low != nil && a.High != nil && *a.High < *a.Low:
		tell("high", "%v is below low, %v: swap them", *a.High, *a.Low)
		return
	case a.Delay > maxDelay:
		tell("delay", "%v is longer than %v", a.Delay, maxDelay)
	}
	if a.Initial == nil {
		a.Initial = a.nothing()
		return
	}
	v, err := a.take(initial)
	if err != nil {
		tell("initial", "%v", err)
		return
	}
	a.Initial = v
}

// nothing is the value of an actuator that was not given any.
func (a *Actuator) nothing() any {
	switch {
	case a.Type == "bool":
		return thing.BoolValue(false)
	case a.Type == "text" && len(a.Texts) > 0:
		return thing.TextValue(a.Texts[0])
	case a.Type == "text":
		return thing.TextValue("")
	case a.Low != nil:
		return number(*a.Low, a.Whole)
	}
	return number(0, a.Whole)
}

func number(f float64, whole bool) thing.Value {
	if whole {
		return thing.IntValue(int64(f))
	}
	return thing.FloatValue(f)
}

// take brings a value into the actuator's shape; the error says what it takes.
func (a *Actuator) take(v thing.Value) (thing.Value, error) {
	switch a.Type {
	case "bool":
		on, ok := device.Params{"": v}.Bool("")
		if word, is := yamldoc.Switch(v.Text); v.Shape == thing.String && is {
			on, ok = word, true
		}
		if !ok {
			return v, wording.Errorf("%s is no switch: write on or off", v)
		}
		return thing.BoolValue(on), nil
	case "text":
		if v.Shape != thing.String {
			v = thing.TextValue(v.String())
		}
		if len(a.Texts) > 0 && !slices.Contains(a.Texts, v.Text) {
			return v, wording.Errorf("%q is none of %s", v.Text, strings.Join(a.Texts, ", "))
		}
		return v, nil
	}
	f, ok := device.Params{"": v}.Float("")
	switch {
	case !ok:
		return v, wording.Errorf("%s is no number", v)
	case a.Low != nil && f < *a.Low:
		return v, wording.Errorf("%v is below the lowest, %v", f, *a.Low)
	case a.High != nil && f > *a.High:
		return v, wording.Errorf("%v is above the highest, %v", f, *a.High)
	case a.Whole && (f != math.Trunc(f) || math.Abs(f) > 1<<53):
		return v, wording.Errorf("%v is no whole number", f)
	}
	return number(f, a.Whole), nil
}

// native is a value of YAML in the words of thing.
func native(v any) thing.Value {
	switch x := v.(type) {
	case thing.Value:
		return x
	case bool:
		return thing.BoolValue(x)
	case int64:
		return thing.IntValue(x)
	case float64:
		return thing.FloatValue(x)
	case string:
		return thing.TextValue(x)
	}
	return thing.NullValue
}

// plain is a value as package device reports it.
func plain(v thing.Value) any {
	switch v.Shape {
	case thing.Boolean:
		return v.Bool
	case thing.Integer:
		return v.Int
	case thing.Real:
		return v.Float
	case thing.String:
		return v.Text
	}
	return v
}
