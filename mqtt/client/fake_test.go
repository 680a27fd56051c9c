package client

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fake is a server that says exactly what a test tells it to, byte by byte.
type fake struct {
	t     *testing.T
	conns chan net.Conn
	conn  net.Conn
}

func newFake(t *testing.T) *fake {
	return &fake{t: t, conns: make(chan net.Conn)}
}

// dial is the client's Dialer: each call waits for the test's accept.
func (f *fake) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case f.conns <- ours:
		return theirs, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *fake) accept() {
	f.t.Helper()
	f.conn = <-f.conns
}

// welcome takes the next connection, whatever its CONNECT says, and accepts it.
func (f *fake) welcome(connack string) {
	f.t.Helper()
	f.accept()
	var head [2]byte
	f.read(head[:])
	f.read(make([]byte, head[1])) // every CONNECT here is short
	f.send(connack)
}

func (f *fake) read(b []byte) {
	f.t.Helper()
	if _, err := io.ReadFull(f.conn, b); err != nil {
		f.t.Fatalf("fake server: read: %v", err)
	}
}

// want reads as many bytes as s has and compares.
func (f *fake) want(s string) {
	f.t.Helper()
	b := make([]byte, len(s))
	f.read(b)
	if string(b) != s {
		f.t.Fatalf("client sent\n%s, want\n%s", hex.Dump(b), hex.Dump([]byte(s)))
	}
}

// wantBye reads to the end of the connection, which must be DISCONNECT.
func (f *fake) wantBye() {
	f.t.Helper()
	if b, _ := io.ReadAll(f.conn); string(b) != "\xE0\x00" {
		f.t.Fatalf("client ended with % x, want e0 00", b)
	}
}

// wantEnd reads to the end of the connection, where nothing may come.
func (f *fake) wantEnd() {
	f.t.Helper()
	if b, _ := io.ReadAll(f.conn); len(b) > 0 {
		f.t.Fatalf("client ended with % x, want nothing", b)
	}
}

// wantSilence fails if the client sends anything until all is quiet.
func (f *fake) wantSilence() {
	f.t.Helper()
	synctest.Wait()
	f.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	var b [1]byte
	if n, _ := f.conn.Read(b[:]); n > 0 {
		f.t.Fatalf("client sent %#x where nothing was to come", b[0])
	}
	f.conn.SetReadDeadline(time.Time{})
}

func (f *fake) send(s string) {
	f.t.Helper()
	if _, err := io.WriteString(f.conn, s); err != nil {
		f.t.Fatalf("fake server: write: %v", err)
	}
}

// str is a string as MQTT writes it.
func str(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }

// start runs a client of the fake's until the test ends, or until stop, which
// returns what Run returned.
func (f *fake) start(o Options) (c *Client, stop func() error) {
	o.Dial = f.dial
	c = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := async(func() error { return c.Run(ctx) })
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	f.t.Cleanup(func() {
		if f.conn != nil {
			f.conn.Close()
		}
		stop()
	})
	return c, stop
}

// async runs a call beside the test and returns where its error will be.
func async(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

const (
	accepted = "\x20\x02\x00\x00" // CONNACK 3.x, no session
	resumed  = "\x20\x02\x01\x00" // CONNACK 3.x, session present
)

// published is a PUBLISH of 3.x; an id of 0 is left out.
func published(first byte, topic string, id byte, payload string) string {
	body := str(topic)
	if id != 0 {
		body += "\x00" + string([]byte{id})
	}
	body += payload
	return string([]byte{first, byte(len(body))}) + body
}

func isIn(s string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}
