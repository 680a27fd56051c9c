package thing

import (
	"fmt"

	"github.com/matou-iot/matou/internal/wording"
)

// The stable words of the enumerations, as REST and the command line show them.
var (
	kindWords    = []string{Int32: "int32", Int64: "int64", Float: "float", Double: "double", Bool: "bool", Enum: "enum", Text: "text", Date: "date", Struct: "struct", Array: "array", Bitmap: "bitmap"}
	accessWords  = []string{ReadOnly: "read-only", ReadWrite: "read-write", WriteOnly: "write-only"}
	levelWords   = []string{Info: "info", Alert: "alert", Fault: "error"}
	mistakeWords = []string{NoMistake: "none", Unknown: "unknown", WrongType: "wrong-type", OutOfRange: "out-of-range", OffStep: "off-step", NotListed: "not-listed", TooLong: "too-long", Missing: "missing", NotWritable: "not-writable", BadTime: "bad-time"}
)

func word[T ~byte](words []string, v T) string {
	if int(v) < len(words) && words[v] != "" {
		return words[v]
	}
	return fmt.Sprintf("unknown-%d", byte(v))
}

func unword[T ~byte](what string, words []string, text []byte, to *T) error {
	for i, w := range words {
		if w != "" && w == string(text) {
			*to = T(i)
			return nil
		}
	}
	return wording.Errorf("thing: %q is no %s", text, wording.Term(what))
}

// String is the kind's word.
func (k Kind) String() string { return word(kindWords, k) }

// MarshalText writes the kind's word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's word.
func (k *Kind) UnmarshalText(text []byte) error { return unword("data type", kindWords, text, k) }

// String is the access's word.
func (a Access) String() string { return word(accessWords, a) }

// MarshalText writes the access's word.
func (a Access) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an access's word.
func (a *Access) UnmarshalText(text []byte) error { return unword("access", accessWords, text, a) }

// String is the level's word.
func (l Level) String() string { return word(levelWords, l) }

// MarshalText writes the level's word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a level's word.
func (l *Level) UnmarshalText(text []byte) error { return unword("event level", levelWords, text, l) }

// String is the mistake's word.
func (m Mistake) String() string { return word(mistakeWords, m) }

// MarshalText writes the mistake's word.
func (m Mistake) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mistake's word.
func (m *Mistake) UnmarshalText(text []byte) error { return unword("mistake", mistakeWords, text, m) }
