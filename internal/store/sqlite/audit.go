package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/audit"
)

var _ audit.Store = (*DB)(nil)

const auditColumns = "at, who, role, person, source, method, route, object, subject, done, code, detail, detail_zh"

// AppendAudit is of [audit.Store]. A refusal may be lost with the power.
func (d *DB) AppendAudit(ctx context.Context, e audit.Entry) error {
	db := d.lazy
	if e.Done {
		db = d.sql
	}
	return d.write(ctx, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO audit ("+auditColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
			millis(e.At), e.Who, e.Role, e.Person, e.From, e.Method, e.Route, e.Object, e.Subject, e.Done, e.Code, e.Detail, e.DetailZH)
		return err
	})
}

// PruneAudit is of [audit.Store].
func (d *DB) PruneAudit(ctx context.Context, done bool, keep int) error {
	return d.write(ctx, d.lazy, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM audit WHERE done = ?1 AND id <= (SELECT id FROM audit WHERE done = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)", done, keep)
		return err
	})
}

// AuditEntries is of [audit.Store].
func (d *DB) AuditEntries(ctx context.Context, q audit.Query) ([]audit.Entry, error) {
	where, args := []string{"TRUE"}, []any{}
	and := func(clause string, arg any) {
		where, args = append(where, clause), append(args, arg)
	}
	if q.Who != "" {
		and("who = ?", q.Who)
	}
	if q.Object != "" {
		where, args = append(where, "substr(object, 1, length(?)) = ?"), append(args, q.Object, q.Object)
	}
	between := func(clause string, t time.Time) {
		if !t.IsZero() {
			and(clause, millis(t))
		}
	}
	between("at >= ?", q.From)
	between("at < ?", q.To)
	if q.Done != nil {
		and("done = ?", *q.Done)
	}
	if q.Before > 0 {
		and("id < ?", q.Before)
	}
	args = append(args, q.Limit)
	return collect(ctx, d.sql, scanAudit, "SELECT id, "+auditColumns+" FROM audit WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", args...)
}

func scanAudit(row scanner) (e audit.Entry, err error) {
	var at int64
	err = row.Scan(&e.ID, &at, &e.Who, &e.Role, &e.Person, &e.From, &e.Method, &e.Route, &e.Object, &e.Subject, &e.Done, &e.Code, &e.Detail, &e.DetailZH)
	e.At = moment(at)
	return e, err
}
