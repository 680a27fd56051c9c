package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

const deviceColumns = "product, name, secret, previous_secret, nickname, enabled, tags, system_tags, remote_log, batch, certificate, created_at, updated_at"

const devicePlaces = "(?,?,?,?,?,?,?,?,?,?,?,?,?)"

// InsertDevices is of [registry.Store].
func (d *DB) InsertDevices(ctx context.Context, list []registry.Device) error {
	if len(list) == 0 {
		return nil
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, "INSERT INTO devices ("+deviceColumns+") VALUES "+devicePlaces+" ON CONFLICT DO NOTHING")
		if err != nil {
			return err
		}
		defer insert.Close()
		for i := range list {
			if i == 0 || list[i].Product != list[i-1].Product {
				if err := hasProduct(ctx, tx, list[i].Product); err != nil {
					return err
				}
			}
			row, err := d.deviceRow(&list[i])
			if err != nil {
				return err
			}
			res, err := insert.ExecContext(ctx, row...)
			switch err := changed(res, err, registry.ErrExists); {
			case errors.Is(err, registry.ErrExists):
				return &registry.ExistsError{Row: i}
			case err != nil:
				return err
			}
		}
		return nil
	})
}

func hasProduct(ctx context.Context, tx *sql.Tx, key string) error {
	var there int
	err := tx.QueryRowContext(ctx, "SELECT 1 FROM products WHERE key = ?", key).Scan(&there)
	if errors.Is(err, sql.ErrNoRows) {
		return registry.ErrNotFound
	}
	return err
}

// Device is of [registry.Store].
func (d *DB) Device(ctx context.Context, id registry.ID) (*registry.Device, error) {
	return read(&d.reads, func() (*registry.Device, error) {
		return d.scanDevice(d.device.QueryRowContext(ctx, id.Product, id.Device))
	})
}

// stateOf says in SQL what registry.Registry.Status says of a device d with
// status s.
const stateOf = `CASE WHEN NOT d.enabled THEN 'DISABLED' ELSE coalesce(s.state, 'INACTIVE') END`

// Devices is of [registry.Store].
func (d *DB) Devices(ctx context.Context, q registry.DeviceQuery) ([]registry.Device, error) {
	var c clauses
	from := "devices d"
	if q.Product != "" {
		c.add("d.product = ?", q.Product)
	}
	if q.After != "" {
		product, name, _ := strings.Cut(q.After, "/")
		c.add("(d.product, d.name) > (?, ?)", product, name)
	}
	if q.Text != "" {
		c.add("("+holds("d.name")+" OR "+holds("d.nickname")+")", q.Text, q.Text)
	}
	if key, value, both := strings.Cut(q.Tag, "="); both {
		c.add("EXISTS (SELECT 1 FROM json_each(d.tags) t WHERE t.key = ? AND t.value = ?)", key, value)
	} else if key != "" {
		c.add("EXISTS (SELECT 1 FROM json_each(d.tags) t WHERE t.key = ?)", key)
	}
	if q.Batch != "" {
		c.add("d.batch = ?", q.Batch)
	}
	if q.State != nil {
		from += " LEFT JOIN statuses s ON s.product = d.product AND s.device = d.name"
		c.add(stateOf+" = ?", q.State.String())
	}
	columns := "d." + strings.ReplaceAll(deviceColumns, ", ", ", d.")
	rows, err := d.sql.QueryContext(ctx, "SELECT "+columns+" FROM "+from+c.where()+" ORDER BY d.product, d.name LIMIT ?", append(c.args, q.Limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []registry.Device
	for rows.Next() {
		dev, err := d.scanDevice(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, *dev)
	}
	return list, rows.Err()
}

// CountDevices is of [registry.Store].
func (d *DB) CountDevices(ctx context.Context, product string) (n int, err error) {
	if product == "" {
		err = d.sql.QueryRowContext(ctx, "SELECT count(*) FROM devices").Scan(&n)
	} else {
		err = d.sql.QueryRowContext(ctx, "SELECT count(*) FROM devices WHERE product = ?", product).Scan(&n)
	}
	return n, err
}

// UpdateDevice is of [registry.Store].
func (d *DB) UpdateDevice(ctx context.Context, dev *registry.Device) error {
	row, err := d.deviceRow(dev)
	if err != nil {
		return err
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE devices SET ("+deviceColumns+") = "+devicePlaces+" WHERE product = ? AND name = ?", append(row, dev.Product, dev.Name)...)
		return changed(res, err, registry.ErrNotFound)
	})
}

// DeviceByCertificate is of [registry.Store].
func (d *DB) DeviceByCertificate(ctx context.Context, fingerprint string) (*registry.Device, error) {
	if fingerprint == "" {
		return nil, registry.ErrNotFound
	}
	return d.scanDevice(d.sql.QueryRowContext(ctx, "SELECT "+deviceColumns+" FROM devices WHERE certificate = ? AND certificate <> ''", fingerprint))
}

// EnableBatch is of [registry.Store].
func (d *DB) EnableBatch(ctx context.Context, product, batch string, enabled bool, at time.Time) (ids []registry.ID, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "UPDATE devices SET enabled = ?, updated_at = ? WHERE product = ? AND batch = ? AND batch <> '' AND enabled <> ? RETURNING product, name",
			enabled, millis(at), product, batch, enabled)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id registry.ID
			if err := rows.Scan(&id.Product, &id.Device); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// DeleteDevice is of [registry.Store].
func (d *DB) DeleteDevice(ctx context.Context, id registry.ID) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM devices WHERE product = ? AND name = ?", id.Product, id.Device)
		return changed(res, err, registry.ErrNotFound)
	})
}

func (d *DB) deviceRow(dev *registry.Device) ([]any, error) {
	tags, err1 := textMap(dev.Tags)
	system, err2 := textMap(dev.SystemTags)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("write tags of %s: %w", dev.ID(), err)
	}
	about := "device " + dev.ID().String()
	return []any{
		dev.Product, dev.Name, d.seal(dev.Secret, about), d.seal(dev.PreviousSecret, about), dev.Nickname, dev.Enabled, tags, system, dev.RemoteLog,
		dev.Batch, dev.Certificate, millis(dev.CreatedAt), millis(dev.UpdatedAt),
	}, nil
}

func textMap(m map[string]string) (string, error) {
	if len(m) == 0 {
		return "{}", nil
	}
	doc, err := json.Marshal(m)
	return string(doc), err
}

func (d *DB) scanDevice(row scanner) (*registry.Device, error) {
	var (
		dev              registry.Device
		tags, system     string
		secret, previous []byte
		created, updated int64
	)
	err := row.Scan(&dev.Product, &dev.Name, &secret, &previous, &dev.Nickname, &dev.Enabled, &tags, &system, &dev.RemoteLog, &dev.Batch, &dev.Certificate, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, registry.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	dev.CreatedAt, dev.UpdatedAt = moment(created), moment(updated)
	about := "device " + dev.ID().String()
	var errs [4]error
	dev.Secret, errs[0] = d.unseal(secret, about)
	dev.PreviousSecret, errs[1] = d.unseal(previous, about)
	if tags != "{}" {
		errs[2] = json.Unmarshal([]byte(tags), &dev.Tags)
	}
	if system != "{}" {
		errs[3] = json.Unmarshal([]byte(system), &dev.SystemTags)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("device %s: %w", dev.ID(), err)
	}
	return &dev, nil
}
