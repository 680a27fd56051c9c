// Package ota puts new firmware on devices: packages, jobs that bring a
// package to devices at a bounded rate, and one task a device that says how
// far it is. Devices are told or ask, fetch over HTTP with ranges or over MQTT
// in blocks, and are done when they report the version.
//
// All changes are made by one goroutine, Run, in the order in which they come:
// requests of devices and of people, devices that come online, and what time
// brings. What came while one change was written is written with the next, in
// one transaction. All that it knows is in the Store: it goes on after a crash
// where it was.
package ota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/content"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/feed"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/trace"
)

// Options are what a Service needs.
type Options struct {
	Store    Store
	Registry *registry.Registry
	Dialects dialect.Set
	Feed     *feed.Feed // says who came online
	Trace    *trace.Recorder
	Pusher   Pusher       // set before Run
	Dir      string       // of the packages' files
	Room     func() error // nil, or why nothing more may be stored
	// URL is what the addresses of files begin with: http://host, with the
	// port where it is not the usual one.
	URL string
	// URLLife is how long an address works; 0 means DefaultURLLife.
	URLLife time.Duration
	// MaxPackageBytes bounds one package; 0 means DefaultPackageBytes.
	MaxPackageBytes int64
	Log             *slog.Logger
	Now             func() time.Time
}

// A Pusher tells a device what awaits no answer.
type Pusher interface {
	Push(ctx context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error)
}

// What is used where Options say nothing.
const (
	DefaultURLLife      = 24 * time.Hour // that of the vendor [aliyun-device §4.11]
	DefaultPackageBytes = 1 << 30
)

// The bounds.
const (
	maxUploads  = 8    // packages that are uploaded at once; more are refused as exhausted
	queueLength = 1024 // changes that wait for Run; whoever brings one more waits
	batchLength = 256  // changes of one transaction
	pageLength  = 500  // devices that are selected, or told, in one transaction
)

// A Service keeps packages and jobs. Any number of goroutines may use it at
// once; Run must be running for anything to change.
type Service struct {
	Options
	content *content.Dir
	urls    *urls
	uploads chan struct{}
	queue   chan *work
	stopped chan struct{} // closed when Run ends
	active  atomic.Pointer[map[string]int]
	agenda  agenda // Run's alone
}

// New makes a Service: it opens the directory of packages and removes what a
// crash left of uploads.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.URLLife <= 0 {
		o.URLLife = DefaultURLLife
	}
	if o.MaxPackageBytes <= 0 {
		o.MaxPackageBytes = DefaultPackageBytes
	}
	s := &Service{
		Options: o, uploads: make(chan struct{}, maxUploads), queue: make(chan *work, queueLength), stopped: make(chan struct{}),
	}
	s.active.Store(&map[string]int{})
	var err error
	s.content, err = content.Open(o.Dir, o.Room, func(digest string) (used bool, err error) {
		err = o.Store.View(ctx, func(tx Tx) error {
			used, err = tx.DigestInUse(digest)
			return err
		})
		return used, err
	})
	if err != nil {
		return nil, err
	}
	if s.urls, err = newURLs(o.URL, o.URLLife, o.Dir); err != nil {
		return nil, err
	}
	return s, nil
}

// A work is one change that waits for Run.
type work struct {
	f    func(*turn) error
	err  error
	done chan struct{}
}

// do lets Run make a change and returns when it is durable. A fault that f
// returns must come before f has written anything: what others wrote in the
// same transaction stays.
func (s *Service) do(ctx context.Context, f func(*turn) error) error {
	w := &work{f: f, done: make(chan struct{})}
	select {
	case s.queue <- w:
	case <-s.stopped:
		return stopping()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-w.done:
		return w.err
	case <-s.stopped:
		return stopping()
	}
}

func stopping() error { return fault.Unavailable("the server is stopping") }

// stamp is now, as exactly as it is kept.
func (s *Service) stamp() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// A turn is one transaction of Run.
type turn struct {
	s       *Service
	tx      Tx
	now     time.Time
	jobs    map[string]*Job // that were read, changed or not
	changed map[string]bool // jobs to be written
	ended   map[string]bool // jobs of which a task ended
	effects []func()        // what is done once the transaction is durable
}

// after has f called, by Run, once the transaction is durable.
func (t *turn) after(f func()) { t.effects = append(t.effects, f) }

// job reads a job, once a turn. Who changes it says so in t.changed.
func (t *turn) job(id string) (*Job, error) {
	if j := t.jobs[id]; j != nil {
		return j, nil
	}
	j, err := t.tx.Job(id)
	if err == nil {
		t.jobs[id] = j
	}
	return j, err
}

// slot is when the next device of the job may be told, not before at. It is
// taken then.
func (t *turn) slot(j *Job, at time.Time) time.Time {
	if at.Before(j.Slot) {
		at = j.Slot
	}
	j.Slot = at.Add(time.Minute / time.Duration(j.PerMinute))
	t.changed[j.ID] = true
	return at
}

// note writes into the timeline of a task's device once the turn is durable.
func (t *turn) note(task *Task, code, en, zh string) {
	e := trace.Entry{
		Product: task.Product, Device: task.Device, Kind: trace.Note, Code: code, Sentence: en, SentenceZH: zh,
		Detail: map[string]any{"job": task.Job, "task": task.ID, "module": task.Module, "state": task.State},
	}
	t.after(func() { t.s.Trace.Record(e) })
}

// settle completes jobs and writes those that changed.
func (t *turn) settle() error {
	for id := range t.ended {
		j, err := t.job(id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if j.Dynamic || !j.Filled || !j.State.Open() {
			continue
		}
		left, err := t.tx.Tasks(TaskQuery{Job: id, Open: true, Limit: 1})
		if err != nil {
			return err
		}
		if len(left) == 0 {
			j.State, j.EndedAt = Completed, t.now
			t.changed[id] = true
			t.after(func() { t.s.closed(j) })
		}
	}
	for id := range t.changed {
		if err := t.tx.SaveJob(t.jobs[id]); err != nil {
			return fmt.Errorf("keep job %s: %w", id, err)
		}
	}
	return nil
}
