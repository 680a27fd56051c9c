package bench

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/modem/virtual"
)

const (
	keptEvents   = 200     // that a terminal sees which comes later
	queuedEvents = 256     // for one terminal; what it does not take in time is left out
	shownBytes   = 4 << 10 // of one event; Size says how many there were
)

// A Start says what a module shall be.
type Start struct {
	Model    string
	Firmware string // empty: its first
	Quirks   []string
	Fast     bool   // as fast as the machine can, in place of 115200 baud and the module's own pace
	By       string // who starts it
}

// A Module is a virtual module at work.
type Module struct {
	ID       string
	Model    string
	Firmware string
	By       string
	Started  time.Time

	b    *Bench
	m    *virtual.Module
	ear  *listener
	end  context.CancelFunc
	done chan struct{}

	mu       sync.Mutex
	last     time.Time // when it was used
	quirks   map[string]bool
	terminal *terminal // nil: none
	events   []Event   // the newest, at most keptEvents
}

// An Event is something that happened in a module.
type Event struct {
	Seq    uint64    `json:"seq"` // counts up; 0 of what the bench notes itself
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`            // boot, line, opened, sent, received, closed, fault, note
	Cause  uint64    `json:"cause,omitempty"` // Seq of the command line that caused it
	Link   *int      `json:"link,omitempty"`
	Peer   string    `json:"peer,omitempty"`
	Text   string    `json:"text,omitempty"`
	TextZH string    `json:"textZh,omitempty"` // of a note
	Hex    string    `json:"hex,omitempty"`
	Size   int       `json:"size,omitempty"` // of the bytes, of which Hex has the first
}

// StartModule puts a module under power.
func (b *Bench) StartModule(s Start) (*Module, error) {
	m := &Module{
		ID: newID(), Model: s.Model, By: s.By, Started: time.Now(), last: time.Now(),
		b: b, done: make(chan struct{}), quirks: map[string]bool{},
	}
	m.ear = newListener(s.Model, b.o.Whose, &b.spoken)
	for _, q := range s.Quirks {
		m.quirks[q] = true
	}
	o := virtual.Options{
		Model: s.Model, Firmware: s.Firmware, Quirks: s.Quirks, Baud: 115200,
		Network: b.o.Reach.network(m.note), Map: b.o.Reach.mappings(), Observer: m.observe,
	}
	if s.Fast {
		o.Baud, o.Speed = 0, 10
	}
	var err error
	if m.m, err = virtual.New(o); err != nil {
		return nil, fault.Invalid("%v", err)
	}
	m.Firmware = cmp.Or(s.Firmware, m.m.Model().Firmwares[0].Name)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.ctx.Err() != nil:
		return nil, fault.Unavailable("the server is stopping")
	case len(b.modules) >= b.o.Modules:
		return nil, fault.Exhausted("%d modules are at work, and no more are allowed: end one of them", len(b.modules))
	}
	ctx, cancel := context.WithCancel(b.ctx)
	m.end = cancel
	b.modules[m.ID] = m
	b.working.Go(func() { b.run(ctx, m) })
	return m, nil
}

func (b *Bench) run(ctx context.Context, m *Module) {
	defer close(m.done)
	defer m.end()
	if err := m.m.Run(ctx); err != nil {
		b.log.Error("virtual module", "module", m.ID, "error", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.modules, m.ID)
}

// Modules are those at work, the oldest first.
func (b *Bench) Modules() []*Module {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.modules), func(x, y *Module) int { return x.Started.Compare(y.Started) })
}

// Module finds one that is at work.
func (b *Bench) Module(id string) (*Module, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.modules[id]; m != nil {
		return m, nil
	}
	return nil, fault.NotFound("no module %s is at work: it was ended, or was idle for %v", id, b.o.Idle)
}

// Stop takes the module's power away and waits until all of it has ended.
func (m *Module) Stop() {
	m.end()
	<-m.done
}

// Done is closed when the module has ended.
func (m *Module) Done() <-chan struct{} { return m.done }

// Reset presses the module's reset pin.
func (m *Module) Reset() {
	m.touch()
	m.m.Reset()
}

// Quirks are those that the module has, by name.
func (m *Module) Quirks() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.quirks))
}

// SetQuirk gives the module a quirk, or takes it away.
func (m *Module) SetQuirk(name string, on bool) error {
	m.touch()
	if err := m.m.SetQuirk(name, on); err != nil {
		return fault.NotFound("%v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if on {
		m.quirks[name] = true
	} else {
		delete(m.quirks, name)
	}
	return nil
}

// Faults are those in force.
func (m *Module) Faults() []virtual.Fault { return m.m.Faults() }

// SetFault begins a fault.
func (m *Module) SetFault(f virtual.Fault) error {
	m.touch()
	if err := m.m.SetFault(f); err != nil {
		return fault.Invalid("%v", err)
	}
	return nil
}

// ClearFault ends a fault.
func (m *Module) ClearFault(name string) error {
	m.touch()
	if err := m.m.ClearFault(name); err != nil {
		return fault.NotFound("%v", err)
	}
	return nil
}

// Attached reports whether a terminal is there.
func (m *Module) Attached() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.terminal != nil
}

func (m *Module) touch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = time.Now()
}

func (m *Module) used() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// A terminal is what is attached to a module.
type terminal struct {
	io.ReadWriteCloser
	m      *Module
	events chan Event
}

func (t *terminal) Read(b []byte) (int, error) {
	n, err := t.ReadWriteCloser.Read(b)
	if n > 0 {
		t.m.touch()
	}
	return n, err
}

// Attach connects a terminal to the module's serial line until ctx is done,
// the line ends or the module does; the line is closed then. tell is told what
// happens in the module, what was before first, beside the line. One terminal
// can be attached at a time.
func (m *Module) Attach(ctx context.Context, line io.ReadWriteCloser, tell func(Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.b.ctx, cancel)()
	go func() {
		select {
		case <-m.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	t := &terminal{line, m, make(chan Event, keptEvents+queuedEvents)}
	m.mu.Lock()
	if m.terminal != nil {
		m.mu.Unlock()
		line.Close()
		return fault.Conflict("another terminal is attached to this module")
	}
	m.terminal, m.last = t, time.Now()
	for _, e := range m.events {
		t.events <- e
	}
	m.mu.Unlock()
	var telling sync.WaitGroup
	telling.Go(func() {
		defer cancel() // who does not take events takes no bytes
		for {
			select {
			case e := <-t.events:
				if tell(e) != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	err := m.m.Attach(ctx, t)
	cancel()
	telling.Wait()
	m.mu.Lock()
	m.terminal = nil
	m.mu.Unlock()
	if errors.Is(err, virtual.ErrAttached) {
		return fault.Conflict("another terminal is attached to this module")
	}
	return err
}

// note tells people something that the module itself does not know.
func (m *Module) note(text string) {
	m.add(Event{Time: time.Now(), Kind: "note", Text: text})
}

// observe passes on what the terminal itself does not show.
func (m *Module) observe(e virtual.Event) {
	m.ear.hear(m.b.ctx, e)
	if e.Kind != virtual.Said {
		m.add(viewEvent(e))
	}
}

func (m *Module) add(e Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.events) == keptEvents {
		m.events = append(m.events[:0], m.events[1:]...)
	}
	m.events = append(m.events, e)
	if m.terminal != nil {
		select {
		case m.terminal.events <- e:
		default: // it is too slow
		}
	}
}

func viewEvent(e virtual.Event) Event {
	v := Event{Seq: e.Seq, Time: e.Time.UTC(), Kind: e.Kind.String(), Cause: e.Cause, Peer: e.Peer, Text: e.Text, TextZH: e.TextZH, Size: len(e.Data)}
	switch e.Kind {
	case virtual.Opened, virtual.Sent, virtual.Received, virtual.Closed:
		if e.Link >= 0 {
			v.Link = &e.Link
		}
	}
	data := e.Data[:min(len(e.Data), shownBytes)]
	if e.Kind == virtual.Line && utf8.Valid(data) {
		v.Text = string(data)
	} else {
		v.Hex = hex.EncodeToString(data)
	}
	return v
}
