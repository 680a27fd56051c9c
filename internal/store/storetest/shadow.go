package storetest

import (
	"math"
	"reflect"
	"testing"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/thing"
)

// A ShadowStore keeps shadows of the devices that it keeps.
type ShadowStore interface {
	registry.Store
	shadow.Store
}

// Shadow is the contract of a shadow.Store. open returns an empty store that
// lives as long as its test.
func Shadow(t *testing.T, open func(t *testing.T) ShadowStore) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, ShadowStore)
	}{
		{"shadows come back as they went in", shadowsComeBack},
		{"desired values come back as they went in", desiredComeBack},
		{"nothing is kept for a device that does not exist", shadowOfNobody},
		{"a device takes its shadow and desired values with it", shadowGoes},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

var one, two = registry.ID{Product: "p", Device: "one"}, registry.ID{Product: "p", Device: "two"}

func withDevices(t *testing.T, s registry.Store) {
	t.Helper()
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "one"), aDevice("p", "two")}))
}

func aShadow() dialect.Shadow {
	return dialect.Shadow{
		Reported: []dialect.ShadowAttribute{
			{Name: "colour 色", Value: thing.TextValue(`red "x"`), At: registryTime}, {Name: "n", Value: thing.FloatValue(1.5), At: registryTime},
			{Name: "o", Value: thing.ObjectValue(`{"a":[1,"<2>"]}`), At: registryTime},
		},
		Desired:   []dialect.ShadowAttribute{{Name: "on", Value: thing.BoolValue(true), At: registryTime}},
		Version:   math.MaxInt64,
		UpdatedAt: registryTime,
	}
}

func shadowsComeBack(t *testing.T, s ShadowStore) {
	withDevices(t, s)
	want := aShadow()
	allSet(t, want)
	noError(t, s.SaveShadow(t.Context(), one, want))
	got, err := s.Shadow(t.Context(), one)
	noError(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, not %+v", got, want)
	}
	want.Version, want.Desired, want.Reported = 0, nil, want.Reported[:1]
	noError(t, s.SaveShadow(t.Context(), one, want))
	if got, err = s.Shadow(t.Context(), one); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("written over: got %+v, %v", got, err)
	}
	if got, err = s.Shadow(t.Context(), two); err != nil || !reflect.DeepEqual(got, dialect.Shadow{}) {
		t.Errorf("of another: got %+v, %v", got, err)
	}
	noError(t, s.DeleteShadow(t.Context(), one))
	if got, err = s.Shadow(t.Context(), one); err != nil || !reflect.DeepEqual(got, dialect.Shadow{}) {
		t.Errorf("deleted: got %+v, %v", got, err)
	}
}

func desiredComeBack(t *testing.T, s ShadowStore) {
	withDevices(t, s)
	a := dialect.DesiredValue{Property: "a", Value: thing.TextValue("on"), Version: 1, At: registryTime}
	b := dialect.DesiredValue{Property: "b", Value: thing.IntValue(7), Version: math.MaxInt64, At: registryTime}
	allSet(t, a)
	noError(t, s.SaveDesired(t.Context(), one, []dialect.DesiredValue{b, a}, nil))
	want := func(values ...dialect.DesiredValue) {
		t.Helper()
		got, err := s.Desired(t.Context(), one)
		noError(t, err)
		if !reflect.DeepEqual(got, values) {
			t.Errorf("got %+v, not %+v", got, values)
		}
	}
	want(a, b)
	a.Value, a.Version = thing.BoolValue(false), 2
	noError(t, s.SaveDesired(t.Context(), one, []dialect.DesiredValue{a}, []string{"b", "c"}))
	want(a)
	if got, err := s.Desired(t.Context(), two); err != nil || len(got) > 0 {
		t.Errorf("of another: %+v, %v", got, err)
	}
	noError(t, s.SaveDesired(t.Context(), one, nil, []string{"a"}))
	want()
}

func shadowOfNobody(t *testing.T, s ShadowStore) {
	withDevices(t, s)
	nobody := registry.ID{Product: "p", Device: "nobody"}
	if err := s.SaveShadow(t.Context(), nobody, aShadow()); err == nil {
		t.Error("the shadow of nobody is kept")
	}
	if err := s.SaveDesired(t.Context(), nobody, []dialect.DesiredValue{{Property: "a", Value: thing.IntValue(1), Version: 1}}, nil); err == nil {
		t.Error("the desired value of nobody is kept")
	}
}

func shadowGoes(t *testing.T, s ShadowStore) {
	withDevices(t, s)
	noError(t, s.SaveShadow(t.Context(), one, aShadow()))
	noError(t, s.SaveDesired(t.Context(), one, []dialect.DesiredValue{{Property: "a", Value: thing.IntValue(1), Version: 1}}, nil))
	noError(t, deleteDevice(t, s, one))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "one")}))
	if got, err := s.Shadow(t.Context(), one); err != nil || !reflect.DeepEqual(got, dialect.Shadow{}) {
		t.Errorf("the next device of that name has %+v, %v", got, err)
	}
	if got, err := s.Desired(t.Context(), one); err != nil || len(got) > 0 {
		t.Errorf("the next device of that name has %+v, %v", got, err)
	}
}
