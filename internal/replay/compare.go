package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// compare finds the recorded answer that stands for one that came, and says
// what is different. A recording without answers has nothing to compare.
func (p *player) compare(s *Step, h packet.Header, body []byte) {
	if !p.compares {
		return
	}
	for i := range p.expected {
		e := &p.expected[i]
		if e.came || !standsFor(e.bytes, s.Bytes, h, body) {
			continue
		}
		e.came = true
		if !bytes.Equal(e.bytes, s.Bytes) {
			s.Recorded = e.bytes
			s.differ(differences(e.bytes, s.Bytes, p.result.Version))
		}
		if len(s.Differs) > 0 {
			p.result.Differences++
		}
		return
	}
	s.note(sayNothingLike)
}

// standsFor reports whether a recorded packet is the same answer: of the same
// type, and to the same identifier or on the same topic where it has one.
func standsFor(recorded, came []byte, h packet.Header, body []byte) bool {
	r, err := packet.ParseHeader(recorded)
	if err != nil || body == nil {
		return bytes.Equal(recorded, came)
	}
	if r.Type != h.Type || len(recorded) < r.Size {
		return false
	}
	was := recorded[r.Size:]
	switch h.Type {
	case packet.TypePublish:
		return bytes.Equal(topicOf(was), topicOf(body))
	case packet.TypePuback, packet.TypePubrec, packet.TypePubcomp, packet.TypeSuback, packet.TypeUnsuback:
		return idOf(was) == idOf(body)
	}
	return true // there is one of its kind, or one is like another
}

// topicOf is the topic that a PUBLISH begins with.
func topicOf(body []byte) []byte {
	if len(body) < 2 {
		return nil
	}
	return body[2:min(len(body), 2+int(idOf(body)))]
}

// differences says in words how one packet of a broker differs from another of
// its kind. What must differ does not count: packet identifiers of messages,
// DUP.
func differences(was, is []byte, v mqtt.Version) []words {
	a, errA := decode(was, v)
	b, errB := decode(is, v)
	if errA != nil || errB != nil {
		if bytes.Equal(was, is) {
			return nil
		}
		w, i := fmt.Sprintf("% x", short(was)), fmt.Sprintf("% x", short(is))
		return []words{{"was " + w + ", is " + i, "录制时为 " + w + "，现在为 " + i}}
	}
	var d []words
	say := func(what words, was, is words) {
		if was != is {
			d = append(d, changed(what, was, is))
		}
	}
	number := func(what words, was, is any) { say(what, same(fmt.Sprint(was)), same(fmt.Sprint(is))) }
	reason := func(what words, was, is mqtt.ReasonCode) { say(what, code(was, v), code(is, v)) }
	switch a := a.(type) {
	case *packet.Connack:
		b := b.(*packet.Connack)
		reason(words{"return code", "返回码"}, a.Reason, b.Reason)
		number(words{"session present", "会话存在标志"}, a.SessionPresent, b.SessionPresent)
	case *packet.Suback:
		codes(number, words{"granted", "授予的等级"}, a.Reasons, b.(*packet.Suback).Reasons)
	case *packet.Unsuback:
		codes(number, words{"result", "结果"}, a.Reasons, b.(*packet.Unsuback).Reasons)
	case *packet.Puback:
		reason(sayReason, a.Reason, b.(*packet.Puback).Reason)
	case *packet.Pubrec:
		reason(sayReason, a.Reason, b.(*packet.Pubrec).Reason)
	case *packet.Pubcomp:
		reason(sayReason, a.Reason, b.(*packet.Pubcomp).Reason)
	case *packet.Disconnect:
		reason(sayReason, a.Reason, b.(*packet.Disconnect).Reason)
	case *packet.Publish:
		b := b.(*packet.Publish)
		number(same("QoS"), a.QoS, b.QoS)
		number(words{"retain", "保留标志"}, a.Retain, b.Retain)
		d = append(d, payloads(a.Payload, b.Payload)...)
	}
	return d
}

func decode(b []byte, v mqtt.Version) (packet.Packet, error) {
	h, err := packet.ParseHeader(b)
	if err != nil {
		return nil, err
	}
	if h.Size+h.Remaining != len(b) {
		return nil, packet.ErrIncomplete
	}
	return packet.Decode(h, b[h.Size:], v)
}

// code is a result as the version writes it.
func code(r mqtt.ReasonCode, v mqtt.Version) words {
	if v != mqtt.V5 && r.Failed() {
		n := packet.ReturnCode(r)
		return words{fmt.Sprintf("%d (%v)", n, r), fmt.Sprintf("%d，%s", n, packet.ReasonZH(r))}
	}
	return same(fmt.Sprint(byte(r)))
}

func codes(say func(words, any, any), what words, was, is []mqtt.ReasonCode) {
	if len(was) != len(is) {
		say(words{"number of topics", "主题个数"}, len(was), len(is))
		return
	}
	for i := range was {
		say(words{fmt.Sprintf("%s of topic %d", what.en, i+1), fmt.Sprintf("第 %d 个主题%s", i+1, what.zh)}, byte(was[i]), byte(is[i]))
	}
}

const maxDifferences = 8 // of one payload that are told

// payloads compares JSON by its members, everything else by its bytes.
func payloads(was, is []byte) []words {
	if bytes.Equal(was, is) {
		return nil
	}
	var a, b any
	if json.Unmarshal(was, &a) != nil || json.Unmarshal(is, &b) != nil {
		return []words{changed(sayPayload, same(fmt.Sprintf("%q", short(was))), same(fmt.Sprintf("%q", short(is))))}
	}
	var d []words
	members("", a, b, &d)
	return d
}

// members walks two JSON values beside one another.
func members(path string, a, b any, d *[]words) {
	if len(*d) >= maxDifferences {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		for _, k := range keys(x, y) {
			members(path+"."+k, value(x, k), value(y, k), d)
		}
		return
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			break
		}
		for i := range x {
			members(path+"["+strconv.Itoa(i)+"]", x[i], y[i], d)
		}
		return
	}
	if was, is := text(a), text(b); was != is {
		what := sayPayload
		if path != "" {
			what = same(strings.TrimPrefix(path, "."))
		}
		*d = append(*d, changed(what, was, is))
	}
}

// absent stands for a member that is not there.
type absent struct{}

func value(m map[string]any, k string) any {
	if v, ok := m[k]; ok {
		return v
	}
	return absent{}
}

func text(v any) words {
	if v == (absent{}) {
		return sayNotThere
	}
	b, err := json.Marshal(v)
	if err != nil {
		return same(fmt.Sprint(v))
	}
	return same(string(short(b)))
}

func keys(a, b map[string]any) []string {
	var all []string
	for k := range a {
		all = append(all, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}

// short is the beginning of what is too long to show.
func short(b []byte) []byte {
	const shown = 64
	return b[:min(len(b), shown)]
}
