// Package feed is what consumers subscribe to: records in order, durable,
// replayable. Everything that arrives while one commit runs becomes the next
// batch, so that a sync is paid once for many records.
package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/record"
)

// Record is one durable fact; see package record.
type Record = record.Record

// A Log keeps batches. Implementations are in internal/store.
type Log interface {
	// Append makes a batch durable and returns its sequence, which grows by
	// one with each batch. An error means that it was not kept.
	Append(ctx context.Context, batch []byte) (seq uint64, err error)
	// Read returns the first batch behind after, or io.EOF where there is
	// none. Sequences that retention took are passed over.
	Read(ctx context.Context, after uint64) (seq uint64, batch []byte, err error)
}

// The bounds of the feed.
const (
	// maxBatchRecords is how many records one commit holds; the low byte of a
	// record's Seq is its place in the batch.
	maxBatchRecords = 256
	// maxBatchBytes closes a batch early.
	maxBatchBytes = 1 << 20
	// maxPending is how many bytes may wait for a commit; Append blocks beyond.
	maxPending = 16 << 20
	// recentBytes of committed batches stay in memory, so that a consumer who
	// keeps up reads nothing back from the log.
	recentBytes = 8 << 20
	// mostUsual is how much room a batch has at the most before its records.
	mostUsual = 64 << 10
	// gather is how long a record that nobody waits for may wait for others to
	// share its commit.
	gather = 20 * time.Millisecond
	// readBatches is how many batches a consumer gets at once, at the most.
	readBatches = 64
)

// Options are what a Feed needs.
type Options struct {
	Log    Log
	Logger *slog.Logger
}

// A Feed takes records and hands them on. Any number of goroutines may use it
// at once; Run must be running for anything to be kept.
type Feed struct {
	log    Log
	logger *slog.Logger

	mu      sync.Mutex
	room    sync.Cond // on mu: bytes were taken by the committer, or the feed closed
	open    *batch    // gathers what arrives; nil for none
	queue   []*batch  // full batches that wait
	pending int       // bytes of open and queue
	closed  bool
	work    chan struct{} // holds one: there is something to commit
	waking  bool          // work gets it within gather
	usual   int           // bytes for which a batch has room from the start: a little more than the last one had

	recent     []committed // newest last
	recentSize int
	newest     uint64        // sequence of the newest committed batch
	grown      chan struct{} // closed and replaced at each commit

	subscribers map[*subscriber]bool

	counters Counters
}

// Counters are the feed's figures since its start. Each may be read at any time.
type Counters struct {
	Batches  atomic.Int64 // commits that became durable
	Records  atomic.Int64 // in them
	Failures atomic.Int64 // commits that did not
	Missed   atomic.Int64 // records that live subscribers were too slow for
	Busy     atomic.Int64 // nanoseconds spent committing
}

// Counters are the feed's figures.
func (f *Feed) Counters() *Counters { return &f.counters }

// Pending is how many bytes wait to be committed.
func (f *Feed) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pending
}

// A batch is what one commit keeps.
type batch struct {
	bytes   []byte
	records int
	kinds   kinds
	done    chan struct{} // closed when the commit has ended
	seq     uint64
	err     error

	mu      sync.Mutex
	waiting []Waker // woken when done is closed; nobody is added afterwards
}

// A Waker is told that what it waits for is there.
type Waker interface{ Wake() }

type committed struct {
	seq   uint64
	bytes []byte
}

// New makes a Feed on a log.
func New(o Options) *Feed {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Feed{
		log: o.Log, logger: o.Logger, work: make(chan struct{}, 1), grown: make(chan struct{}),
		subscribers: make(map[*subscriber]bool),
	}
	f.room.L = &f.mu
	return f
}

// A Ticket stands for a record on its way into the log. It is small and may be
// copied.
type Ticket struct {
	b     *batch
	index int
	err   error
}

// ErrClosed says that the feed takes nothing any more.
var ErrClosed = errors.New("feed: closed")

// Refused is the ticket of something that could not be made a record.
func Refused(err error) Ticket { return Ticket{err: err} }

// Append hands a record over; its Body is copied. It blocks only while too
// much waits for the disk. Seq is ignored. The ticket of a record that is
// unfit (record.ErrUnfit) says so.
func (f *Feed) Append(r Record) Ticket {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.add(&r)
	if t.err == nil {
		f.wake()
	}
	return t
}

// Tell hands a record over that nobody waits for: it is kept a moment later,
// together with others. One that could not be kept is logged.
func (f *Feed) Tell(r Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.add(&r)
	switch {
	case t.err != nil && t.err != ErrClosed:
		f.logger.Error("a record cannot be kept", "product", r.Product, "device", r.Device, "error", t.err)
	case t.err != nil:
	case f.open == nil: // full
		f.wake()
	case !f.waking:
		f.waking = true
		time.AfterFunc(gather, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.waking = false
			f.wake()
		})
	}
}

// add puts a record into the open batch; f.mu is held.
func (f *Feed) add(r *Record) Ticket {
	for f.pending > maxPending && !f.closed {
		f.room.Wait()
	}
	if f.closed {
		return Ticket{err: ErrClosed}
	}
	b := f.open
	if b == nil {
		b = &batch{bytes: make([]byte, 0, f.usual), done: make(chan struct{})}
		f.open = b
	}
	before := len(b.bytes)
	bytes, err := r.Append(b.bytes)
	if err != nil {
		return Ticket{err: err}
	}
	b.bytes = bytes
	f.pending += len(b.bytes) - before
	t := Ticket{b: b, index: b.records}
	b.records++
	b.kinds = b.kinds.with(r.Kind)
	if b.records == maxBatchRecords || len(b.bytes) >= maxBatchBytes {
		f.queue, f.open = append(f.queue, b), nil
	}
	return t
}

// wake has the committer look.
func (f *Feed) wake() {
	select {
	case f.work <- struct{}{}:
	default:
	}
}

// Wait returns when the record is durable, or why it is not.
func (t Ticket) Wait() error {
	if t.b == nil {
		return t.err
	}
	<-t.b.done
	return t.b.err
}

// Notify has w woken once Wait returns at once, and reports whether that is
// later. Where it is now, nobody is woken. The committer does nothing else
// meanwhile: Wake must not wait for anything.
func (t Ticket) Notify(w Waker) (later bool) {
	if t.b == nil {
		return false
	}
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	select {
	case <-t.b.done:
		return false
	default:
		t.b.waiting = append(t.b.waiting, w)
		return true
	}
}

// end tells all who wait for b.
func (b *batch) end() {
	b.mu.Lock()
	close(b.done)
	b.mu.Unlock()
	for _, w := range b.waiting {
		w.Wake()
	}
}

// Seq is the record's place in the feed once Wait has returned nil.
func (t Ticket) Seq() uint64 { return place(t.b.seq, t.index) }

// LastOf is the highest Seq that a record of a batch can have.
func LastOf(batch uint64) uint64 { return place(batch, maxBatchRecords-1) }

func place(batch uint64, index int) uint64 { return batch<<8 | uint64(index) }

// Run commits until ctx is done and nothing waits any more; later records are
// refused.
func (f *Feed) Run(ctx context.Context) error {
	for {
		select {
		case <-f.work:
		case <-ctx.Done():
			f.close()
			for b := f.take(); b != nil; b = f.take() {
				f.commit(context.WithoutCancel(ctx), b)
			}
			return nil
		}
		for b := f.take(); b != nil; b = f.take() {
			f.commit(context.WithoutCancel(ctx), b)
		}
	}
}

func (f *Feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.room.Broadcast()
}

// take returns the next batch to commit, nil for none.
func (f *Feed) take() *batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) > 0 {
		b := f.queue[0]
		f.queue = f.queue[1:]
		return b
	}
	b := f.open
	f.open = nil
	return b
}

// commitTimeout is how long the log may take before its callers are told.
const commitTimeout = 30 * time.Second

// commit makes one batch durable and tells all who wait for it. A batch that
// fails is refused whole; the next one is tried anew.
func (f *Feed) commit(ctx context.Context, b *batch) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	start := time.Now()
	seq, err := f.log.Append(ctx, b.bytes)
	f.counters.Busy.Add(int64(time.Since(start)))
	f.mu.Lock()
	f.usual = min(len(b.bytes)+len(b.bytes)/8, mostUsual)
	f.pending -= len(b.bytes)
	f.room.Broadcast()
	if err == nil {
		b.seq = seq
		f.remember(seq, b.bytes)
	} else {
		b.err = fault.Unavailable("the data could not be stored: %w", err)
	}
	f.mu.Unlock()
	if err != nil {
		f.counters.Failures.Add(1)
		f.logger.Error("records not kept", "records", b.records, "error", err)
	} else {
		f.counters.Batches.Add(1)
		f.counters.Records.Add(int64(b.records))
	}
	b.end()
	if err == nil {
		f.publish(b)
	}
}

// remember keeps a batch for consumers who keep up. f.mu is held.
func (f *Feed) remember(seq uint64, bytes []byte) {
	f.newest = seq
	f.recent = append(f.recent, committed{seq, bytes})
	f.recentSize += len(bytes)
	for f.recentSize > recentBytes && len(f.recent) > 1 {
		f.recentSize -= len(f.recent[0].bytes)
		f.recent[0] = committed{}
		f.recent = f.recent[1:]
	}
	close(f.grown)
	f.grown = make(chan struct{})
}

// readAgain is how long a log that cannot be read is left alone.
const readAgain = time.Second

// ConsumeFrom calls fn with all records behind the one with sequence after, in
// order and in groups, and goes on with new ones until ctx is done or fn fails.
// The records alias memory that is not written again. A consumer keeps its own
// position: the Seq of the last record it has dealt with.
func (f *Feed) ConsumeFrom(ctx context.Context, after uint64, fn func([]Record) error) error {
	for {
		group, grown, err := f.next(ctx, after)
		if err != nil {
			f.logger.Error("the feed cannot be read; it is tried again", "in", readAgain, "error", err)
			select {
			case <-time.After(readAgain):
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if len(group) > 0 {
			if err := fn(group); err != nil {
				return err
			}
			after = group[len(group)-1].Seq
			continue
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil
		}
	}
}

// next returns the records behind after, from memory where they are there, and
// a channel that closes when there are more.
func (f *Feed) next(ctx context.Context, after uint64) ([]Record, <-chan struct{}, error) {
	f.mu.Lock()
	grown := f.grown
	recent := f.recent
	f.mu.Unlock()
	var group []Record
	if len(recent) > 0 && recent[0].seq <= after>>8+1 {
		for _, c := range recent {
			if c.seq < after>>8 {
				continue
			}
			group = f.decode(group, c.seq, c.bytes, after)
			if len(group) >= readBatches*maxBatchRecords {
				break
			}
		}
		return group, grown, nil
	}
	at := after >> 8
	if at > 0 {
		at-- // the batch that after lies in may hold more
	}
	for range readBatches {
		seq, bytes, err := f.log.Read(ctx, at)
		switch {
		case errors.Is(err, io.EOF):
			return group, grown, nil
		case err != nil && ctx.Err() != nil:
			return nil, grown, nil
		case err != nil:
			return nil, nil, fmt.Errorf("read the feed behind %d: %w", at, err)
		}
		group = f.decode(group, seq, bytes, after)
		at = seq
	}
	return group, grown, nil
}

// errLongBatch says that a batch holds more records than were ever put in one:
// there is no place for them in a Seq.
var errLongBatch = errors.New("the batch has too many records")

// decode appends the records of a batch that lie behind after. What is corrupt
// ends its batch and is said.
func (f *Feed) decode(group []Record, seq uint64, bytes []byte, after uint64) []Record {
	for i := 0; len(bytes) > 0; i++ {
		r, rest, err := record.Decode(bytes)
		if i == maxBatchRecords {
			err = errLongBatch
		}
		if err != nil {
			f.logger.Error("a batch of the feed is corrupt from here on", "batch", seq, "record", i, "error", err)
			return group
		}
		r.Seq = place(seq, i)
		if r.Seq > after {
			group = append(group, r)
		}
		bytes = rest
	}
	return group
}
