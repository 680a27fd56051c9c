package registry

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing"
)

// Options are what a Registry needs.
type Options struct {
	Store     Store
	Log       *slog.Logger
	Now       func() time.Time
	CacheSize int // devices kept in memory; 0 means DefaultCacheSize
}

// The bounds of the registry.
const (
	DefaultCacheSize = 200_000
	productCacheSize = 10_000
	DefaultLimit     = 100
	MaxLimit         = 1000
	MaxBatch         = 10_000 // devices of one CreateDevices
)

// A Registry answers what exists. Any number of goroutines may use it at once;
// Run must be running for presence to be kept.
type Registry struct {
	store    Store
	log      *slog.Logger
	now      func() time.Time
	products *cache[string, Product]
	devices  *cache[ID, Device]
	presence presences
	watching watches

	updating sync.Mutex // a change is read, made and written by one at a time
	binding  sync.Mutex // likewise a change of the topology

	mu       sync.Mutex
	onChange []func(Change)
}

// New makes a Registry on a store.
func New(o Options) *Registry {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CacheSize <= 0 {
		o.CacheSize = DefaultCacheSize
	}
	return &Registry{
		store: o.Store, log: o.Log, now: o.Now,
		products: newCache[string, Product](productCacheSize),
		devices:  newCache[ID, Device](o.CacheSize),
		presence: newPresences(),
	}
}

// OnChange calls fn after each change, on the goroutine that made it. Call it
// before the registry is shared.
func (r *Registry) OnChange(fn func(Change)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onChange = append(r.onChange, fn)
}

func (r *Registry) changed(kind ChangeKind, id ID) { r.tell(Change{Kind: kind, ID: id}) }

func (r *Registry) tell(c Change) {
	if c.ID.Device != "" {
		r.watching.tell(c.ID, c.Kind == DeviceCreated || c.Kind == DeviceDeleted)
	}
	r.mu.Lock()
	fns := r.onChange
	r.mu.Unlock()
	for _, fn := range fns {
		fn(c)
	}
}

// CreateProduct makes a product. An empty Key or Secret is generated in the
// vendor's form.
func (r *Registry) CreateProduct(ctx context.Context, p Product) (Product, error) {
	if p.Key == "" {
		p.Key = newProductKey(p.Dialect)
	}
	if p.Secret == "" {
		p.Secret = newProductSecret(p.Dialect)
	}
	if p.Name == "" {
		p.Name = p.Key
	}
	if err := checkProduct(&p); err != nil {
		return Product{}, err
	}
	p.Model = p.Model.Index()
	p.CreatedAt = r.stamp()
	p.UpdatedAt = p.CreatedAt
	if err := r.store.InsertProduct(ctx, &p); err != nil {
		if errors.Is(err, ErrExists) {
			return Product{}, fault.In("key", fault.Conflict("product %q exists already", p.Key))
		}
		return Product{}, err
	}
	r.products.drop(p.Key)
	r.changed(ProductCreated, ID{Product: p.Key})
	return p, nil
}

// stamp is now, as exactly as it is kept.
func (r *Registry) stamp() time.Time { return r.now().UTC().Truncate(time.Millisecond) }

// Product returns a product. It is shared: do not change it.
func (r *Registry) Product(ctx context.Context, key string) (*Product, error) {
	if len(key) > maxKey { // what cannot be is not looked up nor remembered
		return nil, fault.NotFound("there is no product with a key of %d bytes", len(key))
	}
	p, there, version := r.products.get(key)
	if !there {
		var err error
		if p, err = r.store.Product(ctx, key); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if p != nil {
			p.Model = p.Model.Index()
		}
		r.products.put(key, p, version)
	}
	if p == nil {
		return nil, fault.NotFound("there is no product %q", key)
	}
	return p, nil
}

// A Held is a product in the hands of somebody who asks for it again and again.
type Held struct {
	*Product
	version uint64
}

// Hold is Product for who has held it before: nothing is looked up while no
// product has changed since. Where one has, it returns another Held.
func (r *Registry) Hold(ctx context.Context, key string, held *Held) (*Held, error) {
	version := r.products.version.Load()
	if held != nil && held.version == version {
		return held, nil
	}
	p, err := r.Product(ctx, key)
	if err != nil {
		return nil, err
	}
	return &Held{p, version}, nil
}

// Products returns products in order of their keys, and a cursor for the next
// page, "" where there is none.
func (r *Registry) Products(ctx context.Context, q ProductQuery) ([]Product, string, error) {
	limit, err := PageSize(q.Limit)
	if err != nil {
		return nil, "", err
	}
	q.Limit = limit + 1
	found, err := r.store.Products(ctx, q)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], found[limit-1].Key, nil
}

// PageSize is how many things a page has for which n are asked: DefaultLimit
// for 0. It is fault.Invalid where n is not from 0 to MaxLimit. The lists of
// other packages keep to the same.
func PageSize(n int) (int, error) {
	switch {
	case n == 0:
		return DefaultLimit, nil
	case n < 0 || n > MaxLimit:
		return 0, fault.In("limit", fault.Invalid("limit %d is not from 1 to %d", n, MaxLimit))
	}
	return n, nil
}

// UpdateProduct changes name, description, strictness, node type or secret of a
// product. Key and dialect stay.
func (r *Registry) UpdateProduct(ctx context.Context, key string, change func(*Product) error) (Product, error) {
	r.updating.Lock()
	defer r.updating.Unlock()
	old, err := r.Product(ctx, key)
	if err != nil {
		return Product{}, err
	}
	p := *old
	if err := change(&p); err != nil {
		return Product{}, err
	}
	p.Key, p.Dialect = old.Key, old.Dialect
	if err := checkProduct(&p); err != nil {
		return Product{}, err
	}
	if p.Secret != old.Secret {
		p.PreviousSecret = old.Secret
	}
	return r.saveProduct(ctx, p, r.store.UpdateProduct)
}

// ResetProductSecret gives a product another secret, a generated one where
// secret is empty, and keeps the old one.
func (r *Registry) ResetProductSecret(ctx context.Context, key, secret string) (Product, error) {
	return r.UpdateProduct(ctx, key, func(p *Product) error {
		p.Secret = secret
		if secret == "" {
			p.Secret = newProductSecret(p.Dialect)
		}
		return nil
	})
}

// PublishModel gives a product a new model, which is kept as its next version
// in the place of the draft.
func (r *Registry) PublishModel(ctx context.Context, key string, m *thing.Model) (Product, error) {
	r.updating.Lock()
	defer r.updating.Unlock()
	old, err := r.Product(ctx, key)
	if err != nil {
		return Product{}, err
	}
	if err := m.Validate(); err != nil {
		return Product{}, fault.In("model", fault.Invalid("%w", err))
	}
	p := *old
	p.Model, p.ModelVersion = m.Index(), old.ModelVersion+1
	return r.saveProduct(ctx, p, func(ctx context.Context, p *Product) error {
		return r.store.PublishModel(ctx, p, p.ModelVersion-keptModels+1)
	})
}

// saveProduct writes a product that was changed, by the store's method save.
func (r *Registry) saveProduct(ctx context.Context, p Product, save func(context.Context, *Product) error) (Product, error) {
	p.UpdatedAt = r.stamp()
	if err := save(ctx, &p); errors.Is(err, ErrNotFound) {
		return Product{}, fault.NotFound("product %q was deleted meanwhile", p.Key)
	} else if err != nil {
		return Product{}, err
	}
	r.products.drop(p.Key)
	r.changed(ProductChanged, ID{Product: p.Key})
	return p, nil
}

// DeleteProduct deletes a product. One that has devices is deleted with them
// only where force says so.
func (r *Registry) DeleteProduct(ctx context.Context, key string, force bool) error {
	if _, err := r.Product(ctx, key); err != nil {
		return err
	}
	n, err := r.store.CountDevices(ctx, DeviceQuery{Product: key})
	if err != nil {
		return err
	}
	if n > 0 && !force {
		return fault.Conflict("product %q has %d devices: delete them first, or force it", key, n)
	}
	gone, err := r.allDevices(ctx, key)
	if err != nil {
		return err
	}
	gateways := make(map[ID]ID)
	for _, id := range gone {
		if gateways[id], err = r.Gateway(ctx, id); err != nil {
			return err
		}
	}
	if err := r.store.DeleteProduct(ctx, key); err != nil {
		return err
	}
	r.products.drop(key)
	r.devices.clear()
	for _, id := range gone {
		r.presence.forget(id)
		r.tell(Change{DeviceDeleted, id, gateways[id]})
	}
	r.changed(ProductDeleted, ID{Product: key})
	return nil
}

func (r *Registry) allDevices(ctx context.Context, product string) (ids []ID, err error) {
	q := DeviceQuery{Product: product, Limit: MaxLimit}
	for {
		page, err := r.store.Devices(ctx, q)
		if err != nil || len(page) == 0 {
			return ids, err
		}
		for i := range page {
			ids = append(ids, page[i].ID())
		}
		q.After = page[len(page)-1].ID().String()
	}
}
