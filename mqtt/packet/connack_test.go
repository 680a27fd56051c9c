package packet

import (
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestConnack(t *testing.T) {
	testGood(t, []good{
		{"accepted", mqtt.V311, `20 02 00 00`, &Connack{}, false},
		{"session present [MQTT3-3.2.2-2]", mqtt.V311, `20 02 01 00`, &Connack{SessionPresent: true}, false},
		{"refused, bad user name or password", mqtt.V311, `20 02 00 04`, &Connack{Reason: mqtt.BadUserNameOrPassword}, false},
		{"3.1 leaves the first byte open", mqtt.V31, `20 02 FF 00`, &Connack{}, true},
		{"accepted [MQTT5-2.2.2-1]", mqtt.V5, `20 03 00 00 00`, &Connack{}, false},
		{"refused with a reason string", mqtt.V5, `20 0B 00 87 08 1F 0005"no!!!"`,
			&Connack{Reason: mqtt.NotAuthorized, Properties: &Properties{ReasonString: "no!!!"}}, false},
		{"every property [MQTT5 §3.2.2.3]", mqtt.V5,
			`20 3F 01 00 3C 11 00000001 12 0002"id" 13 001E 15 0001"m" 16 0001 FF 1A 0001"i" 1C 0001"s" 1F 0001"r" 21 0001 22 FFFF 24 01 25 00 26 0001"k" 0000 27 000000FF 28 01 29 00 2A 01`,
			&Connack{SessionPresent: true, Properties: &Properties{SessionExpiry: new(uint32(1)), AssignedClientID: "id",
				ServerKeepAlive: new(uint16(30)), AuthMethod: "m", AuthData: []byte{255}, ResponseInfo: "i", ServerReference: "s",
				ReasonString: "r", ReceiveMaximum: new(uint16(1)), TopicAliasMaximum: new(uint16(65535)), MaximumQoS: new(byte(1)),
				RetainAvailable: new(byte(0)), UserProperties: []UserProperty{{"k", ""}}, MaximumPacketSize: new(uint32(255)),
				WildcardAvailable: new(byte(1)), SubscriptionIDAvailable: new(byte(0)), SharedAvailable: new(byte(1))}}, false},
	})
}

func TestConnackRefused(t *testing.T) {
	testBad(t, []bad{
		{"empty body", mqtt.V311, `20 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"no return code", mqtt.V311, `20 01 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"bytes behind the return code", mqtt.V311, `20 03 00 00 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"reserved acknowledge flag", mqtt.V311, `20 02 02 00`, "MQTT3 §3.2.2.1", mqtt.MalformedPacket},
		{"reserved acknowledge flag", mqtt.V5, `20 03 80 00 00`, "MQTT5-3.2.2-1", mqtt.MalformedPacket},
		{"reserved return code", mqtt.V311, `20 02 00 06`, "MQTT3 §3.2.2.3", mqtt.MalformedPacket},
		{"session present in a refusal", mqtt.V311, `20 02 01 05`, "MQTT3-3.2.2-4", mqtt.ProtocolError},
		{"session present in a refusal", mqtt.V5, `20 03 01 87 00`, "MQTT5-3.2.2-6", mqtt.ProtocolError},
		{"a reason of another packet", mqtt.V5, `20 03 00 92 00`, "MQTT5-3.2.2-8", mqtt.MalformedPacket},
		{"a return code of 3.x", mqtt.V5, `20 03 00 04 00`, "MQTT5-3.2.2-8", mqtt.MalformedPacket},
		{"no property length", mqtt.V5, `20 02 00 00`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
	})
}

func TestConnackSessionPresentNeverWithRefusal(t *testing.T) { // [MQTT3-3.2.2-4] [MQTT5-3.2.2-6]
	p := &Connack{SessionPresent: true, Reason: mqtt.NotAuthorized}
	for v, want := range map[mqtt.Version]string{mqtt.V31: `20 02 00 05`, mqtt.V311: `20 02 00 05`, mqtt.V5: `20 03 00 87 00`} {
		got, err := p.Append(nil, v)
		if err != nil || string(got) != string(wire(t, want)) {
			t.Errorf("%v: %x, %v", v, got, err)
		}
	}
}

func TestReturnCode(t *testing.T) { // [MQTT3 §3.2.2.3]
	for reason, want := range map[mqtt.ReasonCode]byte{
		mqtt.Success:                    0,
		mqtt.UnsupportedProtocolVersion: 1,
		mqtt.ClientIdentifierNotValid:   2,
		mqtt.ServerUnavailable:          3,
		mqtt.ServerBusy:                 3,
		mqtt.UnspecifiedError:           3,
		mqtt.BadUserNameOrPassword:      4,
		mqtt.BadAuthenticationMethod:    4,
		mqtt.NotAuthorized:              5,
		mqtt.Banned:                     5,
	} {
		if got := ReturnCode(reason); got != want {
			t.Errorf("%v becomes %d, want %d", reason, got, want)
		}
	}
	for code := range byte(6) {
		if ReturnCode(ReasonOf(code)) != code {
			t.Errorf("return code %d becomes %v", code, ReasonOf(code))
		}
	}
	if ReasonOf(6) != mqtt.UnspecifiedError {
		t.Errorf("the reserved code 6 becomes %v", ReasonOf(6))
	}
}

func TestConnackCannotBeSaid(t *testing.T) {
	testUnsayable(t, []unsayable{
		{"long reason string", mqtt.V5, &Connack{Properties: &Properties{ReasonString: long}}, "MQTT3 §1.5.3"},
	})
}
