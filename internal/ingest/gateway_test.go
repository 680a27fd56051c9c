package ingest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/store/storetest"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

// strangers is dialect.Others as a test wants it.
type strangers struct{ model *thing.Model }

func (s strangers) Model(_, sub dialect.Claim) (*thing.Model, *dialect.Diagnosis) {
	return s.model, nil
}

func (s strangers) Stranger(_ *dialect.Subject, owner dialect.Claim) (*dialect.Diagnosis, []dialect.Downlink) {
	if owner.Device != two {
		return nil, nil
	}
	return &dialect.Diagnosis{Code: "aliyun-sub-no-session", Sentence: "log it in"}, []dialect.Downlink{{Topic: "/ext/error/" + lamp + "/gate", Payload: []byte(`{"code":520}`)}}
}

// gate is a gateway on whose connection lamp-1 is logged in.
func gate() *dialect.Subject {
	g := &dialect.Subject{Claim: dialect.Claim{Product: lamp, Device: "gate"}, Dialect: aliyun.Dialect{}}
	g.Subs.Put(subject(one))
	return g
}

func (h *house) say(by *dialect.Subject, topic, payload string) (broker.Decision, mqtt.ReasonCode) {
	h.Helper()
	d := h.Publish(nil, by, message(topic, payload))
	if d.Pending == nil {
		return d, d.Reason
	}
	return d, d.Pending.Settle()
}

func TestGatewaySpeaksForItsSubDevices(t *testing.T) {
	h := newHouse(t)
	h.Gateways = strangers{}
	g := gate()
	if _, code := h.say(g, post, `{"id":"1","params":{"CurrentTemperature":21.5}}`); code != mqtt.Success {
		t.Fatal(code)
	}
	kept := h.log.Records(t)
	if len(kept) != 1 || kept[0].Kind != record.PropertyReport || kept[0].Product != lamp || kept[0].Device != one {
		t.Fatalf("kept %+v", kept)
	}
	sent := h.sender.all()
	if len(sent) != 1 || sent[0].session != lamp+"/gate" || sent[0].topic != post+"_reply" || sent[0].how != broker.Unasked {
		t.Errorf("answered %+v", sent)
	}
	if len(h.commands.who) != 1 || h.commands.who[0].Device != one {
		t.Errorf("reported by %v", h.commands.who)
	}
	if line := h.timeline(); len(line) != 2 || line[0].Kind != trace.Uplink {
		t.Errorf("the sub-device's timeline: %+v", line)
	}
	// An answer to a command is the sub-device's, a request is in its name and by the gateway.
	h.say(g, sys+"service/property/set_reply", `{"id":"7","code":200}`)
	if n := len(h.commands.who); n != 2 || h.commands.who[1].Device != one {
		t.Errorf("replied by %v", h.commands.who)
	}
	var asked *dialect.Clock
	ingest.Handle(h.Ingest, func(_ context.Context, r *dialect.Clock) (dialect.Time, error) {
		asked = r
		return dialect.Time{}, nil
	})
	h.say(g, askTime, `{}`)
	if asked == nil || asked.Claim.Device != one || asked.By != g {
		t.Errorf("asked %+v", asked)
	}
	// The gateway speaks for itself as well.
	h.say(g, "/sys/"+lamp+"/gate/thing/event/property/post", `{"id":"1","params":{"CurrentTemperature":1}}`)
	if kept := h.log.Records(t); kept[len(kept)-1].Device != "gate" {
		t.Errorf("kept %+v", kept[len(kept)-1])
	}
}

func TestSubDeviceThatIsNotLoggedIn(t *testing.T) {
	h := newHouse(t)
	h.Gateways = strangers{}
	g := gate()
	theirs := strings.Replace(post, one, two, 1)
	d, code := h.say(g, theirs, `{"id":"1","params":{"CurrentTemperature":21.5}}`)
	if d.Action != broker.Consume || code != mqtt.NotAuthorized || len(h.log.Records(t)) != 0 {
		t.Errorf("%+v %v", d, code)
	}
	if sent := h.sender.all(); len(sent) != 1 || sent[0].session != lamp+"/gate" || sent[0].payload != `{"code":520}` {
		t.Errorf("told %+v", sent)
	}
	all, _ := h.recorder.Timeline(lamp, "gate", trace.Query{})
	if len(all) != 2 || all[1].Code != "aliyun-sub-no-session" || all[1].Topic != theirs {
		t.Errorf("the gateway's timeline: %+v", all)
	}
	// Nobody's device: the usual explanation, and nothing is sent.
	h.say(g, strings.Replace(post, one, "nobody", 1), `{}`)
	if sent := h.sender.all(); len(sent) != 1 {
		t.Errorf("told %+v", sent[1:])
	}
}

func TestPackIsKeptByDevice(t *testing.T) {
	h := newHouse(t)
	h.Gateways = strangers{model().Index()}
	g := &dialect.Subject{Claim: dialect.Claim{Product: lamp, Device: "gate"}, Dialect: onenet.Dialect{}}
	_, code := h.say(g, "$sys/"+lamp+"/gate/thing/pack/post", `{"id":"1","params":[{"properties":{"CurrentTemperature":{"value":1}}},`+
		`{"identity":{"productID":"`+lamp+`","deviceName":"`+one+`"},"properties":{"CurrentTemperature":{"value":2}},"events":{"Alarm":{"value":{"Code":3}}}}]}`)
	if code != mqtt.Success {
		t.Fatal(code)
	}
	var got []string
	for _, r := range h.log.Records(t) {
		got = append(got, r.Device+" "+map[record.Kind]string{record.PropertyReport: "values", record.EventReport: "event"}[r.Kind])
	}
	if all := strings.Join(got, ", "); all != "gate values, "+one+" values, "+one+" event" {
		t.Errorf("kept %s", all)
	}
	if line := h.timeline(); len(line) != 1 || line[0].Parent == 0 || !strings.Contains(line[0].SentenceZH, "网关") {
		t.Errorf("the sub-device's timeline: %+v", line)
	}
}

// TestSubDevicesCostTheOthersNothing: a device that carries nobody is read
// once, and a sub-device's report costs no more than one of its own.
func TestSubDevicesCostTheOthersNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, and empties pools at random")
	}
	c := new(counter)
	in := build(t, storetest.NewMemory(), c, c, quiet{}, trace.New(0))
	in.Gateways = strangers{}
	own, through, p := subject(one), gate(), message(post, warm)
	direct := testing.AllocsPerRun(500, func() { settle(t, in.Publish(nil, own, p)) })
	carried := testing.AllocsPerRun(500, func() { settle(t, in.Publish(nil, through, p)) })
	if carried > direct {
		t.Errorf("%v allocations through a gateway, %v without", carried, direct)
	}
	if n := testing.AllocsPerRun(100, func() { own.Subs.Find(p.Topic) }); n != 0 {
		t.Errorf("to look for sub-devices of a device that has none costs %v allocations", n)
	}
}
