package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Stories of whoever runs Matou: stopping it, changing it while it runs,
// standing it behind a load balancer.

// connect5 is a CONNECT of 5.0 whose session outlives it by an hour.
func connect5(clientID, username, password string) []byte {
	const keepAlive, hour = "\x00\x3c", "\x11\x00\x00\x0e\x10"
	return frame(0x10, str("MQTT")+"\x05\xc0"+keepAlive+"\x05"+hour+str(clientID)+str(username)+str(password))
}

// in5 connects a plain device with 5.0 and says whether its session was there.
func (m *matou) in5(t *testing.T, name string, present bool) *wire {
	t.Helper()
	w := m.dial()
	w.Write(connect5("client-"+name, "plain/"+name, "secret-"+name))
	first, body := w.packet()
	if first != 0x20 || body[1] != 0 || (body[0] == 1) != present {
		t.Fatalf("%s: %02x % x, session expected: %v", name, first, body, present)
	}
	return w
}

// plainDevices makes a product of plain MQTT with these devices.
func (m *matou) plainDevices(names ...string) {
	m.product("plain", "mqtt", "lenient", "", "")
	for _, name := range names {
		m.add("plain", name, "secret-"+name)
	}
}

// message1 reads a PUBLISH of QoS 1 of 5.0 without properties.
func (w *wire) message1() (first byte, id uint16, payload string) {
	w.t.Helper()
	first, body := w.packet()
	n := 2 + int(body[0])<<8 + int(body[1])
	if first&0xf6 != 0x32 || body[n+2] != 0 {
		w.t.Fatalf("%02x % x is no such message", first, body)
	}
	return first, uint16(body[n])<<8 | uint16(body[n+1]), string(body[n+3:])
}

// quick is how long a server may take to stop while nobody hangs on to it.
const quick = 3 * time.Second

func TestARestartLosesNoSession(t *testing.T) {
	data := t.TempDir()
	m := start(t, data)
	m.plainDevices("away", "here", "sender")
	away := m.in5(t, "away", false)
	away.Write(frame(0x82, "\x00\x01\x00"+str("plain/news")+"\x01"))
	away.expect("90 04 0001 00 01")
	away.Write([]byte{0xe0, 0})
	away.expectClosed()
	here := m.in5(t, "here", false)
	here.Write(frame(0x82, "\x00\x01\x00"+str("plain/news")+"\x01"))
	here.expect("90 04 0001 00 01")
	sender := m.in5(t, "sender", false)
	for i := range 3 {
		sender.Write(frame(0x32, str("plain/news")+string([]byte{0, byte(i + 1), 0})+fmt.Sprint("news ", i)))
		sender.expect(fmt.Sprintf("40 02 00 %02x", i+1))
	}
	for i := range 3 { // which here takes and does not acknowledge
		if _, _, payload := here.message1(); payload != fmt.Sprint("news ", i) {
			t.Fatalf("%q", payload)
		}
	}

	before := time.Now()
	m.cmd.Process.Signal(syscall.SIGTERM)
	for _, w := range []*wire{here, sender} {
		w.expect("e0 01 8b") // Server shutting down [MQTT5 §3.14.2.1]
		w.expectClosed()
	}
	if err := <-m.exited; err != nil {
		t.Fatalf("the server ended with %v\n%s", err, m.stderr)
	}
	if took := time.Since(before); took > quick {
		t.Errorf("stopping took %v", took)
	}
	m.cmd = nil
	if _, err := os.Stat(filepath.Join(data, "run.json")); err == nil {
		t.Error("run.json still says that it runs")
	}

	m = start(t, data)
	for name, dup := range map[string]byte{"away": 0, "here": 8} {
		w := m.in5(t, name, true)
		for i := range 3 {
			first, id, payload := w.message1()
			if payload != fmt.Sprint("news ", i) || first&8 != dup {
				t.Errorf("%s: %02x %q, want news %d with DUP %d", name, first, payload, i, dup>>3)
			}
			w.Write([]byte{0x40, 2, byte(id >> 8), byte(id)})
		}
		w.send("c000")
		w.expect("d000") // and nothing more
	}
}

// TestACrashSignsNobodyOut: who signed in before the server was killed is who he
// was, and a sign-out that was answered stays one.
func TestACrashSignsNobodyOut(t *testing.T) {
	t.Setenv("MATOU_API_ADMIN_PASSWORD", "a long password")
	data := t.TempDir()
	m := start(t, data)
	signIn := func() string {
		return must[struct{ Token string }](m, "POST", "/session", object{"name": "admin", "password": "a long password"}).Token
	}
	stays, leaves := signIn(), signIn()
	as := func(token, method, path string) int {
		house := m.token
		defer func() { m.token = house }()
		m.token = token
		status, _ := m.call(method, path, nil)
		return status
	}
	if status := as(leaves, "DELETE", "/session"); status != 204 {
		t.Fatalf("a sign-out: %d", status)
	}
	m.kill()
	m = start(t, data)
	if status := as(stays, "GET", "/me"); status != 200 {
		t.Errorf("the session after the crash: %d", status)
	}
	if status := as(leaves, "GET", "/me"); status != 401 {
		t.Errorf("the session that was signed out of: %d", status)
	}
}

// hangUp sends SIGHUP and waits until the log has what it is answered with.
func (m *matou) hangUp(answer string) {
	m.t.Helper()
	n := strings.Count(m.stderr.String(), answer)
	m.cmd.Process.Signal(syscall.SIGHUP)
	m.await("the log to say "+answer, func() bool { return strings.Count(m.stderr.String(), answer) > n })
}

// figures are what Prometheus gets to see.
func (m *matou) figures() string {
	m.t.Helper()
	req, err := http.NewRequest("GET", m.api+"/metrics", nil)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(raw)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// selfSigned writes a certificate for name and its key.
func selfSigned(t *testing.T, name, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	write(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// shows is the name in the certificate that a client gets to see.
func (m *matou) shows(serverName string) string {
	m.t.Helper()
	c, err := tls.Dial("tcp", m.device, &tls.Config{InsecureSkipVerify: true, ServerName: serverName})
	if err != nil {
		m.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestChangesWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	config, certificate, key := filepath.Join(dir, "matou.yaml"), filepath.Join(dir, "own.pem"), filepath.Join(dir, "own.key")
	write(t, config, "log: {level: info}\n")
	m := start(t, t.TempDir(), "--config", config)
	m.plainDevices("one", "two")
	stays := m.in5(t, "one", false)
	if got := m.shows(""); got != "Matou" {
		t.Errorf("without files the certificate is for %s", got)
	}

	selfSigned(t, "first.test", certificate, key)
	write(t, config, fmt.Sprintf("tls: {certificate: %s, key: %s}\ndevices: {maxConnections: 1}\n", certificate, key))
	m.hangUp("configuration read again")
	m.dial().expectClosed() // one too many
	if !strings.Contains(m.figures(), `matou_mqtt_connections_shed_total{reason="connections"} 1`) {
		t.Error("what was turned away is not counted")
	}

	write(t, config, fmt.Sprintf("tls: {certificate: %s, key: %s}\ndevices: {maxConnections: many}\n", certificate, key))
	m.hangUp("configuration refused")
	write(t, config, fmt.Sprintf("tls: {certificate: %s, key: %s}\ndevices: {maxConnections: 0, listen: [\":1\"]}\n", certificate, key))
	m.hangUp("devices.maxConnections: 0 is not")
	m.dial().expectClosed() // as before

	write(t, config, fmt.Sprintf("tls: {certificate: %s, key: %s}\nhistory: {keep: 1h}\n", certificate, key))
	m.hangUp("history.keep") // has to wait
	if got := m.shows(""); got != "first.test" {
		t.Errorf("the certificate is for %s", got)
	}
	selfSigned(t, "second.test", certificate, key) // renewed, and nobody told
	m.await("the renewed certificate", func() bool { return m.shows("") == "second.test" })
	write(t, certificate, "broken")
	m.await("an error that names the file", func() bool {
		m.shows("")
		return strings.Contains(m.stderr.String(), "load certificate "+certificate)
	})
	if got := m.shows(""); got != "second.test" {
		t.Errorf("with a broken file the certificate is for %s", got)
	}

	stays.send("c000")
	stays.expect("d000") // through all of it
	m.in5(t, "two", false)
}

func TestBehindALoadBalancer(t *testing.T) {
	t.Setenv("MATOU_DEVICES_PROXY_PROTOCOL", "127.0.0.0/8")
	m := start(t, t.TempDir())
	m.plainDevices("one")
	for _, header := range []string{
		"PROXY TCP4 192.0.2.9 198.51.100.1 40001 1883\r\n",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x09\xc6\x33\x64\x01\x9c\x41\x07\x5b",
	} {
		w := m.dial()
		w.Write([]byte(header + string(connect("client-one", "plain/one", "secret-one", 60, true))))
		w.expect("20 02 00 00")
		w.Write([]byte{0xe0, 0})
		w.expectClosed()
	}
	m.await("both logins in the timeline", func() bool {
		n := 0
		for _, e := range m.timeline("plain", "one") {
			if e.Kind == "connect" && strings.Contains(e.Sentence, "connected from 192.0.2.9:40001") {
				n++
			}
		}
		return n == 2
	})
	w := m.dial()
	w.Write(connect("client-one", "plain/one", "secret-one", 60, true))
	w.expectClosed()
	if !strings.Contains(m.figures(), `matou_mqtt_connections_rejected_total{reason="proxy_header"} 1`) {
		t.Error("a connection without its header is not counted")
	}
}
