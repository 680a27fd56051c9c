package virtual

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/modem/virtual/radio"
)

// cmeTexts are the errors of 27.007 that the modules give [27.007 §9.2].
var cmeTexts = map[int]string{
	3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required",
	13: "SIM failure", 14: "SIM busy", 16: "incorrect password", 21: "invalid index", 22: "not found", 30: "no network service",
	50: "incorrect parameters", 100: "unknown", 405: "file not found", 407: "file already exists", 409: "file open failed",
	423: "file size is 0", 400: "invalid input value", 401: "larger than the size of the file",
}

// generalCommands are what every module of the family has [V.250, 27.007].
var generalCommands = cellTable{
	"":       {execute: accept},
	"E":      {set: (*cellTurn).setEcho, execute: func(t *cellTurn) cellResult { t.cellLine.echo = false; return cellOK }},
	"V":      {set: (*cellTurn).setVerbose, execute: func(t *cellTurn) cellResult { t.verbose = false; return cellOK }},
	"Q":      {set: (*cellTurn).setQuiet, execute: func(t *cellTurn) cellResult { t.quiet = false; return cellOK }},
	"I":      {execute: (*cellTurn).identify, set: (*cellTurn).identify},
	"Z":      {execute: (*cellTurn).recall, set: (*cellTurn).recall},
	"&F":     {execute: (*cellTurn).defaults, set: (*cellTurn).defaults},
	"&W":     {execute: (*cellTurn).store, set: (*cellTurn).store},
	"&V":     {execute: (*cellTurn).view},
	"&C":     {set: oneOf("&C", 0, 1), execute: accept},
	"&D":     {set: oneOf("&D", 0, 2), execute: accept},
	"X":      {set: oneOf("X", 0, 4), execute: accept},
	"S0":     register("S0", 0),
	"S3":     register("S3", 13),
	"S4":     register("S4", 10),
	"S5":     register("S5", 8),
	"+CGMI":  bare(func(i cellIdentity) string { return i.maker }),
	"+GMI":   bare(func(i cellIdentity) string { return i.maker }),
	"+CGMM":  bare(func(i cellIdentity) string { return i.model }),
	"+GMM":   bare(func(i cellIdentity) string { return i.model }),
	"+CGMR":  bare(func(i cellIdentity) string { return i.revision }),
	"+GMR":   bare(func(i cellIdentity) string { return i.revision }),
	"+GSN":   bare(func(i cellIdentity) string { return i.imei }),
	"+CGSN":  {execute: (*cellTurn).imeiBare, set: (*cellTurn).imeiAs, testText: "+CGSN: (0-3)"},
	"+CIMI":  {execute: (*cellTurn).imsi, test: accept},
	"+CCID":  iccid("+CCID"),
	"+ICCID": iccid("+ICCID"),
	"+GCAP":  {execute: func(t *cellTurn) cellResult { t.say("+GCAP: +CGSM"); return cellOK }, test: accept},
	"+CMEE": {query: func(t *cellTurn) cellResult { t.say(fmt.Sprintf("+CMEE: %d", t.cmee)); return cellOK },
		set: (*cellTurn).setCMEE, testText: "+CMEE: (0-2)"},
	"+IPR":  {query: func(t *cellTurn) cellResult { t.say(fmt.Sprintf("+IPR: %d", t.flash.baud)); return cellOK }, set: (*cellTurn).setBaud},
	"+CFUN": {query: func(t *cellTurn) cellResult { t.say(fmt.Sprintf("+CFUN: %d", t.function)); return cellOK }, set: (*cellTurn).setFunction, testText: "+CFUN: (0,1,4),(0-1)"},
	"+CCLK": {query: func(t *cellTurn) cellResult {
		t.say(`+CCLK: "` + t.radio.Clock().CCLK(t.airTime(t.l)) + `"`)
		return cellOK
	}, set: (*cellTurn).setClock, test: accept},
	"+CTZU": keep("+CTZU", 1, 0, 3),
	"+CTZR": keep("+CTZR", 0, 0, 2),
	"+CMGF": keep("+CMGF", 0, 0, 1),
}

func accept(*cellTurn) cellResult { return cellOK }

// bare is a command that is answered with a line without its name.
func bare(what func(cellIdentity) string) cellCommand {
	return cellCommand{test: accept, execute: func(t *cellTurn) cellResult { t.say(what(t.kind.identity)); return cellOK }}
}

// register is an S register: kept and shown with three digits [V.250 §6].
func register(name string, otherwise int) cellCommand {
	return cellCommand{
		query: func(t *cellTurn) cellResult { t.say(fmt.Sprintf("%03d", t.keptOr(name, otherwise))); return cellOK },
		set:   oneOf(name, 0, 255),
	}
}

// keep is a setting that is kept and shown, and changes nothing here.
func keep(name string, otherwise, low, high int) cellCommand {
	return cellCommand{
		query: func(t *cellTurn) cellResult {
			t.say(fmt.Sprintf("%s: %d", name, t.keptOr(name, otherwise)))
			return cellOK
		},
		set:      oneOf(name, low, high),
		testText: fmt.Sprintf("%s: (%d-%d)", name, low, high),
	}
}

func (c *cellular) keptOr(name string, otherwise int) int {
	if v, ok := c.kept[name]; ok {
		return v
	}
	return otherwise
}

// oneOf is the set form of a setting that is only kept.
func oneOf(name string, low, high int) func(*cellTurn) cellResult {
	return func(t *cellTurn) cellResult {
		n := t.number(low, high)
		if !t.end() {
			return cellError
		}
		t.kept[name] = n
		return cellOK
	}
}

// flag reads 0 or 1.
func (t *cellTurn) flag(set *bool) cellResult {
	n := t.number(0, 1)
	if !t.end() {
		return cellError
	}
	*set = n == 1
	return cellOK
}

func (t *cellTurn) setEcho() cellResult    { return t.flag(&t.cellLine.echo) }
func (t *cellTurn) setVerbose() cellResult { return t.flag(&t.verbose) }
func (t *cellTurn) setQuiet() cellResult   { return t.flag(&t.quiet) }

func (t *cellTurn) identify() cellResult {
	if t.number(0, 0); t.cmd.Params != "" && !t.end() {
		return cellError
	}
	i := t.kind.identity
	t.say(i.maker)
	t.say(i.model)
	t.say("Revision: " + i.revision)
	return cellOK
}

// setProfile brings settings into force.
func (t *cellTurn) setProfile(p cellProfile) cellResult {
	t.cellLine.echo, t.verbose, t.quiet = p.echo, p.verbose, p.quiet
	t.cmee, t.reports = p.cmee, p.registration
	return cellOK
}

func (t *cellTurn) defaults() cellResult {
	clear(t.kept)
	return t.setProfile(cellProfile{echo: true, verbose: true, cmee: 1})
}

func (t *cellTurn) recall() cellResult {
	if t.flash.stored == nil {
		return t.defaults()
	}
	return t.setProfile(*t.flash.stored)
}

func (t *cellTurn) store() cellResult {
	t.flash.stored = &cellProfile{echo: t.cellLine.echo, verbose: t.verbose, quiet: t.quiet, cmee: t.cmee, registration: t.reports}
	return cellOK
}

// view shows the active profile.
func (t *cellTurn) view() cellResult {
	for _, s := range []struct {
		name string
		v    int
	}{
		{"&C", t.keptOr("&C", 1)}, {"&D", t.keptOr("&D", 2)}, {"&F", 0}, {"&W", 0}, {"E", number(t.cellLine.echo)},
		{"Q", number(t.quiet)}, {"V", number(t.verbose)}, {"X", t.keptOr("X", 4)}, {"Z", 0},
		{"S0", t.keptOr("S0", 0)}, {"S3", t.keptOr("S3", 13)}, {"S4", t.keptOr("S4", 10)}, {"S5", t.keptOr("S5", 8)},
	} {
		t.say(fmt.Sprintf("%s: %d", s.name, s.v))
	}
	return cellOK
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *cellTurn) imeiBare() cellResult { t.say(t.kind.identity.imei); return cellOK }

// imeiAs is AT+CGSN=<n>: 0 the serial number, 1 the IMEI, 2 with its software
// version, 3 that version alone [27.007 §5.4].
func (t *cellTurn) imeiAs() cellResult {
	n := t.number(0, 3)
	if !t.end() {
		return cellError
	}
	imei := t.kind.identity.imei
	switch n {
	case 0:
		t.say(imei)
	case 1:
		t.say("+CGSN: " + imei)
	case 2:
		t.say("+CGSN: " + imei[:14] + "01")
	case 3:
		t.say("+CGSN: 01")
	}
	return cellOK
}

// card reports whether the SIM card can be read, and the error if not.
func (t *cellTurn) card() (cellResult, bool) {
	switch t.radio.SIM() {
	case radio.Missing:
		return cme(10), false
	case radio.Busy:
		return cme(14), false
	}
	if t.function == 0 {
		return cme(13), false // the card has no power
	}
	return cellOK, true
}

func (t *cellTurn) imsi() cellResult {
	if r, ok := t.card(); !ok {
		return r
	}
	t.say(t.kind.identity.imsi)
	return cellOK
}

// iccid is a command that shows the number of the card.
func iccid(name string) cellCommand {
	show := func(t *cellTurn) cellResult {
		if r, ok := t.card(); !ok {
			return r
		}
		t.say(name + ": " + t.kind.identity.iccid)
		return cellOK
	}
	return cellCommand{execute: show, query: show, test: accept}
}

func (t *cellTurn) setCMEE() cellResult {
	n := t.numberOr(0, 0, 2)
	if !t.end() {
		return cellError
	}
	t.cmee = n
	return cellOK
}

// baudRates are the speeds of the UART.
var baudRates = []int{4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

func (t *cellTurn) setBaud() cellResult {
	n := t.number(0, 921600)
	for _, rate := range baudRates {
		if t.end() && n == rate {
			t.flash.baud = rate
			if t.opts.Baud > 0 {
				t.uart.pace(rate)
			}
			return cellOK
		}
	}
	return cellError
}

// setFunction is AT+CFUN=<fun>[,<rst>]: 0 minimum, 1 full, 4 radio off
// [27.007 §8.2].
func (t *cellTurn) setFunction() cellResult {
	n := t.number(0, 4)
	reset := t.numberOr(0, 0, 1)
	if !t.end() || n == 2 || n == 3 || reset == 1 && n != 1 {
		return cme(50)
	}
	if reset == 1 {
		t.final(t.l, cellOK)
		t.l.after(resetPause, t.Module.reset)
		return cellSilent
	}
	if !t.l.sleep(functionTime) {
		return cellSilent
	}
	t.function = n
	for _, change := range t.radio.Switch(n == 1, t.airTime(t.l)) {
		t.airChanged(t.l, change)
	}
	t.watchRadio(t.l)
	return cellOK
}

// What a change of function and a reset take.
const (
	functionTime = 300 * time.Millisecond
	resetPause   = 200 * time.Millisecond
)

func (t *cellTurn) setClock() cellResult {
	at, err := radio.ParseCCLK(t.text(1, 32))
	if err != nil || !t.end() {
		return cme(50)
	}
	t.radio.Clock().Set(at, t.airTime(t.l))
	return cellOK
}

// quoteList writes strings between quotes and commas.
func quoteList(texts ...string) string {
	return `"` + strings.Join(texts, `","`) + `"`
}

// csv writes numbers between commas.
func csv(numbers ...int) string {
	var b []byte
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
}
