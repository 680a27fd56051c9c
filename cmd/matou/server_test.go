package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A server takes one connection after another and plays a script on each.
type server struct {
	ln   net.Listener
	port string
	wg   sync.WaitGroup
}

// serve starts a server on loopback; handle plays one connection.
func serve(t *testing.T, handle func(c *peer)) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, ln, handle)
}

func serveOn(t *testing.T, ln net.Listener, handle func(c *peer)) *server {
	s := &server{ln: ln}
	_, s.port, _ = net.SplitHostPort(ln.Addr().String())
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p := &peer{conn: conn, r: bufio.NewReader(conn)}
			if p.hello, _ = p.read().(*packet.Connect); p.hello != nil {
				p.version = p.hello.Version
				handle(p)
			}
			conn.Close()
		}
	})
	t.Cleanup(func() { ln.Close(); s.wg.Wait() })
	return s
}

// A peer is a client as the server sees it.
type peer struct {
	conn    net.Conn
	r       *bufio.Reader
	hello   *packet.Connect
	version mqtt.Version
}

// read returns the next packet, nil at the end of the connection.
func (p *peer) read() packet.Packet {
	var b []byte
	h, err := packet.Header{}, packet.ErrIncomplete
	for errors.Is(err, packet.ErrIncomplete) {
		x, readErr := p.r.ReadByte()
		if readErr != nil {
			return nil
		}
		b = append(b, x)
		h, err = packet.ParseHeader(b)
	}
	body := make([]byte, h.Remaining)
	if _, readErr := io.ReadFull(p.r, body); err != nil || readErr != nil {
		return nil
	}
	q, _ := packet.Decode(h, body, p.version)
	return q
}

func (p *peer) send(q packet.Packet) {
	b, _ := q.Append(nil, p.version)
	p.conn.Write(b)
}

// collector is a server that acknowledges and keeps what is published.
type collector struct {
	mu    sync.Mutex
	hello *packet.Connect
	got   []*packet.Publish
}

func (c *collector) handle(p *peer) {
	c.mu.Lock()
	c.hello = p.hello
	c.mu.Unlock()
	p.send(&packet.Connack{})
	for {
		switch q := p.read().(type) {
		case *packet.Publish:
			c.mu.Lock()
			c.got = append(c.got, q)
			c.mu.Unlock()
			switch q.QoS {
			case mqtt.AtLeastOnce:
				p.send(&packet.Puback{ID: q.ID})
			case mqtt.ExactlyOnce:
				p.send(&packet.Pubrec{ID: q.ID})
			}
		case *packet.Pubrel:
			p.send(&packet.Pubcomp{ID: q.ID})
		case *packet.Disconnect, nil:
			return
		}
	}
}

// matou runs a command and returns what it left.
func matou(ctx context.Context, stdin, line string, more ...string) (code int, stdout, stderr string) {
	var out, talk bytes.Buffer
	code = run(ctx, with(line, more), strings.NewReader(stdin), &out, &talk)
	return code, out.String(), talk.String()
}
