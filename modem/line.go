package modem

import (
	"context"
	"errors"
	"net"
	"sync"
)

// What a Line may still be about when somebody's patience to dial ends.
var (
	ErrSettingUp = errors.New("the module is still being set up")
	ErrJoining   = errors.New("the module is still looking for its network")
)

// A Line is a way through a module that comes and goes. The module is attached
// when it is first needed, and again when its port was gone.
//
// Setting up a module and joining its network may take minutes, while those
// who dial have less patience and come back. So it goes on when they leave.
type Line struct {
	attach func(ctx context.Context) (Module, error)
	life   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	attached Module   // nil: none
	under    *joining // way; nil: nothing is
	failed   error    // why what was under way before came to nothing; nil: it did not
}

// A joining is what brings a module to where it can dial.
type joining struct {
	done   chan struct{}
	module Module // once it is attached
	err    error
}

// NewLine makes a Line that attaches with the given function.
func NewLine(attach func(ctx context.Context) (Module, error)) *Line {
	l := &Line{attach: attach}
	l.life, l.end = context.WithCancel(context.Background())
	return l
}

// Dial opens a connection through the module: see Module.
func (l *Line) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	m, err := l.Module(ctx)
	if err != nil {
		return nil, err
	}
	return m.Dial(ctx, network, address)
}

// Module is the module, which it attaches and lets join its network if need be;
// the Line closes it. If ctx ends before that is done, the error is
// ErrSettingUp or ErrJoining, with why it did not work before; what is under
// way goes on for the next one who asks.
func (l *Line) Module(ctx context.Context) (Module, error) {
	j, err := l.join()
	if err != nil {
		return nil, err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return nil, l.unready(ctx, j)
	}
	if j.err != nil {
		return nil, j.err
	}
	return j.module, nil
}

// join is what is under way, which it begins if nothing is.
func (l *Line) join() (*joining, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if l.under == nil {
		j := &joining{done: make(chan struct{})}
		l.under = j
		l.work.Go(func() {
			err := l.bring(j)
			l.mu.Lock()
			defer l.mu.Unlock()
			j.err, l.failed, l.under = err, err, nil
			close(j.done)
		})
	}
	return l.under, nil
}

// bring attaches the module if there is none, and joins.
func (l *Line) bring(j *joining) error {
	m, err := l.present()
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.attached, j.module = m, m
	l.mu.Unlock()
	return m.Join(l.life)
}

// present is the module that is attached, or attaches it.
func (l *Line) present() (Module, error) {
	l.mu.Lock()
	m := l.attached
	l.attached = nil
	l.mu.Unlock()
	if m != nil {
		select {
		case <-m.Done():
			m.Close()
		default:
			return m, nil
		}
	}
	return l.attach(l.life)
}

// unready says what is under way.
func (l *Line) unready(ctx context.Context, j *joining) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	what := ErrSettingUp
	if j.module != nil {
		what = ErrJoining
	}
	return &unready{what, l.failed, context.Cause(ctx)}
}

// Close ends what is under way, and closes the module.
func (l *Line) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.end()
	l.work.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.attached
	l.attached = nil
	if m == nil {
		return nil
	}
	return m.Close()
}

// An unready error says what is under way, and why it failed before, if it
// did; that somebody's patience ended goes without saying.
type unready struct{ what, before, cause error }

func (e *unready) Error() string {
	if e.before == nil {
		return e.what.Error()
	}
	return e.what.Error() + "; before, " + e.before.Error()
}

func (e *unready) Unwrap() []error { return []error{e.what, e.cause} }
