package onenet

import (
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
)

func TestRawTopic(t *testing.T) {
	for _, tt := range []struct {
		doc             string
		reply           bool
		topic, id, code string
	}{
		{`{"method":"thing.property.post","id":"5","params":{}}`, false, sys + "thing/property/post", "5", ""},
		{`{"method":"thing.event.post","id":5}`, false, sys + "thing/event/post", "5", ""},
		{`{"id":"155","code":200}`, true, sys + "thing/property/set_reply", "155", ""},
		{`{"id":"5","params":{}}`, false, "", "5", "onenet-script-no-method"},
		{`{"id":"5","method":"thing.a/b"}`, false, "", "5", "onenet-script-no-method"},
		{`{"id":"5","method":"property.post"}`, false, "", "5", "onenet-script-no-method"},
		{`{"id":`, false, "", "", "onenet-bad-message"},
	} {
		topic, id, why := Dialect{}.RawTopic(tv, []byte(tt.doc), tt.reply)
		code := ""
		if why != nil {
			code = why.Code
		}
		if string(topic) != tt.topic || id != tt.id || code != tt.code {
			t.Errorf("%s: %s %q %s", tt.doc, topic, id, code)
		}
	}
}

// TestRawWays: bytes of a script go on the topics of raw bytes, under ids that
// are told from those of commands.
func TestRawWays(t *testing.T) {
	down := Dialect{}.RawDown(tv, []byte{1, 2})
	id, ok := strings.CutPrefix(down.Topic, sys+"custome/down/")
	if !ok || string(down.Payload) != "\x01\x02" {
		t.Fatalf("%+v", down)
	}
	for _, mode := range []dialect.Strictness{dialect.Lenient, dialect.Strict} {
		if up := read(sys+"custome/down_reply/"+id, "\x01", mode); up.Kind != dialect.RawReply {
			t.Errorf("the answer of a device: %+v", up)
		}
		if up := read(sys+"custome/down_reply/155", "\x01", mode); up.Kind != dialect.Asks {
			t.Errorf("the answer to a command: %+v", up)
		}
		if up := read(sys+"custome/up", "\x01", mode); up.Kind != dialect.Raw {
			t.Errorf("a report: %+v", up)
		}
	}
	if d := (Dialect{}).RawReply(tv, []byte{7}); d.Topic != sys+"custome/up_reply" || string(d.Payload) != "\x07" {
		t.Errorf("%+v", d)
	}
	if d := (Dialect{}).RawFailure(tv, "0", 6200, "no script"); d.Topic != sys+"custome/up_reply" || string(d.Payload) != `{"id":"0","code":6200,"msg":"no script"}` {
		t.Errorf("%+v", d)
	}
}
