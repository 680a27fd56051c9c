package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/thing"
)

// An image is what is wanted of a device of data streams and what it reported.
type image struct {
	Version   int64                     `json:"version" doc:"0 where there is no image yet"`
	UpdatedAt time.Time                 `json:"updatedAt,omitzero"`
	Desired   map[string]imageAttribute `json:"desired"`
	Reported  map[string]imageAttribute `json:"reported"`
	Delta     map[string]thing.Value    `json:"delta" doc:"What is desired and not reported so"`
	Told      string                    `json:"told,omitempty" doc:"Of a change: whether the device was told of the difference"`
}

type imageAttribute struct {
	Value thing.Value `json:"value"`
	Time  time.Time   `json:"time"`
}

func viewImage(im dialect.Image, told string) image {
	half := func(all []dialect.ImageAttribute) map[string]imageAttribute {
		m := make(map[string]imageAttribute, len(all))
		for _, a := range all {
			m[a.Name] = imageAttribute{a.Value, a.At}
		}
		return m
	}
	v := image{Version: im.Version, UpdatedAt: im.UpdatedAt, Desired: half(im.Desired), Reported: half(im.Reported), Delta: map[string]thing.Value{}, Told: told}
	for _, d := range deviceimage.Delta(&im) {
		v.Delta[d.Name] = d.Value
	}
	return v
}

func (a *api) showImage(ctx context.Context, in *DevicePath) (image, error) {
	im, err := a.Images.Image(ctx, in.id())
	return viewImage(im, ""), err
}

type changeImageInput struct {
	DevicePath
	Body struct {
		Desired  json.RawMessage `json:"desired,omitempty" doc:"An object: attribute to value; null takes it away"`
		Reported json.RawMessage `json:"reported,omitempty" doc:"Likewise, in place of the device"`
	}
}

func (a *api) changeImage(ctx context.Context, in *changeImageInput) (image, error) {
	var halves [2][]thing.Argument
	for i, half := range []struct {
		name string
		raw  json.RawMessage
	}{{"desired", in.Body.Desired}, {"reported", in.Body.Reported}} {
		if len(half.raw) == 0 {
			continue
		}
		values, err := arguments(half.name, half.raw)
		if err != nil {
			return image{}, err
		}
		halves[i] = values
	}
	im, told, err := a.Images.Change(ctx, in.id(), halves[0], halves[1])
	return viewImage(im, told.Outcome), err
}

func (a *api) deleteImage(ctx context.Context, in *DevicePath) error {
	return a.Images.Delete(ctx, in.id())
}
