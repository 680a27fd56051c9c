package trace

import "time"

// A Pace counts the messages of one speaker of which there is nothing to tell.
// It knows one that is beyond a rate before anybody makes an Entry of it or
// looks for its timeline. One goroutine uses it.
type Pace struct {
	second  int64 // in which messages are counted, Unix
	said    int
	skipped int
}

// Beyond counts a message in which there is nothing to tell, and reports
// whether it is to be left out: more than rate came in its second. While
// anybody watches nothing is.
func (r *Recorder) Beyond(p *Pace, rate int, at time.Time) bool {
	if second := at.Unix(); second != p.second {
		p.second, p.said = second, 0
	}
	p.said++
	if p.said <= rate || r.lookers.Load() > 0 || r.observed.Load() != nil {
		return false
	}
	p.skipped++
	return true
}

// Skip counts what follows from a message that was left out, and is left out
// with it.
func (p *Pace) Skip() { p.skipped++ }

// Skipped returns how many were left out since it was asked last: the next
// Entry says it.
func (p *Pace) Skipped() int {
	n := p.skipped
	p.skipped = 0
	return n
}
