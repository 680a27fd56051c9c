package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/thing"
)

var _ shadow.Store = (*DB)(nil)

// Shadow is of [shadow.Store].
func (d *DB) Shadow(ctx context.Context, id registry.ID) (dialect.Shadow, error) {
	return d.twin(ctx, shadowTwin, id)
}

// SaveShadow is of [shadow.Store].
func (d *DB) SaveShadow(ctx context.Context, id registry.ID, s dialect.Shadow) error {
	return d.saveTwin(ctx, shadowTwin, id, s)
}

// DeleteShadow is of [shadow.Store].
func (d *DB) DeleteShadow(ctx context.Context, id registry.ID) error {
	return d.deleteTwin(ctx, shadowTwin, id)
}

// Desired is of [shadow.Store].
func (d *DB) Desired(ctx context.Context, id registry.ID) ([]dialect.DesiredValue, error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT property, value, version, set_at FROM desired_values WHERE product = ? AND device = ? ORDER BY property", id.Product, id.Device)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []dialect.DesiredValue
	for rows.Next() {
		var v dialect.DesiredValue
		var value string
		var at int64
		if err := rows.Scan(&v.Property, &value, &v.Version, &at); err != nil {
			return nil, err
		}
		if v.Value, err = thing.ParseValue([]byte(value)); err != nil {
			return nil, fmt.Errorf("desired value of %s %s: %w", id, v.Property, err)
		}
		v.At = moment(at)
		all = append(all, v)
	}
	return all, rows.Err()
}

// SaveDesired is of [shadow.Store].
func (d *DB) SaveDesired(ctx context.Context, id registry.ID, set []dialect.DesiredValue, gone []string) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		for _, property := range gone {
			if _, err := tx.ExecContext(ctx, "DELETE FROM desired_values WHERE product = ? AND device = ? AND property = ?", id.Product, id.Device, property); err != nil {
				return err
			}
		}
		for _, v := range set {
			_, err := tx.ExecContext(ctx, `INSERT INTO desired_values (product, device, property, value, version, set_at) VALUES (?,?,?,?,?,?)
				ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version, set_at = excluded.set_at`,
				id.Product, id.Device, v.Property, string(v.Value.AppendJSON(nil)), v.Version, millis(v.At))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
