package virtual

import (
	"context"
	"time"
)

// A life is the time from one start of a module to the next reset. Whatever
// the module does belongs to a life and ends with it: it runs in a task, holds
// the module's lock, and waits only by the methods here, each of which lets go
// of the lock meanwhile and says whether the life goes on. If it does not,
// the task returns at once.
type life struct {
	*Module
	base   context.Context // of Run
	ctx    context.Context // of this life
	cancel context.CancelFunc
	born   time.Time

	reasons map[string]bool // that were told, at most maxReasons: see explain
}

func newLife(m *Module, base context.Context) *life {
	l := &life{Module: m, base: base, born: time.Now(), reasons: make(map[string]bool)}
	l.ctx, l.cancel = context.WithCancel(base)
	return l
}

// end ends the life. The lock is held.
func (l *life) end() {
	l.cancel()
	l.changed.Broadcast()
}

// over reports whether the life has ended.
func (l *life) over() bool { return l.ctx.Err() != nil }

// task runs f beside everything else, with the lock held, unless the life ends
// before it begins.
func (l *life) task(f func()) {
	l.tasks.Go(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.over() {
			f()
			l.changed.Broadcast()
		}
	})
}

// after runs f as a task when the module has taken d for it. The life or stop
// may end before.
func (l *life) after(d time.Duration, f func()) (stop func()) {
	return l.afterReal(l.scale(d), f)
}

// afterReal is after by the host's clock: what guards against the host's
// timing is not faster on a faster module.
func (l *life) afterReal(d time.Duration, f func()) (stop func()) {
	ctx, cancel := context.WithCancel(l.ctx)
	l.task(func() {
		defer cancel()
		if l.pause(ctx, d) {
			f()
		}
	})
	return cancel
}

// sleep is the module taking its time.
func (l *life) sleep(d time.Duration) bool { return l.pause(l.ctx, l.scale(d)) }

// pause waits by the host's clock until d has passed or ctx has ended.
func (l *life) pause(ctx context.Context, d time.Duration) bool {
	return l.wait(func(context.Context) {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}) && ctx.Err() == nil
}

// wait runs f without the lock: for what takes time outside.
func (l *life) wait(f func(ctx context.Context)) bool {
	l.changed.Broadcast()
	l.mu.Unlock()
	f(l.ctx)
	l.mu.Lock()
	return !l.over()
}

// await waits until the condition holds, which is looked at with the lock held
// whenever a task or the host did something.
func (l *life) await(condition func() bool) bool {
	for !l.over() && !condition() {
		l.changed.Wait()
	}
	return !l.over()
}

// scale is how long a thing takes that takes the real module d.
func (m *Module) scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / m.opts.Speed)
}

// uptime is how long this life has lasted, in the module's own time.
func (l *life) uptime() time.Duration {
	return time.Duration(float64(time.Since(l.born)) * l.opts.Speed)
}

// print puts bytes on the module's TX pin, unless the life is over.
func (l *life) print(s string) {
	if l.over() || s == "" {
		return
	}
	l.uart.write(s)
	l.observe(Event{Kind: Said, Data: []byte(s)})
}

// echo is print for what the host said itself: nobody is told.
func (l *life) echo(b []byte) {
	if !l.over() {
		l.uart.write(string(b))
	}
}
