package fleet

import "time"

// Scale makes the scenario one of n devices: groups keep their shares, and
// each at least one device.
func (s *Scenario) Scale(n int) {
	total := 0
	for _, g := range s.Groups {
		total += g.Count
	}
	left := n
	for i, g := range s.Groups {
		switch {
		case i == len(s.Groups)-1:
			g.Count = left
		case total > 0:
			g.Count = int(int64(g.Count) * int64(n) / int64(total))
		}
		g.Count = max(1, g.Count)
		left -= g.Count
	}
}

// Stretch makes the devices report for d: ramp and storms keep their places
// in it.
func (s *Scenario) Stretch(d time.Duration) {
	if s.Duration == 0 {
		s.Duration = defaultTime
	}
	to := func(t *time.Duration) { *t = time.Duration(float64(*t) * float64(d) / float64(s.Duration)) }
	to(&s.Ramp)
	for _, w := range s.Storms {
		if w != nil {
			to(&w.At)
			to(&w.Within)
			to(&w.Away)
		}
	}
	s.Duration = d
}
