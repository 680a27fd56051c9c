package aliyun

import "github.com/matou-iot/matou/thing"

// Refusal is the platform's code and text for a value it does not take, as far
// as they are known [aliyun-device §5.6].
func Refusal(p *thing.Problem) (code int, text string) {
	switch p.Fault {
	case thing.Unknown:
		return 6304, "tsl parse: params not exist"
	case thing.BadTime:
		return 6326, "tsl parse: time format is invalid -> " + p.Path
	case thing.Missing:
		return 6302, "tsl parse: required param is missing -> " + p.Path
	}
	code, word := typeCode(p.Expected)
	if p.Fault == thing.WrongType {
		return code, "tsl parse: data type is not " + word + " -> " + p.Path
	}
	return code, "tsl parse: " + word + " value is out of range -> " + p.Path
}

func typeCode(k thing.Kind) (int, string) {
	switch k {
	case thing.Int32, thing.Int64, thing.Bitmap:
		return 6306, "int"
	case thing.Float:
		return 6307, "float"
	case thing.Double:
		return 6322, "double"
	case thing.Bool:
		return 6308, "bool"
	case thing.Enum:
		return 6309, "enum"
	case thing.Text:
		return 6310, "text"
	case thing.Date:
		return 6311, "date"
	case thing.Struct:
		return 6312, "struct"
	case thing.Array:
		return 6328, "array"
	}
	return 6301, "known"
}

// Rejects reports whether the platform's weak check, its default, drops a
// value over a problem: type and identifier count, ranges do not
// [aliyun-device §5.6].
func Rejects(m thing.Mistake) bool {
	switch m {
	case thing.NoMistake, thing.OutOfRange, thing.OffStep, thing.TooLong:
		return false
	}
	return true
}
