package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
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
	}, func() { d.directory.insert(list) })
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

// selectDevices finds devices of a product by a list of their names.
const selectDevices = "SELECT " + deviceColumns + " FROM devices WHERE product = ? AND name IN (SELECT value FROM json_each(?)) ORDER BY name"

// Devices is of [registry.Store]. The directory says which; those that are
// deleted before they are fetched are made up for by further ones.
func (d *DB) Devices(ctx context.Context, q registry.DeviceQuery) (list []registry.Device, err error) {
	for len(list) < q.Limit {
		wanted := q.Limit - len(list)
		ids, err := d.directory.search(ctx, q, wanted)
		if err != nil {
			return nil, err
		}
		for product, names := range byProduct(ids) {
			err := eachOf(ctx, d.devices, product, names, func(row scanner) error {
				dev, err := d.scanDevice(row)
				if err == nil {
					list = append(list, *dev)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		if len(ids) < wanted {
			break
		}
		q.After = ids[wanted-1].String()
	}
	return list, nil
}

// byProduct gathers the names of devices that follow one another and are of
// one product.
func byProduct(ids []registry.ID) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for i := 0; i < len(ids); {
			product, names := ids[i].Product, []string(nil)
			for ; i < len(ids) && ids[i].Product == product; i++ {
				names = append(names, ids[i].Device)
			}
			if !yield(product, names) {
				return
			}
		}
	}
}

// eachOf hands the rows of a statement that finds devices of a product by their
// names to f.
func eachOf(ctx context.Context, stmt *sql.Stmt, product string, names []string, f func(scanner) error) error {
	list, err := json.Marshal(names)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, product, string(list))
	if err != nil {
		return err
	}
	return handRows(rows, f)
}

// handRows hands rows to f, one after another, and closes them.
func handRows(rows *sql.Rows, f func(scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// CountDevices is of [registry.Store].
func (d *DB) CountDevices(ctx context.Context, q registry.DeviceQuery) (int, error) {
	return d.directory.count(ctx, q)
}

// UpdateDevices is of [registry.Store].
func (d *DB) UpdateDevices(ctx context.Context, list []registry.Device) (missing []registry.ID, err error) {
	var there []registry.Device
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		update, err := tx.PrepareContext(ctx, "UPDATE devices SET ("+deviceColumns+") = "+devicePlaces+" WHERE product = ? AND name = ?")
		if err != nil {
			return err
		}
		defer update.Close()
		for i := range list {
			row, err := d.deviceRow(&list[i])
			if err != nil {
				return err
			}
			res, err := update.ExecContext(ctx, append(row, list[i].Product, list[i].Name)...)
			switch err := changed(res, err, registry.ErrNotFound); {
			case errors.Is(err, registry.ErrNotFound):
				missing = append(missing, list[i].ID())
			case err != nil:
				return err
			default:
				there = append(there, list[i])
			}
		}
		return nil
	}, func() {
		d.directory.changeAll(idsOf(there), func(i int, c *card) { c.describe(&there[i]) })
	})
	if err != nil {
		return nil, err
	}
	return missing, nil
}

func idsOf(list []registry.Device) []registry.ID {
	ids := make([]registry.ID, len(list))
	for i := range list {
		ids[i] = list[i].ID()
	}
	return ids
}

// DeviceByCertificate is of [registry.Store].
func (d *DB) DeviceByCertificate(ctx context.Context, fingerprint string) (*registry.Device, error) {
	if fingerprint == "" {
		return nil, registry.ErrNotFound
	}
	return d.scanDevice(d.sql.QueryRowContext(ctx, "SELECT "+deviceColumns+" FROM devices WHERE certificate = ? AND certificate <> ''", fingerprint))
}

// EnableBatch is of [registry.Store].
func (d *DB) EnableBatch(ctx context.Context, product, batch string, on bool, at time.Time) (ids []registry.ID, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "UPDATE devices SET enabled = ?, updated_at = ? WHERE product = ? AND batch = ? AND batch <> '' AND enabled <> ? RETURNING product, name",
			on, millis(at), product, batch, on)
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
	}, func() {
		d.directory.changeAll(ids, func(_ int, c *card) { c.set(enabled, on) })
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// DeleteDevices is of [registry.Store].
func (d *DB) DeleteDevices(ctx context.Context, ids []registry.ID) (missing []registry.ID, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		remove, err := tx.PrepareContext(ctx, "DELETE FROM devices WHERE product = ? AND name = ?")
		if err != nil {
			return err
		}
		defer remove.Close()
		for _, id := range ids {
			res, err := remove.ExecContext(ctx, id.Product, id.Device)
			switch err := changed(res, err, registry.ErrNotFound); {
			case errors.Is(err, registry.ErrNotFound):
				missing = append(missing, id)
			case err != nil:
				return err
			}
		}
		return nil
	}, func() { d.directory.remove(ids) })
	if err != nil {
		return nil, err
	}
	return missing, nil
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
