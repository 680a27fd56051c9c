package onenet

import "github.com/matou-iot/matou/thing"

// The codes of answers to reports. Only Success and IdentifierUnknown are
// OneNET's own; the table of the others was never published, so they are ours,
// and devices test for 200 only [onenet §3.4].
const (
	Success           = 200
	Unavailable       = 2300 // a function that is not built yet
	InvalidJSON       = 2301
	IDIllegal         = 2302
	ParamsMissing     = 2303
	IdentifierUnknown = 2306
	TypeError         = 2307
	OutOfRange        = 2308
	LengthError       = 2309
	StructError       = 2310
	LimitExceeded     = 2311
	NotYourSub        = 2312 // not a sub-device of this gateway, or not proved to be one
)

// Refusal is the code and text for a value that is not taken. One such value
// refuses its whole message.
func Refusal(p *thing.Problem) (code int, msg string) {
	switch p.Fault {
	case thing.Unknown:
		return IdentifierUnknown, "identifier not exist:identifier:" + p.Path
	case thing.OutOfRange, thing.NotListed, thing.OffStep:
		return OutOfRange, typeName(p.Expected) + " value out of range:identifier:" + p.Path
	case thing.TooLong:
		return LengthError, typeName(p.Expected) + " length error:identifier:" + p.Path
	case thing.Missing:
		return StructError, "member missing:identifier:" + p.Path
	case thing.BadTime:
		return TypeError, "time error:identifier:" + p.Path
	}
	return TypeError, typeName(p.Expected) + " type error:identifier:" + p.Path
}

// Rejects reports whether a problem refuses the message. A value between the
// steps does not.
func Rejects(m thing.Mistake) bool { return m != thing.NoMistake && m != thing.OffStep }

func typeName(k thing.Kind) string {
	switch k {
	case thing.Text:
		return "string"
	case thing.Bitmap:
		return "bitMap"
	}
	return k.String()
}
