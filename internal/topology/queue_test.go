package topology_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/topology"
	"github.com/matou-iot/matou/internal/trace"
)

// loginKeeping logs a sub-device in and does what comes behind its answer.
func (h *house) loginKeeping(g *dialect.Subject, i int, keep bool) {
	h.t.Helper()
	subs := right(i)
	subs[0].KeepSession = keep
	r := &dialect.SubLogin{Ask: ask(g), Subs: subs}
	if _, err := h.Login(h.t.Context(), r); err != nil {
		h.t.Fatal(err)
	}
	if len(h.sent) > 0 {
		h.t.Errorf("told before the login is answered: %q", h.sent)
	}
	r.After()
}

func (h *house) logout(g *dialect.Subject, i int) {
	h.t.Helper()
	if _, err := h.Logout(h.t.Context(), &dialect.SubLogout{Ask: ask(g), Subs: right(i)}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) keep(i int, text string, want broker.Outcome) {
	h.t.Helper()
	got, err := h.Keep(h.t.Context(), node(i), dialect.Downlink{Topic: "/sys/" + node(i).Session() + "/thing/service/property/set", Payload: []byte(text)})
	if err != nil || got != want {
		h.t.Errorf("%.20s: %v, %v; want %v", text, got, err, want)
	}
}

func (h *house) wantSent(want ...string) {
	h.t.Helper()
	for i := range want {
		want[i] = "gw/g1 QoS 1 /sys/node/s0/thing/service/property/set " + want[i]
	}
	if !slices.Equal(h.sent, want) {
		h.t.Errorf("sent %q, want %q", h.sent, want)
	}
	h.sent = nil
}

// TestWhatWaitsForASubDevice: its session is its own, and outlives the login as
// its last login said [aliyun-device §2.5, §4.16].
func TestWhatWaitsForASubDevice(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0)
	h.logout(g, 0)
	h.keep(0, "nothing is kept", broker.Offline)

	h.loginKeeping(g, 0, true)
	h.logout(g, 0)
	h.keep(0, "1", broker.Queued)
	h.keep(0, "2", broker.Queued)
	h.keep(1, "of another", broker.Offline)
	h.loginKeeping(g, 0, true)
	h.wantSent("1", "2")
	story, _ := h.timeline.Timeline(nodePK, "s0", trace.Query{Kinds: []trace.Kind{trace.Downlink}})
	if len(story) != 2 || !strings.Contains(story[0].Sentence, "offline message") || story[0].SentenceZH == "" || string(story[0].Payload) != "2" {
		t.Errorf("%+v", story)
	}
	h.logout(g, 0)
	h.loginKeeping(g, 0, true)
	h.wantSent() // once

	h.Gone(g) // the gateway goes, and its sub-devices with it
	h.keep(0, "3", broker.Queued)
	g = h.connected("g1")
	h.loginKeeping(g, 0, false)
	h.wantSent() // it begins anew
	h.logout(g, 0)
	h.keep(0, "4", broker.Offline)
}

func TestWhatWaitsHasBounds(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0)
	h.loginKeeping(g, 0, true)
	h.logout(g, 0)
	h.keep(0, "old", broker.Queued)
	h.now = h.now.Add(topology.WaitingLife)
	var want []string
	for i := range topology.MaxWaiting - 1 {
		h.keep(0, fmt.Sprint(i), broker.Queued)
		want = append(want, fmt.Sprint(i))
	}
	h.keep(0, "one too many", broker.QueueFull)
	h.loginKeeping(g, 0, true)
	h.wantSent(want...) // what waited for a week is gone
	h.logout(g, 0)
	h.keep(0, strings.Repeat("x", topology.MaxWaitingBytes), broker.Queued)
	h.keep(0, "y", broker.QueueFull)
	h.full = errors.New("the disk is full")
	h.loginKeeping(g, 0, true)
	h.sent = nil
	h.logout(g, 0)
	if _, err := h.Keep(t.Context(), node(0), dialect.Downlink{Topic: "t"}); !errors.Is(err, h.full) {
		t.Errorf("without room on the disk: %v", err)
	}
}

func TestWhatTheGatewayHasNoRoomForWaitsOn(t *testing.T) {
	h := newHouse(t)
	g := h.connected("g1")
	h.has(g, 0)
	h.loginKeeping(g, 0, true)
	h.logout(g, 0)
	h.keep(0, "1", broker.Queued)
	h.outcome = broker.QueueFull
	h.loginKeeping(g, 0, true)
	h.wantSent()
	h.logout(g, 0)
	h.outcome = broker.Delivered
	h.loginKeeping(g, 0, true)
	h.wantSent("1")

	// It is logged in: it is told at once, by its gateway.
	h.keep(0, "2", broker.Delivered)
	if len(h.sent) != 1 || h.sent[0] != "gw/g1 QoS 0 /sys/node/s0/thing/service/property/set 2" {
		t.Errorf("sent %q", h.sent)
	}
	h.sent = nil
	h.logout(g, 0)
	if err := h.RemoveSubs(t.Context(), registry.ID(g.Claim), []registry.ID{registry.ID(node(0))}); err != nil {
		t.Fatal(err)
	}
	h.keep(0, "it has no gateway", broker.Offline)
}
