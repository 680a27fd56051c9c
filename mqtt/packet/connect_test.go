package packet

import (
	"errors"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestConnect(t *testing.T) {
	testGood(t, []good{
		{"client identifier only [MQTT3-3.1.3-3]", mqtt.V311, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, KeepAlive: 60, ClientID: "dev"}, false},
		{"user name and password, in this order [MQTT3-3.1.3-1]", mqtt.V311, `10 16 0004"MQTT" 04 C0 0000 0001"c" 0002"us" 0003"pwd"`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V311, ClientID: "c", HasUsername: true, Username: "us",
				HasPassword: true, Password: []byte("pwd")}, false},
		{"user name without password [MQTT3-3.1.2-21]", mqtt.V311, `10 0F 0004"MQTT" 04 82 0000 0001"c" 0000`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, ClientID: "c", HasUsername: true}, false},
		{"empty password is a password [MQTT3 §3.1.3.5]", mqtt.V311, `10 11 0004"MQTT" 04 C2 0000 0001"c" 0000 0000`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, ClientID: "c", HasUsername: true,
				HasPassword: true, Password: []byte{}}, false},
		{"will [MQTT3-3.1.2-9]", mqtt.V311, `10 18 0004"MQTT" 04 36 0001 0001"c" 0003"w/t" 0004"gone"`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true, KeepAlive: 1, ClientID: "c",
				Will: &Will{Topic: "w/t", Payload: []byte("gone"), QoS: 2, Retain: true}}, false},
		{"empty client identifier of a clean session [MQTT3-3.1.3-7]", mqtt.V311, `10 0C 0004"MQTT" 04 02 0000 0000`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V311, CleanStart: true}, false},

		{"MQIsdp", mqtt.V31, `10 0F 0006"MQIsdp" 03 02 003C 0001"a"`,
			&Connect{ProtocolName: "MQIsdp", Version: mqtt.V31, CleanStart: true, KeepAlive: 60, ClientID: "a"}, false},
		{"remaining length before user name flag [MQTT3.1 §3.1]", mqtt.V31, `10 0F 0006"MQIsdp" 03 C2 003C 0001"a"`,
			&Connect{ProtocolName: "MQIsdp", Version: mqtt.V31, CleanStart: true, KeepAlive: 60, ClientID: "a"}, true},
		{"unused connect flags [MQTT3.1 §3.1]", mqtt.V31, `10 0F 0006"MQIsdp" 03 2B 003C 0001"a"`,
			&Connect{ProtocolName: "MQIsdp", Version: mqtt.V31, CleanStart: true, KeepAlive: 60, ClientID: "a"}, true},

		{"no properties [MQTT5-2.2.2-1]", mqtt.V5, `10 0E 0004"MQTT" 05 02 003C 00 0001"a"`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, KeepAlive: 60, ClientID: "a"}, false},
		{"server chooses the client identifier [MQTT5-3.1.3-6]", mqtt.V5, `10 0D 0004"MQTT" 05 00 003C 00 0000`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V5, KeepAlive: 60}, false},
		{"password without user name [MQTT5 §3.1.2.9]", mqtt.V5, `10 11 0004"MQTT" 05 40 003C 00 0001"a" 0001"p"`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V5, KeepAlive: 60, ClientID: "a", HasPassword: true, Password: []byte("p")}, false},
		{"every property [MQTT5 §3.1.2.11]", mqtt.V5,
			`10 3A 0004"MQTT" 05 00 003C 2C 11 00000E10 15 0003"SCR" 16 0002 0102 17 00 19 01 21 0014 22 000A 26 0001"k" 0001"v" 26 0001"k" 0000 27 00010000 0001"a"`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V5, KeepAlive: 60, ClientID: "a", Properties: &Properties{
				SessionExpiry: new(uint32(3600)), AuthMethod: "SCR", AuthData: []byte{1, 2}, RequestProblemInfo: new(byte(0)),
				RequestResponseInfo: new(byte(1)), ReceiveMaximum: new(uint16(20)), TopicAliasMaximum: new(uint16(10)),
				UserProperties: []UserProperty{{"k", "v"}, {"k", ""}}, MaximumPacketSize: new(uint32(65536))}}, false},
		{"every will property [MQTT5 §3.1.3.2] [MQTT5-3.1.2-9] [MQTT5-3.1.3-1] [MQTT5-3.1.3-3]", mqtt.V5,
			`10 37 0004"MQTT" 05 06 0000 00 0001"a" 21 01 01 02 0000000A 03 0004"json" 08 0001"r" 09 0000 18 00000005 26 0001"k" 0001"v" 0001"w" 0002"{}"`,
			&Connect{ProtocolName: "MQTT", Version: mqtt.V5, CleanStart: true, ClientID: "a", Will: &Will{Topic: "w", Payload: []byte("{}"),
				Properties: &Properties{PayloadFormat: new(byte(1)), MessageExpiry: new(uint32(10)), ContentType: "json", ResponseTopic: "r",
					CorrelationData: []byte{}, WillDelay: new(uint32(5)), UserProperties: []UserProperty{{"k", "v"}}}}}, false},
	})
}

func TestConnectRefused(t *testing.T) {
	testBad(t, []bad{
		{"empty body", mqtt.V311, `10 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"ends after the level", mqtt.V311, `10 07 0004"MQTT" 04`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"another protocol", mqtt.V311, `10 0C 0004"HTTP" 04 02 003C 0000`, "MQTT3-3.1.2-1", mqtt.UnsupportedProtocolVersion},
		{"lower case", mqtt.V311, `10 0C 0004"mqtt" 04 02 003C 0000`, "MQTT3-3.1.2-1", mqtt.UnsupportedProtocolVersion},
		{"MQTT with level 3", mqtt.V311, `10 0C 0004"MQTT" 03 02 003C 0000`, "MQTT3-3.1.2-2", mqtt.UnsupportedProtocolVersion},
		{"MQTT with level 6", mqtt.V5, `10 0C 0004"MQTT" 06 02 003C 0000`, "MQTT3-3.1.2-2", mqtt.UnsupportedProtocolVersion},
		{"a bridge's level", mqtt.V311, `10 0C 0004"MQTT" 84 02 003C 0000`, "MQTT3-3.1.2-2", mqtt.UnsupportedProtocolVersion},
		{"MQIsdp with level 4", mqtt.V31, `10 0F 0006"MQIsdp" 04 02 003C 0001"a"`, "MQTT3-3.1.2-2", mqtt.UnsupportedProtocolVersion},
		{"reserved connect flag", mqtt.V311, `10 0D 0004"MQTT" 04 03 003C 0001"a"`, "MQTT3-3.1.2-3", mqtt.MalformedPacket},
		{"reserved connect flag", mqtt.V5, `10 0E 0004"MQTT" 05 03 003C 00 0001"a"`, "MQTT5-3.1.2-3", mqtt.MalformedPacket},
		{"will QoS without will", mqtt.V311, `10 0D 0004"MQTT" 04 0A 003C 0001"a"`, "MQTT3-3.1.2-13", mqtt.MalformedPacket},
		{"will QoS without will", mqtt.V5, `10 0E 0004"MQTT" 05 12 003C 00 0001"a"`, "MQTT5-3.1.2-11", mqtt.MalformedPacket},
		{"will retain without will", mqtt.V311, `10 0D 0004"MQTT" 04 22 003C 0001"a"`, "MQTT3-3.1.2-15", mqtt.MalformedPacket},
		{"will retain without will", mqtt.V5, `10 0E 0004"MQTT" 05 22 003C 00 0001"a"`, "MQTT5-3.1.2-13", mqtt.MalformedPacket},
		{"will QoS 3", mqtt.V311, `10 12 0004"MQTT" 04 1E 003C 0001"a" 0001"w" 0000`, "MQTT3-3.1.2-14", mqtt.MalformedPacket},
		{"will QoS 3", mqtt.V5, `10 14 0004"MQTT" 05 1E 003C 00 0001"a" 00 0001"w" 0000`, "MQTT5-3.1.2-12", mqtt.MalformedPacket},
		{"will QoS 3", mqtt.V31, `10 14 0006"MQIsdp" 03 1E 003C 0001"a" 0001"w" 0000`, "MQTT3-3.1.2-14", mqtt.MalformedPacket},
		{"will topic with a wildcard", mqtt.V311, `10 12 0004"MQTT" 04 06 003C 0001"a" 0001"#" 0000`, "MQTT3-3.3.2-2", mqtt.TopicNameInvalid},
		{"empty will topic", mqtt.V5, `10 13 0004"MQTT" 05 06 003C 00 0001"a" 00 0000 0000`, "MQTT5-4.7.3-1", mqtt.TopicNameInvalid},
		{"will flag but no will [MQTT3-3.1.2-9]", mqtt.V311, `10 0D 0004"MQTT" 04 06 003C 0001"a"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"password without user name", mqtt.V311, `10 10 0004"MQTT" 04 42 003C 0001"a" 0001"p"`, "MQTT3-3.1.2-22", mqtt.MalformedPacket},
		{"password without user name", mqtt.V31, `10 12 0006"MQIsdp" 03 42 003C 0001"a" 0001"p"`, "MQTT3-3.1.2-22", mqtt.MalformedPacket},
		{"user name flag but none [MQTT3-3.1.2-19]", mqtt.V311, `10 0D 0004"MQTT" 04 82 003C 0001"a"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"password flag but none [MQTT3-3.1.2-21] [MQTT5-3.1.2-19]", mqtt.V5, `10 11 0004"MQTT" 05 C2 003C 00 0001"a" 0001"u"`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"user name but no flag [MQTT3-3.1.2-18]", mqtt.V311, `10 10 0004"MQTT" 04 02 003C 0001"a" 0001"u"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"user name but no flag [MQTT5-3.1.2-16]", mqtt.V5, `10 11 0004"MQTT" 05 02 003C 00 0001"a" 0001"u"`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"user name flag but none [MQTT5-3.1.2-17]", mqtt.V5, `10 0E 0004"MQTT" 05 82 003C 00 0001"a"`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"password but no flag [MQTT3-3.1.2-20]", mqtt.V311, `10 13 0004"MQTT" 04 82 003C 0001"a" 0001"u" 0001"p"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"password but no flag [MQTT5-3.1.2-18]", mqtt.V5, `10 14 0004"MQTT" 05 82 003C 00 0001"a" 0001"u" 0001"p"`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"will but no flag [MQTT3-3.1.2-11]", mqtt.V311, `10 12 0004"MQTT" 04 02 003C 0001"a" 0001"w" 0000`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"will flag but no will [MQTT5-3.1.2-9]", mqtt.V5, `10 0E 0004"MQTT" 05 06 003C 00 0001"a"`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"no client identifier at all [MQTT3-3.1.3-3]", mqtt.V311, `10 0A 0004"MQTT" 04 02 003C`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"no client identifier at all [MQTT5-3.1.3-3]", mqtt.V5, `10 0B 0004"MQTT" 05 02 003C 00`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"will topic is not UTF-8 [MQTT3-3.1.3-10]", mqtt.V311, `10 12 0004"MQTT" 04 06 003C 0001"a" 0001 FF 0000`, "MQTT3-1.5.3-1", mqtt.MalformedPacket},
		{"will topic is not UTF-8 [MQTT5-3.1.3-11]", mqtt.V5, `10 14 0004"MQTT" 05 06 003C 00 0001"a" 00 0001 FF 0000`, "MQTT5-1.5.4-1", mqtt.MalformedPacket},
		{"user name is not UTF-8 [MQTT3-3.1.3-11]", mqtt.V311, `10 10 0004"MQTT" 04 82 003C 0001"a" 0001 FF`, "MQTT3-1.5.3-1", mqtt.MalformedPacket},
		{"empty client identifier of a kept session", mqtt.V311, `10 0C 0004"MQTT" 04 00 003C 0000`, "MQTT3-3.1.3-8", mqtt.ClientIdentifierNotValid},
		{"empty client identifier", mqtt.V31, `10 0E 0006"MQIsdp" 03 02 003C 0000`, "MQTT3-3.1.3-8", mqtt.ClientIdentifierNotValid},
		{"client identifier is not UTF-8 [MQTT3-3.1.3-4]", mqtt.V311, `10 0E 0004"MQTT" 04 02 003C 0002 C328`, "MQTT3-1.5.3-1", mqtt.MalformedPacket},
		{"client identifier with a surrogate [MQTT5-3.1.3-4]", mqtt.V5, `10 10 0004"MQTT" 05 02 003C 00 0003 EDA080`, "MQTT5-1.5.4-1", mqtt.MalformedPacket},
		{"client identifier with U+0000", mqtt.V311, `10 0E 0004"MQTT" 04 02 003C 0002"a"00`, "MQTT3-1.5.3-2", mqtt.MalformedPacket},
		{"user name with U+0000 [MQTT5-3.1.3-12]", mqtt.V5, `10 11 0004"MQTT" 05 82 003C 00 0001"a" 0001 00`, "MQTT5-1.5.4-2", mqtt.MalformedPacket},
		{"string runs past the end", mqtt.V311, `10 0F 0004"MQTT" 04 02 003C 0009"abc"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"length of more bytes than needed", mqtt.V5, `10 8E00 0004"MQTT" 05 02 003C 00 0001"a"`, "MQTT5-1.5.5-1", mqtt.MalformedPacket},
	})
}

// A broker must know in which version to refuse.
func TestConnectKeepsVersionAfterError(t *testing.T) {
	for _, tt := range []struct {
		wire string
		want mqtt.Version
	}{
		{`10 0E 0004"MQTT" 05 03 003C 00 0001"a"`, mqtt.V5},
		{`10 0C 0004"MQTT" 06 02 003C 0000`, 6},
		{`10 0C 0004"MQTT" 04 00 003C 0000`, mqtt.V311},
		{`10 04 0004"MQ"`, 0},
	} {
		b := wire(t, tt.wire)
		h, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		var p Connect
		if err := p.Decode(h, b[h.Size:], 0); err == nil || p.Version != tt.want {
			t.Errorf("%s: version %v with error %v, want %v", tt.wire, p.Version, err, tt.want)
		}
	}
}

func TestConnectVersionDecides(t *testing.T) {
	p := &Connect{ProtocolName: "MQTT", Version: mqtt.V31, CleanStart: true, ClientID: "a", Properties: &Properties{SessionExpiry: new(uint32(1))}}
	for _, tt := range []struct {
		v    mqtt.Version
		want string
	}{
		{0, `10 0F 0006"MQIsdp" 03 02 0000 0001"a"`},
		{mqtt.V31, `10 0F 0006"MQIsdp" 03 02 0000 0001"a"`},
		{mqtt.V311, `10 0D 0004"MQTT" 04 02 0000 0001"a"`},
		{mqtt.V5, `10 13 0004"MQTT" 05 02 0000 05 11 00000001 0001"a"`},
	} {
		got, err := p.Append(nil, tt.v)
		if err != nil || string(got) != string(wire(t, tt.want)) {
			t.Errorf("version %d: %x, %v", tt.v, got, err)
		}
	}
}

func TestConnectCannotBeSaid(t *testing.T) {
	testUnsayable(t, []unsayable{
		{"no version", 0, &Connect{}, "MQTT3-3.1.2-2"},
		{"version 6", 6, &Connect{}, "MQTT3-3.1.2-2"},
		{"long client identifier", mqtt.V311, &Connect{ClientID: long}, "MQTT3 §1.5.3"},
		{"long password", mqtt.V5, &Connect{HasPassword: true, Password: []byte(long)}, "MQTT3 §1.5.3"},
		{"long will payload", mqtt.V5, &Connect{Will: &Will{Topic: "t", Payload: []byte(long)}}, "MQTT3 §1.5.3"},
		{"will QoS 3", mqtt.V5, &Connect{Will: &Will{Topic: "t", QoS: 3}}, "MQTT3-3.1.2-14"},
		{"password without user name", mqtt.V311, &Connect{HasPassword: true}, "MQTT3-3.1.2-22"},
	})
}

func TestErrorText(t *testing.T) {
	_, err := decodeAll(wire(t, `10 0D 0004"MQTT" 04 03 003C 0001"a"`), 0)
	if got := err.Error(); got != "mqtt: bad CONNECT [MQTT3-3.1.2-3]: the reserved connect flag is set" {
		t.Errorf("error text is %q", got)
	}
	if got := (&Error{Packet: "AUTH", Clause: "MQTT5 §3.15"}).Error(); strings.HasSuffix(got, ":") || !errors.Is(err, mqtt.MalformedPacket) {
		t.Errorf("error text without detail is %q", got)
	}
}
