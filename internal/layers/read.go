package layers

import (
	"context"
	"encoding/json"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/thing"
)

// A reading is what is found in a message.
type reading struct {
	report  *Decoded
	values  []Checked
	command string // the id of the command that it is or answers
}

const (
	again   = "read again, with the thing model as it is now"
	againZH = "按当前的物模型重新解析"
	cutNote = "not read again: the timeline keeps the beginning of the payload only. matou device trace --watch keeps more"
	cutNZH  = "未重新解析：时间线只保存了内容的开头部分。使用 matou device trace --watch 可保存更多"
)

// read lets the dialect read the message again. It is nil for what is no
// message, or of nobody who exists.
func (s *Service) read(ctx context.Context, id registry.ID, l *Layers) (*reading, error) {
	e := &l.Entry
	switch e.Kind {
	case trace.Command:
		return &reading{command: commandOf(e)}, nil
	case trace.Uplink, trace.Reply, trace.Fault:
	default:
		return nil, nil
	}
	product, err := s.Registry.Product(ctx, id.Product)
	if fault.KindOf(err) == fault.KindNotFound || err == nil && e.Topic == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	base, ok := s.Dialects.ByName(product.Dialect)
	if !ok {
		return nil, nil
	}
	d := dialect.Choose(base, product.DataModel.String())
	r := &reading{report: &Decoded{Dialect: d.Name(), Note: again, NoteZH: againZH}}
	topic, payload := e.Topic, e.Payload
	for i := range l.Followed { // the message that a script made of bytes
		if f := &l.Followed[i]; f.Parent == e.ID && (f.Kind == trace.Uplink || f.Kind == trace.Reply) && f.Topic != "" {
			topic, payload, r.report.Script = f.Topic, f.Payload, true
		}
	}
	if l.Message.Cut && !r.report.Script {
		r.report.Note, r.report.NoteZH = cutNote, cutNZH
		return r, nil
	}
	up := dialect.Uplink{Others: s.Others}
	who := dialect.Claim{Product: id.Product, Device: id.Device}
	d.Uplink(who, []byte(topic), payload, product.Model, mode(product), &up)
	r.fill(&up, product.Model, e.At)
	return r, nil
}

func mode(p *registry.Product) dialect.Strictness {
	switch p.Strictness {
	case registry.Strict:
		return dialect.Strict
	case registry.Open:
		return dialect.Open
	}
	return dialect.Lenient
}

// commandOf is the id of the command that an entry tells of.
func commandOf(e *trace.Entry) string {
	var d struct {
		ID string `json:"id"`
	}
	if raw, ok := e.Detail.(json.RawMessage); ok && json.Unmarshal(raw, &d) == nil {
		return d.ID
	}
	return ""
}

// kinds are what a message may be.
var kinds = map[dialect.Kind]string{
	dialect.Other: "custom", dialect.PropertyPost: "property-post", dialect.EventPost: "event-post", dialect.SetReply: "set-reply",
	dialect.InvokeReply: "invoke-reply", dialect.GetReply: "get-reply", dialect.Asks: "request", dialect.Unimplemented: "unimplemented",
	dialect.Forbidden: "forbidden", dialect.Raw: "raw", dialect.RawReply: "raw-reply",
}

func (r *reading) fill(up *dialect.Uplink, model *thing.Model, arrived time.Time) {
	out := r.report
	out.Kind, out.MessageID, out.Loose, out.RefusedAll = kinds[up.Kind], up.ID, up.Loose.String(), up.RefusedAll
	out.Fault = up.Fault
	out.Notes = append(out.Notes, up.Notes...)
	switch up.Kind {
	case dialect.SetReply, dialect.InvokeReply, dialect.GetReply:
		r.command = up.Reply.ID
	}
	r.add(dialect.Claim{}, up.Report, up.Events, model, arrived, up.RefusedAll)
	for _, p := range up.Parts {
		r.add(p.Claim, p.Report, p.Events, nil, arrived, up.RefusedAll)
	}
	for _, x := range up.Refused {
		r.keep(Checked{
			Kind: "property", Name: x.ID, Wanted: x.Problem.Want, WantedZH: x.Problem.WantZH, Verdict: Refused, Code: x.Code,
			Refusal: "value-" + x.Problem.Fault.String(), Sentence: x.Problem.Error(), SentenceZH: x.Problem.SentenceZH(),
		})
	}
}

// add takes the values of one device.
func (r *reading) add(of dialect.Claim, report []dialect.Reading, events []dialect.Event, model *thing.Model, arrived time.Time, none bool) {
	verdict := Fits
	if none {
		verdict = Refused
	}
	for i := range report {
		x := &report[i]
		value := x.Value
		v := Checked{Product: of.Product, Device: of.Device, Kind: "property", Name: x.Property, Value: &value, Time: at(x.Time, arrived), Verdict: verdict}
		if model != nil {
			if p, ok := model.Property(x.Property); ok {
				v.Wanted, v.WantedZH = p.Type.String(), p.Type.StringZH()
			}
		}
		if x.Flag != nil {
			v.Refusal, v.Sentence, v.SentenceZH = "value-"+x.Flag.Fault.String(), x.Flag.Error(), x.Flag.SentenceZH()
			if !none {
				v.Verdict = Flagged
			}
		}
		r.keep(v)
	}
	for i := range events {
		x := &events[i]
		r.keep(Checked{
			Product: of.Product, Device: of.Device, Kind: "event", Name: x.ID, Output: string(thing.AppendArguments(nil, x.Output)),
			Time: at(x.Time, arrived), Verdict: verdict,
		})
	}
}

func (r *reading) keep(v Checked) {
	if len(r.values) < maxShown {
		r.values = append(r.values, v)
	}
}

// at is when a value was measured, to the millisecond as it is stored.
func at(t, arrived time.Time) time.Time {
	if t.IsZero() {
		t = arrived
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// rows are what the store has of a message.
func (s *Service) rows(ctx context.Context, id registry.ID, l *Layers, r *reading) ([]Row, error) {
	var rows []Row
	o := s.origins(l)
	for _, v := range r.values {
		if v.Verdict == Refused {
			continue
		}
		of := id
		if v.Device != "" {
			of = registry.ID{Product: v.Product, Device: v.Device}
		}
		row, err := s.row(ctx, of, v, o)
		if err != nil {
			return nil, err
		}
		row.Product, row.Device = v.Product, v.Device
		rows = append(rows, row)
	}
	if r.command == "" {
		return rows, nil
	}
	row, err := s.command(ctx, id, r.command, l.Entry.At)
	return append(rows, row), err
}

func (s *Service) row(ctx context.Context, id registry.ID, v Checked, o *origins) (Row, error) {
	row := Row{Kind: v.Kind, Name: v.Name}
	q := history.Query{Product: id.Product, Device: id.Device, From: v.Time, To: v.Time.Add(time.Millisecond), Limit: maxShown}
	var best candidate
	if v.Kind == "event" {
		found, _, err := s.History.Events(ctx, q)
		if err != nil {
			return row, err
		}
		for i, e := range found {
			if e.Event != v.Name {
				continue
			}
			if err := o.weigh(ctx, &best, candidate{i, e.Seq, e.Event, e.Output == v.Output, 0}); err != nil {
				return row, err
			}
		}
		if best.rank > 0 {
			e := found[best.index]
			row.Time, row.Output = e.Time, e.Output
			o.take(&row, &best)
		}
		return row, nil
	}
	q.Property = v.Name
	found, _, err := s.History.Range(ctx, q)
	if err != nil {
		return row, err
	}
	for i, p := range found {
		if err := o.weigh(ctx, &best, candidate{i, p.Seq, p.Property, p.Value == *v.Value, 0}); err != nil {
			return row, err
		}
	}
	if best.rank > 0 {
		p := found[best.index]
		row.Time, row.Value = p.Time, &p.Value
		o.take(&row, &best)
	}
	return row, nil
}

// lookBack is how long before its answer a command was sent at the most.
const lookBack = 30 * 24 * time.Hour

func (s *Service) command(ctx context.Context, id registry.ID, command string, when time.Time) (Row, error) {
	row := Row{Kind: "command", Name: command}
	found, _, err := s.History.Commands(ctx, history.Query{
		Product: id.Product, Device: id.Device, From: when.Add(-lookBack), To: when.Add(time.Minute), Descending: true, Limit: maxShown,
	})
	for _, c := range found {
		if c.ID == command {
			row.Found, row.By, row.Time, row.State, row.Output = true, ByCommandID, c.SentAt, c.State, c.Output
		}
	}
	return row, err
}
