package broker

import (
	"bytes"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/matou-iot/matou/mqtt"
)

// A subscription is one filter of one session, and a link in the list of those
// with the same filter. Its fields do not change once it is in the index.
type subscription struct {
	s                          *session // nil for the entry of a share
	filter                     string   // as subscribed, with $share/group/
	topic                      string   // the filter that is matched
	id                         uint32   // subscription identifier, 0 without
	qos                        mqtt.QoS
	noLocal, retainAsPublished bool

	prev, next *subscription
	share      *share // of a shared subscription, and of the entry that stands for it
}

// A share is the group of a shared subscription: each message goes to one
// member [MQTT5 §4.8.2].
type share struct {
	name    string
	mu      sync.Mutex
	members []*subscription
	next    int
}

// pick returns the member whose turn it is, one that is there if anybody is.
func (g *share) pick() *subscription {
	g.mu.Lock()
	defer g.mu.Unlock()
	var absent *subscription
	for range g.members {
		g.next = (g.next + 1) % len(g.members)
		m := g.members[g.next]
		if m.s.client.Load() != nil {
			return m
		}
		if absent == nil {
			absent = m
		}
	}
	return absent
}

// topicShards is how many parts the exact topics are in, each with its lock.
const topicShards = 64

// topics finds the subscriptions of a topic: exact filters in a sharded map,
// filters with wildcards in a tree. The lists hang on their first entry.
type topics struct {
	seed   maphash.Seed
	shards [topicShards]struct {
		mu    sync.RWMutex
		exact map[string]*subscription
	}
	wild      sync.RWMutex
	root      level
	wildcards atomic.Int64 // entries in the tree: without any it is not walked
}

// A level is a node of the tree: what follows one level of a filter.
type level struct {
	parent   *level
	name     string // of this level in its parent, "+" for any
	children map[string]*level
	plus     *level
	here     *subscription // filters that end here
	below    *subscription // filters that go on with #
}

func (t *topics) init() {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		t.shards[i].exact = make(map[string]*subscription)
	}
}

// add puts sub in the place of old, which may be nil and has the same filter,
// without a moment in which neither is there [MQTT3-3.8.4-3] [MQTT5-3.8.4-3].
func (t *topics) add(sub, old *subscription) {
	t.change(sub.topic, func(head **subscription) {
		if old != nil {
			unlink(head, old)
		}
		link(head, sub)
	})
}

// remove takes sub out.
func (t *topics) remove(sub *subscription) {
	t.change(sub.topic, func(head **subscription) { unlink(head, sub) })
}

// count is how many subscriptions have a filter, up to most.
func (t *topics) count(filter string, most int) (n int) {
	t.change(filter, func(head **subscription) {
		for e := *head; e != nil && n < most; e = e.next {
			n++
		}
	})
	return n
}

// change calls fn with the list of a filter under its lock and tidies up.
func (t *topics) change(filter string, fn func(head **subscription)) {
	if mqtt.HasWildcard(filter) {
		t.wild.Lock()
		defer t.wild.Unlock()
		t.root.change(filter, &t.wildcards, fn)
		return
	}
	shard := &t.shards[maphash.String(t.seed, filter)%topicShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	head := shard.exact[filter]
	fn(&head)
	if head == nil {
		delete(shard.exact, filter)
		return
	}
	shard.exact[filter] = head
}

// link puts sub into the list, or into the share that stands in it.
func link(head **subscription, sub *subscription) {
	if sub.share != nil {
		entry := findShare(*head, sub.share.name)
		if entry == nil {
			entry = &subscription{share: sub.share, topic: sub.topic}
			insert(head, entry)
		}
		sub.share = entry.share
		sub.share.mu.Lock()
		sub.share.members = append(sub.share.members, sub)
		sub.share.mu.Unlock()
		return
	}
	insert(head, sub)
}

func insert(head **subscription, sub *subscription) {
	sub.prev, sub.next = nil, *head
	if *head != nil {
		(*head).prev = sub
	}
	*head = sub
}

func unlink(head **subscription, sub *subscription) {
	if sub.share != nil && sub.s != nil {
		entry := findShare(*head, sub.share.name)
		if entry == nil || !entry.share.leave(sub) {
			return
		}
		sub = entry
	}
	if sub.prev != nil {
		sub.prev.next = sub.next
	} else if *head == sub {
		*head = sub.next
	}
	if sub.next != nil {
		sub.next.prev = sub.prev
	}
	sub.prev, sub.next = nil, nil
}

// leave takes sub out of the share and reports whether nobody is left.
func (g *share) leave(sub *subscription) (empty bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, m := range g.members {
		if m == sub {
			g.members = append(g.members[:i], g.members[i+1:]...)
			break
		}
	}
	return len(g.members) == 0
}

func findShare(head *subscription, name string) *subscription {
	for e := head; e != nil; e = e.next {
		if e.s == nil && e.share.name == name {
			return e
		}
	}
	return nil
}

// change walks to the end of filter, making what is missing, and removes
// again what fn leaves empty.
func (l *level) change(filter string, entries *atomic.Int64, fn func(head **subscription)) {
	head := &l.here
	for rest, more := filter, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, "/")
		if name == "#" && !more {
			head = &l.below
			break
		}
		l = l.child(name)
		head = &l.here
	}
	before := *head != nil
	fn(head)
	switch {
	case !before && *head != nil:
		entries.Add(1)
	case before && *head == nil:
		entries.Add(-1)
	}
	for l.parent != nil && l.here == nil && l.below == nil && l.plus == nil && len(l.children) == 0 {
		p := l.parent
		if p.plus == l {
			p.plus = nil
		} else {
			delete(p.children, l.name)
		}
		l = p
	}
}

func (l *level) child(name string) *level {
	if name == "+" {
		if l.plus == nil {
			l.plus = &level{parent: l, name: name}
		}
		return l.plus
	}
	c := l.children[name]
	if c == nil {
		c = &level{parent: l, name: name}
		if l.children == nil {
			l.children = make(map[string]*level)
		}
		l.children[name] = c
	}
	return c
}

// match collects the subscriptions of topic in w.found and in w.lists how many
// different filters they come from.
func (t *topics) match(topic []byte, w *work) {
	shard := &t.shards[maphash.Bytes(t.seed, topic)%topicShards]
	shard.mu.RLock()
	w.collect(shard.exact[string(topic)])
	shard.mu.RUnlock()
	if t.wildcards.Load() == 0 {
		return
	}
	t.wild.RLock()
	t.root.match(topic, len(topic) > 0 && topic[0] == '$', w)
	t.wild.RUnlock()
}

// match collects what matches the rest of a topic under l. system is true at
// the root for a topic that begins with $: wildcards do not match its first
// level [MQTT3-4.7.2-1] [MQTT5-4.7.2-1].
func (l *level) match(topic []byte, system bool, w *work) {
	if !system {
		w.collect(l.below)
	}
	name, rest, more := bytes.Cut(topic, slash)
	if c := l.children[string(name)]; c != nil {
		c.end(rest, more, w)
	}
	if l.plus != nil && !system {
		l.plus.end(rest, more, w)
	}
}

func (l *level) end(rest []byte, more bool, w *work) {
	if more {
		l.match(rest, false, w)
		return
	}
	w.collect(l.here)
	w.collect(l.below) // "a/#" matches "a" [MQTT3 §4.7.1.2]
}

var slash = []byte{'/'}

// collect takes over the list that begins with head.
func (w *work) collect(head *subscription) {
	if head == nil {
		return
	}
	w.lists++
	for e := head; e != nil; e = e.next {
		sub := e
		if e.s == nil {
			w.lists++ // a member may have another subscription that matches
			if sub = e.share.pick(); sub == nil {
				continue
			}
		}
		w.noLocal = w.noLocal || sub.noLocal
		w.found = append(w.found, target{sub: sub, qos: sub.qos, retain: sub.retainAsPublished})
	}
}
