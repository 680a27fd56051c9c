package packet

import (
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestParseHeader(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire string
		want Header
	}{
		{"one byte of length", `C0 00`, Header{TypePingreq, 0, 0, 2}},
		{"the greatest of one byte [MQTT3 §2.2.3]", `30 7F`, Header{TypePublish, 0, 127, 2}},
		{"the least of two bytes [MQTT3 §2.2.3]", `30 80 01`, Header{TypePublish, 0, 128, 3}},
		{"the greatest of two bytes [MQTT3 §2.2.3]", `30 FF 7F`, Header{TypePublish, 0, 16383, 3}},
		{"the least of three bytes [MQTT3 §2.2.3]", `30 80 80 01`, Header{TypePublish, 0, 16384, 4}},
		{"the greatest of three bytes [MQTT3 §2.2.3]", `30 FF FF 7F`, Header{TypePublish, 0, 2097151, 4}},
		{"the least of four bytes [MQTT3 §2.2.3]", `30 80 80 80 01`, Header{TypePublish, 0, 2097152, 5}},
		{"the greatest of all [MQTT3 §2.2.3]", `30 FF FF FF 7F`, Header{TypePublish, 0, MaxRemainingLength, 5}},
		{"the tutorial's 30 92 01", `30 92 01 00`, Header{TypePublish, 0, 146, 3}},
		{"more bytes than needed", `30 81 00`, Header{TypePublish, 0, 1, 3}},
		{"all flags of a PUBLISH", `3D 00`, Header{TypePublish, 0xD, 0, 2}},
		{"the body does not matter", `40 02 00 07 FF`, Header{TypePuback, 0, 2, 2}},
		{"DUP of 3.1", `8A 00`, Header{TypeSubscribe, 0xA, 0, 2}},
		{"AUTH, of 5.0 only", `F0 00`, Header{TypeAuth, 0, 0, 2}},
		{"type 0 is left to Decode", `05 00`, Header{0, 5, 0, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseHeader(wire(t, tt.wire))
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseHeaderIncomplete(t *testing.T) {
	for _, s := range []string{``, `30`, `30 80`, `30 80 80`, `30 80 80 80`} {
		if _, err := ParseHeader(wire(t, s)); err != ErrIncomplete {
			t.Errorf("%q: error is %v, want ErrIncomplete", s, err)
		}
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wire   string
		clause string
	}{
		{"a fifth byte of length", `30 80 80 80 80`, "MQTT3 §2.2.3"},
		{"a fifth byte of length, with more behind", `30 FF FF FF FF 01`, "MQTT3 §2.2.3"},
		{"CONNECT with flags", `11`, "MQTT3-2.2.2-2"},
		{"PUBREL without its flags", `60`, "MQTT3-3.6.1-1"},
		{"SUBSCRIBE without its flags", `80`, "MQTT3-3.8.1-1"},
		{"SUBSCRIBE with retain", `83`, "MQTT3-3.8.1-1"},
		{"UNSUBSCRIBE without its flags", `A0`, "MQTT3-3.10.1-1"},
		{"PUBACK with PUBREL's flags", `42`, "MQTT3-2.2.2-2"},
		{"PINGREQ with DUP", `C8`, "MQTT3-2.2.2-2"},
		{"DISCONNECT with flags", `E1`, "MQTT3-3.14.1-1"},
		{"AUTH with flags", `F2`, "MQTT5-3.15.1-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseHeader(wire(t, tt.wire))
			wantError(t, err, tt.clause, mqtt.MalformedPacket)
		})
	}
}

// What is known to be 5.0 is told in the words of 5.0.
func TestParseHeaderOfNamesTheClauseOfTheVersion(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wire   string
		clause string
	}{
		{"a fifth byte of length", `30 80 80 80 80`, "MQTT5 §2.1.4"},
		{"CONNECT with flags", `11`, "MQTT5-2.1.3-1"},
		{"PUBREL without its flags", `60`, "MQTT5-3.6.1-1"},
		{"SUBSCRIBE without its flags", `80`, "MQTT5-3.8.1-1"},
		{"UNSUBSCRIBE without its flags", `A0`, "MQTT5-3.10.1-1"},
		{"DISCONNECT with flags", `E1`, "MQTT5-3.14.1-1"},
		{"AUTH with flags", `F2`, "MQTT5-3.15.1-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseHeaderOf(wire(t, tt.wire), mqtt.V5)
			wantError(t, err, tt.clause, mqtt.MalformedPacket)
		})
	}
}

func TestAuthWithFlagsBefore5(t *testing.T) {
	_, err := ParseHeaderOf(wire(t, `F1`), mqtt.V311)
	wantError(t, err, "MQTT3 §2.2.1", mqtt.MalformedPacket)
}

// Every type and every flag: allowed, or refused before its length is read.
func TestFlagsOfEveryType(t *testing.T) { // [MQTT3-2.2.2-1] [MQTT3-2.2.2-2] [MQTT5-2.1.3-1]
	for first := range 256 {
		typ, flags := Type(first>>4), byte(first&15)
		want := typ == 0 || typ == TypePublish || flags == 0
		if typ == TypePubrel || typ == TypeSubscribe || typ == TypeUnsubscribe {
			want = flags == 0b0010 || flags == 0b1010
		}
		_, err := ParseHeader([]byte{byte(first)})
		if (err == ErrIncomplete) != want {
			t.Errorf("%02x: %v", first, err)
		}
	}
}

func TestDupOfSubscribe(t *testing.T) {
	testGood(t, []good{
		{"a repeated SUBSCRIBE [MQTT3.1 §3.8]", mqtt.V31, `8A 06 0007 0001"a" 01`,
			&Subscribe{ID: 7, Subscriptions: []Subscription{{Filter: "a", QoS: 1}}}, true},
		{"a repeated UNSUBSCRIBE [MQTT3.1 §3.10]", mqtt.V31, `AA 05 0007 0001"a"`, &Unsubscribe{ID: 7, Filters: []string{"a"}}, true},
		{"a repeated PUBREL [MQTT3.1 §3.6]", mqtt.V31, `6A 02 0007`, &Pubrel{ID: 7}, true},
	})
	testBad(t, []bad{
		{"SUBSCRIBE with DUP", mqtt.V311, `8A 06 0007 0001"a" 01`, "MQTT3-3.8.1-1", mqtt.MalformedPacket},
		{"PUBREL with DUP", mqtt.V5, `6A 02 0007`, "MQTT5-3.6.1-1", mqtt.MalformedPacket},
	})
}

func TestDecodeRefusesHeader(t *testing.T) {
	testBad(t, []bad{
		{"type 0", mqtt.V311, `00 00`, "MQTT3 §2.2.1", mqtt.MalformedPacket},
		{"type 0", mqtt.V5, `00 00`, "MQTT5 §2.1.2", mqtt.MalformedPacket},
		{"type 15 before 5.0", mqtt.V311, `F0 00`, "MQTT3 §2.2.1", mqtt.MalformedPacket},
		{"body shorter than announced", mqtt.V311, `40 03 0007`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"body longer than announced", mqtt.V311, `40 01 0007`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"body shorter than announced", mqtt.V5, `40 03 0007`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"length of more bytes than needed", mqtt.V5, `40 82 00 0007`, "MQTT5-1.5.5-1", mqtt.MalformedPacket},
	})
	testGood(t, []good{
		{"3.x does not mind a long length", mqtt.V311, `40 82 00 0007`, &Puback{ID: 7}, true},
	})
}

func TestTypeNames(t *testing.T) {
	for typ := range 16 {
		p := newPacket(Type(typ))
		if (p == nil) != (Type(typ).String() == "RESERVED") || p != nil && p.Type() != Type(typ) {
			t.Errorf("type %d is %v and makes a %T", typ, Type(typ), p)
		}
	}
	if Type(16).String() != "RESERVED" {
		t.Errorf("type 16 is %v", Type(16))
	}
}
