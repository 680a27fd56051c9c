package ingest

import (
	"context"
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

// attend serves the job's request and adds the answers. It returns false where
// the device has to send again.
func (j *job) attend() bool {
	result, err := j.serve(context.Background(), j.up.Request)
	if err != nil {
		j.in.Trace.Record(trace.Entry{
			Parent: j.entry, Product: j.who.Product, Device: j.who.Device, Kind: trace.Fault,
			Code: string(fault.KindOf(err)), Sentence: fault.Sentence(err), SentenceZH: fault.Sentence(err),
		})
		if fault.KindOf(err) == fault.KindUnavailable {
			j.in.Log.Error("request not served", "product", j.who.Product, "device", j.who.Device, "error", err)
			return false
		}
	}
	j.up.Answers = append(j.up.Answers, j.who.Dialect.Answer(j.up.Request, result, err)...)
	return true
}

// clock tells a device what time it is.
func (in *Ingest) clock(_ context.Context, r *dialect.Clock) (dialect.Time, error) {
	now := in.Now()
	return dialect.Time{Received: now, Answered: now}, nil
}
