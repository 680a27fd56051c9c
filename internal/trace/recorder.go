package trace

import (
	"container/list"
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Recorder keeps the timelines. Any number of goroutines may use it at once.
type Recorder struct {
	next     atomic.Uint64
	_        [56]byte     // what follows is read with each message and seldom written
	budget   int          // bytes a shard may hold
	lookers  atomic.Int64 // watches there are
	seed     maphash.Seed
	shard    [shards]shard
	refusals tallies
	now      func() time.Time

	observing sync.Mutex                        // held while observed is changed
	observed  atomic.Pointer[map[key]time.Time] // under watch, until when; nil while nobody is
}

type key struct{ product, device string }

type shard struct {
	mu      sync.Mutex
	lines   map[key]*line
	recent  list.List // of *line, most recently written first, to about a second
	bytes   int
	spare   spare
	watches map[key][]*watch
}

type watch struct{ ch chan Entry }

// New makes a Recorder that holds about the given number of bytes; 0 means
// DefaultBytes.
func New(bytes int) *Recorder {
	if bytes <= 0 {
		bytes = DefaultBytes
	}
	r := &Recorder{budget: bytes / shards, seed: maphash.MakeSeed(), now: time.Now}
	// Twenty bits a second of life leave the IDs of a later start above those
	// of an earlier one, and all of them below 2^53 for JavaScript.
	r.next.Store(uint64(time.Now().Unix()) << 20)
	for i := range r.shard {
		r.shard[i].lines = make(map[key]*line)
		r.shard[i].watches = make(map[key][]*watch)
	}
	return r
}

// Record adds e to its device's timeline and returns its ID, also where it is
// left out because of PlainRate. It sets ID, and At where that is zero, and
// copies what it keeps: texts shortened to MaxText, Payload and Packet to
// MaxPayload (ObservedPayload of devices under watch), Detail as JSON, left out
// where that is longer than MaxText.
func (r *Recorder) Record(e Entry) uint64 {
	e.ID = r.next.Add(1)
	if e.At.IsZero() {
		e.At = r.now()
	}
	if e.Size == 0 {
		e.Size = len(e.Payload)
	}
	most, observed := MaxPayload, !r.Observed(e.Product, e.Device).IsZero()
	if observed {
		most = ObservedPayload
	}
	detail := e.shorten(most)
	if e.Code != "" && (e.Kind == Refuse || e.Kind == Fault) {
		r.refusals.count(&e)
	}
	k := key{e.Product, e.Device}
	s := r.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	watches := s.watches[k]
	l := s.line(k, e.At)
	if len(watches) == 0 && !observed && l.paces(&e) {
		l.skipped += e.Skipped
		return e.ID
	}
	e.Skipped, l.skipped = e.Skipped+l.skipped, 0
	s.add(l, &e, detail)
	for s.bytes > r.budget && s.recent.Len() > 0 {
		s.dropOldest()
	}
	if len(watches) > 0 {
		kept := decode(k, appendEntry(nil, &e, detail))
		for _, w := range watches {
			w.offer(kept)
		}
	}
	return e.ID
}

// shorten cuts what is longer than an entry may be, payload and packet to most
// bytes, and returns the detail as JSON.
func (e *Entry) shorten(most int) []byte {
	e.Payload = e.Payload[:min(len(e.Payload), most)]
	e.Packet = e.Packet[:min(len(e.Packet), most)]
	for _, text := range []*string{&e.Topic, &e.Code, &e.Sentence, &e.SentenceZH} {
		if len(*text) > MaxText {
			*text = strings.ToValidUTF8((*text)[:MaxText], "")
		}
	}
	if e.Detail == nil {
		return nil
	}
	detail, err := json.Marshal(e.Detail)
	if err != nil || len(detail) > MaxText {
		return nil
	}
	return detail
}

// Timeline returns entries of a device, newest first, and the ID to pass as
// Before for the next page, 0 where there is none.
func (r *Recorder) Timeline(product, device string, q Query) ([]Entry, uint64) {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	k := key{product, device}
	s := r.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[k]
	if l == nil {
		return nil, 0
	}
	var found []Entry
	for _, b := range slices.Backward(l.all()) {
		if q.Before != 0 && idOf(b) >= q.Before || len(q.Kinds) > 0 && !slices.Contains(q.Kinds, kindOf(b)) {
			continue
		}
		if len(found) == q.Limit {
			return found, found[len(found)-1].ID
		}
		found = append(found, decode(k, b))
	}
	return found, 0
}

// Entry returns one entry of a device by its ID.
func (r *Recorder) Entry(product, device string, id uint64) (Entry, bool) {
	found, _ := r.Timeline(product, device, Query{Limit: 1, Before: id + 1})
	if len(found) == 1 && found[0].ID == id {
		return found[0], true
	}
	return Entry{}, false
}

// Forget drops the timeline of a device that is no more.
func (r *Recorder) Forget(product, device string) {
	k := key{product, device}
	s := r.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[k]; l != nil {
		s.remove(l)
	}
}

func (r *Recorder) of(k key) *shard {
	return &r.shard[maphash.Comparable(r.seed, k)%shards]
}

// recency is how exactly it is known who was silent longest. Moving a line to
// the front with every entry would fetch three others from memory each time.
const recency = time.Second

// line finds the timeline of a device, or begins it.
func (s *shard) line(k key, now time.Time) *line {
	l := s.lines[k]
	if l == nil {
		l = &line{key: k, spare: &s.spare, moved: now}
		l.at = s.recent.PushFront(l)
		s.lines[k] = l
		s.bytes += l.bytes()
		return l
	}
	if now.Sub(l.moved) > recency {
		l.moved = now
		s.recent.MoveToFront(l.at)
	}
	return l
}

func (s *shard) add(l *line, e *Entry, detail []byte) {
	s.bytes -= l.bytes()
	if l.count >= MaxEntries {
		l.drop(l.count - MaxEntries + 1)
	}
	l.add(e, detail)
	s.bytes += l.bytes()
}

// dropOldest halves the timeline of the device that was silent longest, and
// forgets it where little is left.
func (s *shard) dropOldest() {
	l := s.recent.Back().Value.(*line)
	if l.count <= 4 {
		s.remove(l)
		return
	}
	s.bytes -= l.bytes()
	l.drop(l.count / 2)
	s.bytes += l.bytes()
}

func (s *shard) remove(l *line) {
	s.bytes -= l.bytes()
	s.recent.Remove(l.at)
	delete(s.lines, l.key)
}
