package shadow

import (
	"context"
	"slices"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// Wanted gives a device the desired values that it asks for, those that there
// are.
func (s *Service) Wanted(ctx context.Context, r *dialect.DesiredGet) (dialect.Desired, error) {
	p, err := s.Registry.Product(ctx, r.Claim.Product)
	if err != nil {
		return dialect.Desired{}, err
	}
	all, err := s.Store.Desired(ctx, idOf(r.Asked()))
	if err != nil {
		return dialect.Desired{}, err
	}
	d := dialect.Desired{Model: p.Model}
	for _, name := range r.Properties { // in the order that it asks
		at, there := find(all, name)
		if there && !slices.ContainsFunc(d.Values, func(v dialect.DesiredValue) bool { return v.Property == name }) {
			d.Values = append(d.Values, all[at])
		}
	}
	return d, nil
}

func find(all []dialect.DesiredValue, property string) (at int, there bool) {
	at = slices.IndexFunc(all, func(v dialect.DesiredValue) bool { return v.Property == property })
	return at, at >= 0
}

// Fulfilled takes desired values away that a device has done with. Those of
// another version stay, which is no error: they are newer than what it knows.
func (s *Service) Fulfilled(ctx context.Context, r *dialect.DesiredDelete) (dialect.Done, error) {
	id := idOf(r.Asked())
	defer s.lock(id)()
	all, err := s.Store.Desired(ctx, id)
	if err != nil {
		return dialect.Done{}, err
	}
	var gone []string
	for _, p := range r.Properties {
		if at, there := find(all, p.Property); there && (p.Version == 0 || p.Version == all[at].Version) {
			gone = append(gone, p.Property)
		}
	}
	if len(gone) == 0 {
		return dialect.Done{}, nil
	}
	return dialect.Done{}, s.Store.SaveDesired(ctx, id, nil, gone)
}

// Desired returns the desired values of a device in order of the properties.
func (s *Service) Desired(ctx context.Context, id registry.ID) ([]dialect.DesiredValue, error) {
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return nil, err
	}
	return s.Store.Desired(ctx, id)
}

// Desire sets desired values and tells the device where it is online: one
// that is away asks for them when it comes back. A null takes a desired value
// away. versions are those that the caller believes the values to have, 0 for
// one that there is not; a property without one is not compared. It is all or
// none.
func (s *Service) Desire(ctx context.Context, id registry.ID, values []thing.Argument, versions map[string]int64) ([]dialect.DesiredValue, Told, error) {
	p, err := s.Registry.Product(ctx, id.Product)
	if err != nil {
		return nil, Told{}, err
	}
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return nil, Told{}, err
	}
	if len(values) == 0 {
		return nil, Told{}, fault.In("values", fault.Invalid("name at least one property"))
	}
	var wanted []thing.Argument
	var gone []string
	for _, v := range values {
		if v.Value.Shape == thing.Null {
			gone = append(gone, v.ID)
		} else {
			wanted = append(wanted, v)
		}
	}
	checked, problems := p.Model.CheckSet(wanted, thing.Rules{Lenient: true})
	if len(problems) > 0 {
		return nil, Told{}, fault.In("values", fault.Invalid("%w", &problems[0]))
	}
	all, err := s.desire(ctx, id, checked, gone, versions)
	if err != nil || len(checked) == 0 {
		return all, Told{}, err
	}
	if !s.Online(id.String()) {
		return all, Told{Outcome: broker.Offline.String()}, nil
	}
	return all, toldOf(broker.Delivered, s.Set(ctx, id, checked)), nil
}

func (s *Service) desire(ctx context.Context, id registry.ID, checked []thing.Argument, gone []string, versions map[string]int64) ([]dialect.DesiredValue, error) {
	defer s.lock(id)()
	all, err := s.Store.Desired(ctx, id)
	if err != nil {
		return nil, err
	}
	for property, believed := range versions {
		version := int64(0)
		if at, there := find(all, property); there {
			version = all[at].Version
		}
		if version != believed {
			return nil, fault.In("versions", fault.Conflict("the desired value of %q has version %d, not %d", property, version, believed))
		}
	}
	now := s.stamp()
	var set []dialect.DesiredValue
	fresh := 0
	for _, v := range checked {
		d := dialect.DesiredValue{Property: v.ID, Value: v.Value, Version: 1, At: now}
		if at, there := find(all, v.ID); there {
			d.Version = all[at].Version + 1
		} else {
			fresh++
		}
		set = append(set, d)
	}
	if len(all)+fresh > MaxDesired {
		return nil, fault.In("values", fault.Exhausted("a device has at most %d desired values", MaxDesired))
	}
	if err := s.Store.SaveDesired(ctx, id, set, gone); err != nil {
		return nil, err
	}
	return s.Store.Desired(ctx, id)
}

// Undesire takes desired values away, all of them where none is named.
func (s *Service) Undesire(ctx context.Context, id registry.ID, properties []string) error {
	if _, err := s.Registry.Device(ctx, id); err != nil {
		return err
	}
	defer s.lock(id)()
	if len(properties) == 0 {
		all, err := s.Store.Desired(ctx, id)
		if err != nil {
			return err
		}
		for _, d := range all {
			properties = append(properties, d.Property)
		}
	}
	return s.Store.SaveDesired(ctx, id, nil, properties)
}
