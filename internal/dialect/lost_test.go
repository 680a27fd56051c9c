package dialect_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/thing"
)

// TestLostOnReading: what a vendor's file says and a model has no place for.
func TestLostOnReading(t *testing.T) {
	for _, tt := range []struct {
		name   string
		vendor dialect.Dialect
		doc    string
		want   []string
	}{
		{"all is kept, the frame does not count", aliyun.Dialect{}, `{"schema":"x","profile":{"productKey":"other","version":"1.5"},"properties":[
			{"identifier":"T","name":"t","accessMode":"r","required":false,"desc":"","dataType":{"type":"float","specs":{"min":"-40.0","max":"85","unit":"°C"}}}],"events":[],"services":[]}`, nil},
		{"a text with its default, a module's name", aliyun.Dialect{}, `{"functionBlockId":"lamp","functionBlockName":"Lamp","properties":[
			{"identifier":"T","name":"t","accessMode":"r","extendConfig":"{}","dataType":{"type":"int","specs":{}}}],
			"events":[{"identifier":"E","type":"alert","method":"thing.event.lamp:E.post","outputData":[]}]}`,
			[]string{`functionBlockName "Lamp" → `, `properties[T].extendConfig "{}" → `}},
		{"the bits of a bit map, combinations", onenet.Dialect{}, `{"version":"1.0","properties":[
			{"identifier":"B","functionType":"st","functionMode":"property","accessMode":"r","dataType":{"type":"bitMap","specs":{"length":8,"define":[{"bit":0,"number0":"off","number1":"on"}]}}}],
			"events":[],"services":[],"combs":[{"identifier":"c"}]}`,
			[]string{`combs[c] {"identifier":"c"} → `, `properties[B].dataType.specs.define [{"bit":0,"number0":"off","number1":"on"}] → `, `properties[B].functionType "st" → "u"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := tt.vendor.ImportModel([]byte(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			again, err := tt.vendor.ExportModel("p", m)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, tt.doc, again, tt.want)
		})
	}
}

// TestLostOnWriting: what a model says and a vendor's form has no place for.
func TestLostOnWriting(t *testing.T) {
	m := &thing.Model{Properties: []thing.Property{
		{ID: "count", Type: thing.DataType{Kind: thing.Int64}},
		{ID: "at", Type: thing.DataType{Kind: thing.Struct, Fields: []thing.Param{{ID: "x", Required: true, Type: thing.DataType{Kind: thing.Int32}}}}},
		{ID: "bits", Type: thing.DataType{Kind: thing.Bitmap, Length: 8}},
	}}
	for _, tt := range []struct {
		vendor dialect.Dialect
		want   []string
	}{
		{aliyun.Dialect{}, []string{`properties[count].type.kind "int64" → "double"`, `properties[at].type.fields[x].required true → false`, `properties[bits].type.kind "bitmap" → "int32"`, `properties[bits].type.length 8 → `}},
		{onenet.Dialect{}, []string{`properties[at].type.fields[x].required true → false`}},
	} {
		doc, err := tt.vendor.ExportModel("p", m)
		if err != nil {
			t.Fatal(err)
		}
		read, err := tt.vendor.ImportModel(doc)
		if err != nil {
			t.Fatal(err)
		}
		from, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		made, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, string(from), made, tt.want)
	}
}

func expect(t *testing.T, from string, made []byte, want []string) {
	t.Helper()
	lost, err := dialect.Lost([]byte(from), made)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lost {
		got = append(got, fmt.Sprintf("%s %s → %s", l.Path, l.Was, l.Became))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzLost(f *testing.F) {
	f.Add([]byte(`{"properties":[{"identifier":"a","dataType":{"specs":["x",1,null]}}]}`), []byte(`{"properties":{"a":1}}`))
	f.Fuzz(func(t *testing.T, from, made []byte) {
		if lost, err := dialect.Lost(from, from); err == nil && len(lost) > 0 {
			t.Errorf("%s lost %v to itself", from, lost)
		}
		dialect.Lost(from, made)
	})
}
