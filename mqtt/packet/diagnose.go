package packet

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/matou-iot/matou/mqtt"
)

// maxRepairs bounds the repairs of one body; each of them is tried once.
const maxRepairs = 12

// diagnose settles what the packet on the bench is, notes its faults and
// repairs them. It reports false for bytes that are no packet; their one fault
// is noted. more says that the input goes on behind what we look at.
func (w *work) diagnose(more bool) bool {
	if !w.proper() {
		if w.foreign() {
			return false
		}
		w.start()
		if !w.flags() {
			return false
		}
		if !w.length(more) {
			return true
		}
	}
	w.lineEnd()
	w.repair()
	w.identifier()
	w.settle()
	return true
}

// proper reports whether a whole good packet stands at the front, and whether
// what is behind it can be another.
func (w *work) proper() bool {
	h, err := ParseHeader(w.b)
	if err != nil || h.Size+h.Remaining > len(w.b) {
		return false
	}
	size := h.Size + h.Remaining
	if !decodes(w.b[:size], w.v) || !w.tail(size) {
		return false
	}
	w.size = size
	return true
}

// settle gives every fault the repaired packet, if it is one now.
func (w *work) settle() {
	if len(w.faults) == 0 || !decodes(w.packet(), w.v) {
		return
	}
	corrected := slices.Clone(w.packet())
	for i := range w.faults {
		w.faults[i].Corrected = corrected
	}
}

// foreign notes bytes that were never meant to be a packet.
func (w *work) foreign() bool {
	switch {
	case lineEnds(w.b) == len(w.b):
		w.fault(FaultLineEnd, 0, sayLineEnd)
	case len(w.b) >= 4 && isText(w.b):
		if b, err := ParseHex(string(w.b)); err == nil {
			w.fault(FaultHexText, 0, sayHexText)
			w.faults[0].Corrected = b
			return true
		}
		w.fault(FaultNotMQTT, 0, sayText)
	case len(w.b) >= 2 && w.b[0] == 0x16 && w.b[1] == 0x03: // handshake of TLS 1.x
		w.fault(FaultTLS, 0, sayTLS)
	default:
		return false
	}
	return true
}

// start finds a CONNECT that begins too late: without its first byte, its
// remaining length, or both.
func (w *work) start() {
	at := protocolAt(w.b)
	if at < 0 || at >= 2 && w.b[0]>>4 == byte(TypeConnect) {
		return
	}
	if at == 0 {
		w.insert(0, appendHeader(nil, TypeConnect, 0, len(w.b)-lineEnds(w.b))...)
		w.fault(FaultTypeMissing, 0, sayStartMissing)
		return
	}
	if at == 1 && w.b[0] == byte(TypeConnect)<<4 && len(w.b)-1 != int(w.b[0]) {
		w.insert(1, appendVarint(nil, len(w.b)-1-lineEnds(w.b))...)
		w.fault(FaultLengthMissing, 1, sayLengthMissing)
		return
	}
	if _, size, state := readLength(w.b[:at]); at > 1 && (state != lengthWhole || size != at) {
		return
	}
	w.insert(0, byte(TypeConnect)<<4)
	w.fault(FaultTypeMissing, 0, sayTypeMissing)
}

// protocolAt is where the protocol name of a CONNECT with its length stands in
// the first bytes, -1 where it does not.
func protocolAt(b []byte) int {
	for at := 0; at <= MaxHeaderSize && at < len(b); at++ {
		if bytes.HasPrefix(b[at:], []byte("\x00\x04MQTT")) || bytes.HasPrefix(b[at:], []byte("\x00\x06MQIsdp")) {
			return at
		}
	}
	return -1
}

// flags sets the flags that the type has. Where no packet of that type would
// fit either, these bytes begin none: it reports false.
func (w *work) flags() bool {
	h := Header{Type: Type(w.b[0] >> 4), Flags: w.b[0] & 15}
	if h.Type != 0 && h.flagsAllowed(w.v) {
		return true
	}
	n, size, state := readLength(w.b[1:])
	there := len(w.b) - 1 - size
	if h.Type == 0 || state != lengthWhole || !w.fits(size, n) && !w.fits(size, there-lineEnds(w.b)) {
		w.fault(FaultNotMQTT, 0, sayNoPacket)
		return false
	}
	w.b[0] = byte(h.Type)<<4 | wantFlags(h.Type)
	w.fault(FaultFlags, 0, sayFlags(h.Type))
	return true
}

// length settles how many bytes the packet has. It reports false where there
// is nothing left to repair.
func (w *work) length(more bool) bool {
	n, size, state := readLength(w.b[1:])
	there := len(w.b) - 1 - size
	if state == lengthWhole && w.fits(size, n) && w.tail(1+size+n) {
		w.size = 1 + size + n
		return true
	}
	if more && state == lengthWhole && n > there {
		return false // it may well be right
	}
	if w.oneByte() {
		return true
	}
	if state != lengthWhole {
		return w.noLength(state)
	}
	if n != there {
		for _, right := range []int{w.natural(size), there, there - lineEnds(w.b)} {
			if right != n && w.fits(size, right) && w.tail(1+size+right) {
				w.wrongLength(size, n, right)
				return true
			}
		}
	}
	if n > there {
		w.fault(FaultCutOff, 1, sayCutOff(n, there))
		return false
	}
	w.size = 1 + size + n
	return true
}

func (w *work) wrongLength(size, said, right int) {
	code := FaultLengthTooShort
	if said > right {
		code = FaultLengthTooLong
	}
	w.fault(code, 1, sayLength(said, right))
	w.setLength(size, right)
}

// oneByte finds a remaining length of 128 or more that was written as it is.
// Its first bit then reads as "goes on", and the next byte, mostly 00, as part
// of it.
func (w *work) oneByte() bool {
	if len(w.b) < 3 || w.b[1] < 0x80 {
		return false
	}
	there := len(w.b) - 2
	for _, n := range []int{int(w.b[1]), there, there - lineEnds(w.b)} {
		if n >= 0x80 && w.fits(1, n) && w.tail(2+n) {
			w.fault(FaultLengthOneByte, 1, sayOneByte(w.b[1], n))
			w.setLength(1, n)
			return true
		}
	}
	return false
}

// noLength is for a remaining length that has no end. A packet without a body
// can still be saved.
func (w *work) noLength(state int) bool {
	if state == lengthFiveBytes {
		w.fault(FaultLengthFiveBytes, 1, sayFiveBytes)
		return false
	}
	w.fault(FaultHeaderCutOff, len(w.b), sayHeaderCutOff)
	switch Type(w.b[0] >> 4) {
	case TypePingreq, TypePingresp, TypeDisconnect:
		if len(w.b) == 1 {
			w.insert(1, 0)
			return true
		}
	}
	return false
}

// fits reports whether a body of n bytes behind size bytes of remaining length
// is filled by its fields.
func (w *work) fits(size, n int) bool {
	end := 1 + size + n
	return n >= 0 && end <= len(w.b) && walk(w.b[:end], 1+size, w.v).fits()
}

// natural is how many bytes the fields take when they may take all there are;
// -1 where even those are too few.
func (w *work) natural(size int) int {
	k := walk(w.b, 1+size, w.v)
	if k.cut != nil {
		return -1
	}
	return k.off - 1 - size
}

// tail reports whether what stands behind the packet can do so: nothing, line
// ends, or another packet.
func (w *work) tail(end int) bool {
	tail := w.b[end:]
	if lineEnds(tail) == len(tail) || protocolAt(tail) >= 0 {
		return true
	}
	h, err := ParseHeader(tail)
	if err != nil || h.Type == 0 {
		return false
	}
	next := h.Size + h.Remaining
	return next == len(tail) || next < len(tail) && decodes(tail[:next], w.v)
}

// lineEnds is how many CR, LF and NUL, at most 4, are at the end of b.
func lineEnds(b []byte) (n int) {
	for n < min(len(b), 4) && bytes.IndexByte([]byte("\r\n\x00"), b[len(b)-1-n]) >= 0 {
		n++
	}
	return n
}

// meansLineEnd is said of line ends behind a packet.
var meansLineEnd = phrase{"line end, not part of the packet", "换行，不属于报文"}

// lineEnd takes line ends behind the last packet for part of it, and out.
func (w *work) lineEnd() {
	if n := len(w.b) - w.size; n > 0 && lineEnds(w.b) >= n {
		at := w.size
		w.size = len(w.b)
		w.fault(FaultLineEnd, at, sayLineEnd)
		w.remove(at, n, meansLineEnd)
	}
}

// identifier finds what no decoder can: an identifier where none belongs, and
// a payload read as one. Neither is done in 5.0, where properties stand in
// between.
func (w *work) identifier() {
	if Type(w.b[0]>>4) != TypePublish || w.v >= mqtt.V5 || !decodes(w.packet(), w.v) {
		return
	}
	k := walk(w.packet(), w.headerSize(), w.v)
	payload := k.find("payload")
	if payload == nil {
		return
	}
	id := k.find("packet identifier")
	switch {
	case id == nil && strayIdentifier(w.b[payload.from:payload.to]):
		w.fault(FaultIdentifierAtQoS0, payload.from, sayIdentifierAtQoS0)
		w.remove(payload.from, 2, phrase{"packet identifier, not part of a QoS 0 PUBLISH", "报文标识符，QoS 0 的 PUBLISH 没有它"})
	case id != nil && isJSON(w.b[id.from:payload.to]):
		w.fault(FaultIdentifierMissing, id.from, sayIdentifierMissing)
		w.insert(id.from, 0, 1)
	default:
		return
	}
	w.resize()
}

// strayIdentifier reports whether the payload begins with two bytes that are
// no text although all behind them is. Two bytes that count what follows are
// somebody's own framing.
func strayIdentifier(payload []byte) bool {
	if len(payload) < 4 || isText(payload[:2]) {
		return false
	}
	rest := payload[2:]
	framed := int(payload[0])<<8|int(payload[1]) == len(rest)
	small := payload[0] == 0 && payload[1] > 0 && payload[1] < ' '
	return !framed && (isJSON(rest) || small && len(rest) >= 4 && isText(rest))
}

// isJSON reports whether b looks like a JSON object or array, all of it, as
// devices write them: a null byte or line end may follow.
func isJSON(b []byte) bool {
	b = bytes.TrimRight(b, "\x00\r\n\t ")
	if len(b) < 2 || !isText(b) {
		return false
	}
	return b[0] == '{' && b[len(b)-1] == '}' || b[0] == '[' && b[len(b)-1] == ']'
}

// isText reports whether b is UTF-8 without control characters other than
// blanks and line ends.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7F {
			return false
		}
	}
	return utf8.Valid(b)
}
