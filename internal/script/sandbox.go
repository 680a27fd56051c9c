package script

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// A call is what a worker is asked. Without a function it looks at the script.
type call struct {
	Key      [sha256.Size]byte `json:"key"`              // of the source
	Source   string            `json:"source,omitempty"` // only where the worker does not have it
	Function string            `json:"function,omitempty"`
	Topic    string            `json:"topic,omitempty"`
	Bytes    []byte            `json:"bytes,omitempty"`
	JSON     string            `json:"json,omitempty"`
}

// An outcome is what a worker answers.
type outcome struct {
	Need      bool          `json:"need,omitempty"` // ask again, with the source
	Functions []string      `json:"functions,omitempty"`
	Bytes     []byte        `json:"bytes,omitempty"`
	JSON      string        `json:"json,omitempty"`
	Log       []string      `json:"log,omitempty"`
	Took      time.Duration `json:"took,omitempty"`
	Failed    *Error        `json:"failed,omitempty"`
}

// The bounds of a worker.
const (
	maxPrograms = 64        // compiled scripts that it holds; with more it forgets all
	maxHeap     = 96 << 20  // bytes at which a call ends
	exitHeap    = 192 << 20 // bytes at which the worker ends, where nothing stops the call
	hardLimit   = 512 << 20 // bytes that the system lets it have, where it knows how
	maxDepth    = 256       // calls inside calls
	maxLines    = 50        // of console.log
	maxLine     = 256       // bytes
	watchEvery  = time.Millisecond
	stuckAfter  = 5 * MaxCPU // a call that was interrupted at MaxCPU and goes on
)

// How a worker ends that cannot end its call. Any other way is the runtime's or
// the system's, which gave it no more memory, or its stack is full.
const (
	exitBroken = 1 // it cannot read what it is asked
	exitMemory = 3
	exitStuck  = 4 // in a native that does not let itself be interrupted
)

// Work is a worker: it answers calls until in ends. It belongs in a process of
// its own, whose memory it limits.
func Work(in io.Reader, out io.Writer) error {
	debug.SetMemoryLimit(maxHeap)
	runtime.GOMAXPROCS(2) // one for the script, one for who watches it
	limitMemory(hardLimit)
	w := &worker{programs: make(map[[sha256.Size]byte]*goja.Program)}
	from, to := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var c call
		if err := from.Decode(&c); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := to.Encode(w.answer(&c)); err != nil {
			return err
		}
	}
}

// A worker holds the scripts that it ran lately.
type worker struct {
	programs map[[sha256.Size]byte]*goja.Program
}

func (w *worker) answer(c *call) (o outcome) {
	program := w.programs[c.Key]
	if program == nil && c.Source == "" {
		return outcome{Need: true}
	}
	before := used()
	r := &run{vm: goja.New(), call: c}
	watch := r.watch(before)
	defer func() {
		if p := recover(); p != nil { // the engine's own mistakes
			o = outcome{Failed: &Error{Kind: Exception, Message: cut(fmt.Sprint(p))}}
		}
		watch.stop()
		o.Took, o.Log = used()-before, r.log
	}()
	if program == nil {
		var err error
		if program, err = compile(c.Source); err != nil {
			return outcome{Failed: syntax(err)}
		}
		if len(w.programs) >= maxPrograms {
			clear(w.programs)
		}
		w.programs[c.Key] = program
	}
	if err := r.do(program, &o); err != nil {
		return outcome{Failed: failure(err)}
	}
	return o
}

// compile reads no source maps: they would be files of this machine.
func compile(source string) (*goja.Program, error) {
	ast, err := parser.ParseFile(nil, "", source, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, err
	}
	return goja.CompileAST(ast, false)
}

func syntax(err error) *Error {
	e := &Error{Kind: Syntax, Message: cut(err.Error())}
	if list, ok := errors.AsType[parser.ErrorList](err); ok && len(list) > 0 {
		e.Message, e.Line, e.Column = cut(list[0].Message), list[0].Position.Line, list[0].Position.Column
	}
	if c, ok := errors.AsType[*goja.CompilerSyntaxError](err); ok && c.File != nil {
		at := c.File.Position(c.Offset)
		e.Message, e.Line, e.Column = cut(c.Message), at.Line, at.Column
	}
	return e
}

// failure makes an Error of what a run ended with.
func failure(err error) *Error {
	if ours, ok := errors.AsType[*Error](err); ok {
		return ours
	}
	if stopped, ok := errors.AsType[*goja.InterruptedError](err); ok {
		if why, ok := stopped.Value().(*Error); ok {
			return why
		}
	}
	if deep, ok := errors.AsType[*goja.StackOverflowError](err); ok {
		e := &Error{Kind: Exception, Message: fmt.Sprintf("functions call one another more than %d deep", maxDepth)}
		e.place(deep.Stack())
		return e
	}
	e := &Error{Kind: Exception, Message: cut(err.Error())}
	if thrown, ok := errors.AsType[*goja.Exception](err); ok {
		if ours, ok := thrown.Value().Export().(*Error); ok {
			return ours
		}
		e.Message = cut(thrown.Value().String())
		e.place(thrown.Stack())
	}
	return e
}

// place is the innermost of a stack that is in the script.
func (e *Error) place(stack []goja.StackFrame) {
	for i := range stack {
		if at := stack[i].Position(); at.Line > 0 {
			e.Line, e.Column = at.Line, at.Column
			return
		}
	}
}

// A run is one call in an engine of its own.
type run struct {
	vm   *goja.Runtime
	call *call
	log  []string
}

func (r *run) do(program *goja.Program, o *outcome) error {
	vm := r.vm
	vm.SetMaxCallStackSize(maxDepth)
	console := vm.NewObject()
	for _, name := range []string{"log", "info", "warn", "error", "debug"} {
		if err := console.Set(name, r.print); err != nil {
			return err
		}
	}
	if err := vm.Set("console", console); err != nil {
		return err
	}
	// The script may put others in their place.
	codec := vm.Get("JSON").ToObject(vm)
	parse, _ := goja.AssertFunction(codec.Get("parse"))
	stringify, _ := goja.AssertFunction(codec.Get("stringify"))
	if _, err := vm.RunProgram(program); err != nil {
		return err
	}
	if r.call.Function == "" {
		for _, name := range functions {
			if _, ok := goja.AssertFunction(r.lookup(name)); ok {
				o.Functions = append(o.Functions, name)
			}
		}
		return nil
	}
	f, ok := goja.AssertFunction(r.lookup(r.call.Function))
	if !ok {
		return &Error{Kind: NoFunction, Message: r.call.Function}
	}
	switch r.call.Function {
	case Encode:
		doc, err := parse(nil, vm.ToValue(r.call.JSON))
		if err != nil {
			return err
		}
		result, err := f(goja.Undefined(), doc)
		if err != nil {
			return err
		}
		if thrown := vm.Try(func() { o.Bytes = r.bytes(result) }); thrown != nil {
			return thrown
		}
		return nil
	case Transform:
		result, err := f(goja.Undefined(), vm.ToValue(r.call.Topic), r.array(r.call.Bytes))
		if err != nil {
			return err
		}
		o.JSON, err = r.json(result, stringify)
		return err
	default:
		result, err := f(goja.Undefined(), r.array(r.call.Bytes))
		if err != nil {
			return err
		}
		o.JSON, err = r.json(result, stringify)
		return err
	}
}

// lookup finds a function by its name, however it was declared.
func (r *run) lookup(name string) goja.Value {
	v, err := r.vm.RunString("typeof " + name + " === 'function' ? " + name + " : undefined")
	if err != nil {
		return nil
	}
	return v
}

func (r *run) print(c goja.FunctionCall) goja.Value {
	if len(r.log) < maxLines {
		var words []string
		for _, a := range c.Arguments {
			words = append(words, a.String())
		}
		r.log = append(r.log, cut(strings.Join(words, " ")))
	}
	return goja.Undefined()
}

// array is bytes as scripts have them: numbers from 0 to 255.
func (r *run) array(b []byte) goja.Value {
	values := make([]any, len(b))
	for i, c := range b {
		values[i] = int64(c)
	}
	return r.vm.NewArray(values...)
}

// json is the text of an object, or a text that is that of one.
func (r *run) json(v goja.Value, stringify goja.Callable) (string, error) {
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		return "", &Error{Kind: NoResult}
	}
	text, isText := v.Export().(string)
	if !isText {
		if _, isObject := v.(*goja.Object); !isObject {
			return "", &Error{Kind: WrongResult, Message: cut(v.String())}
		}
		done, err := stringify(nil, v)
		if err != nil {
			return "", err
		}
		text = done.String()
	}
	if len(text) > MaxPayload {
		return "", &Error{Kind: TooLarge, Message: fmt.Sprintf("%d bytes come out", len(text))}
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		if isText {
			return "", &Error{Kind: NotJSON, Message: cut(text)}
		}
		return "", &Error{Kind: WrongResult, Message: cut(text)}
	}
	return text, nil
}

// bytes are the numbers of an array; negative ones are as in two's complement.
// It panics with the engine's own errors, and with an *Error.
func (r *run) bytes(v goja.Value) []byte {
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		panic(r.vm.ToValue(&Error{Kind: NoResult}))
	}
	object, ok := v.(*goja.Object)
	if buffer, isBuffer := v.Export().(goja.ArrayBuffer); isBuffer {
		if len(buffer.Bytes()) > MaxPayload {
			panic(r.vm.ToValue(&Error{Kind: TooLarge, Message: fmt.Sprintf("%d bytes come out", len(buffer.Bytes()))}))
		}
		return slices.Clone(buffer.Bytes())
	}
	length := goja.Value(nil)
	if ok {
		length = object.Get("length")
	}
	if length == nil || goja.IsUndefined(length) {
		panic(r.vm.ToValue(&Error{Kind: WrongResult, Message: cut(v.String())}))
	}
	n := length.ToInteger()
	if n > MaxPayload || n < 0 {
		panic(r.vm.ToValue(&Error{Kind: TooLarge, Message: fmt.Sprintf("%d bytes come out", n)}))
	}
	b := make([]byte, n)
	for i := range b {
		item := object.Get(fmt.Sprint(i))
		if item == nil {
			continue
		}
		b[i] = byte(item.ToInteger())
	}
	return b
}

// cut shortens a text of the script's.
func cut(s string) string {
	if len(s) <= maxLine {
		return s
	}
	return strings.ToValidUTF8(s[:maxLine], "") + "…"
}

// A watcher ends a run that reaches its limits.
type watcher struct {
	done  chan struct{}
	ended chan struct{}
}

func (r *run) watch(start time.Duration) *watcher {
	w := &watcher{done: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-w.done:
				return
			case <-tick.C:
			}
			switch heap := heap(); {
			case heap > exitHeap:
				os.Exit(exitMemory)
			case heap > maxHeap:
				r.vm.Interrupt(&Error{Kind: OutOfMemory})
			case used()-start > stuckAfter:
				os.Exit(exitStuck)
			case used()-start > MaxCPU:
				r.vm.Interrupt(&Error{Kind: OutOfTime})
			}
		}
	}()
	return w
}

func (w *watcher) stop() {
	close(w.done)
	<-w.ended
}

// heap is how many bytes are in use.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// used is the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
