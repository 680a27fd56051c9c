package modem

import "time"

// A deadline is a time after which a channel is closed. Its owner's mutex
// guards it.
type deadline struct {
	timer  *time.Timer
	passed chan struct{}
}

func makeDeadline() deadline { return deadline{passed: make(chan struct{})} }

// expired is closed when the deadline has passed. A deadline that is set anew
// before it passed keeps the channel, so that those who wait notice.
func (d *deadline) expired() <-chan struct{} { return d.passed }

func (d *deadline) set(t time.Time) {
	stoppedInTime := d.timer == nil || d.timer.Stop()
	d.timer = nil
	select {
	case <-d.passed:
		d.passed = make(chan struct{})
	default:
		if !stoppedInTime {
			// The timer has fired and is about to close the channel.
			d.passed = make(chan struct{})
		}
	}
	if t.IsZero() {
		return
	}
	passed := d.passed
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(passed) })
	} else {
		close(passed)
	}
}
