package httpapi

import (
	"context"

	"github.com/matou-iot/matou/internal/registry"
)

type countTagsInput struct {
	Product string `query:"product" doc:"Only of its devices"`
}

func (a *api) countTags(ctx context.Context, in *countTagsInput) (list[registry.TagCount], error) {
	all, err := a.Registry.CountTags(ctx, in.Product)
	return page(all, ""), err
}

type changeTagsInput struct {
	DevicePath
	Body struct {
		Set    map[string]string `json:"set,omitempty" doc:"Tags to set; the others stay"`
		Remove []string          `json:"remove,omitempty" maxItems:"200" doc:"Names of tags to take away"`
	}
}

func (a *api) changeTags(ctx context.Context, in *changeTagsInput) (device, error) {
	var changes []registry.Tag
	for name, value := range in.Body.Set {
		changes = append(changes, registry.Tag{Name: name, Value: value})
	}
	for _, name := range in.Body.Remove {
		changes = append(changes, registry.Tag{Name: name, Remove: true})
	}
	if err := a.Registry.ChangeTags(ctx, in.id(), changes); err != nil {
		return device{}, err
	}
	d, err := a.Registry.Device(ctx, in.id())
	if err != nil {
		return device{}, err
	}
	return a.viewDevice(ctx, d, false)
}
