package gate

import (
	"context"
	"errors"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/topics"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Topics are the classes of custom topics that products declare.
type Topics interface {
	MaySubscribe(ctx context.Context, product, path string) (topics.Verdict, error)
}

// Unfit writes down a filter that MQTT or the broker's limits forbid: its SUBACK
// says no more than that.
func (g *Gate) Unfit(c *broker.Client, s packet.Subscription, why error) {
	subject, ok := c.Identity().(*dialect.Subject)
	if !ok {
		return
	}
	text, zh := why.Error(), wording.Chinese(why)
	if e, ok := errors.AsType[*mqtt.TopicError](why); ok {
		text, zh = e.Detail+" ["+e.Clause+"]", wording.Chinese(errors.New(e.Detail))+" ["+e.Clause+"]"
	}
	d := &dialect.Diagnosis{
		Code: "mqtt-filter", Field: "topic", Received: clip(s.Filter), Expected: "a/b, a/+ or a/#",
		Sentence: "this is no topic filter: " + text, SentenceZH: "主题过滤器不合法：" + zh,
		Advice: "write + and # alone between slashes, and # last", AdviceZH: "+ 和 # 须独占一级，# 只能放在最后",
	}
	e := trace.Entry{
		Product: subject.Product, Device: subject.Device, Kind: trace.Subscribe, Direction: "up", Topic: clip(s.Filter), QoS: int(s.QoS),
		Code: d.Code, Sentence: d.Sentence, SentenceZH: d.SentenceZH, Detail: d,
	}
	if !g.Trace.Observed(subject.Product, subject.Device).IsZero() {
		e.Packet = c.Raw()
	}
	g.Trace.Record(e)
}

// customFilter judges a filter that the dialect permits: of a custom topic that
// the product did not declare, a strict product's device is refused, and any
// other is told.
func (g *Gate) customFilter(who *dialect.Subject, s packet.Subscription, code mqtt.ReasonCode) (mqtt.ReasonCode, *dialect.Diagnosis, *dialect.Note) {
	d, ok := who.Dialect.(dialect.CustomTopics)
	if !ok || g.Topics == nil {
		return code, nil, nil
	}
	path, _, custom := d.CustomPath(who.Claim, s.Filter)
	if !custom {
		return code, nil, nil
	}
	verdict, err := g.Topics.MaySubscribe(context.Background(), who.Product, path)
	if err != nil {
		g.Log.Error("topic classes", "product", who.Product, "error", err)
		return code, nil, nil
	}
	if verdict == topics.Declared {
		return code, nil, nil
	}
	m := topics.Explain(verdict, topics.Subscribe, who.Product, path)
	m.Code = who.Dialect.Name() + "-" + m.Code
	if who.Mode != dialect.Strict {
		return code, nil, &dialect.Note{Code: m.Code, Sentence: m.Sentence, SentenceZH: m.SentenceZH}
	}
	return mqtt.NotAuthorized, &dialect.Diagnosis{
		Code: m.Code, Field: "topic", Received: m.Received, Expected: m.Expected, Sentence: m.Sentence, SentenceZH: m.SentenceZH, Advice: m.Advice, AdviceZH: m.AdviceZH,
	}, nil
}
