package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/remoteconfig"
)

var _ remoteconfig.Store = (*DB)(nil)

// SaveConfig is of [remoteconfig.Store].
func (d *DB) SaveConfig(ctx context.Context, v remoteconfig.Version, keep int) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO configs (id, product, number, sha256, content, created_at) VALUES (?,?,?,?,?,?)",
			v.ID, v.Product, v.Number, v.SHA256, v.Content, millis(v.CreatedAt))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM configs WHERE product = ? AND number <= ?", v.Product, v.Number-int64(keep))
		return err
	})
}

// Configs is of [remoteconfig.Store].
func (d *DB) Configs(ctx context.Context, product string) ([]remoteconfig.Version, error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT id, product, number, sha256, length(content), created_at FROM configs WHERE product = ? ORDER BY number DESC", product)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []remoteconfig.Version
	for rows.Next() {
		var v remoteconfig.Version
		var at int64
		if err := rows.Scan(&v.ID, &v.Product, &v.Number, &v.SHA256, &v.Size, &at); err != nil {
			return nil, err
		}
		v.CreatedAt = moment(at)
		all = append(all, v)
	}
	return all, rows.Err()
}

// Config is of [remoteconfig.Store].
func (d *DB) Config(ctx context.Context, id string) (v remoteconfig.Version, err error) {
	var at int64
	row := d.sql.QueryRowContext(ctx, "SELECT id, product, number, sha256, content, created_at FROM configs WHERE id = ?", id)
	if err = row.Scan(&v.ID, &v.Product, &v.Number, &v.SHA256, &v.Content, &at); errors.Is(err, sql.ErrNoRows) {
		return v, remoteconfig.ErrNotFound
	}
	v.Size, v.CreatedAt = len(v.Content), moment(at)
	return v, err
}

// ConfigOff is of [remoteconfig.Store].
func (d *DB) ConfigOff(ctx context.Context, product string) (off bool, err error) {
	err = d.sql.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM config_off WHERE product = ?)", product).Scan(&off)
	return off, err
}

// SetConfigOff is of [remoteconfig.Store].
func (d *DB) SetConfigOff(ctx context.Context, product string, off bool) error {
	statement := "DELETE FROM config_off WHERE product = ?"
	if off {
		statement = "INSERT INTO config_off (product) VALUES (?) ON CONFLICT DO NOTHING"
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, product)
		return err
	})
}

// SaveDeliveries is of [remoteconfig.Store].
func (d *DB) SaveDeliveries(ctx context.Context, all []remoteconfig.Delivery) error {
	if len(all) == 0 {
		return nil
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		save, err := tx.PrepareContext(ctx, `INSERT INTO config_deliveries (product, device, config, state, code, message, pushed_at, answered_at)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM devices WHERE product = ?1 AND name = ?2)
			ON CONFLICT DO UPDATE SET config = excluded.config, state = excluded.state, code = excluded.code, message = excluded.message,
				pushed_at = excluded.pushed_at, answered_at = excluded.answered_at`)
		if err != nil {
			return err
		}
		defer save.Close()
		for _, v := range all {
			if _, err := save.ExecContext(ctx, v.Product, v.Device, v.ConfigID, string(v.State), v.Code, v.Message, millis(v.PushedAt), millis(v.AnsweredAt)); err != nil {
				return err
			}
		}
		return nil
	})
}

const deliveryColumns = "product, device, config, state, code, message, pushed_at, answered_at"

// Delivery is of [remoteconfig.Store].
func (d *DB) Delivery(ctx context.Context, id registry.ID) (remoteconfig.Delivery, error) {
	v, err := scanDelivery(d.sql.QueryRowContext(ctx, "SELECT "+deliveryColumns+" FROM config_deliveries WHERE product = ? AND device = ?", id.Product, id.Device))
	if errors.Is(err, sql.ErrNoRows) {
		err = remoteconfig.ErrNotFound
	}
	return v, err
}

// Deliveries is of [remoteconfig.Store].
func (d *DB) Deliveries(ctx context.Context, product, after string, limit int) ([]remoteconfig.Delivery, error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT "+deliveryColumns+" FROM config_deliveries WHERE product = ? AND device > ? ORDER BY device LIMIT ?", product, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []remoteconfig.Delivery
	for rows.Next() {
		v, err := scanDelivery(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

func scanDelivery(row scanner) (v remoteconfig.Delivery, err error) {
	var state string
	var pushed, answered int64
	err = row.Scan(&v.Product, &v.Device, &v.ConfigID, &state, &v.Code, &v.Message, &pushed, &answered)
	v.State, v.PushedAt, v.AnsweredAt = remoteconfig.State(state), moment(pushed), moment(answered)
	return v, err
}
