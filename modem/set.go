package modem

import (
	"context"
	"time"

	"github.com/matou-iot/matou/at"
)

// Set asks a command with parameters, of whose answer only the result counts.
func (h *Host) Set(ctx context.Context, name string, args ...at.Arg) error {
	return h.SetFor(ctx, DefaultTimeout, name, args...)
}

// SetFor is Set for a command that takes the module longer.
func (h *Host) SetFor(ctx context.Context, timeout time.Duration, name string, args ...at.Arg) error {
	c, err := h.o.Dialect.Set(name, args...)
	if err != nil {
		return err
	}
	_, err = h.Ask(ctx, Request{Command: c, Timeout: timeout})
	return err
}

// Try is Set where a refusal does no harm.
func (h *Host) Try(ctx context.Context, name string, args ...at.Arg) bool {
	return h.Set(ctx, name, args...) == nil
}

// Mute tells the module not to echo (ATE0). If it obeys, and echoes a command
// later all the same, it has restarted, and what it said of that got lost.
func (h *Host) Mute(ctx context.Context) error {
	h.tell(false)
	err := h.Set(ctx, "E", at.Num(0))
	h.tell(err == nil)
	return err
}

func (h *Host) tell(told bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told, h.muted = told, false
}
