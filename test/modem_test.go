package test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A terminal is a person's at a serial line.
type terminal struct {
	t   *testing.T
	w   line
	r   *bufio.Reader
	log strings.Builder
}

// A line is a connection or a pseudo-terminal.
type line interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
}

// terminal is one on a line whose module answers.
func (m *matou) terminal(w line) *terminal {
	m.t.Helper()
	m.t.Cleanup(func() { w.Close() })
	s := &terminal{t: m.t, w: w, r: bufio.NewReader(w)}
	m.await("the module to answer", func() bool { // it may still be starting
		io.WriteString(w, "AT\r\n")
		w.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		b, _ := io.ReadAll(s.r)
		return strings.HasSuffix(string(b), "OK\r\n")
	})
	w.SetReadDeadline(time.Now().Add(patience))
	return s
}

// module runs `matou modem run` and returns where its line is, as it says.
func (m *matou) module(pattern string, args ...string) (where string, stop func()) {
	m.t.Helper()
	where, _, stop = m.moduleWithConsole(pattern, args...)
	return where, stop
}

// moduleWithConsole is module, and order types an order at its console.
func (m *matou) moduleWithConsole(pattern string, args ...string) (where string, order func(string), stop func()) {
	m.t.Helper()
	bin, err := binary()
	if err != nil {
		m.t.Fatal(err)
	}
	said := new(buffer)
	cmd := exec.Command(bin, append([]string{"modem", "run"}, args...)...)
	cmd.Stderr = said
	console, err := cmd.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	order = func(what string) {
		m.t.Helper()
		if _, err := io.WriteString(console, what+"\n"); err != nil {
			m.t.Error(err)
		}
	}
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	var once sync.Once
	stop = func() { once.Do(func() { endModule(m.t, cmd, exited, said) }) }
	m.t.Cleanup(stop)
	re := regexp.MustCompile(pattern)
	m.await("the module to say where it is", func() bool {
		found := re.FindStringSubmatch(said.String())
		if found != nil {
			where = found[1]
		}
		return found != nil
	})
	return where, order, stop
}

// endModule ends a module as its user would.
func endModule(t *testing.T, cmd *exec.Cmd, exited <-chan error, said *buffer) {
	cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-exited:
		if err != nil {
			t.Errorf("the module ended with %v\n%s", err, said)
		}
	case <-time.After(patience):
		cmd.Process.Kill()
		t.Errorf("the module did not stop\n%s", said)
	}
}

// until reads what the module says, up to and including text.
func (s *terminal) until(text string) string {
	s.t.Helper()
	var got []byte
	for !strings.HasSuffix(string(got), text) {
		c, err := s.r.ReadByte()
		if err != nil {
			s.t.Fatalf("%v: waited for %q, got %q after\n%s", err, text, got, &s.log)
		}
		got = append(got, c)
	}
	s.log.Write(got)
	return string(got)
}

// types a line and waits for what must come at its end.
func (s *terminal) types(line, until string) string {
	s.t.Helper()
	if _, err := io.WriteString(s.w, line+"\r\n"); err != nil {
		s.t.Fatal(err)
	}
	return s.until(until)
}

// sends hands over a packet with AT+CIPSEND, its length counted.
func (s *terminal) sends(packet []byte) {
	s.t.Helper()
	s.types(fmt.Sprintf("AT+CIPSEND=%d", len(packet)), "> ")
	if _, err := s.w.Write(packet); err != nil {
		s.t.Fatal(err)
	}
	s.until("\r\nSEND OK\r\n")
}

// ipd reads one +IPD and returns its bytes.
func (s *terminal) ipd() []byte {
	s.t.Helper()
	s.until("+IPD,")
	var n int
	if _, err := fmt.Sscanf(s.until(":"), "%d:", &n); err != nil {
		s.t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.r, b); err != nil {
		s.t.Fatal(err)
	}
	return b
}

const aliyunHost = lampProduct + ".iot-as-mqtt.cn-shanghai.aliyuncs.com"

// The commands of seed 001, word for word, on a TCP terminal and on a
// pseudo-terminal: the host in AT+CIPSTART is the vendor's, and leads here.
func TestSeed001OnAVirtualModule(t *testing.T) {
	m := start(t, t.TempDir())
	m.lamp()
	flags := []string{"esp8266", "--speed", "20", "--wifi", "home=12345678", "--map", "*.iot-as-mqtt.cn-shanghai.aliyuncs.com=" + m.device}

	where, stop := m.module(`at tcp (\S+)`, append(flags, "--tcp", "127.0.0.1:0")...)
	conn, err := net.Dial("tcp", where)
	if err != nil {
		t.Fatal(err)
	}
	seed001(t, m, m.terminal(conn), "25.5")
	conn.Close()
	stop()

	link, record := filepath.Join(t.TempDir(), "esp"), filepath.Join(t.TempDir(), "session.at")
	_, stop = m.module(`which is (\S+)`, append(flags, "--pty", link, "--record", record)...)
	port, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	seed001(t, m, m.terminal(port), "26.5")
	port.Close()
	stop()
	text, err := os.ReadFile(record)
	if err != nil || !strings.Contains(string(text), `> AT+CIPMUX=0\r\n`) {
		t.Errorf("the recording (%v) lacks a command:\n%s", err, text)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Errorf("%s is still there", link)
	}
}

func seed001(t *testing.T, m *matou, s *terminal, value string) {
	t.Helper()
	s.types("AT+RST", "\r\nready\r\n")
	s.types("AT+CWMODE=1", "\r\nOK\r\n")
	got := s.types(`AT+CWJAP_CUR="home","12345678"`, "\r\nOK\r\n")
	if !strings.HasSuffix(got, "WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n") {
		t.Errorf("joining said %q", got)
	}
	got = s.types("AT+CIFSR", "\r\nOK\r\n")
	if !strings.Contains(got, `+CIFSR:STAIP,"192.168.1.23"`) || !strings.Contains(got, `+CIFSR:STAMAC,"`) {
		t.Errorf("AT+CIFSR said %q", got)
	}
	s.types("AT+CIPMUX=0", "\r\nOK\r\n")
	got = s.types(`AT+CIPSTART="TCP","`+aliyunHost+`",1883`, "\r\nOK\r\n")
	if !strings.HasSuffix(got, "CONNECT\r\n\r\nOK\r\n") {
		t.Errorf("connecting said %q", got)
	}

	// 10 <LENGTH> 00 04 4D 51 54 54 04 C2 00 64, as the seed computes it.
	id, user, password := aliyunLogin(lampProduct, lampName, lampSecret)
	s.sends(connect(id, user, password, 0x64, true))
	if b := s.ipd(); string(b) != "\x20\x02\x00\x00" {
		t.Fatalf("CONNACK % x", b)
	}
	set := "/sys/" + lampProduct + "/" + lampName + "/thing/service/property/set"
	s.sends(frame(0x82, "\x00\x0a"+str(set)+"\x00"))
	if b := s.ipd(); string(b) != "\x90\x03\x00\x0a\x00" {
		t.Fatalf("SUBACK % x", b)
	}
	s.sends(publish("/sys/"+lampProduct+"/"+lampName+"/thing/event/property/post",
		`{"id":"1562283421","version":"1.0.0","params":{"CurrentTemperature":`+value+`},"method":"thing.event.property.post"}`))
	m.awaitLatest(lampProduct, lampName, "CurrentTemperature", value)

	// Down again, to the host as +IPD. The reply to the post comes first.
	m.call("POST", "/products/"+lampProduct+"/devices/"+lampName+"/properties", object{"values": object{"NightLightSwitch": 1}})
	for {
		if b := string(s.ipd()); strings.Contains(b, set) {
			if !strings.Contains(b, `"NightLightSwitch":1`) {
				t.Errorf("the set is %q", b)
			}
			break
		}
	}
	s.sends(unhex(t, "C0 00"))
	if b := s.ipd(); string(b) != "\xd0\x00" {
		t.Errorf("PINGRESP % x", b)
	}
	s.sends(unhex(t, "E0 00"))
	s.until("CLOSED\r\n")
	m.awaitState(lampProduct, lampName, "OFFLINE")
}

func TestASecondTerminalIsSentAway(t *testing.T) {
	m := &matou{t: t, stderr: new(buffer)}
	where, stop := m.module(`at tcp (\S+)`, "esp8266", "--tcp", "127.0.0.1:0", "--speed", "20")
	defer stop()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", where)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(patience))
		return c
	}
	first := dial()
	m.terminal(first)
	second := dial()
	if b, err := io.ReadAll(second); err != nil || string(b) != "matou: another terminal is attached\r\n" {
		t.Errorf("the second terminal saw %q, %v", b, err)
	}
	first.Close()
	m.await("the module to take another terminal", func() bool {
		third := dial()
		io.WriteString(third, "AT\r\n")
		b, _ := bufio.NewReader(third).ReadString('K')
		return b == "AT\r\n\r\nOK"
	})
}

// A module that is switched off and on again knows its Wi-Fi, and the file of
// its flash is no other module's.
func TestAModuleRemembersAcrossRuns(t *testing.T) {
	m := &matou{t: t, stderr: new(buffer)}
	state := filepath.Join(t.TempDir(), "esp01.json")
	flags := []string{"esp8266", "--tcp", "127.0.0.1:0", "--speed", "20", "--wifi", "home=12345678", "--state", state}
	power := func() (s *terminal, off func()) {
		where, stop := m.module(`at tcp (\S+)`, flags...)
		conn, err := net.Dial("tcp", where)
		if err != nil {
			t.Fatal(err)
		}
		return m.terminal(conn), func() { conn.Close(); stop() }
	}
	s, off := power()
	s.types("AT+CWMODE=1", "\r\nOK\r\n")
	s.types(`AT+CWJAP="home","12345678"`, "\r\nOK\r\n")
	s.types("AT+CIPMUX=1", "\r\nOK\r\n")
	off()
	text, err := os.ReadFile(state)
	if err != nil || !strings.Contains(string(text), `"ssid": "home"`) {
		t.Fatalf("the flash (%v):\n%s", err, text)
	}
	s, off = power()
	s.types("AT+CIPMUX?", "+CIPMUX:0\r\n\r\nOK\r\n")
	m.await("the module to join by itself", func() bool {
		return strings.Contains(s.types("AT+CIFSR", "\r\nOK\r\n"), `"192.168.1.23"`)
	})
	off()
	out, errs, code := runCLI(t, nil, "modem", "run", "ec20", "--tcp", "127.0.0.1:0", "--state", state)
	if code != 2 || !strings.Contains(errs, "it is of an esp8266, and this is an ec20") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if now, err := os.ReadFile(state); err != nil || string(now) != string(text) {
		t.Errorf("the file has changed (%v):\n%s", err, now)
	}
}
