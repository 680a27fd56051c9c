package virtual

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/mqtt/packet"
)

// ec20Bench is a registered EC20 without echo.
func ec20Bench(t *testing.T, o Options) *bench {
	t.Helper()
	o.Model = "ec20"
	b := cellPower(t, o)
	b.registered()
	b.want("ATE0", "ATE0\r\r\nOK\r\n")
	return b
}

func (b *bench) ok(line string) { b.Helper(); b.want(line, "\r\nOK\r\n") }

// connected opens and logs in client 0.
func (b *bench) connected() {
	b.Helper()
	b.want(`AT+QMTOPEN=0,"broker.example",1883`, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
	b.want(`AT+QMTCONN=0,"dev1"`, "\r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n")
}

// tap makes a world whose broker writes down what reaches it, as bytes.
func tap(s cloud) (*world, *record) {
	w, got := cellWorld(), new(record)
	w.Put("broker.example:1883", func(c net.Conn) {
		one := s // a client each
		one.serve(tapped{c, got})
	})
	return w, got
}

// A record is what arrived.
type record struct {
	mu    sync.Mutex
	bytes []byte
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.bytes)
}

type tapped struct {
	net.Conn
	got *record
}

func (c tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.got.mu.Lock()
	defer c.got.mu.Unlock()
	c.got.bytes = append(c.got.bytes, p[:n]...)
	return n, err
}

// The vectors of [at-quectel §8]: secret "secret", client 12345, device
// "device" of product "pk".
func TestAliauthIsByteExact(t *testing.T) {
	for _, tt := range []struct {
		name, model, quirk, method, password string
	}{
		{"EC20", "ec20", "", "hmacsha1", "3504e4df7ce4766d30f796ee973c9ce7fc5425cb"},
		{"EC20 by MD5", "ec20", "aliauth-md5", "hmacmd5", "2ce7304ec0ddd548eb1492d65ac0b334"},
		{"EC20 by SHA-256", "ec20", "aliauth-sha256", "hmacsha256", "c8cb3dcb7159682438e5fd9a9c34f398e41bb8edb6f222795e307bafee151090"},
		{"NT35E", "nt35e", "", "hmacsha1", "3504e4df7ce4766d30f796ee973c9ce7fc5425cb"},
		{"NT35E by MD5", "nt35e", "aliauth-md5", "hmacmd5", "2ce7304ec0ddd548eb1492d65ac0b334"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, got := tap(cloud{})
				o := Options{Model: tt.model, Network: w}
				if tt.quirk != "" {
					o.Quirks = []string{tt.quirk}
				}
				b := cellPower(t, o)
				b.registered()
				b.command("ATE0")
				family := map[string]string{"ec20": "QMT", "nt35e": "LMQTT"}[tt.model]
				b.ok(`AT+` + family + `CFG="aliauth",0,"pk","device","secret"`)
				b.want(`AT+`+family+`OPEN=0,"broker.example",1883`, "\r\nOK\r\n\r\n+"+family+"OPEN: 0,0\r\n")
				// A user name and a password of the host do not count.
				b.want(`AT+`+family+`CONN=0,"12345","nobody","nothing"`, "\r\nOK\r\n\r\n+"+family+"CONN: 0,0,0\r\n")
				want := wireString("12345|securemode=3,signmethod="+tt.method+"|") + wireString("device&pk") + wireString(tt.password)
				want = "\x00\x04MQTT\x04\xc2\x00\x78" + want
				n := len(want)
				want = string([]byte{0x10, byte(n%128) | 0x80*byte(min(1, n/128))}) + strings.Repeat("\x01", min(1, n/128)) + want
				if got.String() != want {
					t.Errorf("CONNECT %q\nwant    %q", got.String(), want)
				}
			})
		})
	}
}

func wireString(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }

func TestAliauthWithATimestamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var login *packet.Connect
		w, _ := tap(cloud{login: func(p *packet.Connect) { login = p }})
		b := ec20Bench(t, Options{Network: w, Quirks: []string{"aliauth-timestamp"}})
		b.ok(`AT+CCLK="25/01/15,14:15:27+32"`)
		b.ok(`AT+QMTCFG="aliauth",0,"pk","device","secret"`)
		b.connected()
		_, rest, _ := strings.Cut(login.ClientID, "timestamp=")
		ms := strings.TrimSuffix(rest, "|")
		mac := hmac.New(sha1.New, []byte("secret"))
		mac.Write([]byte("clientIddev1deviceNamedeviceproductKeypktimestamp" + ms))
		if !strings.HasPrefix(ms, "17369217") || len(ms) != 13 || string(login.Password) != hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("%s with password %s", login.ClientID, login.Password)
		}
	})
}

func TestWhatGoesWrongOutThere(t *testing.T) {
	const open = `AT+QMTOPEN=0,"broker.example",1883`
	for _, tt := range []struct {
		fault string
		ask   []string // command, answer, command, answer …
	}{
		{"no-signal", []string{"AT+CSQ", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n", "AT+CREG?", "\r\n+CREG: 0,2\r\n\r\nOK\r\n", "AT+CGATT?", "\r\n+CGATT: 0\r\n\r\nOK\r\n",
			"AT+COPS?", "\r\n+COPS: 0\r\n\r\nOK\r\n", "AT+QNWINFO", "\r\n+QNWINFO: \"No Service\"\r\n\r\nOK\r\n", "AT+QIACT=1", "\r\nERROR\r\n",
			"AT+CGATT=1", "\r\n+CME ERROR: 30\r\n", open, "\r\nOK\r\n\r\n+QMTOPEN: 0,3\r\n"}},
		{"registration-denied", []string{"AT+CREG?", "\r\n+CREG: 0,3\r\n\r\nOK\r\n", "AT+CSQ", "\r\n+CSQ: 27,99\r\n\r\nOK\r\n", open, "\r\nOK\r\n\r\n+QMTOPEN: 0,3\r\n"}},
		{"roaming", []string{"AT+CREG?", "\r\n+CREG: 0,5\r\n\r\nOK\r\n", open, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n"}},
		{"weak-signal=3", []string{"AT+CSQ", "\r\n+CSQ: 3,99\r\n\r\nOK\r\n"}},
		{"dns-failure", []string{open, "\r\nOK\r\n\r\n+QMTOPEN: 0,4\r\n", `AT+QIACT=1`, "\r\nOK\r\n", `AT+QIOPEN=1,0,"TCP","echo.example",7`, "\r\nOK\r\n\r\n+QIOPEN: 0,565\r\n",
			`AT+QIDNSGIP=1,"echo.example"`, "\r\nOK\r\n\r\n+QIURC: \"dnsgip\",565\r\n"}},
		{"dns-failure*1", []string{open, "\r\nOK\r\n\r\n+QMTOPEN: 0,4\r\n", open, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n"}},
		{"connect-refused", []string{open, "\r\nOK\r\n\r\n+QMTOPEN: 0,5\r\n"}},
		{"time-not-set", []string{"AT+CCLK?", "\r\n+CCLK: \"80/01/06,00:00:0", `AT+QNTP=1,"echo.example",7`, "5+00\"\r\n\r\nOK\r\n\r\nOK\r\n\r\n+QNTP: 569\r\n"}},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, err := ParseFault(tt.fault)
				if err != nil {
					t.Fatal(err)
				}
				b := ec20Bench(t, Options{Faults: []Fault{f}})
				for i := 0; i < len(tt.ask); i += 2 {
					b.want(tt.ask[i], tt.ask[i+1])
				}
			})
		})
	}
}

func TestTheNetworkTakesConnectionsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		b.connected()
		b.ok("AT+QIACT=1")
		b.want(`AT+QIOPEN=1,3,"TCP","echo.example",7,0,0`, "\r\nOK\r\n\r\n+QIOPEN: 3,0\r\n")
		b.SetFault(Fault{Name: faultLinkLost})
		b.hear("\r\n+QMTSTAT: 0,1\r\n\r\n+QIURC: \"closed\",3\r\n")
		b.ok("AT+QICLOSE=3")
		b.ok("AT+QIACT=1")
		b.connected()
		b.want(`AT+QIOPEN=1,3,"TCP","echo.example",7,0,0`, "\r\nOK\r\n\r\n+QIOPEN: 3,0\r\n")
		b.ok("AT+CREG=1")
		if err := b.SetFault(Fault{Name: faultNoSignal}); err != nil {
			t.Fatal(err)
		}
		b.hear("\r\n+CREG: 2\r\n\r\n+QMTSTAT: 0,7\r\n\r\n+QIURC: \"pdpdeact\",1\r\n")
		if err := b.ClearFault(faultNoSignal); err != nil {
			t.Fatal(err)
		}
		b.hear("\r\n+CREG: 1\r\n")
		b.connected()
		// Radio off is the host's own way to lose everything.
		b.want("AT+CFUN=4", "\r\nOK\r\n\r\n+CREG: 0\r\n\r\n+QMTSTAT: 0,7\r\n")
		b.want("AT+CSQ", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n")
		b.want("AT+CFUN=1", "\r\nOK\r\n\r\n+CREG: 2\r\n\r\n+CREG: 1\r\n")
	})
}

func TestTheLinkIsLostInTheMiddleOfASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, got := tap(cloud{})
		b := ec20Bench(t, Options{Network: w})
		b.connected()
		if err := b.SetFault(Fault{Name: faultSendLost, Times: 1}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := len(got.String())
		b.want(`AT+QMTPUBEX=0,7,1,0,"t",10`, "\r\n> ")
		b.say("0123456789")
		b.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,7,2\r\n\r\n+QMTSTAT: 0,1\r\n")
		synctest.Wait()
		if sent := len(got.String()) - before; sent != 8 || strings.Contains(got.String(), "0123456789") {
			t.Errorf("%d bytes of 17 reached the server", sent)
		}
		b.connected() // and everything works again
		b.ok("AT+QIACT=1")
		b.SetFault(Fault{Name: faultSendLost, Times: 1})
		b.want(`AT+QIOPEN=1,0,"TCP","echo.example",7,0,1`, "\r\nOK\r\n\r\n+QIOPEN: 0,0\r\n")
		b.want("AT+QISEND=0,4", "\r\n> ")
		b.say("test")
		b.hear("\r\nSEND OK\r\n\r\n+QIURC: \"closed\",0\r\n")
		b.want("AT+QISEND=0,4", "\r\nERROR\r\n")
	})
}

func TestResets(t *testing.T) {
	const boot = "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n"
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		b.ok("AT&W")
		b.ok(`AT+QMTCFG="keepalive",0,60`)
		b.connected()
		b.SetFault(Fault{Name: faultReset})
		b.hear(boot)
		// AT&W has kept the echo off; what QMTCFG set is forgotten, and so is the client.
		b.want(`AT+QMTCFG="keepalive",0`, "\r\n+QMTCFG: \"keepalive\",120\r\n\r\nOK\r\n")
		b.ok("AT+QMTCONN?")
		b.ok("AT&F&W")
		b.want("AT+CFUN=1,1", "AT+CFUN=1,1\r\r\nOK\r\n"+boot)
		b.say("AT+QPOWD\r\n")
		b.hear("AT+QPOWD\r\r\nOK\r\n\r\nPOWERED DOWN\r\n")
		b.say("AT\r\n") // nobody listens
		b.silent()
		b.Reset()
		b.hear(boot)
	})
}

func TestWhatNobodyAcknowledges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := tap(cloud{mute: true})
		w.Put("silent.example:1883", func(c net.Conn) { io.Copy(io.Discard, c) })
		b := ec20Bench(t, Options{Network: w})
		b.ok(`AT+QMTCFG="timeout",0,1,1,1`)
		b.ok(`AT+QMTCFG="keepalive",0,60`)
		b.connected()
		b.want(`AT+QMTPUBEX=0,9,1,0,"t",2`, "\r\n> ")
		b.say("hi")
		b.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,9,1,1\r\n\r\n+QMTPUBEX: 0,9,2\r\n")
		b.want(`AT+QMTSUB=0,1,"t",0`, "\r\nOK\r\n\r\n+QMTSUB: 0,1,1,1\r\n\r\n+QMTSUB: 0,1,2\r\n")
		b.want(`AT+QMTUNS=0,2,"t"`, "\r\nOK\r\n\r\n+QMTUNS: 0,2,1\r\n\r\n+QMTUNS: 0,2,2\r\n")
		b.hear("\r\n+QMTPING: 0,1\r\n\r\n+QMTPING: 0,1\r\n\r\n+QMTSTAT: 0,2\r\n")
		b.want(`AT+QMTOPEN=0,"silent.example",1883`, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
		b.want(`AT+QMTCONN=0,"dev1"`, "\r\nOK\r\n\r\n+QMTCONN: 0,1\r\n\r\n+QMTCONN: 0,2\r\n")
		b.connected() // the client is free again
	})
}

func TestAtMostFivePacketsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := tap(cloud{mute: true})
		b := ec20Bench(t, Options{Network: w})
		b.connected()
		for id := 1; id <= 5; id++ {
			b.want(fmt.Sprintf(`AT+QMTPUBEX=0,%d,1,0,"t",2`, id), "\r\n> ")
			b.say("hi")
			b.hear("\r\nOK\r\n")
		}
		b.want(`AT+QMTPUBEX=0,6,1,0,"t",2`, "\r\n> ")
		b.say("hi")
		b.hear("\r\nERROR\r\n")
	})
}

func TestAPromptThatNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		b.connected()
		b.want(`AT+QMTPUBEX=0,0,0,0,"t",5`, "\r\n> ")
		b.say("abc")
		began := time.Now()
		b.hear("\r\nERROR\r\n")
		if took := time.Since(began); took < 29*time.Second || took > 31*time.Second {
			t.Errorf("after %v", took)
		}
		b.ok("AT")
		b.ok(`AT+QMTCFG="edit/timeout",0,0`)
		b.want(`AT+QMTPUBEX=0,0,0,0,"t",5`, "\r\n> ")
		time.Sleep(time.Hour)
		b.say("abcde")
		b.until("+QMTPUBEX: 0,0,0\r\n")
	})
}

func TestBadInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		long := "AT+QMTOPEN=0,\"" + strings.Repeat("x", 3000) + "\",1883"
		b.want(long, "\r\nERROR\r\n")
		b.ok("AT")
		b.say("\x00\xff\x80garbage\r\n\r\n\n\n\r")
		b.silent()
		b.ok("\xfe\x00AT") // noise before AT is passed over
		for _, line := range []string{"AT+", "AT=", "AT?", "AT+QMTOPEN", "AT+QMTOPEN=", "AT+QMTOPEN=0", `AT+QMTOPEN=0,"broker.example"`, `AT+QMTOPEN=0,"broker.example",1883,5`,
			`AT+QMTOPEN=0,"broker.example,1883`, `AT+QMTOPEN=-1,"broker.example",1883`, `AT+QMTOPEN=99999999999999999999,"h",1`, `AT+QMTCONN=0,"a"b"`, "AT+CREG=x", "ATE2", "AT+IPR=12345"} {
			b.say(line + "\r\n")
			if got := b.until("\r\n"); got != "\r\n" {
				t.Fatalf("%s: %q", line, got)
			}
			if got := b.until("\r\n"); got != "ERROR\r\n" && got != "+CME ERROR: 50\r\n" {
				t.Errorf("%s: %q", line, got)
			}
		}
		// Half a command and a pause are no harm.
		b.say("AT+CS")
		time.Sleep(time.Minute)
		b.want("Q", "\r\n+CSQ: 27,99\r\n\r\nOK\r\n")
	})
}

func TestWhatIsTypedAheadIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		go io.WriteString(b.host, "AT+CSQ\r\nAT+CREG?\r\nAT+QIACT=1\rAT+CGATT?\r")
		b.hear("\r\n+CSQ: 27,99\r\n\r\nOK\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n\r\nOK\r\n\r\n+CGATT: 1\r\n\r\nOK\r\n")
	})
}

func TestASlowHostLosesNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const count = 500
		w := cellWorld()
		w.Put("burst.example:1883", func(c net.Conn) {
			modemtest.ReadPacket(c)
			c.Write([]byte{0x20, 2, 0, 0})
			for i := range count {
				b, _ := (&packet.Publish{Topic: []byte("t"), Payload: fmt.Append(nil, i)}).Append(nil, 4)
				c.Write(b)
			}
			io.Copy(io.Discard, c)
		})
		b := ec20Bench(t, Options{Network: w, Baud: 9600})
		b.want(`AT+QMTOPEN=0,"burst.example",1883`, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
		b.want(`AT+QMTCONN=0,"dev1"`, "\r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n")
		began := time.Now()
		for i := range count {
			b.hear(fmt.Sprintf("\r\n+QMTRECV: 0,0,\"t\",\"%d\"\r\n", i))
		}
		if took := time.Since(began); took < 12*time.Second { // 26 bytes of ten bits each
			t.Errorf("%d messages in %v at 9600 baud", count, took)
		}
	})
}

func TestFullPlacesDropMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		b.connected()
		b.ok(`AT+QMTCFG="recv/mode",0,1,1`)
		b.want(`AT+QMTSUB=0,1,"t",0`, "\r\nOK\r\n\r\n+QMTSUB: 0,1,0,0\r\n")
		for i := range 6 {
			b.want(`AT+QMTPUBEX=0,0,0,0,"t",1`, "\r\n> ")
			b.say(fmt.Sprint(i))
			b.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n")
			if i < 5 {
				b.hear(fmt.Sprintf("\r\n+QMTRECV: 0,%d\r\n", i))
			}
		}
		b.want("AT+QMTRECV?", "\r\n+QMTRECV: 0,1,1,1,1,1\r\n\r\nOK\r\n")
		b.want("AT+QMTRECV=0,4", "\r\n+QMTRECV: 0,0,\"t\",1,\"4\"\r\n\r\nOK\r\n")
	})
}

func TestHexPayloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{Quirks: []string{"payload-echo"}})
		b.connected()
		b.ok(`AT+QMTCFG="dataformat",0,1,1`)
		b.want(`AT+QMTSUB=0,1,"t",0`, "\r\nOK\r\n\r\n+QMTSUB: 0,1,0,0\r\n")
		b.want(`AT+QMTPUBEX=0,0,0,0,"t",4`, "\r\n> ")
		b.say("00fF")
		b.hear("00fF\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n\r\n+QMTRECV: 0,0,\"t\",\"00FF\"\r\n")
		b.want(`AT+QMTPUBEX=0,0,0,0,"t",3`, "\r\n> ")
		b.say("xyz")
		b.hear("xyz\r\nERROR\r\n")
	})
}

func TestTransparentModeAndItsEscape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		b.ok("AT+QIACT=1")
		b.want(`AT+QIOPEN=1,0,"TCP","echo.example",7,0,2`, "\r\nCONNECT\r\n")
		b.say("AT\r\n")
		b.hear("AT\r\n")
		b.say("+++") // too soon after the last byte
		b.hear("+++")
		time.Sleep(2 * time.Second)
		b.say("+++more") // not alone
		b.hear("+++more")
		time.Sleep(2 * time.Second)
		b.say("+")
		b.say("+")
		b.say("+")
		began := time.Now()
		b.hear("\r\nOK\r\n")
		if took := time.Since(began); took < time.Second {
			t.Errorf("left after %v", took)
		}
		b.want("AT+CSQ", "\r\n+CSQ: 27,99\r\n\r\nOK\r\n")
		b.want("ATO", "\r\nCONNECT\r\n")
		b.say("again")
		b.hear("again")
		b.say("bye")
		b.hear("\r\nNO CARRIER\r\n")
		b.want("ATO", "\r\nNO CARRIER\r\n")
	})
}

func TestQNTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := cellWorld()
		w.Put("ntp.example:123", func(c net.Conn) {
			buf := make([]byte, 64)
			n, _ := c.Read(buf)
			if n != 48 || buf[0] != 0x23 {
				t.Errorf("asked %x", buf[:n])
			}
			answer := make([]byte, 48)
			answer[0], answer[1] = 0x24, 1
			copy(answer[40:], "\xeb\x31\xd0\xff\x80\x00\x00\x00") // 2025-01-15 06:15:27.5
			c.Write(answer)
		})
		w.Put("kiss.example:123", func(c net.Conn) { c.Read(make([]byte, 64)); c.Write(make([]byte, 48)) })
		b := ec20Bench(t, Options{Network: w, Faults: []Fault{{Name: faultNoTime}}})
		b.ClearFault(faultNoTime)
		b.want(`AT+QNTP=1,"ntp.example"`, "\r\nOK\r\n\r\n+QNTP: 0,\"2025/01/15,14:15:27+32\"\r\n")
		b.want(`AT+CCLK?`, "\r\n+CCLK: \"25/01/15,14:15:27+32\"\r\n\r\nOK\r\n")
		b.want(`AT+QNTP=1,"no.such.host"`, "\r\nOK\r\n\r\n+QNTP: 565\r\n")
		b.want(`AT+QNTP=1,"kiss.example"`, "\r\nOK\r\n\r\n+QNTP: 566\r\n")
		b.want(`AT+QNTP=0,"ntp.example"`, "\r\nERROR\r\n")
	})
}

func TestTheObserverSeesWhatALineCaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []Event
		b := ec20Bench(t, Options{Observer: func(e Event) { events = append(events, e) }})
		b.connected()
		synctest.Wait()
		find := func(kind EventKind, text string) Event {
			for _, e := range events {
				if e.Kind == kind && strings.Contains(string(e.Data)+e.Text+e.Peer, text) {
					return e
				}
			}
			t.Fatalf("no %v with %q", kind, text)
			return Event{}
		}
		if open := find(Line, "QMTOPEN"); find(Opened, "broker.example:1883").Cause != open.Seq {
			t.Errorf("the connection is not of line %d: %+v", open.Seq, find(Opened, "MQTT"))
		}
		if conn := find(Line, "QMTCONN"); find(Sent, "\x00\x04MQTT").Cause != conn.Seq {
			t.Errorf("the CONNECT is not of line %d", conn.Seq)
		}
	})
}

func TestLierdaQuirks(t *testing.T) {
	start := func(t *testing.T, quirks ...string) *bench {
		b := cellPower(t, Options{Model: "nt35e", Quirks: quirks})
		b.registered()
		b.command("ATE0")
		b.want(`AT+LMQTTOPEN=0,"broker.example",1883`, "\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n")
		return b
	}
	for _, tt := range []struct {
		quirk string
		run   func(b *bench)
	}{
		{"urc-before-ok", func(b *bench) { b.want(`AT+LMQTTCONN=0,"id"`, "\r\n+LMQTTCONN: 0,0,0\r\n\r\nOK\r\n") }},
		{"unsub-name", func(b *bench) {
			b.want(`AT+LMQTTCONN=0,"id"`, "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n")
			b.want(`AT+LMQTTSUBUNSUB=0,0,2,"t",0`, "\r\nOK\r\n\r\n+LMQTTSUBUNSUB: 0,2,0,1\r\n")
			b.want(`AT+LMQTTSUBUNSUB=0,1,2,"t"`, "\r\nOK\r\n\r\n+LMQTTUNSUNSUB: 0,2,0,1\r\n")
		}},
		{"quoted-payload", func(b *bench) {
			b.want(`AT+LMQTTCONN=0,"id"`, "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n")
			b.want(`AT+LMQTTSUBUNSUB=0,0,2,"t",0`, "\r\nOK\r\n\r\n+LMQTTSUBUNSUB: 0,2,0,1\r\n")
			b.ok(`AT+LMQTTCFG="recv/mode",0,0,1`)
			b.want(`AT+LMQTTPUB=0,0,0,0,"t",2,"hi"`, "\r\nOK\r\n\r\n+LMQTTPUB: 0,0,0\r\n\r\n+LMQTTURC: RECV,0,0,\"t\",2,\"hi\"\r\n")
		}},
		{"lmqttread", func(b *bench) {
			b.ok(`AT+LMQTTCFG="cache",0,1`)
			b.want(`AT+LMQTTCONN=0,"id"`, "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n")
			b.want(`AT+LMQTTSUBUNSUB=0,0,2,"t",0`, "\r\nOK\r\n\r\n+LMQTTSUBUNSUB: 0,2,0,1\r\n")
			b.want(`AT+LMQTTPUB=0,0,0,0,"t",2,"hi"`, "\r\nOK\r\n\r\n+LMQTTPUB: 0,0,0\r\n\r\n+LMQTTURC: RECV,0,0\r\n")
			b.want(`AT+LMQTTREAD=0`, "\r\n+LMQTTREAD: 0,0,\"t\",2,hi\r\n\r\nOK\r\n")
			b.want(`AT+LMQTTREAD=0`, "\r\nERROR\r\n")
		}},
		{"five-clients", func(b *bench) {
			b.want(`AT+LMQTTOPEN=4,"broker.example",1883`, "\r\nOK\r\n\r\n+LMQTTOPEN: 4,0\r\n")
		}},
		{"close-ok", func(b *bench) {
			b.want(`AT+LMQTTCLOSE=0`, "\r\nOK\r\n\r\n+LMQTTCLOSE: 0,0\r\n")
			b.ok(`AT+LMQTTCLOSE=0`)
			b.ok(`AT+LMQTTDISC=0`)
		}},
	} {
		t.Run(tt.quirk, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { tt.run(start(t, tt.quirk)) }) })
	}
	t.Run("CLOSE forgets the configuration", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := start(t)
			b.ok(`AT+LMQTTCFG="recv/mode",0,0,1`)
			b.want(`AT+LMQTTCLOSE=0`, "\r\nOK\r\n\r\n+LMQTTCLOSE: 0,0\r\n")
			b.want(`AT+LMQTTOPEN=0,"broker.example",1883`, "\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n")
			b.want(`AT+LMQTTCONN=0,"id"`, "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n")
			b.want(`AT+LMQTTSUBUNSUB=0,0,2,"t",0`, "\r\nOK\r\n\r\n+LMQTTSUBUNSUB: 0,2,0,1\r\n")
			b.want(`AT+LMQTTPUB=0,0,0,0,"t",2,hi`, "\r\nOK\r\n\r\n+LMQTTPUB: 0,0,0\r\n\r\n+LMQTTURC: RECV,0,0,\"t\",hi\r\n")
		})
	})
	t.Run("the network goes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := start(t)
			b.SetFault(Fault{Name: faultNoSignal})
			b.hear("\r\n+LMQTTURC: STATS,0,9\r\n")
			b.want(`AT+LMQTTOPEN=0,"broker.example",1883`, "\r\nOK\r\n\r\n+LMQTTOPEN: 0,-1,3\r\n")
			b.ClearFault(faultNoSignal)
			time.Sleep(5 * time.Second)
			b.want(`AT+LMQTTOPEN=0,"broker.example",1883`, "\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n")
			b.SetFault(Fault{Name: faultLinkLost})
			b.hear("\r\n+LMQTTURC: STATS,0,1\r\n")
		})
	})
}

func TestWills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var login *packet.Connect
		w, _ := tap(cloud{login: func(p *packet.Connect) { login = p }})
		b := ec20Bench(t, Options{Network: w})
		b.want(`AT+QMTCFG="willex",0,1,1,1,"t/will",5`, "\r\n> ")
		b.say("a\"b\r\n")
		b.hear("\r\nOK\r\n")
		b.connected()
		if will := login.Will; will == nil || will.Topic != "t/will" || string(will.Payload) != "a\"b\r\n" || will.QoS != 1 || !will.Retain {
			t.Errorf("will %+v", will)
		}
		b.want(`AT+QMTCFG="willex",0,1,1,1,"t/will",257`, "\r\nERROR\r\n")
		b.ok(`AT+QMTCFG="willex",0,0`)
		b.want(`AT+QMTCFG="will",0`, "\r\n+QMTCFG: \"will\",0\r\n\r\nOK\r\n")
	})
}

func TestAnOpeningThatWasGivenUpOpensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := cellWorld()
		slow := &slowWorld{world: w, gate: make(chan struct{})}
		b := ec20Bench(t, Options{Network: slow})
		b.ok(`AT+QMTOPEN=0,"broker.example",1883`)
		b.want(`AT+QMTCLOSE=0`, "\r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n")
		b.ok(`AT+QMTOPEN=0,"broker.example",1883`)
		close(slow.gate) // both connections are made now
		b.hear("\r\n+QMTOPEN: 0,0\r\n")
		synctest.Wait()
		if slow.open.Load() != 1 {
			t.Errorf("%d connections are open", slow.open.Load())
		}
	})
}

// A slowWorld connects when its gate opens, and counts what is open.
type slowWorld struct {
	*world
	gate chan struct{}
	open atomic.Int32
}

func (w *slowWorld) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	<-w.gate
	c, err := w.world.DialContext(ctx, network, address)
	if err == nil {
		w.open.Add(1)
	}
	return &countedConn{Conn: c, open: &w.open}, err
}

type countedConn struct {
	net.Conn
	open *atomic.Int32
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

func TestMQTTOverTLS(t *testing.T) {
	pair, ca := modemtest.SelfSigned(t)
	synctest.Test(t, func(t *testing.T) {
		w := cellWorld()
		named := make(chan string, 8)
		w.Put("tls.example:8883", func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
			if s.Handshake() != nil {
				return
			}
			named <- s.ConnectionState().ServerName
			new(cloud).serve(s)
		})
		b := ec20Bench(t, Options{Network: w})
		const open = `AT+QMTOPEN=0,"tls.example",8883`
		b.ok(`AT+QMTCFG="ssl",0,1,2`)
		// Nothing is checked.
		b.want(open, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
		if name := <-named; name != "" {
			t.Errorf("named %q without sni", name)
		}
		b.want("AT+QMTCLOSE=0", "\r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n")
		// A certificate is wanted and not there.
		b.ok(`AT+QSSLCFG="seclevel",2,1`)
		b.ok(`AT+QSSLCFG="cacert",2,"ca.pem"`)
		b.want(open, "\r\nOK\r\n\r\n+QMTOPEN: 0,5\r\n")
		b.want(fmt.Sprintf(`AT+QFUPL="ca.pem",%d,100`, len(ca)), "\r\nCONNECT\r\n")
		b.say(ca)
		b.until("OK\r\n")
		b.ok(`AT+QSSLCFG="sni",2,1`)
		b.want(open, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
		if name := <-named; name != "tls.example" {
			t.Errorf("named %q with sni", name)
		}
		b.want("AT+QMTCLOSE=0", "\r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n")
		// With its clock in 1980 the module finds every certificate too new.
		b.ok(`AT+QSSLCFG="ignorelocaltime",2,0`)
		b.want(open, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
		b.want("AT+QMTCLOSE=0", "\r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n")
		b.ok(`AT+CCLK="80/01/06,00:00:00+00"`)
		b.want(open, "\r\nOK\r\n\r\n+QMTOPEN: 0,5\r\n")
		b.ok(`AT+QSSLCFG="ignorelocaltime",2,1`)
		b.want(open, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
		// Sockets have TLS of their own.
		w.Put("echo.example:443", func(c net.Conn) {
			echoUntilBye(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}}))
		})
		b.ok("AT+QIACT=1")
		b.want(`AT+QSSLOPEN=1,2,4,"echo.example",443,0`, "\r\nOK\r\n\r\n+QSSLOPEN: 4,0\r\n")
		b.want("AT+QSSLSEND=4,4", "\r\n> ")
		b.say("test")
		b.hear("\r\nSEND OK\r\n\r\n+QSSLURC: \"recv\",4\r\n")
		b.want("AT+QSSLRECV=4,1500", "\r\n+QSSLRECV: 4\r\ntest\r\n\r\nOK\r\n")
		b.ok("AT+QSSLCLOSE=4")
		// SSL 3 is gone from the world.
		b.ok(`AT+QSSLCFG="sslversion",2,0`)
		b.want(`AT+QSSLOPEN=1,2,4,"echo.example",443,0`, "\r\nOK\r\n\r\n+QSSLOPEN: 4,566\r\n")
	})
}

// The LF of a command's line end is none of the data, wherever it arrives; a LF
// that the data begins with is.
func TestDataThatBeginsWithALineFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		for i, end := range []string{"\r", "\r\n"} {
			name := fmt.Sprintf("f%d", i)
			b.say(fmt.Sprintf(`AT+QFUPL="%s",4,100%s`, name, end))
			b.until("\r\nCONNECT\r\n")
			b.say("\nabc")
			b.until("\r\nOK\r\n")
			b.want(fmt.Sprintf(`AT+QFDWL="%s"`, name), "\r\nCONNECT\r\n\nabc\r\n+QFDWL: 4,6802\r\n\r\nOK\r\n")
		}
		b.say(`AT+QFUPL="late",3,100` + "\r")
		b.until("\r\nCONNECT\r\n")
		b.say("\n")
		b.say("abc")
		b.until("\r\nOK\r\n")
		b.want(`AT+QFLST="late"`, "\r\n+QFLST: \"late\",3\r\n\r\nOK\r\n")
	})
}

func TestTheLineItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{Baud: 115200})
		if err := b.SetFault(Fault{Name: faultSlowUART, Value: "300"}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		b.want("AT+CSQ", "\r\n+CSQ: 27,99\r\n\r\nOK\r\n") // 21 bytes of ten bits
		if took := time.Since(began); took < 650*time.Millisecond || took > 800*time.Millisecond {
			t.Errorf("21 bytes at 300 baud in %v", took)
		}
		b.ClearFault(faultSlowUART)
		b.ok("AT+IPR=9600")
		began = time.Now()
		b.want("AT+CSQ", "\r\n+CSQ: 27,99\r\n\r\nOK\r\n")
		if took := time.Since(began); took < 20*time.Millisecond || took > 60*time.Millisecond {
			t.Errorf("21 bytes at 9600 baud in %v", took)
		}
		b.SetFault(Fault{Name: faultLostBytes, Value: "1"})
		b.say("AT\r\n")
		b.silent()
		b.ClearFault(faultLostBytes)
		b.host.SetReadDeadline(time.Time{})
		b.ok("AT")
	})
}

// FuzzCellular lets a host write anything: the module goes on living, and
// answers AT when the host has come to its senses.
func FuzzCellular(f *testing.F) {
	f.Add("AT+QMTOPEN=0,\"broker.example\",1883\r", "AT+QMTCONN=0,\"x\"\r", false)
	f.Add("AT+QMTCFG=\"will\",0,1,1,0,\"t\",\"m\"\r\n", "AT+QFUPL=\"a\",5\r12345", false)
	f.Add("AT+QIACT=1\rAT+QIOPEN=1,0,\"TCP\",\"echo.example\",7,0,2\r", "+++", false)
	f.Add("AT+LMQTTOPEN=0,\"broker.example\",1883\r", "AT+LMQTTPUB=0,0,0,0,\"t\",3,\"a\"b\"\r", true)
	f.Add("ATE0V0Q1S3=5&F;;+CREG?;+CFUN=1,1\r", "A/", true)
	f.Fuzz(func(t *testing.T, first, second string, lierda bool) {
		if len(first)+len(second) > 4000 || strings.Contains(strings.ToUpper(first+second), "QPOWD") {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			o := Options{Model: "ec20"}
			if lierda {
				o.Model = "nt35e"
			}
			b := cellPower(t, o)
			b.registered()
			go io.Copy(io.Discard, b.host)
			for _, text := range []string{first, second} {
				b.Receive([]byte(text))
				time.Sleep(time.Minute)
			}
			// Whatever it waits for now: data, the end of a message, +++.
			b.Receive([]byte(strings.Repeat("x", maxQMTPayload) + "\x1a"))
			time.Sleep(2 * time.Minute)
			b.Receive([]byte("+++"))
			time.Sleep(2 * time.Minute)
			b.mu.Lock()
			defer b.mu.Unlock()
			c := b.self.(*cellular)
			if waits := c.data != nil; c.busy && !waits || len(c.urcs) > maxURCs || len(c.line) > maxCellLine || len(c.ahead) > maxTypeahead {
				t.Errorf("busy %v, data %v, %d URCs, line %d, ahead %d", c.busy, waits, len(c.urcs), len(c.line), len(c.ahead))
			}
		})
	})
}

// A fault that is in force from the start has its usual value, as one that
// begins later has.
func TestFaultsFromTheStartHaveTheirValues(t *testing.T) {
	m, err := New(Options{Model: "ec20", Faults: []Fault{{Name: faultWeak}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.opts.Faults[0].String(); got != "weak-signal=5" {
		t.Errorf("the fault is %s", got)
	}
}

// The network's time, here and at Greenwich, with the difference behind both
// [EC2x AT manual QLTS].
func TestEC20NetworkTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ec20Bench(t, Options{})
		b.want("AT+QLTS=?", "\r\n+QLTS: (0-2)\r\n\r\nOK\r\n")
		b.want("AT+QLTS=2", "\r\n+QLTS: \"2025/01/15,14:15:28+32,0\"\r\n\r\nOK\r\n")
		b.want("AT+QLTS=1", "\r\n+QLTS: \"2025/01/15,06:15:28+32,0\"\r\n\r\nOK\r\n")
		b.want("AT+QLTS=3", "\r\nERROR\r\n")
	})
}
