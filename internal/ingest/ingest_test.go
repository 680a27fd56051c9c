package ingest_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

const (
	warm     = `{"id":"7","version":"1.0","params":{"CurrentTemperature":25.6,"NightLightSwitch":1},"method":"thing.event.property.post"}`
	answered = `{"code":200,"data":{},"id":"7","message":"success","method":"thing.event.property.post","version":"1.0"}`
)

// TestKeptThenAnsweredThenAcknowledged stops the disk and sees that nothing
// goes out before it moves again.
func TestKeptThenAnsweredThenAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.log.Gate = make(chan struct{})
		d := h.Publish(nil, subject(one), message(post, warm))
		if d.Action != broker.Consume || d.Reason != mqtt.Success || d.Pending == nil {
			t.Fatalf("%+v", d)
		}
		go func() {
			if code := d.Pending.Settle(); code != mqtt.Success {
				t.Errorf("acknowledged with %v", code)
			}
			h.story.add("acknowledged")
		}()
		synctest.Wait()
		if told := h.story.told(); len(told) != 0 {
			t.Errorf("while the disk stood still: %v", told)
		}
		close(h.log.Gate)
		synctest.Wait()
		if told := h.story.told(); !reflect.DeepEqual(told, []string{"kept", "answered", "acknowledged"}) {
			t.Errorf("%v", told)
		}
		want := []sent{{lamp + "/" + one, post + "_reply", answered, mqtt.AtMostOnce, broker.Unasked}}
		if got := h.sender.all(); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
	})
}

func TestKeptAsItCame(t *testing.T) {
	h := newHouse(t)
	if _, code := h.publish(post, warm); code != mqtt.Success {
		t.Fatal(code)
	}
	kept, line := h.log.Records(t), h.timeline()
	if len(kept) != 1 || len(line) != 2 {
		t.Fatalf("%d records, %d entries", len(kept), len(line))
	}
	r := kept[0]
	if r.Kind != record.PropertyReport || r.Product != lamp || r.Device != one || !r.Time.Equal(arrival) || r.TraceID != line[0].ID {
		t.Errorf("%+v", r)
	}
	report, err := record.DecodeReport(r.Body)
	want := record.Report{
		{Property: "CurrentTemperature", Value: thing.FloatValue(25.6), Time: arrival},
		{Property: "NightLightSwitch", Value: thing.BoolValue(true), Time: arrival},
	}
	if err != nil || !reflect.DeepEqual(report, want) {
		t.Errorf("%+v, %v", report, err)
	}
	up, down := line[0], line[1]
	if up.Kind != trace.Uplink || up.Direction != "up" || up.Topic != post || up.QoS != 1 || string(up.Payload) != warm ||
		up.Size != len(warm) || !up.At.Equal(arrival) || up.Sentence != "" || up.Detail != nil {
		t.Errorf("%+v", up)
	}
	if down.Kind != trace.Downlink || down.Direction != "down" || down.Parent != up.ID || down.Topic != post+"_reply" ||
		string(down.Payload) != answered || down.Sentence != "delivered" {
		t.Errorf("%+v", down)
	}
}

// TestNotKeptIsNotAnswered: a 5.0 device reads the code, a 3.x one loses its
// connection; both send again.
func TestNotKeptIsNotAnswered(t *testing.T) {
	for topic, payload := range map[string]string{post: warm, alarm: `{"id":"8","params":{"value":{"Code":3}}}`} {
		h := newHouse(t)
		h.log.Fail(errDisk)
		if d, code := h.publish(topic, payload); d.Action != broker.Consume || code != mqtt.ImplementationSpecificError {
			t.Errorf("%s: %+v %v", topic, d, code)
		}
		if got := h.sender.all(); len(got) != 0 {
			t.Errorf("%s: answered: %+v", topic, got)
		}
		line := h.timeline()
		if len(line) != 2 || line[1].Kind != trace.Fault || line[1].Code != "not-kept" || line[1].Parent != line[0].ID ||
			!strings.Contains(line[1].Sentence, errDisk.Error()) || line[1].SentenceZH == "" {
			t.Errorf("%s: %+v", topic, line)
		}
		h.log.Fail(nil)
		if _, code := h.publish(topic, payload); code != mqtt.Success {
			t.Errorf("%s, sent again: %v", topic, code)
		}
		if kept, got := h.log.Records(t), h.sender.all(); len(kept) != 1 || len(got) != 1 {
			t.Errorf("%s, sent again: %d records, %d answers", topic, len(kept), len(got))
		}
	}
}

func TestRefusedAllKeepsNothingButAnswers(t *testing.T) {
	for _, tt := range []struct {
		name           string
		topic, payload string
		answer         string
		kind           trace.Kind
	}{
		{"cut off", post, `{"id":"7","params":{"CurrentTemp`, `{"code":460,`, trace.Fault},
		{"only unknown properties [aliyun-device §5.6]", post, `{"id":"7","params":{"Curent":1}}`, `{"code":200,"data":{"Curent":"tsl parse: params not exist`, trace.Uplink},
		{"event without its parameter", alarm, `{"id":"7","params":{"value":{}}}`, `{"code":`, trace.Uplink},
		{"event that does not exist", sys + "event/Alram/post", `{"id":"7","params":{"value":{}}}`, `{"code":`, trace.Uplink},
		{"a function that is not built yet", sys + "nothing/like/it", `{"id":"7","params":[]}`, `{"code":200,`, trace.Uplink},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			if d, code := h.publish(tt.topic, tt.payload); d.Action != broker.Consume || code != mqtt.Success {
				t.Errorf("%+v %v", d, code)
			}
			if kept := h.log.Records(t); len(kept) != 0 {
				t.Errorf("kept: %+v", kept)
			}
			got := h.sender.all()
			if len(got) != 1 || got[0].topic != tt.topic+"_reply" || !strings.HasPrefix(got[0].payload, tt.answer) {
				t.Errorf("answered: %+v", got)
			}
			if len(h.commands.who) != 0 {
				t.Errorf("commands were told: %+v", h.commands)
			}
			line := h.timeline()
			if line[0].Kind != tt.kind || line[0].Sentence == "" || line[0].SentenceZH == "" || line[0].Detail == nil {
				t.Errorf("timeline: %+v", line[0])
			}
		})
	}
}

func TestWithoutAckItIsKeptAndNotAnswered(t *testing.T) {
	h := newHouse(t)
	d, code := h.publish(post, `{"id":"7","sys":{"ack":0},"params":{"CurrentTemperature":1}}`)
	if d.Pending == nil || code != mqtt.Success || len(h.log.Records(t)) != 1 || len(h.sender.all()) != 0 {
		t.Errorf("%+v %v, %d records, %+v", d, code, len(h.log.Records(t)), h.sender.all())
	}
}

func TestTimesOfValues(t *testing.T) {
	const then = 1524448722000
	h := newHouse(t)
	_, code := h.publish(post, `{"id":"7","params":{"CurrentTemperature":{"value":1.5,"time":1524448722000},"NightLightSwitch":0}}`)
	kept := h.log.Records(t)
	if code != mqtt.Success || len(kept) != 1 {
		t.Fatalf("%v, %d records", code, len(kept))
	}
	report, err := record.DecodeReport(kept[0].Body)
	if err != nil || len(report) != 2 {
		t.Fatalf("%+v %v", report, err)
	}
	if !report[0].Time.Equal(time.UnixMilli(then)) {
		t.Errorf("the device's time became %v", report[0].Time)
	}
	if !report[1].Time.Equal(arrival) || !kept[0].Time.Equal(arrival) {
		t.Errorf("arrival became %v, of the record %v", report[1].Time, kept[0].Time)
	}
}

func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		at            time.Time
	}{
		{"with the device's time", `{"id":"7","params":{"value":{"Code":3},"time":1524448722000}}`, time.UnixMilli(1524448722000)},
		{"without a time", `{"id":"7","params":{"value":{"Code":3}}}`, arrival},
		{"without the wrapper [aliyun-device §5.5]", `{"id":"7","params":{"Code":3}}`, arrival},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			if _, code := h.publish(alarm, tt.payload); code != mqtt.Success {
				t.Fatal(code)
			}
			kept := h.log.Records(t)
			if len(kept) != 1 || kept[0].Kind != record.EventReport || !kept[0].Time.Equal(arrival) {
				t.Fatalf("%+v", kept)
			}
			want := record.Event{Event: "Alarm", Level: thing.Alert, Output: `{"Code":3}`, Time: tt.at.UTC()}
			if e, err := record.DecodeEvent(kept[0].Body); err != nil || e != want {
				t.Errorf("%+v %v", e, err)
			}
			if got := h.sender.all(); len(got) != 1 || !strings.Contains(got[0].payload, `"method":"thing.event.Alarm.post"`) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRepliesReachCommands(t *testing.T) {
	for _, tt := range []struct {
		name, topic, payload string
		want                 dialect.Reply
		invoke               bool
	}{
		{"to a set", sys + "service/property/set_reply", `{"id":"160500006","code":200,"data":{}}`,
			dialect.Reply{ID: "160500006", Code: 200, OK: true, Data: `{}`}, false},
		{"to a call", sys + "service/Blink_reply", `{"id":"42","code":100001,"message":"busy","data":{"Left":2}}`,
			dialect.Reply{ID: "42", Service: "Blink", Code: 100001, Message: "busy", Data: `{"Left":2}`}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			d, code := h.publish(tt.topic, tt.payload)
			if d.Action != broker.Consume || d.Pending != nil || code != mqtt.Success {
				t.Errorf("%+v %v", d, code)
			}
			c := h.commands
			if !reflect.DeepEqual(c.replies, []dialect.Reply{tt.want}) || c.invokes[0] != tt.invoke || c.who[0] != subject(one).Claim {
				t.Errorf("%+v", c)
			}
			if line := h.timeline(); len(line) != 1 || line[0].Kind != trace.Reply || string(line[0].Payload) != tt.payload {
				t.Errorf("%+v", line)
			}
		})
	}
	t.Run("one that cannot be read does not", func(t *testing.T) {
		h := newHouse(t)
		if d, code := h.publish(sys+"service/property/set_reply", `{"id":"1","code":`); d.Action != broker.Consume || code != mqtt.Success {
			t.Errorf("%+v %v", d, code)
		}
		if line := h.timeline(); len(h.commands.replies) != 0 || line[0].Kind != trace.Fault {
			t.Errorf("%+v %+v", h.commands.replies, line)
		}
	})
}

func TestReportReachesCommands(t *testing.T) {
	h := newHouse(t)
	h.publish(post, `{"id":"7","params":{"NightLightSwitch":1,"Unknown":2}}`)
	c := h.commands
	if len(c.reported) != 1 || c.reported[0].Property != "NightLightSwitch" || !c.reported[0].Value.Bool || c.who[0] != subject(one).Claim {
		t.Errorf("%+v", c)
	}
}

func TestForbiddenTopics(t *testing.T) {
	foreign := "/sys/" + lamp + "/" + two + "/thing/event/property/post"
	h := newHouse(t)
	for _, topic := range []string{foreign, "/elsewhere", sys + "service/property/set"} {
		if d, _ := h.publish(topic, warm); d.Action != broker.Consume || d.Reason != mqtt.NotAuthorized || d.Pending != nil {
			t.Errorf("%s: %+v", topic, d)
		}
	}
	line := h.timeline()
	if len(line) != 3 || line[0].Kind != trace.Fault || line[0].Code != "aliyun-topic-forbidden" || line[2].Code != "aliyun-topic-down-only" {
		t.Errorf("%+v", line)
	}
	if theirs, _ := h.recorder.Timeline(lamp, two, trace.Query{}); len(theirs) != 0 {
		t.Errorf("the other device's timeline has %+v", theirs)
	}
	// The other vendor ends the connection where the rules are held exactly.
	for mode, want := range map[dialect.Strictness]broker.Action{dialect.Lenient: broker.Consume, dialect.Strict: broker.Close} {
		who := &dialect.Subject{Claim: dialect.Claim{Product: lamp, Device: one}, Dialect: onenet.Dialect{}, Mode: mode}
		if d := h.Publish(nil, who, message("$sys/other/device/thing/property/post", `{}`)); d.Action != want || d.Reason != mqtt.NotAuthorized {
			t.Errorf("mode %d: %+v", mode, d)
		}
	}
	if len(h.log.Records(t)) != 0 || len(h.sender.all()) != 0 {
		t.Error("a forbidden message was kept or answered")
	}
}

func TestOwnTopicsAreRouted(t *testing.T) {
	h := newHouse(t)
	d, _ := h.publish("/"+lamp+"/"+one+"/user/update", "any bytes \x00\xff")
	if d.Action != broker.Route || d.Pending != nil || d.Reason != mqtt.Success {
		t.Errorf("%+v", d)
	}
	if line := h.timeline(); len(line) != 1 || line[0].Kind != trace.Uplink || string(line[0].Payload) != "any bytes \x00\xff" {
		t.Errorf("%+v", line)
	}
}

func TestProductThatIsGone(t *testing.T) {
	h := newHouse(t)
	who := subject(one)
	who.Product = "a1Deleted00"
	if d := h.Publish(nil, who, message(post, warm)); d.Action != broker.Consume || d.Reason != mqtt.UnspecifiedError || d.Pending != nil {
		t.Errorf("%+v", d)
	}
}

func TestTimelineHoldsTheBeginningOfLongPayloads(t *testing.T) {
	h := newHouse(t)
	long := `{"id":"7","params":{"Note":"` + strings.Repeat("x", 3*trace.MaxPayload) + `"}}`
	p := message(post, long)
	d := h.Publish(nil, subject(one), p)
	d.Pending.Settle()
	clear(p.Payload) // the read buffer is used again
	e := h.timeline()[0]
	if string(e.Payload) != long[:trace.MaxPayload] || e.Size != len(long) {
		t.Errorf("%d bytes kept, size %d of %d", len(e.Payload), e.Size, len(long))
	}
	report, err := record.DecodeReport(h.log.Records(t)[0].Body)
	if err != nil || len(report[0].Value.Text) != 3*trace.MaxPayload {
		t.Errorf("history got less: %v", err)
	}
}

type waker chan struct{}

func (w waker) Wake() { close(w) }

// TestWhatAMessageWaitsFor: a connection need not wait in Settle for a message
// that only has to be kept, and has to for one that is served or scripted.
func TestWhatAMessageWaitsFor(t *testing.T) {
	for name, tt := range map[string]struct {
		topic, payload string
		want           broker.Readiness
	}{
		"a report":          {post, warm, broker.Later},
		"an event":          {alarm, `{"id":"7","params":{"value":{"Code":3}}}`, broker.Later},
		"nothing to keep":   {post, `{"id":"7","params":{}}`, broker.Ready},
		"no JSON":           {post, `{"id":`, broker.Ready},
		"a question":        {askTime, `{"deviceSendTime":"1"}`, broker.Whenever},
		"bytes of a script": {upRaw, "\x15", broker.Whenever},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.Scripts = hexes{}
			h.log.Gate = make(chan struct{})
			d := h.Publish(nil, subject(one), message(tt.topic, tt.payload))
			if d.Pending == nil {
				t.Fatal("nobody is answered")
			}
			woken := make(waker)
			got := d.Pending.Notify(woken)
			close(h.log.Gate)
			if got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
			if got == broker.Later {
				<-woken
				if got := d.Pending.Notify(nil); got != broker.Ready {
					t.Errorf("%d when it is kept", got)
				}
			}
			if reason := d.Pending.Settle(); reason != mqtt.Success || len(h.sender.all()) != 1 {
				t.Errorf("%v, %d answers", reason, len(h.sender.all()))
			}
		})
	}
}

// TestMessagesDoNotMix settles two messages in the other order than they came,
// and then brings many in at once: all share one pool.
func TestMessagesDoNotMix(t *testing.T) {
	h := newHouse(t)
	send := func(device string, n int) broker.Pending {
		p := message("/sys/"+lamp+"/"+device+"/thing/event/property/post", fmt.Sprintf(`{"id":"%d","params":{"Note":"%s %d"}}`, n, device, n))
		return h.Publish(nil, subject(device), p).Pending
	}
	first, second := send(one, 1), send(two, 2)
	second.Settle()
	third := send(one, 3) // takes over what the second used
	first.Settle()
	third.Settle()
	if d := h.Publish(nil, subject(one), message(sys+"service/Blink_reply", `{"id":"1","code":200}`)); d.Pending != nil {
		t.Error("a reply waits for what others had to keep")
	}
	var all sync.WaitGroup
	const devices, messages = 4, 100
	for i := range devices {
		all.Go(func() {
			var before broker.Pending
			for n := range messages {
				p := send(fmt.Sprintf("many-%d", i), 1000*i+n)
				if before != nil {
					before.Settle()
				}
				before = p
			}
			before.Settle()
		})
	}
	all.Wait()

	kept := h.log.Records(t)
	if want := 3 + devices*messages; len(kept) != want || len(h.sender.all()) != want {
		t.Fatalf("%d records, %d answers, want %d", len(kept), len(h.sender.all()), want)
	}
	ids := map[string]bool{} // device and number of what was kept
	for _, r := range kept {
		report, err := record.DecodeReport(r.Body)
		if err != nil || len(report) != 1 || !strings.HasPrefix(report[0].Value.Text, r.Device+" ") || ids[report[0].Value.Text] {
			t.Fatalf("%s: %+v %v", r.Device, report, err)
		}
		ids[report[0].Value.Text] = true
	}
	for _, s := range h.sender.all() {
		device := strings.TrimPrefix(s.session, lamp+"/")
		_, rest, _ := strings.Cut(s.payload, `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		if !ids[device+" "+id] || !strings.Contains(s.topic, "/"+device+"/") {
			t.Errorf("%+v", s)
		}
		delete(ids, device+" "+id)
	}
}

// TestFlagsAndRefusalsAreTold: what was taken all the same, and what was not.
func TestFlagsAndRefusalsAreTold(t *testing.T) {
	h := newHouse(t)
	h.publish(post, `{"id":"7","params":{"CurrentTemperature":130,"NightLightSwich":1}}`)
	if kept := h.log.Records(t); len(kept) != 1 {
		t.Fatalf("%d records", len(kept))
	}
	e := h.timeline()[0]
	for _, want := range []string{`not stored: "NightLightSwich" is not in the model; "NightLightSwitch" is`, `stored, but "CurrentTemperature": 130 is outside`} {
		if !strings.Contains(e.Sentence, want) {
			t.Errorf("%q is not in %q", want, e.Sentence)
		}
	}
	if !strings.Contains(e.SentenceZH, "未存储") || !strings.Contains(e.SentenceZH, "已存储") {
		t.Error(e.SentenceZH)
	}
}

// TestTimelineIsBoundedWhateverIsWrong: a message may hold thousands of
// mistakes, and names as long as itself.
func TestTimelineIsBoundedWhateverIsWrong(t *testing.T) {
	many := func(value string) string { return strings.TrimSuffix(strings.Repeat(value+",", 5_000), ",") }
	for name, p := range map[string]*packet.Publish{
		"many mistakes":  message(batch, `{"id":"7","params":{"properties":{"x":[`+many("1")+`],"CurrentTemperature":[`+many("130")+`]}}}`),
		"a long name":    message(post, `{"id":"7","params":{"`+strings.Repeat("n", 100_000)+`":1}}`),
		"a long topic":   message("/sys/"+strings.Repeat("t", 60_000), warm),
		"a long message": message(post, warm+strings.Repeat(" ", 256<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			if d := h.Publish(nil, subject(one), p); d.Pending != nil {
				d.Pending.Settle()
			}
			e := h.timeline()[0]
			detail, err := json.Marshal(e.Detail)
			if err != nil || len(detail) < 50 {
				t.Fatalf("%s %v", detail, err)
			}
			if most := 32 << 10; len(detail) > most || len(e.Sentence)+len(e.SentenceZH) > most {
				t.Errorf("%d bytes of detail, sentences of %d and %d", len(detail), len(e.Sentence), len(e.SentenceZH))
			}
			if name == "many mistakes" && !strings.Contains(string(detail), `"more":9936`) {
				t.Errorf("what was left out is not told: %.200s", detail)
			}
		})
	}
}

// TestReportOfAnyLengthCanBeRead: history reads no record of more values than
// a device sends, and what was answered as stored has to be there.
func TestReportOfAnyLengthCanBeRead(t *testing.T) {
	const n = 20_001
	h := newHouse(t)
	_, code := h.publish(batch, `{"id":"7","params":{"properties":{"Note":["first"`+strings.Repeat(`,1`, n-1)+`]}}}`)
	if code != mqtt.Success {
		t.Fatal(code)
	}
	got := 0
	for _, r := range h.log.Records(t) {
		report, err := record.DecodeReport(r.Body)
		if err != nil {
			t.Fatalf("behind %d values: %v", got, err)
		}
		got += len(report)
	}
	if got != n || len(h.sender.all()) != 1 {
		t.Errorf("%d of %d values, %d answers", got, n, len(h.sender.all()))
	}
}

// A talker is a dialect whose devices say what no record holds.
type talker struct{ dialect.Dialect }

func (t talker) Uplink(c dialect.Claim, topic, payload []byte, m *thing.Model, mode dialect.Strictness, up *dialect.Uplink) {
	t.Dialect.Uplink(c, topic, payload, m, mode, up)
	long := dialect.Reading{Property: strings.Repeat("n", 257), Value: thing.IntValue(1)}
	up.Report = append(up.Report, long, long)
}

// TestWhatNoRecordHoldsIsTold: the rest of the message is kept, and the device
// is answered: sent again it would fit no better.
func TestWhatNoRecordHoldsIsTold(t *testing.T) {
	h := newHouse(t)
	who := subject(one)
	who.Dialect = talker{who.Dialect}
	if code := h.Publish(nil, who, message(post, warm)).Pending.Settle(); code != mqtt.Success || len(h.sender.all()) != 1 {
		t.Fatalf("%v, %d answers", code, len(h.sender.all()))
	}
	kept := h.log.Records(t)
	report, err := record.DecodeReport(kept[0].Body)
	if err != nil || len(kept) != 1 || len(report) != 2 {
		t.Errorf("%d records, %+v, %v", len(kept), report, err)
	}
	told := h.timeline()[1]
	if told.Kind != trace.Fault || told.Code != "not-kept" || !strings.Contains(told.Sentence, "2 of the values") || !strings.Contains(told.Sentence, "property name of 257 bytes") {
		t.Errorf("%s %s %s", told.Kind, told.Code, told.Sentence)
	}
}
