package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/matou-iot/matou/internal/registry"
)

// SaveNetwork keeps what a device that exists reported last of its network.
func (d *DB) SaveNetwork(ctx context.Context, id registry.ID, n registry.Network) error {
	return d.write(ctx, d.lazy, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO network_reports (product, device, report, at) SELECT product, name, ?3, ?4 FROM devices WHERE product = ?1 AND name = ?2
			ON CONFLICT (product, device) DO UPDATE SET report = excluded.report, at = excluded.at`, id.Product, id.Device, string(n.Report), millis(n.At))
		return err
	})
}

// Network returns it; registry.ErrNotFound where there is none.
func (d *DB) Network(ctx context.Context, id registry.ID) (n registry.Network, err error) {
	var report string
	var at int64
	err = d.sql.QueryRowContext(ctx, "SELECT report, at FROM network_reports WHERE product = ? AND device = ?", id.Product, id.Device).Scan(&report, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return n, registry.ErrNotFound
	}
	return registry.Network{At: moment(at), Report: json.RawMessage(report)}, err
}
