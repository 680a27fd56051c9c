package virtual

import (
	"fmt"
	"sync"
	"time"
)

// An EventKind says what an Event is about.
type EventKind byte

// The kinds of events.
const (
	Boot     EventKind = iota // the module starts
	Line                      // the host ended a command line: Data, without its end
	Said                      // the module said something: Data
	Opened                    // a connection was made: Link, Peer, Text (TCP, UDP, TLS, MQTT)
	Sent                      // bytes went out on it: Link, Data
	Received                  // bytes came in on it: Link, Data
	Closed                    // it ended: Link, Text says why
	Faulted                   // a fault began, ended or struck: Text
	Note                      // something a person should know: Text
	Flashed                   // what the module keeps without power has changed: see Flash
)

var eventNames = [...]string{"boot", "line", "said", "opened", "sent", "received", "closed", "fault", "note", "flash"}

func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("EventKind(%d)", byte(k))
}

// An Event is one thing that happened in a module. Data belongs to the
// receiver.
type Event struct {
	Time   time.Time
	Seq    uint64 // counts up by one; a gap is events that were dropped
	Kind   EventKind
	Cause  uint64 // Seq of the command line that caused this; 0: none did
	Link   int    // number of the connection, as the module counts; -1: none
	Peer   string // address of the other side
	Data   []byte
	Text   string
	TextZH string // of a Note, in Chinese; empty: as Text
}

// maxUnwatched bounds the events that the observer has not taken. When it is
// too slow, new events are dropped, which Seq shows: the module does not wait.
const maxUnwatched = 4096

// A watcher hands events to the observer, one after another, outside the
// module's lock.
type watcher struct {
	tell func(Event)

	mu      sync.Mutex
	changed *sync.Cond
	seq     uint64
	queue   []Event
	done    bool
}

func newWatcher(tell func(Event)) *watcher {
	w := &watcher{tell: tell}
	w.changed = sync.NewCond(&w.mu)
	return w
}

func (w *watcher) run() {
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.done {
			w.changed.Wait()
		}
		batch := w.queue
		w.queue = nil
		w.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, e := range batch {
			w.tell(e)
		}
	}
}

func (w *watcher) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	w.changed.Broadcast()
}

// observe tells the observer, if there is one, and returns the event's number.
func (m *Module) observe(e Event) uint64 {
	w := m.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq++
	if w.tell == nil || w.done || len(w.queue) >= maxUnwatched {
		return w.seq
	}
	e.Seq, e.Time = w.seq, time.Now()
	w.queue = append(w.queue, e)
	w.changed.Signal()
	return w.seq
}

// note tells a person something.
func (m *Module) note(format string, args ...any) {
	m.observe(Event{Kind: Note, Link: -1, Text: fmt.Sprintf(format, args...)})
}
