package ingest

import (
	"context"
	"errors"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Scripts turn bytes of devices into messages and back. What a script does
// wrong is a *script.Error.
type Scripts interface {
	Raw(ctx context.Context, product string) bool
	Decode(ctx context.Context, product string, raw []byte) ([]byte, error)
	Encode(ctx context.Context, product string, doc []byte) ([]byte, error)
	Transform(ctx context.Context, product, topic string, raw []byte) ([]byte, error)
}

// unpack lets the product's script make a message of the device's bytes, and
// reads that in their place.
func (j *job) unpack(ctx context.Context, product *registry.Product, p *packet.Publish) {
	speaks, ok := j.who.Dialect.(dialect.RawSpeaker)
	reply := j.up.Kind == dialect.RawReply
	j.up.Kind, j.raw = dialect.Unimplemented, !reply
	if !ok {
		return
	}
	doc, err := j.decode(ctx, p.Payload)
	if why, ours := errors.AsType[*script.Error](err); ours {
		j.scriptFailed(why, p)
		j.rawFailed(speaks, "0", why.Code(), why.Error())
		return
	} else if err != nil {
		j.in.Log.Error("script of a product", "product", product.Key, "error", err)
		j.lost = true
		return
	}
	made := packet.Publish{QoS: p.QoS, Payload: doc}
	topic, id, why := speaks.RawTopic(j.who.Claim, doc, reply)
	if why == nil {
		made.Topic = topic
		j.who.Dialect.Uplink(j.who.Claim, topic, doc, product.Model, j.who.Mode, &j.up)
		if j.up.Kind == dialect.Raw || j.up.Kind == dialect.RawReply {
			j.up.Kind = dialect.Unimplemented // bytes again: a script that turns in circles
		}
	} else {
		made.Topic, j.up.Fault = p.Topic, why
	}
	j.parent = j.entry
	j.entry = j.in.note(j, &made)
	j.parent = 0
	if why != nil {
		j.rawFailed(speaks, id, codeNoMethod, "alink method not exist")
	}
}

// codeNoMethod is the vendor's for a message without a method.
const codeNoMethod = 6450

func (j *job) decode(ctx context.Context, raw []byte) ([]byte, error) {
	if j.in.Scripts == nil {
		return nil, &script.Error{Kind: script.Missing}
	}
	j.handOver()
	return j.in.Scripts.Decode(ctx, j.who.Product, raw)
}

// handOver lets other devices be served, for a script takes its time.
func (j *job) handOver() {
	if j.client != nil {
		j.client.HandOver()
	}
}

// rawFailed answers bytes of which no message could be made. The vendor says
// nothing then; nor does a strict product.
func (j *job) rawFailed(speaks dialect.RawSpeaker, id string, code int, text string) {
	if j.raw && j.who.Mode != dialect.Strict {
		j.up.Answers = append(j.up.Answers, speaks.RawFailure(j.who.Claim, id, code, text))
	}
}

// scriptFailed writes into the timeline what a script did wrong: once a
// message, where the way back fails as the way there did.
func (j *job) scriptFailed(why *script.Error, p *packet.Publish) {
	if j.scripted == *why {
		return
	}
	j.scripted = *why
	advice, adviceZH := why.Advice()
	j.in.Trace.Record(trace.Entry{
		Parent: j.entry, Product: j.who.Product, Device: j.who.Device, Kind: trace.Fault, Code: j.who.Dialect.Name() + "-" + string(why.Kind),
		Topic: string(p.Topic), Sentence: why.Error(), SentenceZH: why.SentenceZH(),
		Detail: struct {
			dialect.Diagnosis
			Vendor int `json:"vendorCode"`
			Line   int `json:"line,omitempty"`
			Column int `json:"column,omitempty"`
		}{dialect.Diagnosis{
			Code: j.who.Dialect.Name() + "-" + string(why.Kind), Field: "payload", Received: cut(why.Message), Sentence: why.Error(), SentenceZH: why.SentenceZH(),
			Expected: "what the functions of the product's script have to return", Advice: advice, AdviceZH: adviceZH,
		}, why.Code(), why.Line, why.Column},
	})
}

// pack makes bytes of an answer to bytes. Where the script cannot, a device
// that is not strict gets the answer as it is: better than to wait.
func (j *job) pack(d dialect.Downlink) (dialect.Downlink, bool) {
	speaks, ok := j.who.Dialect.(dialect.RawSpeaker)
	if !ok || j.in.Scripts == nil {
		return d, true
	}
	raw, err := j.in.Scripts.Encode(context.Background(), j.who.Product, d.Payload)
	if err != nil {
		if why, ours := errors.AsType[*script.Error](err); ours {
			j.scriptFailed(why, &packet.Publish{Topic: []byte(d.Topic)})
		} else {
			j.in.Log.Error("script of a product", "product", j.who.Product, "error", err)
		}
		return speaks.RawReply(j.who.Claim, d.Payload), j.who.Mode != dialect.Strict
	}
	return speaks.RawReply(j.who.Claim, raw), true
}

// wrongFormat finds reports in the format of the dialect from a device whose
// product speaks bytes: the vendor drops them [aliyun-device §5.9].
func (j *job) wrongFormat(ctx context.Context, p *packet.Publish) {
	if j.in.Scripts == nil || j.up.Kind != dialect.PropertyPost && j.up.Kind != dialect.EventPost {
		return
	}
	only, can := j.who.Dialect.(dialect.RawOnly)
	if !can || !j.in.Scripts.Raw(ctx, j.who.Product) {
		return
	}
	const sentence, zh = "the product has a script for bytes, and this is a message without it (6813, topic illegal)", "产品使用数据解析脚本（透传），而该消息未经脚本（6813，topic illegal）"
	if j.who.Mode != dialect.Strict {
		j.up.Notes = append(j.up.Notes, dialect.Note{Code: j.who.Dialect.Name() + "-" + "wrong-format", Sentence: sentence, SentenceZH: zh})
		return
	}
	j.up.Kind, j.up.Answers, j.up.RefusedAll = dialect.Forbidden, j.up.Answers[:0], true
	j.up.Fault = &dialect.Diagnosis{
		Code: j.who.Dialect.Name() + "-" + "wrong-format", Field: "topic", Received: string(p.Topic), Expected: only.RawPath(),
		Sentence: sentence, SentenceZH: zh, Advice: "send bytes to thing/model/up_raw, or delete the product's script", AdviceZH: "请将字节数据发布到 thing/model/up_raw，或删除产品的脚本",
	}
}
