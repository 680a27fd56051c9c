package modem_test

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/modemtest"
)

// cellular and wifi are two Hosts of a test.
var (
	cellular = modem.HostOptions{Dialect: at.V250, Headers: at.CellularHeaders(), LineEnd: "\r", Escape: "\x1b"}
	wifi     = modem.HostOptions{Dialect: at.Espressif, Headers: at.EspressifHeaders(), LineEnd: "\r\n", Escape: "+++"}
)

// talk makes a Host for the module of a script. said are its events.
func talk(t *testing.T, o modem.HostOptions, script string) (h *modem.Host, said *[]string, wait func()) {
	t.Helper()
	port, wait := modemtest.Script(t, script)
	said = new([]string)
	o.Unsolicited = func(line string) bool { return strings.HasPrefix(line, "+CREG: ") || strings.HasPrefix(line, "+URC") }
	o.Restarted = func(line string) bool { return line == "RDY" }
	o.OnEvent = func(e at.Event, restarted bool) { *said = append(*said, e.String()) }
	h = modem.NewHost(port, o)
	t.Cleanup(func() { h.Close() })
	return h, said, wait
}

func request(t *testing.T, d at.Dialect, line string) modem.Request {
	t.Helper()
	c, err := d.Parse([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return modem.Request{Command: c}
}

func TestAnswerAndEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, said, wait := talk(t, cellular, `
> AT+CSQ\r
! \r\n+CREG: 1\r\n
< AT+CSQ\r\r\n+CSQ: 28,0\r\n
! \r\n+URC: 1\r\n
< \r\nOK\r\n
! \r\n+CREG: 5\r\n
`)
		a, err := h.Ask(t.Context(), request(t, at.V250, "AT+CSQ"))
		if err != nil || !reflect.DeepEqual(a.Lines, []string{"+CSQ: 28,0"}) {
			t.Errorf("%+v, %v", a, err)
		}
		wait()
		synctest.Wait()
		if want := []string{`line "+CREG: 1"`, `line "+URC: 1"`, `line "+CREG: 5"`}; !reflect.DeepEqual(*said, want) {
			t.Errorf("events %s", *said)
		}
	})
}

func TestClaimedLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, said, wait := talk(t, cellular, "> AT+CREG?\\r\n< \\r\\n+CREG: 0,1\\r\\n\n! \\r\\n+CREG: 5\\r\\n\n< \\r\\nOK\\r\\n\n")
		r := request(t, at.V250, "AT+CREG?")
		r.Claims = func(line string) bool { return strings.Count(line, ",") == 1 }
		a, err := h.Ask(t.Context(), r)
		if err != nil || !reflect.DeepEqual(a.Lines, []string{"+CREG: 0,1"}) {
			t.Errorf("%+v, %v", a, err)
		}
		wait()
		synctest.Wait()
		if want := []string{`line "+CREG: 5"`}; !reflect.DeepEqual(*said, want) {
			t.Errorf("events %s", *said)
		}
	})
}

func TestRefusalTellsAndKeepsSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := talk(t, wifi, "> AT+CWJAP=\"home\",\"secret\"\\r\\n\n< +CWJAP:2\\r\\n\\r\\nFAIL\\r\\n\n")
		_, err := h.Ask(t.Context(), request(t, at.Espressif, `AT+CWJAP="home","secret"`))
		if !errors.Is(err, modem.ErrRefused) || err.Error() != `AT+CWJAP: wanted OK, got FAIL after ["+CWJAP:2"]` {
			t.Errorf("%v", err)
		}
	})
}

func TestPayload(t *testing.T) {
	for _, tt := range []struct {
		name   string
		o      modem.HostOptions
		script string
		took   time.Duration
	}{
		{"AT 1.7", wifi, "> AT+S=2\\r\\n\n< \\r\\nOK\\r\\n> \\x20\n> hi\n< \\r\\nRecv 2 bytes\\r\\n\\r\\nSEND OK\\r\\n\n", 0},
		{"ESP-AT", wifi, "> AT+S=2\\r\\n\n< \\r\\nOK\\r\\n\\r\\n>\n> hi\n< \\r\\nSEND OK\\r\\n\n", 0},
		{"cellular, all echoed", cellular, "> AT+S=2\\r\n< AT+S=2\\r\\r\\n>\\x20\n> hi\n< hi\\r\\nSEND OK\\r\\n\n", 0},
		{"an event before the prompt", cellular, "> AT+S=2\\r\n! \\r\\n+URC\\r\\n\n< \\r\\n>\\x20\n> hi\n< \\r\\nSEND OK\\r\\n\n", 0},
		{"prompt lost after OK", wifi, "> AT+S=2\\r\\n\n< \\r\\nOK\\r\\n\n> hi\n< \\r\\nSEND OK\\r\\n\n", 2 * time.Second},
		{"prompt lost without OK", cellular, "> AT+S=2\\r\n> hi\n< \\r\\nSEND OK\\r\\n\n", 2500 * time.Millisecond},
		{"module busy with something else", wifi, "> AT+S=2\\r\\n\n< \\r\\nbusy p...\\r\\n\n> AT+S=2\\r\\n\n< \\r\\nbusy p...\\r\\n\n> AT+S=2\\r\\n\n< \\r\\nOK\\r\\n>\\x20\n> hi\n< \\r\\nSEND OK\\r\\n\n", 600 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _, wait := talk(t, tt.o, tt.script)
				r := request(t, tt.o.Dialect, "AT+S=2")
				r.Payload, r.Final = []byte("hi"), "SEND OK"
				begun := time.Now()
				if _, err := h.Ask(t.Context(), r); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				wait()
			})
		})
	}
}

// TestKeptBack: what a module in command mode might execute is not sent to one
// that has not asked for it.
func TestKeptBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := talk(t, cellular, "> AT+S=9\\r\n> never\n")
		r := request(t, at.V250, "AT+S=9")
		r.Payload, r.Final = []byte("\rAT+CFUN=0\r"), "SEND OK"
		if _, err := h.Ask(t.Context(), r); !errors.Is(err, modem.ErrNoPrompt) {
			t.Errorf("%v", err)
		}
	})
}

func TestRecovery(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"late result", "> AT+A\\r\n@5.5s < \\r\\nOK\\r\\n\n> AT+B\\r\n< \\r\\n+B: 1\\r\\n\\r\\nOK\\r\\n\n"},
		{"no result, then AT is answered", "> AT+A\\r\n> AT\\r\n< \\r\\nOK\\r\\n\n> AT+B\\r\n< \\r\\n+B: 1\\r\\n\\r\\nOK\\r\\n\n"},
		{"late result mistaken for that of AT", "> AT+A\\r\n> AT\\r\n@6.1s < \\r\\nERROR\\r\\n\n@6.2s < \\r\\nOK\\r\\n\n> AT+B\\r\n< \\r\\n+B: 1\\r\\n\\r\\nOK\\r\\n\n"},
		{"counted data that never came", "> AT+A\\r\n< \\r\\n+QIRD: 100\\r\\nhalf\n> AT\\r\n< \\r\\nOK\\r\\n\n> AT+B\\r\n< \\r\\n+B: 1\\r\\n\\r\\nOK\\r\\n\n"},
		{"a prompt that nobody wanted", "> AT+A\\r\n< \\r\\n>\\x20\n> \\x1b\n> AT\\r\n< \\r\\nERROR\\r\\n\n> AT+B\\r\n< \\r\\n+B: 1\\r\\n\\r\\nOK\\r\\n\n"},
		{"the second AT is answered", "> AT+A\\r\n> AT\\r\n> \\x1b\n> AT\\r\n< \\r\\nOK\\r\\n\n> AT+B\\r\n< \\r\\n+B: 1\\r\\n\\r\\nOK\\r\\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _, wait := talk(t, cellular, tt.script)
				if _, err := h.Ask(t.Context(), request(t, at.V250, "AT+A")); err == nil {
					t.Error("A was answered")
				}
				a, err := h.Ask(t.Context(), request(t, at.V250, "AT+B"))
				if err != nil || !reflect.DeepEqual(a.Lines, []string{"+B: 1"}) {
					t.Errorf("B: %+v, %v", a, err)
				}
				wait()
			})
		})
	}
}

func TestCancelledCommandIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, wait := talk(t, cellular, "> AT+LONG\\r\n@10s < \\r\\nOK\\r\\n\n> AT+B\\r\n< \\r\\nOK\\r\\n\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := request(t, at.V250, "AT+LONG")
		r.Timeout = 30 * time.Second
		begun := time.Now()
		if _, err := h.Ask(ctx, r); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if _, err := h.Ask(t.Context(), request(t, at.V250, "AT+B")); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("went on after %v", took)
		}
		wait()
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, module := net.Pipe()
		defer module.Close()
		go io.Copy(io.Discard, module)
		h := modem.NewHost(port, cellular)
		defer h.Close()
		err := h.Attention(t.Context(), 3)
		if !errors.Is(err, modem.ErrSilent) || !strings.HasPrefix(err.Error(), "asked 3 times: AT: wanted OK, got nothing: the module does not answer: check power") {
			t.Errorf("%v", err)
		}
	})
}

func TestRestartEndsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, said, wait := talk(t, cellular, "> AT+A\\r\n! \\r\\nRDY\\r\\n\n> AT+B\\r\n< \\r\\nOK\\r\\n\n")
		w := h.Await(func(line string) bool { return line == "+A: done" })
		defer w.Cancel()
		if _, err := h.Ask(t.Context(), request(t, at.V250, "AT+A")); !errors.Is(err, modem.ErrRestart) {
			t.Errorf("asking: %v", err)
		}
		if _, err := w.Wait(t.Context()); !errors.Is(err, modem.ErrRestart) {
			t.Errorf("waiting: %v", err)
		}
		synctest.Wait()
		if h.Restarts() != 1 || !reflect.DeepEqual(*said, []string{`line "RDY"`}) {
			t.Errorf("%d restarts, events %s", h.Restarts(), *said)
		}
		if _, err := h.Ask(t.Context(), request(t, at.V250, "AT+B")); err != nil {
			t.Error(err)
		}
		wait()
	})
}

func TestOutcomeMayOvertakeOK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := talk(t, cellular, "> AT+A\\r\n! \\r\\n+A: 0\\r\\n\n< \\r\\nOK\\r\\n\n")
		w := h.Await(func(line string) bool { return strings.HasPrefix(line, "+A: ") })
		defer w.Cancel()
		if _, err := h.Ask(t.Context(), request(t, at.V250, "AT+A")); err != nil {
			t.Error(err)
		}
		if line, err := w.Wait(t.Context()); line != "+A: 0" || err != nil {
			t.Errorf("%q, %v", line, err)
		}
	})
}

func TestPortThatVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, wait := talk(t, cellular, "> AT+A\\r\n< \\r\\n+A\n")
		w := h.Await(func(string) bool { return false })
		defer w.Cancel()
		asked := make(chan error)
		go func() {
			_, err := h.Ask(t.Context(), request(t, at.V250, "AT+A"))
			asked <- err
		}()
		wait()
		h.Close()
		if err := <-asked; !errors.Is(err, modem.ErrClosed) {
			t.Errorf("asking: %v", err)
		}
		if _, err := w.Wait(t.Context()); !errors.Is(err, modem.ErrClosed) {
			t.Errorf("waiting: %v", err)
		}
		if _, err := h.Ask(t.Context(), modem.Request{}); !errors.Is(err, modem.ErrClosed) || !errors.Is(err, modem.ErrNotSent) {
			t.Errorf("afterwards: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		port, module := net.Pipe()
		h := modem.NewHost(port, cellular)
		defer h.Close()
		module.Close()
		<-h.Done()
		if _, err := h.Ask(t.Context(), modem.Request{}); !errors.Is(err, modem.ErrGone) {
			t.Errorf("%v", err)
		}
	})
}

// TestWriteIsInterrupted: a port whose other side does not read.
func TestWriteIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, module := net.Pipe()
		defer module.Close()
		h := modem.NewHost(port, cellular)
		defer h.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.Ask(ctx, modem.Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestTooManyLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, wait := talk(t, cellular, "> AT+A\\r\n< "+strings.Repeat(`+A: 1\r\n`, 2000)+"\n< OK\\r\\n\n")
		a, err := h.Ask(t.Context(), request(t, at.V250, "AT+A"))
		if err != nil || len(a.Lines) != 512 {
			t.Errorf("%d lines, %v", len(a.Lines), err)
		}
		wait()
	})
}
