package ingest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/ingest"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
)

const askTime = "/ext/ntp/" + lamp + "/" + one + "/request"

func TestRequestIsServedAndAnswered(t *testing.T) {
	h := newHouse(t)
	d, code := h.publish(askTime, `{"deviceSendTime":"1"}`)
	if d.Pending == nil || code != mqtt.Success {
		t.Fatalf("%+v, %v", d, code)
	}
	all := h.sender.all()
	if len(all) != 1 || all[0].topic != "/ext/ntp/"+lamp+"/"+one+"/response" || !strings.HasPrefix(all[0].payload, `{"deviceSendTime":"1","serverRecvTime":"`) {
		t.Errorf("%+v", all)
	}
}

func TestRequestThatFails(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want mqtt.ReasonCode
	}{
		{fault.NotFound("no clock here"), mqtt.Success},
		{fault.Unavailable("the clock is being wound"), mqtt.ImplementationSpecificError},
	} {
		h := newHouse(t)
		ingest.Handle(h.Ingest, func(context.Context, *dialect.Clock) (dialect.Time, error) { return dialect.Time{}, tt.err })
		if _, code := h.publish(askTime, `{}`); code != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, code, tt.want)
		}
		line := h.timeline()
		if len(line) < 2 || line[1].Kind != trace.Fault || line[1].Parent != line[0].ID || line[1].Sentence != tt.err.Error() {
			t.Errorf("%v: not told: %+v", tt.err, line)
		}
	}
}
