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

	chinese bool
}

const modemConsoleHelp = `fault NAME[=VALUE][*TIMES][@AFTER]   something goes wrong from now on
clear NAME                           it does so no longer
faults                               what goes wrong now
send HEX                             type these bytes, with --stdio
reset                                press the module's reset pin
quit                                 end
'matou modem list' says what can go wrong.
`

const modemConsoleHelpZH = `fault 名称[=值][*次数][@时间]   从现在起出现故障
clear 名称                     排除故障
faults                         当前的故障
send HEX                       发送这些字节，与 --stdio 一起使用
reset                          按下模块的复位引脚
quit                           结束
'matou modem list' 列出可以出现的故障。
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
		c.tell(c.m.ClearFault(rest), c.say(rest+" cleared", rest+" 已排除"))
	case "faults":
		list := c.m.Faults()
		if len(list) == 0 {
			c.tell(nil, c.say("nothing goes wrong", "没有故障"))
		}
		for _, f := range list {
			c.tell(nil, f.String())
		}
	case "reset":
		c.m.Reset()
		c.tell(nil, c.say("reset", "已复位"))
	case "send":
		done, err := c.bytes(rest)
		c.tell(err, done)
	case "quit", "exit":
		c.quit()
	case "help", "?":
		c.tell(nil, strings.TrimSuffix(c.say(modemConsoleHelp, modemConsoleHelpZH), "\n"))
	default:
		c.tell(c.wrong("%q is no order: type help", "没有命令 %q：输入 help 查看", word), "")
	}
}

// say chooses the words of the language.
func (c *modemConsole) say(en, zh string) string { return choose(c.chinese, en, zh) }

func (c *modemConsole) wrong(en, zh string, args ...any) error {
	return fmt.Errorf(c.say(en, zh), args...)
}

// bytes types what no keyboard has: a packet, in hex as serial tools take it.
func (c *modemConsole) bytes(text string) (done string, err error) {
	if c.send == nil {
		return "", c.wrong("send is for --stdio: write to the module's port instead", "send 只能与 --stdio 一起使用：请直接写模块的串口")
	}
	text = strings.ReplaceAll(text, " ", "")
	b, err := hex.DecodeString(text)
	switch {
	case len(text)%2 != 0:
		return "", c.wrong("send: %d hex digits make no whole bytes: two each", "send：%d 个十六进制字符不成整字节：每个字节两个", len(text))
	case err != nil:
		return "", c.wrong("send: %w: give bytes in hex, as 'send C0 00'", "send：%w：请用十六进制写字节，例如 'send C0 00'", err)
	case len(b) == 0:
		return "", c.wrong("send: nothing to send: give bytes in hex, as 'send C0 00'", "send：没有要发送的字节：请用十六进制写，例如 'send C0 00'")
	}
	c.send(b)
	return c.say(count(len(b), "byte sent", "bytes sent"), fmt.Sprintf("已发送 %d 字节", len(b))), nil
}

// tell ends its lines for terminals that are raw as well.
func (c *modemConsole) tell(err error, done string) {
	if err != nil {
		done = "matou: " + err.Error()
	}
	if wrong, ok := errors.AsType[*virtual.Mistake](err); ok && c.chinese {
		done = "matou: " + wrong.SentenceZH()
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
	text := e.Text
	if l.chinese && e.TextZH != "" {
		text = e.TextZH
	}
	switch e.Kind {
	case virtual.Note:
		return l.say("note: ", "提示：") + text
	case virtual.Faulted:
		return l.say("fault: ", "故障：") + text
	}
	if !l.verbose {
		return ""
	}
	link := "  " + l.say("connection", "连接") + fmt.Sprintf(" %d", e.Link) + l.say(": ", "：")
	switch e.Kind {
	case virtual.Boot:
		return l.say("the module starts", "模块启动")
	case virtual.Line:
		return fmt.Sprintf("%d %s", e.Seq, visible(string(e.Data)))
	case virtual.Opened:
		return link + text + l.say(" to ", " 到 ") + e.Peer
	case virtual.Sent:
		return link + fmt.Sprintf(l.say("sent %d bytes: ", "发送 %d 字节："), len(e.Data)) + excerpt(e.Data)
	case virtual.Received:
		return link + fmt.Sprintf(l.say("received %d bytes: ", "收到 %d 字节："), len(e.Data)) + excerpt(e.Data)
	case virtual.Closed:
		return link + l.say("closed: ", "已关闭：") + text
	}
	return ""
}

// say chooses the words of the language.
func (l *modemLog) say(en, zh string) string { return choose(l.chinese, en, zh) }

// excerpt shows the beginning of data in hex.
func excerpt(b []byte) string {
	const most = 32
	if len(b) <= most {
		return hex.EncodeToString(b)
	}
	return hex.EncodeToString(b[:most]) + "…"
}
