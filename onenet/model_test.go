package onenet

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/matou-iot/matou/thing"
)

// g2 is a model in the form of OneNET Studio: numbers as texts, nothing around
// the three lists [onenet §5.1, §5.2].
const g2 = `{"properties":[
 {"identifier":"wendu","name":"温度","functionType":"u","accessMode":"r","functionMode":"property","desc":"room","dataType":{"type":"float","specs":{"min":"-40","max":"80.5","unit":"摄氏度 / °C","step":"0.1"}}},
 {"identifier":"count","name":"count","functionType":"u","accessMode":"rw","functionMode":"property","desc":"","dataType":{"type":"int32","specs":{"min":"-100","max":"100","unit":null,"step":null}}},
 {"identifier":"name","name":"name","functionType":"u","accessMode":"rw","functionMode":"property","desc":"","dataType":{"type":"string","specs":{"length":"255"}}},
 {"identifier":"$OneNET_LBS_WIFI","name":"lbs","functionType":"s","accessMode":"r","functionMode":"property","desc":"","dataType":{"type":"struct","specs":[{"identifier":"imsi","name":"imsi","dataType":{"type":"string","specs":{"length":"20"}}}]}}
],"events":[
 {"identifier":"alarm","name":"alarm","functionType":"u","functionMode":"event","eventType":"alert","desc":"","outputData":[{"identifier":"powerOff","name":"powerOff","dataType":{"type":"int64","specs":{"min":"0","max":"1","unit":"","step":"1"}}}]}
],"services":[
 {"identifier":"$SyncGetFile","name":"get","functionType":"s","functionMode":"service","callType":"s","desc":"","input":[{"identifier":"path","name":"path","dataType":{"type":"string","specs":{"length":"64"}}}],"output":[]}
]}`

// g3 is a model in the form of today's platform, with its other types; empty
// bounds are "" and lengths are numbers [onenet §5.1, §5.2].
const g3 = `{"version":"1.0","profile":{"industryId":"1","sceneId":"2","categoryId":"3","productId":"VRqhDHF2wL"},"properties":[
 {"identifier":"Power","name":"power","functionType":"u","accessMode":"rw","functionMode":"property","desc":"","dataType":{"type":"bool","specs":{"true":"开","false":"关"}},"required":true},
 {"identifier":"mode","name":"mode","functionType":"u","accessMode":"rw","functionMode":"property","desc":"","dataType":{"type":"enum","specs":{"2":"two","0":"zero","10":"ten"}},"required":false},
 {"identifier":"at","name":"at","functionType":"u","accessMode":"r","functionMode":"property","desc":"","dataType":{"type":"date","specs":{}},"required":false},
 {"identifier":"bits","name":"bits","functionType":"u","accessMode":"r","functionMode":"property","desc":"","dataType":{"type":"bitMap","specs":{"length":8,"define":[{"bit":0,"number0":"a","number1":"b"}]}},"required":false},
 {"identifier":"speed","name":"speed","functionType":"u","accessMode":"w","functionMode":"property","desc":"","dataType":{"type":"double","specs":{"min":"","max":"","unit":"毫米每秒 / mm/s","step":""}},"required":false},
 {"identifier":"log","name":"log","functionType":"u","accessMode":"r","functionMode":"property","desc":"","dataType":{"type":"array","specs":{"length":10,"type":"int32","specs":{"min":0,"max":9,"step":1,"unit":""}}},"required":false},
 {"identifier":"track","name":"track","functionType":"u","accessMode":"r","functionMode":"property","desc":"","dataType":{"type":"array","specs":{"length":"3","type":"struct","specs":[{"identifier":"lat","name":"lat","dataType":{"type":"double","specs":{}}}]}},"required":false}
],"events":[
 {"identifier":"fire","name":"fire","functionType":"u","functionMode":"event","eventType":"error","desc":"","outputData":[],"required":false},
 {"identifier":"boot","name":"boot","functionType":"u","functionMode":"event","eventType":"info","desc":"","outputData":[],"required":false}
],"services":[
 {"identifier":"turn","name":"turn","functionType":"u","functionMode":"service","callType":"a","desc":"","input":[],"output":[],"required":false}
],"combs":[]}`

func number(f float64) *float64 { return &f }

func TestImportModel(t *testing.T) {
	text := thing.DataType{Kind: thing.Text}
	sized := func(n int) thing.DataType { d := text; d.Length = n; return d }
	for _, tt := range []struct {
		name, doc string
		want      thing.Model
	}{
		{"Studio [onenet §5.1]", g2, thing.Model{
			Properties: []thing.Property{
				{ID: "wendu", Name: "温度", Desc: "room", Type: thing.DataType{Kind: thing.Float, Min: number(-40), Max: number(80.5), Step: number(0.1), Unit: "°C", UnitName: "摄氏度"}},
				{ID: "count", Name: "count", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Int32, Min: number(-100), Max: number(100)}},
				{ID: "name", Name: "name", Access: thing.ReadWrite, Type: sized(255)},
				{ID: "$OneNET_LBS_WIFI", Name: "lbs", Type: thing.DataType{Kind: thing.Struct, Fields: []thing.Param{{ID: "imsi", Name: "imsi", Type: sized(20)}}}},
			},
			Events:   []thing.Event{{ID: "alarm", Name: "alarm", Level: thing.Alert, Output: []thing.Param{{ID: "powerOff", Name: "powerOff", Type: thing.DataType{Kind: thing.Int64, Min: number(0), Max: number(1), Step: number(1)}}}}},
			Services: []thing.Service{{ID: "$SyncGetFile", Name: "get", Input: []thing.Param{{ID: "path", Name: "path", Type: sized(64)}}}},
		}},
		{"today's [onenet §5.1]", g3, thing.Model{
			Properties: []thing.Property{
				{ID: "Power", Name: "power", Access: thing.ReadWrite, Required: true, Type: thing.DataType{Kind: thing.Bool, Labels: []thing.Label{{Value: 0, Text: "关"}, {Value: 1, Text: "开"}}}},
				{ID: "mode", Name: "mode", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Enum, Labels: []thing.Label{{Value: 0, Text: "zero"}, {Value: 2, Text: "two"}, {Value: 10, Text: "ten"}}}},
				{ID: "at", Name: "at", Type: thing.DataType{Kind: thing.Date}},
				{ID: "bits", Name: "bits", Type: thing.DataType{Kind: thing.Bitmap, Length: 8}},
				{ID: "speed", Name: "speed", Access: thing.WriteOnly, Type: thing.DataType{Kind: thing.Double, Unit: "mm/s", UnitName: "毫米每秒"}},
				{ID: "log", Name: "log", Type: thing.DataType{Kind: thing.Array, Size: 10, Item: &thing.DataType{Kind: thing.Int32, Min: number(0), Max: number(9), Step: number(1)}}},
				{ID: "track", Name: "track", Type: thing.DataType{Kind: thing.Array, Size: 3, Item: &thing.DataType{Kind: thing.Struct, Fields: []thing.Param{{ID: "lat", Name: "lat", Type: thing.DataType{Kind: thing.Double}}}}}},
			},
			Events:   []thing.Event{{ID: "fire", Name: "fire", Level: thing.Fault}, {ID: "boot", Name: "boot"}},
			Services: []thing.Service{{ID: "turn", Name: "turn", Async: true}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ImportModel([]byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want.Index()) {
				t.Errorf("got  %s\nwant %s", words(got), words(&tt.want))
			}
		})
	}
}

func words(m *thing.Model) []byte {
	b, err := json.Marshal(m)
	return fmt.Appendf(b, " %v", err)
}

func TestModelsComeBack(t *testing.T) {
	for name, doc := range map[string]string{"Studio": g2, "today's": g3} {
		m, err := ImportModel([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		out, err := ExportModel("VRqhDHF2wL", m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ImportModel(out)
		if err != nil || !reflect.DeepEqual(back, m) {
			t.Errorf("%s: %v\nread    %s\nwritten %s", name, err, words(m), out)
		}
		again, err := ExportModel("VRqhDHF2wL", back)
		if err != nil || string(again) != string(out) {
			t.Errorf("%s: exported twice it differs, %v", name, err)
		}
	}
}

func TestExportModelBytes(t *testing.T) {
	m := (&thing.Model{
		Properties: []thing.Property{
			{ID: "wendu", Name: "温度", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Float, Min: number(-40), Max: number(80), UnitName: "摄氏度", Unit: "°C"}},
			{ID: "$log", Name: "<log>", Type: thing.DataType{Kind: thing.Array, Size: 2, Item: &thing.DataType{Kind: thing.Text, Length: 9}}},
		},
		Services: []thing.Service{{ID: "turn", Name: "turn", Async: true}},
	}).Index()
	const want = `{"version":"1.0","profile":{"industryId":"","sceneId":"","categoryId":"","productId":"VRqhDHF2wL"},` +
		`"properties":[{"identifier":"wendu","name":"温度","functionType":"u","accessMode":"rw","functionMode":"property","desc":"","dataType":{"type":"float","specs":{"max":"80","min":"-40","step":"","unit":"摄氏度 / °C"}},"required":false},` +
		`{"identifier":"$log","name":"<log>","functionType":"s","accessMode":"r","functionMode":"property","desc":"","dataType":{"type":"array","specs":{"length":2,"specs":{"length":9},"type":"string"}},"required":false}],` +
		`"events":[],"services":[{"identifier":"turn","name":"turn","functionType":"u","functionMode":"service","callType":"a","desc":"","input":[],"output":[],"required":false}],"combs":[]}`
	out, err := ExportModel("VRqhDHF2wL", m)
	if got := compact(out); err != nil || got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, err)
	}
}

// compact drops indentation; the texts of this file's models hold none.
func compact(doc []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(doc)) {
		b.WriteString(strings.Replace(strings.TrimSpace(line), `": `, `":`, 1))
	}
	return b.String()
}

func TestModelMistakesNameThePlace(t *testing.T) {
	property := func(dataType string) string {
		return `{"properties":[{"identifier":"ok","name":"ok","accessMode":"r","dataType":{"type":"bool","specs":{}}},{"identifier":"bad","name":"bad","accessMode":"r","dataType":` + dataType + `}]}`
	}
	for _, tt := range []struct{ name, doc, want string }{
		{"no JSON", `properties`, "not what it should be"},
		{"another JSON", `{"schema":"https://…","profile":{}}`, "neither properties nor events nor services"},
		{"unknown type", property(`{"type":"text","specs":{}}`), `properties[1] "bad": dataType "text"`},
		{"a bound that is no number", property(`{"type":"int32","specs":{"min":"low"}}`), `properties[1] "bad": specs.min: "low" is no number`},
		{"a length that is no number", property(`{"type":"string","specs":{"length":"long"}}`), `specs.length: "long"`},
		{"a negative length", property(`{"type":"string","specs":{"length":-1}}`), `specs.length: -1`},
		{"half a byte", property(`{"type":"string","specs":{"length":1.5}}`), `specs.length: 1.5`},
		{"a length of no computer", property(`{"type":"array","specs":{"length":1e300,"type":"int32","specs":{}}}`), `specs.length: 1e+300`},
		{"an enum's key", property(`{"type":"enum","specs":{"on":"1"}}`), `"on" is no whole number`},
		{"specs of another shape", property(`{"type":"int32","specs":[]}`), `specs of int32`},
		{"a struct's specs of another shape", property(`{"type":"struct","specs":{}}`), `specs of struct`},
		{"inside a struct", property(`{"type":"struct","specs":[{"identifier":"x","dataType":{"type":"?"}}]}`), `specs[0] "x": dataType "?"`},
		{"inside an array", property(`{"type":"array","specs":{"length":1,"type":"?"}}`), `specs: dataType "?"`},
		{"nested too deeply", property(strings.Repeat(`{"type":"array","specs":{"type":"array","specs":`, 3) + `{}` + strings.Repeat(`}}`, 3)), "nested too deeply"},
		{"access", `{"properties":[{"identifier":"a","accessMode":"x","dataType":{"type":"bool","specs":{}}}]}`, `accessMode "x"`},
		{"event type", `{"events":[{"identifier":"a","eventType":"x"}]}`, `events[0] "a": eventType "x"`},
		{"event output", `{"events":[{"identifier":"a","outputData":[{"identifier":"o","dataType":{"type":"?"}}]}]}`, `events[0] "a": outputData[0] "o"`},
		{"service input", `{"services":[{"identifier":"a","input":[{"identifier":"i","dataType":{"type":"?"}}]}]}`, `services[0] "a": input[0] "i"`},
		{"service output", `{"services":[{"identifier":"a","output":[{"identifier":"o","dataType":{"type":"?"}}]}]}`, `services[0] "a": output[0] "o"`},
		{"twice the same", `{"services":[{"identifier":"a","name":"a"},{"identifier":"a","name":"a"}]}`, "a"},
		{"too large", `{"properties":[` + strings.Repeat(" ", MaxModelBytes) + `]}`, "larger than"},
	} {
		m, err := ImportModel([]byte(tt.doc))
		if err == nil {
			t.Errorf("%s: read as %s", tt.name, words(m))
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

func TestImportedModelsAreIndexed(t *testing.T) {
	m, err := ImportModel([]byte(g2))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.PropertyBytes([]byte("wendu")); !ok {
		t.Error("wendu is not found")
	}
}

// FuzzImportModel: what is read can be written, and is then read as the same.
func FuzzImportModel(f *testing.F) {
	for _, doc := range []string{
		g2, g3, `{}`, `{"properties":[]}`, `{"events":[{"identifier":"a","name":"a","outputData":null}]}`,
		`{"properties":[{"identifier":"a","name":"a","dataType":{"type":"array","specs":{"type":"array","specs":{"type":"int32"}}}}]}`,
		`{"properties":[{"identifier":"a","name":"a","dataType":{"type":"double","specs":{"min":1e308,"step":"1e-300","unit":" / "}}}]}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := ImportModel(doc)
		if err != nil {
			return
		}
		out, err := ExportModel("p", m)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) > MaxModelBytes {
			return
		}
		back, err := ImportModel(out)
		if err != nil || string(words(back)) != string(words(m)) {
			t.Errorf("%v\nread    %s\nwritten %s", err, words(m), out)
		}
	})
}
