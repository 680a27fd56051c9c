package onenet

import (
	"errors"
	"strings"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	vendor "github.com/matou-iot/matou/onenet"
	"github.com/matou-iot/matou/thing"
)

// desiredGet and desiredDelete read requests for desired values [onenet §3.2].
func desiredGet(r *reading) dialect.Request {
	params, ok := r.params()
	if !ok {
		return nil
	}
	names, err := thing.ParseDesiredGet(params)
	if err != nil {
		return r.decline(err, params, `["power"]`)
	}
	return &dialect.DesiredGet{Properties: names}
}

func desiredDelete(r *reading) dialect.Request {
	params, ok := r.params()
	if !ok {
		return nil
	}
	which, err := thing.ParseDesiredDelete(params)
	if err != nil {
		return r.decline(err, params, `{"power":{"version":1}}`)
	}
	return &dialect.DesiredDelete{Properties: which}
}

// params reads the params of a request. Where they cannot be read it answers
// that itself and reports false.
func (r *reading) params() ([]byte, bool) {
	params, err := r.decoder.Params(r.payload)
	if err == nil && params == nil {
		err = vendor.ErrNoParams
	}
	if !r.understood(err) {
		return nil, false
	}
	return params, true
}

// decline answers a request whose params are not as they should be.
func (r *reading) decline(err error, params []byte, want string) dialect.Request {
	code, zh := vendor.ParamsMissing, "params 格式与文档不符"
	if errors.Is(err, thing.ErrTooManyDesired) {
		code, zh = vendor.LimitExceeded, "一次最多 200 个属性"
	}
	why := strings.TrimPrefix(err.Error(), "onenet: ")
	r.refuseAll(&dialect.Diagnosis{
		Code: "onenet-bad-params", Field: "params", Received: cut(string(params), maxShown), Expected: want,
		Sentence: "the request is refused: " + why, SentenceZH: "请求被拒绝：" + zh,
		Advice: "write params as " + want, AdviceZH: "params 应写为 " + want,
	}, code, "params illegal")
	return nil
}

func desiredGot(r *dialect.DesiredGet, d dialect.Desired, err error) []dialect.Downlink {
	if err != nil {
		return failed(r.Asked(), err)
	}
	var all []vendor.DesiredValue
	for _, v := range d.Values {
		all = append(all, vendor.DesiredValue{Property: v.Property, Value: v.Value, Version: v.Version})
	}
	return reply(r.Asked(), vendor.AppendDesiredReply(nil, []byte(r.ID), all))
}

func desiredDeleted(r *dialect.DesiredDelete, _ dialect.Done, err error) []dialect.Downlink {
	if err != nil {
		return failed(r.Asked(), err)
	}
	return reply(r.Asked(), vendor.AppendReply(nil, []byte(r.ID), vendor.Success, "success"))
}

// reply is the platform's answer to a request.
func reply(a *dialect.Ask, payload []byte) []dialect.Downlink {
	return []dialect.Downlink{{Topic: a.Topic + "/reply", Payload: payload}}
}

// failed tells the device that its request was not served.
func failed(a *dialect.Ask, err error) []dialect.Downlink {
	text := "server error"
	if kind := fault.KindOf(err); kind != fault.KindInternal && kind != fault.KindUnavailable {
		text = fault.Sentence(err)
	}
	return reply(a, vendor.AppendReply(nil, []byte(a.ID), vendor.Unavailable, text))
}
