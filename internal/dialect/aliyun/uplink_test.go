package aliyun

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/thing"
)

func bound(f float64) *float64 { return &f }

var model = (&thing.Model{
	Properties: []thing.Property{
		{ID: "LightSwitch", Name: "light", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Bool}},
		{ID: "Temperature", Name: "temperature", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Float, Min: bound(-40), Max: bound(80)}},
		{ID: "Count", Name: "count", Type: thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(100)}},
		{ID: "Mode", Name: "mode", Type: thing.DataType{Kind: thing.Enum, Labels: []thing.Label{{Value: 0, Text: "off"}, {Value: 1, Text: "on"}}}},
		{ID: "Name", Name: "name", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Text, Length: 5}},
		{ID: "Since", Name: "since", Access: thing.ReadWrite, Type: thing.DataType{Kind: thing.Date}},
		{ID: "Pos", Name: "position", Type: thing.DataType{Kind: thing.Struct, Fields: []thing.Param{{ID: "lat", Name: "lat", Type: thing.DataType{Kind: thing.Double}}}}},
	},
	Events: []thing.Event{
		{ID: "alarm", Name: "alarm", Level: thing.Alert, Output: []thing.Param{
			{ID: "code", Name: "code", Type: thing.DataType{Kind: thing.Int32, Min: bound(0), Max: bound(9)}},
			{ID: "text", Name: "text", Type: thing.DataType{Kind: thing.Text, Length: 50}},
		}},
	},
	Services: []thing.Service{
		{ID: "SetWeight", Name: "set weight", Async: true, Input: []thing.Param{
			{ID: "NewWeight", Name: "weight", Type: thing.DataType{Kind: thing.Double}}, {ID: "Beep", Name: "beep", Type: thing.DataType{Kind: thing.Bool}},
		}},
	},
}).Index()

const (
	sys      = "/sys/a1NightLamp/lamp01/"
	postTo   = sys + "thing/event/property/post"
	postedOK = `,"message":"success","method":"thing.event.property.post","version":"1.0"}`
)

// read is an uplink of the lamp.
func read(topic, payload string, mode dialect.Strictness) *dialect.Uplink {
	up := new(dialect.Uplink)
	Dialect{}.Uplink(lamp, []byte(topic), []byte(payload), model, mode, up)
	return up
}

// told writes down what an uplink reports, in one line.
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
		s := fmt.Sprintf("%s/%s%s", e.ID, e.Level, thing.AppendArguments(nil, e.Output))
		if !e.Time.IsZero() {
			s += fmt.Sprintf("@%d", e.Time.UnixMilli())
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// refused writes down what an uplink did not take.
func refused(up *dialect.Uplink) string {
	var all []string
	for _, r := range up.Refused {
		s := fmt.Sprintf("%s:%d:%s", r.ID, r.Code, r.Problem.Fault)
		if r.Problem.Hint != "" {
			s += ":" + r.Problem.Hint
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// answered is all answers, topic and payload.
func answered(up *dialect.Uplink) string {
	var all []string
	for _, a := range up.Answers {
		all = append(all, a.Topic+" "+string(a.Payload))
	}
	return strings.Join(all, "\n")
}

func TestPropertyPost(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		want, refused string
		answer        string // up to the message, "" for none
		loose         string
	}{
		{"as documented [aliyun-device §5.2]", `{"id":"123","version":"1.0","sys":{"ack":1},"params":{"Temperature":25.6,"LightSwitch":1},"method":"thing.event.property.post"}`,
			"Temperature=25.6 LightSwitch=true", "", `{"code":200,"data":{},"id":"123"`, ""},
		{"value and time", `{"id":"124","version":"1.0","params":{"Temperature":{"value":25.6,"time":1524448722000}}}`,
			"Temperature=25.6@1524448722000", "", `{"code":200,"data":{},"id":"124"`, ""},
		{"both forms in one message", `{"id":"1","params":{"LightSwitch":{"value":0},"Count":7,"Pos":{"lat":1.5}}}`,
			`LightSwitch=false Count=7 Pos={"lat":1.5}`, "", `{"code":200,"data":{},"id":"1"`, ""},
		{"params before id", `{"params":{"Count":7},"id":"9"}`, "Count=7", "", `{"code":200,"data":{},"id":"9"`, ""},
		{"id as number is answered as text [aliyun-device §5.1]", `{"id":12,"params":{"Count":7}}`, "Count=7", "", `{"code":200,"data":{},"id":"12"`, ""},
		{"leading zeros stay", `{"id":"007","params":{"Count":7}}`, "Count=7", "", `{"code":200,"data":{},"id":"007"`, ""},
		{"no id is answered as 0", `{"params":{"Count":7}}`, "Count=7", "", `{"code":200,"data":{},"id":"0"`, ""},
		{"no answer wanted", `{"id":"1","sys":{"ack":0},"params":{"Count":7}}`, "Count=7", "", "", ""},
		{"no answer wanted, said last, and none for what is refused", `{"id":"1","params":{"Count":"x"},"sys":{"ack":0}}`, "", "Count:6306:wrong-type", "", ""},
		{"single quotes [aliyun-device §9 row 1]", `{'id':'1','version':'1.0','params':{'Temperature':25},'method':'thing.event.property.post'}`,
			"Temperature=25", "", `{"code":200,"data":{},"id":"1"`, "single quotes"},
		{"names without quotes [aliyun-device §9 row 2]", `{params:{"Temperature":32}}`, "Temperature=32", "", `{"code":200,"data":{},"id":"0"`, "keys without quotes"},
		{"NUL behind [aliyun-device §9 row 21]", "{\"id\":\"1\",\"params\":{\"Count\":7}}\x00", "Count=7", "", `{"code":200,"data":{},"id":"1"`, "bytes behind the end"},
		{"params as text [aliyun-device §9 row 20]", `{"id":"1","params":"{\"Count\":7}"}`, "Count=7", "", `{"code":200,"data":{},"id":"1"`, ""},
		{"number as text, fraction of a whole one [aliyun-device §5.6]", `{"id":"1","params":{"Temperature":"25.600000","Count":25.0,"Mode":"1","Name":12,"LightSwitch":"0"}}`,
			"Temperature=25.6 Count=25 Mode=1 Name=12 LightSwitch=false", "", `{"code":200,"data":{},"id":"1"`, ""},
		{"unknown id, as captured, with the nearest", `{"id":"1","params":{"Temprature":25,"Count":7}}`,
			"Count=7", "Temprature:6304:unknown:Temperature", `{"code":200,"data":{"Temprature":"tsl parse: params not exist"},"id":"1"`, ""},
		{"id in other letters", `{"id":"1","params":{"lightswitch":1}}`, "", "lightswitch:6304:unknown:LightSwitch", `{"code":200,"data":{"lightswitch":"tsl parse: params not exist"},"id":"1"`, ""},
		{"unknown id with nothing near", `{"id":"1","params":{"humidity":1}}`, "", "humidity:6304:unknown", `{"code":200,"data":{"humidity":"tsl parse: params not exist"},"id":"1"`, ""},
		{"out of range is kept and flagged [aliyun-device §5.6]", `{"id":"1","params":{"Count":101,"Temperature":-41}}`,
			"Count=101!out-of-range Temperature=-41!out-of-range", "", `{"code":200,"data":{},"id":"1"`, ""},
		{"too long is kept and flagged", `{"id":"1","params":{"Name":"abcdef"}}`, "Name=abcdef!too-long", "", `{"code":200,"data":{},"id":"1"`, ""},
		{"wrong types", `{"id":"1","params":{"Count":"hot","Temperature":"warm","LightSwitch":"on","Pos":3,"Since":"soon"}}`, "",
			"Count:6306:wrong-type Temperature:6307:wrong-type LightSwitch:6308:wrong-type Pos:6312:wrong-type Since:6311:wrong-type",
			`{"code":200,"data":{"Count":"tsl parse: data type is not int -> Count","Temperature":"tsl parse: data type is not float -> Temperature","LightSwitch":"tsl parse: data type is not bool -> LightSwitch","Pos":"tsl parse: data type is not struct -> Pos","Since":"tsl parse: data type is not date -> Since"},"id":"1"`, ""},
		{"a value that the enum has not", `{"id":"1","params":{"Mode":2}}`, "", "Mode:6309:not-listed", `{"code":200,"data":{"Mode":"tsl parse: enum value is out of range -> Mode"},"id":"1"`, ""},
		{"time in seconds", `{"id":"1","params":{"Count":{"value":1,"time":1524448722}}}`, "", "Count:6326:bad-time", `{"code":200,"data":{"Count":"tsl parse: time format is invalid -> Count"},"id":"1"`, ""},
		{"time that is none", `{"id":"1","params":{"Count":{"value":1,"time":"now"}}}`, "", "Count:6326:bad-time", `{"code":200,"data":{"Count":"tsl parse: time format is invalid -> Count"},"id":"1"`, ""},
		{"nothing", `{"id":"1","params":{}}`, "", "", `{"code":200,"data":{},"id":"1"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(postTo, tt.payload, dialect.Lenient)
			if up.Kind != dialect.PropertyPost || up.RefusedAll || up.Fault != nil || up.Close {
				t.Fatalf("%+v", up)
			}
			if got := told(up); got != tt.want {
				t.Errorf("told %q, want %q", got, tt.want)
			}
			if got := refused(up); got != tt.refused {
				t.Errorf("refused %q, want %q", got, tt.refused)
			}
			want := tt.answer
			if want != "" {
				want = postTo + "_reply " + want + postedOK
			}
			if got := answered(up); got != want {
				t.Errorf("answered %s\nwant     %s", got, want)
			}
			if !strings.Contains(up.Loose.String(), tt.loose) || (up.Loose == 0) != (tt.loose == "") {
				t.Errorf("loose %q", up.Loose)
			}
		})
	}
}

// TestTooManyProperties: 200 are taken, of more nothing is, and the answer does
// not grow with the message [aliyun-device §5.2, code 6106].
func TestTooManyProperties(t *testing.T) {
	post := func(n int, quote string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"p%d":1`, i)
		}
		params := "{" + strings.TrimPrefix(b.String(), ",") + "}"
		if quote != "" {
			params = strconv.Quote(params)
		}
		return `{"params":` + params + `,"id":"5"}`
	}
	for _, tt := range []struct {
		n     int
		quote string
		whole bool
	}{{200, "", true}, {201, "", false}, {20000, "", false}, {200, "text", true}, {201, "text", false}} {
		up := read(postTo, post(tt.n, tt.quote), dialect.Lenient)
		if tt.whole {
			if up.RefusedAll || len(up.Refused) != tt.n {
				t.Errorf("%d: %+v", tt.n, up)
			}
			continue
		}
		if got, want := answered(up), postTo+`_reply {"code":6106,"data":{},"id":"5","message":"map size must less than 200","method":"thing.event.property.post","version":"1.0"}`; got != want {
			t.Errorf("%d answered %s\nwant     %s", tt.n, got, want)
		}
		if !up.RefusedAll || up.Fault == nil || up.Fault.Code != "aliyun-bad-params" || len(up.Refused) != 0 || len(up.Report) != 0 ||
			up.Fault.SentenceZH != "消息被拒绝：单个设备的属性超过 200 个" || !strings.Contains(up.Fault.Expected, "200") {
			t.Errorf("%d: %+v, %+v", tt.n, up, up.Fault)
		}
	}
}

func TestPropertyPostStrict(t *testing.T) {
	up := read(postTo, `{"id":"1","params":{"Count":"7","LightSwitch":1,"Temperature":25,"Since":"1524448722000"}}`, dialect.Strict)
	if got, want := told(up), "LightSwitch=true Temperature=25 Since=1524448722000"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if got, want := refused(up), "Count:6306:wrong-type"; got != want {
		t.Errorf("refused %q, want %q", got, want)
	}
}

func TestValuesOfTheFarFutureAreRefused(t *testing.T) {
	for _, tt := range []struct {
		ahead time.Duration
		ok    bool
	}{{23 * time.Hour, true}, {25 * time.Hour, false}} {
		up := read(postTo, fmt.Sprintf(`{"id":"1","params":{"Count":{"value":1,"time":%d}}}`, time.Now().Add(tt.ahead).UnixMilli()), dialect.Lenient)
		if (len(up.Report) == 1) != tt.ok || (refused(up) == "Count:6326:bad-time") == tt.ok {
			t.Errorf("%v ahead: %+v [aliyun-device §5.2]", tt.ahead, up)
		}
	}
}

func TestMessagesThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ name, topic, payload, id string }{
		{"cut off", postTo, `{"id":"5","params":{"Count":1,"Temperature":2`, "5"},
		{"not JSON", postTo, "hello", "0"},
		{"empty", postTo, "", "0"},
		{"a list", postTo, "[1]", "0"},
		{"no params", postTo, `{"id":"5","version":"1.0"}`, "5"},
		{"params a number", postTo, `{"id":"5","params":1}`, "5"},
		{"something behind", postTo, `{"id":"5","params":{"Count":1}} x`, "5"},
		{"an event without params", sys + "thing/event/alarm/post", `{"id":"5"}`, "5"},
		{"an event cut off", sys + "thing/event/alarm/post", `{"id":"5","params":{"value":{"code":1`, "5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(tt.topic, tt.payload, dialect.Lenient)
			if !up.RefusedAll || len(up.Report) > 0 || len(up.Events) > 0 || up.Close {
				t.Fatalf("%+v", up)
			}
			if up.Fault == nil || up.Fault.Code != "aliyun-bad-message" || up.Fault.Sentence == "" || up.Fault.SentenceZH == "" {
				t.Errorf("fault %+v", up.Fault)
			}
			method := strings.ReplaceAll(strings.TrimPrefix(tt.topic, sys), "/", ".")
			want := tt.topic + `_reply {"code":460,"data":{},"id":"` + tt.id + `","message":"request parameter error","method":"` + method + `","version":"1.0"}`
			if got := answered(up); got != want {
				t.Errorf("answered %s\nwant     %s", got, want)
			}
		})
	}
}

func TestEventPost(t *testing.T) {
	const to = sys + "thing/event/alarm/post"
	const tail = `,"method":"thing.event.alarm.post","version":"1.0"}`
	for _, tt := range []struct {
		name, payload string
		want, refused string
		answer        string // up to the method, "" for none
	}{
		{"as documented [aliyun-device §5.5]", `{"id":"123","version":"1.0","params":{"value":{"code":3,"text":"hot"},"time":1524448722000},"method":"thing.event.alarm.post"}`,
			`alarm/alert{"code":3,"text":"hot"}@1524448722000`, "", `{"code":200,"data":{},"id":"123","message":"success"`},
		{"without value, as C3 sends it", `{"id":"1","params":{"code":3}}`, `alarm/alert{"code":3}`, "", `{"code":200,"data":{},"id":"1","message":"success"`},
		{"in the order of the model", `{"id":"1","params":{"text":"hot","code":3}}`, `alarm/alert{"code":3,"text":"hot"}`, "", `{"code":200,"data":{},"id":"1","message":"success"`},
		{"no answer wanted", `{"id":"1","sys":{"ack":0},"params":{"code":3}}`, `alarm/alert{"code":3}`, "", ""},
		{"wrong type drops the event", `{"id":"1","params":{"value":{"code":"hot","text":"x"}}}`, "", "code:6306:wrong-type", `{"code":6306,"data":{},"id":"1","message":"tsl parse: data type is not int -> code"`},
		{"unknown output drops the event", `{"id":"1","params":{"value":{"code":1,"more":1}}}`, "", "more:6304:unknown", `{"code":6304,"data":{},"id":"1","message":"tsl parse: params not exist"`},
		{"refused, and no answer wanted", `{"id":"1","sys":{"ack":0},"params":{"code":"hot"}}`, "", "code:6306:wrong-type", ""},
		{"time in seconds", `{"id":"1","params":{"value":{"code":1},"time":1524448722}}`, "", "alarm:6326:bad-time", `{"code":6326,"data":{},"id":"1","message":"tsl parse: time format is invalid -> alarm"`},
		{"out of range is kept [aliyun-device §5.6]", `{"id":"1","params":{"value":{"code":10,"text":"hot"}}}`, `alarm/alert{"code":10,"text":"hot"}`, "", `{"code":200,"data":{},"id":"1","message":"success"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(to, tt.payload, dialect.Lenient)
			if up.Kind != dialect.EventPost || up.Fault != nil || up.RefusedAll != (tt.refused != "") {
				t.Fatalf("%+v", up)
			}
			if told(up) != tt.want || refused(up) != tt.refused {
				t.Errorf("told %q, refused %q", told(up), refused(up))
			}
			want := tt.answer
			if want != "" {
				want = to + "_reply " + want + tail
			}
			if got := answered(up); got != want {
				t.Errorf("answered %s\nwant     %s", got, want)
			}
		})
	}
	up := read(to, `{"id":"1","params":{"value":{"text":"hot","code":10}}}`, dialect.Lenient)
	if len(up.Notes) != 1 || up.Notes[0].Code != "aliyun-out-of-bounds" || !strings.Contains(up.Notes[0].Sentence, `"code": 10 is outside int32 0 to 9`) || up.Notes[0].SentenceZH == "" {
		t.Errorf("out of range is not noted: %+v", up.Notes)
	}
	up = read(sys+"thing/event/nothing/post", `{"id":"1","params":{}}`, dialect.Lenient)
	if !up.RefusedAll || refused(up) != "nothing:6304:unknown" {
		t.Errorf("unknown event: %+v", up)
	}
}

func TestReplies(t *testing.T) {
	const set, invoke = sys + "thing/service/property/set_reply", sys + "thing/service/SetWeight_reply"
	for _, tt := range []struct {
		name, topic, payload string
		kind                 dialect.Kind
		want                 dialect.Reply
	}{
		{"to a set [aliyun-device §5.4]", set, `{"id":"160500006","code":200,"data":{}}`, dialect.SetReply, dialect.Reply{ID: "160500006", Code: 200, OK: true, Data: "{}"}},
		{"to a call [aliyun-device §5.7]", invoke, `{"id":"105917531","code":200,"data":{"OldWeight":100.1}}`, dialect.InvokeReply, dialect.Reply{ID: "105917531", Service: "SetWeight", Code: 200, OK: true, Data: `{"OldWeight":100.1}`}},
		{"a refusal", set, `{"id":"1","code":460,"message":"no"}`, dialect.SetReply, dialect.Reply{ID: "1", Code: 460, Message: "no"}},
		{"code of the device's own", invoke, `{"id":"1","code":100001}`, dialect.InvokeReply, dialect.Reply{ID: "1", Service: "SetWeight", Code: 100001}},
		{"code as text [aliyun-device §5.1]", set, `{"id":1,"code":"200"}`, dialect.SetReply, dialect.Reply{ID: "1", Code: 200, OK: true}},
		{"data as text", set, `{"id":"1","code":200,"data":"{}"}`, dialect.SetReply, dialect.Reply{ID: "1", Code: 200, OK: true, Data: "{}"}},
		{"no code is success", set, `{"id":"1"}`, dialect.SetReply, dialect.Reply{ID: "1", Code: 200, OK: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(tt.topic, tt.payload, dialect.Lenient)
			if up.Kind != tt.kind || up.Reply != tt.want || up.ID != tt.want.ID || up.Fault != nil || len(up.Answers) > 0 {
				t.Errorf("%+v", up)
			}
		})
	}
	if up := read(set, `{"id":"1"`, dialect.Lenient); up.Kind != dialect.SetReply || up.Fault == nil || up.Reply.OK {
		t.Errorf("cut off: %+v", up)
	}
}

func TestUnimplementedIsAnsweredPolitely(t *testing.T) {
	for _, tt := range []struct{ name, topic, payload, answer string }{
		{"something new", sys + "thing/job/get", `{"id":"7","params":{},"method":"thing.job.get"}`,
			`{"code":200,"data":{},"id":"7","message":"success","method":"thing.job.get","version":"1.0"}`},
		{"bytes that are no JSON", sys + "thing/job/update", "\x00\x01\x02", `{"code":200,"data":{},"id":"0","message":"success","method":"thing.job.update","version":"1.0"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(tt.topic, tt.payload, dialect.Lenient)
			if up.Kind != dialect.Unimplemented || up.Fault != nil || len(up.Notes) != 1 || up.Notes[0].Code != "aliyun-unimplemented" {
				t.Fatalf("%+v", up)
			}
			want := tt.answer
			if want != "" {
				want = tt.topic + "_reply " + want
			}
			if got := answered(up); got != want {
				t.Errorf("answered %s\nwant     %s", got, want)
			}
		})
	}
	for path, meant := range map[string]string{
		"thing/event/property/posts": "thing/event/property/post",
		"thing/events/property/post": "thing/event/property/post", "thing/event/boot/pots": "thing/event/boot/post",
		"thing/deviceInfo/updates": "thing/deviceinfo/update", "thing/service/property/set_repley": "thing/service/property/set_reply",
		"thing/nothing/like/it": "none", "thing/foo/get": "none",
	} {
		up := read(sys+path, `{"id":"7","params":{}}`, dialect.Lenient)
		if len(up.Notes) != 1 || up.Notes[0].Code != "aliyun-unknown-function" || len(up.Answers) != 1 {
			t.Errorf("%s: %+v", path, up)
			continue
		}
		if n := up.Notes[0]; meant != "none" && (!strings.Contains(n.Sentence, "likely "+sys+meant+" was") || !strings.Contains(n.SentenceZH, "可能应为 "+sys+meant)) ||
			meant == "none" && strings.Contains(n.Sentence, "likely") {
			t.Errorf("%s: %s %s", path, n.Sentence, n.SentenceZH)
		}
	}
	if up := read(sys+"thing/job/notify_reply", `{"id":"1","code":200}`, dialect.Lenient); up.Kind != dialect.Unimplemented || len(up.Answers) > 0 {
		t.Errorf("a reply is not replied to: %+v", up)
	}
}

func TestQueryIsCut(t *testing.T) {
	up := read(postTo+"?_rid=17", `{"id":"1","params":{"Count":7}}`, dialect.Lenient)
	if got, want := answered(up), postTo+`_reply {"code":200,"data":{},"id":"1"`+postedOK; told(up) != "Count=7" || got != want {
		t.Errorf("told %q, answered %s [aliyun-device §2.8]", told(up), got)
	}
}

func TestTopics(t *testing.T) {
	const own = "/a1NightLamp/lamp01/user/…"
	for _, tt := range []struct {
		name, topic    string
		kind           dialect.Kind
		code, expected string
	}{
		{"custom", "/a1NightLamp/lamp01/user/update", dialect.Other, "", ""},
		{"custom of an old product", "/a1NightLamp/lamp01/update/error", dialect.Other, "", ""},
		{"another device's report", "/sys/a1NightLamp/lamp02/thing/event/property/post", dialect.Forbidden, "aliyun-topic-forbidden", postTo},
		{"another product's report", "/sys/a1Other/lamp01/thing/event/property/post", dialect.Forbidden, "aliyun-topic-forbidden", postTo},
		{"another device's custom topic", "/a1NightLamp/lamp02/user/update", dialect.Forbidden, "aliyun-topic-forbidden", "/a1NightLamp/lamp01/user/update"},
		{"placeholders left in", "/sys/${productKey}/${deviceName}/thing/event/property/post", dialect.Forbidden, "aliyun-topic-forbidden", postTo},
		{"tutorial's short form", "/sys/post", dialect.Forbidden, "aliyun-topic-forbidden", postTo},
		{"a set's answer without names", "/thing/service/property/set_reply", dialect.Forbidden, "aliyun-topic-forbidden", sys + "thing/service/property/set_reply"},
		{"no slash first", "sys/a1NightLamp/lamp01/thing/event/property/post", dialect.Forbidden, "aliyun-topic-forbidden", postTo},
		{"nothing like it", "home/lamp", dialect.Forbidden, "aliyun-topic-forbidden", own},
		{"the device's name only", "/a1NightLamp/lamp01", dialect.Forbidden, "aliyun-topic-forbidden", own},
		{"the platform's set", sys + "thing/service/property/set", dialect.Forbidden, "aliyun-topic-down-only", sys + "thing/service/property/set_reply"},
		{"the platform's call", sys + "thing/service/SetWeight", dialect.Forbidden, "aliyun-topic-down-only", sys + "thing/service/SetWeight_reply"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := read(tt.topic, `{"id":"1","params":{"Count":7}}`, dialect.Lenient)
			if up.Kind != tt.kind || len(up.Report) > 0 || len(up.Answers) > 0 || up.Close {
				t.Fatalf("%+v", up)
			}
			if (up.Fault != nil) != (tt.code != "") {
				t.Fatalf("fault %+v", up.Fault)
			}
			if f := up.Fault; f != nil && (f.Code != tt.code || f.Expected != tt.expected || f.Received != tt.topic || f.Field != "topic") {
				t.Errorf("fault %+v", f)
			}
		})
	}
}

// TestWhyATopicIsAnothers: each mistake in the names is called by its name.
func TestWhyATopicIsAnothers(t *testing.T) {
	for topic, want := range map[string]string{
		"/sys/${productKey}/${deviceName}/thing/event/property/post": "placeholder",
		"/sys/+/+/thing/#": "wildcards",
		"#":                "wildcards",
		"/sys/a1NightLamp/lamp02/thing/service/+":           `of device "lamp02"`,
		"/a1NightLamp/lamp02/user/get":                      `of device "lamp02"`,
		"/shadow/get/a1NightLamp/lamp02":                    `of device "lamp02"`,
		"/ota/device/upgrade/a1NightLamp/lamp02":            `of device "lamp02"`,
		"/sys/a1Other/lamp01/thing/service/+":               `of product "a1Other"`,
		"/sys/lamp01/a1NightLamp/thing/event/property/post": "wrong way round",
		"sys/a1NightLamp/lamp01/thing/event/property/post":  "leading slash",
		"/a1NightLamp/ lamp01 /user/update":                 "blanks beside the names",
		"home/lamp":                                         "not one that this device may use",
		"/":                                                 "not one that this device may use",
	} {
		en, zh := whyForeign(dialect.Claim{Product: "a1NightLamp", Device: "lamp01"}, topic)
		if !strings.Contains(en, want) || zh == "" {
			t.Errorf("%s: %s %s", topic, en, zh)
		}
	}
}

func TestTooLarge(t *testing.T) {
	fill := func(n int) string {
		const head, tail = `{"id":"1","params":{"Name":"`, `"}}`
		return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
	}
	if up := read(postTo, fill(256<<10), dialect.Lenient); len(up.Report) != 1 || up.Fault != nil {
		t.Errorf("256 KB: %d values, fault %+v [aliyun-device §2.8]", len(up.Report), up.Fault)
	}
	up := read(postTo, fill(256<<10+1), dialect.Lenient)
	if up.Kind != dialect.Forbidden || len(up.Report) > 0 || up.Fault == nil || up.Fault.Code != "aliyun-message-too-large" {
		t.Errorf("a byte more: %d values, fault %+v", len(up.Report), up.Fault)
	}
}

// The caller reuses an Uplink: nothing of one message is in the next.
func TestUplinkIsReused(t *testing.T) {
	up := new(dialect.Uplink)
	Dialect{}.Uplink(lamp, []byte(postTo), []byte(`{'id':'1','params':{'Count':1,'x':1,'Name':'abcdefg'}}`), model, dialect.Lenient, up)
	Dialect{}.Uplink(lamp, []byte("/a1NightLamp/lamp01/user/update"), []byte("x"), model, dialect.Lenient, up)
	if up.Kind != dialect.Other || up.ID != "" || len(up.Report)+len(up.Refused)+len(up.Answers)+len(up.Notes) > 0 || up.Loose != 0 {
		t.Errorf("%+v", up)
	}
}

func FuzzUplink(f *testing.F) {
	for _, path := range []string{"thing/event/property/post", "thing/event/alarm/post", "thing/service/property/set_reply", "thing/service/SetWeight_reply", "thing/deviceinfo/update"} {
		for _, payload := range []string{
			`{"id":"123","version":"1.0","sys":{"ack":1},"params":{"Temperature":25.6,"LightSwitch":1}}`,
			`{'id':1,params:{'Count':{value:1,time:1524448722000}}}`, `{"id":"1","params":{"value":{"code":3},"time":1}}`,
			`{"id":"1","params":"{\"Count\":7}"}`, `{"id":"1","code":"200","data":"{}"}`, `{"params":{"Count":1`, "\x00",
		} {
			f.Add([]byte(sys+path), []byte(payload), false)
		}
	}
	f.Add([]byte("/ext/rrpc/1/sys/a1NightLamp/lamp01/thing"), []byte("{}"), true)
	f.Fuzz(func(t *testing.T, topic, payload []byte, strict bool) {
		mode := dialect.Lenient
		if strict {
			mode = dialect.Strict
		}
		up := read(string(topic), string(payload), mode)
		if up.RefusedAll && len(up.Report)+len(up.Events) > 0 {
			t.Errorf("all refused, and told %s", told(up))
		}
		if up.Kind == dialect.Forbidden && up.Fault == nil {
			t.Error("forbidden without a reason")
		}
		for _, a := range up.Answers {
			if back := read(sys+"thing/service/property/set_reply", string(a.Payload), mode); back.Fault != nil {
				t.Errorf("answer %q cannot be read: %+v", a.Payload, back.Fault)
			}
		}
	})
}
