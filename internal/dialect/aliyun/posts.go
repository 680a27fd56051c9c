package aliyun

import (
	"errors"
	"strings"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

// batchPost reads several values of properties, and events [aliyun-device
// §5.8]. Like a property post it is answered with 200 and the reasons for what
// was not taken. It is no request: it fills the report.
func batchPost(r *reading) dialect.Request {
	post, err := r.decoder.BatchPost(r.payload)
	if r.begun(err) {
		r.take(&post)
		r.posted()
	}
	return nil
}

// historyPost reads what devices said while they could not be heard: the
// sender, or sub-devices of it.
func historyPost(r *reading) dialect.Request {
	posts, err := r.decoder.HistoryPost(r.payload)
	if !r.begun(err) {
		return nil
	}
	for i := range posts {
		if !r.part(&posts[i]) {
			return nil
		}
	}
	r.posted()
	return nil
}

// packPost reads what a gateway says of itself and of its sub-devices. Where
// anything in it does not fit, nothing of it is taken.
func packPost(r *reading) dialect.Request {
	posts, err := r.decoder.PackPost(r.payload)
	if !r.begun(err) {
		return nil
	}
	for i := range posts {
		if !r.part(&posts[i]) {
			return nil
		}
	}
	if len(r.up.Refused) > 0 {
		first := r.up.Refused[0]
		r.refuseAll(nil, first.Code, first.Text)
		return nil
	}
	r.posted()
	return nil
}

// begun takes note of the message, or of why it cannot be read.
func (r *reading) begun(err error) bool {
	r.up.Kind = dialect.PropertyPost
	r.remember()
	if err == nil {
		return true
	}
	code, text, why := badPost(err)
	r.refuseAll(why, code, text)
	return false
}

// badPost is what a post is told of which nothing can be taken, and why.
func badPost(err error) (code int, text string, why *dialect.Diagnosis) {
	code, text = codeBadParams, textBadParams
	switch {
	case errors.Is(err, vendor.ErrTooManyProperties):
		code, text = 6106, "map size must less than 200"
	case errors.Is(err, vendor.ErrTooManyEvents):
		code, text = 6356, "too many events"
	case errors.Is(err, vendor.ErrTooManyParts):
		code, text = 6357, "too many sub-devices"
	}
	why = badMessage(err)
	if zh := postTexts[err]; zh != "" {
		why.Code, why.Field = "aliyun-bad-params", "params"
		why.Sentence, why.SentenceZH = "the message is refused: "+dialect.Cause(err), "消息被拒绝："+zh
		why.Received, why.Expected = dialect.Cause(err), postBounds
		why.Advice = "divide the message, or write it as the documentation of batch, history and pack posts has it"
		why.AdviceZH = "请拆分消息，或按批量、历史、打包上报的文档格式书写"
	}
	return code, text, why
}

const postBounds = "at most 200 properties and 20 events of a device, 20 sub-devices"

// postTexts say the faults of posts in Chinese.
var postTexts = map[error]string{
	vendor.ErrTooManyProperties: "单个设备的属性超过 200 个",
	vendor.ErrTooManyEvents:     "单个设备的事件超过 20 个",
	vendor.ErrTooManyParts:      "子设备超过 20 个",
	vendor.ErrNoIdentity:        "缺少 identity，无法确定所属设备",
	vendor.ErrBadPost:           "格式与文档不符",
	vendor.ErrNoParams:          "缺少 params，或 params 的类型不对",
}

// refuseAll answers a post of which nothing is taken.
func (r *reading) refuseAll(why *dialect.Diagnosis, code int, text string) {
	r.up.Report, r.up.Events, r.up.Parts = r.up.Report[:0], r.up.Events[:0], r.up.Parts[:0]
	r.up.RefusedAll, r.up.Fault = true, why
	if !r.decoder.NoAck {
		r.answer(code, nil, text, method(string(r.topic)))
	}
}

// posted answers a post.
func (r *reading) posted() {
	if !r.decoder.NoAck {
		r.answer(codeDone, r.reasons(), textDone, method(string(r.topic)))
	}
}

// take checks what a post says of the device whose model r has.
func (r *reading) take(p *vendor.Post) {
	for i := range p.Properties {
		s := &p.Properties[i]
		r.property([]byte(s.ID), s.Value, s.At)
	}
	for i := range p.Events {
		h := &p.Events[i]
		r.happened(h.Event, h.Output, h.At)
	}
}

// part takes what a post says of one device: the sender or a sub-device of it.
// It reports false where the sender may not speak for that one, and nothing is
// taken.
func (r *reading) part(p *vendor.Post) bool {
	of := dialect.Claim{Product: p.ProductKey, Device: p.DeviceName}
	if of == (dialect.Claim{}) || of == r.claim {
		r.take(p)
		return true
	}
	if r.up.Others == nil {
		r.refuseAll(&dialect.Diagnosis{
			Code: "aliyun-sub-not-bound", Field: "identity", Received: of.Session(), Expected: r.claim.Session(),
			Sentence: "the message speaks for another device than the one that sent it", SentenceZH: "消息代表了发送者之外的设备",
			Advice: "name the device's own product key and name, or none", AdviceZH: "identity 中请填写设备自己的 ProductKey 与名称，或省略",
		}, codeNoTopo, textNoTopo)
		return false
	}
	model, why := r.up.Others.Model(r.claim, of)
	if why != nil {
		code, text := codeNoTopo, textNoTopo
		switch {
		case strings.Contains(why.Code, "sub-unknown-"):
			code, text = codeNoDevice, "device not found"
		case strings.HasSuffix(why.Code, "sub-disabled"):
			code, text = codeDisabled, "device forbidden"
		}
		r.refuseAll(why, code, text)
		return false
	}
	own := r.model
	r.model = model
	defer func() { r.model = own }()
	report, events := r.up.Report, r.up.Events
	r.up.Report, r.up.Events = nil, nil
	r.take(p)
	r.up.Parts = append(r.up.Parts, dialect.Part{Claim: of, Report: r.up.Report, Events: r.up.Events})
	r.up.Report, r.up.Events = report, events
	return true
}
