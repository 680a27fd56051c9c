package virtual

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

var espBasic = map[string]espCommand{
	"":             {execute: func(*espCall) result { return espOK }},
	"E":            {set: espSwitch(espEchoes)},
	"+RST":         {execute: espReset},
	"+GMR":         {execute: espVersion},
	"+RESTORE":     {execute: espRestore},
	"+GSLP":        {set: espDeepSleep},
	"+SLEEP":       {query: espSleepQuery, set: espSleepSet},
	"+IPR":         {set: espIPR, only: onlyV1},
	"+UART":        {query: espUARTQuery, set: espUARTSet},
	"+SYSRAM":      {query: espSysRAM},
	"+SYSMSG":      {query: espSysMsgQuery, set: espSysMsgSet, only: onlyV2},
	"+SYSMSG_CUR":  {query: espSysMsgQuery, set: espSysMsgSet, only: onlyV1},
	"+SYSMSG_DEF":  {query: espSysMsgQuery, set: espSysMsgSet, only: onlyV1},
	"+SYSLOG":      {query: espSwitched("+SYSLOG:%d\r\n", espLogs), set: espSwitch(espLogs), only: onlyV2},
	"+SYSSTORE":    {query: espSwitched("+SYSSTORE:%d\r\n", espStores), set: espSwitch(espStores), only: onlyV2},
	"+CMD":         {query: espCommandList, only: onlyV2},
	"+RFPOWER":     {set: espKeep(0, 82)},
	"+RFAUTOTRACE": {query: espKept("%s:%d\r\n", 1), set: espKeep(0, 1), only: onlyV1},
	"+WAKEUPGPIO":  {set: espAccept},
}

// espAccept takes any parameters: what it sets has no effect here.
func espAccept(c *espCall) result {
	for c.args.More() {
		if c.next().bad {
			return c.fail(errType)
		}
	}
	return espOK
}

// espKeep keeps a number without effect.
func espKeep(low, high int) espHandler {
	return func(c *espCall) result {
		n, ok := c.only([2]int{low, high})
		if !ok {
			return espError
		}
		c.e.auto[c.name] = n[0]
		return espOK
	}
}

// espKept shows what espKeep keeps.
func espKept(format string, otherwise int) espHandler {
	return func(c *espCall) result {
		n, ok := c.e.auto[c.name]
		if !ok {
			n = otherwise
		}
		c.printf(format, c.name, n)
		return espOK
	}
}

// espSwitch sets what is on or off.
func espSwitch(of func(*esp) *bool) espHandler {
	return func(c *espCall) result {
		n, ok := c.only([2]int{0, 1})
		if !ok {
			return espError
		}
		*of(c.e) = n[0] == 1
		return espOK
	}
}

// espSwitched shows what espSwitch sets.
func espSwitched(format string, of func(*esp) *bool) espHandler {
	return func(c *espCall) result {
		n := 0
		if *of(c.e) {
			n = 1
		}
		c.printf(format, n)
		return espOK
	}
}

func espEchoes(e *esp) *bool { return &e.echo }
func espLogs(e *esp) *bool   { return &e.syslog }
func espStores(e *esp) *bool { return &e.flash.store }
func espJoins(e *esp) *bool  { return &e.flash.autoJoin }

func espReset(c *espCall) result {
	c.print(string(espOK))
	c.e.restart(c.life)
	return espSilent
}

// restart ends this life after the chip has said good-bye to its network.
func (e *esp) restart(l *life) {
	e.state = deaf
	if e.status == gotIP && !e.quiet() {
		l.print("WIFI DISCONNECT\r\n")
	}
	l.after(10*time.Millisecond, e.reset)
}

func espRestore(c *espCall) result {
	c.print(string(espOK))
	c.e.factory()
	c.e.restart(c.life)
	return espSilent
}

// espVersion is AT+GMR. The last line of AT 1.x has no end of its own.
func espVersion(c *espCall) result {
	c.print(espVersions[c.e.opts.Firmware])
	return espOK
}

var espVersions = map[string]string{
	"1.3.0.0": "AT version:1.3.0.0(Jul 14 2016 18:54:01)\r\nSDK version:2.0.0(656edbf)\r\ncompile time:Jul 19 2016 18:44:22\r\n",
	"1.4.0.0": "AT version:1.4.0.0(May  5 2017 16:10:59)\r\nSDK version:2.1.0(116b762)\r\ncompile time:May  5 2017 16:37:48\r\n",
	"1.6.2.0": "AT version:1.6.2.0(Apr 13 2018 11:10:59)\r\nSDK version:2.2.1(6ab97e9)\r\ncompile time:Jun  7 2018 19:34:26\r\nBin version(Wroom 02):1.6.2",
	"1.7.4.0": "AT version:1.7.4.0(May 11 2020 19:13:04)\r\nSDK version:3.0.4(9532ceb)\r\ncompile time:May 27 2020 10:12:17\r\nBin version(Wroom 02):1.7.4",
	"1.7.6.0": "AT version:1.7.6.0(May 24 2022 12:34:21)\r\nSDK version:3.0.6(6ee2c2f)\r\ncompile time:May 24 2022 13:11:26\r\nBin version(Wroom 02):1.7.6",
	"2.2.0.0": "AT version:2.2.0.0(b097cdf - ESP8266 - Jun 17 2021 12:57:45)\r\nSDK version:v3.4-22-g967752e2\r\ncompile time(6800286):Aug  4 2021 17:20:05\r\nBin version:2.2.0(WROOM-02)\r\n",
}

// espDeepSleep ends everything until the time is over; 0 is for ever.
func espDeepSleep(c *espCall) result {
	n, ok := c.only([2]int{0, 1 << 31})
	if !ok {
		return espError
	}
	c.print(string(espOK))
	e := c.e
	e.state = deaf
	e.dropLinks(c.life)
	e.want, e.status = nil, noStation
	if n[0] > 0 {
		c.after(time.Duration(n[0])*time.Millisecond, e.reset)
	}
	return espSilent
}

func espSleepQuery(c *espCall) result {
	n, ok := c.e.auto["+SLEEP"]
	if !ok {
		n = 2
	}
	c.printf("+SLEEP:%d\r\n", n)
	return espOK
}

func espSleepSet(c *espCall) result { return espKeep(0, 2)(c) }

// An espSerial is how the UART is set.
type espSerial struct{ baud, data, stop, parity, flow int }

const maxESPBaud = 5_000_000

// espUARTSet answers at the old speed, then switches.
func espUARTSet(c *espCall) result {
	n, ok := c.only([2]int{80, maxESPBaud}, [2]int{5, 8}, [2]int{1, 3}, [2]int{0, 2}, [2]int{0, 3})
	if !ok {
		return espError
	}
	s := espSerial{n[0], n[1], n[2], n[3], n[4]}
	c.e.serial = s
	if !c.current() {
		c.e.flash.serial = s
	}
	c.task(func() {
		if c.wait(c.uart.flush) {
			c.switchTo(s.baud)
		}
	})
	return espOK
}

// espIPR is the old way, which answers at the new speed.
func espIPR(c *espCall) result {
	n, ok := c.only([2]int{80, maxESPBaud})
	if !ok {
		return espError
	}
	c.e.serial.baud = n[0]
	c.switchTo(n[0])
	return espOK
}

// switchTo paces the line at another speed, if it is paced.
func (c *espCall) switchTo(baud int) {
	c.note("the UART runs at %d baud from here on", baud)
	if c.opts.Baud > 0 {
		c.uart.pace(baud)
	}
}

// espUARTQuery shows the speed that the divider of the 80 MHz clock gives.
func espUARTQuery(c *espCall) result {
	s := c.e.serial
	if c.stored() {
		s = c.e.flash.serial
	}
	const clock = 80_000_000
	c.printf("%s:%d,%d,%d,%d,%d", c.name, clock/(clock/s.baud), s.data, s.stop, s.parity, s.flow)
	if c.e.v2 {
		c.print("\r\n")
	}
	return espOK
}

func espSysRAM(c *espCall) result {
	c.print("+SYSRAM:35456\r\n")
	return espOK
}

func espSysMsgQuery(c *espCall) result {
	n := c.e.sysmsg
	if c.stored() {
		n = c.e.flash.sysmsg
	}
	if c.e.v2 {
		c.printf("+SYSMSG:%d\r\n", n)
	} else {
		c.printf("%s:0x%x\r\n", c.name, n)
	}
	return espOK
}

func espSysMsgSet(c *espCall) result {
	n, ok := c.only([2]int{0, 7})
	if !ok {
		return espError
	}
	c.e.sysmsg = n[0]
	if c.stores() {
		c.e.flash.sysmsg = n[0]
	}
	return espOK
}

// The bits of AT+SYSMSG.
const (
	msgQuit = 1 << iota // say +QUITT when leaving transparent mode
	msgLink             // say +LINK_CONN instead of CONNECT
	msgWiFi             // ESP-AT: say Wi-Fi changes in transparent mode too
)

// espCommandList is AT+CMD?: every command with the forms that it has.
func espCommandList(c *espCall) result {
	table := c.e.table
	var names []string
	for name, cmd := range table {
		if cmd.only != onlyV1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	has := func(h espHandler) int {
		if h != nil {
			return 1
		}
		return 0
	}
	for i, name := range names {
		cmd := table[name]
		fmt.Fprintf(&b, "+CMD:%d,\"AT%s\",%d,%d,%d,%d\r\n", i, name, has(cmd.test), has(cmd.query), has(cmd.set), has(cmd.execute))
	}
	c.print(b.String())
	return espOK
}
