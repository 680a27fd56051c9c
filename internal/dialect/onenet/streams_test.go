package onenet

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

// tvStreams is the dialect of products of data streams.
var tvStreams = Dialect{}.Of(Streams)

// readStream is an uplink of a device of data streams.
func readStream(path, payload string, mode dialect.Strictness) *dialect.Uplink {
	up := new(dialect.Uplink)
	tvStreams.Uplink(tv, []byte(sys+path), []byte(payload), new(thing.Model).Index(), mode, up)
	return up
}

func TestChoice(t *testing.T) {
	if d := dialect.Choose(Dialect{}, "thing"); d != (Dialect{}) {
		t.Errorf("%+v", d)
	}
	if d := dialect.Choose(Dialect{}, "streams"); d != tvStreams || d.Name() != "onenet" {
		t.Errorf("%+v", d)
	}
}

func TestDataPointsAreKept(t *testing.T) {
	for _, tt := range []struct {
		name, payload, want, answer string
		notes                       string
	}{
		{"the documentation's sample [onenet §4.1]", `{"id":123,"dp":{"temperatrue":[{"v":30,"t":1552289676}],"status":[{"v":{"color":"blue"}}]}}`,
			`temperatrue=30@1552289676000 status={"color":"blue"}`, `{"id":123}`, ""},
		{"its trailing comma", `{"id":123,"dp":{"temperatrue":[{"v":30,}]}}`, `temperatrue=30`, `{"id":123}`, ""},
		{"several points", `{"id":0,"dp":{"a":[{"v":1,"t":1552289676},{"v":2,"t":1552289677}]}}`, `a=1@1552289676000 a=2@1552289677000`, `{"id":0}`, ""},
		{"milliseconds [onenet §10 row 28]", `{"id":1,"dp":{"a":[{"v":1,"t":1552289676123}]}}`, `a=1@1552289676123`, `{"id":1}`, "onenet-milliseconds"},
		{"a switch", `{"id":1,"dp":{"a":[{"v":true}]}}`, `a=true`, `{"id":1}`, "onenet-loose-data"},
		{"an id of text", `{"id":"5","dp":{"a":[{"v":1}]}}`, `a=1`, `{"id":5}`, "onenet-loose-data"},
		{"a clock that was not set", `{"id":1,"dp":{"a":[{"v":1,"t":86400}]}}`, `a=1@86400000`, `{"id":1}`, ""},
	} {
		up := readStream("dp/post/json", tt.payload, dialect.Lenient)
		if got := told(up); up.Kind != dialect.PropertyPost || got != tt.want || up.RefusedAll || up.Fault != nil {
			t.Errorf("%s: %q of %+v", tt.name, got, up)
		}
		if topic, payload := answered(up); topic != sys+"dp/post/json/accepted" || payload != tt.answer {
			t.Errorf("%s: answered %s %s", tt.name, topic, payload)
		}
		if got := strings.Join(noteCodes(up.Notes), " "); got != tt.notes {
			t.Errorf("%s: notes %s", tt.name, got)
		}
	}
}

func TestDataPointsAreRefused(t *testing.T) {
	ahead := fmt.Sprint(time.Now().Add(48 * time.Hour).Unix())
	for _, tt := range []struct {
		name, payload string
		id            string
		mode          dialect.Strictness
		field         string // of the fault; "" where single values are refused
	}{
		{"cut off", `{"id":123,"dp":{"a":[{"v":`, "123", dialect.Lenient, "payload"},
		{"no id", `{"dp":{"a":[{"v":1}]}}`, "-1", dialect.Lenient, "id"},
		{"no list", `{"id":7,"dp":{"a":1}}`, "7", dialect.Lenient, "a"},
		{"no v", `{"id":7,"dp":{"a":[{"v":1}],"b":[{}]}}`, "7", dialect.Lenient, "b.v"},
		{"the day after tomorrow", `{"id":7,"dp":{"b":[{"v":1}],"a":[{"v":1,"t":` + ahead + `}]}}`, "7", dialect.Lenient, ""},
		{"a trailing comma, strict", `{"id":7,"dp":{"a":[{"v":1,}]}}`, "7", dialect.Strict, "payload"},
		{"a switch, strict", `{"id":7,"dp":{"a":[{"v":true}]}}`, "7", dialect.Strict, "v"},
		{"an id of text, strict", `{"id":"7","dp":{"a":[{"v":1}]}}`, "7", dialect.Strict, "id"},
		{"a name with a blank, strict", `{"id":7,"dp":{"a b":[{"v":1}]}}`, "7", dialect.Strict, "dp"},
		{"milliseconds, strict", `{"id":7,"dp":{"a":[{"v":1,"t":1552289676123}]}}`, "7", dialect.Strict, ""},
	} {
		up := readStream("dp/post/json", tt.payload, tt.mode)
		if !up.RefusedAll || len(up.Report) > 0 || up.Close {
			t.Errorf("%s: %+v", tt.name, up)
		}
		want := `{"id":` + tt.id + `,"err_code":98,"err_msg":"Illegal Data"}`
		if topic, payload := answered(up); topic != sys+"dp/post/json/rejected" || payload != want {
			t.Errorf("%s: answered %s %s", tt.name, topic, payload)
		}
		switch {
		case tt.field == "":
			if up.Fault != nil || len(up.Refused) != 1 || up.Refused[0].Code != 98 {
				t.Errorf("%s: %+v", tt.name, up)
			}
		case up.Fault == nil || up.Fault.Field != tt.field || up.Fault.Code != "onenet-illegal-data" || up.Fault.SentenceZH == "" || up.Fault.Advice == "":
			t.Errorf("%s: %+v", tt.name, up.Fault)
		}
	}
}

func TestOtherDataTypes(t *testing.T) {
	up := readStream("dp/post/bin", "\x01\x02", dialect.Lenient)
	if topic, payload := answered(up); topic != sys+"dp/post/bin/rejected" || payload != `{"id":-1,"err_code":98,"err_msg":"Illegal Data"}` || up.Fault.Code != "onenet-data-type" {
		t.Errorf("%s %s %+v", topic, payload, up.Fault)
	}
	if up := readStream("dp/post/bin", "\x01\x02", dialect.Strict); up.Kind != dialect.Forbidden || !up.Close {
		t.Errorf("strict: %+v", up)
	}
}

func TestOnlyDevicesTopicsArePublishedOn(t *testing.T) {
	for _, path := range []string{
		"dp/post/json/accepted", "dp/post/json/rejected", "dp/post/", "cmd/request/7", "cmd/response/", "cmd/response/7/accepted",
		"image/update/delta", "image/update/accepted", "image/get/accepted", "image/x", "custome/up_reply", "custome/down/7", "custome/down_reply/",
	} {
		for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict} {
			if up := readStream(path, `{"id":1}`, mode); up.Kind != dialect.Forbidden || up.Close != (mode == dialect.Strict) || len(up.Answers) > 0 {
				t.Errorf("%s: %+v", path, up)
			}
		}
	}
}

// TestOfTheOtherModel is [onenet §12] number 9: strict products close over
// topics of the other data model, lenient ones say a word and go on.
func TestOfTheOtherModel(t *testing.T) {
	for _, tt := range []struct {
		d             dialect.Dialect
		path, payload string
		want, answer  string
	}{
		{Dialect{}, "dp/post/json", `{"id":1,"dp":{"t":[{"v":30}],"wendu":[{"v":21}]}}`, "t=30 wendu=21", `{"id":1}`},
		{tvStreams, "thing/property/post", `{"id":"1","params":{"t":{"value":30,"time":1552289676123}}}`, "t=30@1552289676123", `{"id":"1","code":200,"msg":"success"}`},
	} {
		up := new(dialect.Uplink)
		tt.d.Uplink(tv, []byte(sys+tt.path), []byte(tt.payload), model, dialect.Lenient, up)
		if got := told(up); got != tt.want || strings.Join(noteCodes(up.Notes), " ") != "onenet-data-model" {
			t.Errorf("%s: %q, %v", tt.path, got, up.Notes)
		}
		if _, payload := answered(up); payload != tt.answer {
			t.Errorf("%s: answered %s", tt.path, payload)
		}
		tt.d.Uplink(tv, []byte(sys+tt.path), []byte(tt.payload), model, dialect.Strict, up)
		if up.Kind != dialect.Forbidden || !up.Close || up.Fault.Code != "onenet-data-model" || len(up.Report) > 0 {
			t.Errorf("%s, strict: %+v", tt.path, up)
		}
	}
	up := new(dialect.Uplink)
	Dialect{}.Uplink(tv, []byte(sys+"dp/post/json"), []byte(`{"id":1,"dp":{"wendu":[{"v":"hot"}]}}`), model, dialect.Lenient, up)
	if _, payload := answered(up); payload != `{"id":1,"err_code":98,"err_msg":"Illegal Data"}` || !up.RefusedAll {
		t.Errorf("a stream that is a property of another type: %s", payload)
	}
}

func TestSubscriptionsOfTheOtherModel(t *testing.T) {
	for _, tt := range []struct {
		d      dialect.Dialect
		filter string
		other  bool
	}{
		{Dialect{}, "cmd/#", true}, {Dialect{}, "cmd/request/+", true}, {Dialect{}, "dp/post/json/+", true}, {Dialect{}, "image/#", true},
		{Dialect{}, "thing/#", false}, {Dialect{}, "ota/#", false}, {Dialect{}, "custome/down/+", false}, {Dialect{}, "#", false},
		{tvStreams, "cmd/#", false}, {tvStreams, "dp/post/json/+", false}, {tvStreams, "image/update/delta", false}, {tvStreams, "#", false},
		{tvStreams, "ota/#", false}, {tvStreams, "thing/#", true}, {tvStreams, "thing/property/set", true},
	} {
		code, why := tt.d.MaySubscribe(tv, sys+tt.filter, mqtt.AtLeastOnce, dialect.Strict)
		if code.Failed() != tt.other || (why != nil) != tt.other {
			t.Errorf("strict, %s: %v %+v", tt.filter, code, why)
		}
		code, why = tt.d.MaySubscribe(tv, sys+tt.filter, mqtt.AtLeastOnce, dialect.Lenient)
		if code.Failed() || (why != nil) != tt.other || tt.other && why.Code != "onenet-data-model" {
			t.Errorf("lenient, %s: %v %+v", tt.filter, code, why)
		}
	}
}

func TestCommandsOfDataStreams(t *testing.T) {
	c := tvStreams.(dialect.Commander)
	if d := c.Command(tv, "155", []byte("\x00on")); d.Topic != sys+"cmd/request/155" || string(d.Payload) != "\x00on" || c.MaxCommand() != 20<<10 {
		t.Errorf("%+v", d)
	}
	if d := tvStreams.(dialect.RawSender).Raw(tv, "155", []byte{1}); d.Topic != sys+"custome/down/155" || string(d.Payload) != "\x01" {
		t.Errorf("%+v", d)
	}
	if d := (Dialect{}).Get(tv, "123", []string{"temperature", "humidity"}); d.Topic != sys+"thing/property/get" ||
		string(d.Payload) != `{"id":"123","version":"1.0","params":["temperature","humidity"]}` { // [onenet §3.2]
		t.Errorf("%+v", d)
	}
	for _, tt := range []struct {
		name, payload string
		err           error
		suffix, says  string
	}{
		{"taken", "done", nil, "/accepted", ""},
		{"empty, as of the C SDK", "", nil, "/accepted", ""},
		{"too late", "done", dialect.ErrResponseLate, "/rejected", `{"err_code":112,"err_msg":"command response timeout"}`},
		{"twice", "done", dialect.ErrResponseUnasked, "/rejected", `{"err_code":113,"err_msg":"command not found or already responded"}`},
		{"our fault", "done", errors.New("disk"), "/rejected", `{"err_code":100,"err_msg":"internal error"}`},
	} {
		up := readStream("cmd/response/155", tt.payload, dialect.Strict)
		r, ok := up.Request.(*dialect.Response)
		if !ok || up.Kind != dialect.Asks || r.Command != "155" || string(r.Payload) != tt.payload || r.Claim != tv || r.NoAnswer {
			t.Fatalf("%s: %+v", tt.name, up)
		}
		answers := tvStreams.Answer(r, dialect.Done{}, tt.err)
		if len(answers) != 1 || answers[0].Topic != sys+"cmd/response/155"+tt.suffix || string(answers[0].Payload) != tt.says {
			t.Errorf("%s: %s", tt.name, answers)
		}
	}
	up := readStream("cmd/response/155", strings.Repeat("x", 1024), dialect.Lenient)
	if topic, payload := answered(up); up.Request != nil || topic != sys+"cmd/response/155/rejected" || payload != `{"err_code":99,"err_msg":"maximum payload size exceeded"}` || up.Fault.Code != "onenet-response-too-large" {
		t.Errorf("a kilobyte: %s %s", topic, payload)
	}
	up = readStream("custome/down_reply/155", "\x02", dialect.Strict)
	if r, ok := up.Request.(*dialect.Response); !ok || r.Command != "155" || string(r.Payload) != "\x02" || len(tvStreams.Answer(r, dialect.Done{}, nil)) > 0 {
		t.Errorf("raw: %+v", up)
	}
	if up = readStream("custome/up", "\x02", dialect.Strict); up.Kind != dialect.Raw || len(up.Answers) > 0 {
		t.Errorf("raw: %+v", up)
	}
}

func TestImages(t *testing.T) {
	at := time.Unix(1469574492, 0)
	green := []dialect.ImageAttribute{{Name: "color", Value: thing.TextValue("green"), At: at}}
	change := &dialect.ImageChange{Changed: dialect.Image{Desired: green, Version: 2, UpdatedAt: at}, Delta: green}
	const delta = `{"state":{"color":"green"},"metadata":{"color":{"timestamp":1469574492}},"version":2,"timestamp":1469574492}` // [onenet §4.3]
	up := readStream("image/update", `{"state":{"desired":{"color":"green"},"reported":{"color":"red"}}}`, dialect.Strict)
	r, ok := up.Request.(*dialect.ImageUpdate)
	if !ok || string(thing.AppendArguments(nil, r.Desired)) != `{"color":"green"}` || string(thing.AppendArguments(nil, r.Reported)) != `{"color":"red"}` {
		t.Fatalf("%+v", up)
	}
	answers := tvStreams.Answer(r, change, nil)
	if len(answers) != 2 || answers[0].Topic != sys+"image/update/accepted" || answers[1].Topic != sys+"image/update/delta" || string(answers[1].Payload) != delta {
		t.Fatalf("%s", answers)
	}
	if got, want := string(answers[0].Payload), `{"state":{"desired":{"color":"green"}},"metadata":{"desired":{"color":{"timestamp":1469574492}}},"version":2,"timestamp":1469574492}`; got != want {
		t.Errorf("%s", got)
	}
	if all := tvStreams.(dialect.ImageTeller).TellImage(tv, change); len(all) != 1 || string(all[0].Payload) != delta {
		t.Errorf("%s", all)
	}
	if answers := tvStreams.Answer(r, &dialect.ImageChange{}, nil); len(answers) != 1 {
		t.Errorf("without a difference: %s", answers)
	}
	for _, tt := range []struct {
		path, payload string
		err           error
		want          string
	}{
		{"image/update", `{"state":{"desired":{"a":1}}}`, dialect.ErrImageSize, `{"err_code":161,"err_msg":"json out of bound"}`},
		{"image/update", `{"state":{"desired":{"a":1}}}`, errors.New("disk"), `{"err_code":100,"err_msg":"internal error"}`},
		{"image/get", "", dialect.ErrNoImage, `{"err_code":167,"err_msg":"device image not exists"}`},
		{"image/get", "{}", nil, `{"err_code":98,"err_msg":"Illegal Data"}`},
		{"image/update", `{"state":`, nil, `{"err_code":160,"err_msg":"illegal json"}`},
		{"image/update", `{'state':{'desired':{'a':1}}}`, nil, `{"err_code":160,"err_msg":"illegal json"}`}, // strict
		{"image/update", `{"a":1}`, nil, `{"err_code":163,"err_msg":"state key not found"}`},
		{"image/update", `{"state":{}}`, nil, `{"err_code":164,"err_msg":"desired or reported key not found"}`},
		{"image/update", `{"state":{"desired":1}}`, nil, `{"err_code":165,"err_msg":"invalid parameters"}`},
	} {
		up := readStream(tt.path, tt.payload, dialect.Strict)
		answers := up.Answers
		if up.Request != nil {
			answers = tvStreams.Answer(up.Request, nil, tt.err)
		} else if up.Fault == nil || up.Fault.Code != "onenet-image" || up.Fault.Field == "" {
			t.Errorf("%s: %+v", tt.payload, up.Fault)
		}
		if len(answers) != 1 || answers[0].Topic != sys+tt.path+"/rejected" || string(answers[0].Payload) != tt.want {
			t.Errorf("%s %s: %s", tt.path, tt.payload, answers)
		}
	}
	up = readStream("image/get", "\x00", dialect.Lenient)
	whole := &dialect.Image{Desired: green, Reported: []dialect.ImageAttribute{{Name: "color", Value: thing.TextValue("red"), At: at}}, Version: 11, UpdatedAt: at}
	answers = tvStreams.Answer(up.Request, whole, nil)
	if len(answers) != 1 || answers[0].Topic != sys+"image/get/accepted" || string(answers[0].Payload) !=
		`{"state":{"desired":{"color":"green"},"reported":{"color":"red"}},"metadata":{"desired":{"color":{"timestamp":1469574492}},"reported":{"color":{"timestamp":1469574492}}},"version":11,"timestamp":1469574492}` {
		t.Errorf("%s", answers)
	}
	if up := read(sys+"image/update", `{'state':{'desired':{'a':1}}}`, dialect.Lenient); up.Loose == 0 || up.Request == nil {
		t.Errorf("lenient: %+v", up)
	}
}
