package transcript

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// An Error says which line of a transcript cannot be read, and why.
type Error struct {
	Name string // of the file, may be empty
	Line int
	Err  error
}

func (e *Error) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("transcript line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ReadFile reads a transcript from a file.
func ReadFile(name string) (*Transcript, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t, err := Parse(string(text))
	if e, ok := errors.AsType[*Error](err); ok {
		e.Name = name
	}
	return t, err
}

// Parse reads a transcript. Its errors are of type *Error.
func Parse(text string) (*Transcript, error) {
	t := &Transcript{}
	var comment strings.Builder
	number := 0
	for row := range strings.Lines(text) {
		number++
		row = strings.TrimRight(row, "\r\n")
		if row == "" || row[0] == '#' {
			comment.WriteString(row + "\n")
			continue
		}
		l, err := parseLine(row)
		if err != nil {
			return nil, &Error{Line: number, Err: err}
		}
		l.Comment, l.Number = comment.String(), number
		comment.Reset()
		t.Lines = append(t.Lines, l)
	}
	t.Tail = comment.String()
	return t, nil
}

func parseLine(row string) (Line, error) {
	l := Line{Time: -1}
	if stamp, rest, found := strings.Cut(row, " "); found && strings.HasPrefix(stamp, "@") {
		at, err := time.ParseDuration(stamp[1:])
		if err != nil || at < 0 {
			return l, fmt.Errorf("%s is no time: write it like @1.250s", stamp)
		}
		l.Time, row = at.Round(time.Millisecond), rest
	}
	mark, text, _ := strings.Cut(row, " ")
	switch mark {
	case ">", "<", "!":
		l.Mark = Mark(mark[0])
	default:
		return l, errors.New(`a line begins with ">", "<" or "!" and a space, or with "#"`)
	}
	var err error
	l.Parts, err = parseParts(text)
	if err == nil && len(l.Parts) == 0 {
		err = errors.New("nothing is said")
	}
	return l, err
}

// parseParts reads what is said.
func parseParts(text string) (parts []Part, err error) {
	for len(text) > 0 {
		switch {
		case text[0] == '\\':
			c, n, err := unescape(text)
			if err != nil {
				return nil, err
			}
			parts, text = join(parts, []byte{c}), text[n:]
		case strings.HasPrefix(text, "{{"):
			p, n, err := parsePlaceholder(text)
			if err != nil {
				return nil, err
			}
			parts, text = append(parts, p), text[n:]
		default:
			parts, text = join(parts, []byte(text[:1])), text[1:]
		}
	}
	return parts, nil
}

// parsePlaceholder reads {{name}} or {{name:regexp}}. The expression ends at
// the last "}" of a run, so that \d{2}}} is \d{2}.
func parsePlaceholder(text string) (p Part, n int, err error) {
	end := strings.Index(text, "}}")
	if end < 0 {
		return p, 0, errors.New(`"{{" without "}}": write \{{ for the bytes themselves`)
	}
	for end+2 < len(text) && text[end+2] == '}' {
		end++
	}
	name, pattern, _ := strings.Cut(text[2:end], ":")
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return p, 0, fmt.Errorf("{{%s}}: a name has letters, digits and _ only", name)
	}
	p, err = placeholder(name, pattern)
	return p, end + 2, err
}
