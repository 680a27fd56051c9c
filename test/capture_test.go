package test

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A capturing is a running packet capture.
type capturing struct {
	m              *matou
	cmd            *exec.Cmd
	host, port     string
	stdout, stderr *buffer
}

// capture starts a proxy and waits until it listens. Arguments for the API are
// the server's, if there is one.
func capture(m *matou, to string, args ...string) *capturing {
	m.t.Helper()
	bin, err := binary()
	if err != nil {
		m.t.Fatal(err)
	}
	c := &capturing{m: m, stdout: new(buffer), stderr: new(buffer)}
	c.cmd = exec.Command(bin, append([]string{"packet", "capture", "--listen", "127.0.0.1:0", "--to", to, "--lang", "en"}, args...)...)
	c.cmd.Dir = m.t.TempDir()
	c.cmd.Stdout, c.cmd.Stderr = c.stdout, c.stderr
	if err := c.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { c.end() })
	m.await("the capture to listen", func() bool { return strings.Contains(c.stderr.String(), "devices connect to ") })
	_, rest, _ := strings.Cut(c.stderr.String(), "devices connect to ")
	addr, _, _ := strings.Cut(rest, ",")
	if c.host, c.port, err = net.SplitHostPort(addr); err != nil {
		m.t.Fatal(err)
	}
	return c
}

// end interrupts it, as a person does, and waits.
func (c *capturing) end() {
	if c.cmd == nil {
		return
	}
	c.cmd.Process.Signal(syscall.SIGINT)
	if err := c.cmd.Wait(); err != nil {
		c.m.t.Errorf("the capture ended with %v\n%s", err, c.stderr)
	}
	c.cmd = nil
}

func (m *matou) apiArgs() []string { return []string{"--server", m.api, "--token", m.token} }

func TestCaptureRecordsWhatReplayPlays(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	for _, name := range []string{"sensor.pcap", "sensor.at", "sensor.jsonl"} {
		m.under(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), name)
			c := capture(m, m.device, append([]string{"-o", file}, m.apiArgs()...)...)
			out, errs, code := m.cli("packet", "replay", captureOf002, "--resign", "--host", c.host, "--port", c.port)
			if code != 0 {
				t.Fatalf("exit %d\n%s%s", code, out, errs)
			}
			m.await("the end of the connection", func() bool { return strings.Contains(c.stdout.String(), "closed by") })
			c.end()
			shown := c.stdout.String()
			for _, want := range []string{"#1  →  CONNECT MQTT 3.1.1 as my_tv", "#1  ←  CONNACK: accepted", "#1  →  DISCONNECT", `"wendu": {"value": 21.1}`} {
				if !strings.Contains(shown, want) {
					t.Errorf("%q is not in\n%s", want, shown)
				}
			}
			// The signature is in no recording: it plays only when signed again.
			out, _, code = m.replayed(file)
			if code != 1 || !strings.Contains(out, "onenet-") {
				t.Errorf("without signing: exit %d\n%s", code, out)
			}
			out, errs, code = m.replayed(file, "--resign")
			if code != 0 || !strings.Contains(out, "as recorded") {
				t.Errorf("exit %d\n%s%s", code, out, errs)
			}
			if raw, err := os.Stat(file); err != nil || raw.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", raw, err)
			}
		})
	}
}

func TestCaptureHidesSecretsUnlessAsked(t *testing.T) {
	m := start(t, t.TempDir())
	m.product("garden", "mqtt", "strict", "", gardenModel)
	m.add("garden", "pump", "Correct-Horse-7")
	for _, asked := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "pump.pcap")
		args := append([]string{"-o", file, "-v"}, m.apiArgs()...)
		if asked {
			args = append(args, "--secrets")
		}
		c := capture(m, m.device, args...)
		_, errs, code := runCLI(t, nil, "pub", "--host", c.host, "--port", c.port, "-i", "garden.pump", "-u", "garden/pump", "-P", "Correct-Horse-7", "garden/pump/properties", `{"Soil":30}`)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		m.await("the end of the connection", func() bool { return strings.Contains(c.stdout.String(), "closed by") })
		c.end()
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string]string{"the screen": c.stdout.String(), "the file": string(raw)} {
			if strings.Contains(text, "Correct-Horse-7") != asked || strings.Contains(text, "***************") == asked || !strings.Contains(text, "garden/pump") {
				t.Errorf("--secrets %v: %s holds\n%q", asked, what, text)
			}
		}
	}
	m.awaitLatest("garden", "pump", "Soil", "30")
}

func TestCaptureExplainsRefusals(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	m.lamp()
	// Matou is the broker: its doctor knows the secret.
	c := capture(m, m.device, append(m.apiArgs(), "--json")...)
	m.cli("packet", "replay", captureOf002, "--secret", "d3Jvbmcga2V5", "--host", c.host, "--port", c.port)
	var why struct{ By, Code, Sentence string }
	m.await("the refusal", func() bool {
		lines := bufio.NewScanner(strings.NewReader(c.stdout.String()))
		for lines.Scan() {
			var l struct {
				Type string
				Why  *struct{ By, Code, Sentence string }
			}
			if json.Unmarshal(lines.Bytes(), &l) == nil && l.Why != nil {
				why = *l.Why
				return l.Type == "CONNACK"
			}
		}
		return false
	})
	c.end()
	if why.By != "matou" || why.Code != "onenet-wrong-key" {
		t.Errorf("%+v", why)
	}
	// Another broker refuses: the bytes alone say that the token is old.
	other := refuser(t)
	c = capture(m, other)
	_, _, code := m.cli("packet", "replay", captureOf002, "--host", c.host, "--port", c.port)
	if code != 1 {
		t.Errorf("exit %d", code)
	}
	m.await("the reason", func() bool { return strings.Contains(c.stdout.String(), "onenet-token-expired") })
	c.end()
	if out := c.stdout.String(); !strings.Contains(out, "CONNACK: ") || !strings.Contains(out, "2022-08-23") {
		t.Errorf("it showed\n%s", out)
	}
	c = capture(m, other)
	runCLI(t, nil, "pub", "--host", c.host, "--port", c.port, "--product-key", lampProduct, "--device-name", lampName, "--device-secret", lampSecret, "t", "x")
	m.await("what cannot be seen", func() bool { return strings.Contains(c.stdout.String(), "does not show in the bytes") })
}

// refuser is a broker that refuses whatever comes.
func refuser(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.SetReadDeadline(time.Now().Add(patience))
				if _, err := conn.Read(make([]byte, 4096)); err == nil {
					conn.Write([]byte{0x20, 2, 0, 4})
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func TestCaptureSpeaksTLSToTheBroker(t *testing.T) {
	m := start(t, t.TempDir())
	m.sensor("strict")
	c := capture(m, "mqtts://"+m.device, append(m.apiArgs(), "--insecure", "--connections", "1")...)
	out, errs, code := m.cli("packet", "replay", captureOf002, "--resign", "--host", c.host, "--port", c.port)
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	m.awaitLatest(sensorProduct, sensorName, "wendu", "21.1")
	m.await("the end of the connection", func() bool { return strings.Contains(c.stdout.String(), "closed by") })
	dial := func() net.Conn {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(c.host, c.port), patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	// One more than may be connected is turned away.
	conn := dial()
	m.await("the connection", func() bool { return strings.Count(c.stdout.String(), " connected") == 2 })
	dial()
	m.await("the next to be turned away", func() bool { return strings.Contains(c.stdout.String(), "turned away") })
	// A device that speaks TLS to the capture is told so.
	if _, err := conn.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")); err != nil {
		t.Fatal(err)
	}
	m.await("the word TLS", func() bool { return strings.Contains(c.stdout.String(), "this is a TLS handshake, not MQTT") })
}

func TestCaptureIsUsedWrongly(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no broker", nil, 2, "--to"},
		{"a broker that is none", []string{"--to", "ftp://host"}, 2, "--to"},
		{"a file of unknown kind", []string{"--to", "127.0.0.1", "-o", "x.doc"}, 2, ".pcap, .at or .jsonl"},
		{"a port in use", []string{"--to", "127.0.0.1", "--listen", refuser(t)}, 1, "--listen"},
		{"nobody may connect", []string{"--to", "127.0.0.1", "--connections", "0"}, 2, "at least 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, errs, code := runCLI(t, nil, append([]string{"packet", "capture"}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.says) {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
}
