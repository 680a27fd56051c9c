package packet

import (
	"bytes"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestPublish(t *testing.T) {
	testGood(t, []good{
		{"QoS 0 [MQTT3-2.3.1-5] [MQTT5-2.2.1-2]", mqtt.V311, `30 07 0003"a/b" "hi"`, &Publish{Topic: []byte("a/b"), Payload: []byte("hi")}, false},
		{"QoS 1 [MQTT3-2.3.1-1]", mqtt.V311, `32 09 0003"a/b" 0007 "hi"`, &Publish{QoS: 1, ID: 7, Topic: []byte("a/b"), Payload: []byte("hi")}, false},
		{"QoS 2, repeated, retained", mqtt.V31, `3D 09 0003"a/b" FFFF "hi"`,
			&Publish{Dup: true, QoS: 2, Retain: true, ID: 65535, Topic: []byte("a/b"), Payload: []byte("hi")}, false},
		{"empty payload [MQTT3 §3.3.3]", mqtt.V311, `31 05 0003"a/b"`, &Publish{Retain: true, Topic: []byte("a/b"), Payload: []byte{}}, false},
		{"no properties [MQTT5-2.2.2-1]", mqtt.V5, `32 0A 0003"a/b" 0007 00 "hi"`, &Publish{QoS: 1, ID: 7, Topic: []byte("a/b"), Payload: []byte("hi")}, false},
		{"topic alias for the name [MQTT5 §3.3.2.3.4]", mqtt.V5, `30 08 0000 03 23 0003 "hi"`,
			&Publish{Topic: []byte{}, Payload: []byte("hi"), Properties: &Properties{TopicAlias: new(uint16(3))}}, false},
		{"every property [MQTT5 §3.3.2.3]", mqtt.V5,
			`30 30 0001"t" 2A 01 01 02 00000E10 03 0004"json" 08 0003"r/t" 09 0002 0102 0B 05 0B FFFFFF7F 23 0003 26 0001"k" 0001"v" "{}"`,
			&Publish{Topic: []byte("t"), Payload: []byte("{}"), Properties: &Properties{PayloadFormat: new(byte(1)),
				MessageExpiry: new(uint32(3600)), ContentType: "json", ResponseTopic: "r/t", CorrelationData: []byte{1, 2},
				SubscriptionIDs: []uint32{5, MaxRemainingLength}, TopicAlias: new(uint16(3)),
				UserProperties: []UserProperty{{"k", "v"}}}}, false},
		{"the tutorial's publish of /sys/post", mqtt.V311, `30 1D 0009 2F7379732F706F7374 7B 70 61 72 61 6D 73 3A 7B 74 65 6D 70 3A 31 30 7D 7D`,
			&Publish{Topic: []byte("/sys/post"), Payload: []byte("{params:{temp:10}}")}, false},
	})
}

func TestPublishRefused(t *testing.T) {
	testBad(t, []bad{
		{"empty body", mqtt.V311, `30 00`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"topic runs past the end", mqtt.V311, `30 05 0009"a/b"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"QoS 3", mqtt.V311, `36 07 0003"a/b" 0007`, "MQTT3-3.3.1-4", mqtt.MalformedPacket},
		{"QoS 3", mqtt.V5, `36 08 0003"a/b" 0007 00`, "MQTT5-3.3.1-4", mqtt.MalformedPacket},
		{"DUP at QoS 0", mqtt.V311, `38 05 0003"a/b"`, "MQTT3-3.3.1-2", mqtt.MalformedPacket},
		{"DUP at QoS 0", mqtt.V5, `38 06 0003"a/b" 00`, "MQTT5-3.3.1-2", mqtt.MalformedPacket},
		{"no identifier at QoS 1", mqtt.V311, `32 05 0003"a/b"`, "MQTT3 §2.2.3", mqtt.MalformedPacket},
		{"identifier 0", mqtt.V311, `32 09 0003"a/b" 0000 "hi"`, "MQTT3-2.3.1-1", mqtt.MalformedPacket},
		{"identifier 0", mqtt.V5, `34 08 0003"a/b" 0000 00`, "MQTT5-2.2.1-3", mqtt.MalformedPacket},
		{"wildcard +", mqtt.V311, `30 05 0003"a/+"`, "MQTT3-3.3.2-2", mqtt.TopicNameInvalid},
		{"wildcard # [MQTT5-4.7.0-1]", mqtt.V5, `30 06 0003"a/#" 00`, "MQTT5-3.3.2-2", mqtt.TopicNameInvalid},
		{"empty topic", mqtt.V311, `30 04 0000 "hi"`, "MQTT3-4.7.3-1", mqtt.TopicNameInvalid},
		{"empty topic without an alias", mqtt.V5, `30 05 0000 00 "hi"`, "MQTT5 §3.3.2.1", mqtt.ProtocolError},
		{"topic is not UTF-8 [MQTT3-3.3.2-1]", mqtt.V311, `30 04 0002 C0AF`, "MQTT3-1.5.3-1", mqtt.MalformedPacket},
		{"topic with U+0000 [MQTT5-3.3.2-1] [MQTT5-4.7.3-2]", mqtt.V5, `30 06 0003"a"00"b" 00`, "MQTT5-1.5.4-2", mqtt.MalformedPacket},
		{"topic alias 0", mqtt.V5, `30 07 0001"a" 03 23 0000`, "MQTT5-3.3.2-8", mqtt.TopicAliasInvalid},
		{"response topic is not UTF-8 [MQTT5-3.3.2-13]", mqtt.V5, `30 08 0001"a" 04 08 0001 FF`, "MQTT5-1.5.4-1", mqtt.MalformedPacket},
		{"response topic with a wildcard", mqtt.V5, `30 08 0001"a" 04 08 0001"#"`, "MQTT5-3.3.2-14", mqtt.ProtocolError},
		{"subscription identifier 0", mqtt.V5, `30 06 0001"a" 02 0B 00`, "MQTT5 §3.3.2.3.8", mqtt.ProtocolError},
	})
}

func TestPublishCannotBeSaid(t *testing.T) {
	testUnsayable(t, []unsayable{
		{"no identifier", mqtt.V311, &Publish{QoS: 1, Topic: []byte("a")}, "MQTT3-2.3.1-1"},
		{"QoS 3", mqtt.V311, &Publish{QoS: 3, ID: 1, Topic: []byte("a")}, "MQTT3-3.3.1-4"},
		{"long topic", mqtt.V311, &Publish{Topic: []byte(long)}, "MQTT3 §1.5.3"},
		{"long property", mqtt.V5, &Publish{Topic: []byte("a"), Properties: &Properties{ContentType: long}}, "MQTT3 §1.5.3"},
		{"great subscription identifier", mqtt.V5, &Publish{Topic: []byte("a"), Properties: &Properties{SubscriptionIDs: []uint32{MaxRemainingLength + 1}}}, "MQTT5 §1.5.5"},
	})
}

func TestPublishNeverSetsDupAtQoS0(t *testing.T) { // [MQTT3-3.3.1-2]
	out, err := (&Publish{Dup: true, Topic: []byte("a")}).Append(nil, mqtt.V311)
	if err != nil || out[0] != 0x30 {
		t.Errorf("%x, %v", out, err)
	}
}

// A will's properties may be published as they are.
func TestPublishLeavesOutPropertiesOfOthers(t *testing.T) {
	p := &Publish{Topic: []byte("w"), Properties: &Properties{WillDelay: new(uint32(5)), ContentType: "x", ReasonString: "r"}}
	out, err := p.Append(nil, mqtt.V5)
	if err != nil || string(out) != string(wire(t, `30 08 0001"w" 04 03 0001"x"`)) {
		t.Errorf("%x, %v", out, err)
	}
}

func TestAppendShared(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    mqtt.Version
		p    Publish
		want string
		id   int
	}{
		{"QoS 0", mqtt.V311, Publish{Topic: []byte("a/b"), Payload: []byte("hi")}, `FF 30 07 0003"a/b" "hi"`, -1},
		{"QoS 1", mqtt.V311, Publish{QoS: 1, Topic: []byte("a/b"), Payload: []byte("hi")}, `FF 32 09 0003"a/b" 0000 "hi"`, 8},
		{"QoS 2 of 5.0", mqtt.V5, Publish{QoS: 2, Topic: []byte("a/b"), Payload: []byte("hi")}, `FF 34 0A 0003"a/b" 0000 00 "hi"`, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, id, err := tt.p.AppendShared([]byte{0xFF}, tt.v)
			if err != nil || id != tt.id || string(out) != string(wire(t, tt.want)) {
				t.Fatalf("%x, identifier at %d, %v", out, id, err)
			}
			if id < 0 {
				return
			}
			out[id], out[id+1] = 0x12, 0x34
			p, err := decodeAll(out[1:], tt.v)
			if err != nil || p.(*Publish).ID != 0x1234 {
				t.Errorf("patched: %+v, %v", p, err)
			}
		})
	}
}

// The route path is counted in allocations, so that it stays at none.
func TestPublishAllocatesNothing(t *testing.T) {
	payload := bytes.Repeat([]byte("x"), 200)
	for _, v := range versions {
		for q := range mqtt.QoS(3) {
			in := Publish{QoS: q, Topic: []byte("/sys/a1/dev/thing/event/property/post"), ID: 7, Payload: payload}
			if q == 0 {
				in.ID = 0
			}
			b, err := in.Append(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			var out Publish
			if n := testing.AllocsPerRun(100, func() {
				h, _ := ParseHeader(b)
				err = out.Decode(h, b[h.Size:], v)
			}); n != 0 || err != nil {
				t.Errorf("%v QoS %d: decode makes %v allocations, %v", v, q, n, err)
			}
			buf := make([]byte, 0, 512)
			if n := testing.AllocsPerRun(100, func() { _, err = AppendPublish(buf, v, &out) }); n != 0 || err != nil {
				t.Errorf("%v QoS %d: append makes %v allocations, %v", v, q, n, err)
			}
		}
	}
}

func TestPublishAliasesItsBytes(t *testing.T) {
	b := wire(t, `30 07 0003"a/b" "hi"`)
	p, err := decodeAll(b, mqtt.V311)
	if err != nil {
		t.Fatal(err)
	}
	kept := Clone(p).(*Publish)
	copy(b[4:], "c/dHI")
	if got := p.(*Publish); string(got.Topic) != "c/d" || string(got.Payload) != "HI" {
		t.Errorf("decoded packet is a copy: %s %s", got.Topic, got.Payload)
	}
	if string(kept.Topic) != "a/b" || string(kept.Payload) != "hi" {
		t.Errorf("clone changed with the bytes: %s %s", kept.Topic, kept.Payload)
	}
}

// An append to what was decoded must not write into the bytes behind it.
func TestPublishFieldsEndWhereTheyEnd(t *testing.T) {
	b := wire(t, `30 07 0003"a/b" "hi"`)
	p, err := decodeAll(b, mqtt.V311)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(p.(*Publish).Topic, '!')
	if !strings.HasSuffix(string(b), "hi") {
		t.Errorf("the payload was overwritten: %q", b)
	}
}

func BenchmarkPublishDecode(b *testing.B) {
	in := Publish{QoS: 1, ID: 7, Topic: []byte("/sys/a1JszCpjS61/device_000001/thing/event/property/post"), Payload: make([]byte, 200)}
	buf, _ := in.Append(nil, mqtt.V311)
	var out Publish
	b.ReportAllocs()
	for b.Loop() {
		h, _ := ParseHeader(buf)
		if err := out.Decode(h, buf[h.Size:], mqtt.V311); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPublishAppend(b *testing.B) {
	in := Publish{QoS: 1, ID: 7, Topic: []byte("/sys/a1JszCpjS61/device_000001/thing/event/property/post"), Payload: make([]byte, 200)}
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.Append(buf, mqtt.V311); err != nil {
			b.Fatal(err)
		}
	}
}
