package yamldoc

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

type inner struct {
	Low  float64       `yaml:"low"`
	High *float64      `yaml:"high"`
	Wait time.Duration `yaml:"wait"`
}

type outer struct {
	Name   string           `yaml:"name"`
	Count  int              `yaml:"count"`
	Seed   uint64           `yaml:"seed"`
	On     bool             `yaml:"on"`
	Share  Share            `yaml:"share"`
	Values map[string]inner `yaml:"values"`
	List   []inner          `yaml:"list"`
	Free   any              `yaml:"free"`
	inner  `yaml:",inline"`
}

func TestRead(t *testing.T) {
	var got outer
	d, err := Read("x.yaml", []byte(`
name: bench
count: 1_000
seed: 42
on: yes
share: 12.5%
low: 1
values:
  t: {low: -1.5, high: 3, wait: 1m30s}
  h:
list:
  - low: 2
free: {a: 1, b: [1.5, on, text, "1"]}
`), &got)
	if err != nil {
		t.Fatal(err)
	}
	three := 3.0
	want := outer{Name: "bench", Count: 1000, Seed: 42, On: true, Share: 0.125, inner: inner{Low: 1},
		Values: map[string]inner{"t": {-1.5, &three, 90 * time.Second}, "h": {}}, List: []inner{{Low: 2}},
		Free: map[string]any{"a": int64(1), "b": []any{1.5, true, "text", "1"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	for field, line := range map[string]int{"values.t.low": 9, "values.t.none": 9, "list[0].low": 12, "free.b[2]": 13, "values.h": 10, "none": 0} {
		if got := d.Line(field); got != line {
			t.Errorf("%s stands in line %d, want %d", field, got, line)
		}
	}
	if !d.Has("values.t.high") || d.Has("values.h.high") {
		t.Error("Has")
	}
}

func TestMistakesNameLineFieldAndRemedy(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown, near", "name: a\ncuont: 3", "x.yaml:2: cuont: there is no such field; did you mean count?"},
		{"unknown, far", "values:\n  t: {colour: 3}", "x.yaml:2: values.t.colour: there is no such field; there are low, high, wait"},
		{"twice", "name: a\nname: b", `x.yaml:2: name: it stands here twice: delete one`},
		{"no number", "count: many", `x.yaml:1: count: "many" is no whole number`},
		{"below 0", "seed: -1", `x.yaml:1: seed: "-1" is no whole number from 0 on`},
		{"infinite", "low: .inf", `x.yaml:1: low: ".inf" is no number`},
		{"no switch", "on: maybe", `x.yaml:1: on: "maybe" is no switch: write true or false`},
		{"no time", "wait: 10", `x.yaml:1: wait: "10" is no time: write it with its unit, such as 500ms, 10s, 1m30s, 2h or 1d`},
		{"time below 0", "wait: -1s", `x.yaml:1: wait: "-1s" is below 0`},
		{"no share", "share: 120%", `x.yaml:1: share: "120%" is no share: write 0% to 100%, or 0 to 1`},
		{"no list", "list: 3", `x.yaml:1: list: a list belongs here ([a, b], or lines with -), not "3"`},
		{"no map", "values: [1]", "x.yaml:1: values: names and values belong here, not a list"},
		{"no struct", "list: [7]", `x.yaml:1: list[0]: names and values belong here (low, high, wait …), not "7"`},
		{"no scalar", "name: {a: 1}", "x.yaml:1: name: one value belongs here, not names and values"},
		{"no text", "share: [1]", "x.yaml:1: share: one value belongs here, not a list"},
		{"empty", " \n", "x.yaml: it is empty"},
		{"two documents", "name: a\n---\nname: b", "x.yaml: it holds a second document after ---: one file, one document"},
		{"no YAML", "name: a\na: b: c", "x.yaml:2: a colon stands where none belongs: indent the line as its neighbours are, or put the value in quotes"},
		{"a list that is not closed", "name: [1\nvalues: 2\n", "x.yaml:2: a list in [ ] is not closed, or a comma is missing"},
		{"a brace that is not closed", "name: {a: 1\nvalues: 2\n", "x.yaml:2: a { } is not closed, or a comma is missing"},
		{"crooked", "values:\n   a: 1\n  b: 2\n", "x.yaml:3: the lines from here on are not indented alike: give names of one level the same number of blanks"},
		{"open quotes", "name: x\nvalues: \"a\n", "x.yaml:2: the text ends within quotes that begin here: close them"},
		{"a name alone", "name: x\nvalues\nvolume: 3\n", "x.yaml:2: a name without a value: write name: value, with a blank after the colon"},
		{"a path of Windows", "name: \"C:\\dir\"\n", `x.yaml:1: an unknown \ within double quotes: write \\, or use single quotes`},
		{"GBK", "name: \xc2\xeb\xcd\xb7\n", "x.yaml:1: it is not UTF-8: save it as UTF-8 in your editor"},
		{"no anchor", "name: *x\n", "x.yaml:1: unknown anchor 'x' referenced; is it YAML, indented with blanks?"},
		{"a tab in the first line", "\tvalues: 1", "x.yaml:1: no value begins like this: indent with blanks, not with tabs, and put a text that begins with @, %, ` or such in quotes"},
		{"tabs", "values:\n\tt: 1", "x.yaml:2: no value begins like this: indent with blanks, not with tabs, and put a text that begins with @, %, ` or such in quotes"},
		{"several, in their order", "cuont: 1\nlow: x", "x.yaml:1: cuont: there is no such field; did you mean count?\nx.yaml:2: low: \"x\" is no number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v outer
			_, err := Read("x.yaml", []byte(tt.text), &v)
			if err == nil || err.Error() != tt.want {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	bomb := "free: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
	for i := range 8 {
		bomb += "values" + strings.Repeat("x", i) + ": 1\n"
	}
	deep := "free: " + strings.Repeat("[", 100) + strings.Repeat("]", 100)
	many := "list:\n" + strings.Repeat("  - {x: 1}\n", 100)
	laughs := "free:\n  - &a [1,1,1,1,1,1,1,1,1,1]\n"
	for c := 'a'; c < 'h'; c++ {
		laughs += "  - &" + string(c+1) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c)+",", 10), ",") + "]\n"
	}
	for _, tt := range []struct{ name, text, want string }{
		{"too long", strings.Repeat("#", MaxBytes+1), "longer than"},
		{"too deep", deep, "more than 32 deep"},
		{"aliases of aliases", laughs, "more than 100000 values"},
		{"mistakes are told up to a bound", many, "and 80 mistakes more"},
		{"unknown fields beside a list", bomb, "valuesx"},
	} {
		var v outer
		if _, err := Read("x.yaml", []byte(tt.text), &v); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %.300v", tt.name, err)
		}
	}
}

func TestMistakeOfTheReader(t *testing.T) {
	var v outer
	d, err := Read("x.yaml", []byte("values:\n  t:\n    low: 5\n    high: 3"), &v)
	if err != nil {
		t.Fatal(err)
	}
	d.Mistake("values.t.high", "%v is below low, %v", 3, 5)
	d.Mistake("values.t.wait", "it is missing")
	want := "x.yaml:2: values.t.wait: it is missing\nx.yaml:4: values.t.high: 3 is below low, 5"
	if err := d.Err(); err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	if e, ok := errors.AsType[*Error](d.Err()); !ok || e.Line != 2 {
		t.Errorf("%+v", e)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"productKey", "deviceName", "low", "high"}
	for s, want := range map[string]string{"ProductKey": "productKey", "prodcutKey": "productKey", "device_name": "deviceName", "lo": "low", "hihg": "high", "colour": "", "": ""} {
		if got := Nearest(s, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", s, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("name: a\nvalues: {t: {low: 1}}\nlist: [{wait: 1s}]\nfree: [&a {b: 1}, *a]")
	f.Add("<<: *x\n? [a]\n: b")
	f.Add("free: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		var v outer
		d, err := Read("f", []byte(text), &v)
		if err == nil && d.Err() != nil {
			t.Error("mistakes without an error")
		}
	})
}
