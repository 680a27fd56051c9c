package coapgate

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/dialect/onenet"
	"github.com/matou-iot/matou/mqtt"
	vendor "github.com/matou-iot/matou/onenet"
)

// onenetRoot is the first part of the paths of OneNET's devices.
const onenetRoot = "$sys"

// onenet serves /$sys/{pid}/{dev}/… [onenet §7]: a login, which is answered with
// eight bytes that are the token of each message from then on, what keeps it
// alive, its end, and the topics of MQTT as paths, whose replies come in the
// acknowledgement.
func (x *conversation) onenet() answer {
	if len(x.path) < 4 {
		return x.refuseOnenet(dialect.Claim{}, codes.NotFound, badPath(join(x.path)))
	}
	claim := dialect.Claim{Product: x.path[1], Device: x.path[2]}
	function, method := join(x.path[3:]), codes.POST
	if function == vendor.CoAPLogoutPath {
		method = codes.DELETE
	}
	switch {
	case x.code != method:
		return x.refuseOnenet(claim, codes.MethodNotAllowed, badMethod(function, method, x.code))
	case x.critical != 0:
		return x.refuseOnenet(claim, codes.BadOption, badOption(x.critical))
	}
	switch function {
	case vendor.CoAPLoginPath, vendor.CoAPKeepPath, vendor.CoAPLogoutPath:
		l, err := vendor.ParseCoAPLogin(x.payload)
		if err != nil {
			return x.refuseOnenet(claim, codes.BadRequest, badLogin(err))
		}
		switch function {
		case vendor.CoAPLoginPath:
			return x.onenetLogin(claim, l)
		case vendor.CoAPKeepPath:
			return x.onenetKeep(claim, l)
		}
		return x.onenetLogout(claim, l)
	}
	return x.onenetReport(claim)
}

// as is the login of a device, as a CONNECT would have it; what a strict product
// minds of a CONNECT is not of this road.
func (x *conversation) as(c dialect.Claim, l vendor.CoAPLogin) dialect.Login {
	return dialect.Login{
		ClientID: c.Device, Username: c.Product, Password: []byte(l.Token), TLS: x.secure(), Form: &dialect.Form{ClientID: c.Device},
		Version: mqtt.V311, CleanSession: true, KeepAlive: 60,
	}
}

func (x *conversation) onenetLogin(c dialect.Claim, l vendor.CoAPLogin) answer {
	who, device, why, err := x.Gate.Login(x.ctx, x.as(c, l), x.from, x.road)
	switch {
	case err != nil:
		x.down("login", err)
		return refusal(codes.InternalServerError)
	case why != nil:
		return refusal(codeOf(why))
	case who.Claim != c || who.Dialect.Name() != (onenet.Dialect{}).Name():
		return refusal(codes.Unauthorized) // another dialect let it in, which has other roads
	}
	token := make([]byte, vendor.CoAPTokenLength)
	rand.Read(token) // it does not fail
	s := &session{
		who: c, token: tokenName(token), secret: device.Secret, secure: x.secure(), onenet: true, proved: true, lasts: l.Lifetime, expires: x.Now().Add(l.Lifetime),
	}
	x.counters.Logins.Add(1)
	x.counters.SessionsDropped.Add(int64(x.sessions.add(s)))
	x.heardFor(who, s.lasts)
	return answer{code: codes.Created, payload: token, format: -1}
}

// tokenName is how a token of OneNET is found among the sessions: no token of
// Aliyun's looks like it.
func tokenName(token []byte) string { return "$" + string(token) }

// onenetKeep makes a login last longer. It is found by its token, else by the
// names: what token such a request has is not written anywhere.
func (x *conversation) onenetKeep(c dialect.Claim, l vendor.CoAPLogin) answer {
	who, s, no := x.onenetAgain(c, l)
	if no != nil {
		return *no
	}
	x.sessions.extend(s, l.Lifetime, x.Now())
	x.heardFor(who, l.Lifetime)
	return answer{code: codes.Changed, format: -1}
}

func (x *conversation) onenetLogout(c dialect.Claim, l vendor.CoAPLogin) answer {
	who, s, no := x.onenetAgain(c, l)
	if no != nil {
		return *no
	}
	x.sessions.end(s)
	x.presence.forget(c)
	x.Gate.Leave(who)
	return answer{code: codes.Deleted, format: -1}
}

// onenetAgain checks the token of a device that has logged in, and finds its
// session.
func (x *conversation) onenetAgain(c dialect.Claim, l vendor.CoAPLogin) (*dialect.Subject, *session, *answer) {
	no := func(a answer) (*dialect.Subject, *session, *answer) { return nil, nil, &a }
	who, why, err := x.Gate.Verify(x.ctx, x.as(c, l), x.from, x.road)
	switch {
	case err != nil:
		x.down("session", err)
		return no(refusal(codes.InternalServerError))
	case why != nil:
		return no(refusal(codeOf(why)))
	}
	s := x.sessions.find(tokenName(x.request.token), x.Now())
	if s == nil {
		s = x.sessions.newest(c, x.Now())
	}
	if s == nil || s.who != c || !s.onenet || s.secure != x.secure() {
		return no(x.refuseOnenet(c, codes.Unauthorized, noSession(x.request.token)))
	}
	return who, s, nil
}

// onenetReport takes a message on one of the topics.
func (x *conversation) onenetReport(c dialect.Claim) answer {
	s := x.sessions.find(tokenName(x.request.token), x.Now())
	if s == nil || s.secure != x.secure() {
		return x.refuseOnenet(c, codes.Unauthorized, noSession(x.request.token))
	}
	who, device, why, err := x.Gate.Known(x.ctx, onenet.Dialect{}, s.who)
	switch {
	case err != nil:
		x.down("session", err)
		return refusal(codes.InternalServerError)
	case device == nil: // it was deleted
		x.Forget(s.who)
		return x.refuseOnenet(s.who, codes.Unauthorized, why)
	case device.Secret != s.secret: // and has to log in with the new one
		x.sessions.end(s)
		return x.refuseOnenet(s.who, codes.Unauthorized, noSession(x.request.token))
	case why != nil:
		return x.refuseOnenet(s.who, codes.Forbidden, why)
	}
	x.sessions.used(s)
	taken := x.Uplinks.Take(who, join(x.path), x.payload)
	switch {
	case taken.Reason == mqtt.NotAuthorized: // ingest has written down why
		return refusal(codes.Forbidden)
	case taken.Reason.Failed():
		return refusal(codes.InternalServerError)
	}
	x.counters.Messages.Add(1)
	x.heardFor(who, max(x.sessions.lasting(s), onlineFor))
	told := answer{code: codes.Content, format: -1}
	if told.payload = replyOf(taken.Answers); len(told.payload) > 0 {
		told.format = jsonFormat
	}
	return told
}

// jsonFormat is the media type application/json [RFC 7252 §12.3].
const jsonFormat = 50

// extend makes a session last from now on for another while.
func (t *sessions) extend(s *session, lasts time.Duration, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.lasts, s.expires = lasts, now.Add(lasts)
	if t.byToken[s.token] == s {
		t.order.MoveToBack(s.position)
	}
}

// lasting is what was asked for.
func (t *sessions) lasting(s *session) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.lasts
}

// newest is the latest session of a device, nil where it has none that lasts.
func (t *sessions) newest(c dialect.Claim, now time.Time) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range slices.Backward(t.byWho[c]) {
		if !now.After(s.expires) {
			return s
		}
	}
	return nil
}

// refuseOnenet refuses a request and writes down why.
func (x *conversation) refuseOnenet(c dialect.Claim, code codes.Code, why *dialect.Diagnosis) answer {
	x.Gate.Refuse(x.ctx, onenet.Dialect{}, c, x.from, why)
	return refusal(code)
}

func badPath(path string) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-coap-request", Field: "path", Received: clip(path), Expected: "/$sys/{product id}/{device name}/login",
		Sentence: fmt.Sprintf("there is nothing at the path %q", clip(path)), SentenceZH: fmt.Sprintf("路径 %q 不存在", clip(path)),
		Advice: "begin with $sys, the product id and the device's name, one Uri-Path option each", AdviceZH: "路径应以 $sys、产品 ID、设备名称开头，每段一个 Uri-Path 选项",
	}
}

func badMethod(function string, want, got codes.Code) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-coap-request", Field: "method", Received: got.String(), Expected: want.String(),
		Sentence: fmt.Sprintf("%s is asked for with %v; it takes %v", clip(function), got, want), SentenceZH: fmt.Sprintf("%s 使用了 %v 方法，应为 %v", clip(function), got, want),
		Advice: "log in and report with POST, log out with DELETE", AdviceZH: "登录和上报使用 POST，登出使用 DELETE",
	}
}

func badOption(option int) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-coap-request", Field: "option", Received: fmt.Sprint(option), Expected: "Uri-Path, Content-Format and Accept only",
		Sentence: fmt.Sprintf("option %d is critical, and not known here", option), SentenceZH: fmt.Sprintf("选项 %d 为关键选项，此处不支持", option),
		Advice: "leave it out", AdviceZH: "请去掉该选项",
	}
}

func badLogin(err error) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-coap-body", Field: "payload", Received: dialect.Cause(err), Expected: `{"st":"<the device's token>","lt":3600}`,
		Sentence: "the body of the login cannot be read: " + dialect.Cause(err), SentenceZH: "登录内容无法解析：" + dialect.CauseZH(err, nil),
		Advice: "send JSON with the token in st and the lifetime in seconds in lt", AdviceZH: "请发送 JSON：st 为 token，lt 为有效秒数",
	}
}

func noSession(token []byte) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: "onenet-coap-token", Field: "token", Received: fmt.Sprintf("%x", token), Expected: "the eight bytes that the login was answered with",
		Sentence:   "the CoAP token is of no login that lasts: there was none, its lifetime is over, or the device's key has changed",
		SentenceZH: "CoAP token 不对应任何有效登录：未登录、有效期已过，或设备密钥已更换",
		Advice:     "log in, use the payload of the answer as the token of each request, and send keep_alive before lt is over", AdviceZH: "请先登录，用应答内容作为之后每个请求的 token，并在 lt 到期前发送 keep_alive",
	}
}
