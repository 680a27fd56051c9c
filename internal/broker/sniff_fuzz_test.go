package broker_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/broker"
)

// FuzzSniff: whatever a connection begins with, it is taken for one thing,
// answered in its own tongue or not at all, and ends; others go on.
func FuzzSniff(f *testing.F) {
	for _, s := range []string{
		"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a\xc0\x00\xe0\x00", "\x10\x10\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x03abc", "\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00",
		"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", "\x16\x03\x03\x00\x02\x01\x00",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /auth HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n",
		"GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n\x82\x8f\x00\x00\x00\x00\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "\x0d\x0a\x0d\x0a\x00\x0d\x0aQUIT\x0a", "\xc0\x00", "",
	} {
		f.Add([]byte(s))
	}
	doors := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	b, err := broker.New(broker.Options{
		TLS:    &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, io.ErrUnexpectedEOF }},
		HTTP:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }),
		Limits: broker.Limits{PacketSize: 4096, ConnectTimeout: time.Second},
	})
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx, doors) }()
	f.Cleanup(func() {
		cancel()
		<-served
	})
	dial := func() net.Conn {
		ours, theirs := net.Pipe()
		ours.SetDeadline(time.Now().Add(patience))
		doors.conns <- theirs
		return ours
	}
	other := dial()
	io.WriteString(other, "\x10\x19\x00\x04MQTT\x04\x02\x00\x00\x00\x0dthe other one")
	io.ReadFull(other, make([]byte, 4))
	f.Fuzz(func(t *testing.T, sent []byte) {
		nc := dial()
		answered := make(chan []byte, 1)
		go func() {
			all, _ := io.ReadAll(nc)
			answered <- all
		}()
		nc.Write(sent)
		nc.Close()
		got := <-answered
		switch {
		case len(got) == 0:
		case len(sent) == 0:
			t.Errorf("% x to somebody who said nothing", got)
		case sent[0] == 0x10 && got[0] != 0x20:
			t.Errorf("a CONNECT is answered with % x", got)
		case sent[0] >= 'A' && sent[0] <= 'Z' && !bytes.HasPrefix(got, []byte("HTTP/1.")[:min(len(got), 7)]):
			t.Errorf("%q is answered with %q", sent, got)
		case sent[0] == 0x16 && got[0] != 0x15 && got[0] != 0x16:
			t.Errorf("a TLS handshake is answered with % x", got)
		}
		other.SetDeadline(time.Now().Add(patience))
		io.WriteString(other, "\xc0\x00")
		pong := make([]byte, 2)
		if _, err := io.ReadFull(other, pong); err != nil || !bytes.Equal(pong, []byte{0xd0, 0}) {
			t.Fatalf("the other client gets % x, %v", pong, err)
		}
	})
}
