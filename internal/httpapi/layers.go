package httpapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/layers"
	"github.com/matou-iot/matou/internal/trace"
)

type layersInput struct {
	DevicePath
	ID uint64 `path:"id" doc:"Of an entry of the timeline"`
}

// layersView is the layers with the pages of the codes in them.
type layersView struct {
	*layers.Layers
	Entry    entry   `json:"entry"`
	Followed []entry `json:"followed,omitempty"`
}

// showLayers also answers for identities that do not exist, as the timeline does.
func (a *api) showLayers(ctx context.Context, in *layersInput) (layersView, error) {
	l, err := a.Layers.Of(ctx, in.id(), in.ID)
	if err != nil {
		return layersView{}, err
	}
	return layersView{l, viewEntry(l.Entry), viewEntries(l.Followed)}, nil
}

type recordInput struct {
	DevicePath
	Record uint64 `path:"record" doc:"As values and events name it in history, in the layers of a message, and as the id of an event of the stream"`
}

func (a *api) showRecord(ctx context.Context, in *recordInput) (*layers.Origin, error) {
	return a.Layers.OriginOf(ctx, in.id(), in.Record)
}

// A watch is whether a device is under watch.
type watch struct {
	On    bool      `json:"on"`
	Until time.Time `json:"until,omitzero"`
}

func (a *api) showWatch(ctx context.Context, in *DevicePath) (watch, error) {
	if err := a.exists(ctx, in); err != nil {
		return watch{}, err
	}
	until := a.Timeline.Observed(in.Product, in.Device)
	return watch{!until.IsZero(), until.UTC()}, nil
}

type watchInput struct {
	DevicePath
	Body struct {
		Seconds int `json:"seconds,omitempty" minimum:"1" maximum:"3600" doc:"How long; 600 where it is left out"`
	}
}

// usualWatch is how long a device is under watch where nobody says otherwise.
const usualWatch = 10 * time.Minute

func (a *api) startWatch(ctx context.Context, in *watchInput) (watch, error) {
	if err := a.exists(ctx, &in.DevicePath); err != nil {
		return watch{}, err
	}
	d := usualWatch
	if in.Body.Seconds > 0 {
		d = time.Duration(in.Body.Seconds) * time.Second
	}
	until, err := a.Timeline.Observe(in.Product, in.Device, time.Now().Add(d))
	if errors.Is(err, trace.ErrObserved) {
		return watch{}, fault.Exhausted("%d devices are under watch, and no more may be: end one of %s", trace.MaxObserved, strings.Join(a.Timeline.ObservedDevices(), ", "))
	}
	return watch{true, until.UTC()}, err
}

func (a *api) endWatch(_ context.Context, in *DevicePath) error {
	a.Timeline.Unobserve(in.Product, in.Device)
	return nil
}
