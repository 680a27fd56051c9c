package modem_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/matou-iot/matou/modem"
)

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []int
	}{
		{"+QMTPUB: 0,1,0", []int{0, 1, 0}},
		{"+QMTPUB:0,-1", []int{0, -1}},
		{`+QMTPUB: 0,"a",2`, []int{0}},
		{"+QMTPUB: x", nil},
		{"+QMTPUB: ", nil},
		{"+QMTPUBEX: 0,1,0", nil},
	} {
		if got := modem.Numbers(tt.line, "+QMTPUB:"); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v", tt.line, got)
		}
	}
}

func TestMail(t *testing.T) {
	for _, tt := range []struct {
		text   string
		client int
		want   modem.Message
		ok     bool
	}{
		{` 2,0,"t/1","hello"`, 2, modem.Message{Topic: "t/1", Payload: []byte("hello")}, true},
		{`0,1,"t",{"a":[1,"b"]}`, 0, modem.Message{Topic: "t", Payload: []byte(`{"a":[1,"b"]}`)}, true},
		{`0,1,"t","["a","b"]"`, 0, modem.Message{Topic: "t", Payload: []byte(`["a","b"]`)}, true},
		{`0,1,"t","`, 0, modem.Message{Topic: "t", Payload: []byte(`"`)}, true},
		{`0,1,"t",`, 0, modem.Message{Topic: "t", Payload: []byte{}}, true},
		{`0,1,"t"`, 0, modem.Message{Topic: "t"}, true}, // the payload is elsewhere
		{`0,1`, 0, modem.Message{}, false},
		{`0,1,t,x`, 0, modem.Message{}, false},
		{`0,"a","t",x`, 0, modem.Message{}, false},
		{``, 0, modem.Message{}, false},
	} {
		client, got, ok := modem.Mail(tt.text)
		if client != tt.client || ok != tt.ok || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: client %d, %+v, %v", tt.text, client, got, ok)
		}
	}
}

// FuzzMail: a payload is the end of what was said, maybe without its quote.
func FuzzMail(f *testing.F) {
	for _, text := range []string{` 2,0,"t/1","hello"`, `0,1,"t",{"a":[1,"b"]}`, `0,1,"t","`, `,,"`, `0,1,"t`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, m, ok := modem.Mail(text)
		if !ok && (m.Topic != "" || m.Payload != nil) {
			t.Errorf("%q was refused with %+v", text, m)
		}
		if end := string(m.Payload); !strings.HasSuffix(text, end) && !strings.HasSuffix(text, end+`"`) {
			t.Errorf("%q gave %q", text, end)
		}
	})
}
