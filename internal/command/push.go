package command

import (
	"context"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
)

// Push tells a device what awaits no answer that is matched here: that its
// shadow, its configuration or its firmware is another now. say gives what to
// send, in order. It returns the outcome of the last message; a device that is
// away gets the messages later where it has a session (broker.Queued).
func (s *Service) Push(ctx context.Context, id registry.ID, say func(dialect.Dialect, dialect.Claim) []dialect.Downlink) (broker.Outcome, error) {
	t, err := s.target(ctx, id)
	if err != nil {
		return broker.Offline, err
	}
	outcome := broker.Delivered
	for _, d := range say(t.dialect, t.claim) {
		if d, err = t.through(d); err != nil {
			return broker.Offline, err
		}
		entry := s.note(id.Product, id.Device, d, nil)
		if outcome, err = s.deliver(t, d, ""); outcome != broker.Delivered {
			s.became(t.claim, entry, d, outcome)
		}
		if err != nil {
			return outcome, err
		}
	}
	return outcome, nil
}
