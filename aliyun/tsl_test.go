package aliyun

import (
	"reflect"
	"strings"
	"testing"

	"github.com/matou-iot/matou/thing"
)

const lampTSL = `{
 "schema":"https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json","profile":{"productKey":"a1NightLamp"},
 "properties":[
  {"identifier":"CurrentTemperature","name":"当前温度","accessMode":"r","required":true,"dataType":{"type":"float","specs":{"min":"-40","max":"85","step":"0.1","unit":"°C","unitName":"摄氏度"}}},
  {"identifier":"NightLightSwitch","name":"夜灯开关","accessMode":"rw","required":false,"dataType":{"type":"bool","specs":{"0":"关闭","1":"开启"}}},
  {"identifier":"Mode","name":"模式","accessMode":"rw","required":false,"dataType":{"type":"enum","specs":{"0":"手动","10":"自动","2":"节能"}}},
  {"identifier":"Label","name":"名称","accessMode":"rw","required":false,"dataType":{"type":"text","specs":{"length":"64"}}},
  {"identifier":"Place","name":"位置","accessMode":"r","required":false,"dataType":{"type":"struct","specs":[{"identifier":"lat","name":"纬度","dataType":{"type":"double","specs":{"min":-90,"max":90}}}]}},
  {"identifier":"Log","name":"记录","accessMode":"r","required":false,"dataType":{"type":"array","specs":{"size":"128","item":{"type":"int"}}}},
  {"identifier":"Since","name":"起始","accessMode":"r","required":false,"dataType":{"type":"date","specs":{}}}],
 "events":[
  {"identifier":"post","name":"post","type":"info","required":true,"method":"thing.event.property.post","outputData":[]},
  {"identifier":"SensorFault","name":"故障","type":"error","required":false,"method":"thing.event.SensorFault.post","outputData":[{"identifier":"FaultCode","name":"码","dataType":{"type":"enum","specs":{"0":"无","1":"读取失败"}}}]}],
 "services":[
  {"identifier":"set","name":"set","required":true,"callType":"async","method":"thing.service.property.set","inputData":[],"outputData":[]},
  {"identifier":"get","name":"get","required":true,"callType":"async","method":"thing.service.property.get","inputData":["CurrentTemperature"],"outputData":[]},
  {"identifier":"Blink","name":"闪烁","required":false,"callType":"sync","method":"thing.service.Blink","inputData":[{"identifier":"Times","name":"次数","dataType":{"type":"int","specs":{"min":"1","max":"20","step":"1"}}}],"outputData":[]}]}`

func TestTSLIsReadAndWritten(t *testing.T) {
	m, err := ImportTSL([]byte(lampTSL))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Properties) != 7 || len(m.Events) != 1 || len(m.Services) != 1 || m.Services[0].Async {
		t.Fatalf("%d properties, %d events, %+v", len(m.Properties), len(m.Events), m.Services)
	}
	p, _ := m.Property("CurrentTemperature")
	if *p.Type.Min != -40 || *p.Type.Max != 85 || *p.Type.Step != 0.1 || p.Type.Unit != "°C" || p.Access != thing.ReadOnly {
		t.Errorf("%+v", p)
	}
	if mode, _ := m.Property("Mode"); !reflect.DeepEqual(mode.Type.Labels, []thing.Label{{Value: 0, Text: "手动"}, {Value: 2, Text: "节能"}, {Value: 10, Text: "自动"}}) {
		t.Errorf("%+v", mode.Type.Labels)
	}
	doc, err := ExportTSL("a1NightLamp", m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ImportTSL(doc)
	if err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("became %s, %v", doc, err)
	}
	for _, want := range []string{`"thing.event.property.post"`, `"thing.service.property.get"`, `"min": "-40"`, "摄氏度"} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("%s is not in the export", want)
		}
	}
}

func TestTSLOfAFunctionBlock(t *testing.T) {
	m, err := ImportTSL([]byte(`{"functionBlockId":"blk","properties":[{"identifier":"temp","accessMode":"r","dataType":{"type":"int","specs":{}}}]}`))
	if err != nil || m.Properties[0].ID != "blk:temp" {
		t.Errorf("%+v %v", m, err)
	}
}

func TestTSLMistakesNameThePlace(t *testing.T) {
	for doc, want := range map[string]string{
		`[]`: "not what it should be",
		`{}`: "no TSL",
		`{"properties":[{"identifier":"a","dataType":{"type":"money"}}]}`:                                                       `properties[0] "a"`,
		`{"properties":[{"identifier":"a","accessMode":"x","dataType":{"type":"int"}}]}`:                                        "accessMode",
		`{"properties":[{"identifier":"a","dataType":{"type":"int","specs":{"min":"low"}}}]}`:                                   "specs.min",
		`{"properties":[{"identifier":"a","dataType":{"type":"array","specs":{"item":{"type":"x"}}}}]}`:                         "specs.item",
		`{"properties":[{"identifier":"a","dataType":{"type":"enum","specs":{"on":"x"}}}]}`:                                     `"on"`,
		`{"events":[{"identifier":"e","type":"fatal"}]}`:                                                                        "fatal",
		`{"properties":[{"identifier":"a","dataType":{"type":"int"}},{"identifier":"a","dataType":{"type":"int"}}]}`:            "twice",
		`{"services":[{"identifier":"s","inputData":[{"identifier":"p","dataType":{"type":"?"}}]}]}`:                            "inputData[0]",
		`{"properties":[{"identifier":"a","dataType":{"type":"struct","specs":[{"identifier":"f","dataType":{"type":"?"}}]}}]}`: "specs[0]",
	} {
		if _, err := ImportTSL([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", doc, err, want)
		}
	}
}

func FuzzImportTSL(f *testing.F) {
	f.Add([]byte(lampTSL))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := ImportTSL(doc)
		if err != nil {
			return
		}
		out, err := ExportTSL("pk", m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ImportTSL(out); err != nil {
			t.Errorf("%s became %s: %v", doc, out, err)
		}
	})
}
