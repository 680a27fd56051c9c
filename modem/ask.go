package modem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/matou-iot/matou/at"
)

// The patience of a Host where a Request leaves it out, and between tries.
const (
	DefaultTimeout = 5 * time.Second  // for a result
	writePatience  = 15 * time.Second // for the port to take what is written
	promptPatience = 2 * time.Second  // for a prompt, once the command is accepted
	firstRetry     = 200 * time.Millisecond
	longestRetry   = 2 * time.Second
)

var errStuck = errors.New("the port takes no bytes: is flow control on without its wires?")

// A Request is one command and what belongs to its answer.
type Request struct {
	Command at.Command
	Timeout time.Duration // until the result, from when the command is sent; 0: DefaultTimeout
	// Final is the result that means success; "" is OK. With another one an
	// OK on the way is only noted: an ESP8266 says OK, asks for the data, and
	// then says SEND OK.
	Final string
	// Payload is written when the module asks for it. nil: it will not ask.
	Payload []byte
	// Asks is the result by which the module asks for the Payload where it
	// shows no prompt, "CONNECT" for a file. "": it shows one.
	Asks string
	// Claims reports whether a line, or the header of counted data, belongs to
	// the answer although it looks as if the module had said it unasked.
	Claims func(line string) bool
	// Ends reports whether a line is as good as the Final result.
	Ends func(line string) bool
}

// An Answer is what a command was answered with.
type Answer struct {
	Lines  []string   // before the result
	Data   []at.Event // counted data
	Result at.Result
}

// exchange is a Request under way.
type exchange struct {
	request Request
	events  []at.Event // not yet taken
	taken   int        // events so far
	err     error
	wake    chan struct{}
}

// The methods of exchange are called with the Host's mu held.

func (x *exchange) claims(line string) bool {
	return x.request.Claims != nil && x.request.Claims(line) || x.request.Ends != nil && x.request.Ends(line)
}

// add refuses what is beyond maxAnswer, but never a result.
func (x *exchange) add(e at.Event, result bool) bool {
	if x.taken >= maxAnswer && !result {
		return false
	}
	x.taken++
	x.events = append(x.events, e)
	x.notify()
	return true
}

func (x *exchange) fail(err error) {
	x.err = err
	x.notify()
}

func (x *exchange) notify() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// ErrNotSent is what Ask's error is besides another one when the module has
// seen nothing of the command.
var ErrNotSent = errors.New("not sent")

// Ask sends a command and waits for its result. One goroutine asks at a time,
// others wait. A result that is not the wanted one is an *Error that is
// ErrRefused; the Answer then holds what was said all the same.
//
// When ctx ends before the result, the module may still be at work: the next
// Ask waits for it to be done.
func (h *Host) Ask(ctx context.Context, r Request) (Answer, error) {
	select {
	case h.line <- struct{}{}:
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("%s: %w: %w", name(r.Command), ErrNotSent, context.Cause(ctx))
	case <-h.done:
		return Answer{}, fmt.Errorf("%s: %w: %w", name(r.Command), ErrNotSent, h.Err())
	}
	defer func() { <-h.line }()
	err := h.Err()
	if err == nil {
		err = h.recover(ctx)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w: %w", name(r.Command), ErrNotSent, err)
	}
	answer, err := h.ask(ctx, r)
	if h.o.Gap > 0 {
		pause(ctx, h.o.Gap)
	}
	return answer, err
}

// dialogue is the state of ask.
type dialogue struct {
	h       *Host
	r       Request
	answer  Answer
	sent    bool // the payload
	retry   time.Duration
	again   *time.Timer // sends the command again
	prompt  *time.Timer // stops waiting for the prompt
	expired *time.Timer
}

// ask is Ask for the one who holds the line.
func (h *Host) ask(ctx context.Context, r Request) (Answer, error) {
	if r.Timeout == 0 {
		r.Timeout = DefaultTimeout
	}
	if r.Final == "" {
		r.Final = "OK"
	}
	x := &exchange{request: r, wake: make(chan struct{}, 1)}
	h.mu.Lock()
	h.asking = x
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.asking = nil
		h.scanner.Expect(nil)
		h.mu.Unlock()
	}()
	d := &dialogue{h: h, r: r, retry: firstRetry, again: stopped(), prompt: stopped(), expired: time.NewTimer(r.Timeout)}
	defer d.again.Stop()
	defer d.prompt.Stop()
	defer d.expired.Stop()
	if err := h.sendCommand(ctx, r.Command); err != nil {
		return d.answer, d.failed("", err)
	}
	if r.Payload != nil && r.Asks == "" && h.o.Dialect == at.V250 {
		d.prompt.Reset(r.Timeout / 2) // no OK comes before the prompt
	}
	for {
		select {
		case <-x.wake:
			h.mu.Lock()
			events, err := x.events, x.err
			x.events = nil
			h.mu.Unlock()
			for _, e := range events {
				if done, err := d.take(ctx, e); done {
					return d.answer, err
				}
			}
			if err != nil {
				return d.answer, d.failed("", err)
			}
		case <-d.again.C:
			if err := h.sendCommand(ctx, r.Command); err != nil {
				return d.answer, d.failed("", err)
			}
		case <-d.prompt.C:
			if err := d.sendUnasked(ctx); err != nil {
				return d.answer, d.failed("", err)
			}
		case <-d.expired.C:
			h.giveUp(0)
			err := ErrSilent
			if r.Payload != nil && !d.sent {
				err = fmt.Errorf("%w: %w", ErrNoPrompt, ErrSilent)
			}
			return d.answer, d.failed("", err)
		case <-ctx.Done():
			h.giveUp(r.Timeout)
			return d.answer, d.failed("", context.Cause(ctx))
		case <-h.done:
			return d.answer, d.failed("", h.Err())
		}
	}
}

// take takes one event of the answer.
func (d *dialogue) take(ctx context.Context, e at.Event) (done bool, err error) {
	if e.Kind == at.Prompt {
		if d.r.Payload == nil || d.sent {
			d.h.giveUp(0) // asks for data that nobody has
			d.h.mu.Lock()
			d.h.prompted = true
			d.h.mu.Unlock()
			return true, d.failed("a prompt", ErrRefused)
		}
		if err := d.sendPayload(ctx); err != nil {
			return true, d.failed("", err)
		}
		return false, nil
	}
	if e.Kind == at.Data {
		d.answer.Data = append(d.answer.Data, e)
		return false, nil
	}
	if at.Busy(e.Text) {
		if !d.sent { // what the module dropped was the command
			d.again.Reset(d.retry)
			d.retry = min(2*d.retry, longestRetry)
		}
		return false, nil
	}
	if d.r.Ends != nil && d.r.Ends(e.Text) {
		d.answer.Lines = append(d.answer.Lines, e.Text)
		return true, nil
	}
	result, final := d.h.o.Dialect.Result(e.Text)
	switch {
	case !final:
		d.answer.Lines = append(d.answer.Lines, e.Text)
		return false, nil
	case result.Word == d.r.Final && (d.r.Payload == nil || d.sent):
		d.answer.Result = result
		return true, nil
	case d.r.Asks != "" && result.Word == d.r.Asks && !d.sent:
		if err := d.sendPayload(ctx); err != nil {
			return true, d.failed("", err)
		}
		return false, nil
	case result.OK():
		if d.r.Asks == "" && d.r.Payload != nil && !d.sent {
			d.prompt.Reset(promptPatience)
		}
		return false, nil
	}
	d.answer.Result = result
	return true, d.failed(result.String(), ErrRefused)
}

// failed is the error of the command.
func (d *dialogue) failed(got string, err error) error {
	want := d.r.Final
	if d.r.Payload != nil && !d.sent {
		want = "a prompt"
	}
	const most = 5 // the reason stands right before the result
	said := d.answer.Lines[max(len(d.answer.Lines)-most, 0):]
	return &Error{Command: name(d.r.Command), Want: want, Got: got, Said: said, Err: err}
}

// sendUnasked writes the data although no prompt was seen. Either the prompt
// got lost and the module waits for exactly these bytes, or the command got
// lost and they are noise to it. Bytes that it might execute are kept back.
func (d *dialogue) sendUnasked(ctx context.Context) error {
	if d.h.o.Dialect == at.V250 && d.h.o.Dialect.FindAT(d.r.Payload) >= 0 {
		d.h.giveUp(0)
		return ErrNoPrompt
	}
	d.h.o.Log.Info("no prompt came; sending the data all the same", "command", name(d.r.Command))
	return d.sendPayload(ctx)
}

func (d *dialogue) sendPayload(ctx context.Context) error {
	d.prompt.Stop()
	d.again.Stop()
	d.sent = true
	d.h.mu.Lock()
	d.h.payload = true
	d.h.scanner.Expect(nil)
	if d.mayEcho() {
		d.h.scanner.Expect(d.r.Payload)
	}
	d.h.mu.Unlock()
	return d.h.write(ctx, d.r.Payload)
}

// mayEcho reports whether the data may come back: a cellular module may echo it
// although it echoes no commands. Data that begins with a result is taken for
// one when it comes, for the result itself must not be taken for an echo.
func (d *dialogue) mayEcho() bool {
	first, _, _ := bytes.Cut(bytes.TrimLeft(d.r.Payload, "\r\n"), []byte("\r"))
	if _, result := d.h.o.Dialect.Result(string(first)); result {
		return false
	}
	return d.h.o.Dialect == at.V250 || d.h.echoes
}

// sendCommand writes a command and expects its echo.
func (h *Host) sendCommand(ctx context.Context, c at.Command) error {
	line := append(c.Append(nil), h.o.LineEnd...)
	h.mu.Lock()
	h.echoes, h.payload = false, false
	h.scanner.Expect(line)
	h.mu.Unlock()
	return h.write(ctx, line)
}

// write writes to the port. ctx interrupts it where the port allows that.
func (h *Host) write(ctx context.Context, p []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, writePatience, errStuck)
	defer cancel()
	if port, ok := h.port.(interface{ SetWriteDeadline(time.Time) error }); ok {
		fired := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			port.SetWriteDeadline(time.Unix(1, 0))
			close(fired)
		})
		defer func() {
			if !stop() {
				<-fired
				port.SetWriteDeadline(time.Time{})
			}
		}()
	}
	if _, err := h.port.Write(p); err != nil {
		if ctx.Err() != nil {
			h.giveUp(0)
			return context.Cause(ctx)
		}
		return h.portError(err)
	}
	return nil
}

// giveUp notes that an answer may still come, for so long, and drops what is half received.
func (h *Host) giveUp(more time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stale = time.Now().Add(more)
	if e, ok := h.scanner.Flush(); ok {
		h.o.Log.Debug("half received", "event", e.String())
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
