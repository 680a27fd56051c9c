package loose

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/matou-iot/matou/thing"
)

// maxExactDigits is how many decimal digits fit a float64 mantissa without
// rounding, and powers of ten up to 1e22 are exact: such numbers need no
// general parser.
const maxExactDigits = 15

var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// numeric turns the current number into a value.
func (r *Reader) numeric() (thing.Value, bool) {
	if v, ok := short(r.text); ok {
		return v, true
	}
	// strconv keeps the string only in errors, which are dropped here.
	s := unsafe.String(unsafe.SliceData(r.text), len(r.text))
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return thing.IntValue(i), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		r.fail("a number too large to keep", "")
		return thing.Value{}, false
	}
	return thing.FloatValue(f), true
}

// short reads what sensors send: a few digits with or without a point.
func short(b []byte) (thing.Value, bool) {
	negative := false
	if len(b) > 0 && b[0] == '-' {
		negative, b = true, b[1:]
	}
	if len(b) == 0 || len(b) > maxExactDigits {
		return thing.Value{}, false
	}
	var n int64
	point := -1
	for i, c := range b {
		switch {
		case digit(c):
			n = n*10 + int64(c-'0')
		case c == '.' && point < 0:
			point = i
		default:
			return thing.Value{}, false
		}
	}
	if negative {
		n = -n
	}
	if point < 0 {
		return thing.IntValue(n), true
	}
	f := float64(n) / pow10[len(b)-point-1]
	if negative && n == 0 {
		f = math.Copysign(0, -1)
	}
	return thing.FloatValue(f), true
}
