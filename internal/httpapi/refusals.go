package httpapi

import (
	"context"
	"encoding/json"
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

func viewEntry(e trace.Entry) entry { return entry{advised(e), refusal.Path(e.Code)} }

// advised gives an entry whose case has no remedy of its own that of its
// code's page, so that nobody has to look in two places.
func advised(e trace.Entry) trace.Entry {
	p, known := refusal.Find(e.Code)
	if !known || e.Detail == nil || e.Kind != trace.Fault && e.Kind != trace.Refuse {
		return e
	}
	raw, err := json.Marshal(e.Detail)
	var members map[string]json.RawMessage
	if err != nil || json.Unmarshal(raw, &members) != nil || string(members["advice"]) != `""` {
		return e
	}
	for name, text := range map[string]string{"advice": p.Advice, "adviceZh": p.AdviceZH} {
		if members[name], err = json.Marshal(text); err != nil {
			return e
		}
	}
	e.Detail = members
	return e
}

func viewEntries(all []trace.Entry) []entry {
	out := make([]entry, len(all))
	for i := range all {
		out[i] = viewEntry(all[i])
	}
	return out
}
