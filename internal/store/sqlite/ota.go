package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/ota"
)

// OTA is the database as an [ota.Store].
func (d *DB) OTA() ota.Store { return otaStore{d} }

type otaStore struct{ d *DB }

// View is of [ota.Store].
func (s otaStore) View(ctx context.Context, f func(ota.Tx) error) error {
	tx, err := s.d.sql.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return f(otaTx{ctx, tx})
}

// Update is of [ota.Store].
func (s otaStore) Update(ctx context.Context, f func(ota.Tx) error) error {
	return s.d.write(ctx, s.d.sql, func(tx *sql.Tx) error { return f(otaTx{ctx, tx}) })
}

type otaTx struct {
	ctx context.Context
	tx  *sql.Tx
}

func (t otaTx) exec(text string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, text, args...)
	return err
}

func (t otaTx) count(text string, args ...any) (n int, err error) {
	err = t.tx.QueryRowContext(t.ctx, text, args...).Scan(&n)
	return n, err
}

// rows reads all rows of a query.
func rows[T any](t otaTx, scan func(scanner) (T, error), text string, args ...any) (list []T, err error) {
	r, err := t.tx.QueryContext(t.ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, r.Err()
}

// row reads the only row of a query.
func row[T any](t otaTx, scan func(scanner) (T, error), text string, args ...any) (*T, error) {
	v, err := scan(t.tx.QueryRowContext(t.ctx, text, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ota.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &v, nil
}

const packageColumns = "id, product, module, version, source, name, descr, method, extra, files, created_at"

func (t otaTx) InsertPackage(p *ota.Package) error {
	files, err := json.Marshal(p.Files)
	if err != nil {
		return err
	}
	err = t.exec("INSERT INTO ota_packages ("+packageColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?)",
		p.ID, p.Product, p.Module, p.Version, p.Source, p.Name, p.Desc, p.Method, string(p.Extra), string(files), millis(p.CreatedAt))
	if err != nil {
		return fmt.Errorf("keep package %s: %w", p.ID, err)
	}
	for _, f := range p.Files {
		if err := t.exec("INSERT INTO ota_files (sha256, package) VALUES (?,?) ON CONFLICT DO NOTHING", f.SHA256, p.ID); err != nil {
			return err
		}
	}
	return nil
}

func scanPackage(s scanner) (p ota.Package, err error) {
	var extra, files string
	var created int64
	if err = s.Scan(&p.ID, &p.Product, &p.Module, &p.Version, &p.Source, &p.Name, &p.Desc, &p.Method, &extra, &files, &created); err != nil {
		return p, err
	}
	if extra != "" {
		p.Extra = json.RawMessage(extra)
	}
	p.CreatedAt = moment(created)
	return p, json.Unmarshal([]byte(files), &p.Files)
}

func (t otaTx) Package(id string) (*ota.Package, error) {
	return row(t, scanPackage, "SELECT "+packageColumns+" FROM ota_packages WHERE id = ?", id)
}

func (t otaTx) Packages(q ota.PackageQuery) ([]ota.Package, error) {
	var c clauses
	c.equal("product", q.Product)
	c.equal("module", q.Module)
	c.equal("version", q.Version)
	if q.After != "" {
		c.add("id < ?", q.After)
	}
	return rows(t, scanPackage, "SELECT "+packageColumns+" FROM ota_packages"+c.where()+" ORDER BY id DESC LIMIT ?", append(c.args, q.Limit)...)
}

// equal asks for a value, if there is one.
func (c *clauses) equal(column, value string) {
	if value != "" {
		c.add(column+" = ?", value)
	}
}

func (t otaTx) CountPackages() (int, error) { return t.count("SELECT count(*) FROM ota_packages") }

func (t otaTx) DeletePackage(id string) error {
	res, err := t.tx.ExecContext(t.ctx, "DELETE FROM ota_packages WHERE id = ?", id)
	return changed(res, err, ota.ErrNotFound)
}

func (t otaTx) DigestInUse(sha256 string) (bool, error) {
	n, err := t.count("SELECT count(*) FROM ota_files WHERE sha256 = ?", sha256)
	return n > 0, err
}

const jobColumns = "id, product, package, module, version, plan, state, open, selected, created_at, ended_at, filled, cursor, seen, total, slot"

func jobRow(j *ota.Job) ([]any, error) {
	plan, err := json.Marshal(j.Plan)
	if err != nil {
		return nil, err
	}
	slot := int64(0)
	if !j.Slot.IsZero() {
		slot = j.Slot.UnixMicro()
	}
	return []any{
		j.ID, j.Product, j.Package, j.Module, j.Version, string(plan), string(j.State), j.State.Open(), j.Devices,
		millis(j.CreatedAt), millis(j.EndedAt), j.Filled, j.Cursor, j.Seen, j.Total, slot,
	}, nil
}

func scanJob(s scanner) (j ota.Job, err error) {
	var plan, state string
	var open bool
	var created, ended, slot int64
	err = s.Scan(&j.ID, &j.Product, &j.Package, &j.Module, &j.Version, &plan, &state, &open, &j.Devices, &created, &ended, &j.Filled, &j.Cursor, &j.Seen, &j.Total, &slot)
	if err != nil {
		return j, err
	}
	j.State, j.CreatedAt, j.EndedAt = ota.JobState(state), moment(created), moment(ended)
	if slot != 0 {
		j.Slot = time.UnixMicro(slot).UTC()
	}
	return j, json.Unmarshal([]byte(plan), &j.Plan)
}

func (t otaTx) InsertJob(j *ota.Job, names []string) error {
	values, err := jobRow(j)
	if err != nil {
		return err
	}
	if err := t.exec("INSERT INTO ota_jobs ("+jobColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", values...); err != nil {
		return err
	}
	if len(names) == 0 {
		return nil
	}
	insert, err := t.tx.PrepareContext(t.ctx, "INSERT INTO ota_job_devices (job, device) VALUES (?,?) ON CONFLICT DO NOTHING")
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, name := range names {
		if _, err := insert.ExecContext(t.ctx, j.ID, name); err != nil {
			return err
		}
	}
	return nil
}

func (t otaTx) SaveJob(j *ota.Job) error {
	values, err := jobRow(j)
	if err != nil {
		return err
	}
	res, err := t.tx.ExecContext(t.ctx, "UPDATE ota_jobs SET ("+jobColumns+") = (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) WHERE id = ?", append(values, j.ID)...)
	return changed(res, err, ota.ErrNotFound)
}

func (t otaTx) Job(id string) (*ota.Job, error) {
	return row(t, scanJob, "SELECT "+jobColumns+" FROM ota_jobs WHERE id = ?", id)
}

func (t otaTx) Jobs(q ota.JobQuery) ([]ota.Job, error) {
	var c clauses
	c.equal("product", q.Product)
	c.equal("package", q.Package)
	if q.Open {
		c.add("open = 1")
	}
	if q.After != "" {
		c.add("id < ?", q.After)
	}
	return rows(t, scanJob, "SELECT "+jobColumns+" FROM ota_jobs"+c.where()+" ORDER BY id DESC LIMIT ?", append(c.args, q.Limit)...)
}

func (t otaTx) CountTasks(job string) (map[ota.State]int, error) {
	type pair struct {
		state ota.State
		n     int
	}
	list, err := rows(t, func(s scanner) (p pair, err error) { return p, s.Scan(&p.state, &p.n) },
		"SELECT state, count(*) FROM ota_tasks WHERE job = ? GROUP BY state", job)
	all := make(map[ota.State]int, len(list))
	for _, p := range list {
		all[p.state] = p.n
	}
	return all, err
}

func (t otaTx) EndTasks(job string, to ota.State, en, zh string, at time.Time) error {
	return t.exec("UPDATE ota_tasks SET state = ?, open = 0, due = 0, descr = ?, descr_zh = ?, updated_at = ? WHERE job = ? AND open = 1",
		string(to), en, zh, millis(at), job)
}

const taskColumns = "job, package, product, device, module, source, version, protocol, state, open, percent, code, descr, descr_zh, failures, created_at, updated_at, notified_at, started_at, due"

const taskPlaces = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

func taskRow(k *ota.Task) []any {
	return []any{
		k.Job, k.Package, k.Product, k.Device, k.Module, k.Source, k.Version, k.Protocol, string(k.State), k.State.Open(), k.Percent, k.Code,
		k.Desc, k.DescZH, k.Failures, millis(k.CreatedAt), millis(k.UpdatedAt), millis(k.NotifiedAt), millis(k.StartedAt), millis(k.Due),
	}
}

func scanTask(s scanner) (k ota.Task, err error) {
	var state string
	var open bool
	var created, updated, notified, started, due int64
	err = s.Scan(&k.ID, &k.Job, &k.Package, &k.Product, &k.Device, &k.Module, &k.Source, &k.Version, &k.Protocol, &state, &open, &k.Percent, &k.Code,
		&k.Desc, &k.DescZH, &k.Failures, &created, &updated, &notified, &started, &due)
	k.State = ota.State(state)
	k.CreatedAt, k.UpdatedAt, k.NotifiedAt, k.StartedAt, k.Due = moment(created), moment(updated), moment(notified), moment(started), moment(due)
	return k, err
}

func (t otaTx) InsertTask(k *ota.Task) error {
	res, err := t.tx.ExecContext(t.ctx, "INSERT INTO ota_tasks ("+taskColumns+") VALUES "+taskPlaces, taskRow(k)...)
	if err != nil {
		return fmt.Errorf("keep the upgrade of %s/%s: %w", k.Product, k.Device, err)
	}
	k.ID, err = res.LastInsertId()
	return err
}

func (t otaTx) SaveTask(k *ota.Task) error {
	res, err := t.tx.ExecContext(t.ctx, "UPDATE ota_tasks SET ("+taskColumns+") = "+taskPlaces+" WHERE id = ?", append(taskRow(k), k.ID)...)
	return changed(res, err, ota.ErrNotFound)
}

func (t otaTx) Task(id int64) (*ota.Task, error) {
	return row(t, scanTask, "SELECT id, "+taskColumns+" FROM ota_tasks WHERE id = ?", id)
}

func (t otaTx) Tasks(q ota.TaskQuery) ([]ota.Task, error) {
	var c clauses
	c.equal("job", q.Job)
	c.equal("product", q.Product)
	c.equal("device", q.Device)
	c.equal("module", q.Module)
	c.equal("state", string(q.State))
	order := "id"
	if q.Open {
		c.add("open = 1")
	}
	if !q.DueBy.IsZero() {
		c.add("due > 0 AND due <= ?", millis(q.DueBy))
		order = "due, id"
	}
	if q.Parked {
		c.add("due = 0")
	}
	if q.After > 0 {
		c.add("id > ?", q.After)
	}
	return rows(t, scanTask, "SELECT id, "+taskColumns+" FROM ota_tasks"+c.where()+" ORDER BY "+order+" LIMIT ?", append(c.args, q.Limit)...)
}

func (t otaTx) NextDue() (time.Time, error) {
	var due sql.NullInt64
	err := t.tx.QueryRowContext(t.ctx, "SELECT min(due) FROM ota_tasks WHERE open = 1 AND due > 0").Scan(&due)
	return moment(due.Int64), err
}

// candidates is the FROM and WHERE of a query.
func candidates(q ota.CandidateQuery) (string, []any) {
	c := clauses{}
	c.add("d.product = ?", q.Product)
	if q.Job != "" {
		c.add("d.name IN (SELECT device FROM ota_job_devices WHERE job = ?)", q.Job)
	}
	if q.Target != "" {
		c.add("v.version IS NOT ?", q.Target)
	}
	if len(q.Sources) > 0 {
		marks := make([]any, len(q.Sources))
		for i, s := range q.Sources {
			marks[i] = s
		}
		c.add("v.version IN (?"+strings.Repeat(",?", len(marks)-1)+")", marks...)
	}
	if q.After != "" {
		c.add("d.name > ?", q.After)
	}
	return " FROM devices d LEFT JOIN ota_versions v ON v.product = d.product AND v.device = d.name AND v.module = ?" + c.where(), append([]any{q.Module}, c.args...)
}

func (t otaTx) Candidates(q ota.CandidateQuery) ([]ota.Candidate, error) {
	from, args := candidates(q)
	return rows(t, func(s scanner) (c ota.Candidate, err error) { return c, s.Scan(&c.Device, &c.Version) },
		"SELECT d.name, coalesce(v.version, '')"+from+" ORDER BY d.name LIMIT ?", append(args, q.Limit)...)
}

func (t otaTx) CountCandidates(q ota.CandidateQuery) (int, error) {
	from, args := candidates(q)
	return t.count("SELECT count(*)"+from, args...)
}

func (t otaTx) SetVersion(product, device string, v ota.ModuleVersion) error {
	return t.exec(`INSERT INTO ota_versions (product, device, module, version, reported_at)
		SELECT product, name, ?3, ?4, ?5 FROM devices WHERE product = ?1 AND name = ?2
		ON CONFLICT (product, device, module) DO UPDATE SET version = excluded.version, reported_at = excluded.reported_at`,
		product, device, v.Module, v.Version, millis(v.ReportedAt))
}

func (t otaTx) Versions(product, device string) ([]ota.ModuleVersion, error) {
	return rows(t, func(s scanner) (v ota.ModuleVersion, err error) {
		var at int64
		err = s.Scan(&v.Module, &v.Version, &at)
		v.ReportedAt = moment(at)
		return v, err
	}, "SELECT module, version, reported_at FROM ota_versions WHERE product = ? AND device = ? ORDER BY module", product, device)
}
