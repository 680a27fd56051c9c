package httpapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/wording"
)

// csvColumns are what an export holds; an import takes any of the first three
// and passes over the others, so that an export can be imported.
var csvColumns = []string{"name", "secret", "nickname", "enabled", "state"}

// importColumns are those that an import knows: also those of a batch.
var importColumns = append(csvColumns[:len(csvColumns):len(csvColumns)], "registered", "activated")

type importCSVInput struct {
	ProductPath
	RawBody []byte `contentType:"text/csv"`
}

// created tells how many.
type created struct {
	Created int `json:"created"`
}

func (a *api) importCSV(ctx context.Context, in *importCSVInput) (created, error) {
	all, err := readCSV(in.RawBody)
	if err != nil {
		return created{}, err
	}
	made, err := a.makeDevices(ctx, in.Product, all)
	return created{len(made)}, err
}

// readCSV reads devices. Spreadsheets put a byte order mark in front.
func readCSV(text []byte) ([]registry.Device, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))))
	r.TrimLeadingSpace = true
	header, err := r.Read()
	if err != nil {
		return nil, fault.Invalid("the first line has to name the columns, such as name,secret,nickname")
	}
	columns := make([]int, len(header))
	for i, h := range header {
		columns[i] = slices.Index(importColumns, strings.ToLower(strings.TrimSpace(h)))
		if columns[i] < 0 {
			return nil, fault.Invalid("column %q is not known: use %s", h, strings.Join(csvColumns[:3], ", "))
		}
	}
	var all []registry.Device
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Invalid("the CSV cannot be read: %v", csvMistake(err))
		}
		if len(all) == registry.MaxBatch {
			return nil, fault.Invalid("more than %d devices at once", registry.MaxBatch)
		}
		var d registry.Device
		fields := []*string{&d.Name, &d.Secret, &d.Nickname}
		for i, c := range columns {
			if c < len(fields) {
				*fields[c] = unguard(strings.TrimSpace(row[i]))
			}
		}
		all = append(all, d)
	}
	if len(all) == 0 {
		return nil, fault.Invalid("there are no devices behind the first line")
	}
	return all, nil
}

// guard keeps a spreadsheet from taking a text for a formula: it gets a quote
// in front, and so does a text that has one there already. unguard undoes it.
func guard(s string) string {
	if formula(s) {
		return "'" + s
	}
	return s
}

func unguard(s string) string {
	if strings.HasPrefix(s, "'") && formula(s) {
		return s[1:]
	}
	return s
}

// formula reports whether s, but for quotes in front, begins as a formula does.
func formula(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.IndexByte("=+-@", s[0]) >= 0
}

type csvOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *api) exportCSV(ctx context.Context, in *ProductPath) (*csvOutput, error) {
	if _, err := a.Registry.Product(ctx, in.Product); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(csvColumns)
	q := registry.DeviceQuery{Product: in.Product, Limit: registry.MaxLimit}
	for {
		found, next, err := a.Registry.Devices(ctx, q)
		if err != nil {
			return nil, err
		}
		statuses, err := a.Registry.Statuses(ctx, found)
		if err != nil {
			return nil, err
		}
		for i := range found {
			d, s := &found[i], &statuses[i]
			w.Write([]string{guard(d.Name), guard(d.Secret), guard(d.Nickname), strconv.FormatBool(d.Enabled), s.State.String()})
		}
		if next == "" {
			break
		}
		q.After = next
	}
	w.Flush()
	return &csvOutput{"text/csv; charset=utf-8", fmt.Sprintf(`attachment; filename="%s.csv"`, in.Product), b.Bytes()}, w.Error()
}

// csvMistake says what the reader of CSV says, so that it has its Chinese.
func csvMistake(err error) error {
	e, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return err
	case errors.Is(e.Err, csv.ErrFieldCount):
		return wording.Errorf("record on line %d: wrong number of fields", e.Line)
	case errors.Is(e.Err, csv.ErrQuote), errors.Is(e.Err, csv.ErrBareQuote):
		return wording.Errorf("parse error on line %d, column %d: a quotation mark is missing, or stands inside a field", e.Line, e.Column)
	}
	return err
}
