package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/fault"
)

var _ access.Store = (*DB)(nil)

const operatorColumns = "name, role, password_hash, chosen, disabled, created_at, updated_at"

// Operators is of [access.Store].
func (d *DB) Operators(ctx context.Context) ([]access.Operator, error) {
	return collect(ctx, d.sql, scanOperator, "SELECT "+operatorColumns+" FROM operators ORDER BY name")
}

// Operator is of [access.Store].
func (d *DB) Operator(ctx context.Context, name string) (access.Operator, error) {
	o, err := scanOperator(d.operator.QueryRowContext(ctx, name))
	if errors.Is(err, sql.ErrNoRows) {
		return o, noOperator(name)
	}
	return o, err
}

func noOperator(name string) error { return fault.NotFound("there is no operator %q", name) }

func scanOperator(row scanner) (o access.Operator, err error) {
	var created, updated int64
	err = row.Scan(&o.Name, &o.Role, &o.PasswordHash, &o.Chosen, &o.Disabled, &created, &updated)
	o.CreatedAt, o.UpdatedAt = moment(created), moment(updated)
	return o, err
}

// CreateOperator is of [access.Store].
func (d *DB) CreateOperator(ctx context.Context, o access.Operator) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO operators ("+operatorColumns+") VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
			o.Name, string(o.Role), o.PasswordHash, o.Chosen, o.Disabled, millis(o.CreatedAt), millis(o.UpdatedAt))
		return changed(res, err, fault.Conflict("there is an operator %q already", o.Name))
	})
}

// UpdateOperator is of [access.Store].
func (d *DB) UpdateOperator(ctx context.Context, o access.Operator) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE operators SET role = ?, password_hash = ?, chosen = ?, disabled = ?, created_at = ?, updated_at = ? WHERE name = ?",
			string(o.Role), o.PasswordHash, o.Chosen, o.Disabled, millis(o.CreatedAt), millis(o.UpdatedAt), o.Name)
		return changed(res, err, noOperator(o.Name))
	})
}

// DeleteOperator is of [access.Store].
func (d *DB) DeleteOperator(ctx context.Context, name string) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM access_tokens WHERE owner = ?", name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM access_sessions WHERE operator = ?", name); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "DELETE FROM operators WHERE name = ?", name)
		return changed(res, err, noOperator(name))
	})
}

const tokenColumns = "id, name, role, owner, hash, created_at, expires_at, last_used"

// AccessTokens is of [access.Store].
func (d *DB) AccessTokens(ctx context.Context) ([]access.Token, error) {
	return collect(ctx, d.sql, scanToken, "SELECT "+tokenColumns+" FROM access_tokens ORDER BY created_at, id")
}

// AccessTokenByHash is of [access.Store].
func (d *DB) AccessTokenByHash(ctx context.Context, hash []byte) (access.Token, error) {
	t, err := scanToken(d.token.QueryRowContext(ctx, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return t, errNoToken
	}
	return t, err
}

var errNoToken = fault.NotFound("there is no such access token")

func scanToken(row scanner) (t access.Token, err error) {
	var created, expires, used int64
	err = row.Scan(&t.ID, &t.Name, &t.Role, &t.Owner, &t.Hash, &created, &expires, &used)
	t.CreatedAt, t.ExpiresAt, t.LastUsed = moment(created), moment(expires), moment(used)
	return t, err
}

// CreateAccessToken is of [access.Store].
func (d *DB) CreateAccessToken(ctx context.Context, t access.Token) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO access_tokens ("+tokenColumns+") VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
			t.ID, t.Name, string(t.Role), t.Owner, t.Hash, millis(t.CreatedAt), millis(t.ExpiresAt), millis(t.LastUsed))
		return changed(res, err, fault.Conflict("there is such an access token already"))
	})
}

// DeleteAccessToken is of [access.Store].
func (d *DB) DeleteAccessToken(ctx context.Context, id string) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM access_tokens WHERE id = ?", id)
		return changed(res, err, errNoToken)
	})
}

// TouchAccessToken is of [access.Store].
func (d *DB) TouchAccessToken(ctx context.Context, id string, at time.Time) error {
	return d.write(ctx, d.lazy, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE access_tokens SET last_used = ? WHERE id = ?", millis(at), id)
		return err
	})
}

// SessionByHash is of [access.Store].
func (d *DB) SessionByHash(ctx context.Context, hash []byte) (s access.KeptSession, err error) {
	var expires int64
	err = d.session.QueryRowContext(ctx, hash).Scan(&s.Hash, &s.Name, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return s, errNoSession
	}
	s.Expires = moment(expires)
	return s, err
}

var errNoSession = fault.NotFound("there is no such session")

// CreateSession is of [access.Store].
func (d *DB) CreateSession(ctx context.Context, s access.KeptSession, now time.Time, most int) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM access_sessions WHERE expires_at <= ?", millis(now)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM access_sessions WHERE hash IN (SELECT hash FROM access_sessions ORDER BY expires_at DESC LIMIT -1 OFFSET ?)", most-1); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO access_sessions (hash, operator, expires_at) VALUES (?,?,?)", s.Hash, s.Name, millis(s.Expires))
		return err
	})
}

// DeleteSession is of [access.Store].
func (d *DB) DeleteSession(ctx context.Context, hash []byte) error {
	return d.write(ctx, d.sql, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM access_sessions WHERE hash = ?", hash)
		return err
	})
}

// DeleteSessions is of [access.Store].
func (d *DB) DeleteSessions(ctx context.Context, operator string) (ended int, err error) {
	err = d.write(ctx, d.sql, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM access_sessions WHERE operator = ?", operator)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		ended = int(n)
		return err
	})
	return ended, err
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, db *sql.DB, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
