package at

import "strings"

// maxCommands bounds the commands of one line.
const maxCommands = 64

// parseV250 reads the commands of a line: basic ones follow one another
// without a sign between, extended ones are set apart by ";" [V.250 §5.2].
func parseV250(line []byte) ([]Command, error) {
	text, err := V250.body(line)
	if err != nil {
		return nil, err
	}
	var commands []Command
	p := v250{text: text}
	for p.spaces(); p.pos < len(p.text); p.spaces() {
		if p.text[p.pos] == ';' {
			p.pos++
			continue
		}
		if len(commands) == maxCommands {
			return nil, p.fail("more than 64 commands")
		}
		c, err := p.command()
		if err != nil {
			return nil, err
		}
		commands = append(commands, c)
	}
	if len(commands) == 0 {
		commands = []Command{{}}
	}
	return commands, nil
}

// v250 is a place in the text of a line.
type v250 struct {
	text string
	pos  int
}

func (p *v250) fail(problem string) error { return &SyntaxError{p.text, p.pos, problem} }

func (p *v250) spaces() {
	for p.pos < len(p.text) && p.text[p.pos] == ' ' {
		p.pos++
	}
}

func (p *v250) command() (Command, error) {
	switch c := p.text[p.pos]; {
	case extended(c):
		return p.extended()
	case c == '&' || c == '\\' || 'A' <= upper(c) && upper(c) <= 'Z':
		return p.basic()
	}
	return Command{}, p.fail("no name of a command")
}

// basic reads E0, &D2, S3=13, S3?, I and D with everything up to ";".
func (p *v250) basic() (Command, error) {
	start := p.pos
	if c := p.text[p.pos]; c == '&' || c == '\\' {
		p.pos++
		if p.pos == len(p.text) || upper(p.text[p.pos]) < 'A' || upper(p.text[p.pos]) > 'Z' {
			return Command{}, p.fail("no letter after & or \\")
		}
	}
	p.pos++
	c := Command{Name: strings.ToUpper(p.text[start:p.pos])}
	if c.Name == "S" {
		register := p.digits()
		if register == "" {
			return Command{}, p.fail("no number of a register after S")
		}
		c.Name += register
	}
	if c.Name == "D" {
		c.Params = p.upTo(';')
	} else if n := p.digits(); n != "" {
		c.Params = n
	}
	if c.Params != "" {
		c.Form = Set
		return c, nil
	}
	return p.form(c)
}

// digits takes the digits that come next, past spaces.
func (p *v250) digits() string {
	p.spaces()
	start := p.pos
	for p.pos < len(p.text) && '0' <= p.text[p.pos] && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.text[start:p.pos]
}

// upTo takes everything before end, or the rest. Quotes shield it.
func (p *v250) upTo(end byte) string {
	start, quoted := p.pos, false
	for ; p.pos < len(p.text) && (quoted || p.text[p.pos] != end); p.pos++ {
		if p.text[p.pos] == '"' {
			quoted = !quoted
		}
	}
	return p.text[start:p.pos]
}

// extended reads a name such as +CREG and its form, up to ";".
func (p *v250) extended() (Command, error) {
	start := p.pos
	for p.pos++; p.pos < len(p.text) && nameByte(p.text[p.pos]); p.pos++ {
	}
	if p.pos == start+1 {
		return Command{}, p.fail("no name of a command")
	}
	c, err := p.form(Command{Name: strings.ToUpper(p.text[start:p.pos])})
	if err != nil {
		return c, err
	}
	p.spaces()
	if p.pos < len(p.text) && p.text[p.pos] != ';' {
		return Command{}, p.fail(`no ";" before the next command`)
	}
	return c, nil
}

// form reads what may follow a name: nothing, "?", "=?" or "=" with
// parameters.
func (p *v250) form(c Command) (Command, error) {
	p.spaces()
	if p.pos == len(p.text) {
		return c, nil
	}
	switch p.text[p.pos] {
	case '?':
		p.pos++
		c.Form = Query
	case '=':
		p.pos++
		c.Form, c.Params = Set, strings.Trim(p.upTo(';'), " ")
		if c.Params == "?" {
			c.Form, c.Params = Test, ""
		}
	}
	return c, nil
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// nameByte reports whether c may stand in an extended name [V.250 §5.4.1].
func nameByte(c byte) bool {
	return 'A' <= upper(c) && upper(c) <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!%-./:_&$", c) >= 0
}
