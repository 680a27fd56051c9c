package trace

import (
	"container/list"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Recorder keeps the timelines. Any number of goroutines may use it at once.
type Recorder struct {
	next   atomic.Uint64
	budget int // bytes a shard may hold
	seed   maphash.Seed
	shard  [shards]shard
	now    func() time.Time
}

type key struct{ product, device string }

type shard struct {
	mu      sync.Mutex
	lines   map[key]*line
	recent  list.List // of *line, most recently written first
	bytes   int
	watches map[key][]*watch
}

// A line is the timeline of one device: entries in order of their IDs.
type line struct {
	key     key
	entries []Entry
	bytes   int
	at      *list.Element
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

// Record adds e to its device's timeline and returns its ID. It sets ID, and
// At where that is zero, and copies Payload and Packet, shortened to
// MaxPayload; the caller keeps its buffers.
func (r *Recorder) Record(e Entry) uint64 {
	e.ID = r.next.Add(1)
	if e.At.IsZero() {
		e.At = r.now()
	}
	if e.Size == 0 {
		e.Size = len(e.Payload)
	}
	e.Payload = shorten(e.Payload)
	e.Packet = shorten(e.Packet)
	k := key{e.Product, e.Device}
	s := r.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(k, e)
	for s.bytes > r.budget && s.recent.Len() > 0 {
		s.dropOldest()
	}
	for _, w := range s.watches[k] {
		w.offer(e)
	}
	return e.ID
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
	for _, e := range slices.Backward(l.entries) {
		if q.Before != 0 && e.ID >= q.Before || len(q.Kinds) > 0 && !slices.Contains(q.Kinds, e.Kind) {
			continue
		}
		if len(found) == q.Limit {
			return found, found[len(found)-1].ID
		}
		found = append(found, e)
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

func (s *shard) add(k key, e Entry) {
	l := s.lines[k]
	if l == nil {
		l = &line{key: k}
		l.at = s.recent.PushFront(l)
		s.lines[k] = l
	} else {
		s.recent.MoveToFront(l.at)
	}
	if len(l.entries) >= MaxEntries {
		s.trim(l, len(l.entries)-MaxEntries+1)
	}
	l.entries = append(l.entries, e)
	l.bytes += e.weight()
	s.bytes += e.weight()
}

// trim forgets the oldest n entries of l.
func (s *shard) trim(l *line, n int) {
	for _, e := range l.entries[:n] {
		l.bytes -= e.weight()
		s.bytes -= e.weight()
	}
	l.entries = slices.Delete(l.entries, 0, n)
}

// dropOldest halves the timeline of the device that was silent longest, and
// forgets it where little is left.
func (s *shard) dropOldest() {
	l := s.recent.Back().Value.(*line)
	if len(l.entries) <= 4 {
		s.remove(l)
		return
	}
	s.trim(l, len(l.entries)/2)
}

func (s *shard) remove(l *line) {
	s.bytes -= l.bytes
	s.recent.Remove(l.at)
	delete(s.lines, l.key)
}

// weight is about what an entry costs in memory; Detail is a guess.
func (e *Entry) weight() int {
	w := 320 + len(e.Payload) + len(e.Packet) + len(e.Sentence) + len(e.SentenceZH) + len(e.Topic)
	if e.Detail != nil {
		w += 512
	}
	return w
}

func shorten(b []byte) []byte {
	return slices.Clone(b[:min(len(b), MaxPayload)])
}
