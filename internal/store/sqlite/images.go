package sqlite

import (
	"context"

	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
)

var _ deviceimage.Store = (*DB)(nil)

// Image is of [deviceimage.Store].
func (d *DB) Image(ctx context.Context, id registry.ID) (dialect.Image, error) {
	s, err := d.twin(ctx, imageTwin, id)
	return dialect.Image{Desired: s.Desired, Reported: s.Reported, Version: s.Version, UpdatedAt: s.UpdatedAt}, err
}

// SaveImage is of [deviceimage.Store].
func (d *DB) SaveImage(ctx context.Context, id registry.ID, im dialect.Image) error {
	return d.saveTwin(ctx, imageTwin, id, dialect.Shadow{
		Desired: im.Desired, Reported: im.Reported, Version: im.Version, UpdatedAt: im.UpdatedAt,
	})
}

// DeleteImage is of [deviceimage.Store].
func (d *DB) DeleteImage(ctx context.Context, id registry.ID) error {
	return d.deleteTwin(ctx, imageTwin, id)
}
