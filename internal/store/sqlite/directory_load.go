package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/matou-iot/matou/internal/registry"
)

// begin lets the directory be read from the tables as they are now.
func (d *directory) begin(ctx context.Context, db *sql.DB) error {
	ctx, d.cancel = context.WithCancel(ctx)
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	// The first statement fixes what the transaction sees.
	for _, text := range []string{"BEGIN DEFERRED", "SELECT 1 FROM devices LIMIT 1"} {
		if _, err = conn.ExecContext(ctx, text); err != nil {
			conn.Close()
			return err
		}
	}
	d.loading.Go(func() {
		defer conn.Close()
		d.end(d.load(ctx, conn))
		conn.ExecContext(context.Background(), "ROLLBACK") // nothing was written
	})
	return nil
}

// end makes up for what changed meanwhile, and lets in who waits.
func (d *directory) end(err error) {
	d.laterMu.Lock()
	defer d.laterMu.Unlock()
	for _, change := range d.later {
		change()
	}
	d.later, d.loaded, d.failed = nil, true, err
	close(d.ready)
}

// tell makes a change, now or when the directory has been read.
func (d *directory) tell(change func()) {
	d.laterMu.Lock()
	defer d.laterMu.Unlock()
	if d.loaded {
		change()
	} else {
		d.later = append(d.later, change)
	}
}

// wait waits until the directory is there.
func (d *directory) wait(ctx context.Context) error {
	select {
	case <-d.ready:
		return d.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends loading.
func (d *directory) stop() {
	d.cancel()
	d.loading.Wait()
}

// A querier is a connection, or the whole database.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// load reads the tables, each once from its beginning to its end.
func (d *directory) load(ctx context.Context, db querier) error {
	var list []registry.Device
	flush := func() {
		d.insert(list)
		list = list[:0]
	}
	err := eachRow(ctx, db, "SELECT product, name, nickname, enabled, tags, batch FROM devices ORDER BY product, name", func(row scanner) error {
		var dev registry.Device
		var tags string
		if err := row.Scan(&dev.Product, &dev.Name, &dev.Nickname, &dev.Enabled, &tags, &dev.Batch); err != nil {
			return err
		}
		if tags != "{}" {
			if err := json.Unmarshal([]byte(tags), &dev.Tags); err != nil {
				return fmt.Errorf("device %s: %w", dev.ID(), err)
			}
		}
		if list = append(list, dev); len(list) == registry.MaxBatch {
			flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	flush()
	err = eachRow(ctx, db, "SELECT product, device, state, activated_at > 0 FROM statuses", func(row scanner) error {
		var (
			id     registry.ID
			word   string
			active bool
			state  registry.State
		)
		if err := row.Scan(&id.Product, &id.Device, &word, &active); err != nil {
			return err
		}
		if err := state.UnmarshalText([]byte(word)); err != nil {
			return fmt.Errorf("presence of %s: %w", id, err)
		}
		d.change(id, func(c *card) {
			c.state = state
			c.set(activated, active)
		})
		return nil
	})
	if err != nil {
		return err
	}
	return eachRow(ctx, db, "SELECT product, device FROM enrollments", func(row scanner) error {
		var id registry.ID
		if err := row.Scan(&id.Product, &id.Device); err != nil {
			return err
		}
		d.change(id, func(c *card) { c.set(registered, true) })
		return nil
	})
}

// eachRow hands the rows of a query to f, one after another.
func eachRow(ctx context.Context, db querier, query string, f func(scanner) error, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return handRows(rows, f)
}
