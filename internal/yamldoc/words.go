package yamldoc

import (
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/wording"
)

// Switch reads true, on, yes and their opposites.
func Switch(s string) (on, ok bool) {
	switch strings.ToLower(s) {
	case "true", "on", "yes":
		return true, true
	case "false", "off", "no":
		return false, true
	}
	return false, false
}

// Bool is Switch with an error that names the remedy.
func Bool(s string) (bool, error) {
	on, ok := Switch(s)
	if !ok {
		return false, wording.Errorf("%q is no switch: write true or false", s)
	}
	return on, nil
}

// Int reads a whole number: 1000000 or 1_000_000.
func Int(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
	if err == nil {
		return n, nil
	}
	if bytes, ok := size(s); ok {
		return 0, wording.Errorf("%q is no whole number: write the bytes, %d", s, bytes)
	}
	return 0, wording.Errorf("%q is no whole number", s)
}

// size reads 64K, 1MiB and 512 MB, which are counted in powers of 1,024.
func size(s string) (int64, bool) {
	digits := strings.TrimLeft(s, "0123456789")
	n, err := strconv.ParseInt(s[:len(s)-len(digits)], 10, 32)
	if err != nil {
		return 0, false
	}
	switch strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(digits)), "B"), "I") {
	case "K":
		return n << 10, true
	case "M":
		return n << 20, true
	case "G":
		return n << 30, true
	}
	return 0, false
}

// Duration reads 10s, 1m30s, 2d; 0 needs no unit.
func Duration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 10_000 {
			return time.Duration(n * float64(24*time.Hour)), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, wording.Errorf("%q is no time: write it with its unit, such as 500ms, 10s, 1m30s, 2h or 1d", s)
	}
	if d < 0 {
		return 0, wording.Errorf("%q is below 0", s)
	}
	return d, nil
}

// A Share is a part of a whole: 25%, or 0.25.
type Share float64

// UnmarshalText reads a share from 0 to 1.
func (s *Share) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) {
		return wording.Errorf("%q is no share: write 0%% to 100%%, or 0 to 1", text)
	}
	*s = Share(f)
	return nil
}

// String writes a share as percent.
func (s Share) String() string { return strconv.FormatFloat(float64(s)*100, 'g', 6, 64) + "%" }

// Nearest is the word of known that somebody who wrote s most likely meant,
// "" where none is near.
func Nearest(s string, known []string) string {
	best, bound := "", 1+len(s)/4
	for _, k := range known {
		if d := distance(strings.ToLower(s), strings.ToLower(k), bound); d <= bound {
			best, bound = k, d-1
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap, up to a
// little over bound.
func distance(a, b string, bound int) int {
	if len(a)-len(b) > bound || len(b)-len(a) > bound || len(a) > 64 {
		return bound + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
