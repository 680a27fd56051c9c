package packet

import (
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestAcknowledgements(t *testing.T) {
	testGood(t, []good{
		{"PUBACK", mqtt.V311, `40 02 0007`, &Puback{ID: 7}, false},
		{"PUBREC", mqtt.V311, `50 02 0007`, &Pubrec{ID: 7}, false},
		{"PUBREL [MQTT3-3.6.1-1]", mqtt.V311, `62 02 0007`, &Pubrel{ID: 7}, false},
		{"PUBCOMP", mqtt.V31, `70 02 FFFF`, &Pubcomp{ID: 65535}, false},
		{"PUBACK, reason left out [MQTT5 §3.4.2.1]", mqtt.V5, `40 02 0007`, &Puback{ID: 7}, false},
		{"PUBACK, properties left out [MQTT5 §3.4.2.2.1]", mqtt.V5, `40 03 0007 10`, &Puback{ID: 7, Reason: mqtt.NoMatchingSubscribers}, false},
		{"PUBACK, nothing left out", mqtt.V5, `40 04 0007 00 00`, &Puback{ID: 7}, true},
		{"PUBREC refused by quota", mqtt.V5, `50 03 0007 97`, &Pubrec{ID: 7, Reason: mqtt.QuotaExceeded}, false},
		{"PUBREL of an unknown identifier", mqtt.V5, `62 03 0007 92`, &Pubrel{ID: 7, Reason: mqtt.PacketIdentifierNotFound}, false},
		{"PUBCOMP with properties", mqtt.V5, `70 12 0007 92 0E 1F 0004"gone" 26 0001"k" 0001"v"`,
			&Pubcomp{ID: 7, Reason: mqtt.PacketIdentifierNotFound, Properties: &Properties{ReasonString: "gone", UserProperties: []UserProperty{{"k", "v"}}}}, false},
		{"PUBACK, success with properties", mqtt.V5, `40 09 0007 00 05 1F 0002"ok"`, &Puback{ID: 7, Properties: &Properties{ReasonString: "ok"}}, false},
	})
}

func TestAcknowledgementsRefused(t *testing.T) {
	testBad(t, []bad{
		{"empty", mqtt.V311, `40 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"half an identifier", mqtt.V311, `50 01 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"identifier 0", mqtt.V311, `62 02 0000`, "MQTT3-2.3.1-1", mqtt.MalformedPacket},
		{"identifier 0", mqtt.V5, `70 02 0000`, "MQTT5-2.2.1-3", mqtt.MalformedPacket},
		{"reason before 5.0", mqtt.V311, `40 03 0007 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"PUBACK with another's reason", mqtt.V5, `40 03 0007 92`, "MQTT5-3.4.2-1", mqtt.MalformedPacket},
		{"PUBREC with another's reason", mqtt.V5, `50 03 0007 01`, "MQTT5-3.5.2-1", mqtt.MalformedPacket},
		{"PUBREL with another's reason", mqtt.V5, `62 03 0007 80`, "MQTT5-3.6.2-1", mqtt.MalformedPacket},
		{"PUBCOMP with another's reason", mqtt.V5, `70 03 0007 10`, "MQTT5-3.7.2-1", mqtt.MalformedPacket},
		{"another packet's property", mqtt.V5, `40 09 0007 00 05 11 00000001`, "MQTT5 §2.2.2.2", mqtt.MalformedPacket},
		{"bytes behind the properties", mqtt.V5, `40 05 0007 00 00 00`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
	})
}

func TestAcknowledgementsCannotBeSaid(t *testing.T) {
	testUnsayable(t, []unsayable{
		{"PUBACK without identifier", mqtt.V311, &Puback{}, "MQTT3-2.3.1-1"},
		{"PUBREC without identifier", mqtt.V311, &Pubrec{}, "MQTT3-2.3.1-1"},
		{"PUBREL without identifier", mqtt.V5, &Pubrel{}, "MQTT3-2.3.1-1"},
		{"PUBCOMP without identifier", mqtt.V5, &Pubcomp{}, "MQTT3-2.3.1-1"},
		{"long reason string", mqtt.V5, &Puback{ID: 1, Properties: &Properties{ReasonString: long}}, "MQTT3 §1.5.3"},
	})
}

func TestAcknowledgementsAllocateNothing(t *testing.T) {
	buf := make([]byte, 0, 16)
	for _, v := range versions {
		var p Puback
		n := testing.AllocsPerRun(100, func() {
			out, _ := (&Puback{ID: 7}).Append(buf, v)
			h, _ := ParseHeader(out)
			if err := p.Decode(h, out[h.Size:], v); err != nil {
				t.Error(err)
			}
		})
		if n != 0 || p.ID != 7 {
			t.Errorf("%v: %v allocations, %+v", v, n, p)
		}
	}
}
