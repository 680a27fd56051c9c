package aliyun

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing/loose"
)

// shadow reads what a device says to its shadow [aliyun-device §4.8].
func shadow(r *reading) dialect.Request {
	m, err := vendor.ParseShadow(r.payload)
	r.up.Loose = m.Loose
	if err != nil {
		code, _ := errors.AsType[vendor.ShadowCode](err)
		r.up.Fault = badShadow(code, r.payload)
		r.up.Answers = append(r.up.Answers, shadowSays(string(r.topic), vendor.AppendShadowError(nil, code, code.Error(), time.Now())))
		return nil
	}
	switch m.Method {
	case vendor.ShadowUpdate:
		return &dialect.ShadowUpdate{Version: m.Version, Reset: m.Reset, Reported: m.Reported, ClearDesired: m.ClearDesired}
	case vendor.ShadowDelete:
		return &dialect.ShadowDelete{Version: m.Version, Reset: m.Reset, Names: m.Names, All: m.All, ClearDesired: m.ClearDesired}
	}
	return &dialect.ShadowGet{}
}

// shadowSays is a message of a shadow: what comes up on /shadow/update is
// answered on /shadow/get.
func shadowSays(topic string, payload []byte) dialect.Downlink {
	return dialect.Downlink{Topic: strings.Replace(topic, "/shadow/update/", "/shadow/get/", 1), Payload: payload}
}

func shadowUpdated(r *dialect.ShadowUpdate, s *dialect.Shadow, err error) []dialect.Downlink {
	return shadowDone(r.Asked(), s, err)
}

func shadowDeleted(r *dialect.ShadowDelete, s *dialect.Shadow, err error) []dialect.Downlink {
	return shadowDone(r.Asked(), s, err)
}

func shadowDone(a *dialect.Ask, s *dialect.Shadow, err error) []dialect.Downlink {
	if err != nil {
		return shadowFailed(a, err)
	}
	return []dialect.Downlink{shadowSays(a.Topic, vendor.AppendShadowDone(nil, s.Version, s.UpdatedAt))}
}

func shadowGot(r *dialect.ShadowGet, s *dialect.Shadow, err error) []dialect.Downlink {
	if err != nil {
		return shadowFailed(r.Asked(), err)
	}
	return []dialect.Downlink{shadowSays(r.Topic, vendor.AppendShadowReply(nil, wireShadow(s), time.Now()))}
}

func shadowFailed(a *dialect.Ask, err error) []dialect.Downlink {
	code := vendor.ShadowServerFailed
	switch {
	case errors.Is(err, dialect.ErrShadowVersion):
		code = vendor.ShadowVersionTooLow
	case errors.Is(err, dialect.ErrShadowEmpty):
		code = vendor.ShadowEmpty
	case errors.Is(err, dialect.ErrShadowCount):
		code = vendor.ShadowTooMany
	case errors.Is(err, dialect.ErrShadowSize), fault.KindOf(err) == fault.KindInvalid:
		code = vendor.ShadowBadJSON
	}
	return []dialect.Downlink{shadowSays(a.Topic, vendor.AppendShadowError(nil, code, code.Error(), time.Now()))}
}

// TellShadow says that an application wants the shadow otherwise.
func (Dialect) TellShadow(c dialect.Claim, s *dialect.Shadow, now time.Time) []dialect.Downlink {
	return []dialect.Downlink{{
		Topic: vendor.ShadowGetTopic(c.Product, c.Device), Payload: vendor.AppendShadowControl(nil, wireShadow(s), now),
	}}
}

func wireShadow(s *dialect.Shadow) *vendor.Shadow {
	attributes := func(from []dialect.ShadowAttribute) (to []vendor.ShadowAttribute) {
		for _, a := range from {
			to = append(to, vendor.ShadowAttribute(a))
		}
		return to
	}
	return &vendor.Shadow{Reported: attributes(s.Reported), Desired: attributes(s.Desired), Version: s.Version}
}

// shadowFaults say what is wrong with a shadow message, by its code.
var shadowFaults = map[vendor.ShadowCode]struct{ field, want, zh string }{
	vendor.ShadowBadJSON:       {"payload", "JSON of at most 16 KB and 5 levels", "消息不是合法 JSON，或超过 5 层、16 KB"},
	vendor.ShadowNoMethod:      {"method", "update, get or delete", "缺少 method"},
	vendor.ShadowNoState:       {"state", `"state":{"reported":{…}}`, "缺少 state"},
	vendor.ShadowBadVersion:    {"version", "a whole number greater than that of the shadow, or -1", "version 不是 64 位整数"},
	vendor.ShadowNoReported:    {"state.reported", `"reported":{…}`, "缺少 state.reported"},
	vendor.ShadowReportedEmpty: {"state.reported", "at least one attribute", "state.reported 为空"},
	vendor.ShadowUnknownMethod: {"method", "update, get or delete", "method 不是 update、get 或 delete"},
	vendor.ShadowTooMany:       {"state.reported", "at most 128 attributes", "state.reported 超过 128 个属性"},
}

func badShadow(code vendor.ShadowCode, payload []byte) *dialect.Diagnosis {
	f, why := shadowFaults[code], code.Error()
	if code == vendor.ShadowBadJSON { // one code of the vendor's for three mistakes
		why, f.zh = unreadable(payload)
	}
	return &dialect.Diagnosis{
		Code: fmt.Sprintf("aliyun-shadow-%d", code), Field: f.field, Received: cut(string(payload)), Expected: f.want,
		Sentence: "the shadow message is refused: " + why, SentenceZH: "设备影子消息被拒绝：" + f.zh,
		Advice:   `send for instance {"method":"update","state":{"reported":{"color":"red"}},"version":1}`,
		AdviceZH: `例如 {"method":"update","state":{"reported":{"color":"red"}},"version":1}`,
	}
}

// unreadable says why a shadow message is no JSON that a shadow can hold.
func unreadable(payload []byte) (why, zh string) {
	if n := len(payload); n > vendor.MaxShadowBytes {
		return fmt.Sprintf("it has %d bytes, more than 16 KB", n), fmt.Sprintf("消息有 %d 字节，超过 16 KB", n)
	}
	if _, _, err := loose.Strictify(payload); err != nil {
		return err.Error(), dialect.CauseZH(err, nil)
	}
	if trimmed := bytes.TrimSpace(payload); trimmed[0] != '{' {
		return "it is no JSON object", "不是 JSON 对象"
	}
	return "its state is deeper than 5 levels, or holds what a shadow cannot", "state 超过 5 层，或含有影子无法保存的内容"
}
