package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/at/transcript"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/probe"
)

type modemProbeCmd struct {
	Port string `arg:"" help:"Serial port, pseudo-terminal, or tcp://HOST:PORT."`

	Baud   int    `help:"Only this speed; without it the usual ones are tried." placeholder:"N"`
	Record string `help:"Write what was asked and answered to this file, as a transcript." placeholder:"FILE"`
}

func (*modemProbeCmd) Help() string {
	return `Finds the speed of the line and says what the module is, whether it echoes, its
SIM card, network or Wi-Fi, signal, address and time, what it can do of MQTT
itself, and what is wrong with the remedy. It only asks: no setting is changed
and nothing is reset. Needs no server; no other program may use the port.

Exit code 0: the module answers and nothing is wrong (warnings may be); 1:
something is wrong, or nothing answers.

Examples:
  matou modem probe /dev/ttyUSB0
  matou modem probe COM3 --lang zh
  matou modem probe /dev/ttyUSB2 --baud 115200 --record module.at
  matou modem probe tcp://192.168.1.50:8899 --json

On a virtual module, with something that is wrong:
  matou modem run ec20 --pty /tmp/ec20 --fault sim-missing --fault wrong-baud
  matou modem probe /tmp/ec20`
}

// A probeReport is a look at a module as --json prints it.
type probeReport struct {
	Port string `json:"port"`
	*probe.Report
}

func (c *modemProbeCmd) Run(g *globals) error {
	if c.Baud != 0 && (c.Baud < 50 || c.Baud > 5_000_000) {
		return usagef("--baud %d is not from 50 to 5000000", c.Baud)
	}
	o := probe.Options{Rates: probe.Rates, Tell: func(baud int) {
		if baud != 0 {
			fmt.Fprintf(g.Stderr, "trying %d baud\n", baud)
		}
	}}
	if c.Baud != 0 {
		o.Rates = []int{c.Baud}
	}
	if strings.HasPrefix(c.Port, "tcp:") {
		if o.Rates = nil; c.Baud != 0 {
			return usagef("--baud: a TCP port has no speed; set it at the adapter's serial side")
		}
	}
	port, err := modem.Open(g.Ctx, c.Port, c.Baud)
	if err != nil {
		return err
	}
	o.SetBaud = func(baud int) error { return modem.SetBaud(port, baud) }
	line, kept, err := c.record(port)
	if err != nil {
		port.Close()
		return err
	}
	r, err := probe.Run(g.Ctx, line, o)
	if keeping := kept(); err == nil {
		err = keeping
	}
	if err != nil {
		return err
	}
	if err := g.emit(probeReport{c.Port, r}, func(w io.Writer) { c.tell(w, r, g.chinese()) }); err != nil {
		return err
	}
	if !r.Healthy() {
		return exitCode(exitFailed)
	}
	return nil
}

// record has the conversation written to the file of --record. kept ends it.
func (c *modemProbeCmd) record(port io.ReadWriteCloser) (line io.ReadWriteCloser, kept func() error, err error) {
	if c.Record == "" {
		return port, func() error { return nil }, nil
	}
	f, err := os.Create(c.Record)
	if err != nil {
		return nil, nil, fmt.Errorf("--record: %w", err)
	}
	r := transcript.Record(port, transcript.Host, f, time.Now)
	return modemLine{r, port}, func() error {
		err := r.Flush()
		if closing := f.Close(); err == nil {
			err = closing
		}
		if err != nil {
			err = fmt.Errorf("--record: %w", err)
		}
		return err
	}, nil
}

// probeWords are the Chinese for what a report says in words.
var probeWords = map[string]string{
	"port": "端口", "baud": "波特率", "module": "模块", "firmware": "固件", "number": "编号", "echo": "回显", "SIM card": "SIM 卡",
	"network": "网络", "APN": "APN", "Wi-Fi": "Wi-Fi", "signal": "信号", "address": "IP 地址", "time": "时间", "own MQTT": "内置 MQTT", "own TLS": "内置 TLS",
	"yes": "有", "no": "无", "on": "开", "off": "关", "missing": "未插卡", "not ready": "未就绪", "none": "无",
	"home": "已注册", "roaming": "漫游", "searching": "搜网中", "denied": "被拒绝", "unknown": "未知", "not registered": "未注册",
	"excellent": "极好", "good": "好", "fair": "一般", "weak": "弱", "not joined": "未连接", "channel": "信道",
	"station": "站点", "access point": "热点", "both": "站点+热点", "attached": "已附着", "not attached": "未附着",
	"signs for Aliyun": "可自行签名登录阿里云", "signs for OneNET": "可自行签名登录 OneNET",
	"wrong": "错误", "warning": "警告", "nothing is wrong": "没有发现问题",
}

// tell writes a report for people.
func (c *modemProbeCmd) tell(w io.Writer, r *probe.Report, chinese bool) {
	say := func(word string) string { return choose(chinese, word, probeWords[word]) }
	rows := []string{"port", c.Port, "baud", number(r.Baud)}
	if m := r.Module; m != nil {
		rows = append(rows, "module", strings.TrimSpace(m.Maker+" "+m.Model)+" ("+m.Family+")", "firmware", m.Firmware, "number", m.Serial)
	}
	if r.Echo != nil {
		rows = append(rows, "echo", say(map[bool]string{true: "on", false: "off"}[*r.Echo]))
	}
	rows = append(rows, "SIM card", say(r.SIM))
	if n := r.Network; n != nil {
		attached := ""
		if n.Attached != nil {
			attached = map[bool]string{true: "attached", false: "not attached"}[*n.Attached]
		}
		state := map[bool]string{true: "not registered", false: n.Registration}[n.Registration == "none"]
		rows = append(rows, "network", listed(say(state), n.Operator, n.Technology, say(attached)), "APN", n.APN)
	}
	if wifi := r.WiFi; wifi != nil {
		joined, channel := say("not joined"), ""
		if wifi.Joined {
			joined = wifi.SSID
		}
		if wifi.Channel != 0 {
			channel = say("channel") + " " + strconv.Itoa(wifi.Channel)
		}
		rows = append(rows, "Wi-Fi", listed(joined, say(wifi.Mode), channel))
	}
	if s := r.Signal; s != nil {
		strength := ""
		if s.DBm != 0 {
			strength = strconv.Itoa(s.DBm) + " dBm"
		}
		rows = append(rows, "signal", listed(strength, say(s.Judgement)))
	}
	rows = append(rows, "address", r.IP, "time", r.Time)
	if m := r.MQTT; m != nil {
		own := say("no")
		if m.Commands != "" {
			signs := map[bool]string{true: "signs for Aliyun"}[m.Aliyun]
			also := map[bool]string{true: "signs for OneNET"}[m.OneNET]
			own = listed(m.Commands, say(signs), say(also))
		}
		rows = append(rows, "own MQTT", own)
	}
	if r.TLS != nil {
		rows = append(rows, "own TLS", say(yesNo(*r.TLS)))
	}
	for i := 0; i < len(rows); i += 2 {
		rows[i] = strings.ToUpper(say(rows[i]))
	}
	fields(w, rows...)
	tellFindings(w, r, chinese, say)
}

func tellFindings(w io.Writer, r *probe.Report, chinese bool, say func(string) string) {
	if len(r.Findings) == 0 {
		fmt.Fprintf(w, "\n%s\n", say("nothing is wrong"))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "\n%s (%s): %s\n  %s\n", say(f.Severity), f.Code,
			visible(choose(chinese, f.Sentence, f.SentenceZH)), choose(chinese, f.Advice, f.AdviceZH))
	}
}

// listed joins what is not empty.
func listed(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), ", ")
}

// number is a number for people; 0 is nothing.
func number(n int) string { return strings.TrimPrefix(strconv.Itoa(n), "0") }
