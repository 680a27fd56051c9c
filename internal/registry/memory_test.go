package registry_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

// A memory is a Store in memory that counts how often it is asked.
type memory struct {
	mu       sync.Mutex
	products map[string]registry.Product
	devices  map[registry.ID]registry.Device
	presence map[registry.ID]registry.Presence
	bound    map[registry.ID]registry.Binding
	asked    int   // Product and Device calls
	fails    error // of SavePresence
	offline  string
	slow     chan struct{} // the next SavePresence waits until it is closed
}

func newMemory() *memory {
	return &memory{
		products: map[string]registry.Product{}, devices: map[registry.ID]registry.Device{}, presence: map[registry.ID]registry.Presence{},
		bound: map[registry.ID]registry.Binding{},
	}
}

func (m *memory) InsertProduct(_ context.Context, p *registry.Product) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.products[p.Key]; there {
		return registry.ErrExists
	}
	m.products[p.Key] = *p
	return nil
}

func (m *memory) Product(_ context.Context, key string) (*registry.Product, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	p, there := m.products[key]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &p, nil
}

func (m *memory) Products(_ context.Context, q registry.ProductQuery) (all []registry.Product, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, p := range m.products {
		if key > q.After && strings.Contains(key+p.Name, q.Text) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b registry.Product) int { return strings.Compare(a.Key, b.Key) })
	return all[:min(len(all), q.Limit)], nil
}

func (m *memory) UpdateProduct(_ context.Context, p *registry.Product) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.products[p.Key] = *p
	return nil
}

func (m *memory) DeleteProduct(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.products, key)
	for id := range m.devices {
		if id.Product == key {
			delete(m.devices, id)
		}
	}
	return nil
}

func (m *memory) InsertDevices(_ context.Context, all []registry.Device) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range all {
		if _, there := m.devices[all[i].ID()]; there {
			return &registry.ExistsError{Row: i}
		}
	}
	for _, d := range all {
		m.devices[d.ID()] = d
	}
	return nil
}

func (m *memory) Device(_ context.Context, id registry.ID) (*registry.Device, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	d, there := m.devices[id]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &d, nil
}

func (m *memory) Devices(_ context.Context, q registry.DeviceQuery) (all []registry.Device, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, d := range m.devices {
		if id.String() > q.After && (q.Product == "" || q.Product == id.Product) {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b registry.Device) int { return strings.Compare(a.ID().String(), b.ID().String()) })
	return all[:min(len(all), q.Limit)], nil
}

func (m *memory) CountDevices(_ context.Context, product string) (n int, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.devices {
		if product == "" || product == id.Product {
			n++
		}
	}
	return n, nil
}

func (m *memory) UpdateDevice(_ context.Context, d *registry.Device) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.devices[d.ID()] = *d
	return nil
}

func (m *memory) DeviceByCertificate(_ context.Context, fingerprint string) (*registry.Device, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.devices {
		if fingerprint != "" && d.Certificate == fingerprint {
			return &d, nil
		}
	}
	return nil, registry.ErrNotFound
}

func (m *memory) EnableBatch(_ context.Context, product, batch string, enabled bool, at time.Time) (ids []registry.ID, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, d := range m.devices {
		if id.Product == product && d.Batch == batch && batch != "" && d.Enabled != enabled {
			d.Enabled, d.UpdatedAt = enabled, at
			m.devices[id] = d
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (m *memory) DeleteDevice(_ context.Context, id registry.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.devices, id)
	return nil
}

func (m *memory) Presence(_ context.Context, id registry.ID) (*registry.Presence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, there := m.presence[id]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &p, nil
}

func (m *memory) SavePresence(_ context.Context, all map[registry.ID]registry.Presence) error {
	m.mu.Lock()
	slow := m.slow
	m.slow = nil
	m.mu.Unlock()
	if slow != nil {
		<-slow
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	for id, p := range all {
		m.presence[id] = p
	}
	return nil
}

func (m *memory) AllOffline(_ context.Context, reason string) error {
	m.offline = reason
	return nil
}

func (m *memory) Bind(_ context.Context, gateway registry.ID, subs []registry.ID, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sub := range subs {
		m.bound[sub] = registry.Binding{Sub: sub, Gateway: gateway, At: at}
	}
	return nil
}

func (m *memory) Unbind(_ context.Context, gateway registry.ID, subs []registry.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sub := range subs {
		if m.bound[sub].Gateway == gateway {
			delete(m.bound, sub)
		}
	}
	return nil
}

func (m *memory) Binding(_ context.Context, sub registry.ID) (*registry.Binding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, there := m.bound[sub]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &b, nil
}

func (m *memory) Bindings(_ context.Context, gateway registry.ID, after string, limit int) (all []registry.Binding, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for sub, b := range m.bound {
		if b.Gateway == gateway && sub.String() > after {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b registry.Binding) int { return strings.Compare(a.Sub.String(), b.Sub.String()) })
	return all[:min(len(all), limit)], nil
}

func (m *memory) CountBindings(_ context.Context, gateway registry.ID) (n int, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.bound {
		if b.Gateway == gateway {
			n++
		}
	}
	return n, nil
}

func (m *memory) SaveFound(context.Context, registry.ID, []registry.ID, time.Time, int) error {
	return nil
}

func (m *memory) Found(context.Context, registry.ID) ([]registry.Found, error) { return nil, nil }
