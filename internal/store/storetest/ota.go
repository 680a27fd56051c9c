package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// OTA is the contract of an ota.Store, which lives beside a registry.Store:
// what belongs to a device or a product goes with it. open returns an empty
// pair that lives as long as its test.
func OTA(t *testing.T, open func(t *testing.T) (registry.Store, ota.Store)) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, registry.Store, ota.Store)
	}{
		{"packages come back as they went in, newest first", packagesComeBack},
		{"a package that is deleted frees its content", packageDeleted},
		{"jobs come back as they went in", jobsComeBack},
		{"tasks come back as they went in", tasksComeBack},
		{"tasks are found by what is due", tasksDue},
		{"a module has one open task", oneOpenTask},
		{"an update that fails did nothing", updateFails},
		{"candidates by version", candidatesByVersion},
		{"what belongs to a device or product goes with it", otaGoesWithOwner},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, s := open(t)
			noError(t, r.InsertProduct(t.Context(), &registry.Product{Key: "p", Dialect: "aliyun", Model: (&thing.Model{}).Index(), CreatedAt: otaTime, UpdatedAt: otaTime}))
			var devices []registry.Device
			for _, name := range []string{"a", "b", "c", "d"} {
				devices = append(devices, registry.Device{Product: "p", Name: name, Enabled: true, CreatedAt: otaTime, UpdatedAt: otaTime})
			}
			noError(t, r.InsertDevices(t.Context(), devices))
			tt.test(t, r, s)
		})
	}
}

var otaTime = time.Date(2025, 3, 1, 12, 0, 0, 123e6, time.UTC)

func update(t *testing.T, s ota.Store, f func(tx ota.Tx) error) {
	t.Helper()
	noError(t, s.Update(t.Context(), f))
}

// got is what f reads in a view.
func got[T any](t *testing.T, s ota.Store, f func(tx ota.Tx) (T, error)) (v T) {
	t.Helper()
	noError(t, s.View(t.Context(), func(tx ota.Tx) (err error) {
		v, err = f(tx)
		return err
	}))
	return v
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func aPackage(id, version string) ota.Package {
	return ota.Package{
		ID: id, Product: "p", Module: "default", Version: version, Source: "0", Name: "固件", Desc: "d", Method: "md5",
		Extra: json.RawMessage(`{"k":"v"}`), Files: []ota.File{{Name: "f.bin", Size: 1 << 40, MD5: "m", SHA256: "digest-" + version}}, CreatedAt: otaTime,
	}
}

func packagesComeBack(t *testing.T, _ registry.Store, s ota.Store) {
	one, two := aPackage("1", "1.0"), aPackage("2", "2.0")
	one.Extra, one.Source = nil, ""
	update(t, s, func(tx ota.Tx) error { return errors.Join(tx.InsertPackage(&one), tx.InsertPackage(&two)) })
	same(t, *got(t, s, func(tx ota.Tx) (*ota.Package, error) { return tx.Package("1") }), one)
	list := func(q ota.PackageQuery) []ota.Package {
		return got(t, s, func(tx ota.Tx) ([]ota.Package, error) { return tx.Packages(q) })
	}
	same(t, list(ota.PackageQuery{Product: "p", Limit: 9}), []ota.Package{two, one})
	same(t, list(ota.PackageQuery{Product: "p", Limit: 9, After: "2"}), []ota.Package{one})
	same(t, list(ota.PackageQuery{Product: "p", Module: "default", Version: "2.0", Limit: 9}), []ota.Package{two})
	same(t, len(list(ota.PackageQuery{Product: "q", Limit: 9})), 0)
	same(t, got(t, s, func(tx ota.Tx) (int, error) { return tx.CountPackages() }), 2)
	again := aPackage("3", "2.0")
	if err := s.Update(t.Context(), func(tx ota.Tx) error { return tx.InsertPackage(&again) }); err == nil {
		t.Error("the same version stands twice")
	}
}

func packageDeleted(t *testing.T, _ registry.Store, s ota.Store) {
	one, two := aPackage("1", "1.0"), aPackage("2", "2.0")
	two.Files = one.Files
	inUse := func() bool {
		return got(t, s, func(tx ota.Tx) (bool, error) { return tx.DigestInUse("digest-1.0") })
	}
	update(t, s, func(tx ota.Tx) error { return errors.Join(tx.InsertPackage(&one), tx.InsertPackage(&two)) })
	update(t, s, func(tx ota.Tx) error { return tx.DeletePackage("1") })
	same(t, inUse(), true)
	update(t, s, func(tx ota.Tx) error { return tx.DeletePackage("2") })
	same(t, inUse(), false)
	err := s.Update(t.Context(), func(tx ota.Tx) error { return tx.DeletePackage("2") })
	same(t, errors.Is(err, ota.ErrNotFound), true)
	err = s.View(t.Context(), func(tx ota.Tx) error { _, err := tx.Package("2"); return err })
	same(t, errors.Is(err, ota.ErrNotFound), true)
}

func aJob(id string) ota.Job {
	return ota.Job{
		ID: id, Product: "p", Package: "1", Module: "default", Version: "2.0", State: ota.JobInProgress, Devices: 3,
		Plan: ota.Plan{
			Dynamic: true, LaterOnly: true, Named: true, Percent: 12.5, Sources: []string{"1.0", "1.1"}, Protocol: "mqtt", Silent: true, Confirm: true,
			Overwrite: true, PerMinute: 7, Retries: 2, RetryAfterMinutes: 10, TimeoutMinutes: 60, StartAt: otaTime,
		},
		CreatedAt: otaTime, EndedAt: otaTime.Add(time.Hour), Filled: true, Cursor: "b", Seen: 5, Total: 9, Slot: otaTime.Add(1234 * time.Microsecond),
	}
}

func jobsComeBack(t *testing.T, _ registry.Store, s ota.Store) {
	one, two := aJob("1"), aJob("2")
	update(t, s, func(tx ota.Tx) error {
		return errors.Join(tx.InsertJob(&one, nil), tx.InsertJob(&two, []string{"b", "a", "b"}))
	})
	two.State, two.Cursor, two.Slot, two.EndedAt = ota.Completed, "z", time.Time{}, time.Time{}
	update(t, s, func(tx ota.Tx) error { return tx.SaveJob(&two) })
	same(t, *got(t, s, func(tx ota.Tx) (*ota.Job, error) { return tx.Job("1") }), one)
	list := func(q ota.JobQuery) []ota.Job {
		return got(t, s, func(tx ota.Tx) ([]ota.Job, error) { return tx.Jobs(q) })
	}
	same(t, list(ota.JobQuery{Product: "p", Limit: 9}), []ota.Job{two, one})
	same(t, list(ota.JobQuery{Package: "1", Open: true, Limit: 9}), []ota.Job{one})
	same(t, list(ota.JobQuery{After: "2", Limit: 1}), []ota.Job{one})
	same(t, got(t, s, func(tx ota.Tx) ([]ota.Candidate, error) {
		return tx.Candidates(ota.CandidateQuery{Product: "p", Module: "m", Job: "2", Limit: 9})
	}), []ota.Candidate{{Device: "a"}, {Device: "b"}})
	err := s.Update(t.Context(), func(tx ota.Tx) error { gone := aJob("3"); return tx.SaveJob(&gone) })
	same(t, errors.Is(err, ota.ErrNotFound), true)
}

func aTask(device string) ota.Task {
	return ota.Task{
		Job: "1", Package: "1", Product: "p", Device: device, Module: "default", Source: "1.0", Version: "2.0", Protocol: "http",
		State: ota.InProgress, Percent: 42, Code: "-1", Desc: "no", DescZH: "否", Failures: 1, CreatedAt: otaTime, UpdatedAt: otaTime.Add(1e9),
		NotifiedAt: otaTime.Add(2e9), StartedAt: otaTime.Add(3e9), Due: otaTime.Add(4e9),
	}
}

func withJob(t *testing.T, s ota.Store, tasks ...*ota.Task) {
	t.Helper()
	update(t, s, func(tx ota.Tx) error {
		j := aJob("1")
		err := tx.InsertJob(&j, nil)
		for _, k := range tasks {
			err = errors.Join(err, tx.InsertTask(k))
		}
		return err
	})
}

func tasksOf(t *testing.T, s ota.Store, q ota.TaskQuery) []ota.Task {
	t.Helper()
	return got(t, s, func(tx ota.Tx) ([]ota.Task, error) { return tx.Tasks(q) })
}

func tasksComeBack(t *testing.T, _ registry.Store, s ota.Store) {
	a, b := aTask("a"), aTask("b")
	b.State, b.Due = ota.Failed, time.Time{}
	withJob(t, s, &a, &b)
	if a.ID == 0 || b.ID <= a.ID {
		t.Fatalf("the ids are %d and %d", a.ID, b.ID)
	}
	a.State, a.Percent = ota.Notified, 43
	update(t, s, func(tx ota.Tx) error { return tx.SaveTask(&a) })
	same(t, *got(t, s, func(tx ota.Tx) (*ota.Task, error) { return tx.Task(a.ID) }), a)
	same(t, tasksOf(t, s, ota.TaskQuery{Job: "1", Limit: 9}), []ota.Task{a, b})
	same(t, tasksOf(t, s, ota.TaskQuery{Job: "1", Limit: 1, After: a.ID}), []ota.Task{b})
	same(t, tasksOf(t, s, ota.TaskQuery{Job: "1", State: ota.Failed, Limit: 9}), []ota.Task{b})
	same(t, tasksOf(t, s, ota.TaskQuery{Product: "p", Device: "a", Module: "default", Open: true, Limit: 9}), []ota.Task{a})
	same(t, len(tasksOf(t, s, ota.TaskQuery{Product: "p", Device: "b", Open: true, Limit: 9})), 0)
	same(t, got(t, s, func(tx ota.Tx) (map[ota.State]int, error) { return tx.CountTasks("1") }), map[ota.State]int{ota.Notified: 1, ota.Failed: 1})
	update(t, s, func(tx ota.Tx) error { return tx.EndTasks("1", ota.Canceled, "over", "完", otaTime.Add(9e9)) })
	a.State, a.Due, a.Desc, a.DescZH, a.UpdatedAt = ota.Canceled, time.Time{}, "over", "完", otaTime.Add(9e9)
	same(t, tasksOf(t, s, ota.TaskQuery{Job: "1", Limit: 9}), []ota.Task{a, b})
	err := s.Update(t.Context(), func(tx ota.Tx) error { return tx.SaveTask(&ota.Task{ID: 99}) })
	same(t, errors.Is(err, ota.ErrNotFound), true)
}

func tasksDue(t *testing.T, _ registry.Store, s ota.Store) {
	due := func() time.Time {
		return got(t, s, func(tx ota.Tx) (time.Time, error) { return tx.NextDue() })
	}
	same(t, due().IsZero(), true)
	a, b, c, d := aTask("a"), aTask("b"), aTask("c"), aTask("d")
	a.Due, b.Due, c.Due, d.Due = otaTime.Add(2e9), otaTime.Add(1e9), time.Time{}, otaTime
	d.State = ota.Succeeded // what is over is not due
	withJob(t, s, &a, &b, &c, &d)
	same(t, due(), otaTime.Add(1e9))
	same(t, tasksOf(t, s, ota.TaskQuery{Open: true, DueBy: otaTime.Add(2e9), Limit: 9}), []ota.Task{b, a})
	same(t, tasksOf(t, s, ota.TaskQuery{Open: true, DueBy: otaTime.Add(1e9), Limit: 9}), []ota.Task{b})
	same(t, tasksOf(t, s, ota.TaskQuery{Open: true, Parked: true, Limit: 9}), []ota.Task{c})
}

func oneOpenTask(t *testing.T, _ registry.Store, s ota.Store) {
	a, over, other := aTask("a"), aTask("a"), aTask("a")
	over.State, other.Module = ota.Canceled, "MCU"
	withJob(t, s, &a, &over, &other)
	again := aTask("a")
	if err := s.Update(t.Context(), func(tx ota.Tx) error { return tx.InsertTask(&again) }); err == nil {
		t.Error("a module has two open tasks")
	}
}

func updateFails(t *testing.T, _ registry.Store, s ota.Store) {
	broken := fmt.Errorf("broken")
	err := s.Update(t.Context(), func(tx ota.Tx) error {
		j := aJob("1")
		noError(t, tx.InsertJob(&j, nil))
		return broken
	})
	same(t, errors.Is(err, broken), true)
	same(t, len(got(t, s, func(tx ota.Tx) ([]ota.Job, error) { return tx.Jobs(ota.JobQuery{Limit: 9}) })), 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s.View(ctx, func(tx ota.Tx) error { _, err := tx.CountPackages(); return err }) == nil {
		t.Error("a view goes on although its context is done")
	}
}

func candidatesByVersion(t *testing.T, _ registry.Store, s ota.Store) {
	update(t, s, func(tx ota.Tx) error {
		return errors.Join(
			tx.SetVersion("p", "a", ota.ModuleVersion{Module: "default", Version: "0.9", ReportedAt: otaTime}),
			tx.SetVersion("p", "a", ota.ModuleVersion{Module: "default", Version: "1.0", ReportedAt: otaTime.Add(1e9)}),
			tx.SetVersion("p", "a", ota.ModuleVersion{Module: "MCU", Version: "2.0", ReportedAt: otaTime}),
			tx.SetVersion("p", "b", ota.ModuleVersion{Module: "default", Version: "2.0", ReportedAt: otaTime}),
			tx.SetVersion("p", "nobody", ota.ModuleVersion{Module: "default", Version: "1.0", ReportedAt: otaTime}),
		)
	})
	same(t, got(t, s, func(tx ota.Tx) ([]ota.ModuleVersion, error) { return tx.Versions("p", "a") }),
		[]ota.ModuleVersion{{Module: "MCU", Version: "2.0", ReportedAt: otaTime}, {Module: "default", Version: "1.0", ReportedAt: otaTime.Add(1e9)}})
	same(t, len(got(t, s, func(tx ota.Tx) ([]ota.ModuleVersion, error) { return tx.Versions("p", "nobody") })), 0)
	for _, tt := range []struct {
		q    ota.CandidateQuery
		want []ota.Candidate
		n    int
	}{
		{ota.CandidateQuery{Target: "2.0"}, []ota.Candidate{{Device: "a", Version: "1.0"}, {Device: "c", Version: ""}, {Device: "d", Version: ""}}, 3},
		{ota.CandidateQuery{Sources: []string{"1.0", "2.0"}}, []ota.Candidate{{Device: "a", Version: "1.0"}, {Device: "b", Version: "2.0"}}, 2},
		{ota.CandidateQuery{Target: "2.0", After: "a", Limit: 1}, []ota.Candidate{{Device: "c", Version: ""}}, 2},
	} {
		tt.q.Product, tt.q.Module = "p", "default"
		if tt.q.Limit == 0 {
			tt.q.Limit = 9
		}
		same(t, got(t, s, func(tx ota.Tx) ([]ota.Candidate, error) { return tx.Candidates(tt.q) }), tt.want)
		same(t, got(t, s, func(tx ota.Tx) (int, error) { return tx.CountCandidates(tt.q) }), tt.n)
	}
}

func otaGoesWithOwner(t *testing.T, r registry.Store, s ota.Store) {
	p := aPackage("1", "2.0")
	a, b := aTask("a"), aTask("b")
	withJob(t, s, &a, &b)
	update(t, s, func(tx ota.Tx) error {
		return errors.Join(tx.InsertPackage(&p), tx.SetVersion("p", "a", ota.ModuleVersion{Module: "m", Version: "1", ReportedAt: otaTime}))
	})
	noError(t, deleteDevice(t, r, registry.ID{Product: "p", Device: "a"}))
	same(t, tasksOf(t, s, ota.TaskQuery{Limit: 9}), []ota.Task{b})
	same(t, len(got(t, s, func(tx ota.Tx) ([]ota.ModuleVersion, error) { return tx.Versions("p", "a") })), 0)
	noError(t, r.DeleteProduct(t.Context(), "p"))
	same(t, len(tasksOf(t, s, ota.TaskQuery{Limit: 9})), 0)
	same(t, len(got(t, s, func(tx ota.Tx) ([]ota.Job, error) { return tx.Jobs(ota.JobQuery{Limit: 9}) })), 0)
	same(t, got(t, s, func(tx ota.Tx) (bool, error) { return tx.DigestInUse("digest-2.0") }), false)
}
