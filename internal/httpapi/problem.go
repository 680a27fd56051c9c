package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

// statuses maps the kinds of errors to HTTP, once for all routes.
var statuses = map[fault.Kind]int{
	fault.KindInvalid:      http.StatusBadRequest,
	fault.KindNotFound:     http.StatusNotFound,
	fault.KindConflict:     http.StatusConflict,
	fault.KindUnauthorized: http.StatusUnauthorized,
	fault.KindForbidden:    http.StatusForbidden,
	fault.KindExhausted:    http.StatusTooManyRequests,
	fault.KindTimeout:      http.StatusGatewayTimeout,
	fault.KindUnavailable:  http.StatusServiceUnavailable,
	fault.KindInternal:     http.StatusInternalServerError,
}

// A problem is an error as outsiders see it [RFC 9457]. It is English until it
// goes out; tell says it in the caller's language.
type problem struct {
	Title  string              `json:"title"`
	Status int                 `json:"status"`
	Code   fault.Kind          `json:"code"`
	Detail string              `json:"detail"`
	Errors []*huma.ErrorDetail `json:"errors,omitempty"`

	said error   // what Detail says
	each []error // what Errors say
}

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }

func newProblem(kind fault.Kind, err error) *problem {
	p := &problem{Status: statuses[kind], Code: kind, Detail: fault.Sentence(err), said: err}
	p.Title = http.StatusText(p.Status)
	return p
}

// at says what is wrong at a place of the request.
func (p *problem) at(location string, err error) {
	p.Errors = append(p.Errors, &huma.ErrorDetail{Location: location, Message: fault.Sentence(err)})
	p.each = append(p.each, err)
}

// in is the problem in a language.
func (p *problem) in(l language) *problem {
	if l == english {
		return p
	}
	other := *p
	other.Detail = l.sentence(p.said)
	other.Errors = nil
	for i, e := range p.Errors {
		other.Errors = append(other.Errors, &huma.ErrorDetail{Location: e.Location, Message: l.sentence(p.each[i])})
	}
	return &other
}

// tell says refusals in the caller's language, as they go out [huma.Transformer].
func tell(ctx huma.Context, _ string, v any) (any, error) {
	l := languageIn(ctx.Context())
	switch said := v.(type) {
	case *problem:
		v = said.in(l)
	case *huma.ErrorModel:
		v = modelIn(l, said)
	default:
		return v, nil
	}
	ctx.SetHeader("Content-Language", string(l))
	return v, nil
}

// problemOf says err to outsiders. What is no fault is logged and told as
// internal only.
func (a *api) problemOf(ctx context.Context, err error) error {
	if known, ok := errors.AsType[*problem](err); ok {
		return known
	}
	kind := fault.KindOf(err)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		kind = fault.KindUnavailable // the caller went away; nobody reads this
	} else if kind == fault.KindInternal {
		a.Log.Error("request failed", "error", err)
	}
	p := newProblem(kind, err)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Field != "" {
		p.at("body."+f.Field, f)
	}
	return p
}

// rowProblem says which rows of a batch are wrong.
func rowProblem(rows []registry.RowError, err error) error {
	p := newProblem(fault.KindOf(err), err)
	for _, r := range rows {
		p.at(rowLocation(r.Row), r.Err)
	}
	return p
}

// nothingHere answers paths that no route has.
func nothingHere(w http.ResponseWriter, r *http.Request) {
	l := languageIn(r.Context())
	p := newProblem(fault.KindNotFound, fault.NotFound("there is no %s %s; the routes are listed at /api/docs", r.Method, r.URL.Path))
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Content-Language", string(l))
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p.in(l))
}
