package wording

import "strings"

// HalfWidth is the character of ASCII that a full-width one stands for, as input
// methods for Chinese make them; any other character is itself.
func HalfWidth(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '\u3000':
		return ' '
	}
	return r
}

// wideMost is how many characters FullWidth shows.
const wideMost = 8

// FullWidth are the full-width characters of a text, each once and few of them:
// the text may be a secret. "" for none.
func FullWidth(s string) (wide string) {
	n := 0
	for _, r := range s {
		if HalfWidth(r) != r && !strings.ContainsRune(wide, r) && n < wideMost {
			wide += string(r)
			n++
		}
	}
	return wide
}
