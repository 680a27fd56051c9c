package onenet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/thing"
)

// points writes data down in one line.
func points(d Data) string {
	s := fmt.Sprint(d.ID)
	for _, p := range d.Points {
		s += fmt.Sprintf(" %s=%s", p.Stream, p.Value.AppendJSON(nil))
		if p.At != 0 {
			s += fmt.Sprintf("@%d", p.At)
		}
	}
	return s
}

func TestDataPoints(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
		marks           string // what was tolerated
	}{
		{"the documentation's sample [onenet §4.1]", `{"id":123,"dp":{"temperatrue":[{"v":30,"t":1552289676}],"status":[{"v":{"color":"blue"}}]}}`,
			`123 temperatrue=30@1552289676 status={"color":"blue"}`, ""},
		{"its trailing comma", `{"id":123,"dp":{"temperatrue":[{"v":30,}]}}`, `123 temperatrue=30`, "extra commas"},
		{"id 0 of the C SDK", `{"id":0,"dp":{"a":[{"v":1}]}}`, `0 a=1`, ""},
		{"the largest id", `{"id":2147483647,"dp":{"a":[{"v":1}]}}`, `2147483647 a=1`, ""},
		{"id behind the points", `{"dp":{"a":[{"v":1},{"v":2.5}]},"id":9}`, `9 a=1 a=2.5`, ""},
		{"id as text", `{"id":"7","dp":{"a":[{"v":"x"}]}}`, `7 a="x"`, "text id"},
		{"nothing in it", `{"id":7,"dp":{}}`, `7`, ""},
		{"a stream without values", `{"id":7,"dp":{"a":[]}}`, `7`, ""},
		{"a name that is too long", `{"id":7,"dp":{"` + strings.Repeat("a", 31) + `":[{"v":1}]}}`, `7 ` + strings.Repeat("a", 31) + `=1`, "name"},
		{"a name with a blank", `{"id":7,"dp":{"a b":[{"v":1}]}}`, `7 a b=1`, "name"},
		{"a name with a dollar in front", `{"id":7,"dp":{"$a.b_1":[{"v":1}]}}`, `7 $a.b_1=1`, ""},
		{"a switch", `{"id":7,"dp":{"a":[{"v":true}]}}`, `7 a=true`, "value"},
		{"a list", `{"id":7,"dp":{"a":[{"v":[1,2]}]}}`, `7 a=[1,2]`, "value"},
		{"five levels", `{"id":7,"dp":{"a":[{"v":{"b":{"c":{"d":{"e":1}}}}}]}}`, `7 a={"b":{"c":{"d":{"e":1}}}}`, ""},
		{"six levels", `{"id":7,"dp":{"a":[{"v":{"b":{"c":{"d":{"e":{"f":{}}}}}}}]}}`, `7 a={"b":{"c":{"d":{"e":{"f":{}}}}}}`, "value"},
		{"other members", `{"version":1,"id":7,"dp":{"a":[{"v":1,"q":[2]}]},"x":{"y":[]}}`, `7 a=1`, ""},
	} {
		var d Decoder
		got, err := d.DataPoints([]byte(tt.doc))
		if err != nil || points(got) != tt.want {
			t.Errorf("%s: %s, %v", tt.name, points(got), err)
		}
		marks := ""
		switch {
		case got.Loose != 0:
			marks = got.Loose.String()
		case got.TextID:
			marks = "text id"
		case got.Streams:
			marks = "name"
		case got.Values:
			marks = "value"
		}
		if marks != tt.marks {
			t.Errorf("%s: marked %q", tt.name, marks)
		}
	}
}

func TestDataPointsThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		id        int64
		field     string // "" for text that is no JSON
	}{
		{"no JSON", `{"id":123,"dp":{"a":[{"v":`, 123, ""},
		{"empty", ``, NoID, ""},
		{"a list", `[1]`, NoID, "payload"},
		{"no id", `{"dp":{"a":[{"v":1}]}}`, NoID, "id"},
		{"id below 0", `{"id":-5,"dp":{"a":[{"v":1}]}}`, NoID, "id"},
		{"id of more than 32 bits", `{"id":2147483648,"dp":{"a":[{"v":1}]}}`, NoID, "id"},
		{"id with a fraction", `{"id":1.5,"dp":{"a":[{"v":1}]}}`, NoID, "id"},
		{"id of letters", `{"id":"abc","dp":{"a":[{"v":1}]}}`, NoID, "id"},
		{"no dp", `{"id":123}`, 123, "dp"},
		{"dp is a list", `{"id":123,"dp":[1]}`, 123, "dp"},
		{"id behind a wrong dp", `{"dp":7,"id":123}`, 123, "dp"},
		{"a stream without its list", `{"id":123,"dp":{"temp":30}}`, 123, "temp"},
		{"a stream with one object", `{"id":123,"dp":{"temp":{"v":30}}}`, 123, "temp"},
		{"a value without its v", `{"id":123,"dp":{"temp":[30]}}`, 123, "temp.v"},
		{"an object without v", `{"id":123,"dp":{"temp":[{"value":30}]}}`, 123, "temp.v"},
		{"null", `{"id":123,"dp":{"temp":[{"v":null}]}}`, 123, "temp.v"},
		{"a time of words", `{"id":123,"dp":{"temp":[{"v":1,"t":"now"}]}}`, 123, "temp.t"},
		{"OneJSON [onenet §3]", `{"id":"123","version":"1.0","params":{"temp":{"value":1}}}`, 123, "dp"},
	} {
		var d Decoder
		got, err := d.DataPoints([]byte(tt.doc))
		field := ""
		if de, ok := errors.AsType[*DataError](err); ok {
			field = de.Field
			if !errors.Is(err, IllegalData) || de.Want == "" {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if err == nil || field != tt.field || got.ID != tt.id {
			t.Errorf("%s: field %q, id %d, %v", tt.name, field, got.ID, err)
		}
	}
}

func TestDataAnswers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{string(AppendDataAccepted(nil, 123)), `{"id":123}`},
		{string(AppendDataRejected(nil, 123, IllegalData)), `{"id":123,"err_code":98,"err_msg":"Illegal Data"}`},
		{string(AppendDataRejected(nil, NoID, IllegalData)), `{"id":-1,"err_code":98,"err_msg":"Illegal Data"}`},
		{string(AppendDataRejected(nil, NoID, ServerFailed)), `{"id":-1,"err_code":100,"err_msg":"internal error"}`},
		{string(AppendRejected(nil, TooLarge)), `{"err_code":99,"err_msg":"maximum payload size exceeded"}`},
		{string(AppendRejected(nil, AnsweredLate)), `{"err_code":112,"err_msg":"command response timeout"}`},
		{string(AppendRejected(nil, ImageNoJSON)), `{"err_code":160,"err_msg":"illegal json"}`},
		{StreamCode(7).Error(), "error 7"},
		{string(AppendDataPost(nil, 5, []thing.Argument{{ID: "a", Value: thing.IntValue(1)}, {ID: "b", Value: thing.TextValue("x")}})), `{"id":5,"dp":{"a":[{"v":1}],"b":[{"v":"x"}]}}`},
		{string(AppendPropertyGet(nil, "123", []string{"temperature", "humidity"})), `{"id":"123","version":"1.0","params":["temperature","humidity"]}`},
	} {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}

func TestCommandTopics(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{CommandTopic("238322", "mqtts-test-device", "7"), "$sys/238322/mqtts-test-device/cmd/request/7"},
		{RawDownTopic("p", "d", "7"), "$sys/p/d/custome/down/7"},
		{PropertyGetTopic("p", "d"), "$sys/p/d/thing/property/get"},
		{DeviceTopic("p", "d", ImageDeltaPath), "$sys/p/d/image/update/delta"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	for path, want := range map[string]string{
		"cmd/response/7": "7", "cmd/response/": "", "cmd/response/7/accepted": "", "cmd/request/7": "",
	} {
		if id, ok := CommandResponse(path); id != want && ok || ok != (want != "") {
			t.Errorf("%s: %q %v", path, id, ok)
		}
	}
	if id, ok := RawDownReply("custome/down_reply/x1"); id != "x1" || !ok {
		t.Errorf("%q %v", id, ok)
	}
	if _, ok := RawDownReply("custome/down/x1"); ok {
		t.Error("a downlink is taken for its answer")
	}
}

func TestParseImageUpdate(t *testing.T) {
	deep := `{"state":{"reported":{"a":{"b":{"c":{"d":{"e":1}}}}}}}`
	for _, tt := range []struct {
		name, doc, want string
		code            error
	}{
		{"the documentation's sample [onenet §4.3]", `{"state":{"desired":{"color":"green"},"reported":{"color":"red"}}}`, `desired {"color":"green"} reported {"color":"red"}`, nil},
		{"reported only", `{"state":{"reported":{"a":1,"b":{"c":2}}}}`, `desired {} reported {"a":1,"b":{"c":2}}`, nil},
		{"a null", `{"state":{"desired":{"a":null}}}`, `desired {"a":null} reported {}`, nil},
		{"single quotes", `{'state':{'desired':{'a':1}}}`, `desired {"a":1} reported {}`, nil},
		{"five levels", strings.Replace(deep, `"e":1`, `"e":"}{"`, 1), `desired {} reported {"a":{"b":{"c":{"d":{"e":"}{"}}}}}`, nil},
		{"six levels", strings.Replace(deep, `1`, `[]`, 1), "", ImageTooDeep},
		{"cut off", `{"state":{"desired":`, "", ImageNoJSON},
		{"empty", ``, "", ImageNoJSON},
		{"a list", `[1]`, "", ImageNoJSON},
		{"too long", `{"state":{"desired":{"a":"` + strings.Repeat("x", MaxImageBytes) + `"}}}`, "", ImageTooLong},
		{"without state", `{"desired":{"a":1}}`, "", ImageNoState},
		{"state is null", `{"state":null}`, "", ImageNoState},
		{"state is a text", `{"state":"on"}`, "", ImageBadPart},
		{"neither", `{"state":{"wanted":{"a":1}}}`, "", ImageNoPart},
		{"desired is a number", `{"state":{"desired":7}}`, "", ImageBadPart},
		{"reported is empty", `{"state":{"reported":{}}}`, "", ImageBadPart},
	} {
		u, err := ParseImageUpdate([]byte(tt.doc))
		if !errors.Is(err, tt.code) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := fmt.Sprintf("desired %s reported %s", thing.AppendArguments(nil, u.Desired), thing.AppendArguments(nil, u.Reported))
		if tt.code == nil && got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestAppendImage(t *testing.T) {
	green := []ImageAttribute{{"color", thing.TextValue("green"), 1469574492}}
	red := []ImageAttribute{{"color", thing.TextValue("red"), 1469574491}, {"n", thing.IntValue(1), 5}}
	for _, tt := range []struct{ name, got, want string }{
		{"delta, the documentation's sample [onenet §4.3]", string(AppendImageDelta(nil, green, 2, 1469574492)),
			`{"state":{"color":"green"},"metadata":{"color":{"timestamp":1469574492}},"version":2,"timestamp":1469574492}`},
		{"whole", string(AppendImage(nil, &ImageDocument{green, red, 11, 1565066884})),
			`{"state":{"desired":{"color":"green"},"reported":{"color":"red","n":1}},"metadata":{"desired":{"color":{"timestamp":1469574492}},"reported":{"color":{"timestamp":1469574491},"n":{"timestamp":5}}},"version":11,"timestamp":1565066884}`},
		{"reported only", string(AppendImage(nil, &ImageDocument{nil, green, 1, 2})),
			`{"state":{"reported":{"color":"green"}},"metadata":{"reported":{"color":{"timestamp":1469574492}}},"version":1,"timestamp":2}`},
		{"empty", string(AppendImage(nil, &ImageDocument{})), `{"state":{},"metadata":{},"version":0,"timestamp":0}`},
	} {
		if tt.got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
	for payload, want := range map[string]bool{"": true, "\x00": true, "\r\n": true, "{}": false} {
		if EmptyImageGet([]byte(payload)) != want {
			t.Errorf("%q", payload)
		}
	}
}

func FuzzDataPoints(f *testing.F) {
	for _, s := range []string{`{"id":123,"dp":{"t":[{"v":30,"t":1552289676}],"s":[{"v":{"color":"blue"}}]}}`, `{"dp":{"a":[{"v":"1"},]},"id":"3"}`, `{"id":-1}`} {
		f.Add([]byte(s))
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := d.DataPoints(doc)
		if got.ID < NoID {
			t.Errorf("id %d", got.ID)
		}
		if err != nil {
			return
		}
		if got.ID == NoID {
			t.Error("taken without an id")
		}
		var all []thing.Argument
		for _, p := range got.Points {
			all = append(all, thing.Argument{ID: p.Stream, Value: p.Value})
		}
		again, err := new(Decoder).DataPoints(AppendDataPost(nil, got.ID, all))
		if err != nil || len(again.Points) > len(got.Points) {
			t.Errorf("%q: %v, %d of %d points", doc, err, len(again.Points), len(got.Points))
		}
	})
}

func FuzzImageUpdate(f *testing.F) {
	for _, s := range []string{`{"state":{"desired":{"color":"green"},"reported":{"color":"red"}}}`, `{state:{reported:{a:[1,{b:2}]}}}`, `{"state":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		u, err := ParseImageUpdate(doc)
		if err != nil {
			var c StreamCode
			if !errors.As(err, &c) {
				t.Errorf("%v is no code", err)
			}
			return
		}
		if len(u.Desired)+len(u.Reported) == 0 {
			t.Errorf("%q changes nothing", doc)
		}
	})
}
