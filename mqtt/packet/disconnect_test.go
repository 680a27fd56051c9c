package packet

import (
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestPing(t *testing.T) {
	testGood(t, []good{
		{"PINGREQ", mqtt.V311, `C0 00`, &Pingreq{}, false},
		{"PINGRESP", mqtt.V5, `D0 00`, &Pingresp{}, false},
	})
	testBad(t, []bad{
		{"PINGREQ with a body", mqtt.V311, `C0 01 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"PINGRESP with a body", mqtt.V5, `D0 01 00`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
	})
}

func TestDisconnect(t *testing.T) {
	testGood(t, []good{
		{"3.x says nothing more", mqtt.V311, `E0 00`, &Disconnect{}, false},
		{"reason left out [MQTT5 §3.14.2.1]", mqtt.V5, `E0 00`, &Disconnect{}, false},
		{"properties left out [MQTT5 §3.14.2.2.1]", mqtt.V5, `E0 01 04`, &Disconnect{Reason: mqtt.DisconnectWithWill}, false},
		{"nothing left out", mqtt.V5, `E0 02 00 00`, &Disconnect{}, true},
		{"every property [MQTT5 §3.14.2.2]", mqtt.V5, `E0 15 9D 13 11 00000000 1C 0001"s" 1F 0001"r" 26 0001"k" 0000`,
			&Disconnect{Reason: mqtt.ServerMoved, Properties: &Properties{SessionExpiry: new(uint32(0)), ServerReference: "s",
				ReasonString: "r", UserProperties: []UserProperty{{"k", ""}}}}, false},
	})
	testBad(t, []bad{
		{"reason before 5.0", mqtt.V311, `E0 01 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"a reason of CONNACK", mqtt.V5, `E0 01 86`, "MQTT5-3.14.2-1", mqtt.MalformedPacket},
		{"properties run past the end", mqtt.V5, `E0 02 00 05`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
	})
	testUnsayable(t, []unsayable{
		{"long reason string", mqtt.V5, &Disconnect{Properties: &Properties{ReasonString: long}}, "MQTT3 §1.5.3"},
	})
}

func TestDisconnectLeavesOutReasonBefore5(t *testing.T) {
	out, err := (&Disconnect{Reason: mqtt.ServerShuttingDown}).Append(nil, mqtt.V311)
	if err != nil || string(out) != "\xE0\x00" {
		t.Errorf("%x, %v", out, err)
	}
}

func TestAuth(t *testing.T) {
	testGood(t, []good{
		{"all left out [MQTT5 §3.15.2.1]", mqtt.V5, `F0 00`, &Auth{}, false},
		{"continue", mqtt.V5, `F0 0E 18 0C 15 0003"SCR" 16 0003 010203`,
			&Auth{Reason: mqtt.ContinueAuthentication, Properties: &Properties{AuthMethod: "SCR", AuthData: []byte{1, 2, 3}}}, false},
	})
	testBad(t, []bad{
		{"before 5.0", mqtt.V31, `F0 00`, "MQTT3 §2.2.1", mqtt.MalformedPacket},
		{"a reason of DISCONNECT", mqtt.V5, `F0 02 80 00`, "MQTT5-3.15.2-1", mqtt.MalformedPacket},
		{"data without a method", mqtt.V5, `F0 06 18 04 16 0001 FF`, "MQTT5 §3.1.2.11.10", mqtt.ProtocolError},
	})
	testUnsayable(t, []unsayable{
		{"before 5.0", mqtt.V311, &Auth{}, "MQTT3 §2.2.1"},
	})
}
