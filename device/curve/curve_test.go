package curve

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/thing"
)

// spec reads a curve from YAML and wants it to be right.
func spec(t testing.TB, text string) *Spec {
	t.Helper()
	var s Spec
	if _, err := yamldoc.Read("curve", []byte(text), &s); err != nil {
		t.Fatal(err)
	}
	s.Check(func(field, format string, args ...any) {
		t.Fatalf("%s: %s", field, fmt.Sprintf(format, args...))
	})
	return &s
}

func read(t *testing.T, s *Spec, seed uint64, at ...time.Duration) (out []float64) {
	t.Helper()
	c := s.New(seed)
	for _, x := range at {
		v, ok := c.Read(Moment{Since: x, Clock: x})
		if !ok {
			v = math.NaN()
		}
		out = append(out, v)
	}
	return out
}

const h = time.Hour

func TestCourses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		at         []time.Duration
		want       string
	}{
		{"constant", "value: 21.52\ndecimals: 2", []time.Duration{0, h}, "[21.52 21.52]"},
		{"sine begins in the middle and rises", "curve: sine\nlow: 0\nhigh: 100\nperiod: 4s",
			[]time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}, "[50 100 50 0 50]"},
		{"sine with a phase", "curve: sine\nlow: 0\nhigh: 100\nperiod: 4s\nphase: 25%", []time.Duration{0, time.Second}, "[100 50]"},
		{"a day has its peak at half past two", "curve: day\nlow: 10\nhigh: 30", []time.Duration{14*h + h/2, 2*h + h/2, 8*h + h/2}, "[30 10 20]"},
		{"a day with another peak", "curve: day\nlow: 10\nhigh: 30\npeak: 12:00", []time.Duration{12 * h, 0, 18 * h}, "[30 10 20]"},
		{"the sun", "curve: sun\nlow: 2\nhigh: 802\ndecimals: 0", []time.Duration{0, 6 * h, 12*h + h/2, 20 * h}, "[2 2 802 2]"},
		{"steps come again", "values: [1, 5, 3]\nhold: 10s", []time.Duration{0, 9 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second}, "[1 1 5 3 1]"},
	} {
		if got := fmt.Sprint(read(t, spec(t, tt.text), 1, tt.at...)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func times(n int, every time.Duration) (out []time.Duration) {
	for i := range n {
		out = append(out, time.Duration(i)*every)
	}
	return out
}

// TestSameSeedSameValues holds for what is random: whoever asks at the same
// times hears the same, another seed says something else.
func TestSameSeedSameValues(t *testing.T) {
	for _, text := range []string{
		"curve: walk\nlow: 0\nhigh: 100\nstep: 3",
		"curve: sine\nlow: 0\nhigh: 100\nnoise: 2",
		"values: [1, 2, 3, 4, 5, 6, 7, 8]\nrandom: true\nhold: 1s",
		"value: 5\nnoise: 3\nfails: 20%",
	} {
		s := spec(t, text)
		a, b, other := fmt.Sprint(read(t, s, 7, times(50, time.Second)...)), fmt.Sprint(read(t, s, 7, times(50, time.Second)...)), fmt.Sprint(read(t, s, 8, times(50, time.Second)...))
		if a != b {
			t.Errorf("%s: one seed said\n%s\nand\n%s", text, a, b)
		}
		if a == other {
			t.Errorf("%s: two seeds said %s", text, a)
		}
	}
}

// TestWalkStaysAndMoves checks the range, the width of a step, and that how
// often somebody asks changes nothing.
func TestWalkStaysAndMoves(t *testing.T) {
	s := spec(t, "curve: walk\nlow: 10\nhigh: 20\nstep: 2\nstart: 15\ndecimals: 6\nevery: 1s")
	all := read(t, s, 3, times(2000, time.Second)...)
	if all[0] != 15 {
		t.Errorf("it starts at %v", all[0])
	}
	low, high := 15.0, 15.0
	for i := 1; i < len(all); i++ {
		low, high = min(low, all[i]), max(high, all[i])
		if all[i] < 10 || all[i] > 20 || math.Abs(all[i]-all[i-1]) > 2 {
			t.Fatalf("step %d goes from %v to %v", i, all[i-1], all[i])
		}
	}
	if high-low < 8 {
		t.Errorf("in 2000 steps it went from %v to %v only", low, high)
	}
	if got := read(t, s, 3, 1999*time.Second)[0]; got != all[1999] {
		t.Errorf("asked once it is at %v, asked 2000 times at %v", got, all[1999])
	}
	if got := read(t, s, 3, 1e6*time.Hour)[0]; got < 10 || got > 20 {
		t.Errorf("after a hundred years: %v", got)
	}
}

func TestNoiseHasItsDeviation(t *testing.T) {
	s := spec(t, "value: 50\nnoise: 2\ndecimals: 6")
	sum, squares := 0.0, 0.0
	const n = 20_000
	for _, v := range read(t, s, 1, times(n, time.Second)...) {
		sum, squares = sum+v-50, squares+(v-50)*(v-50)
	}
	if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.06 || math.Abs(deviation-2) > 0.06 {
		t.Errorf("mean %v, deviation %v; want 0 and 2", mean, deviation)
	}
	for _, v := range read(t, spec(t, "curve: sine\nlow: 0\nhigh: 1\nnoise: 5"), 1, times(1000, time.Second)...) {
		if v < 0 || v > 1 {
			t.Fatalf("noise leaves the range: %v", v)
		}
	}
}

func TestFailsAsOftenAsItSays(t *testing.T) {
	failed := 0
	for _, v := range read(t, spec(t, "value: 1\nfails: 10%"), 5, times(10_000, time.Second)...) {
		if math.IsNaN(v) {
			failed++
		}
	}
	if failed < 850 || failed > 1150 {
		t.Errorf("%d of 10000 failed, want 1000 or so", failed)
	}
}

func TestValueHasItsType(t *testing.T) {
	for text, want := range map[string]thing.Value{
		"value: 21.55":                    thing.FloatValue(21.6),
		"value: 21.5\ndecimals: 0":        thing.IntValue(22),
		"value: 1\ntype: bool":            thing.BoolValue(true),
		"texts: [ok, low battery]":        thing.TextValue("ok"),
		"value: -0.04":                    thing.FloatValue(math.Copysign(0, -1)),
		"curve: walk\nlow: 3\nhigh: 3":    thing.FloatValue(3),
		"values: [0]\ntype: bool":         thing.BoolValue(false),
		"curve: sine\nlow: 4\nhigh: 4.0 ": thing.FloatValue(4),
	} {
		c := spec(t, text).New(1)
		if got, ok := c.Value(Moment{}); !ok || got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestMistakesNameFieldAndRemedy(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"curve: sinus", `curve: there is no curve "sinus"; did you mean sine?`},
		{"curve: bezier", `curve: there is no curve "bezier"; there are constant, sine, day, sun, walk, steps, file`},
		{"curve: sine\nlow: 1", "high: the curve sine needs low and high, for instance high: 29"},
		{"noise: 1", "low: the curve walk needs low and high, for instance low: 18"},
		{"low: 5\nhigh: 3", "high: 3 is below low, 5: swap them"},
		{"low: -1e308\nhigh: 1e308", "high: the range from -1e+308 to 1e+308 is too wide"},
		{"low: 1\nhigh: 3\nstart: 4", "start: 4 is not between low, 1, and high, 3"},
		{"low: 1\nhigh: 3\nstep: 4", "step: 4 is wider than the range from 1 to 3"},
		{"low: 1\nhigh: 3\nstep: -1", "step: -1 is below 0: steps go both ways anyhow"},
		{"curve: constant", "value: a constant needs its value, for instance value: 21.5"},
		{"curve: steps", "values: steps need values, for instance values: [0, 1]"},
		{"curve: file", "file: the curve file needs the name of a CSV file, for instance file: day.csv"},
		{"curve: sun\nlow: 0\nhigh: 1\nsunrise: 19:00", "sunset: the sun sets before it rises"},
		{"value: 1\nnoise: -2", "noise: -2 is below 0: it is a deviation to both sides"},
		{"value: 1\ndecimals: 12", "decimals: 12 is not from 0 to 9"},
		{"value: 1\nperiod: 1us", "period: 1µs is below 1ms"},
		{"value: 1\ntype: integer", `type: "integer" is none of number, bool, text`},
		{"value: 1\ntype: text", "texts: a text needs texts to choose from, for instance texts: [ok, low]"},
		{"texts: [a, b]\nvalues: [1]", "values: values are the places of texts: leave them out"},
		{"values: [" + strings.Repeat("1,", maxValues) + "1]", "values: 10001 values are more than 10000: use a file"},
	} {
		var s Spec
		if _, err := yamldoc.Read("curve", []byte(tt.text), &s); err != nil {
			t.Fatal(err)
		}
		var got []string
		s.Check(func(field, format string, args ...any) { got = append(got, field+": "+fmt.Sprintf(format, args...)) })
		if len(got) == 0 || got[0] != tt.want {
			t.Errorf("%.60s:\n%q\nwant %q", tt.text, got, tt.want)
		}
	}
	var s Spec
	if _, err := yamldoc.Read("curve", []byte("peak: noon"), &s); err == nil || !strings.Contains(err.Error(), `peak: "noon" is no time of day: write 06:30`) {
		t.Error(err)
	}
}

func TestFile(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name, spec, content string
		at                  []time.Duration
		want                string
	}{
		{"a value a line, again at the end", "file: f", "1\n2\n3\n", []time.Duration{0, s, 2 * s, 3 * s}, "[1 2 3 1]"},
		{"slower", "file: f\nevery: 10s", "1\n2", []time.Duration{9 * s, 10 * s}, "[1 2]"},
		{"columns", "file: f\ncolumn: t", "\xEF\xBB\xBFt,h\n21.5,60\n22.5,61\n", []time.Duration{0, s}, "[21.5 22.5]"},
		{"the last column", "file: f", "t,h\n21.5,60\n22.5,61\n", []time.Duration{0, s}, "[60 61]"},
		{"times, the last line lasts a second", "file: f", "time,v\n100,1\n110,2\n1m55s,3\n", []time.Duration{0, 9 * s, 10 * s, 15 * s, 16 * s}, "[1 1 2 3 1]"},
		{"comments", "file: f", "# a day\n7\n", []time.Duration{0}, "[7]"},
	} {
		sp := spec(t, tt.spec)
		if err := sp.Load([]byte(tt.content)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := fmt.Sprint(read(t, sp, 1, tt.at...)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct{ spec, content, want string }{
		{"file: f", "", "f holds no values"},
		{"file: f", "t\n", "f holds no values"},
		{"file: f\ncolumn: x", "t,h\n1,2\n", `f has no column "x" in its first line: there are t, h`},
		{"file: f\ncolumn: time", "time\n1\n", "f has a column of times and none of values"},
		{"file: f", "1\nwarm\n", `f:2: "warm" is no number`},
		{"file: f", "1\nNaN\n", `f:2: "NaN" is no number`},
		{"file: f", "time,v\n1,1\n1,2\n", "f:3: time 1 is not after the one before it"},
		{"file: f", "time,v\nnoon,1\n", `f:2: time "noon" is no time: write seconds, or 1m30s`},
		{"file: f", "1,2\n1\n", "f: record on line 2: wrong number of fields"},
	} {
		if err := spec(t, tt.spec).Load([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v, want %s", tt.content, err, tt.want)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add("v", "time,v\n1,2\n3s,4\n")
	f.Add("", "1\n2\n")
	f.Fuzz(func(t *testing.T, column, content string) {
		s := spec(t, "file: f")
		s.Column = column
		if s.Load([]byte(content)) != nil {
			return
		}
		c := s.New(1)
		for _, at := range []time.Duration{0, time.Second, math.MaxInt64} {
			if v, ok := c.Read(Moment{Since: at}); !ok || math.IsNaN(v) {
				t.Errorf("%v: %v, %v", at, v, ok)
			}
		}
	})
}

func TestAt(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	now := time.Date(2026, 7, 1, 6, 30, 0, 0, zone)
	if got, want := At(now.Add(-time.Minute), now), (Moment{time.Minute, 6*h + h/2}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSeed(t *testing.T) {
	if Seed(1, "ab", "c") == Seed(1, "a", "bc") || Seed(1, "a") == Seed(2, "a") {
		t.Error("two curves have one seed")
	}
}

func BenchmarkRead(b *testing.B) {
	c := spec(b, "curve: walk\nlow: 0\nhigh: 100\nnoise: 1").New(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Value(Moment{Since: time.Duration(i) * time.Second})
	}
}
