package ingest

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/trace"
)

// A server serves one type of request.
type server func(context.Context, dialect.Request) (any, error)

// Handle lets serve take the requests of one type. It is called by the
// goroutine of the connection, in the order of the device's messages; what it
// returns is durable. Errors are of package fault or of package dialect: the
// device is told, and sends again where the fault is Unavailable. Call it
// before the first device connects.
func Handle[R dialect.Request, A any](in *Ingest, serve func(context.Context, R) (A, error)) {
	in.servers[reflect.TypeFor[R]()] = func(ctx context.Context, r dialect.Request) (any, error) { return serve(ctx, r.(R)) }
}

// nobody serves the requests whose function is not part of this server: the
// device is told that it failed, which is better than to wait.
func nobody(_ context.Context, r dialect.Request) (any, error) {
	return nil, fmt.Errorf("nobody serves %T", r)
}

// serverOf finds who serves a request; nil where there is none to serve.
func (in *Ingest) serverOf(r dialect.Request) server {
	if r == nil {
		return nil
	}
	if serve, ok := in.servers[reflect.TypeOf(r)]; ok {
		return serve
	}
	return nobody
}

// attend serves the job's request and adds the answers. It returns false where
// the device has to send again.
func (j *job) attend() bool {
	if j.direct == nil {
		j.up.Request.Asked().By = j.by
	}
	result, err := j.serve(context.Background(), j.up.Request)
	if err != nil {
		j.refused(err)
		switch fault.KindOf(err) {
		case fault.KindInternal:
			if _, known := errors.AsType[*dialect.Refusal](err); !known {
				j.in.Log.Error("request failed", "product", j.who.Product, "device", j.who.Device, "error", err)
			}
		case fault.KindUnavailable:
			j.in.Log.Error("request not served", "product", j.who.Product, "device", j.who.Device, "error", err)
			return false
		}
	}
	j.up.Answers = append(j.up.Answers, j.who.Dialect.Answer(j.up.Request, result, err)...)
	return true
}

// refused writes into the timeline why a request was not served.
func (j *job) refused(err error) {
	e := trace.Entry{
		Parent: j.entry, Product: j.who.Product, Device: j.who.Device, Kind: trace.Fault,
		Code: string(fault.KindOf(err)), Sentence: fault.Sentence(err), SentenceZH: fault.SentenceZH(err),
	}
	if r, ok := errors.AsType[*dialect.Refusal](err); ok {
		why := r.Diagnosis
		why.Code = j.who.Dialect.Name() + "-" + why.Code
		why.Received, why.Expected = cut(why.Received), cut(why.Expected)
		e.Code, e.Sentence, e.SentenceZH, e.Detail = why.Code, why.Sentence, why.SentenceZH, &why
	}
	j.in.Trace.Record(e)
}

// clock tells a device what time it is.
func (in *Ingest) clock(_ context.Context, r *dialect.Clock) (dialect.Time, error) {
	now := in.Now()
	return dialect.Time{Received: now, Answered: now}, nil
}
