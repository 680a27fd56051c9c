package httpapi

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matou-iot/matou/internal/audit"
	"github.com/matou-iot/matou/internal/enroll"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/ota"
)

// silent is the key of routes that change nothing though their method says so.
const silent = "changesNothing"

// changesNothing keeps a route out of the audit log.
func changesNothing(o *huma.Operation) { o.Metadata = map[string]any{silent: true} }

type auditKey struct{}

// A pending is the entry of a request under way. One goroutine has it.
type pending struct {
	audit.Entry
	kept bool
}

// keepAudit stands before every route, so that none can forget the audit log:
// a request that changes something gets an entry, whatever becomes of it. It is
// kept before the answer goes out, by auditDone or auditRefusal; here only
// where neither was reached.
func (a *api) keepAudit(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if op.Method == http.MethodGet || op.Metadata[silent] != nil {
		next(ctx)
		return
	}
	u := ctx.URL()
	p := &pending{Entry: audit.Entry{From: ctx.RemoteAddr(), Method: op.Method, Route: op.Path, Object: u.EscapedPath()}}
	if host, _, err := net.SplitHostPort(p.From); err == nil {
		p.From = host
	}
	next(huma.WithValue(ctx, auditKey{}, p))
	if status := ctx.Status(); !p.kept {
		p.Done, p.Code, p.Detail, p.DetailZH = status > 0 && status < 400, "", "", ""
		if !p.Done {
			p.Code, p.Detail, p.DetailZH = string(fault.KindInvalid), http.StatusText(status), "请求不符合接口要求"
		}
		a.keep(ctx.Context(), p)
	}
}

func (a *api) keep(ctx context.Context, p *pending) {
	p.kept = true
	a.Audit.Add(ctx, p.Entry)
}

func underway(ctx context.Context) *pending {
	p, _ := ctx.Value(auditKey{}).(*pending)
	if p == nil || p.kept {
		return nil
	}
	return p
}

// auditWho says who asks.
func auditWho(ctx context.Context, c caller) {
	if p := underway(ctx); p != nil {
		p.Who, p.Role, p.Person = c.Name, string(c.Role), c.Operator
	}
}

// auditDone keeps the entry of what was done. Whoever reads the answer can rely
// on it.
func (a *api) auditDone(ctx context.Context, in, out any) {
	if p := underway(ctx); p != nil {
		p.Done, p.Subject = true, subjectOf(out)
		if p.Method == http.MethodPatch || strings.HasSuffix(p.Route, "/change") {
			p.Subject = strings.Trim(p.Subject+": "+changesIn(in), ": ")
		}
		a.keep(ctx, p)
	}
}

// auditRefusal keeps the entry of what was refused.
func (a *api) auditRefusal(ctx context.Context, err error) {
	p := underway(ctx)
	if p == nil {
		return
	}
	if said, ok := err.(*problem); ok {
		p.Code, p.Detail, p.DetailZH = string(said.Code), said.Detail, said.in(chinese).Detail
	} else {
		p.Code = string(fault.KindOf(err))
	}
	a.keep(ctx, p)
}

// subjectOf names what a route made, where its path does not.
func subjectOf(out any) string {
	switch o := out.(type) {
	case *answer[operator]:
		return o.Body.Name + " (" + string(o.Body.Role) + ")"
	case *answer[token]:
		return o.Body.Name + " (" + string(o.Body.Role) + ", " + o.Body.ID + ")"
	case *answer[product]:
		return o.Body.Key
	case *answer[device]:
		return o.Body.Name
	case *answer[ota.Package]:
		return o.Body.Version + " (" + o.Body.ID + ")"
	case *answer[ota.Job]:
		return o.Body.ID
	case *answer[benchFleet]:
		return o.Body.Name + " (" + o.Body.ID + ")"
	case *answer[changedCount]:
		return strconv.Itoa(o.Body.Changed)
	case *answer[enroll.Batch]:
		return o.Body.Name
	}
	return ""
}

// changesIn names what the body of a request changes. Of values only those of
// switches and of short lists are told: others may be secret, or long.
func changesIn(in any) string {
	body := reflect.Indirect(reflect.ValueOf(in)).FieldByName("Body")
	if body.Kind() != reflect.Struct {
		return ""
	}
	var changes []string
	for i := range body.NumField() {
		field := body.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		v := body.Field(i)
		if name == "" || name == "-" || v.IsZero() {
			continue
		}
		if v = reflect.Indirect(v); v.Kind() == reflect.Bool || field.Tag.Get("enum") != "" {
			name += fmt.Sprintf("=%v", v)
		}
		changes = append(changes, name)
	}
	return strings.Join(changes, ", ")
}

// An auditEntry is an entry under the name that the API has for it.
type auditEntry audit.Entry

type listAuditInput struct {
	Paging
	Who     string    `query:"who" doc:"Only what this operator or token did"`
	Object  string    `query:"object" doc:"Only paths that begin so, such as /api/v1/products/a1NightLamp"`
	Outcome string    `query:"outcome" enum:"done,refused" doc:"Left out, both"`
	From    time.Time `query:"from" doc:"Included"`
	To      time.Time `query:"to" doc:"Not included"`
}

func (a *api) listAudit(ctx context.Context, in *listAuditInput) (list[auditEntry], error) {
	q := audit.Query{Who: in.Who, Object: in.Object, From: in.From, To: in.To, Limit: in.Limit}
	if in.Outcome != "" {
		done := in.Outcome == "done"
		q.Done = &done
	}
	if in.After != "" {
		var err error
		if q.Before, err = strconv.ParseInt(in.After, 10, 64); err != nil || q.Before < 1 {
			return list[auditEntry]{}, fault.In("after", fault.Invalid("%q is no cursor: take it from the page before", in.After))
		}
	}
	found, next, err := a.Audit.Entries(ctx, q)
	cursor := ""
	if next > 0 {
		cursor = strconv.FormatInt(next, 10)
	}
	items := make([]auditEntry, len(found))
	for i, e := range found {
		items[i] = auditEntry(e)
	}
	return page(items, cursor), err
}
