package onenet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/thing"
)

func bound(f float64) *float64 { return &f }

// model has a property of each kind that matters to the wire.
var model = (&thing.Model{
	Properties: []thing.Property{
		{ID: "wendu", Name: "温度", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Float, Min: bound(-40), Max: bound(80), Step: bound(0.1)}},
		{ID: "count", Name: "count", Type: thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(100)}},
		{ID: "Power", Name: "power", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Bool}},
		{ID: "mode", Name: "mode", Type: thing.DataType{Kind: thing.Enum, Labels: []thing.Label{{Value: 0, Text: "off"}, {Value: 1, Text: "on"}}}},
		{ID: "name", Name: "name", Type: thing.DataType{Kind: thing.Text, Length: 5}},
		{ID: "log", Name: "log", Type: thing.DataType{Kind: thing.Array, Size: 3, Item: &thing.DataType{Kind: thing.Int32}}},
		{ID: "pos", Name: "pos", Type: thing.DataType{Kind: thing.Struct, Fields: []thing.Param{{ID: "lat", Name: "lat", Type: thing.DataType{Kind: thing.Double}}}}},
	},
	Events: []thing.Event{
		{ID: "alarm", Name: "alarm", Level: thing.Alert, Output: []thing.Param{
			{ID: "powerOff", Name: "powerOff", Required: true, Type: thing.DataType{Kind: thing.Int32}},
			{ID: "smoke", Name: "smoke", Type: thing.DataType{Kind: thing.Int32}},
		}},
		{ID: "boot", Name: "boot", Output: []thing.Param{}},
	},
	Services: []thing.Service{},
}).Index()

const sys = "$sys/VRqhDHF2wL/my_tv/"

// read is an uplink of tv.
func read(topic, payload string, mode dialect.Strictness) *dialect.Uplink {
	up := new(dialect.Uplink)
	Dialect{}.Uplink(tv, []byte(topic), []byte(payload), model, mode, up)
	return up
}

// told writes down what an uplink reports, in one line.
func told(up *dialect.Uplink) string {
	var all []string
	for _, r := range up.Report {
		s := fmt.Sprintf("%s=%s", r.Property, r.Value)
		if !r.Time.IsZero() {
			s += fmt.Sprintf("@%d", r.Time.UnixMilli())
		}
		if r.Flag != nil {
			s += "!" + r.Flag.Fault.String()
		}
		all = append(all, s)
	}
	for _, e := range up.Events {
		s := fmt.Sprintf("%s/%s%s", e.ID, e.Level, thing.AppendArguments(nil, e.Output))
		if !e.Time.IsZero() {
			s += fmt.Sprintf("@%d", e.Time.UnixMilli())
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// answered is the one answer, topic and payload.
func answered(up *dialect.Uplink) (topic, payload string) {
	if len(up.Answers) != 1 {
		return "", fmt.Sprint(len(up.Answers), " answers")
	}
	return up.Answers[0].Topic, string(up.Answers[0].Payload)
}

func TestPropertyPost(t *testing.T) {
	for _, tt := range []struct {
		name, payload, want string
		id                  string
		notes               []string
		loose               string
	}{
		{"seed 002 byte for byte [onenet §3.6]", `{"id": "123","version" : "1.0","params": {"wendu": {"value": 21.1}}}`, "wendu=21.1", "123", nil, ""},
		{"with time", `{"id":"1","version":"1.0","params":{"Power":{"value":true,"time":1524448722123},"wendu":{"value":23.6}}}`, "Power=true@1524448722123 wendu=23.6", "1", nil, ""},
		{"a whole number is a float", `{"id":"1","params":{"wendu":{"value":21}}}`, "wendu=21", "1", nil, ""},
		{"every shape", `{"id":"1","params":{"count":{"value":3},"mode":{"value":1},"name":{"value":"abc"},"log":{"value":[1,2]},"pos":{"value":{"lat":1.5}}}}`, `count=3 mode=1 name=abc log=[1,2] pos={"lat":1.5}`, "1", nil, ""},
		{"id as number is answered as text [onenet §3.1]", `{"id":123,"params":{"wendu":{"value":1}}}`, "wendu=1", "123", nil, ""},
		{"bare value, Aliyun's habit", `{"id":"1","params":{"wendu":21}}`, "wendu=21", "1", []string{"onenet-bare-value"}, ""},
		{"added twice by the C SDK [onenet §3.1]", `{"id":"1","params":{"wendu":{"value":[1,2],"time":1524448722123}}}`, "wendu=1@1524448722123 wendu=2@1524448722123", "1", nil, ""},
		{"a number as text [onenet §5.2]", `{"id":"1","params":{"wendu":{"value":"30.5"}}}`, "wendu=30.5", "1", []string{"onenet-loose-value"}, ""},
		{"a switch as number", `{"id":"1","params":{"Power":{"value":1}}}`, "Power=true", "1", []string{"onenet-loose-value"}, ""},
		{"between the steps", `{"id":"1","params":{"wendu":{"value":21.15}}}`, "wendu=21.15!" + thing.OffStep.String(), "1", nil, ""},
		{"id of letters", `{"id":"abc","params":{"wendu":{"value":1}}}`, "wendu=1", "abc", []string{"onenet-bad-id"}, ""},
		{"no id", `{"params":{"wendu":{"value":1}}}`, "wendu=1", "", []string{"onenet-bad-id"}, ""},
		{"id of 14 digits", `{"id":"12345678901234","params":{"wendu":{"value":1}}}`, "wendu=1", "12345678901234", []string{"onenet-bad-id"}, ""},
		{"no values", `{"id":"1","params":{}}`, "", "1", nil, ""},
		{"single quotes and a NUL", "{'id':'1','params':{'wendu':{'value':1}}}\x00", "wendu=1", "1", nil, "single quotes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(sys+"thing/property/post", tt.payload, dialect.Lenient)
			if got := told(up); up.Kind != dialect.PropertyPost || got != tt.want || up.ID != tt.id || up.RefusedAll || up.Fault != nil || len(up.Refused) > 0 {
				t.Fatalf("%q of %+v", got, up)
			}
			if got := noteCodes(up.Notes); !reflect.DeepEqual(got, tt.notes) {
				t.Errorf("notes %v, want %v", got, tt.notes)
			}
			if !strings.Contains(up.Loose.String(), tt.loose) || (up.Loose == 0) != (tt.loose == "") {
				t.Errorf("loose %q", up.Loose)
			}
			topic, payload := answered(up)
			if want := `{"id":"` + tt.id + `","code":200,"msg":"success"}`; topic != sys+"thing/property/post/reply" || payload != want {
				t.Errorf("answered %s %s", topic, payload)
			}
		})
	}
}

func TestPropertyPostIsRefusedAsAWhole(t *testing.T) {
	const good = `"count":{"value":5}`
	for _, tt := range []struct {
		name, bad string
		answer    string
		hint      string
		mode      dialect.Strictness
	}{
		{"unknown identifier [onenet §3.4]", `"Wendu":{"value":1}`, `"code":2306,"msg":"identifier not exist:identifier:Wendu"`, "wendu", dialect.Lenient},
		{"above the maximum", `"wendu":{"value":81}`, `"code":2308,"msg":"float value out of range:identifier:wendu"`, "", dialect.Lenient},
		{"enum without label", `"mode":{"value":7}`, `"code":2308,"msg":"enum value out of range:identifier:mode"`, "", dialect.Lenient},
		{"text for a number", `"wendu":{"value":"hot"}`, `"code":2307,"msg":"float type error:identifier:wendu"`, "", dialect.Lenient},
		{"null", `"wendu":{"value":null}`, `"code":2307,"msg":"float type error:identifier:wendu"`, "", dialect.Lenient},
		{"no value inside", `"wendu":{}`, `"code":2307,"msg":"float type error:identifier:wendu"`, "", dialect.Lenient},
		{"empty list", `"wendu":{"value":[]}`, `"code":2307,"msg":"float type error:identifier:wendu"`, "", dialect.Lenient},
		{"one of two does not fit", `"wendu":{"value":[1,99]}`, `"code":2308,"msg":"float value out of range:identifier:wendu"`, "", dialect.Lenient},
		{"text too long", `"name":{"value":"abcdef"}`, `"code":2309,"msg":"string length error:identifier:name"`, "", dialect.Lenient},
		{"list too long", `"log":{"value":[1,2,3,4]}`, `"code":2309,"msg":"array length error:identifier:log"`, "", dialect.Lenient},
		{"time in seconds", `"wendu":{"value":1,"time":1524448722}`, `"code":2307,"msg":"time error:identifier:wendu"`, "", dialect.Lenient},
		{"time is a word", `"wendu":{"value":1,"time":"now"}`, `"code":2307,"msg":"time error:identifier:wendu"`, "", dialect.Lenient},
		{"time in the year 2200", `"wendu":{"value":1,"time":7258118400000}`, `"code":2307,"msg":"time error:identifier:wendu"`, "", dialect.Lenient},
		{"a switch as number, strict [onenet §5.2]", `"Power":{"value":1}`, `"code":2307,"msg":"bool type error:identifier:Power"`, "", dialect.Strict},
		{"a number as text, strict", `"wendu":{"value":"30.5"}`, `"code":2307,"msg":"float type error:identifier:wendu"`, "", dialect.Strict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, params := range []string{good + "," + tt.bad, tt.bad + "," + good} {
				up := read(sys+"thing/property/post", `{"id":"7","version":"1.0","params":{`+params+`}}`, tt.mode)
				if up.Kind != dialect.PropertyPost || !up.RefusedAll || len(up.Report) != 0 || len(up.Refused) != 1 || up.Fault != nil {
					t.Fatalf("%s is read as %+v", params, up)
				}
				if got := up.Refused[0]; got.Problem.Hint != tt.hint || got.Code == 0 || got.Text == "" || got.ID == "" {
					t.Errorf("refused %+v", got)
				}
				topic, payload := answered(up)
				if want := `{"id":"7",` + tt.answer + `}`; topic != sys+"thing/property/post/reply" || payload != want {
					t.Errorf("answered %s %s\nwant %s", topic, payload, want)
				}
			}
		})
	}
}

func TestMessagesThatCannotBeRead(t *testing.T) {
	long := strings.Repeat("9", 65)
	for _, tt := range []struct {
		name, payload, answer string
		mode                  dialect.Strictness
	}{
		{"no JSON", `hello`, `{"id":"","code":2301,"msg":"invalid json"}`, dialect.Lenient},
		{"empty", ``, `{"id":"","code":2301,"msg":"invalid json"}`, dialect.Lenient},
		{"a list", `[]`, `{"id":"","code":2301,"msg":"invalid json"}`, dialect.Lenient},
		{"cut off", `{"id":"5","params":{"wendu":{"value":21.1}`, `{"id":"5","code":2301,"msg":"invalid json"}`, dialect.Lenient},
		{"nan", `{"id":"5","params":{"wendu":{"value":nan}}}`, `{"id":"5","code":2301,"msg":"invalid json"}`, dialect.Lenient},
		{"no params", `{"id":"5"}`, `{"id":"5","code":2303,"msg":"params missing"}`, dialect.Lenient},
		{"params are a list", `{"id":"5","params":[]}`, `{"id":"5","code":2303,"msg":"params missing"}`, dialect.Lenient},
		{"id missing, strict", `{"params":{"wendu":{"value":1}}}`, `{"id":"","code":2302,"msg":"id illegal"}`, dialect.Strict},
		{"id of letters, strict", `{"id":"abc","params":{"wendu":{"value":1}}}`, `{"id":"abc","code":2302,"msg":"id illegal"}`, dialect.Strict},
		{"id too long to be repeated", `{"id":"` + long + `","params":{"wendu":{"value":1}}}`, `{"id":"","code":2302,"msg":"id illegal"}`, dialect.Lenient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(sys+"thing/property/post", tt.payload, tt.mode)
			if !up.RefusedAll || len(up.Report) > 0 || up.Fault == nil || up.Fault.Sentence == "" || up.Fault.SentenceZH == "" || up.Close {
				t.Fatalf("%+v", up)
			}
			if _, payload := answered(up); payload != tt.answer {
				t.Errorf("answered %s\nwant %s", payload, tt.answer)
			}
		})
	}
}

func TestEventPost(t *testing.T) {
	for _, tt := range []struct {
		name, payload, want string
		notes               []string
	}{
		{"documented [onenet §3.2]", `{"id":"123","version":"1.0","params":{"alarm":{"value":{"powerOff":1,"smoke":0},"time":1524448722123}}}`, `alarm/alert{"powerOff":1,"smoke":0}@1524448722123`, nil},
		{"several at once", `{"id":"123","params":{"alarm":{"value":{"powerOff":1}},"boot":{"value":{}}}}`, `alarm/alert{"powerOff":1} boot/info{}`, nil},
		{"bare, Aliyun's habit", `{"id":"123","params":{"alarm":{"powerOff":1}}}`, `alarm/alert{"powerOff":1}`, []string{"onenet-bare-value"}},
		{"loosely written", `{id:'123',params:{alarm:{value:{powerOff:1}}}}`, `alarm/alert{"powerOff":1}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(sys+"thing/event/post", tt.payload, dialect.Lenient)
			if got := told(up); up.Kind != dialect.EventPost || got != tt.want || up.RefusedAll || up.Fault != nil {
				t.Fatalf("%q of %+v", got, up)
			}
			if got := noteCodes(up.Notes); !reflect.DeepEqual(got, tt.notes) {
				t.Errorf("notes %v", got)
			}
			if topic, payload := answered(up); topic != sys+"thing/event/post/reply" || payload != `{"id":"123","code":200,"msg":"success"}` {
				t.Errorf("answered %s %s", topic, payload)
			}
		})
	}
}

func TestEventPostIsRefusedAsAWhole(t *testing.T) {
	for _, tt := range []struct{ name, params, answer string }{
		{"unknown event", `{"boot":{"value":{}},"fire":{"value":{}}}`, `"code":2306,"msg":"identifier not exist:identifier:fire"`},
		{"unknown output", `{"alarm":{"value":{"powerOff":1,"x":1}},"boot":{"value":{}}}`, `"code":2306,"msg":"identifier not exist:identifier:x"`},
		{"wrong type", `{"alarm":{"value":{"powerOff":"often"}}}`, `"code":2307,"msg":"int32 type error:identifier:powerOff"`},
		{"output missing", `{"alarm":{"value":{}}}`, `"code":2310,"msg":"member missing:identifier:powerOff"`},
		{"time in seconds", `{"alarm":{"value":{"powerOff":1},"time":1524448722}}`, `"code":2307,"msg":"time error:identifier:alarm"`},
		{"no object", `{"alarm":5}`, `"code":2303,"msg":"params missing"`},
		{"params missing", `null`, `"code":2303,"msg":"params missing"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(sys+"thing/event/post", `{"id":"9","params":`+tt.params+`}`, dialect.Lenient)
			if !up.RefusedAll || len(up.Events) > 0 || len(up.Refused) == 0 && up.Fault == nil {
				t.Fatalf("%+v", up)
			}
			if _, payload := answered(up); payload != `{"id":"9",`+tt.answer+`}` {
				t.Errorf("answered %s", payload)
			}
		})
	}
}

func TestReplies(t *testing.T) {
	for _, tt := range []struct {
		topic, payload string
		kind           dialect.Kind
		want           dialect.Reply
	}{
		{"thing/property/set_reply", `{"id":"1","code":200,"msg":"success"}`, dialect.SetReply, dialect.Reply{ID: "1", Code: 200, OK: true, Message: "success"}},
		{"thing/property/set_reply", `{"id":1,"code":0,"data":{}}`, dialect.SetReply, dialect.Reply{ID: "1", Code: 200, OK: true, Data: "{}"}},
		{"thing/property/set_reply", `{"id":"1","code":100,"msg":"failed"}`, dialect.SetReply, dialect.Reply{ID: "1", Code: 100, Message: "failed"}},
		{"thing/property/set_reply", `{"id":"1","code":"wrong"}`, dialect.SetReply, dialect.Reply{ID: "1", Code: -1}},
		{"thing/property/get_reply", `{"id":"123","code":200,"msg":"success","data":{"temperature":39.5,"humidity":20}}`, dialect.GetReply, dialect.Reply{ID: "123", ByID: true, Code: 200, OK: true, Message: "success", Data: `{"temperature":39.5,"humidity":20}`}},
		{"thing/service/turn/invoke_reply", `{"id":"123","code":200,"msg":"success","data":{"result1": "on"}}`, dialect.InvokeReply, dialect.Reply{ID: "123", Service: "turn", Code: 200, OK: true, Message: "success", Data: `{"result1":"on"}`}},
		{"thing/service/$SyncGetFile/invoke_reply", `{"id":"5"}`, dialect.InvokeReply, dialect.Reply{ID: "5", Service: "$SyncGetFile", Code: 200, OK: true}},
	} {
		t.Run(tt.topic+" "+tt.payload, func(t *testing.T) {
			for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict} {
				up := read(sys+tt.topic, tt.payload, mode)
				if up.Kind != tt.kind || up.Reply != tt.want || up.Fault != nil || len(up.Answers) != 0 {
					t.Errorf("%+v", up)
				}
			}
		})
	}
	up := read(sys+"thing/property/set_reply", `{"id":"1","code":200`, dialect.Lenient)
	if up.Kind != dialect.SetReply || up.Fault == nil || up.Reply != (dialect.Reply{}) {
		t.Errorf("a reply that is cut off: %+v", up)
	}
}

func TestUnknownFunctionsAreDropped(t *testing.T) {
	for _, tt := range []struct{ path, payload string }{
		{"thing/pack/post/more", `{"id":"4"}`},
		{"thing/property/desired/set", `{"id":"4"}`},
		{"ota/nonsense", "\x01\x02"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			up := read(sys+tt.path, tt.payload, dialect.Lenient)
			if got := noteCodes(up.Notes); up.Kind != dialect.Unimplemented || up.Fault != nil || len(got) != 1 || got[0] != "onenet-unimplemented" {
				t.Fatalf("%+v", up)
			}
			if len(up.Answers) > 0 {
				t.Errorf("answered %s %s", up.Answers[0].Topic, up.Answers[0].Payload)
			}
		})
	}
}

func TestForbiddenTopics(t *testing.T) {
	for _, tt := range []struct{ topic, expected string }{
		{"$sys/VRqhDHF2wL/your_tv/thing/property/post", sys + "thing/property/post"},
		{"$sys/other/my_tv/thing/property/post", sys + "thing/property/post"},
		{"/sys/VRqhDHF2wL/my_tv/thing/event/property/post", sys + "thing/property/post"},
		{sys + "thing/property/set/reply", sys + "thing/property/set_reply"},
		{sys + "thing/property/pots", sys + "thing/property/post"},
		{sys + "thing/property/set", sys + "…"}, // the platform's own
		{sys + "thing/property/post/reply", sys + "…"},
		{sys + "thing/service/turn/invoke", sys + "…"},
		{"weather/today", sys + "…"},
		{"", sys + "…"},
	} {
		t.Run(tt.topic, func(t *testing.T) {
			for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Open, dialect.Strict} {
				up := read(tt.topic, `{"id":"1","params":{"wendu":{"value":1}}}`, mode)
				if up.Kind != dialect.Forbidden || up.Close != (mode == dialect.Strict) || len(up.Report) > 0 || len(up.Answers) > 0 {
					t.Fatalf("mode %d: %+v", mode, up)
				}
				if up.Fault == nil || up.Fault.Code != "onenet-topic" || up.Fault.Expected != tt.expected {
					t.Errorf("mode %d: %+v", mode, up.Fault)
				}
			}
		})
	}
}

func TestStrictHoldsTopicsToTheRules(t *testing.T) {
	for topic, code := range map[string]string{
		sys + "dp/post/json":                     "onenet-data-model",
		sys + "image/update":                     "onenet-data-model",
		sys + "ota/a/b/c/d/e":                    "onenet-bad-topic",
		sys + "thing/service/a.b/invoke_reply":   "onenet-bad-topic",
		sys + "thing/service/$Sync/invoke_reply": "",
		sys + "thing/property/desired/get":       "",
		"$sys/VRqhDHF2wL/my_tv/ota/inform_reply": "",
		"$sys/VRqhDHF2wL/my_tv/ota/up\x00yes":    "onenet-bad-topic",
	} {
		if up := read(topic, `{"id":"1"}`, dialect.Lenient); up.Kind == dialect.Forbidden {
			t.Errorf("%q: lenient forbids it: %+v", topic, up.Fault)
		}
		up := read(topic, `{"id":"1"}`, dialect.Strict)
		if forbidden := up.Kind == dialect.Forbidden; forbidden != (code != "") || up.Close != forbidden || forbidden && up.Fault.Code != code {
			t.Errorf("%q: %+v", topic, up)
		}
	}
}

func TestPayloadBound(t *testing.T) {
	payload := func(size int) string {
		const head, tail = `{"id":"1","params":{"wendu":{"value":1}}`, `}`
		return head + strings.Repeat(" ", size-len(head)-len(tail)) + tail
	}
	if up := read(sys+"thing/property/post", payload(256<<10), dialect.Strict); told(up) != "wendu=1" {
		t.Errorf("256 KiB are refused: %+v", up.Fault)
	}
	for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict} {
		up := read(sys+"thing/property/post", payload(256<<10+1), mode)
		if up.Kind != dialect.Forbidden || up.Fault.Code != "onenet-message-too-large" || up.Close != (mode == dialect.Strict) || len(up.Report) > 0 {
			t.Errorf("mode %d: one byte more: %+v", mode, up)
		}
	}
}

func TestLongTextsAreShortened(t *testing.T) {
	long := strings.Repeat("语", 20000)
	for name, up := range map[string]*dialect.Uplink{
		"topic":          read(sys+long, "{}", dialect.Lenient),
		"topic, strict":  read(sys+"ota/"+long, "{}", dialect.Strict),
		"id":             read(sys+"thing/property/post", `{"id":"`+long+`","params":{}}`, dialect.Lenient),
		"id, no message": read(sys+"thing/pack/post", `{"id":"`+long+`"}`, dialect.Lenient),
		"value":          read(sys+"thing/property/post", `{"id":"1","params":{"name":{"value":"`+long+`"}}}`, dialect.Lenient),
	} {
		said, err := json.Marshal([]any{up.Fault, up.Notes, up.Refused, up.ID})
		if err != nil || len(said) > 4<<10 {
			t.Errorf("%s: %d bytes are said, %v", name, len(said), err)
		}
		for _, a := range up.Answers {
			if len(a.Payload) > 256 {
				t.Errorf("%s: answered with %d bytes", name, len(a.Payload))
			}
		}
	}
}

func TestUplinkIsReused(t *testing.T) {
	up := new(dialect.Uplink)
	post := func(topic, payload string, mode dialect.Strictness) {
		Dialect{}.Uplink(tv, []byte(topic), []byte(payload), model, mode, up)
	}
	post(sys+"thing/property/post", `{"id":"1","params":{"wendu":5,"x":1}}`, dialect.Lenient)
	post(sys+"weather", `{}`, dialect.Strict)
	post(sys+"thing/event/post", `{"id":"2","params":{"boot":{"value":{}}}}`, dialect.Lenient)
	post(sys+"thing/property/post", `{"id":"3","params":{"wendu":{"value":1}}}`, dialect.Lenient)
	if got := told(up); got != "wendu=1" || up.ID != "3" || up.Close || up.RefusedAll || up.Fault != nil || len(up.Notes)+len(up.Refused) > 0 || len(up.Answers) != 1 {
		t.Errorf("%q of %+v", got, up)
	}
}

// A post that is right costs what has to outlive the call: its id, the answer's
// topic and payload, and no more than the first vendor's.
func TestPropertyPostAllocatesLittle(t *testing.T) {
	const most = 7
	topic, payload := []byte(sys+"thing/property/post"), []byte(`{"id":"123","version":"1.0","params":{"wendu":{"value":21.1},"count":{"value":3}}}`)
	up := new(dialect.Uplink)
	n := testing.AllocsPerRun(200, func() { Dialect{}.Uplink(tv, topic, payload, model, dialect.Lenient, up) })
	if n > most {
		t.Errorf("%v allocations, more than %d", n, most)
	}
}

func TestTimesAheadOfTheClock(t *testing.T) {
	for ahead, ok := range map[time.Duration]bool{time.Hour: true, 25 * time.Hour: false} {
		at := time.Now().Add(ahead).UnixMilli()
		up := read(sys+"thing/property/post", fmt.Sprintf(`{"id":"1","params":{"wendu":{"value":1,"time":%d}}}`, at), dialect.Lenient)
		if up.RefusedAll == ok {
			t.Errorf("%v ahead: %+v", ahead, up)
		}
	}
}

// FuzzUplink: whatever comes, one answer at most, and nothing is both reported
// and refused.
func FuzzUplink(f *testing.F) {
	for _, topic := range []string{
		sys + "thing/property/post", sys + "thing/event/post", sys + "thing/property/set_reply", sys + "thing/service/turn/invoke_reply",
		sys + "thing/pack/post", sys + "thing/property/set", "$sys/other/d/thing/property/post", "",
	} {
		for _, payload := range []string{
			`{"id": "123","version" : "1.0","params": {"wendu": {"value": 21.1}}}`, `{"id":1,"params":{"alarm":{"value":{"powerOff":1},"time":1524448722123}}}`,
			`{"id":"1","code":0,"data":{"a":[1,{}]}}`, `{'params':{wendu:{value:[1,'2',[3]],time:-1e300}}}`, `{"params":{"log":{"value":[1,2]}},"id":"`, "\x00",
		} {
			f.Add([]byte(topic), []byte(payload), byte(0))
			f.Add([]byte(topic), []byte(payload), byte(1))
		}
	}
	up := new(dialect.Uplink)
	f.Fuzz(func(t *testing.T, topic, payload []byte, mode byte) {
		before := [2]string{string(topic), string(payload)}
		Dialect{}.Uplink(tv, topic, payload, model, dialect.Strictness(mode%3), up)
		if before != [2]string{string(topic), string(payload)} {
			t.Error("the packet was written to")
		}
		if len(up.Answers) > 1 || up.RefusedAll && len(up.Report)+len(up.Events) > 0 || len(up.Refused) > 0 && !up.RefusedAll {
			t.Errorf("%+v", up)
		}
		if up.Kind == dialect.Forbidden && (up.Fault == nil || len(up.Answers) > 0) || up.Kind == dialect.Other {
			t.Errorf("%+v", up)
		}
		for _, a := range up.Answers {
			if !json.Valid(a.Payload) || !bytes.HasPrefix([]byte(a.Topic), topic) || len(a.Payload) > 512+len(payload) {
				t.Errorf("answered %s %s", a.Topic, a.Payload)
			}
		}
		for _, r := range up.Report {
			if p, ok := model.Property(r.Property); !ok || r.Value.Shape == thing.Null {
				t.Errorf("reported %+v of %v", r, p)
			}
		}
	})
}

// TestWhyATopicIsAnothers: each mistake in the names is called by its name.
func TestWhyATopicIsAnothers(t *testing.T) {
	for topic, want := range map[string]string{
		"$sys/{pid}/{device-name}/thing/property/post": "placeholder",
		"$sys/+/+/thing/#": "wildcards",
		"#":                "wildcards",
		"$sys/my_tv/VRqhDHF2wL/thing/property/post":       "wrong way round",
		"sys/VRqhDHF2wL/my_tv/thing/property/post":        "lacks the $",
		"/sys/VRqhDHF2wL/my_tv/thing/event/property/post": "as Aliyun's topics do",
		"$sys/VRqhDHF2wL/other/thing/property/post":       `of device "other"`,
		"$sys/another/my_tv/thing/property/post":          `of product "another"`,
		"$sys/VRqhDHF2wL/my_tv/thing/property/posts":      "",
		"temperature": "", "/": "", "$sys": "",
	} {
		d := foreignTopic(dialect.Claim{Product: "VRqhDHF2wL", Device: "my_tv"}, topic)
		if why, zh := whyForeign(dialect.Claim{Product: "VRqhDHF2wL", Device: "my_tv"}, topic); !strings.Contains(why, want) || (why == "") != (want == "") || (zh == "") != (why == "") ||
			!strings.HasSuffix(d.Sentence, why) {
			t.Errorf("%s: %q %q %s", topic, why, zh, d.Sentence)
		}
	}
}
