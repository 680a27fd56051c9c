package virtual

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
)

// Bounds of a cellular module's serial side.
const (
	maxCellLine  = 2048 // a longer command line is answered with ERROR
	maxTypeahead = 16 << 10
	maxURCs      = 128 // that wait until nothing else is being said; more are dropped, oldest first
)

// Times of a cellular module's serial side.
const (
	commandTime = 10 * time.Millisecond // what a simple command takes
	urcGap      = 20 * time.Millisecond // between a final result and a URC
)

// A cellLine is the state of the serial line [V.250].
type cellLine struct {
	echo    bool
	verbose bool
	quiet   bool

	line    []byte // what was typed so far
	tooLong bool
	last    string // for A/
	afterCR bool   // a LF now is not counted
	busy    bool   // a command is at work
	ahead   []byte // what came meanwhile, at most maxTypeahead: more is lost
	data    *cellData

	urcs    []string
	quietTo time.Duration // in uptime: no URC before
	cause   uint64        // of the command that runs
	why     because       // it was answered with an error, where a handler says so
}

// Control characters of the line.
const (
	ctrlBackspace = 0x08
	ctrlLF        = '\n'
	ctrlCR        = '\r'
	ctrlZ         = 0x1a
	ctrlEscape    = 0x1b
)

// receive takes bytes of the host. While a command runs they wait: a module of
// this kind executes in order and loses none.
func (c *cellular) receive(l *life, b []byte) {
	if !c.awake {
		l.explain(0, "deaf", whyNotAwake) // before RDY nobody listens
		return
	}
	if c.data == nil && c.busy {
		if c.afterCR && len(b) > 0 && b[0] == ctrlLF {
			b = b[1:]
		}
		c.afterCR = false
		if room := maxTypeahead - len(c.ahead); len(b) > room {
			c.note("%d bytes typed ahead are lost: a command runs and the buffer is full", len(b)-room)
			b = b[:room]
		}
		c.ahead = append(c.ahead, b...)
		return
	}
	for i, x := range b {
		// At a prompt the LF of the command's line end may come late, alone; one
		// with more behind it is the data's own.
		if x == ctrlLF && c.afterCR && (c.data == nil || len(b) == 1) {
			c.afterCR = false
			continue
		}
		c.afterCR = false
		if c.data != nil {
			c.collect(l, x)
		} else {
			c.typed(l, x)
		}
		if c.data == nil && c.busy && i+1 < len(b) {
			c.receive(l, b[i+1:])
			return
		}
	}
}

// typed takes one byte of a command line.
func (c *cellular) typed(l *life, x byte) {
	if x == ctrlLF {
		if len(c.line) > 0 {
			l.explain(0, "no CR", whyNeedsCR)
		}
		return
	}
	if c.echo {
		l.echo([]byte{x})
	}
	switch {
	case x == ctrlCR:
		c.afterCR = true
		line, tooLong := string(c.line), c.tooLong
		c.line, c.tooLong = c.line[:0], false
		c.enter(l, line, tooLong)
	case x == ctrlBackspace:
		c.line = c.line[:max(0, len(c.line)-1)]
	case len(c.line) == maxCellLine:
		c.tooLong = true
	default:
		c.line = append(c.line, x)
		if len(c.line) == 2 && strings.EqualFold(string(c.line), "A/") {
			c.line = c.line[:0]
			c.enter(l, c.last, false)
		}
	}
}

// enter executes a line. One that holds no command is passed over.
func (c *cellular) enter(l *life, line string, tooLong bool) {
	if !tooLong && at.V250.FindAT([]byte(line)) < 0 {
		c.passedOver(l, line)
		return
	}
	c.cause = l.observe(Event{Kind: Line, Link: -1, Data: []byte(line)})
	c.busy = true
	l.task(func() {
		if !l.sleep(commandTime) {
			return
		}
		r := cellError
		if !tooLong {
			c.last = line
			r = c.execute(l, line)
			l.flashed()
		} else {
			l.explain(c.cause, "too long", whyCellLong)
		}
		if l.over() {
			return
		}
		c.final(l, r)
		c.idle(l)
	})
}

// idle ends a command and takes what was typed ahead.
func (c *cellular) idle(l *life) {
	c.busy = false
	c.cause = 0
	c.quietTo = l.uptime() + urcGap
	ahead := c.ahead
	c.ahead = nil
	l.changed.Broadcast()
	if len(ahead) > 0 {
		c.receive(l, ahead)
	}
}

// execute runs the commands of a line until one fails.
func (c *cellular) execute(l *life, line string) cellResult {
	commands, ok := c.rawCommand(line)
	if !ok {
		var err error
		if commands, err = at.V250.ParseLine([]byte(line)); err != nil {
			why := whyMisspelt(line, err)
			l.explain(c.cause, why.en, why)
			return cellError
		}
	}
	r := cellOK
	for _, cmd := range commands {
		t := &cellTurn{cellular: c, l: l, cmd: cmd, cellArgs: newCellArgs(cmd.Params)}
		c.why = because{}
		r = t.run()
		if l.over() || r.word == "" {
			return r
		}
		if r.word != cellOK.word {
			t.tellWhy(r)
			break
		}
		c.info(l, t.lines)
	}
	return r
}

// rawCommand finds the commands whose parameters hold a message that is told
// from the rest by its length alone: the line is theirs to its end.
func (c *cellular) rawCommand(line string) ([]at.Command, bool) {
	text := line[at.V250.FindAT([]byte(line))+2:]
	for _, name := range c.kind.raw {
		if len(text) > len(name) && strings.EqualFold(text[:len(name)], name) && text[len(name)] == '=' && text[len(name)+1:] != "?" {
			return []at.Command{{Name: name, Form: at.Set, Params: text[len(name)+1:]}}, true
		}
	}
	return nil, false
}

// A cellTurn is one command at work.
type cellTurn struct {
	*cellular
	*cellArgs
	l     *life
	cmd   at.Command
	lines []string // of its answer, before the final result
}

// say adds a line to the answer.
func (t *cellTurn) say(line string) { t.lines = append(t.lines, line) }

// A cellResult ends the answer to a line.
type cellResult struct {
	word string // "" if everything was said already
	cme  int    // with word "+CME ERROR"
}

var (
	cellOK     = cellResult{word: "OK"}
	cellError  = cellResult{word: "ERROR"}
	cellSilent = cellResult{}
)

// cme is an error with a number [27.007 §9.2].
func cme(number int) cellResult { return cellResult{"+CME ERROR", number} }

// A cellCommand is what a module does for each form of a command; nil is an
// ERROR. test may be a text instead.
type cellCommand struct {
	testText string
	test     func(*cellTurn) cellResult
	query    func(*cellTurn) cellResult
	set      func(*cellTurn) cellResult
	execute  func(*cellTurn) cellResult
}

// A cellTable is commands by their names, in upper case.
type cellTable map[string]cellCommand

// run executes one command.
func (t *cellTurn) run() cellResult {
	cmd, _ := t.command()
	if t.cmd.Form == at.Test && cmd.testText != "" {
		t.say(cmd.testText)
		return cellOK
	}
	f := t.handler(cmd)
	if f == nil {
		return cellError
	}
	return f(t)
}

// command finds the command by its name.
func (t *cellTurn) command() (cmd cellCommand, found bool) {
	for _, table := range t.kind.tables {
		if cmd, found = table[t.cmd.Name]; found {
			break
		}
	}
	return cmd, found
}

// handler is what carries the form out, nil where there is none.
func (t *cellTurn) handler(cmd cellCommand) func(*cellTurn) cellResult {
	switch t.cmd.Form {
	case at.Test:
		return cmd.test
	case at.Query:
		return cmd.query
	case at.Set:
		return cmd.set
	}
	return cmd.execute
}

// info prints the lines of an answer.
func (c *cellular) info(l *life, lines []string) {
	if len(lines) == 0 {
		return
	}
	text := strings.Join(lines, "\r\n") + "\r\n"
	if c.verbose {
		text = "\r\n" + text
	}
	l.print(text)
}

// numericResults are what ATV0 says instead of words [V.250 §5.7.1].
var numericResults = map[string]string{"OK": "0", "CONNECT": "1", "NO CARRIER": "3", "ERROR": "4"}

// final prints a final result.
func (c *cellular) final(l *life, r cellResult) {
	word := r.word
	switch {
	case word == "" || c.quiet:
		return
	case word == "+CME ERROR" && c.cmee == 0:
		word = "ERROR"
	case word == "+CME ERROR" && c.cmee == 2:
		word += ": " + cmeTexts[r.cme]
	case word == "+CME ERROR":
		word += ": " + strconv.Itoa(r.cme)
	}
	if number, ok := numericResults[word]; ok && !c.verbose {
		l.print(number + "\r")
		return
	}
	c.frame(l, word)
}

// frame prints a line that stands for itself.
func (c *cellular) frame(l *life, text string) {
	if c.verbose {
		l.print("\r\n" + text + "\r\n")
		return
	}
	l.print(text + "\r\n")
}

// urc says something that nobody asked for, as soon as nothing else is being
// said.
func (c *cellular) urc(text string) {
	if len(c.urcs) == maxURCs {
		c.note("an unsolicited result is lost, %d wait already: %s", maxURCs, c.urcs[0])
		c.urcs = slices.Delete(c.urcs, 0, 1)
	}
	c.urcs = append(c.urcs, text)
	c.changed.Broadcast()
}

// roomForURCs waits until most of what nobody asked for has been said: who
// reads messages from a server waits here, so that none is lost.
func (c *cellular) roomForURCs(l *life) bool {
	return l.await(func() bool { return len(c.urcs) < maxURCs/2 })
}

// speak says the URCs, one after another, as long as the life lasts.
func (c *cellular) speak(l *life) {
	for l.await(func() bool { return len(c.urcs) > 0 && !c.busy && c.awake }) {
		if rest := c.quietTo - l.uptime(); rest > 0 {
			if !l.sleep(rest) {
				return
			}
			continue
		}
		text := c.urcs[0]
		c.urcs = slices.Delete(c.urcs, 0, 1)
		c.frame(l, text)
		if !l.wait(l.uart.room) { // a slow line holds up those who wait for room
			return
		}
	}
}
