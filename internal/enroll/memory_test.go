package enroll_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/registry"
)

// A memory is a store in memory, of what a Service and its registry ask.
type memory struct {
	registry.Store // nil: nothing else is asked

	mu          sync.Mutex
	fails       error // of SaveEnrollment
	products    map[string]registry.Product
	devices     map[registry.ID]registry.Device
	presence    map[registry.ID]registry.Presence
	enrollments map[registry.ID]enroll.Enrollment
	names       map[string]map[string]bool
	nameCount   int // in place of how many there are, where it is not 0
	batches     map[[2]string]enroll.Batch
}

func newMemory() *memory {
	return &memory{
		products: map[string]registry.Product{}, devices: map[registry.ID]registry.Device{}, presence: map[registry.ID]registry.Presence{},
		enrollments: map[registry.ID]enroll.Enrollment{}, names: map[string]map[string]bool{}, batches: map[[2]string]enroll.Batch{},
	}
}

// get is what a map holds, or ErrNotFound.
func get[K comparable, V any](m *memory, from map[K]V, key K) (*V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, there := from[key]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &v, nil
}

func put[K comparable, V any](m *memory, to map[K]V, key K, v V) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	to[key] = v
	return nil
}

func (m *memory) InsertProduct(_ context.Context, p *registry.Product) error {
	return put(m, m.products, p.Key, *p)
}
func (m *memory) UpdateProduct(_ context.Context, p *registry.Product) error {
	return put(m, m.products, p.Key, *p)
}
func (m *memory) Product(_ context.Context, key string) (*registry.Product, error) {
	return get(m, m.products, key)
}
func (m *memory) Device(_ context.Context, id registry.ID) (*registry.Device, error) {
	return get(m, m.devices, id)
}
func (m *memory) UpdateDevices(_ context.Context, all []registry.Device) (missing []registry.ID, err error) {
	for _, d := range all {
		err = errors.Join(err, put(m, m.devices, d.ID(), d))
	}
	return nil, err
}
func (m *memory) Presences(context.Context, []registry.ID) (map[registry.ID]registry.Presence, error) {
	return nil, nil
}
func (m *memory) Presence(_ context.Context, id registry.ID) (*registry.Presence, error) {
	return get(m, m.presence, id)
}
func (m *memory) Binding(context.Context, registry.ID) (*registry.Binding, error) {
	return nil, registry.ErrNotFound
}
func (m *memory) Enrollment(_ context.Context, id registry.ID) (*enroll.Enrollment, error) {
	return get(m, m.enrollments, id)
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

func (m *memory) DeleteDevices(_ context.Context, ids []registry.ID) ([]registry.ID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.devices, id)
	}
	return nil, nil
}

func (m *memory) CountDevices(context.Context, registry.DeviceQuery) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.devices), nil
}

func (m *memory) SavePresence(_ context.Context, all map[registry.ID]registry.Presence) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.presence, all)
	return nil
}

func (m *memory) EnableBatch(_ context.Context, product, batch string, enabled bool, _ time.Time) (ids []registry.ID, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, d := range m.devices {
		if id.Product == product && d.Batch == batch && d.Enabled != enabled {
			d.Enabled = enabled
			m.devices[id] = d
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (m *memory) SaveEnrollment(_ context.Context, e *enroll.Enrollment) error {
	if m.fails != nil {
		return m.fails
	}
	return put(m, m.enrollments, e.ID, *e)
}

func (m *memory) DeleteEnrollment(_ context.Context, id registry.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.enrollments, id)
	return nil
}

func (m *memory) AddNames(_ context.Context, product string, names []string, _ time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[product] == nil {
		m.names[product] = make(map[string]bool)
	}
	before := len(m.names[product])
	for _, n := range names {
		m.names[product][n] = true
	}
	return len(m.names[product]) - before, nil
}

func (m *memory) RemoveNames(_ context.Context, product string, names []string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.names[product])
	for _, n := range names {
		delete(m.names[product], n)
	}
	return before - len(m.names[product]), nil
}

func (m *memory) HasName(_ context.Context, product, name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.names[product][name], nil
}

func (m *memory) Names(context.Context, string, string, string, int) ([]string, error) {
	return nil, nil
}

func (m *memory) CountNames(_ context.Context, product string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.nameCount, len(m.names[product])), nil
}

func (m *memory) InsertBatch(_ context.Context, b *enroll.Batch) error {
	if _, err := get(m, m.batches, [2]string{b.Product, b.Name}); err == nil {
		return registry.ErrExists
	}
	return put(m, m.batches, [2]string{b.Product, b.Name}, *b)
}

func (m *memory) Batch(_ context.Context, product, name string) (*enroll.Batch, error) {
	b, err := get(m, m.batches, [2]string{product, name})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b.Devices = 0
	for id, d := range m.devices {
		if id.Product == product && d.Batch == name {
			b.Devices++
		}
	}
	return b, nil
}

func (m *memory) Batches(context.Context, string, string, int) ([]enroll.Batch, error) {
	return nil, nil
}

func (m *memory) DeleteBatch(_ context.Context, product, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.batches, [2]string{product, name})
	return nil
}

func (m *memory) BatchDevices(_ context.Context, product, name, after string, limit int) (all []enroll.BatchDevice, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.SortedFunc(maps.Keys(m.devices), func(a, b registry.ID) int {
		if a.Device < b.Device {
			return -1
		}
		return 1
	}) {
		if d := m.devices[id]; d.Batch == name && id.Product == product && id.Device > after && len(all) < limit {
			all = append(all, enroll.BatchDevice{Device: d})
		}
	}
	return all, nil
}
