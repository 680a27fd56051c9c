package modem_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// What the module of these tests says.
const (
	awake      = "> AT\\r\n< \\r\\nOK\\r\\n\n"
	configured = awake + "> AT+A\\r\n< \\r\\nOK\\r\\n\n"
	restarting = awake + "> AT+A\\r\n! \\r\\nRDY\\r\\n\n" // in the middle
)

// setUp makes the Readiness of a module that plays a script; configuring is
// AT+A, after what comes first. firsts are its calls.
func setUp(t *testing.T, script string, begin ...func(*modem.Host, context.Context) error) (r *modem.Readiness, h *modem.Host, firsts *[]bool, wait func()) {
	t.Helper()
	h, _, wait = talk(t, cellular, script)
	firsts = new([]bool)
	return modem.NewReadiness(h, 1, func(ctx context.Context, first bool) error {
		*firsts = append(*firsts, first)
		for _, do := range begin {
			if err := do(h, ctx); err != nil {
				return err
			}
		}
		_, err := h.Ask(ctx, request(t, at.V250, "AT+A"))
		return err
	}), h, firsts, wait
}

func TestReadiness(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script string
		firsts []bool
		err    error
	}{
		{"set up once", configured, []bool{true}, nil},
		{"set up again after a restart in the middle", restarting + configured, []bool{true, true}, nil},
		{"not for ever", strings.Repeat(restarting, 3), []bool{true, true, true}, modem.ErrRestart},
		{"refused", awake + "> AT+A\\r\n< \\r\\nERROR\\r\\n\n", []bool{true}, modem.ErrRefused},
		{"silent", "> AT\\r\n", nil, modem.ErrSilent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _, firsts, wait := setUp(t, tt.script)
				followed := 0
				then := func(context.Context) error { followed++; return nil }
				err := r.Ensure(t.Context(), then)
				if err == nil {
					err = r.Ensure(t.Context(), then) // asks nothing
				}
				if !errors.Is(err, tt.err) || !reflect.DeepEqual(*firsts, tt.firsts) {
					t.Errorf("%v after %v", err, *firsts)
				}
				if followed != 0 && err != nil || followed != 2 && err == nil {
					t.Errorf("%v, and %d times on", err, followed)
				}
				wait()
			})
		})
	}
}

// TestReadinessAfterRestart: a module that restarts later is set up again.
func TestReadinessAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h, firsts, wait := setUp(t, configured+"> AT+J\\r\n! \\r\\nRDY\\r\\n\n"+configured)
		err := r.Ensure(t.Context(), func(ctx context.Context) error {
			_, err := h.Ask(ctx, request(t, at.V250, "AT+J"))
			return err
		})
		if !errors.Is(err, modem.ErrRestart) {
			t.Errorf("joining: %v", err)
		}
		if err := r.Ensure(t.Context(), nil); err != nil || !reflect.DeepEqual(*firsts, []bool{true, false}) {
			t.Errorf("%v after %v", err, *firsts)
		}
		wait()
	})
}

// TestReadinessTakesTurns: who waits for his turn can give up.
func TestReadinessTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, firsts, wait := setUp(t, configured)
		err := r.Ensure(t.Context(), func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			if err := r.Ensure(ctx, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("out of turn: %v", err)
			}
			return nil
		})
		if err != nil || len(*firsts) != 1 {
			t.Errorf("%v after %v", err, *firsts)
		}
		wait()
	})
}
