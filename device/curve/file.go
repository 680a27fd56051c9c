package curve

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
)

// The bounds of a file of values.
const (
	MaxFileBytes = 16 << 20
	maxLines     = 1_000_000
)

// lines are a file's values. Without times a line lasts Spec.Every.
type lines struct {
	at     []time.Duration // nil where the file has no column time
	values []float64
}

// Load takes the content of the file that the curve is made of: CSV with one
// value a line, or columns with a header. A column time, in seconds or as 10s,
// says when each line is due, counted from the first one; the file begins
// again at its end.
func (s *Spec) Load(content []byte) error {
	if len(content) > MaxFileBytes {
		return wording.Errorf("%s is longer than %d bytes", s.File, MaxFileBytes)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xEF\xBB\xBF"))))
	r.Comment, r.TrimLeadingSpace, r.ReuseRecord = '#', true, true
	l, value, when := &lines{}, -1, -1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return wording.Errorf("%s: %w", s.File, err)
		}
		if value < 0 {
			var header bool
			if value, when, header, err = s.columns(record); err != nil {
				return err
			}
			if header {
				continue
			}
		}
		if err := l.add(record, value, when); err != nil {
			line, _ := r.FieldPos(0)
			return wording.Errorf("%s:%d: %w", s.File, line, err)
		}
	}
	if len(l.values) == 0 {
		return wording.Errorf("%s holds no values", s.File)
	}
	s.lines = l
	return nil
}

// columns finds the columns of value and time in the first line.
func (s *Spec) columns(record []string) (value, when int, header bool, err error) {
	value = len(record) - 1
	if _, err := strconv.ParseFloat(record[value], 64); err == nil && s.Column == "" {
		return value, -1, false, nil
	}
	names := slices.Clone(record)
	when = slices.Index(names, "time")
	if s.Column != "" {
		if value = slices.Index(names, s.Column); value < 0 {
			return 0, 0, false, wording.Errorf("%s has no column %q in its first line: there are %s", s.File, s.Column, strings.Join(names, ", "))
		}
	}
	if value == when {
		return 0, 0, false, wording.Errorf("%s has a column of times and none of values", s.File)
	}
	return value, when, true, nil
}

func (l *lines) add(record []string, value, when int) error {
	if len(l.values) == maxLines {
		return wording.Errorf("more than %d lines", maxLines)
	}
	v, err := strconv.ParseFloat(record[value], 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return wording.Errorf("%q is no number", record[value])
	}
	l.values = append(l.values, v)
	if when < 0 {
		return nil
	}
	at, err := offset(record[when])
	if err != nil {
		return err
	}
	if n := len(l.at); n > 0 && at <= l.at[n-1] {
		return wording.Errorf("time %s is not after the one before it", record[when])
	}
	l.at = append(l.at, at)
	return nil
}

// maxOffset is farther than any bench runs, and far from overflow.
const maxOffset = 10_000 * 24 * time.Hour

func offset(s string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) <= maxOffset.Seconds() {
		return time.Duration(f * float64(time.Second)), nil
	}
	d, err := yamldoc.Duration(s)
	if err != nil || d > maxOffset {
		return 0, wording.Errorf("time %q is no time: write seconds, or 1m30s", s)
	}
	return d, nil
}

// line is the value that is due.
func (s *Spec) line(since time.Duration) float64 {
	l := s.lines
	since = max(since, 0)
	if l.at == nil {
		return l.values[int64(since/s.Every)%int64(len(l.values))]
	}
	// The last line lasts Every.
	whole := l.at[len(l.at)-1] - l.at[0] + s.Every
	at := l.at[0] + since%whole
	i := sort.Search(len(l.at), func(i int) bool { return l.at[i] > at })
	return l.values[i-1]
}
