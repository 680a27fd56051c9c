package loose

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/matou-iot/matou/thing"
)

func TestStrictify(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
		loose           Looseness
	}{
		{"strict stays strict", `{"id": "1", "params" : {"a": [1, 2.50, true, null, "x"]}}`, `{"id":"1","params":{"a":[1,2.5,true,null,"x"]}}`, 0},
		{"single quotes [aliyun-device §9 row 1]", `{'id':'1','params':{'temperature':25}}`, `{"id":"1","params":{"temperature":25}}`, SingleQuotes},
		{"keys without quotes [aliyun-device §9 row 2]", `{params:{"CurrentTemperature":32}}`, `{"params":{"CurrentTemperature":32}}`, BareKeys},
		{"EC20: no quotes at all", `{id:1,params:{Temp:25.5,mode:auto}}`, `{"id":1,"params":{"Temp":25.5,"mode":"auto"}}`, BareKeys | BareStrings},
		{"block identifier without quotes", `{blk:temp:25}`, `{"blk:temp":25}`, BareKeys},
		{"block identifier and a blank", `{blk:temp: -2}`, `{"blk:temp":-2}`, BareKeys},
		{"extra commas", `[1,,2,]`, `[1,2]`, ExtraCommas},
		{"extra comma in an object", `{"v":30,}`, `{"v":30}`, ExtraCommas},
		{"plus and zeros", `[+1,007,-05.5]`, `[1,7,-5.5]`, LeadingPlus | LeadingZeros},
		{"points at the ends", `[.5,5.]`, `[0.5,5]`, LoosePoint},
		{"NUL behind the end [aliyun-device §9 row 21]", "{\"a\":1}\x00\r\n", `{"a":1}`, TrailingBytes},
		{"line end behind the end is JSON", "{\"a\":1}\r\n", `{"a":1}`, 0},
		{"a raw tab in a text", "\"a\tb\"", `"a\tb"`, RawControl},
		{"a single quote in double ones", `"it's"`, `"it's"`, 0},
		{"double quotes in single ones", `'say "x"'`, `"say \"x\""`, SingleQuotes},
		{"escapes", `"\u6e29\ud83d\ude00\n\/"`, `"温😀\n/"`, 0},
		{"a text in GBK", "{\"a\":\"\xb6\xc8\"}", `{"a":"��"}`, NotUTF8},
		{"a text in GBK beside an escape", "{\"a\":\"\xb6\xc8\\n\"}", `{"a":"��\n"}`, NotUTF8},
		{"Chinese", `{"温度":"热"}`, `{"温度":"热"}`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, loose, err := Strictify([]byte(tt.doc))
			if err != nil || string(got) != tt.want || loose != tt.loose {
				t.Errorf("got %s, %q, %v", got, loose, err)
			}
		})
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		offset    int
		say       string
	}{
		{"missing brace [aliyun-device §9]", `{"params":{"a":1}`, 17, "cut off"},
		{"text cut off", `{"a":"b`, 5, "cut off"},
		{"nan", `{"a":nan}`, 5, "sensor"},
		{"negative infinity", `{"a":-inf}`, 6, "sensor"},
		{"curly quotes around a name", `{“id”:“1”}`, 1, "curly quote"},
		{"curly quotes around a text", `{"id":“1”}`, 6, "curly quote"},
		{"full-width colon", `{"id"："1"}`, 5, "full-width"},
		{"full-width comma", `{"id":"1"，"a":1}`, 9, "full-width"},
		{"full-width comma behind a number", `{"id":1，"a":1}`, 7, "full-width"},
		{"full-width brace", `｛"id":1}`, 0, "full-width"},
		{"empty", ``, 0, "empty"},
		{"plain text", `hello`, 0, "plain text"},
		{"missing value", `{"a":}`, 5, "missing"},
		{"missing comma", `{"a":1 "b":2}`, 7, "comma"},
		{"two documents", `{} {}`, 3, "follows"},
		{"wrong bracket", `[1}`, 2, "bracket"},
		{"bad escape", `"\x"`, 2, "escape"},
		{"short unicode escape", `"\u12"`, 2, "hex"},
		{"number with letters", `{"a":12abc}`, 7, "number"},
		{"exponent without digits", `1e`, 2, "exponent"},
		{"too large", `1e999`, 5, "large"},
		{"too deep", strings.Repeat("[", MaxDepth+1), MaxDepth, "deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Strictify([]byte(tt.doc))
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Offset != tt.offset || !strings.Contains(e.Error(), tt.say) {
				t.Errorf("got %v, want byte %d and %q", err, tt.offset, tt.say)
			}
		})
	}
}

func TestSkipReturnsTheTextOfTheValue(t *testing.T) {
	var r Reader
	r.Reset([]byte(`{"a" : {"x":[1,"}"]} ,"b": 'q', "c":7}`))
	var got []string
	for r.Next(); r.Next() == Key; {
		raw, ok := r.Skip()
		if !ok {
			t.Fatal(r.Err())
		}
		got = append(got, string(raw))
	}
	if want := []string{`{"x":[1,"}"]}`, `'q'`, `7`}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestNumbersKeepTheirShape(t *testing.T) {
	for doc, want := range map[string]thing.Value{
		"25":                   thing.IntValue(25),
		"-7":                   thing.IntValue(-7),
		"9223372036854775807":  thing.IntValue(9223372036854775807),
		"9223372036854775808":  thing.FloatValue(9223372036854775808),
		"25.60":                thing.FloatValue(25.6),
		"0.1":                  thing.FloatValue(0.1),
		"-12.345":              thing.FloatValue(-12.345),
		"1e2":                  thing.FloatValue(100),
		"123456789.1234567891": thing.FloatValue(123456789.1234567891),
	} {
		var r Reader
		r.Reset([]byte(doc))
		if got, ok := r.Value(r.Next()); !ok || got != want {
			t.Errorf("%s became %+v", doc, got)
		}
	}
}

// post is the 175-byte message of three values that budgets speak of.
var post = []byte(`{"id":"123","version":"1.0","sys":{"ack":1},"params":{"CurrentTemperature":25.6,"CurrentHumidity":48.5,"NightLightSwitch":1},"method":"thing.event.property.post","extra":"xxxx"}`)

func walk(r *Reader, m *thing.Model) (values int) {
	r.Reset(post)
	r.Next()
	for r.Next() == Key {
		if string(r.Bytes()) != "params" {
			r.Skip()
			continue
		}
		for r.Next(); r.Next() == Key; {
			p, known := m.PropertyBytes(r.Bytes())
			v, ok := r.Value(r.Next())
			if !known || !ok {
				return -1
			}
			if _, problem, ok := p.Type.Check(p.ID, v, thing.Rules{Lenient: true}); ok && problem.Fault == thing.NoMistake {
				values++
			}
		}
	}
	return values
}

func lamp() *thing.Model {
	low, high := -40.0, 100.0
	number := thing.DataType{Kind: thing.Float, Min: &low, Max: &high}
	return (&thing.Model{Properties: []thing.Property{
		{ID: "CurrentTemperature", Type: number}, {ID: "CurrentHumidity", Type: number},
		{ID: "NightLightSwitch", Type: thing.DataType{Kind: thing.Bool}},
	}}).Index()
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	var r Reader
	m := lamp()
	if n := walk(&r, m); n != 3 {
		t.Fatalf("%d values, %v", n, r.Err())
	}
	if allocs := testing.AllocsPerRun(100, func() { walk(&r, m) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkPost(b *testing.B) {
	var r Reader
	m := lamp()
	b.ReportAllocs()
	b.SetBytes(int64(len(post)))
	for b.Loop() {
		walk(&r, m)
	}
}

func FuzzStrictify(f *testing.F) {
	for _, s := range []string{
		string(post), `{'a':'b'}`, `{a:b:1}`, `[1,,2,]`, `+1`, `007`, `.5`, `"\ud800"`, `"\u00e9"`, "\"a\x80\"", `{"a":nan}`, `[[[[`, `{"a":1,"a":2}`, `-0.0`, `1E400`, `{"$a.b-c":'\''}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, loose, err := Strictify(doc)
		var want any
		strict := json.Unmarshal(doc, &want) == nil
		if err != nil {
			if strict && !deep(doc) {
				t.Fatalf("%q is JSON and was refused: %v", doc, err)
			}
			return
		}
		var meant any
		if err := json.Unmarshal(got, &meant); err != nil {
			t.Fatalf("%q became %q, which is no JSON: %v", doc, got, err)
		}
		if !strict {
			return
		}
		if loose != 0 && utf8.Valid(doc) { // encoding/json overlooks other encodings
			t.Errorf("%q is strict JSON, called loose: %v", doc, loose)
		}
		if !reflect.DeepEqual(want, meant) {
			t.Errorf("%q became %q", doc, got)
		}
	})
}

// deep reports whether a document may be nested beyond MaxDepth.
func deep(doc []byte) bool {
	return strings.Count(string(doc), "[")+strings.Count(string(doc), "{") > MaxDepth
}
