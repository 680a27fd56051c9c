package modem_test

import (
	"errors"
	"reflect"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// TestEchoGivesRestartAway: a module that was told not to echo, and obeyed,
// has restarted when it echoes again.
func TestEchoGivesRestartAway(t *testing.T) {
	const muting = "> ATE0\\r\n< ATE0\\r\\r\\nOK\\r\\n\n"
	for _, tt := range []struct {
		name   string
		script string
		errs   []error // of AT+A, each time
	}{
		{"it keeps quiet", muting + "> AT+A\\r\n< \\r\\nOK\\r\\n\n> AT+A\\r\n< \\r\\nERROR\\r\\n\n", []error{nil, modem.ErrRefused}},
		{"it never obeyed", muting + "> AT+A\\r\n< AT+A\\r\\r\\nOK\\r\\n\n> AT+A\\r\n< AT+A\\r\\r\\nOK\\r\\n\n", []error{nil, nil}},
		{"it was not told", "> AT+A\\r\n< \\r\\nOK\\r\\n\n> AT+A\\r\n< AT+A\\r\\r\\nOK\\r\\n\n", []error{nil, nil}},
		{"it echoes again", muting + "> AT+A\\r\n< \\r\\nOK\\r\\n\n> AT+A\\r\n< AT+A\\r\\r\\nERROR\\r\\n\n> AT+A\\r\n< AT+A\\r\\r\\nOK\\r\\n\n", []error{nil, modem.ErrRestart, nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, said, wait := talk(t, cellular, tt.script)
				if tt.name != "it was not told" {
					if err := h.Mute(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				restarts := 0
				for n, want := range tt.errs {
					if _, err := h.Ask(t.Context(), request(t, at.V250, "AT+A")); !errors.Is(err, want) {
						t.Errorf("%d: %v", n, err)
					}
					if want == modem.ErrRestart {
						restarts++
					}
				}
				wait()
				if h.Restarts() != restarts || len(*said) != restarts {
					t.Errorf("%d restarts, and said %q", h.Restarts(), *said)
				}
			})
		})
	}
	// The drivers set such a module up again.
	synctest.Test(t, func(t *testing.T) {
		r, h, firsts, wait := setUp(t, awake+muting+"> AT+A\\r\n< \\r\\nOK\\r\\n\n> AT+J\\r\n< AT+J\\r\\r\\nERROR\\r\\n\n"+
			"> AT\\r\n< AT\\r\\r\\nOK\\r\\n\n"+muting+"> AT+A\\r\n< \\r\\nOK\\r\\n\n", (*modem.Host).Mute)
		if err := r.Ensure(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Ask(t.Context(), request(t, at.V250, "AT+J")); !errors.Is(err, modem.ErrRestart) {
			t.Errorf("%v", err)
		}
		if err := r.Ensure(t.Context(), nil); err != nil || !reflect.DeepEqual(*firsts, []bool{true, false}) {
			t.Errorf("%v after %v", err, *firsts)
		}
		wait()
	})
}
