package httpapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"time"

	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

type changeRegistrationInput struct {
	ProductPath
	Body struct {
		Enabled    *bool `json:"enabled,omitempty" doc:"Devices that exist and never connected are told their secret"`
		Free       *bool `json:"free,omitempty" doc:"Devices need not exist before: they are made when they register"`
		Listed     *bool `json:"listed,omitempty" doc:"Only names on the list may register"`
		MaxDevices *int  `json:"maxDevices,omitempty" doc:"No device is made by registration where the product has so many; 0 means 10000"`
	}
}

func (a *api) changeRegistration(ctx context.Context, in *changeRegistrationInput) (product, error) {
	p, err := a.Registry.UpdateProduct(ctx, in.Product, func(p *registry.Product) error {
		assign(&p.Registration.Enabled, in.Body.Enabled)
		assign(&p.Registration.Free, in.Body.Free)
		assign(&p.Registration.Listed, in.Body.Listed)
		assign(&p.Registration.MaxDevices, in.Body.MaxDevices)
		return nil
	})
	if err != nil {
		return product{}, err
	}
	return a.viewProduct(ctx, &p, false)
}

type listNamesInput struct {
	ProductPath
	Paging
	Text string `query:"text" doc:"In the name; upper and lower case alike"`
}

func (a *api) listNames(ctx context.Context, in *listNamesInput) (list[string], error) {
	names, next, err := a.Enroll.Allowed(ctx, in.Product, in.Text, in.After, in.Limit)
	if err != nil {
		return list[string]{}, err
	}
	return page(names, next), nil
}

type namesInput struct {
	ProductPath
	Body struct {
		Names []string `json:"names" minItems:"1" maxItems:"10000"`
	}
}

// A changedCount tells how many.
type changedCount struct {
	Changed int `json:"changed"`
}

func (a *api) addNames(ctx context.Context, in *namesInput) (changedCount, error) {
	n, err := a.Enroll.Allow(ctx, in.Product, in.Body.Names)
	return changedCount{n}, err
}

func (a *api) removeNames(ctx context.Context, in *namesInput) (changedCount, error) {
	n, err := a.Enroll.Disallow(ctx, in.Product, in.Body.Names)
	return changedCount{n}, err
}

func (a *api) deviceRegistration(ctx context.Context, in *DevicePath) (*enroll.Enrollment, error) {
	if _, err := a.Registry.Device(ctx, in.id()); err != nil {
		return nil, err
	}
	return a.Enroll.Enrollment(ctx, in.id())
}

func (a *api) resetDevice(ctx context.Context, in *DevicePath) (device, error) {
	d, err := a.Enroll.Reset(ctx, in.id())
	if err != nil {
		return device{}, err
	}
	return a.viewDevice(ctx, &d, false)
}

type bindCertificateInput struct {
	DevicePath
	Body struct {
		Certificate string `json:"certificate" doc:"In PEM, or its SHA-256 in hexadecimal digits, with or without colons" minLength:"1" maxLength:"65536"`
	}
}

func (a *api) bindCertificate(ctx context.Context, in *bindCertificateInput) (device, error) {
	fingerprint, err := registry.ParseFingerprint(in.Body.Certificate)
	if err != nil {
		return device{}, fault.In("certificate", err)
	}
	return a.setCertificate(ctx, in.id(), fingerprint)
}

func (a *api) unbindCertificate(ctx context.Context, in *DevicePath) (device, error) {
	return a.setCertificate(ctx, in.id(), "")
}

func (a *api) setCertificate(ctx context.Context, id registry.ID, fingerprint string) (device, error) {
	d, err := a.Registry.SetCertificate(ctx, id, fingerprint)
	if err != nil {
		return device{}, err
	}
	return a.viewDevice(ctx, &d, false)
}

// A BatchPath names a batch.
type BatchPath struct {
	ProductPath
	Batch string `path:"batch" doc:"Name of the batch"`
}

type listBatchesInput struct {
	ProductPath
	Paging
}

func (a *api) listBatches(ctx context.Context, in *listBatchesInput) (list[enroll.Batch], error) {
	found, next, err := a.Enroll.Batches(ctx, in.Product, in.After, in.Limit)
	if err != nil {
		return list[enroll.Batch]{}, err
	}
	return page(found, next), nil
}

type createBatchInput struct {
	ProductPath
	Body struct {
		Name   string   `json:"name,omitempty" doc:"Of the batch; the time where it is empty"`
		Note   string   `json:"note,omitempty"`
		Count  int      `json:"count,omitempty" doc:"How many devices, with names that are made up" minimum:"0" maximum:"10000"`
		Prefix string   `json:"prefix,omitempty" doc:"Of those names"`
		Names  []string `json:"names,omitempty" doc:"Or chosen names" maxItems:"10000"`
		List   bool     `json:"list,omitempty" doc:"Put the names on the product's list of those that may register, too"`
	}
}

func (a *api) createBatch(ctx context.Context, in *createBatchInput) (enroll.Batch, error) {
	b := &in.Body
	return a.Enroll.CreateBatch(ctx, in.Product, enroll.NewBatch{
		Name: b.Name, Note: b.Note, Count: b.Count, Prefix: b.Prefix, Names: b.Names, List: b.List,
	})
}

func (a *api) showBatch(ctx context.Context, in *BatchPath) (enroll.Batch, error) {
	return a.Enroll.Batch(ctx, in.Product, in.Batch)
}

type changeBatchInput struct {
	BatchPath
	Body struct {
		Enabled bool `json:"enabled" doc:"false refuses all its devices and ends their connections"`
	}
}

func (a *api) changeBatch(ctx context.Context, in *changeBatchInput) (changedCount, error) {
	n, err := a.Enroll.EnableBatch(ctx, in.Product, in.Batch, in.Body.Enabled)
	return changedCount{n}, err
}

func (a *api) deleteBatch(ctx context.Context, in *BatchPath) error {
	return a.Enroll.RemoveBatch(ctx, in.Product, in.Batch)
}

type listBatchDevicesInput struct {
	BatchPath
	Paging
}

func (a *api) listBatchDevices(ctx context.Context, in *listBatchDevicesInput) (list[enroll.BatchDevice], error) {
	found, next, err := a.Enroll.BatchDevices(ctx, in.Product, in.Batch, in.After, in.Limit)
	if err != nil {
		return list[enroll.BatchDevice]{}, err
	}
	return page(found, next), nil
}

// batchColumns are what an exported batch holds: what the factory writes into a
// device first, so that an import of devices takes the file, too.
var batchColumns = []string{"name", "secret", "enabled", "state", "registered", "activated"}

func (a *api) exportBatch(ctx context.Context, in *BatchPath) (*csvOutput, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(batchColumns)
	for after := ""; ; {
		found, next, err := a.Enroll.BatchDevices(ctx, in.Product, in.Batch, after, registry.MaxLimit)
		if err != nil {
			return nil, err
		}
		for i := range found {
			d := &found[i]
			s, err := a.Registry.Status(ctx, d.ID())
			if err != nil {
				return nil, err
			}
			w.Write([]string{guard(d.Name), guard(d.Secret), strconv.FormatBool(d.Enabled), s.State.String(), moment(d.RegisteredAt), moment(s.ActivatedAt)})
		}
		if next == "" {
			break
		}
		after = next
	}
	w.Flush()
	return &csvOutput{"text/csv; charset=utf-8", fmt.Sprintf(`attachment; filename="%s-%s.csv"`, in.Product, in.Batch), b.Bytes()}, w.Error()
}

// moment is a time in CSV, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
