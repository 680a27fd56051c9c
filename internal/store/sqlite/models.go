package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// PublishModel is of [registry.Store].
func (d *DB) PublishModel(ctx context.Context, p *registry.Product, oldest int) error {
	return d.updateProduct(ctx, p, func(tx *sql.Tx) error {
		if err := saveModel(ctx, tx, p.Key, registry.ModelVersion{Version: p.ModelVersion, At: p.UpdatedAt, Model: p.Model}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM models WHERE product = ? AND version < ?", p.Key, max(oldest, 1)) // the draft is version 0
		return err
	})
}

// SaveModel is of [registry.Store].
func (d *DB) SaveModel(ctx context.Context, product string, v registry.ModelVersion) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error { return saveModel(ctx, tx, product, v) })
}

func saveModel(ctx context.Context, tx *sql.Tx, product string, v registry.ModelVersion) error {
	model, err := json.Marshal(v.Model)
	if err != nil {
		return fmt.Errorf("write model of %s: %w", product, err)
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO models (product, version, model, at) SELECT key, ?2, ?3, ?4 FROM products WHERE key = ?1
		ON CONFLICT DO UPDATE SET model = excluded.model, at = excluded.at`, product, v.Version, string(model), millis(v.At))
	return changed(res, err, registry.ErrNotFound)
}

// Models is of [registry.Store].
func (d *DB) Models(ctx context.Context, product string) ([]registry.ModelVersion, error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT version, model, at FROM models WHERE product = ? ORDER BY version DESC", product)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []registry.ModelVersion
	for rows.Next() {
		v := registry.ModelVersion{Model: new(thing.Model)}
		var model string
		var at int64
		if err := errors.Join(rows.Scan(&v.Version, &model, &at), json.Unmarshal([]byte(model), v.Model)); err != nil {
			return nil, fmt.Errorf("models of %s: %w", product, err)
		}
		v.At = moment(at)
		list = append(list, v)
	}
	return list, rows.Err()
}

// DeleteModel is of [registry.Store].
func (d *DB) DeleteModel(ctx context.Context, product string, version int) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM models WHERE product = ? AND version = ?", product, version)
		return err
	})
}

// CountTags is of [registry.Store].
func (d *DB) CountTags(ctx context.Context, product string, limit int) ([]registry.TagCount, error) {
	return d.directory.tags(ctx, product, limit)
}

// CountStates is of [registry.Store].
func (d *DB) CountStates(ctx context.Context) (map[string]int, error) { return d.directory.states(ctx) }
