package httpapi

import (
	"context"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// A subDevice is a sub-device of a gateway as people see it.
type subDevice struct {
	Product string         `json:"product"`
	Device  string         `json:"device"`
	State   registry.State `json:"state"`
	Since   time.Time      `json:"since,omitzero" doc:"Since when it is in this state"`
	Added   time.Time      `json:"added" doc:"Since when the gateway has it"`
}

type listSubsInput struct {
	DevicePath
	Paging
}

func (a *api) listSubs(ctx context.Context, in *listSubsInput) (list[subDevice], error) {
	found, next, err := a.Registry.Subs(ctx, in.id(), in.After, in.Limit)
	if err != nil {
		return list[subDevice]{}, err
	}
	items := make([]subDevice, 0, len(found))
	for _, b := range found {
		s, err := a.Registry.Status(ctx, b.Sub)
		if fault.KindOf(err) == fault.KindNotFound {
			continue // deleted in between
		}
		if err != nil {
			return list[subDevice]{}, err
		}
		items = append(items, subDevice{b.Sub.Product, b.Sub.Device, s.State, s.Since, b.At})
	}
	return page(items, next), nil
}

// SubsBody names devices.
type SubsBody struct {
	Devices []registry.ID `json:"devices" minItems:"1" maxItems:"1500" doc:"Product and device of each"`
}

type addSubsInput struct {
	DevicePath
	Body SubsBody
}

// told says how far a message to a gateway has come.
type told struct {
	Outcome string `json:"outcome" doc:"delivered, or queued until the gateway comes back"`
}

func (a *api) addSubs(ctx context.Context, in *addSubsInput) (list[registry.ID], error) {
	if err := a.Topology.AddSubs(ctx, in.id(), in.Body.Devices); err != nil {
		return list[registry.ID]{}, err
	}
	return page(in.Body.Devices, ""), nil
}

type removeSubInput struct {
	DevicePath
	SubProduct string `path:"subProduct" doc:"ProductKey or product id of the sub-device"`
	SubDevice  string `path:"subDevice" doc:"Its DeviceName"`
}

func (a *api) removeSub(ctx context.Context, in *removeSubInput) error {
	return a.Topology.RemoveSubs(ctx, in.id(), []registry.ID{{Product: in.SubProduct, Device: in.SubDevice}})
}

// A foundSub is a device that a gateway has seen.
type foundSub struct {
	Product string    `json:"product"`
	Device  string    `json:"device"`
	At      time.Time `json:"at"`
}

func (a *api) listFound(ctx context.Context, in *DevicePath) (list[foundSub], error) {
	if _, err := a.Registry.Device(ctx, in.id()); err != nil {
		return list[foundSub]{}, err
	}
	found, err := a.Registry.Found(ctx, in.id())
	items := make([]foundSub, len(found))
	for i, f := range found {
		items[i] = foundSub{f.Sub.Product, f.Sub.Device, f.At}
	}
	return page(items, ""), err
}

func (a *api) askSubs(ctx context.Context, in *addSubsInput) (told, error) {
	outcome, err := a.Topology.AskSubs(ctx, in.id(), in.Body.Devices)
	return told{outcome.String()}, err
}

type permitSubsInput struct {
	DevicePath
	Body struct {
		Product string `json:"product,omitempty" doc:"Only devices of this product"`
		Seconds int    `json:"seconds" minimum:"1" maximum:"3600"`
	}
}

func (a *api) permitSubs(ctx context.Context, in *permitSubsInput) (told, error) {
	outcome, err := a.Topology.PermitSubs(ctx, in.id(), in.Body.Product, time.Duration(in.Body.Seconds)*time.Second)
	return told{outcome.String()}, err
}
