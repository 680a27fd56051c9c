// Package yamldoc reads YAML that people write by hand: strictly, and with
// errors that name the line, the field and the remedy. All mistakes of a
// document are told at once.
//
// It reads into structs by their yaml tags, as encoding packages do, and knows
// maps by text, slices, pointers, durations, switches (true, on, yes) and
// whatever implements encoding.TextUnmarshaler.
package yamldoc

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/matou-iot/matou/internal/wording"
)

// The bounds of a document.
const (
	MaxBytes    = 4 << 20
	maxNodes    = 100_000 // aliases counted as often as they are used
	maxDepth    = 32
	maxMistakes = 20   // told of one document
	keptOfThem  = 1000 // beyond, they are not even counted
)

// An Error is one mistake in a document.
type Error struct {
	File   string
	Line   int    // 0: nowhere in particular
	Field  string // "sensors.Lux.low", "" for the document
	Reason string // what is wrong and how to mend it

	said error // what Reason was made of; nil: the YAML reader says it
}

func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.Field != "" {
		s += ": " + e.Field
	}
	return s + ": " + e.Reason
}

// Wording is what the sentence was made of.
func (e *Error) Wording() error {
	place := strings.TrimSuffix(e.Error(), ": "+e.Reason)
	if e.said == nil {
		return wording.Errorf("%s: %s", place, e.Reason)
	}
	return wording.Errorf("%s: %w", place, e.said)
}

// A Doc is a document that was read. It remembers where each field stands, so
// that what only its reader can check is told with the line as well.
type Doc struct {
	file     string
	lines    map[string]int
	nodes    int
	depth    int
	mistakes []error
}

// Read reads text into v, a pointer to a struct. The errors of the document
// are in the error, joined; file is what they call it.
func Read(file string, text []byte, v any) (*Doc, error) {
	d := &Doc{file: file, lines: map[string]int{}}
	if len(text) > MaxBytes {
		d.Mistake("", "it is longer than %d bytes", MaxBytes)
		return d, d.Err()
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var root, more yaml.Node
	switch err := dec.Decode(&root); {
	case errors.Is(err, io.EOF):
		d.Mistake("", "it is empty")
		return d, d.Err()
	case err != nil:
		return d, d.syntax(err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		d.Mistake("", "it holds a second document after ---: one file, one document")
	}
	d.into(&root, "", v)
	return d, d.Err()
}

// Mistake tells of a mistake in a field that Read could not see.
func (d *Doc) Mistake(field, format string, args ...any) {
	d.mistake(d.Line(field), field, format, args...)
}

func (d *Doc) mistake(line int, field, format string, args ...any) {
	if len(d.mistakes) == keptOfThem {
		return
	}
	said := wording.Errorf(format, args...)
	d.mistakes = append(d.mistakes, &Error{d.file, line, field, said.Error(), said})
}

// Line is where a field stands, or the nearest field around it, 0 for nowhere.
func (d *Doc) Line(field string) int {
	for field != "" {
		if line, ok := d.lines[field]; ok {
			return line
		}
		i := strings.LastIndexAny(field, ".[")
		field = field[:max(i, 0)]
	}
	return 0
}

// Has reports whether the document says something about a field.
func (d *Doc) Has(field string) bool { return d.lines[field] > 0 }

// Err is all mistakes so far, in the order of their lines, nil for none. Those
// without a line come last.
func (d *Doc) Err() error {
	slices.SortStableFunc(d.mistakes, func(a, b error) int { return cmp.Compare(uint(a.(*Error).Line-1), uint(b.(*Error).Line-1)) })
	if n := len(d.mistakes); n > maxMistakes {
		return errors.Join(append(slices.Clone(d.mistakes[:maxMistakes]), wording.Errorf("%s: and %d mistakes more", d.file, n-maxMistakes))...)
	}
	return errors.Join(d.mistakes...)
}
