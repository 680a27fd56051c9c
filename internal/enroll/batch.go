package enroll

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// A Batch is devices that were made together, for one run of a factory.
type Batch struct {
	Product   string    `json:"product"`
	Name      string    `json:"name"`
	Note      string    `json:"note,omitempty"`
	CreatedAt time.Time `json:"createdAt"`

	// As it is now.
	Devices    int `json:"devices"`
	Registered int `json:"registered" doc:"Devices that were told their secret by registration"`
	Activated  int `json:"activated" doc:"Devices that have connected"`
	Disabled   int `json:"disabled"`
}

// A BatchDevice is one device of a batch, with what happened to it since.
type BatchDevice struct {
	registry.Device
	RegisteredAt time.Time `json:"registeredAt,omitzero"`
	Registered   int       `json:"registered,omitempty" doc:"Times it registered since it last connected"`
	Road         string    `json:"road,omitempty" doc:"By which it registered: mqtt, https or http"`
	ActivatedAt  time.Time `json:"activatedAt,omitzero"`
}

// NewBatch is what somebody says of a batch to be made.
type NewBatch struct {
	Name   string   // made of the day where it is empty
	Note   string   // for people
	Count  int      // of devices with names that are made up
	Prefix string   // of those names
	Names  []string // or chosen ones
	List   bool     // put the names on the product's list, too
}

// The bounds of a batch.
const (
	maxNote   = 256
	maxPrefix = 24
	madeUp    = 8 // characters behind the prefix
)

// CreateBatch makes the devices of a batch, all or none.
func (s *Service) CreateBatch(ctx context.Context, product string, n NewBatch) (Batch, error) {
	if _, err := s.Registry.Product(ctx, product); err != nil {
		return Batch{}, err
	}
	names, err := n.names()
	if err != nil {
		return Batch{}, err
	}
	now := s.Now().UTC().Truncate(time.Millisecond)
	b := Batch{Product: product, Name: n.Name, Note: n.Note, CreatedAt: now, Devices: len(names)}
	if b.Name == "" {
		b.Name = now.Format("20060102-150405")
	}
	if len(b.Note) > maxNote {
		return Batch{}, fault.In("note", fault.Invalid("the note is longer than %d bytes", maxNote))
	}
	devices := make([]registry.Device, len(names))
	for i, name := range names {
		devices[i] = registry.Device{Product: product, Name: name, Batch: b.Name}
	}
	// The batch comes first: a crash leaves an empty one, never devices of none.
	switch err := s.Store.InsertBatch(ctx, &b); {
	case errors.Is(err, registry.ErrExists):
		return Batch{}, fault.In("name", fault.Conflict("product %q has a batch %q already", product, b.Name))
	case err != nil:
		return Batch{}, err
	}
	if err := s.fill(ctx, product, devices, n); err != nil {
		return Batch{}, errors.Join(err, s.Store.DeleteBatch(context.WithoutCancel(ctx), product, b.Name))
	}
	return b, nil
}

func (s *Service) fill(ctx context.Context, product string, devices []registry.Device, n NewBatch) error {
	if n.List {
		names := make([]string, len(devices))
		for i := range devices {
			names[i] = devices[i].Name
		}
		if _, err := s.Allow(ctx, product, names); err != nil {
			return err
		}
	}
	_, bad, err := s.Registry.CreateDevices(ctx, product, devices)
	if err == nil && len(bad) > 0 {
		err = bad[0].Err
		if len(bad) > 1 {
			err = fault.Invalid("%d of %d devices cannot be made, and none was; the first: %w", len(bad), len(devices), err)
		}
		// What is wrong is the name of a device, not that of the batch.
		field := "prefix"
		if len(n.Names) > 0 {
			field = "names"
		}
		err = fault.In(field, err)
	}
	return err
}

// names are those of the devices.
func (n *NewBatch) names() ([]string, error) {
	switch {
	case len(n.Names) > 0 && (n.Count > 0 || n.Prefix != ""):
		return nil, fault.Invalid("give names, or a count and a prefix, not both")
	case len(n.Names) > registry.MaxBatch || n.Count > registry.MaxBatch:
		return nil, fault.In("count", fault.Invalid("a batch has at most %d devices: make several", registry.MaxBatch))
	case len(n.Names) > 0:
		return n.Names, nil
	case n.Count < 1:
		return nil, fault.In("count", fault.Invalid("say how many devices: 1 to %d", registry.MaxBatch))
	case len(n.Prefix) > maxPrefix:
		return nil, fault.In("prefix", fault.Invalid("a prefix has at most %d characters, so that names stay within the vendor's 32", maxPrefix))
	}
	names, seen := make([]string, 0, n.Count), make(map[string]bool, n.Count)
	for len(names) < n.Count {
		// 40 bits: among 10,000 names hardly two are the same, and those are made anew.
		name := n.Prefix + strings.ToLower(rand.Text()[:madeUp])
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}

// Batch returns a batch.
func (s *Service) Batch(ctx context.Context, product, name string) (Batch, error) {
	if _, err := s.Registry.Product(ctx, product); err != nil {
		return Batch{}, err
	}
	b, err := s.Store.Batch(ctx, product, name)
	if errors.Is(err, registry.ErrNotFound) {
		return Batch{}, fault.NotFound("product %q has no batch %q", product, name)
	}
	if err != nil {
		return Batch{}, err
	}
	return *b, nil
}

// Batches returns batches of a product by name, and a cursor for the next page.
func (s *Service) Batches(ctx context.Context, product, after string, limit int) ([]Batch, string, error) {
	if _, err := s.Registry.Product(ctx, product); err != nil {
		return nil, "", err
	}
	limit, err := registry.PageSize(limit)
	if err != nil {
		return nil, "", err
	}
	found, err := s.Store.Batches(ctx, product, after, limit+1)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], found[limit-1].Name, nil
}

// BatchDevices returns devices of a batch by name, and a cursor for the next
// page.
func (s *Service) BatchDevices(ctx context.Context, product, name, after string, limit int) ([]BatchDevice, string, error) {
	if _, err := s.Batch(ctx, product, name); err != nil {
		return nil, "", err
	}
	limit, err := registry.PageSize(limit)
	if err != nil {
		return nil, "", err
	}
	found, err := s.Store.BatchDevices(ctx, product, name, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(found) > limit {
		found, next = found[:limit], found[limit-1].Name
	}
	for i := range found { // the store may be a moment behind
		status, err := s.Registry.Status(ctx, found[i].ID())
		if err == nil {
			found[i].ActivatedAt = status.ActivatedAt
		}
	}
	return found, next, nil
}

// EnableBatch enables or disables all devices of a batch, and returns how many
// were not so before.
func (s *Service) EnableBatch(ctx context.Context, product, name string, enabled bool) (int, error) {
	if _, err := s.Batch(ctx, product, name); err != nil {
		return 0, err
	}
	return s.Registry.EnableBatch(ctx, product, name, enabled)
}

// RemoveBatch forgets a batch that has no devices any more.
func (s *Service) RemoveBatch(ctx context.Context, product, name string) error {
	b, err := s.Batch(ctx, product, name)
	if err != nil {
		return err
	}
	if b.Devices > 0 {
		return fault.Conflict("batch %q has %d devices: disable it, or delete them first", name, b.Devices)
	}
	return s.Store.DeleteBatch(ctx, product, name)
}

// Allow puts names on a product's list, and returns how many are new.
func (s *Service) Allow(ctx context.Context, product string, names []string) (int, error) {
	if err := s.checkNames(ctx, product, names); err != nil {
		return 0, err
	}
	n, err := s.Store.CountNames(ctx, product)
	if err != nil {
		return 0, err
	}
	if n+len(names) > MaxNames {
		return 0, fault.Exhausted("a list has at most %d names; this one has %d", MaxNames, n)
	}
	return s.Store.AddNames(ctx, product, names, s.Now())
}

// Disallow takes names off a product's list, and returns how many were on it.
func (s *Service) Disallow(ctx context.Context, product string, names []string) (int, error) {
	if err := s.checkNames(ctx, product, names); err != nil {
		return 0, err
	}
	return s.Store.RemoveNames(ctx, product, names)
}

const maxName = 64

func (s *Service) checkNames(ctx context.Context, product string, names []string) error {
	if _, err := s.Registry.Product(ctx, product); err != nil {
		return err
	}
	if len(names) == 0 || len(names) > MaxNamesAtOnce {
		return fault.In("names", fault.Invalid("give 1 to %d names at once", MaxNamesAtOnce))
	}
	for i, name := range names {
		if name == "" || len(name) > maxName || strings.ContainsAny(name, "/&+#\x00\r\n\t ") {
			return fault.In(fmt.Sprintf("names[%d]", i), fault.Invalid("%q is no name of a device", name))
		}
	}
	return nil
}

// Allowed returns names of a product's list that have text in them, in order,
// and a cursor for the next page.
func (s *Service) Allowed(ctx context.Context, product, text, after string, limit int) ([]string, string, error) {
	if _, err := s.Registry.Product(ctx, product); err != nil {
		return nil, "", err
	}
	limit, err := registry.PageSize(limit)
	if err != nil {
		return nil, "", err
	}
	found, err := s.Store.Names(ctx, product, text, after, limit+1)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], found[limit-1], nil
}
