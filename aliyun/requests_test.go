package aliyun

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/thing"
)

func TestParamsOfARequest(t *testing.T) {
	for _, tt := range []struct{ in, id, want string }{
		{`{"id":"1","version":"1.0","params":["a","b"],"method":"thing.property.desired.get"}`, "1", `["a","b"]`},
		{`{"id":7,"params":{'a':1,}}`, "7", `{"a":1}`},
		{`{"id":"2","params":"{}"}`, "2", `{}`},
		{`{"id":"3","params":"{\"nodes\":[\"type\"]}"}`, "3", `{"nodes":["type"]}`},
		{`{"id":"4"}`, "4", ``},
	} {
		var d Decoder
		got, err := d.Params([]byte(tt.in))
		if err != nil || string(got) != tt.want || string(d.ID) != tt.id {
			t.Errorf("%s: %s %s, %v", tt.in, d.ID, got, err)
		}
	}
	for _, in := range []string{`[]`, `{"id":"1","params":{"a":`, `{"params":"{a"}`} {
		if got, err := new(Decoder).Params([]byte(in)); err == nil {
			t.Errorf("%s became %s", in, got)
		}
	}
}

func TestDesired(t *testing.T) {
	m := (&thing.Model{Properties: []thing.Property{{ID: "since", Type: thing.DataType{Kind: thing.Date}}}}).Index()
	say := AppendDesired(nil, []DesiredValue{{"power", thing.TextValue("on"), 2}, {"lit", thing.BoolValue(true), 1}, {"since", thing.IntValue(5), 3}}, m)
	if want := `{"power":{"value":"on","version":2},"lit":{"value":1,"version":1},"since":{"value":"5","version":3}}`; string(say) != want {
		t.Errorf("got %s", say)
	}
	if say := AppendDesired(nil, nil, nil); string(say) != `{}` {
		t.Errorf("got %s", say)
	}
}

func TestTags(t *testing.T) {
	got, err := ParseTags([]byte(`[{"attrKey":"Temperature","attrValue":"36.8"},{"attrKey":"SYS_SDK_LANGUAGE","attrValue":"C","domain":"SYSTEM"},{"attrKey":"n_1","attrValue":5}]`))
	if err != nil || fmt.Sprint(got) != "[{Temperature 36.8 false} {SYS_SDK_LANGUAGE C true} {n_1 5 false}]" {
		t.Errorf("%v, %v", got, err)
	}
	got, err = ParseTagKeys([]byte(`[{"attrKey":"Temperature"}]`))
	if err != nil || fmt.Sprint(got) != "[{Temperature  false}]" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err = ParseTags([]byte(`{"attrKey":"房间","attrValue":"x"}`)); !errors.Is(err, ErrTagKey) {
		t.Errorf("%v, %v", got, err)
	}
	many := "[" + strings.Repeat(`{"attrKey":"a","attrValue":"1"},`, MaxTagsPerRequest) + `{"attrKey":"a","attrValue":"1"}]`
	for in, want := range map[string]error{
		``: ErrBadParams, `"x"`: ErrBadParams, `[{"attrKey":"a"}]`: ErrNoTagValue, `[{"attrValue":"a"}]`: ErrNoTagKey, `[{"attrKey":"1a","attrValue":"x"}]`: ErrTagKey,
		`[{"attrKey":"a b","attrValue":"x"}]`: ErrTagKey, `[{"attrKey":"` + strings.Repeat("k", 65) + `","attrValue":"x"}]`: ErrTagKey, many: ErrTooManyTags,
	} {
		if _, err := ParseTags([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%.40s: %v", in, err)
		}
	}
}

func TestConfigAndLogBytes(t *testing.T) {
	file := ConfigFile{ID: "1bbf", Size: 1234, SHA256: "ab12", URL: "http://iot.example.com/remoteconfig/1bbf"}
	members := `{"configId":"1bbf","configSize":1234,"sign":"ab12","signMethod":"Sha256","url":"http://iot.example.com/remoteconfig/1bbf","getType":"file"}`
	for _, tt := range []struct{ name, got, want string }{
		{"config", string(AppendConfigFile(nil, file)), members},
		{"config push", string(AppendConfigPush(nil, "123", file)), `{"id":"123","version":"1.0","params":` + members + `,"method":"thing.config.push"}`},
		{"log off", string(AppendLogMode(nil, false)), `{"getType":"content","content":{"mode":0}}`},
		{"log push", string(AppendLogPush(nil, "5", true)), `{"id":"5","version":"1.0","params":{"getType":"content","content":{"mode":1}},"method":"thing.config.log.push"}`},
	} {
		if tt.got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestLogIsRead(t *testing.T) {
	lines, more, err := ParseLog([]byte(`[{"utcTime":"2020-08-31T06:07:35.123+0000","logLevel":"ERROR","module":"MQTT","code":"6","traceContext":"t1","logContent":"lost"},{"utcTime":"now","logLevel":"info","code":17,"logContent":"back"}]`))
	if err != nil || more != 0 || len(lines) != 2 {
		t.Fatalf("%v, %d, %v", lines, more, err)
	}
	if want := (LogLine{time.Date(2020, 8, 31, 6, 7, 35, 123e6, time.UTC), "ERROR", "MQTT", "6", "t1", "lost"}); lines[0] != want {
		t.Errorf("%+v", lines[0])
	}
	if want := (LogLine{Level: "INFO", Code: "17", Content: "back"}); lines[1] != want {
		t.Errorf("%+v", lines[1])
	}
	long := "[" + strings.Repeat(`{"logContent":"x"},`, MaxLogLines+2) + `{}]`
	if lines, more, err = ParseLog([]byte(long)); len(lines) != MaxLogLines || more != 3 || err != nil {
		t.Errorf("%d, %d, %v", len(lines), more, err)
	}
	if _, _, err := ParseLog([]byte(`{}`)); !errors.Is(err, ErrBadParams) {
		t.Error(err)
	}
}

func TestTemplate(t *testing.T) {
	m := (&thing.Model{Properties: []thing.Property{{ID: "a", Name: "<A>", Type: thing.DataType{Kind: thing.Text}}}}).Index()
	got, err := Template("pk", "dn", m)
	if err != nil {
		t.Fatal(err)
	}
	const begin = `{"schema":"https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json","profile":{"productKey":"pk","deviceName":"dn"},"properties":[{"identifier":"a","name":"<A>",`
	if !strings.HasPrefix(string(got), begin) || !strings.HasSuffix(string(got), `,"link":"/sys/pk/dn/thing/"}`) {
		t.Errorf("got %s", got)
	}
	if _, err := ImportTSL(got); err != nil {
		t.Error(err)
	}
}

// FuzzRequests: what a device writes into params is read or refused, and
// stays within the bounds.
func FuzzRequests(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","params":["a"]}`, `{"params":{"a":{"version":1}}}`, `{"params":[{"attrKey":"a","attrValue":"b","domain":"SYSTEM"}]}`,
		`{"params":[{"utcTime":"2020-08-31T06:07:35.123+0000","logLevel":"WARN","logContent":"x"}]}`, `{"params":"{}"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d Decoder
		params, err := d.Params(doc)
		if err != nil {
			return
		}
		if all, err := ParseTags(params); err == nil {
			for _, tag := range all {
				if !validTagKey(tag.Key) {
					t.Errorf("%+v", tag)
				}
			}
		}
		if lines, _, err := ParseLog(params); err == nil && len(lines) > MaxLogLines {
			t.Errorf("%d lines", len(lines))
		}
	})
}
