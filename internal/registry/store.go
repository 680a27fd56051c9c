package registry

import (
	"context"
	"time"
)

// A Store remembers products, devices and presence. It decides nothing; where
// something is not there it says ErrNotFound, where it is there already
// ErrExists. Implementations are in internal/store and pass storetest.Registry.
type Store interface {
	InsertProduct(ctx context.Context, p *Product) error
	Product(ctx context.Context, key string) (*Product, error)
	Products(ctx context.Context, q ProductQuery) ([]Product, error)
	UpdateProduct(ctx context.Context, p *Product) error
	DeleteProduct(ctx context.Context, key string) error // and its devices

	// PublishModel is UpdateProduct that also keeps the product's model as its
	// version, and forgets the draft and the versions before oldest: all or
	// nothing.
	PublishModel(ctx context.Context, p *Product, oldest int) error
	SaveModel(ctx context.Context, product string, v ModelVersion) error // in place of the same version
	Models(ctx context.Context, product string) ([]ModelVersion, error)  // the greatest version first
	DeleteModel(ctx context.Context, product string, version int) error

	InsertDevices(ctx context.Context, devices []Device) error // all or none; *ExistsError names the row
	Device(ctx context.Context, id ID) (*Device, error)
	Devices(ctx context.Context, q DeviceQuery) ([]Device, error)
	CountDevices(ctx context.Context, q DeviceQuery) (int, error) // wherever q begins and however many it wants
	CountStates(ctx context.Context) (map[string]int, error)      // of devices by the word for their state
	// CountTags counts the devices that have each tag, of one product or of all
	// for "": the most used first, at most limit.
	CountTags(ctx context.Context, product string, limit int) ([]TagCount, error)
	DeviceByCertificate(ctx context.Context, fingerprint string) (*Device, error)
	// UpdateDevices changes all that are there at once, and returns the others.
	UpdateDevices(ctx context.Context, devices []Device) (missing []ID, err error)
	// EnableBatch changes whether the devices of a batch are enabled, all at
	// once, and returns those that were not so before.
	EnableBatch(ctx context.Context, product, batch string, enabled bool, at time.Time) ([]ID, error)
	DeleteDevices(ctx context.Context, ids []ID) (missing []ID, err error) // all that are there at once

	Presence(ctx context.Context, id ID) (*Presence, error)
	Presences(ctx context.Context, ids []ID) (map[ID]Presence, error) // of those that have one
	// SavePresence keeps presences of devices that exist, and passes over the
	// others. A loss of power may take it back unless it activates one of them.
	SavePresence(ctx context.Context, all map[ID]Presence) error
	// Activated reports whether a presence with ActivatedAt is kept. It is asked
	// at each login.
	Activated(ctx context.Context, id ID) (bool, error)
	AllOffline(ctx context.Context, reason string) error // after a restart

	TopologyStore
}

// A Presence is the part of a Status that is kept.
type Presence struct {
	Status
}

// A ProductQuery asks for products in order of their keys.
type ProductQuery struct {
	Text  string // in key or name
	Limit int
	After string // key of the last one of the page before
}

// A DeviceQuery asks for devices in order of product and name.
type DeviceQuery struct {
	Product string // "" for all
	Text    string // in name or nickname
	Tag     string // "name" or "name=value"
	Batch   string // "" for all
	State   *State
	Limit   int
	After   string // product/name of the last one of the page before
}

// A storeError is what a Store says of existence.
type storeError string

func (e storeError) Error() string { return string(e) }

// The errors of a Store.
const (
	ErrNotFound storeError = "not found"
	ErrExists   storeError = "exists already"
)

// An ExistsError names the row of InsertDevices that exists already.
type ExistsError struct{ Row int }

func (*ExistsError) Error() string { return string(ErrExists) }

// Unwrap makes errors.Is(err, ErrExists) work.
func (*ExistsError) Unwrap() error { return ErrExists }
