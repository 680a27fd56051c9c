package virtual

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/at"
)

// A because says to a person why a module answered as it did, in both languages:
// modules themselves say ERROR and no more. It goes to the observer only, the
// line stays as it is with a real one.
type because struct{ en, zh string }

func becausef(en, zh string, values ...any) because {
	return because{fmt.Sprintf(en, values...), fmt.Sprintf(zh, values...)}
}

const (
	maxReasons  = 64                    // that are told in one life: noise has no end of them
	reasonDelay = 20 * time.Millisecond // behind the answer, so that it does not stand in it
)

// explain tells the observer why, once in a life for each subject, when the
// host has the answer.
func (l *life) explain(cause uint64, subject string, why because) {
	if l.reasons[subject] || len(l.reasons) == maxReasons || l.watcher.tell == nil {
		return
	}
	l.reasons[subject] = true
	l.task(func() {
		if l.wait(l.uart.flush) && l.pause(l.ctx, reasonDelay) {
			l.observe(Event{Kind: Note, Cause: cause, Link: -1, Text: why.en, TextZH: why.zh})
		}
	})
}

// halfWidth is the character on the key that a full-width one stands for, as
// input methods for Chinese make them and web pages are full of.
func halfWidth(r rune) (key rune, ok bool) {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!', true
	case r == '“' || r == '”':
		return '"', true
	case r == '‘' || r == '’':
		return '\'', true
	}
	return 0, false
}

// misspelt is the reason of a line that is no command: what in it no keyboard
// types without an input method, or what stands behind its end.
func misspelt(line string) (because, bool) {
	for _, r := range line {
		if key, ok := halfWidth(r); ok {
			return becausef("%c is full-width, as input methods for Chinese make it: type %c", "%c 是全角符号，请改用半角的 %c", r, key), true
		}
	}
	if _, behind, ok := strings.Cut(line, "//"); ok && !strings.Contains(line, "\"") {
		return becausef("what stands behind the command is part of it for a module, and is none of it: %q", "“//” 之后的注释也会发给模块：%q", "//"+behind), true
	}
	if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || r < ' ' }) {
		return becausef("bytes that are no text stand in the command: %s", "指令中含有非文本字节：%s", excerpt(line)), true
	}
	return because{}, false
}

// unquoted is what stands outside of quotes: inside, any text may.
func unquoted(text string) string {
	var out []byte
	quoted := false
	for i := range len(text) {
		if text[i] == '"' {
			quoted = !quoted
		} else if !quoted {
			out = append(out, text[i])
		}
	}
	return string(out)
}

// fullWidthOutside reports whether full-width characters stand where they
// cannot be meant.
func fullWidthOutside(text string) bool {
	return strings.ContainsFunc(unquoted(text), func(r rune) bool { _, ok := halfWidth(r); return ok })
}

// excerpt is the beginning of a line, readable.
func excerpt(line string) string {
	const most = 40
	if len(line) > most {
		line = line[:most]
		return fmt.Sprintf("%q…", line)
	}
	return fmt.Sprintf("%q", line)
}

// formsOf lists how a command may be typed.
func formsOf(name string, forms ...at.Form) string {
	var all []string
	for _, f := range forms {
		text := at.Command{Name: name, Form: f, Params: "…"}.String()
		if f == at.Set && !strings.Contains(text, "=") {
			text = "AT" + name + "…"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// starveTime is how long a host may pause in data that it announced before a
// person is told; maxPauses bounds how often that is looked at.
const (
	starveTime = 5 * time.Second
	maxPauses  = 24
)

// starving tells a person that the module waits for the rest of data: have
// says how much is there, and whether it still waits.
func (l *life) starving(cause uint64, want int, have func() (n int, waiting bool)) {
	if want <= 0 || l.watcher.tell == nil {
		return
	}
	var watch func(before, left int)
	watch = func(before, left int) {
		l.afterReal(starveTime, func() {
			n, waiting := have()
			switch {
			case !waiting || left == 0:
			case n > 0 && n == before:
				l.explain(cause, "starving", becausef("the module waits for %d more of the %d bytes that were announced", "模块还在等待声明的 %[2]d 字节中余下的 %[1]d 字节", want-n, want))
			default:
				watch(n, left-1)
			}
		})
	}
	watch(-1, maxPauses)
}

// whyShort is the reason of data that never came to an end.
func whyShort(want int) because {
	return becausef("fewer than the %d bytes that were announced came", "收到的数据少于声明的 %d 字节", want)
}

// unknownName says that a name leads nowhere. It was mapped to another one.
func (l *life) unknownName(name, mapped string) {
	why := becausef("the name %s is not found from here; --map '%[1]s=127.0.0.1:1883' would lead it to a server on this machine",
		"找不到主机 %s；用 --map '%[1]s=127.0.0.1:1883' 可把它指向本机的服务器", name)
	switch {
	case strings.ContainsAny(name, " \t"):
		why = becausef("the host %q has a blank in it, and to a module the blank is part of the name", "主机名 %q 中有空格，模块会把空格当作名称的一部分", name)
	case name != mapped:
		why = becausef("%s is mapped to %s, and that name is not found", "%s 被映射到 %s，但找不到这个主机", name, mapped)
	}
	l.explain(0, "name "+name, why)
}

// refusedLogin says what a server's no means.
func (l *life) refusedLogin(cause uint64, code byte) {
	why, ok := map[byte]because{
		1: {"its version of MQTT", "MQTT 版本"}, 2: {"the client id", "客户端标识符"}, 3: {"it is unavailable", "服务不可用"},
		4: {"user name or password", "用户名或密码"}, 5: {"it is not authorized", "未授权"},
	}[code]
	if !ok {
		return
	}
	l.explain(cause, fmt.Sprintf("login %d", code), becausef(
		"the server refused the login with code %[1]d, %[2]s; a Matou says why: matou device timeline --kind refuse",
		"服务器拒绝了登录，代码 %[1]d（%[3]s）；Matou 会说明原因：matou device timeline --kind refuse", code, why.en, why.zh))
}

// unreached says that an address does not answer.
func (l *life) unreached(err error) {
	l.explain(0, err.Error(), becausef("no connection: %v; does a server listen there?", "无法连接：%v；那里有服务器在监听吗？", err))
}
