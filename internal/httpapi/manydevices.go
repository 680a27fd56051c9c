package httpapi

import (
	"context"
	"maps"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

// A DeviceChoice narrows devices as their list does.
type DeviceChoice struct {
	Product string `query:"product"`
	Text    string `query:"text" doc:"In name or nickname"`
	Tag     string `query:"tag" doc:"A tag's name, or name=value"`
	State   string `query:"state" doc:"INACTIVE, ONLINE, OFFLINE or DISABLED"`
	Batch   string `query:"batch" doc:"Only devices made with this batch"`
}

// A counted tells how many there are.
type counted struct {
	Count int `json:"count"`
}

func (a *api) countDevices(ctx context.Context, in *DeviceChoice) (counted, error) {
	f := DeviceFilter{Text: in.Text, Tag: in.Tag, State: in.State, Batch: in.Batch}
	q, err := f.query(in.Product)
	if err != nil {
		return counted{}, err
	}
	n, err := a.Registry.CountDevices(ctx, q)
	return counted{n}, err
}

// ManyDevices name devices to do something with.
type ManyDevices struct {
	Devices []registry.ID `json:"devices" minItems:"1" maxItems:"1000" doc:"Those that are not there are passed over"`
}

type changeDevicesInput struct {
	Body struct {
		ManyDevices
		Enabled *bool             `json:"enabled,omitempty" doc:"false refuses the devices and ends their connections"`
		Set     map[string]string `json:"set,omitempty" doc:"Tags to set; the others stay"`
		Remove  []string          `json:"remove,omitempty" maxItems:"200" doc:"Names of tags to take away"`
	}
}

func (a *api) changeDevices(ctx context.Context, in *changeDevicesInput) (changedCount, error) {
	n, err := a.Registry.UpdateDevices(ctx, in.Body.Devices, func(d *registry.Device) error {
		assign(&d.Enabled, in.Body.Enabled)
		if len(in.Body.Set) > 0 && d.Tags == nil {
			d.Tags = make(map[string]string)
		}
		maps.Copy(d.Tags, in.Body.Set)
		for _, name := range in.Body.Remove {
			delete(d.Tags, name)
		}
		return nil
	})
	return changedCount{n}, err
}

type deleteDevicesInput struct{ Body ManyDevices }

func (a *api) deleteDevices(ctx context.Context, in *deleteDevicesInput) (changedCount, error) {
	n, err := a.Registry.DeleteDevices(ctx, in.Body.Devices)
	return changedCount{n}, err
}

// newsEvery is the least time between two events of followDevices.
const newsEvery = 500 * time.Millisecond

type followDevicesInput struct {
	Product string `query:"product" doc:"Only devices of this product"`
}

// followDevices says which devices are no longer as a list has them.
func (a *api) followDevices(ctx context.Context, in *followDevicesInput, send sender) error {
	watch := a.Registry.Watch(ctx, in.Product)
	if err := send("watching", 0, struct{}{}); err != nil { // what was listed before may have changed since
		return err
	}
	for {
		select {
		case <-watch.C():
		case <-ctx.Done():
			return nil
		}
		if err := send("devices", 0, watch.News()); err != nil {
			return err
		}
		select {
		case <-time.After(newsEvery):
		case <-ctx.Done():
			return nil
		}
	}
}
