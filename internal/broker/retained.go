package broker

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/mqtt/packet"
)

// retained holds the last retained message of each topic, in a tree of levels
// so that a filter with wildcards visits only what it matches.
type retained struct {
	mu    sync.RWMutex
	root  shelf
	count int
	bytes int64
}

// A shelf is one level of topic names.
type shelf struct {
	parent   *shelf
	name     string
	children map[string]*shelf
	m        *message
}

// put keeps m as the retained message of its topic; nil as payload removes it
// [MQTT3-3.3.1-10] [MQTT5-3.3.1-6]. It reports whether limits allowed it.
func (r *retained) put(topic []byte, m *message, l *Limits) (kept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.find(topic, m != nil)
	if s == nil {
		return true
	}
	count, size := r.count, r.bytes
	if s.m != nil {
		count--
		size -= int64(s.m.size())
	}
	if m != nil {
		count++
		size += int64(m.size())
		if count > l.RetainedCount || size > l.RetainedBytes {
			r.prune(s)
			return false
		}
	}
	s.m, r.count, r.bytes = m, count, size
	r.prune(s)
	return true
}

func (r *retained) find(topic []byte, make_ bool) *shelf {
	s := &r.root
	for rest, more := topic, true; more; {
		var name []byte
		name, rest, more = bytes.Cut(rest, slash)
		c := s.children[string(name)]
		if c == nil {
			if !make_ {
				return nil
			}
			c = &shelf{parent: s, name: string(name)}
			if s.children == nil {
				s.children = make(map[string]*shelf)
			}
			s.children[c.name] = c
			r.bytes += c.cost()
		}
		s = c
	}
	return s
}

// prune removes empty shelves from s upwards.
func (r *retained) prune(s *shelf) {
	for s.parent != nil && s.m == nil && len(s.children) == 0 {
		r.bytes -= s.cost()
		delete(s.parent.children, s.name)
		s = s.parent
	}
}

// shelfOverhead is about what a shelf costs with its place in its parent.
const shelfOverhead = 320

func (s *shelf) cost() int64 { return int64(shelfOverhead + len(s.name)) }

// match appends the messages under filter that have not expired.
func (r *retained) match(filter string, now time.Time, dst []*message) []*message {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.root.match(filter, true, now, dst)
}

func (s *shelf) match(filter string, first bool, now time.Time, dst []*message) []*message {
	name, rest, more := strings.Cut(filter, "/")
	switch {
	case name == "#" && !more:
		return s.all(first, now, dst)
	case name == "+":
		for n, c := range s.children {
			if !first || !strings.HasPrefix(n, "$") {
				dst = c.end(rest, more, now, dst)
			}
		}
	default:
		if c := s.children[name]; c != nil {
			dst = c.end(rest, more, now, dst)
		}
	}
	return dst
}

func (s *shelf) end(rest string, more bool, now time.Time, dst []*message) []*message {
	if more {
		return s.match(rest, false, now, dst)
	}
	return s.own(now, dst)
}

func (s *shelf) own(now time.Time, dst []*message) []*message {
	if s.m != nil && !s.m.expired(now) {
		dst = append(dst, s.m)
	}
	return dst
}

// all appends s and everything below it, at the first level without what
// begins with $ [MQTT3-4.7.2-1].
func (s *shelf) all(first bool, now time.Time, dst []*message) []*message {
	dst = s.own(now, dst)
	for n, c := range s.children {
		if !first || !strings.HasPrefix(n, "$") {
			dst = c.all(false, now, dst)
		}
	}
	return dst
}

// expire removes what has expired and returns its topics.
func (r *retained) expire(now time.Time) (topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var gone []*shelf
	r.root.walk(func(s *shelf) {
		if s.m.expired(now) {
			gone = append(gone, s)
		}
	})
	for _, s := range gone {
		topics = append(topics, string(s.m.topic))
		r.count--
		r.bytes -= int64(s.m.size())
		s.m = nil
		r.prune(s)
	}
	return topics
}

func (s *shelf) walk(fn func(*shelf)) {
	if s.m != nil {
		fn(s)
	}
	for _, c := range s.children {
		c.walk(fn)
	}
}

// retain keeps or removes the retained message of a PUBLISH with RETAIN.
// [MQTT3 §3.3.1.3] [MQTT5 §3.3.1.3]
func (b *Broker) retain(w *work, p *packet.Publish, expires time.Time) {
	if len(p.Payload) == 0 {
		b.retained.put(p.Topic, nil, b.limits.Load())
		b.store.Write(Record{Kind: RetainedRecord, Delete: true, Message: Message{Topic: string(p.Topic)}})
		w.sync = w.sync || p.QoS > 0
		b.countRetained()
		return
	}
	m := w.shared(p, expires)
	if !b.retained.put(m.topic, m, b.limits.Load()) {
		b.counters.DroppedRetained.Add(1)
		return
	}
	b.store.Write(Record{Kind: RetainedRecord, Message: m.public()})
	w.sync = w.sync || p.QoS > 0
	b.countRetained()
}

func (b *Broker) countRetained() {
	b.retained.mu.RLock()
	b.counters.Retained.Store(int64(b.retained.count))
	b.counters.RetainedBytes.Store(b.retained.bytes)
	b.retained.mu.RUnlock()
}
