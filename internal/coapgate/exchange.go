package coapgate

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	vendor "github.com/matou-iot/matou/aliyun"
)

// lifetime is how long a message id means one message [RFC 7252 §4.8.2].
const lifetime = 247 * time.Second

// The bounds of what is remembered of requests that were answered. At them the
// oldest is forgotten: should it come again, its sequence number gives it away.
const (
	maxExchanges     = 16_384
	maxExchangeBytes = 8 << 20
)

// exchanges are the requests of the last while, so that one that comes again
// because its answer got lost is not worked on twice.
type exchanges struct {
	mu    sync.Mutex
	known map[exchangeKey]*exchange
	queue []*exchange // in the order in which they came; from first on
	first int
	bytes int
}

type exchangeKey struct {
	connection uint64
	from       netip.AddrPort
	id         int32
}

type exchange struct {
	key    exchangeKey
	at     time.Time
	frames [][]byte // what was answered; nil while it is being worked on
}

func (x *exchanges) init() { x.known = make(map[exchangeKey]*exchange) }

// begin notes a request. For one that has come before it returns what was
// answered, and true.
func (x *exchanges) begin(k exchangeKey, now time.Time) (*exchange, [][]byte, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.first < len(x.queue) && now.Sub(x.queue[x.first].at) > lifetime {
		x.drop()
	}
	if e := x.known[k]; e != nil {
		return e, e.frames, true
	}
	for len(x.queue)-x.first >= maxExchanges || x.bytes > maxExchangeBytes {
		x.drop()
	}
	e := &exchange{key: k, at: now}
	x.known[k] = e
	x.queue = append(x.queue, e)
	return e, nil, false
}

// drop forgets the oldest.
func (x *exchanges) drop() {
	e := x.queue[x.first]
	x.queue[x.first] = nil
	x.first++
	if x.first > len(x.queue)/2 {
		x.queue, x.first = append(x.queue[:0:0], x.queue[x.first:]...), 0
	}
	if x.known[e.key] == e {
		delete(x.known, e.key)
		x.bytes -= size(e.frames)
	}
}

// end notes what was answered.
func (x *exchanges) end(e *exchange, frames ...[]byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e.frames = frames
	if x.known[e.key] == e {
		x.bytes += size(frames)
	}
}

func size(frames [][]byte) (n int) {
	for _, f := range frames {
		n += len(f)
	}
	return n
}

// take works on one datagram: it answers it, or knows why not.
func (s *Server) take(ctx context.Context, p *peer, data []byte) {
	s.counters.Received.Add(1)
	r, err := parse(data)
	switch {
	case err == nil:
	case r.confirmable: // a ping, or what cannot be understood [RFC 7252 §4.2]
		p.send(bare(message.Reset, r.id))
		fallthrough
	default:
		if err != errNotRequest {
			s.counters.Malformed.Add(1)
			s.stranger(ctx, p, "aliyun-coap-malformed", "datagram", "", err)
		}
		return
	}
	e, frames, again := s.exchanges.begin(exchangeKey{p.number, p.from.Remote, r.id}, s.Now())
	if again {
		s.counters.Repeated.Add(1)
		for _, f := range frames {
			p.send(f)
		}
		return
	}
	x := &conversation{Server: s, peer: p, request: r, ctx: ctx}
	var a answer
	if len(data) > maxDatagram {
		a = x.refuse(codes.RequestEntityTooLarge, "aliyun-coap-too-large", "payload", "", maxMessage)
	} else {
		a = x.gather()
	}
	if a.code >= 128 {
		s.counters.Refused.Add(1)
	}
	switch {
	case x.apart:
		frames = [][]byte{bare(message.Acknowledgement, r.id), a.encode(message.NonConfirmable, s.nextID(), r.token)}
		s.exchanges.end(e, frames...)
		p.send(frames[1]) // the first is sent
		return
	case r.confirmable:
		frames = [][]byte{a.encode(message.Acknowledgement, r.id, r.token)}
	default:
		frames = [][]byte{a.encode(message.NonConfirmable, s.nextID(), r.token)}
	}
	s.exchanges.end(e, frames...)
	p.send(frames[0])
}

func (s *Server) nextID() int32 { return int32(s.messages.Add(1) & 0xffff) }

// A conversation is one request that is worked on.
type conversation struct {
	*Server
	*peer
	*request
	ctx   context.Context
	apart bool // it is acknowledged, the answer comes apart
}

// answerApart acknowledges the request before it is worked on.
func (x *conversation) answerApart() {
	if x.confirmable {
		x.apart = true
		x.peer.send(bare(message.Acknowledgement, x.request.id))
	}
}

// handle answers a request whose payload is whole.
func (x *conversation) handle() answer {
	first := ""
	if len(x.path) > 0 {
		first = x.path[0]
	}
	if first == onenetRoot {
		return x.onenet()
	}
	if a := x.acceptable(first); a != nil {
		return *a
	}
	if first == "auth" {
		return x.auth()
	}
	return x.topic()
}

// acceptable says what is wrong with a request whoever sent it; nil for nothing.
func (x *conversation) acceptable(first string) *answer {
	no := func(code codes.Code, why, field string, args ...any) *answer {
		a := x.refuse(code, why, field, "", args...)
		return &a
	}
	switch {
	case first != "auth" && first != "topic", first == "auth" && len(x.path) != 1:
		return no(codes.NotFound, "aliyun-coap-path", "path", clip(join(x.path)))
	case x.code != codes.POST:
		return no(codes.MethodNotAllowed, "aliyun-coap-method", "code", x.code.String())
	case x.critical != 0:
		return no(codes.BadOption, "aliyun-coap-option", "option", x.critical)
	}
	if first != "auth" { // what media type a report has nobody minds [aliyun-device §7.3]
		return nil
	}
	switch {
	case x.accept >= 0 && x.accept != vendor.CoAPJSON && x.accept != vendor.CoAPCBOR:
		return no(codes.NotAcceptable, "aliyun-coap-accept", "accept", x.accept)
	case x.format >= 0 && x.format != vendor.CoAPJSON && x.format != vendor.CoAPCBOR:
		return no(codes.UnsupportedMediaType, "aliyun-coap-format", "contentFormat", x.format)
	}
	return nil
}
