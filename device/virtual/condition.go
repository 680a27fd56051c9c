package virtual

import (
	"slices"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/thing"
)

// A Condition is a text such as
//
//	Lux < 50 and NightLightSwitch == off or Mode == "night"
//
// Comparisons are joined by and and or; and binds first.
type Condition struct {
	any [][]comparison // one of these, of which all
}

type comparison struct {
	left, right operand
	op          string
}

// An operand is the name of a value, or a value.
type operand struct {
	name  string
	value thing.Value
}

// The bounds of a condition.
const (
	maxCondition = 1000 // bytes
)

var operators = []string{"<=", ">=", "==", "!=", "<", ">", "="}

// ParseCondition reads a condition. The error says what was expected where.
func ParseCondition(text string) (*Condition, error) {
	if len(text) > maxCondition {
		return nil, wording.Errorf("the condition is longer than %d bytes", maxCondition)
	}
	words, err := split(text)
	if err != nil {
		return nil, err
	}
	c := &Condition{any: [][]comparison{nil}}
	for {
		if len(words) < 3 {
			return nil, wording.Errorf("a comparison belongs at the end of %q, for instance Lux < 50", text)
		}
		x := comparison{left: operandOf(words[0]), right: operandOf(words[2]), op: words[1]}
		if !slices.Contains(operators, x.op) {
			return nil, wording.Errorf("%q is no comparison: write <, <=, >, >=, == or !=", x.op)
		}
		for _, w := range []string{words[0], words[2]} {
			if w == "and" || w == "or" || slices.Contains(operators, w) {
				return nil, wording.Errorf("a name or a value belongs where %q stands in %q", w, text)
			}
		}
		last := len(c.any) - 1
		c.any[last] = append(c.any[last], x)
		if words = words[3:]; len(words) == 0 {
			return c, nil
		}
		switch words[0] {
		case "and":
		case "or":
			c.any = append(c.any, nil)
		default:
			return nil, wording.Errorf("and or or belongs before %q", words[0])
		}
		words = words[1:]
	}
}

// split cuts a condition into words; a text in quotes is one, quotes kept.
func split(text string) (words []string, err error) {
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" {
			return words, nil
		}
		n := 0
		if text[0] == '"' {
			q, err := strconv.QuotedPrefix(text)
			if err != nil {
				return nil, wording.Errorf("a text begins at %s and does not end: close it with \"", text)
			}
			n = len(q)
		} else if op := operatorAt(text); op != "" {
			n = len(op)
		} else {
			for n < len(text) && !strings.ContainsRune(" \t\"<>=!", rune(text[n])) {
				n++
			}
			if n == 0 {
				n = 1
			}
		}
		words, text = append(words, text[:n]), text[n:]
	}
}

func operatorAt(text string) string {
	for _, op := range operators {
		if strings.HasPrefix(text, op) {
			return op
		}
	}
	return ""
}

func operandOf(word string) operand {
	if s, err := strconv.Unquote(word); err == nil && word[0] == '"' {
		return operand{value: thing.TextValue(s)}
	}
	if v, err := thing.ParseNumber(word); err == nil {
		return operand{value: v}
	}
	if on, ok := yamldoc.Switch(word); ok {
		return operand{value: thing.BoolValue(on)}
	}
	return operand{name: word}
}

// Names are the values that the condition speaks of.
func (c *Condition) Names() (names []string) {
	for _, all := range c.any {
		for _, x := range all {
			for _, o := range []operand{x.left, x.right} {
				if o.name != "" && !slices.Contains(names, o.name) {
					names = append(names, o.name)
				}
			}
		}
	}
	return names
}

// Holds reports whether the condition is true of values. A comparison with a
// value that is not there is false.
func (c *Condition) Holds(values map[string]thing.Value) bool {
	return slices.ContainsFunc(c.any, func(all []comparison) bool {
		return !slices.ContainsFunc(all, func(x comparison) bool { return !x.holds(values) })
	})
}

func (x *comparison) holds(values map[string]thing.Value) bool {
	a, okA := x.left.of(values)
	b, okB := x.right.of(values)
	if !okA || !okB {
		return false
	}
	order, comparable := compare(a, b)
	switch x.op {
	case "==", "=":
		return comparable && order == 0
	case "!=":
		return !comparable || order != 0
	case "<":
		return comparable && order < 0
	case "<=":
		return comparable && order <= 0
	case ">":
		return comparable && order > 0
	}
	return comparable && order >= 0
}

func (o *operand) of(values map[string]thing.Value) (thing.Value, bool) {
	if o.name == "" {
		return o.value, true
	}
	v, ok := values[o.name]
	return v, ok
}

// compare orders numbers, switches among them, or texts.
func compare(a, b thing.Value) (order int, ok bool) {
	x, okX := a.Number()
	y, okY := b.Number()
	switch {
	case okX && okY && x < y:
		return -1, true
	case okX && okY && x > y:
		return 1, true
	case okX && okY:
		return 0, true
	case a.Shape == thing.String && b.Shape == thing.String:
		return strings.Compare(a.Text, b.Text), true
	}
	return 0, false
}
