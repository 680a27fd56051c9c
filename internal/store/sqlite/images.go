package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

var _ deviceimage.Store = (*DB)(nil)

// An imageAttribute is one of an image as the database has it.
type imageAttribute struct {
	Name  string      `json:"name"`
	Value thing.Value `json:"value"`
	At    int64       `json:"at"`
}

// Image is of [deviceimage.Store].
func (d *DB) Image(ctx context.Context, id registry.ID) (im dialect.Image, err error) {
	var desired, reported string
	var updated int64
	row := d.sql.QueryRowContext(ctx, "SELECT version, desired, reported, updated_at FROM images WHERE product = ? AND device = ?", id.Product, id.Device)
	if err = row.Scan(&im.Version, &desired, &reported, &updated); errors.Is(err, sql.ErrNoRows) {
		return im, nil
	} else if err != nil {
		return im, err
	}
	im.UpdatedAt = moment(updated)
	var err1, err2 error
	im.Desired, err1 = readImage(desired)
	im.Reported, err2 = readImage(reported)
	if err := errors.Join(err1, err2); err != nil {
		return im, fmt.Errorf("image of %s: %w", id, err)
	}
	return im, nil
}

// SaveImage is of [deviceimage.Store].
func (d *DB) SaveImage(ctx context.Context, id registry.ID, im dialect.Image) error {
	desired, err1 := writeImage(im.Desired)
	reported, err2 := writeImage(im.Reported)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("write the image of %s: %w", id, err)
	}
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO images (product, device, version, desired, reported, updated_at) VALUES (?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET version = excluded.version, desired = excluded.desired, reported = excluded.reported, updated_at = excluded.updated_at`,
			id.Product, id.Device, im.Version, desired, reported, millis(im.UpdatedAt))
		return err
	})
}

// DeleteImage is of [deviceimage.Store].
func (d *DB) DeleteImage(ctx context.Context, id registry.ID) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM images WHERE product = ? AND device = ?", id.Product, id.Device)
		return err
	})
}

func writeImage(from []dialect.ImageAttribute) (string, error) {
	list := make([]imageAttribute, len(from))
	for i, a := range from {
		list[i] = imageAttribute{a.Name, a.Value, millis(a.At)}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // texts inside a compound come back as they were
	err := enc.Encode(list)
	return b.String(), err
}

func readImage(doc string) (to []dialect.ImageAttribute, err error) {
	var list []imageAttribute
	if err := json.Unmarshal([]byte(doc), &list); err != nil {
		return nil, err
	}
	for _, a := range list {
		to = append(to, dialect.ImageAttribute{Name: a.Name, Value: a.Value, At: moment(a.At)})
	}
	return to, nil
}
