package aliyun

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/thing"
	"github.com/matou-iot/matou/thing/loose"
)

// posted reads a property post and writes down what it visits.
func posted(d *Decoder, doc string) (string, error) {
	var got []string
	err := d.PropertyPost([]byte(doc), func(id []byte, v thing.Value, at int64) {
		got = append(got, fmt.Sprintf("%s=%s@%d", id, v, at))
	})
	return strings.Join(got, " "), err
}

func TestPropertyPost(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want, id string
		noAck               bool
		loose               loose.Looseness
	}{
		{"documented form [aliyun-device §5.2]", `{"id":"123","version":"1.0","sys":{"ack":1},"params":{"CurrentTemperature":25.6,"NightLightSwitch":1},"method":"thing.event.property.post"}`, "CurrentTemperature=25.6@0 NightLightSwitch=1@0", "123", false, 0},
		{"value and time", `{"id":"124","params":{"A":{"value":25.6,"time":1524448722000},"B":2}}`, "A=25.6@1524448722000 B=2@0", "124", false, 0},
		{"time as text", `{"params":{"A":{"value":1,"time":"1524448722000"}}}`, "A=1@1524448722000", "", false, 0},
		{"a struct that has more members than value and time", `{"params":{"P":{"value":1,"lat":2}}}`, `P={"value":1,"lat":2}@0`, "", false, 0},
		{"id as number [aliyun-device §9 row 4]", `{"id":123,"params":{"A":1}}`, "A=1@0", "123", false, 0},
		{"id that is no number", `{"id":"1|exp-topic|/sys","params":{"A":1}}`, "A=1@0", "1|exp-topic|/sys", false, 0},
		{"no answer wanted", `{"id":"1","sys":{"ack":0},"params":{"A":1}}`, "A=1@0", "1", true, 0},
		{"params before id, as C4", `{"params":{"A":1},"id":"9","sys":{"x":[1],"ack":1}}`, "A=1@0", "9", false, 0},
		{"params as a string holding JSON [aliyun-device §9 row 20]", `{"id":"1","params":"{\"A\":1,\"B\":\"x\"}"}`, "A=1@0 B=x@0", "1", false, 0},
		{"bare keys of seed 003", `{params:{temp:10}}`, "temp=10@0", "", false, loose.BareKeys},
		{"single quotes", `{'id':'1','params':{'A':'b'}}`, "A=b@0", "1", false, loose.SingleQuotes},
		{"escaped name", `{"params":{"\u0041":1,"B":2}}`, "A=1@0 B=2@0", "", false, 0},
		{"no values at all", `{"id":"1","params":{}}`, "", "1", false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			for range 2 { // a decoder is reused
				got, err := posted(&d, tt.doc)
				if err != nil || got != tt.want || string(d.ID) != tt.id || d.NoAck != tt.noAck || d.Loose != tt.loose {
					t.Errorf("got %q, id %q, noAck %v, loose %v, %v", got, d.ID, d.NoAck, d.Loose, err)
				}
			}
		})
	}
}

func TestPropertyPostRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"no object":          `[1]`,
		"no params":          `{"id":"1"}`,
		"params no object":   `{"params":[1]}`,
		"params are a text":  `{"params":"hello"}`,
		"cut off":            `{"id":"1","params":{"A":1}`,
		"nan":                `{"params":{"A":nan}}`,
		"something behind":   `{"params":{"A":1}}{`,
		"text holds a wreck": `{"params":"{\"A\":1} {"}`,
	} {
		if got, err := posted(new(Decoder), doc); err == nil {
			t.Errorf("%s: %s was read as %q", name, doc, got)
		}
	}
}

func TestEventPost(t *testing.T) {
	for name, tt := range map[string]struct {
		doc, want string
		at        int64
	}{
		"wrapped [aliyun-device §5.5]": {`{"id":"1","params":{"value":{"FaultCode":1},"time":1700000000000}}`, `{"FaultCode":1}`, 1700000000000},
		"unwrapped, as C3 sends it":    {`{"id":"1","params":{"FaultCode":1}}`, `{"FaultCode":1}`, 0},
		"loosely written":              {`{params:{value:{FaultCode:1}}}`, `{"FaultCode":1}`, 0},
	} {
		args, at, err := new(Decoder).EventPost([]byte(tt.doc))
		if got := string(thing.AppendArguments(nil, args)); err != nil || got != tt.want || at != tt.at {
			t.Errorf("%s: %s at %d, %v", name, got, at, err)
		}
	}
}

func TestDeviceReply(t *testing.T) {
	for doc, want := range map[string]string{
		`{"id":"160500006","code":200,"data":{}}`:  "160500006 200 {}",
		`{"id":5,"code":"200","data":"{\"a\":1}"}`: `5 200 {"a":1}`,
		`{"id":"5"}`: "5 200 ",
		`{"code":460,"message":"no","id":"5","data":{x:1}}`: `5 460 {"x":1}`,
	} {
		var d Decoder
		data, err := d.Reply([]byte(doc))
		if got := fmt.Sprintf("%s %d %s", d.ID, d.Code, data); err != nil || got != want {
			t.Errorf("%s: %q, %v", doc, got, err)
		}
	}
}

func TestReplyBytes(t *testing.T) {
	const captured = `{"code":200,"data":{},"id":"1","message":"success","method":"thing.event.property.post","version":"1.0"}`
	if got := AppendReply(nil, 200, nil, []byte("1"), "success", "thing.event.property.post"); string(got) != captured {
		t.Errorf("got  %s\nwant %s", got, captured)
	}
	if got := AppendReply(nil, 200, nil, nil, "success", "m"); !strings.Contains(string(got), `"id":"0"`) {
		t.Errorf("a missing id is answered as %s", got)
	}
	if got := AppendReply(nil, 200, []byte(`{"id":7}`), []byte("1"), "success", "m"); strings.Index(string(got), `"id":"1"`) > strings.Index(string(got), `"data"`) {
		t.Errorf("an SDK would find the wrong id first in %s", got)
	}
}

func TestDownlinkBytes(t *testing.T) {
	m := (&thing.Model{Properties: []thing.Property{
		{ID: "LightSwitch", Type: thing.DataType{Kind: thing.Bool}}, {ID: "At", Type: thing.DataType{Kind: thing.Date}},
	}}).Index()
	args := []thing.Argument{{ID: "LightSwitch", Value: thing.BoolValue(false)}, {ID: "At", Value: thing.IntValue(5)}}
	want := `{"method":"thing.service.property.set","id":"160500006","params":{"LightSwitch":0,"At":"5"},"version":"1.0.0"}`
	if got := AppendPropertySet(nil, "160500006", args, m); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s := &thing.Service{ID: "SetWeight"}
	want = `{"method":"thing.service.SetWeight","id":"105917531","params":{"NewWeight":100.8},"version":"1.0.0"}`
	if got := AppendServiceInvoke(nil, "105917531", s, []thing.Argument{{ID: "NewWeight", Value: thing.FloatValue(100.8)}}); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWhatADeviceSaysIsRead(t *testing.T) {
	var d Decoder
	got, err := posted(&d, string(AppendPropertyPost(nil, "7", []thing.Argument{{ID: "A", Value: thing.BoolValue(true)}})))
	if err != nil || got != "A=1@0" || string(d.ID) != "7" {
		t.Errorf("%q %v", got, err)
	}
	args, at, err := d.EventPost(AppendEventPost(nil, "8", "Fault", []thing.Argument{{ID: "Code", Value: thing.IntValue(2)}}, time.UnixMilli(1234)))
	if err != nil || len(args) != 1 || at != 1234 {
		t.Errorf("%v %d %v", args, at, err)
	}
	if _, err := d.Reply(AppendDeviceReply(nil, []byte("9"), 200, nil)); err != nil || string(d.ID) != "9" {
		t.Errorf("%q %v", d.ID, err)
	}
}

func TestPropertyPostDoesNotAllocate(t *testing.T) {
	doc := []byte(`{"id":"123","version":"1.0","sys":{"ack":1},"params":{"CurrentTemperature":25.6,"CurrentHumidity":48.5,"NightLightSwitch":1},"method":"thing.event.property.post"}`)
	var d Decoder
	n := 0
	visit := func([]byte, thing.Value, int64) { n++ }
	read := func() {
		if err := d.PropertyPost(doc, visit); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if allocs := testing.AllocsPerRun(100, read); allocs != 0 || n == 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, s := range []string{`{"id":"1","params":{"A":{"value":1,"time":2}}}`, `{params:{a:1}}`, `{"params":"{\"A\":1}"}`, `{"id":{},"code":[],"data":"x","sys":1,"params":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d Decoder
		err := d.PropertyPost(doc, func(id []byte, v thing.Value, at int64) {
			if v.Shape > thing.List {
				t.Errorf("a value of shape %d", v.Shape)
			}
		})
		if err == nil && d.ID == nil && len(d.ID) > 0 {
			t.Error("no id")
		}
		d.EventPost(doc)
		d.Reply(doc)
		d.Request(doc)
	})
}
