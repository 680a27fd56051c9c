package fleet

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/matou-iot/matou/device/curve"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/thing"
)

// files opens what is written here.
func files(all map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		text, ok := all[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

func scenario(t testing.TB, text string) *Scenario {
	t.Helper()
	s, err := Read("f", []byte(text), files(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExamplesAreRight(t *testing.T) {
	names := Examples.Names()
	if got, want := fmt.Sprint(names), "[classroom flaky-network gateways mixed-vendors reconnect-storm soak]"; got != want {
		t.Fatalf("examples %s, want %s", got, want)
	}
	for _, name := range names {
		text, open, _ := Examples.Example(name)
		s, err := Read(name, text, open, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Name != name || s.Devices() == 0 || s.Expect.Lost == nil {
			t.Errorf("%s: name %q, %d devices, lost %v", name, s.Name, s.Devices(), s.Expect.Lost)
		}
	}
}

func TestMistakesNameLineFieldAndRemedy(t *testing.T) {
	const group = "groups:\n  - dialect: mqtt\n    product: p\n    count: 2\n    values: {v: {value: 1}}\n"
	with := map[string]string{"bad.csv": "a,b\n1,2\n", "two.csv": "name,secret\na,b\nc,d\n", "bad.json": "{", "pump.json": `{"properties":[{"id":"Power","name":"P","type":{"kind":"bool"}}],"events":[{"id":"Fault","name":"F","output":[{"id":"Code","name":"C","type":{"kind":"int32"}}]}]}`}
	for _, tt := range []struct{ name, text, want string }{
		{"unknown field", "durration: 5s\n" + group, "f:1: durration: there is no such field; did you mean duration?"},
		{"no groups", "duration: 5s", "f: groups: a fleet needs groups of devices"},
		{"no dialect", "groups:\n  - product: p\n    count: 1", `f:2: groups[0].dialect: "" is none of aliyun, onenet, mqtt`},
		{"no product", "groups:\n  - dialect: mqtt\n    count: 1", "f:2: groups[0].product: a group needs the key or id of its product"},
		{"no count", "groups:\n  - dialect: mqtt\n    product: p", "f:2: groups[0].count: how many devices? give count, or credentials"},
		{"count beyond limits", "groups:\n  - dialect: mqtt\n    product: p\n    count: 1000000", "f:1: groups: 1000000 devices in all are more than 200000: run several processes\nf:4: groups[0].count: 1000000 is not from 1 to 200000"},
		{"all counts beyond limits", group + strings.Replace(group[len("groups:\n"):], "count: 2", "count: 200000\n    prefix: x", 1), "f:1: groups: 200002 devices in all are more than 200000: run several processes"},
		{"nothing to report", "groups:\n  - dialect: mqtt\n    product: p\n    count: 1", "f:2: groups[0]: the devices have nothing to report: give the group a model or values"},
		{"no model", "groups:\n  - dialect: mqtt\n    product: p\n    count: 1\n    model: none.json", "f:5: groups[0].model: none.json: open none.json: file does not exist"},
		{"bad model", "groups:\n  - dialect: mqtt\n    product: p\n    count: 1\n    model: bad.json", "f:5: groups[0].model: bad.json: unexpected end of JSON input"},
		{"value that the model has not", "groups:\n  - dialect: mqtt\n    product: p\n    count: 1\n    model: pump.json\n    values: {Pover: {value: 1}}", "f:6: groups[0].values.Pover: the model has no property Pover; did you mean Power?"},
		{"impossible curve", strings.Replace(group, "value: 1", "curve: sine", 1), "f:5: groups[0].values.v.low: the curve sine needs low and high, for instance low: 18"},
		{"too often", group + "    report: {every: 1ms}", "f:6: groups[0].report.every: 1ms is below 10ms"},
		{"bad method", "groups:\n  - dialect: onenet\n    product: p\n    count: 1\n    signMethod: crc\n    values: {v: {value: 1}}", "f:5: groups[0].signMethod: "},
		{"version", group + "    version: 4", `f:6: groups[0].version: "4" is no version of MQTT: it is 3.1, 3.1.1 or 5`},
		{"event that the model has not", "groups:\n  - dialect: mqtt\n    product: p\n    count: 1\n    model: pump.json\n    events: {Falt: {every: 1s}}", "f:6: groups[0].events.Falt: the model has no event Falt; did you mean Fault?"},
		{"output that the event has not", "groups:\n  - dialect: mqtt\n    product: p\n    count: 1\n    model: pump.json\n    events: {Fault: {values: {Coda: {value: 1}}}}", "f:6: groups[0].events.Fault.values.Coda: the event Fault has no output Coda; did you mean Code?"},
		{"events too often", group + "    events: {Fault: {every: 1ms}}", "f:6: groups[0].events.Fault.every: 1ms is below 10ms"},
		{"share of calls", group + "commands: {every: 1s, services: 200%}", "f:6: commands.services: "},
		{"gateway that is not there", group + "    gateway: gat\n  - {name: gate, dialect: mqtt, product: q, count: 1, values: {v: {value: 1}}}", "f:6: groups[0].gateway: there is no group gat; did you mean gate?"},
		{"gateway of plain devices", group + "    gateway: gate\n  - {name: gate, dialect: mqtt, product: q, count: 1, values: {v: {value: 1}}}", "f:6: groups[0].gateway: plain MQTT knows no gateways: give each device its connection"},
		{"gateway of itself", strings.Replace(group, "mqtt", "aliyun", 1) + "    gateway: p", "f:6: groups[0].gateway: p is carried itself: a gateway has its own connection"},
		{"gateway of another vendor", strings.Replace(group, "mqtt", "aliyun", 1) + "    gateway: hub\n  - {name: hub, dialect: onenet, product: q, count: 1, values: {v: {value: 1}}}", "f:6: groups[0].gateway: hub speaks onenet, not aliyun"},
		{"too many for a gateway", strings.Replace(strings.Replace(group, "mqtt", "aliyun", 1), "count: 2", "count: 3002", 1) + "    gateway: gate\n  - {name: gate, dialect: aliyun, product: q, count: 2, values: {v: {value: 1}}}", "f:6: groups[0].gateway: 3002 sub-devices for 2 gateways are more than 1500 for each"},
		{"no credentials", group + "    credentials: none.csv", "f:6: groups[0].credentials: open none.csv: file does not exist"},
		{"bad credentials", group + "    credentials: bad.csv", "f:6: groups[0].credentials: bad.csv: the columns are a, b: there have to be name and secret"},
		{"too few credentials", strings.Replace(group, "count: 2", "count: 3", 1) + "    credentials: two.csv", "f:6: groups[0].credentials: two.csv has 2 devices, count is 3"},
		{"two groups of one name", group + group[len("groups:\n"):], "f:6: groups[1].prefix: another group has devices of these names: give this one a prefix of its own"},
		{"ramp", group + "duration: 5s\nramp: 6s", "f:7: ramp: 6s is longer than the duration, 5s: the last devices would never be switched on"},
		{"address", group + "server: {url: \"http://x\"}", `f:6: server.url: "http://x" is no address`},
		{"port", group + "server: {url: \"mqtt://h:99999\"}", `f:6: server.url: "mqtt://h:99999": a port is from 1 to 65535`},
		{"address without a host", group + "server: {url: \"mqtt://:1883\"}", `f:6: server.url: "mqtt://:1883" is no address`},
		{"keep-alive", group + "server: {keepAlive: 1s}", "f:6: server.keepAlive: 1s is not from 5s to 18h12m15s"},
		{"keep-alive beyond MQTT", group + "server: {keepAlive: 1d}", "f:6: server.keepAlive: 24h0m0s is not from 5s to 18h12m15s"},
		{"product in topics", strings.Replace(group, "product: p", "product: p/#", 1), `f:3: groups[0].product: "p/#" stands in topics and logins: it holds no blanks, slashes, wildcards, quotes, & or |`},
		{"names in topics", group + "    prefix: a b", `f:6: groups[0].prefix: "a b" stands in topics`},
		{"secret and credentials", group + "    credentials: two.csv\n    secret: s", "f:7: groups[0].secret: the devices have credentials already: leave one of the two out"},
		{"storm for nobody", group + "storms: [{at: 1s, share: 0%}]", "f:6: storms[0].share: a storm that hits nobody is none: leave share out for all devices"},
		{"fewer than none", group + "expect: {lost: -1}", "f:6: expect.lost: -1 is below 0: it is the most that there may be"},
		{"storm after the end", group + "duration: 5s\nstorms: [{at: 9s}]", "f:7: storms[0].at: 9s is not before the end, 5s"},
		{"storms out of order", group + "duration: 5s\nstorms: [{at: 3s}, {at: 1s}]", "f:7: storms[1].at: 1s is before the storm above it: put them in order"},
		{"loss", group + "network: {loss: 60%}", "f:6: network.loss: 60%: over such a network no connection lives; 50% is the most"},
		{"cuts", group + "network: {cutEvery: 10ms}", "f:6: network.cutEvery: 10ms is below 1s"},
		{"reconnect", group + "reconnect: {min: 5s, max: 1s}", "f:6: reconnect.max: 1s is below min, 5s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read("f", []byte(tt.text), files(with), nil)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
			for line := range strings.Lines(wording.Chinese(err)) {
				if !strings.ContainsFunc(line, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
					t.Errorf("no Chinese: %s", line)
				}
			}
		})
	}
}

func TestReadCredentials(t *testing.T) {
	got, err := ReadCredentials([]byte("\xEF\xBB\xBFname, secret,nickname\nlamp01,s1,\n'-x,'+key=,'=cmd\n'plain,'',\n"))
	if want := "[{lamp01 s1} {-x +key=} {'plain ''}]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v; want %s", got, err, want)
	}
	for text, want := range map[string]string{
		"":                       "the first line has to name the columns: name,secret",
		"name,secret\n":          "there are no devices in it",
		"name,secret\na,b\nc,\n": "line 3: a device needs name and secret",
		"name,secret\na\n":       "record on line 2: wrong number of fields",
	} {
		if _, err := ReadCredentials([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzReadCredentials(f *testing.F) {
	f.Add("name,secret\na,'+b\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ReadCredentials([]byte(text))
		for _, c := range all {
			if err == nil && (c.Name == "" || c.Secret == "") {
				t.Errorf("%q", c)
			}
		}
	})
}

func TestScaleAndStretch(t *testing.T) {
	text, open, _ := Examples.Example("mixed-vendors")
	s, err := Read("f", text, open, func(s *Scenario) { s.Scale(7); s.Stretch(12 * time.Second) })
	if err != nil {
		t.Fatal(err)
	}
	if s.Groups[0].Count != 2 || s.Groups[1].Count != 2 || s.Groups[2].Count != 3 || s.Duration != 12*time.Second || s.Ramp != 2*time.Second {
		t.Errorf("%d, %d, %d devices, %v, ramp %v", s.Groups[0].Count, s.Groups[1].Count, s.Groups[2].Count, s.Duration, s.Ramp)
	}
	s = scenario(t, "duration: 10s\nstorms: [{at: 5s, within: 2s, away: 1s}]\ngroups: [{dialect: mqtt, product: p, count: 5, values: {v: {value: 1}}}]")
	s.Stretch(20 * time.Second)
	if *s.Storms[0] != (Storm{10 * time.Second, 1, 4 * time.Second, 2 * time.Second}) {
		t.Errorf("%+v", s.Storms[0])
	}
}

// TestValuesFitTheModel makes values for every type of a model, and lets the
// model judge them strictly.
func TestValuesFitTheModel(t *testing.T) {
	f := func(x float64) *float64 { return &x }
	types := map[string]thing.DataType{
		"int":      {Kind: thing.Int32, Min: f(-5), Max: f(5), Step: f(1)},
		"unbound":  {Kind: thing.Int32},
		"one":      {Kind: thing.Int64, Min: f(7), Max: f(7)},
		"above":    {Kind: thing.Int64, Min: f(1000)},
		"below":    {Kind: thing.Int64, Max: f(-1000)},
		"float":    {Kind: thing.Float, Min: f(-40), Max: f(85), Step: f(0.01)},
		"double":   {Kind: thing.Double},
		"widest":   {Kind: thing.Double, Min: f(-1.7e308), Max: f(1.7e308)},
		"bool":     {Kind: thing.Bool, Labels: []thing.Label{{Value: 0, Text: "off"}, {Value: 1, Text: "on"}}},
		"enum":     {Kind: thing.Enum, Labels: []thing.Label{{Value: 2, Text: "a"}, {Value: 9, Text: "b"}}},
		"text":     {Kind: thing.Text, Length: 1},
		"longText": {Kind: thing.Text, Length: 100},
		"date":     {Kind: thing.Date},
		"bits":     {Kind: thing.Bitmap, Length: 4},
		"array":    {Kind: thing.Array, Size: 2, Item: &thing.DataType{Kind: thing.Int32, Min: f(1), Max: f(3)}},
		"struct": {Kind: thing.Struct, Fields: []thing.Param{
			{ID: "lat", Type: thing.DataType{Kind: thing.Double, Min: f(-90), Max: f(90)}}, {ID: "ok", Type: thing.DataType{Kind: thing.Bool}}}},
	}
	var m thing.Model
	for id, typ := range types {
		m.Properties = append(m.Properties, thing.Property{ID: id, Name: id, Type: typ})
	}
	m.Properties = append(m.Properties, thing.Property{ID: "key", Access: thing.WriteOnly, Type: types["text"]})
	sources := sourcesOf(m.Index(), nil)
	if len(sources) != len(types) {
		t.Fatalf("%d sources of %d readable properties", len(sources), len(types))
	}
	seen := map[string]map[string]bool{}
	for seed := range uint64(20) {
		curves := begin(sources, seed, nil)
		for k := range 40 {
			at := curve.Moment{Since: time.Duration(k) * 10 * time.Second}
			left := curves
			for i := range sources {
				id := sources[i].id
				v, ok := sources[i].shape.value(at, 1_700_000_000_000, &left)
				typ := types[id]
				checked, problem, good := typ.Check(id, v, thing.Rules{})
				if !ok || !good || problem.Fault != thing.NoMistake && problem.Fault != thing.OffStep {
					t.Fatalf("%s: %v is no %s: %v (%v)", id, v, typ.String(), problem.Error(), checked)
				}
				if seen[id] == nil {
					seen[id] = map[string]bool{}
				}
				seen[id][v.String()] = true
			}
			if len(left) != 0 {
				t.Fatalf("%d curves are nobody's", len(left))
			}
		}
	}
	for _, id := range []string{"int", "unbound", "float", "bool", "enum", "longText", "struct", "widest"} {
		if len(seen[id]) < 2 {
			t.Errorf("%s never changes: %v", id, seen[id])
		}
	}
}

func TestDelays(t *testing.T) {
	var d Delays
	if d.Quantile(0.99) != 0 {
		t.Error("a quantile of nothing")
	}
	for i := 1; i <= 1000; i++ {
		d.Add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second, 0: time.Millisecond} {
		if got := d.Quantile(q); got < want || got > want+want/30 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	for us := time.Duration(0); us < 1<<30; us = us*9/8 + 1 {
		x := us * time.Microsecond
		slot := slotOf(x)
		if up := upper(slot); up <= x-time.Microsecond || up > x+x/31+time.Microsecond {
			t.Fatalf("%v is in slot %d, which ends at %v", x, slot, up)
		}
		if slot > 0 && upper(slot-1) > x {
			t.Fatalf("%v belongs into the slot before %d", x, slot)
		}
	}
	d.Add(1 << 62)
	d.Add(-1)
}

func TestValuesAreWrittenInTheirDialect(t *testing.T) {
	pos := &thing.DataType{Kind: thing.Struct, Fields: []thing.Param{{ID: "ok", Type: thing.DataType{Kind: thing.Bool}}}}
	for _, tt := range []struct {
		dialect string
		s       source
		v       thing.Value
		want    string
	}{
		{"aliyun", source{of: &thing.DataType{Kind: thing.Bool}}, thing.BoolValue(true), "1"},
		{"aliyun", source{}, thing.BoolValue(false), "0"},
		{"aliyun", source{of: &thing.DataType{Kind: thing.Date}}, thing.IntValue(1700000000000), `"1700000000000"`},
		{"aliyun", source{of: pos}, thing.ObjectValue(`{"ok":true}`), `{"ok":1}`},
		{"onenet", source{of: pos}, thing.ObjectValue(`{"ok":true}`), `{"ok":true}`},
		{"mqtt", source{of: &thing.DataType{Kind: thing.Bool}}, thing.BoolValue(true), "true"},
	} {
		if got, err := json.Marshal(tt.s.spoken(tt.dialect, tt.v)); err != nil || string(got) != tt.want {
			t.Errorf("%s: %v is %s, %v; want %s", tt.dialect, tt.v, got, err, tt.want)
		}
	}
}
