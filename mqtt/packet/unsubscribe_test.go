package packet

import (
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestUnsubscribe(t *testing.T) {
	testGood(t, []good{
		{"two filters [MQTT3-3.10.3-2]", mqtt.V311, `A2 0A 0007 0001"a" 0003"b/#"`, &Unsubscribe{ID: 7, Filters: []string{"a", "b/#"}}, false},
		{"with properties", mqtt.V5, `A2 0C 0007 06 26 0001"k" 0000 0001"a"`,
			&Unsubscribe{ID: 7, Filters: []string{"a"}, Properties: &Properties{UserProperties: []UserProperty{{"k", ""}}}}, false},
	})
	testBad(t, []bad{
		{"identifier 0", mqtt.V311, `A2 05 0000 0001"a"`, "MQTT3-2.3.1-1", mqtt.MalformedPacket},
		{"no filter", mqtt.V311, `A2 02 0007`, "MQTT3-3.10.3-2", mqtt.ProtocolError},
		{"no filter", mqtt.V5, `A2 03 0007 00`, "MQTT5-3.10.3-2", mqtt.ProtocolError},
		{"filter cut off", mqtt.V311, `A2 05 0007 0003"a"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"filter is not UTF-8 [MQTT3-3.10.3-1]", mqtt.V311, `A2 05 0007 0001 80`, "MQTT3-1.5.3-1", mqtt.MalformedPacket},
		{"filter is not UTF-8 [MQTT5-3.10.3-1]", mqtt.V5, `A2 06 0007 00 0001 80`, "MQTT5-1.5.4-1", mqtt.MalformedPacket},
	})
	testUnsayable(t, []unsayable{
		{"no identifier", mqtt.V311, &Unsubscribe{Filters: []string{"a"}}, "MQTT3-2.3.1-1"},
		{"no filter", mqtt.V5, &Unsubscribe{ID: 1}, "MQTT3-3.10.3-2"},
		{"long filter", mqtt.V311, &Unsubscribe{ID: 1, Filters: []string{long}}, "MQTT3 §1.5.3"},
	})
}

func TestUnsubscribeFiltersAreBounded(t *testing.T) {
	p := &Unsubscribe{ID: 1, Filters: make([]string, maxSubscriptionsPerPacket+1)}
	b, err := p.Append(nil, mqtt.V5)
	if err != nil {
		t.Fatal(err)
	}
	_, err = decodeAll(b, mqtt.V5)
	wantError(t, err, "MQTT5 §3.10.3", mqtt.QuotaExceeded)
}

func TestUnsuback(t *testing.T) {
	testGood(t, []good{
		{"no codes before 5.0 [MQTT3 §3.11.3]", mqtt.V311, `B0 02 0007`, &Unsuback{ID: 7}, false},
		{"a code a filter [MQTT5-3.11.3-1]", mqtt.V5, `B0 05 0007 00 00 11`, &Unsuback{ID: 7, Reasons: []mqtt.ReasonCode{0, 0x11}}, false},
		{"with properties", mqtt.V5, `B0 08 0007 04 1F 0001"r" 87`,
			&Unsuback{ID: 7, Reasons: []mqtt.ReasonCode{0x87}, Properties: &Properties{ReasonString: "r"}}, false},
	})
	testBad(t, []bad{
		{"identifier 0", mqtt.V311, `B0 02 0000`, "MQTT3-2.3.1-1", mqtt.MalformedPacket},
		{"codes before 5.0", mqtt.V311, `B0 03 0007 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"no code", mqtt.V5, `B0 03 0007 00`, "MQTT5 §3.9.3", mqtt.ProtocolError},
		{"a code of SUBACK", mqtt.V5, `B0 04 0007 00 02`, "MQTT5-3.11.3-2", mqtt.MalformedPacket},
	})
	testUnsayable(t, []unsayable{
		{"no identifier", mqtt.V311, &Unsuback{}, "MQTT3-2.3.1-1"},
		{"no code", mqtt.V5, &Unsuback{ID: 1}, "MQTT3 §3.9.3"},
	})
}
