// Package transcript keeps conversations between a host and a module: reads
// them, records them from a port, and plays either side.
//
// A transcript is text, one event a line:
//
//	# joins the network
//	> AT+CSQ\r\n
//	@0.020s < AT+CSQ\r\r\n+CSQ: {{rssi:\d+}},99\r\n\r\nOK\r\n
//
// ">" are bytes from the host to the module, "<" from the module to the host;
// "!" are those that the module says of its own accord. One space follows the
// mark, everything after it counts. Escapes are \r \n \t \\ \{ and \xHH; a
// space at the end of a line is written \x20, for editors drop it. A time
// before the mark counts from the beginning. Lines that are empty or begin
// with "#" are comments.
//
// {{name}} stands for one or more bytes without line ends, as few as fit, and
// {{name:regexp}} for what the expression matches, as little as fits. Line ends
// are among it only if the expression says (?s), as in {{data:(?s).{51}}}. The
// first match gives the name its value; from then on it stands for exactly that.
package transcript

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// maxPlaceholder bounds what one placeholder stands for, in bytes.
const maxPlaceholder = 4096

// A Mark says who speaks.
type Mark byte

// The marks.
const (
	Host   Mark = '>' // host to module
	Module Mark = '<' // module to host
	Event  Mark = '!' // module to host, unasked
)

// from is the speaker: Event is the module as well.
func (m Mark) from() Mark {
	if m == Event {
		return Module
	}
	return m
}

// A Part of a line is either bytes or a placeholder.
type Part struct {
	Bytes   []byte
	Name    string // of the placeholder; "" for bytes
	Pattern string // its expression; "" for the usual one

	match *regexp.Regexp
	lines bool // line ends may be among it
}

// A Line is one event of a conversation.
type Line struct {
	Comment string        // lines before it, with their "#"; ends with a line end
	Time    time.Duration // since the beginning; negative: not known
	Mark    Mark
	Parts   []Part
	Number  int // in the text, from 1; 0 if it comes from no text
}

// A Transcript is a conversation.
type Transcript struct {
	Lines []Line
	Tail  string // comment after the last line
}

// Bytes is what the line says; ok is false if a placeholder is in it.
func (l Line) Bytes() (b []byte, ok bool) {
	for _, p := range l.Parts {
		if p.Name != "" {
			return nil, false
		}
		b = append(b, p.Bytes...)
	}
	return b, true
}

// String is the line as it is written, without comment and line end.
func (l Line) String() string {
	var b strings.Builder
	if l.Time >= 0 {
		fmt.Fprintf(&b, "@%.3fs ", l.Time.Seconds())
	}
	b.WriteByte(byte(l.Mark))
	b.WriteByte(' ')
	for i, p := range l.Parts {
		switch {
		case p.Name == "":
			b.WriteString(escape(p.Bytes, i == len(l.Parts)-1))
		case p.Pattern == "":
			b.WriteString("{{" + p.Name + "}}")
		default:
			b.WriteString("{{" + p.Name + ":" + p.Pattern + "}}")
		}
	}
	return b.String()
}

// String is the text of the transcript. Parse reads it back.
func (t *Transcript) String() string {
	var b strings.Builder
	for _, l := range t.Lines {
		b.WriteString(l.Comment)
		b.WriteString(l.String())
		b.WriteByte('\n')
	}
	b.WriteString(t.Tail)
	return b.String()
}

// usual is what a placeholder stands for that has no expression.
var usual = regexp.MustCompile(`\A(?s:.+)\z`)

func placeholder(name, pattern string) (Part, error) {
	p := Part{Name: name, Pattern: pattern, match: usual, lines: strings.Contains(pattern, "(?s")}
	if pattern == "" {
		return p, nil
	}
	match, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return p, fmt.Errorf("placeholder %s: %w", name, err)
	}
	p.match = match
	return p, nil
}

// join adds bytes to parts, to the last one if that is bytes too.
func join(parts []Part, b []byte) []Part {
	if len(b) == 0 {
		return parts
	}
	if n := len(parts); n > 0 && parts[n-1].Name == "" {
		parts[n-1].Bytes = append(parts[n-1].Bytes, b...)
		return parts
	}
	return append(parts, Part{Bytes: bytes.Clone(b)})
}
