package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/audit"
)

// Audit is the contract of an audit.Store. open returns an empty store that
// lives as long as its test.
func Audit(t *testing.T, open func(t *testing.T) audit.Store) {
	s := open(t)
	put := []audit.Entry{
		{At: accessTime, Who: "admin", Role: "administrator", Person: true, From: "127.0.0.1", Method: "POST", Route: "/api/v1/products", Object: "/api/v1/products", Subject: "a1", Done: true},
		{At: accessTime.Add(time.Second), Who: "eve", From: "192.0.2.1", Method: "POST", Route: "/api/v1/session", Object: "/api/v1/session", Code: "unauthorized", Detail: "no", DetailZH: "不"},
		{At: accessTime.Add(2 * time.Second), Who: "admin", Role: "administrator", Method: "DELETE", Route: "/api/v1/products/{product}", Object: "/api/v1/products/a1", Done: true},
	}
	for i := range put {
		noError(t, s.AppendAudit(t.Context(), put[i]))
	}
	look := func(q audit.Query) (found []audit.Entry) {
		t.Helper()
		if q.Limit == 0 {
			q.Limit = 10
		}
		found, err := s.AuditEntries(t.Context(), q)
		noError(t, err)
		return found
	}
	all := look(audit.Query{})
	if len(all) != 3 || all[0].ID <= all[1].ID || all[1].ID <= all[2].ID {
		t.Fatalf("%+v", all)
	}
	refused := false
	for _, tt := range []struct {
		name string
		q    audit.Query
		want []int // of put
	}{
		{"newest first", audit.Query{}, []int{2, 1, 0}},
		{"of somebody", audit.Query{Who: "admin"}, []int{2, 0}},
		{"of an object and what is below it", audit.Query{Object: "/api/v1/products"}, []int{2, 0}},
		{"what looks like a pattern is none", audit.Query{Object: "/api/v1/%"}, nil},
		{"of a time", audit.Query{From: put[1].At, To: put[2].At}, []int{1}},
		{"refused", audit.Query{Done: &refused}, []int{1}},
		{"going on", audit.Query{Before: all[0].ID, Limit: 1}, []int{1}},
	} {
		var want []audit.Entry
		for _, i := range tt.want {
			e := put[i]
			e.ID = all[len(all)-1-i].ID
			want = append(want, e)
		}
		if got := look(tt.q); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, not %+v", tt.name, got, want)
		}
	}
	noError(t, s.PruneAudit(t.Context(), true, 1))
	if left := look(audit.Query{}); len(left) != 2 || left[0].ID != all[0].ID || left[1].ID != all[1].ID {
		t.Errorf("left are %+v", left)
	}
}
