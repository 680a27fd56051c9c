package test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// metric reads a figure of Prometheus; name has its labels, if any.
func (m *matou) metric(name string) float64 {
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
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				m.t.Fatal(err)
			}
			return n
		}
	}
	m.t.Fatalf("no metric %s", name)
	return 0
}

// plainLogin connects a plain device with a clean session.
func (m *matou) plainLogin(device string) *wire {
	m.t.Helper()
	w := m.dial()
	w.Write(connect("client-"+device, "plain/"+device, "secret-"+device, 0, true))
	w.expect("20 02 00 00")
	return w
}

// TestAbuseCostsOthersNothing lets loose on one server what a hostile or broken
// network has: connections that say nothing or a little, wrong logins, a
// subscriber to everything that never reads, one who asks and does not listen.
// Two devices talk to one another meanwhile and notice nothing, and when it is
// over the server is as it was.
func TestAbuseCostsOthersNothing(t *testing.T) {
	config := filepath.Join(t.TempDir(), "matou.yaml")
	if err := os.WriteFile(config, []byte("devices:\n  connectTimeout: 2s\n  limits:\n    stallTimeout: 2s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := start(t, t.TempDir(), "--config", config)
	m.product("plain", "mqtt", "lenient", "", "")
	for _, name := range []string{"a", "b", "deaf", "asker", "flood"} {
		m.add("plain", name, "secret-"+name)
	}
	a, b := m.plainLogin("a"), m.plainLogin("b")
	b.Write(frame(0x82, "\x00\x01"+str("plain/talk")+"\x01"))
	b.expect("90 03 00 01 01")
	talk := func(n int) { // with its PUBACKs
		t.Helper()
		text := fmt.Sprintf("%06d", n)
		a.Write(publish1(7, "plain/talk", text))
		head, body := b.packet()
		if head&0xf6 != 0x32 || string(body[len(body)-6:]) != text {
			t.Fatalf("b got %02x % x, want %s", head, body, text)
		}
		b.Write([]byte{0x40, 2, body[12], body[13]})
		a.expect("40 02 00 07")
	}
	for n := range 100 {
		talk(n)
	}
	goroutines, memory := m.metric("go_goroutines"), m.metric("process_resident_memory_bytes")

	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	dial := func() net.Conn {
		c, err := net.DialTimeout("tcp", m.device, patience)
		if err != nil {
			t.Error(err)
			return nil
		}
		c.SetDeadline(time.Now().Add(patience))
		mu.Lock()
		open = append(open, c)
		mu.Unlock()
		return c
	}
	all.Go(func() { // silent, slow and half of everything
		for i := range 300 {
			if c := dial(); c != nil {
				io.WriteString(c, []string{"", "\x10", "\x10\x7f\x00\x04MQTT", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\nX: ", "\x00\x00"}[i%6])
			}
		}
	})
	all.Go(func() { // wrong logins
		for i := range 500 {
			c := dial()
			if c == nil {
				return
			}
			c.Write(connect(fmt.Sprint("x", i), []string{"plain/a", fmt.Sprint("plain/nobody", i), "plain/" + strings.Repeat("n", 50_000)}[i%3], "guess", 60, true))
			answer, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(answer, []byte{0x20, 2, 0, 4}) {
				t.Errorf("a wrong login got % x, %v", answer, err)
				return
			}
			c.Close()
		}
	})
	deaf := m.plainLogin("deaf")
	deaf.Write(frame(0x82, "\x00\x01"+str("plain/noise/#")+"\x00"))
	deaf.expect("90 03 00 01 00")
	flood := m.plainLogin("flood")
	all.Go(func() { // 40 MB for who does not read
		p := publish("plain/noise/x", strings.Repeat("n", 40_000))
		for range 1000 {
			if _, err := flood.Write(p); err != nil {
				t.Errorf("the publisher waits for who does not read: %v", err)
				return
			}
		}
	})
	asker := m.plainLogin("asker")
	all.Go(func() { // asks until it is not listened to any more, and is cut off
		for _, err := asker.Write(bytes.Repeat([]byte{0xc0, 0}, 32<<10)); err == nil; {
			_, err = asker.Write(bytes.Repeat([]byte{0xc0, 0}, 32<<10))
		}
	})
	for n := range 300 {
		talk(100 + n)
	}
	all.Wait()
	m.awaitEntry("plain", "deaf", "who never reads to be disconnected", func(e entry) bool { return e.Kind == "disconnect" && strings.Contains(e.Sentence, "slow") })
	m.awaitEntry("plain", "asker", "who never listens to be disconnected", func(e entry) bool { return e.Kind == "disconnect" && strings.Contains(e.Sentence, "slow") })
	m.await("half-open connections to be closed", func() bool { return m.metric("matou_mqtt_connections") == 3 })
	for _, c := range open {
		c.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	m.await("goroutines to be as many as before", func() bool { return m.metric("go_goroutines") <= goroutines+5 })
	if now := m.metric("process_resident_memory_bytes"); now > memory+128<<20 {
		t.Errorf("%.0f MiB became %.0f", memory/(1<<20), now/(1<<20))
	}
	if n := m.metric(`matou_mqtt_messages_dropped_total{reason="slow"}`); n == 0 {
		t.Error("nothing was dropped for who never reads")
	}
	for n := range 10 {
		talk(1000 + n)
	}
	if n := m.metric("matou_mqtt_sessions"); n != 3 {
		t.Errorf("%.0f sessions", n)
	}
}
