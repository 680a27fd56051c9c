// Package curve is what virtual sensors measure: values over time, such as a
// day's temperature, a random walk or the lines of a file.
//
// A curve is a function of its seed and the time: who asks at the same times
// with the same seed gets the same values, noise included. It has no clock,
// and it costs a few words of memory, so that a million of them fit.
package curve

import (
	"math"
	"time"

	"github.com/matou-iot/matou/thing"
)

// A Moment is when a sensor is read.
type Moment struct {
	Since time.Duration // since the curve began
	Clock time.Duration // since midnight, where the sensor is
}

// At is the moment of a clock's time.
func At(began, now time.Time) Moment {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	return Moment{Since: now.Sub(began), Clock: now.Sub(midnight)}
}

// A Curve is one sensor's course. It belongs to one goroutine.
type Curve struct {
	spec  *Spec
	seed  uint64
	ticks int64   // of a walk: steps taken
	level float64 // of a walk: where it is
}

// New begins a curve. s has to be checked (Spec.Check) and loaded.
func (s *Spec) New(seed uint64) Curve {
	c := Curve{spec: s, seed: mix(seed)}
	c.level = s.low() + uniform(c.seed, saltStart)*(s.high()-s.low())
	if s.Start != nil {
		c.level = *s.Start
	}
	return c
}

// The purposes that random numbers are drawn for: each has its own.
const (
	saltStart uint64 = iota + 1
	saltWalk
	saltNoise
	saltNoise2
	saltFail
	saltStep
)

// Read measures. It reports false where the sensor gives no value this time,
// as Fails says.
func (c *Curve) Read(m Moment) (float64, bool) {
	s := c.spec
	if s.Fails > 0 && uniform(c.seed^uint64(m.Since), saltFail) < float64(s.Fails) {
		return 0, false
	}
	v := c.course(m)
	if s.Noise > 0 {
		v += s.Noise * normal(c.seed^uint64(m.Since))
		if s.Low != nil {
			v = max(v, s.low())
		}
		if s.High != nil {
			v = min(v, s.high())
		}
	}
	scale := math.Pow10(s.decimals())
	return math.Round(v*scale) / scale, true
}

// Value is Read in the shape that the sensor's type asks for.
func (c *Curve) Value(m Moment) (thing.Value, bool) {
	v, ok := c.Read(m)
	if !ok {
		return thing.Value{}, false
	}
	switch s := c.spec; {
	case s.Type == "bool":
		return thing.BoolValue(v >= 0.5), true
	case s.Type == "text":
		i := max(0, min(int(v), len(s.Texts)-1))
		return thing.TextValue(s.Texts[i]), true
	case s.decimals() == 0:
		return thing.IntValue(int64(v)), true
	}
	return thing.FloatValue(v), true
}

// course is the curve without noise.
func (c *Curve) course(m Moment) float64 {
	s := c.spec
	low, span := s.low(), s.high()-s.low()
	switch s.Curve {
	case "sine":
		turns := float64(m.Since)/float64(s.Period) + float64(s.Phase)
		return low + span*(1+math.Sin(2*math.Pi*turns))/2
	case "day":
		turns := float64(m.Clock-time.Duration(*s.Peak)) / float64(24*time.Hour)
		return low + span*(1+math.Cos(2*math.Pi*turns))/2
	case "sun":
		up, down := time.Duration(*s.Sunrise), time.Duration(*s.Sunset)
		if m.Clock <= up || m.Clock >= down {
			return low
		}
		return low + span*math.Sin(math.Pi*float64(m.Clock-up)/float64(down-up))
	case "walk":
		return c.walk(int64(m.Since / s.Every))
	case "steps":
		return c.steps(int64(m.Since / s.Hold))
	case "file":
		return s.line(m.Since)
	}
	return *s.Value
}

// maxSteps bounds the work of a walk that was not asked for long: of the steps
// missed, the last so many are taken.
const maxSteps = 10_000

// walk goes to tick, and is turned back where it would leave its range.
func (c *Curve) walk(tick int64) float64 {
	s := c.spec
	low, high := s.low(), s.high()
	c.ticks = max(c.ticks, tick-maxSteps)
	for c.ticks < tick {
		c.ticks++
		c.level += s.Step * (2*uniform(c.seed^uint64(c.ticks), saltWalk) - 1)
		if c.level > high {
			c.level = max(low, 2*high-c.level)
		}
		if c.level < low {
			c.level = min(high, 2*low-c.level)
		}
	}
	return c.level
}

func (c *Curve) steps(k int64) float64 {
	v := c.spec.Values
	if c.spec.Random {
		return v[int(uniform(c.seed^uint64(k), saltStep)*float64(len(v)))]
	}
	return v[k%int64(len(v))]
}

// mix is the finalizer of SplitMix64: neighbouring numbers become strangers.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// uniform is a number in [0, 1) that belongs to x and the purpose.
func uniform(x, salt uint64) float64 { return float64(mix(mix(x)^salt)>>11) / (1 << 53) }

// normal is a number with deviation 1 that belongs to x [Box, Muller 1958].
func normal(x uint64) float64 {
	u := 1 - uniform(x, saltNoise)
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*uniform(x, saltNoise2))
}

// Seed joins numbers and names to the seed of one curve.
func Seed(seed uint64, names ...string) uint64 {
	for _, n := range names {
		for i := range len(n) {
			seed = (seed ^ uint64(n[i])) * 0x100000001B3
		}
		seed = mix(seed)
	}
	return seed
}

// Chance is true of a share of all x.
func Chance(x uint64, share float64) bool { return share > 0 && Uniform(x) < share }

// Uniform is the number in [0, 1) that belongs to x.
func Uniform(x uint64) float64 { return uniform(x, saltFail) }
