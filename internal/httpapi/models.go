package httpapi

import (
	"context"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// modelVersions are the models of a product.
type modelVersions struct {
	Draft *modelView  `json:"draft,omitempty" doc:"What is not published yet"`
	Items []modelView `json:"items" doc:"Those that were published and are kept, newest first"`
}

// A modelView is a model as people see it.
type modelView struct {
	Version int       `json:"version" doc:"0 of a draft"`
	At      time.Time `json:"at"`
	Model   any       `json:"model" doc:"In Matou's own form"`
	Problem string    `json:"problem,omitempty" doc:"Why it cannot be published; it names the place, such as properties[0]"`
}

func viewModel(v registry.ModelVersion) modelView {
	return modelView{v.Version, v.At, v.Model, problemOf(v.Model)}
}

// problemOf says why a model cannot be published, "" where it can.
func problemOf(m *thing.Model) string {
	if err := m.Validate(); err != nil {
		return strings.TrimPrefix(err.Error(), "thing: ")
	}
	return ""
}

func (a *api) listModels(ctx context.Context, in *ProductPath) (modelVersions, error) {
	published, draft, err := a.Registry.Models(ctx, in.Product)
	if err != nil {
		return modelVersions{}, err
	}
	out := modelVersions{Items: make([]modelView, len(published))}
	for i, v := range published {
		out.Items[i] = viewModel(v)
	}
	if draft != nil {
		d := viewModel(*draft)
		out.Draft = &d
	}
	return out, nil
}

func (a *api) saveDraft(ctx context.Context, in *importModelInput) (modelView, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return modelView{}, err
	}
	m, _, err := a.readModel(in.RawBody, in.Format, p.Dialect)
	if err != nil {
		return modelView{}, err
	}
	v, err := a.Registry.SaveDraft(ctx, in.Product, m)
	if err != nil {
		return modelView{}, err
	}
	return viewModel(v), nil
}

func (a *api) dropDraft(ctx context.Context, in *ProductPath) error {
	return a.Registry.DropDraft(ctx, in.Product)
}

// checkModel reads a model and judges it; nothing is kept.
func (a *api) checkModel(ctx context.Context, in *importModelInput) (modelView, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return modelView{}, err
	}
	m, _, err := a.readModel(in.RawBody, in.Format, p.Dialect)
	if err != nil {
		return modelView{}, err
	}
	return viewModel(registry.ModelVersion{Model: m}), nil
}
