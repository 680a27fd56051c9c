package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/topics"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// Topics are the classes of custom topics that products declare.
type Topics interface {
	MayPublish(ctx context.Context, product, path string) (topics.Verdict, error)
}

// byScript is what a topic's query says where the payload is for the product's
// script [aliyun-device §2.8].
const byScript = "_sn=default"

// custom takes a message that is none of the platform's, and lets it go to its
// subscribers: as it is, or as the product's script makes it.
func (j *job) custom(ctx context.Context, p *packet.Publish, direct *Taken) broker.Decision {
	path, query, custom := "", "", false
	if d, ok := j.who.Dialect.(dialect.CustomTopics); ok {
		path, query, custom = d.CustomPath(j.who.Claim, string(p.Topic))
	}
	if custom {
		j.judgeTopic(ctx, path, p)
	}
	if query == "" && j.plain() && j.in.Trace.Beyond(j.pace, trace.RoutedRate, j.arrived) {
		j.release()
		return broker.Decision{Action: broker.Route}
	}
	j.entry = j.in.note(j, p)
	if j.up.Kind == dialect.Forbidden {
		j.tell(direct)
		j.release()
		return broker.Decision{Action: broker.Consume, Reason: mqtt.NotAuthorized}
	}
	if query != "" {
		p.Topic = p.Topic[:bytes.IndexByte(p.Topic, '?')]
		if strings.Contains("&"+query+"&", "&"+byScript+"&") {
			j.transform(ctx, p)
		}
	}
	j.tell(direct)
	j.release()
	return broker.Decision{Action: broker.Route}
}

// plain reports whether there is nothing to tell of a message but that it came,
// and it came on a connection.
func (j *job) plain() bool {
	return j.pace != nil && j.wire == nil && j.parent == 0 && j.up.Fault == nil && asModelled(&j.up)
}

// judgeTopic holds a strict product to the topics that it declared and to the
// vendor's limits of them; others are told.
func (j *job) judgeTopic(ctx context.Context, path string, p *packet.Publish) {
	var wrong *dialect.Diagnosis
	topic, _, _ := bytes.Cut(p.Topic, []byte("?"))
	if limits, ok := j.in.Rulebook.Limits(j.who.Dialect, j.who.Mode); ok {
		if n := bytes.Count(topic, []byte("/")); len(topic) > limits.TopicBytes || n > limits.Slashes {
			wrong = &dialect.Diagnosis{
				Code: "topic-too-long", Field: "topic", Received: string(topic), Expected: fmt.Sprintf("at most %d bytes and %d slashes", limits.TopicBytes, limits.Slashes),
				Sentence:   fmt.Sprintf("the topic has %d bytes and %d slashes; the vendor takes %d and %d", len(topic), n, limits.TopicBytes, limits.Slashes),
				SentenceZH: fmt.Sprintf("主题有 %d 字节、%d 个斜杠；厂商最多允许 %d 字节、%d 个斜杠", len(topic), n, limits.TopicBytes, limits.Slashes),
				Advice:     "use a shorter topic", AdviceZH: "请使用更短的主题",
			}
		}
	}
	if wrong == nil && j.in.Topics != nil {
		verdict, err := j.in.Topics.MayPublish(ctx, j.who.Product, path)
		if err != nil {
			j.in.Log.Error("topic classes", "product", j.who.Product, "error", err)
		} else if verdict != topics.Declared {
			m := topics.Explain(verdict, topics.Publish, j.who.Product, path)
			wrong = &dialect.Diagnosis{
				Code: m.Code, Field: "topic", Received: m.Received, Expected: m.Expected, Sentence: m.Sentence, SentenceZH: m.SentenceZH, Advice: m.Advice, AdviceZH: m.AdviceZH,
			}
		}
	}
	if wrong == nil {
		return
	}
	wrong.Code = j.who.Dialect.Name() + "-" + wrong.Code
	if j.who.Mode == dialect.Strict {
		j.up.Kind, j.up.Fault = dialect.Forbidden, wrong
		return
	}
	if j.in.firstUse(j.who.Session() + "/" + path) {
		j.up.Notes = append(j.up.Notes, dialect.Note{Code: wrong.Code, Sentence: wrong.Sentence, SentenceZH: wrong.SentenceZH})
	}
}

// uses remembers which undeclared topics were used, so that each is told once
// of a device. It is bounded: with maxUses it begins anew.
type uses struct {
	mu   sync.Mutex
	seen map[string]struct{}
}

const maxUses = 4096

func (in *Ingest) firstUse(key string) bool {
	in.uses.mu.Lock()
	defer in.uses.mu.Unlock()
	if _, known := in.uses.seen[key]; known {
		return false
	}
	if in.uses.seen == nil || len(in.uses.seen) >= maxUses {
		in.uses.seen = make(map[string]struct{})
	}
	in.uses.seen[key] = struct{}{}
	return true
}

// transform lets the product's script make JSON of a payload. Where it cannot,
// subscribers get the payload as it is.
func (j *job) transform(ctx context.Context, p *packet.Publish) {
	if j.in.Scripts == nil {
		return
	}
	j.handOver()
	made, err := j.in.Scripts.Transform(ctx, j.who.Product, string(p.Topic), p.Payload)
	if why, ours := errors.AsType[*script.Error](err); ours {
		j.scriptFailed(why, p)
		return
	} else if err != nil {
		j.in.Log.Error("script of a product", "product", j.who.Product, "error", err)
		return
	}
	p.Payload = made
	j.in.Trace.Record(trace.Entry{
		Parent: j.entry, Product: j.who.Product, Device: j.who.Device, Kind: trace.Note, Code: "script-transformed", Topic: string(p.Topic), Payload: made,
		Sentence: "subscribers get what the product's script made of the payload", SentenceZH: "订阅者收到的是产品脚本转换后的内容",
	})
}

// tooMany counts a message of a device. It returns true for one that a
// strict product's device says beyond the vendor's rate: the vendor drops it
// without a word, and only a log shows it [aliyun-device §2.8]. Other devices
// are told when they say ten times as much.
func (in *Ingest) tooMany(by *dialect.Subject, rates *dialect.Rates, p *packet.Publish, now time.Time) bool {
	strict := by.Mode == dialect.Strict
	limits, ok := in.Rulebook.Limits(by.Dialect, by.Mode)
	if !ok {
		return false
	}
	what, limit, said, first := rates.Count(limits, int(p.QoS), len(p.Payload), now)
	if what == "" {
		return false
	}
	if first {
		e := trace.Entry{
			At: now, Product: by.Product, Device: by.Device, Kind: trace.Note, Direction: "up", Code: by.Dialect.Name() + "-" + "uplink-rate", Topic: string(p.Topic),
			Sentence:   fmt.Sprintf("more than %d %s in a second (Rate limit:%d,current qps:%d)", limit, what, limit, said),
			SentenceZH: fmt.Sprintf("一秒内超过 %d（%s）（Rate limit:%d,current qps:%d）", limit, what, limit, said),
		}
		beyond(&e, strict)
		in.Trace.Record(e)
	}
	return strict
}

// beyond says what becomes of what is beyond a rate.
func beyond(e *trace.Entry, strict bool) {
	if strict {
		e.Kind = trace.Fault
		e.Sentence += "; the rest of this second is dropped"
		e.SentenceZH += "；本秒内其余的被丢弃"
		return
	}
	e.Sentence += "; the vendor's cloud would have dropped most of them"
	e.SentenceZH += "；厂商平台会丢弃其中大部分"
}
