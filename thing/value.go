package thing

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/matou-iot/matou/internal/wording"
)

// A Value is one value as a device sent it or as the cloud sends it. It is
// small and copied freely; scalars cost no allocation.
type Value struct {
	Shape Shape
	Bool  bool    // Shape Boolean
	Int   int64   // Shape Integer
	Float float64 // Shape Real; never NaN or infinite
	Text  string  // Shape String: the text; Shape Object and List: compact strict JSON
}

// A Shape is what a value looks like on the wire, before any model was asked.
type Shape byte

// The shapes, JSON's with numbers split in two.
const (
	Null Shape = iota
	Boolean
	Integer // a number without fraction or exponent that fits int64
	Real
	String
	Object
	List
)

// NullValue is JSON's null.
var NullValue = Value{}

// BoolValue makes a Boolean.
func BoolValue(b bool) Value { return Value{Shape: Boolean, Bool: b} }

// IntValue makes an Integer.
func IntValue(i int64) Value { return Value{Shape: Integer, Int: i} }

// FloatValue makes a Real, or Null of a number that JSON cannot say.
func FloatValue(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return NullValue
	}
	return Value{Shape: Real, Float: f}
}

// TextValue makes a String.
func TextValue(s string) Value { return Value{Shape: String, Text: s} }

// ObjectValue makes an Object of compact strict JSON, which it does not check.
func ObjectValue(json string) Value { return Value{Shape: Object, Text: json} }

// ListValue makes a List of compact strict JSON, which it does not check.
func ListValue(json string) Value { return Value{Shape: List, Text: json} }

// AppendJSON appends v as compact JSON.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Shape {
	case Boolean:
		return strconv.AppendBool(dst, v.Bool)
	case Integer:
		return strconv.AppendInt(dst, v.Int, 10)
	case Real:
		return appendFloat(dst, v.Float)
	case String:
		return AppendText(dst, v.Text)
	case Object, List:
		return append(dst, v.Text...)
	}
	return append(dst, "null"...)
}

// appendFloat writes a number as encoding/json does: the shortest text that
// reads back the same, with an exponent only where it would be very long.
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

const hexDigits = "0123456789abcdef"

// AppendText appends a JSON string; only what must be escaped is, and an
// invalid byte becomes U+FFFD.
func AppendText[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	plain := 0 // where what is written as it is began
	for i := 0; i < len(s); {
		c, r, n := s[i], rune(0), 1
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		}
		if r != utf8.RuneError && c >= 0x20 && c != '"' && c != '\\' {
			i += n
			continue
		}
		dst = append(dst, s[plain:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			if r == utf8.RuneError {
				dst = utf8.AppendRune(dst, r)
			} else {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		i += n
		plain = i
	}
	dst = append(dst, s[plain:]...)
	return append(dst, '"')
}

// MarshalJSON writes v as compact JSON.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// UnmarshalJSON reads strict JSON.
func (v *Value) UnmarshalJSON(doc []byte) (err error) {
	*v, err = ParseValue(doc)
	return err
}

// ParseValue reads one strict JSON value.
func ParseValue(doc []byte) (Value, error) {
	doc = bytes.TrimSpace(doc)
	if !json.Valid(doc) {
		return Value{}, wording.Errorf("thing: %s is not JSON", quoteShort(string(doc)))
	}
	switch doc[0] {
	case 'n':
		return NullValue, nil
	case 't', 'f':
		return BoolValue(doc[0] == 't'), nil
	case '"':
		var s string
		err := json.Unmarshal(doc, &s)
		return TextValue(s), err
	case '{', '[':
		var b bytes.Buffer
		if err := json.Compact(&b, doc); err != nil {
			return Value{}, err
		}
		if doc[0] == '{' {
			return ObjectValue(b.String()), nil
		}
		return ListValue(b.String()), nil
	}
	return ParseNumber(string(doc))
}

// ParseNumber reads a JSON number: an Integer without fraction or exponent
// that fits int64, a Real otherwise. One too large for a Real is an error.
func ParseNumber(s string) (Value, error) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return IntValue(i), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return Value{}, wording.Errorf("thing: %s is not a number that can be kept", quoteShort(s))
	}
	return FloatValue(f), nil
}

// String is v for people: text without quotes, everything else as JSON.
func (v Value) String() string {
	if v.Shape == String {
		return v.Text
	}
	return string(v.AppendJSON(nil))
}

// Number is v for charts: a switch is 0 or 1. It reports false where v is no
// number.
func (v Value) Number() (float64, bool) {
	switch v.Shape {
	case Boolean:
		if v.Bool {
			return 1, true
		}
		return 0, true
	case Integer:
		return float64(v.Int), true
	case Real:
		return v.Float, true
	}
	return 0, false
}

// maxQuoted bounds what a sentence repeats of what came.
const maxQuoted = 40

func quoteShort(s string) string {
	if len(s) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}

// Depth is how many objects and lists of v stand inside one another.
func (v Value) Depth() int {
	if v.Shape != Object && v.Shape != List {
		return 0
	}
	depth, deepest, inText := 0, 0, false
	for i := 0; i < len(v.Text); i++ {
		switch c := v.Text[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}
