package httpapi

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/dialect"
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

func viewModel(l language, v registry.ModelVersion) modelView {
	return modelView{v.Version, v.At, v.Model, problemOf(l, v.Model)}
}

// problemOf says why a model cannot be published, "" where it can.
func problemOf(l language, m *thing.Model) string {
	if err := m.Validate(); err != nil {
		return strings.TrimPrefix(l.all(err), "thing: ")
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
		out.Items[i] = viewModel(languageIn(ctx), v)
	}
	if draft != nil {
		d := viewModel(languageIn(ctx), *draft)
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
	return viewModel(languageIn(ctx), v), nil
}

func (a *api) dropDraft(ctx context.Context, in *ProductPath) error {
	return a.Registry.DropDraft(ctx, in.Product)
}

// A checkedModel is what was read of a model, and what stands against it.
type checkedModel struct {
	Format  string         `json:"format" doc:"matou, aliyun or onenet: what it was read as"`
	Model   any            `json:"model" doc:"In Matou's own form"`
	Problem string         `json:"problem,omitempty" doc:"Why it cannot be published; it names the place, such as properties[0]"`
	Lost    []dialect.Loss `json:"lost" doc:"What the vendor's form said and a model in Matou has no place for"`
}

// checkModel reads a model and judges it; nothing is kept.
func (a *api) checkModel(ctx context.Context, in *importModelInput) (checkedModel, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return checkedModel{}, err
	}
	m, form, err := a.readModel(in.RawBody, in.Format, p.Dialect)
	if err != nil {
		return checkedModel{}, err
	}
	out := checkedModel{Format: form, Model: m, Problem: problemOf(languageIn(ctx), m), Lost: []dialect.Loss{}}
	if ownForm(form) {
		return out, nil
	}
	again, err := a.writeModel(p.Key, m, form)
	if err != nil {
		return checkedModel{}, err
	}
	out.Lost, err = dialect.Lost(in.RawBody, again)
	return out, err
}

type convertModelInput struct {
	ModelInput
	To      string `query:"to" required:"true" doc:"The form that is wanted: matou, aliyun or onenet"`
	RawBody []byte `contentType:"application/json"`
}

// A convertedModel is a model in a vendor's form.
type convertedModel struct {
	Format string         `json:"format"`
	Text   string         `json:"text" doc:"The JSON file"`
	Lost   []dialect.Loss `json:"lost" doc:"What the model said and that form has no place for"`
}

// convertModel writes a model in another form; nothing is kept.
func (a *api) convertModel(ctx context.Context, in *convertModelInput) (convertedModel, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return convertedModel{}, err
	}
	m, _, err := a.readModel(in.RawBody, in.Format, p.Dialect)
	if err == nil {
		err = invalidModel(m.Validate())
	}
	if err != nil {
		return convertedModel{}, err
	}
	text, err := a.writeModel(p.Key, m, in.To)
	if err != nil {
		return convertedModel{}, err
	}
	out := convertedModel{Format: in.To, Text: string(text), Lost: []dialect.Loss{}}
	if ownForm(in.To) {
		return out, nil
	}
	again, err := a.readModelAs(text, in.To)
	if err != nil {
		return convertedModel{}, err
	}
	from, err := json.Marshal(m)
	if err != nil {
		return convertedModel{}, err
	}
	made, err := json.Marshal(again)
	if err != nil {
		return convertedModel{}, err
	}
	out.Lost, err = dialect.Lost(from, made)
	return out, err
}
