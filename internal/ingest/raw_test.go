package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/topics"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
)

// hexes are Scripts whose devices say a temperature as one byte, and hear a
// code as two. 0xEE makes them fail.
type hexes struct{ deaf bool }

func (hexes) Raw(context.Context, string) bool { return true }

func (hexes) Decode(_ context.Context, _ string, raw []byte) ([]byte, error) {
	switch {
	case len(raw) == 1 && raw[0] == 0xEE:
		return nil, &script.Error{Kind: script.OutOfTime}
	case len(raw) == 1 && raw[0] == 0xDD:
		return nil, errors.New("no worker")
	case len(raw) == 1 && raw[0] == 0xCC:
		return []byte(`{"id":"5","params":{}}`), nil
	case len(raw) == 1 && raw[0] == 0xBB:
		return []byte(`{"id":"5","method":"thing.model.up_raw"}`), nil
	case len(raw) == 2:
		return fmt.Appendf(nil, `{"id":"%d","code":200,"data":{}}`, raw[1]), nil
	}
	return fmt.Appendf(nil, `{"id":"7","method":"thing.event.property.post","params":{"CurrentTemperature":%d}}`, raw[0]), nil
}

func (h hexes) Encode(_ context.Context, _ string, doc []byte) ([]byte, error) {
	if h.deaf {
		return nil, &script.Error{Kind: script.NoFunction, Message: script.Encode}
	}
	if bytes.Contains(doc, []byte(`"code":200`)) {
		return []byte{0xA0, 200}, nil
	}
	return []byte{0xA0, 0xFF}, nil
}

func (hexes) Transform(_ context.Context, _, topic string, raw []byte) ([]byte, error) {
	if raw[0] == 0xEE {
		return nil, &script.Error{Kind: script.Exception, Message: "no"}
	}
	return fmt.Appendf(nil, `{"topic":%q,"bytes":%d}`, topic, len(raw)), nil
}

const upRaw = sys + "model/up_raw"

func TestBytesAreReadByTheScript(t *testing.T) {
	h := newHouse(t)
	h.Scripts = hexes{}
	if _, code := h.publish(upRaw, "\x15"); code != mqtt.Success {
		t.Fatal(code)
	}
	all := h.sender.all()
	if len(all) != 1 || all[0].topic != upRaw+"_reply" || all[0].payload != "\xa0\xc8" {
		t.Errorf("answered %+v", all)
	}
	kept := h.log.Records(t)
	if len(kept) != 1 || kept[0].Kind != record.PropertyReport {
		t.Fatalf("kept %+v", kept)
	}
	line := h.timeline()
	if len(line) < 3 || line[0].Topic != upRaw || line[1].Parent != line[0].ID || line[1].Topic != post || !strings.Contains(string(line[1].Payload), `"CurrentTemperature":21`) ||
		line[2].Parent != line[1].ID || kept[0].TraceID != line[1].ID {
		t.Errorf("bytes, message, answer and row are linked: %+v", line)
	}
}

func TestScriptsThatFailOnBytes(t *testing.T) {
	for _, tt := range []struct {
		name, payload, code, told string
		scripts                   ingest.Scripts
		mode                      dialect.Strictness
	}{
		{"loops", "\xee", "aliyun-script-out-of-time", "\xa0\xff", hexes{}, dialect.Lenient},
		{"loops, strict", "\xee", "aliyun-script-out-of-time", "", hexes{}, dialect.Strict},
		{"loops, and cannot say so", "\xee", "aliyun-script-out-of-time", `{"code":26002,"data":{},"id":"0","message":"the script took more than 100 ms of processor time","method":"thing.model.up_raw","version":"1.0"}`, hexes{deaf: true}, dialect.Lenient},
		{"no method", "\xcc", "aliyun-script-no-method", "\xa0\xff", hexes{}, dialect.Lenient},
		{"turns in circles", "\xbb", "", "", hexes{}, dialect.Lenient},
		{"there is none", "\x01", "aliyun-script-missing", `{"code":6200,"data":{},"id":"0","message":"the product has no script for the bytes of its devices","method":"thing.model.up_raw","version":"1.0"}`, nil, dialect.Lenient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.Scripts = tt.scripts
			who := subject(one)
			who.Mode = tt.mode
			d := h.Publish(nil, who, message(upRaw, tt.payload))
			if d.Pending != nil && d.Pending.Settle() != mqtt.Success || d.Action != broker.Consume {
				t.Errorf("%+v", d)
			}
			told := ""
			for _, s := range h.sender.all() {
				told += s.payload
			}
			if told != tt.told {
				t.Errorf("told %q, want %q", told, tt.told)
			}
			found := tt.code == ""
			for _, e := range h.timeline() {
				if e.Code == tt.code && e.Code != "" && e.Sentence != "" && e.SentenceZH != "" && e.Kind == trace.Fault {
					found = true
				}
			}
			if !found {
				t.Errorf("%s is not in the timeline: %+v", tt.code, h.timeline())
			}
			if len(h.log.Records(t)) > 0 {
				t.Error("something was kept")
			}
		})
	}
	h := newHouse(t)
	h.Scripts = hexes{}
	if _, code := h.publish(upRaw, "\xdd"); code != mqtt.ImplementationSpecificError {
		t.Errorf("%v: what could not be read is not acknowledged", code)
	}
}

func TestBytesInAnswerToACommand(t *testing.T) {
	h := newHouse(t)
	h.Scripts = hexes{}
	h.publish(sys+"model/down_raw_reply", "\x01\x2a")
	if got := h.commands.replies; len(got) != 1 || got[0].ID != "42" || !got[0].OK {
		t.Errorf("%+v", got)
	}
	if len(h.sender.all()) > 0 {
		t.Error("an answer was answered")
	}
}

func TestMessagesInTheWrongFormat(t *testing.T) {
	const payload = `{"id":"1","params":{"CurrentTemperature":21}}`
	h := newHouse(t)
	h.Scripts = hexes{}
	h.publish(post, payload)
	if line := h.timeline(); !strings.Contains(line[0].Sentence, "6813") || len(h.log.Records(t)) != 1 {
		t.Errorf("lenient: %+v", line)
	}
	h = newHouse(t)
	h.Scripts = hexes{}
	who := subject(one)
	who.Mode = dialect.Strict
	d := h.Publish(nil, who, message(post, payload))
	if line := h.timeline(); d.Pending != nil || d.Reason != mqtt.NotAuthorized || line[0].Code != "aliyun-wrong-format" || len(h.log.Records(t)) > 0 || len(h.sender.all()) > 0 {
		t.Errorf("strict: %+v, %+v", d, line)
	}
}

// classes are Topics.
type classes map[string]topics.Verdict

func (c classes) MayPublish(_ context.Context, _, path string) (topics.Verdict, error) {
	return c[path], nil
}

func TestCustomTopics(t *testing.T) {
	const own = "/" + lamp + "/" + one + "/"
	long := own + "user/" + strings.Repeat("x", 120)
	for _, tt := range []struct {
		name, topic string
		mode        dialect.Strictness
		action      broker.Action
		code        string
		told        int // times that it is told of two messages
	}{
		{"declared", own + "user/update", dialect.Strict, broker.Route, "", 0},
		{"undeclared, lenient", own + "user/new", dialect.Lenient, broker.Route, "topic-undeclared", 1},
		{"undeclared, strict", own + "user/new", dialect.Strict, broker.Consume, "topic-undeclared", 2},
		{"not permitted, strict", own + "user/get", dialect.Strict, broker.Consume, "topic-not-permitted", 2},
		{"too long, lenient", long, dialect.Lenient, broker.Route, "topic-too-long", 1},
		{"too long, strict", long, dialect.Strict, broker.Consume, "topic-too-long", 2},
		{"too deep, strict", own + "user/a/b/c/d/e", dialect.Strict, broker.Consume, "topic-too-long", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.Topics = classes{"user/new": topics.Undeclared, "user/get": topics.NotPermitted}
			for range 2 {
				who := subject(one)
				who.Mode = tt.mode
				d := h.Publish(nil, who, message(tt.topic, "x"))
				if d.Action != tt.action || d.Reason.Failed() != (tt.action == broker.Consume) {
					t.Errorf("%+v", d)
				}
			}
			n := 0
			for _, e := range h.timeline() {
				if tt.code != "" && (e.Code == "aliyun-"+tt.code || strings.Contains(fmt.Sprintf("%s", e.Detail), "aliyun-"+tt.code)) {
					n++
				}
			}
			if n != tt.told {
				t.Errorf("told %d times, want %d: %+v", n, tt.told, h.timeline())
			}
		})
	}
}

func TestQueriesOfCustomTopics(t *testing.T) {
	const own = "/" + lamp + "/" + one + "/user/update"
	for _, tt := range []struct{ topic, payload, want string }{
		{own + "?_rid=17", "\x01", "\x01"},
		{own + "?_sn=default", "\x01\x02", `{"topic":"` + own + `","bytes":2}`},
		{own + "?_rid=17&_sn=default", "\x01", `{"topic":"` + own + `","bytes":1}`},
		{own + "?_sn=default", "\xee", "\xee"}, // the script fails
		{own, "\x01", "\x01"},
	} {
		h := newHouse(t)
		h.Scripts = hexes{}
		p := message(tt.topic, tt.payload)
		d := h.Publish(nil, subject(one), p)
		if d.Action != broker.Route || string(p.Topic) != own || string(p.Payload) != tt.want {
			t.Errorf("%s: %+v goes to %s: %q", tt.topic, d, p.Topic, p.Payload)
		}
	}
}

func TestRates(t *testing.T) {
	report := func(n int) string { return fmt.Sprintf(`{"id":"%d","params":{"CurrentTemperature":1}}`, n) }
	for _, tt := range []struct {
		name string
		mode dialect.Strictness
		qos  mqtt.QoS
		sent int // in one second
		kept int
	}{
		{"strict, QoS 0", dialect.Strict, mqtt.AtMostOnce, 40, 30},
		{"strict, QoS 1", dialect.Strict, mqtt.AtLeastOnce, 40, 10},
		{"lenient, QoS 0", dialect.Lenient, mqtt.AtMostOnce, 301, 301},
		{"lenient, QoS 1", dialect.Lenient, mqtt.AtLeastOnce, 101, 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			who := subject(one)
			who.Mode = tt.mode
			for i := range tt.sent {
				p := message(post, report(i))
				p.QoS = tt.qos
				if d := h.Publish(nil, who, p); d.Pending != nil && d.Pending.Settle() != mqtt.Success || d.Reason.Failed() {
					t.Fatalf("%+v", d)
				}
			}
			if n := len(h.log.Records(t)); n != tt.kept {
				t.Errorf("%d are kept, want %d [aliyun-device §2.8]", n, tt.kept)
			}
			told := 0
			line, _ := h.recorder.Timeline(lamp, one, trace.Query{Kinds: []trace.Kind{trace.Note, trace.Fault}})
			for _, e := range line {
				if e.Code == "aliyun-uplink-rate" && e.SentenceZH != "" {
					told++
				}
			}
			if told != 1 {
				t.Errorf("told %d times", told)
			}
		})
	}
	var _ dialect.Limited = aliyun.Dialect{}
}

// TestRatesWithoutAConnection: by HTTPS and CoAP a device says no more either,
// though each message comes with a subject of its own.
func TestRatesWithoutAConnection(t *testing.T) {
	for _, tt := range []struct {
		mode       dialect.Strictness
		sent, kept int
	}{{dialect.Strict, 14, 10}, {dialect.Lenient, 101, 101}} {
		h := newHouse(t)
		refused := 0
		for range tt.sent {
			who := subject(one)
			who.Mode = tt.mode
			if taken := h.Take(who, post, []byte(`{"id":"1","params":{"CurrentTemperature":1}}`)); taken.Reason == mqtt.MessageRateTooHigh {
				refused++
			}
		}
		if n := len(h.log.Records(t)); n != tt.kept || refused != tt.sent-tt.kept {
			t.Errorf("%d are kept, %d refused", n, refused)
		}
		if taken := h.Take(subject(two), strings.ReplaceAll(post, one, two), []byte(`{"id":"1","params":{"CurrentTemperature":1}}`)); taken.Reason.Failed() {
			t.Errorf("another device: %+v", taken)
		}
		line, _ := h.recorder.Timeline(lamp, one, trace.Query{Kinds: []trace.Kind{trace.Note, trace.Fault}})
		if len(line) != 1 || line[0].Code != "aliyun-uplink-rate" {
			t.Errorf("told: %+v", line)
		}
	}
}

// TestTheRationOfRequests: a strict device's requests beyond what the vendor
// wrote down are dropped, another's are served, and both are told once a
// second; what nothing is written of is not counted.
func TestTheRationOfRequests(t *testing.T) {
	const shadow, tags = "/shadow/update/" + lamp + "/" + one, "/sys/" + lamp + "/" + one + "/thing/deviceinfo/update"
	for _, tt := range []struct {
		name           string
		mode           dialect.Strictness
		topic, payload string
		sent, served   int // in each of two seconds
		told           bool
		kind           trace.Kind
	}{
		{"strict", dialect.Strict, shadow, `{"method":"get"}`, 25, 20, true, trace.Fault},
		{"strict, as often as it may", dialect.Strict, shadow, `{"method":"get"}`, 20, 20, false, 0},
		{"lenient", dialect.Lenient, shadow, `{"method":"get"}`, 205, 205, true, trace.Note},
		{"lenient, beyond the vendor's", dialect.Lenient, shadow, `{"method":"get"}`, 25, 25, false, 0},
		{"tags", dialect.Strict, tags, `{"id":"1","params":[{"attrKey":"a","attrValue":"b"}]}`, 25, 25, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			served := 0
			ingest.Handle(h.Ingest, func(context.Context, *dialect.ShadowGet) (*dialect.Shadow, error) {
				served++
				return &dialect.Shadow{}, nil
			})
			ingest.Handle(h.Ingest, func(context.Context, *dialect.TagsUpdate) (dialect.Done, error) {
				served++
				return dialect.Done{}, nil
			})
			now := time.Unix(1_700_000_000, 0)
			h.Now = func() time.Time { return now }
			who := subject(one)
			who.Mode = tt.mode
			for range 2 {
				for range tt.sent {
					p := message(tt.topic, tt.payload)
					p.QoS = mqtt.AtMostOnce // of QoS 1 a strict device may say no more than 10 a second
					if d := h.Publish(nil, who, p); d.Reason.Failed() {
						t.Fatalf("%+v", d)
					} else if d.Pending != nil && d.Pending.Settle() != mqtt.Success {
						t.Fatal("a request is to be sent again")
					}
				}
				now = now.Add(time.Second)
			}
			if served != 2*tt.served {
				t.Errorf("%d were served, want %d [aliyun-device §4.8]", served, 2*tt.served)
			}
			told := 0
			line, _ := h.recorder.Timeline(lamp, one, trace.Query{Kinds: []trace.Kind{trace.Note, trace.Fault}})
			for _, e := range line {
				if e.Code != "aliyun-request-rate" {
					continue
				}
				if told++; e.Kind != tt.kind || e.SentenceZH == "" || e.Parent == 0 {
					t.Errorf("told %+v", e)
				}
			}
			if (told > 0) != tt.told || told > 2 { // the timeline of many messages may begin behind the first second
				t.Errorf("told %d times", told)
			}
		})
	}
}
