package virtual

import (
	"time"
)

// A cellData takes data that the host writes after a prompt or in a data
// mode.
type cellData struct {
	buf     []byte
	want    int // bytes; -1: until Ctrl-Z or escape; rawData: without end
	most    int // of buf when want is below 0; what is beyond is dropped
	echo    bool
	heard   time.Time // when the last byte came
	ended   bool
	escaped bool // by the escape character

	quietBefore time.Duration // before the first byte
}

// rawData takes every byte as it is, without end.
const rawData = -2

// collect takes one byte of data.
func (c *cellular) collect(l *life, x byte) {
	d := c.data
	now := time.Now()
	if len(d.buf) == 0 {
		d.quietBefore = now.Sub(d.heard)
	}
	d.heard = now
	if d.want == -1 && (x == ctrlZ || x == ctrlEscape) {
		d.ended, d.escaped = true, x == ctrlEscape
	} else {
		if d.want >= 0 || len(d.buf) < d.most {
			d.buf = append(d.buf, x)
		}
		if d.echo {
			l.echo([]byte{x})
		}
		d.ended = len(d.buf) == d.want
	}
	if d.ended {
		c.data = nil
	}
}

// How a prompt ended.
type promptEnd byte

const (
	promptDone    promptEnd = iota
	promptEscaped           // the host took it back
	promptIdle              // the host said nothing for too long
	promptOver              // the life ended
)

// prompt asks the host for data: want bytes, or with want -1 up to most bytes
// that end with Ctrl-Z. It waits for as long as the host keeps writing; idle
// is how long it may pause, 0 for ever.
func (t *cellTurn) prompt(ask string, want, most int, idle time.Duration, echo bool) ([]byte, promptEnd) {
	d := &cellData{want: want, most: most, echo: echo, heard: time.Now()}
	t.l.print(ask)
	t.data = d
	ahead := t.ahead
	t.ahead = nil
	t.l.starving(t.cause, want, func() (int, bool) { return len(d.buf), t.data == d && !d.ended })
	stopped := t.guard(d, idle)
	defer stopped()
	if len(ahead) > 0 {
		t.receive(t.l, ahead)
	}
	if !t.l.await(func() bool { return d.ended || t.data != d }) {
		return nil, promptOver
	}
	switch {
	case !d.ended:
		return nil, promptIdle
	case d.escaped:
		return nil, promptEscaped
	}
	return d.buf, promptDone
}

// guard leaves data mode when the host has been silent for too long.
func (c *cellular) guard(d *cellData, idle time.Duration) (stop func()) {
	if idle <= 0 {
		return func() {}
	}
	stopped, cancel := false, func() {}
	l := c.life
	var arm func(time.Duration)
	arm = func(wait time.Duration) {
		cancel = l.afterReal(wait, func() {
			rest := idle - time.Since(d.heard)
			switch {
			case stopped || d.ended:
			case rest > 0:
				arm(rest)
			default:
				c.data = nil
			}
		})
	}
	arm(idle)
	return func() {
		stopped = true
		cancel()
	}
}
