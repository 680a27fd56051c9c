package registry_test

import (
	"testing"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

func TestDataModelWords(t *testing.T) {
	for word, want := range map[string]registry.DataModel{
		"": registry.Thing, "thing": registry.Thing, "streams": registry.Streams, "物模型": registry.Thing, "数据流": registry.Streams, "OneJSON": registry.Thing, "datastream": registry.Streams,
	} {
		m := registry.DataModel(7)
		if err := m.UnmarshalText([]byte(word)); err != nil || m != want {
			t.Errorf("%q: %v, %v", word, m, err)
		}
	}
	m := registry.Streams
	if err := m.UnmarshalText([]byte("stream")); err == nil || m != registry.Streams {
		t.Errorf("%v, %v", m, err)
	}
	if got, _ := m.MarshalText(); string(got) != "streams" {
		t.Errorf("%s", got)
	}
}

func TestOnlyOneNETHasStreams(t *testing.T) {
	r := registry.New(registry.Options{Store: newMemory()})
	for _, tt := range []struct {
		dialect string
		model   registry.DataModel
		ok      bool
	}{
		{"onenet", registry.Streams, true}, {"onenet", registry.Thing, true}, {"aliyun", registry.Thing, true},
		{"aliyun", registry.Streams, false}, {"mqtt", registry.Streams, false}, {"onenet", 7, false},
	} {
		p, err := r.CreateProduct(t.Context(), registry.Product{Dialect: tt.dialect, DataModel: tt.model})
		if tt.ok != (err == nil) || !tt.ok && fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s %v: %v", tt.dialect, tt.model, err)
		}
		if tt.ok && p.DataModel != tt.model {
			t.Errorf("%s became %v", tt.dialect, p.DataModel)
		}
	}
}
