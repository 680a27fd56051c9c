package modem_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/modem"
)

// A socket is a module's socket as a test wants it.
type socket struct {
	mu     sync.Mutex
	sent   [][]byte
	fail   error         // of Send
	stuck  chan struct{} // Send waits for it, if not nil
	hung   int
	wanted int
}

func (s *socket) Send(ctx context.Context, p []byte) error {
	if s.stuck != nil {
		select {
		case <-s.stuck:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, bytes.Clone(p))
	return s.fail
}

func (s *socket) Hangup(context.Context) error { s.hung++; return nil }
func (s *socket) Wanted()                      { s.wanted++ }

func TestConnCutsWrites(t *testing.T) {
	s := &socket{}
	c := modem.NewConn(s, modem.Addr("h:1"), 4)
	if n, err := c.Write([]byte("abcdefghij")); n != 10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if got := bytes.Join(s.sent, []byte("|")); string(got) != "abcd|efgh|ij" {
		t.Errorf("sent %s", got)
	}
	if c.RemoteAddr().String() != "h:1" || c.RemoteAddr().Network() != "module" || c.LocalAddr() == nil {
		t.Error("addresses")
	}
}

func TestConnReadsWhatWasReceivedBeforeTheEnd(t *testing.T) {
	s := &socket{}
	c := modem.NewConn(s, modem.Addr("h:1"), 4)
	c.Receive([]byte("ab"))
	c.Receive([]byte("cd"))
	c.Lose(io.EOF)
	c.Receive([]byte("late"))
	if b, err := io.ReadAll(c); string(b) != "abcd" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, modem.ErrLost) {
		t.Errorf("write: %v", err)
	}
	if s.wanted == 0 {
		t.Error("nobody was told of the room")
	}
	if !c.Lost() {
		t.Error("not lost")
	}
}

func TestConnOverflow(t *testing.T) {
	c := modem.NewConn(&socket{}, modem.Addr("h:1"), 4)
	c.Receive(make([]byte, 64<<10))
	if c.Room() != 0 {
		t.Errorf("room %d", c.Room())
	}
	c.Receive([]byte("x"))
	b, err := io.ReadAll(c)
	if len(b) != 64<<10 || !errors.Is(err, modem.ErrOverflow) {
		t.Errorf("%d bytes, %v: a gap would not be noticed", len(b), err)
	}
}

func TestConnFailedSendBreaks(t *testing.T) {
	s := &socket{fail: modem.ErrSilent}
	c := modem.NewConn(s, modem.Addr("h:1"), 4)
	if n, err := c.Write([]byte("abcdef")); n != 0 || !errors.Is(err, modem.ErrSilent) {
		t.Errorf("%d, %v", n, err)
	}
	s.fail = nil
	if _, err := c.Write([]byte("x")); !errors.Is(err, modem.ErrLost) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestConnNotSentDoesNotBreak(t *testing.T) {
	s := &socket{fail: modem.ErrNotSent}
	c := modem.NewConn(s, modem.Addr("h:1"), 4)
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("no error")
	}
	s.fail = nil
	if _, err := c.Write([]byte("x")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestConnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socket{stuck: make(chan struct{})}
		c := modem.NewConn(s, modem.Addr("h:1"), 4)
		errs := make(chan error, 2)
		go func() { _, err := c.Read(make([]byte, 1)); errs <- err }()
		go func() { _, err := c.Write([]byte("x")); errs <- err }()
		synctest.Wait()
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v", err)
			}
		}
		if s.hung != 1 {
			t.Errorf("hung up %d times", s.hung)
		}
		c.Receive([]byte("late"))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
	})
}

func TestConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socket{stuck: make(chan struct{})}
		c := modem.NewConn(s, modem.Addr("h:1"), 4)
		begun := time.Now()
		go func() {
			<-time.After(time.Second)
			c.SetReadDeadline(begun.Add(2 * time.Second)) // while somebody reads
		}()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != 2*time.Second {
			t.Errorf("read: %v after %v", err, time.Since(begun))
		}
		c.SetReadDeadline(begun.Add(time.Hour))
		c.Receive([]byte("a"))
		if n, err := c.Read(make([]byte, 9)); n != 1 || err != nil {
			t.Errorf("read on: %d, %v", n, err)
		}
		c.SetDeadline(time.Now().Add(-time.Second))
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write past the deadline: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read past the deadline: %v", err)
		}
	})
}
