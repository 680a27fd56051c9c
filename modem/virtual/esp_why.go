package virtual

import (
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
)

// The reasons of an ESP8266 that depend on nothing.
var (
	whyNoCR    = because{"the line ends with LF alone: this module wants CR and LF", "该行只以 LF 结尾：此模块要求以 CR LF 结尾"}
	whyNoLF    = because{"the line ends with CR alone, and this module waits for the LF: make the terminal send CR LF (picocom --omap crcrlf)", "该行只以 CR 结尾，模块还在等待 LF：请让终端发送 CR LF（picocom --omap crcrlf）"}
	whyBusy    = because{"busy p: a line came while a command runs; it is lost. Wait for OK, ERROR or FAIL before the next", "busy p：上一条指令还在执行，这一行已丢失。请等到 OK、ERROR 或 FAIL 再发下一条"}
	whySurplus = because{"busy s: more bytes came than AT+CIPSEND announced; they are lost. A line end counts as well", "busy s：发送的字节多于 AT+CIPSEND 声明的长度，多出的已丢失。回车换行也算字节"}
	whyDeaf    = because{"bytes came before the module is ready: they are lost. Wait for ready", "模块尚未就绪时收到的字节已丢失：请等到 ready 之后再发送"}
	whyNoAT    = because{"a line without AT is no command", "这一行没有 AT，不是指令"}
	whyTooLong = because{"a command line of more than 256 bytes is dropped", "指令行超过 256 字节，已被丢弃"}
)

// lfPatience is how long a host that ended a line with CR is given for the LF.
const lfPatience = time.Second

// awaitLF watches whether a line that ends with CR goes on.
func (e *esp) awaitLF(l *life) {
	n := len(e.line)
	if e.state != inLine || n == 0 || e.line[n-1] != '\r' || e.alone || l.watcher.tell == nil {
		return
	}
	e.alone = true
	l.afterReal(lfPatience, func() {
		e.alone = false
		if e.state == inLine && len(e.line) == n && e.line[n-1] == '\r' {
			l.explain(0, "no LF", whyNoLF)
		}
	})
}

// noCommand says why a line that ends while nothing was found in it is an
// error. An empty one is what drivers begin with.
func (e *esp) noCommand(l *life) {
	switch {
	case e.long:
		l.explain(0, "too long", whyTooLong)
	case e.other > 0:
		l.explain(0, "no AT", whyNoAT)
	}
}

// tellWhy says why an ERROR is one, unless the module did.
func (c *espCall) tellWhy(r result) {
	if r != espError || c.told {
		return
	}
	if why, ok := mqttReasons[c.code]; ok {
		c.why = why
	}
	if c.why == (because{}) {
		return
	}
	c.explain(c.e.cause, c.why.en, c.why)
}

// mqttReasons are numbers of ESP-AT that say more than how a command is
// written.
var mqttReasons = map[int]because{
	codeNoConfig:  {"there is no configuration yet: AT+MQTTUSERCFG first", "尚未配置：请先执行 AT+MQTTUSERCFG"},
	codeState:     {"not in this order: AT+MQTTUSERCFG, the long names, AT+MQTTCONNCFG, AT+MQTTCONN; AT+MQTTCLEAN=0 begins anew", "顺序不对：AT+MQTTUSERCFG、长参数、AT+MQTTCONNCFG、AT+MQTTCONN；AT+MQTTCLEAN=0 可重新开始"},
	codeClean:     {"there is nothing to clean: AT+MQTTUSERCFG was not given", "没有可清除的内容：尚未执行 AT+MQTTUSERCFG"},
	codeConnected: {"it is connected already: AT+MQTTCLEAN=0 first", "已经连接：请先执行 AT+MQTTCLEAN=0"},
	codeLost:      {"the connection was lost: AT+MQTTCLEAN=0, then configure and connect again", "连接已断开：请先执行 AT+MQTTCLEAN=0，再重新配置并连接"},
	codeNoLink:    {"it is not connected: AT+MQTTCONN first", "尚未连接：请先执行 AT+MQTTCONN"},
	codeStart:     {}, // told by what failed
}

// notJoined says what the number in +CWJAP:3 means.
func (c *espCall) notJoined(ssid string) {
	why := map[int]because{
		int(connecting):  becausef("the Wi-Fi %s gave no answer in time", "Wi-Fi %s 超时无应答", ssid),
		int(badPassword): becausef("the password of the Wi-Fi %s is wrong", "Wi-Fi %s 的密码错误", ssid),
		int(noAP):        becausef("no Wi-Fi %s is in reach: there are those that --wifi names", "附近没有名为 %s 的 Wi-Fi：可用的由 --wifi 指定", ssid),
	}[int(c.e.status)]
	if why != (because{}) {
		c.explain(c.e.cause, why.en, why)
	}
}

// whyNoCommand is the reason of a line that cannot be cut into name and
// parameters.
func (e *esp) whyNoCommand(text string) because {
	if why, ok := misspelt(text); ok {
		return why
	}
	if strings.Contains(text, " ") {
		return becausef("a blank stands in AT%s: this module takes none outside of quotes", "AT%s 中有空格：此模块在引号之外不接受空格", text)
	}
	return becausef("something stands behind the end of the command in AT%s", "AT%s 在指令结尾之后还有多余内容", text)
}

// whyUnknown is the reason of a name that is not in the table.
func (e *esp) whyUnknown(text, name string) because {
	entry, other := e.table[name]
	upper := strings.ToUpper(name)
	_, spelt := e.table[upper]
	switch {
	case other && entry.only == onlyV2:
		return becausef("AT%s is of ESP-AT 2.x, and this module has AT %s: --firmware 2 is one that knows it", "AT%s 属于 ESP-AT 2.x，而此模块是 AT %s：请用 --firmware 2", name, e.opts.Firmware)
	case other:
		return becausef("AT%s is of AT 1.x, and this module has ESP-AT %s: there are no _CUR and _DEF, AT+SYSSTORE says what is kept", "AT%s 属于 AT 1.x，而此模块是 ESP-AT %s：没有 _CUR 和 _DEF，是否保存由 AT+SYSSTORE 决定", name, e.opts.Firmware)
	case spelt && upper != name:
		return becausef("commands are written in capital letters: AT%s", "指令要用大写字母：AT%s", upper)
	}
	if why, ok := misspelt(text); ok {
		return why
	}
	return becausef("this firmware, %s, knows no AT%s", "此固件（%s）没有 AT%s 指令", e.opts.Firmware, name)
}

// forms are those that a command has.
func (c espCommand) forms() (forms []at.Form) {
	for f, h := range map[at.Form]espHandler{at.Execute: c.execute, at.Query: c.query, at.Test: c.test, at.Set: c.set} {
		if h != nil {
			forms = append(forms, f)
		}
	}
	return forms
}

func whyNoForm(name string, forms []at.Form) because {
	return becausef("AT%s is not known in this form; there is %s", "AT%s 没有这种形式；可用：%s", name, formsOf(name, forms...))
}

// whyRefused is the reason of a known command that could not be carried out:
// how it is written, and what it needs.
func whyRefused(name, text string) because {
	if fullWidthOutside(text) {
		why, _ := misspelt(unquoted(text))
		return why
	}
	base := strings.TrimSuffix(strings.TrimSuffix(name, "_CUR"), "_DEF")
	use, ok := espUses[base]
	if !ok {
		return becausef("AT%s: a parameter is wrong, or it cannot be done now", "AT%s：参数有误，或当前不能执行", text)
	}
	why := becausef("AT%s: it is written %s", "AT%s：正确写法为 %s", text, strings.ReplaceAll(use.form, base, name))
	if use.needs != (because{}) {
		why.en += "; it needs " + use.needs.en
		why.zh += "；前提：" + use.needs.zh
	}
	return why
}

// An espUse is how a command is written, and what must be so before.
type espUse struct {
	form  string
	needs because
}

var (
	needsStation = because{"AT+CWMODE=1 or 3 before", "先设置 AT+CWMODE=1 或 3"}
	needsLink    = because{"a connection by AT+CIPSTART", "已用 AT+CIPSTART 建立连接"}
	needsMQTT    = because{"AT+MQTTUSERCFG, AT+MQTTCONNCFG and AT+MQTTCONN before, in this order", "依次执行 AT+MQTTUSERCFG、AT+MQTTCONNCFG、AT+MQTTCONN"}
)

// espUses are the commands with which people begin [at-esp8266 §4, §5, §13].
var espUses = map[string]espUse{
	"+CWMODE":       {form: `AT+CWMODE=<1-3>`},
	"+CWJAP":        {`AT+CWJAP="<ssid>","<password>"`, needsStation},
	"+CWLAP":        {`AT+CWLAP`, needsStation},
	"+CWSAP":        {`AT+CWSAP="<ssid>","<password>",<channel 1-13>,<0,2,3,4>`, because{"AT+CWMODE=2 or 3 before", "先设置 AT+CWMODE=2 或 3"}},
	"+CWDHCP":       {form: `AT+CWDHCP=<0-2>,<0,1>`},
	"+UART":         {form: `AT+UART=<baud>,<5-8>,<1-3>,<0-2>,<0-3>`},
	"+CIPMUX":       {form: `AT+CIPMUX=<0,1>`},
	"+CIPMODE":      {form: `AT+CIPMODE=<0,1>`},
	"+CIPSTART":     {form: `AT+CIPSTART="TCP","<host>",<port> | AT+CIPSTART=<0-4>,"TCP","<host>",<port> (AT+CIPMUX=1)`},
	"+CIPSEND":      {`AT+CIPSEND=<1-2048> | AT+CIPSEND=<0-4>,<1-2048> (AT+CIPMUX=1) | AT+CIPSEND (AT+CIPMODE=1)`, needsLink},
	"+CIPCLOSE":     {`AT+CIPCLOSE | AT+CIPCLOSE=<0-5> (AT+CIPMUX=1)`, needsLink},
	"+CIPSERVER":    {`AT+CIPSERVER=<0,1>[,<port>]`, because{"AT+CIPMUX=1 before", "先设置 AT+CIPMUX=1"}},
	"+CIPSTO":       {`AT+CIPSTO=<0-7200>`, because{"AT+CIPSERVER=1 before", "先执行 AT+CIPSERVER=1"}},
	"+CIPRECVDATA":  {`AT+CIPRECVDATA=[<0-4>,]<length>`, because{"AT+CIPRECVMODE=1, and data that waits", "AT+CIPRECVMODE=1 且有待读数据"}},
	"+PING":         {form: `AT+PING="<host>"`},
	"+CIPSNTPCFG":   {form: `AT+CIPSNTPCFG=<0,1>,<zone>[,"<server>"…]`},
	"+MQTTUSERCFG":  {`AT+MQTTUSERCFG=0,<scheme 1-10>,"<client id>","<user name>","<password>",0,0,""`, because{"no connection: AT+MQTTCLEAN=0 ends one", "没有连接：先用 AT+MQTTCLEAN=0 断开"}},
	"+MQTTCONNCFG":  {`AT+MQTTCONNCFG=0,<0-7200>,<0,1>,"<will topic>","<will>",<0-2>,<0,1>`, because{"AT+MQTTUSERCFG before", "先执行 AT+MQTTUSERCFG"}},
	"+MQTTCONN":     {`AT+MQTTCONN=0,"<host>",<port>,<0,1>`, because{"AT+MQTTUSERCFG before, and a server that accepts the login", "先执行 AT+MQTTUSERCFG，且服务器接受登录"}},
	"+MQTTPUB":      {`AT+MQTTPUB=0,"<topic>","<data, \" and \, inside>",<0-2>,<0,1>`, needsMQTT},
	"+MQTTPUBRAW":   {`AT+MQTTPUBRAW=0,"<topic>",<length>,<0-2>,<0,1>`, needsMQTT},
	"+MQTTSUB":      {`AT+MQTTSUB=0,"<topic>",<0-2>`, needsMQTT},
	"+MQTTUNSUB":    {`AT+MQTTUNSUB=0,"<topic>"`, needsMQTT},
	"+MQTTCLEAN":    {`AT+MQTTCLEAN=0`, because{"AT+MQTTUSERCFG before", "先执行 AT+MQTTUSERCFG"}},
	"+MQTTCLIENTID": {`AT+MQTTCLIENTID=0,"<client id, \, for each comma>"`, because{"AT+MQTTUSERCFG before, AT+MQTTCONNCFG after", "在 AT+MQTTUSERCFG 之后、AT+MQTTCONNCFG 之前"}},
}
