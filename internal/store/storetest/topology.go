package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

// gateways makes two gateways, p/g1 and p/g2, and n devices q/s0, q/s1, … It
// returns their names.
func gateways(t *testing.T, s registry.Store, n int) (g1, g2 registry.ID, subs []registry.ID) {
	t.Helper()
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	noError(t, s.InsertProduct(t.Context(), aProduct("q")))
	all := []registry.Device{aDevice("p", "g1"), aDevice("p", "g2")}
	for i := range n {
		d := aDevice("q", fmt.Sprint("s", i))
		all, subs = append(all, d), append(subs, d.ID())
	}
	noError(t, s.InsertDevices(t.Context(), all))
	return all[0].ID(), all[1].ID(), subs
}

func oneGateway(t *testing.T, s registry.Store) {
	g1, g2, subs := gateways(t, s, 3)
	noError(t, s.Bind(t.Context(), g1, subs[:2], registryTime))
	noError(t, s.Bind(t.Context(), g2, subs[1:], registryTime.Add(time.Hour)))
	want := registry.Binding{Sub: subs[1], Gateway: g2, At: registryTime.Add(time.Hour)}
	if got, err := s.Binding(t.Context(), subs[1]); err != nil || *got != want {
		t.Errorf("moved: %+v, %v", got, err)
	}
	for g, want := range map[registry.ID]int{g1: 1, g2: 2, subs[0]: 0} {
		if n, err := s.CountBindings(t.Context(), g); n != want || err != nil {
			t.Errorf("%s has %d, %v", g, n, err)
		}
	}
	noError(t, s.Unbind(t.Context(), g1, subs)) // only its own
	if _, err := s.Binding(t.Context(), subs[0]); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unbound: %v", err)
	}
	if n, err := s.CountBindings(t.Context(), g2); n != 2 || err != nil {
		t.Errorf("the other gateway has %d, %v", n, err)
	}
	gone := registry.ID{Product: "q", Device: "gone"}
	if err := s.Bind(t.Context(), g1, []registry.ID{subs[0], gone}, registryTime); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a sub-device that is not there: %v", err)
	}
	if err := s.Bind(t.Context(), gone, subs[:1], registryTime); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a gateway that is not there: %v", err)
	}
	if n, err := s.CountBindings(t.Context(), g1); n != 0 || err != nil {
		t.Errorf("all or none: %d, %v", n, err)
	}
}

func subsInPages(t *testing.T, s registry.Store) {
	g1, g2, subs := gateways(t, s, 7)
	noError(t, s.Bind(t.Context(), g1, subs[:5], registryTime))
	noError(t, s.Bind(t.Context(), g2, subs[5:], registryTime))
	var got []registry.ID
	for after := ""; ; {
		page, err := s.Bindings(t.Context(), g1, after, 2)
		noError(t, err)
		if len(page) == 0 {
			break
		}
		for _, b := range page {
			if b.Gateway != g1 || !b.At.Equal(registryTime) {
				t.Errorf("%+v", b)
			}
			got = append(got, b.Sub)
		}
		after = page[len(page)-1].Sub.String()
	}
	if !reflect.DeepEqual(got, subs[:5]) {
		t.Errorf("%v", got)
	}
}

func bindingsGo(t *testing.T, s registry.Store) {
	g1, g2, subs := gateways(t, s, 3)
	noError(t, s.Bind(t.Context(), g1, subs[:2], registryTime))
	noError(t, s.Bind(t.Context(), g2, subs[2:], registryTime))
	noError(t, s.SaveFound(t.Context(), g2, subs, registryTime, 10))
	noError(t, deleteDevice(t, s, subs[0]))
	if n, err := s.CountBindings(t.Context(), g1); n != 1 || err != nil {
		t.Errorf("with its sub-device: %d, %v", n, err)
	}
	noError(t, deleteDevice(t, s, g2))
	if _, err := s.Binding(t.Context(), subs[2]); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("with the gateway: %v", err)
	}
	if found, err := s.Found(t.Context(), g2); len(found) != 0 || err != nil {
		t.Errorf("what it had found: %v, %v", found, err)
	}
	noError(t, s.DeleteProduct(t.Context(), "q"))
	if n, err := s.CountBindings(t.Context(), g1); n != 0 || err != nil {
		t.Errorf("with the product: %d, %v", n, err)
	}
}

func foundKept(t *testing.T, s registry.Store) {
	g1, g2, subs := gateways(t, s, 2)
	stranger := registry.ID{Product: "nobody's", Device: "x"}
	noError(t, s.SaveFound(t.Context(), g1, []registry.ID{subs[0], stranger}, registryTime, 10))
	noError(t, s.SaveFound(t.Context(), g1, []registry.ID{subs[1], subs[0]}, registryTime.Add(time.Minute), 10))
	noError(t, s.Bind(t.Context(), g2, subs[:1], registryTime))
	want := []registry.Found{{Sub: stranger, At: registryTime}, {Sub: subs[0], At: registryTime.Add(time.Minute)}, {Sub: subs[1], At: registryTime.Add(time.Minute)}}
	if got, err := s.Found(t.Context(), g1); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	noError(t, s.Bind(t.Context(), g1, subs[:1], registryTime))
	if got, err := s.Found(t.Context(), g1); err != nil || !reflect.DeepEqual(got, []registry.Found{want[0], want[2]}) {
		t.Errorf("without what it has: %+v, %v", got, err)
	}
	noError(t, s.SaveFound(t.Context(), g1, nil, registryTime, 2))
	if got, err := s.Found(t.Context(), g1); err != nil || !reflect.DeepEqual(got, want[2:]) {
		t.Errorf("the newest two, of which it has one: %+v, %v", got, err)
	}
	if err := s.SaveFound(t.Context(), stranger, subs, registryTime, 1); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a gateway that is not there: %v", err)
	}
}
