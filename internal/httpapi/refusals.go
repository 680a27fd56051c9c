package httpapi

import (
	"context"
	"slices"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/refusal"
	"github.com/matou-iot/matou/internal/trace"
)

type refusalsInput struct {
	Kind string `query:"kind" enum:"refusal,value,fault,note" doc:"Only codes of this kind"`
}

// listRefusals gives all pages: they are few, and the same until the next
// release.
func (a *api) listRefusals(_ context.Context, in *refusalsInput) (list[refusal.Page], error) {
	pages := refusal.Pages()
	if in.Kind != "" {
		pages = slices.DeleteFunc(pages, func(p refusal.Page) bool { return p.Kind != in.Kind })
	}
	return page(pages, ""), nil
}

type refusalInput struct {
	Code string `path:"code" doc:"Code of a timeline entry, a diagnosis or a value"`
}

func (a *api) showRefusal(_ context.Context, in *refusalInput) (refusal.Page, error) {
	p, ok := refusal.Find(in.Code)
	if !ok {
		return p, fault.NotFound("there is no code %q: GET /refusals lists all", in.Code)
	}
	return p, nil
}

// An entry is one of a timeline, with the page of its code.
type entry struct {
	trace.Entry
	Page string `json:"page,omitempty" doc:"Where the documentation explains the code; GET /refusals/{code} has the same"`
}

func viewEntry(e trace.Entry) entry { return entry{e, refusal.Path(e.Code)} }

func viewEntries(all []trace.Entry) []entry {
	out := make([]entry, len(all))
	for i := range all {
		out[i] = viewEntry(all[i])
	}
	return out
}
