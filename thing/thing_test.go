package thing

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func number(k Kind, low, high, step float64) DataType {
	return DataType{Kind: k, Min: &low, Max: &high, Step: &step}
}

func TestCheck(t *testing.T) {
	humidity := number(Int32, 0, 100, 1)
	temperature := number(Float, -40, 85, 0.1)
	power := DataType{Kind: Bool}
	mode := DataType{Kind: Enum, Labels: []Label{{0, "off"}, {1, "eco"}}}
	name := DataType{Kind: Text, Length: 5}
	when := DataType{Kind: Date}
	bits := DataType{Kind: Bitmap, Length: 4}
	place := DataType{Kind: Struct, Fields: []Param{
		{ID: "lat", Type: number(Double, -90, 90, 0), Required: true}, {ID: "ok", Type: power},
	}}
	list := DataType{Kind: Array, Size: 2, Item: &humidity}
	lenient, strict := Rules{Lenient: true}, Rules{}
	for _, tt := range []struct {
		name  string
		t     DataType
		in    Value
		rules Rules
		want  Value
		fault Mistake
		ok    bool
	}{
		{"integer", humidity, IntValue(25), strict, IntValue(25), NoMistake, true},
		{"25.0 for an integer, leniently", humidity, FloatValue(25), lenient, IntValue(25), NoMistake, true},
		{"25.0 for an integer, strictly", humidity, FloatValue(25), strict, FloatValue(25), WrongType, false},
		{"25.5 for an integer", humidity, FloatValue(25.5), lenient, FloatValue(25.5), WrongType, false},
		{"numeric text, leniently", humidity, TextValue("25"), lenient, IntValue(25), NoMistake, true},
		{"numeric text, strictly", humidity, TextValue("25"), strict, TextValue("25"), WrongType, false},
		{"text", humidity, TextValue("hot"), lenient, TextValue("hot"), WrongType, false},
		{"above the maximum is usable", humidity, IntValue(120), lenient, IntValue(120), OutOfRange, true},
		{"more than 32 bits", DataType{Kind: Int32}, IntValue(1 << 31), lenient, IntValue(1 << 31), WrongType, false},
		{"64 bits", DataType{Kind: Int64}, IntValue(1 << 40), strict, IntValue(1 << 40), NoMistake, true},
		{"float", temperature, FloatValue(25.6), strict, FloatValue(25.6), NoMistake, true},
		{"integer for a float, strictly", temperature, IntValue(30), strict, FloatValue(30), NoMistake, true},
		{"between the steps is usable", temperature, FloatValue(25.65), lenient, FloatValue(25.65), OffStep, true},
		{"switch", power, BoolValue(true), strict, BoolValue(true), NoMistake, true},
		{"1 for a switch, leniently", power, IntValue(1), lenient, BoolValue(true), NoMistake, true},
		{"1 for a switch, strictly", power, IntValue(1), strict, IntValue(1), WrongType, false},
		{"text for a switch", power, TextValue("false"), lenient, BoolValue(false), NoMistake, true},
		{"2 for a switch", power, IntValue(2), lenient, IntValue(2), NotListed, false},
		{"enum", mode, IntValue(1), strict, IntValue(1), NoMistake, true},
		{"enum as text", mode, TextValue("1"), lenient, IntValue(1), NoMistake, true},
		{"enum not listed", mode, IntValue(7), lenient, IntValue(7), NotListed, true},
		{"text within its length", name, TextValue("hello"), strict, TextValue("hello"), NoMistake, true},
		{"text counted in bytes", name, TextValue("温度"), strict, TextValue("温度"), TooLong, true},
		{"number for a text", name, IntValue(42), lenient, TextValue("42"), NoMistake, true},
		{"date as text [aliyun-device §6.2]", when, TextValue("1524448722000"), strict, IntValue(1524448722000), NoMistake, true},
		{"bitmap over its bits", bits, IntValue(16), strict, IntValue(16), TooLong, true},
		{"struct in the model's order", place, ObjectValue(`{"ok":1,"lat":"3.5"}`), lenient, ObjectValue(`{"lat":3.5,"ok":true}`), NoMistake, true},
		{"struct without a required member", place, ObjectValue(`{"ok":true}`), lenient, ObjectValue(`{"ok":true}`), Missing, false},
		{"struct with an unknown member", place, ObjectValue(`{"lat":1,"x":1}`), lenient, ObjectValue(`{"lat":1,"x":1}`), Unknown, false},
		{"array", list, ListValue(`[1,2]`), strict, ListValue(`[1,2]`), NoMistake, true},
		{"array over its size", list, ListValue(`[1,2,3]`), strict, ListValue(`[1,2,3]`), TooLong, true},
		{"array with a wrong element", list, ListValue(`[1,"x"]`), strict, ListValue(`[1,"x"]`), WrongType, false},
		{"null", humidity, NullValue, lenient, NullValue, WrongType, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, p, ok := tt.t.Check("P", tt.in, tt.rules)
			if got != tt.want || p.Fault != tt.fault || ok != tt.ok {
				t.Errorf("got %+v, %v, %v", got, p.Fault, ok)
			}
			if p.Fault != NoMistake && (p.Path == "" || !strings.Contains(p.Error(), p.Path) || p.SentenceZH() == "") {
				t.Errorf("sentences %q, %q", p.Error(), p.SentenceZH())
			}
		})
	}
}

func lamp() *Model {
	return (&Model{
		Properties: []Property{
			{ID: "CurrentTemperature", Type: number(Float, -40, 85, 0.1)},
			{ID: "NightLightSwitch", Access: ReadWrite, Type: DataType{Kind: Bool}},
		},
		Events:   []Event{{ID: "Fault", Level: Fault, Output: []Param{{ID: "Code", Type: DataType{Kind: Int32}, Required: true}}}},
		Services: []Service{{ID: "Blink", Input: []Param{{ID: "Times", Type: number(Int32, 1, 20, 1)}}}},
	}).Index()
}

func TestSetIsChecked(t *testing.T) {
	m := lamp()
	ok, problems := m.CheckSet([]Argument{{"NightLightSwitch", IntValue(1)}}, Rules{Lenient: true})
	if len(problems) != 0 || !reflect.DeepEqual(ok, []Argument{{"NightLightSwitch", BoolValue(true)}}) {
		t.Errorf("%v %v", ok, problems)
	}
	_, problems = m.CheckSet([]Argument{{"CurrentTemperature", IntValue(1)}, {"nightlightswitch", IntValue(1)}, {"NightLightSwitch", TextValue("on fire")}}, Rules{Lenient: true})
	if len(problems) != 3 || problems[0].Fault != NotWritable || problems[1].Hint != "NightLightSwitch" || problems[2].Fault != WrongType {
		t.Errorf("%+v", problems)
	}
}

func TestCallAndEventAreChecked(t *testing.T) {
	m := lamp()
	if _, problems := m.CheckCall("Blink", []Argument{{"Times", IntValue(21)}, {"x", NullValue}}, Rules{}); len(problems) != 2 || problems[0].Fault != OutOfRange || problems[1].Fault != Unknown {
		t.Errorf("%+v", problems)
	}
	if _, problems := m.CheckEvent("Fault", nil, Rules{}); len(problems) != 1 || problems[0].Fault != Missing {
		t.Errorf("%+v", problems)
	}
	if _, problems := m.CheckEvent("Fire", nil, Rules{}); len(problems) != 1 || problems[0].Fault != Unknown {
		t.Errorf("%+v", problems)
	}
}

func TestNearestProperty(t *testing.T) {
	m := lamp()
	for id, want := range map[string]string{
		"currenttemperature": "CurrentTemperature", "CurrentTemprature": "CurrentTemperature", "Humidity": "", "": "", strings.Repeat("x", 500): "",
	} {
		if got := m.NearestProperty(id); got != want {
			t.Errorf("%q: %q", id, got)
		}
	}
}

func TestValidateNamesThePlace(t *testing.T) {
	low, high := 5.0, 1.0
	for want, m := range map[string]*Model{
		"twice":        {Properties: []Property{{ID: "a", Type: DataType{Kind: Int32}}, {ID: "a", Type: DataType{Kind: Int32}}}},
		"above max":    {Properties: []Property{{ID: "a", Type: DataType{Kind: Int32, Min: &low, Max: &high}}}},
		"elements":     {Properties: []Property{{ID: "a", Type: DataType{Kind: Array}}}},
		"no type":      {Services: []Service{{ID: "s", Input: []Param{{ID: "p"}}}}},
		"no ident":     {Events: []Event{{}}},
		"wildcards":    {Properties: []Property{{ID: "a/b", Type: DataType{Kind: Int32}}}},
		"output[0]":    {Events: []Event{{ID: "e", Output: []Param{{ID: "", Type: DataType{Kind: Int32}}}}}},
		"nested deepe": {Properties: []Property{{ID: "a", Type: nest(6)}}},
	} {
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if err := lamp().Validate(); err != nil {
		t.Error(err)
	}
}

func nest(n int) DataType {
	if n == 0 {
		return DataType{Kind: Int32}
	}
	inner := nest(n - 1)
	return DataType{Kind: Array, Item: &inner}
}

func TestModelSurvivesJSON(t *testing.T) {
	raw, err := json.Marshal(lamp())
	if err != nil {
		t.Fatal(err)
	}
	var m Model
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.Index(), lamp()) {
		t.Errorf("became %s", raw)
	}
}

func TestParseScalar(t *testing.T) {
	mode := DataType{Kind: Enum, Labels: []Label{{1, "节能"}}}
	for _, tt := range []struct {
		text string
		t    DataType
		want Value
		bad  bool
	}{
		{"21.5", DataType{Kind: Float}, FloatValue(21.5), false},
		{"on", DataType{Kind: Bool}, BoolValue(true), false},
		{"节能", mode, IntValue(1), false},
		{"hello", DataType{Kind: Text}, TextValue("hello"), false},
		{`{"a":1}`, DataType{Kind: Struct}, ObjectValue(`{"a":1}`), false},
		{"hot", DataType{Kind: Float}, Value{}, true},
		{"{", DataType{Kind: Struct}, Value{}, true},
	} {
		got, err := ParseScalar(tt.text, &tt.t)
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%s: %+v %v", tt.text, got, err)
		}
	}
}

func FuzzValueJSON(f *testing.F) {
	for _, s := range []string{`1`, `1.5`, `"x\u0000"`, `{"a":[1,{"b":null}]}`, `true`, `1e30`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		first, err := ParseValue(doc)
		if err != nil {
			return
		}
		again, err := ParseValue(first.AppendJSON(nil))
		if err != nil || again.AppendJSON(nil) == nil || string(again.AppendJSON(nil)) != string(first.AppendJSON(nil)) {
			t.Errorf("%q became %q: %v", doc, again.AppendJSON(nil), err)
		}
	})
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]int{`1`: 0, `"[[["`: 0, `{}`: 1, `[1,[2,{"a":[]}]]`: 4, `{"a":"}{[","b":{"\"[":1}}`: 2} {
		v, err := ParseValue([]byte(text))
		if err != nil || v.Depth() != want {
			t.Errorf("%s: %d, %v", text, v.Depth(), err)
		}
	}
}

// TestTypesAreSaidInChinese: what would be right is said in the language of
// the sentence around it.
func TestTypesAreSaidInChinese(t *testing.T) {
	min, max, step := -40.0, 85.0, 0.1
	for _, tt := range []struct {
		kind DataType
		want string
	}{
		{DataType{Kind: Float, Min: &min, Max: &max, Step: &step, Unit: "°C"}, "float -40 到 85，步长 0.1 °C"},
		{DataType{Kind: Int32, Min: &min}, "int32 不小于 -40"},
		{DataType{Kind: Int32, Max: &max}, "int32 不大于 85"},
		{DataType{Kind: Bool}, "bool（true 或 false，1 或 0）"},
		{DataType{Kind: Text, Length: 5}, "text 最多 5 字节"},
		{DataType{Kind: Array, Size: 3, Item: &DataType{Kind: Int32}}, "array 最多 3 int32"},
		{DataType{Kind: Date}, "date（UTC 毫秒）"},
	} {
		_, p, _ := tt.kind.Check("P", ObjectValue(`{"a":[]}`), Rules{})
		if p.WantZH != tt.want || !strings.Contains(p.SentenceZH(), tt.want) {
			t.Errorf("%s: %q, %q; want %q", tt.kind.String(), p.WantZH, p.SentenceZH(), tt.want)
		}
	}
}
