package main

import (
	"math"
	"slices"
)

// median is the middle value, the mean of the two middle ones of an even
// number, NaN of none. It leaves values as they are.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// A summary is what several rounds gave.
type summary struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
	Rounds int     `json:"rounds"`
}

// summarize sums values up; it reports false for none.
func summarize(values []float64) (summary, bool) {
	if len(values) == 0 {
		return summary{}, false
	}
	return summary{Median: median(values), Least: slices.Min(values), Most: slices.Max(values), Rounds: len(values)}, true
}

// ratios divides a by b round by round, for rounds that both have: what slows
// the machine for a while slows both sides of one round.
func ratios(a, b map[int]float64) []float64 {
	var out []float64
	for round, x := range a {
		if y, ok := b[round]; ok && y > 0 {
			out = append(out, x/y)
		}
	}
	slices.Sort(out)
	return out
}

// histogramSlots are the microseconds that a histogram tells apart; longer
// delays are in the last slot.
const histogramSlots = 200_000

// A histogram counts delays, exact to a microsecond.
type histogram struct {
	slots [histogramSlots]uint32
	count int64
}

// add counts one delay in nanoseconds.
func (h *histogram) add(ns int64) {
	i := max(0, min(ns/1000, histogramSlots-1))
	h.slots[i]++
	h.count++
}

// quantile is the delay in microseconds within which the share q of all came,
// NaN of none.
func (h *histogram) quantile(q float64) float64 {
	if h.count == 0 {
		return math.NaN()
	}
	rank := max(1, int64(math.Ceil(q*float64(h.count))))
	var seen int64
	for i := range h.slots {
		if seen += int64(h.slots[i]); seen >= rank {
			return float64(i + 1)
		}
	}
	return histogramSlots
}

// reset forgets everything.
func (h *histogram) reset() { *h = histogram{} }
