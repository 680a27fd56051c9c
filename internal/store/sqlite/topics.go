package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/matou-iot/matou/internal/topics"
)

var _ topics.Store = (*DB)(nil)

// TopicClasses is of [topics.Store].
func (d *DB) TopicClasses(ctx context.Context, product string) (all []topics.Class, err error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT path, permission, descr, created_at FROM topic_classes WHERE product = ? ORDER BY path", product)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		c := topics.Class{Product: product}
		var permission string
		var created int64
		if err := errors.Join(rows.Scan(&c.Path, &permission, &c.Desc, &created), c.Permission.UnmarshalText([]byte(permission))); err != nil {
			return nil, err
		}
		c.CreatedAt = moment(created)
		all = append(all, c)
	}
	return all, rows.Err()
}

// SaveTopicClass is of [topics.Store].
func (d *DB) SaveTopicClass(ctx context.Context, c *topics.Class) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO topic_classes (product, path, permission, descr, created_at)
			SELECT key, ?2, ?3, ?4, ?5 FROM products WHERE key = ?1
			ON CONFLICT (product, path) DO UPDATE SET permission = excluded.permission, descr = excluded.descr, created_at = excluded.created_at`,
			c.Product, c.Path, c.Permission.String(), c.Desc, millis(c.CreatedAt))
		return changed(res, err, topics.ErrNotFound)
	})
}

// DeleteTopicClass is of [topics.Store].
func (d *DB) DeleteTopicClass(ctx context.Context, product, path string) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM topic_classes WHERE product = ? AND path = ?", product, path)
		return changed(res, err, topics.ErrNotFound)
	})
}
