package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/registry"
)

var _ enroll.Store = (*DB)(nil)

const enrollmentColumns = "product, device, road, free, addr, first_at, last_at, secret_at, times"

// Enrollment is of [enroll.Store].
func (d *DB) Enrollment(ctx context.Context, id registry.ID) (*enroll.Enrollment, error) {
	var (
		e                   enroll.Enrollment
		first, last, secret int64
	)
	err := d.sql.QueryRowContext(ctx, "SELECT "+enrollmentColumns+" FROM enrollments WHERE product = ? AND device = ?", id.Product, id.Device).
		Scan(&e.Product, &e.Device, &e.Road, &e.Free, &e.Addr, &first, &last, &secret, &e.Times)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, registry.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("registration of %s: %w", id, err)
	}
	e.FirstAt, e.LastAt, e.SecretAt = moment(first), moment(last), moment(secret)
	return &e, nil
}

// SaveEnrollment is of [enroll.Store].
func (d *DB) SaveEnrollment(ctx context.Context, e *enroll.Enrollment) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO enrollments ("+enrollmentColumns+") SELECT product, name, ?, ?, ?, ?, ?, ?, ? FROM devices WHERE product = ? AND name = ?",
			e.Road, e.Free, e.Addr, millis(e.FirstAt), millis(e.LastAt), millis(e.SecretAt), e.Times, e.Product, e.Device)
		return changed(res, err, registry.ErrNotFound)
	}, func() {
		d.directory.change(registry.ID{Product: e.Product, Device: e.Device}, func(c *card) { c.set(registered, true) })
	})
}

// DeleteEnrollment is of [enroll.Store].
func (d *DB) DeleteEnrollment(ctx context.Context, id registry.ID) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM enrollments WHERE product = ? AND device = ?", id.Product, id.Device)
		return changed(res, err, registry.ErrNotFound)
	}, func() {
		d.directory.change(id, func(c *card) { c.set(registered, false) })
	})
}

// AddNames is of [enroll.Store].
func (d *DB) AddNames(ctx context.Context, product string, names []string, at time.Time) (added int, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		if err := hasProduct(ctx, tx, product); err != nil {
			return err
		}
		added, err = each(ctx, tx, "INSERT INTO enroll_names (product, name, added_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", names, func(name string) []any {
			return []any{product, name, millis(at)}
		})
		return err
	})
	return added, err
}

// RemoveNames is of [enroll.Store].
func (d *DB) RemoveNames(ctx context.Context, product string, names []string) (removed int, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		removed, err = each(ctx, tx, "DELETE FROM enroll_names WHERE product = ? AND name = ?", names, func(name string) []any {
			return []any{product, name}
		})
		return err
	})
	return removed, err
}

// each runs a statement for each name and returns how many rows it changed.
func each(ctx context.Context, tx *sql.Tx, text string, names []string, args func(string) []any) (n int, err error) {
	stmt, err := tx.PrepareContext(ctx, text)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	for _, name := range names {
		res, err := stmt.ExecContext(ctx, args(name)...)
		if err != nil {
			return 0, err
		}
		rows, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		n += int(rows)
	}
	return n, nil
}

// HasName is of [enroll.Store].
func (d *DB) HasName(ctx context.Context, product, name string) (there bool, err error) {
	err = d.sql.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM enroll_names WHERE product = ? AND name = ?)", product, name).Scan(&there)
	return there, err
}

// Names is of [enroll.Store].
func (d *DB) Names(ctx context.Context, product, text, after string, limit int) (names []string, err error) {
	rows, err := d.sql.QueryContext(ctx, selectNames, product, after, text, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// CountNames is of [enroll.Store].
func (d *DB) CountNames(ctx context.Context, product string) (n int, err error) {
	err = d.sql.QueryRowContext(ctx, "SELECT count(*) FROM enroll_names WHERE product = ?", product).Scan(&n)
	return n, err
}

// InsertBatch is of [enroll.Store].
func (d *DB) InsertBatch(ctx context.Context, b *enroll.Batch) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		if err := hasProduct(ctx, tx, b.Product); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "INSERT INTO batches (product, name, note, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", b.Product, b.Name, b.Note, millis(b.CreatedAt))
		return changed(res, err, registry.ErrExists)
	})
}

const (
	batchColumns  = "product, name, note, created_at"
	selectBatches = "SELECT " + batchColumns + " FROM batches WHERE product = ? AND name > ? ORDER BY name LIMIT ?"
)

var selectNames = "SELECT name FROM enroll_names WHERE product = ? AND name > ? AND " + holds("name") + " ORDER BY name LIMIT ?"

// scanBatch reads a batch as it is now.
func (d *DB) scanBatch(ctx context.Context, row scanner) (b enroll.Batch, err error) {
	var created int64
	if err = row.Scan(&b.Product, &b.Name, &b.Note, &created); err != nil {
		return b, err
	}
	b.CreatedAt = moment(created)
	t, err := d.directory.batch(ctx, b.Product, b.Name)
	b.Devices, b.Registered, b.Activated, b.Disabled = t.devices, t.registered, t.activated, t.disabled
	return b, err
}

// Batch is of [enroll.Store].
func (d *DB) Batch(ctx context.Context, product, name string) (*enroll.Batch, error) {
	b, err := d.scanBatch(ctx, d.sql.QueryRowContext(ctx, "SELECT "+batchColumns+" FROM batches WHERE product = ? AND name = ?", product, name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, registry.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// Batches is of [enroll.Store].
func (d *DB) Batches(ctx context.Context, product, after string, limit int) (list []enroll.Batch, err error) {
	rows, err := d.sql.QueryContext(ctx, selectBatches, product, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		b, err := d.scanBatch(ctx, rows)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

// DeleteBatch is of [enroll.Store].
func (d *DB) DeleteBatch(ctx context.Context, product, name string) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM batches WHERE product = ? AND name = ?", product, name)
		return changed(res, err, registry.ErrNotFound)
	})
}

var selectBatchDevices = "SELECT d." + strings.ReplaceAll(deviceColumns, ", ", ", d.") + `, coalesce(e.last_at, 0), coalesce(e.times, 0), coalesce(e.road, ''), coalesce(s.activated_at, 0)
	FROM devices d INDEXED BY devices_batch LEFT JOIN enrollments e ON e.product = d.product AND e.device = d.name
	LEFT JOIN statuses s ON s.product = d.product AND s.device = d.name
	WHERE d.product = ? AND d.batch = ? AND d.batch <> '' AND d.name > ? ORDER BY d.name LIMIT ?`

// BatchDevices is of [enroll.Store].
func (d *DB) BatchDevices(ctx context.Context, product, name, after string, limit int) (list []enroll.BatchDevice, err error) {
	rows, err := d.sql.QueryContext(ctx, selectBatchDevices, product, name, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			b                     enroll.BatchDevice
			registered, activated int64
		)
		dev, err := d.scanDevice(scanMore{rows, []any{&registered, &b.Registered, &b.Road, &activated}})
		if err != nil {
			return nil, err
		}
		b.Device, b.RegisteredAt, b.ActivatedAt = *dev, moment(registered), moment(activated)
		list = append(list, b)
	}
	return list, rows.Err()
}

// scanMore scans further columns behind those that are asked for.
type scanMore struct {
	scanner
	more []any
}

// Scan is of scanner.
func (s scanMore) Scan(dest ...any) error { return s.scanner.Scan(append(dest, s.more...)...) }
