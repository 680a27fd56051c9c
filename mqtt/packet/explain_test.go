package packet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

// The CONNECT of tutorial 003 as printed: its first byte, 10, is missing.
const tutorialConnect = `0x74 0x00 0x04 0x4d 0x51 0x54 0x54 0x04 0xC0 0078 0033 0x61 0x62 0x63 0x7c 0x73 0x65 0x63 0x75 0x72 0x65 0x6d 0x6f 0x64 0x65 0x3d 0x33 0x2c 0x73 0x69 0x67

0x6e 0x6d 0x65 0x74 0x68 0x6f 0x64 0x3d 0x68 0x6d 0x61 0x63 0x73 0x68 0x61 0x31 0x2c 0x74 0x69 0x6d 0x65 0x73 0x74 0x61 0x6d 0x70 0x3d 0x31 0x32 0x30 0x7c 0009

0x35 0x36 0x37 0x38 0x26 0x31 0x32 0x33 0x34 0028 0x32 0x32 0x32 0x37 0x35 0x30 0x44 0x45 0x44 0x46 0x45 0x34 0x46 0x37 0x37 0x34 0x30 0x30 0x32 0x45 0x45 0x38 0x37 0x45 0x45 0x44 0x32 0x39 0x43 0x46 0x44 0x30 0x36 0x33 0x38 0x43 0x35 0x46 0x36 0x36`

// Its PUBLISH, which is right.
const tutorialPublish = `0x30 0x1D 0009 2f7379732f706f7374 0x7b 0x70 0x61 0x72 0x61 0x6d 0x73 0x3a 0x7b 0x74 0x65 0x6d 0x70 0x3a 0x31 0x30 0x7d 0x7d`

// The three packets captured in tutorial 002.
var capturedPackets = []string{
	`10980100044d51545404c2003c00056d795f7476000a5652716844484632774c007976657273696f6e3d323031382d31302d3331267265733d70726f64756374732532465652716844484632774c253246646576696365732532466d795f74762665743d31363631323435303331266d6574686f643d6d6435267369676e3d7934694450753659703834464f377378706364635351253344253344`,
	`306f0029247379732f5652716844484632774c2f6d795f74762f7468696e672f70726f70657274792f706f73747b226964223a2022313233222c2276657273696f6e22203a2022312e30222c22706172616d73223a207b2277656e6475223a207b2276616c7565223a2032312e317d7d7d`,
	`822d00010028247379732f5652716844484632774c2f6d795f74762f7468696e672f70726f70657274792f73657400`,
	`e000`,
}

func mustHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := ParseHex(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExplainTutorialConnectWithoutFirstByte(t *testing.T) {
	sent := mustHex(t, tutorialConnect)
	right := append([]byte{0x10}, sent...)
	if len(right) != 118 || right[1] != 116 {
		t.Fatalf("%d bytes that announce %d", len(right), right[1])
	}
	x := Explain(sent, 0)
	checkExplanation(t, sent, 0)
	if len(x.Packets) != 1 {
		t.Fatalf("%d packets", len(x.Packets))
	}
	a := x.Packets[0]
	if a.Type != "CONNECT" || a.Length != 117 || x.Version != mqtt.V311 || x.Guessed {
		t.Errorf("%s of %d bytes, version %v", a.Type, a.Length, x.Version)
	}
	wantFault(t, a, FaultTypeMissing, 0, right)
	if len(a.Faults) != 1 {
		t.Errorf("more than one fault: %+v", a.Faults)
	}
	p, err := decodeAll(right, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := p.(*Connect)
	if c.ClientID != "abc|securemode=3,signmethod=hmacsha1,timestamp=120|" || c.Username != "5678&1234" ||
		string(c.Password) != "222750DEDFE4F774002EE87EED29CFD0638C5F66" || c.KeepAlive != 120 || c.CleanStart {
		t.Errorf("decoded %+v", c)
	}
	for _, want := range []wantedField{
		{0, 0, "packet type and flags", "CONNECT, flags 0000 (missing: 10)", Hex{}},
		{0, 1, "remaining length", "116 bytes to follow", Hex{0x74}},
		{1, 2, "protocol name length", "4 bytes", Hex{0, 4}},
		{3, 4, "protocol name", "MQTT", Hex("MQTT")},
		{7, 1, "protocol level", "MQTT 3.1.1", Hex{4}},
		{8, 1, "connect flags", "user name, password", Hex{0xC0}},
		{9, 2, "keep alive", "120 s", Hex{0, 0x78}},
		{11, 2, "client identifier length", "51 bytes", Hex{0, 0x33}},
		{64, 2, "user name length", "9 bytes", Hex{0, 9}},
		{66, 9, "user name", "5678&1234", Hex("5678&1234")},
		{75, 2, "password length", "40 bytes", Hex{0, 0x28}},
	} {
		wantField(t, a, want)
	}
}

func TestExplainTutorialPublish(t *testing.T) {
	b := mustHex(t, tutorialPublish)
	x := Explain(b, 0)
	if len(b) != 31 || len(x.Packets) != 1 || x.Packets[0].Faults != nil {
		t.Fatalf("%d bytes: %v", len(b), x)
	}
	wantField(t, x.Packets[0], wantedField{4, 9, "topic name", "/sys/post", Hex("/sys/post")})
	wantField(t, x.Packets[0], wantedField{13, 18, "payload", "{params:{temp:10}}", Hex("{params:{temp:10}}")})
	if got := x.Packets[0].Summary; got != "PUBLISH, QoS 0 to /sys/post, payload of 18 bytes" {
		t.Errorf("summary %q", got)
	}
}

// Both packets of the tutorial in one paste.
func TestExplainContinuesBehindARepairedPacket(t *testing.T) {
	b := append(mustHex(t, tutorialConnect), mustHex(t, tutorialPublish)...)
	x := Explain(b, 0)
	checkExplanation(t, b, 0)
	if len(x.Packets) != 2 || x.Packets[0].Length != 117 || x.Packets[1].Type != "PUBLISH" || x.Packets[1].Faults != nil {
		t.Errorf("%v", x)
	}
	wantFault(t, x.Packets[0], FaultTypeMissing, 0, append([]byte{0x10}, mustHex(t, tutorialConnect)...))
}

func TestExplainCapturedPackets(t *testing.T) {
	b := mustHex(t, strings.Join(capturedPackets, " "))
	x := Explain(b, 0)
	checkExplanation(t, b, 0)
	var got []string
	for _, a := range x.Packets {
		got = append(got, fmt.Sprint(a.Type, a.Length, len(a.Faults)))
	}
	if want := []string{"CONNECT155 0", "PUBLISH113 0", "SUBSCRIBE47 0", "DISCONNECT2 0"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s := x.Packets[0].Summary; s != "CONNECT MQTT 3.1.1 as my_tv, user VRqhDHF2wL, keep alive 60 s" {
		t.Errorf("summary %q", s)
	}
}

// The PUBLISH of tutorial 001 with 146 bytes behind its header.
func tutorialPost(t *testing.T) []byte {
	t.Helper()
	p := &Publish{Topic: []byte("/sys/a1UUBhveKMv/night/thing/event/property/post"),
		Payload: []byte(`{"id":"1562283421","version":"1.0.0","params":{"temp":12},"method":"thing.event.property.set"}`)}
	p.Payload = append(p.Payload[:len(p.Payload):len(p.Payload)], bytes.Repeat([]byte(" "), 146-2-len(p.Topic)-len(p.Payload))...)
	b, err := p.Append(nil, mqtt.V311)
	if err != nil || b[1] != 0x92 || b[2] != 0x01 || len(b) != 149 {
		t.Fatalf("%x, %v", b, err)
	}
	return b
}

func TestExplainLengthWrittenAsOneByte(t *testing.T) {
	right := tutorialPost(t)
	sent := slices.Delete(slices.Clone(right), 2, 3) // 30 92 00 38 …
	x := Explain(sent, mqtt.V311)
	checkExplanation(t, sent, mqtt.V311)
	wantFault(t, x.Packets[0], FaultLengthOneByte, 1, right)
	wantField(t, x.Packets[0], wantedField{1, 1, "remaining length", "146 bytes to follow (if it were 92 01)", Hex{0x92}})
	if f := x.Packets[0].Faults[0]; !strings.Contains(f.Fix, "write 92 01") || !strings.Contains(f.FixZH, "92 01") || len(x.Packets[0].Faults) != 1 {
		t.Errorf("%+v", x.Packets[0].Faults)
	}
}

func TestExplainIdentifierInQoS0Publish(t *testing.T) {
	right := tutorialPost(t)
	topicEnd := 3 + 2 + int(right[4])
	sent := slices.Insert(slices.Clone(right), topicEnd, 0x00, 0x32)
	sent[1] = 0x94
	x := Explain(sent, mqtt.V311)
	checkExplanation(t, sent, mqtt.V311)
	wantFault(t, x.Packets[0], FaultIdentifierAtQoS0, topicEnd, right)
	wantField(t, x.Packets[0], wantedField{topicEnd, 2, "surplus", "packet identifier, not part of a QoS 0 PUBLISH", Hex{0, 0x32}})
	if len(x.Packets[0].Faults) != 1 {
		t.Errorf("%+v", x.Packets[0].Faults)
	}
}

// The cloud tool of tutorial 001 made both mistakes in one packet; the length
// counts the two bytes or does not.
func TestExplainOneByteAndIdentifierTogether(t *testing.T) {
	right := tutorialPost(t)
	topicEnd := 3 + 2 + int(right[4])
	for _, length := range []byte{0x92, 0x94} {
		sent := slices.Insert(slices.Clone(right), topicEnd, 0x00, 0x32)
		sent = slices.Delete(sent, 2, 3)
		sent[1] = length
		for _, v := range []mqtt.Version{0, mqtt.V311} {
			x := Explain(sent, v)
			checkExplanation(t, sent, v)
			wantFault(t, x.Packets[0], FaultLengthOneByte, 1, right)
			wantFault(t, x.Packets[0], FaultIdentifierAtQoS0, topicEnd-1, right)
		}
	}
}

// A fault row is bytes with one mistake and the bytes that would be right.
type faultRow struct {
	name   string
	v      mqtt.Version
	wire   string
	code   string
	offset int
	right  string // empty: nobody can know
}

func TestExplainFaults(t *testing.T) {
	for _, tt := range []faultRow{
		{"CONNECT without its first byte", 0, `0F 0004"MQTT" 04 02 003C 0003"dev"`, FaultTypeMissing, 0, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"MQIsdp without its first byte", 0, `0F 0006"MQIsdp" 03 02 003C 0001"a"`, FaultTypeMissing, 0, `10 0F 0006"MQIsdp" 03 02 003C 0001"a"`},
		{"CONNECT without header", 0, `0004"MQTT" 04 02 003C 0003"dev"`, FaultTypeMissing, 0, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"CONNECT without length", 0, `10 0004"MQTT" 04 02 003C 0003"dev"`, FaultLengthMissing, 0 + 1, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"length too short", 0, `30 05 0003"a/b" "hello"`, FaultLengthTooShort, 1, `30 0A 0003"a/b" "hello"`},
		{"length too short in a CONNECT", 0, `10 0C 0004"MQTT" 04 02 003C 0003"dev"`, FaultLengthTooShort, 1, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"length too long", 0, `30 20 0003"a/b" "hello"`, FaultLengthTooLong, 1, `30 0A 0003"a/b" "hello"`},
		{"length too long in a SUBSCRIBE", 0, `82 20 0001 0001"a" 00`, FaultLengthTooLong, 1, `82 06 0001 0001"a" 00`},
		{"length of a PUBACK", mqtt.V311, `40 04 0007`, FaultLengthTooLong, 1, `40 02 0007`},
		{"cut off", 0, `10 0F 0004"MQTT" 04 02 003C 0003"d"`, FaultCutOff, 1, ``},
		{"cut off inside the header", 0, `30`, FaultHeaderCutOff, 1, ``},
		{"PINGREQ of one byte", 0, `C0`, FaultHeaderCutOff, 1, `C0 00`},
		{"DISCONNECT of one byte", 0, `E0`, FaultHeaderCutOff, 1, `E0 00`},
		{"length without end", 0, `30 FF FF FF FF 01`, FaultLengthFiveBytes, 1, ``},
		{"SUBSCRIBE with flags 0 [MQTT3-3.8.1-1]", 0, `80 06 0001 0001"a" 00`, FaultFlags, 0, `82 06 0001 0001"a" 00`},
		{"UNSUBSCRIBE with flags 0 [MQTT3-3.10.1-1]", 0, `A0 05 0001 0001"a"`, FaultFlags, 0, `A2 05 0001 0001"a"`},
		{"PUBREL with flags 0 [MQTT3-3.6.1-1]", 0, `60 02 0001`, FaultFlags, 0, `62 02 0001`},
		{"CONNECT with flags", 0, `12 0F 0004"MQTT" 04 02 003C 0003"dev"`, FaultFlags, 0, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"subscribing with QoS 3 [MQTT3-3.8.3-4]", 0, `82 06 0001 0001"a" 03`, FaultQoS3, 7, `82 06 0001 0001"a" 01`},
		{"publishing with QoS 3 [MQTT3-3.3.1-4]", 0, `36 09 0003"a/b" 0001 "hi"`, FaultQoS3, 0, `32 09 0003"a/b" 0001 "hi"`},
		{"DUP at QoS 0 [MQTT3-3.3.1-2]", 0, `38 07 0003"a/b" "hi"`, FaultDupAtQoS0, 0, `30 07 0003"a/b" "hi"`},
		{"identifier 0 [MQTT3-2.3.1-1]", 0, `82 06 0000 0001"a" 01`, FaultIdentifierZero, 2, `82 06 0001 0001"a" 01`},
		{"no identifier at QoS 1", mqtt.V311, `32 0C 0003"a/b" "{'a':1}"`, FaultIdentifierMissing, 7, `32 0E 0003"a/b" 0001 "{'a':1}"`},
		{"no QoS behind the filter", mqtt.V311, `82 05 0001 0001"a"`, FaultOptionsMissing, 7, `82 06 0001 0001"a" 00`},
		{"topic length runs past the end, JSON behind", mqtt.V311, `30 0D 0030"a/b" "{'a':12}"`, FaultStringTooLong, 2, `30 0D 0003"a/b" "{'a':12}"`},
		{"the same at QoS 1", mqtt.V311, `32 0F 0030"a/b" 0007 "{'a':12}"`, FaultStringTooLong, 2, `32 0F 0003"a/b" 0007 "{'a':12}"`},
		{"topic length runs past the end, text behind", mqtt.V311, `30 07 0030"a/b" "hi"`, FaultStringTooLong, 2, ``},
		{"filter length runs past the end", 0, `82 08 0001 0030"a/b" 00`, FaultStringTooLong, 4, `82 08 0001 0003"a/b" 00`},
		{"password length runs past the end", 0, `10 14 0004"MQTT" 04 C2 003C 0001"a" 0001"u" 0028"pw"`, FaultStringTooLong, 18, `10 14 0004"MQTT" 04 C2 003C 0001"a" 0001"u" 0002"pw"`},
		{"client identifier length runs past the end", 0, `10 14 0004"MQTT" 04 C2 003C 0031"a" 0001"u" 0002"pw"`, FaultStringTooLong, 12, ``},
		{"password length too short", 0, `10 14 0004"MQTT" 04 C2 003C 0001"a" 0001"u" 0001"pw"`, FaultStringTooShort, 18, `10 14 0004"MQTT" 04 C2 003C 0001"a" 0001"u" 0002"pw"`},
		{"MQTT with level 3 [MQTT3-3.1.2-2]", 0, `10 0F 0004"MQTT" 03 02 003C 0003"dev"`, FaultProtocolLevel, 8, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"MQIsdp with level 4 [MQTT3-3.1.2-2]", 0, `10 0F 0006"MQIsdp" 04 02 003C 0001"a"`, FaultProtocolLevel, 10, `10 0F 0006"MQIsdp" 03 02 003C 0001"a"`},
		{"lower-case protocol name [MQTT3-3.1.2-1]", 0, `10 0F 0004"mqtt" 04 02 003C 0003"dev"`, FaultProtocolName, 4, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"reserved connect flag [MQTT3-3.1.2-3]", 0, `10 0F 0004"MQTT" 04 03 003C 0003"dev"`, FaultReservedFlag, 9, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"reserved connect flag [MQTT5-3.1.2-3]", 0, `10 10 0004"MQTT" 05 03 003C 00 0003"dev"`, FaultReservedFlag, 9, `10 10 0004"MQTT" 05 02 003C 00 0003"dev"`},
		{"will QoS without a will [MQTT3-3.1.2-13]", 0, `10 0F 0004"MQTT" 04 1A 003C 0003"dev"`, FaultConnectFlags, 9, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"will QoS 3 [MQTT3-3.1.2-14]", 0, `10 12 0004"MQTT" 04 1E 003C 0001"a" 0001"w" 0000`, FaultConnectFlags, 9, `10 12 0004"MQTT" 04 0E 003C 0001"a" 0001"w" 0000`},
		{"login without its flags", 0, `10 13 0004"MQTT" 04 02 003C 0001"a" 0001"u" 0001"p"`, FaultConnectFlags, 9, `10 13 0004"MQTT" 04 C2 003C 0001"a" 0001"u" 0001"p"`},
		{"flags without a login", 0, `10 0D 0004"MQTT" 04 C2 003C 0001"a"`, FaultConnectFlags, 9, `10 0D 0004"MQTT" 04 02 003C 0001"a"`},
		{"CR LF behind the packet", 0, `C0 00 0D0A`, FaultLineEnd, 2, `C0 00`},
		{"CR LF behind a PUBLISH", 0, `30 07 0003"a/b" "hi" 0D0A`, FaultLineEnd, 9, `30 07 0003"a/b" "hi"`},
		{"NUL behind the packet", 0, `E0 00 00`, FaultLineEnd, 2, `E0 00`},
		{"CR LF counted by the length", 0, `82 08 0001 0001"a" 00 0D0A`, FaultLineEnd, 8, `82 06 0001 0001"a" 00`},
		{"only a line end", 0, `0D0A`, FaultLineEnd, 0, ``},
		{"wildcard in a topic name [MQTT3-3.3.2-2]", 0, `30 07 0003"a/#" "hi"`, FaultMalformed, 2, ``},
		{"type 0", 0, `05 00`, FaultNotMQTT, 0, ``},
		{"no packet", 0, `FF 23 45`, FaultNotMQTT, 0, ``},
		{"AT command", 0, `"AT+CIPSEND=10" 0D0A`, FaultNotMQTT, 0, ``},
		{"HTTP", 0, `"GET / HTTP/1.1" 0D0A0D0A`, FaultNotMQTT, 0, ``},
		{"TLS", 0, `16 03 01 0200 01 0001FC 0303`, FaultTLS, 0, ``},
		{"hex as text", 0, `"c000"`, FaultHexText, 0, `C0 00`},
		{"hex as text with blanks", 0, `"10 0F 00 04 4D 51 54 54 04 02 00 3C 00 03 64 65 76" 0D0A`, FaultHexText, 0, `10 0F 0004"MQTT" 04 02 003C 0003"dev"`},
		{"nothing", 0, ``, FaultEmpty, 0, ``},
		{"AUTH before 5.0", mqtt.V311, `F0 00`, FaultMalformed, 2, ``},
		{"property of another packet", mqtt.V5, `40 09 0007 00 05 11 00000001`, FaultMalformed, 2, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := wire(t, tt.wire)
			x := Explain(b, tt.v)
			checkExplanation(t, b, tt.v)
			if len(x.Packets) != 1 || len(x.Packets[0].Faults) != 1 {
				t.Fatalf("%d packets: %v", len(x.Packets), x)
			}
			var right []byte
			if tt.right != "" {
				right = wire(t, tt.right)
			}
			wantFault(t, x.Packets[0], tt.code, tt.offset, right)
		})
	}
}

func wantFault(t *testing.T, a Annotated, code string, offset int, right []byte) {
	t.Helper()
	for _, f := range a.Faults {
		if f.Code != code {
			continue
		}
		if f.Offset != offset || !bytes.Equal(f.Corrected, right) {
			t.Errorf("%s at %d, corrected %x\nwant at %d, %x", code, f.Offset, []byte(f.Corrected), offset, right)
		}
		return
	}
	t.Errorf("no %s among %+v", code, a.Faults)
}

// A wantedField is a field in English: the Chinese has tests of its own.
type wantedField struct {
	Offset, Length int
	Name, Meaning  string
	Bytes          Hex
}

func wantField(t *testing.T, a Annotated, want wantedField) {
	t.Helper()
	for _, f := range a.Fields {
		if f.Name == want.Name && f.Offset == want.Offset && f.Length == want.Length {
			if f.Meaning != want.Meaning || !bytes.Equal(f.Bytes, want.Bytes) {
				t.Errorf("field %+v, want %+v", f, want)
			}
			return
		}
	}
	t.Errorf("no field %+v among %+v", want, a.Fields)
}

// What a good packet says must never be called a mistake.
func TestExplainFindsNoFaultInGoodPackets(t *testing.T) {
	for _, s := range fuzzSeeds {
		b := wire(t, s)
		b = append(appendVarint(b[:1:1], len(b)-1), b[1:]...)
		for _, v := range versions {
			if !decodes(b, v) {
				continue
			}
			if a := Explain(b, v).Packets[0]; a.Faults != nil || a.Length != len(b) {
				t.Errorf("%v %x: %+v", v, b, a)
			}
		}
	}
}

func TestExplainLeavesBinaryPayloadsAlone(t *testing.T) {
	for _, payload := range []string{
		"\x00\x05hello",            // somebody's own length
		"\x00\x07{\"a\":1}",        // before JSON too
		"\x01\x00\x09{\"a\":1.5}",  // OneNET's $dp: type and length
		"\x00\x01\x02\x03\x04\x05", // numbers
		"温度",
		"",
		"{}",
		"\x08\x96\x01\x12\x02hi",
	} {
		p := &Publish{Topic: []byte("t"), Payload: []byte(payload)}
		b, err := p.Append(nil, mqtt.V311)
		if err != nil {
			t.Fatal(err)
		}
		if a := Explain(b, mqtt.V311).Packets[0]; a.Faults != nil {
			t.Errorf("payload %q: %+v", payload, a.Faults)
		}
	}
}

func TestExplainGuessesTheVersion(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire string
		want mqtt.Version
	}{
		{"CONNECT says it", `10 10 0004"MQTT" 05 02 003C 00 0003"dev"`, mqtt.V5},
		{"CONNECT says it for what follows", `10 10 0004"MQTT" 05 02 003C 00 0003"dev" 30 08 0003"a/b" 00 "hi"`, mqtt.V5},
		{"MQIsdp", `10 0F 0006"MQIsdp" 03 02 003C 0001"a"`, mqtt.V31},
		{"PUBACK with a reason", `40 03 0007 10`, mqtt.V5},
		{"CONNACK of three bytes", `20 03 00 00 00`, mqtt.V5},
		{"CONNACK of two bytes", `20 02 00 00`, mqtt.V311},
		{"PUBLISH with an empty property length", `30 08 0003"a/b" 00 "hi"`, mqtt.V5},
		{"PUBLISH without", `30 07 0003"a/b" "hi"`, mqtt.V311},
		{"SUBSCRIBE with DUP", `8A 06 0001 0001"a" 00`, mqtt.V31},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := Explain(wire(t, tt.wire), 0)
			if x.Version != tt.want || x.Guessed == (x.Packets[0].Type == "CONNECT") {
				t.Errorf("version %v, guessed %v", x.Version, x.Guessed)
			}
			for _, a := range x.Packets {
				if a.Faults != nil {
					t.Errorf("%+v", a.Faults)
				}
			}
		})
	}
}

func TestExplainNamesEveryProperty(t *testing.T) {
	b := wire(t, `32 23 0001"t" 0007 15 01 01 02 0000000A 03 0004"json" 0B 05 26 0001"k" 0000 "hi"`)
	b[1] = byte(len(b) - 2)
	b[7] = byte(len(b) - 8 - 2)
	x := Explain(b, mqtt.V5)
	if x.Packets[0].Faults != nil {
		t.Fatal(x)
	}
	for _, want := range []wantedField{
		{9, 1, "payload format indicator", "1", Hex{1}},
		{11, 4, "message expiry interval", "10 s", Hex{0, 0, 0, 10}},
		{18, 4, "content type", "json", Hex("json")},
		{23, 1, "subscription identifier", "5", Hex{5}},
		{27, 1, "user property name", "k", Hex("k")},
		{30, 2, "payload", "hi", Hex("hi")},
	} {
		wantField(t, x.Packets[0], want)
	}
}

func TestExplainSeveralFaultsAtOnce(t *testing.T) {
	// no first byte, level 3, reserved flag, password too long, line end
	b := wire(t, `14 0004"MQTT" 03 C3 003C 0001"a" 0001"u" 0028"pw" 0D0A`)
	right := wire(t, `10 14 0004"MQTT" 04 C2 003C 0001"a" 0001"u" 0002"pw"`)
	x := Explain(b, 0)
	checkExplanation(t, b, 0)
	for code, offset := range map[string]int{FaultTypeMissing: 0, FaultProtocolLevel: 7, FaultReservedFlag: 8,
		FaultStringTooLong: 17, FaultLineEnd: 21} {
		wantFault(t, x.Packets[0], code, offset, right)
	}
}

func TestExplainIsBounded(t *testing.T) {
	pings := bytes.Repeat([]byte{0xC0, 0}, maxExplainedPackets+36)
	if x := Explain(pings, 0); len(x.Packets) != maxExplainedPackets || x.Skipped != 72 {
		t.Errorf("%d packets, %d bytes skipped", len(x.Packets), x.Skipped)
	}
	var filters Subscribe
	filters.ID = 1
	for range 3000 {
		filters.Subscriptions = append(filters.Subscriptions, Subscription{Filter: "a/b/c"})
	}
	b, _ := filters.Append(nil, mqtt.V311)
	x := Explain(b, mqtt.V311)
	if len(x.Packets[0].Fields) != maxExplainedFields || x.Packets[0].Faults != nil {
		t.Errorf("%d fields, %+v", len(x.Packets[0].Fields), x.Packets[0].Faults)
	}
	big, _ := (&Publish{Topic: []byte("t"), Payload: make([]byte, 300<<10)}).Append(nil, mqtt.V311)
	x = Explain(big, mqtt.V311)
	if x.Skipped != len(big)-MaxExplained || x.Packets[0].Faults != nil {
		t.Errorf("%d skipped, %+v", x.Skipped, x.Packets[0].Faults)
	}
	if out, _ := json.Marshal(x); len(out) > 8<<10 {
		t.Errorf("%d bytes of JSON for one big payload", len(out))
	}
}

func TestExplainString(t *testing.T) {
	got := Explain(wire(t, `80 06 0001 0001"a" 00`), mqtt.V311).String()
	want := `SUBSCRIBE a, QoS 0; the first byte of a SUBSCRIBE is always 82
     0  80                        packet type and flags       SUBSCRIBE, flags 0010 (if it were 82)
     1  06                        remaining length            6 bytes to follow
     2  00 01                     packet identifier           1
     4  00 01                     topic filter length         1 byte
     6  61                        topic filter                a
     7  00                        subscription options        QoS 0
     !  at 0: the first byte of a SUBSCRIBE is always 82
        write 82
     =  82 06 00 01 00 01 61 00
`
	if got != want {
		t.Errorf("rendered\n%s\nwant\n%s", got, want)
	}
}

func TestExplainJSON(t *testing.T) {
	out, err := json.Marshal(Explain([]byte{0xC0, 0, '\n'}, mqtt.V311))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"packets":[{"type":"PINGREQ","offset":0,"length":3,"fields":[` +
		`{"offset":0,"length":1,"name":"packet type and flags","nameZH":"报文类型与标志","meaning":"PINGREQ, flags 0000","meaningZH":"PINGREQ，标志位 0000","bytes":"c0"},` +
		`{"offset":1,"length":1,"name":"remaining length","nameZH":"剩余长度","meaning":"0 bytes to follow","meaningZH":"其后还有 0 字节","bytes":"00"},` +
		`{"offset":2,"length":1,"name":"surplus","nameZH":"多余的字节","meaning":"line end, not part of the packet","meaningZH":"换行，不属于报文","bytes":"0a"}],` +
		`"faults":[{"offset":2,"code":"line-end","what":"line ends or null bytes stand behind the packet",`
	if !strings.HasPrefix(string(out), want) || !strings.HasSuffix(string(out), `"corrected":"c000"}],"summary":"PINGREQ; line ends or null bytes stand behind the packet","summaryZH":"PINGREQ；报文末尾多了回车、换行或空字符"}],"version":4,"guessed":false}`) {
		t.Errorf("%s", out)
	}
	var back Explanation
	if err := json.Unmarshal(out, &back); err != nil || hex.EncodeToString(back.Packets[0].Faults[0].Corrected) != "c000" {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestExplainSpeaksBothLanguages(t *testing.T) {
	f := Explain(wire(t, `82 08 0001 0030"a/b" 00`), mqtt.V311).Packets[0].Faults[0]
	if f.What != "the length of the topic filter says 48, but it has 3 bytes" || f.Fix != "write 0003" ||
		f.WhatZH != "主题过滤器的长度写的是 48，实际是 3 个字节" || f.FixZH != "改为 0003" {
		t.Errorf("%+v", f)
	}
}

// Whatever Decode complains of must be sayable in Chinese.
func TestEveryDetailIsTranslated(t *testing.T) {
	source := decodeSources(t)
	for detail, zh := range detailsZH {
		if !strings.Contains(source, `"`+detail) {
			t.Errorf("no decoder says %q", detail)
		}
		if zh == "" || strings.ToLower(zh) == detail {
			t.Errorf("%q is not translated", detail)
		}
	}
	for _, detail := range decodeDetails(source) {
		if detailsZH[strings.TrimSuffix(detail, ": ")] == "" {
			t.Errorf("%q has no Chinese", detail)
		}
	}
}
