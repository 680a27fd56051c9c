package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
)

// A RemoteConfigStore keeps configurations of the products that it keeps.
type RemoteConfigStore interface {
	registry.Store
	remoteconfig.Store
}

// RemoteConfig is the contract of a remoteconfig.Store. open returns an empty
// store that lives as long as its test.
func RemoteConfig(t *testing.T, open func(t *testing.T) RemoteConfigStore) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, RemoteConfigStore)
	}{
		{"versions come back, the last ones are kept", configsComeBack},
		{"a configuration is on until it is off", configOff},
		{"deliveries come back, one of each device", deliveriesComeBack},
		{"a product takes its configurations with it", configGoes},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func aVersion(number int64) remoteconfig.Version {
	return remoteconfig.Version{
		ID: fmt.Sprintf("id%d", number), Product: "p", Number: number, Size: 7, SHA256: "ab", CreatedAt: registryTime, Content: []byte(`{"a":1}`),
	}
}

func configsComeBack(t *testing.T, s RemoteConfigStore) {
	withDevices(t, s)
	allSet(t, aVersion(1))
	for n := range int64(4) {
		noError(t, s.SaveConfig(t.Context(), aVersion(n+1), 3))
	}
	all, err := s.Configs(t.Context(), "p")
	noError(t, err)
	if len(all) != 3 || all[0].Number != 4 || all[2].Number != 2 {
		t.Fatalf("%+v", all)
	}
	want := aVersion(4)
	if got, err := s.Config(t.Context(), "id4"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if want.Content = nil; !reflect.DeepEqual(all[0], want) {
		t.Errorf("listed %+v", all[0])
	}
	if _, err := s.Config(t.Context(), "id1"); !errors.Is(err, remoteconfig.ErrNotFound) {
		t.Errorf("a forgotten version: %v", err)
	}
	if all, err := s.Configs(t.Context(), "another"); err != nil || len(all) > 0 {
		t.Errorf("of another product: %+v, %v", all, err)
	}
}

func configOff(t *testing.T, s RemoteConfigStore) {
	withDevices(t, s)
	for _, off := range []bool{false, true, true, false, false} {
		noError(t, s.SetConfigOff(t.Context(), "p", off))
		if got, err := s.ConfigOff(t.Context(), "p"); err != nil || got != off {
			t.Errorf("off is %v, not %v; %v", got, off, err)
		}
	}
}

func deliveriesComeBack(t *testing.T, s RemoteConfigStore) {
	withDevices(t, s)
	d := remoteconfig.Delivery{
		Product: "p", Device: "one", ConfigID: "id1", State: remoteconfig.Taken, Code: 200, Message: "success", PushedAt: registryTime, AnsweredAt: registryTime,
	}
	allSet(t, d)
	other := remoteconfig.Delivery{Product: "p", Device: "two", ConfigID: "id1", State: remoteconfig.Pushed, PushedAt: registryTime}
	nobody := other
	nobody.Device = "nobody"
	noError(t, s.SaveDeliveries(t.Context(), []remoteconfig.Delivery{other, nobody, d}))
	if got, err := s.Delivery(t.Context(), one); err != nil || got != d {
		t.Errorf("got %+v, %v", got, err)
	}
	d.State, d.Code = remoteconfig.Failed, 460
	noError(t, s.SaveDeliveries(t.Context(), []remoteconfig.Delivery{d}))
	noError(t, s.SaveDeliveries(t.Context(), nil))
	all, err := s.Deliveries(t.Context(), "p", "", 10)
	if err != nil || !reflect.DeepEqual(all, []remoteconfig.Delivery{d, other}) {
		t.Errorf("got %+v, %v", all, err)
	}
	if all, err = s.Deliveries(t.Context(), "p", "one", 1); err != nil || len(all) != 1 || all[0] != other {
		t.Errorf("behind one: %+v, %v", all, err)
	}
	if _, err := s.Delivery(t.Context(), registry.ID{Product: "p", Device: "nobody"}); !errors.Is(err, remoteconfig.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}

func configGoes(t *testing.T, s RemoteConfigStore) {
	withDevices(t, s)
	noError(t, s.SaveConfig(t.Context(), aVersion(1), 3))
	noError(t, s.SetConfigOff(t.Context(), "p", true))
	noError(t, s.SaveDeliveries(t.Context(), []remoteconfig.Delivery{{Product: "p", Device: "one", ConfigID: "id1", State: remoteconfig.Pushed}}))
	noError(t, s.DeleteProduct(t.Context(), "p"))
	withDevices(t, s)
	all, err1 := s.Configs(t.Context(), "p")
	off, err2 := s.ConfigOff(t.Context(), "p")
	list, err3 := s.Deliveries(t.Context(), "p", "", 10)
	if err := errors.Join(err1, err2, err3); err != nil || len(all) > 0 || off || len(list) > 0 {
		t.Errorf("the next product of that key has %+v, %v, %+v, %v", all, off, list, err)
	}
}
