package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// Registry is the contract of a registry.Store. open returns an empty store
// that lives as long as its test.
func Registry(t *testing.T, open func(t *testing.T) registry.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, registry.Store)
	}{
		{"products come back as they went in", productsComeBack},
		{"products are listed by key, in pages", productsListed},
		{"an unknown product is not found", productNotFound},
		{"devices come back as they went in", devicesComeBack},
		{"devices are made all or none", devicesAllOrNone},
		{"thousands of devices are made at once", devicesMany},
		{"devices are found by what they are", devicesFound},
		{"devices come in pages, each once", devicesInPages},
		{"models are kept, a draft beside them", modelsKept},
		{"a product goes with its devices", productGoes},
		{"a device is found by its certificate", deviceByCertificate},
		{"a batch is disabled and enabled at once", batchEnabled},
		{"presence is kept for devices that exist", presenceKept},
		{"after a restart nobody is online", allOffline},
		{"a sub-device has one gateway", oneGateway},
		{"sub-devices come in pages, each once", subsInPages},
		{"bindings go with the devices", bindingsGo},
		{"what a gateway found is kept, the newest", foundKept},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

var registryTime = time.Date(2025, 3, 1, 12, 0, 0, 123e6, time.UTC)

func aProduct(key string) *registry.Product {
	m := &thing.Model{Properties: []thing.Property{{ID: "Temp", Name: "温度", Type: thing.DataType{Kind: thing.Float, Unit: "°C"}}}}
	return &registry.Product{
		Key: key, Name: "Lamp 灯", Desc: "a lamp", Dialect: "aliyun", Strictness: registry.Strict, Secret: "s", PreviousSecret: "old",
		Registration: registry.Registration{Enabled: true, Free: true, Listed: true, MaxDevices: 7},
		Model:        m.Index(), ModelVersion: 3, NodeType: registry.GatewayNode, DataModel: registry.Streams, CreatedAt: registryTime, UpdatedAt: registryTime.Add(time.Second),
	}
}

func aDevice(product, name string) registry.Device {
	return registry.Device{
		Product: product, Name: name, Secret: "secret of " + name, PreviousSecret: "old", Nickname: "灯 " + name, Enabled: true,
		Tags: map[string]string{"room": "1"}, SystemTags: map[string]string{"SYS_SDK_LANGUAGE": "C"}, RemoteLog: true,
		Batch: "b1", Certificate: "certificate of " + name, CreatedAt: registryTime, UpdatedAt: registryTime.Add(time.Second),
	}
}

// A deleter is a store as far as tests of others need it.
type deleter interface {
	DeleteDevices(ctx context.Context, ids []registry.ID) ([]registry.ID, error)
}

// deleteDevice deletes one device; it is an error where there is none.
func deleteDevice(t *testing.T, s deleter, id registry.ID) error {
	missing, err := s.DeleteDevices(t.Context(), []registry.ID{id})
	if err == nil && len(missing) > 0 {
		err = registry.ErrNotFound
	}
	return err
}

// updateDevice changes one device; it is an error where there is none.
func updateDevice(t *testing.T, s registry.Store, d registry.Device) error {
	missing, err := s.UpdateDevices(t.Context(), []registry.Device{d})
	if err == nil && len(missing) > 0 {
		err = registry.ErrNotFound
	}
	return err
}

// allSet makes sure that a test forgets no field that a store must keep.
func allSet(t *testing.T, v any) {
	t.Helper()
	s := reflect.ValueOf(v)
	for i := range s.NumField() {
		if s.Field(i).IsZero() {
			t.Fatalf("%T: the test leaves %s empty", v, s.Type().Field(i).Name)
		}
	}
}

func productsComeBack(t *testing.T, s registry.Store) {
	p := aProduct("p")
	allSet(t, *p)
	noError(t, s.InsertProduct(t.Context(), p))
	if err := s.InsertProduct(t.Context(), p); !errors.Is(err, registry.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	got, err := s.Product(t.Context(), "p")
	noError(t, err)
	if _, known := got.Model.Property("Temp"); !known {
		t.Error("the model is not indexed")
	}
	if !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v, not %+v", got, p)
	}
	p.Name, p.Strictness, p.Secret, p.ModelVersion, p.Registration = "another", registry.Open, "new", 4, registry.Registration{}
	noError(t, s.UpdateProduct(t.Context(), p))
	if got, err = s.Product(t.Context(), "p"); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("updated %+v, %v", got, err)
	}
}

func productsListed(t *testing.T, s registry.Store) {
	for _, key := range []string{"c", "a", "b"} {
		noError(t, s.InsertProduct(t.Context(), aProduct(key)))
	}
	for _, tt := range []struct {
		q    registry.ProductQuery
		want string
	}{
		{registry.ProductQuery{Limit: 10}, "abc"},
		{registry.ProductQuery{Limit: 2}, "ab"},
		{registry.ProductQuery{Limit: 2, After: "b"}, "c"},
		{registry.ProductQuery{Limit: 10, Text: "LAMP"}, "abc"},
		{registry.ProductQuery{Limit: 10, Text: "灯"}, "abc"},
		{registry.ProductQuery{Limit: 10, Text: "%"}, ""},
		{registry.ProductQuery{Limit: 10, Text: "_"}, ""},
	} {
		found, err := s.Products(t.Context(), tt.q)
		noError(t, err)
		got := ""
		for _, p := range found {
			got += p.Key
		}
		if got != tt.want {
			t.Errorf("%+v: %q, not %q", tt.q, got, tt.want)
		}
	}
}

func productNotFound(t *testing.T, s registry.Store) {
	_, err := s.Product(t.Context(), "p")
	for what, err := range map[string]error{
		"product": err, "update": s.UpdateProduct(t.Context(), aProduct("p")), "delete": s.DeleteProduct(t.Context(), "p"),
	} {
		if !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	d := aDevice("p", "d")
	_, deviceErr := s.Device(t.Context(), d.ID())
	_, presenceErr := s.Presence(t.Context(), d.ID())
	for what, err := range map[string]error{
		"device": deviceErr, "presence": presenceErr, "update": updateDevice(t, s, d), "delete": deleteDevice(t, s, d.ID()),
		"insert without a product": s.InsertDevices(t.Context(), []registry.Device{d}),
		"insert, the second without a product": func() error {
			noError(t, s.InsertProduct(t.Context(), aProduct("q")))
			return s.InsertDevices(t.Context(), []registry.Device{aDevice("q", "d"), d})
		}(),
	} {
		if !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("device's %s: %v", what, err)
		}
	}
	if n, err := s.CountDevices(t.Context(), registry.DeviceQuery{}); n != 0 || err != nil {
		t.Errorf("%d devices, %v", n, err)
	}
}

func devicesComeBack(t *testing.T, s registry.Store) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	d := aDevice("p", "d")
	allSet(t, d)
	bare := registry.Device{Product: "p", Name: "bare"}
	noError(t, s.InsertDevices(t.Context(), []registry.Device{d, bare}))
	for _, want := range []registry.Device{d, bare} {
		got, err := s.Device(t.Context(), want.ID())
		noError(t, err)
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v, not %+v", *got, want)
		}
	}
	d.Secret, d.Enabled, d.Tags, d.Nickname = "new", false, nil, ""
	noError(t, updateDevice(t, s, d))
	if got, err := s.Device(t.Context(), d.ID()); err != nil || !reflect.DeepEqual(*got, d) {
		t.Errorf("updated %+v, %v", got, err)
	}
	noError(t, deleteDevice(t, s, d.ID()))
	if _, err := s.Device(t.Context(), d.ID()); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
}

func devicesAllOrNone(t *testing.T, s registry.Store) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "two")}))
	err := s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "one"), aDevice("p", "two"), aDevice("p", "three")})
	var taken *registry.ExistsError
	if !errors.As(err, &taken) || taken.Row != 1 || !errors.Is(err, registry.ErrExists) {
		t.Errorf("one is there already: %v", err)
	}
	if n, err := s.CountDevices(t.Context(), registry.DeviceQuery{Product: "p"}); n != 1 || err != nil {
		t.Errorf("%d devices, %v", n, err)
	}
}

func devicesMany(t *testing.T, s registry.Store) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	all := make([]registry.Device, registry.MaxBatch)
	for i := range all {
		all[i] = aDevice("p", fmt.Sprint("d", i))
	}
	last := len(all) - 1
	noError(t, s.InsertDevices(t.Context(), all[last:]))
	var taken *registry.ExistsError
	if err := s.InsertDevices(t.Context(), all); !errors.As(err, &taken) || taken.Row != last {
		t.Fatalf("the last is there already: %v", err)
	}
	if n, err := s.CountDevices(t.Context(), registry.DeviceQuery{Product: "p"}); n != 1 || err != nil {
		t.Fatalf("%d devices are left of none, %v", n, err)
	}
	noError(t, deleteDevice(t, s, all[last].ID()))
	noError(t, s.InsertDevices(t.Context(), all))
	if n, err := s.CountDevices(t.Context(), registry.DeviceQuery{Product: "p"}); n != len(all) || err != nil {
		t.Errorf("%d devices of %d, %v", n, len(all), err)
	}
}

func devicesFound(t *testing.T, s registry.Store) {
	for _, key := range []string{"p", "q"} {
		noError(t, s.InsertProduct(t.Context(), aProduct(key)))
	}
	off := aDevice("p", "off")
	off.Batch = "b2"
	off.Enabled, off.Tags, off.Nickname = false, map[string]string{"room": "2", "floor": "1"}, "100% ÉCOLE a_b"
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "lamp1"), aDevice("p", "lamp2"), off}))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("q", "lamp1")}))
	noError(t, s.SavePresence(t.Context(), map[registry.ID]registry.Presence{
		{Product: "p", Device: "lamp1"}: {Status: registry.Status{State: registry.Online}},
		{Product: "p", Device: "off"}:   {Status: registry.Status{State: registry.Online}},
		{Product: "q", Device: "lamp1"}: {Status: registry.Status{State: registry.Offline}},
	}))
	state := func(s registry.State) *registry.State { return &s }
	for _, tt := range []struct {
		q    registry.DeviceQuery
		want string
	}{
		{registry.DeviceQuery{}, "p/lamp1 p/lamp2 p/off q/lamp1 "},
		{registry.DeviceQuery{Product: "q"}, "q/lamp1 "},
		{registry.DeviceQuery{Text: "LAMP1"}, "p/lamp1 q/lamp1 "},
		{registry.DeviceQuery{Text: "%"}, "p/off "},
		{registry.DeviceQuery{Text: "_"}, "p/off "},
		{registry.DeviceQuery{Text: "ÉcolE"}, "p/off "},
		{registry.DeviceQuery{Tag: "floor"}, "p/off "},
		{registry.DeviceQuery{Tag: "room=2"}, "p/off "},
		{registry.DeviceQuery{Tag: "room=3"}, ""},
		{registry.DeviceQuery{Tag: "floor=1", Text: "100", State: state(registry.Disabled), Product: "p", Batch: "b2"}, "p/off "},
		{registry.DeviceQuery{Tag: "floor=1", Text: "lamp"}, ""},
		{registry.DeviceQuery{Tag: "oom=2"}, ""},
		{registry.DeviceQuery{Tag: "room="}, ""},
		{registry.DeviceQuery{Batch: "b2"}, "p/off "},
		{registry.DeviceQuery{Batch: "b1", Product: "p"}, "p/lamp1 p/lamp2 "},
		{registry.DeviceQuery{State: state(registry.Online)}, "p/lamp1 "},
		{registry.DeviceQuery{State: state(registry.Disabled)}, "p/off "},
		{registry.DeviceQuery{State: state(registry.Inactive)}, "p/lamp2 "},
		{registry.DeviceQuery{State: state(registry.Offline), Product: "p"}, ""},
	} {
		tt.q.Limit = 10
		found, err := s.Devices(t.Context(), tt.q)
		noError(t, err)
		tt.q.Limit, tt.q.After = 1, "p/lamp2"
		if n, err := s.CountDevices(t.Context(), tt.q); n != len(found) || err != nil {
			t.Errorf("%+v: counted %d, %v", tt.q, n, err)
		}
		got := ""
		for i := range found {
			got += found[i].ID().String() + " "
		}
		if got != tt.want {
			t.Errorf("%+v: %q, not %q", tt.q, got, tt.want)
		}
	}
	for product, want := range map[string]string{"": "[{room 1 3} {floor 1 1}]", "p": "[{room 1 2} {floor 1 1}]", "q": "[{room 1 1}]", "none": "[]"} {
		if tags, err := s.CountTags(t.Context(), product, 2); fmt.Sprint(tags) != want || err != nil {
			t.Errorf("tags of %q: %v, not %s, %v", product, tags, want, err)
		}
	}
}

func devicesInPages(t *testing.T, s registry.Store) {
	for _, key := range []string{"p", "q"} {
		noError(t, s.InsertProduct(t.Context(), aProduct(key)))
		var all []registry.Device
		for i := range 7 {
			all = append(all, aDevice(key, fmt.Sprintf("d%d", i)))
		}
		noError(t, s.InsertDevices(t.Context(), all))
	}
	after, seen := "", 0
	for {
		found, err := s.Devices(t.Context(), registry.DeviceQuery{Limit: 4, After: after})
		noError(t, err)
		if len(found) == 0 {
			break
		}
		for i := range found {
			if id := found[i].ID().String(); id <= after {
				t.Fatalf("%s after %s", id, after)
			} else {
				after = id
			}
			seen++
		}
	}
	if seen != 14 {
		t.Errorf("%d devices", seen)
	}
}

func productGoes(t *testing.T, s registry.Store) {
	for _, key := range []string{"p", "q"} {
		noError(t, s.InsertProduct(t.Context(), aProduct(key)))
		noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice(key, "d")}))
	}
	noError(t, s.DeleteProduct(t.Context(), "p"))
	if _, err := s.Device(t.Context(), registry.ID{Product: "p", Device: "d"}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("its device: %v", err)
	}
	if n, err := s.CountDevices(t.Context(), registry.DeviceQuery{}); n != 1 || err != nil {
		t.Errorf("%d devices in all, %v", n, err)
	}
}

func deviceByCertificate(t *testing.T, s registry.Store) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	bare := aDevice("p", "bare")
	bare.Certificate = ""
	noError(t, s.InsertDevices(t.Context(), []registry.Device{bare, aDevice("p", "one")}))
	got, err := s.DeviceByCertificate(t.Context(), "certificate of one")
	noError(t, err)
	if want := aDevice("p", "one"); !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, not %+v", *got, want)
	}
	for _, none := range []string{"", "certificate of two"} {
		if _, err := s.DeviceByCertificate(t.Context(), none); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q: %v", none, err)
		}
	}
}

func batchEnabled(t *testing.T, s registry.Store) {
	for _, key := range []string{"p", "q"} {
		noError(t, s.InsertProduct(t.Context(), aProduct(key)))
		loose := aDevice(key, "loose")
		loose.Batch = ""
		noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice(key, "one"), aDevice(key, "two"), loose}))
	}
	at := registryTime.Add(time.Hour)
	for _, tt := range []struct {
		batch   string
		enabled bool
		changed int
	}{{"b1", false, 2}, {"b1", false, 0}, {"", false, 0}, {"b2", false, 0}, {"b1", true, 2}, {"b1", false, 2}} {
		ids, err := s.EnableBatch(t.Context(), "p", tt.batch, tt.enabled, at)
		noError(t, err)
		if len(ids) != tt.changed {
			t.Errorf("%q %v: %v", tt.batch, tt.enabled, ids)
		}
	}
	for id, enabled := range map[string]bool{"p/one": false, "p/two": false, "p/loose": true, "q/one": true} {
		ref, _ := registry.ParseID(id)
		d, err := s.Device(t.Context(), ref)
		noError(t, err)
		if d.Enabled != enabled || d.UpdatedAt.Equal(at) == enabled {
			t.Errorf("%s: %+v", id, d)
		}
	}
}

func presenceKept(t *testing.T, s registry.Store) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	d := aDevice("p", "d")
	noError(t, s.InsertDevices(t.Context(), []registry.Device{d}))
	want := registry.Presence{Status: registry.Status{
		State: registry.Offline, Since: registryTime, ActivatedAt: registryTime.Add(-time.Hour), LastAddr: "10.0.0.1:5", LastOnline: registryTime,
		LastOffline: registryTime.Add(time.Minute), OfflineReason: "keep-alive over", ClientID: "c", Protocol: "MQTT 3.1.1 over tcp", KeepAlive: 1200,
		Refusals: 3, LastRefusal: &registry.Refusal{At: registryTime, Code: "x", SentenceZH: "错", Count: 2},
	}}
	all := want.Status
	all.ReasonZH = "不保存" // said by who shows a status
	allSet(t, all)
	gone := registry.ID{Product: "p", Device: "gone"}
	activated := func(when string, id registry.ID, want bool) {
		t.Helper()
		if got, err := s.Activated(t.Context(), id); err != nil || got != want {
			t.Errorf("%s: activated is %v, %v", when, got, err)
		}
	}
	activated("of a device that never came", d.ID(), false)
	noError(t, s.SavePresence(t.Context(), map[registry.ID]registry.Presence{d.ID(): {}, gone: want}))
	activated("refused only", d.ID(), false)
	activated("of a device that is gone", gone, false)
	noError(t, s.SavePresence(t.Context(), map[registry.ID]registry.Presence{d.ID(): want}))
	activated("kept", d.ID(), true)
	got, err := s.Presence(t.Context(), d.ID())
	noError(t, err)
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, not %+v", *got, want)
	}
	if _, err := s.Presence(t.Context(), gone); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a device that is gone: %v", err)
	}
	noError(t, deleteDevice(t, s, d.ID()))
	if _, err := s.Presence(t.Context(), d.ID()); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a deleted device: %v", err)
	}
	activated("of a deleted device", d.ID(), false)
}

func allOffline(t *testing.T, s registry.Store) {
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	one, two := aDevice("p", "one"), aDevice("p", "two")
	noError(t, s.InsertDevices(t.Context(), []registry.Device{one, two}))
	noError(t, s.SavePresence(t.Context(), map[registry.ID]registry.Presence{
		one.ID(): {Status: registry.Status{State: registry.Online, Since: registryTime, LastOnline: registryTime}},
		two.ID(): {Status: registry.Status{State: registry.Offline, Since: registryTime, OfflineReason: "lost"}},
	}))
	noError(t, s.AllOffline(t.Context(), "server restarted"))
	for _, tt := range []struct{ id, reason string }{{"one", "server restarted"}, {"two", "lost"}} {
		p, err := s.Presence(t.Context(), registry.ID{Product: "p", Device: tt.id})
		noError(t, err)
		if p.State != registry.Offline || p.OfflineReason != tt.reason {
			t.Errorf("%s: %+v", tt.id, p)
		}
		if was := tt.id == "one"; p.LastOffline.IsZero() == was || p.Since.After(registryTime) != was {
			t.Errorf("%s since %s, offline at %s", tt.id, p.Since, p.LastOffline)
		}
	}
}
