package packet

import "github.com/matou-iot/matou/mqtt"

// A Header is the fixed header of a packet [MQTT3 §2.2] [MQTT5 §2.1].
type Header struct {
	Type      Type
	Flags     byte // the lower four bits of the first byte
	Remaining int  // remaining length: bytes that follow the header
	Size      int  // of the header itself, 2 to 5 bytes
}

// Bits of the flags of a PUBLISH [MQTT3 §3.3.1], and the one pattern that
// PUBREL, SUBSCRIBE and UNSUBSCRIBE have [MQTT3 §2.2.2].
const (
	flagRetain   = 0b0001
	flagReserved = 0b0010
	flagDup      = 0b1000
	shiftQoS     = 1
)

// ParseHeader reads the fixed header at the start of b. It returns
// ErrIncomplete while b ends inside the header, and an *Error for one that can
// become no packet: a remaining length of five bytes, or flags that the type
// does not have [MQTT3-2.2.2-2]. It does not know the version and lets pass
// what one of them allows: type 15, and the DUP flag that 3.1 sets on a
// repeated PUBREL, SUBSCRIBE or UNSUBSCRIBE. Decode refuses those where they
// do not belong.
func ParseHeader(b []byte) (Header, error) { return ParseHeaderOf(b, 0) }

// ParseHeaderOf is ParseHeader on a connection that speaks version v, 0 while
// that is unknown: its errors name the clauses of v.
func ParseHeaderOf(b []byte, v mqtt.Version) (Header, error) {
	if len(b) == 0 {
		return Header{}, ErrIncomplete
	}
	h := Header{Type: Type(b[0] >> 4), Flags: b[0] & 0x0F}
	if h.Type != 0 && !h.flagsAllowed(mqtt.V31) {
		return Header{}, h.flagsError(v)
	}
	for i := 1; i < MaxHeaderSize; i++ {
		if i == len(b) {
			return Header{}, ErrIncomplete
		}
		h.Remaining |= int(b[i]&0x7F) << (7 * (i - 1))
		if b[i] < 0x80 {
			h.Size = i + 1
			return h, nil
		}
	}
	return Header{}, h.malformed(v, "MQTT3 §2.2.3", "MQTT5 §2.1.4", "the remaining length has more than four bytes")
}

// wantFlags are the flags of a packet other than PUBLISH [MQTT3 §2.2.2].
func wantFlags(t Type) byte {
	switch t {
	case TypePubrel, TypeSubscribe, TypeUnsubscribe:
		return flagReserved
	}
	return 0
}

// flagsAllowed reports whether version v knows these flags; those of a PUBLISH
// are left to its Decode. In 3.1, SUBSCRIBE, UNSUBSCRIBE and PUBREL are
// messages of QoS 1 that carry DUP when they are repeated.
func (h Header) flagsAllowed(v mqtt.Version) bool {
	want := wantFlags(h.Type)
	return h.Flags == want || h.Type == TypePublish ||
		v == mqtt.V31 && want == flagReserved && h.Flags == want|flagDup
}

// flagsClauses say which flags a type has, where it has a statement of its own
// for them; the same numbers in both versions.
var flagsClauses = [16]string{
	TypePubrel: "3.6.1-1", TypeSubscribe: "3.8.1-1", TypeUnsubscribe: "3.10.1-1",
	TypeDisconnect: "3.14.1-1", TypeAuth: "3.15.1-1",
}

func (h Header) flagsError(v mqtt.Version) *Error {
	three, five := "MQTT3-2.2.2-2", "MQTT5-2.1.3-1"
	if own := flagsClauses[h.Type]; own != "" {
		three, five = "MQTT3-"+own, "MQTT5-"+own
	}
	switch {
	case h.Type == TypeAuth && v == 0: // it can only mean 5.0
		three = five
	case h.Type == TypeAuth && v < mqtt.V5:
		return h.malformed(v, "MQTT3 §2.2.1", "", "control packet type 15 is reserved before 5.0")
	}
	return h.malformed(v, three, five, "the flags of the first byte are not the ones this packet has")
}

// malformed names the clause of v that the packet breaks: three before 5.0.
func (h Header) malformed(v mqtt.Version, three, five, detail string) *Error {
	clause := three
	if v >= mqtt.V5 {
		clause = five
	}
	return &Error{h.Type.String(), clause, detail, mqtt.MalformedPacket}
}

// check refuses a header that version v does not allow before its body.
func (h Header) check(body []byte, v mqtt.Version) error {
	if !h.flagsAllowed(v) {
		return h.flagsError(v)
	}
	if len(body) != h.Remaining {
		return h.malformed(v, "MQTT3 §2.2.3", "MQTT5 §2.1.4", "the remaining length is not the number of bytes that follow")
	}
	if v == mqtt.V5 && h.Size > 1+varintSize(h.Remaining) {
		return h.malformed(v, "", "MQTT5-1.5.5-1", "the remaining length is written in more bytes than needed")
	}
	return nil
}

// varintSize is the number of bytes that n takes as a variable byte integer.
func varintSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<21:
		return 3
	}
	return 4
}

func appendVarint(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// appendHeader begins a packet whose body has n bytes. Those that call it have
// compared n with MaxRemainingLength.
func appendHeader(dst []byte, t Type, flags byte, n int) []byte {
	return appendVarint(append(dst, byte(t)<<4|flags), n)
}
