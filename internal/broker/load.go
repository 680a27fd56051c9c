package broker

import (
	"fmt"
	"time"

	exchange "github.com/matou-iot/matou/mqtt/session"
)

// A loader puts together what the store remembers.
type loader struct {
	b   *Broker
	now time.Time
	s   *session // whose records are coming
	// progress of s's messages, which comes before or after them
	waiting  []stored
	progress map[uint64]Record
}

// A stored message is one of s, in the order of its Seq.
type stored struct {
	d delivery
}

// load makes the sessions and retained messages that the store remembers.
func (b *Broker) load() error {
	l := &loader{b: b, now: time.Now(), progress: make(map[uint64]Record)}
	if err := b.store.Load(l.record); err != nil {
		return fmt.Errorf("load sessions: %w", err)
	}
	l.done()
	b.countRetained()
	return nil
}

// record takes one record. Records of a session that is not there, because
// its own was unreadable, are ignored.
func (l *loader) record(r Record) error {
	switch {
	case r.Kind == RetainedRecord:
		l.retained(r)
	case r.Kind == SessionRecord:
		l.done()
		l.session(r)
	case l.s == nil || l.s.key != r.Session:
	case r.Kind == SubscriptionRecord:
		i, old := l.s.find(r.Subscription.Filter)
		l.s.put(i, old, r.Subscription, r.SubscriptionID)
	case r.Kind == MessageRecord:
		l.waiting = append(l.waiting, stored{delivery{m: messageOf(r.Message), seq: r.Seq, ids: r.SubIDs, qos: r.QoS, retain: r.Retain}})
		l.s.seq = max(l.s.seq, r.Seq)
	case r.Kind == ProgressRecord:
		l.progress[r.Seq] = r
	case r.Kind == ReceivedRecord:
		l.s.in.Restore(r.ID)
	}
	return nil
}

func (l *loader) retained(r Record) {
	m := messageOf(r.Message)
	if !m.expired(l.now) {
		l.b.retained.put(m.topic, m, l.b.limits.Load())
	}
}

func (l *loader) session(r Record) {
	s := l.b.sessionOf(r.Session)
	s.clientID, s.present, s.keep, s.expiry, s.most = r.ClientID, r.Present, r.Keep, r.Expiry, r.Expiry
	s.offline, s.recorded = r.Offline, true
	if s.offline.IsZero() { // its client was there when the process ended
		s.offline = l.now
	}
	l.s = s
}

// done ends the records of a session: what was on its way comes back as it
// was, in the order of its sending, the rest waits.
func (l *loader) done() {
	s := l.s
	if s == nil {
		return
	}
	for _, m := range l.waiting {
		p, sent := l.progress[m.d.seq]
		if sent && p.ID != 0 {
			s.out.Restore(exchange.Exchange[delivery]{ID: p.ID, QoS: m.d.qos, Stage: exchange.Stage(p.Stage), Message: m.d})
			s.underway += m.d.m.size()
			continue
		}
		s.queue.push(m.d)
		l.b.counters.Queued.Add(1)
		l.b.counters.QueuedBytes.Add(int64(m.d.m.size()))
	}
	l.b.counters.Offline.Add(1)
	if s.expiry == 0 && !s.keep { // it was to end with its connection
		s.end()
	}
	s.wind()
	l.s, l.waiting = nil, nil
	clear(l.progress)
}
