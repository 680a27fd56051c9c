package main

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one", []float64{3}, 3},
		{"odd: the middle one, whatever the order", []float64{9, 1, 5}, 5},
		{"even: between the middle two", []float64{4, 1, 3, 10}, 3.5},
		{"an outlier moves nothing", []float64{1, 1000, 2}, 2},
	} {
		given := slices.Clone(tt.values)
		if got := median(tt.values); got != tt.want {
			t.Errorf("%s: median(%v) = %v, want %v", tt.name, given, got, tt.want)
		}
		if !slices.Equal(tt.values, given) {
			t.Errorf("%s: median changed its argument to %v", tt.name, tt.values)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v, want NaN", got)
	}
}

func TestSummarize(t *testing.T) {
	if _, ok := summarize(nil); ok {
		t.Error("there is a summary of nothing")
	}
	if got, _ := summarize([]float64{2, 8, 4}); got != (summary{Median: 4, Least: 2, Most: 8, Rounds: 3}) {
		t.Errorf("summarize = %+v", got)
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	a := map[int]float64{1: 10, 2: 40, 3: 7, 5: 1}
	b := map[int]float64{1: 20, 2: 20, 4: 5, 5: 0} // round 3 failed, 4 is b's alone, 5 measured nothing
	if got, want := ratios(a, b), []float64{0.5, 2}; !slices.Equal(got, want) {
		t.Errorf("ratios = %v, want %v", got, want)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if got := h.quantile(0.5); !math.IsNaN(got) {
		t.Errorf("quantile of nothing = %v, want NaN", got)
	}
	for us := range int64(1000) {
		h.add(us*1000 + 999)
	}
	for _, tt := range []struct{ q, want float64 }{{0, 1}, {0.5, 500}, {0.99, 990}, {1, 1000}} {
		if got := h.quantile(tt.q); got != tt.want {
			t.Errorf("quantile(%v) = %v, want %v", tt.q, got, tt.want)
		}
	}
	h.add(int64(histogramSlots) * 5000) // beyond the last slot
	h.add(-1)                           // clocks of one thread never do that
	if got := h.quantile(1); got != histogramSlots {
		t.Errorf("quantile(1) with one beyond = %v, want %v", got, histogramSlots)
	}
	h.reset()
	if h.count != 0 || !math.IsNaN(h.quantile(1)) {
		t.Error("reset left something")
	}
}
