package transcript

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape writes bytes so that a person can read them and Parse gives them back.
// last says that nothing follows on the line.
func escape(data []byte, last bool) string {
	var b strings.Builder
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch c := data[i]; {
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\\':
			b.WriteString(`\\`)
		case c == '{' && i+1 < len(data) && data[i+1] == '{', c == '{' && i+1 == len(data) && !last:
			b.WriteString(`\{`)
		case c == ' ' && last && i+1 == len(data):
			b.WriteString(`\x20`)
		case r == utf8.RuneError && n == 1 || !unicode.IsPrint(r):
			for _, c := range data[i : i+n] {
				fmt.Fprintf(&b, `\x%02X`, c)
			}
		default:
			b.Write(data[i : i+n])
		}
		i += n
	}
	return b.String()
}

// unescape reads the escape at the beginning of text, which begins with a
// backslash, and returns how long it is.
func unescape(text string) (c byte, n int, err error) {
	if len(text) < 2 {
		return 0, 0, fmt.Errorf(`\ at the end of the line: write \\`)
	}
	switch text[1] {
	case 'r':
		return '\r', 2, nil
	case 'n':
		return '\n', 2, nil
	case 't':
		return '\t', 2, nil
	case '\\', '{':
		return text[1], 2, nil
	case 'x':
		if len(text) < 4 {
			return 0, 0, fmt.Errorf(`%s: two hexadecimal digits belong to \x`, text)
		}
		high, low := hex(text[2]), hex(text[3])
		if high < 0 || low < 0 {
			return 0, 0, fmt.Errorf(`%s: two hexadecimal digits belong to \x`, text[:4])
		}
		return byte(high<<4 | low), 4, nil
	}
	return 0, 0, fmt.Errorf(`\%c is no escape: there are \r \n \t \\ \{ \xHH`, text[1])
}

func hex(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }
