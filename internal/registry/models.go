package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"
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

// A TagCount is how many devices have a tag with a value.
type TagCount struct {
	Name    string `json:"name"`
	Value   string `json:"value,omitempty"`
	Devices int    `json:"devices"`
}

// SortTagCounts puts the most used first, and those alike in order of their
// names.
func SortTagCounts(all []TagCount) {
	slices.SortFunc(all, func(a, b TagCount) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
}

// maxTagCounts is how many tags are counted at once: the most used.
const maxTagCounts = 200

// CountTags counts the devices that have each tag, of one product or of all for
// "": the most used first.
func (r *Registry) CountTags(ctx context.Context, product string) ([]TagCount, error) {
	return r.store.CountTags(ctx, product, maxTagCounts)
}

// CountStates counts the devices by their state.
func (r *Registry) CountStates(ctx context.Context) (map[string]int, error) {
	return r.store.CountStates(ctx)
}
