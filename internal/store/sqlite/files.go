package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/matou-iot/matou/internal/fileupload"
	"github.com/matou-iot/matou/internal/registry"
)

var _ fileupload.Store = (*DB)(nil)

const fileColumns = "product, device, name, size, sha256, crc64, upload, begun_at, arrived_at"

// SaveFile is of [fileupload.Store].
func (d *DB) SaveFile(ctx context.Context, f fileupload.File) (replaced string, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		replaced = ""
		row := tx.QueryRowContext(ctx, "SELECT sha256 FROM device_files WHERE product = ? AND device = ? AND name = ?", f.Product, f.Device, f.Name)
		if err := row.Scan(&replaced); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		done, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO device_files ("+fileColumns+`) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
			WHERE EXISTS (SELECT 1 FROM devices WHERE product = ?1 AND name = ?2)`,
			f.Product, f.Device, f.Name, f.Size, f.SHA256, f.CRC64, f.Upload, millis(f.BegunAt), millis(f.ArrivedAt))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fileupload.ErrNotFound)
		}
		return nil
	})
	return replaced, err
}

// File is of [fileupload.Store].
func (d *DB) File(ctx context.Context, id registry.ID, name string) (fileupload.File, error) {
	return scanFile(d.sql.QueryRowContext(ctx, "SELECT "+fileColumns+" FROM device_files WHERE product = ? AND device = ? AND name = ?", id.Product, id.Device, name))
}

// FileOf is of [fileupload.Store].
func (d *DB) FileOf(ctx context.Context, upload string) (fileupload.File, error) {
	return scanFile(d.sql.QueryRowContext(ctx, "SELECT "+fileColumns+" FROM device_files WHERE upload = ?", upload))
}

// Files is of [fileupload.Store].
func (d *DB) Files(ctx context.Context, id registry.ID, after string, limit int) ([]fileupload.File, error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT "+fileColumns+" FROM device_files WHERE product = ? AND device = ? AND name > ? ORDER BY name LIMIT ?",
		id.Product, id.Device, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []fileupload.File
	for rows.Next() {
		f, err := scanFile(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, rows.Err()
}

func scanFile(row scanner) (f fileupload.File, err error) {
	var begun, arrived int64
	err = row.Scan(&f.Product, &f.Device, &f.Name, &f.Size, &f.SHA256, &f.CRC64, &f.Upload, &begun, &arrived)
	if errors.Is(err, sql.ErrNoRows) {
		return f, fileupload.ErrNotFound
	}
	f.BegunAt, f.ArrivedAt = moment(begun), moment(arrived)
	return f, err
}

// FileUsage is of [fileupload.Store].
func (d *DB) FileUsage(ctx context.Context, id registry.ID) (u fileupload.Usage, err error) {
	row := d.sql.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(size), 0) FROM device_files WHERE product = ? AND device = ?", id.Product, id.Device)
	return u, row.Scan(&u.Files, &u.Bytes)
}

// DeleteFile is of [fileupload.Store].
func (d *DB) DeleteFile(ctx context.Context, id registry.ID, name string) (digest string, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, "DELETE FROM device_files WHERE product = ? AND device = ? AND name = ? RETURNING sha256", id.Product, id.Device, name)
		err := row.Scan(&digest)
		if errors.Is(err, sql.ErrNoRows) {
			return fileupload.ErrNotFound
		}
		return err
	})
	return digest, err
}

// ForgetFiles is of [fileupload.Store].
func (d *DB) ForgetFiles(ctx context.Context, id registry.ID) (digests []string, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		digests = nil
		rows, err := tx.QueryContext(ctx, "DELETE FROM device_files WHERE product = ?1 AND (?2 = '' OR device = ?2) RETURNING sha256", id.Product, id.Device)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var digest string
			if err := rows.Scan(&digest); err != nil {
				return err
			}
			digests = append(digests, digest)
		}
		return rows.Err()
	})
	return digests, err
}

// ForgetLostFiles is of [fileupload.Store].
func (d *DB) ForgetLostFiles(ctx context.Context) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM device_files WHERE NOT EXISTS
			(SELECT 1 FROM devices WHERE devices.product = device_files.product AND devices.name = device_files.device)`)
		return err
	})
}

// FileUsed is of [fileupload.Store].
func (d *DB) FileUsed(ctx context.Context, digest string) (used bool, err error) {
	err = d.sql.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM device_files WHERE sha256 = ?)", digest).Scan(&used)
	return used, err
}
