package modem_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/modem"
)

// A slow module takes its time to join. What is not set panics.
type slow struct {
	modem.Module
	joins  time.Duration
	fails  int // so many times
	joined int
	gone   chan struct{}
	closed bool
}

func (s *slow) Join(ctx context.Context) error {
	s.joined++
	select {
	case <-time.After(s.joins):
		if s.joined <= s.fails {
			return modem.ErrNoNetwork
		}
		return nil
	case <-s.gone:
		return modem.ErrGone
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *slow) Dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	theirs.Close()
	return ours, nil
}

func (s *slow) Done() <-chan struct{} { return s.gone }
func (s *slow) Close() error          { s.closed = true; return nil }

// onLine runs a test on a Line to one module after another, each of which
// takes so long to attach.
func onLine(t *testing.T, attaching time.Duration, modules []*slow, test func(t *testing.T, l *modem.Line)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		for _, m := range modules {
			m.gone = make(chan struct{})
		}
		rest := modules
		l := modem.NewLine(func(ctx context.Context) (modem.Module, error) {
			select {
			case <-time.After(attaching):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			if len(rest) == 0 {
				return nil, modem.ErrSilent
			}
			m := rest[0]
			rest = rest[1:]
			return m, nil
		})
		defer l.Close()
		test(t, l)
	})
}

// dial dials with a patience of ten seconds.
func dial(t *testing.T, l *modem.Line, want ...error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := l.Dial(ctx, "tcp", "h:1")
	for _, want := range want {
		if !errors.Is(err, want) {
			t.Errorf("%v: wanted %v", err, want)
		}
	}
	if len(want) > 0 {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestLineGoesOn: setting up and joining outlast those who wanted them.
func TestLineGoesOn(t *testing.T) {
	m := &slow{joins: 3 * time.Minute}
	onLine(t, 15*time.Second, []*slow{m}, func(t *testing.T, l *modem.Line) {
		begun := time.Now()
		dial(t, l, modem.ErrSettingUp, context.DeadlineExceeded)
		for range 18 {
			dial(t, l, modem.ErrJoining, context.DeadlineExceeded)
		}
		dial(t, l)
		if took := time.Since(begun); took != 15*time.Second+3*time.Minute || m.joined != 1 {
			t.Errorf("after %v and %d joins", took, m.joined)
		}
	})
	if !m.closed {
		t.Error("not closed")
	}
}

// TestLineComesBack: a module whose port is gone is closed, and attached again.
func TestLineComesBack(t *testing.T) {
	first, second := &slow{}, &slow{}
	onLine(t, time.Second, []*slow{first, second}, func(t *testing.T, l *modem.Line) {
		dial(t, l)
		dial(t, l)
		close(first.gone)
		if first.closed {
			t.Error("closed while nobody dials")
		}
		dial(t, l)
		if !first.closed || second.closed || first.joined != 2 || second.joined != 1 {
			t.Errorf("%+v, %+v", first, second)
		}
		close(second.gone)
		dial(t, l, modem.ErrSilent) // there is no third
		dial(t, l, modem.ErrSilent)
	})
}

// TestLineTellsWhyNot: also those who dial after nobody waited any more.
func TestLineTellsWhyNot(t *testing.T) {
	m := &slow{joins: 15 * time.Second, fails: 3}
	onLine(t, 0, []*slow{m}, func(t *testing.T, l *modem.Line) {
		dial(t, l, modem.ErrJoining)
		dial(t, l, modem.ErrNoNetwork)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := l.Dial(ctx, "tcp", "h:1")
			cancel()
			want := "the module is still looking for its network; before, " + modem.ErrNoNetwork.Error()
			if !errors.Is(err, modem.ErrJoining) || err.Error() != want {
				t.Errorf("%v", err)
			}
			<-time.After(10 * time.Second) // of the bubble
		}
		dial(t, l, modem.ErrJoining)
		dial(t, l)
		if m.closed || m.joined != 4 {
			t.Errorf("%+v", m)
		}
	})
}

// TestLineClosed: closing ends what is under way.
func TestLineClosed(t *testing.T) {
	for _, attaching := range []time.Duration{0, time.Hour} {
		m := &slow{joins: time.Hour}
		onLine(t, attaching, []*slow{m}, func(t *testing.T, l *modem.Line) {
			dialled := make(chan error)
			go func() {
				_, err := l.Dial(t.Context(), "tcp", "h:1")
				dialled <- err
			}()
			synctest.Wait()
			begun := time.Now()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if err := <-dialled; !errors.Is(err, context.Canceled) || time.Since(begun) != 0 {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
			dial(t, l, modem.ErrClosed)
		})
		if m.closed != (attaching == 0) {
			t.Errorf("attached after %v: %+v", attaching, m)
		}
	}
}
