package virtual

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reasons are the notes of a module to which a host says lines, one after
// another; what the module answers is of no interest here.
func reasonsFor(t *testing.T, o Options, said ...string) (en, zh []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Observer = func(e Event) {
			if e.Kind == Note {
				en, zh = append(en, e.Text), append(zh, e.TextZH)
			}
		}
		if o.Network == nil {
			w := cellWorld()

			o.Network = w
		}
		m, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		host, uart := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- m.Attach(ctx, uart) }()
		go func() { ended <- m.Run(ctx) }()
		go io.Copy(io.Discard, host)
		for _, s := range append([]string{""}, said...) {
			io.WriteString(host, s)
			time.Sleep(20 * time.Second) // a boot, a Wi-Fi, less than the patience at a prompt
		}
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return en, zh
}

// Whoever gets an ERROR is told why, once and in both languages.
func TestWhy(t *testing.T) {
	join := []string{"AT+CWMODE=1\r\n", "AT+CWJAP=\"home\",\"12345678\"\r\n"}
	open := []string{"AT+QMTOPEN=0,\"broker.example\",1883\r\n", "AT+QMTCONN=0,\"dev1\"\r\n"}
	for _, tt := range []struct {
		model, name string
		said        []string
		en, zh      string // of the only note
	}{
		{"esp8266", "CR alone", []string{"AT\r"}, "wait", "CR LF"},
		{"esp8266", "LF alone", []string{"AT\n"}, "LF alone", "LF 结尾"},
		{"esp8266", "noise", []string{"\xff\x80 hello\r\n", "more\r\n"}, "without AT", "没有 AT"},
		{"esp8266", "too long", []string{"AT+" + strings.Repeat("X", 300) + "\r\n"}, "more than 256 bytes", "超过 256 字节"},
		{"esp8266", "lower case", []string{"at+cwmode?\r\n"}, "capital letters: AT+CWMODE", "大写字母：AT+CWMODE"},
		{"esp8266", "full width", []string{"AT+CWMODE？\r\n"}, "？ is full-width", "全角符号，请改用半角的 ?"},
		{"esp8266", "a comment", []string{"AT+RST //reset\r\n"}, `stands behind the command`, "注释"},
		{"esp8266", "a blank", []string{"AT+CWMODE =1\r\n"}, "a blank stands in", "有空格"},
		{"esp8266", "unknown", []string{"AT+FOO\r\n"}, "1.7.4.0, knows no AT+FOO", "没有 AT+FOO"},
		{"esp8266", "of ESP-AT", []string{"AT+MQTTCLEAN=0\r\n"}, "--firmware 2", "--firmware 2"},
		{"esp8266", "no such form", []string{"AT+CWLAP?\r\n"}, "there is AT+CWLAP, AT+CWLAP=…", "可用：AT+CWLAP, AT+CWLAP=…"},
		{"esp8266", "parameters", []string{"AT+CWMODE=9\r\n"}, "AT+CWMODE=9: it is written AT+CWMODE=<1-3>", "正确写法为 AT+CWMODE=<1-3>"},
		{"esp8266", "order", []string{"AT+CWJAP_CUR=\"a\",\"b\"\r\n"}, `AT+CWJAP_CUR="<ssid>","<password>"; it needs AT+CWMODE=1 or 3`, "前提：先设置 AT+CWMODE=1 或 3"},
		{"esp8266", "no such Wi-Fi", []string{join[0], "AT+CWJAP=\"away\",\"12345678\"\r\n"}, "no Wi-Fi away is in reach", "附近没有名为 away"},
		{"esp8266", "no such host", append(join, "AT+CIPSTART=\"TCP\",\"nowhere.example\",1883\r\n"), "--map 'nowhere.example=127.0.0.1:1883'", "--map 'nowhere.example=127.0.0.1:1883'"},
		{"esp8266", "a blank in a host", append(join, "AT+CIPSTART=\"TCP\",\" broker.example\",1883\r\n"), `" broker.example" has a blank`, "有空格"},
		{"esp8266", "nobody there", append(join, "AT+CIPSTART=\"TCP\",\"refused.example\",9\r\n"), "does a server listen there?", "有服务器在监听吗"},
		{"esp8266", "too much data", append(join, "AT+CIPSTART=\"TCP\",\"echo.example\",7\r\n", "AT+CIPSEND=2\r\n", "hi\r\n"), "more bytes came than AT+CIPSEND announced", "多于 AT+CIPSEND 声明"},
		{"esp8266", "too little data", append(join, "AT+CIPSTART=\"TCP\",\"echo.example\",7\r\n", "AT+CIPSEND=5\r\n", "hi"), "waits for 3 more of the 5 bytes", "5 字节中余下的 3 字节"},
		{"ec20", "LF alone", []string{"AT\n"}, "this module wants CR", "以 CR 结尾"},
		{"ec20", "no AT", []string{"hello\r\n"}, `passed over: "hello"`, "没有 AT 的行会被忽略"},
		{"ec20", "too long", []string{"AT" + strings.Repeat("x", 3000) + "\r\n"}, "more than 2048 bytes", "超过 2048 字节"},
		{"ec20", "full width", []string{"AT+CGATT？\r\n"}, "？ is full-width", "全角符号"},
		{"ec20", "quotes of a web page", []string{"AT+QMTCFG=“session”,0,1\r\n"}, "“ is full-width, as input methods for Chinese make it: type \"", "请改用半角的 \""},
		{"ec20", "unknown", []string{"AT+FOO\r\n"}, "Quectel EC20 knows no AT+FOO", "没有 AT+FOO"},
		{"ec20", "no such form", []string{"AT+CSQ?\r\n"}, "there is AT+CSQ, AT+CSQ=?", "可用：AT+CSQ"},
		{"ec20", "parameters", []string{"AT+QMTOPEN=9\r\n"}, `it is written AT+QMTOPEN=(0-5),"hostname",(1-65535)`, "正确写法为"},
		{"ec20", "not open", []string{"AT+QMTCONN=0,\"x\"\r\n"}, "AT+QMTOPEN first", "请先执行 AT+QMTOPEN"},
		{"ec20", "nothing to close", []string{"AT+QMTCLOSE=0\r\n"}, "MQTT client 0 is not open", "MQTT 客户端 0 未打开"},
		{"ec20", "not logged in", []string{open[0], "AT+QMTPUBEX=0,0,0,0,\"t\",2\r\n"}, "AT+QMTCONN first", "请先执行 AT+QMTCONN"},
		{"ec20", "logged in twice", append(open, open[1]), "logged in already", "已经登录"},
		{"ec20", "refused", []string{open[0], "AT+QMTCONN=0,\"refused-4\"\r\n"}, "refused the login with code 4, user name or password", "代码 4（用户名或密码）"},
		{"ec20", "message id", append(open, "AT+QMTPUB=0,0,1,0,\"t\",2\r\n"), "message id 0 goes with QoS 0", "只能用于 QoS 0"},
		{"ec20", "too little data", append(open, "AT+QMTPUBEX=0,0,0,0,\"t\",5\r\n", "hi"), "waits for 3 more of the 5 bytes", "余下的 3 字节"},
		{"ec20", "too much data", append(open, "AT+QMTPUBEX=0,0,0,0,\"t\",2\r\n", "hi there\r\n"), "its length was too small", "声明的长度太小"},
		{"ec20", "no SIM card", []string{"AT+CIMI\r\n"}, "+CME ERROR: 10 is: SIM not inserted", "+CME ERROR: 10 的含义"},
		{"nt35e", "inline length", []string{"AT+LMQTTOPEN=0,\"broker.example\",1883\r\n", "AT+LMQTTCONN=0,\"x\"\r\n", "AT+LMQTTPUB=0,0,0,0,\"t\",9,\"hi\"\r\n"}, "have the 9 bytes", "声明的 9 字节"},
		{"nt35e", "not open", []string{"AT+LMQTTCONN=0,\"x\"\r\n"}, "AT+LMQTTOPEN first", "请先执行 AT+LMQTTOPEN"},
	} {
		t.Run(tt.model+"/"+tt.name, func(t *testing.T) {
			o := Options{Model: tt.model}
			switch {
			case tt.name == "no SIM card":
				o.Faults = []Fault{{Name: faultNoSIM}}
			case tt.model == "esp8266":
				o.AccessPoints = []AccessPoint{{SSID: "home", Password: "12345678"}}
			}
			en, zh := reasonsFor(t, o, tt.said...)
			if strings.Contains(strings.Join(append(en, zh...), " "), "%!") {
				t.Errorf("%q %q", en, zh)
			}
			if len(en) != 1 || !strings.Contains(en[0], tt.en) || !strings.Contains(zh[0], tt.zh) {
				t.Errorf("told %q %q, want one with %q and %q", en, zh, tt.en, tt.zh)
			}
		})
	}
}

// Who speaks to a module that starts is told that nobody listens.
func TestWhyNobodyListens(t *testing.T) {
	for model, ready := range map[string]string{"esp8266": "ready", "ec20": "RDY", "nt35e": "RDY"} {
		synctest.Test(t, func(t *testing.T) {
			var notes []string
			m, err := New(Options{Model: model, Observer: func(e Event) {
				if e.Kind == Note {
					notes = append(notes, e.Text)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- m.Run(ctx) }()
			synctest.Wait()
			m.Receive([]byte("AT\r\n"))
			time.Sleep(time.Second)
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if len(notes) != 1 || !strings.HasSuffix(notes[0], "Wait for "+ready) {
				t.Errorf("%s: %q", model, notes)
			}
		})
	}
}

// A wrong password is told as one whenever the patience ends: what a try found
// out does not fade while the station tries again.
func TestESPTellsAWrongPasswordWheneverItIsAsked(t *testing.T) {
	for patience := 3; patience < 20; patience++ {
		synctest.Test(t, func(t *testing.T) {
			b := power(t, Options{Model: "esp8266", AccessPoints: []AccessPoint{{SSID: "home", Password: "12345678"}}})
			for _, line := range []string{"ATE0", "AT+CWMODE=1", fmt.Sprintf("AT+CWJAPTO=%d", patience)} {
				b.command(line)
			}
			b.want(`AT+CWJAP="home","87654321"`, "+CWJAP:2\r\n\r\nFAIL\r\n")
		})
	}
}

// What works needs no reason, and neither do the empty lines with which
// drivers begin.
func TestNoReasonWhereNothingIsWrong(t *testing.T) {
	for model, said := range map[string][]string{
		"esp8266": {"\r\n", "AT\r\n", "AT+CWMODE=1\r\n", "AT+CWJAP=\"home\",\"12345678\"\r\n", "AT+CIPSTART=\"TCP\",\"echo.example\",7\r\n", "AT+CIPSEND=2\r\n", "hi", "AT", "\r", "\n"},
		"ec20":    {"\x1b", "\r\n\r\n", "AT\r\n", "AT+CSQ\r", "AT+QMTOPEN=0,\"broker.example\",1883\r\n", "AT+QMTCONN=0,\"x\"\r\n", "AT+QMTPUBEX=0,0,0,0,\"t\",2\r\n", "hi"},
		"nt35e":   {"AT\r\n", "AT+CEREG?\r\n"},
	} {
		if en, _ := reasonsFor(t, Options{Model: model}, said...); en != nil && !(model == "esp8266" && len(en) == 1 && strings.Contains(en[0], "CR alone")) {
			t.Errorf("%s: %q", model, en)
		}
	}
}

// Noise has no end, reasons have.
func TestReasonsAreBounded(t *testing.T) {
	var said strings.Builder
	for i := range 10 * maxReasons {
		fmt.Fprintf(&said, "AT+UNKNOWN%c%c%c\r\n", 'A'+i%26, 'A'+i/26%26, 'A'+i/676)
	}
	en, _ := reasonsFor(t, Options{Model: "ec20"}, said.String())
	if len(en) != maxReasons {
		t.Errorf("%d reasons, want %d", len(en), maxReasons)
	}
}
