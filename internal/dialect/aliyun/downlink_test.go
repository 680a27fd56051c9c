package aliyun

import (
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

func TestMaySubscribe(t *testing.T) {
	for _, tt := range []struct {
		name, filter string
		qos          mqtt.QoS
		want         mqtt.ReasonCode
		nearest      string // of a refusal
	}{
		{"own set", "/sys/a1NightLamp/lamp01/thing/service/property/set", 1, 1, ""},
		{"QoS 0 stays 0", "/sys/a1NightLamp/lamp01/thing/service/+", 0, 0, ""},
		{"QoS 2 is granted as 1 [aliyun-device §2.5]", "/a1NightLamp/lamp01/user/get", 2, 1, ""},
		{"all of a function", "/sys/a1NightLamp/lamp01/thing/service/#", 1, 1, ""},
		{"custom without user", "/a1NightLamp/lamp01/get", 0, 0, ""},
		{"missing first slash [aliyun-device §9 row 14]", "sys/a1NightLamp/lamp01/thing/service/property/set", 1, 1, ""},
		{"topo of what is no gateway [aliyun-device §4.2]", "/sys/a1NightLamp/lamp01/thing/topo/add_reply", 1, 1, ""},
		{"broadcast of the product", "/broadcast/a1NightLamp/news", 1, 1, ""},
		{"firmware", "/ota/device/upgrade/a1NightLamp/lamp01", 1, 1, ""},
		{"RRPC", "/ext/rrpc/+/a1NightLamp/lamp01/user/get", 0, 0, ""},
		{"wildcards in the names' place [aliyun-device §4.2]", "/sys/+/+/thing/service/property/set", 1, mqtt.NotAuthorized, "/sys/a1NightLamp/lamp01/thing/service/property/set"},
		{"another device", "/sys/a1NightLamp/lamp02/thing/event/property/post_reply", 1, mqtt.NotAuthorized, "/sys/a1NightLamp/lamp01/thing/event/property/post"},
		{"another device's own", "/a1NightLamp/lamp02/user/get", 1, mqtt.NotAuthorized, "/a1NightLamp/lamp01/user/get"},
		{"another product's broadcast", "/broadcast/a1Other/news", 1, mqtt.NotAuthorized, "/a1NightLamp/lamp01/user/…"},
		{"everything", "#", 1, mqtt.NotAuthorized, "/a1NightLamp/lamp01/user/…"},
		{"a group's", "$share/g//a1NightLamp/lamp02/user/get", 1, mqtt.NotAuthorized, "/a1NightLamp/lamp01/user/get"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, why := Dialect{}.MaySubscribe(lamp, tt.filter, tt.qos, dialect.Lenient)
			switch {
			case got != tt.want:
				t.Errorf("%#x, want %#x", got, tt.want)
			case got.Failed() != (why != nil):
				t.Errorf("reason %+v", why)
			case why != nil && (why.Code != "aliyun-topic-forbidden" || why.Received != tt.filter || why.Expected != tt.nearest):
				t.Errorf("reason %+v", why)
			}
		})
	}
}

func TestUnasked(t *testing.T) {
	for topic, want := range map[string]bool{
		"/sys/a1NightLamp/lamp01/thing/service/property/set": true,
		"/ext/ntp/a1NightLamp/lamp01/response":               true,
		"/ota/device/upgrade/a1NightLamp/lamp01":             true,
		"/shadow/get/a1NightLamp/lamp01":                     true,
		"/a1NightLamp/lamp01/user/get":                       false,
		"/broadcast/a1NightLamp/news":                        false,
	} {
		if got := (Dialect{}).Unasked(lamp, topic); got != want {
			t.Errorf("%s: %v [aliyun-device §4.3]", topic, got)
		}
	}
}

func TestSetIsAsCaptured(t *testing.T) {
	got := Dialect{}.Set(lamp, "160500006", []thing.Argument{
		{ID: "LightSwitch", Value: thing.BoolValue(false)},
		{ID: "Temperature", Value: thing.FloatValue(25.5)},
		{ID: "Since", Value: thing.IntValue(1524448722000)},
		{ID: "Name", Value: thing.TextValue(`a"灯`)},
	}, model)
	if want := "/sys/a1NightLamp/lamp01/thing/service/property/set"; got.Topic != want {
		t.Errorf("topic %s", got.Topic)
	}
	want := `{"method":"thing.service.property.set","id":"160500006","params":{"LightSwitch":0,"Temperature":25.5,"Since":"1524448722000","Name":"a\"灯"},"version":"1.0.0"}`
	if string(got.Payload) != want {
		t.Errorf("got  %s\nwant %s [aliyun-device §5.4]", got.Payload, want)
	}
}

func TestInvokeIsAsDocumented(t *testing.T) {
	s, ok := model.Service("SetWeight")
	if !ok {
		t.Fatal("no service")
	}
	got := Dialect{}.Invoke(lamp, "105917531", s, []thing.Argument{{ID: "NewWeight", Value: thing.FloatValue(100.8)}, {ID: "Beep", Value: thing.BoolValue(true)}}, model)
	if want := "/sys/a1NightLamp/lamp01/thing/service/SetWeight"; got.Topic != want {
		t.Errorf("topic %s", got.Topic)
	}
	want := `{"method":"thing.service.SetWeight","id":"105917531","params":{"NewWeight":100.8,"Beep":1},"version":"1.0.0"}`
	if string(got.Payload) != want {
		t.Errorf("got  %s\nwant %s [aliyun-device §5.7]", got.Payload, want)
	}
}

func TestModelGoesOutAndIn(t *testing.T) {
	doc, err := Dialect{}.ExportModel("a1NightLamp", model)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Dialect{}.ImportModel(doc)
	if err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	for _, p := range model.Properties {
		if got, ok := back.Property(p.ID); !ok || got.Type.Kind != p.Type.Kind || got.Access != p.Access {
			t.Errorf("%s became %+v", p.ID, got)
		}
	}
	if _, ok := back.Event("alarm"); !ok {
		t.Error("the event is gone")
	}
	if _, err := (Dialect{}).ImportModel([]byte("{")); err == nil {
		t.Error("half a file was read")
	}
}
