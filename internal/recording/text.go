package recording

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/mqtt/packet"
)

// readText finds the packets in what people keep: hex alone, C arrays, the log
// of a serial monitor, an article. A line that is hex from end to end is
// bytes; bytes behind AT+CIPSEND=n are the n that the module sent, and those
// behind +IPD,n: the n that it received. All else is talk.
func readText(text string) ([]Recording, error) {
	if b, err := packet.ParseHex(text); err == nil && !strings.Contains(text, "{") {
		return []Recording{{Name: "hex", Events: []Event{{Data: b}}}}, nil
	}
	if r, ok := readArrays(text); ok {
		return []Recording{r}, nil
	}
	t := textReader{r: Recording{Name: "text"}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		t.line(n, strings.TrimRight(line, "\r\n"))
	}
	t.end()
	if len(t.r.Events) == 0 {
		return nil, wording.Errorf("%w: a text of %d lines without one that is hex from end to end", ErrEmpty, n)
	}
	return []Recording{t.r}, nil
}

var array = regexp.MustCompile(`\{[^{}]*\}`)

// readArrays reads the arrays of C source, each one what the device sent.
func readArrays(text string) (Recording, bool) {
	r := Recording{Name: "arrays"}
	for _, a := range array.FindAllString(text, -1) {
		if b, err := packet.ParseHex(a); err == nil && len(b) > 1 {
			r.Events = append(r.Events, Event{Data: b})
		}
	}
	return r, len(r.Events) > 0
}

// A textReader reads line by line.
type textReader struct {
	r      Recording
	from   Side
	due    int    // bytes that a length announced, 0 for none
	opened int    // line that announced them
	got    []byte // of them
	start  time.Duration
	began  bool
	days   time.Duration
	last   time.Duration
}

var (
	clock = regexp.MustCompile(`^\[?(?:\d{4}[-/]\d\d?[-/]\d\d?[ T])?(\d{1,2}):(\d\d):(\d\d)(?:[.,:](\d{1,6}))?\]?\s*`)
	list  = regexp.MustCompile(`^(?:\d+[.)、]|[-*•])\s+`)
	send  = regexp.MustCompile(`(?i)^AT\+(?:CIPSEND(?:EX|BUF)?|QISEND|MIPSEND)=(?:\d+,)?(\d+)\b`)
	ipd   = regexp.MustCompile(`^\+IPD,(?:\d,)?(\d+)(?:,"?[0-9a-fA-F.:]+"?,\d+)?:\s*`)
)

// marks say who sent a line, as serial monitors and people write it.
var marks = []struct {
	mark string
	from Side
}{
	{"发→◇", Device}, {"收←◆", Broker}, {"发送:", Device}, {"接收:", Broker}, {"发送：", Device}, {"接收：", Broker},
	{">>", Device}, {"<<", Broker}, {"->", Device}, {"<-", Broker}, {"→", Device}, {"←", Broker}, {">", Device}, {"<", Broker},
	{"TX:", Device}, {"RX:", Broker}, {"Tx:", Device}, {"Rx:", Broker}, {"SEND:", Device}, {"RECV:", Broker},
	{"Send:", Device}, {"Recv:", Broker}, {"send:", Device}, {"recv:", Broker}, {"tx:", Device}, {"rx:", Broker},
}

func (t *textReader) line(n int, line string) {
	line = strings.TrimSpace(line)
	if m := clock.FindStringSubmatch(line); m != nil {
		t.time(m[1:])
		line = strings.TrimSpace(line[len(m[0]):])
	}
	line = strings.TrimSpace(strings.Trim(list.ReplaceAllString(line, ""), "`"))
	from, marked := Device, false
	for _, m := range marks {
		if rest, ok := strings.CutPrefix(line, m.mark); ok {
			line, from, marked = strings.TrimSpace(rest), m.from, true
			break
		}
	}
	line = strings.Trim(line, "`□ \t")
	if m := send.FindStringSubmatch(line); m != nil {
		t.announce(n, Device, m[1])
		return
	}
	if m := ipd.FindStringSubmatch(line); m != nil {
		t.announce(n, Broker, m[1])
		line = line[len(m[0]):]
		marked, from = false, Broker
	}
	b, err := packet.ParseHex(line)
	if err != nil || len(b) < 2 && t.due == 0 {
		return
	}
	if t.due == 0 || marked && from != t.from {
		t.end()
		t.add(from, b)
		return
	}
	t.got = append(t.got, b...)
	if len(t.got) >= t.due {
		t.end()
	}
}

// announce begins bytes whose number is known.
func (t *textReader) announce(n int, from Side, digits string) {
	t.end()
	due, err := strconv.Atoi(digits)
	if err != nil || due > maxPacket {
		t.r.note("line %d announces %s bytes", n, digits)
		return
	}
	t.from, t.due, t.opened = from, due, n
}

// end closes the bytes that were announced, and says if they are not as many.
func (t *textReader) end() {
	if len(t.got) > 0 {
		if len(t.got) != t.due {
			t.r.note("line %d announces %d bytes, and %d follow", t.opened, t.due, len(t.got))
		}
		t.add(t.from, t.got)
	}
	t.due, t.got = 0, nil
}

func (t *textReader) add(from Side, b []byte) {
	t.r.Events = append(t.r.Events, Event{At: t.last - t.start, From: from, Data: b})
}

// time reads the clock of a line; it may pass midnight.
func (t *textReader) time(parts []string) {
	var units [3]int
	for i := range units {
		units[i], _ = strconv.Atoi(parts[i]) // they are digits
	}
	fraction, _ := strconv.ParseFloat("0."+parts[3]+"0", 64)
	at := t.days + time.Duration(units[0])*time.Hour + time.Duration(units[1])*time.Minute +
		time.Duration(units[2])*time.Second + time.Duration(fraction*float64(time.Second)).Round(time.Microsecond)
	if !t.began {
		t.began, t.start, t.last, t.r.Timed = true, at, at, true
	}
	if at < t.last-12*time.Hour {
		t.days += 24 * time.Hour
		at += 24 * time.Hour
	}
	t.last = max(at, t.last)
}
