package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

// Bind is of [registry.TopologyStore].
func (d *DB) Bind(ctx context.Context, gateway registry.ID, subs []registry.ID, at time.Time) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		bind, err := tx.PrepareContext(ctx, `INSERT INTO topology (product, device, gateway_product, gateway_device, at)
			SELECT s.product, s.name, g.product, g.name, ?5 FROM devices s, devices g
			WHERE s.product = ?1 AND s.name = ?2 AND g.product = ?3 AND g.name = ?4
			ON CONFLICT (product, device) DO UPDATE SET gateway_product = excluded.gateway_product, gateway_device = excluded.gateway_device, at = excluded.at`)
		if err != nil {
			return err
		}
		defer bind.Close()
		for _, sub := range subs {
			res, err := bind.ExecContext(ctx, sub.Product, sub.Device, gateway.Product, gateway.Device, millis(at))
			if err := changed(res, err, registry.ErrNotFound); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unbind is of [registry.TopologyStore].
func (d *DB) Unbind(ctx context.Context, gateway registry.ID, subs []registry.ID) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		for _, sub := range subs {
			_, err := tx.ExecContext(ctx, "DELETE FROM topology WHERE product = ? AND device = ? AND gateway_product = ? AND gateway_device = ?",
				sub.Product, sub.Device, gateway.Product, gateway.Device)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Binding is of [registry.TopologyStore].
func (d *DB) Binding(ctx context.Context, sub registry.ID) (*registry.Binding, error) {
	b := registry.Binding{Sub: sub}
	var at int64
	err := d.binding.QueryRowContext(ctx, sub.Product, sub.Device).Scan(&b.Gateway.Product, &b.Gateway.Device, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, registry.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("gateway of %s: %w", sub, err)
	}
	b.At = moment(at)
	return &b, nil
}

// Bindings is of [registry.TopologyStore].
func (d *DB) Bindings(ctx context.Context, gateway registry.ID, after string, limit int) ([]registry.Binding, error) {
	product, name, _ := strings.Cut(after, "/")
	rows, err := d.sql.QueryContext(ctx, `SELECT product, device, at FROM topology
		WHERE gateway_product = ? AND gateway_device = ? AND (product, device) > (?, ?) ORDER BY product, device LIMIT ?`,
		gateway.Product, gateway.Device, product, name, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []registry.Binding
	for rows.Next() {
		b := registry.Binding{Gateway: gateway}
		var at int64
		if err := rows.Scan(&b.Sub.Product, &b.Sub.Device, &at); err != nil {
			return nil, err
		}
		b.At = moment(at)
		list = append(list, b)
	}
	return list, rows.Err()
}

// CountBindings is of [registry.TopologyStore].
func (d *DB) CountBindings(ctx context.Context, gateway registry.ID) (n int, err error) {
	err = d.sql.QueryRowContext(ctx, "SELECT count(*) FROM topology WHERE gateway_product = ? AND gateway_device = ?", gateway.Product, gateway.Device).Scan(&n)
	return n, err
}

// SaveFound is of [registry.TopologyStore].
func (d *DB) SaveFound(ctx context.Context, gateway registry.ID, subs []registry.ID, at time.Time, most int) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		for _, sub := range subs {
			res, err := tx.ExecContext(ctx, `INSERT INTO found_subs (gateway_product, gateway_device, product, device, at)
				SELECT product, name, ?3, ?4, ?5 FROM devices WHERE product = ?1 AND name = ?2
				ON CONFLICT (gateway_product, gateway_device, product, device) DO UPDATE SET at = excluded.at`,
				gateway.Product, gateway.Device, sub.Product, sub.Device, millis(at))
			if err := changed(res, err, registry.ErrNotFound); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM found_subs WHERE gateway_product = ?1 AND gateway_device = ?2 AND (product, device) NOT IN (
			SELECT product, device FROM found_subs WHERE gateway_product = ?1 AND gateway_device = ?2 ORDER BY at DESC, product, device LIMIT ?3)`,
			gateway.Product, gateway.Device, most)
		return err
	})
}

// Found is of [registry.TopologyStore].
func (d *DB) Found(ctx context.Context, gateway registry.ID) ([]registry.Found, error) {
	rows, err := d.sql.QueryContext(ctx, `SELECT f.product, f.device, f.at FROM found_subs f
		LEFT JOIN topology t ON t.product = f.product AND t.device = f.device
			AND t.gateway_product = f.gateway_product AND t.gateway_device = f.gateway_device
		WHERE f.gateway_product = ? AND f.gateway_device = ? AND t.product IS NULL ORDER BY f.product, f.device`,
		gateway.Product, gateway.Device)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []registry.Found
	for rows.Next() {
		var f registry.Found
		var at int64
		if err := rows.Scan(&f.Sub.Product, &f.Sub.Device, &at); err != nil {
			return nil, err
		}
		f.At = moment(at)
		list = append(list, f)
	}
	return list, rows.Err()
}
