package modem

import (
	"errors"
	"fmt"
	"strings"

	"github.com/matou-iot/matou/at"
)

// What may be wrong with a module. Errors of this package and of the drivers
// wrap them.
var (
	ErrGone     = errors.New("the port is gone: was the module unplugged or switched off?")
	ErrClosed   = errors.New("the module was closed")
	ErrSilent   = errors.New("the module does not answer: check power, baud rate, and that RX and TX are crossed")
	ErrRestart  = errors.New("the module restarted by itself: its supply may be too weak for the radio")
	ErrRefused  = errors.New("the module refused the command")
	ErrNoPrompt = errors.New("the module did not ask for the data")
	ErrDNS      = errors.New("the module found no address for the host name")
	ErrLost     = errors.New("the connection was lost")
	ErrOverflow = errors.New("data came faster than it was read")
	ErrInUse    = errors.New("all connections of the module are in use")
	ErrUntold   = errors.New("the broker cannot be reached, or refused the login, which this firmware does not tell: look at what the broker says of it")
)

// An Error says which command failed, what was expected and what came. It
// names no parameters, for there are passwords among them.
type Error struct {
	Command string   // "AT+CIPSTART"
	Want    string   // "OK"
	Got     string   // "ERROR"; "" if nothing came
	Said    []string // the last lines before it, which often hold the reason
	Err     error    // ErrRefused, ErrSilent, the context's error …
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: wanted %s, ", e.Command, e.Want)
	if e.Got == "" {
		b.WriteString("got nothing")
	} else {
		b.WriteString("got " + e.Got)
	}
	if len(e.Said) > 0 {
		fmt.Fprintf(&b, " after %q", e.Said)
	}
	if e.Err != nil && e.Err != ErrRefused {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// name is a command without its parameters.
func name(c at.Command) string {
	if c.Form == at.Set {
		c.Form = at.Execute
	}
	return c.String()
}
