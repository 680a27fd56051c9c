package test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"
	"time"
)

// This file is a second reading of the wire, without any of Matou's own code:
// what it builds and reads is written down byte by byte.

// A wire is a raw connection to the device port.
type wire struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (m *matou) dial() *wire {
	m.t.Helper()
	c, err := net.DialTimeout("tcp", m.device, patience)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return m.wrap(c)
}

// wrap makes a wire of a connection.
func (m *matou) wrap(c net.Conn) *wire { return &wire{m.t, c, bufio.NewReader(c)} }

// send writes hex, blanks allowed.
func (w *wire) send(h string) {
	w.t.Helper()
	if _, err := w.Write(unhex(w.t, h)); err != nil {
		w.t.Fatal(err)
	}
}

// expect reads exactly these bytes.
func (w *wire) expect(h string) {
	w.t.Helper()
	want := unhex(w.t, h)
	got := make([]byte, len(want))
	n, err := io.ReadFull(w.r, got)
	if err != nil || string(got) != string(want) {
		w.t.Fatalf("got % x (%v), want % x", got[:n], err, want)
	}
}

// packet reads one packet and returns its first byte and body.
func (w *wire) packet() (byte, []byte) {
	w.t.Helper()
	first, err := w.r.ReadByte()
	if err != nil {
		w.t.Fatalf("waiting for a packet: %v", err)
	}
	length, shift := 0, 0
	for {
		b, err := w.r.ReadByte()
		if err != nil {
			w.t.Fatal(err)
		}
		length |= int(b&0x7f) << shift
		if b < 0x80 {
			break
		}
		shift += 7
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(w.r, body); err != nil {
		w.t.Fatal(err)
	}
	return first, body
}

// message reads packets until a QoS 0 PUBLISH comes.
func (w *wire) message() (topic, payload string) {
	w.t.Helper()
	for {
		first, body := w.packet()
		if first&0xf0 != 0x30 {
			continue
		}
		n := int(body[0])<<8 | int(body[1])
		rest := body[2+n:]
		if first&0x06 != 0 {
			rest = rest[2:]
		}
		return string(body[2 : 2+n]), string(rest)
	}
}

// expectClosed waits for the server to close the connection.
func (w *wire) expectClosed() {
	w.t.Helper()
	if b, err := w.r.ReadByte(); err != io.EOF {
		if ne, ok := err.(net.Error); err == nil || ok && ne.Timeout() {
			w.t.Fatalf("the connection stays open: %02x %v", b, err)
		}
	}
}

func unhex(t *testing.T, h string) []byte {
	t.Helper()
	var clean []byte
	for _, c := range []byte(h) {
		if c != ' ' && c != '\n' && c != '\t' {
			clean = append(clean, c)
		}
	}
	b, err := hex.DecodeString(string(clean))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// str is a string as MQTT writes it.
func str(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }

// frame is a packet: first byte, remaining length, body.
func frame(first byte, body string) []byte {
	b := []byte{first}
	n := len(body)
	for {
		d := byte(n % 128)
		n /= 128
		if n > 0 {
			d |= 0x80
		}
		b = append(b, d)
		if n == 0 {
			return append(b, body...)
		}
	}
}

// connect is a 3.1.1 CONNECT with user name and password.
func connect(clientID, username, password string, keepAlive int, clean bool) []byte {
	flags := byte(0xc0)
	if clean {
		flags |= 2
	}
	return frame(0x10, str("MQTT")+string([]byte{4, flags, byte(keepAlive >> 8), byte(keepAlive)})+str(clientID)+str(username)+str(password))
}

func publish(topic, payload string) []byte { return frame(0x30, str(topic)+payload) }

func publish1(id uint16, topic, payload string) []byte {
	return frame(0x32, str(topic)+string([]byte{byte(id >> 8), byte(id)})+payload)
}

// aliyunLogin signs as a device would, without a timestamp.
func aliyunLogin(pk, dn, ds string) (clientID, username, password string) {
	mac := hmac.New(sha256.New, []byte(ds))
	fmt.Fprintf(mac, "clientId%sdeviceName%sproductKey%s", dn, dn, pk)
	return dn + "|securemode=3,signmethod=hmacsha256|", dn + "&" + pk, hex.EncodeToString(mac.Sum(nil))
}

// onenetToken signs as a device would.
func onenetToken(pid, name, key string, et int64) string {
	raw, _ := base64.StdEncoding.DecodeString(key)
	res := "products/" + pid + "/devices/" + name
	mac := hmac.New(sha1.New, raw)
	fmt.Fprintf(mac, "%d\nsha1\n%s\n2018-10-31", et, res)
	return fmt.Sprintf("version=2018-10-31&res=%s&et=%d&method=sha1&sign=%s",
		url.QueryEscape(res), et, url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))))
}

// loginAliyun connects a device of the night light.
func (m *matou) loginAliyun(pk, dn, ds string) *wire {
	m.t.Helper()
	w := m.dial()
	id, user, pass := aliyunLogin(pk, dn, ds)
	w.Write(connect(id, user, pass, 60, true))
	w.expect("20 02 00 00")
	return w
}

// awaitOffline waits until the platform knows that a device is gone.
func (m *matou) awaitState(product, device, state string) {
	m.t.Helper()
	m.await(product+"/"+device+" to be "+state, func() bool {
		s := must[struct{ State string }](m, "GET", "/products/"+product+"/devices/"+device+"/status", nil)
		return s.State == state
	})
}

func mac256(key, s string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(s))
	return h.Sum(nil)
}

func ioReadFull(w *wire, b []byte) (int, error) { return io.ReadFull(w.r, b) }
