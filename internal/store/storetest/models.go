package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

func modelsKept(t *testing.T, s registry.Store) {
	ctx, at := t.Context(), time.UnixMilli(1000).UTC()
	model := func(id string) *thing.Model {
		return &thing.Model{Properties: []thing.Property{{ID: id, Type: thing.DataType{Kind: thing.Int32}}}}
	}
	if err := s.SaveModel(ctx, "p", registry.ModelVersion{Version: 1, At: at, Model: model("a")}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of no product: %v", err)
	}
	if err := s.InsertProduct(ctx, &registry.Product{Key: "p", Dialect: "aliyun", Model: new(thing.Model)}); err != nil {
		t.Fatal(err)
	}
	for _, v := range []registry.ModelVersion{{Version: 1, At: at, Model: model("a")}, {Version: 0, At: at, Model: model("b")}, {Version: 0, At: at, Model: model("c")}} {
		if err := s.SaveModel(ctx, "p", v); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Models(ctx, "p")
	if err != nil || len(all) != 2 || all[0].Version != 1 || all[1].Model.Properties[0].ID != "c" || !all[0].At.Equal(at) {
		t.Fatalf("%+v %v", all, err)
	}
	if err := s.DeleteModel(ctx, "p", 0); err != nil {
		t.Fatal(err)
	}
	if all, _ := s.Models(ctx, "p"); len(all) != 1 {
		t.Errorf("after deleting the draft: %+v", all)
	}
	publish := func(version, oldest int) error {
		return s.PublishModel(ctx, &registry.Product{Key: "p", Dialect: "aliyun", Model: model("d"), ModelVersion: version, UpdatedAt: at}, oldest)
	}
	if err := errors.Join(s.SaveModel(ctx, "p", registry.ModelVersion{Version: 0, At: at, Model: model("b")}), publish(2, -1), publish(3, 2)); err != nil {
		t.Fatal(err)
	}
	all, err = s.Models(ctx, "p")
	if err != nil || len(all) != 2 || all[0].Version != 3 || all[1].Version != 2 || all[0].Model.Properties[0].ID != "d" || !all[0].At.Equal(at) {
		t.Errorf("published twice, two kept: %+v %v", all, err)
	}
	if p, err := s.Product(ctx, "p"); err != nil || p.ModelVersion != 3 || p.Model.Properties[0].ID != "d" {
		t.Errorf("the product after publishing: %+v %v", p, err)
	}
	if err := s.PublishModel(ctx, &registry.Product{Key: "gone", Model: model("d"), ModelVersion: 1}, 1); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("published for no product: %v", err)
	}
	if states, err := s.CountStates(ctx); err != nil || len(states) != 0 {
		t.Errorf("%v %v", states, err)
	}
}
