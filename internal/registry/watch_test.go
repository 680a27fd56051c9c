package registry_test

import (
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/store/storetest"
)

func TestWatchGathers(t *testing.T) {
	r := registry.New(registry.Options{Store: storetest.NewMemory()})
	for _, key := range []string{"p", "q"} {
		if _, err := r.CreateProduct(t.Context(), registry.Product{Key: key, Dialect: "aliyun"}); err != nil {
			t.Fatal(err)
		}
	}
	w := r.Watch(t.Context(), "p")
	var all []registry.ID
	for range 250 {
		d, err := r.CreateDevice(t.Context(), registry.Device{Product: "p"})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.ID())
	}
	other, err := r.CreateDevice(t.Context(), registry.Device{Product: "q"})
	if err != nil {
		t.Fatal(err)
	}
	<-w.C()
	if n := w.News(); len(n.Changed) != 200 || !n.More || !n.Listed {
		t.Errorf("of 250 new devices: %d, more %v, listed %v", len(n.Changed), n.More, n.Listed)
	}
	for range 3 {
		r.WentOnline(all[0], time.Now(), "", "", "")
		r.WentOffline(all[0], time.Now(), "")
	}
	r.WentOnline(other.ID(), time.Now(), "", "", "")
	r.Refused(all[1], registry.Refusal{Code: "x"})
	if _, err := r.UpdateDevices(t.Context(), all[2:4], func(d *registry.Device) error { d.Enabled = false; return nil }); err != nil {
		t.Fatal(err)
	}
	<-w.C()
	if n := w.News(); len(n.Changed) != 3 || n.Changed[0] != all[0] || n.More || n.Listed {
		t.Errorf("%+v", n)
	}
	if n, err := r.DeleteDevices(t.Context(), append(all[:2:2], registry.ID{Product: "p", Device: "none"})); n != 2 || err != nil {
		t.Errorf("%d deleted, %v", n, err)
	}
	<-w.C()
	if n := w.News(); len(n.Changed) != 2 || !n.Listed {
		t.Errorf("%+v", n)
	}
}

func TestOnlineIsCountedAsItChanges(t *testing.T) {
	r := registry.New(registry.Options{Store: storetest.NewMemory()})
	if _, err := r.CreateProduct(t.Context(), registry.Product{Key: "p", Dialect: "aliyun"}); err != nil {
		t.Fatal(err)
	}
	var ids []registry.ID
	for range 3 {
		d, err := r.CreateDevice(t.Context(), registry.Device{Product: "p"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID())
	}
	want := func(n int) {
		t.Helper()
		if got := r.CountOnline(); got != n {
			t.Errorf("%d are online, not %d", got, n)
		}
	}
	for _, id := range ids {
		r.WentOnline(id, time.Now(), "", "", "")
		r.WentOnline(id, time.Now(), "", "", "")
	}
	want(3)
	r.WentOffline(ids[0], time.Now(), "")
	r.WentOffline(ids[0], time.Now(), "")
	r.Refused(ids[1], registry.Refusal{})
	want(2)
	if err := r.DeleteDevice(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	want(1)
}

func TestManyAreChangedOrNone(t *testing.T) {
	r := registry.New(registry.Options{Store: storetest.NewMemory()})
	if _, err := r.CreateProduct(t.Context(), registry.Product{Key: "p", Dialect: "aliyun"}); err != nil {
		t.Fatal(err)
	}
	var ids []registry.ID
	for range 2 {
		d, err := r.CreateDevice(t.Context(), registry.Device{Product: "p"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID())
	}
	ids = append(ids, registry.ID{Product: "p", Device: "none"})
	if n, err := r.UpdateDevices(t.Context(), ids, func(d *registry.Device) error { d.Tags = map[string]string{"room": "1"}; return nil }); n != 2 || err != nil {
		t.Errorf("%d changed, %v", n, err)
	}
	n, err := r.UpdateDevices(t.Context(), ids, func(d *registry.Device) error {
		d.Nickname = "new"
		if d.Name == ids[1].Device {
			d.Tags = map[string]string{"a b": "no name"}
		}
		return nil
	})
	if n != 0 || err == nil {
		t.Errorf("one is wrong: %d changed, %v", n, err)
	}
	if d, _ := r.Device(t.Context(), ids[0]); d.Nickname != "" || d.Tags["room"] != "1" {
		t.Errorf("%+v", d)
	}
}
