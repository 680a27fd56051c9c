package topology

import (
	"context"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// AddSubs makes devices sub-devices of a gateway at an operator's wish, and
// tells the gateway. A sub-device of another gateway has to be removed there
// first.
func (s *Service) AddSubs(ctx context.Context, gateway registry.ID, subs []registry.ID) error {
	if len(subs) == 0 {
		return fault.In("devices", fault.Invalid("name at least one device"))
	}
	if err := s.Registry.Bind(ctx, gateway, subs, false); err != nil {
		return err
	}
	s.inform(gateway, &dialect.Notice{Kind: dialect.SubsAdded, Subs: claims(subs)})
	return nil
}

// RemoveSubs ends that, and tells the gateway.
func (s *Service) RemoveSubs(ctx context.Context, gateway registry.ID, subs []registry.ID) error {
	if err := s.Registry.Unbind(ctx, gateway, subs); err != nil {
		return err
	}
	s.lost(claim(gateway), claims(subs), "removed from its gateway", dialect.SubNotBound)
	return nil
}

// AskSubs asks a gateway to add devices by itself, which proves that it knows
// their secrets. Only one that is there can be asked.
func (s *Service) AskSubs(ctx context.Context, gateway registry.ID, subs []registry.ID) (broker.Outcome, error) {
	if len(subs) == 0 {
		return broker.Offline, fault.In("devices", fault.Invalid("name at least one device"))
	}
	for _, sub := range subs {
		if _, err := s.Registry.Device(ctx, sub); err != nil {
			return broker.Offline, err
		}
	}
	return s.asked(ctx, gateway, &dialect.Notice{Kind: dialect.AskToAdd, Subs: claims(subs)})
}

// PermitSubs lets a gateway take new sub-devices in for a while, those of one
// product or, with "", of all.
func (s *Service) PermitSubs(ctx context.Context, gateway registry.ID, product string, d time.Duration) (broker.Outcome, error) {
	if d < time.Second || d > MaxPermit {
		return broker.Offline, fault.In("seconds", fault.Invalid("a time from 1 to %d seconds is right", int(MaxPermit/time.Second)))
	}
	if product != "" {
		if _, err := s.Registry.Product(ctx, product); err != nil {
			return broker.Offline, err
		}
	}
	return s.asked(ctx, gateway, &dialect.Notice{Kind: dialect.Permit, Product: product, Seconds: int(d / time.Second)})
}

// asked tells a gateway what its dialect has a word for.
func (s *Service) asked(ctx context.Context, gateway registry.ID, n *dialect.Notice) (broker.Outcome, error) {
	p, err := s.Registry.Product(ctx, gateway.Product)
	if err != nil {
		return broker.Offline, err
	}
	if g, ok := s.gateways(p); !ok || len(g.Notify(n)) == 0 {
		return broker.Offline, fault.Invalid("the dialect %s has no such message for gateways", p.Dialect)
	}
	return s.push(claim(gateway), n)
}

// inform tells a gateway that may be away.
func (s *Service) inform(gateway registry.ID, n *dialect.Notice) {
	if _, err := s.push(claim(gateway), n); err != nil {
		s.Log.Debug("gateway not told", "gateway", gateway.String(), "error", err)
	}
}

func claims(ids []registry.ID) []dialect.Claim {
	all := make([]dialect.Claim, len(ids))
	for i := range ids {
		all[i] = claim(ids[i])
	}
	return all
}
