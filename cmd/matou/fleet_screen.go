package main

import (
	"fmt"
	"io"
	"time"

	"github.com/matou-iot/matou/device/fleet"
)

// quietInterval is how often a fleet says where it is to who has no terminal.
const quietInterval = 10 * time.Second

// A fleetScreen shows how far a fleet is: one line that changes, on a
// terminal; a line now and then elsewhere.
type fleetScreen struct {
	w        io.Writer
	terminal bool
	quiet    bool
	said     time.Duration
	drawn    bool
	last     fleet.Progress
}

func (s *fleetScreen) show(p fleet.Progress) {
	if s.quiet || !s.terminal && s.drawn && p.Elapsed-s.said < quietInterval {
		return
	}
	span := p.Elapsed - s.last.Elapsed
	rate := 0.0
	if span > 0 {
		rate = float64(p.Answered-s.last.Answered) / span.Seconds()
	}
	s.last, s.said, s.drawn = p, p.Elapsed, true
	line := fmt.Sprintf("%s of %s  %d of %d connected  %d posts, %d answered (%.0f/s)  p99 %s",
		p.Elapsed.Round(time.Second), p.Duration, p.Connected, p.Devices, p.Posts, p.Answered, rate, shortTime(p.P99.Seconds()))
	if p.Refused > 0 {
		line += fmt.Sprintf("  %d refused", p.Refused)
	}
	if p.Broken > 0 {
		line += fmt.Sprintf("  %d broken", p.Broken)
	}
	if s.terminal {
		fmt.Fprintf(s.w, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(s.w, line)
}

// end leaves the line.
func (s *fleetScreen) end() {
	if s.terminal && s.drawn {
		fmt.Fprintln(s.w)
	}
}
