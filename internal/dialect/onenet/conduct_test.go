package onenet

import (
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
)

func TestManners(t *testing.T) {
	for _, tt := range []struct {
		qos    mqtt.QoS
		retain bool
		code   string
	}{
		{mqtt.AtMostOnce, false, ""}, {mqtt.AtLeastOnce, false, ""}, {mqtt.ExactlyOnce, false, "onenet-qos"}, {mqtt.AtMostOnce, true, "onenet-retain"},
	} {
		const post = `{"id":"1","params":{"wendu":{"value":21}}}`
		up := read(sys+"thing/property/post", post, dialect.Lenient)
		Dialect{}.Manners(tt.qos, tt.retain, dialect.Lenient, up)
		if got := strings.Join(noteCodes(up.Notes), " "); got != tt.code || up.Kind != dialect.PropertyPost || len(up.Report) != 1 {
			t.Errorf("lenient, %+v: %s, %+v", tt, got, up)
		}
		up = read(sys+"thing/property/post", post, dialect.Strict)
		Dialect{}.Manners(tt.qos, tt.retain, dialect.Strict, up)
		if closes := tt.code != ""; up.Close != closes || closes && (up.Fault.Code != tt.code || up.Kind != dialect.Forbidden || len(up.Report)+len(up.Answers) > 0) {
			t.Errorf("strict, %+v: %+v", tt, up)
		}
	}
}

func TestFiltersTogether(t *testing.T) {
	many := strings.Split(strings.Repeat(sys+"thing/# ", 9), " ")[:9]
	for _, tt := range []struct {
		filters []string
		code    string
		lenient bool // a word about it
	}{
		{many[:8], "", false}, {many, "onenet-filters", true}, {[]string{sys + "thing/#", "t/a.b"}, "onenet-bad-topic", false},
	} {
		why, closes := Dialect{}.MaySubscribeAll(tt.filters, dialect.Strict)
		if closes != (tt.code != "") || closes && why.Code != tt.code {
			t.Errorf("strict, %d filters: %+v", len(tt.filters), why)
		}
		why, closes = Dialect{}.MaySubscribeAll(tt.filters, dialect.Lenient)
		if closes || (why != nil) != tt.lenient {
			t.Errorf("lenient, %d filters: %+v", len(tt.filters), why)
		}
	}
}
