package broker

import (
	"time"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// subscribe handles a SUBSCRIBE: judge each filter, make the granted ones
// durable, answer, then send what is retained.
func (c *Client) subscribe(b *batch, h packet.Header, body []byte) error {
	var p packet.Subscribe
	if err := p.Decode(h, body, c.version); err != nil {
		return err
	}
	if c.conduct != nil {
		filters := make([]string, len(p.Subscriptions))
		for i := range p.Subscriptions {
			filters[i] = p.Subscriptions[i].Filter
		}
		if !c.conduct(h.Type, filters) {
			return &closeRequest{mqtt.QuotaExceeded}
		}
	}
	var id uint32
	if p.Properties != nil && len(p.Properties.SubscriptionIDs) > 0 {
		id = p.Properties.SubscriptionIDs[0]
	}
	reasons := make([]mqtt.ReasonCode, len(p.Subscriptions))
	fresh := make([]bool, len(p.Subscriptions))
	for i, sub := range p.Subscriptions {
		reasons[i] = c.judge(sub)
		if !reasons[i].Failed() {
			sub.QoS = mqtt.QoS(reasons[i])
			fresh[i], reasons[i] = c.s.subscribe(&b.work, sub, id)
		}
	}
	b.flush()
	if !c.b.keep(&b.work) {
		for i := range reasons {
			reasons[i] = mqtt.ImplementationSpecificError
		}
	}
	c.b.counters.unsubscribed(reasons)
	c.push(&b.work, &packet.Suback{ID: p.ID, Reasons: c.asKnown(reasons)})
	for i, sub := range p.Subscriptions {
		if !reasons[i].Failed() && !c.sendRetained(b, sub, mqtt.QoS(reasons[i]), id, fresh[i]) {
			break
		}
	}
	return nil
}

// judge grants a QoS or a failure.
func (c *Client) judge(sub packet.Subscription) mqtt.ReasonCode {
	why := mqtt.ValidFilter(sub.Filter)
	if why == nil && c.tooDeep(sub.Filter) {
		why = wording.Errorf("the filter is longer than %d bytes or deeper than %d levels", c.limits.TopicLength, c.limits.TopicLevels)
	}
	if why != nil {
		if l, ok := c.b.rules.(FilterListener); ok {
			l.Unfit(c, sub, why)
		}
		return mqtt.TopicFilterInvalid
	}
	granted := c.b.rules.Subscribe(c, sub)
	if granted.Failed() {
		return granted
	}
	return min(granted, mqtt.ReasonCode(sub.QoS), mqtt.ReasonCode(c.maxQoS))
}

// tooDeep reports whether a topic name or filter is longer or deeper than
// Limits allow.
func (c *Client) tooDeep(topic string) bool {
	return len(topic) > c.limits.TopicLength || mqtt.Levels(topic) > c.limits.TopicLevels
}

// asKnown returns the reasons as the client's version has them: 3.1.1 knows
// one failure [MQTT3-3.9.3-2], which 3.1 clients are told as well.
func (c *Client) asKnown(reasons []mqtt.ReasonCode) []mqtt.ReasonCode {
	out := make([]mqtt.ReasonCode, len(reasons))
	for i, r := range reasons {
		out[i] = r
		if !r.Failed() {
			continue
		}
		if c.version != mqtt.V5 {
			out[i] = mqtt.UnspecifiedError
			continue
		}
		switch r {
		case mqtt.ImplementationSpecificError, mqtt.NotAuthorized, mqtt.TopicFilterInvalid, mqtt.QuotaExceeded,
			mqtt.SharedSubscriptionsNotSupported, mqtt.SubscriptionIdentifiersNotSupported, mqtt.WildcardSubscriptionsNotSupported:
		default:
			out[i] = mqtt.UnspecifiedError
		}
	}
	return out
}

// subscribe puts sub in the place of one with the same filter
// [MQTT3-3.8.4-3] [MQTT5-3.8.4-3]; fresh says that there was none.
func (s *session) subscribe(w *work, sub packet.Subscription, id uint32) (fresh bool, reason mqtt.ReasonCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, old := s.find(sub.Filter)
	if most := s.b.limits.Load().Subscriptions; old == nil && (len(s.subs) >= most || s.tooMuch(sub.Filter, most)) {
		return true, mqtt.QuotaExceeded
	}
	reason = mqtt.ReasonCode(sub.QoS)
	if old != nil && old.qos == sub.QoS && old.noLocal == sub.NoLocal && old.retainAsPublished == sub.RetainAsPublished && old.id == id {
		return false, reason
	}
	s.put(i, old, sub, id)
	if s.stored() {
		s.b.store.Write(Record{Kind: SubscriptionRecord, Session: s.key, Subscription: sub, SubscriptionID: id})
		w.sync = true
	}
	return old == nil, reason
}

// wildLevels is how many levels the filters of a session may have on average
// where they are many and have wildcards: each takes its place in the tree.
const wildLevels = 8

// tooMuch reports whether the tree would hold too many levels of s with one
// more filter. Filters of wildLevels and less never do; s.mu is held.
func (s *session) tooMuch(filter string, subscriptions int) bool {
	n := mqtt.Levels(filter)
	if n <= wildLevels || !mqtt.HasWildcard(filter) {
		return false
	}
	for _, sub := range s.subs {
		if mqtt.HasWildcard(sub.topic) {
			n += mqtt.Levels(sub.topic)
		}
	}
	return n > max(wildLevels*subscriptions, mqtt.MaxTopicLevels)
}

// put enters sub, at place i for old; s.mu is held.
func (s *session) put(i int, old *subscription, sub packet.Subscription, id uint32) {
	n := &subscription{s: s, filter: sub.Filter, topic: sub.Filter, id: id, qos: sub.QoS,
		noLocal: sub.NoLocal, retainAsPublished: sub.RetainAsPublished}
	if group, rest, ok := mqtt.SplitShared(sub.Filter); ok {
		n.topic, n.share = rest, &share{name: group}
	}
	s.b.topics.add(n, old)
	if old != nil {
		s.subs[i] = n
		return
	}
	s.subs = append(s.subs, n)
	s.b.counters.Subscriptions.Add(1)
}

// sendRetained sends the retained messages of a new subscription: for 5.0 as
// Retain Handling says [MQTT5-3.3.1-9], never for a shared one [MQTT5 §4.8.2].
// What there is no room for waits in the session's queue; more is false when
// that is full too: a SUBSCRIBE with many filters looks for no more, nor does
// one of a client that is leaving.
func (c *Client) sendRetained(b *batch, sub packet.Subscription, granted mqtt.QoS, id uint32, fresh bool) (more bool) {
	if _, _, shared := mqtt.SplitShared(sub.Filter); shared || sub.RetainHandling == 2 || sub.RetainHandling == 1 && !fresh {
		return true
	}
	if c.stopped() {
		return false
	}
	s := c.s
	var ids []uint32
	if id != 0 {
		ids = []uint32{id}
	}
	found := c.b.retained.match(sub.Filter, time.Now(), nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range found {
		if s.offer(&b.work, delivery{m: m, qos: min(m.qos, granted), retain: true, ids: ids}, false) == QueueFull {
			c.b.counters.DroppedQueueFull.Add(int64(len(found) - i - 1))
			return false
		}
	}
	return true
}

// unsubscribe handles an UNSUBSCRIBE.
func (c *Client) unsubscribe(b *batch, h packet.Header, body []byte) error {
	var p packet.Unsubscribe
	if err := p.Decode(h, body, c.version); err != nil {
		return err
	}
	if c.conduct != nil && !c.conduct(h.Type, p.Filters) {
		return &closeRequest{mqtt.MessageRateTooHigh}
	}
	reasons := make([]mqtt.ReasonCode, len(p.Filters))
	for i, filter := range p.Filters {
		reasons[i] = c.s.unsubscribe(&b.work, filter)
	}
	b.flush()
	c.b.keep(&b.work)
	if c.version != mqtt.V5 {
		reasons = nil
	}
	c.push(&b.work, &packet.Unsuback{ID: p.ID, Reasons: reasons})
	return nil
}

// unsubscribe ends a subscription. Messages that wait for it are still sent
// [MQTT3-3.10.4-3] [MQTT5-3.10.4-3].
func (s *session) unsubscribe(w *work, filter string) mqtt.ReasonCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, sub := s.find(filter)
	if sub == nil {
		return mqtt.NoSubscriptionExisted
	}
	s.b.topics.remove(sub)
	last := len(s.subs) - 1
	s.subs[i] = s.subs[last]
	s.subs[last] = nil
	s.subs = s.subs[:last]
	s.b.counters.Subscriptions.Add(-1)
	if s.stored() {
		s.b.store.Write(Record{Kind: SubscriptionRecord, Delete: true, Session: s.key,
			Subscription: packet.Subscription{Filter: filter}})
		w.sync = true
	}
	return mqtt.Success
}
