package httpapi

import (
	"context"

	"github.com/matou-iot/matou/internal/refusal"
	"github.com/matou-iot/matou/internal/trace"
)

// A DiskUse is how much room the data has on its disk, in bytes.
type DiskUse struct {
	Free  int64 `json:"free"`
	Total int64 `json:"total"`
}

// An overview is how everything is, in one answer.
type overview struct {
	Status   serverStatus   `json:"status"`
	Products bool           `json:"products" doc:"There is at least one product"`
	States   map[string]int `json:"states" doc:"Devices by state: INACTIVE, ONLINE, OFFLINE, DISABLED"`
	Refusals []refused      `json:"refusals" doc:"Refusals and faults since the start by code, the most frequent first"`
	Host     string         `json:"host" doc:"Where devices connect"`
	Port     int            `json:"port" doc:"Likewise"`
	Disk     *DiskUse       `json:"disk,omitempty" doc:"Of the data directory"`
	Problem  string         `json:"problem,omitempty" doc:"Why the server is not ready; empty: it is"`
}

// A refused is how often something was refused for one cause, with the title
// of its page.
type refused struct {
	trace.Tally
	Title   string `json:"title,omitempty"`
	TitleZH string `json:"titleZh,omitempty"`
}

func (a *api) overview(ctx context.Context, in *none) (overview, error) {
	status, err := a.status(ctx, in)
	if err != nil {
		return overview{}, err
	}
	states, err := a.Registry.CountStates(ctx)
	if err != nil {
		return overview{}, err
	}
	some, err := a.listProducts(ctx, &listProductsInput{Paging: Paging{Limit: 1}})
	if err != nil {
		return overview{}, err
	}
	out := overview{Status: status, States: states, Products: len(some.Items) > 0, Refusals: []refused{}, Host: a.PublicHost, Port: a.PublicPort}
	for _, n := range a.Timeline.Refusals() {
		p, _ := refusal.Find(n.Code)
		out.Refusals = append(out.Refusals, refused{n, p.Title, p.TitleZH})
	}
	if a.Disk != nil {
		d := a.Disk()
		out.Disk = &d
	}
	if a.Ready != nil {
		if err := a.Ready(); err != nil {
			out.Problem = languageIn(ctx).all(err)
		}
	}
	return out, nil
}
