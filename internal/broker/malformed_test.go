package broker_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestMalformedPackets: each ends its own connection and no other; a 5.0 client
// is told the reason [MQTT5-4.13.1-1], a 3.x client nothing [MQTT3-4.8.0-1];
// Rules hear the bytes and the clause that they break.
func TestMalformedPackets(t *testing.T) {
	forms := malformedHeaders
	forms = append(forms, misplacedPackets...)
	forms = append(forms, malformedPublishes...)
	for _, a := range aliens {
		body := fmt.Sprintf("0001't' %02x %s", len(wire(t, a.bytes)), a.bytes)
		forms = append(forms, only5("PUBLISH with the property "+a.name, "30 : "+body, list5, bad))
	}
	forms = append(forms, malformedAcks("PUBACK", "40", "MQTT5-3.4.2-1")...)
	forms = append(forms, malformedAcks("PUBREC", "50", "MQTT5-3.5.2-1")...)
	forms = append(forms, malformedAcks("PUBREL", "62", "MQTT5-3.6.2-1")...)
	forms = append(forms, malformedAcks("PUBCOMP", "70", "MQTT5-3.7.2-1")...)
	forms = append(forms, malformedSubscribes...)
	forms = append(forms, malformedEnds...)

	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Limits: broker.Limits{TopicLevels: 2, TopicLength: 16}})
	bystander := h.connected("bystander")
	w.next(t, "connected")
	broken := 0
	for _, m := range forms {
		if m.three != "" {
			broken++
			t.Run("3.1.1 "+m.name, func(t *testing.T) { breakIt(t, h, w, h.connected("a"), framed(t, m.three), "", m.clause3) })
		}
		if m.three != "" && !strings.Contains(m.name, only31) {
			broken++
			t.Run("3.1 "+m.name, func(t *testing.T) { breakIt(t, h, w, h.connected31("a"), framed(t, m.three), "", m.clause3) })
		}
		if m.five != "" {
			broken++
			t.Run("5.0 "+m.name, func(t *testing.T) {
				breakIt(t, h, w, h.connected5("a"), framed(t, m.five), fmt.Sprintf("e001 %02x", m.reason), m.clause5)
			})
		}
	}
	bystander.wantSilence()
	if n := h.Counters().Faults.Load(); n != int64(broken) {
		t.Errorf("%d faults, want %d", n, broken)
	}
}

// only31 ends the names of forms that 3.1 allows.
const only31 = ", as only 3.1 has it"

// A malformed packet on an open connection: what it breaks, and what the
// client is told. Without bytes it does not exist in that version.
type malformed struct {
	name    string
	three   string // bytes on a 3.1.1 connection
	clause3 string
	five    string // bytes on a 5.0 connection
	clause5 string
	reason  byte // of the DISCONNECT in 5.0
}

// same is a form that is the same bytes in both versions.
func same(name, bytes, clause3, clause5 string, reason byte) malformed {
	return malformed{name, bytes, clause3, bytes, clause5, reason}
}

// only5 is a form that 3.1.1 does not know.
func only5(name, bytes, clause string, reason byte) malformed {
	return malformed{name, "", "", bytes, clause, reason}
}

const (
	bad     = 0x81 // Malformed Packet
	illegal = 0x82 // Protocol Error

	ends3 = "MQTT3 §2.2.3" // the remaining length is not that of the fields
	ends5 = "MQTT5 §2.1.4"
	list5 = "MQTT5 §2.2.2.2" // the list of properties
)

var malformedHeaders = []malformed{
	same("control packet type 0", "00 00", "MQTT3 §2.2.1", "MQTT5 §2.1.2", bad),
	{"control packet type 15 before 5.0", "f0 00", "MQTT3 §2.2.1", "", "", 0},
	same("a remaining length of five bytes", "30 ffffffff 01", ends3, ends5, bad),
	only5("a remaining length of more bytes than needed", "c0 8000", "MQTT5-1.5.5-1", bad),
	same("a packet larger than the server takes", "30 ffffff7f", ends3, "MQTT5-3.2.2-15", 0x95),
	same("CONNECT with flags", "11 00", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("CONNACK with flags", "21 00", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("PUBACK with flags", "42 02 0001", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("PUBREC with flags", "52 02 0001", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("PUBREL without its flag", "60 02 0001", "MQTT3-3.6.1-1", "MQTT5-3.6.1-1", bad),
	same("PUBREL with DUP"+only31, "6a 02 0001", "MQTT3-3.6.1-1", "MQTT5-3.6.1-1", bad),
	same("PUBCOMP with flags", "72 02 0001", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("SUBSCRIBE without its flag", "80 06 0001 0001't' 00", "MQTT3-3.8.1-1", "MQTT5-3.8.1-1", bad),
	{"SUBSCRIBE with DUP" + only31, "8a : 0001 0001't' 00", "MQTT3-3.8.1-1", "8a : 0001 00 0001't' 00", "MQTT5-3.8.1-1", bad},
	same("SUBACK with flags", "92 00", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("UNSUBSCRIBE without its flag", "a0 05 0001 0001't'", "MQTT3-3.10.1-1", "MQTT5-3.10.1-1", bad),
	{"UNSUBSCRIBE with DUP" + only31, "aa : 0001 0001't'", "MQTT3-3.10.1-1", "aa : 0001 00 0001't'", "MQTT5-3.10.1-1", bad},
	same("UNSUBACK with flags", "b2 00", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("PINGREQ with flags", "c1 00", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("PINGRESP with flags", "d1 00", "MQTT3-2.2.2-2", "MQTT5-2.1.3-1", bad),
	same("DISCONNECT with flags", "e1 00", "MQTT3-3.14.1-1", "MQTT5-3.14.1-1", bad),
	same("AUTH with flags", "f1 00", "MQTT3 §2.2.1", "MQTT5-3.15.1-1", bad),
}

var misplacedPackets = []malformed{
	{"a second CONNECT", "10 : 0004'MQTT' 04 02 003c 0001'a'", "MQTT3-3.1.0-2", "10 : 0004'MQTT' 05 02 003c 00 0001'a'", "MQTT5-3.1.0-2", illegal},
	{"a second CONNECT, malformed", "10 : 0004'MQTT' 04 03 003c 0001'a'", "MQTT3-3.1.2-3", "10 : 0004'MQTT' 05 03 003c 00 0001'a'", "MQTT5-3.1.2-3", bad},
	{"CONNACK", "20 : 0000", "MQTT3 §2.2.1", "20 : 0000 00", "MQTT5 §2.1.2", illegal},
	{"CONNACK with a reserved flag" + only31, "20 : 0200", "MQTT3 §3.2.2.1", "20 : 0200 00", "MQTT5-3.2.2-1", bad},
	{"SUBACK", "90 : 0001 00", "MQTT3 §2.2.1", "90 : 0001 00 00", "MQTT5 §2.1.2", illegal},
	{"UNSUBACK", "b0 : 0001", "MQTT3 §2.2.1", "b0 : 0001 00 00", "MQTT5 §2.1.2", illegal},
	same("PINGRESP", "d0 00", "MQTT3 §2.2.1", "MQTT5 §2.1.2", illegal),
	only5("AUTH that nobody negotiated", "f0 00", "MQTT5-4.12.0-7", illegal),
	only5("AUTH that asks for re-authentication, which fails [MQTT5-4.12.1-2]", "f0 : 19 06 15 0003'KEY'", "MQTT5-4.12.0-7", illegal),
	only5("AUTH with a reason that it does not have", "f0 : 01", "MQTT5-3.15.2-1", bad),
}

var malformedPublishes = []malformed{
	same("no topic name at all", "30 00", ends3, ends5, bad),
	same("half a length of the topic name", "30 01 00", ends3, ends5, bad),
	same("a topic name that runs past the end", "30 : 0009'a/b'", ends3, ends5, bad),
	{"QoS 3", "36 : 0001't' 0007", "MQTT3-3.3.1-4", "36 : 0001't' 0007 00", "MQTT5-3.3.1-4", bad},
	{"QoS 3, repeated and retained", "3f : 0001't' 0007", "MQTT3-3.3.1-4", "3f : 0001't' 0007 00", "MQTT5-3.3.1-4", bad},
	{"DUP at QoS 0", "38 : 0001't'", "MQTT3-3.3.1-2", "38 : 0001't' 00", "MQTT5-3.3.1-2", bad},
	{"a topic name that is not UTF-8 [MQTT3-3.3.2-1] [MQTT5-3.3.2-1]", "30 : 0001 ff", "MQTT3-1.5.3-1", "30 : 0001 ff 00", "MQTT5-1.5.4-1", bad},
	{"a topic name in more bytes than UTF-8 needs", "30 : 0002 c0af", "MQTT3-1.5.3-1", "30 : 0002 c0af 00", "MQTT5-1.5.4-1", bad},
	{"a topic name with half a surrogate pair", "30 : 0003 eda080", "MQTT3-1.5.3-1", "30 : 0003 eda080 00", "MQTT5-1.5.4-1", bad},
	{"a topic name beyond Unicode", "30 : 0004 f4908080", "MQTT3-1.5.3-1", "30 : 0004 f4908080 00", "MQTT5-1.5.4-1", bad},
	{"a topic name cut inside a character", "30 : 0002 e282", "MQTT3-1.5.3-1", "30 : 0002 e282 00", "MQTT5-1.5.4-1", bad},
	{"a topic name with U+0000 [MQTT3-4.7.3-2] [MQTT5-4.7.3-2]", "30 : 0003 'a' 00 'b'", "MQTT3-1.5.3-2", "30 : 0003 'a' 00 'b' 00", "MQTT5-1.5.4-2", bad},
	{"a topic name with + [MQTT3-4.7.1-1] [MQTT5-4.7.0-1]", "30 : 0003'a/+'", "MQTT3-3.3.2-2", "30 : 0003'a/+' 00", "MQTT5-3.3.2-2", 0x90},
	{"a topic name with #", "30 : 0001'#'", "MQTT3-3.3.2-2", "30 : 0001'#' 00", "MQTT5-3.3.2-2", 0x90},
	{"an empty topic name", "30 : 0000 'hi'", "MQTT3-4.7.3-1", "30 : 0000 00 'hi'", "MQTT5 §3.3.2.1", illegal},
	{"a topic name of more levels than the server takes", "30 : 0005'a/b/c'", "MQTT3 §4.7.3", "30 : 0005'a/b/c' 00", "MQTT5 §4.7.3", 0x90},
	{"a topic name longer than the server takes", "30 : 0011'12345678901234567'", "MQTT3 §4.7.3", "30 : 0011'12345678901234567' 00", "MQTT5 §4.7.3", 0x90},
	same("QoS 1 without a packet identifier", "32 : 0001't'", ends3, ends5, bad),
	same("QoS 2 with half a packet identifier", "34 : 0001't' 00", ends3, ends5, bad),
	{"packet identifier 0 at QoS 1", "32 : 0001't' 0000", "MQTT3-2.3.1-1", "32 : 0001't' 0000 00", "MQTT5-2.2.1-3", bad},
	{"packet identifier 0 at QoS 2", "34 : 0001't' 0000", "MQTT3-2.3.1-1", "34 : 0001't' 0000 00", "MQTT5-2.2.1-3", bad},
	only5("no property length [MQTT5-2.2.2-1]", "30 : 0001't'", ends5, bad),
	only5("a property length that runs past the end", "30 : 0001't' 09 0100", ends5, bad),
	only5("a property length of more bytes than needed", "30 : 0001't' 8000", "MQTT5-1.5.5-1", bad),
	only5("a property length of five bytes", "30 : 0001't' 8080808001", "MQTT5 §1.5.5", bad),
	only5("a property that does not exist", "30 : 0001't' 02 0400", list5, bad),
	only5("a property beyond the list", "30 : 0001't' 02 7f00", list5, bad),
	only5("a property identifier of more bytes than needed", "30 : 0001't' 03 810000", "MQTT5-1.5.5-1", bad),
	only5("a byte cut off", "30 : 0001't' 01 01", ends5, bad),
	only5("four bytes cut off", "30 : 0001't' 04 02000000", ends5, bad),
	only5("a string cut off", "30 : 0001't' 04 03 0002'x'", ends5, bad),
	only5("binary data cut off", "30 : 0001't' 04 09 0002'x'", ends5, bad),
	only5("a pair of strings without the second", "30 : 0001't' 04 26 0001'k'", ends5, bad),
	only5("a variable byte integer cut off", "30 : 0001't' 02 0b80", ends5, bad),
	only5("payload format 2", "30 : 0001't' 02 0102", "MQTT5 §3.3.2.3.2", illegal),
	only5("payload format twice", "30 : 0001't' 04 0100 0100", "MQTT5 §3.3.2.3.2", illegal),
	only5("message expiry twice", "30 : 0001't' 0a 0200000001 0200000001", "MQTT5 §3.3.2.3.3", illegal),
	only5("content type twice", "30 : 0001't' 08 030001'x' 030001'x'", "MQTT5 §3.3.2.3.9", illegal),
	only5("response topic twice", "30 : 0001't' 08 080001'x' 080001'x'", "MQTT5 §3.3.2.3.5", illegal),
	only5("correlation data twice", "30 : 0001't' 08 090001'x' 090001'x'", "MQTT5 §3.3.2.3.6", illegal),
	only5("topic alias twice", "30 : 0001't' 06 230001 230001", "MQTT5 §3.3.2.3.4", illegal),
	only5("topic alias 0", "30 : 0001't' 03 230000", "MQTT5-3.3.2-8", 0x94),
	only5("a topic alias above the Topic Alias Maximum", "30 : 0001't' 03 230011", "MQTT5-3.3.2-9", 0x94),
	only5("a topic alias without a topic yet", "30 : 0000 03 230001", "MQTT5 §3.3.2.3.4", illegal),
	only5("a response topic with a wildcard", "30 : 0001't' 04 080001'#'", "MQTT5-3.3.2-14", illegal),
	only5("a response topic that is not UTF-8 [MQTT5-3.3.2-13]", "30 : 0001't' 04 080001 ff", "MQTT5-1.5.4-1", bad),
	only5("a content type that is not UTF-8 [MQTT5-3.3.2-19]", "30 : 0001't' 04 030001 ff", "MQTT5-1.5.4-1", bad),
	only5("a user property whose name is not UTF-8 [MQTT5-1.5.7-1]", "30 : 0001't' 07 26 0001 ff 0001'v'", "MQTT5-1.5.4-1", bad),
	only5("a user property whose value has U+0000", "30 : 0001't' 07 26 0001'k' 0001 00", "MQTT5-1.5.4-2", bad),
	only5("a subscription identifier", "30 : 0001't' 02 0b01", "MQTT5-3.3.4-6", illegal),
	only5("subscription identifier 0", "30 : 0001't' 02 0b00", "MQTT5 §3.3.2.3.8", illegal),
}

// aliens are the properties that a PUBLISH does not carry, with a value of
// their type [MQTT5 table 2-4].
var aliens = []struct{ name, bytes string }{
	{"session expiry interval", "1100000001"}, {"assigned client identifier", "120001'x'"}, {"server keep alive", "130001"},
	{"authentication method", "150001'x'"}, {"authentication data", "160001'x'"}, {"request problem information", "1700"},
	{"will delay interval", "1800000001"}, {"request response information", "1900"}, {"response information", "1a0001'x'"},
	{"server reference", "1c0001'x'"}, {"reason string", "1f0001'x'"}, {"receive maximum", "210001"},
	{"topic alias maximum", "220001"}, {"maximum QoS", "2400"}, {"retain available", "2500"},
	{"maximum packet size", "2700000001"}, {"wildcard subscription available", "2800"},
	{"subscription identifier available", "2900"}, {"shared subscription available", "2a00"},
}

// malformedAcks are the forms of PUBACK, PUBREC, PUBREL and PUBCOMP, whose
// first byte is head and whose reason codes clause lists.
func malformedAcks(name, head, clause string) []malformed {
	return []malformed{
		same(name+" without an identifier", head+" 00", ends3, ends5, bad),
		same(name+" with half an identifier", head+" 01 00", ends3, ends5, bad),
		same(name+" with identifier 0", head+" 02 0000", "MQTT3-2.3.1-1", "MQTT5-2.2.1-3", bad),
		{name + " with bytes behind", head + " 03 0001 00", ends3, head + ": 0001 00 00 00", ends5, bad},
		only5(name+" with a reason that it does not have", head+": 0001 01", clause, bad),
		only5(name+" with a property length that runs past the end", head+": 0001 00 05", ends5, bad),
		only5(name+" with a property that it does not carry", head+": 0001 00 02 0100", list5, bad),
		only5(name+" with two reason strings", head+": 0001 00 06 1f0000 1f0000", "MQTT5 §3.2.2.3.9", illegal),
		only5(name+" with a reason string that is not UTF-8", head+": 0001 00 04 1f0001 ff", "MQTT5-1.5.4-1", bad),
	}
}

var malformedSubscribes = []malformed{
	same("SUBSCRIBE without an identifier", "82 00", ends3, ends5, bad),
	{"SUBSCRIBE with identifier 0", "82 : 0000 0001't' 00", "MQTT3-2.3.1-1", "82 : 0000 00 0001't' 00", "MQTT5-2.2.1-3", bad},
	{"SUBSCRIBE without a topic filter", "82 : 0001", "MQTT3-3.8.3-3", "82 : 0001 00", "MQTT5-3.8.3-2", illegal},
	{"SUBSCRIBE with half a length of the filter", "82 : 0001 00", ends3, "82 : 0001 00 00", ends5, bad},
	{"SUBSCRIBE with a filter that runs past the end", "82 : 0001 0005't'", ends3, "82 : 0001 00 0005't'", ends5, bad},
	{"SUBSCRIBE without a QoS", "82 : 0001 0001't'", ends3, "82 : 0001 00 0001't'", ends5, bad},
	{"SUBSCRIBE whose second filter has no QoS", "82 : 0001 0001't' 00 0001'u'", ends3, "82 : 0001 00 0001't' 00 0001'u'", ends5, bad},
	{"SUBSCRIBE with a filter that is not UTF-8 [MQTT3-3.8.3-1] [MQTT5-3.8.3-1]", "82 : 0001 0001 ff 00", "MQTT3-1.5.3-1", "82 : 0001 00 0001 ff 00", "MQTT5-1.5.4-1", bad},
	{"SUBSCRIBE with a filter with U+0000", "82 : 0001 0001 00 00", "MQTT3-1.5.3-2", "82 : 0001 00 0001 00 00", "MQTT5-1.5.4-2", bad},
	{"SUBSCRIBE with QoS 3", "82 : 0001 0001't' 03", "MQTT3-3.8.3-4", "82 : 0001 00 0001't' 03", "MQTT5 §3.8.3.1", illegal},
	{"SUBSCRIBE with a reserved bit" + only31, "82 : 0001 0001't' 04", "MQTT3-3.8.3-4", "82 : 0001 00 0001't' 40", "MQTT5-3.8.3-5", bad},
	{"SUBSCRIBE with the other reserved bit" + only31, "82 : 0001 0001't' 80", "MQTT3-3.8.3-4", "82 : 0001 00 0001't' 80", "MQTT5-3.8.3-5", bad},
	only5("SUBSCRIBE with Retain Handling 3", "82 : 0001 00 0001't' 30", "MQTT5 §3.8.3.1", illegal),
	only5("SUBSCRIBE with No Local for a shared filter", "82 : 0001 00 000a'$share/g/t' 04", "MQTT5-3.8.3-4", illegal),
	only5("SUBSCRIBE without a property length", "82 : 0001", ends5, bad),
	only5("SUBSCRIBE with subscription identifier 0", "82 : 0001 02 0b00 0001't' 00", "MQTT5 §3.8.2.1.2", illegal),
	only5("SUBSCRIBE with two subscription identifiers", "82 : 0001 04 0b01 0b02 0001't' 00", "MQTT5 §3.8.2.1.2", illegal),
	only5("SUBSCRIBE with a subscription identifier of five bytes", "82 : 0001 06 0b8080808001 0001't' 00", "MQTT5 §1.5.5", bad),
	only5("SUBSCRIBE with a property that it does not carry", "82 : 0001 03 230001 0001't' 00", list5, bad),
	same("UNSUBSCRIBE without an identifier", "a2 00", ends3, ends5, bad),
	{"UNSUBSCRIBE with identifier 0", "a2 : 0000 0001't'", "MQTT3-2.3.1-1", "a2 : 0000 00 0001't'", "MQTT5-2.2.1-3", bad},
	{"UNSUBSCRIBE without a topic filter", "a2 : 0001", "MQTT3-3.10.3-2", "a2 : 0001 00", "MQTT5-3.10.3-2", illegal},
	{"UNSUBSCRIBE with a filter that runs past the end", "a2 : 0001 0005't'", ends3, "a2 : 0001 00 0005't'", ends5, bad},
	{"UNSUBSCRIBE with a QoS behind the filter", "a2 : 0001 0001't' 00", ends3, "a2 : 0001 00 0001't' 00", ends5, bad},
	{"UNSUBSCRIBE with a filter that is not UTF-8 [MQTT3-3.10.3-1] [MQTT5-3.10.3-1]", "a2 : 0001 0001 ff", "MQTT3-1.5.3-1", "a2 : 0001 00 0001 ff", "MQTT5-1.5.4-1", bad},
	{"UNSUBSCRIBE with a filter with U+0000", "a2 : 0001 0001 00", "MQTT3-1.5.3-2", "a2 : 0001 00 0001 00", "MQTT5-1.5.4-2", bad},
	only5("UNSUBSCRIBE with a property that it does not carry", "a2 : 0001 02 0b01 0001't'", list5, bad),
}

var malformedEnds = []malformed{
	same("PINGREQ with a body", "c0 01 00", ends3, ends5, bad),
	{"DISCONNECT with a body before 5.0", "e0 01 00", ends3, "", "", 0},
	only5("DISCONNECT with a reason that it does not have", "e0 : 01", "MQTT5-3.14.2-1", bad),
	only5("DISCONNECT with a property length that runs past the end", "e0 : 00 05", ends5, bad),
	only5("DISCONNECT with bytes behind", "e0 : 00 00 00", ends5, bad),
	only5("DISCONNECT with a property that it does not carry", "e0 : 00 03 210001", list5, bad),
	only5("DISCONNECT with two session expiry intervals", "e0 : 00 0a 1100000000 1100000000", "MQTT5 §3.1.2.11.2", illegal),
	only5("DISCONNECT that keeps a session which ends with its connection", "e0 : 00 05 1100000010", "MQTT5 §3.14.2.2.2", illegal),
}

// framed reads bytes as wire does, with the remaining length of what follows
// in the place of a colon.
func framed(t *testing.T, s string) string {
	t.Helper()
	head, body, ok := strings.Cut(s, ":")
	if !ok {
		return s
	}
	n := len(wire(t, body))
	length := fmt.Sprintf("%02x", n)
	if n >= 0x80 {
		length = fmt.Sprintf("%02x%02x", n&0x7f|0x80, n>>7)
	}
	return head + length + body
}

// breakIt sends broken bytes on the open connection p, and a PINGREQ behind
// them that must not be answered.
func breakIt(t *testing.T, h *house, w *witness, p *peer, send, told, clause string) {
	t.Helper()
	p.t = t
	c := w.next(t, "connected").client
	p.send(send + " c000")
	p.want(told)
	p.wantEnd()
	e := w.next(t, "faulty")
	if !strings.HasPrefix(e.raw, string(wire(t, send))) {
		t.Errorf("Rules were shown % x", e.raw)
	}
	wantClause(t, e.err, clause)
	if e.client != c {
		t.Error("Rules were told of another client")
	}
	if e := w.next(t, "closed"); e.client != c || e.cause != broker.Faulted {
		t.Errorf("closed because %v", e.cause)
	}
}

func wantClause(t *testing.T, err error, clause string) {
	t.Helper()
	pe, ok := errors.AsType[*packet.Error](err)
	if !ok || pe.Clause != clause || pe.Detail == "" {
		t.Errorf("why: %v, want clause %s", err, clause)
	}
}

// A refused CONNECT, or what came in the place of one.
type unconnectable struct {
	name   string
	bytes  string
	want   string // the CONNACK, if any
	clause string
}

// connects puts the flags and what follows the keep-alive into a CONNECT of
// each version, 5.0's with the properties.
func connects(name, flags, rest3, clause3, rest5, clause5 string, reason byte) []unconnectable {
	return []unconnectable{
		{"3.1.1 " + name, "10 : 0004'MQTT' 04 " + flags + " 003c " + rest3, "", clause3},
		{"5.0 " + name, "10 : 0004'MQTT' 05 " + flags + " 003c " + rest5, fmt.Sprintf("2003 00%02x 00", reason), clause5},
	}
}

func connect5only(name, flags, rest, clause string, reason byte) []unconnectable {
	return connects(name, flags, "", "", rest, clause, reason)[1:]
}

// TestMalformedConnects: a 5.0 client is told the reason [MQTT5-3.1.4-1], a 3.x
// client only of a protocol level or an identifier [MQTT3-3.1.4-1]; Rules hear
// the bytes and the clause that they break.
func TestMalformedConnects(t *testing.T) {
	var forms []unconnectable
	add := func(list ...unconnectable) { forms = append(forms, list...) }
	for first := range 16 {
		if typ := packet.Type(first); typ != packet.TypeConnect {
			head := []byte{byte(first << 4)}
			switch typ {
			case packet.TypePubrel, packet.TypeSubscribe, packet.TypeUnsubscribe:
				head[0] |= 2
			}
			if head[0] >= 'A' && head[0] <= 'Z' {
				continue // may be HTTP, and is handled as such
			}
			add(unconnectable{typ.String() + " in the place of CONNECT", hex.EncodeToString(head) + " 00", "", "MQTT3-3.1.0-1"})
		}
	}
	add(
		unconnectable{"CONNECT with flags", "11 : 0004'MQTT' 05 02 003c 00 0001'a'", "", "MQTT3-2.2.2-2"},
		unconnectable{"a remaining length of five bytes", "10 ffffffff 01", "", ends3},
		unconnectable{"a CONNECT larger than the server takes", "10 ffff7f", "", ends3},
		unconnectable{"an empty CONNECT", "10 00", "", ends3},
		unconnectable{"a protocol name that runs past the end", "10 : 0009'MQTT' 04", "", ends3},
		unconnectable{"a protocol name that is not UTF-8", "10 : 0004'MQT' ff 04 02 003c 0001'a'", "", "MQTT3-1.5.3-1"},
		unconnectable{"no protocol level", "10 : 0004'MQTT'", "", ends3},
		unconnectable{"3.1.1 another protocol name", "10 : 0004'HTTP' 04 02 003c 0001'a'", "2002 0001", "MQTT3-3.1.2-1"},
		unconnectable{"3.1.1 the protocol name in small letters", "10 : 0004'mqtt' 04 02 003c 0001'a'", "2002 0001", "MQTT3-3.1.2-1"},
		unconnectable{"5.0 another protocol name", "10 : 0004'HTTP' 05 02 003c 00 0001'a'", "2003 0084 00", "MQTT3-3.1.2-1"},
		unconnectable{"MQTT with level 3", "10 : 0004'MQTT' 03 02 003c 0001'a'", "2002 0001", "MQTT3-3.1.2-2"},
		unconnectable{"MQTT with level 6", "10 : 0004'MQTT' 06 02 003c 00 0001'a'", "2002 0001", "MQTT3-3.1.2-2"},
		unconnectable{"MQTT with level 4 of a bridge", "10 : 0004'MQTT' 84 02 003c 0001'a'", "2002 0001", "MQTT3-3.1.2-2"},
		unconnectable{"MQIsdp with level 4", "10 : 0006'MQIsdp' 04 02 003c 0001'a'", "2002 0001", "MQTT3-3.1.2-2"},
		unconnectable{"3.1 an empty client identifier, although clean", "10 : 0006'MQIsdp' 03 02 003c 0000", "2002 0002", "MQTT3-3.1.3-8"},
		unconnectable{"3.1.1 an empty client identifier of a kept session", "10 : 0004'MQTT' 04 00 003c 0000", "2002 0002", "MQTT3-3.1.3-8"},
		unconnectable{"3.1.1 a password without a user name", "10 : 0004'MQTT' 04 42 003c 0001'a' 0001'p'", "", "MQTT3-3.1.2-22"},
		unconnectable{"5.0 a remaining length of more bytes than needed", "10 8e00 0004'MQTT' 05 02 003c 00 0001'a'", "2003 0081 00", "MQTT5-1.5.5-1"},
	)
	add(connects("the reserved flag", "03", "0001'a'", "MQTT3-3.1.2-3", "00 0001'a'", "MQTT5-3.1.2-3", bad)...)
	add(connects("will QoS without a will", "0a", "0001'a'", "MQTT3-3.1.2-13", "00 0001'a'", "MQTT5-3.1.2-11", bad)...)
	add(connects("will retain without a will", "22", "0001'a'", "MQTT3-3.1.2-15", "00 0001'a'", "MQTT5-3.1.2-13", bad)...)
	add(connects("will QoS 3", "1e", "0001'a' 0001'w' 0000", "MQTT3-3.1.2-14", "00 0001'a' 00 0001'w' 0000", "MQTT5-3.1.2-12", bad)...)
	add(connects("no client identifier at all [MQTT3-3.1.3-3] [MQTT5-3.1.3-3]", "02", "", ends3, "00", ends5, bad)...)
	add(connects("a client identifier that runs past the end", "02", "0009'a'", ends3, "00 0009'a'", ends5, bad)...)
	add(connects("a client identifier that is not UTF-8 [MQTT3-3.1.3-4] [MQTT5-3.1.3-4]", "02", "0001 ff", "MQTT3-1.5.3-1", "00 0001 ff", "MQTT5-1.5.4-1", bad)...)
	add(connects("a client identifier with U+0000", "02", "0001 00", "MQTT3-1.5.3-2", "00 0001 00", "MQTT5-1.5.4-2", bad)...)
	add(connects("a will flag without a will [MQTT3-3.1.2-9] [MQTT5-3.1.2-9]", "06", "0001'a'", ends3, "00 0001'a'", ends5, bad)...)
	add(connects("a will without a payload", "06", "0001'a' 0001'w'", ends3, "00 0001'a' 00 0001'w'", ends5, bad)...)
	add(connects("a will topic that is empty", "06", "0001'a' 0000 0000", "MQTT3-4.7.3-1", "00 0001'a' 00 0000 0000", "MQTT5-4.7.3-1", 0x90)...)
	add(connects("a will topic with a wildcard", "06", "0001'a' 0001'#' 0000", "MQTT3-3.3.2-2", "00 0001'a' 00 0001'#' 0000", "MQTT5-3.3.2-2", 0x90)...)
	add(connects("a will topic that is not UTF-8 [MQTT3-3.1.3-10] [MQTT5-3.1.3-11]", "06", "0001'a' 0001 ff 0000", "MQTT3-1.5.3-1", "00 0001'a' 00 0001 ff 0000", "MQTT5-1.5.4-1", bad)...)
	add(connects("a will but no flag for it [MQTT3-3.1.2-11]", "02", "0001'a' 0001'w' 0000", ends3, "00 0001'a' 00 0001'w' 0000", ends5, bad)...)
	add(connects("a user name flag without one [MQTT3-3.1.2-19] [MQTT5-3.1.2-17]", "82", "0001'a'", ends3, "00 0001'a'", ends5, bad)...)
	add(connects("a user name but no flag for it [MQTT3-3.1.2-18] [MQTT5-3.1.2-16]", "02", "0001'a' 0001'u'", ends3, "00 0001'a' 0001'u'", ends5, bad)...)
	add(connects("a user name that is not UTF-8 [MQTT3-3.1.3-11] [MQTT5-3.1.3-12]", "82", "0001'a' 0001 ff", "MQTT3-1.5.3-1", "00 0001'a' 0001 ff", "MQTT5-1.5.4-1", bad)...)
	add(connects("a password flag without one [MQTT3-3.1.2-21] [MQTT5-3.1.2-19]", "c2", "0001'a' 0001'u'", ends3, "00 0001'a' 0001'u'", ends5, bad)...)
	add(connects("a password but no flag for it [MQTT3-3.1.2-20] [MQTT5-3.1.2-18]", "82", "0001'a' 0001'u' 0001'p'", ends3, "00 0001'a' 0001'u' 0001'p'", ends5, bad)...)
	add(connect5only("no property length [MQTT5-2.2.2-1]", "02", "", ends5, bad)...)
	add(connect5only("a property length that runs past the end", "02", "7f 0001'a'", ends5, bad)...)
	add(connect5only("a property that does not exist", "02", "02 0400 0001'a'", list5, bad)...)
	add(connect5only("a property of a PUBLISH", "02", "02 0100 0001'a'", list5, bad)...)
	add(connect5only("a will delay outside of the will", "02", "05 1800000001 0001'a'", list5, bad)...)
	add(connect5only("session expiry twice", "02", "0a 1100000001 1100000001 0001'a'", "MQTT5 §3.1.2.11.2", illegal)...)
	add(connect5only("Receive Maximum 0", "02", "03 210000 0001'a'", "MQTT5 §3.1.2.11.3", illegal)...)
	add(connect5only("Receive Maximum twice", "02", "06 210001 210001 0001'a'", "MQTT5 §3.1.2.11.3", illegal)...)
	add(connect5only("Maximum Packet Size 0", "02", "05 2700000000 0001'a'", "MQTT5 §3.1.2.11.4", illegal)...)
	add(connect5only("Maximum Packet Size twice", "02", "0a 2700001000 2700001000 0001'a'", "MQTT5 §3.1.2.11.4", illegal)...)
	add(connect5only("Topic Alias Maximum twice", "02", "06 220001 220001 0001'a'", "MQTT5 §3.1.2.11.5", illegal)...)
	add(connect5only("Request Response Information 2", "02", "02 1902 0001'a'", "MQTT5 §3.1.2.11.6", illegal)...)
	add(connect5only("Request Response Information twice", "02", "04 1900 1900 0001'a'", "MQTT5 §3.1.2.11.6", illegal)...)
	add(connect5only("Request Problem Information 2", "02", "02 1702 0001'a'", "MQTT5 §3.1.2.11.7", illegal)...)
	add(connect5only("Request Problem Information twice", "02", "04 1700 1700 0001'a'", "MQTT5 §3.1.2.11.7", illegal)...)
	add(connect5only("authentication method twice", "02", "08 150001'x' 150001'x' 0001'a'", "MQTT5 §3.1.2.11.9", illegal)...)
	add(connect5only("authentication data without a method", "02", "04 160001'x' 0001'a'", "MQTT5 §3.1.2.11.10", illegal)...)
	add(connect5only("session expiry inside the will", "06", "00 0001'a' 05 1100000001 0001'w' 0000", list5, bad)...)
	add(connect5only("will delay twice", "06", "00 0001'a' 0a 1800000001 1800000001 0001'w' 0000", "MQTT5 §3.1.3.2.2", illegal)...)
	add(connect5only("a will with payload format 2", "06", "00 0001'a' 02 0102 0001'w' 0000", "MQTT5 §3.3.2.3.2", illegal)...)
	add(connect5only("a will with a response topic with a wildcard", "06", "00 0001'a' 04 080001'+' 0001'w' 0000", "MQTT5-3.3.2-14", illegal)...)
	add(unconnectable{"5.0 a malformed one of a client that takes no CONNACK", "10 : 0004'MQTT' 05 02 003c 05 2700000004 0009'a'", "", ends5})

	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	for _, m := range forms {
		t.Run(m.name, func(t *testing.T) {
			p := h.dial()
			p.t = t
			bytes := framed(t, m.bytes)
			p.send(bytes)
			p.want(m.want)
			p.wantEnd()
			e := w.next(t, "rejected")
			if !strings.HasPrefix(e.raw, string(wire(t, bytes))) {
				t.Errorf("Rules were shown % x", e.raw)
			}
			wantClause(t, e.err, m.clause)
		})
	}
	if c := h.Counters(); c.Rejected.Load() != int64(len(forms)) || c.Sessions.Load() != 0 {
		t.Errorf("%d rejected of %d, %d sessions", c.Rejected.Load(), len(forms), c.Sessions.Load())
	}
	if len(w.events) > 0 {
		t.Errorf("Rules were told %+v as well", <-w.events)
	}
}

// TestTooManyProperties: what the specification does not bound, this server
// does, and says so.
func TestTooManyProperties(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w})
	many := &packet.Publish{Topic: []byte("t"), Properties: &packet.Properties{UserProperties: make([]packet.UserProperty, 1025)}}
	p := h.connected5("a")
	w.next(t, "connected")
	p.put(mqtt.V5, many)
	p.want("e001 97")
	p.wantEnd()
	wantClause(t, w.next(t, "faulty").err, "MQTT5 §3.3.2.3.7")
}

// TestInvalidFilters fail alone, in the order in which they come
// [MQTT3-4.7.1-2] [MQTT3-4.7.1-3] [MQTT3-4.7.3-1] [MQTT5-4.7.1-1]
// [MQTT5-4.7.1-2] [MQTT5-4.7.3-1] [MQTT5-4.8.2-1] [MQTT5-4.8.2-2].
func TestInvalidFilters(t *testing.T) {
	filters := []string{"", "#/", "a#", "#a", "a/#/b", "##", "a/b#", "+a", "a+", "a/+b/c", "++", "#+", "+#",
		"$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a", "$share/#/a", "$share/g+/a", "$share/g/a#"}
	h := serve(t, broker.Options{})
	for _, v := range []struct {
		p    *peer
		v    mqtt.Version
		fail mqtt.ReasonCode
	}{{h.connected5("five"), mqtt.V5, mqtt.TopicFilterInvalid}, {h.connected("three"), mqtt.V311, mqtt.UnspecifiedError}} {
		for _, filter := range filters {
			v.p.put(v.v, &packet.Subscribe{ID: 1, Subscriptions: []packet.Subscription{{Filter: "a/+/#"}, {Filter: filter}, {Filter: "b"}}})
			ack, ok := v.p.get(v.v).(*packet.Suback)
			if !ok || len(ack.Reasons) != 3 || ack.Reasons[0] != 0 || ack.Reasons[1] != v.fail || ack.Reasons[2] != 0 {
				t.Errorf("%v %q: %+v", v.v, filter, ack)
			}
		}
		v.p.wantSilence()
	}
}

// TestFieldsOfAConnect: which are there the flags say, their order is fixed
// [MQTT3-3.1.3-1] [MQTT5-3.1.3-1].
func TestFieldsOfAConnect(t *testing.T) {
	for _, tt := range []struct{ name, flags, rest, want string }{
		{"identifier", "02", "0001'1'", "1 - - - -"},
		{"identifier, will", "06", "0001'1' WILL 0001'2' 0001'3'", "1 2 3 - -"},
		{"identifier, user name", "82", "0001'1' 0001'4'", "1 - - 4 -"},
		{"identifier, user name, password", "c2", "0001'1' 0001'4' 0001'5'", "1 - - 4 5"},
		{"all", "c6", "0001'1' WILL 0001'2' 0001'3' 0001'4' 0001'5'", "1 2 3 4 5"},
	} {
		for _, v := range []struct{ head, properties, connack string }{
			{"10 : 0004'MQTT' 04 ", "", "2002 0005"}, {"10 : 0004'MQTT' 05 ", "00", "2003 0087 00"}, {"10 : 0006'MQIsdp' 03 ", "", "2002 0005"},
		} {
			t.Run(v.head+tt.name, func(t *testing.T) {
				w := newWitness()
				got := make(chan string, 1)
				w.connect = func(c *packet.Connect, _ broker.Origin) (*broker.Grant, error) {
					fields := []string{c.ClientID, "-", "-", "-", "-"}
					if c.Will != nil {
						fields[1], fields[2] = c.Will.Topic, string(c.Will.Payload)
					}
					if c.HasUsername {
						fields[3] = c.Username
					}
					if c.HasPassword {
						fields[4] = string(c.Password)
					}
					got <- strings.Join(fields, " ")
					return nil, &broker.Refusal{Reason: mqtt.NotAuthorized}
				}
				p := serve(t, broker.Options{Rules: w}).dial()
				p.send(framed(t, v.head+tt.flags+" 003c "+v.properties+strings.ReplaceAll(tt.rest, "WILL", v.properties)))
				p.want(v.connack)
				p.wantEnd()
				if fields := <-got; fields != tt.want {
					t.Errorf("Rules were asked about %s, want %s", fields, tt.want)
				}
			})
		}
	}
}
