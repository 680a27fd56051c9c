package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/matou-iot/matou/internal/fault"
)

// CreateDevice makes a device. An empty Name or Secret is generated in the
// vendor's form. It is enabled.
func (r *Registry) CreateDevice(ctx context.Context, d Device) (Device, error) {
	made, bad, err := r.CreateDevices(ctx, d.Product, []Device{d})
	switch {
	case err != nil:
		return Device{}, err
	case len(bad) > 0:
		return Device{}, bad[0].Err
	}
	return made[0], nil
}

// A RowError says what is wrong with one of several devices.
type RowError struct {
	Row int // counted from 0
	Err error
}

// Error names the row, counted from 1 as people do.
func (e RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row+1, e.Err) }

// CreateDevices makes all devices or, where any is wrong, none: then all that
// is wrong comes back.
func (r *Registry) CreateDevices(ctx context.Context, product string, devices []Device) ([]Device, []RowError, error) {
	p, err := r.Product(ctx, product)
	if err != nil {
		return nil, nil, err
	}
	if len(devices) > MaxBatch {
		return nil, nil, fault.Invalid("%d devices are more than %d at once", len(devices), MaxBatch)
	}
	var bad []RowError
	seen := make(map[string]bool, len(devices))
	made := make([]Device, len(devices))
	now := r.stamp()
	for i, d := range devices {
		d.Product, d.Enabled, d.CreatedAt, d.UpdatedAt = product, true, now, now
		if d.Name == "" {
			d.Name = random(12)
		}
		if d.Secret == "" {
			d.Secret = newDeviceSecret(p.Dialect)
		}
		if err := checkDevice(p, &d); err != nil {
			bad = append(bad, RowError{i, err})
		} else if seen[d.Name] {
			bad = append(bad, RowError{i, fault.In("name", fault.Conflict("device %q stands twice", d.Name))})
		}
		seen[d.Name] = true
		made[i] = d
	}
	if len(bad) > 0 {
		return nil, bad, nil
	}
	if err := r.store.InsertDevices(ctx, made); err != nil {
		if e, ok := errors.AsType[*ExistsError](err); ok {
			exists := fault.In("name", fault.Conflict("device %q exists already", made[e.Row].ID()))
			return nil, []RowError{{e.Row, exists}}, nil
		}
		return nil, nil, err
	}
	for i := range made {
		r.devices.drop(made[i].ID())
		r.changed(DeviceCreated, made[i].ID())
	}
	return made, nil, nil
}

// Device returns a device. It is shared: do not change it.
func (r *Registry) Device(ctx context.Context, id ID) (*Device, error) {
	if len(id.Product) > maxKey || len(id.Device) > maxName { // what cannot be is not looked up nor remembered
		return nil, fault.NotFound("there is no device with a name of %d bytes", len(id.Device))
	}
	d, there, version := r.devices.get(id)
	if !there {
		var err error
		if d, err = r.store.Device(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		r.devices.put(id, d, version)
	}
	if d == nil {
		return nil, fault.NotFound("there is no device %q", id)
	}
	return d, nil
}

// Devices returns devices in order of product and name, and a cursor for the
// next page, "" where there is none.
func (r *Registry) Devices(ctx context.Context, q DeviceQuery) ([]Device, string, error) {
	limit, err := PageSize(q.Limit)
	if err != nil {
		return nil, "", err
	}
	if q.After != "" {
		if _, err := ParseID(q.After); err != nil {
			return nil, "", fault.In("after", fault.Invalid("%q is no cursor: take it from the page before", q.After))
		}
	}
	if q.State != nil {
		if err := r.flush(ctx); err != nil { // the store is asked for states
			return nil, "", err
		}
	}
	q.Limit = limit + 1
	found, err := r.store.Devices(ctx, q)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], found[limit-1].ID().String(), nil
}

// CountDevices counts the devices that a query asks for, wherever it begins.
func (r *Registry) CountDevices(ctx context.Context, q DeviceQuery) (int, error) {
	if q.State != nil {
		if err := r.flush(ctx); err != nil { // the store is asked for states
			return 0, err
		}
	}
	return r.store.CountDevices(ctx, q)
}

// UpdateDevice changes nickname, tags or whether a device is enabled.
func (r *Registry) UpdateDevice(ctx context.Context, id ID, change func(*Device) error) (Device, error) {
	r.updating.Lock()
	defer r.updating.Unlock()
	u, err := r.updated(ctx, id, change)
	if err != nil {
		return Device{}, err
	}
	missing, err := r.saveUpdates(ctx, []update{u})
	if err == nil && len(missing) > 0 {
		err = fault.NotFound("device %q was deleted meanwhile", id)
	}
	if err != nil {
		return Device{}, err
	}
	return u.device, nil
}

// UpdateDevices is UpdateDevice for many, up to MaxBatch: where a change of one
// is wrong, nothing is changed. Those that are not there are passed over. It
// returns how many there are.
func (r *Registry) UpdateDevices(ctx context.Context, ids []ID, change func(*Device) error) (int, error) {
	if len(ids) > MaxBatch {
		return 0, fault.Invalid("%d devices are more than %d at once", len(ids), MaxBatch)
	}
	r.updating.Lock()
	defer r.updating.Unlock()
	all := make([]update, 0, len(ids))
	for _, id := range ids {
		switch u, err := r.updated(ctx, id, change); {
		case err == nil:
			all = append(all, u)
		case fault.KindOf(err) != fault.KindNotFound:
			return 0, fmt.Errorf("device %s: %w", id, err)
		}
	}
	missing, err := r.saveUpdates(ctx, all)
	return len(all) - len(missing), err
}

// An update is a change of a device that may be saved.
type update struct {
	device  Device
	kind    ChangeKind
	gateway ID
}

// updated is a device as a change wants it.
func (r *Registry) updated(ctx context.Context, id ID, change func(*Device) error) (update, error) {
	old, err := r.Device(ctx, id)
	if err != nil {
		return update{}, err
	}
	p, err := r.Product(ctx, id.Product)
	if err != nil {
		return update{}, err
	}
	d := *old
	d.Tags, d.SystemTags = maps.Clone(old.Tags), maps.Clone(old.SystemTags)
	if err := change(&d); err != nil {
		return update{}, err
	}
	d.Product, d.Name = old.Product, old.Name
	if err := checkDevice(p, &d); err != nil {
		return update{}, err
	}
	kind := DeviceChanged
	switch {
	case d.Secret != old.Secret:
		d.PreviousSecret, kind = old.Secret, DeviceSecretReset
	case d.Certificate != old.Certificate:
		kind = DeviceSecretReset
	case old.Enabled && !d.Enabled:
		kind = DeviceDisabled
	case !old.Enabled && d.Enabled:
		kind = DeviceEnabled
	}
	gateway, err := r.gatewayBefore(ctx, kind, id)
	d.UpdatedAt = r.stamp()
	return update{d, kind, gateway}, err
}

// saveUpdates keeps changes, all or none but of those that are missing, and
// tells of them.
func (r *Registry) saveUpdates(ctx context.Context, all []update) (missing []ID, err error) {
	devices := make([]Device, len(all))
	for i := range all {
		devices[i] = all[i].device
	}
	if missing, err = r.store.UpdateDevices(ctx, devices); err != nil {
		return nil, err
	}
	absent := setOf(missing)
	for i := range all {
		id := devices[i].ID()
		r.devices.drop(id)
		if !absent[id] {
			r.tell(Change{all[i].kind, id, all[i].gateway})
		}
	}
	return missing, nil
}

// gatewayBefore returns the gateway of a device that is going to change, where
// gateways are told of such a change.
func (r *Registry) gatewayBefore(ctx context.Context, kind ChangeKind, id ID) (ID, error) {
	switch kind {
	case DeviceDisabled, DeviceEnabled, DeviceDeleted:
		return r.Gateway(ctx, id)
	}
	return ID{}, nil
}

// ResetSecret gives a device another secret, a generated one where secret is
// empty, and keeps the old one, so that a refusal can say that it was used.
func (r *Registry) ResetSecret(ctx context.Context, id ID, secret string) (Device, error) {
	p, err := r.Product(ctx, id.Product)
	if err != nil {
		return Device{}, err
	}
	if secret == "" {
		secret = newDeviceSecret(p.Dialect)
	}
	return r.UpdateDevice(ctx, id, func(d *Device) error {
		d.Secret = secret
		return nil
	})
}

// DeleteDevice deletes a device.
func (r *Registry) DeleteDevice(ctx context.Context, id ID) error {
	if _, err := r.Device(ctx, id); err != nil {
		return err
	}
	n, err := r.DeleteDevices(ctx, []ID{id})
	if err == nil && n == 0 {
		err = fault.NotFound("device %q was deleted meanwhile", id)
	}
	return err
}

// DeleteDevices deletes devices, up to MaxBatch, at once and returns how many
// there were.
func (r *Registry) DeleteDevices(ctx context.Context, ids []ID) (int, error) {
	if len(ids) > MaxBatch {
		return 0, fault.Invalid("%d devices are more than %d at once", len(ids), MaxBatch)
	}
	gateways := make([]ID, len(ids))
	for i, id := range ids {
		var err error
		if gateways[i], err = r.gatewayBefore(ctx, DeviceDeleted, id); err != nil {
			return 0, err
		}
	}
	missing, err := r.store.DeleteDevices(ctx, ids)
	if err != nil {
		return 0, err
	}
	absent := setOf(missing)
	for i, id := range ids {
		r.devices.drop(id)
		if !absent[id] {
			r.presence.forget(id)
			r.tell(Change{DeviceDeleted, id, gateways[i]})
		}
	}
	return len(ids) - len(missing), nil
}

// setOf is for looking up ids among up to MaxBatch.
func setOf(ids []ID) map[ID]bool {
	set := make(map[ID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}
