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
	"github.com/matou-iot/matou/thing"
)

const productColumns = "key, name, descr, dialect, strictness, secret, previous_secret, model, model_version, registration, node_type, data_model, created_at, updated_at"

// InsertProduct is of [registry.Store].
func (d *DB) InsertProduct(ctx context.Context, p *registry.Product) error {
	row, err := d.productRow(p)
	if err != nil {
		return err
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO products ("+productColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", row...)
		return changed(res, err, registry.ErrExists)
	})
}

// Product is of [registry.Store].
func (d *DB) Product(ctx context.Context, key string) (*registry.Product, error) {
	return read(&d.reads, func() (*registry.Product, error) { return d.scanProduct(d.product.QueryRowContext(ctx, key)) })
}

// Products is of [registry.Store].
func (d *DB) Products(ctx context.Context, q registry.ProductQuery) ([]registry.Product, error) {
	var c clauses
	c.add("key > ?", q.After)
	if q.Text != "" {
		c.add("("+holds("key")+" OR "+holds("name")+")", q.Text, q.Text)
	}
	rows, err := d.sql.QueryContext(ctx, "SELECT "+productColumns+" FROM products"+c.where()+" ORDER BY key LIMIT ?", append(c.args, q.Limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []registry.Product
	for rows.Next() {
		p, err := d.scanProduct(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, *p)
	}
	return list, rows.Err()
}

// UpdateProduct is of [registry.Store].
func (d *DB) UpdateProduct(ctx context.Context, p *registry.Product) error {
	return d.updateProduct(ctx, p, func(*sql.Tx) error { return nil })
}

// updateProduct writes a product and, in the same transaction, what belongs to
// the change.
func (d *DB) updateProduct(ctx context.Context, p *registry.Product, also func(*sql.Tx) error) error {
	row, err := d.productRow(p)
	if err != nil {
		return err
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE products SET ("+productColumns+") = (?,?,?,?,?,?,?,?,?,?,?,?,?,?) WHERE key = ?", append(row, p.Key)...)
		if err := changed(res, err, registry.ErrNotFound); err != nil {
			return err
		}
		return also(tx)
	})
}

// DeleteProduct is of [registry.Store].
func (d *DB) DeleteProduct(ctx context.Context, key string) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM devices WHERE product = ?", key); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "DELETE FROM products WHERE key = ?", key)
		return changed(res, err, registry.ErrNotFound)
	}, func() { d.directory.removeProduct(key) })
}

func (d *DB) productRow(p *registry.Product) ([]any, error) {
	strictness, err := p.Strictness.MarshalText()
	if err != nil {
		return nil, err
	}
	model, err := json.Marshal(p.Model)
	if err != nil {
		return nil, fmt.Errorf("write model of %s: %w", p.Key, err)
	}
	registration, err := json.Marshal(p.Registration)
	if err != nil {
		return nil, fmt.Errorf("write registration of %s: %w", p.Key, err)
	}
	about := "product " + p.Key
	return []any{
		p.Key, p.Name, p.Desc, p.Dialect, string(strictness), d.seal(p.Secret, about), d.seal(p.PreviousSecret, about),
		string(model), p.ModelVersion, string(registration), p.NodeType.String(), p.DataModel.String(), millis(p.CreatedAt), millis(p.UpdatedAt),
	}, nil
}

// A scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

func (d *DB) scanProduct(row scanner) (*registry.Product, error) {
	var (
		p                  registry.Product
		strictness, model  string
		registration       string
		nodeType           string
		dataModel          string
		secret, previous   []byte
		createdAt, updated int64
	)
	err := row.Scan(&p.Key, &p.Name, &p.Desc, &p.Dialect, &strictness, &secret, &previous, &model, &p.ModelVersion, &registration, &nodeType, &dataModel, &createdAt, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, registry.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	p.CreatedAt, p.UpdatedAt = moment(createdAt), moment(updated)
	p.Model = new(thing.Model)
	about := "product " + p.Key
	secretText, err1 := d.unseal(secret, about)
	previousText, err2 := d.unseal(previous, about)
	p.Secret, p.PreviousSecret = secretText, previousText
	if err := errors.Join(err1, err2, p.Strictness.UnmarshalText([]byte(strictness)), p.NodeType.UnmarshalText([]byte(nodeType)), p.DataModel.UnmarshalText([]byte(dataModel)), json.Unmarshal([]byte(model), p.Model), json.Unmarshal([]byte(registration), &p.Registration)); err != nil {
		return nil, fmt.Errorf("product %s: %w", p.Key, err)
	}
	p.Model.Index()
	return &p, nil
}

// changed turns a statement that changed no row into err none.
func changed(res sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return none
	}
	return err
}

// clauses are joined by AND.
type clauses struct {
	texts []string
	args  []any
}

func (c *clauses) add(text string, args ...any) {
	c.texts, c.args = append(c.texts, text), append(c.args, args...)
}

// holds says in SQL that a column holds a text, with no wildcards. SQLite folds
// ASCII letters only, so it folds both sides: a capital outside ASCII is found
// as it is written.
func holds(column string) string { return "instr(lower(" + column + "), lower(?)) > 0" }

// where is the WHERE with a blank in front, "" where there are none.
func (c *clauses) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.texts, " AND ")
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
