package at

import (
	"strconv"
	"strings"
)

// A Header is the beginning of a line that announces counted bytes, which may
// hold line ends, prompts and results of their own.
type Header struct {
	Prefix string // "+IPD,"
	// Measure looks at a line so far, which begins with Prefix: at each of its
	// commas and colons, and with ended once more at its end. ok says that the
	// header is complete and n bytes follow.
	Measure func(line string, ended bool) (n int, ok bool)
	// Wraps says that the bytes may stand between quotes, which do not count.
	Wraps bool
}

// EspressifHeaders are those of ESP8266 AT 1.x and of ESP-AT.
func EspressifHeaders() []Header {
	return []Header{
		{Prefix: "+IPD,", Measure: ipd},
		{Prefix: "+CIPRECVDATA,", Measure: closedBy(':', "+CIPRECVDATA,")}, // AT 1.7
		{Prefix: "+CIPRECVDATA:", Measure: closedBy(',', "+CIPRECVDATA:")}, // ESP-AT, with CIPDINFO=0
		{Prefix: "+MQTTSUBRECV:", Measure: afterTopic},
	}
}

// CellularHeaders are those of Quectel, SIMCom, Luat and China Mobile modules.
func CellularHeaders() []Header {
	return []Header{
		{Prefix: "+QIRD:", Measure: wholeLine(1)},
		{Prefix: "+QIURC:", Measure: pushed},
		{Prefix: "+QSSLRECV:", Measure: wholeLine(1)},
		{Prefix: "+QMTRECV:", Measure: maybeAfterTopic, Wraps: true},
		{Prefix: "+CMQTTRXTOPIC:", Measure: wholeLine(2)},
		{Prefix: "+CMQTTRXPAYLOAD:", Measure: wholeLine(2)},
		{Prefix: "+MSUB:", Measure: afterTopic},
		{Prefix: "+MQTTURC:", Measure: published},
	}
}

// ipd reads +IPD,[id,]n[,ip,port]: where the address may be quoted. Without
// the colon the module keeps the bytes (CIPRECVMODE=1), and it is a plain line.
func ipd(line string, ended bool) (n int, ok bool) {
	if ended || line[len(line)-1] != ':' || strings.Count(line, `"`)%2 == 1 {
		return 0, false
	}
	fields := strings.Split(line[len("+IPD,"):len(line)-1], ",")
	if len(fields) > 4 {
		return 0, false
	}
	return count(fields[(len(fields)-1)%2])
}

// closedBy reads a number that ends with a sign.
func closedBy(sign byte, prefix string) func(string, bool) (int, bool) {
	return func(line string, ended bool) (n int, ok bool) {
		if ended || line[len(line)-1] != sign || len(line) == len(prefix) {
			return 0, false
		}
		return count(line[len(prefix) : len(line)-1])
	}
}

// wholeLine reads a line of exactly so many fields, the last of which counts.
// +QIRD: 0 announces nothing and stays a line.
func wholeLine(fields int) func(string, bool) (int, bool) {
	return func(line string, ended bool) (n int, ok bool) {
		_, values, _ := strings.Cut(line, ":")
		list := strings.Split(values, ",")
		if !ended || len(list) != fields {
			return 0, false
		}
		n, ok = count(list[fields-1])
		return n, ok && n > 0
	}
}

// pushed reads +QIURC: "recv",<id>,<n>.
func pushed(line string, ended bool) (n int, ok bool) {
	rest, found := strings.CutPrefix(strings.TrimLeft(line[len("+QIURC:"):], " "), `"recv",`)
	if _, length, two := strings.Cut(rest, ","); found && two && ended {
		return count(length)
	}
	return 0, false
}

// afterTopic reads the length behind a quoted topic, up to the comma behind
// it: the first one that stands there, for ESP-AT writes a quote in a topic as
// it is.
func afterTopic(line string, _ bool) (n int, ok bool) {
	rest, found := strings.CutSuffix(line, ",")
	comma := strings.LastIndexByte(rest, ',')
	if !found || comma < 1 || rest[comma-1] != '"' || strings.Count(rest[:comma], `"`) < 2 {
		return 0, false
	}
	return count(strings.TrimSuffix(rest[comma+1:], " byte"))
}

// maybeAfterTopic is afterTopic where the length may be left out, and the next
// thing is then the payload with quotes and commas of its own: only a number
// right behind the second quote is a length.
func maybeAfterTopic(line string, ended bool) (n int, ok bool) {
	if strings.Count(line, `"`) != 2 {
		return 0, false
	}
	return afterTopic(line, ended)
}

// published reads +MQTTURC: "publish",<id>,<mid>,"<topic>",<total>,<len>, where
// the second number counts.
func published(line string, _ bool) (n int, ok bool) {
	rest, found := strings.CutSuffix(line, ",")
	comma := strings.LastIndexByte(rest, ',')
	if !found || comma < 0 || !strings.Contains(rest, `"publish"`) || strings.Count(rest, `"`) < 4 {
		return 0, false
	}
	if _, ok := afterTopic(rest[:comma+1], false); !ok {
		return 0, false
	}
	return count(rest[comma+1:])
}

// count reads a length. One with more than nine digits is too long for
// anybody, and counts as the longest.
func count(text string) (n int, ok bool) {
	text = strings.Trim(text, " ")
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	if len(text) > 9 {
		text = "999999999"
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
