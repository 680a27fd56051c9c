package plain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/thing"
)

func bound(f float64) *float64 { return &f }

var model = (&thing.Model{
	Properties: []thing.Property{
		{ID: "Power", Name: "power", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(100)}},
		{ID: "On", Name: "on", Type: thing.DataType{Kind: thing.Bool}},
		{ID: "Name", Name: "name", Type: thing.DataType{Kind: thing.Text}},
		{ID: "Pos", Name: "position", Type: thing.DataType{Kind: thing.Struct, Fields: []thing.Param{
			{ID: "value", Name: "value", Type: thing.DataType{Kind: thing.Int32}}, {ID: "lat", Name: "lat", Type: thing.DataType{Kind: thing.Double}},
		}}},
	},
	Events: []thing.Event{
		{ID: "alarm", Name: "alarm", Level: thing.Fault, Output: []thing.Param{
			{ID: "code", Name: "code", Required: true, Type: thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(9)}},
			{ID: "text", Name: "text", Type: thing.DataType{Kind: thing.Text}},
		}},
	},
	Services: []thing.Service{},
}).Index()

// heard is an uplink of the pump.
func heard(topic, payload string, mode dialect.Strictness) *dialect.Uplink {
	up := new(dialect.Uplink)
	Dialect{}.Uplink(pump, []byte(topic), []byte(payload), model, mode, up)
	return up
}

// told writes down what an uplink reports and refuses, in one line.
func told(up *dialect.Uplink) string {
	var all []string
	for _, r := range up.Report {
		s := r.Property + "=" + r.Value.String()
		if !r.Time.IsZero() {
			s += fmt.Sprintf("@%d", r.Time.UnixMilli())
		}
		if r.Flag != nil {
			s += "!" + r.Flag.Fault.String()
		}
		all = append(all, s)
	}
	for _, e := range up.Events {
		all = append(all, fmt.Sprintf("%s/%s%s", e.ID, e.Level, thing.AppendArguments(nil, e.Output)))
	}
	for _, r := range up.Refused {
		s := "-" + r.ID + ":" + r.Problem.Fault.String()
		if r.Problem.Hint != "" {
			s += ":" + r.Problem.Hint
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func TestPropertyPost(t *testing.T) {
	for _, tt := range []struct{ name, payload, lenient, strict string }{
		{"bare values, in their order", `{"Power":7,"On":true,"Name":"a"}`, "Power=7 On=true Name=a", "Power=7 On=true Name=a"},
		{"value and time", `{"Power":{"value":7,"time":1700000000000}}`, "Power=7@1700000000000", "Power=7@1700000000000"},
		{"value alone", `{"Power":{"value":7}}`, "Power=7", "Power=7"},
		{"a struct with a member value is no wrapper", `{"Pos":{"value":1,"lat":1.5}}`, `Pos={"value":1,"lat":1.5}`, `Pos={"value":1,"lat":1.5}`},
		{"number as text", `{"Power":"7"}`, "Power=7", "-Power:wrong-type"},
		{"switch as number", `{"On":1}`, "On=true", "-On:wrong-type"},
		{"out of range is kept and flagged", `{"Power":101}`, "Power=101!out-of-range", "Power=101!out-of-range"},
		{"wrong type, the rest is kept", `{"Power":"hot","On":false}`, "On=false -Power:wrong-type", "On=false -Power:wrong-type"},
		{"unknown, with the nearest", `{"Powr":1}`, "-Powr:unknown:Power", "-Powr:unknown:Power"},
		{"a clock that is not set", `{"Power":{"value":7,"time":0}}`, "Power=7", "Power=7"},
		{"an object for a number", `{"Power":{"value":7,"unit":"W"}}`, "-Power:wrong-type", "-Power:wrong-type"},
		{"nothing", `{}`, "", ""},
	} {
		for mode, want := range map[dialect.Strictness]string{dialect.Lenient: tt.lenient, dialect.Strict: tt.strict} {
			up := heard("farm/pump1/properties", tt.payload, mode)
			if got := told(up); got != want || up.Kind != dialect.PropertyPost || up.RefusedAll || up.Fault != nil || len(up.Answers) > 0 || up.Loose != 0 {
				t.Errorf("%s, mode %d: told %q, want %q; %+v", tt.name, mode, got, want, up)
			}
		}
	}
	if up := heard("farm/pump1/properties", "{'Power':7}\x00", dialect.Lenient); told(up) != "Power=7" || !strings.Contains(up.Loose.String(), "single quotes") {
		t.Errorf("loose JSON: %q, %q", told(up), up.Loose)
	}
}

func TestEventPost(t *testing.T) {
	for _, tt := range []struct {
		name, event, payload, want string
		refused                    bool
	}{
		{"in the order of the model", "alarm", `{"text":"hot","code":3}`, `alarm/error{"code":3,"text":"hot"}`, false},
		{"without what is not required", "alarm", `{"code":3}`, `alarm/error{"code":3}`, false},
		{"required output missing", "alarm", `{"text":"hot"}`, "-code:missing", true},
		{"wrong type", "alarm", `{"code":"hot"}`, "-code:wrong-type", true},
		{"out of range", "alarm", `{"code":10}`, "-code:out-of-range", true},
		{"unknown output", "alarm", `{"code":1,"more":2}`, "-more:unknown", true},
		{"unknown event", "fire", `{}`, "-fire:unknown", true},
	} {
		up := heard("farm/pump1/events/"+tt.event, tt.payload, dialect.Lenient)
		if got := told(up); got != tt.want || up.Kind != dialect.EventPost || up.RefusedAll != tt.refused || up.Fault != nil {
			t.Errorf("%s: %q, %+v", tt.name, got, up)
		}
	}
}

func TestReplies(t *testing.T) {
	for _, tt := range []struct {
		name, path, payload string
		kind                dialect.Kind
		want                dialect.Reply
	}{
		{"to a set", "set/reply", `{"id":"7","code":200}`, dialect.SetReply, dialect.Reply{ID: "7", Code: 200, OK: true}},
		{"to a call", "services/flush/reply", `{"id":"8","code":200,"output":{"litres":3}}`, dialect.InvokeReply, dialect.Reply{ID: "8", Service: "flush", Code: 200, OK: true, Data: `{"litres":3}`}},
		{"id as number", "set/reply", `{"id":7,"code":0}`, dialect.SetReply, dialect.Reply{ID: "7", Code: 0, OK: true}},
		{"no code is success", "set/reply", `{"id":"7"}`, dialect.SetReply, dialect.Reply{ID: "7", Code: 200, OK: true}},
		{"a refusal", "set/reply", `{"id":"7","code":500,"message":"stuck"}`, dialect.SetReply, dialect.Reply{ID: "7", Code: 500, Message: "stuck"}},
	} {
		up := heard("farm/pump1/"+tt.path, tt.payload, dialect.Lenient)
		if up.Kind != tt.kind || up.Reply != tt.want || up.ID != tt.want.ID || up.Fault != nil {
			t.Errorf("%s: %+v", tt.name, up)
		}
	}
}

func TestMessagesThatCannotBeRead(t *testing.T) {
	for _, path := range []string{"properties", "events/alarm", "set/reply", "services/flush/reply"} {
		for _, payload := range []string{"", "hello", "[1]", `{"code":1`, "7", "null", `"x"`, `{"Power":1e999}`} {
			up := heard("farm/pump1/"+path, payload, dialect.Lenient)
			if !up.RefusedAll || up.Fault == nil || up.Fault.Code != "mqtt-bad-json" || told(up) != "" || up.Reply.OK {
				t.Errorf("%s %q: %+v", path, payload, up)
			}
		}
	}
}

func TestTopics(t *testing.T) {
	for _, tt := range []struct {
		topic           string
		lenient, strict dialect.Kind
	}{
		{"farm/pump1/anything", dialect.Other, dialect.Other},
		{"farm/pump1", dialect.Other, dialect.Other},
		{"farm/pump2/properties", dialect.Other, dialect.Forbidden},
		{"farm/news", dialect.Other, dialect.Forbidden},
		{"farmer/pump1/properties", dialect.Forbidden, dialect.Forbidden},
		{"/farm/pump1/properties", dialect.Forbidden, dialect.Forbidden},
		{"", dialect.Forbidden, dialect.Forbidden},
	} {
		for mode, want := range map[dialect.Strictness]dialect.Kind{dialect.Lenient: tt.lenient, dialect.Strict: tt.strict} {
			up := heard(tt.topic, `{"Power":1}`, mode)
			if up.Kind != want || len(up.Report) > 0 || (up.Fault != nil) != (want == dialect.Forbidden) {
				t.Errorf("%s, mode %d: %+v", tt.topic, mode, up)
			}
			if f := up.Fault; f != nil && (f.Code != "mqtt-topic-forbidden" || f.Received != tt.topic || !strings.HasPrefix(f.Expected, "farm/")) {
				t.Errorf("%s: %+v", tt.topic, f)
			}
		}
	}
}

func FuzzUplink(f *testing.F) {
	for _, path := range []string{"properties", "events/alarm", "set/reply", "services/flush/reply", "x"} {
		for _, payload := range []string{`{"Power":{"value":7,"time":1700000000000}}`, `{'code':3,text:"x"}`, `{"id":7,"code":200,"output":{}}`, `{"a":`, "\x00", "null"} {
			f.Add([]byte("farm/pump1/"+path), []byte(payload), false)
		}
	}
	f.Fuzz(func(t *testing.T, topic, payload []byte, strict bool) {
		mode := dialect.Lenient
		if strict {
			mode = dialect.Strict
		}
		up := heard(string(topic), string(payload), mode)
		if up.RefusedAll && len(up.Report)+len(up.Events) > 0 {
			t.Errorf("all refused, and told %s", told(up))
		}
		if up.RefusedAll && up.Reply.OK {
			t.Errorf("a reply that cannot be read is a success: %+v", up.Reply)
		}
		if up.Kind == dialect.Forbidden && up.Fault == nil {
			t.Error("forbidden without a reason")
		}
	})
}
