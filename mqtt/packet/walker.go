package packet

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/matou-iot/matou/mqtt"
)

// A span is a run of bytes of one packet and what it says.
type span struct {
	name     string
	from, to int // in the packet
	meaning  phrase
}

// A cut is a field that has fewer bytes than it needs.
type cut struct {
	name       string
	at         int // where the field begins; for a string, its length
	want, have int // bytes of the field, or of the string behind its length
	isString   bool
}

// A walker reads a packet as the decoders do, but keeps going: it judges
// nothing, it only notes where each field is, up to the first that is cut off.
type walker struct {
	b     []byte // header and body
	body  int    // where the body begins
	off   int
	v     mqtt.Version
	spans []span
	texts []int // where the lengths of the strings are
	cut   *cut
}

// walk reads the packet b, whose header has size bytes. A CONNECT says its own
// version, which walker.v holds afterwards.
func walk(b []byte, size int, v mqtt.Version) *walker {
	k := &walker{b: b, body: size, off: size, v: v}
	first := b[0]
	k.add("packet type and flags", 0, 1, describeFirst(first))
	if size > 1 {
		n, _, _ := readLength(b[1:size])
		k.add("remaining length", 1, size, phrase{count(n, "byte") + " to follow", fmt.Sprintf("其后还有 %d 字节", n)})
	}
	k.packet(Type(first>>4), first)
	return k
}

// left is the number of bytes behind the last field.
func (k *walker) left() int { return len(k.b) - k.off }

// fits reports whether the fields are the packet, no byte more or less.
func (k *walker) fits() bool { return k.cut == nil && k.left() == 0 }

// find is the first span of a name, nil without one.
func (k *walker) find(name string) *span {
	for i := range k.spans {
		if k.spans[i].name == name {
			return &k.spans[i]
		}
	}
	return nil
}

func (k *walker) packet(t Type, first byte) {
	switch t {
	case TypeConnect:
		k.connect()
	case TypeConnack:
		k.byte("acknowledge flags", describeConnackFlags)
		k.code(t)
		k.properties(t)
	case TypePublish:
		k.text("topic name")
		if first>>shiftQoS&3 > 0 {
			k.number("packet identifier", 2, noUnit)
		}
		k.properties(t)
		k.rest("payload")
	case TypePuback, TypePubrec, TypePubrel, TypePubcomp:
		k.number("packet identifier", 2, noUnit)
		k.optional(t)
	case TypeSubscribe, TypeUnsubscribe:
		k.number("packet identifier", 2, noUnit)
		k.properties(t)
		for k.more() {
			k.text("topic filter")
			if t == TypeSubscribe {
				k.byte("subscription options", k.describeOptions)
			}
		}
	case TypeSuback, TypeUnsuback:
		k.number("packet identifier", 2, noUnit)
		k.properties(t)
		for k.more() && (t == TypeSuback || k.v >= mqtt.V5) {
			k.code(t)
		}
	case TypeDisconnect, TypeAuth:
		k.optional(t)
	}
}

func (k *walker) connect() {
	k.text("protocol name")
	k.byte("protocol level", func(b byte) phrase { return plain("MQTT " + mqtt.Version(b).String()) })
	if s := k.find("protocol level"); s != nil {
		k.v = mqtt.Version(k.b[s.from])
	}
	flags := k.byte("connect flags", describeConnectFlags)
	k.number("keep alive", 2, inSeconds)
	k.properties(TypeConnect)
	k.text("client identifier")
	if flags&connectWill != 0 {
		k.properties(typeWill)
		k.text("will topic")
		k.text("will payload")
	}
	for _, login := range []struct {
		flag byte
		name string
	}{{connectUsername, "user name"}, {connectPassword, "password"}} {
		if flags&login.flag != 0 && (k.v != mqtt.V31 || k.more()) {
			k.text(login.name)
		}
	}
}

// optional reads reason code and properties, which 5.0 may leave out.
func (k *walker) optional(t Type) {
	if k.v >= mqtt.V5 && k.more() {
		k.code(t)
	}
	if k.v >= mqtt.V5 && k.more() {
		k.properties(t)
	}
}

func (k *walker) more() bool { return k.cut == nil && k.off < len(k.b) }

// add notes a span; beyond the limit it only forgets.
func (k *walker) add(name string, from, to int, meaning phrase) {
	if len(k.spans) < maxExplainedFields {
		k.spans = append(k.spans, span{name, from, to, meaning})
	}
}

// take yields n bytes, or notes that they are cut off.
func (k *walker) take(name string, n int) []byte {
	if k.cut != nil {
		return nil
	}
	if n > k.left() {
		k.cutOff(cut{name: name, at: k.off, want: n, have: k.left()})
		return nil
	}
	k.off += n
	return k.b[k.off-n : k.off]
}

func (k *walker) cutOff(c cut) {
	k.cut = &c
	if k.left() > 0 {
		k.add(c.name, k.off, len(k.b), phrase{
			fmt.Sprintf("cut off: %d of %s", c.have, count(c.want, "byte")), fmt.Sprintf("不完整：应有 %d 字节，只有 %d", c.want, c.have)})
	}
	k.off = len(k.b)
}

func (k *walker) byte(name string, describe func(byte) phrase) byte {
	b := k.take(name, 1)
	if b == nil {
		return 0
	}
	k.add(name, k.off-1, k.off, describe(b[0]))
	return b[0]
}

// Units of numbers.
var (
	noUnit    = phrase{}
	inSeconds = phrase{" s", " 秒"}
	inBytes   = phrase{" bytes", " 字节"}
)

// number reads n bytes, the most significant first.
func (k *walker) number(name string, n int, unit phrase) {
	b := k.take(name, n)
	if b == nil {
		return
	}
	var value uint64
	for _, c := range b {
		value = value<<8 | uint64(c)
	}
	k.add(name, k.off-n, k.off, plain(strconv.FormatUint(value, 10)).add(unit))
}

// text reads two bytes of length and as many bytes.
func (k *walker) text(name string) {
	at := k.off
	b := k.take(name+" length", 2)
	if b == nil {
		return
	}
	n := int(binary.BigEndian.Uint16(b))
	k.texts = append(k.texts, at)
	k.add(name+" length", at, k.off, bytesOf(n))
	if n > k.left() {
		k.cutOff(cut{name, at, n, k.left(), true})
		return
	}
	if n > 0 {
		k.off += n
		k.add(name, k.off-n, k.off, readable(k.b[k.off-n:k.off]))
	}
}

func (k *walker) rest(name string) {
	if k.more() {
		k.add(name, k.off, len(k.b), readable(k.b[k.off:]))
		k.off = len(k.b)
	}
}

// code reads a reason code, or a return code of 3.x.
func (k *walker) code(t Type) {
	if k.v >= mqtt.V5 {
		k.byte("reason code", func(b byte) phrase { return reason(mqtt.ReasonCode(b)) })
		return
	}
	k.byte("return code", func(b byte) phrase {
		switch {
		case t == TypeSuback && b <= byte(mqtt.GrantedQoS2):
			return phrase{}.addf("granted QoS %d", "授予 QoS %d", b)
		case t == TypeSuback && b == byte(mqtt.UnspecifiedError):
			return phrase{"refused", "拒绝"}
		case t == TypeConnack && b < returnCodes:
			return returnCodeNames[b]
		}
		return phrase{"reserved", "保留值"}
	})
}

var returnCodeNames = [returnCodes]phrase{
	{"accepted", "已接受"},
	{"refused: protocol version not accepted", "拒绝：不支持的协议版本"},
	{"refused: client identifier rejected", "拒绝：客户端标识符不被接受"},
	{"refused: server unavailable", "拒绝：服务端不可用"},
	{"refused: bad user name or password", "拒绝：用户名或密码错误"},
	{"refused: not authorized", "拒绝：未授权"},
}

// properties reads a property length and the properties behind it.
func (k *walker) properties(t Type) {
	if k.v < mqtt.V5 || k.cut != nil {
		return
	}
	n, ok := k.varint("property length")
	if !ok {
		return
	}
	if n > k.left() {
		k.cutOff(cut{name: "properties", at: k.off, want: n, have: k.left()})
		return
	}
	whole := k.b
	k.b = k.b[:k.off+n]
	for k.more() {
		k.property()
	}
	k.b = whole
}

func (k *walker) varint(name string) (n int, ok bool) {
	if k.cut != nil {
		return 0, false
	}
	n, size, state := readLength(k.b[k.off:])
	if state != lengthWhole {
		k.cutOff(cut{name: name, at: k.off, want: k.left() + 1, have: k.left()})
		return 0, false
	}
	k.off += size
	k.add(name, k.off-size, k.off, plain(strconv.Itoa(n)))
	return n, true
}

func (k *walker) property() {
	id := propertyID(k.b[k.off])
	name := ""
	if id <= lastProperty {
		name = propertyForms[id].name
	}
	if name == "" {
		k.rest("unknown property")
		return
	}
	k.off++
	k.add("property", k.off-1, k.off, phrase{name, nameZH(name)})
	switch id {
	case propPayloadFormat, propRequestProblemInfo, propRequestResponseInfo, propMaximumQoS, propRetainAvailable,
		propWildcardAvailable, propSubscriptionIDAvailable, propSharedAvailable:
		k.number(name, 1, noUnit)
	case propServerKeepAlive:
		k.number(name, 2, inSeconds)
	case propReceiveMaximum, propTopicAliasMaximum, propTopicAlias:
		k.number(name, 2, noUnit)
	case propMessageExpiry, propSessionExpiry, propWillDelay:
		k.number(name, 4, inSeconds)
	case propMaximumPacketSize:
		k.number(name, 4, inBytes)
	case propSubscriptionID:
		k.varint(name)
	case propUserProperty:
		k.text("user property name")
		k.text("user property value")
	default:
		k.text(name)
	}
}

func describeFirst(first byte) phrase {
	t, flags := Type(first>>4), first&15
	if t != TypePublish {
		return phrase{}.addf("%v, flags %04b", "%v，标志位 %04b", t, flags)
	}
	p := phrase{}.addf("%v, QoS %d", "%v，QoS %d", t, flags>>shiftQoS&3)
	if flags&flagRetain != 0 {
		p = p.add(phrase{", retain", "，保留"})
	}
	if flags&flagDup != 0 {
		p = p.add(phrase{", DUP", "，重发（DUP）"})
	}
	return p
}

func describeConnackFlags(b byte) phrase {
	if b&1 != 0 {
		return phrase{"session present", "服务端保存有会话"}
	}
	return phrase{"no session present", "服务端没有会话"}
}

func describeConnectFlags(b byte) phrase {
	var parts []phrase
	for _, f := range []struct {
		bit  byte
		name phrase
	}{
		{connectUsername, phrase{"user name", "有用户名"}}, {connectPassword, phrase{"password", "有密码"}},
		{connectWillRetain, phrase{"will retain", "遗嘱保留"}}, {connectWill, phrase{"will", "有遗嘱"}},
		{connectCleanStart, phrase{"clean session", "清除会话"}}, {connectReserved, phrase{"RESERVED BIT", "保留位被置位"}},
	} {
		if b&f.bit != 0 {
			parts = append(parts, f.name)
		}
	}
	if b&(connectWill|connectWillQoS) != 0 {
		parts = append(parts, phrase{}.addf("will QoS %d", "遗嘱 QoS %d", b&connectWillQoS>>connectWillShift))
	}
	if len(parts) == 0 {
		return phrase{"none", "无"}
	}
	return joined(parts)
}

func (k *walker) describeOptions(b byte) phrase {
	p := plain(fmt.Sprintf("QoS %d", b&optionQoS))
	if k.v < mqtt.V5 {
		return p
	}
	if b&optionNoLocal != 0 {
		p = p.add(phrase{", no local", "，不回送自己的消息"})
	}
	if b&optionRetainAsPublished != 0 {
		p = p.add(phrase{", retain as published", "，按原样保留"})
	}
	return p.addf(", retain handling %d", "，保留消息处理方式 %d", b&optionRetainHandling>>shiftRetainHandling)
}

// count says a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// readable shows bytes as text where they are text, with control characters
// escaped and no more than maxMeaning bytes of them.
func readable(b []byte) phrase {
	if !utf8.Valid(b) {
		return bytesOf(len(b)).add(phrase{", not text", "，不是文本"})
	}
	var s strings.Builder
	for _, r := range string(b[:min(len(b), maxMeaning)]) {
		switch {
		case r == '\r':
			s.WriteString(`\r`)
		case r == '\n':
			s.WriteString(`\n`)
		case r < ' ' || r == 0x7F:
			fmt.Fprintf(&s, `\x%02x`, r)
		case r != utf8.RuneError:
			s.WriteRune(r)
		}
	}
	if len(b) > maxMeaning {
		s.WriteString(" …")
	}
	return plain(s.String())
}

// What readLength can find.
const (
	lengthWhole = iota
	lengthCut
	lengthFiveBytes
)

// readLength reads a variable byte integer without judging how it is written.
func readLength(b []byte) (n, size, state int) {
	for i := range 4 {
		if i == len(b) {
			return n, i, lengthCut
		}
		n |= int(b[i]&0x7F) << (7 * i)
		if b[i] < 0x80 {
			return n, i + 1, lengthWhole
		}
	}
	return n, 4, lengthFiveBytes
}
