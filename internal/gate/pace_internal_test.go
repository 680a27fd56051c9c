package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A paced is a device of OneNET whose doings are counted.
type paced struct {
	*meter
	g        *Gate
	now      time.Time
	timeline *trace.Recorder
}

func newPaced(mode dialect.Strictness) *paced {
	p := &paced{now: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), timeline: trace.New(0)}
	p.g = New(Options{Trace: p.timeline, Now: func() time.Time { return p.now }})
	p.meter = p.g.meterOf(&applicant{dialect: onenet.Dialect{}, claim: dialect.Claim{Product: "VRqhDHF2wL", Device: "my_tv"}}, mode)
	return p
}

func (p *paced) codes() (all []string) {
	entries, _ := p.timeline.Timeline("VRqhDHF2wL", "my_tv", trace.Query{})
	for _, e := range entries {
		all = append(all, e.Kind.String()+" "+e.Code)
	}
	return all
}

// acts does something so many times and returns how many were taken.
func (p *paced) acts(n int, act func() bool) (taken int) {
	for range n {
		if act() {
			taken++
		}
	}
	return taken
}

func TestRatesOfOneNET(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit int
		act   func(p *paced) bool
	}{
		{"10 CONNECT [onenet §1.5]", 10, func(p *paced) bool { return p.arrive() == nil }},
		{"300 messages of QoS 0", 300, func(p *paced) bool { return p.Published(mqtt.AtMostOnce) }},
		{"100 messages of QoS 1", 100, func(p *paced) bool { return p.Published(mqtt.AtLeastOnce) }},
		{"10 UNSUBSCRIBE", 10, func(p *paced) bool { return p.conduct(packet.TypeUnsubscribe, []string{"x"}) }},
		{"10 PINGREQ", 10, func(p *paced) bool { return p.conduct(packet.TypePingreq, nil) }},
		{"15 filters", 15, func(p *paced) bool { return p.conduct(packet.TypeSubscribe, []string{"$sys/VRqhDHF2wL/my_tv/thing/#"}) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPaced(dialect.Strict)
			for range 3 { // as often as one likes, window after window
				if got := p.acts(tt.limit, func() bool { return tt.act(p) }); got != tt.limit {
					t.Fatalf("%d of %d", got, tt.limit)
				}
				p.now = p.now.Add(5 * time.Second)
			}
			p.acts(tt.limit, func() bool { return tt.act(p) })
			if tt.act(p) {
				t.Fatal("once more is taken")
			}
			if got := p.codes(); len(got) != 1 || got[0] != "fault onenet-rate-exceeded" {
				t.Errorf("timeline %v", got)
			}
			why := p.arrive()
			if why != nil && (!strings.Contains(why.Sentence, fmt.Sprintf("more than %d times within 5s", tt.limit)) || !strings.Contains(why.Sentence, "until 00:05:15 UTC") ||
				!strings.Contains(why.SentenceZH, fmt.Sprintf("超过 %d 次", tt.limit))) {
				t.Errorf("the ban does not say what for: %s %s", why.Sentence, why.SentenceZH)
			}
			if why == nil || why.Code != "onenet-device-banned" || why.SentenceZH == "" || answerOf(why).ReturnCode != 3 {
				t.Errorf("it may come back: %+v", why)
			}
			p.now = p.now.Add(5*time.Minute - time.Second)
			if p.arrive() == nil {
				t.Error("it may come back before five minutes are over")
			}
			p.now = p.now.Add(time.Second)
			if why := p.arrive(); why != nil {
				t.Errorf("five minutes are over: %+v", why)
			}
		})
	}
}

// TestAcknowledgementsOfNothing end the connection where the product is strict
// [onenet §1.5], without a ban.
func TestAcknowledgementsOfNothing(t *testing.T) {
	for _, ack := range []packet.Type{packet.TypePuback, packet.TypePubrec, packet.TypePubrel, packet.TypePubcomp} {
		p := newPaced(dialect.Lenient)
		if !p.conduct(ack, nil) || len(p.codes()) > 0 {
			t.Errorf("%v, lenient: %v", ack, p.codes())
		}
		p = newPaced(dialect.Strict)
		if p.conduct(ack, nil) || fmt.Sprint(p.codes()) != "[fault onenet-acknowledgement]" {
			t.Errorf("%v: %v", ack, p.codes())
		}
		if why := p.arrive(); why != nil {
			t.Errorf("%v: banned over it: %+v", ack, why)
		}
	}
}

func TestLenientProductsTolerateTheRate(t *testing.T) {
	p := newPaced(dialect.Lenient)
	if got := p.acts(1000, func() bool {
		return p.Published(mqtt.AtMostOnce) && p.conduct(packet.TypePingreq, nil) && p.arrive() == nil
	}); got != 1000 {
		t.Errorf("%d of 1000", got)
	}
	if got := p.codes(); len(got) != 1 || got[0] != "note onenet-rate-exceeded" {
		t.Errorf("timeline %v", got)
	}
	p.now = p.now.Add(5 * time.Minute)
	p.acts(20, func() bool { return p.conduct(packet.TypePingreq, nil) })
	if got := p.codes(); len(got) != 2 {
		t.Errorf("it is told again after a while: %v", got)
	}
}

func TestSubscriptionsOfOneNET(t *testing.T) {
	filter := func(from, to int) (all []string) {
		for i := from; i < to; i++ {
			all = append(all, fmt.Sprintf("$sys/VRqhDHF2wL/my_tv/thing/service/s%d/invoke", i))
		}
		return all
	}
	p := newPaced(dialect.Strict)
	if !p.conduct(packet.TypeSubscribe, filter(0, 8)) {
		t.Fatal("8 filters are allowed")
	}
	p.now = p.now.Add(5 * time.Second)
	if !p.conduct(packet.TypeSubscribe, filter(8, 15)) || !p.conduct(packet.TypeSubscribe, filter(0, 8)) {
		t.Fatal("15 are allowed, and the same ones again")
	}
	p.now = p.now.Add(5 * time.Second)
	if !p.conduct(packet.TypeUnsubscribe, filter(0, 1)) || !p.conduct(packet.TypeSubscribe, filter(15, 16)) {
		t.Fatal("one for another")
	}
	if p.conduct(packet.TypeSubscribe, filter(16, 17)) {
		t.Error("16 at a time")
	}
	for name, filters := range map[string][]string{
		"nine in one packet": filter(0, 9), "513 bytes": {"$sys/VRqhDHF2wL/my_tv/thing/" + strings.Repeat("x", 485)},
		"nine levels": {"$sys/VRqhDHF2wL/my_tv/thing/a/b/c/d/e"}, "another character": {"$sys/VRqhDHF2wL/my_tv/thing/温度"},
	} {
		p := newPaced(dialect.Strict)
		if p.conduct(packet.TypeSubscribe, filters) || len(p.codes()) != 1 {
			t.Errorf("strict, %s: %v", name, p.codes())
		}
		if p.arrive() != nil {
			t.Errorf("%s: it is banned for that", name)
		}
		if p := newPaced(dialect.Lenient); !p.conduct(packet.TypeSubscribe, filters) {
			t.Errorf("lenient, %s", name)
		}
	}
}

func TestWhoIsNotCounted(t *testing.T) {
	g := New(Options{Trace: trace.New(0)})
	if m := g.meterOf(&applicant{dialect: aliyun.Dialect{}, claim: dialect.Claim{Product: "p", Device: "d"}}, dialect.Strict); m != nil {
		t.Error("a vendor without rates")
	}
	first := g.meterOf(&applicant{dialect: onenet.Dialect{}, claim: dialect.Claim{Product: "p", Device: "0"}}, dialect.Strict)
	for i := 1; i <= maxPaced; i++ {
		g.meterOf(&applicant{dialect: onenet.Dialect{}, claim: dialect.Claim{Product: "p", Device: fmt.Sprint(i)}}, dialect.Strict)
	}
	if n := len(g.paces.m); n > maxPaced {
		t.Errorf("%d devices are remembered", n)
	}
	if again := g.meterOf(&applicant{dialect: onenet.Dialect{}, claim: dialect.Claim{Product: "p", Device: "0"}}, dialect.Strict); again == first {
		t.Error("nobody was forgotten")
	}
}
