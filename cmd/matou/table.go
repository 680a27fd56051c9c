package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// A table is rows of cells for people; the first row is the header.
type table [][]string

func (t *table) add(cells ...string) { *t = append(*t, cells) }

// gap is between two columns.
const gap = 3

// print writes the table in columns, without blanks at the ends of lines.
func (t table) print(w io.Writer) {
	var widths []int // of the columns; the last cell of a row widens none
	for _, row := range t {
		for i := range len(row) - 1 {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(visible(row[i])))
		}
	}
	for _, row := range t {
		var line strings.Builder
		for i, cell := range row {
			cell = visible(cell)
			line.WriteString(cell)
			if i+1 < len(row) {
				line.WriteString(strings.Repeat(" ", widths[i]+gap-columns(cell)))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// columns is how many columns of a terminal a text takes: two for a Chinese
// character, none for what stands on the one before it.
func columns(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}

// fields is a table of names and values; without a value a name is left out.
func fields(w io.Writer, pairs ...string) {
	var t table
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			t.add(pairs[i], pairs[i+1])
		}
	}
	t.print(w)
}

// visible writes characters out that would move the cursor or colour the
// terminal: devices may send anything.
func visible(s string) string {
	if !strings.ContainsFunc(s, hidden) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case hidden(r):
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
		s = s[n:]
	}
	return b.String()
}

// hidden reports whether a character is seen by its effect only.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Times for people are in their own zone.
const (
	secondsLayout = "2006-01-02 15:04:05"
	millisLayout  = "2006-01-02 15:04:05.000"
)

func seconds(t time.Time) string { return when(t, secondsLayout) }
func millis(t time.Time) string  { return when(t, millisLayout) }

func when(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(layout)
}

// text shows a JSON value: a string as it is, anything else compact.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && len(raw) > 0 && raw[0] == '"' {
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// document shows JSON that may have come inside a string; null is nothing.
func document(raw json.RawMessage) string {
	if s := text(raw); s != "null" {
		return s
	}
	return ""
}

// pairs shows names and values in order of the names.
func tagged(tags map[string]string) string {
	var out []string
	for _, name := range sorted(tags) {
		if v := tags[name]; v != "" {
			name += "=" + v
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
