package yamldoc

import (
	"fmt"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// A stumble is what the YAML reader says of broken YAML, and what that means.
type stumble struct {
	says  string
	means error
	// above: its parser, unlike its scanner, counts lines from 0. Where what is
	// broken began further up, the line is the one where it began.
	above bool
}

var stumbles = []stumble{
	{"mapping values are not allowed in this context", wording.Errorf("a colon stands where none belongs: indent the line as its neighbours are, or put the value in quotes"), false},
	{"found character that cannot start any token", wording.Errorf("no value begins like this: indent with blanks, not with tabs, and put a text that begins with @, %%, ` or such in quotes"), false},
	{"found a tab character that violates indentation", wording.Errorf("a tab stands in the indentation: indent with blanks"), false},
	{"found a tab character where an indentation space is expected", wording.Errorf("a tab stands in the indentation: indent with blanks"), false},
	{"could not find expected ':'", wording.Errorf("a name without a value: write name: value, with a blank after the colon"), false},
	{"found unexpected end of stream", wording.Errorf("the text ends within quotes that begin here: close them"), false},
	{"found unknown escape character", wording.Errorf(`an unknown \ within double quotes: write \\, or use single quotes`), false},
	{"block sequence entries are not allowed in this context", wording.Errorf("a list with - begins on a line of its own, below its name"), false},
	{"mapping keys are not allowed in this context", wording.Errorf("a question mark stands where none belongs: put the value in quotes"), false},
	{"did not find expected alphabetic or numeric character", wording.Errorf("a text that begins with * or & belongs in quotes"), false},
	{"control characters are not allowed", wording.Errorf("it holds control characters: is it text, and UTF-8?"), false},
	{"did not find expected key", wording.Errorf("the lines from here on are not indented alike: give names of one level the same number of blanks"), true},
	{"did not find expected '-' indicator", wording.Errorf("the lines from here on are not indented alike: give entries of one list the same number of blanks before the -"), true},
	{"did not find expected ',' or ']'", wording.Errorf("a list in [ ] is not closed, or a comma is missing"), true},
	{"did not find expected ',' or '}'", wording.Errorf("a { } is not closed, or a comma is missing"), true},
	{"did not find expected node content", wording.Errorf("a value is missing"), true},
	{"did not find expected <document start>", wording.Errorf("what stands here belongs to nothing: is the line above indented as this one is?"), true},
	{"found undefined tag handle", wording.Errorf("a text that begins with ! belongs in quotes"), true},
}

// syntax makes an Error of what the YAML reader says: "yaml: line 3: …".
func (d *Doc) syntax(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	e := &Error{File: d.file, Line: 1} // of the first line it names none
	named := false
	if n, err := fmt.Sscanf(text, "line %d:", &e.Line); n == 1 && err == nil {
		_, text, _ = strings.Cut(text, ": ")
		named = true
	}
	e.said = wording.Errorf("%s; is it YAML, indented with blanks?", text)
	for _, s := range stumbles {
		if s.says != text {
			continue
		}
		if e.said = s.means; s.above && named {
			e.Line++
		}
	}
	if strings.Contains(text, "UTF-8") || strings.Contains(text, "UTF-16") {
		e.said = wording.Errorf("it is not UTF-8: save it as UTF-8 in your editor")
	}
	e.Reason = e.said.Error()
	return e
}
