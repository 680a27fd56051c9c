package httpapi

import (
	"context"
	"strconv"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
)

// A configView is the remote configuration of a product.
type configView struct {
	On    bool                   `json:"on" doc:"Devices are given it"`
	Items []remoteconfig.Version `json:"items" doc:"The versions that are kept, newest first; devices are given the first"`
}

func (a *api) showConfig(ctx context.Context, in *ProductPath) (configView, error) {
	all, on, err := a.Configs.Versions(ctx, in.Product)
	return configView{on, page(all, "").Items}, err
}

type saveConfigInput struct {
	ProductPath
	RawBody []byte `contentType:"application/json"`
}

func (a *api) saveConfig(ctx context.Context, in *saveConfigInput) (remoteconfig.Version, error) {
	return a.Configs.Save(ctx, in.Product, in.RawBody)
}

type switchConfigInput struct {
	ProductPath
	Body struct {
		On bool `json:"on" doc:"Give devices the configuration"`
	}
}

func (a *api) switchConfig(ctx context.Context, in *switchConfigInput) (configView, error) {
	if err := a.Configs.Switch(ctx, in.Product, in.Body.On); err != nil {
		return configView{}, err
	}
	return a.showConfig(ctx, &in.ProductPath)
}

type configContentInput struct {
	ProductPath
	Version int64 `query:"version" minimum:"0" doc:"Left out, the newest"`
}

func (a *api) configContent(ctx context.Context, in *configContentInput) (*modelOutput, error) {
	v, err := a.Configs.Content(ctx, in.Product, in.Version)
	if err != nil {
		return nil, err
	}
	name := in.Product + ".config." + strconv.FormatInt(v.Number, 10) + ".json"
	return &modelOutput{"application/json", `attachment; filename="` + name + `"`, v.Content}, nil
}

type pushConfigInput struct {
	ProductPath
	Body struct {
		Device string `json:"device,omitempty" doc:"Only this one; left out, all devices of the product"`
	}
}

func (a *api) pushConfig(ctx context.Context, in *pushConfigInput) (remoteconfig.Result, error) {
	if in.Body.Device == "" {
		return a.Configs.PushAll(ctx, in.Product)
	}
	return a.Configs.PushOne(ctx, registry.ID{Product: in.Product, Device: in.Body.Device})
}

type deliveriesInput struct {
	ProductPath
	Paging
}

func (a *api) listDeliveries(ctx context.Context, in *deliveriesInput) (list[remoteconfig.Delivery], error) {
	all, next, err := a.Configs.Deliveries(ctx, in.Product, in.After, in.Limit)
	return page(all, next), err
}
