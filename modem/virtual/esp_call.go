package virtual

import (
	"fmt"

	"github.com/matou-iot/matou/at"
)

// ESP-AT's numbers for what went wrong, printed with AT+SYSLOG=1.
const (
	errLength  = 0x01040000 // a parameter is too long
	errType    = 0x01050000 // a number for a string, or the other way round
	errCount   = 0x01060000 // too many parameters, or too few
	errInvalid = 0x01070000 // out of range
	errUnknown = 0x01090000 // no such command, or not in this form
	errFailed  = 0x010a0000 // it was tried
)

func espErrorCode(code int) string { return fmt.Sprintf("ERR CODE:0x%08x\r\n", code) }

// printf says an information line.
func (c *espCall) printf(format string, args ...any) { c.print(fmt.Sprintf(format, args...)) }

// print says something before the result: if that is an ERROR, its reason.
func (c *espCall) print(text string) {
	c.told = true
	c.life.print(text)
}

// refuse says why and ends the command.
func (c *espCall) refuse(reason string) result {
	c.print(reason + "\r\n")
	return espError
}

// fail ends the command with a number for the reason.
func (c *espCall) fail(code int) result {
	c.code = code
	return espError
}

// An arg is a parameter as the firmware reads it.
type espArg struct {
	at.Arg
	bad bool
}

// next reads one parameter.
func (c *espCall) next() espArg {
	a, err := c.args.Next()
	return espArg{a, err != nil}
}

// number is a parameter that must be a number from low to high.
func (c *espCall) number(low, high int) (int, bool) {
	n, ok := c.next().number()
	c.code = errInvalid
	return n, ok && n >= low && n <= high
}

// number is a decimal number without quotes.
func (a espArg) number() (int, bool) {
	if a.bad || a.Kind != at.Number {
		return 0, false
	}
	return a.Int()
}

// optional is number that may be left out.
func (c *espCall) optional(low, high, otherwise int) (int, bool) {
	if !c.args.More() {
		return otherwise, true
	}
	a := c.next()
	if !a.bad && a.Kind == at.Omitted {
		return otherwise, true
	}
	n, ok := a.number()
	c.code = errInvalid
	return n, ok && n >= low && n <= high
}

// text is a quoted string of at most so many bytes. One that was left out is
// empty.
func (c *espCall) text(most int) (string, bool) {
	a := c.next()
	c.code = errType
	if a.bad || a.Kind != at.String && a.Kind != at.Omitted {
		return "", false
	}
	c.code = errLength
	return a.Text, len(a.Text) <= most
}

// ended reports whether nothing follows.
func (c *espCall) ended() bool {
	if c.args.More() {
		c.code = errCount
		return false
	}
	return true
}

// only reads numbers, each within its bounds, and nothing after them.
func (c *espCall) only(bounds ...[2]int) (n []int, ok bool) {
	for _, b := range bounds {
		v, ok := c.number(b[0], b[1])
		if !ok {
			return nil, false
		}
		n = append(n, v)
	}
	return n, c.ended()
}

// stores reports whether the form of the name, or ESP-AT's setting, keeps a
// set in flash.
func (c *espCall) stores() bool {
	if c.e.v2 {
		return c.e.flash.store
	}
	return !c.current()
}

// current reports whether the command was typed with _CUR.
func (c *espCall) current() bool { return len(c.name) > 4 && c.name[len(c.name)-4:] == "_CUR" }

// stored reports whether the command was typed with _DEF.
func (c *espCall) stored() bool { return len(c.name) > 4 && c.name[len(c.name)-4:] == "_DEF" }
