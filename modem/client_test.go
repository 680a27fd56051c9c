package modem_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/modem"
)

// onClient runs a test on client 0 of the module of a script.
func onClient(t *testing.T, script string, test func(t *testing.T, c *modem.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, _, wait := talk(t, cellular, script)
		c := modem.NewClient(h, 0, nil, slog.New(slog.DiscardHandler))
		test(t, c)
		c.End(modem.ErrClosed)
		c.Wait()
		wait()
	})
}

func whole(n []int) bool { return len(n) > 1 }

func TestClientAsks(t *testing.T) {
	const script = `
> AT+A=0\r
! \r\n+A: 1,7\r\n\r\n+A: 0,4\r\n
< \r\nOK\r\n
`
	onClient(t, script, func(t *testing.T, c *modem.Client) {
		if n, err := c.Ask(t.Context(), time.Minute, "+A", whole); err != nil || len(n) != 2 || n[1] != 4 {
			t.Errorf("%v, %v", n, err)
		}
	})
}

func TestClientHearsNothing(t *testing.T) {
	onClient(t, "> AT+A=0\\r\n< \\r\\nOK\\r\\n\n", func(t *testing.T, c *modem.Client) {
		_, err := c.Ask(t.Context(), time.Minute, "+A", whole)
		if !errors.Is(err, modem.ErrSilent) || errors.Is(err, modem.ErrNotSent) {
			t.Errorf("%v", err)
		}
	})
}

// TestClientEnds: the end of the session ends whoever waits, and comes once.
func TestClientEnds(t *testing.T) {
	onClient(t, "> AT+A=0\\r\n< \\r\\nOK\\r\\n\n", func(t *testing.T, c *modem.Client) {
		done, err := c.Turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		asked, turned := make(chan error), make(chan error)
		go func() {
			_, err := c.Ask(t.Context(), time.Hour, "+A", whole)
			asked <- err
		}()
		go func() {
			_, err := c.Turn(t.Context())
			turned <- err
		}()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Turn(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("out of turn: %v", err)
		}
		synctest.Wait()
		c.End(modem.ErrLost)
		for what, ended := range map[string]chan error{"asking": asked, "waiting": turned} {
			if err := <-ended; err != modem.ErrLost {
				t.Errorf("%s: %v", what, err)
			}
		}
		done()
		if _, err := c.Turn(t.Context()); err != modem.ErrLost {
			t.Errorf("afterwards: %v", err)
		}
		freed := 0
		for range 2 {
			if err := c.Finish(func() error { t.Error("logged out of what was lost"); return nil }, func() { freed++ }); err != nil {
				t.Error(err)
			}
		}
		if freed != 1 || c.Err() != modem.ErrLost {
			t.Errorf("freed %d times, %v", freed, c.Err())
		}
	})
}

func TestClientIdentifiers(t *testing.T) {
	c := modem.NewClient(nil, 0, nil, slog.New(slog.DiscardHandler))
	defer c.End(modem.ErrClosed)
	for n := range 65535 {
		if id := c.Identifier(); id != n+1 {
			t.Fatalf("%d follows %d", id, n)
		}
	}
	if id := c.Identifier(); id != 1 {
		t.Errorf("%d follows 65535", id)
	}
}
