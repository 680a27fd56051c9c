package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/shadow"
	"github.com/matou-iot/matou/thing"
)

var _ shadow.Store = (*DB)(nil)

// An attribute is one of a shadow as the database has it.
type attribute struct {
	Name  string      `json:"name"`
	Value thing.Value `json:"value"`
	At    int64       `json:"at"`
}

func writeAttributes(from []dialect.ShadowAttribute) (string, error) {
	list := make([]attribute, len(from))
	for i, a := range from {
		list[i] = attribute{a.Name, a.Value, millis(a.At)}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // texts inside a compound come back as they were
	err := enc.Encode(list)
	return b.String(), err
}

func readAttributes(doc string) (to []dialect.ShadowAttribute, err error) {
	var list []attribute
	if err := json.Unmarshal([]byte(doc), &list); err != nil {
		return nil, err
	}
	for _, a := range list {
		to = append(to, dialect.ShadowAttribute{Name: a.Name, Value: a.Value, At: moment(a.At)})
	}
	return to, nil
}

// Shadow is of [shadow.Store].
func (d *DB) Shadow(ctx context.Context, id registry.ID) (s dialect.Shadow, err error) {
	var reported, desired string
	var updated int64
	row := d.sql.QueryRowContext(ctx, "SELECT version, reported, desired, updated_at FROM shadows WHERE product = ? AND device = ?", id.Product, id.Device)
	if err = row.Scan(&s.Version, &reported, &desired, &updated); errors.Is(err, sql.ErrNoRows) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	s.UpdatedAt = moment(updated)
	var err1, err2 error
	s.Reported, err1 = readAttributes(reported)
	s.Desired, err2 = readAttributes(desired)
	if err := errors.Join(err1, err2); err != nil {
		return s, fmt.Errorf("shadow of %s: %w", id, err)
	}
	return s, nil
}

// SaveShadow is of [shadow.Store].
func (d *DB) SaveShadow(ctx context.Context, id registry.ID, s dialect.Shadow) error {
	reported, err1 := writeAttributes(s.Reported)
	desired, err2 := writeAttributes(s.Desired)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("write the shadow of %s: %w", id, err)
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO shadows (product, device, version, reported, desired, updated_at) VALUES (?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET version = excluded.version, reported = excluded.reported, desired = excluded.desired, updated_at = excluded.updated_at`,
			id.Product, id.Device, s.Version, reported, desired, millis(s.UpdatedAt))
		return err
	})
}

// DeleteShadow is of [shadow.Store].
func (d *DB) DeleteShadow(ctx context.Context, id registry.ID) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM shadows WHERE product = ? AND device = ?", id.Product, id.Device)
		return err
	})
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
