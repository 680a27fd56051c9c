package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/modem/virtual"
)

// A modemConsole takes orders while a module runs.
type modemConsole struct {
	m    *virtual.Module
	out  io.Writer
	quit func()
	send func([]byte) // gives the module bytes as if they were typed; nil: the line is elsewhere
}

const modemConsoleHelp = `fault NAME[=VALUE][*TIMES][@AFTER]   something goes wrong from now on
clear NAME                           it does so no longer
faults                               what goes wrong now
send HEX                             type these bytes, with --stdio
reset                                press the module's reset pin
quit                                 end
'matou modem list' says what can go wrong.
`

// listen takes an order a line until in ends. It is left behind then, and ends
// with the process.
func (c *modemConsole) listen(ctx context.Context, in io.Reader) {
	go func() {
		lines := bufio.NewScanner(in)
		for lines.Scan() && ctx.Err() == nil {
			c.order(lines.Text())
		}
	}()
}

// order carries out one order and says what became of it.
func (c *modemConsole) order(line string) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "":
	case "fault":
		f, err := virtual.ParseFault(rest)
		if err == nil {
			err = c.m.SetFault(f)
		}
		c.tell(err, f.String())
	case "clear":
		c.tell(c.m.ClearFault(rest), rest+" cleared")
	case "faults":
		list := c.m.Faults()
		if len(list) == 0 {
			c.tell(nil, "nothing goes wrong")
		}
		for _, f := range list {
			c.tell(nil, f.String())
		}
	case "reset":
		c.m.Reset()
		c.tell(nil, "reset")
	case "send":
		done, err := c.bytes(rest)
		c.tell(err, done)
	case "quit", "exit":
		c.quit()
	case "help", "?":
		c.tell(nil, strings.TrimSuffix(modemConsoleHelp, "\n"))
	default:
		c.tell(fmt.Errorf("%q is no order: type help", word), "")
	}
}

// bytes types what no keyboard has: a packet, in hex as serial tools take it.
func (c *modemConsole) bytes(text string) (done string, err error) {
	if c.send == nil {
		return "", errors.New("send is for --stdio: write to the module's port instead")
	}
	text = strings.ReplaceAll(text, " ", "")
	b, err := hex.DecodeString(text)
	switch {
	case len(text)%2 != 0:
		return "", fmt.Errorf("send: %d hex digits make no whole bytes: two each", len(text))
	case err != nil:
		return "", fmt.Errorf("send: %w: give bytes in hex, as 'send C0 00'", err)
	case len(b) == 0:
		return "", errors.New("send: nothing to send: give bytes in hex, as 'send C0 00'")
	}
	c.send(b)
	if len(b) == 1 {
		return "1 byte sent", nil
	}
	return fmt.Sprintf("%d bytes sent", len(b)), nil
}

// tell ends its lines for terminals that are raw as well.
func (c *modemConsole) tell(err error, done string) {
	if err != nil {
		done = "matou: " + err.Error()
	}
	fmt.Fprint(c.out, strings.ReplaceAll(done, "\n", "\r\n")+"\r\n")
}

// modemLog tells people, or with --json machines, what a module does.
type modemLog struct {
	g       *globals
	verbose bool
	chinese bool
	stdio   bool // standard output is the module's line
	mu      sync.Mutex
}

func newModemLog(g *globals, c *modemRunCmd) *modemLog {
	return &modemLog{g: g, verbose: c.Verbose, chinese: g.chinese(), stdio: c.PTY == "" && c.TCP == ""}
}

// A modemEvent is an event as --json prints it.
type modemEvent struct {
	Time    time.Time `json:"time"`
	Seq     uint64    `json:"seq"`
	Kind    string    `json:"kind"`
	Cause   uint64    `json:"cause,omitempty"`
	Link    *int      `json:"link,omitempty"`
	Peer    string    `json:"peer,omitempty"`
	Text    string    `json:"text,omitempty"`
	TextZH  string    `json:"textZh,omitempty"`
	DataHex string    `json:"dataHex,omitempty"`
}

func (l *modemLog) event(e virtual.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.g.JSON && !l.stdio {
		l.machine(e)
		return
	}
	if line := l.line(e); line != "" {
		fmt.Fprint(l.g.Stderr, line+"\r\n")
	}
}

func (l *modemLog) machine(e virtual.Event) {
	out := modemEvent{Time: e.Time.UTC(), Seq: e.Seq, Kind: e.Kind.String(), Cause: e.Cause, Peer: e.Peer, Text: e.Text, TextZH: e.TextZH}
	if e.Link >= 0 && connectionEvent(e.Kind) {
		out.Link = &e.Link
	}
	switch {
	case len(e.Data) == 0:
	case utf8.Valid(e.Data) && e.Kind == virtual.Line:
		out.Text = string(e.Data)
	default:
		out.DataHex = hex.EncodeToString(e.Data)
	}
	json.NewEncoder(l.g.Stdout).Encode(out) // of strings and numbers: cannot fail
}

func connectionEvent(k virtual.EventKind) bool {
	return k == virtual.Opened || k == virtual.Sent || k == virtual.Received || k == virtual.Closed
}

// line is what people are told; nothing where it would be in their way.
func (l *modemLog) line(e virtual.Event) string {
	switch e.Kind {
	case virtual.Note:
		if l.chinese && e.TextZH != "" {
			return "提示：" + e.TextZH
		}
		return "note: " + e.Text
	case virtual.Faulted:
		return "fault: " + e.Text
	}
	if !l.verbose {
		return ""
	}
	switch e.Kind {
	case virtual.Boot:
		return "the module starts"
	case virtual.Line:
		return fmt.Sprintf("%d %s", e.Seq, visible(string(e.Data)))
	case virtual.Opened:
		return fmt.Sprintf("  connection %d: %s to %s", e.Link, e.Text, e.Peer)
	case virtual.Sent:
		return fmt.Sprintf("  connection %d: sent %d bytes: %s", e.Link, len(e.Data), excerpt(e.Data))
	case virtual.Received:
		return fmt.Sprintf("  connection %d: received %d bytes: %s", e.Link, len(e.Data), excerpt(e.Data))
	case virtual.Closed:
		return fmt.Sprintf("  connection %d: closed: %s", e.Link, e.Text)
	}
	return ""
}

// excerpt shows the beginning of data in hex.
func excerpt(b []byte) string {
	const most = 32
	if len(b) <= most {
		return hex.EncodeToString(b)
	}
	return hex.EncodeToString(b[:most]) + "…"
}
