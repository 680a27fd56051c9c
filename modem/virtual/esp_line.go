package virtual

import (
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
)

// espLine is the line discipline of Espressif's firmware, an automaton over
// bytes [ESP8266_NONOS_SDK libat].
type espLine struct {
	state  espState
	echo   bool
	line   []byte // of a line: what follows AT, at most maxESPLine
	last   byte   // of idle: the byte before
	other  int    // of idle: bytes since the last line end that are no AT
	long   bool   // of idle: they are of a line that had too many
	alone  bool   // somebody waits for the LF behind a CR
	tail   string // of running and sending: the last bytes, to find AT+RST
	entry  []byte // of entering: what has come
	need   int    // of entering: how much is to come
	ex     bool   // of entering: \0 ends it early, as AT+CIPSENDEX wants
	broken bool   // of entering: the host gave up with +++

	packet   []byte // of transparent: not yet sent
	packetNo int    // counts arrivals, so that a timer knows whether it is the last one's
}

type espState byte

const (
	deaf        espState = iota // not started, or asleep
	idle                        // looking for AT
	inLine                      // collecting a command line
	running                     // a command runs
	entering                    // collecting announced data
	sending                     // sending it
	transparent                 // everything goes to the peer
)

// maxESPLine is the room for a line after AT, line end included. A longer one
// is forgotten, so that its end is an empty line.
const maxESPLine = 256

// The result words, as sent.
const (
	espOK     result = "\r\nOK\r\n"
	espError  result = "\r\nERROR\r\n"
	espFail   result = "\r\nFAIL\r\n"
	espSilent result = "" // the command said all by itself
)

// A result is what ends a command.
type result string

// latency is what the firmware needs for the simplest command.
const latency = 3 * time.Millisecond

func (e *esp) receive(l *life, b []byte) {
	if e.state == entering && string(b) == "+++" {
		e.broken = true
		return
	}
	for len(b) > 0 {
		switch e.state {
		case deaf:
			l.explain(0, "deaf", whyDeaf)
			return
		case transparent:
			e.collect(l, b)
			return
		case entering:
			b = b[e.enter(b):]
		case sending:
			e.whileSending(l, b)
			return
		default:
			e.echoes(l, b[:1])
			e.next(l, b[0])
			b = b[1:]
		}
	}
	e.awaitLF(l)
}

// echoes sends back what came, if echo is on.
func (e *esp) echoes(l *life, b []byte) {
	if !e.echo {
		return
	}
	if !e.doubleCR() {
		l.echo(b)
		return
	}
	for _, c := range b {
		if c == '\n' {
			l.echo([]byte("\r\n")) // the line end is the module's own
			continue
		}
		l.echo([]byte{c})
	}
}

// doubleCR is the echo of versions up to 1.3.
func (e *esp) doubleCR() bool {
	return e.quirks["double-cr"] || strings.HasPrefix(e.opts.Firmware, "1.3.")
}

// next is the automaton of idle, inLine and running.
func (e *esp) next(l *life, c byte) {
	switch e.state {
	case idle:
		switch {
		case c == '\n':
			e.noCommand(l)
			e.last, e.other, e.long = 0, 0, false
			e.finish(l, nil, espError)
		case e.last == 'A' && c == 'T', e.last == 'a' && c == 't':
			e.state, e.line, e.last = inLine, e.line[:0], 0
		default:
			if c != '\r' {
				e.other++
			}
			e.last = c
		}
	case inLine:
		e.line = append(e.line, c)
		switch {
		case c == '\n':
			e.command(l, e.line)
			e.line = nil
		case len(e.line) >= maxESPLine:
			e.state, e.line, e.long = idle, nil, true
		}
	case running:
		if e.resets(l, c) {
			return
		}
		if c == '\n' {
			l.explain(e.cause, "busy p", whyBusy)
			e.busy(l, "\r\nbusy p...\r\n")
		}
	}
}

func (e *esp) busy(l *life, text string) {
	if e.syslog {
		l.print("ERR CODE:0x010b0000\r\n")
	}
	l.print(text)
}

// whileSending answers each arrival once, whatever it is.
func (e *esp) whileSending(l *life, b []byte) {
	e.echoes(l, b)
	ended := false
	for _, c := range b {
		if e.resets(l, c) {
			return
		}
		ended = ended || c == '\n'
	}
	l.explain(e.cause, "busy s", whySurplus)
	switch {
	case !e.v2:
		l.print("\r\nbusy s...\r\n")
	case ended:
		e.busy(l, "\r\nbusy p...\r\n")
	}
}

const forceReset = "AT+RST\r\n"

// resets finds the one line that a busy module listens to.
func (e *esp) resets(l *life, c byte) bool {
	e.tail += string(c)
	if n := len(e.tail) - len(forceReset); n > 0 {
		e.tail = e.tail[n:]
	}
	if e.tail != forceReset {
		return false
	}
	l.print("\r\nWill force to restart!!!\r\n")
	l.print(string(espOK))
	e.restart(l)
	return true
}

// enter collects announced data and returns how much it took.
func (e *esp) enter(b []byte) int {
	for i, c := range b {
		e.entry = append(e.entry, c)
		n := len(e.entry)
		if e.ex && n > 1 && c == '0' && e.entry[n-2] == '\\' && !escaped(e.entry[:n-2]) {
			e.entry, e.state = e.entry[:n-2], sending
			return i + 1
		}
		if n == e.need {
			e.state = sending
			return i + 1
		}
	}
	return len(b)
}

// escaped reports whether what follows is escaped: an odd number of
// backslashes ends b.
func escaped(b []byte) bool {
	n := 0
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// command runs a line: what stood between AT and the line end, which is
// included.
func (e *esp) command(l *life, line []byte) {
	text, ended := strings.CutSuffix(string(line), "\r\n")
	e.cause = l.observe(Event{Kind: Line, Link: -1, Data: []byte("AT" + strings.TrimRight(text, "\r\n"))})
	e.state, e.tail = running, ""
	l.task(func() {
		if !l.sleep(latency) {
			return
		}
		c := &espCall{life: l, e: e}
		r := c.run(text, ended)
		l.flashed()
		if !l.over() {
			e.finish(l, c, r)
			c.tellWhy(r)
		}
	})
}

// finish ends a command.
func (e *esp) finish(l *life, c *espCall, r result) {
	if r == espError && e.syslog {
		code := 0x01020000 // nothing that ends as it should
		if c != nil {
			code = c.code
		}
		l.print(espErrorCode(code))
	}
	l.print(string(r))
	if e.state == running || e.state == sending || e.state == entering {
		e.state, e.last = idle, 0
	}
}

// An espCall is a command being carried out.
type espCall struct {
	*life
	e    *esp
	name string // as typed, "+CWMODE_CUR"
	args *at.Params
	code int     // ESP-AT's number for what went wrong
	why  because // for people
	told bool    // the module gave a reason itself
}

// run finds the command and the form.
func (c *espCall) run(text string, ended bool) result {
	c.code = errUnknown
	if !ended {
		c.why = whyNoCR
		return espError
	}
	cmd, err := at.Espressif.Parse([]byte("AT" + text))
	if err != nil {
		c.why = c.e.whyNoCommand(text)
		return espError
	}
	if c.e.v2 && c.e.quirks["strict-commas"] && bareComma(cmd.Params) {
		return c.fail(errCount)
	}
	entry, ok := c.e.table[cmd.Name]
	if !ok || entry.only == onlyV1 && c.e.v2 || entry.only == onlyV2 && !c.e.v2 {
		c.why = c.e.whyUnknown(text, cmd.Name)
		return espError
	}
	run := map[at.Form]espHandler{at.Execute: entry.execute, at.Query: entry.query, at.Test: entry.test, at.Set: entry.set}[cmd.Form]
	if run == nil {
		c.why = whyNoForm(cmd.Name, entry.forms())
		return espError
	}
	c.why = whyRefused(cmd.Name, text)
	c.name, c.args, c.code = cmd.Name, at.Espressif.Params(cmd.Params), errFailed
	return run(c)
}

// bareComma reports whether a comma stands inside quotes without a backslash.
func bareComma(params string) bool {
	quoted := false
	for i := 0; i < len(params); i++ {
		switch params[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',':
			if quoted {
				return true
			}
		}
	}
	return false
}
