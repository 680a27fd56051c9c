// Package sessions keeps the broker's sessions, their messages and the
// retained messages in a Pebble database that it shares with others: its keys
// have a prefix. It remembers records and knows nothing of what they mean.
//
// # Keys
//
//	prefix 's' LENGTH session 1           the session itself
//	prefix 's' LENGTH session 2 filter    a subscription
//	prefix 's' LENGTH session 3 SEQ       a message
//	prefix 's' LENGTH session 4 SEQ       how far a message is
//	prefix 's' LENGTH session 5 ID        a QoS 2 message that was received
//	prefix 'r' topic                      a retained message
//
// LENGTH is that of the session's name in two bytes, so that the records of
// one session stand together; SEQ has eight bytes and ID two, all big-endian.
package sessions

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/matou-iot/matou/internal/broker"
)

const (
	// lazy is how long something that nobody waits for may stay in memory.
	lazy = 50 * time.Millisecond
	// busyBytes may be queued before Write waits for the disk.
	busyBytes = 8 << 20
	// maxBytes may be queued while the disk fails; then the queue is lost and
	// the store says so for ever.
	maxBytes = 64 << 20
)

// Options are what New needs.
type Options struct {
	Prefix string       // of all keys, "mqtt/" if empty; two stores in one database need different ones, neither the beginning of the other
	Room   func() error // why nothing may be written now; nil: write always
	Log    *slog.Logger // nil: discard
}

// Store implements broker.Store. What many goroutines write while the disk is
// busy becomes durable together, with one sync.
type Store struct {
	db     *pebble.DB
	prefix []byte
	room   func() error
	log    *slog.Logger

	joint sync.RWMutex // read while something is written that belongs together; taken before mu

	mu     sync.Mutex
	next   *round // collects what is written; nil for nothing
	flying *round // is being committed; nil for none
	timer  *time.Timer
	broken error // something was lost: no Sync can promise anything any more
	key    []byte
	value  []byte
}

// A round is what one commit makes durable.
type round struct {
	batch *pebble.Batch
	done  chan struct{} // closed after the commit
	err   error         // set before done is closed
}

var _ broker.Store = (*Store)(nil)

// New makes a store in db, which stays the caller's: close it after Close.
func New(db *pebble.DB, o Options) *Store {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	room := o.Room
	if room == nil {
		room = func() error { return nil }
	}
	return &Store{db: db, prefix: []byte(cmp.Or(o.Prefix, "mqtt/")), room: room, log: log}
}

// Load calls fn with every record. One that cannot be read is logged and left
// out: losing one message must not keep the server from starting.
func (s *Store) Load(fn func(broker.Record) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: s.prefix, UpperBound: after(s.prefix)})
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read sessions: %w", err)
		}
		r, err := decode(it.Key()[len(s.prefix):], value)
		if err != nil {
			s.log.Warn("record of a session is left out", "key", fmt.Sprintf("%q", it.Key()), "error", err)
			continue
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	return nil
}

// Write queues changes for the next commit.
func (s *Store) Write(records ...broker.Record) {
	s.mu.Lock()
	for i := range records {
		s.add(&records[i])
	}
	busy := s.next != nil && s.next.batch.Len() > busyBytes
	s.mu.Unlock()
	if busy && s.joint.TryLock() { // not in the middle of Together
		s.joint.Unlock()
		s.Sync() // whoever needs to know of an error will ask
	}
}

// Together makes what fn writes durable in one step. fn must not call Sync.
func (s *Store) Together(fn func()) {
	s.joint.RLock()
	defer s.joint.RUnlock()
	fn()
}

// add puts one change into the next round; mu is held.
func (s *Store) add(r *broker.Record) {
	if s.broken != nil {
		return
	}
	if s.next == nil {
		s.next = &round{batch: s.db.NewBatch(), done: make(chan struct{})}
		s.later()
	}
	var err error
	b := s.next.batch
	s.key = appendKey(append(s.key[:0], s.prefix...), r)
	switch {
	case r.Kind == broker.ContentRecord:
		err = b.DeleteRange(s.key, after(s.key[:len(s.key)-1]), nil)
	case r.Delete && r.Kind == broker.SessionRecord:
		err = b.DeleteRange(s.key, after(s.key[:len(s.key)-1]), nil)
	case r.Delete && r.Kind == broker.MessageRecord:
		progress := broker.Record{Kind: broker.ProgressRecord, Session: r.Session, Seq: r.Seq}
		err = errors.Join(b.Delete(s.key, nil), b.Delete(appendKey(append([]byte(nil), s.prefix...), &progress), nil))
	case r.Delete:
		err = b.Delete(s.key, nil)
	default:
		if s.value, err = appendValue(s.value[:0], r); err == nil {
			err = b.Set(s.key, s.value, nil)
		}
	}
	if err != nil {
		s.log.Error("record of a session is not written", "key", fmt.Sprintf("%q", s.key), "error", err)
	}
	if cap(s.value) > 1<<20 {
		s.value = nil
	}
}

// later sees to it that what nobody waits for is written too; mu is held.
func (s *Store) later() {
	if s.timer == nil {
		s.timer = time.AfterFunc(lazy, func() {
			if err := s.Sync(); err != nil {
				s.log.Error("sessions are not written", "error", err)
			}
		})
		return
	}
	s.timer.Reset(lazy)
}

// Sync returns when everything written before is durable. Whoever finds no
// commit under way makes the next one, for all who have written by then; a
// commit that fails is tried again by the next Sync.
func (s *Store) Sync() error {
	s.mu.Lock()
	mine := s.next
	if mine == nil {
		mine = s.flying
	}
	for {
		switch {
		case s.broken != nil:
			defer s.mu.Unlock()
			return s.broken
		case mine == nil:
			s.mu.Unlock()
			return nil
		case s.flying != nil:
			flying := s.flying
			s.mu.Unlock()
			<-flying.done
			if flying == mine || flying.err != nil {
				return flying.err
			}
			s.mu.Lock()
		case s.next == mine:
			s.mu.Unlock()
			s.joint.Lock()
			s.mu.Lock()
			if s.next == mine && s.flying == nil && s.broken == nil {
				return s.commit() // unlocks
			}
			s.joint.Unlock()
		default: // somebody has committed it
			s.mu.Unlock()
			<-mine.done
			return mine.err
		}
	}
}

// commit makes the next round durable; joint and mu are held and released.
func (s *Store) commit() error {
	r := s.next
	s.next, s.flying = nil, r
	s.joint.Unlock()
	s.mu.Unlock()
	err := s.room() // a Pebble whose disk is full ends the program
	if err == nil {
		err = r.batch.Commit(pebble.Sync)
	}
	s.mu.Lock()
	s.flying = nil
	if err != nil {
		r.err = fmt.Errorf("write sessions: %w", err)
		s.again(r)
	}
	close(r.done)
	s.mu.Unlock()
	return r.err
}

// again puts the changes of a round that failed before those that came since;
// mu is held.
func (s *Store) again(r *round) {
	batch := s.db.NewBatch()
	err := batch.Apply(r.batch, nil)
	if err == nil && s.next != nil {
		err = batch.Apply(s.next.batch, nil)
	}
	if err != nil || batch.Len() > maxBytes {
		s.broken = fmt.Errorf("sessions were lost after: %w", r.err)
		s.next = nil
		return
	}
	if s.next == nil {
		s.next = &round{done: make(chan struct{})}
		s.later()
	}
	s.next.batch = batch
}

// Close writes what is queued. Nothing may be written afterwards.
func (s *Store) Close() error {
	err := s.Sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	return err
}

// after is the smallest key that is larger than all that begin with prefix,
// nil where there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xFF {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}
