// Package ingest is the way of an uplink through the house, as a list of
// steps: decode, check, keep, answer, announce. A message is acknowledged and
// answered only after it is kept.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/thing"
)

// A Sender delivers downlinks: the broker.
type Sender interface {
	Send(session string, m broker.Message, how broker.Delivery) broker.Outcome
}

// Commands learns what devices answer and report.
type Commands interface {
	// Reply takes a device's answer to a command.
	Reply(ctx context.Context, who dialect.Claim, r dialect.Reply, invoke bool)
	// Reported takes the values of a property report, which may be the only
	// sign that a set was obeyed.
	Reported(ctx context.Context, who dialect.Claim, report []dialect.Reading)
}

// Options are what Ingest needs.
type Options struct {
	Registry *registry.Registry
	Feed     *feed.Feed
	Commands Commands
	Sender   Sender
	Gateways dialect.Others // who knows the sub-devices of gateways; nil: nobody has any
	Scripts  Scripts        // nil: no product has one
	Networks Networks       // what devices report of their networks; nil: the timeline alone has it
	Topics   Topics         // the classes of custom topics; nil: every topic is declared
	// Rulebook is how much devices may say; nil: as their vendors wrote it down.
	Rulebook *dialect.Rulebook
	Trace    *trace.Recorder
	Log      *slog.Logger
	Now      func() time.Time
}

// Ingest takes uplinks. Any number of connections may publish at once.
type Ingest struct {
	Options
	jobs    sync.Pool               // of *job
	servers map[reflect.Type]server // by the type of request
	uses    uses
	said    said
}

// New makes an Ingest.
func New(o Options) *Ingest {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	in := &Ingest{Options: o, jobs: sync.Pool{New: func() any { return new(job) }}, servers: make(map[reflect.Type]server)}
	Handle(in, in.clock)
	in.about()
	return in
}

// A job is one message on its way. It is pooled: nothing of it is used after
// Settle.
type job struct {
	in       *Ingest
	who      *dialect.Subject // for whom it speaks
	by       *dialect.Subject // whose connection brought it: who's own, or its gateway's
	client   *broker.Client   // that connection; nil for none
	up       dialect.Uplink
	report   record.ReportBuilder
	unfit    unfit
	tickets  []feed.Ticket // what has to be durable before the answer
	arrived  time.Time
	pace     *trace.Pace // who's; nil without a connection
	entry    uint64      // its entry in the timeline
	untold   bool        // entry was left out, and so is that of its answer
	parent   uint64      // the entry of the bytes that it was made of; 0 for none
	body     []byte
	serve    server       // what the device asks for; nil for nothing
	wire     []byte       // the packet, of a device under watch
	direct   *Taken       // who asks without a connection; nil: one has
	raw      bool         // the device speaks bytes: answers are made such
	scripted script.Error // what was last noted of the product's script
	lost     bool         // it could not be read for no fault of the device, which has to send it again
}

// Publish takes one PUBLISH of a device that is logged in.
func (in *Ingest) Publish(c *broker.Client, by *dialect.Subject, p *packet.Publish) broker.Decision {
	return in.publish(c, by, p, nil)
}

// publish is Publish, and Take where direct is not nil; then there is no client.
func (in *Ingest) publish(c *broker.Client, by *dialect.Subject, p *packet.Publish, direct *Taken) broker.Decision {
	ctx := context.Background() // a message outlives the connection that brought it
	who := by
	if by.Subs.Any() {
		who = speaker(by, p.Topic)
	}
	held, _ := who.Held.Load().(*registry.Held)
	product, err := in.Registry.Hold(ctx, who.Product, held)
	if err != nil {
		in.Log.Error("product of a connected device", "product", who.Product, "error", err)
		return broker.Decision{Action: broker.Consume, Reason: mqtt.UnspecifiedError}
	}
	if product != held {
		who.Held.Store(product)
	}
	arrived := in.Now()
	if direct == nil && in.tooMany(by, &by.Rates, p, arrived) {
		return broker.Decision{Action: broker.Consume}
	}
	if direct != nil && in.tooManyOf(by, p, arrived) {
		return broker.Decision{Action: broker.Consume, Reason: mqtt.MessageRateTooHigh}
	}
	j := in.jobs.Get().(*job)
	j.in, j.who, j.by, j.client, j.arrived = in, who, by, c, arrived
	j.up.Others = in.Gateways
	if direct == nil {
		j.pace = &who.Pace
	}
	if c != nil && !in.Trace.Observed(who.Product, who.Device).IsZero() {
		j.wire = c.Raw()
	}
	who.Dialect.Uplink(who.Claim, p.Topic, p.Payload, product.Model, who.Mode, &j.up)
	if j.up.Kind == dialect.Forbidden {
		j.stranger(p.Topic)
	}
	if p.QoS == mqtt.ExactlyOnce || p.Retain {
		if d, ok := who.Dialect.(dialect.Mannered); ok {
			d.Manners(p.QoS, p.Retain, who.Mode, &j.up)
		}
	}
	if j.up.Kind == dialect.Other {
		return j.custom(ctx, p, direct)
	}
	j.wrongFormat(ctx, p)
	j.entry = in.note(j, p)
	if j.up.Kind == dialect.Raw || j.up.Kind == dialect.RawReply {
		j.unpack(ctx, product.Product, p)
	}
	j.tell(direct)
	switch j.up.Kind {
	case dialect.Forbidden:
		closing := j.up.Close
		for _, answer := range j.up.Answers {
			j.answer(answer)
		}
		j.release()
		if closing {
			return broker.Decision{Action: broker.Close, Reason: mqtt.NotAuthorized}
		}
		return broker.Decision{Action: broker.Consume, Reason: mqtt.NotAuthorized}
	case dialect.PropertyPost:
		j.keepReport(who.Claim, j.up.Report)
		if len(j.up.Events) > 0 || len(j.up.Parts) > 0 {
			j.keepPack(p)
		}
		j.tellUnfit()
	case dialect.EventPost:
		j.keepEvents(who.Claim, j.up.Events)
		j.tellUnfit()
	case dialect.Asks:
		if j.tooOften(p) {
			d := broker.Decision{Action: broker.Consume}
			if direct != nil {
				d.Reason = mqtt.MessageRateTooHigh
			}
			j.release()
			return d
		}
		j.serve = in.serverOf(j.up.Request)
	case dialect.SetReply, dialect.InvokeReply, dialect.GetReply:
		if j.up.Fault == nil {
			in.Commands.Reply(ctx, who.Claim, j.up.Reply, j.up.Kind == dialect.InvokeReply)
		}
	}
	if len(j.tickets) == 0 && len(j.up.Answers) == 0 && j.serve == nil && !j.lost {
		j.release()
		return broker.Decision{Action: broker.Consume}
	}
	return broker.Decision{Action: broker.Consume, Pending: j}
}

// maxPoints is how many values one record holds; history reads no longer ones.
const maxPoints = 4096

// keepReport hands the values to the feed.
func (j *job) keepReport(of dialect.Claim, report []dialect.Reading) {
	if j.up.RefusedAll || len(report) == 0 {
		return
	}
	j.report.Reset()
	arrived := j.arrived.UnixMilli()
	for i := range report {
		r := &report[i]
		at := arrived
		if !r.Time.IsZero() {
			at = r.Time.UnixMilli()
		}
		j.add(of, r, at)
	}
	if j.report.Len() > 0 {
		j.keep(of, record.PropertyReport, j.report.Bytes())
	}
	j.in.Commands.Reported(context.Background(), of, report)
}

// add puts a value into the report, or into the next one where this is full.
func (j *job) add(of dialect.Claim, r *dialect.Reading, at int64) {
	if j.report.Len() == maxPoints {
		j.divide(of)
	}
	err := j.report.Add(r.Property, r.Value, at)
	if errors.Is(err, record.ErrFull) {
		j.divide(of)
		err = j.report.Add(r.Property, r.Value, at)
	}
	if err != nil {
		j.leaveOut(r.Property, err)
	}
}

// divide hands the report to the feed and begins another.
func (j *job) divide(of dialect.Claim) {
	j.keep(of, record.PropertyReport, j.report.Bytes())
	j.report.Reset()
}

// An unfit is what no record can hold. The device is answered as if it were
// kept: sent again it would fit no better.
type unfit struct {
	count int
	name  string // of the first
	err   error
}

func (j *job) leaveOut(name string, err error) {
	if j.unfit.count++; j.unfit.count == 1 {
		j.unfit.name, j.unfit.err = cut(name), err
	}
}

// tellUnfit writes what was left out into the timeline, in one entry.
func (j *job) tellUnfit() {
	u := j.unfit
	if u.count == 0 {
		return
	}
	j.unfit = unfit{}
	j.in.Trace.Record(trace.Entry{
		Parent: j.entry, Product: j.who.Product, Device: j.who.Device, Kind: trace.Fault, Code: "not-kept",
		Sentence:   fmt.Sprintf("%d of the values could not be stored; the first, %s: %v", u.count, u.name, u.err),
		SentenceZH: fmt.Sprintf("有 %d 个值无法保存；第一个 %s：%v", u.count, u.name, u.err),
	})
}

// keepEvents hands the events to the feed.
func (j *job) keepEvents(of dialect.Claim, events []dialect.Event) {
	if j.up.RefusedAll {
		return
	}
	for i := range events {
		e := &events[i]
		at := e.Time
		if at.IsZero() {
			at = j.arrived
		}
		body, err := record.Event{
			Event: e.ID, Level: e.Level, Output: string(thing.AppendArguments(nil, e.Output)), Time: at,
		}.Append(j.body[:0])
		if err != nil {
			j.leaveOut(e.ID, err)
			continue
		}
		j.body = body
		j.keep(of, record.EventReport, body)
	}
}

func (j *job) keep(of dialect.Claim, kind record.Kind, body []byte) {
	j.tickets = append(j.tickets, j.in.Feed.Append(record.Record{
		Kind: kind, Product: of.Product, Device: of.Device, Time: j.arrived, TraceID: j.entry, Body: body,
	}))
}

// Notify says whether Settle would wait. Only the message itself can say when
// that is over: requests are served from databases, and scripts take their
// time.
func (j *job) Notify(w broker.Waker) broker.Readiness {
	if j.serve != nil || j.raw {
		return broker.Whenever
	}
	for _, t := range j.tickets {
		if t.Notify(w) {
			return broker.Later
		}
	}
	return broker.Ready
}

// Settle waits until the message is kept, then answers the device. The broker
// acknowledges with the code it returns.
func (j *job) Settle() mqtt.ReasonCode {
	defer j.release()
	for _, t := range j.tickets {
		if err := t.Wait(); err != nil {
			j.in.Log.Error("message not kept", "product", j.who.Product, "device", j.who.Device, "error", err)
			j.in.Trace.Record(trace.Entry{
				Parent: j.entry, Product: j.who.Product, Device: j.who.Device, Kind: trace.Fault,
				Code: "not-kept", Sentence: "the message could not be stored and was not acknowledged: " + err.Error(),
				SentenceZH: "消息未能保存，因此未予确认：" + err.Error(),
			})
			return mqtt.ImplementationSpecificError // the device sends again
		}
	}
	if j.lost || j.serve != nil && !j.attend() {
		return mqtt.ImplementationSpecificError
	}
	for _, answer := range j.up.Answers {
		j.answer(answer)
	}
	if j.serve != nil {
		if after := j.up.Request.Asked().After; after != nil {
			after()
		}
	}
	return mqtt.Success
}

// answer sends a reply at QoS 0: neither vendor sends its replies higher.
func (j *job) answer(d dialect.Downlink) {
	if j.raw {
		var ok bool
		if d, ok = j.pack(d); !ok {
			return
		}
	}
	if j.direct != nil {
		j.direct.Answers = append(j.direct.Answers, d)
		return
	}
	how := broker.IfSubscribed
	if j.by.Dialect.Unasked(j.by.Claim, d.Topic) {
		how = broker.Unasked
	}
	m := broker.Message{Topic: d.Topic, Payload: d.Payload}
	var outcome broker.Outcome
	if j.client != nil {
		outcome = j.client.Answer(m, how)
	} else {
		outcome = j.in.Sender.Send(j.by.Session(), m, how)
	}
	if j.untold {
		j.pace.Skip()
		return
	}
	j.in.Trace.Record(trace.Entry{
		Parent: j.entry, At: j.in.Now(), Product: j.who.Product, Device: j.who.Device, Kind: trace.Downlink, Direction: "down",
		Topic: d.Topic, Payload: d.Visible(), Sentence: outcome.String(), SentenceZH: outcome.StringZH(),
	})
}

func (j *job) release() {
	j.who, j.by, j.client, j.serve, j.direct = nil, nil, nil, nil, nil
	j.raw, j.lost, j.untold = false, false, false
	j.wire, j.pace, j.scripted = nil, nil, script.Error{}
	clear(j.tickets)
	j.tickets = j.tickets[:0]
	j.in.jobs.Put(j)
}
