package virtual

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// How the scheme of AT+MQTTUSERCFG carries MQTT: 1 TCP, 2 to 5 TLS, 6
// WebSocket, 7 to 10 WebSocket over TLS. Of the four with TLS the second and
// the fourth look at the server's certificate; our own is not sent.
func (q *espMQTT) tls() bool { return q.scheme != 1 && q.scheme != 6 }
func (q *espMQTT) ws() bool  { return q.scheme >= 6 }
func (q *espMQTT) verify() bool {
	return q.scheme == 3 || q.scheme == 5 || q.scheme == 8 || q.scheme == 10
}

// dialMQTT opens the client's connection.
func (e *esp) dialMQTT(ctx context.Context, l *life, q *espMQTT) (net.Conn, error) {
	conn, peer, err := e.dialPlain(l, q)
	if err != nil {
		return nil, err
	}
	if q.tls() {
		config := &tls.Config{
			ServerName: q.host, NextProtos: q.alpn, RootCAs: e.opts.Roots,
			MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, InsecureSkipVerify: !q.verify(),
		}
		if q.sni != "" {
			config.ServerName = q.sni
		}
		l.mu.Lock()
		now := e.clock(l)
		l.mu.Unlock()
		config.Time = func() time.Time { return now }
		t := tls.Client(conn, config)
		if err := t.HandshakeContext(ctx); err != nil {
			conn.Close()
			l.note("TLS with %s: %v", q.host, err)
			return nil, err
		}
		conn = t
	}
	if q.ws() {
		if conn, err = upgrade(ctx, conn, q); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over() {
		conn.Close()
		return nil, l.ctx.Err()
	}
	l.observe(Event{Kind: Opened, Cause: e.mqttCause.Load(), Peer: peer, Text: "MQTT"})
	q.conn = &watched{Conn: conn, e: e}
	return q.conn, nil
}

// dialPlain resolves and connects as any command does.
func (e *esp) dialPlain(l *life, q *espMQTT) (conn net.Conn, peer string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over() || e.status != gotIP {
		return nil, "", errors.New("no network")
	}
	ip, port, err, ok := l.lookup(q.host, q.port)
	if err != nil || !ok {
		return nil, "", errors.Join(err, l.ctx.Err())
	}
	conn, err, ok = l.dial("tcp", ip, port)
	if err != nil || !ok {
		return nil, "", errors.Join(err, l.ctx.Err())
	}
	return conn, net.JoinHostPort(ip, strconv.Itoa(port)), nil
}

// upgrade speaks WebSocket over conn, which it closes on failure.
func upgrade(ctx context.Context, conn net.Conn, q *espMQTT) (net.Conn, error) {
	once := func(context.Context, string, string) (net.Conn, error) { return conn, nil }
	path := q.path
	if path == "" || path[0] != '/' {
		path = "/" + path
	}
	ws, _, err := websocket.Dial(ctx, "ws://"+net.JoinHostPort(q.host, strconv.Itoa(q.port))+path, &websocket.DialOptions{
		Subprotocols: []string{"mqtt"},
		HTTPClient:   &http.Client{Transport: &http.Transport{DialContext: once}},
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	return websocket.NetConn(context.Background(), ws, websocket.MessageBinary), nil
}

// watched tells the observer what goes over the client's connection.
type watched struct {
	net.Conn
	e *esp
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.e.observe(Event{Kind: Received, Cause: w.e.mqttCause.Load(), Data: clone(b[:n])})
	}
	return n, err
}

func (w *watched) Write(b []byte) (int, error) {
	w.e.observe(Event{Kind: Sent, Cause: w.e.mqttCause.Load(), Data: clone(b)})
	return w.Conn.Write(b)
}
