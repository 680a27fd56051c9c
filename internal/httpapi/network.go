package httpapi

import (
	"context"
	"errors"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// Networks keep what devices reported last of their networks.
type Networks interface {
	Network(ctx context.Context, id registry.ID) (registry.Network, error)
}

func (a *api) showNetwork(ctx context.Context, in *DevicePath) (registry.Network, error) {
	if err := a.exists(ctx, in); err != nil {
		return registry.Network{}, err
	}
	n, err := a.Networks.Network(ctx, in.id())
	if errors.Is(err, registry.ErrNotFound) {
		return n, fault.NotFound("device %s has not reported its network status", in.id())
	}
	return n, err
}
