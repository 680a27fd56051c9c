package enroll_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

const product = "a1NightLamp"

// A house is a service on a store in memory.
type house struct {
	*enroll.Service
	t        *testing.T
	registry *registry.Registry
	store    *memory
	now      time.Time
}

func newHouse(t *testing.T, rules registry.Registration) *house {
	t.Helper()
	h := &house{t: t, store: newMemory(), now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	h.registry = registry.New(registry.Options{Store: h.store})
	h.Service = enroll.New(enroll.Options{Registry: h.registry, Store: h.store, Now: func() time.Time { return h.now }})
	if _, err := h.registry.CreateProduct(t.Context(), registry.Product{Key: product, Dialect: "aliyun", Registration: rules}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) add(name string) registry.Device {
	h.t.Helper()
	d, err := h.registry.CreateDevice(h.t.Context(), registry.Device{Product: product, Name: name})
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// ask registers a device, free of pre-registration or not.
func (h *house) ask(name string, free bool) (*dialect.Registered, error) {
	return h.Enroll(h.t.Context(), &dialect.Registration{Claim: dialect.Claim{Product: product, Device: name}, Free: free, Road: "mqtt", Addr: "10.0.0.1:5"})
}

func (h *house) must(name string, free bool) *dialect.Registered {
	h.t.Helper()
	told, err := h.ask(name, free)
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	return told
}

func TestWhoMayRegister(t *testing.T) {
	on := registry.Registration{Enabled: true}
	all := registry.Registration{Enabled: true, Free: true}
	for _, tt := range []struct {
		name  string
		rules registry.Registration
		make  func(*house)
		ask   string
		free  bool
		want  error
	}{
		{"switched off", registry.Registration{}, func(h *house) { h.add("lamp") }, "lamp", false, dialect.ErrRegistrationOff},
		{"off, though free is on", registry.Registration{Free: true}, func(*house) {}, "lamp", true, dialect.ErrRegistrationOff},
		{"made before", on, func(h *house) { h.add("lamp") }, "lamp", false, nil},
		{"not made before", on, func(*house) {}, "lamp", false, dialect.ErrRegistrationNoDevice},
		{"not made before, where others may be", all, func(*house) {}, "lamp", false, dialect.ErrRegistrationNoDevice},
		{"free, not allowed", on, func(*house) {}, "lamp", true, dialect.ErrRegistrationFreeOff},
		{"free", all, func(*house) {}, "lamp", true, nil},
		{"free, made before", all, func(h *house) { h.add("lamp") }, "lamp", true, nil},
		{"free, with a name that cannot be", all, func(*house) {}, "lamp 1/2", true, dialect.ErrRegistrationName},
		{"free, with a name longer than any", all, func(*house) {}, strings.Repeat("x", 65), true, dialect.ErrRegistrationName},
		{"not on the list", registry.Registration{Enabled: true, Listed: true}, func(h *house) { h.add("lamp") }, "lamp", false, dialect.ErrRegistrationUnlisted},
		{"on the list", registry.Registration{Enabled: true, Listed: true}, func(h *house) { h.add("lamp"); h.Allow(t.Context(), product, []string{"lamp"}) }, "lamp", false, nil},
		{"free, not on the list", registry.Registration{Enabled: true, Free: true, Listed: true}, func(*house) {}, "lamp", true, dialect.ErrRegistrationUnlisted},
		{"taken off the list", registry.Registration{Enabled: true, Listed: true}, func(h *house) {
			h.add("lamp")
			h.Allow(t.Context(), product, []string{"lamp"})
			h.Disallow(t.Context(), product, []string{"lamp"})
		}, "lamp", false, dialect.ErrRegistrationUnlisted},
		{"disabled", on, func(h *house) {
			d := h.add("lamp")
			h.registry.UpdateDevice(t.Context(), d.ID(), func(d *registry.Device) error { d.Enabled = false; return nil })
		}, "lamp", false, dialect.ErrRegistrationDisabled},
		{"has connected", on, func(h *house) { h.registry.WentOnline(h.add("lamp").ID(), h.now, "", "", "") }, "lamp", false, dialect.ErrRegistrationActivated},
		{"has reported by HTTP", on, func(h *house) { h.registry.Contacted(h.add("lamp").ID(), h.now, "", "https") }, "lamp", false, dialect.ErrRegistrationActivated},
		{"was only refused", on, func(h *house) { h.registry.Refused(h.add("lamp").ID(), registry.Refusal{At: h.now}) }, "lamp", false, nil},
		{"free, and has connected", all, func(h *house) { h.registry.WentOnline(h.add("lamp").ID(), h.now, "", "", "") }, "lamp", true, dialect.ErrRegistrationActivated},
		{"free, where there are as many as may be", registry.Registration{Enabled: true, Free: true, MaxDevices: 2}, func(h *house) { h.add("a"); h.add("b") }, "lamp", true, dialect.ErrRegistrationFull},
		{"free, one less", registry.Registration{Enabled: true, Free: true, MaxDevices: 2}, func(h *house) { h.add("a") }, "lamp", true, nil},
		{"the store fails", on, func(h *house) { h.add("lamp"); h.store.fails = errors.New("disk full") }, "lamp", false, dialect.ErrRegistrationUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, tt.rules)
			h.t = t
			tt.make(h)
			before, _ := h.registry.CountDevices(t.Context(), registry.DeviceQuery{Product: product})
			would := h.Would(t.Context(), &dialect.Registration{Claim: dialect.Claim{Product: product, Device: tt.ask}, Free: tt.free})
			if tt.want != dialect.ErrRegistrationName && tt.want != dialect.ErrRegistrationUnavailable && !errors.Is(would, tt.want) {
				t.Errorf("it would be %v", would)
			}
			if n, _ := h.registry.CountDevices(t.Context(), registry.DeviceQuery{Product: product}); n != before {
				t.Error("asking what would be has made a device")
			}
			told, err := h.ask(tt.ask, tt.free)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if tt.want != nil {
				if told != nil {
					t.Errorf("refused, and told %+v", told)
				}
				return
			}
			d, err := h.registry.Device(t.Context(), registry.ID{Product: product, Device: tt.ask})
			if err != nil || told.Secret == "" || told.Secret != d.Secret || told.Free != tt.free {
				t.Errorf("told %+v of %+v, %v", told, d, err)
			}
			if e, err := h.Enrollment(t.Context(), d.ID()); err != nil || e.Times != 1 || e.Road != "mqtt" || e.Addr != "10.0.0.1:5" || !e.FirstAt.Equal(h.now) {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

func TestTheSameSecretForAWhile(t *testing.T) {
	h := newHouse(t, registry.Registration{Enabled: true})
	made := h.add("lamp")
	first := h.must("lamp", false)
	if first.Secret != made.Secret {
		t.Error("the first time it is told another secret than it was made with")
	}
	for _, step := range []struct {
		after time.Duration
		same  bool
		times int
		again bool
	}{
		{time.Minute, true, 2, false}, {9 * time.Minute, true, 3, false}, {time.Second, false, 4, true}, {10 * time.Minute, true, 5, true}, {time.Second, false, 6, true},
	} {
		h.now = h.now.Add(step.after)
		told := h.must("lamp", false)
		if (told.Secret == first.Secret) != step.same || told.Times != step.times || told.Again != step.again {
			t.Errorf("after %v: same %v, %+v", step.after, told.Secret == first.Secret, told)
		}
		first = told
	}
	d, err := h.registry.Device(t.Context(), made.ID())
	if err != nil || d.Secret != first.Secret {
		t.Errorf("what it was told is not its secret: %v", err)
	}
}

func TestResetLetsADeviceRegisterAgain(t *testing.T) {
	h := newHouse(t, registry.Registration{Enabled: true})
	d := h.add("lamp")
	first := h.must("lamp", false)
	h.registry.WentOnline(d.ID(), h.now, "", "", "")
	h.registry.WentOffline(d.ID(), h.now, "")
	if _, err := h.ask("lamp", false); !errors.Is(err, dialect.ErrRegistrationActivated) {
		t.Fatal(err)
	}
	if _, err := h.Reset(t.Context(), d.ID()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Enrollment(t.Context(), d.ID()); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("after the reset: %v", err)
	}
	if told := h.must("lamp", false); told.Secret == first.Secret || told.Times != 1 {
		t.Errorf("%+v", told)
	}
	if _, err := h.Reset(t.Context(), registry.ID{Product: product, Device: "gone"}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("no device: %v", err)
	}
}

func TestADeviceThatRegistersInCircles(t *testing.T) {
	h := newHouse(t, registry.Registration{Enabled: true})
	h.add("lamp")
	h.add("other")
	for range enroll.MaxPerMinute {
		h.must("lamp", false)
	}
	_, err := h.ask("lamp", false)
	if e, ok := errors.AsType[*dialect.RegistrationError](err); !ok || e.Why != dialect.ErrRegistrationTooOften || e.Count != enroll.MaxPerMinute {
		t.Errorf("%v", err)
	}
	h.must("other", false)
	h.now = h.now.Add(time.Minute)
	h.must("lamp", false)
}

func TestManyRegisterAtOnce(t *testing.T) {
	h := newHouse(t, registry.Registration{Enabled: true, Free: true, MaxDevices: 5})
	var wg sync.WaitGroup
	secrets := make([]string, 40)
	for i := range secrets {
		wg.Go(func() {
			if told, err := h.ask(fmt.Sprint("lamp", i%10), true); err == nil {
				secrets[i] = told.Secret
			} else if !errors.Is(err, dialect.ErrRegistrationFull) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, err := h.registry.CountDevices(t.Context(), registry.DeviceQuery{Product: product}); n != 5 || err != nil {
		t.Errorf("%d devices where 5 may be, %v", n, err)
	}
	for i := range 10 {
		for j := i + 10; j < len(secrets); j += 10 {
			if secrets[i] != "" && secrets[j] != "" && secrets[i] != secrets[j] {
				t.Errorf("lamp%d was told two secrets", i)
			}
		}
	}
}

func TestBatchesAreMadeWholeOrNotAtAll(t *testing.T) {
	h := newHouse(t, registry.Registration{})
	b, err := h.CreateBatch(t.Context(), product, enroll.NewBatch{Name: "march", Note: "first run", Count: 500, Prefix: "NL-", List: true})
	if err != nil || b.Devices != 500 {
		t.Fatalf("%+v, %v", b, err)
	}
	seen, after := map[string]bool{}, ""
	for {
		found, next, err := h.BatchDevices(t.Context(), product, "march", after, 300)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			seen[d.Name] = true
			if !strings.HasPrefix(d.Name, "NL-") || len(d.Name) > 32 || len(d.Secret) != 32 || d.Batch != "march" {
				t.Fatalf("%+v", d)
			}
			if listed, _ := h.store.HasName(t.Context(), product, d.Name); !listed {
				t.Fatalf("%s is not on the list", d.Name)
			}
		}
		if after = next; next == "" {
			break
		}
	}
	if len(seen) != 500 {
		t.Errorf("%d devices", len(seen))
	}
	h.add("taken")
	for _, tt := range []struct {
		name string
		n    enroll.NewBatch
		kind fault.Kind
	}{
		{"the name is taken", enroll.NewBatch{Name: "march", Count: 1}, fault.KindConflict},
		{"a device is there already", enroll.NewBatch{Name: "april", Names: []string{"a", "taken"}}, fault.KindConflict},
		{"a name that cannot be", enroll.NewBatch{Name: "april", Names: []string{"a", "b/c"}}, fault.KindInvalid},
		{"the batch's own name cannot be", enroll.NewBatch{Name: "ap/ril", Count: 1}, fault.KindInvalid},
		{"how many?", enroll.NewBatch{Name: "april"}, fault.KindInvalid},
		{"too many", enroll.NewBatch{Name: "april", Count: registry.MaxBatch + 1}, fault.KindInvalid},
		{"both", enroll.NewBatch{Name: "april", Count: 2, Names: []string{"a"}}, fault.KindInvalid},
		{"a long prefix", enroll.NewBatch{Name: "april", Count: 2, Prefix: strings.Repeat("x", 25)}, fault.KindInvalid},
	} {
		if _, err := h.CreateBatch(t.Context(), product, tt.n); fault.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.n.Name != "march" {
			if _, err := h.Batch(t.Context(), product, tt.n.Name); fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("%s: the batch is there, %v", tt.name, err)
			}
		}
	}
	if n, _ := h.registry.CountDevices(t.Context(), registry.DeviceQuery{Product: product}); n != 501 {
		t.Errorf("%d devices", n)
	}
	if _, err := h.CreateBatch(t.Context(), "gone", enroll.NewBatch{Count: 1}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("no product: %v", err)
	}
	if b, err := h.CreateBatch(t.Context(), product, enroll.NewBatch{Count: 1}); err != nil || b.Name != "20260701-120000" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestBatchesAreRevokedAndForgotten(t *testing.T) {
	h := newHouse(t, registry.Registration{Enabled: true})
	if _, err := h.CreateBatch(t.Context(), product, enroll.NewBatch{Name: "march", Names: []string{"one", "two"}}); err != nil {
		t.Fatal(err)
	}
	h.must("one", false)
	if n, err := h.EnableBatch(t.Context(), product, "march", false); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := h.ask("two", false); !errors.Is(err, dialect.ErrRegistrationDisabled) {
		t.Errorf("%v", err)
	}
	if n, err := h.EnableBatch(t.Context(), product, "march", true); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	h.must("two", false)
	if _, err := h.EnableBatch(t.Context(), product, "april", false); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("%v", err)
	}
	if err := h.RemoveBatch(t.Context(), product, "march"); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("with devices: %v", err)
	}
	for _, name := range []string{"one", "two"} {
		if err := h.registry.DeleteDevice(t.Context(), registry.ID{Product: product, Device: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.RemoveBatch(t.Context(), product, "march"); err != nil {
		t.Error(err)
	}
}

func TestListsAreBounded(t *testing.T) {
	h := newHouse(t, registry.Registration{})
	for _, names := range [][]string{nil, {""}, {"a/b"}, {"a b"}, {strings.Repeat("x", 65)}, make([]string, enroll.MaxNamesAtOnce+1)} {
		if _, err := h.Allow(t.Context(), product, names); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%.40v: %v", names, err)
		}
	}
	h.store.names[product] = make(map[string]bool)
	h.store.nameCount = enroll.MaxNames
	if _, err := h.Allow(t.Context(), product, []string{"one"}); fault.KindOf(err) != fault.KindExhausted {
		t.Errorf("one too many: %v", err)
	}
	if _, _, err := h.Allowed(t.Context(), product, "", "", registry.MaxLimit+1); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("%v", err)
	}
}
