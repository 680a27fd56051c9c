// Package sqlite keeps the registry and the operators in one SQLite file, which
// people can open with the sqlite3 shell. It decides nothing: the rules are in
// the packages whose stores it implements. Secrets are sealed with a key file
// that lies beside the database; whoever copies only one of the two has no
// secrets.
package sqlite

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/matou-iot/matou/internal/registry"
)

//go:embed migrations/*.sql
var migrations embed.FS

var _ registry.Store = (*DB)(nil)

// A DB is an open database. Any number of goroutines may use it at once.
type DB struct {
	sql  *sql.DB // a commit survives loss of power
	lazy *sql.DB // one connection whose commits survive a crash of Matou only
	aead cipher.AEAD

	// What is read for every login and every request, prepared: parsing such a statement costs
	// three times what running it does.
	device, devices, product, presence, presences, token, session, operator, binding *sql.Stmt
	reads                                                                            reads
	directory                                                                        *directory

	// writing admits one write transaction at a time, in order: SQLite itself
	// lets writers poll.
	writing chan struct{}
}

// connections is how many are open at once, readers mostly.
const connections = 4

// Open opens the database at path, makes it if it is not there, and brings its
// tables up to date. key is what LoadOrCreateKey returned. Close it after use.
func Open(path string, key []byte) (*DB, error) {
	d := &DB{writing: make(chan struct{}, 1), directory: newDirectory()}
	var err error
	if d.aead, err = newAEAD(key); err != nil {
		return nil, err
	}
	if err := used(path); err != nil {
		return nil, err
	}
	_, missing := os.Stat(path)
	if err := protect(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if d.sql, err = open(path, "FULL", connections); err != nil {
		return nil, err
	}
	if d.lazy, err = open(path, "NORMAL", 1); err != nil {
		d.sql.Close()
		return nil, err
	}
	d.reads.start(connections)
	ctx := context.Background()
	err = d.migrate(ctx, path)
	if err == nil { // a database that is refused is not looked into, nor written to
		err = d.checkKey(ctx, path)
	}
	if err == nil {
		err = d.prepare(ctx)
	}
	if err == nil {
		err = d.directory.begin(ctx, d.sql)
	}
	if err != nil {
		d.Close()
		if errors.Is(missing, fs.ErrNotExist) { // a new one without content would look like one that has lost it
			for _, part := range []string{"", "-wal", "-shm"} {
				os.Remove(path + part)
			}
		}
		return nil, err
	}
	return d, nil
}

// used refuses a database that has lost its content: a file without any that
// is not new. (A new one is made by protect, and filled at once.)
func used(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return nil // not there yet, or to be looked into
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil
	}
	return fmt.Errorf("database %s is empty: restore it from a backup; to begin anew, with no product and no device, remove it", path)
}

// protect makes the file, if it is not there, readable for us alone.
func protect(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func open(path, synchronous string, connections int) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	q := url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(" + synchronous + ")", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	source := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

func (d *DB) prepare(ctx context.Context) (err error) {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&d.device, "SELECT " + deviceColumns + " FROM devices WHERE product = ? AND name = ?"},
		{&d.devices, selectDevices},
		{&d.presences, selectPresences},
		{&d.product, "SELECT " + productColumns + " FROM products WHERE key = ?"},
		{&d.presence, "SELECT " + statusColumns + " FROM statuses WHERE product = ? AND device = ?"},
		{&d.binding, "SELECT gateway_product, gateway_device, at FROM topology WHERE product = ? AND device = ?"},
		{&d.token, "SELECT " + tokenColumns + " FROM access_tokens WHERE hash = ?"},
		{&d.session, "SELECT hash, operator, expires_at FROM access_sessions WHERE hash = ?"},
		{&d.operator, "SELECT " + operatorColumns + " FROM operators WHERE name = ?"},
	} {
		if *p.stmt, err = d.sql.PrepareContext(ctx, p.text); err != nil {
			return err
		}
	}
	return nil
}

// Check reads the whole database and returns what is wrong with it. It takes
// about a second for a million devices and disturbs nobody.
func (d *DB) Check(ctx context.Context) error {
	rows, err := d.sql.QueryContext(ctx, "PRAGMA quick_check(1)")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var said string
		if err := rows.Scan(&said); err != nil {
			return err
		}
		if said != "ok" {
			return errors.New(said)
		}
	}
	return rows.Err()
}

// SQL is the database for stores of other packages in this one. A transaction
// begun with it takes the write lock at once. Do not close it.
func (d *DB) SQL() *sql.DB { return d.sql }

// Close closes the database. Nobody may be using it any more.
func (d *DB) Close() error {
	d.directory.stop()
	d.reads.stop()
	return errors.Join(d.lazy.Close(), d.sql.Close())
}

// migrate brings the tables up to date, and refuses a database that knows
// migrations that this program does not.
func (d *DB) migrate(ctx context.Context, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// Operators' tables are numbered from 101, so that both rows grow by themselves.
	p, err := goose.NewProvider(goose.DialectSQLite3, d.sql, files, goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := p.GetDBVersion(ctx); err != nil {
		return fmt.Errorf("%s cannot be read as a Matou database: %w; if it is damaged, restore it from a backup", path, err)
	}
	known := map[int64]bool{0: true}
	for _, s := range p.ListSources() {
		known[s.Version] = true
	}
	applied, err := d.applied(ctx)
	if err != nil {
		return fmt.Errorf("%s cannot be read as a Matou database: %w; if it is damaged, restore it from a backup", path, err)
	}
	for _, v := range applied {
		if !known[v] {
			return fmt.Errorf("database %s was written by a newer Matou (table version %d is unknown here): run that version, or restore a backup from before the upgrade", path, v)
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring database %s up to date: %w", path, err)
	}
	return nil
}

func (d *DB) applied(ctx context.Context) (versions []int64, err error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT version_id FROM goose_db_version WHERE is_applied = 1 ORDER BY version_id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, rows.Err()
}

// write runs f in a write transaction of db and commits it; then says to the
// directory what changed, before anybody writes again.
func (d *DB) write(ctx context.Context, db *sql.DB, f func(*sql.Tx) error, then ...func()) error {
	select {
	case d.writing <- struct{}{}:
		defer func() { <-d.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, tell := range then {
		d.directory.tell(tell)
	}
	return nil
}
