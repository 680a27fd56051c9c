package test

import (
	"context"
	"encoding/hex"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/virtual"
)

// gardenModel is a thing model in Matou's own form, for plain MQTT.
const gardenModel = `{"properties":[
 {"id":"Soil","name":"Soil","type":{"kind":"float","min":0,"max":100}},
 {"id":"Count","name":"Count","type":{"kind":"int32","min":0,"max":10}},
 {"id":"Note","name":"Note","type":{"kind":"text","length":20}},
 {"id":"Pump","name":"Pump","access":"read-write","type":{"kind":"bool"}}],"events":[],"services":[]}`

// A trade is a product whose devices programs are written for: a property that
// every program reports with its value, and one that the cloud sets.
type trade struct {
	product, reported, value, set string
	to                            any
}

var trades = []trade{
	{lampProduct, "CurrentTemperature", "21.5", "NightLightSwitch", 0},
	{sensorProduct, "wendu", "21.5", "wendu", 30.5},
	{"garden", "Soil", "21.5", "Pump", true},
}

// workshop is a server with the three products.
func workshop(t *testing.T) *matou {
	m := start(t, t.TempDir())
	m.product(lampProduct, "aliyun", "strict", "", lampTSL)
	m.product(sensorProduct, "onenet", "strict", "", sensorModel)
	m.product("garden", "mqtt", "strict", "", gardenModel)
	return m
}

// written makes a device and writes a program for it into a directory of its
// own.
func (m *matou) written(product, target string, more ...string) (device, file string) {
	m.t.Helper()
	device = "for-" + target
	secret := map[string]string{sensorProduct: sensorKey}[product]
	if secret == "" {
		secret = lampSecret
	}
	if status, _ := m.call("GET", "/products/"+product+"/devices/"+device, nil); status == 404 {
		m.add(product, device, secret)
	}
	dir := m.t.TempDir()
	args := []string{"device", "code", product + "/" + device, "--for", target, "--host", "127.0.0.1", "--port", m.port, "-o", dir}
	_, errs, code := m.cli(append(args, more...)...)
	if code != 0 {
		m.t.Fatalf("exit %d: %s", code, errs)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		m.t.Fatalf("%v, %v", files, err)
	}
	return device, files[0]
}

// running starts a program that runs until the end of the test.
func running(t *testing.T, cmd *exec.Cmd) *buffer {
	t.Helper()
	out := new(buffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said\n%s", cmd.Args[0], out)
		}
	})
	return out
}

// proves that a program reports, and obeys and answers what it is told.
func (m *matou) proves(x trade, device string) {
	m.t.Helper()
	m.awaitLatest(x.product, device, x.reported, x.value)
	c := must[object](m, "POST", "/products/"+x.product+"/devices/"+device+"/properties", object{"values": object{x.set: x.to}, "wait": "10s"})
	if c["state"] != "acknowledged" || c["code"] != 200.0 {
		m.t.Errorf("the command: %v", c)
	}
}

// under runs a part of a story.
func (m *matou) under(name string, f func(t *testing.T)) {
	outer := m.t
	defer func() { m.t = outer }()
	outer.Run(name, func(t *testing.T) {
		m.t = t
		f(t)
	})
}

// pythonWith finds a Python that has a module.
func pythonWith(t *testing.T, module string) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import "+module).Run() == nil {
			return python
		}
	}
	t.Skipf("SKIPPED: no Python with the module %s", module)
	return ""
}

func build(t *testing.T, program string, args ...string) {
	t.Helper()
	need(t, program)
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// sketch builds an Arduino sketch for both boards and runs it as the ESP8266's.
func sketch(t *testing.T, file string) *exec.Cmd {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "sketch")
	flags := []string{"-std=c++17", "-Wall", "-Wextra", "-Iarduino", "-Iarduino/PubSubClient"}
	build(t, "g++", append(flags, "-fsyntax-only", "-x", "c++", file)...) // an ESP32
	flags = append(flags, "-DESP8266", "-o", bin, "arduino/main.cpp", "arduino/PubSubClient/PubSubClient.cpp", "-x", "c++", file)
	if strings.Contains(string(text), "WiFiClientSecure") {
		flags = append(flags, "-x", "none", "-lssl", "-lcrypto")
	}
	build(t, "g++", flags...)
	return exec.Command(bin)
}

// withOpenSSL skips a test without the library.
func withOpenSSL(t *testing.T) {
	t.Helper()
	need(t, "cc")
	if exec.Command("cc", "-fsyntax-only", "-include", "openssl/ssl.h", "-xc", "/dev/null").Run() != nil {
		t.Skip("SKIPPED: the headers of OpenSSL are missing; on Debian install libssl-dev")
	}
}

// runners build what is to be built of a program and say how it is run.
var runners = []struct {
	target string
	run    func(t *testing.T, file string) *exec.Cmd
}{
	{"python", func(t *testing.T, file string) *exec.Cmd {
		return exec.Command(pythonWith(t, "paho.mqtt"), "-u", file)
	}},
	{"micropython", func(t *testing.T, file string) *exec.Cmd {
		need(t, "python3")
		return exec.Command("python3", "-u", absolute(t, filepath.Join("micropython", "run.py")), file)
	}},
	{"node", func(t *testing.T, file string) *exec.Cmd {
		need(t, "node")
		modules := absolute(t, filepath.Join("node", "node_modules"))
		if _, err := os.Stat(filepath.Join(modules, "mqtt")); err != nil {
			t.Skip("SKIPPED: test/node/node_modules is missing; run test/prepare")
		}
		cmd := exec.Command("node", file)
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
		return cmd
	}},
	{"go", func(t *testing.T, file string) *exec.Cmd {
		bin := filepath.Join(t.TempDir(), "device")
		build(t, "go", "build", "-o", bin, file)
		return exec.Command(bin)
	}},
	{"arduino", sketch},
	{"stm32", func(t *testing.T, file string) *exec.Cmd {
		bin := filepath.Join(t.TempDir(), "board")
		build(t, "cc", "-std=c11", "-D_DEFAULT_SOURCE", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-Istm32", "-o", bin, "stm32/main.c", file, "-lpthread")
		_, port := module(t, "esp8266", "")
		return exec.Command(bin, port)
	}},
}

// Over TLS every program knows the authority of the server's certificate, or
// says that it does not look.
func TestProgramsRunOverTLS(t *testing.T) {
	m := workshop(t)
	authority, err := os.ReadFile(filepath.Join(m.data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runners {
		m.under(r.target, func(t *testing.T) {
			more := []string{"--tls"}
			if r.target == "arduino" {
				withOpenSSL(t)
				more = append(more, "--host", "localhost") // boards compare names
			}
			device, file := m.written(lampProduct, r.target, more...)
			cmd := r.run(t, file)
			cmd.Dir = t.TempDir()
			if err := os.WriteFile(filepath.Join(cmd.Dir, "matou-ca.pem"), authority, 0o600); err != nil {
				t.Fatal(err)
			}
			running(t, cmd)
			m.proves(trades[0], device)
		})
	}
	m.under("c", func(t *testing.T) {
		withOpenSSL(t)
		device, file := m.written(lampProduct, "c", "--tls")
		m.arrays(file, "-DOVER_TLS", "-lssl", "-lcrypto")
		m.awaitLatest(lampProduct, device, trades[0].reported, trades[0].value)
	})
	m.under("arduino that another authority signed for", func(t *testing.T) {
		withOpenSSL(t)
		_, file := m.written(lampProduct, "arduino", "--tls", "--host", "localhost")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, stranger := modemtest.SelfSigned(t)
		ours := regexp.MustCompile(`(?s)-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----`)
		if err := os.WriteFile(file, ours.ReplaceAllLiteral(text, []byte(strings.TrimSpace(stranger))), 0o600); err != nil {
			t.Fatal(err)
		}
		said := running(t, sketch(t, file))
		m.await("the sketch to refuse the server", func() bool { return strings.Contains(said.String(), "refused, state") })
	})
	_, errs, code := m.cli("device", "code", lampProduct+"/for-go", "--for", "at-nt35e", "--tls")
	if code != 1 || !strings.Contains(errs, "without TLS") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// arrays has a C program send the arrays of a header, over TLS if it is built
// for that.
func (m *matou) arrays(header string, more ...string) {
	m.t.Helper()
	bin := filepath.Join(m.t.TempDir(), "arrays")
	build(m.t, "cc", append([]string{"-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", "-include", header, "-o", bin, "c/arrays.c"}, more...)...)
	args := []string{"127.0.0.1", m.port}
	if len(more) > 0 {
		args = append(args, filepath.Join(m.data, "tls", "ca.pem"))
	}
	out, err := exec.Command(bin, args...).CombinedOutput()
	if err != nil || string(out) != "20020000 9003000100 d000\n" {
		m.t.Errorf("%v, it heard %s", err, out)
	}
}

func TestProgramsRun(t *testing.T) {
	m := workshop(t)
	for _, x := range trades {
		for _, r := range runners {
			m.under(x.product+"/"+r.target, func(t *testing.T) {
				device, file := m.written(x.product, r.target)
				running(t, r.run(t, file))
				m.proves(x, device)
			})
		}
		m.under(x.product+"/c", func(t *testing.T) {
			need(t, "cc")
			device, file := m.written(x.product, "c")
			m.arrays(file)
			m.awaitLatest(x.product, device, x.reported, x.value)
		})
		m.under(x.product+"/at replayed", func(t *testing.T) {
			device, file := m.written(x.product, "at")
			out, errs, code := m.replayed(file)
			if code != 0 || !strings.Contains(out, "CONNACK: accepted") {
				t.Errorf("exit %d\n%s%s", code, out, errs)
			}
			m.awaitLatest(x.product, device, x.reported, x.value)
		})
	}
}

// module powers a virtual module and waits for a host at its serial line: the
// connection to it, and a port for somebody else to use in its place.
func module(t *testing.T, model, firmware string) (dial func() net.Conn, port string) {
	t.Helper()
	v, err := virtual.New(virtual.Options{Model: model, Firmware: firmware, Speed: 100, Baud: 921600})
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { v.Run(ctx) })
	parts.Go(func() {
		conn, err := ln.Accept()
		if err == nil {
			v.Attach(ctx, conn)
		}
	})
	t.Cleanup(func() {
		cancel()
		ln.Close()
		parts.Wait()
	})
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return func() net.Conn {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}, port
}

// A typist types a list of AT commands as a person would: a command, then what
// the module wants to see done, then the next.
type typist struct {
	t    *testing.T
	conn net.Conn
	in   []byte
	all  []byte
}

// until waits for one of several things and takes everything up to it.
func (y *typist) until(any ...string) string {
	y.t.Helper()
	deadline := time.Now().Add(patience)
	buf := make([]byte, 4096)
	for {
		for _, want := range any {
			if i := strings.Index(string(y.in), want); i >= 0 {
				y.in = y.in[i+len(want):]
				return want
			}
		}
		y.conn.SetReadDeadline(deadline)
		n, err := y.conn.Read(buf)
		y.in, y.all = append(y.in, buf[:n]...), append(y.all, buf[:n]...)
		if err != nil {
			y.t.Fatalf("waited for %q: %v\nthe module said\n%s", any, err, y.all)
		}
	}
}

func (y *typist) say(b []byte) {
	y.t.Helper()
	if _, err := y.conn.Write(b); err != nil {
		y.t.Fatal(err)
	}
}

var (
	later   = regexp.MustCompile(`^AT\+(L?(?:QMT|MQTT)(?:OPEN|CONN|SUB|SUBUNSUB|PUB|PUBEX|DISC|CLOSE))=`)
	prompts = regexp.MustCompile(`^AT\+(?:CIPSEND=|MQTTLONG|MQTTPUBRAW|QMTPUBEX)`)
)

// types types the whole list.
func (y *typist) types(list string, isHex bool) {
	y.t.Helper()
	lines := strings.Split(list, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "AT") {
			continue
		}
		y.say([]byte(line + "\r\n"))
		if !prompts.MatchString(line) {
			y.final(line)
			continue
		}
		if got := y.until(">", "ERROR\r\n"); got != ">" {
			y.t.Fatalf("%s: %s\n%s", line, got, y.all)
		}
		data := []byte(lines[i+1])
		if isHex {
			var err error
			if data, err = hex.DecodeString(lines[i+1]); err != nil {
				y.t.Fatal(err)
			}
		}
		y.say(data)
		switch {
		case strings.HasPrefix(line, "AT+CIPSEND"):
			y.until("SEND OK\r\n")
		case strings.HasPrefix(line, "AT+MQTTPUBRAW"):
			y.until("+MQTTPUB:OK\r\n")
		default:
			y.final(line)
		}
	}
}

// final waits for the end of a command, the late part of it included.
func (y *typist) final(line string) {
	y.t.Helper()
	if got := y.until("OK\r\n", "ERROR\r\n", "FAIL\r\n"); got != "OK\r\n" {
		y.t.Fatalf("%s: %s\nthe module said\n%s", line, got, y.all)
	}
	if m := later.FindStringSubmatch(line); m != nil && !strings.HasPrefix(line, "AT+MQTT") {
		y.until("+" + m[1] + ": 0")
		y.until("\r\n")
	}
}

// The lists are typed into virtual modules, which really connect.
func TestATListsAreTypedIntoModules(t *testing.T) {
	m := workshop(t)
	for _, list := range []struct {
		target, model, firmware string
		hex                     bool
		more                    []string
	}{
		{"at", "esp8266", "", true, nil},
		{"at", "esp8266", "", true, []string{"--tls"}},
		{"at-mqtt", "esp8266", "2.2", false, nil},
		{"at-mqtt", "esp8266", "2.2", false, []string{"--tls"}},
		{"at-ec20", "ec20", "", false, nil},
		{"at-ec20", "ec20", "", false, []string{"--tls"}},
		{"at-nt35e", "nt35e", "", false, nil},
	} {
		for _, x := range trades {
			m.under(strings.Join(append([]string{list.target, x.product}, list.more...), "/"), func(t *testing.T) {
				dial, _ := module(t, list.model, list.firmware)
				device, file := m.written(x.product, list.target, list.more...)
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				y := &typist{t: t, conn: dial()}
				y.say([]byte("AT\r\n"))
				y.until("OK\r\n")
				y.types(string(text), list.hex)
				m.awaitLatest(x.product, device, x.reported, x.value)
			})
		}
	}
}
