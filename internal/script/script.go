// Package script is the parsing scripts of products, the platform's 数据解析:
// JavaScript that turns the bytes of a device into a message of its dialect and
// back [aliyun-device §5.9].
//
// A script is run by workers, which are processes of their own: the engine has
// natives that nothing can interrupt and allocations that nothing can refuse,
// and a device decides with what it sends how large they are. What a script
// does wrong ends its call with an error that says so, or at worst its worker;
// nothing else notices. Each call begins with nothing that another one left.
package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/fault"
)

// A Script is the one of a product.
type Script struct {
	Product   string
	Source    string
	Functions []string // of those that are asked for, which it has
	Version   int      // 1 for the first, then one more each time
	UpdatedAt time.Time
}

// The functions that a script may have [aliyun-device §5.9].
const (
	Decode    = "rawDataToProtocol" // bytes of the device to a message
	Encode    = "protocolToRawData" // a message to bytes for the device
	Transform = "transformPayload"  // topic and bytes of a custom topic to JSON
)

var functions = []string{Decode, Encode, Transform}

// A Store remembers scripts. It decides nothing; where there is none it says
// ErrNotFound.
type Store interface {
	Script(ctx context.Context, product string) (*Script, error)
	SaveScript(ctx context.Context, s *Script) error // ErrNotFound where there is no such product
	DeleteScript(ctx context.Context, product string) error
}

// ErrNotFound is what a Store says of what is not there.
var ErrNotFound = errors.New("script: not found")

// The bounds.
const (
	MaxSource  = 128 << 10              // bytes of a script [aliyun-device §5.9]
	MaxPayload = 256 << 10              // bytes that go in, and that come out
	MaxCPU     = 100 * time.Millisecond // of processor time, for one call
	maxCached  = 10_000                 // products whose scripts are held in memory
)

// Options are what Scripts need.
type Options struct {
	Store Store
	// Worker makes the command of a process that runs Work on its standard
	// input and output.
	Worker  func() *exec.Cmd
	Workers int // at once; 0 means 2
	Log     *slog.Logger
	Now     func() time.Time
}

// Scripts run the scripts of products. Any number of goroutines may use them at
// once; Close ends the workers.
type Scripts struct {
	Options
	pool *pool

	changing sync.Mutex

	mu      sync.Mutex
	cached  map[string]*Script // nil: there is none
	version uint64             // grows with each change
	rests   map[string]*rest   // of products whose script failed by its limits
}

// New makes Scripts.
func New(o Options) *Scripts {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers <= 0 {
		o.Workers = 2
	}
	return &Scripts{
		Options: o, pool: newPool(o.Worker, o.Workers, o.Log),
		cached: make(map[string]*Script), rests: make(map[string]*rest),
	}
}

// Close ends the workers. Calls that come later fail.
func (s *Scripts) Close() { s.pool.close() }

// Set gives a product a script, after it was looked at: what does not compile,
// or has none of the functions, is fault.Invalid.
func (s *Scripts) Set(ctx context.Context, product, source string) (Script, error) {
	found, err := s.examine(ctx, product, source)
	if err != nil {
		return Script{}, err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	now := Script{Product: product, Source: source, Functions: found, Version: 1, UpdatedAt: s.Now().UTC().Truncate(time.Millisecond)}
	switch old, err := s.Store.Script(ctx, product); {
	case err == nil:
		now.Version = old.Version + 1
	case !errors.Is(err, ErrNotFound):
		return Script{}, err
	}
	err = s.Store.SaveScript(ctx, &now)
	s.forget(product)
	if errors.Is(err, ErrNotFound) {
		return Script{}, fault.NotFound("there is no product %q", product)
	}
	return now, err
}

// examine finds the functions of a source, or what is wrong with it.
func (s *Scripts) examine(ctx context.Context, product, source string) ([]string, error) {
	switch {
	case strings.TrimSpace(source) == "":
		return nil, fault.In("source", fault.Invalid("%w", &Error{Kind: Empty}))
	case len(source) > MaxSource:
		return nil, fault.In("source", fault.Invalid("the script has %d bytes, more than %d", len(source), MaxSource))
	case !utf8.ValidString(source):
		return nil, fault.In("source", fault.Invalid("the script is no UTF-8 text"))
	}
	out, err := s.pool.run(ctx, product, source, call{})
	if err != nil {
		if _, ours := errors.AsType[*Error](err); ours {
			return nil, fault.In("source", fault.Invalid("%w", err))
		}
		return nil, err
	}
	if len(out.Functions) == 0 {
		return nil, fault.In("source", fault.Invalid("the script has none of the functions %s", strings.Join(functions, ", ")))
	}
	return out.Functions, nil
}

// Delete takes a product's script away.
func (s *Scripts) Delete(ctx context.Context, product string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	err := s.Store.DeleteScript(ctx, product)
	s.forget(product)
	if errors.Is(err, ErrNotFound) {
		return noScript(product)
	}
	return err
}

func noScript(product string) error { return fault.NotFound("product %q has no script", product) }

// Script returns a product's script. It is shared: do not change it.
func (s *Scripts) Script(ctx context.Context, product string) (*Script, error) {
	found, err := s.script(ctx, product)
	if err == nil && found == nil {
		err = noScript(product)
	}
	return found, err
}

// script is Script, with nil for none.
func (s *Scripts) script(ctx context.Context, product string) (*Script, error) {
	s.mu.Lock()
	found, there := s.cached[product]
	version := s.version
	s.mu.Unlock()
	if there {
		return found, nil
	}
	found, err := s.Store.Script(ctx, product)
	if errors.Is(err, ErrNotFound) {
		found, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if version == s.version { // else it might have been read before a change
		if len(s.cached) >= maxCached {
			clear(s.cached)
		}
		s.cached[product] = found
	}
	return found, nil
}

// Forget drops what is known of a product that is there no more.
func (s *Scripts) Forget(product string) { s.forget(product) }

// forget drops what is known of a product's script.
func (s *Scripts) forget(product string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	delete(s.cached, product)
	delete(s.rests, product)
}

// Raw reports whether a product's devices speak bytes of their own: whether its
// script has either of the functions for that.
func (s *Scripts) Raw(ctx context.Context, product string) bool {
	found, err := s.script(ctx, product)
	return err == nil && found != nil && (slices.Contains(found.Functions, Decode) || slices.Contains(found.Functions, Encode))
}

func (s *Scripts) has(ctx context.Context, product, function string) bool {
	found, err := s.script(ctx, product)
	return err == nil && found != nil && slices.Contains(found.Functions, function)
}

// Decode makes a message, strict JSON, of a device's bytes. Errors of the
// script are an *Error.
func (s *Scripts) Decode(ctx context.Context, product string, raw []byte) ([]byte, error) {
	out, err := s.use(ctx, product, call{Function: Decode, Bytes: raw})
	return []byte(out.JSON), err
}

// Encode makes bytes for a device of a message.
func (s *Scripts) Encode(ctx context.Context, product string, doc []byte) ([]byte, error) {
	out, err := s.use(ctx, product, call{Function: Encode, JSON: string(doc)})
	return out.Bytes, err
}

// Transform makes JSON of what a device published on a custom topic.
func (s *Scripts) Transform(ctx context.Context, product, topic string, raw []byte) ([]byte, error) {
	out, err := s.use(ctx, product, call{Function: Transform, Topic: topic, Bytes: raw})
	return []byte(out.JSON), err
}

// use runs a function of a product's script.
func (s *Scripts) use(ctx context.Context, product string, c call) (outcome, error) {
	found, err := s.script(ctx, product)
	switch {
	case err != nil:
		return outcome{}, err
	case found == nil:
		return outcome{}, &Error{Kind: Missing}
	case !s.has(ctx, product, c.Function):
		return outcome{}, &Error{Kind: NoFunction, Message: c.Function}
	case len(c.Bytes) > MaxPayload || len(c.JSON) > MaxPayload:
		return outcome{}, &Error{Kind: TooLarge, Message: fmt.Sprintf("%d bytes go in", max(len(c.Bytes), len(c.JSON)))}
	}
	if err := s.mayRun(product); err != nil {
		return outcome{}, err
	}
	out, err := s.pool.run(ctx, product, found.Source, c)
	s.ran(product, err)
	return out, err
}

// A Trial is a run of a script to see what it does.
type Trial struct {
	Product  string
	Source   string // "": that of the product
	Function string
	Topic    string // for Transform
	Bytes    []byte // for Decode and Transform
	JSON     string // for Encode
}

// A Result is what a Trial gave.
type Result struct {
	Bytes []byte        // of Encode
	JSON  string        // of Decode and Transform
	Log   []string      // lines that it wrote with console.log
	Took  time.Duration // of processor time
	Err   *Error        // what the script did wrong, nil where it did well
}

// Try runs a function of a script and changes nothing.
func (s *Scripts) Try(ctx context.Context, t Trial) (Result, error) {
	if t.Source == "" {
		found, err := s.Script(ctx, t.Product)
		if err != nil {
			return Result{}, err
		}
		t.Source = found.Source
	}
	c := call{Function: t.Function, Topic: t.Topic, Bytes: t.Bytes, JSON: t.JSON}
	switch {
	case t.Function != Decode && t.Function != Encode && t.Function != Transform:
		return Result{}, fault.In("function", fault.Invalid("%q is no function of a script: use one of %s", t.Function, strings.Join(functions, ", ")))
	case len(t.Source) > MaxSource:
		return Result{}, fault.In("source", fault.Invalid("the script has %d bytes, more than %d", len(t.Source), MaxSource))
	case len(t.Bytes) > MaxPayload || len(t.JSON) > MaxPayload:
		return Result{}, fault.In("bytes", fault.Invalid("a message has at most %d bytes", MaxPayload))
	}
	out, err := s.pool.run(ctx, "?"+t.Product, t.Source, c) // trials do not take the devices' turns
	r := Result{Bytes: out.Bytes, JSON: out.JSON, Log: out.Log, Took: out.Took}
	if ours, ok := errors.AsType[*Error](err); ok {
		r.Err, err = ours, nil
	}
	return r, err
}

// A rest is how long a script is left alone that reaches its limits again and
// again: each time it costs as much as hundreds of others.
type rest struct {
	strikes int // in a row
	until   time.Time
}

// The measure of rests.
const (
	mostStrikes = 3 // in a row, then it rests
	firstRest   = 5 * time.Second
	longestRest = 5 * time.Minute
	maxRests    = 1000 // products; the ones over it do not rest
)

func (s *Scripts) mayRun(product string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rests[product]; r != nil {
		if left := r.until.Sub(s.Now()); left > 0 {
			return &Error{Kind: Throttled, Message: fmt.Sprintf("it reached its limits %d times in a row and rests for %v", r.strikes, left.Round(time.Second))}
		}
	}
	return nil
}

// ran takes note of how a run ended.
func (s *Scripts) ran(product string, err error) {
	failed, _ := errors.AsType[*Error](err)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rests[product]
	switch {
	case failed != nil && (failed.Kind == OutOfTime || failed.Kind == OutOfMemory):
		if r == nil {
			if len(s.rests) >= maxRests {
				return
			}
			r = new(rest)
			s.rests[product] = r
		}
		if r.strikes++; r.strikes >= mostStrikes {
			r.until = s.Now().Add(min(firstRest<<min(r.strikes-mostStrikes, 10), longestRest))
		}
	case r != nil && (failed == nil || failed.Kind != Throttled):
		delete(s.rests, product)
	}
}
