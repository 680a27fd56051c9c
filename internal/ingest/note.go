package ingest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// note writes the message into the timeline, with what was taken, what was
// not, and why. It returns the entry, 0 where a report of which there is
// nothing to tell is one of too many.
func (in *Ingest) note(j *job, p *packet.Publish) uint64 {
	up := &j.up
	if up.Kind == dialect.PropertyPost && j.plain() && in.Trace.Beyond(j.pace, trace.PlainRate, j.arrived) {
		j.untold = true
		return 0
	}
	e := trace.Entry{
		Parent: j.parent, At: j.arrived, Product: j.who.Product, Device: j.who.Device, Kind: trace.Uplink, Direction: "up",
		Topic: string(p.Topic), QoS: int(p.QoS), Payload: p.Payload, Size: len(p.Payload),
	}
	if j.pace != nil {
		e.Skipped = j.pace.Skipped()
	}
	e.Packet, j.wire = j.wire, nil // what a script makes of it has no packet
	switch up.Kind {
	case dialect.SetReply, dialect.InvokeReply, dialect.GetReply:
		e.Kind = trace.Reply
	}
	if up.Fault != nil {
		f := *up.Fault
		f.Received, f.Expected = cut(f.Received), cut(f.Expected)
		e.Kind, e.Code, e.Sentence, e.SentenceZH, e.Detail = trace.Fault, f.Code, f.Sentence, f.SentenceZH, &f
		return in.Trace.Record(e)
	}
	if !asModelled(up) {
		e.Code = codeOf(up)
		e.Sentence, e.SentenceZH = summary(up)
		e.Detail = explain(up)
	}
	return in.Trace.Record(e)
}

// codeOf is the code of the first value that was not taken, else of the first
// that is not as the model wants it, else of the first note.
func codeOf(up *dialect.Uplink) string {
	if len(up.Refused) > 0 {
		return valueCode(up.Refused[0].Problem.Fault)
	}
	for i := range up.Report {
		if f := up.Report[i].Flag; f != nil {
			return valueCode(f.Fault)
		}
	}
	if len(up.Notes) > 0 {
		return up.Notes[0].Code
	}
	return ""
}

// valueCode is the stable code of a mistake in a value.
func valueCode(m thing.Mistake) string { return "value-" + m.String() }

// asModelled reports whether nothing in what was understood is worth a word.
func asModelled(up *dialect.Uplink) bool {
	return len(up.Refused) == 0 && len(up.Notes) == 0 && up.Loose == 0 && !flagged(up.Report)
}

func flagged(report []dialect.Reading) bool {
	for i := range report {
		if report[i].Flag != nil {
			return true
		}
	}
	return false
}

// The bounds of what the timeline says of one message: a device may send
// thousands of mistakes in it, and names as long as the message.
const (
	mostTold  = 32  // refused values, and flagged ones, in a detail
	mostText  = 256 // bytes of a name or of what was received
	mostLines = 5   // mistakes in a sentence
)

// cut shortens what came from the device, between characters.
func cut(s string) string {
	if len(s) <= mostText {
		return s
	}
	n := mostText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// A detail is what the timeline shows of a message that was not wholly right.
type detail struct {
	Refused []refused      `json:"refused,omitempty"`
	Flagged []refused      `json:"flagged,omitempty"`
	Notes   []dialect.Note `json:"notes,omitempty"`
	Loose   string         `json:"loose,omitempty"` // how the payload departs from JSON
	Stored  int            `json:"stored"`
	More    int            `json:"more,omitempty"` // refused and flagged values that are not listed
}

type refused struct {
	ID         string `json:"id"`
	Refusal    string `json:"refusal"`        // the stable code of what is wrong
	Code       int    `json:"code,omitempty"` // the vendor's
	Mistake    string `json:"mistake"`
	Want       string `json:"want,omitempty"`
	Got        string `json:"got,omitempty"`
	Hint       string `json:"hint,omitempty"`
	Sentence   string `json:"sentence"`
	SentenceZH string `json:"sentenceZh"`
}

func explain(up *dialect.Uplink) detail {
	d := detail{Notes: append([]dialect.Note(nil), up.Notes...), Loose: up.Loose.String(), Stored: len(up.Report)}
	if up.RefusedAll {
		d.Stored = 0
	}
	for i := range up.Refused {
		r := &up.Refused[i]
		if i == mostTold {
			d.More = len(up.Refused) - mostTold
			break
		}
		d.Refused = append(d.Refused, tell(r.ID, r.Code, r.Problem))
	}
	for i := range up.Report {
		switch r := &up.Report[i]; {
		case r.Flag == nil:
		case len(d.Flagged) == mostTold:
			d.More++
		default:
			d.Flagged = append(d.Flagged, tell(r.Property, 0, *r.Flag))
		}
	}
	return d
}

func tell(id string, code int, p thing.Problem) refused {
	p.Path = cut(p.Path)
	return refused{
		ID: cut(id), Refusal: valueCode(p.Fault), Code: code, Mistake: p.Fault.String(), Want: p.Want, Got: p.Got, Hint: p.Hint,
		Sentence: p.Error(), SentenceZH: p.SentenceZH(),
	}
}

func summary(up *dialect.Uplink) (en, zh string) {
	var e, z []string
	n := 0
	add := func(say func() (en, zh string)) {
		if n++; n <= mostLines {
			en, zh := say()
			e, z = append(e, en), append(z, zh)
		}
	}
	for i := range up.Refused {
		add(func() (string, string) {
			p := up.Refused[i].Problem
			p.Path = cut(p.Path)
			return "not stored: " + p.Error(), "未存储：" + p.SentenceZH()
		})
	}
	for i := range up.Report {
		if f := up.Report[i].Flag; f != nil {
			add(func() (string, string) { return "stored, but " + f.Error(), "已存储，但 " + f.SentenceZH() })
		}
	}
	for _, note := range up.Notes {
		add(func() (string, string) { return note.Sentence, note.SentenceZH })
	}
	if up.Loose != 0 {
		add(func() (string, string) {
			return "not standard JSON: " + up.Loose.String(), "不是标准 JSON：" + up.Loose.StringZH()
		})
	}
	if more := n - mostLines; more > 0 { // they are in the detail
		e, z = append(e, fmt.Sprintf("and %d more", more)), append(z, fmt.Sprintf("另有 %d 项", more))
	}
	return strings.Join(e, "; "), strings.Join(z, "；")
}
