// Package command is the way down: a property is set or a service called, the
// dialect says it, the broker delivers it, and the device's reply, which comes
// back as an uplink, is matched to it.
//
// Who waits is told what became of the command; what nobody waits for is in
// history all the same.
package command

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/record"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/thing"
)

// A State is how far a command has come.
type State string

// The states. Acknowledged, Failed and TimedOut are final.
const (
	Queued       State = "queued"       // the device is away; it gets the command when it comes back
	Delivered    State = "delivered"    // written to the device's connection
	Acknowledged State = "acknowledged" // the device answered, or reported the values it was told to set
	Failed       State = "failed"       // the device answered with an error
	TimedOut     State = "timeout"      // no answer within Patience
)

// A Kind is what a command does.
type Kind string

// The kinds of commands.
const (
	Set    Kind = "set"
	Invoke Kind = "invoke"
	Get    Kind = "get"     // of properties, from the device itself
	Bytes  Kind = "command" // bytes that the device answers with bytes
	Raw    Kind = "raw"     // likewise, in place of what the product's model says
)

// A Command is one order to a device.
type Command struct {
	ID      string    `json:"id"` // decimal digits, unique per server
	Product string    `json:"product"`
	Device  string    `json:"device"`
	Kind    Kind      `json:"kind"`
	Service string    `json:"service,omitempty"` // of an invoke
	State   State     `json:"state"`
	Code    int       `json:"code,omitempty"` // the device's, 200 for success
	Message string    `json:"message,omitempty"`
	Input   string    `json:"input"`            // compact JSON
	Output  string    `json:"output,omitempty"` // compact JSON
	Topic   string    `json:"topic"`
	Payload string    `json:"payload"` // as the device gets it
	SentAt  time.Time `json:"sentAt"`
	DoneAt  time.Time `json:"doneAt,omitzero"`
}

// Done reports whether nothing more will happen to the command.
func (c *Command) Done() bool {
	return c.State == Acknowledged || c.State == Failed || c.State == TimedOut
}

// The bounds.
const (
	// Patience is how long an answer is waited for; later ones are noted and
	// change nothing.
	Patience = 60 * time.Second
	// ReportWindow is how long after a set a property report with the same
	// properties counts as its answer [aliyun-device §5.4].
	ReportWindow = 10 * time.Second
	// MaxPending is how many commands may await an answer at once, of all
	// devices and of one; more are refused as exhausted.
	MaxPending          = 100_000
	MaxPendingPerDevice = 64
)

// Gateways knows by whose connection a device is reached.
type Gateways interface {
	// Carrier returns the gateway that carries a sub-device; false for a device
	// that is reached by itself or not at all.
	Carrier(ctx context.Context, c dialect.Claim) (dialect.Claim, bool)
	// Keep keeps a message for a sub-device that is away: broker.Queued, or what
	// else became of it.
	Keep(ctx context.Context, c dialect.Claim, d dialect.Downlink) (broker.Outcome, error)
}

// Scripts turn messages into bytes, for products whose devices speak bytes of
// their own.
type Scripts interface {
	Raw(ctx context.Context, product string) bool
	Encode(ctx context.Context, product string, doc []byte) ([]byte, error)
}

// Options are what a Service needs.
type Options struct {
	Gateways Gateways // nil: every device is reached by itself
	Scripts  Scripts  // nil: no product has a script
	// Publisher hands broadcasts to their subscribers.
	Publisher Publisher
	Registry  *registry.Registry
	Dialects  dialect.Set
	Broker    Broker
	Feed      *feed.Feed
	Trace     *trace.Recorder
	Log       *slog.Logger
	Now       func() time.Time
}

// Broker delivers what is said.
type Broker interface {
	Send(session string, m broker.Message, how broker.Delivery) broker.Outcome
	Online(session string) bool
}

// A Service sends commands and matches replies. Any number of goroutines may
// use it at once; Run must be running for commands to time out.
type Service struct {
	Options
	last atomic.Int64
	late lateIDs

	questions questions
	casts     casts

	mu      sync.Mutex
	pending map[dialect.Claim][]*pending // of one device, oldest first
	relayed map[string]*pending          // those of sub-devices, by id
	count   int
}

type pending struct {
	Command
	sets     []string      // the properties of a set
	via      dialect.Claim // the gateway that carries it; zero for none
	deadline time.Time
	patience time.Duration
	recorded bool          // the feed has that it was sent
	done     chan struct{} // closed when Command is final
}

// New makes a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{Options: o, pending: make(map[dialect.Claim][]*pending), relayed: make(map[string]*pending)}
	s.last.Store(max(o.Now().Sub(idEpoch).Milliseconds(), 0))
	return s
}

// IDs are decimal, at most 13 digits (OneNET) and do not repeat after a
// restart: they begin at the milliseconds since idEpoch. None was given out
// before oldestID, which is in 2025; what devices count or read from a clock
// is not between that and now.
var (
	idEpoch  = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	oldestID = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Sub(idEpoch).Milliseconds()
)

// ours reports whether an id is one that was given out here, perhaps before a
// restart.
func (s *Service) ours(id string) bool {
	n, err := strconv.ParseInt(id, 10, 64)
	return err == nil && n >= oldestID && n <= s.last.Load()
}

// An Order says how a command is given.
type Order struct {
	Wait time.Duration // for the device's answer; 0: return when sent
	// Timeout is how long an answer counts; 0 means Patience, which is the most.
	Timeout time.Duration
	// Async calls a service asynchronously whatever the model says: it is queued
	// for a device that is away.
	Async bool
}

// Set sets properties of a device. The values are checked against the model
// first: an unknown, read-only or unsuitable one is fault.Invalid and nothing
// is sent. Without an answer within o.Wait the command comes back as it
// stands, which is no error.
func (s *Service) Set(ctx context.Context, id registry.ID, values []thing.Argument, o Order) (Command, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return Command{}, err
	}
	if t.product.DataModel == registry.Streams {
		return Command{}, fault.In("values", fault.Conflict("product %q has data streams, which nobody sets: send the device a command, or change what its image desires", id.Product))
	}
	if len(values) == 0 {
		return Command{}, fault.In("values", fault.Invalid("name at least one property to set"))
	}
	checked, problems := t.product.Model.CheckSet(values, thing.Rules{Lenient: true})
	if len(problems) > 0 {
		return Command{}, fault.In("values", fault.Invalid("%w", &problems[0]))
	}
	p := &pending{Command: Command{Kind: Set, Input: string(thing.AppendArguments(nil, checked))}}
	for _, v := range checked {
		p.sets = append(p.sets, v.ID)
	}
	return s.send(ctx, t, p, func(commandID string) dialect.Downlink {
		return t.dialect.Set(t.claim, commandID, checked, t.product.Model)
	}, o)
}

// Invoke calls a service of a device, as Set sets properties.
func (s *Service) Invoke(ctx context.Context, id registry.ID, service string, input []thing.Argument, o Order) (Command, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return Command{}, err
	}
	known, ok := t.product.Model.Service(service)
	if !ok {
		return Command{}, fault.In("service", fault.NotFound("product %q has no service %q", id.Product, service))
	}
	checked, problems := t.product.Model.CheckCall(service, input, thing.Rules{Lenient: true})
	if len(problems) > 0 {
		return Command{}, fault.In("input", fault.Invalid("%w", &problems[0]))
	}
	p := &pending{Command: Command{Kind: Invoke, Service: service, Input: string(thing.AppendArguments(nil, checked))}}
	say := func(commandID string) dialect.Downlink {
		return t.dialect.Invoke(t.claim, commandID, known, checked, t.product.Model)
	}
	if can, ok := t.dialect.(dialect.Questioner); ok && !known.Async && !o.Async && !s.raw(ctx, t) {
		return s.callNow(ctx, t, can, p, say, o)
	}
	return s.send(ctx, t, p, say, o)
}

type target struct {
	claim   dialect.Claim
	product *registry.Product
	dialect dialect.Dialect
	via     dialect.Claim // the gateway that carries it; zero for none
}

// session is whose session the device is reached by.
func (t *target) session() dialect.Claim {
	if t.via != (dialect.Claim{}) {
		return t.via
	}
	return t.claim
}

// through says to the gateway what the device is told.
func (t *target) through(d dialect.Downlink) (dialect.Downlink, error) {
	if t.via == (dialect.Claim{}) {
		return d, nil
	}
	if g, ok := t.dialect.(dialect.Gateways); ok {
		if relayed, ok := g.Through(t.via, d); ok {
			return relayed, nil
		}
	}
	return d, fault.Conflict("gateway %s cannot pass %s on to device %s", t.via.Session(), d.Topic, t.claim.Session())
}

func (s *Service) target(ctx context.Context, id registry.ID) (target, error) {
	product, err := s.Registry.Product(ctx, id.Product)
	if err != nil {
		return target{}, err
	}
	device, err := s.Registry.Device(ctx, id)
	if err != nil {
		return target{}, err
	}
	if !device.Enabled {
		return target{}, fault.Conflict("device %s is disabled: enable it first", id)
	}
	d, ok := s.Dialects.ByName(product.Dialect)
	if !ok {
		return target{}, fault.Invalid("product %q speaks the unknown dialect %q", product.Key, product.Dialect)
	}
	t := target{claim: dialect.Claim{Product: id.Product, Device: id.Device}, product: product, dialect: dialect.Choose(d, product.DataModel.String())}
	if s.Gateways != nil {
		t.via, _ = s.Gateways.Carrier(ctx, t.claim)
	}
	return t, nil
}

// send delivers a command and waits for its answer as long as the order says.
func (s *Service) send(ctx context.Context, t target, p *pending, say func(id string) dialect.Downlink, o Order) (Command, error) {
	now := s.Now()
	p.ID = strconv.FormatInt(s.last.Add(1), 10)
	p.Product, p.Device = t.claim.Product, t.claim.Device
	p.patience = Patience
	if o.Timeout > 0 {
		p.patience = min(o.Timeout, Patience)
	}
	p.SentAt, p.deadline, p.done = now, now.Add(p.patience), make(chan struct{})
	d, err := say(p.ID), error(nil)
	if p.Kind != Bytes && p.Kind != Raw { // which are bytes already
		d, err = s.encode(ctx, t, d)
	}
	if err != nil {
		return Command{}, err
	}
	if d, err = t.through(d); err != nil {
		return Command{}, err
	}
	p.via = t.via
	p.Topic, p.Payload, p.State = d.Topic, legible(d.Payload), Delivered
	// The device may answer before Send returns: it has to be pending first.
	if err := s.enlist(t.claim, p); err != nil {
		return Command{}, err
	}
	// And the timeline tells of the command before it tells of the answer.
	entry := s.note(p.Product, p.Device, d, p.brief())
	outcome, err := s.deliver(t, d, p.Kind)
	if err != nil {
		s.withdraw(t.claim, p)
		s.became(t.claim, entry, d, outcome)
		return Command{}, err
	}
	if outcome != broker.Delivered {
		s.became(t.claim, entry, d, outcome)
	}
	s.mu.Lock()
	if outcome == broker.Queued && !p.Done() {
		p.State = Queued
	}
	sent := p.Command
	s.mu.Unlock()
	ticket := s.keep(record.CommandSent, &sent, entry)
	s.begun(p)
	if err := ticket.Wait(); err != nil {
		return Command{}, fault.Unavailable("the command was sent but could not be recorded: %w", err)
	}
	return s.await(ctx, p, o.Wait), nil
}

// note writes into the timeline that something is sent, before it is.
func (s *Service) note(product, device string, d dialect.Downlink, detail any) uint64 {
	return s.Trace.Record(trace.Entry{
		Product: product, Device: device, Kind: trace.Command, Direction: "down",
		Topic: d.Topic, Payload: d.Visible(), Sentence: "sent", SentenceZH: "已下发", Detail: detail,
	})
}

// became writes into the timeline what became of something that was sent and
// did not reach the device's connection.
func (s *Service) became(c dialect.Claim, parent uint64, d dialect.Downlink, outcome broker.Outcome) {
	e := trace.Entry{
		Parent: parent, Product: c.Product, Device: c.Device, Kind: trace.Note, Code: fates[outcome],
		Topic: d.Topic, Sentence: outcome.String(), SentenceZH: outcome.StringZH(),
	}
	if outcome == broker.NotSubscribed {
		why := notSubscribed(c, d.Topic)
		e.Sentence, e.SentenceZH, e.Detail = why.Sentence, why.SentenceZH, why
	}
	s.Trace.Record(e)
}

func notSubscribed(c dialect.Claim, topic string) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: fates[broker.NotSubscribed], Field: "SUBSCRIBE", Received: "no subscription of the connection that holds the topic", Expected: topic,
		Sentence:   fmt.Sprintf("not subscribed: %s has no subscription to %s, so nothing was sent to it", c.Session(), topic),
		SentenceZH: fmt.Sprintf("未订阅：%s 没有订阅 %s，消息未下发", c.Session(), topic),
		Advice:     "let the device subscribe after each connection, to this topic or to a wildcard that holds it, and wait for the SUBACK",
		AdviceZH:   "请让设备在每次连接后订阅该主题（或包含它的通配主题），并等待 SUBACK",
	}
}

// fates are the codes of what may become of a downlink besides being delivered.
var fates = map[broker.Outcome]string{
	broker.Queued: "downlink-queued", broker.Offline: "downlink-offline", broker.NotSubscribed: "downlink-not-subscribed",
	broker.QueueFull: "downlink-queue-full", broker.NoSession: "downlink-no-session", broker.TooLarge: "downlink-too-large", broker.Throttled: "downlink-throttled",
}

// begun says that the command is on record. History keeps what comes last: the
// end of a command that was answered before that is announced only now.
func (s *Service) begun(p *pending) {
	s.mu.Lock()
	p.recorded = true
	over, c := p.Done(), p.Command
	s.mu.Unlock()
	if over {
		s.announce(c)
	}
}

// mostShown is how many bytes of each text the timeline shows of a command; a
// device may answer with as much as it can send.
const mostShown = 1024

// brief is the command for the timeline.
func (c Command) brief() Command {
	for _, s := range []*string{&c.Input, &c.Output, &c.Message, &c.Payload} {
		*s = cut(*s)
	}
	return c
}

// cut shortens a text between characters.
func cut(s string) string {
	if len(s) <= mostShown {
		return s
	}
	n := mostShown
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// deliver writes the message at QoS 0, as the vendors do; a device that is
// away and has a session gets it at QoS 1 when it comes back.
func (s *Service) deliver(t target, d dialect.Downlink, kind Kind) (broker.Outcome, error) {
	how := broker.IfSubscribed
	to := t.session()
	if t.dialect.Unasked(to, d.Topic) {
		how = broker.Unasked
	}
	m := broker.Message{Topic: d.Topic, Payload: d.Payload}
	if !s.Broker.Online(to.Session()) {
		m.QoS = mqtt.AtLeastOnce
	}
	outcome := s.Broker.Send(to.Session(), m, how)
	if (outcome == broker.NoSession || outcome == broker.Offline) && s.Gateways != nil && t.via == (dialect.Claim{}) {
		var err error
		if outcome, err = s.Gateways.Keep(context.Background(), t.claim, d); err != nil {
			return broker.Offline, fault.Unavailable("keep a message for device %s: %w", t.claim.Session(), err)
		}
	}
	switch outcome {
	case broker.Delivered, broker.Queued:
		return outcome, nil
	case broker.NotSubscribed:
		return outcome, fault.Conflict("device %s has not subscribed to %s, so it cannot be told", t.claim.Session(), d.Topic)
	case broker.QueueFull:
		return outcome, fault.Exhausted("the queue of device %s is full", t.claim.Session())
	case broker.Throttled:
		return outcome, fault.Exhausted("device %s is told more in a second than its product's devices may be", t.claim.Session())
	case broker.TooLarge:
		return outcome, fault.Conflict("device %s takes no packet as large as this message", t.claim.Session())
	}
	if kind == Set {
		return outcome, fault.Unavailable("device %s is offline, and has no session in which this could wait; a device that asks for desired values when it comes back finds one: matou device desired set", t.claim.Session())
	}
	return outcome, fault.Unavailable("device %s is offline", t.claim.Session())
}

func (s *Service) enlist(c dialect.Claim, p *pending) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count >= MaxPending {
		return fault.Exhausted("%d commands await an answer; wait for some of them", s.count)
	}
	if len(s.pending[c]) >= MaxPendingPerDevice {
		return fault.Exhausted("%d commands of device %s await an answer; wait for some of them", len(s.pending[c]), c.Session())
	}
	s.pending[c] = append(s.pending[c], p)
	if p.via != (dialect.Claim{}) {
		s.relayed[p.ID] = p
	}
	s.count++
	return nil
}

func (s *Service) withdraw(c dialect.Claim, p *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(c, p)
}

// await returns the command when it is done, or as it stands after wait.
func (s *Service) await(ctx context.Context, p *pending, wait time.Duration) Command {
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.Command
}

// keep hands a command to the feed.
func (s *Service) keep(kind record.Kind, c *Command, entry uint64) feed.Ticket {
	body, err := record.Command{
		ID: c.ID, Kind: string(c.Kind), Service: c.Service, Input: c.Input, Output: c.Output,
		State: string(c.State), Code: c.Code, Message: c.Message, SentAt: c.SentAt, DoneAt: c.DoneAt,
	}.Append(nil)
	if err != nil {
		return feed.Refused(err)
	}
	return s.Feed.Append(record.Record{
		Kind: kind, Product: c.Product, Device: c.Device, Time: s.Now(), TraceID: entry, Body: body,
	})
}

func (c *Command) String() string {
	return fmt.Sprintf("%s %s/%s %s", c.Kind, c.Product, c.Device, c.Input)
}
