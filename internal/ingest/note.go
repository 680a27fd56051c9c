package ingest

import (
	"fmt"
	"strings"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// note writes the message into the timeline, with what was taken, what was
// not, and why.
func (in *Ingest) note(j *job, p *packet.Publish) uint64 {
	up := &j.up
	e := trace.Entry{
		At: j.arrived, Product: j.who.Product, Device: j.who.Device, Kind: trace.Uplink, Direction: "up",
		Topic: string(p.Topic), QoS: int(p.QoS), Payload: p.Payload, Size: len(p.Payload),
	}
	switch up.Kind {
	case dialect.SetReply, dialect.InvokeReply:
		e.Kind = trace.Reply
	}
	if up.Fault != nil {
		e.Kind, e.Code, e.Sentence, e.SentenceZH, e.Detail = trace.Fault, up.Fault.Code, up.Fault.Sentence, up.Fault.SentenceZH, up.Fault
		return in.Trace.Record(e)
	}
	if len(up.Refused) > 0 || len(up.Notes) > 0 || up.Loose != "" || flagged(up.Report) {
		e.Sentence, e.SentenceZH = summary(up)
		e.Detail = explain(up)
	}
	return in.Trace.Record(e)
}

func flagged(report []dialect.Reading) bool {
	for i := range report {
		if report[i].Flag != nil {
			return true
		}
	}
	return false
}

// A detail is what the timeline shows of a message that was not wholly right.
type detail struct {
	Refused []refused      `json:"refused,omitempty"`
	Flagged []refused      `json:"flagged,omitempty"`
	Notes   []dialect.Note `json:"notes,omitempty"`
	Loose   string         `json:"loose,omitempty"` // how the payload departs from JSON
	Stored  int            `json:"stored"`
}

type refused struct {
	ID         string `json:"id"`
	Code       int    `json:"code,omitempty"`
	Mistake    string `json:"mistake"`
	Want       string `json:"want,omitempty"`
	Got        string `json:"got,omitempty"`
	Hint       string `json:"hint,omitempty"`
	Sentence   string `json:"sentence"`
	SentenceZH string `json:"sentenceZh"`
}

func explain(up *dialect.Uplink) detail {
	d := detail{Notes: append([]dialect.Note(nil), up.Notes...), Loose: up.Loose, Stored: len(up.Report)}
	if up.RefusedAll {
		d.Stored = 0
	}
	for i := range up.Refused {
		r := &up.Refused[i]
		d.Refused = append(d.Refused, tell(r.ID, r.Code, &r.Problem))
	}
	for i := range up.Report {
		if r := &up.Report[i]; r.Flag != nil {
			d.Flagged = append(d.Flagged, tell(r.Property, 0, r.Flag))
		}
	}
	return d
}

func tell(id string, code int, p *thing.Problem) refused {
	return refused{
		ID: id, Code: code, Mistake: p.Fault.String(), Want: p.Want, Got: p.Got, Hint: p.Hint,
		Sentence: p.Error(), SentenceZH: p.SentenceZH(),
	}
}

func summary(up *dialect.Uplink) (en, zh string) {
	var e, z []string
	add := func(en, zh string) { e, z = append(e, en), append(z, zh) }
	for i := range up.Refused {
		add("not stored: "+up.Refused[i].Problem.Error(), "未存储："+up.Refused[i].Problem.SentenceZH())
	}
	for i := range up.Report {
		if f := up.Report[i].Flag; f != nil {
			add("stored, but "+f.Error(), "已存储，但 "+f.SentenceZH())
		}
	}
	for _, n := range up.Notes {
		add(n.Sentence, n.SentenceZH)
	}
	if up.Loose != "" {
		add("not standard JSON: "+up.Loose, "不是标准 JSON："+up.Loose)
	}
	const most = 5 // sentences; the rest is in the detail
	if more := len(e) - most; more > 0 {
		e, z = append(e[:most], fmt.Sprintf("and %d more", more)), append(z[:most], fmt.Sprintf("另有 %d 项", more))
	}
	return strings.Join(e, "; "), strings.Join(z, "；")
}
