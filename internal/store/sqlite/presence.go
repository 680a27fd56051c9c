package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

const statusColumns = "state, since, activated_at, last_addr, client_id, protocol, last_online, last_offline, offline_reason, refusals, last_refusal, keep_alive"

// Presence is of [registry.Store].
func (d *DB) Presence(ctx context.Context, id registry.ID) (*registry.Presence, error) {
	p, err := read(&d.reads, func() (registry.Status, error) {
		return scanStatus(d.presence.QueryRowContext(ctx, id.Product, id.Device))
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, registry.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("presence of %s: %w", id, err)
	}
	return &registry.Presence{Status: p}, nil
}

func scanStatus(row scanner) (s registry.Status, err error) {
	var (
		state                             string
		since, activated, online, offline int64
		refusal                           sql.NullString
	)
	err = row.Scan(&state, &since, &activated, &s.LastAddr, &s.ClientID, &s.Protocol, &online, &offline, &s.OfflineReason, &s.Refusals, &refusal, &s.KeepAlive)
	if err != nil {
		return s, err
	}
	s.Since, s.ActivatedAt, s.LastOnline, s.LastOffline = moment(since), moment(activated), moment(online), moment(offline)
	if refusal.Valid {
		s.LastRefusal = new(registry.Refusal)
		if err := json.Unmarshal([]byte(refusal.String), s.LastRefusal); err != nil {
			return s, err
		}
	}
	return s, s.State.UnmarshalText([]byte(state))
}

// selectPresences finds presences of devices of a product by a list of their
// names.
const selectPresences = "SELECT " + statusColumns + ", device FROM statuses WHERE product = ? AND device IN (SELECT value FROM json_each(?))"

// Presences is of [registry.Store].
func (d *DB) Presences(ctx context.Context, ids []registry.ID) (map[registry.ID]registry.Presence, error) {
	all := make(map[registry.ID]registry.Presence, len(ids))
	for product, names := range byProduct(ids) {
		err := eachOf(ctx, d.presences, product, names, func(row scanner) error {
			id := registry.ID{Product: product}
			s, err := scanStatus(scanMore{row, []any{&id.Device}})
			if err != nil {
				return fmt.Errorf("presence of %s: %w", id, err)
			}
			all[id] = registry.Presence{Status: s}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// The device must exist: its row may have gone since its presence changed.
const savePresence = `INSERT INTO statuses (product, device, state, since, activated_at, last_addr, client_id, protocol, last_online, last_offline, offline_reason, refusals, last_refusal, keep_alive)
	SELECT product, name, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 FROM devices WHERE product = ?1 AND name = ?2
	ON CONFLICT (product, device) DO UPDATE SET state = excluded.state, since = excluded.since, activated_at = excluded.activated_at,
	last_addr = excluded.last_addr, client_id = excluded.client_id, protocol = excluded.protocol, last_online = excluded.last_online,
	last_offline = excluded.last_offline, offline_reason = excluded.offline_reason, refusals = excluded.refusals, last_refusal = excluded.last_refusal, keep_alive = excluded.keep_alive`

// Activated is of [registry.Store].
func (d *DB) Activated(ctx context.Context, id registry.ID) (bool, error) {
	if is, known := d.directory.activated(id); known {
		return is, nil
	}
	p, err := d.Presence(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil && !p.ActivatedAt.IsZero(), err
}

// SavePresence is of [registry.Store]. A loss of power may take the last of it:
// after a restart everybody is offline anyway. That a device has been here stays.
func (d *DB) SavePresence(ctx context.Context, all map[registry.ID]registry.Presence) error {
	if len(all) == 0 {
		return nil
	}
	db := d.lazy
	for id, p := range all {
		if p.ActivatedAt.IsZero() {
			continue
		}
		already, err := d.Activated(ctx, id)
		if err != nil {
			return err
		}
		if !already {
			db = d.sql
			break
		}
	}
	return d.write(ctx, db, func(tx *sql.Tx) error {
		save, err := tx.PrepareContext(ctx, savePresence)
		if err != nil {
			return err
		}
		defer save.Close()
		for id, p := range all {
			row, err := statusRow(id, &p.Status)
			if err != nil {
				return err
			}
			if _, err := save.ExecContext(ctx, row...); err != nil {
				return err
			}
		}
		return nil
	}, func() {
		ids := slices.Collect(maps.Keys(all))
		d.directory.changeAll(ids, func(i int, c *card) {
			p := all[ids[i]]
			c.state = p.State
			c.set(activated, !p.ActivatedAt.IsZero())
		})
	})
}

func statusRow(id registry.ID, s *registry.Status) ([]any, error) {
	var refusal any
	if s.LastRefusal != nil {
		text, err := json.Marshal(s.LastRefusal)
		if err != nil {
			return nil, err
		}
		refusal = string(text)
	}
	return []any{
		id.Product, id.Device, s.State.String(), millis(s.Since), millis(s.ActivatedAt), s.LastAddr, s.ClientID, s.Protocol,
		millis(s.LastOnline), millis(s.LastOffline), s.OfflineReason, s.Refusals, refusal, s.KeepAlive,
	}, nil
}

// AllOffline is of [registry.Store].
func (d *DB) AllOffline(ctx context.Context, reason string) error {
	return d.write(ctx, d.lazy, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE statuses SET state = 'OFFLINE', since = ?1, last_offline = ?1, offline_reason = ?2 WHERE state = 'ONLINE'", millis(time.Now()), reason)
		return err
	}, func() {
		d.directory.each(func(c *card) {
			if c.state == registry.Online {
				c.state = registry.Offline
			}
		})
	})
}
