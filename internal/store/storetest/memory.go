package storetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/registry"
)

// A Memory is a registry.Store in memory, for tests of what stands on a
// registry: it lists by product only, knows no text search, and forgets what
// gateways found. Any number of goroutines may use it at once.
type Memory struct {
	// Hook is called before each method with its name, without a lock: it may
	// count, wait, or return an error in the method's place. nil: nothing.
	Hook func(method string) error

	mu       sync.Mutex
	products map[string]registry.Product
	models   map[string]map[int]registry.ModelVersion
	devices  map[registry.ID]registry.Device
	presence map[registry.ID]registry.Presence
	bound    map[registry.ID]registry.Binding
}

var _ registry.Store = (*Memory)(nil)

// NewMemory makes an empty Memory.
func NewMemory() *Memory {
	return &Memory{
		products: map[string]registry.Product{}, devices: map[registry.ID]registry.Device{},
		presence: map[registry.ID]registry.Presence{}, bound: map[registry.ID]registry.Binding{},
	}
}

func (m *Memory) called(method string) error {
	if m.Hook == nil {
		return nil
	}
	return m.Hook(method)
}

// InsertProduct is of [registry.Store].
func (m *Memory) InsertProduct(_ context.Context, p *registry.Product) error {
	if err := m.called("InsertProduct"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.products[p.Key]; there {
		return registry.ErrExists
	}
	m.products[p.Key] = *p
	return nil
}

// Product is of [registry.Store].
func (m *Memory) Product(_ context.Context, key string) (*registry.Product, error) {
	if err := m.called("Product"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p, there := m.products[key]
	if !there {
		return nil, registry.ErrNotFound
	}
	if p.Model != nil { // each caller has his own, as from a database
		model := *p.Model
		p.Model = &model
	}
	return &p, nil
}

// Products is of [registry.Store].
func (m *Memory) Products(_ context.Context, q registry.ProductQuery) (all []registry.Product, _ error) {
	if err := m.called("Products"); err != nil {
		return nil, err
	}
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

// UpdateProduct is of [registry.Store].
func (m *Memory) UpdateProduct(_ context.Context, p *registry.Product) error {
	if err := m.called("UpdateProduct"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.products[p.Key] = *p
	return nil
}

// DeleteProduct is of [registry.Store].
func (m *Memory) DeleteProduct(_ context.Context, key string) error {
	if err := m.called("DeleteProduct"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.products, key)
	delete(m.models, key)
	for id := range m.devices {
		if id.Product == key {
			delete(m.devices, id)
		}
	}
	return nil
}

// InsertDevices is of [registry.Store].
func (m *Memory) InsertDevices(_ context.Context, all []registry.Device) error {
	if err := m.called("InsertDevices"); err != nil {
		return err
	}
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

// Device is of [registry.Store].
func (m *Memory) Device(_ context.Context, id registry.ID) (*registry.Device, error) {
	if err := m.called("Device"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d, there := m.devices[id]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &d, nil
}

// Devices is of [registry.Store].
func (m *Memory) Devices(_ context.Context, q registry.DeviceQuery) (all []registry.Device, _ error) {
	if err := m.called("Devices"); err != nil {
		return nil, err
	}
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

// CountDevices is of [registry.Store].
func (m *Memory) CountDevices(_ context.Context, q registry.DeviceQuery) (n int, _ error) {
	if err := m.called("CountDevices"); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.devices {
		if q.Product == "" || q.Product == id.Product {
			n++
		}
	}
	return n, nil
}

// UpdateDevices is of [registry.Store].
func (m *Memory) UpdateDevices(_ context.Context, all []registry.Device) (missing []registry.ID, _ error) {
	if err := m.called("UpdateDevices"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range all {
		if _, there := m.devices[d.ID()]; !there {
			missing = append(missing, d.ID())
			continue
		}
		m.devices[d.ID()] = d
	}
	return missing, nil
}

// DeviceByCertificate is of [registry.Store].
func (m *Memory) DeviceByCertificate(_ context.Context, fingerprint string) (*registry.Device, error) {
	if err := m.called("DeviceByCertificate"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.devices {
		if fingerprint != "" && d.Certificate == fingerprint {
			return &d, nil
		}
	}
	return nil, registry.ErrNotFound
}

// EnableBatch is of [registry.Store].
func (m *Memory) EnableBatch(_ context.Context, product, batch string, enabled bool, at time.Time) (ids []registry.ID, _ error) {
	if err := m.called("EnableBatch"); err != nil {
		return nil, err
	}
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

// DeleteDevices is of [registry.Store].
func (m *Memory) DeleteDevices(_ context.Context, ids []registry.ID) (missing []registry.ID, _ error) {
	if err := m.called("DeleteDevices"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if _, there := m.devices[id]; !there {
			missing = append(missing, id)
		}
		delete(m.devices, id)
	}
	return missing, nil
}

// Presences is of [registry.Store].
func (m *Memory) Presences(_ context.Context, ids []registry.ID) (map[registry.ID]registry.Presence, error) {
	if err := m.called("Presences"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[registry.ID]registry.Presence)
	for _, id := range ids {
		if p, there := m.presence[id]; there {
			all[id] = p
		}
	}
	return all, nil
}

// Presence is of [registry.Store].
func (m *Memory) Presence(_ context.Context, id registry.ID) (*registry.Presence, error) {
	if err := m.called("Presence"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p, there := m.presence[id]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &p, nil
}

// SavePresence is of [registry.Store].
func (m *Memory) SavePresence(_ context.Context, all map[registry.ID]registry.Presence) error {
	if err := m.called("SavePresence"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, p := range all {
		m.presence[id] = p
	}
	return nil
}

// Activated is of [registry.Store].
func (m *Memory) Activated(_ context.Context, id registry.ID) (bool, error) {
	if err := m.called("Activated"); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.presence[id].ActivatedAt.IsZero(), nil
}

// AllOffline is of [registry.Store].
func (m *Memory) AllOffline(_ context.Context, reason string) error {
	if err := m.called("AllOffline"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, p := range m.presence {
		if p.State == registry.Online {
			p.State, p.OfflineReason = registry.Offline, reason
			m.presence[id] = p
		}
	}
	return nil
}

// Bind is of [registry.Store].
func (m *Memory) Bind(_ context.Context, gateway registry.ID, subs []registry.ID, at time.Time) error {
	if err := m.called("Bind"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sub := range subs {
		m.bound[sub] = registry.Binding{Sub: sub, Gateway: gateway, At: at}
	}
	return nil
}

// Unbind is of [registry.Store].
func (m *Memory) Unbind(_ context.Context, gateway registry.ID, subs []registry.ID) error {
	if err := m.called("Unbind"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sub := range subs {
		if m.bound[sub].Gateway == gateway {
			delete(m.bound, sub)
		}
	}
	return nil
}

// Binding is of [registry.Store].
func (m *Memory) Binding(_ context.Context, sub registry.ID) (*registry.Binding, error) {
	if err := m.called("Binding"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, there := m.bound[sub]
	if !there {
		return nil, registry.ErrNotFound
	}
	return &b, nil
}

// Bindings is of [registry.Store].
func (m *Memory) Bindings(_ context.Context, gateway registry.ID, after string, limit int) (all []registry.Binding, _ error) {
	if err := m.called("Bindings"); err != nil {
		return nil, err
	}
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

// CountBindings is of [registry.Store].
func (m *Memory) CountBindings(_ context.Context, gateway registry.ID) (n int, _ error) {
	if err := m.called("CountBindings"); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.bound {
		if b.Gateway == gateway {
			n++
		}
	}
	return n, nil
}

// SaveFound is of [registry.Store].
func (m *Memory) SaveFound(context.Context, registry.ID, []registry.ID, time.Time, int) error {
	if err := m.called("SaveFound"); err != nil {
		return err
	}
	return nil
}

// Found is of [registry.Store].
func (m *Memory) Found(context.Context, registry.ID) ([]registry.Found, error) { return nil, nil }

// PublishModel is of [registry.Store].
func (m *Memory) PublishModel(_ context.Context, p *registry.Product, oldest int) error {
	if err := m.called("PublishModel"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.products[p.Key]; !there {
		return registry.ErrNotFound
	}
	m.products[p.Key] = *p
	m.keepModel(p.Key, registry.ModelVersion{Version: p.ModelVersion, At: p.UpdatedAt, Model: p.Model})
	maps.DeleteFunc(m.models[p.Key], func(version int, _ registry.ModelVersion) bool { return version < max(oldest, 1) })
	return nil
}

// SaveModel is of [registry.Store].
func (m *Memory) SaveModel(_ context.Context, product string, v registry.ModelVersion) error {
	if err := m.called("SaveModel"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.products[product]; !there {
		return registry.ErrNotFound
	}
	m.keepModel(product, v)
	return nil
}

func (m *Memory) keepModel(product string, v registry.ModelVersion) {
	if m.models == nil {
		m.models = make(map[string]map[int]registry.ModelVersion)
	}
	if m.models[product] == nil {
		m.models[product] = make(map[int]registry.ModelVersion)
	}
	m.models[product][v.Version] = v
}

// Models is of [registry.Store].
func (m *Memory) Models(_ context.Context, product string) ([]registry.ModelVersion, error) {
	if err := m.called("Models"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Collect(maps.Values(m.models[product]))
	slices.SortFunc(all, func(a, b registry.ModelVersion) int { return b.Version - a.Version })
	return all, nil
}

// DeleteModel is of [registry.Store].
func (m *Memory) DeleteModel(_ context.Context, product string, version int) error {
	if err := m.called("DeleteModel"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.models[product], version)
	return nil
}

// CountTags is of [registry.Store].
func (m *Memory) CountTags(_ context.Context, product string, limit int) ([]registry.TagCount, error) {
	if err := m.called("CountTags"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	used := make(map[registry.TagCount]int)
	for id, d := range m.devices {
		if product != "" && id.Product != product {
			continue
		}
		for name, value := range d.Tags {
			used[registry.TagCount{Name: name, Value: value}]++
		}
	}
	all := make([]registry.TagCount, 0, len(used))
	for tag, n := range used {
		tag.Devices = n
		all = append(all, tag)
	}
	registry.SortTagCounts(all)
	return all[:min(limit, len(all))], nil
}

// CountStates is of [registry.Store].
func (m *Memory) CountStates(_ context.Context) (map[string]int, error) {
	if err := m.called("CountStates"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]int)
	for id, d := range m.devices {
		state := registry.Disabled
		if d.Enabled {
			state = m.presence[id].State
		}
		all[state.String()]++
	}
	return all, nil
}
