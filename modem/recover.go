package modem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/matou-iot/matou/at"
)

// How a Host finds back to a module that did not answer.
const (
	quiet    = time.Second            // nothing is sent for so long first
	probes   = 3                      // how often AT is tried
	patience = time.Second            // for the answer of each
	settle   = 200 * time.Millisecond // without a late result, until an answer is trusted
)

// recover brings the line into a known state if it is in none: an answer is
// outstanding, or a prompt came that nobody wanted.
func (h *Host) recover(ctx context.Context) error {
	h.mu.Lock()
	stale, prompted := h.stale, h.prompted
	h.mu.Unlock()
	if stale.IsZero() && !prompted {
		return nil
	}
	for wait := max(time.Until(stale), quiet); wait > 0; wait -= quiet {
		if err := h.pauseUnlessDone(ctx, min(wait, quiet)); err != nil {
			return err
		}
		h.mu.Lock()
		settled := h.stale.IsZero() && !h.prompted
		h.mu.Unlock()
		if settled {
			return nil // the late result came
		}
	}
	return h.attention(ctx, probes)
}

// Attention asks AT until the module answers, as often as tries says, about
// once a second. It is how a driver begins, knowing nothing of the module.
func (h *Host) Attention(ctx context.Context, tries int) error {
	select {
	case h.line <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-h.done:
		return h.Err()
	}
	defer func() { <-h.line }()
	return h.attention(ctx, tries)
}

func (h *Host) attention(ctx context.Context, tries int) error {
	var err error
	for try := range tries {
		if try > 0 || h.wasPrompted() {
			if err := h.escape(ctx); err != nil {
				return err
			}
		}
		if _, err = h.ask(ctx, Request{Command: h.o.Probe, Timeout: patience}); err == nil || errors.Is(err, ErrRefused) {
			// ERROR is an answer too: it was half a line before AT.
			if err = h.settle(ctx); err == nil {
				return nil
			}
		}
		if ctx.Err() != nil || h.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("asked %d times: %w", tries, err)
}

func (h *Host) wasPrompted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.prompted
}

// escape leaves a data prompt or a transparent mode, in which the module may
// be. Alone and between silences, for some want it so.
func (h *Host) escape(ctx context.Context) error {
	h.mu.Lock()
	h.prompted = false
	h.mu.Unlock()
	if h.o.Escape == "" {
		return nil
	}
	if err := h.write(ctx, []byte(h.o.Escape)); err != nil {
		return err
	}
	return h.pauseUnlessDone(ctx, quiet)
}

// settle waits until no late result comes any more, lest it be taken for the
// answer to the next command.
func (h *Host) settle(ctx context.Context) error {
	x := &exchange{wake: make(chan struct{}, 1)}
	h.mu.Lock()
	h.asking = x
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.asking, h.stale = nil, time.Time{}
		h.mu.Unlock()
	}()
	t := time.NewTimer(settle)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return nil
		case <-x.wake:
			h.mu.Lock()
			events, err := x.events, x.err
			x.events, x.err = nil, nil
			h.mu.Unlock()
			if err != nil {
				return err
			}
			for _, e := range events {
				if e.Kind == at.Prompt {
					h.mu.Lock()
					h.prompted = true
					h.mu.Unlock()
					return ErrNoPrompt
				}
			}
			t.Reset(settle)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-h.done:
			return h.Err()
		}
	}
}

func (h *Host) pauseUnlessDone(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-h.done:
		return h.Err()
	}
}
