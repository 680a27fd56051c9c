package command

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// The bounds of commands that are bytes.
const (
	MinTimeout  = 5 * time.Second // of a command; the most is MaxTimeout [onenet §6.1]
	MaxTimeout  = 30 * time.Second
	maxRawBytes = 128 << 10
	maxAsked    = 200 // properties of one Get
)

// Get asks a device for the values of properties, which come back as the
// command's output and are not kept as a report would be.
func (s *Service) Get(ctx context.Context, id registry.ID, properties []string, o Order) (Command, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return Command{}, err
	}
	can, ok := t.dialect.(dialect.Getter)
	switch {
	case !ok || t.product.DataModel == registry.Streams:
		return Command{}, fault.Conflict("devices of product %q cannot be asked for properties: read the latest ones that they reported", id.Product)
	case len(properties) == 0 || len(properties) > maxAsked:
		return Command{}, fault.In("properties", fault.Invalid("name 1 to %d properties", maxAsked))
	}
	for _, p := range properties {
		if _, known := t.product.Model.Property(p); !known {
			unknown := t.product.Model.UnknownProperty(p)
			return Command{}, fault.In("properties", fault.Invalid("%w", &unknown))
		}
	}
	input, err := json.Marshal(properties)
	if err != nil {
		return Command{}, err
	}
	p := &pending{Command: Command{Kind: Get, Input: string(input)}}
	return s.send(ctx, t, p, func(commandID string) dialect.Downlink { return can.Get(t.claim, commandID, properties) }, o)
}

// Command sends a device bytes, and takes its answer as bytes. It is for those
// that are there: nothing waits for a device that is away.
func (s *Service) Command(ctx context.Context, id registry.ID, payload []byte, o Order) (Command, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return Command{}, err
	}
	can, ok := t.dialect.(dialect.Commander)
	if !ok {
		return Command{}, fault.Conflict("devices of product %q take no commands that are bytes: set properties or call a service", id.Product)
	}
	if len(payload) > can.MaxCommand() {
		return Command{}, fault.In("payload", fault.Invalid("the command has %d bytes; at most %d are allowed", len(payload), can.MaxCommand()))
	}
	if o.Timeout == 0 {
		o.Timeout = MaxTimeout
	}
	if o.Timeout < MinTimeout || o.Timeout > MaxTimeout {
		return Command{}, fault.In("timeout", fault.Invalid("the timeout is from %v to %v", MinTimeout, MaxTimeout))
	}
	if !s.Broker.Online(t.session().Session()) {
		return Command{}, fault.Unavailable("device %s is offline, and commands do not wait for it", t.claim.Session())
	}
	p := &pending{Command: Command{Kind: Bytes, Input: opaque(payload)}}
	return s.send(ctx, t, p, func(commandID string) dialect.Downlink { return can.Command(t.claim, commandID, payload) }, o)
}

// Raw passes bytes to a device as they are, and takes its answer as bytes.
func (s *Service) Raw(ctx context.Context, id registry.ID, payload []byte, o Order) (Command, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return Command{}, err
	}
	can, ok := t.dialect.(dialect.RawSender)
	if !ok {
		return Command{}, fault.Conflict("devices of product %q take no raw bytes", id.Product)
	}
	if len(payload) > maxRawBytes {
		return Command{}, fault.In("payload", fault.Invalid("%d bytes are more than %d", len(payload), maxRawBytes))
	}
	p := &pending{Command: Command{Kind: Raw, Input: opaque(payload)}}
	return s.send(ctx, t, p, func(commandID string) dialect.Downlink { return can.Raw(t.claim, commandID, payload) }, o)
}

// opaque writes bytes as JSON: a text where they are one, else
// {"base64":"…"}.
func opaque(b []byte) string {
	if utf8.Valid(b) {
		return string(thing.AppendText(nil, b))
	}
	return `{"base64":"` + base64.StdEncoding.EncodeToString(b) + `"}`
}

// legible is a payload for people: itself where it is text.
func legible(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Respond takes a device's answer in bytes. The error is a *dialect.Refusal
// whose cause is dialect.ErrResponseLate or dialect.ErrResponseUnasked.
func (s *Service) Respond(_ context.Context, r *dialect.Response) (dialect.Done, error) {
	s.mu.Lock()
	p := s.openBytes(r)
	if p == nil {
		late := s.late.has(r.Claim, r.Command)
		s.mu.Unlock()
		return dialect.Done{}, unasked(r.Command, late)
	}
	p.State, p.Code, p.Output = Acknowledged, 200, opaque(r.Payload)
	done := s.finish(nil, r.Claim, p)
	s.mu.Unlock()
	s.announce(done...)
	return dialect.Done{}, nil
}

// openBytes finds the command that a response answers. s.mu is held.
func (s *Service) openBytes(r *dialect.Response) *pending {
	for _, p := range s.pending[r.Claim] {
		if p.ID == r.Command && (p.Kind == Bytes || p.Kind == Raw) {
			return p
		}
	}
	return nil
}

func unasked(id string, late bool) error {
	shown := strconv.Quote(cut(id))
	if late {
		return &dialect.Refusal{Cause: dialect.ErrResponseLate, Diagnosis: dialect.Diagnosis{
			Code: "response-late", Field: "topic", Received: shown, Expected: "an answer before the command's timeout",
			Sentence:   "the answer to command " + shown + " comes too late: whoever gave it was told that there is none",
			SentenceZH: "命令 " + shown + " 的应答超时：下发者已得到超时结果",
			Advice:     "answer sooner, or give the command more time: --timeout, at most 30s", AdviceZH: "请尽快应答，或下发时延长 timeout（最多 30 秒）",
		}}
	}
	return &dialect.Refusal{Cause: dialect.ErrResponseUnasked, Diagnosis: dialect.Diagnosis{
		Code: "response-unasked", Field: "topic", Received: shown, Expected: "the id of a command that is open",
		Sentence:   "the answer to command " + shown + " is not wanted: there is no such command, or it was answered before",
		SentenceZH: "没有等待应答的命令 " + shown + "：命令不存在，或已应答过",
		Advice:     "answer each command once, on cmd/response/ with the last part of the topic that it came on", AdviceZH: "每条命令只应答一次，cmd/response/ 之后使用下发 topic 的最后一段",
	}}
}

// lateIDs remembers which commands timed out, the last maxLate of all devices,
// so that an answer that comes afterwards can be told so. It is guarded by the
// service's mu.
type lateIDs struct {
	ring [maxLate]lateID
	next int
}

type lateID struct {
	who dialect.Claim
	id  string
}

const maxLate = 256

func (l *lateIDs) add(who dialect.Claim, id string) {
	l.ring[l.next] = lateID{who, id}
	l.next = (l.next + 1) % maxLate
}

func (l *lateIDs) has(who dialect.Claim, id string) bool {
	for i := range l.ring {
		if l.ring[i] == (lateID{who, id}) {
			return id != ""
		}
	}
	return false
}
