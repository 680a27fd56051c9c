package curve

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
)

// Curves are the courses that a Spec can name.
var Curves = []string{"constant", "sine", "day", "sun", "walk", "steps", "file"}

// A Spec describes a sensor's course, as it stands in YAML.
type Spec struct {
	Curve string `yaml:"curve"` // see Curves; empty: constant where value is given, else walk
	Type  string `yaml:"type"`  // number, bool or text; empty: number, text where texts are given

	Value *float64 `yaml:"value"` // constant
	Low   *float64 `yaml:"low"`   // sine, day, sun, walk: the range
	High  *float64 `yaml:"high"`

	Period time.Duration `yaml:"period"` // sine; 0: ten minutes
	Phase  yamldoc.Share `yaml:"phase"`  // sine: which part of a period it begins with

	Peak    *Clock `yaml:"peak"`    // day: the warmest hour; nil: 14:30
	Sunrise *Clock `yaml:"sunrise"` // sun; nil: 06:30
	Sunset  *Clock `yaml:"sunset"`  // sun; nil: 18:30

	Start *float64      `yaml:"start"` // walk; nil: anywhere in the range
	Step  float64       `yaml:"step"`  // walk: farthest in one step; 0: a fiftieth of the range
	Every time.Duration `yaml:"every"` // walk: time of a step; file: time of a line. 0: a second

	Values []float64     `yaml:"values"` // steps
	Texts  []string      `yaml:"texts"`  // steps of a text
	Hold   time.Duration `yaml:"hold"`   // steps: time of each; 0: ten seconds
	Random bool          `yaml:"random"` // steps: in no order

	File   string `yaml:"file"`   // file: CSV
	Column string `yaml:"column"` // file; empty: the last

	Noise    float64       `yaml:"noise"`    // standard deviation
	Decimals *int          `yaml:"decimals"` // nil: 1
	Fails    yamldoc.Share `yaml:"fails"`    // how often reading gives nothing

	lines *lines
}

// A Clock is a time of day: 06:30.
type Clock time.Duration

// UnmarshalText reads hh:mm.
func (c *Clock) UnmarshalText(text []byte) error {
	t, err := time.Parse("15:04", string(text))
	if err != nil {
		return wording.Errorf("%q is no time of day: write 06:30", text)
	}
	*c = Clock(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
	return nil
}

// The bounds of a Spec.
const (
	maxValues   = 10_000
	maxDecimals = 9
	minPeriod   = time.Millisecond
)

// Check fills in what was left out and tells tell of each mistake, by the name
// of the field. Where there was none the Spec is ready for New, a file only
// after Load.
func (s *Spec) Check(tell func(field, format string, args ...any)) {
	s.fill()
	if !slices.Contains(Curves, s.Curve) {
		if near := yamldoc.Nearest(s.Curve, Curves); near != "" {
			tell("curve", "there is no curve %q; did you mean %s?", s.Curve, near)
			return
		}
		tell("curve", "there is no curve %q; there are %s", s.Curve, strings.Join(Curves, ", "))
		return
	}
	if !slices.Contains([]string{"number", "bool", "text"}, s.Type) {
		tell("type", "%q is none of number, bool, text", s.Type)
	}
	s.checkOwn(tell)
	s.checkRange(tell)
	switch {
	case s.Noise < 0:
		tell("noise", "%v is below 0: it is a deviation to both sides", s.Noise)
	case *s.Decimals < 0 || *s.Decimals > maxDecimals:
		tell("decimals", "%d is not from 0 to %d", *s.Decimals, maxDecimals)
	}
}

func (s *Spec) fill() {
	if s.Curve == "" {
		switch {
		case s.Value != nil:
			s.Curve = "constant"
		case len(s.Values) > 0 || len(s.Texts) > 0:
			s.Curve = "steps"
		case s.File != "":
			s.Curve = "file"
		default:
			s.Curve = "walk"
		}
	}
	if s.Type == "" {
		s.Type = "number"
		if len(s.Texts) > 0 {
			s.Type = "text"
		}
	}
	if s.Type == "text" && len(s.Values) == 0 {
		for i := range s.Texts {
			s.Values = append(s.Values, float64(i))
		}
	}
	or := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	or(&s.Period, 10*time.Minute)
	or(&s.Every, time.Second)
	or(&s.Hold, 10*time.Second)
	clock := func(c **Clock, hours float64) {
		if *c == nil {
			x := Clock(hours * float64(time.Hour))
			*c = &x
		}
	}
	clock(&s.Peak, 14.5)
	clock(&s.Sunrise, 6.5)
	clock(&s.Sunset, 18.5)
	if s.Decimals == nil {
		one := 1
		if s.Type != "number" {
			one = 0
		}
		s.Decimals = &one
	}
	if s.Step == 0 && s.Low != nil && s.High != nil {
		s.Step = (*s.High - *s.Low) / 50
	}
}

// checkOwn finds what a curve needs.
func (s *Spec) checkOwn(tell func(field, format string, args ...any)) {
	switch s.Curve {
	case "constant":
		if s.Value == nil {
			tell("value", "a constant needs its value, for instance value: 21.5")
		}
	case "sine", "day", "sun", "walk":
		if s.Low == nil {
			tell("low", "the curve %s needs low and high, for instance low: 18", s.Curve)
		}
		if s.High == nil {
			tell("high", "the curve %s needs low and high, for instance high: 29", s.Curve)
		}
	case "steps":
		switch n := len(s.Values); {
		case n == 0:
			tell("values", "steps need values, for instance values: [0, 1]")
		case n > maxValues:
			tell("values", "%d values are more than %d: use a file", n, maxValues)
		case s.Type == "text" && n != len(s.Texts):
			tell("values", "values are the places of texts: leave them out")
		}
	case "file":
		if s.File == "" {
			tell("file", "the curve file needs the name of a CSV file, for instance file: day.csv")
		}
	}
	if s.Curve == "sun" && *s.Sunset <= *s.Sunrise {
		tell("sunset", "the sun sets before it rises")
	}
	for name, d := range map[string]time.Duration{"period": s.Period, "every": s.Every, "hold": s.Hold} {
		if d < minPeriod {
			tell(name, "%v is below %v", d, minPeriod)
		}
	}
	if s.Type == "text" && len(s.Texts) == 0 {
		tell("texts", "a text needs texts to choose from, for instance texts: [ok, low]")
	}
}

func (s *Spec) checkRange(tell func(field, format string, args ...any)) {
	if s.Low == nil || s.High == nil {
		return
	}
	switch {
	case *s.High < *s.Low:
		tell("high", "%v is below low, %v: swap them", *s.High, *s.Low)
	case math.IsInf(*s.High-*s.Low, 0):
		tell("high", "the range from %v to %v is too wide", *s.Low, *s.High)
	case s.Start != nil && (*s.Start < *s.Low || *s.Start > *s.High):
		tell("start", "%v is not between low, %v, and high, %v", *s.Start, *s.Low, *s.High)
	case s.Step < 0:
		tell("step", "%v is below 0: steps go both ways anyhow", s.Step)
	case s.Curve == "walk" && *s.High > *s.Low && s.Step > *s.High-*s.Low:
		tell("step", "%v is wider than the range from %v to %v", s.Step, *s.Low, *s.High)
	}
}

func (s *Spec) low() float64 {
	if s.Low == nil {
		return 0
	}
	return *s.Low
}

func (s *Spec) high() float64 {
	if s.High == nil {
		return s.low()
	}
	return *s.High
}

func (s *Spec) decimals() int {
	if s.Decimals == nil {
		return 1
	}
	return *s.Decimals
}
