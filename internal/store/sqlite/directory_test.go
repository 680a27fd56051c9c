package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

func opened(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(path, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// queries ask for everything and for combinations, of devices that some makes.
func queries() (all []registry.DeviceQuery) {
	for _, product := range []string{"", "p1"} {
		for _, text := range []string{"", "灯", "PUMP", "1"} {
			for _, tag := range []string{"", "room", "room=2"} {
				for _, batch := range []string{"", "b1"} {
					for state := range registry.Disabled + 2 {
						q := registry.DeviceQuery{Product: product, Text: text, Tag: tag, Batch: batch, State: &state}
						if state > registry.Disabled {
							q.State = nil
						}
						all = append(all, q)
					}
				}
			}
		}
	}
	return all
}

func some(r *rand.Rand, product string, i int) registry.Device {
	d := registry.Device{Product: product, Name: fmt.Sprintf("%s-%d", []string{"lamp", "Pump"}[r.IntN(2)], i), Secret: "s", Enabled: r.IntN(5) > 0}
	if r.IntN(2) == 0 {
		d.Nickname = []string{"灯", "Pump in the yard"}[r.IntN(2)]
	}
	if r.IntN(2) == 0 {
		d.Tags = map[string]string{"room": fmt.Sprint(r.IntN(4)), "floor": "1"}
	}
	if r.IntN(2) == 0 {
		d.Batch = fmt.Sprint("b", r.IntN(3))
	}
	return d
}

// TestTheDirectoryIsAsTheTables does many things at random and compares what
// the directory says with what the tables hold.
func TestTheDirectoryIsAsTheTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db := opened(t, path)
	ctx, r := t.Context(), rand.New(rand.NewPCG(1, 2))
	products := []string{"p1", "p2", "p3"}
	for _, p := range products {
		must(t, db.InsertProduct(ctx, &registry.Product{Key: p, Dialect: "aliyun", Model: new(thing.Model)}))
	}
	var ids []registry.ID
	pick := func() (out []registry.ID) {
		for range r.IntN(4) + 1 {
			out = append(out, ids[r.IntN(len(ids))])
		}
		return out
	}
	for i := range 400 {
		switch what := r.IntN(10); {
		case what < 3 || len(ids) == 0:
			var list []registry.Device
			for j := range r.IntN(4) + 1 {
				list = append(list, some(r, products[r.IntN(3)], 10*i+j))
				ids = append(ids, list[j].ID())
			}
			must(t, db.InsertDevices(ctx, list))
		case what < 5:
			var list []registry.Device
			for _, id := range pick() {
				d := some(r, id.Product, 0)
				d.Name = id.Device
				list = append(list, d)
			}
			_, err := db.UpdateDevices(ctx, list)
			must(t, err)
		case what < 7:
			all := make(map[registry.ID]registry.Presence)
			for _, id := range pick() {
				p := registry.Presence{Status: registry.Status{State: registry.State(r.IntN(3))}}
				if p.State != registry.Inactive {
					p.ActivatedAt = time.UnixMilli(1)
				}
				all[id] = p
			}
			must(t, db.SavePresence(ctx, all))
		case what < 8:
			_, err := db.DeleteDevices(ctx, pick())
			must(t, err)
			if i%150 == 0 {
				must(t, db.AllOffline(ctx, "restarted"))
				must(t, db.DeleteProduct(ctx, "p3"))
				must(t, db.InsertProduct(ctx, &registry.Product{Key: "p3", Dialect: "aliyun", Model: new(thing.Model)}))
			}
		case what < 9:
			_, err := db.EnableBatch(ctx, "p1", "b1", r.IntN(2) == 0, time.UnixMilli(1))
			must(t, err)
		default:
			for _, id := range pick() {
				if r.IntN(3) == 0 {
					_ = db.DeleteEnrollment(ctx, id)
				} else {
					_ = db.SaveEnrollment(ctx, &enroll.Enrollment{ID: id})
				}
			}
		}
	}
	sameAsTables(t, db)
	again := opened(t, path)
	sameAsTables(t, again)
}

func sameAsTables(t *testing.T, db *DB) {
	t.Helper()
	for _, q := range queries() {
		want := told(t, db, q)
		q.Limit = 7
		var got []string
		for {
			found, err := db.Devices(t.Context(), q)
			must(t, err)
			for i := range found {
				got = append(got, found[i].ID().String())
			}
			if len(found) < q.Limit {
				break
			}
			q.After = got[len(got)-1]
		}
		if n, err := db.CountDevices(t.Context(), q); n != len(want) || err != nil {
			t.Errorf("%+v: counted %d, %v, not %d", q, n, err, len(want))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%+v: %v, not %v", q, got, want)
		}
	}
	states, err := db.CountStates(t.Context())
	must(t, err)
	for state := range registry.Disabled + 1 {
		if n := len(told(t, db, registry.DeviceQuery{State: &state})); n != states[state.String()] {
			t.Errorf("%d devices are %v, not %d", states[state.String()], state, n)
		}
	}
	for _, batch := range []string{"b0", "b1", "b2"} {
		var want tally
		must(t, db.sql.QueryRow(`SELECT count(*), coalesce(sum(NOT enabled), 0), count(e.product), coalesce(sum(s.activated_at > 0), 0) FROM devices d
			LEFT JOIN enrollments e ON e.product = d.product AND e.device = d.name LEFT JOIN statuses s ON s.product = d.product AND s.device = d.name
			WHERE d.product = 'p1' AND d.batch = ?`, batch).Scan(&want.devices, &want.disabled, &want.registered, &want.activated))
		got, err := db.directory.batch(t.Context(), "p1", batch)
		must(t, err)
		if got.states = want.states; got != want {
			t.Errorf("batch %s: %+v, not %+v", batch, got, want)
		}
	}
}

// told is what the tables say to a query, by a scan.
func told(t *testing.T, db *DB, q registry.DeviceQuery) (all []string) {
	t.Helper()
	state := ""
	if q.State != nil {
		state = q.State.String()
	}
	key, value, both := strings.Cut(q.Tag, "=")
	err := eachRow(t.Context(), db.sql, `SELECT d.product || '/' || d.name FROM devices d LEFT JOIN statuses s ON s.product = d.product AND s.device = d.name
		WHERE ?1 IN ('', d.product) AND (instr(lower(d.name), lower(?2)) OR instr(lower(d.nickname), lower(?2)))
		AND (?3 = '' OR EXISTS (SELECT 1 FROM json_each(d.tags) t WHERE t.key = ?3 AND (NOT ?4 OR t.value = ?5))) AND ?6 IN ('', d.batch)
		AND ?7 IN ('', CASE WHEN d.enabled THEN coalesce(s.state, 'INACTIVE') ELSE 'DISABLED' END) ORDER BY d.product, d.name`,
		func(row scanner) error {
			var id string
			err := row.Scan(&id)
			all = append(all, id)
			return err
		}, q.Product, q.Text, key, both, value, q.Batch, state)
	must(t, err)
	return all
}

// TestListsScanNoTable: what a page of the console asks touches the rows that
// it shows and no others, however many there are.
func TestListsScanNoTable(t *testing.T) {
	db := opened(t, filepath.Join(t.TempDir(), "registry.db"))
	for _, tt := range []struct{ query, step string }{
		{selectDevices, "PRIMARY KEY (product=? AND name=?)"},
		{selectPresences, "PRIMARY KEY (product=? AND device=?)"},
		{selectBatchDevices, "devices_batch (product=? AND batch=? AND name>?)"},
		{selectBatches, "PRIMARY KEY (product=? AND name>?)"},
		{selectNames, "PRIMARY KEY (product=? AND name>?)"},
	} {
		steps := strings.Join(plan(t, db.sql, tt.query), "; ")
		if !strings.Contains(steps, tt.step) || strings.Contains(strings.ReplaceAll(steps, "SCAN json_each", ""), "SCAN") || strings.Contains(steps, "TEMP B-TREE") {
			t.Errorf("%s: %s", tt.query, steps)
		}
	}
}

func plan(t *testing.T, db *sql.DB, query string) (steps []string) {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	for i := range args {
		args[i] = 1
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var a, b, c int
		var step string
		must(t, rows.Scan(&a, &b, &c, &step))
		steps = append(steps, step)
	}
	must(t, rows.Err())
	if len(steps) == 0 {
		t.Fatal("no plan")
	}
	return steps
}

// BenchmarkLists asks among 100,000 devices of four products what the console
// asks, the worst cases among it: texts and combinations that match nothing.
func BenchmarkLists(b *testing.B) {
	path := filepath.Join(b.TempDir(), "registry.db")
	db := opened(b, path)
	ctx := b.Context()
	for p := range 4 {
		key := fmt.Sprint("product", p)
		must(b, db.InsertProduct(ctx, &registry.Product{Key: key, Dialect: "aliyun", Model: new(thing.Model)}))
		list, presences := make([]registry.Device, 25_000), make(map[registry.ID]registry.Presence)
		for i := range list {
			list[i] = registry.Device{
				Product: key, Name: fmt.Sprintf("device-%06d", i), Secret: strings.Repeat("5", 32), Nickname: fmt.Sprint("灯 in hall ", i%100), Enabled: i%50 > 0,
				Tags: map[string]string{"room": fmt.Sprint(i % 200), "floor": fmt.Sprint(i % 5)}, Batch: fmt.Sprint("b", i/5000), CreatedAt: time.UnixMilli(1), UpdatedAt: time.UnixMilli(1),
			}
			if i%3 > 0 {
				presences[list[i].ID()] = registry.Presence{Status: registry.Status{State: registry.State(i % 3), ActivatedAt: time.UnixMilli(1)}}
			}
		}
		must(b, db.InsertDevices(ctx, list))
		must(b, db.SavePresence(ctx, presences))
	}
	online, disabled := registry.Online, registry.Disabled
	for _, tt := range []struct {
		name string
		q    registry.DeviceQuery
	}{
		{"first page", registry.DeviceQuery{}},
		{"deep page", registry.DeviceQuery{After: "product3/device-024000"}},
		{"deep page of a product", registry.DeviceQuery{Product: "product3", After: "product3/device-024000"}},
		{"text that many have", registry.DeviceQuery{Text: "灯"}},
		{"text that few have", registry.DeviceQuery{Text: "024999"}},
		{"text that none has", registry.DeviceQuery{Text: "灯泡"}},
		{"state", registry.DeviceQuery{State: &online}},
		{"tag", registry.DeviceQuery{Tag: "room=199"}},
		{"all filters, none matches", registry.DeviceQuery{Text: "hall 51", State: &disabled, Tag: "room=151", Batch: "b4"}},
	} {
		tt.q.Limit = 51
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.Devices(ctx, tt.q); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("count of "+tt.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.CountDevices(ctx, tt.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench := func(name string, f func(context.Context) error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench("states", func(ctx context.Context) error { _, err := db.CountStates(ctx); return err })
	bench("batch", func(ctx context.Context) error { _, err := db.BatchDevices(ctx, "product3", "b4", "", 51); return err })
	var d *directory
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	b.Run("load", func(b *testing.B) {
		before := heap()
		for b.Loop() {
			d = newDirectory()
			must(b, d.load(ctx, db.sql))
		}
		b.ReportMetric(float64(heap()-before)/100_000, "B/device")
	})
	runtime.KeepAlive(d)
}
