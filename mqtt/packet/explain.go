package packet

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/matou-iot/matou/mqtt"
)

// Limits of an Explanation. They bound its size whatever the input.
const (
	// MaxExplained is the most bytes that are read; the rest is counted in
	// Explanation.Skipped.
	MaxExplained = 64 << 10

	maxExplainedPackets = 64
	maxExplainedFields  = 1024 // over all packets
	maxFieldBytes       = 256  // shown of one field; its Length counts all
	maxMeaning          = 256  // bytes of text shown in a meaning
)

// An Explanation is what a string of bytes says, packet by packet.
type Explanation struct {
	Packets []Annotated  `json:"packets"`
	Version mqtt.Version `json:"version"`           // protocol level it was read as, at the end
	Guessed bool         `json:"guessed"`           // neither the caller nor a CONNECT said the version
	Skipped int          `json:"skipped,omitempty"` // bytes at the end that were not looked at
}

// An Annotated is one packet and what is wrong with it.
type Annotated struct {
	Type      string  `json:"type"`   // "PUBLISH"; "RESERVED" for type 0, "" for bytes that are no packet
	Offset    int     `json:"offset"` // in the input
	Length    int     `json:"length"` // bytes of the input that it uses
	Fields    []Field `json:"fields"` // in the order of the input
	Faults    []Fault `json:"faults,omitempty"`
	Summary   string  `json:"summary"`
	SummaryZH string  `json:"summaryZH"`
}

// A Field is a run of input bytes and its meaning. Where a byte is missing,
// Length is 0 and Offset the place it belongs to.
type Field struct {
	Offset    int    `json:"offset"`
	Length    int    `json:"length"`
	Name      string `json:"name"` // in English it is always the same for the same field
	NameZH    string `json:"nameZH"`
	Meaning   string `json:"meaning"`
	MeaningZH string `json:"meaningZH"`
	Bytes     Hex    `json:"bytes"` // as sent, the first 256
}

// A Fault is something that is wrong, with what would be right.
type Fault struct {
	Offset int    `json:"offset"`
	Code   string `json:"code"` // one of the Fault… constants
	What   string `json:"what"`
	Fix    string `json:"fix"`
	WhatZH string `json:"whatZH"`
	FixZH  string `json:"fixZH"`
	// Corrected is the whole packet with this and all other faults of it
	// repaired, nil where we cannot know how. It always decodes, except for
	// FaultHexText, where it is what the text says.
	Corrected Hex `json:"corrected,omitempty"`
}

// Explain annotates any bytes, whole packets or broken ones, one behind the
// other. v is the version of the connection they belong to; 0 lets Explain
// guess. A CONNECT sets the version for itself and what follows it.
//
// Decode is the judge: what it accepts has no fault, save an identifier where
// none belongs, which no decoder can see. Explain never panics, keeps nothing
// of b, and its answer is bounded by named limits.
func Explain(b []byte, v mqtt.Version) *Explanation {
	x := &Explanation{Packets: []Annotated{}, Version: v}
	if len(b) > MaxExplained {
		x.Skipped = len(b) - MaxExplained
		b = b[:MaxExplained]
	}
	if !knownVersion(v) {
		x.Version, x.Guessed = guessVersion(b), true
	}
	e := explainer{in: b, x: x, fields: maxExplainedFields}
	if len(b) == 0 {
		e.empty()
	}
	for off := 0; off < len(b); {
		if len(x.Packets) == maxExplainedPackets {
			x.Skipped += len(b) - off
			break
		}
		off = e.packet(off)
	}
	return x
}

type explainer struct {
	in     []byte
	x      *Explanation
	fields int // that may still be shown
}

// packet explains what begins at off and returns where the next begins.
func (e *explainer) packet(off int) int {
	w := newWork(e.in, off, e.x.Version)
	if !w.diagnose(e.x.Skipped > 0) {
		return e.foreign(w, off)
	}
	k := walk(w.packet(), min(w.headerSize(), w.size), w.v)
	if Type(w.b[0]>>4) == TypeConnect && knownVersion(k.v) {
		e.x.Version, e.x.Guessed = k.v, false
	}
	end := w.consumed()
	a := Annotated{Type: Type(w.b[0] >> 4).String(), Offset: off, Length: end - off, Faults: w.faults}
	e.show(&a, w, k)
	summary := summarize(w.packet(), k, a)
	a.Summary, a.SummaryZH = summary.en, summary.zh
	e.x.Packets = append(e.x.Packets, a)
	return end
}

// show turns spans of the packet on the bench into fields of the input.
func (e *explainer) show(a *Annotated, w *work, k *walker) {
	if k.left() > 0 {
		k.add("surplus", k.off, len(k.b), phrase{"no field is left for these bytes", "没有字段对应这些字节"})
	}
	a.Fields = []Field{}
	surplus := slices.SortedFunc(slices.Values(w.surplus), func(a, b span) int { return a.from - b.from })
	for _, s := range k.spans {
		i, j := w.origin(s.from, s.to)
		for len(surplus) > 0 && surplus[0].from < j {
			e.field(a, surplus[0])
			surplus = surplus[1:]
		}
		e.field(a, span{s.name, i, j, s.meaning.add(repaired(e.in[i:j], w.b[s.from:s.to]))})
	}
	for _, s := range surplus {
		e.field(a, s)
	}
}

// repaired says what became of the bytes of a field, whose meaning is that of
// the repaired ones.
func repaired(sent, now []byte) phrase {
	switch {
	case bytes.Equal(sent, now):
		return phrase{}
	case len(sent) == 0:
		return phrase{}.addf(" (missing: % x)", "（缺少：% x）", now)
	}
	return phrase{}.addf(" (if it were % x)", "（若为 % x）", now)
}

func (e *explainer) field(a *Annotated, s span) {
	if e.fields == 0 {
		return
	}
	e.fields--
	shown := e.in[s.from:min(s.to, s.from+maxFieldBytes)]
	a.Fields = append(a.Fields, Field{s.from, s.to - s.from, s.name, nameZH(s.name), s.meaning.en, s.meaning.zh, append(Hex{}, shown...)})
}

// foreign explains bytes that are not MQTT at all: one field, one fault.
func (e *explainer) foreign(w *work, off int) int {
	a := Annotated{Offset: off, Length: len(e.in) - off, Fields: []Field{}, Faults: w.faults,
		Summary: w.faults[0].What, SummaryZH: w.faults[0].WhatZH}
	e.field(&a, span{"bytes", off, len(e.in), readable(e.in[off:])})
	e.x.Packets = append(e.x.Packets, a)
	return len(e.in)
}

func (e *explainer) empty() {
	say := sayEmpty
	e.x.Packets = append(e.x.Packets, Annotated{Fields: []Field{}, Summary: say.what, SummaryZH: say.whatZH,
		Faults: []Fault{{Code: FaultEmpty, What: say.what, Fix: say.fix, WhatZH: say.whatZH, FixZH: say.fixZH}}})
}

func knownVersion(v mqtt.Version) bool { return v == mqtt.V31 || v == mqtt.V311 || v == mqtt.V5 }

// guessVersion is the version that reads most of the packets. 3.1.1 wins a tie
// unless a payload then begins with a null byte, which is 5.0's empty property
// length.
func guessVersion(b []byte) mqtt.Version {
	best, most := mqtt.V311, -1
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5, mqtt.V31} {
		if n := readsAs(b, v); n > most {
			best, most = v, n
		}
	}
	return best
}

func readsAs(b []byte, v mqtt.Version) (n int) {
	for range maxExplainedPackets {
		h, err := ParseHeader(b)
		if err != nil || h.Size+h.Remaining > len(b) {
			return n
		}
		p, err := Decode(h, b[h.Size:h.Size+h.Remaining], v)
		if err == nil && !looksLike5(p, v) {
			n++
		}
		b = b[h.Size+h.Remaining:]
	}
	return n
}

func looksLike5(p Packet, v mqtt.Version) bool {
	pub, ok := p.(*Publish)
	return ok && v < mqtt.V5 && len(pub.Payload) > 1 && pub.Payload[0] == 0 &&
		isText(pub.Payload[1:]) && !isJSON(pub.Payload[2:])
}

// summarize says a packet in one line.
func summarize(b []byte, k *walker, a Annotated) phrase {
	t := Type(b[0] >> 4)
	s := plain(t.String())
	switch t {
	case TypeConnect:
		s = plain(t.String() + " MQTT " + k.v.String()).add(k.named(" as ", "，客户端标识符 ", "client identifier")).
			add(k.named(", user ", "，用户名 ", "user name")).add(k.named(", keep alive ", "，保活 ", "keep alive"))
	case TypePublish:
		s = describeFirst(b[0]).add(k.named(" to ", "，主题 ", "topic name"))
		if p := k.find("payload"); p != nil {
			s = s.add(phrase{", payload of ", "，负载 "}).add(bytesOf(p.to - p.from))
		}
	case TypeSubscribe, TypeUnsubscribe:
		s = s.add(k.named(" ", " ", "topic filter")).add(k.named(", ", "，", "subscription options"))
	default:
		s = s.add(k.named(": ", "：", "return code")).add(k.named(": ", "：", "reason code"))
	}
	if len(a.Faults) > 0 {
		s = s.add(phrase{"; " + a.Faults[0].What, "；" + a.Faults[0].WhatZH})
	}
	return s
}

// named is the meaning of a field behind some words, nothing without the
// field.
func (k *walker) named(en, zh, name string) phrase {
	if s := k.find(name); s != nil && s.meaning != (phrase{}) {
		return phrase{en, zh}.add(s.meaning)
	}
	return phrase{}
}

// String renders the explanation as a table for people: offset, bytes in hex,
// field, meaning, then the faults with what would be right.
func (x *Explanation) String() string {
	var s strings.Builder
	for _, a := range x.Packets {
		fmt.Fprintf(&s, "%s\n", a.Summary)
		for _, f := range a.Fields {
			fmt.Fprintf(&s, "%6d  %-24s  %-26s  %s\n", f.Offset, shortHex(f), f.Name, f.Meaning)
		}
		for _, f := range a.Faults {
			fmt.Fprintf(&s, "     !  at %d: %s\n        %s\n", f.Offset, f.What, f.Fix)
		}
		s.WriteString(a.corrected())
	}
	if x.Skipped > 0 {
		fmt.Fprintf(&s, "%s more not looked at\n", count(x.Skipped, "byte"))
	}
	return s.String()
}

// StringZH is String in Chinese, whose characters need no column of their own
// for the names.
func (x *Explanation) StringZH() string {
	var s strings.Builder
	for _, a := range x.Packets {
		fmt.Fprintf(&s, "%s\n", a.SummaryZH)
		for _, f := range a.Fields {
			means := f.NameZH
			if f.MeaningZH != "" {
				means += "：" + f.MeaningZH
			}
			fmt.Fprintf(&s, "%6d  %-24s  %s\n", f.Offset, shortHex(f), means)
		}
		for _, f := range a.Faults {
			fmt.Fprintf(&s, "     !  偏移 %d：%s\n        %s\n", f.Offset, f.WhatZH, f.FixZH)
		}
		s.WriteString(a.corrected())
	}
	if x.Skipped > 0 {
		fmt.Fprintf(&s, "其余 %d 字节未查看\n", x.Skipped)
	}
	return s.String()
}

// corrected is the line of the packet as it should be, "" where it is right or
// nobody knows.
func (a *Annotated) corrected() string {
	if len(a.Faults) == 0 || a.Faults[0].Corrected == nil {
		return ""
	}
	return fmt.Sprintf("     =  % x\n", []byte(a.Faults[0].Corrected))
}

// shortHex is the first eight bytes of a field.
func shortHex(f Field) string {
	const shown = 8
	if len(f.Bytes) <= shown {
		return fmt.Sprintf("% x", []byte(f.Bytes))
	}
	return fmt.Sprintf("% x…", []byte(f.Bytes[:shown]))
}
