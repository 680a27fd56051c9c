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
	if states, err := s.CountStates(ctx); err != nil || len(states) != 0 {
		t.Errorf("%v %v", states, err)
	}
}
