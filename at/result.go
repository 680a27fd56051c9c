package at

import (
	"strconv"
	"strings"
)

// A Result is the line that ends the answer to a command.
type Result struct {
	Word string // "OK", "ERROR", "FAIL", "+CME ERROR", "+CMS ERROR", "SEND OK", "CONNECT", "NO CARRIER" …
	Text string // what follows the word: the number or text of a +CME ERROR, the rate of a CONNECT
}

// words are the final results of V.250 and of sockets; FAIL is Espressif's.
var words = map[string]Dialect{
	"OK": V250, "ERROR": V250, "NO CARRIER": V250, "NO DIALTONE": V250, "NO ANSWER": V250, "BUSY": V250,
	"SEND OK": V250, "SEND FAIL": V250,
	"FAIL": Espressif, "SEND Canceled": Espressif,
}

// Result reads a line as a final result; ok is false for all other lines.
// CONNECT is a result in V250 only: an ESP8266 says it of a socket, and OK
// follows. "busy p..." is none: it speaks of the bytes that were lost, the
// result of the running command still comes.
func (d Dialect) Result(line string) (r Result, ok bool) {
	if only, known := words[line]; known {
		shared := line == "OK" || line == "ERROR" || strings.HasPrefix(line, "SEND ")
		return Result{Word: line}, only == d || shared
	}
	if d == Espressif {
		return Result{}, false
	}
	for _, word := range []string{"+CME ERROR", "+CMS ERROR"} {
		if rest, found := strings.CutPrefix(line, word+":"); found {
			return Result{word, strings.TrimSpace(rest)}, true
		}
	}
	if line == "CONNECT" {
		return Result{Word: line}, true
	}
	if rate, found := strings.CutPrefix(line, "CONNECT "); found {
		return Result{"CONNECT", rate}, true
	}
	return Result{}, false
}

// OK reports whether the command did what it was asked.
func (r Result) OK() bool { return r.Word == "OK" || r.Word == "SEND OK" || r.Word == "CONNECT" }

// Number is the code of a +CME ERROR or +CMS ERROR, -1 where there is none.
func (r Result) Number() int {
	n, err := strconv.Atoi(r.Text)
	if err != nil {
		return -1
	}
	return n
}

// String is the line without its line end.
func (r Result) String() string {
	switch {
	case r.Text == "":
		return r.Word
	case strings.HasPrefix(r.Word, "+"):
		return r.Word + ": " + r.Text
	}
	return r.Word + " " + r.Text
}

// Busy reports whether a line is an ESP8266's answer to bytes that it could
// not take, and dropped.
func Busy(line string) bool { return line == "busy p..." || line == "busy s..." }
