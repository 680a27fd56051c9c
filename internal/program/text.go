package program

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
	"unicode"
)

// functions are what templates call.
var functions = template.FuncMap{
	"c":         cString,
	"json":      jsonString,
	"python":    jsonString, // JSON's escapes of what may be in these texts are Python's, too
	"comment":   oneLine,
	"hex":       hex.EncodeToString,
	"rows":      rows,
	"at":        atString,
	"join":      strings.Join,
	"len":       func(v any) (int, error) { return length(v) },
	"last":      func(i, n int) bool { return i == n-1 },
	"key":       func(id string) string { return jsonString(id) + ":" },
	"subscript": func(name string) string { return "[" + jsonString(name) + "]" },
	"scaled":    scaled,
	"goSample":  goSample,
}

func length(v any) (int, error) {
	switch v := v.(type) {
	case string:
		return len(v), nil
	case []byte:
		return len(v), nil
	case []member:
		return len(v), nil
	case []string:
		return len(v), nil
	}
	return 0, fmt.Errorf("no length of a %T", v)
}

// oneLine makes a text fit for a comment of any language: one line, without
// what ends a comment or continues a line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	return strings.TrimRight(strings.NewReplacer("*/", "* /", "/*", "/ *", "??/", "?? /").Replace(s), `\ `)
}

// identifier makes a name fit for C.
func identifier(id string) string {
	s := strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '_'
	}, id)
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "p" + s
	}
	return s
}

// cString writes a string literal of C: printable ASCII as it is, everything
// else in octal, which three digits end.
func cString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch x := s[i]; {
		case x == '"' || x == '\\':
			b.WriteByte('\\')
			b.WriteByte(x)
		case x == '?': // no trigraphs
			b.WriteString(`\?`)
		case x < ' ' || x > '~':
			fmt.Fprintf(&b, `\%03o`, x)
		default:
			b.WriteByte(x)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// jsonString writes a string literal as JSON, JavaScript, Python and Go read
// it.
func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // of a string, into memory: cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// atString writes a parameter of ESP-AT: quotes, commas and backslashes
// behind a backslash [ESP-AT v2.2].
func atString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `,`, `\,`).Replace(s) + `"`
}

// A row is a line of a C array: the bytes of a field, or a part of them.
type row struct{ Bytes, Comment string }

const rowBytes = 8

// rows writes the fields of a packet as lines of an array. Long texts get
// several lines, each with what it says.
func rows(p shownPacket) []row {
	var all []row
	for _, f := range p.Fields {
		b := p.Bytes[f.Offset : f.Offset+f.Length]
		comment := f.Name
		if f.Meaning != "" {
			comment += ": " + f.Meaning
		}
		if len(b) <= rowBytes {
			all = append(all, row{literal(b), oneLine(comment)})
			continue
		}
		for i := 0; i < len(b); i += rowBytes {
			part := b[i:min(len(b), i+rowBytes)]
			c := printable(part)
			if i == 0 {
				c = f.Name + ": " + c
			}
			all = append(all, row{literal(part), oneLine(c)})
		}
	}
	return all
}

// literal writes bytes as elements of an array.
func literal(b []byte) string {
	var s strings.Builder
	for i, x := range b {
		if i > 0 {
			s.WriteByte(' ')
		}
		fmt.Fprintf(&s, "0x%02x,", x)
	}
	return s.String()
}

// printable shows bytes as text, others as dots.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, string(b))
}

// scaled is the sample of a number without its point.
func scaled(m member) string {
	s := strings.Replace(m.Sample, ".", "", 1)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0" // and not octal
	}
	return sign + s
}

// goSample is a sample as Go's device package takes it.
func goSample(m member) string {
	if m.Kind == "switch" {
		return "true"
	}
	return m.Sample
}
