package test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// The product and device of seed 004, with a model as its author may have made
// it.
const (
	ec20Product = "a10hC2CWMGC"
	ec20Device  = "device1"
	ec20Secret  = "0123456789abcdef0123456789abcdef"
	ec20TSL     = `{"schema":"s","profile":{"productKey":"a10hC2CWMGC"},"properties":[
 {"identifier":"temp","name":"温度","accessMode":"rw","required":false,"dataType":{"type":"int","specs":{"min":"-40","max":"100","step":"1"}}}],"events":[],"services":[]}`

	nt35eProduct = "a1JszCpjS61"
	nt35eDevice  = "NT35E_06011"
	nt35eSecret  = "390358fc595040aa73221e8393aba86c"
)

// A moduleLine is the serial line of a running `matou modem run`, on which
// every byte counts.
type moduleLine struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// cellular runs a virtual module on a TCP port and is the terminal on it. host
// is sent to the server under test.
func (m *matou) cellular(model, host string, args ...string) *moduleLine {
	m.t.Helper()
	where, _ := m.module(` at tcp (127\.0\.0\.1:\d+)`,
		append([]string{model, "--tcp", "127.0.0.1:0", "--map", host + "=" + m.device, "--baud", "0", "--speed", "10"}, args...)...)
	conn, err := net.Dial("tcp", where)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { conn.Close() })
	return &moduleLine{m.t, conn, bufio.NewReader(conn)}
}

// say writes to the module.
func (l *moduleLine) say(text string) {
	l.t.Helper()
	if _, err := l.conn.Write([]byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

// hear wants exactly this next.
func (l *moduleLine) hear(text string) {
	l.t.Helper()
	l.conn.SetReadDeadline(time.Now().Add(patience))
	var got []byte
	for len(got) < len(text) {
		b, err := l.r.ReadByte()
		if err != nil {
			l.t.Fatalf("heard %q, %v, want %q", got, err, text)
		}
		got = append(got, b)
		if got[len(got)-1] != text[len(got)-1] {
			rest, _ := l.r.Peek(l.r.Buffered())
			l.t.Fatalf("heard %q, want %q", string(got)+string(rest), text)
		}
	}
}

// until reads up to and including text.
func (l *moduleLine) until(text string) string {
	l.t.Helper()
	l.conn.SetReadDeadline(time.Now().Add(patience))
	var got []byte
	for !strings.HasSuffix(string(got), text) {
		b, err := l.r.ReadByte()
		if err != nil {
			l.t.Fatalf("heard %q, %v, want %q", got, err, text)
		}
		got = append(got, b)
	}
	return string(got)
}

// typed types a line as a serial tool sends it, sees its echo and wants the
// answer.
func (l *moduleLine) typed(line string, answers ...string) {
	l.t.Helper()
	l.say(line + "\r\n")
	l.hear(line + "\r")
	for _, a := range answers {
		l.hear("\r\n" + a + "\r\n")
	}
}

// awaitRegistered waits until the network has taken the module; nobody is told when an NT35E is
// registered, so it is asked.
func (m *matou) awaitRegistered(l *moduleLine) {
	m.t.Helper()
	m.await("the module to be registered", func() bool {
		l.say("AT+CEREG?\r\n")
		return strings.Contains(l.until("OK\r\n"), ",1\r\n")
	})
}

func TestSeed004TypedIntoAVirtualEC20(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(ec20Product, "aliyun", "lenient", "", ec20TSL)
	m.add(ec20Product, ec20Device, ec20Secret)
	l := m.cellular("ec20", "iot-as-mqtt.cn-shanghai.aliyuncs.com")
	l.until("\r\n+QIND: PB DONE\r\n")

	// Step 1 as it is printed in the seed has a full-width question mark.
	l.typed("AT+CGATT？", "ERROR")
	l.typed("AT+CGATT?", "+CGATT: 1", "OK")
	l.typed("AT+CREG?", "+CREG: 0,1", "OK")
	l.typed("AT+CSQ", "+CSQ: 27,99", "OK")
	l.typed(`AT+QMTCFG="recv/mode",0,0,1`, "OK")
	l.typed(`AT+QMTCFG="aliauth","0","a10hC2CWMGC","device1","`+ec20Secret+`"`, "OK")
	l.typed(`AT+QMTOPEN=0,"iot-as-mqtt.cn-shanghai.aliyuncs.com",1883`, "OK", "+QMTOPEN: 0,0")
	l.typed(`AT+QMTCONN=0,"device1"`, "OK", "+QMTCONN: 0,0,0")
	m.awaitState(ec20Product, ec20Device, "ONLINE")
	l.typed(`AT+QMTSUB=0,1,"/a10hC2CWMGC/device1/user/get",0`, "OK", "+QMTSUB: 0,1,0,0")

	// 51 bytes of JSON without double quotes.
	l.typed(`AT+QMTPUBEX=0,0,0,0,"/sys/a10hC2CWMGC/device1/thing/event/property/post",51`)
	l.hear("\r\n> ")
	l.say("{params:{temp:25},method:thing.event.property.post}")
	l.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n")
	m.awaitLatest(ec20Product, ec20Device, "temp", "25")
	reply := l.until("\"\r\n")
	if !strings.HasPrefix(reply, "\r\n+QMTRECV: 0,0,\"/sys/a10hC2CWMGC/device1/thing/event/property/post_reply\",") {
		t.Errorf("the answer to the post: %q", reply)
	}

	// With double quotes it works as well, as long as they are counted.
	const quoted = `{"id":"1","version":"1.0","params":{"temp":26},"method":"thing.event.property.post"}`
	l.typed(fmt.Sprintf(`AT+QMTPUBEX=0,1,1,0,"/sys/a10hC2CWMGC/device1/thing/event/property/post",%d`, len(quoted)))
	l.hear("\r\n> ")
	l.say(quoted)
	l.hear("\r\nOK\r\n")
	both := l.until("\"\r\n") // the answer may overtake the acknowledgement
	if !strings.Contains(both, "\r\n+QMTPUBEX: 0,1,0\r\n") {
		l.hear("\r\n+QMTPUBEX: 0,1,0\r\n")
	}
	m.awaitLatest(ec20Product, ec20Device, "temp", "26")

	// What the server sets shows up by itself.
	set := make(chan object, 1)
	go func() {
		set <- must[object](m, "POST", "/products/"+ec20Product+"/devices/"+ec20Device+"/properties", object{"values": object{"temp": 30}, "wait": "10s"})
	}()
	const setTopic = "/sys/a10hC2CWMGC/device1/thing/service/property/set"
	head := l.until(`set",`)
	if !strings.HasPrefix(strings.TrimLeft(head, "\r\n"), `+QMTRECV: 0,`) || !strings.HasSuffix(head, `,"`+setTopic+`",`) {
		t.Fatalf("the set: %q", head)
	}
	var length int
	if _, err := fmt.Sscanf(l.until(","), "%d,", &length); err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, length+len("\"\"\r\n"))
	if _, err := readFull(l, payload); err != nil {
		t.Fatal(err)
	}
	id := between(string(payload), `"id":"`, `"`)
	if !strings.Contains(string(payload), `"temp":30`) || id == "" || !strings.HasSuffix(string(payload), "}\"\r\n") {
		t.Fatalf("the set: %q", payload)
	}
	answer := `{"id":"` + id + `","code":200,"data":{}}`
	l.typed(fmt.Sprintf(`AT+QMTPUBEX=0,0,0,0,"%s_reply",%d`, setTopic, len(answer)))
	l.hear("\r\n> ")
	l.say(answer)
	l.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n")
	if c := <-set; c["state"] != "acknowledged" || c["code"] != 200.0 {
		t.Errorf("command %v", c)
	}

	l.typed("AT+QMTDISC=0", "OK", "+QMTDISC: 0,0")
	m.awaitState(ec20Product, ec20Device, "OFFLINE")

	// A wrong secret: the module says 0,0,4 or 5, the server says why.
	l.typed(`AT+QMTCFG="aliauth","0","a10hC2CWMGC","device1","ffffffffffffffffffffffffffffffff"`, "OK")
	l.typed(`AT+QMTOPEN=0,"iot-as-mqtt.cn-shanghai.aliyuncs.com",1883`, "OK", "+QMTOPEN: 0,0")
	l.typed(`AT+QMTCONN=0,"device1"`, "OK", "+QMTCONN: 0,0,4", "+QMTSTAT: 0,1")
	m.awaitEntry(ec20Product, ec20Device, "the refusal in the timeline", func(e entry) bool { return e.Kind == "refuse" })
}

func TestEC20TakesTLSAndFaultsOnTheRealBinary(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	l := m.cellular("ec20", "*.aliyuncs.com", "--fault", "dns-failure*1")
	l.until("\r\n+QIND: PB DONE\r\n")
	l.typed(`AT+QSSLCFG="sslversion",2,4`, "OK")
	l.typed(`AT+QMTCFG="ssl",0,1,2`, "OK")
	l.typed(`AT+QMTCFG="aliauth",0,"`+lampProduct+`","`+lampName+`","`+lampSecret+`"`, "OK")
	open := `AT+QMTOPEN=0,"` + lampProduct + `.iot-as-mqtt.cn-shanghai.aliyuncs.com",8883`
	l.typed(open, "OK", "+QMTOPEN: 0,4")
	l.typed(open, "OK", "+QMTOPEN: 0,0")
	l.typed(`AT+QMTCONN=0,"0"`, "OK", "+QMTCONN: 0,0,0")
	m.awaitState(lampProduct, lampName, "ONLINE")
	m.stop() // the server goes
	l.hear("\r\n+QMTSTAT: 0,1\r\n")
	l.typed("AT+QMTCONN?", "OK")
	l.typed(open, "OK", "+QMTOPEN: 0,5")
}

func TestSeed003TypedIntoAVirtualNT35E(t *testing.T) {
	m := start(t, t.TempDir())
	m.product(nt35eProduct, "aliyun", "lenient", "", strings.ReplaceAll(ec20TSL, ec20Product, nt35eProduct))
	m.add(nt35eProduct, nt35eDevice, nt35eSecret)
	l := m.cellular("nt35e", "a1JszCpjS61.iot-as-mqtt.cn-shanghai.aliyuncs.com")
	l.until("\r\nRDY\r\n")
	m.awaitRegistered(l)
	l.typed(`AT+LMQTTCFG="cloud",0,2,1`, "OK")
	l.typed(`AT+LMQTTCFG="aliauth",0,"a1JszCpjS61","NT35E_06011","390358fc595040aa73221e8393aba86c"`, "OK")
	l.typed(`AT+LMQTTOPEN=0,"a1JszCpjS61.iot-as-mqtt.cn-shanghai.aliyuncs.com",1883`, "OK", "+LMQTTOPEN: 0,0")
	l.typed(`AT+LMQTTCONN=0,"NT35E"`, "OK", "+LMQTTCONN: 0,0,0")
	m.awaitState(nt35eProduct, nt35eDevice, "ONLINE")

	// The seed's topic has spaces in it, from its way to the web: they make it
	// nobody's topic, which the server refuses.
	l.typed(`AT+LMQTTSUBUNSUB=0,0,1,"/a1JszCpjS61/ NT35E_06011 /user/COMMUTEST",2`, "OK", "+LMQTTSUBUNSUB: 0,1,1,1")
	l.typed(`AT+LMQTTSUBUNSUB=0,0,1,"/a1JszCpjS61/NT35E_06011/user/COMMUTEST",2`, "OK", "+LMQTTSUBUNSUB: 0,1,0,1")
	// Its own message comes back, because it subscribed.
	l.typed(`AT+LMQTTPUB=0,0,0,1,"/a1JszCpjS61/NT35E_06011/user/COMMUTEST",10,"1122334455"`, "OK", "+LMQTTPUB: 0,0,0",
		`+LMQTTURC: RECV,0,0,"/a1JszCpjS61/NT35E_06011/user/COMMUTEST",1122334455`)

	// A property, quotes and all: the message is told by its length.
	const post = `{"id":"1","params":{"temp":25}}`
	l.typed(fmt.Sprintf(`AT+LMQTTPUB=0,7,1,0,"/sys/a1JszCpjS61/NT35E_06011/thing/event/property/post",%d,"%s"`, len(post), post), "OK")
	l.until("+LMQTTPUB: 0,7,0\r\n")
	m.awaitLatest(nt35eProduct, nt35eDevice, "temp", "25")
	if status, body := m.call("POST", "/products/"+nt35eProduct+"/devices/"+nt35eDevice+"/properties", object{"values": object{"temp": 31}}); status/100 != 2 {
		t.Fatalf("the command: %d %s", status, body)
	}
	urc := l.until(`"temp":31}`)
	if !strings.Contains(urc, `+LMQTTURC: RECV,0,`) || !strings.Contains(urc, `"/sys/a1JszCpjS61/NT35E_06011/thing/service/property/set",{`) {
		t.Errorf("the set: %q", urc)
	}
	l.until("\r\n")
	l.typed("AT+LMQTTDISC=0", "OK", "+LMQTTDISC: 0,0")
	l.typed("AT+LMQTTCLOSE=0", "OK", "+LMQTTCLOSE: 0,0")
	m.awaitState(nt35eProduct, nt35eDevice, "OFFLINE")
}

func readFull(l *moduleLine, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		b[n], err = l.r.ReadByte()
		n++
	}
	return n, err
}
