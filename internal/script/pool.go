package script

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of the pool.
const (
	maxWait    = time.Second      // for a turn; then the call is refused
	maxWaiting = 128              // calls that wait for a turn; more are refused at once
	maxTaken   = 10 * time.Second // for a call on a machine that has other work; then the worker is ended
	idleTime   = time.Minute      // then a worker ends
	maxAnswer  = 4 << 20          // bytes of one answer of a worker
)

// A pool hands calls to a bounded number of workers. One product never has all
// of them, unless there is only one.
type pool struct {
	command func() *exec.Cmd
	log     *slog.Logger
	most    int

	mu      sync.Mutex
	busy    int
	turns   map[string]int // of products
	waiting []*waiter
	idle    []*process
	closed  bool
}

type waiter struct {
	product string
	turn    chan struct{} // closed when it is its turn
}

func newPool(command func() *exec.Cmd, most int, log *slog.Logger) *pool {
	return &pool{command: command, most: most, log: log, turns: make(map[string]int)}
}

var errClosed = errors.New("script: the server is stopping")

// run lets a worker answer a call.
func (p *pool) run(ctx context.Context, product, source string, c call) (outcome, error) {
	if err := p.begin(ctx, product); err != nil {
		return outcome{}, err
	}
	defer p.end(product)
	w, err := p.process()
	if err != nil {
		return outcome{}, err
	}
	c.Key = sha256.Sum256([]byte(source))
	out, err := w.ask(c)
	if err == nil && out.Need {
		c.Source = source
		out, err = w.ask(c)
	}
	if err != nil {
		failed := w.end(err)
		p.log.Warn("a script's worker was ended", "product", product, "why", failed.Error())
		return outcome{}, failed
	}
	p.put(w)
	if out.Failed != nil {
		return out, out.Failed
	}
	return out, nil
}

// begin waits for a turn.
func (p *pool) begin(ctx context.Context, product string) error {
	p.mu.Lock()
	if p.free(product) {
		p.take(product)
		p.mu.Unlock()
		return nil
	}
	if len(p.waiting) >= maxWaiting {
		p.mu.Unlock()
		return &Error{Kind: Throttled, Message: fmt.Sprintf("%d calls wait for their turn", maxWaiting)}
	}
	w := &waiter{product, make(chan struct{})}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-w.turn:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiting, w)
	if i < 0 { // its turn came meanwhile
		return nil
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	return &Error{Kind: Throttled, Message: fmt.Sprintf("no turn within %v", maxWait)}
}

// free reports whether a product may have a turn now; p.mu is held.
func (p *pool) free(product string) bool {
	return p.busy < p.most && p.turns[product] < max(p.most-1, 1)
}

func (p *pool) take(product string) {
	p.busy++
	p.turns[product]++
}

// end gives a turn back, to whoever waited longest and may have it.
func (p *pool) end(product string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	if p.turns[product]--; p.turns[product] == 0 {
		delete(p.turns, product)
	}
	for i := 0; i < len(p.waiting); {
		w := p.waiting[i]
		if !p.free(w.product) {
			i++
			continue
		}
		p.take(w.product)
		p.waiting = slices.Delete(p.waiting, i, i+1)
		close(w.turn)
	}
}

// A process is a worker, seen from outside.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	to   *json.Encoder
	from *json.Decoder
	out  *bounded
	late atomic.Bool // it was ended because its call took too long
	rest *time.Timer // ends it when it was idle for long
}

// process is an idle worker, or a new one.
func (p *pool) process() (*process, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		w.rest.Stop()
		return w, nil
	}
	p.mu.Unlock()
	return start(p.command())
}

func start(cmd *exec.Cmd) (*process, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start a script's worker: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a script's worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a script's worker: %w", err)
	}
	w := &process{cmd: cmd, in: in, to: json.NewEncoder(in), out: &bounded{r: out}}
	w.from = json.NewDecoder(w.out)
	return w, nil
}

// ask lets the worker answer a call. After an error it has to be ended.
func (w *process) ask(c call) (outcome, error) {
	w.out.left = maxAnswer
	late := time.AfterFunc(maxTaken, func() {
		w.late.Store(true)
		w.cmd.Process.Kill()
	})
	defer late.Stop()
	var o outcome
	if err := w.to.Encode(c); err != nil {
		return outcome{}, err
	}
	err := w.from.Decode(&o)
	return o, err
}

// end ends a worker that gave no answer, and says why there is none.
func (w *process) end(why error) error {
	w.cmd.Process.Kill() // it may be at its end already
	w.in.Close()
	err := w.cmd.Wait()
	ended, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case !ok || ended.ExitCode() == exitBroken:
		return fmt.Errorf("a script's worker gave no answer: %w", why)
	case w.late.Load() || ended.ExitCode() == exitStuck:
		return &Error{Kind: OutOfTime}
	}
	// It ended itself for its memory, or the runtime or the system did.
	return &Error{Kind: OutOfMemory}
}

// close ends an idle worker.
func (w *process) close() {
	w.in.Close() // it ends when there is nothing to read
	late := time.AfterFunc(maxTaken, func() { w.cmd.Process.Kill() })
	defer late.Stop()
	w.cmd.Wait()
}

// A bounded reader fails where an answer is longer than any can be.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the answer is too long")
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// put keeps a worker for the next call.
func (p *pool) put(w *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		go w.close()
		return
	}
	w.rest = time.AfterFunc(idleTime, func() { p.retire(w) })
	p.idle = append(p.idle, w)
}

// retire ends a worker that nobody needed for a while.
func (p *pool) retire(w *process) {
	p.mu.Lock()
	i := slices.Index(p.idle, w)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		w.close()
	}
}

// close ends the idle workers; the busy ones end with their calls.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, w := range idle {
		w.rest.Stop()
		w.close()
	}
}
