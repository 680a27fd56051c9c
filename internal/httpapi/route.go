package httpapi

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/fault"
)

// anybody is the need of a route that asks for no proof of who one is.
const anybody access.Role = ""

// The greatest bodies in bytes; a larger one is 413.
const (
	usualBody = 1 << 20
	modelBody = 4 << 20
	batchBody = 32 << 20
)

// An answer is what most routes give.
type answer[T any] struct {
	Body T
}

// nothing is the answer of routes that only do.
type nothing struct{}

// none is the input of routes that need none.
type none struct{}

// An option changes how a route is described.
type option func(*huma.Operation)

// body lets a route take a larger body.
func body(max int64) option { return func(o *huma.Operation) { o.MaxBodyBytes = max } }

// anyBody lets a route read its body itself.
func anyBody(o *huma.Operation) { o.SkipValidateBody = true }

// empty says that success is 204.
func empty(o *huma.Operation) { o.DefaultStatus = http.StatusNoContent }

// creates says that success is 201.
func creates(o *huma.Operation) { o.DefaultStatus = http.StatusCreated }

// route registers a handler whose result is the JSON body.
func route[I, T any](a *api, method, path string, need access.Role, tag, summary string, h func(context.Context, *I) (T, error), options ...option) {
	raw(a, method, path, need, tag, summary, func(ctx context.Context, in *I) (*answer[T], error) {
		v, err := h(ctx, in)
		if err != nil {
			return nil, err
		}
		return &answer[T]{Body: v}, nil
	}, options...)
}

// do registers a handler without a result: 204.
func do[I any](a *api, method, path string, need access.Role, tag, summary string, h func(context.Context, *I) error, options ...option) {
	raw(a, method, path, need, tag, summary, func(ctx context.Context, in *I) (*nothing, error) {
		return nil, h(ctx, in)
	}, options...)
}

// raw registers a handler that shapes its whole answer.
func raw[I, O any](a *api, method, path string, need access.Role, tag, summary string, h func(context.Context, *I) (*O, error), options ...option) {
	op := operation(method, path, need, tag, summary)
	for _, o := range options {
		o(&op)
	}
	op.Middlewares = huma.Middlewares{a.authorize(need)}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			err = a.problemOf(ctx, err)
			a.auditRefusal(ctx, err)
			return nil, err
		}
		a.auditDone(ctx, in, out)
		return out, nil
	})
}

func operation(method, path string, need access.Role, tag, summary string) huma.Operation {
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: Base + path, Tags: []string{tag}, Summary: summary,
		MaxBodyBytes: usualBody, Errors: []int{http.StatusBadRequest},
		Parameters: []*huma.Param{{Ref: "#/components/parameters/" + acceptLanguage}},
	}
	if need != anybody {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Description = "Needs the role " + string(need) + "."
	}
	return op
}

var inPath = regexp.MustCompile(`[{}]`)

// operationID is "get-products-product-devices" for GET /products/{product}/devices.
func operationID(method, path string) string {
	path = inPath.ReplaceAllString(strings.Trim(path, "/"), "")
	return strings.ToLower(method) + "-" + strings.NewReplacer("/", "-", ".", "-").Replace(path)
}

type callerKey struct{}

// A caller is who asks.
type caller struct {
	access.Principal
	token  string
	cookie bool   // the token came in one
	secure bool   // over TLS, as far as the browser sees
	addr   string // without port; the visitor's, also behind a proxy of ours
}

// who returns the caller of a route that needs one.
func who(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// authorize lets in who has the role.
func (a *api) authorize(need access.Role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := caller{addr: ctx.RemoteAddr()}
		if host, _, err := net.SplitHostPort(c.addr); err == nil {
			c.addr = host
		}
		r, _ := request(ctx)
		c.secure = overTLS(r)
		if need != anybody {
			var err error
			if c.token, c.cookie, err = proof(ctx); err == nil {
				c.Principal, err = a.Access.Authenticate(ctx.Context(), c.token)
			}
			if err == nil && !c.Role.Includes(need) {
				err = fault.Forbidden("this needs the role %s; %s has the role %s", need, c.Name, c.Role)
			}
			auditWho(ctx.Context(), c)
			if err != nil {
				a.deny(ctx, err)
				return
			}
		}
		next(huma.WithValue(ctx, callerKey{}, c))
	}
}

// whileAllowed is ctx for as long as the asker may do what needs the role: what
// lasts does not outlive a session. end ends it and what watches over it.
func (a *api) whileAllowed(ctx context.Context, asker caller, need access.Role) (allowed context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		defer cancel()
		a.Access.AwaitEnd(ctx, asker.token, need)
	})
	return ctx, func() {
		cancel()
		watching.Wait()
	}
}

func bearer(header string) (string, error) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fault.Unauthorized("say who you are: send the header Authorization: Bearer <access token>")
	}
	return strings.TrimSpace(token), nil
}

// deny answers before a handler is reached.
func (a *api) deny(ctx huma.Context, err error) {
	p := a.problemOf(ctx.Context(), err).(*problem)
	a.auditRefusal(ctx.Context(), p)
	if p.Status == http.StatusUnauthorized {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="Matou"`)
	}
	l := languageIn(ctx.Context())
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetHeader("Content-Language", string(l))
	ctx.SetStatus(p.Status)
	a.huma.Marshal(ctx.BodyWriter(), "application/json", p.in(l))
}

// request is the HTTP request below a huma context.
func request(ctx huma.Context) (*http.Request, http.ResponseWriter) { return humago.Unwrap(ctx) }
