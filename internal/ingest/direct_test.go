package ingest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestTakeIsPublishWithoutAConnection(t *testing.T) {
	h := newHouse(t)
	taken := h.Take(subject(one), post, []byte(warm))
	if taken.Reason.Failed() || taken.Route || taken.Fault != nil || taken.Entry == 0 {
		t.Fatalf("%+v", taken)
	}
	if len(taken.Answers) != 1 || taken.Answers[0].Topic != post+"_reply" || !strings.HasPrefix(string(taken.Answers[0].Payload), `{"code":200,`) {
		t.Errorf("answers %+v", taken.Answers)
	}
	if got := h.log.Records(t); len(got) != 1 || got[0].TraceID != taken.Entry {
		t.Errorf("kept %+v", got)
	}
	if sent := h.sender.all(); len(sent) != 0 {
		t.Errorf("the device's connection is told %+v", sent)
	}
	if _, code := h.publish(post, warm); code.Failed() || len(h.sender.all()) != 1 {
		t.Errorf("a publish behind it: %v, told %+v", code, h.sender.all())
	}
	if taken = h.Take(subject(one), askTime, []byte(`{}`)); len(taken.Answers) != 1 || taken.Reason.Failed() {
		t.Errorf("a request: %+v", taken)
	}
}

func TestTakeSaysWhatItDidNotTake(t *testing.T) {
	h := newHouse(t)
	h.Scripts = hexes{}
	own := "/" + lamp + "/" + one + "/user/update"
	if taken := h.Take(subject(one), own+"?_sn=default", []byte("\x01")); !taken.Route || taken.Topic != own || string(taken.Payload) != `{"topic":"`+own+`","bytes":1}` {
		t.Errorf("through the script: %+v", taken)
	}
	if taken := h.Take(subject(one), "/"+lamp+"/"+one+"/user/update", []byte("x")); !taken.Route || taken.Reason.Failed() {
		t.Errorf("the users' own topic: %+v", taken)
	}
	if taken := h.Take(subject(one), "/sys/"+lamp+"/another/thing/event/property/post", []byte("{}")); taken.Route || taken.Reason != mqtt.NotAuthorized || taken.Fault == nil {
		t.Errorf("another device's topic: %+v", taken)
	}
	h.log.Fail(errors.New("disk full"))
	if taken := h.Take(subject(one), post, []byte(warm)); !taken.Reason.Failed() || len(taken.Answers) != 0 {
		t.Errorf("what could not be kept: %+v", taken)
	}
}
