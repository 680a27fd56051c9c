package sqlite

import (
	"context"
	"database/sql"

	"github.com/matou-iot/matou/internal/registry"
)

// SubSession reports whether messages are kept for a sub-device that is away.
func (d *DB) SubSession(ctx context.Context, id registry.ID) (keeps bool, err error) {
	err = d.sql.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sub_sessions WHERE product = ? AND device = ?)", id.Product, id.Device).Scan(&keeps)
	return keeps, err
}

// SaveSubSession says so. A sub-device for which nothing is kept any more loses
// what waits; of one that does not exist nothing is kept.
func (d *DB) SaveSubSession(ctx context.Context, id registry.ID, keeps bool) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		if !keeps {
			_, err := tx.ExecContext(ctx, "DELETE FROM sub_sessions WHERE product = ? AND device = ?", id.Product, id.Device)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sub_sessions (product, device) SELECT product, name FROM devices WHERE product = ? AND name = ?
			ON CONFLICT DO NOTHING`, id.Product, id.Device)
		return err
	})
}

// Wait keeps a message behind the others of a sub-device, where anything is
// kept for it.
func (d *DB) Wait(ctx context.Context, id registry.ID, w registry.Waiting) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sub_queue (product, device, topic, payload, at) SELECT product, device, ?, ?, ?
			FROM sub_sessions WHERE product = ? AND device = ?`, w.Topic, w.Payload, millis(w.At), id.Product, id.Device)
		return err
	})
}

// Waiting returns what waits for a sub-device, oldest first.
func (d *DB) Waiting(ctx context.Context, id registry.ID) (all []registry.Waiting, err error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT seq, topic, payload, at FROM sub_queue WHERE product = ? AND device = ? ORDER BY seq", id.Product, id.Device)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var w registry.Waiting
		var at int64
		if err := rows.Scan(&w.Seq, &w.Topic, &w.Payload, &at); err != nil {
			return nil, err
		}
		w.At = moment(at)
		all = append(all, w)
	}
	return all, rows.Err()
}

// CountWaiting is how many messages wait for a sub-device, and their bytes.
func (d *DB) CountWaiting(ctx context.Context, id registry.ID) (n, bytes int, err error) {
	err = d.sql.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(length(payload)), 0) FROM sub_queue WHERE product = ? AND device = ?", id.Product, id.Device).Scan(&n, &bytes)
	return n, bytes, err
}

// Waited forgets what waits for a sub-device up to a place.
func (d *DB) Waited(ctx context.Context, id registry.ID, seq int64) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sub_queue WHERE product = ? AND device = ? AND seq <= ?", id.Product, id.Device, seq)
		return err
	})
}
