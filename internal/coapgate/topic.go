package coapgate

import (
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/mqtt"
)

// topic serves POST /topic/… [aliyun-device §7.2, §7.3].
func (x *conversation) topic() answer {
	s, no := x.bearer()
	if no != nil {
		return *no
	}
	claim := x.claimOf(s)
	who, no := x.present(s, claim)
	if no != nil {
		return *no
	}
	payload := x.payload
	if s != nil && !s.secure {
		if payload, no = x.open(s); no != nil {
			return *no
		}
	}
	topic := "/" + join(x.path[1:])
	err := mqtt.ValidTopicName(topic)
	switch {
	case len(payload) > maxMessage:
		return x.refuseOf(claim, codes.RequestEntityTooLarge, "aliyun-coap-too-large", "payload", "", maxMessage)
	case err != nil:
		return x.refuseOf(claim, codes.NotFound, "aliyun-coap-topic", "topic", topic, clip(topic), err)
	case topic == "/":
		return x.refuseOf(claim, codes.NotFound, "aliyun-coap-topic", "topic", topic, topic, "it is empty")
	}
	if s != nil && s.apart {
		x.answerApart()
	}
	return x.report(s, who, topic, payload)
}

// bearer finds the session of a request; nil where the handshake has said who
// is there and there is no token.
func (x *conversation) bearer() (*session, *answer) {
	no := func(c dialect.Claim, why string) (*session, *answer) {
		a := x.refuseOf(c, codes.Unauthorized, why, "token", "")
		return nil, &a
	}
	if x.session == "" {
		if x.who != nil {
			return nil, nil
		}
		return no(dialect.Claim{}, "aliyun-coap-token-missing")
	}
	s := x.sessions.find(x.session, x.Now())
	switch {
	case s == nil || s.onenet:
		c := dialect.Claim{}
		if x.who != nil {
			c = x.who.Claim
		}
		return no(c, "aliyun-coap-token-unknown")
	case s.secure != x.secure():
		return no(s.who, "aliyun-coap-token-road")
	case x.who != nil && s.who != x.who.Claim:
		return no(x.who.Claim, "aliyun-coap-token-device")
	}
	return s, nil
}

func (x *conversation) claimOf(s *session) dialect.Claim {
	if s == nil {
		return x.who.Claim
	}
	return s.who
}

// present returns who a device is now: it may have been disabled since its
// login, or have another secret.
func (x *conversation) present(s *session, c dialect.Claim) (*dialect.Subject, *answer) {
	who, device, why, err := x.Gate.Known(x.ctx, x.aliyun, c)
	no := func(code codes.Code) (*dialect.Subject, *answer) {
		a := refusal(code)
		return nil, &a
	}
	switch {
	case err != nil:
		x.down("session", err)
		return no(codes.InternalServerError)
	case device == nil: // it was deleted
		x.Forget(c)
		x.Gate.Refuse(x.ctx, x.aliyun, c, x.from, why)
		return no(codes.Unauthorized)
	case s != nil && device.Secret != s.secret:
		x.sessions.end(s)
		a := x.refuseOf(c, codes.Unauthorized, "aliyun-coap-token-previous", "token", "")
		return nil, &a
	case why != nil:
		x.Gate.Refuse(x.ctx, x.aliyun, c, x.from, why)
		return no(codes.Forbidden)
	}
	return who, nil
}

// open decrypts a message over plain UDP and sees that it is new.
func (x *conversation) open(s *session) ([]byte, *answer) {
	no := func(code codes.Code, why, field string, args ...any) ([]byte, *answer) {
		a := x.refuseOf(s.who, code, why, field, "", args...)
		return nil, &a
	}
	if len(x.sequence) == 0 {
		return no(codes.Unauthorized, "aliyun-coap-seq-missing", "seq")
	}
	n, err := s.key.Sequence(x.sequence)
	if err != nil {
		return no(codes.Unauthorized, "aliyun-coap-seq-unreadable", "seq")
	}
	payload, err := s.key.Decrypt(x.payload)
	if err != nil {
		return no(codes.BadRequest, "aliyun-coap-cipher", "payload")
	}
	switch s.use(n) {
	case sequenceRepeated:
		return no(codes.Forbidden, "aliyun-coap-seq-repeated", "seq", n)
	case sequenceLow:
		return no(codes.Unauthorized, "aliyun-coap-seq-low", "seq", n, firstSequence)
	case sequenceFull:
		x.sessions.end(s)
		return no(codes.Unauthorized, "aliyun-coap-seq-full", "seq")
	}
	return payload, nil
}

// report hands a message on. s is nil where the handshake has said who is there.
func (x *conversation) report(s *session, who *dialect.Subject, topic string, payload []byte) answer {
	if s != nil {
		x.sessions.used(s)
	}
	taken := x.Uplinks.Take(who, topic, payload)
	switch {
	case taken.Reason == mqtt.NotAuthorized: // ingest has written down why
		return refusal(codes.Forbidden)
	case taken.Reason.Failed():
		return refusal(codes.InternalServerError)
	case taken.Route:
		x.Router.Publish(broker.Message{Topic: taken.Topic, Payload: taken.Payload, QoS: mqtt.AtLeastOnce})
	case taken.Fault != nil && len(taken.Answers) == 0:
		return refusal(codes.BadRequest)
	}
	x.counters.Messages.Add(1)
	x.heard(who)
	told := answer{code: codes.Content, format: -1, message: taken.Entry}
	if reply := replyOf(taken.Answers); len(reply) > 0 {
		told.payload = reply
	}
	if s != nil && !s.secure { // C3 decrypts what it gets, and does not look whether it got anything
		told.payload = s.key.Append(nil, told.payload)
	}
	return told
}

// maxReply is the greatest reply that fits C3's buffers [aliyun-device §7.2].
const maxReply = 1 << 10

// replyOf is what a device on MQTT would be told; nothing where that is longer
// than devices can take.
func replyOf(answers []dialect.Downlink) []byte {
	for _, a := range answers {
		if len(a.Payload) <= maxReply {
			return a.Payload
		}
	}
	return nil
}
