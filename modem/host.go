package modem

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/matou-iot/matou/at"
)

// maxAnswer bounds the lines that one command may be answered with: a scan
// for access points brings dozens. What is beyond is dropped and logged.
const maxAnswer = 512

// HostOptions say how a family of modules talks.
type HostOptions struct {
	Dialect at.Dialect
	Headers []at.Header
	LineEnd string // of commands: "\r\n" or "\r"
	// Probe is what the host asks for attention with; zero: AT.
	Probe at.Command
	// Escape ends a data prompt that nobody asked for. It is sent alone, in
	// one write, before the host asks for attention.
	Escape string
	// Gap is the pause that the module needs between a result and the next
	// command.
	Gap time.Duration
	// Unsolicited reports whether a line is said of the module's own accord.
	// Other lines belong to the answer while a command runs.
	Unsolicited func(line string) bool
	// Restarted reports whether a line tells of a restart.
	Restarted func(line string) bool
	// OnEvent is told what no command asked for, and of each restart. It is
	// called by the goroutine that reads the port, so it must neither wait
	// nor ask.
	OnEvent func(e at.Event, restarted bool)
	// OnGone is told, once, that the port is gone or closed, by the same
	// goroutine.
	OnGone func(err error)
	Log    *slog.Logger // nil: discard
}

// A Host is the host's side of a serial line: it asks commands, one at a time,
// and reads whatever the module says. It is for those who write drivers.
type Host struct {
	port io.ReadWriteCloser
	o    HostOptions
	line chan struct{} // holds a token while somebody asks
	done chan struct{} // closed when the reader has ended
	tidy sync.WaitGroup

	mu       sync.Mutex
	scanner  *at.Scanner
	asking   *exchange
	waiters  []*Waiter
	restarts int
	closed   bool
	gone     error     // why the reader ended
	stale    time.Time // an answer may be outstanding until then; zero: none
	prompted bool      // a prompt came that nobody wanted
	echoes   bool      // the module echoed the last command
	told     bool      // not to echo
	muted    bool      // and it has answered a command without echo since
	payload  bool      // what was sent last is data, not a command
}

// NewHost begins to read from port. Close closes it.
func NewHost(port io.ReadWriteCloser, o HostOptions) *Host {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{
		port: port, o: o,
		line: make(chan struct{}, 1), done: make(chan struct{}),
		scanner: at.NewScanner(at.Limits{}, o.Headers...),
	}
	go h.read()
	return h
}

// Done is closed when the port is gone or closed.
func (h *Host) Done() <-chan struct{} { return h.done }

// Err says why Done was closed: ErrClosed, or an error that is ErrGone.
func (h *Host) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gone
}

// Restarts counts the restarts that the module has told of, or given away: see
// Mute.
func (h *Host) Restarts() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.restarts
}

// Tidy does what is left to do after a failure, beside everything else. Close
// waits for it.
func (h *Host) Tidy(what func()) { h.tidy.Go(what) }

// Close closes the port and waits for the reader, and for what Tidy does.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	err := h.port.Close()
	<-h.done
	h.tidy.Wait()
	return err
}

// read is the goroutine that owns the port's Read.
func (h *Host) read() {
	b := make([]byte, 4096)
	for {
		n, err := h.port.Read(b)
		if n > 0 {
			h.heard(b[:n])
		}
		if err != nil {
			h.end(err)
			return
		}
	}
}

// end tells everybody that the port is gone.
func (h *Host) end(err error) {
	err = h.portError(err)
	h.mu.Lock()
	h.gone = err
	h.mu.Unlock()
	if h.o.OnGone != nil {
		h.o.OnGone(err)
	}
	close(h.done)
}

// portError is what an error of the port means.
func (h *Host) portError(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	return fmt.Errorf("%w (%v)", ErrGone, err)
}

// heard takes bytes from the module. Whoever asks or waits gets his events
// first, then OnEvent gets what is left over.
func (h *Host) heard(p []byte) {
	type event struct {
		at.Event
		restarted bool
	}
	var rest []event
	h.mu.Lock()
	h.scanner.Scan(p, func(e at.Event) {
		taken, restarted := h.route(e)
		if !taken {
			rest = append(rest, event{e, restarted})
		}
	})
	h.mu.Unlock()
	for _, e := range rest {
		h.o.Log.Debug("module said", "event", e.Event.String())
		if h.o.OnEvent != nil {
			h.o.OnEvent(e.Event, e.restarted)
		}
	}
}

// route gives an event to whom it belongs; taken is false if to nobody.
func (h *Host) route(e at.Event) (taken, restarted bool) {
	switch e.Kind {
	case at.Echo:
		h.echoes = true
		if h.muted && !h.payload {
			h.restarted()
			h.stale = time.Now() // the answer to what was echoed
			return false, true
		}
		return true, false
	case at.Prompt:
		if h.asking == nil || !h.asking.add(e, false) {
			h.prompted = true
		}
		return true, false
	case at.Line, at.Data:
		return h.routeLine(e)
	}
	return false, false
}

// restarted notes that the module restarted, and ends what is under way.
func (h *Host) restarted() {
	h.restarts++
	h.stale = time.Time{}
	h.prompted, h.told, h.muted = false, false, false
	if h.asking != nil {
		h.asking.fail(ErrRestart)
	}
	for _, w := range h.waiters {
		w.fail(ErrRestart)
	}
	h.waiters = nil
}

func (h *Host) routeLine(e at.Event) (taken, restarted bool) {
	for i, w := range h.waiters {
		if w.match(e.Text) {
			h.waiters = append(h.waiters[:i:i], h.waiters[i+1:]...)
			w.got <- e.Text
			return true, false
		}
	}
	if h.o.Restarted != nil && e.Kind == at.Line && h.o.Restarted(e.Text) {
		h.restarted()
		return false, true
	}
	_, result := h.o.Dialect.Result(e.Text)
	result = (result || at.Busy(e.Text)) && e.Kind == at.Line
	h.muted = h.muted || h.told && result && !h.echoes
	x := h.asking
	if x == nil || x.err != nil { // nobody waits, or not any more
		if result {
			h.o.Log.Debug("late result", "line", e.Text)
			h.stale = time.Time{}
		}
		return result, false
	}
	if !result && !x.claims(e.Text) && (e.Kind == at.Data || h.o.Unsolicited(e.Text)) {
		return false, false
	}
	if !x.add(e, result) {
		h.o.Log.Debug("answer too long", "command", name(x.request.Command), "lines", maxAnswer)
	}
	return true, false
}
