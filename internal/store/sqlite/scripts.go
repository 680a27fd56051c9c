package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/matou-iot/matou/internal/script"
)

var _ script.Store = (*DB)(nil)

// Script is of [script.Store].
func (d *DB) Script(ctx context.Context, product string) (*script.Script, error) {
	s := script.Script{Product: product}
	var functions string
	var updated int64
	err := d.sql.QueryRowContext(ctx, "SELECT source, functions, version, updated_at FROM scripts WHERE product = ?", product).
		Scan(&s.Source, &functions, &s.Version, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, script.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	s.Functions, s.UpdatedAt = strings.Fields(functions), moment(updated)
	return &s, nil
}

// SaveScript is of [script.Store].
func (d *DB) SaveScript(ctx context.Context, s *script.Script) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO scripts (product, source, functions, version, updated_at)
			SELECT key, ?2, ?3, ?4, ?5 FROM products WHERE key = ?1
			ON CONFLICT (product) DO UPDATE SET source = excluded.source, functions = excluded.functions, version = excluded.version, updated_at = excluded.updated_at`,
			s.Product, s.Source, strings.Join(s.Functions, " "), s.Version, millis(s.UpdatedAt))
		return changed(res, err, script.ErrNotFound)
	})
}

// DeleteScript is of [script.Store].
func (d *DB) DeleteScript(ctx context.Context, product string) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM scripts WHERE product = ?", product)
		return changed(res, err, script.ErrNotFound)
	})
}
