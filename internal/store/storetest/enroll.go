package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/registry"
)

// A House is a store of products and of what enroll keeps about them.
type House interface {
	registry.Store
	enroll.Store
}

// Enroll is the contract of an enroll.Store. open returns an empty store that
// lives as long as its test.
func Enroll(t *testing.T, open func(t *testing.T) House) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, House)
	}{
		{"registrations come back as they went in", enrollmentsComeBack},
		{"a list holds a name once", namesListed},
		{"thousands of names are added at once", namesMany},
		{"batches say how they are now", batchesCounted},
		{"a batch has the devices that were made with it", batchDevicesListed},
		{"all goes with the product", enrollGoesWithProduct},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func anEnrollment(product, device string) enroll.Enrollment {
	return enroll.Enrollment{
		ID: registry.ID{Product: product, Device: device}, Road: "https", Free: true, Addr: "10.0.0.1:5", FirstAt: registryTime,
		LastAt: registryTime.Add(time.Hour), SecretAt: registryTime.Add(time.Minute), Times: 3,
	}
}

func enrollmentsComeBack(t *testing.T, s House) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "d")}))
	e := anEnrollment("p", "d")
	allSet(t, e)
	if _, err := s.Enrollment(t.Context(), e.ID); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	for _, change := range []func(){func() {}, func() { e.Times, e.Free, e.Road = 4, false, "mqtt" }} {
		change()
		noError(t, s.SaveEnrollment(t.Context(), &e))
		if got, err := s.Enrollment(t.Context(), e.ID); err != nil || !reflect.DeepEqual(*got, e) {
			t.Errorf("got %+v, not %+v, %v", got, e, err)
		}
	}
	gone := anEnrollment("p", "gone")
	if err := s.SaveEnrollment(t.Context(), &gone); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a device that is not there: %v", err)
	}
	noError(t, s.DeleteEnrollment(t.Context(), e.ID))
	if err := s.DeleteEnrollment(t.Context(), e.ID); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	noError(t, s.SaveEnrollment(t.Context(), &e))
	noError(t, deleteDevice(t, s, e.ID))
	if _, err := s.Enrollment(t.Context(), e.ID); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a deleted device: %v", err)
	}
}

func namesListed(t *testing.T, s House) {
	for _, key := range []string{"p", "q"} {
		noError(t, s.InsertProduct(t.Context(), aProduct(key)))
	}
	for _, tt := range []struct {
		product string
		names   []string
		added   int
	}{{"p", []string{"c", "a", "b", "a"}, 3}, {"p", []string{"a", "d"}, 1}, {"q", []string{"a"}, 1}} {
		if n, err := s.AddNames(t.Context(), tt.product, tt.names, registryTime); n != tt.added || err != nil {
			t.Errorf("%v: %d, %v", tt.names, n, err)
		}
	}
	if _, err := s.AddNames(t.Context(), "gone", []string{"a"}, registryTime); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a product that is not there: %v", err)
	}
	for name, want := range map[string]bool{"a": true, "d": true, "e": false, "A": false} {
		if got, err := s.HasName(t.Context(), "p", name); got != want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	first, err := s.Names(t.Context(), "p", "", "", 2)
	noError(t, err)
	rest, err := s.Names(t.Context(), "p", "", "b", 10)
	noError(t, err)
	if !slices.Equal(first, []string{"a", "b"}) || !slices.Equal(rest, []string{"c", "d"}) {
		t.Errorf("%v, then %v", first, rest)
	}
	if some, err := s.Names(t.Context(), "p", "C", "", 10); !slices.Equal(some, []string{"c"}) || err != nil {
		t.Errorf("with a C in them: %v, %v", some, err)
	}
	if none, err := s.Names(t.Context(), "p", "%", "", 10); len(none) > 0 || err != nil {
		t.Errorf("with a %% in them: %v, %v", none, err)
	}
	if n, err := s.RemoveNames(t.Context(), "p", []string{"a", "e", "b"}); n != 2 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	if n, err := s.CountNames(t.Context(), "p"); n != 2 || err != nil {
		t.Errorf("%d left, %v", n, err)
	}
	if there, err := s.HasName(t.Context(), "q", "a"); !there || err != nil {
		t.Errorf("another product's list has changed, %v", err)
	}
}

func namesMany(t *testing.T, s House) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	names := make([]string, enroll.MaxNamesAtOnce)
	for i := range names {
		names[i] = fmt.Sprint("n", i)
	}
	if n, err := s.AddNames(t.Context(), "p", names, registryTime); n != len(names) || err != nil {
		t.Errorf("%d added, %v", n, err)
	}
}

func batchesCounted(t *testing.T, s House) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	for _, name := range []string{"b2", "b1"} {
		noError(t, s.InsertBatch(t.Context(), &enroll.Batch{Product: "p", Name: name, Note: "三月", CreatedAt: registryTime}))
	}
	if err := s.InsertBatch(t.Context(), &enroll.Batch{Product: "p", Name: "b1"}); !errors.Is(err, registry.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	if err := s.InsertBatch(t.Context(), &enroll.Batch{Product: "gone", Name: "b1"}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of no product: %v", err)
	}
	off := aDevice("p", "off")
	off.Enabled = false
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "one"), aDevice("p", "two"), off}))
	e := anEnrollment("p", "one")
	noError(t, s.SaveEnrollment(t.Context(), &e))
	noError(t, s.SavePresence(t.Context(), map[registry.ID]registry.Presence{
		{Product: "p", Device: "one"}: {Status: registry.Status{State: registry.Offline, ActivatedAt: registryTime}},
		{Product: "p", Device: "two"}: {Status: registry.Status{State: registry.Inactive, Refusals: 1}},
	}))
	want := enroll.Batch{Product: "p", Name: "b1", Note: "三月", CreatedAt: registryTime, Devices: 3, Registered: 1, Activated: 1, Disabled: 1}
	allSet(t, want)
	if got, err := s.Batch(t.Context(), "p", "b1"); err != nil || *got != want {
		t.Errorf("got %+v, not %+v, %v", got, want, err)
	}
	all, err := s.Batches(t.Context(), "p", "", 10)
	noError(t, err)
	if len(all) != 2 || all[0] != want || all[1].Name != "b2" || all[1].Devices != 0 {
		t.Errorf("%+v", all)
	}
	if rest, err := s.Batches(t.Context(), "p", "b1", 10); err != nil || len(rest) != 1 {
		t.Errorf("behind the first: %+v, %v", rest, err)
	}
	noError(t, s.DeleteBatch(t.Context(), "p", "b2"))
	if _, err := s.Batch(t.Context(), "p", "b2"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if err := s.DeleteBatch(t.Context(), "p", "b2"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func batchDevicesListed(t *testing.T, s House) {
	for _, key := range []string{"p", "q"} {
		noError(t, s.InsertProduct(t.Context(), aProduct(key)))
	}
	loose := aDevice("p", "loose")
	loose.Batch = ""
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "one"), aDevice("p", "two"), loose}))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("q", "one")}))
	e := anEnrollment("p", "one")
	noError(t, s.SaveEnrollment(t.Context(), &e))
	noError(t, s.SavePresence(t.Context(), map[registry.ID]registry.Presence{
		{Product: "p", Device: "one"}: {Status: registry.Status{ActivatedAt: registryTime.Add(2 * time.Hour)}},
	}))
	all, err := s.BatchDevices(t.Context(), "p", "b1", "", 10)
	noError(t, err)
	want := []enroll.BatchDevice{
		{Device: aDevice("p", "one"), RegisteredAt: e.LastAt, Registered: 3, Road: "https", ActivatedAt: registryTime.Add(2 * time.Hour)},
		{Device: aDevice("p", "two")},
	}
	allSet(t, want[0])
	if !reflect.DeepEqual(all, want) {
		t.Errorf("got %+v, not %+v", all, want)
	}
	for _, tt := range []struct {
		batch, after string
		limit, want  int
	}{{"b1", "", 1, 1}, {"b1", "one", 10, 1}, {"b2", "", 10, 0}, {"", "", 10, 0}} {
		if got, err := s.BatchDevices(t.Context(), "p", tt.batch, tt.after, tt.limit); err != nil || len(got) != tt.want {
			t.Errorf("%+v: %+v, %v", tt, got, err)
		}
	}
}

func enrollGoesWithProduct(t *testing.T, s House) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "d")}))
	noError(t, s.InsertBatch(t.Context(), &enroll.Batch{Product: "p", Name: "b1"}))
	e := anEnrollment("p", "d")
	noError(t, s.SaveEnrollment(t.Context(), &e))
	_, err := s.AddNames(t.Context(), "p", []string{"d"}, registryTime)
	noError(t, err)
	noError(t, s.DeleteProduct(t.Context(), "p"))
	if _, err := s.Batch(t.Context(), "p", "b1"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("its batch: %v", err)
	}
	if n, err := s.CountNames(t.Context(), "p"); n != 0 || err != nil {
		t.Errorf("its list: %d, %v", n, err)
	}
	if _, err := s.Enrollment(t.Context(), e.ID); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("its registrations: %v", err)
	}
}
