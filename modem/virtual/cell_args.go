package virtual

import (
	"strconv"
	"strings"

	"github.com/matou-iot/matou/at"
)

// cellArgs reads the parameters of a cellular command from the left. It fails
// once and stays failed; end says whether all was well.
type cellArgs struct {
	p      *at.Params
	failed bool
}

func newCellArgs(params string) *cellArgs { return &cellArgs{p: at.V250.Params(params)} }

func (a *cellArgs) next() at.Arg {
	if a.failed {
		return at.Arg{}
	}
	arg, err := a.p.Next()
	if err != nil {
		a.failed = true
	}
	return arg
}

// more reports whether another parameter follows.
func (a *cellArgs) more() bool { return !a.failed && a.p.More() }

// end reports whether everything was read and nothing was wrong.
func (a *cellArgs) end() bool { return !a.failed && !a.p.More() }

// fail makes the reading fail.
func (a *cellArgs) fail() { a.failed = true }

// number reads a number from low to high. Between quotes it is one as well,
// as units of Quectel take it.
func (a *cellArgs) number(low, high int) int {
	n, ok := a.next().Int()
	if !ok || n < low || n > high {
		a.failed = true
		return low
	}
	return n
}

// numberOr is number for one that may be left out.
func (a *cellArgs) numberOr(otherwise, low, high int) int {
	if !a.more() {
		return otherwise
	}
	arg := a.next()
	if arg.Kind == at.Omitted {
		return otherwise
	}
	n, ok := arg.Int()
	if !ok || n < low || n > high {
		a.failed = true
	}
	return n
}

// length reads a number that must not stand between quotes: there a message
// would be.
func (a *cellArgs) length(low, high int) int {
	arg := a.next()
	n, ok := arg.Int()
	if arg.Kind != at.Number || !ok || n < low || n > high {
		a.failed = true
		return low
	}
	return n
}

// text reads a string of at most most bytes, with or without quotes; empty
// only if it may be.
func (a *cellArgs) text(least, most int) string {
	arg := a.next()
	if len(arg.Text) < least || len(arg.Text) > most {
		a.failed = true
	}
	return arg.Text
}

// textOr is text for one that may be left out.
func (a *cellArgs) textOr(otherwise string, most int) string {
	if !a.more() {
		return otherwise
	}
	return a.text(0, most)
}

// hexOr reads a word like 0xFFFF as it is written.
func (a *cellArgs) hex() string {
	word := a.next().Text
	digits := strings.TrimPrefix(strings.ToUpper(word), "0X")
	if _, err := strconv.ParseUint(digits, 16, 32); err != nil {
		a.failed = true
	}
	return "0X" + digits
}
