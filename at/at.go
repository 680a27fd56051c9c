// Package at is the AT language that hosts and modules speak over a serial
// line: commands and their parameters, result words, and the scanner that cuts
// what a module says into lines, prompts and counted data.
//
// It knows the grammar and nothing of any module's commands. Nothing in it
// touches a port, a clock or a goroutine: bytes go in, values come out.
// Recorded conversations are in at/transcript.
package at

import "fmt"

// A Dialect is one of the two families of rules. They look alike on a terminal
// and differ in escapes, spaces, case and how commands are joined.
type Dialect byte

const (
	// Espressif is the dialect of ESP8266 AT 0.x to 1.7 and of ESP-AT: a line
	// ends with CR LF and holds one command, names are exact, no spaces, a
	// backslash in a quoted string takes the next byte as it is.
	Espressif Dialect = iota
	// V250 is the dialect of cellular modules [V.250, 27.007]: a line ends with
	// CR, commands may be joined with ";", names are read without regard to
	// case, spaces outside strings are ignored, and a quoted string has no
	// escape: the next quote ends it.
	V250
)

func (d Dialect) String() string {
	switch d {
	case Espressif:
		return "Espressif"
	case V250:
		return "V.250"
	}
	return fmt.Sprintf("Dialect(%d)", byte(d))
}

// A SyntaxError says where a command line or its parameters break the grammar.
type SyntaxError struct {
	Text    string // what was read
	Pos     int    // byte of Text where it broke
	Problem string // what was expected there
}

func (e *SyntaxError) Error() string {
	const most = 80 // a line from outside may be long
	text := e.Text
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("at: %s at byte %d of %q", e.Problem, e.Pos, text)
}
