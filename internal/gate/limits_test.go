package gate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/aliyun"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// limited is a street whose lamp is of a strict or lenient product and may have
// three subscriptions, one of two to a broadcast, and be told five messages a
// second.
func limited(t *testing.T, mode registry.Strictness) (*street, *peer) {
	t.Helper()
	var book dialect.Rulebook
	book.Set(aliyun.Dialect{}, "aliyun", dialect.Limits{Downlinks: 5, Subscriptions: 3, Listeners: 1}, dialect.Leniency)
	s := liveWith(t, func(o *gate.Options) { o.Rulebook = &book })
	if _, err := s.registry.UpdateProduct(t.Context(), lamp.Product, func(p *registry.Product) error { p.Strictness = mode; return nil }); err != nil {
		t.Fatal(err)
	}
	p := s.dial()
	p.put(s.alink(lampSecret))
	p.want("20 02 00 00")
	return s, p
}

func (p *peer) subscribe(id uint16, filter string, granted byte) {
	p.t.Helper()
	p.put(&packet.Subscribe{ID: id, Subscriptions: []packet.Subscription{{Filter: filter}}})
	p.want(fmt.Sprintf("90 03 %04x %02x", id, granted))
}

func TestSubscriptionsOfADeviceAreNumbered(t *testing.T) {
	for _, tt := range []struct {
		mode   registry.Strictness
		fourth byte
		kind   trace.Kind
	}{{registry.Strict, 0x80, trace.Subscribe}, {registry.Lenient, 0, trace.Subscribe}} {
		t.Run(tt.mode.String(), func(t *testing.T) {
			s, p := limited(t, tt.mode)
			own := "/" + lamp.String() + "/user/"
			for i := range 3 {
				p.subscribe(uint16(i+1), fmt.Sprint(own, i), 0)
			}
			p.subscribe(4, own+"more", tt.fourth)
			p.subscribe(5, own+"1", 0) // again: it is none more
			p.put(&packet.Unsubscribe{ID: 6, Filters: []string{own + "0"}})
			p.want("b0 02 00 06")
			if tt.mode == registry.Strict {
				p.subscribe(7, own+"more", 0)
			} else {
				p.subscribe(7, own+"evenmore", 0)
			}
			var told []trace.Entry
			for _, e := range story(s.timeline, lamp) {
				if e.Code == "aliyun-subscriptions" {
					told = append(told, e)
				}
			}
			want := 1
			if tt.mode != registry.Strict {
				want = 2 // with four again, the next is beyond once more
			}
			if len(told) != want || told[0].Topic != own+"more" || told[0].SentenceZH == "" || !strings.Contains(told[0].Sentence, "3 subscriptions") {
				t.Errorf("told: %+v", told)
			}
		})
	}
}

func TestBroadcastsHaveSoManySubscribers(t *testing.T) {
	s, p := limited(t, registry.Strict)
	second := registry.ID{Product: lamp.Product, Device: "lamp02"}
	if _, err := s.registry.CreateDevice(t.Context(), registry.Device{Product: second.Product, Name: second.Device, Secret: lampSecret}); err != nil {
		t.Fatal(err)
	}
	p.subscribe(1, "/broadcast/"+lamp.Product+"/news", 0)
	p.subscribe(2, "/broadcast/"+lamp.Product+"/news", 0)
	all, err := aliyun.Dialect{}.Credentials(dialect.Claim{Product: second.Product, Device: second.Device}, dialect.Secrets{Device: lampSecret}, dialect.CredentialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other := connect(all[0].Username, all[0].Password)
	other.ClientID = all[0].ClientID
	q := s.dial()
	q.put(other)
	q.want("20 02 00 00")
	q.subscribe(1, "/broadcast/"+lamp.Product+"/news", 0x80)
	q.subscribe(2, "/broadcast/"+lamp.Product+"/sport", 0)
	if got := kinds(story(s.timeline, second)); got != "connect subscribe:aliyun-broadcast-subscribers subscribe" {
		t.Error(got)
	}
}

// TestADeviceIsToldSoMuch: what is beyond the rate is dropped and said to be,
// but for messages that are acknowledged.
func TestADeviceIsToldSoMuch(t *testing.T) {
	for _, tt := range []struct {
		mode      registry.Strictness
		delivered int
	}{{registry.Strict, 5}, {registry.Lenient, 8}} {
		t.Run(tt.mode.String(), func(t *testing.T) {
			s, p := limited(t, tt.mode)
			delivered := 0
			for range 8 {
				switch o := s.broker.Send(lamp.String(), broker.Message{Topic: "t", Payload: []byte("x")}, broker.Unasked); o {
				case broker.Delivered:
					delivered++
				case broker.Throttled:
				default:
					t.Fatal(o)
				}
			}
			if delivered != tt.delivered || s.broker.Counters().DroppedThrottled.Load() != int64(8-delivered) {
				t.Errorf("%d are delivered, %d counted as dropped", delivered, s.broker.Counters().DroppedThrottled.Load())
			}
			if o := s.broker.Send(lamp.String(), broker.Message{Topic: "t", Payload: []byte("y"), QoS: mqtt.AtLeastOnce}, broker.Unasked); o != broker.Delivered {
				t.Errorf("QoS 1: %v", o)
			}
			p.want(strings.Repeat("30 04 00 01 't' 'x' ", delivered) + "32 06 00 01 't' 00 01 'y'")
			codes := kinds(story(s.timeline, lamp))
			if want := tt.mode == registry.Strict; strings.Contains(codes, "fault:aliyun-downlink-rate") != want || strings.Count(codes, "downlink-rate") > 1 {
				t.Error(codes)
			}
		})
	}
}
