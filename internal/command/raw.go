package command

import (
	"context"
	"errors"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/trace"
)

// raw reports whether a device speaks bytes of its own.
func (s *Service) raw(ctx context.Context, t target) bool {
	_, can := t.dialect.(dialect.RawSpeaker)
	return can && s.Scripts != nil && s.Scripts.Raw(ctx, t.product.Key)
}

// encode turns what a device is told into bytes of its own, where it speaks
// such. What the script does wrong is told to who gave the command, and in the
// timeline; nothing is sent then.
func (s *Service) encode(ctx context.Context, t target, d dialect.Downlink) (dialect.Downlink, error) {
	if !s.raw(ctx, t) {
		return d, nil
	}
	bytes, err := s.Scripts.Encode(ctx, t.product.Key, d.Payload)
	why, ours := errors.AsType[*script.Error](err)
	switch {
	case ours:
		s.Trace.Record(trace.Entry{
			Product: t.claim.Product, Device: t.claim.Device, Kind: trace.Fault, Direction: "down", Code: t.dialect.Name() + "-" + string(why.Kind),
			Topic: d.Topic, Payload: d.Payload, Sentence: why.Error(), SentenceZH: why.SentenceZH(), Detail: why,
		})
		return d, fault.Conflict("the product's script made no bytes of the command: %w", err)
	case err != nil:
		return d, fault.Unavailable("the product's script could not be run: %w", err)
	}
	s.Trace.Record(trace.Entry{
		Product: t.claim.Product, Device: t.claim.Device, Kind: trace.Note, Direction: "down", Code: "script-encoded", Topic: d.Topic, Payload: d.Payload,
		Sentence: "the product's script makes bytes of this message", SentenceZH: "产品脚本将该消息转换为字节",
	})
	return t.dialect.(dialect.RawSpeaker).RawDown(t.claim, bytes), nil
}
