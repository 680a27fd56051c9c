package httpapi

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// A product is one as people see it.
type product struct {
	registry.Product
	Secret  string `json:"secret,omitempty" doc:"Only when it was just made, or asked for with secrets=true"`
	Devices int    `json:"devices"`
	Script  int    `json:"script,omitempty" doc:"Version of its parsing script; absent where it has none"`
}

// A ProductPath names a product. It is exported, as are all parts of inputs,
// because only then their fields are filled in.
type ProductPath struct {
	Product string `path:"product" doc:"ProductKey or product id"`
}

// SecretsAsked is the wish to see secrets.
type SecretsAsked struct {
	Secrets bool `query:"secrets" doc:"Show secrets; needs the role operator"`
}

// check refuses secrets to who may not see them.
func (s SecretsAsked) check(ctx context.Context) error {
	if s.Secrets && !who(ctx).Role.Includes(access.OperatorRole) {
		return fault.Forbidden("secrets need the role operator")
	}
	return nil
}

func (a *api) viewProduct(ctx context.Context, p *registry.Product, secrets bool) (product, error) {
	n, err := a.Registry.CountDevices(ctx, registry.DeviceQuery{Product: p.Key})
	if err != nil {
		return product{}, err
	}
	v := product{Product: *p, Devices: n}
	switch s, err := a.Scripts.Script(ctx, p.Key); {
	case err == nil:
		v.Script = s.Version
	case fault.KindOf(err) != fault.KindNotFound:
		return product{}, err
	}
	if secrets {
		v.Secret = p.Secret
	}
	return v, nil
}

type listProductsInput struct {
	Paging
	Text string `query:"text" doc:"In key or name"`
}

func (a *api) listProducts(ctx context.Context, in *listProductsInput) (list[product], error) {
	found, next, err := a.Registry.Products(ctx, registry.ProductQuery{Text: in.Text, Limit: in.Limit, After: in.After})
	if err != nil {
		return list[product]{}, err
	}
	items := make([]product, len(found))
	for i := range found {
		if items[i], err = a.viewProduct(ctx, &found[i], false); err != nil {
			return list[product]{}, err
		}
	}
	return page(items, next), nil
}

type createProductInput struct {
	Body struct {
		Key        string              `json:"key,omitempty" doc:"ProductKey or product id as the devices know it; one is made where it is empty"`
		Name       string              `json:"name,omitempty"`
		Desc       string              `json:"desc,omitempty"`
		Dialect    string              `json:"dialect" doc:"aliyun, onenet or mqtt"`
		Strictness registry.Strictness `json:"strictness,omitempty" doc:"lenient, strict or open"`
		DataModel  registry.DataModel  `json:"dataModel,omitempty" doc:"thing or, for onenet, streams: values that nobody declares, commands and images in place of a thing model"`
		NodeType   registry.NodeType   `json:"nodeType,omitempty" doc:"device, or gateway: its devices carry sub-devices"`
		Secret     string              `json:"secret,omitempty" doc:"ProductSecret, or OneNET's access key; one is made where it is empty"`
	}
}

func (a *api) createProduct(ctx context.Context, in *createProductInput) (product, error) {
	b := &in.Body
	p, err := a.Registry.CreateProduct(ctx, registry.Product{
		Key: b.Key, Name: b.Name, Desc: b.Desc, Dialect: b.Dialect, Strictness: b.Strictness, DataModel: b.DataModel, NodeType: b.NodeType, Secret: b.Secret,
	})
	if err != nil {
		return product{}, err
	}
	return a.viewProduct(ctx, &p, true)
}

type showProductInput struct {
	ProductPath
	SecretsAsked
}

func (a *api) showProduct(ctx context.Context, in *showProductInput) (product, error) {
	if err := in.check(ctx); err != nil {
		return product{}, err
	}
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return product{}, err
	}
	return a.viewProduct(ctx, p, in.Secrets)
}

type changeProductInput struct {
	ProductPath
	Body struct {
		Name       *string              `json:"name,omitempty"`
		Desc       *string              `json:"desc,omitempty"`
		Strictness *registry.Strictness `json:"strictness,omitempty"`
		DataModel  *registry.DataModel  `json:"dataModel,omitempty" doc:"thing or streams, for devices from their next login on"`
		NodeType   *registry.NodeType   `json:"nodeType,omitempty"`
	}
}

func (a *api) changeProduct(ctx context.Context, in *changeProductInput) (product, error) {
	p, err := a.Registry.UpdateProduct(ctx, in.Product, func(p *registry.Product) error {
		assign(&p.Name, in.Body.Name)
		assign(&p.Desc, in.Body.Desc)
		assign(&p.Strictness, in.Body.Strictness)
		assign(&p.DataModel, in.Body.DataModel)
		assign(&p.NodeType, in.Body.NodeType)
		return nil
	})
	if err != nil {
		return product{}, err
	}
	return a.viewProduct(ctx, &p, false)
}

// assign sets what was given.
func assign[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

type deleteProductInput struct {
	ProductPath
	Force bool `query:"force" doc:"Delete its devices, too"`
}

func (a *api) deleteProduct(ctx context.Context, in *deleteProductInput) error {
	return a.Registry.DeleteProduct(ctx, in.Product, in.Force)
}

type secretBody struct {
	Secret string `json:"secret,omitempty" doc:"One is made where it is empty"`
}

type resetProductSecretInput struct {
	ProductPath
	Body secretBody
}

func (a *api) resetProductSecret(ctx context.Context, in *resetProductSecretInput) (product, error) {
	p, err := a.Registry.ResetProductSecret(ctx, in.Product, in.Body.Secret)
	if err != nil {
		return product{}, err
	}
	return a.viewProduct(ctx, &p, true)
}

// The forms of a thing model; a dialect's name is that vendor's form.
const matouForm = "matou"

// A ModelInput names a model and its form.
type ModelInput struct {
	ProductPath
	Format string `query:"format" doc:"matou, or the vendor's: aliyun or onenet. Left out: on import what it looks like, on export that of the product"`
}

type modelOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *api) exportModel(ctx context.Context, in *ModelInput) (*modelOutput, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return nil, err
	}
	form := in.Format
	if form == "" {
		form = p.Dialect
	}
	doc, err := a.writeModel(p.Key, p.Model, form)
	if err != nil {
		return nil, err
	}
	return &modelOutput{"application/json", `attachment; filename="` + p.Key + "." + form + `.json"`, doc}, nil
}

// ownForm reports whether a form is Matou's own, which plain MQTT has, too.
func ownForm(form string) bool { return form == matouForm || form == "mqtt" }

func (a *api) writeModel(product string, m *thing.Model, form string) ([]byte, error) {
	if ownForm(form) {
		return json.MarshalIndent(m, "", "  ")
	}
	d, err := a.vendor(form)
	if err != nil {
		return nil, err
	}
	return d.ExportModel(product, m)
}

func (a *api) vendor(form string) (dialect.Dialect, error) {
	d, ok := a.Dialects.ByName(form)
	if !ok {
		return nil, fault.In("format", fault.Invalid("format %q is not known: use matou, aliyun or onenet", form))
	}
	return d, nil
}

type importModelInput struct {
	ModelInput
	RawBody []byte `contentType:"application/json"`
}

// imported is what came of a model.
type imported struct {
	Version    int    `json:"version"`
	Format     string `json:"format"`
	Properties int    `json:"properties"`
	Events     int    `json:"events"`
	Services   int    `json:"services"`
}

func (a *api) importModel(ctx context.Context, in *importModelInput) (imported, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return imported{}, err
	}
	m, form, err := a.readModel(in.RawBody, in.Format, p.Dialect)
	if err != nil {
		return imported{}, err
	}
	published, err := a.Registry.PublishModel(ctx, in.Product, m)
	if err != nil {
		return imported{}, err
	}
	return imported{published.ModelVersion, form, len(m.Properties), len(m.Events), len(m.Services)}, nil
}

// readModel reads a model in the form that is named, or that it is in.
func (a *api) readModel(doc []byte, form, usual string) (*thing.Model, string, error) {
	if form == "" {
		form = formOf(doc, usual)
	}
	m, err := a.readModelAs(doc, form)
	return m, form, err
}

// formOf tells the forms apart by members that only one of them has; where
// there are none it is the usual one.
func formOf(doc []byte, usual string) string {
	for _, mark := range []struct{ text, form string }{
		{`"functionMode"`, "onenet"}, {`"functionType"`, "onenet"}, {`"productId"`, "onenet"},
		{`"productKey"`, "aliyun"}, {`"accessMode"`, "aliyun"}, {`"callType"`, "aliyun"}, {`"outputData"`, "aliyun"},
		{`"kind"`, matouForm},
	} {
		if bytes.Contains(doc, []byte(mark.text)) {
			return mark.form
		}
	}
	return usual
}

func (a *api) readModelAs(doc []byte, form string) (*thing.Model, error) {
	if ownForm(form) {
		m := new(thing.Model)
		dec := json.NewDecoder(bytes.NewReader(doc))
		dec.DisallowUnknownFields() // another form is not half a model of ours
		return m, invalidModel(dec.Decode(m))
	}
	d, err := a.vendor(form)
	if err != nil {
		return nil, err
	}
	m, err := d.ImportModel(doc)
	return m, invalidModel(err)
}

func invalidModel(err error) error {
	if err == nil {
		return nil
	}
	return fault.Invalid("the model cannot be read: %v", err)
}
