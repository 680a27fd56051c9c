package at

import (
	"bytes"
	"fmt"
	"strings"
)

// A Form is the way in which a command is asked.
type Form byte

// The four forms of a command.
const (
	Execute Form = iota // AT+RST
	Test                // AT+CWMODE=?
	Query               // AT+CWMODE?
	Set                 // AT+CWMODE=1, ATE0
)

func (f Form) String() string {
	switch f {
	case Execute:
		return "execute"
	case Test:
		return "test"
	case Query:
		return "query"
	case Set:
		return "set"
	}
	return fmt.Sprintf("Form(%d)", byte(f))
}

// A Command is one command of a line.
type Command struct {
	Name   string // what follows AT: "" for AT alone, "E", "&F", "+CIPSTART"; upper case in V250
	Form   Form
	Params string // of Set: what follows "=", or the name in ATE0, as written. See Dialect.Args.
}

// Set makes a Command with parameters. It fails if one of them cannot be
// written in the dialect.
func (d Dialect) Set(name string, args ...Arg) (Command, error) {
	params, err := d.Join(args...)
	if err != nil {
		return Command{}, fmt.Errorf("AT%s: %w", name, err)
	}
	return Command{Name: name, Form: Set, Params: params}, nil
}

// Append adds the command as it is written, AT included, line end not.
func (c Command) Append(b []byte) []byte {
	b = append(b, "AT"...)
	return c.appendBody(b)
}

// appendBody is Append without AT, as a command is written after ";".
func (c Command) appendBody(b []byte) []byte {
	b = append(b, c.Name...)
	switch c.Form {
	case Test:
		return append(b, "=?"...)
	case Query:
		return append(b, '?')
	case Set:
		if !joinsDigits(c.Name, c.Params) {
			b = append(b, '=')
		}
		return append(b, c.Params...)
	}
	return b
}

// String is the command as it is written.
func (c Command) String() string { return string(c.Append(nil)) }

// joinsDigits reports whether parameters follow the name without "=", as in
// ATE0 and AT&D2. Registers are the exception: ATS3=13.
func joinsDigits(name, params string) bool {
	if name == "" || extended(name[0]) || params == "" || strings.Trim(params, "0123456789") != "" {
		return false
	}
	last := name[len(name)-1]
	return last < '0' || last > '9'
}

// extended reports whether a name that begins with c is one of those that take
// "=" and are joined with ";". Vendors use other signs besides "+".
func extended(c byte) bool { return strings.IndexByte("+^%$*#!", c) >= 0 }

// Parse reads a line that holds one command, with or without its line end.
// Whatever stands before the first AT or at is passed over, as modules do.
// In V250, where a line may hold several, use ParseLine.
func (d Dialect) Parse(line []byte) (Command, error) {
	if d == Espressif {
		return parseEspressif(line)
	}
	commands, err := d.ParseLine(line)
	if err != nil {
		return Command{}, err
	}
	if len(commands) != 1 {
		return Command{}, &SyntaxError{string(line), 0, "more than one command"}
	}
	return commands[0], nil
}

// ParseLine reads all commands of a line: AT+CMEE=2;+CREG? holds two, ATE0V1
// as well. An Espressif line always holds one.
func (d Dialect) ParseLine(line []byte) ([]Command, error) {
	if d == Espressif {
		c, err := parseEspressif(line)
		if err != nil {
			return nil, err
		}
		return []Command{c}, nil
	}
	return parseV250(line)
}

// FindAT returns where the first AT begins in b, -1 if nowhere: both letters
// of one case, in V250 also At and aT.
func (d Dialect) FindAT(b []byte) int {
	for i := 0; i+1 < len(b); i++ {
		switch string(b[i : i+2]) {
		case "AT", "at":
			return i
		case "At", "aT":
			if d == V250 {
				return i
			}
		}
	}
	return -1
}

// body cuts the line end off and everything up to and including AT.
func (d Dialect) body(line []byte) (text string, err error) {
	line = bytes.TrimRight(line, "\r\n")
	i := d.FindAT(line)
	if i < 0 {
		return "", &SyntaxError{string(line), 0, "no AT"}
	}
	if end := bytes.IndexAny(line[i:], "\r\n"); end >= 0 {
		return "", &SyntaxError{string(line), i + end, "a line end inside the line"}
	}
	return string(line[i+2:]), nil
}

// parseEspressif follows the splitting of AT 1.7: the name ends at the first
// "=", "?" or digit, and nothing may follow "?" or "=?".
func parseEspressif(line []byte) (Command, error) {
	text, err := Espressif.body(line)
	if err != nil {
		return Command{}, err
	}
	end := strings.IndexAny(text, "=?0123456789")
	if end < 0 {
		end = len(text)
	}
	c, rest := Command{Name: text[:end]}, text[end:]
	if i := strings.IndexFunc(c.Name, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 {
		return Command{}, &SyntaxError{text, i, "a space or an unprintable byte in the name"}
	}
	switch {
	case rest == "":
	case rest == "?":
		c.Form = Query
	case rest == "=?":
		c.Form = Test
	case rest[0] == '?':
		return Command{}, &SyntaxError{text, end + 1, `something after "?"`}
	case rest[0] == '=':
		c.Form, c.Params = Set, rest[1:]
	default:
		c.Form, c.Params = Set, rest
	}
	return c, nil
}
