package aliyun

import (
	"errors"
	"fmt"
	"strings"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing"
)

// alink reads a request's params. Where they cannot be read it answers that
// itself and reports false.
func (r *reading) alink() ([]byte, bool) {
	params, err := r.decoder.Params(r.payload)
	if err != nil {
		r.noAnswer = r.decoder.NoAck
		r.decline(badMessage(err), codeBadParams, textBadParams)
		return nil, false
	}
	r.remember()
	r.noAnswer = r.decoder.NoAck
	return params, true
}

// What requests are told [aliyun-device §5.10].
const (
	codeDone          = 200
	codeBadParams     = 460
	codeServer        = 500
	codeNoDevice      = 6100
	codeDisabled      = 6204
	codeNoTopo        = 6401
	codeTooManyWanted = 6104
	codeNoModel       = 6321
	codeNoConfig      = 6710
	codeConfigOff     = 6713

	textDone      = "success"
	textBadParams = "request parameter error"
	textServer    = "server error"
	textNoTopo    = "topo relation not exist"
)

// decline answers a request that cannot be read, and says why in the timeline.
func (r *reading) decline(why *dialect.Diagnosis, code int, text string) dialect.Request {
	r.up.Fault = why
	if !r.noAnswer {
		r.answer(code, nil, text, method(string(r.topic)))
	}
	return nil
}

// method is that of a topic below /sys/pk/dn/: its path with dots for slashes
// [aliyun-device §5.1].
func method(topic string) string {
	for range 4 {
		_, topic, _ = strings.Cut(topic, "/")
	}
	return strings.ReplaceAll(topic, "/", ".")
}

// reply is the platform's answer to a request.
func reply(a *dialect.Ask, code int, data []byte, text string) []dialect.Downlink {
	return []dialect.Downlink{{
		Topic: a.Topic + "_reply", Payload: vendor.AppendReply(nil, code, data, []byte(a.ID), text, method(a.Topic)),
	}}
}

// outcome answers a request that asks for nothing but to be done.
func outcome[R dialect.Request](r R, _ dialect.Done, err error) []dialect.Downlink {
	return tell(r.Asked(), nil, err)
}

// tell answers with data, or says why not.
func tell(a *dialect.Ask, data []byte, err error) []dialect.Downlink {
	if err != nil {
		code, text := failure(err)
		return reply(a, code, nil, text)
	}
	return reply(a, codeDone, data, textDone)
}

// failure is what the platform says of an error.
func failure(err error) (code int, text string) {
	switch {
	case errors.Is(err, dialect.ErrNoConfig):
		return codeNoConfig, "no data"
	case errors.Is(err, dialect.ErrConfigOff):
		return codeConfigOff, "thing config function is not available"
	}
	switch fault.KindOf(err) {
	case fault.KindNotFound:
		return codeNoDevice, "device not found"
	case fault.KindInvalid, fault.KindConflict, fault.KindExhausted:
		return codeBadParams, textBadParams
	}
	return codeServer, textServer
}

// badParams says that params are not of the documented form.
func badParams(err error, got []byte, want string) *dialect.Diagnosis {
	why, zh, field := strings.TrimPrefix(err.Error(), "aliyun: "), paramTexts[err], "params"
	if tag, ok := errors.AsType[*vendor.TagError](err); ok {
		field = fmt.Sprintf("params[%d]", tag.Index)
		zh = fmt.Sprintf("%s（第 %d 个标签，%q）", paramTexts[tag.Reason], tag.Index+1, cut(tag.Key))
		why = cut(why)
	}
	return &dialect.Diagnosis{
		Code: "aliyun-bad-params", Field: field, Received: cut(string(got)), Expected: want,
		Sentence: "the request is refused: " + why, SentenceZH: "请求被拒绝：" + zh,
		Advice: "write params as " + want, AdviceZH: "params 应写为 " + want,
	}
}

// paramTexts say the faults of params in Chinese.
var paramTexts = map[error]string{
	vendor.ErrBadParams:     "params 格式与文档不符",
	thing.ErrBadDesired:     "params 格式与文档不符",
	thing.ErrTooManyDesired: "一次最多 200 个属性",
	vendor.ErrTooManyTags:   "一次最多 200 个标签",
	vendor.ErrNoTagKey:      "缺少 attrKey",
	vendor.ErrNoTagValue:    "缺少 attrValue",
	vendor.ErrTagKey:        "attrKey 应为 1 到 64 个字母、数字或下划线，且不以数字开头",
}

// mostShown bounds what a diagnosis repeats of a message, in bytes.
const mostShown = 256

func cut(s string) string {
	if len(s) <= mostShown {
		return s
	}
	return strings.ToValidUTF8(s[:mostShown], "") + "…"
}
