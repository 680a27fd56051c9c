package packet

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/wording"
)

// A Hex is bytes that JSON carries as hexadecimal digits.
type Hex []byte

// MarshalText writes two digits a byte.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// A HexError says where a text stops being hexadecimal.
type HexError struct {
	Offset int // in bytes of the text
	Detail string

	said error
}

func (e *HexError) Error() string { return fmt.Sprintf("hex at offset %d: %s", e.Offset, e.Detail) }

// Wording is what the sentence was made of.
func (e *HexError) Wording() error { return wording.Errorf("hex at offset %d: %w", e.Offset, e.said) }

func notHex(offset int, format string, args ...any) error {
	said := wording.Errorf(format, args...)
	return &HexError{offset, said.Error(), said}
}

// ParseHex reads bytes as people paste them: digits in pairs or longer groups,
// with or without 0x or \x before a group, between blanks, line ends, commas,
// semicolons, colons or dashes, as a C array with its braces and comments. A
// group of one digit needs 0x before it. The error is a *HexError.
func ParseHex(s string) ([]byte, error) {
	p := hexParser{s: s, end: len(s)}
	if open := strings.IndexByte(s, '{'); open >= 0 {
		p.off = open + 1
		if shut := strings.IndexByte(s[p.off:], '}'); shut >= 0 {
			p.end = p.off + shut
		}
	}
	for p.skip(); p.off < p.end; p.skip() {
		if err := p.group(); err != nil {
			return nil, err
		}
	}
	if len(p.out) == 0 {
		return nil, notHex(p.off, "no digits")
	}
	return p.out, nil
}

type hexParser struct {
	s        string
	off, end int
	out      []byte
}

// separators may stand between groups, as often as they like.
const separators = " \t\r\n,;:-"

// skip passes what may stand between groups.
func (p *hexParser) skip() {
	for p.off < p.end {
		rest := p.s[p.off:p.end]
		switch {
		case strings.IndexByte(separators, rest[0]) >= 0:
			p.off++
		case strings.HasPrefix(rest, "//"):
			p.pass("\n")
		case strings.HasPrefix(rest, "/*"):
			p.pass("*/")
		default:
			return
		}
	}
}

// pass goes behind the next stop, or to the end.
func (p *hexParser) pass(stop string) {
	if i := strings.Index(p.s[p.off:p.end], stop); i >= 0 {
		p.off += i + len(stop)
		return
	}
	p.off = p.end
}

// group reads digits that stand together.
func (p *hexParser) group() error {
	prefixed := false
	for _, prefix := range []string{"0x", "0X", `\x`} {
		if strings.HasPrefix(p.s[p.off:p.end], prefix) {
			prefixed = true
			p.off += len(prefix)
			break
		}
	}
	start := p.off
	for p.off < p.end && isHexDigit(p.s[p.off]) {
		p.off++
	}
	digits := p.s[start:p.off]
	switch {
	case p.off < p.end && strings.IndexByte(separators+`/\`, p.s[p.off]) < 0:
		r, _ := utf8.DecodeRuneInString(p.s[p.off:])
		return notHex(p.off, "%q is not a hexadecimal digit", r)
	case digits == "":
		return notHex(p.off, "digits are missing")
	case len(digits) == 1 && prefixed:
		digits = "0" + digits
	case len(digits)%2 == 1:
		if len(digits) == 1 {
			return notHex(start, "1 digit, but a byte has two")
		}
		return notHex(start, "%d digits, but a byte has two", len(digits))
	}
	p.out, _ = hex.AppendDecode(p.out, []byte(digits)) // they are digits, in pairs
	return nil
}

func isHexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
