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

// A problem is an error as outsiders see it [RFC 9457].
type problem struct {
	Title  string              `json:"title"`
	Status int                 `json:"status"`
	Code   fault.Kind          `json:"code"`
	Detail string              `json:"detail"`
	Errors []*huma.ErrorDetail `json:"errors,omitempty"`
}

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }

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
	p := &problem{Status: statuses[kind], Code: kind, Detail: fault.Sentence(err)}
	p.Title = http.StatusText(p.Status)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Field != "" {
		p.Errors = []*huma.ErrorDetail{{Location: "body." + f.Field, Message: f.Sentence}}
	}
	return p
}

// rowProblem says which rows of a batch are wrong.
func rowProblem(rows []registry.RowError, err error) error {
	p := &problem{Status: statuses[fault.KindOf(err)], Code: fault.KindOf(err), Detail: fault.Sentence(err)}
	p.Title = http.StatusText(p.Status)
	for _, r := range rows {
		p.Errors = append(p.Errors, &huma.ErrorDetail{Location: rowLocation(r.Row), Message: fault.Sentence(r.Err)})
	}
	return p
}

// nothingHere answers paths that no route has.
func nothingHere(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusNotFound)
	json.NewEncoder(w).Encode(&problem{
		Title: http.StatusText(http.StatusNotFound), Status: http.StatusNotFound, Code: fault.KindNotFound,
		Detail: "there is no " + r.Method + " " + r.URL.Path + "; the routes are listed at /api/docs",
	})
}
