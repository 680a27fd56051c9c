package aliyun

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/thing"
)

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"a%d":%d`, i, i)
	}
	return "{" + b.String()[1:] + "}"
}

func TestShadowMessageIsRead(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want string
	}{
		{`{"method":"update","state":{"reported":{"color":"red"}},"version":1}`, `update 1 {"color":"red"}`},
		{`{"method":"update","state":{"reported":{"color":"red"}},"version":-1}`, `update -1 reset {"color":"red"}`},
		{`{"method":"update","state":{"reported":{"n":1.5,"l":[1,2]}},"version":1700000000000}`, `update 1700000000000 {"n":1.5,"l":[1,2]}`},
		{`{"method":"update","state":{"reported":{"color":"red"}},"version":"9223372036854775807"}`, `update 9223372036854775807 {"color":"red"}`},
		{`{"method":"update","state":{"desired":"null"},"version":4}`, `update 4 {} desired is done`},
		{`{"method":"update","state":{"desired":null},"version":4}`, `update 4 {} desired is done`},
		{`{"method":"update","state":{"reported":{"a":1},"desired":"null"},"version":4}`, `update 4 {"a":1} desired is done`},
		{`{'method':'update',state:{reported:{a:1}},version:2}`, `update 2 {"a":1}`},
		{`{"method":"get"}`, `get 0 {}`},
		{`{"method":"delete","state":{"reported":{"color":"null","temperature":null,"kept":1}},"version":1}`, `delete 1 {} [color temperature]`},
		{`{"method":"delete","state":{"reported":"null"},"version":1}`, `delete 1 {} all`},
		{`{"method":"delete","state":{"reported":null},"version":1}`, `delete 1 {} all`},
		{`{"method":"update","state":{"reported":{"a":{"b":{"c":{"d":5}}}}},"version":1}`, `update 1 {"a":{"b":{"c":{"d":5}}}}`},
		{`{"method":"update","state":{"reported":` + attributes(128) + `},"version":1}`, `update 1 ` + attributes(128)},

		{`what`, "400"},
		{``, "400"},
		{`{"method":"update"`, "400"},
		{`{"method":"update","state":{"reported":{"a":{"b":{"c":{"d":{"e":6}}}}}},"version":1}`, `update 1 {"a":{"b":{"c":{"d":{"e":6}}}}}`},
		{`{"method":"update","state":{"reported":{"a":{"b":{"c":{"d":{"e":[]}}}}}},"version":1}`, "400"},
		{`{"method":"get","x":"` + strings.Repeat("x", MaxShadowBytes) + `"}`, "400"},
		{`{}`, "401"},
		{`{"method":1,"state":{}}`, "401"},
		{`{"method":"update","version":1}`, "402"},
		{`{"method":"update","state":"x","version":1}`, "402"},
		{`{"method":"update","state":{"reported":{"a":1}}}`, "403"},
		{`{"method":"update","state":{"reported":{"a":1}},"version":"new"}`, "403"},
		{`{"method":"update","state":{"reported":{"a":1}},"version":1.5}`, "403"},
		{`{"method":"update","state":{"reported":{"a":1}},"version":-2}`, "403"},
		{`{"method":"update","state":{"reported":{"a":1}},"version":9223372036854775808}`, "403"},
		{`{"method":"update","state":{},"version":1}`, "404"},
		{`{"method":"delete","state":{"desired":{}},"version":1}`, "404"},
		{`{"method":"update","state":{"reported":{}},"version":1}`, "405"},
		{`{"method":"update","state":{"reported":"null"},"version":1}`, "405"},
		{`{"method":"delete","state":{"reported":{"color":"red"}},"version":1}`, "405"},
		{`{"method":"fly","state":{"reported":{"a":1}},"version":1}`, "406"},
		{`{"method":"update","state":{"reported":` + attributes(129) + `},"version":1}`, "408"},
	} {
		m, err := ParseShadow([]byte(tt.in))
		got := fmt.Sprintf("%s %d", m.Method, m.Version)
		if m.Reset {
			got += " reset"
		}
		got += " " + string(thing.AppendArguments(nil, m.Reported))
		if m.ClearDesired {
			got += " desired is done"
		}
		if len(m.Names) > 0 {
			got += fmt.Sprint(" ", m.Names)
		}
		if m.All {
			got += " all"
		}
		if code, ok := errors.AsType[ShadowCode](err); ok {
			got = fmt.Sprint(int(code))
		} else if err != nil {
			t.Fatalf("%s: %v", tt.in, err)
		}
		if got != tt.want {
			t.Errorf("%.100s:\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func TestShadowBytes(t *testing.T) {
	then, now := time.Unix(1469564492, 0), time.Unix(1469564576, 999)
	reported := []ShadowAttribute{{"color", thing.TextValue("red"), then}}
	both := &Shadow{Reported: reported, Desired: []ShadowAttribute{{"color", thing.TextValue("green"), now}, {"l", thing.ListValue("[1,2]"), then}}, Version: 2}
	for _, tt := range []struct{ name, got, want string }{
		{"done", string(AppendShadowDone(nil, 1, now)), `{"method":"reply","payload":{"status":"success","version":1},"timestamp":1469564576}`},
		{"error", string(AppendShadowError(nil, ShadowVersionTooLow, "too low", now)), `{"method":"reply","payload":{"status":"error","content":{"errorcode":"409","errormessage":"too low"}},"timestamp":1469564576}`},
		{"reply", string(AppendShadowReply(nil, both, now)), `{"method":"reply","payload":{"status":"success","state":{"reported":{"color":"red"},"desired":{"color":"green","l":[1,2]}},"metadata":{"reported":{"color":{"timestamp":1469564492}},"desired":{"color":{"timestamp":1469564576},"l":{"timestamp":1469564492}}}},"version":2,"timestamp":1469564576}`},
		{"reply without desired", string(AppendShadowReply(nil, &Shadow{Reported: reported, Version: 1}, now)), `{"method":"reply","payload":{"status":"success","state":{"reported":{"color":"red"}},"metadata":{"reported":{"color":{"timestamp":1469564492}}}},"version":1,"timestamp":1469564576}`},
		{"control", string(AppendShadowControl(nil, &Shadow{Desired: reported, Version: 3}, now)), `{"method":"control","payload":{"status":"success","state":{"desired":{"color":"red"}},"metadata":{"desired":{"color":{"timestamp":1469564492}}}},"version":3,"timestamp":1469564576}`},
	} {
		if tt.got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

func FuzzParseShadow(f *testing.F) {
	for _, s := range []string{
		`{"method":"update","state":{"reported":{"color":"red"}},"version":1}`, `{"method":"delete","state":{"reported":"null"},"version":-1}`,
		`{'method':'get'}`, `{"method":"update","state":{"reported":{"a":{"b":[["]"]]}},"desired":null},"version":"7"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseShadow(payload)
		if err != nil {
			if code, ok := errors.AsType[ShadowCode](err); !ok || shadowTexts[code] == "" {
				t.Errorf("%v is no code", err)
			}
			return
		}
		if len(m.Reported) > MaxShadowAttributes || m.Version < -1 || m.Reset != (m.Version == -1) {
			t.Errorf("%+v", m)
		}
		for _, a := range m.Reported {
			if a.Value.Depth() >= MaxShadowDepth {
				t.Errorf("%s is too deep", a.Value.Text)
			}
		}
	})
}
