package packet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestSubscribe(t *testing.T) {
	testGood(t, []good{
		{"two filters [MQTT3-3.8.3-3]", mqtt.V311, `82 0E 000A 0003"a/b" 01 0003"c/#" 02`,
			&Subscribe{ID: 10, Subscriptions: []Subscription{{Filter: "a/b", QoS: 1}, {Filter: "c/#", QoS: 2}}}, false},
		{"an invalid filter is for the SUBACK to refuse", mqtt.V311, `82 08 000A 0003"a#b" 00`,
			&Subscribe{ID: 10, Subscriptions: []Subscription{{Filter: "a#b"}}}, false},
		{"3.1 leaves six bits open", mqtt.V31, `82 06 000A 0001"a" FD`, &Subscribe{ID: 10, Subscriptions: []Subscription{{Filter: "a", QoS: 1}}}, true},
		{"every option [MQTT5 §3.8.3.1]", mqtt.V5, `82 0B 000A 00 0001"a" 2E 0001"b" 11`,
			&Subscribe{ID: 10, Subscriptions: []Subscription{
				{Filter: "a", QoS: 2, NoLocal: true, RetainAsPublished: true, RetainHandling: 2},
				{Filter: "b", QoS: 1, RetainHandling: 1}}}, false},
		{"every property [MQTT5 §3.8.2.1]", mqtt.V5, `82 1A 000A 0A 0B 8001 26 0001"k" 0001"v" 000A"$share/g/a" 00`,
			&Subscribe{ID: 10, Subscriptions: []Subscription{{Filter: "$share/g/a"}},
				Properties: &Properties{SubscriptionIDs: []uint32{128}, UserProperties: []UserProperty{{"k", "v"}}}}, false},
	})
}

func TestSubscribeRefused(t *testing.T) {
	testBad(t, []bad{
		{"empty", mqtt.V311, `82 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"identifier 0", mqtt.V311, `82 06 0000 0001"a" 00`, "MQTT3-2.3.1-1", mqtt.MalformedPacket},
		{"no filter", mqtt.V311, `82 02 000A`, "MQTT3-3.8.3-3", mqtt.ProtocolError},
		{"no filter", mqtt.V5, `82 03 000A 00`, "MQTT5-3.8.3-2", mqtt.ProtocolError},
		{"filter without QoS", mqtt.V311, `82 05 000A 0001"a"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"second filter cut off", mqtt.V311, `82 09 000A 0001"a" 00 0003"b"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"QoS 3", mqtt.V31, `82 06 000A 0001"a" 03`, "MQTT3-3.8.3-4", mqtt.MalformedPacket},
		{"QoS 3", mqtt.V311, `82 06 000A 0001"a" 03`, "MQTT3-3.8.3-4", mqtt.MalformedPacket},
		{"options of 5.0", mqtt.V311, `82 06 000A 0001"a" 05`, "MQTT3-3.8.3-4", mqtt.MalformedPacket},
		{"QoS 3", mqtt.V5, `82 07 000A 00 0001"a" 03`, "MQTT5 §3.8.3.1", mqtt.ProtocolError},
		{"retain handling 3", mqtt.V5, `82 07 000A 00 0001"a" 30`, "MQTT5 §3.8.3.1", mqtt.ProtocolError},
		{"reserved option", mqtt.V5, `82 07 000A 00 0001"a" 40`, "MQTT5-3.8.3-5", mqtt.MalformedPacket},
		{"no local in a shared subscription", mqtt.V5, `82 10 000A 00 000A"$share/g/a" 04`, "MQTT5-3.8.3-4", mqtt.ProtocolError},
		{"two subscription identifiers", mqtt.V5, `82 0B 000A 04 0B 01 0B 02 0001"a" 00`, "MQTT5 §3.8.2.1.2", mqtt.ProtocolError},
		{"filter is not UTF-8 [MQTT3-3.8.3-1]", mqtt.V311, `82 06 000A 0001 FF 00`, "MQTT3-1.5.3-1", mqtt.MalformedPacket},
		{"filter with U+0000 [MQTT5-3.8.3-1]", mqtt.V5, `82 07 000A 00 0001 00 00`, "MQTT5-1.5.4-2", mqtt.MalformedPacket},
	})
}

func TestSubscribeFiltersAreBounded(t *testing.T) {
	for _, tt := range []struct {
		count  int
		wanted string
	}{
		{maxSubscriptionsPerPacket, ""},
		{maxSubscriptionsPerPacket + 1, "MQTT3 §3.8.3"},
	} {
		p := &Subscribe{ID: 1, Subscriptions: make([]Subscription, tt.count)}
		b, err := p.Append(nil, mqtt.V311)
		if err != nil {
			t.Fatal(err)
		}
		_, err = decodeAll(b, mqtt.V311)
		if tt.wanted == "" && err != nil {
			t.Errorf("%d filters: %v", tt.count, err)
		}
		if tt.wanted != "" {
			wantError(t, err, tt.wanted, mqtt.QuotaExceeded)
		}
	}
}

func TestSubscribeCannotBeSaid(t *testing.T) {
	one := []Subscription{{Filter: "a"}}
	testUnsayable(t, []unsayable{
		{"no identifier", mqtt.V311, &Subscribe{Subscriptions: one}, "MQTT3-2.3.1-1"},
		{"no filter", mqtt.V311, &Subscribe{ID: 1}, "MQTT3-3.8.3-3"},
		{"QoS 3", mqtt.V311, &Subscribe{ID: 1, Subscriptions: []Subscription{{Filter: "a", QoS: 3}}}, "MQTT5 §3.8.3.1"},
		{"retain handling 3", mqtt.V5, &Subscribe{ID: 1, Subscriptions: []Subscription{{Filter: "a", RetainHandling: 3}}}, "MQTT5 §3.8.3.1"},
		{"long filter", mqtt.V5, &Subscribe{ID: 1, Subscriptions: []Subscription{{Filter: long}}}, "MQTT3 §1.5.3"},
	})
}

func TestSuback(t *testing.T) {
	testGood(t, []good{
		{"every code [MQTT3-3.9.3-2]", mqtt.V311, `90 06 0007 00 01 02 80`, &Suback{ID: 7, Reasons: []mqtt.ReasonCode{0, 1, 2, 0x80}}, false},
		{"codes and reason string", mqtt.V5, `90 0A 0007 04 1F 0001"r" 00 A2 9E`,
			&Suback{ID: 7, Reasons: []mqtt.ReasonCode{0, 0xA2, 0x9E}, Properties: &Properties{ReasonString: "r"}}, false},
	})
	testBad(t, []bad{
		{"identifier 0", mqtt.V311, `90 03 0000 00`, "MQTT3-2.3.1-1", mqtt.MalformedPacket},
		{"no code", mqtt.V311, `90 02 0007`, "MQTT3 §3.9.3", mqtt.ProtocolError},
		{"no code", mqtt.V5, `90 03 0007 00`, "MQTT5 §3.9.3", mqtt.ProtocolError},
		{"a code of 5.0", mqtt.V311, `90 03 0007 87`, "MQTT3-3.9.3-2", mqtt.MalformedPacket},
		{"a code of UNSUBACK", mqtt.V5, `90 04 0007 00 11`, "MQTT5-3.9.3-2", mqtt.MalformedPacket},
		{"too many codes", mqtt.V311, `90 8340 0001 ` + strings.Repeat("00", maxSubscriptionsPerPacket+1), "MQTT3 §3.9.3", mqtt.QuotaExceeded},
	})
	testUnsayable(t, []unsayable{
		{"no identifier", mqtt.V311, &Suback{Reasons: []mqtt.ReasonCode{0}}, "MQTT3-2.3.1-1"},
		{"no code", mqtt.V5, &Suback{ID: 1}, "MQTT3 §3.9.3"},
	})
}

func TestSubackKnowsOneFailureBefore5(t *testing.T) { // [MQTT3-3.9.3-2]
	out, err := (&Suback{ID: 7, Reasons: []mqtt.ReasonCode{1, mqtt.NotAuthorized}}).Append(nil, mqtt.V311)
	if got := fmt.Sprintf("%x", out); err != nil || got != "900400070180" {
		t.Errorf("%s, %v", got, err)
	}
}
