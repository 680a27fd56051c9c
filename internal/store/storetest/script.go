package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/script"
	"github.com/matou-iot/matou/internal/topics"
)

// A ProductStore is a store of what products have besides themselves.
type ProductStore interface {
	registry.Store
	script.Store
	topics.Store
}

// Products is the contract of script.Store and topics.Store.
func Products(t *testing.T, open func(t *testing.T) ProductStore) {
	t.Run("a script is kept, replaced and deleted", func(t *testing.T) { scripts(t, open(t)) })
	t.Run("topic classes are kept in order, changed and deleted", func(t *testing.T) { topicClasses(t, open(t)) })
	t.Run("both go with the product", func(t *testing.T) { goWithTheProduct(t, open(t)) })
}

func scripts(t *testing.T, s ProductStore) {
	ctx := t.Context()
	noError(t, s.InsertProduct(ctx, aProduct("p")))
	if _, err := s.Script(ctx, "p"); !errors.Is(err, script.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	one := script.Script{Product: "p", Source: "function rawDataToProtocol() { return '字' }", Functions: []string{script.Decode, script.Encode}, Version: 1, UpdatedAt: registryTime}
	two := script.Script{Product: "p", Source: "function transformPayload() {}", Functions: []string{script.Transform}, Version: 2, UpdatedAt: registryTime.Add(time.Hour)}
	for _, want := range []script.Script{one, two} {
		noError(t, s.SaveScript(ctx, &want))
		if got, err := s.Script(ctx, "p"); err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	if err := s.SaveScript(ctx, &script.Script{Product: "nobody", Source: "x"}); !errors.Is(err, script.ErrNotFound) {
		t.Errorf("of no product: %v", err)
	}
	noError(t, s.DeleteScript(ctx, "p"))
	if err := s.DeleteScript(ctx, "p"); !errors.Is(err, script.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func topicClasses(t *testing.T, s ProductStore) {
	ctx := t.Context()
	noError(t, s.InsertProduct(ctx, aProduct("p")))
	noError(t, s.InsertProduct(ctx, aProduct("q")))
	b := topics.Class{Product: "p", Path: "user/b/+", Permission: topics.Subscribe, Desc: "命令", CreatedAt: registryTime}
	a := topics.Class{Product: "p", Path: "user/a", Permission: topics.Publish, CreatedAt: registryTime}
	other := topics.Class{Product: "q", Path: "user/a", Permission: topics.Both, CreatedAt: registryTime}
	for _, c := range []topics.Class{b, a, other} {
		noError(t, s.SaveTopicClass(ctx, &c))
	}
	if got, err := s.TopicClasses(ctx, "p"); err != nil || !reflect.DeepEqual(got, []topics.Class{a, b}) {
		t.Errorf("%+v, %v", got, err)
	}
	a.Permission = topics.Both
	noError(t, s.SaveTopicClass(ctx, &a))
	noError(t, s.DeleteTopicClass(ctx, "p", b.Path))
	if got, err := s.TopicClasses(ctx, "p"); err != nil || !reflect.DeepEqual(got, []topics.Class{a}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.DeleteTopicClass(ctx, "p", b.Path); !errors.Is(err, topics.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := s.SaveTopicClass(ctx, &topics.Class{Product: "nobody", Path: "x", Permission: topics.Both}); !errors.Is(err, topics.ErrNotFound) {
		t.Errorf("of no product: %v", err)
	}
}

func goWithTheProduct(t *testing.T, s ProductStore) {
	ctx := t.Context()
	noError(t, s.InsertProduct(ctx, aProduct("p")))
	noError(t, s.SaveScript(ctx, &script.Script{Product: "p", Source: "x", UpdatedAt: registryTime}))
	noError(t, s.SaveTopicClass(ctx, &topics.Class{Product: "p", Path: "user/a", Permission: topics.Both, CreatedAt: registryTime}))
	noError(t, s.DeleteProduct(ctx, "p"))
	noError(t, s.InsertProduct(ctx, aProduct("p")))
	if _, err := s.Script(ctx, "p"); !errors.Is(err, script.ErrNotFound) {
		t.Errorf("script: %v", err)
	}
	if got, err := s.TopicClasses(ctx, "p"); err != nil || len(got) != 0 {
		t.Errorf("topics: %+v, %v", got, err)
	}
}
