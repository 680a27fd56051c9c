package virtual

import (
	"strings"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem/virtual/onboard"
	"github.com/matou-iot/matou/mqtt"
)

// The reasons of cellular modules that depend on nothing.
var (
	whyNotAwake = because{"bytes came before the module is ready: they are lost. Wait for RDY", "模块尚未就绪时收到的字节已丢失：请等到 RDY 之后再发送"}
	whyNeedsCR  = because{"LF alone ends no command: this module wants CR", "只有 LF 不会执行指令：此模块要求以 CR 结尾"}
	whyCellLong = because{"a command line of more than 2048 bytes is an error", "指令行超过 2048 字节"}
)

// passedOver says why a line that holds no AT has no answer.
func (c *cellular) passedOver(l *life, line string) {
	if !strings.ContainsFunc(line, func(r rune) bool { return r > ' ' }) { // drivers begin with escapes and line ends
		return
	}
	l.explain(0, "no AT", becausef("a line without AT is passed over: %s. If it is the rest of a message, its length was too small",
		"没有 AT 的行会被忽略：%s。如果它是消息的剩余部分，说明声明的长度太小", excerpt(line)))
}

// because keeps the reason of the ERROR that follows.
func (t *cellTurn) because(why because) cellResult {
	t.why = why
	return cellError
}

// tellWhy says why a command was answered with an error.
func (t *cellTurn) tellWhy(r cellResult) {
	if text, ok := cmeTexts[r.cme]; ok && r.word == "+CME ERROR" {
		t.why = becausef("+CME ERROR: %d is: %s", "+CME ERROR: %d 的含义：%s", r.cme, text)
	}
	if t.why == (because{}) {
		t.why = t.whyRefused()
	}
	t.l.explain(t.cause, t.why.en, t.why)
}

// whyRefused is the reason of a known command that could not be carried out.
func (t *cellTurn) whyRefused() because {
	cmd, known := t.command()
	switch {
	case !known:
		if why, ok := misspelt(t.cmd.String()); ok {
			return why
		}
		return becausef("a %s knows no AT%s", "%s 没有 AT%s 指令", t.model.Title, t.cmd.Name)
	case t.handler(cmd) == nil:
		return becausef("AT%s is not known in this form; there is %s", "AT%s 没有这种形式；可用：%s", t.cmd.Name, formsOf(t.cmd.Name, cmd.forms()...))
	case fullWidthOutside(t.cmd.Params):
		why, _ := misspelt(unquoted(t.cmd.Params))
		return why
	case strings.HasPrefix(cmd.testText, t.cmd.Name+": "):
		use := "AT" + t.cmd.Name + "=" + strings.TrimPrefix(cmd.testText, t.cmd.Name+": ")
		return becausef("%s: it is written %s", "%s：正确写法为 %s", t.cmd, use)
	}
	return becausef("%s: a parameter is wrong, or it cannot be done now", "%s：参数有误，或当前不能执行", t.cmd)
}

// forms are those that a command has.
func (c cellCommand) forms() (forms []at.Form) {
	for f, has := range map[at.Form]bool{
		at.Execute: c.execute != nil, at.Query: c.query != nil, at.Set: c.set != nil, at.Test: c.test != nil || c.testText != "",
	} {
		if has {
			forms = append(forms, f)
		}
	}
	return forms
}

// whyMisspelt is the reason of a line that cannot be cut into commands.
func whyMisspelt(line string, err error) because {
	if why, ok := misspelt(line); ok {
		return why
	}
	return becausef("%s is no command: %v", "%s 不是指令：%v", excerpt(line), err)
}

// whyNot is the reason of an operation that the client does not begin.
func (q *cellMQTT) whyNot(err error) because {
	switch err {
	case onboard.ErrWindow:
		return because{"too many messages wait for their answers: wait for their URCs", "等待应答的消息太多：请先等待它们的结果"}
	case onboard.ErrIdentifier:
		return because{"the message id belongs to a message that waits for its answer: take another", "该消息标识符仍在使用：请换一个"}
	}
	return q.whyState()
}

// explainRefusal says what a server's refusal means.
func (q *cellMQTT) explainRefusal(l *life, d onboard.Done) {
	for _, code := range d.Codes {
		switch {
		case d.Op == onboard.Connect && code > 0:
			l.refusedLogin(q.c.cause, code)
		case d.Op == onboard.Subscribe && code == byte(mqtt.UnspecifiedError):
			l.explain(q.c.cause, "subscription", because{
				"the server refused a topic with 128: the device may not subscribe to it; a Matou says why: matou device timeline --kind subscribe",
				"服务器以 128 拒绝了主题：设备无权订阅；Matou 会说明原因：matou device timeline --kind subscribe"})
		}
	}
}

// whyState is the reason of a command that comes too early or too late.
func (q *cellMQTT) whyState() because {
	idx, family := q.idx, q.c.kind.mqtt
	switch q.client.State() {
	case onboard.Closed:
		return becausef("MQTT client %d is not open: AT%sOPEN first, and its URC", "MQTT 客户端 %d 未打开：请先执行 AT%sOPEN 并等待其结果", idx, family)
	case onboard.Connected:
		return becausef("MQTT client %d is logged in already", "MQTT 客户端 %d 已经登录", idx)
	}
	return becausef("MQTT client %d is not logged in: AT%sCONN first, and its URC", "MQTT 客户端 %d 未登录：请先执行 AT%sCONN 并等待其结果", idx, family)
}
