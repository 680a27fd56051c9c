package httpapi

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/history"
	"github.com/matou-iot/matou/thing"
)

const (
	// maxExport is how many values one export holds.
	maxExport = 1_000_000
	// exportPage is how many of them are read and sent at a time.
	exportPage = 1000
)

type exportValuesInput struct {
	DevicePath
	Property []string  `query:"property,explode" required:"true" minItems:"1" maxItems:"100" doc:"Once for each property"`
	From     time.Time `query:"from" doc:"Included"`
	To       time.Time `query:"to" doc:"Not included; left out, now"`
}

func (in *exportValuesInput) query(property string) history.Query {
	return history.Query{Product: in.Product, Device: in.Device, Property: property, From: in.From, To: in.To, Limit: exportPage}
}

// exportColumns are what an export of values holds. The record is the one that
// brought the value: /records tells of which message.
var exportColumns = []string{"time", "property", "value", "record"}

// table describes a body of comma-separated values.
func table(o *huma.Operation) {
	o.Responses = map[string]*huma.Response{"200": {
		Description: "Comma-separated values, the first line names the columns",
		Content:     map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
}

// exportValues sends values as they are stored, property by property, the
// oldest first. What would have more than maxExport rows is refused before
// anything is sent: a file is never a part of what was asked for.
func (a *api) exportValues(ctx context.Context, in *exportValuesInput) (*huma.StreamResponse, error) {
	if _, err := a.Registry.Device(ctx, in.id()); err != nil {
		return nil, err
	}
	if in.To.IsZero() {
		in.To = time.Now()
	}
	rows := 0
	for _, property := range in.Property {
		all, err := a.History.Downsample(ctx, in.query(property), 0, 1)
		if err != nil {
			return nil, err
		}
		for _, b := range all {
			rows += b.Count
		}
	}
	if rows > maxExport {
		return nil, fault.In("from", fault.Invalid("these are %d values, more than %d: choose a shorter time or fewer properties", rows, maxExport))
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "text/csv; charset=utf-8")
		c.SetHeader("Content-Disposition", `attachment; filename="`+in.Device+`.csv"`)
		_, w := request(c)
		if err := a.writeValues(c.Context(), in, w); err != nil {
			a.Log.Debug("export of values ended", "device", in.id().String(), "error", err)
			panic(http.ErrAbortHandler) // the server's way to break off: what came must not pass for the whole
		}
	}}, nil
}

func (a *api) writeValues(ctx context.Context, in *exportValuesInput, w http.ResponseWriter) error {
	control := http.NewResponseController(w)
	defer control.SetWriteDeadline(time.Time{})
	out := csv.NewWriter(w)
	out.Write(exportColumns)
	for _, property := range in.Property {
		for q := in.query(property); ; {
			points, next, err := a.History.Range(ctx, q)
			if err != nil {
				return err
			}
			control.SetWriteDeadline(time.Now().Add(writeTimeout))
			for _, p := range points {
				out.Write([]string{p.Time.UTC().Format(time.RFC3339Nano), guard(property), cell(p.Value), strconv.FormatUint(p.Seq, 10)})
			}
			if out.Flush(); out.Error() != nil {
				return out.Error()
			}
			if next == "" {
				break
			}
			q.After = next
		}
	}
	return nil
}

// cell is a value in a table. Numbers are no formulas, though they may begin
// with a sign as those do.
func cell(v thing.Value) string {
	if _, number := v.Number(); number {
		return v.String()
	}
	return guard(v.String())
}
