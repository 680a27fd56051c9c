package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/modem/virtual"
)

func TestModemSays(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"modem-list-esp8266", with("modem list esp8266 --lang en")},
		{"modem-list-esp8266-zh", with("modem list esp8266 --lang zh")},
		{"modem-list-unknown", with("modem list esp9999")},
		{"modem-run-unknown", with("modem run esp9999")},
		{"modem-run-unknown-firmware", with("modem run esp8266 --firmware 9")},
		{"modem-run-unknown-quirk", with("modem run esp8266 --quirk odd")},
		{"modem-run-unknown-fault", with("modem run esp8266 --fault odd")},
		{"modem-run-bad-fault", with("modem run esp8266 --fault lost-bytes=2")},
		{"modem-run-bad-fault-time", with("modem run esp8266 --fault reset@soon")},
		{"modem-run-bad-map", with("modem run esp8266 --map host")},
		{"modem-run-bad-wifi", with("modem run esp8266 --wifi home=short")},
		{"modem-run-cellular-wifi", with("modem run ec20 --wifi home=12345678")},
		{"modem-run-missing-cafile", with("modem run esp8266 --cafile testdata/none.pem")},
		{"modem-run-empty-cafile", with("modem run esp8266 --cafile testdata/publish.bin")},
		{"modem-run-bad-baud", with("modem run esp8266 --baud 10")},
		{"modem-run-bad-speed", with("modem run esp8266 --speed 0")},
		{"modem-run-two-ports", with("modem run esp8266 --stdio --tcp :0")},
		{"modem-run-bad-tcp", with("modem run esp8266 --tcp 127.0.0.1:99999")},
		{"modem-run-state-of-another", with("modem run esp8266 --state testdata/ec20-state.json")},
		{"modem-run-state-damaged", with("modem run ec20 --state testdata/publish.bin")},
		{"modem-run-state-nowhere", with("modem run ec20 --state testdata/publish.bin/state")},
		{"modem-probe-bad-baud", with("modem probe /dev/ttyUSB0 --baud 10")},
		{"modem-probe-tcp-baud", with("modem probe tcp://127.0.0.1:7000 --baud 9600")},
		{"modem-probe-help", with("modem probe --help")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, tt.name, outcome(tt.args, ""))
		})
	}
}

// A program may have the module on its pipes: what it asked last is answered
// although its input has ended.
func TestModemRunOnPipes(t *testing.T) {
	in, program := io.Pipe()
	var stdout, stderr bytes.Buffer
	done := make(chan int)
	ready := &awaited{w: &stdout, text: "ready", seen: make(chan struct{})}
	go func() {
		done <- run(context.Background(), with("modem run esp8266 --speed 50 -v"), in, ready, &stderr)
	}()
	select {
	case <-ready.seen:
	case <-time.After(10 * time.Second):
		t.Fatal("the module does not start")
	}
	io.WriteString(program, "ATE0\r\n")
	program.Close()
	if code := <-done; code != 0 {
		t.Fatalf("exit %d\n%s", code, &stderr)
	}
	if want := "\r\nready\r\nATE0\r\n\r\nOK\r\n"; stdout.String() != want {
		t.Errorf("said %q, want %q", stdout.String(), want)
	}
	if !strings.Contains(stderr.String(), " ATE0\r\n") {
		t.Errorf("told %q", stderr.String())
	}
}

// An awaited writer tells when a text has gone through it.
type awaited struct {
	w    *bytes.Buffer
	text string
	seen chan struct{}
	once bool
}

func (a *awaited) Write(p []byte) (int, error) {
	n, err := a.w.Write(p)
	if !a.once && strings.Contains(a.w.String(), a.text) {
		a.once = true
		close(a.seen)
	}
	return n, err
}

// Keys in a raw terminal: Enter becomes a line end of modules, Ctrl-] turns to
// the console and back.
func TestStdioTranslatesKeys(t *testing.T) {
	var talk bytes.Buffer
	quit := false
	l := &stdioLine{typed: true, console: &modemConsole{out: &talk, quit: func() { quit = true }}}
	var got []byte
	for _, key := range "AT\r\x1dfaultz\b\x1bA\x1dquit\rT" {
		got = append(got, l.translate([]byte(string(key)))...)
	}
	if string(got) != "AT\r\nAT" {
		t.Errorf("the module gets %q", got)
	}
	if !quit {
		t.Errorf("quit was not taken: %q", talk.String())
	}
}

// send types bytes between what is typed by hand, however long.
func TestStdioSendsHex(t *testing.T) {
	var talk bytes.Buffer
	packet := bytes.Repeat([]byte{0xC0, 0x00}, 1000)
	in := strings.NewReader("A\x1dsend " + strings.Repeat("C0 00 ", 1000) + "\rT\r\x1dsend C\r\x1dsend X0\r\x1dsend\r")
	l := &stdioLine{in: in, typed: true, console: &modemConsole{out: &talk}}
	l.console.send = l.send
	got, err := io.ReadAll(l)
	if want := "A" + string(packet) + "T\r\n"; err != nil || string(got) != want {
		t.Errorf("the module gets %d bytes, %v, want %d", len(got), err, len(want))
	}
	for _, want := range []string{"2000 bytes sent", "send: 1 hex digits make no whole bytes", "send: encoding/hex: invalid byte", "send: nothing to send"} {
		if !strings.Contains(talk.String(), want) {
			t.Errorf("no %q in what was said", want)
		}
	}
	var elsewhere bytes.Buffer
	(&modemConsole{out: &elsewhere}).order("send C0 00")
	if !strings.Contains(elsewhere.String(), "write to the module's port") {
		t.Errorf("send without a line: %q", elsewhere.String())
	}
}

// What a terminal cannot show is shown in hex, wherever the line cuts it.
func TestStdioShowsBytes(t *testing.T) {
	const says = "\r\n+IPD,4: \x02\x00\x00中\x90\x03\x00\n\xd0\x00\x7f\tOK\r\n"
	for _, step := range []int{1, 2, 3, len(says)} {
		var out bytes.Buffer
		l := &stdioLine{out: &out, typed: true}
		for b := []byte(says); len(b) > 0; b = b[min(step, len(b)):] {
			if n, err := l.Write(b[:min(step, len(b))]); err != nil || n != min(step, len(b)) {
				t.Fatal(n, err)
			}
		}
		if want := "\r\n+IPD,4: <02><00><00>中<90><03><00><0A><D0><00><7F><09>OK\r\n"; out.String() != want {
			t.Errorf("by %d: shown is %q, want %q", step, out.String(), want)
		}
	}
	var out bytes.Buffer
	if (&stdioLine{out: &out}).Write([]byte("\x00\x90")); out.String() != "\x00\x90" {
		t.Errorf("a program gets %q", out.String())
	}
}

// The console answers in the language of its user, mistakes included.
func TestModemConsoleInBothLanguages(t *testing.T) {
	m, err := virtual.New(virtual.Options{Model: "nt35e"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ order, en, zh string }{
		{"jump", `matou: "jump" is no order: type help`, `matou: 没有命令 "jump"：输入 help 查看`},
		{"help", "reset                                press the module's reset pin", "reset                          按下模块的复位引脚"},
		{"faults", "nothing goes wrong", "没有故障"},
		{"clear no-signal", "no-signal cleared", "no-signal 已排除"},
		{"clear sunburn", `matou: fault "sunburn" is not known to nt35e: there are `, `matou: nt35e 没有故障 "sunburn"：可用的有 `},
		{"fault", `matou: fault "" names no fault`, `matou: 故障 "" 没有名称`},
		{"fault reset@soon", `"soon" after @ is no time such as 30s`, `@ 后的 "soon" 不是时间，例如 30s`},
		{"fault reset*0", `"0" after * is no number of times from 1`, `* 后的 "0" 不是从 1 开始的次数`},
		{"fault slow-uart=1", `fault slow-uart: "1" is no baud rate from 50 to 5000000`, `故障 slow-uart："1" 不是 50 到 5000000 之间的波特率`},
		{"fault lost-bytes=2", `"2" is no share above 0 and up to 1`, `"2" 不是大于 0 且不超过 1 的比例`},
		{"fault reset=soon", `"soon" is no time such as 30s`, `"soon" 不是时间`},
		{"fault no-signal=9", "fault no-signal takes no value", "故障 no-signal 不带值"},
		{"fault no-signal", "fault no-signal: the module is not running", "故障 no-signal：模块没有运行"},
		{"send C", "send is for --stdio", "send 只能与 --stdio 一起使用"},
	} {
		for _, chinese := range []bool{false, true} {
			var said strings.Builder
			(&modemConsole{m: m, out: &said, chinese: chinese}).order(tt.order)
			if want := choose(chinese, tt.en, tt.zh); !strings.Contains(said.String(), want) {
				t.Errorf("%s: said %q, want %s", tt.order, said.String(), want)
			}
		}
	}
}
