package registry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

func newRegistry(t *testing.T) (*registry.Registry, *memory) {
	t.Helper()
	m := newMemory()
	r := registry.New(registry.Options{Store: m})
	for key, dialect := range map[string]string{"a1NightLamp": "aliyun", "VRqhDHF2wL": "onenet", "plain": "mqtt"} {
		if _, err := r.CreateProduct(t.Context(), registry.Product{Key: key, Dialect: dialect}); err != nil {
			t.Fatal(err)
		}
	}
	return r, m
}

func add(t *testing.T, r *registry.Registry, product, name string) registry.Device {
	t.Helper()
	d, err := r.CreateDevice(t.Context(), registry.Device{Product: product, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGeneratedNamesHaveTheVendorsForm(t *testing.T) {
	r, _ := newRegistry(t)
	p, err := r.CreateProduct(t.Context(), registry.Product{Dialect: "aliyun"})
	if err != nil || len(p.Key) != 11 || !strings.HasPrefix(p.Key, "a1") || len(p.Secret) != 16 || p.Name != p.Key {
		t.Errorf("%+v %v", p, err)
	}
	p, err = r.CreateProduct(t.Context(), registry.Product{Dialect: "onenet"})
	if key, e := base64.StdEncoding.DecodeString(p.Secret); err != nil || len(p.Key) != 10 || e != nil || len(key) != 32 {
		t.Errorf("%+v %v", p, err)
	}
	d := add(t, r, "a1NightLamp", "")
	if d.Name == "" || len(d.Secret) != 32 || !d.Enabled {
		t.Errorf("%+v", d)
	}
	if key, e := base64.StdEncoding.DecodeString(add(t, r, "VRqhDHF2wL", "my_tv").Secret); e != nil || len(key) != 32 {
		t.Errorf("OneNET's key: %v", e)
	}
}

func TestNamesThatDoNotFit(t *testing.T) {
	r, _ := newRegistry(t)
	for _, tt := range []struct {
		field string
		p     registry.Product
	}{
		{"dialect", registry.Product{Key: "x", Dialect: "zigbee"}},
		{"key", registry.Product{Key: "with blank", Dialect: "mqtt"}},
		{"key", registry.Product{Key: strings.Repeat("k", 65), Dialect: "mqtt"}},
		{"key", registry.Product{Key: "a1NightLamp", Dialect: "aliyun"}},
		{"desc", registry.Product{Key: "x", Dialect: "mqtt", Desc: strings.Repeat("述", 1001)}},
		{"secret", registry.Product{Key: "x", Dialect: "onenet", Secret: "no base64!"}},
		{"secret", registry.Product{Key: "x", Dialect: "aliyun", Secret: "line end\n"}},
	} {
		_, err := r.CreateProduct(t.Context(), tt.p)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != tt.field {
			t.Errorf("%+v: %v", tt.p, err)
		}
	}
	strict := registry.Product{Key: "strict", Desc: strings.Repeat("述", 1000), Dialect: "aliyun", Strictness: registry.Strict}
	if _, err := r.CreateProduct(t.Context(), strict); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		field string
		d     registry.Device
	}{
		{"name", registry.Device{Product: "a1NightLamp", Name: "a/b"}},
		{"name", registry.Device{Product: "a1NightLamp", Name: "灯"}},
		{"name", registry.Device{Product: "VRqhDHF2wL", Name: "a.b"}},
		{"name", registry.Device{Product: "plain", Name: strings.Repeat("n", 65)}},
		{"name", registry.Device{Product: "strict", Name: "abc"}},
		{"name", registry.Device{Product: "strict", Name: strings.Repeat("n", 33)}},
		{"tags", registry.Device{Product: "plain", Name: "n", Tags: map[string]string{"a=b": ""}}},
		{"nickname", registry.Device{Product: "plain", Name: "n", Nickname: strings.Repeat("x", 257)}},
		{"nickname", registry.Device{Product: "plain", Name: "n", Nickname: "lamp\nlamp01"}},
		{"nickname", registry.Device{Product: "plain", Name: "n", Nickname: "\u202e10pmal"}},
		{"secret", registry.Device{Product: "VRqhDHF2wL", Name: "n", Secret: "no base64!"}},
	} {
		_, err := r.CreateDevice(t.Context(), tt.d)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != tt.field {
			t.Errorf("%+v: %v", tt.d, err)
		}
	}
	if _, err := r.CreateDevice(t.Context(), registry.Device{Product: "nowhere", Name: "n"}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("no product: %v", err)
	}
}

func TestNamesThatFit(t *testing.T) {
	r, _ := newRegistry(t)
	strict := registry.Product{Key: "strict", Dialect: "aliyun", Strictness: registry.Strict}
	if _, err := r.CreateProduct(t.Context(), strict); err != nil {
		t.Fatal(err)
	}
	for _, id := range []registry.ID{
		{Product: "a1NightLamp", Device: "l"},
		{Product: "a1NightLamp", Device: "Lamp-1_a@b.c:d"},
		{Product: "a1NightLamp", Device: strings.Repeat("n", 64)},
		{Product: "strict", Device: "lamp"},
		{Product: "strict", Device: strings.Repeat("n", 32)},
		{Product: "VRqhDHF2wL", Device: "my-tv_1"},
		{Product: "plain", Device: "a.b:c"},
	} {
		if d := add(t, r, id.Product, id.Device); d.ID() != id {
			t.Errorf("%s became %s", id, d.ID())
		}
	}
}

func TestCacheIsNeverStale(t *testing.T) {
	r, m := newRegistry(t)
	ctx, id := t.Context(), registry.ID{Product: "a1NightLamp", Device: "lamp"}
	if _, err := r.Device(ctx, id); fault.KindOf(err) != fault.KindNotFound {
		t.Fatal(err)
	}
	asked := m.asked
	for range 3 {
		if _, err := r.Device(ctx, id); fault.KindOf(err) != fault.KindNotFound {
			t.Fatal(err)
		}
	}
	if m.asked != asked {
		t.Error("that a device is not there was not remembered")
	}
	add(t, r, id.Product, id.Device)
	d, err := r.Device(ctx, id)
	if err != nil {
		t.Fatal("made after it was not there:", err)
	}
	if _, err := r.UpdateDevice(ctx, id, func(d *registry.Device) error { d.Nickname = "new"; return nil }); err != nil {
		t.Fatal(err)
	}
	if d.Nickname != "" {
		t.Error("an update changed what others hold")
	}
	if d, err = r.Device(ctx, id); err != nil || d.Nickname != "new" {
		t.Errorf("%+v %v", d, err)
	}
	if err := r.DeleteDevice(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Device(ctx, id); fault.KindOf(err) != fault.KindNotFound {
		t.Error("deleted:", err)
	}
}

func TestProductCacheIsNeverStale(t *testing.T) {
	r, m := newRegistry(t)
	ctx := t.Context()
	for range 2 {
		if _, err := r.Product(ctx, "later"); fault.KindOf(err) != fault.KindNotFound {
			t.Fatal(err)
		}
	}
	if _, err := r.CreateProduct(ctx, registry.Product{Key: "later", Dialect: "mqtt"}); err != nil {
		t.Fatal(err)
	}
	held, err := r.Product(ctx, "later")
	if err != nil {
		t.Fatal("made after it was not there:", err)
	}
	asked := m.asked
	if _, err := r.Product(ctx, "later"); err != nil || m.asked != asked {
		t.Errorf("the store was asked again, %v", err)
	}
	changed, err := r.UpdateProduct(ctx, "later", func(p *registry.Product) error {
		p.Name, p.Key, p.Dialect = "new", "other", "onenet"
		return nil
	})
	if err != nil || changed.Key != "later" || changed.Dialect != "mqtt" || held.Name == "new" {
		t.Errorf("%+v, held %+v, %v", changed, held, err)
	}
	if p, err := r.Product(ctx, "later"); err != nil || p.Name != "new" {
		t.Errorf("%+v %v", p, err)
	}
}

// A slowReader is a memory that holds its first answer to Device back.
type slowReader struct {
	*memory
	asked   atomic.Bool
	read    chan struct{} // closed when the answer is read
	release chan struct{} // close it to give the answer
}

func (s *slowReader) Device(ctx context.Context, id registry.ID) (*registry.Device, error) {
	d, err := s.memory.Device(ctx, id)
	if !s.asked.Swap(true) {
		close(s.read)
		<-s.release
	}
	return d, err
}

func TestWhatWasReadBeforeAChangeIsNotCached(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*registry.Registry, registry.ID) error
		want   fault.Kind
	}{
		{"an update", func(r *registry.Registry, id registry.ID) error {
			_, err := r.ResetSecret(t.Context(), id, "new")
			return err
		}, ""},
		{"a deletion", func(r *registry.Registry, id registry.ID) error { return r.DeleteDevice(t.Context(), id) }, fault.KindNotFound},
		{"a deletion of the product", func(r *registry.Registry, id registry.ID) error {
			return r.DeleteProduct(t.Context(), id.Product, true)
		}, fault.KindNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, m := newRegistry(t)
			id := registry.ID{Product: "plain", Device: "d"}
			if err := m.InsertDevices(t.Context(), []registry.Device{{Product: "plain", Name: "d", Secret: "old", Enabled: true}}); err != nil {
				t.Fatal(err)
			}
			s := &slowReader{memory: m, read: make(chan struct{}), release: make(chan struct{})}
			r := registry.New(registry.Options{Store: s})
			ended := make(chan error)
			go func() {
				_, err := r.Device(t.Context(), id)
				ended <- err
			}()
			<-s.read
			if err := tt.change(r, id); err != nil {
				t.Fatal(err)
			}
			close(s.release)
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			d, err := r.Device(t.Context(), id)
			if fault.KindOf(err) != tt.want || err == nil && d.Secret != "new" {
				t.Errorf("%+v %v", d, err)
			}
		})
	}
}

func TestConcurrentUpdatesAreAllKept(t *testing.T) {
	r, _ := newRegistry(t)
	id := add(t, r, "plain", "d").ID()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			_, err := r.UpdateDevice(t.Context(), id, func(d *registry.Device) error {
				if d.Tags == nil {
					d.Tags = map[string]string{}
				}
				d.Tags[fmt.Sprint(i)] = ""
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if d, err := r.Device(t.Context(), id); err != nil || len(d.Tags) != 50 {
		t.Errorf("%d of 50 changes, %v", len(d.Tags), err)
	}
}

func TestSecretsKeepThePreviousOne(t *testing.T) {
	r, _ := newRegistry(t)
	var changes []registry.Change
	r.OnChange(func(c registry.Change) { changes = append(changes, c) })
	d := add(t, r, "a1NightLamp", "lamp")
	reset, err := r.ResetSecret(t.Context(), d.ID(), "")
	if err != nil || reset.Secret == d.Secret || reset.PreviousSecret != d.Secret {
		t.Errorf("%+v %v", reset, err)
	}
	if reset, err = r.ResetSecret(t.Context(), d.ID(), "chosen-by-hand"); err != nil || reset.Secret != "chosen-by-hand" {
		t.Errorf("%+v %v", reset, err)
	}
	if _, err := r.UpdateDevice(t.Context(), d.ID(), func(d *registry.Device) error { d.Enabled = false; return nil }); err != nil {
		t.Fatal(err)
	}
	p, err := r.ResetProductSecret(t.Context(), "a1NightLamp", "")
	if err != nil || p.PreviousSecret == "" || p.PreviousSecret == p.Secret {
		t.Errorf("%+v %v", p, err)
	}
	want := []registry.ChangeKind{registry.DeviceCreated, registry.DeviceSecretReset, registry.DeviceSecretReset, registry.DeviceDisabled, registry.ProductChanged}
	for i, c := range changes {
		if i >= len(want) || c.Kind != want[i] || c.ID.Product != "a1NightLamp" {
			t.Errorf("change %d: %+v", i, c)
		}
	}
	if len(changes) != len(want) {
		t.Errorf("%d changes", len(changes))
	}
}

func TestBatchIsAllOrNone(t *testing.T) {
	r, m := newRegistry(t)
	add(t, r, "plain", "there")
	for _, tt := range []struct {
		name string
		all  []registry.Device
		rows []int
	}{
		{"names twice and names that do not fit", []registry.Device{{Name: "a"}, {Name: "a"}, {Name: "b c"}}, []int{1, 2}},
		{"one is there already", []registry.Device{{Name: "a"}, {Name: "there"}}, []int{1}},
	} {
		made, bad, err := r.CreateDevices(t.Context(), "plain", tt.all)
		if made != nil || err != nil || len(bad) != len(tt.rows) {
			t.Errorf("%s: %v %v %v", tt.name, made, bad, err)
			continue
		}
		for i, b := range bad {
			if b.Row != tt.rows[i] {
				t.Errorf("%s: row %d, not %d", tt.name, b.Row, tt.rows[i])
			}
		}
	}
	if n, _ := m.CountDevices(t.Context(), registry.DeviceQuery{}); n != 1 {
		t.Errorf("%d devices", n)
	}
	if _, _, err := r.CreateDevices(t.Context(), "plain", make([]registry.Device, registry.MaxBatch+1)); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("too many: %v", err)
	}
	if made, bad, err := r.CreateDevices(t.Context(), "plain", make([]registry.Device, 100)); len(made) != 100 || bad != nil || err != nil {
		t.Errorf("%d made, %v %v", len(made), bad, err)
	}
}

func TestProductsWithDevicesAreDeletedByForce(t *testing.T) {
	r, m := newRegistry(t)
	ids := []registry.ID{add(t, r, "plain", "a").ID(), add(t, r, "plain", "b").ID()}
	if err := r.DeleteProduct(t.Context(), "plain", false); fault.KindOf(err) != fault.KindConflict {
		t.Fatal(err)
	}
	gone := map[registry.ID]bool{}
	r.OnChange(func(c registry.Change) {
		gone[c.ID] = c.Kind == registry.DeviceDeleted || c.Kind == registry.ProductDeleted
	})
	if err := r.DeleteProduct(t.Context(), "plain", true); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if _, err := r.Device(t.Context(), id); fault.KindOf(err) != fault.KindNotFound || !gone[id] {
			t.Errorf("%s: %v", id, err)
		}
	}
	if n, _ := m.CountDevices(t.Context(), registry.DeviceQuery{}); n != 0 {
		t.Error("devices are left in the store")
	}
}

func TestModelsHaveVersions(t *testing.T) {
	r, _ := newRegistry(t)
	model := &thing.Model{Properties: []thing.Property{{ID: "Temp", Type: thing.DataType{Kind: thing.Float}}}}
	for want := 1; want <= 2; want++ {
		p, err := r.PublishModel(t.Context(), "plain", model)
		if err != nil || p.ModelVersion != want {
			t.Fatalf("%d %v", p.ModelVersion, err)
		}
	}
	bad := &thing.Model{Properties: []thing.Property{{ID: ""}}}
	if _, err := r.PublishModel(t.Context(), "plain", bad); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a model that cannot be: %v", err)
	}
	p, err := r.Product(t.Context(), "plain")
	if _, known := p.Model.Property("Temp"); err != nil || !known || p.ModelVersion != 2 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestPagesEnd(t *testing.T) {
	r, _ := newRegistry(t)
	for i := range 5 {
		add(t, r, "plain", fmt.Sprintf("d%d", i))
	}
	seen, q := 0, registry.DeviceQuery{Limit: 2}
	for {
		page, next, err := r.Devices(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if seen += len(page); next == "" {
			break
		}
		q.After = next
	}
	if seen != 5 {
		t.Errorf("%d devices", seen)
	}
	if _, _, err := r.Devices(t.Context(), registry.DeviceQuery{Limit: registry.MaxLimit + 1}); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("limit: %v", err)
	}
}

func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRegistry(t)
		id := add(t, r, "plain", "d").ID()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		state := func() registry.Status {
			t.Helper()
			s, err := r.Status(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		if s := state(); s.State != registry.Inactive {
			t.Errorf("before its first connection: %+v", s)
		}
		r.Refused(id, registry.Refusal{Code: "x", Addr: "10.0.0.1:1"})
		r.Refused(id, registry.Refusal{Code: "x", Addr: "10.0.0.1:2"})
		if s := state(); s.State != registry.Inactive || s.Refusals != 2 || s.LastRefusal.Count != 2 {
			t.Errorf("refused twice: %+v", s)
		}
		r.Refused(id, registry.Refusal{Code: "y", Addr: "10.0.0.1:2"})
		if s := state(); s.Refusals != 3 || s.LastRefusal.Count != 1 {
			t.Errorf("refused for another reason: %+v", s)
		}
		first := time.Now()
		r.WentOnline(id, first, "10.0.0.1:3", "client", "MQTT 3.1.1 over tcp")
		if s := state(); s.State != registry.Online || !s.ActivatedAt.Equal(first.Truncate(time.Millisecond)) || r.CountOnline() != 1 {
			t.Errorf("online: %+v", s)
		}
		time.Sleep(time.Second) // of the bubble's own clock: presence is kept meanwhile
		synctest.Wait()
		if m.kept(t, id).State != registry.Online {
			t.Errorf("not kept: %+v", m.kept(t, id))
		}
		r.WentOffline(id, time.Now(), "gone")
		time.Sleep(time.Second)
		synctest.Wait()
		if s := state(); s.State != registry.Offline || s.OfflineReason != "gone" || !s.ActivatedAt.Equal(first.Truncate(time.Millisecond)) || s.Refusals != 3 {
			t.Errorf("offline: %+v", s)
		}
		if s := m.kept(t, id); s.State != registry.Offline || s.OfflineReason != "gone" || s.Refusals != 3 {
			t.Errorf("offline, in the store: %+v", s)
		}
		if _, err := r.UpdateDevice(t.Context(), id, func(d *registry.Device) error { d.Enabled = false; return nil }); err != nil {
			t.Fatal(err)
		}
		if s := state(); s.State != registry.Disabled {
			t.Errorf("disabled: %+v", s)
		}
		m.mu.Lock()
		m.fails = errors.New("disk full")
		m.mu.Unlock()
		r.WentOnline(id, time.Now(), "10.0.0.1:4", "client", "")
		time.Sleep(time.Minute)
		m.mu.Lock()
		m.fails = nil
		m.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if m.kept(t, id).LastAddr != "10.0.0.1:4" {
			t.Errorf("after the store failed for a minute: %+v", m.kept(t, id))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := r.Restarted(t.Context()); err != nil || m.kept(t, id).State != registry.Offline {
			t.Errorf("%+v %v", m.kept(t, id), err)
		}
	})
}

// TestWhoWentIsRemembered: a device on a bad line comes back without a question
// to the store, and those who stay away do not fill the memory.
func TestWhoWentIsRemembered(t *testing.T) {
	const remembered = 4096
	synctest.Test(t, func(t *testing.T) {
		r, m := newRegistry(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		visit := func(name string) (asked int) {
			t.Helper()
			before := m.presenceAsked.Load()
			id := registry.ID{Product: "plain", Device: name}
			r.WentOnline(id, time.Now(), "10.0.0.1:3", "client", "")
			r.WentOffline(id, time.Now(), "gone")
			time.Sleep(time.Second) // of the bubble's own clock: presence is kept meanwhile
			synctest.Wait()
			return int(m.presenceAsked.Load() - before)
		}
		add(t, r, "plain", "first")
		if n := visit("first"); n != 1 {
			t.Errorf("the store was asked %d times at the first visit, want 1", n)
		}
		for range remembered + 1 { // however often one comes, he takes one place
			if n := visit("first"); n != 0 {
				t.Fatalf("the store was asked %d times about one who was here a second ago", n)
			}
		}
		for i := range remembered + 1 {
			visit("other" + strconv.Itoa(i))
		}
		if n := visit("first"); n != 1 {
			t.Errorf("the store was asked %d times about one who left before %d others, want 1", n, remembered+1)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestWordsAreReadAsWritten(t *testing.T) {
	for _, s := range []registry.Strictness{registry.Lenient, registry.Strict, registry.Open} {
		var back registry.Strictness
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []registry.State{registry.Inactive, registry.Online, registry.Offline, registry.Disabled} {
		var back registry.State
		if err := back.UnmarshalText([]byte(strings.ToLower(s.String()))); err != nil || back != s {
			t.Errorf("%s: %v", s, err)
		}
	}
	var s registry.Strictness
	if err := s.UnmarshalText([]byte("harsh")); err == nil || !strings.Contains(err.Error(), "lenient, strict, open") {
		t.Errorf("a word that is none: %v", err)
	}
	if id, err := registry.ParseID("p/d"); err != nil || id.String() != "p/d" {
		t.Errorf("%v %v", id, err)
	}
	for _, wrong := range []string{"", "p", "/d", "p/"} {
		if _, err := registry.ParseID(wrong); err == nil {
			t.Errorf("%q was read", wrong)
		}
	}
}

// TestTheLastStateIsTheOneKept: a flush that takes long must not write what a
// later one has written anew.
func TestTheLastStateIsTheOneKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRegistry(t)
		id := add(t, r, "plain", "d").ID()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		slow := make(chan struct{})
		m.slow = slow
		r.WentOnline(id, time.Now(), "10.0.0.1:3", "client", "")
		time.Sleep(time.Second)
		synctest.Wait() // Run is in the middle of keeping ONLINE
		r.WentOffline(id, time.Now(), "gone")
		found := make(chan error)
		state := registry.Offline
		go func() {
			_, _, err := r.Devices(t.Context(), registry.DeviceQuery{State: &state}) // keeps OFFLINE first
			found <- err
		}()
		synctest.Wait()
		close(slow)
		if err := <-found; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s, err := r.Status(t.Context(), id); err != nil || s.State != registry.Offline {
			t.Errorf("%+v %v", s, err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestAFirstLoginIsKeptBeforeItIsAnswered: who waits finds it in the store, a
// crowd shares a few writes, and a device that has come before costs none.
func TestAFirstLoginIsKeptBeforeItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := newRegistry(t)
		const crowd = 100
		slow := make(chan struct{})
		m.slow = slow // the first write: the crowd comes meanwhile
		var all []registry.ID
		answered := make(chan error, crowd)
		at := time.Now().UTC().Truncate(time.Millisecond)
		for i := range crowd {
			id := add(t, r, "plain", fmt.Sprintf("d%d", i)).ID()
			all = append(all, id)
			go func() { answered <- r.Activate(t.Context(), at, id) }()
		}
		synctest.Wait()
		if len(answered) != 0 {
			t.Errorf("%d were answered before anything was kept", len(answered))
		}
		close(slow)
		for range crowd {
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
		for _, id := range all {
			if p := m.kept(t, id); !p.ActivatedAt.Equal(at) || p.State != registry.Offline {
				t.Errorf("%s: %+v", id, p)
			}
		}
		if m.saved != 2 {
			t.Errorf("%d writes for a crowd that waited for one", m.saved)
		}
		if err := r.Activate(t.Context(), at.Add(time.Hour), all...); err != nil || m.saved != 2 || !m.kept(t, all[0]).ActivatedAt.Equal(at) {
			t.Errorf("they come again: %v, %d writes", err, m.saved)
		}
		other := add(t, r, "plain", "other").ID()
		m.fails = errors.New("disk full")
		if err := r.Activate(t.Context(), at, other); !errors.Is(err, m.fails) {
			t.Errorf("a store that fails: %v", err)
		}
		m.fails = nil
		if err := r.Activate(t.Context(), at, other); err != nil || !m.kept(t, other).ActivatedAt.Equal(at) {
			t.Errorf("once it works again: %v", err)
		}
	})
}
