package registry

import (
	"context"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/thing"
)

// A ModelVersion is a thing model that a product had, or, as version 0, the
// draft that somebody works on.
type ModelVersion struct {
	Version int          `json:"version"`
	At      time.Time    `json:"at"`
	Model   *thing.Model `json:"model"`
}

// keptModels is how many published models of a product are kept; the oldest
// goes when another is published.
const keptModels = 50

// draft is the version of a model that is not published.
const draft = 0

// Models are the published models of a product that are kept, newest first,
// and its draft, nil where there is none.
func (r *Registry) Models(ctx context.Context, key string) (published []ModelVersion, unfinished *ModelVersion, err error) {
	if _, err := r.Product(ctx, key); err != nil {
		return nil, nil, err
	}
	all, err := r.store.Models(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	for i := range all {
		if all[i].Version == draft {
			return append(all[:i:i], all[i+1:]...), &all[i], nil
		}
	}
	return all, nil, nil
}

// SaveDraft keeps a model that is not finished: it need not be valid.
func (r *Registry) SaveDraft(ctx context.Context, key string, m *thing.Model) (ModelVersion, error) {
	if _, err := r.Product(ctx, key); err != nil {
		return ModelVersion{}, err
	}
	if n := len(m.Properties) + len(m.Events) + len(m.Services); n > thing.MaxFeatures {
		return ModelVersion{}, fault.In("model", fault.Invalid("%d properties, events and services are more than %d", n, thing.MaxFeatures))
	}
	v := ModelVersion{Version: draft, At: r.stamp(), Model: m}
	return v, r.store.SaveModel(ctx, key, v)
}

// DropDraft forgets the draft of a product; it is no error where there is none.
func (r *Registry) DropDraft(ctx context.Context, key string) error {
	if _, err := r.Product(ctx, key); err != nil {
		return err
	}
	return r.store.DeleteModel(ctx, key, draft)
}

// CountStates counts the devices by their state.
func (r *Registry) CountStates(ctx context.Context) (map[string]int, error) {
	return r.store.CountStates(ctx)
}
