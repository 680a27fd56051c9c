package trace

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// A Tally is how often something was refused, or failed, for one cause.
type Tally struct {
	Code  string    `json:"code"`
	Count int64     `json:"count"`
	Last  time.Time `json:"last"`
}

// maxTallies bounds the causes that are counted: there are fewer codes, and
// what comes beyond is not counted.
const maxTallies = 512

type tallies struct {
	mu  sync.Mutex
	all map[string]*Tally
}

func (t *tallies) count(e *Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = make(map[string]*Tally)
	}
	n, known := t.all[e.Code]
	if !known {
		if len(t.all) >= maxTallies {
			return
		}
		n = &Tally{Code: e.Code}
		t.all[e.Code] = n
	}
	n.Count++
	n.Last = e.At
}

// Refusals counts refusals and faults since the start by their code, the most
// frequent first.
func (r *Recorder) Refusals() []Tally {
	r.refusals.mu.Lock()
	defer r.refusals.mu.Unlock()
	all := make([]Tally, 0, len(r.refusals.all))
	for _, n := range r.refusals.all {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return all
}
