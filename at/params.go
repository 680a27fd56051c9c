package at

import (
	"strconv"
	"strings"
)

// A Kind says how a parameter is written.
type Kind byte

// The kinds of parameters.
const (
	Omitted Kind = iota // nothing between two commas
	Number              // 12, -1
	String              // "text"
	Word                // anything else: TCP, 0x1F, CMNET
)

// An Arg is one parameter.
type Arg struct {
	Kind Kind
	Text string // without quotes and escapes
}

// Str is a quoted string, Num a number, Raw a word without quotes.
func Str(s string) Arg { return Arg{String, s} }

// Num is a decimal number.
func Num(n int) Arg { return Arg{Number, strconv.Itoa(n)} }

// Flag is a Number that says yes or no: 1 or 0.
func Flag(yes bool) Arg {
	if yes {
		return Num(1)
	}
	return Num(0)
}

// Raw is a word without quotes. It must hold no comma, quote or space.
func Raw(word string) Arg { return Arg{Word, word} }

// Int is the value of a number, also of one between quotes.
func (a Arg) Int() (n int, ok bool) {
	if a.Kind != Number && a.Kind != String {
		return 0, false
	}
	n, err := strconv.Atoi(a.Text)
	return n, err == nil
}

// Join writes parameters between commas. A string that the dialect has no way
// to write is an error: line ends anywhere, quotes in V250.
func (d Dialect) Join(args ...Arg) (string, error) {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(',')
		}
		switch a.Kind {
		case String:
			if bad := strings.IndexAny(a.Text, "\r\n\x00"); bad >= 0 {
				return "", &SyntaxError{a.Text, bad, "a line end or NUL, which no quoted parameter can hold"}
			}
			if bad := strings.IndexByte(a.Text, '"'); bad >= 0 && d == V250 {
				return "", &SyntaxError{a.Text, bad, "a quote, which a cellular module takes as the end of the string"}
			}
			b.WriteByte('"')
			if d == Espressif {
				escapes.WriteString(&b, a.Text)
			} else {
				b.WriteString(a.Text)
			}
			b.WriteByte('"')
		default:
			if bad := strings.IndexAny(a.Text, ",\"\r\n\x00 ;"); bad >= 0 {
				return "", &SyntaxError{a.Text, bad, "a byte that needs quotes"}
			}
			b.WriteString(a.Text)
		}
	}
	return b.String(), nil
}

// escapes also covers the comma, which ESP-AT wants escaped inside quotes and
// AT 1.7 takes either way [ESP-AT v2.2 AT command types].
var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `,`, `\,`)

// Args reads all parameters of a Set command. An empty text holds none.
func (d Dialect) Args(params string) ([]Arg, error) {
	if params == "" {
		return nil, nil
	}
	var args []Arg
	p := d.Params(params)
	for {
		a, err := p.Next()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if !p.More() {
			return args, nil
		}
	}
}

// Params reads parameters one after another from the left, as modules do: so
// each can be judged before the next one is looked at, and a message that
// holds quotes and commas itself can be taken by its length.
type Params struct {
	dialect Dialect
	text    string
	pos     int
	more    bool
}

// Params begins to read the parameters of a command.
func (d Dialect) Params(params string) *Params {
	return &Params{dialect: d, text: params, more: params != ""}
}

// More reports whether another parameter follows: something was given, or the
// last one ended with a comma.
func (p *Params) More() bool { return p.more }

// Next reads one parameter and the comma after it. With none left it returns
// an Omitted one.
func (p *Params) Next() (Arg, error) {
	if !p.more {
		return Arg{}, nil
	}
	p.spaces()
	a := Arg{}
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		s, err := p.quoted()
		if err != nil {
			return Arg{}, err
		}
		a = Str(s)
		p.spaces()
		if p.pos < len(p.text) && p.text[p.pos] != ',' {
			return Arg{}, &SyntaxError{p.text, p.pos, "no comma after a quoted string"}
		}
	} else {
		a = word(p.bare())
	}
	p.more = p.pos < len(p.text)
	if p.more {
		p.pos++ // the comma
	}
	return a, nil
}

// Rest is everything that has not been read, as written.
func (p *Params) Rest() string { return p.text[p.pos:] }

// Take reads exactly n bytes as they are. ok is false, and nothing is read, if
// fewer are left.
func (p *Params) Take(n int) (text string, ok bool) {
	if n < 0 || n > len(p.text)-p.pos {
		return "", false
	}
	text = p.text[p.pos : p.pos+n]
	p.pos += n
	p.more = p.pos < len(p.text)
	return text, true
}

func (p *Params) spaces() {
	for p.dialect == V250 && p.pos < len(p.text) && p.text[p.pos] == ' ' {
		p.pos++
	}
}

// bare reads up to the next comma. In V250 spaces around it do not count.
func (p *Params) bare() string {
	start := p.pos
	if i := strings.IndexByte(p.text[start:], ','); i >= 0 {
		p.pos += i
	} else {
		p.pos = len(p.text)
	}
	text := p.text[start:p.pos]
	if p.dialect == V250 {
		text = strings.TrimRight(text, " ")
	}
	return text
}

// quoted reads a string, its quotes included.
func (p *Params) quoted() (string, error) {
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.pos = i + 1
			return b.String(), nil
		case c == '\\' && p.dialect == Espressif && i+1 < len(p.text):
			i++
			b.WriteByte(p.text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", &SyntaxError{p.text, p.pos, "a string that does not end"}
}

// word tells numbers from other words.
func word(text string) Arg {
	if text == "" {
		return Arg{}
	}
	if digits := strings.TrimPrefix(text, "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return Arg{Number, text}
	}
	return Arg{Word, text}
}
