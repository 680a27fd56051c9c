package httpapi

import (
	"context"
	"strconv"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/layers"
	"github.com/matou-iot/matou/internal/trace"
)

type timelineInput struct {
	DevicePath
	Paging
	Kind string `query:"kind" doc:"Only entries of this kind: connect, refuse, disconnect, subscribe, uplink, downlink, command, reply, fault, note, packet"`
}

// listTimeline also answers for identities that do not exist: why a stranger
// was refused is what people come for.
func (a *api) listTimeline(ctx context.Context, in *timelineInput) (list[entry], error) {
	q := trace.Query{Limit: in.Limit}
	if in.After != "" {
		before, err := strconv.ParseUint(in.After, 10, 64)
		if err != nil {
			return list[entry]{}, fault.In("after", fault.Invalid("after %q is not the next of a page", in.After))
		}
		q.Before = before
	}
	if in.Kind != "" {
		var k trace.Kind
		if err := k.UnmarshalText([]byte(in.Kind)); err != nil {
			return list[entry]{}, fault.In("kind", fault.Invalid("%v", err))
		}
		q.Kinds = []trace.Kind{k}
	}
	found, before := a.Timeline.Timeline(in.Product, in.Device, q)
	mask, err := a.Layers.Mask(ctx, in.id())
	if err != nil {
		return list[entry]{}, err
	}
	next := ""
	if before > 0 {
		next = strconv.FormatUint(before, 10)
	}
	return page(viewEntries(masked(mask, found)), next), nil
}

// listNameless gives what came and could not be told from whom.
func (a *api) listNameless(ctx context.Context, in *namelessInput) (list[entry], error) {
	return a.listTimeline(ctx, &timelineInput{Paging: in.Paging, Kind: in.Kind})
}

type namelessInput struct {
	Paging
	Kind string `query:"kind" doc:"Only entries of this kind"`
}

func (a *api) followTimeline(ctx context.Context, in *DevicePath, send sender) error {
	for e := range a.Timeline.Watch(ctx, in.Product, in.Device) {
		mask, err := a.Layers.Mask(ctx, in.id()) // a secret may be reset meanwhile
		if err != nil {
			return err
		}
		if err := send("entry", e.ID, viewEntry(mask.Entry(e))); err != nil {
			return err
		}
	}
	return nil
}

// masked are entries without secrets.
func masked(m *layers.Mask, all []trace.Entry) []trace.Entry {
	for i := range all {
		all[i] = m.Entry(all[i])
	}
	return all
}
