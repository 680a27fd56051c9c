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
	"github.com/matou-iot/matou/thing"
)

// A twinKind is what a vendor calls the document of desired and reported
// attributes that it keeps of a device, and the table of those documents.
type twinKind struct{ name, table string }

var (
	shadowTwin = twinKind{"shadow", "shadows"} // Aliyun's
	imageTwin  = twinKind{"image", "images"}   // OneNET's
)

// twin reads the document of a device, the zero value where there is none.
func (d *DB) twin(ctx context.Context, k twinKind, id registry.ID) (s dialect.Shadow, err error) {
	var reported, desired string
	var updated int64
	row := d.sql.QueryRowContext(ctx, "SELECT version, reported, desired, updated_at FROM "+k.table+" WHERE product = ? AND device = ?", id.Product, id.Device)
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
		return s, fmt.Errorf("%s of %s: %w", k.name, id, err)
	}
	return s, nil
}

func (d *DB) saveTwin(ctx context.Context, k twinKind, id registry.ID, s dialect.Shadow) error {
	reported, err1 := writeAttributes(s.Reported)
	desired, err2 := writeAttributes(s.Desired)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("write the %s of %s: %w", k.name, id, err)
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO "+k.table+` (product, device, version, reported, desired, updated_at) VALUES (?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET version = excluded.version, reported = excluded.reported, desired = excluded.desired, updated_at = excluded.updated_at`,
			id.Product, id.Device, s.Version, reported, desired, millis(s.UpdatedAt))
		return err
	})
}

func (d *DB) deleteTwin(ctx context.Context, k twinKind, id registry.ID) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM "+k.table+" WHERE product = ? AND device = ?", id.Product, id.Device)
		return err
	})
}

// An attribute is one of a document as the database has it.
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
