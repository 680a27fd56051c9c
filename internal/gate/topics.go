package gate

import (
	"context"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/topics"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Topics are the classes of custom topics that products declare.
type Topics interface {
	MaySubscribe(ctx context.Context, product, path string) (topics.Verdict, error)
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
