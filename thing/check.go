package thing

import (
	"math"
	"strconv"
	"strings"
)

// Rules say how exactly a value has to be written.
type Rules struct {
	// Lenient takes what vendors' real back ends take: 25.0 and "25" for an
	// integer, numeric text for a number, 0, "0", "false" for a switch, a
	// number for a text [aliyun-device §5.6] [onenet §5.2].
	Lenient bool
}

// Check brings v into the shape that t asks for (Integer for Int32, Int64,
// Enum, Date and Bitmap, Real for Float and Double, Boolean, String, Object,
// List) and says what is wrong with it. It reports false where v cannot be
// used at all. A value that can be used but breaks a bound comes back with
// true and a Problem: whether that refuses it is the caller's rule. path names
// the value in the Problem.
func (t *DataType) Check(path string, v Value, r Rules) (Value, Problem, bool) {
	switch t.Kind {
	case Int32, Int64:
		return t.checkInt(path, v, r)
	case Float, Double:
		return t.checkFloat(path, v, r)
	case Bool:
		return t.checkBool(path, v, r)
	case Enum:
		return t.checkEnum(path, v, r)
	case Text:
		return t.checkText(path, v, r)
	case Date:
		return t.checkDate(path, v, r)
	case Bitmap:
		return t.checkBitmap(path, v, r)
	case Struct:
		return t.checkStruct(path, v, r)
	case Array:
		return t.checkArray(path, v, r)
	}
	return t.wrong(path, v)
}

// wrong is the answer to a value whose shape cannot be the type.
func (t *DataType) wrong(path string, v Value) (Value, Problem, bool) {
	return v, t.problem(WrongType, path, v), false
}

func (t *DataType) problem(m Mistake, path string, v Value) Problem {
	return Problem{Fault: m, Path: path, Want: t.String(), WantZH: t.StringZH(), Got: v.short(), Expected: t.Kind}
}

// whole reads an integer out of v.
func whole(v Value, r Rules) (int64, bool) {
	switch {
	case v.Shape == Integer:
		return v.Int, true
	case v.Shape == Real && v.Float == math.Trunc(v.Float) && math.Abs(v.Float) < 1<<53:
		return int64(v.Float), r.Lenient
	case v.Shape == String && r.Lenient:
		n, err := ParseNumber(strings.TrimSpace(v.Text))
		if err != nil || n.Shape == String {
			return 0, false
		}
		return whole(n, r)
	}
	return 0, false
}

func (t *DataType) checkInt(path string, v Value, r Rules) (Value, Problem, bool) {
	i, ok := whole(v, r)
	if !ok || t.Kind == Int32 && (i < math.MinInt32 || i > math.MaxInt32) {
		return t.wrong(path, v)
	}
	return t.bounded(path, v, IntValue(i), float64(i))
}

func (t *DataType) checkFloat(path string, v Value, r Rules) (Value, Problem, bool) {
	f := v.Float
	switch {
	case v.Shape == Real:
	case v.Shape == Integer:
		f = float64(v.Int)
	case v.Shape == String && r.Lenient:
		n, err := ParseNumber(strings.TrimSpace(v.Text))
		if err != nil {
			return t.wrong(path, v)
		}
		f, _ = n.Number()
	default:
		return t.wrong(path, v)
	}
	if t.Kind == Float && math.Abs(f) > math.MaxFloat32 {
		return t.wrong(path, v)
	}
	return t.bounded(path, v, FloatValue(f), f)
}

// bounded checks minimum, maximum and step of a number.
func (t *DataType) bounded(path string, sent, v Value, f float64) (Value, Problem, bool) {
	if t.Min != nil && f < *t.Min || t.Max != nil && f > *t.Max {
		return v, t.problem(OutOfRange, path, sent), true
	}
	if t.Step != nil && *t.Step > 0 {
		base := 0.0
		if t.Min != nil {
			base = *t.Min
		}
		steps := (f - base) / *t.Step
		if math.Abs(steps-math.Round(steps)) > 1e-6*max(1, math.Abs(steps)) {
			return v, t.problem(OffStep, path, sent), true
		}
	}
	return v, Problem{}, true
}

func (t *DataType) checkBool(path string, v Value, r Rules) (Value, Problem, bool) {
	switch {
	case v.Shape == Boolean:
		return v, Problem{}, true
	case !r.Lenient:
		return t.wrong(path, v)
	case v.Shape == String && (v.Text == "true" || v.Text == "false"):
		return BoolValue(v.Text == "true"), Problem{}, true
	}
	i, ok := whole(v, r)
	switch {
	case !ok:
		return t.wrong(path, v)
	case i != 0 && i != 1:
		return v, t.problem(NotListed, path, v), false
	}
	return BoolValue(i == 1), Problem{}, true
}

func (t *DataType) checkEnum(path string, v Value, r Rules) (Value, Problem, bool) {
	i, ok := whole(v, r)
	if !ok {
		return t.wrong(path, v)
	}
	for _, l := range t.Labels {
		if l.Value == i {
			return IntValue(i), Problem{}, true
		}
	}
	if len(t.Labels) == 0 {
		return IntValue(i), Problem{}, true
	}
	return IntValue(i), t.problem(NotListed, path, v), true
}

func (t *DataType) checkText(path string, v Value, r Rules) (Value, Problem, bool) {
	if v.Shape != String {
		if !r.Lenient || v.Shape != Integer && v.Shape != Real && v.Shape != Boolean {
			return t.wrong(path, v)
		}
		v = TextValue(v.String())
	}
	if t.Length > 0 && len(v.Text) > t.Length {
		return v, t.problem(TooLong, path, v), true
	}
	return v, Problem{}, true
}

// checkDate wants UTC milliseconds. Aliyun writes them as text, so that is
// always allowed.
func (t *DataType) checkDate(path string, v Value, _ Rules) (Value, Problem, bool) {
	i, ok := whole(v, Rules{Lenient: true})
	if !ok || i < 0 {
		return t.wrong(path, v)
	}
	return IntValue(i), Problem{}, true
}

func (t *DataType) checkBitmap(path string, v Value, r Rules) (Value, Problem, bool) {
	i, ok := whole(v, r)
	if !ok || i < 0 {
		return t.wrong(path, v)
	}
	if t.Length > 0 && t.Length < 63 && i >= 1<<t.Length {
		return IntValue(i), t.problem(TooLong, path, v), true
	}
	return IntValue(i), Problem{}, true
}

// String says which values are right, for people: "int32 0 to 100 °C".
func (t *DataType) String() string { return t.describe(&english) }

// StringZH is String in Chinese: "int32 0 到 100 °C".
func (t *DataType) StringZH() string { return t.describe(&chinese) }

// typeWords are what stands between the numbers of a type.
type typeWords struct{ to, from, upTo, steps, boolean, most, bytes, bits, millis string }

var (
	english = typeWords{" to ", " from ", " up to ", " in steps of ", " (true or false, 1 or 0)", " of at most ", " bytes", " bits", " in UTC milliseconds"}
	chinese = typeWords{" 到 ", " 不小于 ", " 不大于 ", "，步长 ", "（true 或 false，1 或 0）", " 最多 ", " 字节", " 位", "（UTC 毫秒）"}
)

func (t *DataType) describe(w *typeWords) string {
	var b strings.Builder
	b.WriteString(t.Kind.String())
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch {
	case t.Min != nil && t.Max != nil:
		b.WriteString(" " + number(*t.Min) + w.to + number(*t.Max))
	case t.Min != nil:
		b.WriteString(w.from + number(*t.Min))
	case t.Max != nil:
		b.WriteString(w.upTo + number(*t.Max))
	}
	if t.Step != nil && *t.Step > 0 {
		b.WriteString(w.steps + number(*t.Step))
	}
	switch t.Kind {
	case Bool:
		b.WriteString(w.boolean)
	case Enum:
		const most = 8
		for i, l := range t.Labels {
			if i == most {
				b.WriteString(" …")
				break
			}
			b.WriteString(" " + strconv.FormatInt(l.Value, 10))
		}
	case Text:
		if t.Length > 0 {
			b.WriteString(w.most + strconv.Itoa(t.Length) + w.bytes)
		}
	case Bitmap:
		if t.Length > 0 {
			b.WriteString(w.most + strconv.Itoa(t.Length) + w.bits)
		}
	case Array:
		if t.Size > 0 {
			b.WriteString(w.most + strconv.Itoa(t.Size))
		}
		if t.Item != nil {
			b.WriteString(" " + t.Item.Kind.String())
		}
	case Date:
		b.WriteString(w.millis)
	}
	if t.Unit != "" {
		b.WriteString(" " + t.Unit)
	}
	return b.String()
}

// short is v for a sentence: not more of it than helps.
func (v Value) short() string {
	if v.Shape == String {
		return quoteShort(v.Text)
	}
	s := v.String()
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return s
}
