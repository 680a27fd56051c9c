package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"time"
)

// The bounds of following a stream.
const (
	maxStreamLine = 8 << 20          // bytes of one line, and of one event
	maxSilence    = 45 * time.Second // the server says something each 15 s
	firstRetry    = 100 * time.Millisecond
	lastRetry     = 10 * time.Second
)

// A streamEvent is one server-sent event [HTML §9.2.6].
type streamEvent struct {
	name string
	data []byte
}

// A final error ends following; after any other the stream is opened again.
type final struct{ error }

func (e final) Unwrap() error { return e.error }

func isFinal(err error) bool {
	_, ok := errors.AsType[final](err)
	return ok
}

// errEnough ends following without a failure.
var errEnough = errors.New("enough")

// follow reads a stream until the user interrupts or handle returns an error,
// and opens it again when it breaks. Each time it is open, opened is called
// before anything is read; it may be nil.
func (r *rest) follow(g *globals, path string, query url.Values, opened func() error, handle func(streamEvent) error) error {
	failures := 0
	for first := true; ; first = false {
		connected, err := r.stream(path, query, func() error {
			if !first {
				fmt.Fprintln(g.Stderr, "matou: connected again")
			}
			if opened == nil {
				return nil
			}
			return opened()
		}, handle)
		if r.ctx.Err() != nil || errors.Is(err, errEnough) {
			return nil
		}
		if end, ok := errors.AsType[final](err); ok {
			return end.error
		}
		if first && !connected {
			return err
		}
		failures++
		if connected {
			fmt.Fprintf(g.Stderr, "matou: the stream broke: %v; connecting again\n", err)
			failures = 0
		}
		select {
		case <-r.ctx.Done():
			return nil
		case <-time.After(retryAfter(failures)):
		}
	}
}

// retryAfter grows twofold with each failure and is spread, so that many do
// not come back at once.
func retryAfter(failures int) time.Duration {
	d := lastRetry
	if failures < 7 {
		d = min(firstRetry<<failures, lastRetry)
	}
	return d/2 + rand.N(d/2)
}

// stream opens the stream once and reads it to its end, which is an error.
func (r *rest) stream(path string, query url.Values, opened func() error, handle func(streamEvent) error) (connected bool, err error) {
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	silence := time.AfterFunc(maxSilence, func() { cancel(fmt.Errorf("nothing came for %v", maxSilence)) })
	defer silence.Stop()
	resp, err := r.send(ctx, question{method: "GET", path: path, query: query, accept: "text/event-stream"})
	if err != nil {
		return false, finally(err)
	}
	defer resp.Body.Close()
	if err := opened(); err != nil {
		return true, finally(err)
	}
	err = readEvents(resp.Body, func() { silence.Reset(maxSilence) }, handle)
	if cause := context.Cause(ctx); cause != nil && !isFinal(err) {
		err = cause
	}
	return true, err
}

// finally makes what asking again would not mend final.
func finally(err error) error {
	if e, ok := errors.AsType[*rejection](err); ok && e.Status < 500 {
		return final{err}
	}
	return err
}

// readEvents calls handle for each event until the end of in, which is
// io.ErrUnexpectedEOF: a stream does not end by itself. An error of handle is
// returned as final. alive is called for each line.
func readEvents(in io.Reader, alive func(), handle func(streamEvent) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxStreamLine)
	var e streamEvent
	for lines.Scan() {
		alive()
		line := lines.Bytes()
		if len(line) > 0 {
			if err := e.add(line); err != nil {
				return err
			}
			continue
		}
		if e.data != nil {
			e.data = e.data[:len(e.data)-1] // the last line end
			if err := handle(e); err != nil {
				return final{err}
			}
		}
		e = streamEvent{}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

// add takes a line of an event. Comments and fields of no use here are passed
// over.
func (e *streamEvent) add(line []byte) error {
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "event":
		e.name = string(value)
	case "data":
		if len(e.data)+len(value) >= maxStreamLine {
			return fmt.Errorf("an event is longer than %d bytes", maxStreamLine)
		}
		e.data = append(append(e.data, value...), '\n')
	}
	return nil
}
