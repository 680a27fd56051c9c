package gate

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/trace"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// downlinks count what one connection is told [aliyun-device §2.8]. A strict
// product's device is told no more in a second than its vendor would tell it;
// of any other the clock is asked only as often as it is told so much, which
// costs its messages next to nothing.
type downlinks struct {
	g   *Gate
	who *dialect.Subject

	n atomic.Int64 // of a device that is not strict

	mu     sync.Mutex
	second int64     // of a strict device
	told   int       // in it
	since  time.Time // when n was last a whole number of limits
	noted  time.Time // when it was last said that this is too much
}

// downlinksOf counts for a subject, nil where nobody limits it.
func (g *Gate) downlinksOf(who *dialect.Subject) func() bool {
	if _, ok := who.Dialect.(dialect.Limited); !ok {
		return nil
	}
	d := &downlinks{g: g, who: who, since: g.Now()}
	return d.pass
}

// pass counts one message and reports whether it may go.
func (d *downlinks) pass() bool {
	l, _ := d.g.Rulebook.Limits(d.who.Dialect, d.who.Mode)
	switch {
	case l.Downlinks <= 0:
		return true
	case d.who.Mode == dialect.Strict:
		return d.passStrict(l.Downlinks)
	case d.n.Add(1)%int64(l.Downlinks) != 0:
		return true
	}
	now := d.g.Now()
	d.mu.Lock()
	fast := now.Sub(d.since) < time.Second
	d.since = now
	say := fast && now.Sub(d.noted) >= time.Second
	if say {
		d.noted = now
	}
	d.mu.Unlock()
	if say {
		d.tell(now, l.Downlinks, l.Downlinks)
	}
	return true
}

func (d *downlinks) passStrict(limit int) bool {
	now := d.g.Now()
	d.mu.Lock()
	if s := now.Unix(); s != d.second {
		d.second, d.told = s, 0
	}
	d.told++
	told := d.told
	d.mu.Unlock()
	if told == limit+1 {
		d.tell(now, limit, told)
	}
	return told <= limit
}

func (d *downlinks) tell(now time.Time, limit, told int) {
	e := trace.Entry{
		At: now, Product: d.who.Product, Device: d.who.Device, Kind: trace.Note, Direction: "down", Code: d.who.Dialect.Name() + "-" + "downlink-rate",
		Sentence:   fmt.Sprintf("the device is told more than %d messages in a second (Rate limit:%d,current qps:%d)", limit, limit, told),
		SentenceZH: fmt.Sprintf("一秒内下行消息超过 %d 条（Rate limit:%d,current qps:%d）", limit, limit, told),
	}
	if d.who.Mode == dialect.Strict {
		e.Kind = trace.Fault
		e.Sentence += "; the rest of this second is dropped, but for messages of QoS 1"
		e.SentenceZH += "；本秒内其余的被丢弃（QoS 1 消息除外）"
	} else {
		e.Sentence += "; the vendor's cloud would have dropped most of them"
		e.SentenceZH += "；厂商平台会丢弃其中大部分"
	}
	d.g.Trace.Record(e)
}

// numbered judges a filter that may be granted by how many there are already:
// of the device, and of a topic of broadcasts. Filters that a gateway has for
// its sub-devices are not counted.
func (g *Gate) numbered(c *broker.Client, who *dialect.Subject, s packet.Subscription, code mqtt.ReasonCode) (mqtt.ReasonCode, *dialect.Diagnosis, *dialect.Note) {
	l, limited := g.Rulebook.Limits(who.Dialect, who.Mode)
	by, _ := c.Identity().(*dialect.Subject)
	if !limited || by != who || c.Subscribed(s.Filter) {
		return code, nil, nil
	}
	var why *dialect.Diagnosis
	if b, ok := who.Dialect.(dialect.Broadcaster); ok && l.Listeners > 0 && strings.HasPrefix(s.Filter, b.BroadcastTopic(who.Product, "")) {
		if c.Fellows(s.Filter, l.Listeners) >= l.Listeners {
			why = tooManyListeners(who, s.Filter, l.Listeners)
		}
	}
	if n := l.Subscriptions; why == nil && n > 0 {
		if own := c.Subscriptions(g.ownFilter(who)); own == n || own > n && who.Mode == dialect.Strict {
			why = tooManySubscriptions(who, s.Filter, n)
		}
	}
	switch {
	case why == nil:
		return code, nil, nil
	case who.Mode != dialect.Strict:
		return code, nil, &dialect.Note{Code: why.Code, Sentence: why.Sentence, SentenceZH: why.SentenceZH}
	}
	return mqtt.QuotaExceeded, why, nil
}

// ownFilter tells a device's own filters from those for its sub-devices.
func (g *Gate) ownFilter(who *dialect.Subject) func(string) bool {
	d, ok := who.Dialect.(dialect.Gateways)
	name := who.Session()
	return func(filter string) bool {
		if !ok {
			return true
		}
		owner := d.Owner([]byte(filter))
		return len(owner) == 0 || string(owner) == name
	}
}

func tooManySubscriptions(who *dialect.Subject, filter string, most int) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: who.Dialect.Name() + "-" + "subscriptions", Field: "filter", Received: filter, Expected: fmt.Sprintf("at most %d subscriptions of a device", most),
		Sentence:   fmt.Sprintf("the device has %d subscriptions already, as many as the vendor's cloud grants", most),
		SentenceZH: fmt.Sprintf("设备已有 %d 个订阅，达到厂商平台的上限", most),
		Advice:     "subscribe to a wildcard in place of many topics, and end subscriptions that are no longer wanted", AdviceZH: "请用通配符代替多个主题，并取消不再需要的订阅",
	}
}

func tooManyListeners(who *dialect.Subject, filter string, most int) *dialect.Diagnosis {
	return &dialect.Diagnosis{
		Code: who.Dialect.Name() + "-" + "broadcast-subscribers", Field: "filter", Received: filter, Expected: fmt.Sprintf("at most %d subscribers", most),
		Sentence:   fmt.Sprintf("%d devices have subscribed to this broadcast already, as many as the vendor's cloud lets", most),
		SentenceZH: fmt.Sprintf("该广播主题已有 %d 个订阅设备，达到厂商平台的上限", most),
		Advice:     "divide the devices among several topics, or broadcast to all that are online, which needs no subscription", AdviceZH: "请把设备分到多个广播主题，或使用无需订阅的全量广播",
	}
}
