package thing

import (
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// ParseScalar reads what a person typed as a value of type t: 21.5, on, 2,
// hello, {"lat":1}. For a switch or an enum the text of a label counts too.
func ParseScalar(text string, t *DataType) (Value, error) {
	switch t.Kind {
	case Text:
		return TextValue(text), nil
	case Bool:
		switch strings.ToLower(text) {
		case "1", "true", "on", "yes", "开":
			return BoolValue(true), nil
		case "0", "false", "off", "no", "关":
			return BoolValue(false), nil
		}
	case Struct, Array:
		v, err := ParseValue([]byte(text))
		if err == nil {
			return v, nil
		}
		return Value{}, wording.Errorf("thing: %s is no %s: write it as JSON", quoteShort(text), t)
	default:
		if v, err := ParseNumber(strings.TrimSpace(text)); err == nil {
			return v, nil
		}
	}
	for _, l := range t.Labels {
		if l.Text == text {
			if t.Kind == Bool {
				return BoolValue(l.Value == 1), nil
			}
			return IntValue(l.Value), nil
		}
	}
	return Value{}, wording.Errorf("thing: %s is no %s", quoteShort(text), t)
}
