package command_test

import (
	"context"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/command"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/fault"
)

// gate carries lamp-1.
var gate = dialect.Claim{Product: "a1Gateway", Device: "gate"}

type carrier struct {
	via  map[dialect.Claim]dialect.Claim
	kept *[]string // nil: nothing is kept
}

func (c carrier) Keep(_ context.Context, who dialect.Claim, d dialect.Downlink) (broker.Outcome, error) {
	if c.kept == nil {
		return broker.Offline, nil
	}
	*c.kept = append(*c.kept, who.Session()+" "+d.Topic)
	return broker.Queued, nil
}

func (c carrier) Carrier(_ context.Context, who dialect.Claim) (dialect.Claim, bool) {
	g, ok := c.via[who]
	return g, ok
}

func TestSubDeviceIsToldThroughItsGateway(t *testing.T) {
	bubble(t, func(h *house) {
		h.Gateways = carrier{via: map[dialect.Claim]dialect.Claim{who: gate}}
		c := h.set(lightOn)
		sent := h.broker.sent[0]
		if sent.session != gate.Session() || sent.Topic != "/sys/"+who.Session()+"/thing/service/property/set" || sent.how != broker.Unasked {
			t.Errorf("sent %+v", sent)
		}
		h.answer(c.ID, false, "")
		if got := h.states()[c.ID]; got != command.Acknowledged {
			t.Errorf("it is %s", got)
		}
		if _, err := h.Push(h.Context(), lamp, func(dialect.Dialect, dialect.Claim) []dialect.Downlink {
			return []dialect.Downlink{{Topic: "/sys/" + who.Session() + "/thing/config/push"}}
		}); err != nil || h.broker.sent[1].session != gate.Session() {
			t.Errorf("pushed %+v, %v", h.broker.sent, err)
		}
	})
}

// TestWhatASubDeviceIsToldWhileItIsAway waits where topology keeps it.
func TestWhatASubDeviceIsToldWhileItIsAway(t *testing.T) {
	bubble(t, func(h *house) {
		var kept []string
		h.Gateways = carrier{kept: &kept}
		h.broker.online, h.broker.outcome = false, broker.NoSession
		c, err := h.Set(h.Context(), lamp, lightOn, command.Order{})
		if err != nil || c.State != command.Queued {
			t.Errorf("%+v, %v", c, err)
		}
		outcome, err := h.Push(h.Context(), lamp, func(dialect.Dialect, dialect.Claim) []dialect.Downlink {
			return []dialect.Downlink{{Topic: "/sys/" + who.Session() + "/thing/config/push"}}
		})
		if err != nil || outcome != broker.Queued || len(kept) != 2 || kept[0] != who.Session()+" /sys/"+who.Session()+"/thing/service/property/set" {
			t.Errorf("%v, %v, kept %q", outcome, err, kept)
		}
		h.Gateways = carrier{}
		if _, err := h.Set(h.Context(), lamp, lightOn, command.Order{}); fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("nothing is kept: %v", err)
		}
	})
}

// A relaying is Aliyun's dialect with gateways as OneNET has them.
type relaying struct{ dialect.Dialect }

func (relaying) Name() string { return "aliyun" }

func TestGatewayAnswersForASubDevice(t *testing.T) {
	bubble(t, func(h *house) {
		h.Gateways = carrier{via: map[dialect.Claim]dialect.Claim{who: gate}}
		h.Dialects = dialect.Set{relayer{relaying{onenet.Dialect{}}, onenet.Dialect{}}}
		c := h.set(lightOn)
		if sent := h.broker.sent[0]; sent.session != gate.Session() || sent.Topic != "$sys/"+gate.Session()+"/thing/sub/property/set" || c.Topic != sent.Topic {
			t.Fatalf("sent %+v", sent)
		}
		ok := dialect.Reply{ID: c.ID, Relayed: true, ByID: true, Code: 200, OK: true}
		h.Reply(h.Context(), dialect.Claim{Product: "a1Gateway", Device: "another"}, ok, false)
		if got := h.states()[c.ID]; got != command.Delivered {
			t.Errorf("another gateway's answer made it %s", got)
		}
		h.Reply(h.Context(), gate, ok, false)
		if got := h.states()[c.ID]; got != command.Acknowledged {
			t.Errorf("it is %s", got)
		}
		h.Reply(h.Context(), gate, ok, false) // again: it finds none
		_, err := h.Push(h.Context(), lamp, func(dialect.Dialect, dialect.Claim) []dialect.Downlink {
			return []dialect.Downlink{{Topic: "$sys/p/d/ota/inform"}}
		})
		if fault.KindOf(err) != fault.KindConflict || len(h.broker.sent) != 1 {
			t.Errorf("a gateway passes on what it cannot: %v", err)
		}
	})
}

// A relayer joins the two halves of relaying.
type relayer struct {
	relaying
	dialect.Gateways
}
