package onenet

import (
	"encoding/json"
	"errors"
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
		got = append(got, fmt.Sprintf("%s=%s@%d", id, v.AppendJSON(nil), at))
	})
	return strings.Join(got, " "), err
}

func TestPropertyPost(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want, id string
		bare                bool
		loose               loose.Looseness
	}{
		{"seed 002 [onenet §3.6]", `{"id": "123","version" : "1.0","params": {"wendu": {"value": 21.1}}}`, "wendu=21.1@0", "123", false, 0},
		{"documented form [onenet §3.2]", `{"id":"123","version":"1.0","params":{"Power":{"value":"on","time":1524448722123},"WF":{"value":23.6}}}`, `Power="on"@1524448722123 WF=23.6@0`, "123", false, 0},
		{"every form of value", `{"id":"1","params":{"a":{"value":true},"b":{"value":false},"c":{"value":null},"d":{"value":-1},"e":{"value":1e2},"f":{"value":""},"g":{"value":[1,{"x":2}]},"h":{"value":{"lat":1}}}}`, `a=true@0 b=false@0 c=null@0 d=-1@0 e=100@0 f=""@0 g=[1,{"x":2}]@0 h={"lat":1}@0`, "1", false, 0},
		{"time first", `{"id":"1","params":{"a":{"time":1524448722123,"value":1}}}`, "a=1@1524448722123", "1", false, 0},
		{"time as text", `{"id":"1","params":{"a":{"value":1,"time":"1524448722123"}}}`, "a=1@1524448722123", "1", false, 0},
		{"time as a real", `{"id":"1","params":{"a":{"value":1,"time":1524448722123.0}}}`, "a=1@1524448722123", "1", false, 0},
		{"time is no number", `{"id":"1","params":{"a":{"value":1,"time":"now"},"b":{"value":2,"time":null}}}`, "a=1@-1 b=2@-1", "1", false, 0},
		{"other members", `{"id":"1","params":{"a":{"value":1,"unit":{"x":[1]}}},"extra":[{}]}`, "a=1@0", "1", false, 0},
		{"bare values, Aliyun's habit", `{"id":"1","params":{"a":1,"b":"x","c":[1]}}`, `a=1@0 b="x"@0 c=[1]@0`, "1", true, 0},
		{"an object without value", `{"id":"1","params":{"a":{"lat":1}}}`, "a={}@0", "1", true, 0},
		{"id as number [onenet §3.1]", `{"id":123,"params":{"a":{"value":1}}}`, "a=1@0", "123", false, 0},
		{"id of no use", `{"id":{"x":1},"params":{"a":{"value":1}}}`, "a=1@0", "", false, 0},
		{"id behind params", `{"params":{"a":{"value":1}},"id":"9"}`, "a=1@0", "9", false, 0},
		{"no values", `{"id":"1","params":{}}`, "", "1", false, 0},
		{"escaped name", `{"id":"1","params":{"\u0061":{"value":1},"b":{"value":2}}}`, "a=1@0 b=2@0", "1", false, 0},
		{"bare keys", `{id:'1',params:{a:{value:1}}}`, "a=1@0", "1", false, loose.BareKeys | loose.SingleQuotes},
		{"NUL at the end [onenet §10 row 18]", "{\"id\":\"1\",\"params\":{\"a\":{\"value\":1}}}\x00", "a=1@0", "1", false, loose.TrailingBytes},
		{"comma too many [onenet §10 row 18]", `{"id":"1","params":{"a":{"value":1,},}}`, "a=1@0", "1", false, loose.ExtraCommas},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			for range 2 { // a decoder is reused
				got, err := posted(&d, tt.doc)
				if err != nil || got != tt.want || string(d.ID) != tt.id || d.Bare != tt.bare || d.Loose != tt.loose {
					t.Errorf("got %q, id %q, bare %v, loose %v, %v", got, d.ID, d.Bare, d.Loose, err)
				}
			}
		})
	}
}

func TestPropertyPostRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		err       error // nil: any
	}{
		{"no object", `[1]`, ErrNotObject},
		{"text", `"hello"`, ErrNotObject},
		{"no params", `{"id":"1"}`, ErrNoParams},
		{"params are a list", `{"id":"1","params":[1]}`, ErrNoParams},
		{"params are null", `{"id":"1","params":null}`, ErrNoParams},
		{"empty", ``, nil},
		{"cut off in the envelope", `{"id":"1","params":{"a":{"value":1}}`, nil},
		{"cut off in a value", `{"id":"1","params":{"a":{"value":1`, nil},
		{"cut off behind params", `{"id":"1","params":{"a":{"value":1}`, nil},
		{"nan", `{"params":{"a":{"value":nan}}}`, nil},
		{"nan as time", `{"params":{"a":{"value":1,"time":nan}}}`, nil},
		{"bare nan", `{"params":{"a":nan}}`, nil},
		{"bad member", `{"params":{"a":{"value":1,"x":nan}}}`, nil},
		{"something behind", `{"params":{"a":{"value":1}}}{`, nil},
		{"too deep", `{"params":{"a":{"value":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}}`, nil},
	} {
		got, err := posted(new(Decoder), tt.doc)
		if err == nil || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

func TestDecoderForgetsTheLastMessage(t *testing.T) {
	var d Decoder
	if _, err := d.Reply([]byte(`{id:"5","code":100,"msg":"no","data":{"a":1}}`)); err != nil {
		t.Fatal(err)
	}
	data, err := d.Reply([]byte(`{}`))
	if err != nil || data != "" || len(d.ID) > 0 || len(d.Message) > 0 || d.Code != 200 || d.Loose != 0 {
		t.Errorf("an empty reply is %q %q %d %q %v, %v", d.ID, d.Message, d.Code, data, d.Loose, err)
	}
	if _, err := posted(&d, `{"params":{"a":1}}`); err != nil || !d.Bare {
		t.Fatal(err)
	}
	if _, err := posted(&d, `{"params":{"a":{"value":1}}}`); err != nil || d.Bare {
		t.Errorf("bare %v, %v", d.Bare, err)
	}
}

func TestPropertyPostAllocatesNothing(t *testing.T) {
	doc := []byte(`{"id":"123","version":"1.0","params":{"Power":{"value":true,"time":1524448722123},"wendu":{"value":21.1},"n":{"value":-7}}}`)
	var d Decoder
	values := 0
	count := func([]byte, thing.Value, int64) { values++ }
	n := testing.AllocsPerRun(100, func() {
		if err := d.PropertyPost(doc, count); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 || values != 3*101 {
		t.Errorf("%v allocations, %d values", n, values)
	}
}

func TestEventPost(t *testing.T) {
	for _, tt := range []struct {
		name, doc, want string
		bare            bool
	}{
		{"documented [onenet §3.2]", `{"id":"123","version":"1.0","params":{"alarm":{"value":{"powerOff":1,"smoke":0},"time":1524448722123}}}`, `alarm{"powerOff":1,"smoke":0}@1524448722123`, false},
		{"several", `{"id":"123","params":{"a":{"value":{}},"b":{"time":5,"value":{"x":"y"}}}}`, `a{}@0 b{"x":"y"}@5`, false},
		{"bare output, Aliyun's habit", `{"id":"123","params":{"a":{"x":1,"time":2}}}`, `a{"x":1,"time":2}@0`, true},
		{"loosely written", `{id:123,params:{a:{value:{x:1}}}}`, `a{"x":1}@0`, false},
		{"none", `{"id":"123","params":{}}`, ``, false},
	} {
		var d Decoder
		events, err := d.EventPost([]byte(tt.doc))
		var got []string
		for _, e := range events {
			got = append(got, fmt.Sprintf("%s%s@%d", e.ID, thing.AppendArguments(nil, e.Output), e.At))
		}
		if s := strings.Join(got, " "); err != nil || s != tt.want || d.Bare != tt.bare || string(d.ID) != "123" {
			t.Errorf("%s: %q, id %q, bare %v, %v", tt.name, s, d.ID, d.Bare, err)
		}
	}
}

func TestEventPostRefuses(t *testing.T) {
	for _, doc := range []string{
		`{"id":"1"}`, `{"params":null}`, `{"params":[]}`, `{"params":{"a":1}}`, `{"params":{"a":[{}]}}`, `{"params":{"a":null}}`, `{"params":{"a":{"value":{}}`, `[]`, ``,
	} {
		if events, err := new(Decoder).EventPost([]byte(doc)); err == nil {
			t.Errorf("%s is read as %v", doc, events)
		}
	}
}

func TestReply(t *testing.T) {
	for doc, want := range map[string]string{
		`{"id":"1","code":200,"msg":"success"}`:                                              "1 200 success ",
		`{"id":"123","code":200,"msg":"success","data":{"temperature":39.5, "humidity":20}}`: `123 200 success {"temperature":39.5,"humidity":20}`,
		`{"id":5}`:                                  "5 200  ", // the code is missing
		`{"id":"5","code":0,"data":{}}`:             "5 200  {}",
		`{"id":"5","code":"0"}`:                     "5 200  ",
		`{"id":"5","code":null}`:                    "5 200  ",
		`{"id":"5","code":"200"}`:                   "5 200  ",
		`{"id":"5","code":200.0}`:                   "5 200  ",
		`{"id":"5","code":100,"msg":"failed"}`:      "5 100 failed ", // the C SDK's own failure
		`{"id":"5","code":"no"}`:                    "5 -1  ",
		`{"id":"5","code":200.5}`:                   "5 -1  ",
		`{"id":"5","code":99999999999999999999999}`: "5 -1  ",
		`{"message":"Aliyun's word","id":"5"}`:      "5 200 Aliyun's word ",
		`{'id':'5',code:200,data:{x:1}}`:            `5 200  {"x":1}`,
		`{"id":"5","code":200,"data":null}`:         "5 200  null",
		`{"id":"5","code":200,"msg":["a"]}`:         "5 200  ",
	} {
		var d Decoder
		data, err := d.Reply([]byte(doc))
		if got := fmt.Sprintf("%s %d %s %s", d.ID, d.Code, d.Message, data); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", doc, got, err, want)
		}
	}
	for _, doc := range []string{``, `[]`, `{"id":"1"`, `{"id":nan}`, `{"data":{"a":}}`} {
		if data, err := new(Decoder).Reply([]byte(doc)); err == nil {
			t.Errorf("%s is read as a reply with %q", doc, data)
		}
	}
}

func TestRequest(t *testing.T) {
	var d Decoder
	args, err := d.Request([]byte(`{"id":"1","version":"1.0","params":{"door_status":true,"x":{"value":1}}}`)) // [onenet §3.2]
	if got := string(thing.AppendArguments(nil, args)); err != nil || got != `{"door_status":true,"x":{"value":1}}` || string(d.ID) != "1" {
		t.Errorf("%s of %q, %v", got, d.ID, err)
	}
	for _, doc := range []string{`{"id":"1"}`, `{"id":"1","params":["a"]}`, `{"params":{"a":1}`, `7`} {
		if args, err := d.Request([]byte(doc)); err == nil {
			t.Errorf("%s is read as %v", doc, args)
		}
	}
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		"1": true, "0": true, "1639465432393": true, "": false, "12345678901234": false, "abc": false, "-1": false, "1.0": false, "1 ": false,
	} {
		if ValidID([]byte(id)) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

func TestAppendersBytes(t *testing.T) {
	args := []thing.Argument{{ID: "wendu", Value: thing.FloatValue(21.1)}, {ID: "on", Value: thing.BoolValue(true)}, {ID: "s", Value: thing.TextValue("a\"b")}}
	at := time.UnixMilli(1524448722123)
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"reply [onenet §12 row 6]", AppendReply(nil, []byte("123"), Success, "success"), `{"id":"123","code":200,"msg":"success"}`},
		{"the captured reply [onenet §3.1]", AppendReply(nil, []byte("1639465432393"), Success, "success"), `{"id":"1639465432393","code":200,"msg":"success"}`},
		{"reply with an id that needs quoting", AppendReply(nil, []byte(`a"b`), IdentifierUnknown, "identifier not exist:identifier:x"), `{"id":"a\"b","code":2306,"msg":"identifier not exist:identifier:x"}`},
		{"reply without id", AppendReply(nil, nil, InvalidJSON, "invalid json"), `{"id":"","code":2301,"msg":"invalid json"}`},
		{"set", AppendRequest(nil, "1", args), `{"id":"1","version":"1.0","params":{"wendu":21.1,"on":true,"s":"a\"b"}}`},
		{"call without input", AppendRequest(nil, "2", nil), `{"id":"2","version":"1.0","params":{}}`},
		{"property post", AppendPropertyPost(nil, "3", args), `{"id":"3","version":"1.0","params":{"wendu":{"value":21.1},"on":{"value":true},"s":{"value":"a\"b"}}}`},
		{"property post of nothing", AppendPropertyPost(nil, "3", nil), `{"id":"3","version":"1.0","params":{}}`},
		{"event post", AppendEventPost(nil, "4", "alarm", args[:1], at), `{"id":"4","version":"1.0","params":{"alarm":{"value":{"wendu":21.1},"time":1524448722123}}}`},
		{"device's reply", AppendDeviceReply(nil, []byte("5"), 200, nil), `{"id":"5","code":200,"msg":"success"}`},
		{"device's reply with output", AppendDeviceReply(nil, []byte("5"), 200, args[1:2]), `{"id":"5","code":200,"msg":"success","data":{"on":true}}`},
		{"device's reply with empty output", AppendDeviceReply(nil, []byte("5"), 200, []thing.Argument{}), `{"id":"5","code":200,"msg":"success","data":{}}`},
		{"device's failure", AppendDeviceReply(nil, []byte("5"), 100, nil), `{"id":"5","code":100,"msg":"failed"}`},
		{"behind what is there", AppendReply([]byte("x"), []byte("1"), 200, "success"), `x{"id":"1","code":200,"msg":"success"}`},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

// What one side writes the other reads.
func TestBothSidesUnderstandEachOther(t *testing.T) {
	args := []thing.Argument{{ID: "a", Value: thing.FloatValue(21.5)}, {ID: "b", Value: thing.TextValue("\u0000\"语")}, {ID: "c", Value: thing.ListValue("[1,2]")}}
	text := string(thing.AppendArguments(nil, args))
	var d Decoder
	var post []thing.Argument
	err := d.PropertyPost(AppendPropertyPost(nil, "1", args), func(id []byte, v thing.Value, _ int64) {
		post = append(post, thing.Argument{ID: string(id), Value: v})
	})
	if got := string(thing.AppendArguments(nil, post)); err != nil || got != text || d.Bare || d.Loose != 0 {
		t.Errorf("post: %s, %v", got, err)
	}
	request, err := d.Request(AppendRequest(nil, "2", args))
	if got := string(thing.AppendArguments(nil, request)); err != nil || got != text || string(d.ID) != "2" {
		t.Errorf("request: %s, %v", got, err)
	}
	events, err := d.EventPost(AppendEventPost(nil, "3", "e", args, time.UnixMilli(77)))
	if err != nil || len(events) != 1 || events[0].ID != "e" || events[0].At != 77 || string(thing.AppendArguments(nil, events[0].Output)) != text {
		t.Errorf("event: %+v, %v", events, err)
	}
	if data, err := d.Reply(AppendDeviceReply(nil, []byte("4"), 200, args)); err != nil || data != text || d.Code != 200 || string(d.ID) != "4" {
		t.Errorf("reply: %s, %v", data, err)
	}
}

// FuzzPropertyPost: a value that was read can be written and read again, and
// the message itself is not touched.
func FuzzPropertyPost(f *testing.F) {
	for _, doc := range []string{
		`{"id": "123","version" : "1.0","params": {"wendu": {"value": 21.1}}}`, `{"id":"123","params":{"Power":{"value":"on","time":1524448722123},"WF":{"value":23.6}}}`,
		`{'params':{a:{value:[1,'x',{b:null}]},"\u0062":-.5},id:7,}`, `{"id":"1","params":{"a":{"time":"1e300"}}}`, `{"code":200,"params":{"a":{"value":{"value":1}}}}`,
		"{\"params\":{\"a\":1}}\x00", `{"params":{"a":{"value":nan`, `[]`, ``,
	} {
		f.Add([]byte(doc))
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, doc []byte) {
		before := string(doc)
		var args []thing.Argument
		err := d.PropertyPost(doc, func(id []byte, v thing.Value, _ int64) {
			args = append(args, thing.Argument{ID: string(id), Value: v})
		})
		if string(doc) != before {
			t.Fatalf("%q became %q", before, doc)
		}
		if err != nil {
			return
		}
		if reply := AppendReply(nil, d.ID, Success, "success"); !json.Valid(reply) {
			t.Errorf("answered %s", reply)
		}
		again, i := AppendPropertyPost(nil, "1", args), 0
		err = d.PropertyPost(again, func(_ []byte, v thing.Value, _ int64) {
			if first, second := string(args[i].Value.AppendJSON(nil)), string(v.AppendJSON(nil)); first != second {
				t.Errorf("%q became %q", first, second)
			}
			i++
		})
		if err != nil || i != len(args) || d.Bare || d.Loose != 0 {
			t.Errorf("%s: %d of %d, loose %v, %v", again, i, len(args), d.Loose, err)
		}
	})
}
