package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

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
			s.Recorded, s.Differs = e.bytes, Differences(e.bytes, s.Bytes, p.result.Version)
		}
		if len(s.Differs) > 0 {
			p.result.Differences++
		}
		return
	}
	s.Notes = append(s.Notes, "the recording has nothing like it")
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

// Differences says in words how one packet of a broker differs from another of
// its kind. What must differ does not count: packet identifiers of messages,
// DUP.
func Differences(was, is []byte, v mqtt.Version) []string {
	a, errA := decode(was, v)
	b, errB := decode(is, v)
	if errA != nil || errB != nil {
		if bytes.Equal(was, is) {
			return nil
		}
		return []string{fmt.Sprintf("was % x, is % x", short(was), short(is))}
	}
	var d []string
	say := func(what string, was, is any) {
		if was != is {
			d = append(d, fmt.Sprintf("%s was %v, is %v", what, was, is))
		}
	}
	switch a := a.(type) {
	case *packet.Connack:
		b := b.(*packet.Connack)
		say("return code", code(a.Reason, v), code(b.Reason, v))
		say("session present", a.SessionPresent, b.SessionPresent)
	case *packet.Suback:
		codes(say, "granted", a.Reasons, b.(*packet.Suback).Reasons, v)
	case *packet.Unsuback:
		codes(say, "result", a.Reasons, b.(*packet.Unsuback).Reasons, v)
	case *packet.Puback:
		say("reason", code(a.Reason, v), code(b.(*packet.Puback).Reason, v))
	case *packet.Pubrec:
		say("reason", code(a.Reason, v), code(b.(*packet.Pubrec).Reason, v))
	case *packet.Pubcomp:
		say("reason", code(a.Reason, v), code(b.(*packet.Pubcomp).Reason, v))
	case *packet.Disconnect:
		say("reason", code(a.Reason, v), code(b.(*packet.Disconnect).Reason, v))
	case *packet.Publish:
		b := b.(*packet.Publish)
		say("QoS", a.QoS, b.QoS)
		say("retain", a.Retain, b.Retain)
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
func code(r mqtt.ReasonCode, v mqtt.Version) string {
	if v != mqtt.V5 && r.Failed() {
		return fmt.Sprintf("%d (%v)", packet.ReturnCode(r), r)
	}
	return fmt.Sprintf("%d", byte(r))
}

func codes(say func(string, any, any), what string, was, is []mqtt.ReasonCode, v mqtt.Version) {
	if len(was) != len(is) {
		say("number of topics", len(was), len(is))
		return
	}
	for i := range was {
		say(fmt.Sprintf("%s of topic %d", what, i+1), byte(was[i]), byte(is[i]))
	}
}

const maxDifferences = 8 // of one payload that are told

// payloads compares JSON by its members, everything else by its bytes.
func payloads(was, is []byte) []string {
	if bytes.Equal(was, is) {
		return nil
	}
	var a, b any
	if json.Unmarshal(was, &a) != nil || json.Unmarshal(is, &b) != nil {
		return []string{fmt.Sprintf("payload was %q, is %q", short(was), short(is))}
	}
	var d []string
	members("", a, b, &d)
	return d
}

// members walks two JSON values beside one another.
func members(path string, a, b any, d *[]string) {
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
		if path == "" {
			path = "payload"
		}
		*d = append(*d, fmt.Sprintf("%s was %s, is %s", bytes.TrimPrefix([]byte(path), []byte(".")), was, is))
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

func text(v any) string {
	if v == (absent{}) {
		return "not there"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(short(b))
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
