package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// A shelfful is the topics under test, each filter a session of its own.
type shelfful struct {
	topics topics
	subs   map[string]*subscription
}

func newShelfful() *shelfful {
	s := &shelfful{subs: make(map[string]*subscription)}
	s.topics.init()
	return s
}

func (f *shelfful) add(filter string) {
	sub := &subscription{s: &session{key: filter}, filter: filter, topic: filter}
	f.topics.add(sub, f.subs[filter])
	f.subs[filter] = sub
}

func (f *shelfful) remove(filter string) {
	if sub := f.subs[filter]; sub != nil {
		f.topics.remove(sub)
		delete(f.subs, filter)
	}
}

func (f *shelfful) match(topic string) (found []string) {
	var w work
	f.topics.match([]byte(topic), &w)
	for _, t := range w.found {
		found = append(found, t.sub.filter)
	}
	slices.Sort(found)
	return found
}

// empty reports whether nothing is left in the index.
func (f *shelfful) empty() bool {
	for i := range f.topics.shards {
		if len(f.topics.shards[i].exact) > 0 {
			return false
		}
	}
	r := &f.topics.root
	return r.here == nil && r.below == nil && r.plus == nil && len(r.children) == 0 && f.topics.wildcards.Load() == 0
}

func TestTopicsMatch(t *testing.T) {
	filters := []string{"a/b", "a/+", "a/#", "+/b", "#", "+/+", "+", "/+", "a/b/#", "a/+/c", "$sys/#", "$sys/+", "+/x/#", "a//b", "a/+/b"}
	f := newShelfful()
	for _, filter := range filters {
		f.add(filter)
	}
	for _, topic := range []string{"a/b", "a", "a/", "/a", "b", "a/b/c", "a/x/c", "$sys/x", "$sys", "$sys/x/y", "a//b", "", "x/x/x/x"} {
		var want []string
		for _, filter := range filters {
			if mqtt.Match(filter, topic) {
				want = append(want, filter)
			}
		}
		slices.Sort(want)
		if got := f.match(topic); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", topic, got, want)
		}
	}
	for _, filter := range filters {
		f.remove(filter)
	}
	if !f.empty() {
		t.Error("something is left in the index")
	}
}

// FuzzTopics: the index agrees with mqtt.Match whatever comes and goes, and
// keeps nothing of what has gone.
func FuzzTopics(f *testing.F) {
	f.Add("a/b|a/+|#|-a/+|$s/#|+/b", "a/b")
	f.Add("a/#|a|-a/#|a/#|//|+/+/+", "a")
	f.Fuzz(func(t *testing.T, moves, topic string) {
		x := newShelfful()
		for m := range strings.SplitSeq(moves, "|") {
			filter, gone := strings.CutPrefix(m, "-")
			if _, _, shared := mqtt.SplitShared(filter); shared || mqtt.ValidFilter(filter) != nil {
				continue
			}
			if gone {
				x.remove(filter)
			} else {
				x.add(filter)
			}
		}
		if mqtt.ValidTopicName(topic) != nil {
			return
		}
		var want []string
		for filter := range x.subs {
			if mqtt.Match(filter, topic) {
				want = append(want, filter)
			}
		}
		slices.Sort(want)
		if got := x.match(topic); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", topic, got, want)
		}
		for filter := range x.subs {
			x.remove(filter)
		}
		if !x.empty() {
			t.Error("something is left in the index")
		}
	})
}

// FuzzRetained: the tree agrees with mqtt.Match.
func FuzzRetained(f *testing.F) {
	f.Add("a/b|a|$s/x|-a", "a/#")
	f.Add("a/b|/|a//b", "+/+")
	f.Fuzz(func(t *testing.T, moves, filter string) {
		limits := Limits{}.withDefaults()
		var r retained
		kept := map[string]bool{}
		for m := range strings.SplitSeq(moves, "|") {
			topic, gone := strings.CutPrefix(m, "-")
			if mqtt.ValidTopicName(topic) != nil {
				continue
			}
			var msg *message
			if !gone {
				msg = &message{topic: []byte(topic)}
			}
			r.put([]byte(topic), msg, &limits)
			kept[topic] = !gone
		}
		if mqtt.ValidFilter(filter) != nil {
			return
		}
		var got, want []string
		for _, m := range r.match(filter, time.Now(), nil) {
			got = append(got, string(m.topic))
		}
		n := 0
		for topic, there := range kept {
			if there {
				n++
			}
			if there && mqtt.Match(filter, topic) {
				want = append(want, topic)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || r.count != n {
			t.Errorf("%q: %q, want %q; %d kept, want %d", filter, got, want, r.count, n)
		}
		for topic := range kept {
			r.put([]byte(topic), nil, &limits)
		}
		if r.count != 0 || r.bytes != 0 || len(r.root.children) != 0 {
			t.Errorf("%d messages, %d bytes, %d shelves are left", r.count, r.bytes, len(r.root.children))
		}
	})
}

func TestShareGoesRound(t *testing.T) { // [MQTT5 §4.8.2]
	var x topics
	x.init()
	var subs []*subscription
	for i := range 3 {
		s := &session{key: fmt.Sprint(i)}
		s.client.Store(&Client{})
		sub := &subscription{s: s, filter: "$share/g/a/+", topic: "a/+", share: &share{name: "g"}}
		x.add(sub, nil)
		subs = append(subs, sub)
	}
	turn := func() string {
		var w work
		x.match([]byte("a/b"), &w)
		if len(w.found) != 1 {
			t.Fatalf("%d members got the message", len(w.found))
		}
		return w.found[0].sub.s.key
	}
	var order string
	for range 6 {
		order += turn()
	}
	if order != "120120" {
		t.Errorf("in turn: %s", order)
	}
	subs[1].s.client.Store(nil) // who is there is preferred
	for range 4 {
		if turn() == "1" {
			t.Error("the absent was chosen")
		}
	}
	subs[0].s.client.Store(nil)
	subs[2].s.client.Store(nil)
	turn() // if nobody is there, somebody gets it who may keep it
	for _, sub := range subs {
		x.remove(sub)
	}
	var w work
	if x.match([]byte("a/b"), &w); len(w.found) != 0 || x.wildcards.Load() != 0 {
		t.Error("the group is left without members")
	}
}
