package command

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// The bounds of questions [aliyun-device §4.6].
const (
	MinRRPC     = time.Second
	MaxRRPC     = 8 * time.Second
	UsualRRPC   = 5 * time.Second
	maxQuestion = 256 << 10   // bytes
	halfOpen    = time.Minute // of a device that promised no keep-alive
)

// The results of a question, in the vendor's words.
const (
	Success  = "SUCCESS"  // the device answered
	Timeout  = "TIMEOUT"  // it did not in time
	Away     = "OFFLINE"  // it is not connected
	HalfConn = "HALFCONN" // its connection broke a moment ago, before or while it was asked
	Unknown  = "UNKNOWN"  // it could not be asked for another reason
)

// A Question is asked of a device that answers at once.
type Question struct {
	Topic   string // custom; "" is the usual one
	Payload []byte
	Timeout time.Duration // 0 is UsualRRPC
}

// An RRPC is what became of a question.
type RRPC struct {
	ID      string // of the message, decimal digits
	Code    string
	Topic   string
	Payload []byte // the device's answer
	Took    time.Duration
}

// questions are those that await an answer.
type questions struct {
	mu   sync.Mutex
	last int64
	open map[dialect.Claim][]*question
	n    int
}

type question struct {
	id     string
	answer func(payload []byte) // called once, with a copy; it does not wait
}

// ask makes a question with an id of its own, 18 or 19 digits as the vendor's
// are: milliseconds in front, so that none repeats after a restart.
func (q *questions) ask(c dialect.Claim, now time.Time, answer func([]byte)) (*question, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n >= MaxPending {
		return nil, fault.Exhausted("%d questions await an answer; wait for some of them", q.n)
	}
	if n := len(q.open[c]); n >= MaxPendingPerDevice {
		return nil, fault.Exhausted("%d questions of device %s await an answer; wait for some of them", n, c.Session())
	}
	const withinMilli = 22 // bits
	q.last = max(q.last+1, now.Sub(idEpoch).Milliseconds()<<withinMilli)
	asked := &question{strconv.FormatInt(q.last, 10), answer}
	if q.open == nil {
		q.open = make(map[dialect.Claim][]*question)
	}
	q.open[c] = append(q.open[c], asked)
	q.n++
	return asked, nil
}

// take closes a question; nil where it is not open.
func (q *questions) take(c dialect.Claim, id string) *question {
	q.mu.Lock()
	defer q.mu.Unlock()
	open := q.open[c]
	i := slices.IndexFunc(open, func(a *question) bool { return a.id == id })
	if i < 0 {
		return nil
	}
	asked := open[i]
	if q.open[c] = slices.Delete(open, i, i+1); len(q.open[c]) == 0 {
		delete(q.open, c)
	}
	q.n--
	return asked
}

// RRPC asks a device and waits for its answer. That it does not answer, or is
// not there, is no error: Code says it.
func (s *Service) RRPC(ctx context.Context, id registry.ID, q Question) (RRPC, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return RRPC{}, err
	}
	can, ok := t.dialect.(dialect.Questioner)
	if q.Timeout == 0 {
		q.Timeout = UsualRRPC
	}
	switch {
	case !ok:
		return RRPC{}, fault.Conflict("devices of product %q cannot be asked something that they answer at once", id.Product)
	case q.Timeout < MinRRPC || q.Timeout > MaxRRPC:
		return RRPC{}, fault.In("timeout", fault.Invalid("the timeout is from %v to %v", MinRRPC, MaxRRPC))
	case len(q.Payload) > maxQuestion:
		return RRPC{}, fault.In("payload", fault.Invalid("%d bytes are more than %d", len(q.Payload), maxQuestion))
	}
	answer := make(chan []byte, 1)
	asked, err := s.questions.ask(t.claim, s.Now(), func(payload []byte) { answer <- payload })
	if err != nil {
		return RRPC{}, err
	}
	defer s.questions.take(t.claim, asked.id)
	status, err := s.Registry.Status(ctx, id)
	if err != nil {
		return RRPC{}, err
	}
	d, err := can.Question(t.claim, status.ClientID, asked.id, q.Topic, q.Payload)
	if err != nil {
		return RRPC{}, err
	}
	r := RRPC{ID: asked.id, Topic: d.Topic}
	began := s.Now()
	entry := s.note(id.Product, id.Device, d, nil)
	outcome := s.askNow(t, d)
	switch outcome {
	case broker.Delivered:
		r.Code, r.Payload = awaitAnswer(ctx, answer, q.Timeout)
		if to := t.session(); r.Code == Timeout && !s.Broker.Online(to.Session()) {
			r.Code = HalfConn
		}
	case broker.Offline, broker.NoSession:
		r.Code = s.away(ctx, id)
	default:
		r.Code = Unknown
	}
	r.Took = s.Now().Sub(began)
	s.Trace.Record(trace.Entry{
		Parent: entry, Product: id.Product, Device: id.Device, Kind: trace.Note, Code: rrpcCodes[r.Code],
		Sentence: "RRPC " + r.ID + " finished: " + r.Code, SentenceZH: "RRPC " + r.ID + " 结束：" + r.Code, Size: len(r.Payload),
	})
	return r, nil
}

// rrpcCodes are the stable codes of the ends of questions.
var rrpcCodes = map[string]string{Success: "rrpc-success", Timeout: "rrpc-timeout", Away: "rrpc-offline", HalfConn: "rrpc-half-open", Unknown: "rrpc-unknown"}

// askNow delivers a question, or does not: nothing waits for a device that is
// away.
func (s *Service) askNow(t target, d dialect.Downlink) broker.Outcome {
	to := t.session()
	if !s.Broker.Online(to.Session()) {
		return broker.Offline
	}
	return s.Broker.Send(to.Session(), broker.Message{Topic: d.Topic, Payload: d.Payload}, broker.Unasked)
}

func awaitAnswer(ctx context.Context, answer <-chan []byte, patience time.Duration) (string, []byte) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case payload := <-answer:
		return Success, payload
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case payload := <-answer:
		return Success, payload
	default:
		return Timeout, nil
	}
}

// away tells a device that left from one whose connection broke less than one
// keep-alive ago [aliyun-device §4.6].
func (s *Service) away(ctx context.Context, id registry.ID) string {
	status, err := s.Registry.Status(ctx, id)
	if err != nil {
		return Away
	}
	switch status.OfflineReason {
	case broker.Lost.String(), broker.KeepAliveOver.String(), broker.TooSlow.String():
		window := time.Duration(status.KeepAlive) * time.Second
		if window == 0 {
			window = halfOpen
		}
		if s.Now().Sub(status.LastOffline) < window {
			return HalfConn
		}
	}
	return Away
}

// Answered takes a device's answer to a question. The error is a
// *dialect.Refusal whose cause is dialect.ErrNoQuestion.
func (s *Service) Answered(_ context.Context, r *dialect.RRPCAnswer) (dialect.Done, error) {
	asked := s.questions.take(r.Claim, r.Question)
	if asked == nil {
		shown := strconv.Quote(cut(r.Question))
		return dialect.Done{}, &dialect.Refusal{Cause: dialect.ErrNoQuestion, Diagnosis: dialect.Diagnosis{
			Code: "rrpc-unmatched", Field: "topic", Received: shown, Expected: "the id of a question that is open, within its timeout of at most 8 s",
			Sentence:   "the RRPC answer " + shown + " is to no open question (1904): it came too late, twice, or with another id",
			SentenceZH: "RRPC 应答 " + shown + " 没有对应的请求（1904）：可能超时、重复或消息 ID 不符",
			Advice:     "answer within the caller's timeout, once, on the topic with the id of the question", AdviceZH: "请在调用方超时之前应答一次，并使用请求 topic 中的消息 ID",
		}}
	}
	asked.answer(slices.Clone(r.Payload))
	return dialect.Done{}, nil
}

// callNow calls a service of a device that answers at once, or is not there: a
// synchronous one is a question [aliyun-device §4.6].
func (s *Service) callNow(ctx context.Context, t target, can dialect.Questioner, p *pending, say func(id string) dialect.Downlink, o Order) (Command, error) {
	if to := t.session(); !s.Broker.Online(to.Session()) {
		return Command{}, fault.Unavailable("device %s is offline, and a synchronous call does not wait for it: call the service asynchronously to have it queued", t.claim.Session())
	}
	asked, err := s.questions.ask(t.claim, s.Now(), func(payload []byte) { s.calledNow(t.claim, can, p, payload) })
	if err != nil {
		return Command{}, err
	}
	status, err := s.Registry.Status(ctx, registry.ID{Product: t.claim.Product, Device: t.claim.Device})
	if err != nil {
		s.questions.take(t.claim, asked.id)
		return Command{}, err
	}
	if o.Timeout == 0 || o.Timeout > MaxRRPC {
		o.Timeout = MaxRRPC
	}
	// The command ends first, so that a late answer is told to be late.
	time.AfterFunc(o.Timeout+2*time.Second, func() { s.questions.take(t.claim, asked.id) })
	return s.send(ctx, t, p, func(id string) dialect.Downlink {
		return can.CallNow(t.claim, status.ClientID, asked.id, say(id))
	}, o)
}

// calledNow takes the answer to a synchronous call.
func (s *Service) calledNow(who dialect.Claim, can dialect.Questioner, p *pending, payload []byte) {
	reply, why := can.ReplyOf(payload)
	if why != nil {
		s.Trace.Record(trace.Entry{
			Product: who.Product, Device: who.Device, Kind: trace.Fault, Code: why.Code, Sentence: why.Sentence, SentenceZH: why.SentenceZH, Detail: why,
		})
		reply = dialect.Reply{Code: 460, Message: unreadable}
	}
	reply.ID, reply.Service = p.ID, p.Service
	s.Reply(context.Background(), who, reply, true)
}
