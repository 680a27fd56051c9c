package virtual

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"time"
)

// Bounds of a connection of a cellular module.
const (
	maxLinkOut   = 128 << 10 // bytes not yet taken by the network; a link that has more is cut
	linkRead     = 4096
	linkFarewell = 5 * time.Second // how long a closing link tries to get rid of its last bytes
	tlsTimeout   = 30 * time.Second
)

// A cellLink is a connection of a cellular module. Its methods are called with
// the module's lock held and do not wait.
type cellLink struct {
	l         *life
	conn      net.Conn
	num       int    // as the module counts
	ip        string // of the other side, as it was dialled
	port      int    // our own
	out       []byte
	finishing bool // it closes when out is empty
	closed    bool // by us, or found dead
	cause     uint64
}

// A cellTarget is where a connection leads.
type cellTarget struct {
	kind   string // MQTT, TCP, UDP
	num    int    // as the module counts
	host   string
	port   int
	secure *tls.Config // nil: no TLS
	cause  uint64      // of the command that wants it
}

// network is how it is dialled.
func (to cellTarget) network() string {
	if to.kind == "UDP" {
		return "udp"
	}
	return "tcp"
}

// connect dials and, where it is wanted, speaks TLS. It waits without the
// lock; ok is false when the life is over.
func (c *cellular) connect(l *life, t cellTarget) (k *cellLink, err error, ok bool) {
	if !c.served() {
		return nil, errNoService, true
	}
	ip, to, err, ok := l.lookup(t.host, t.port)
	if err != nil || !ok {
		return nil, err, ok
	}
	conn, err, ok := l.dial(t.network(), ip, to)
	if err != nil || !ok {
		return nil, err, ok
	}
	kind := t.kind
	if t.secure != nil {
		if conn, err, ok = handshake(l, conn, t.secure); err != nil || !ok {
			return nil, err, ok
		}
		kind += " over TLS"
	}
	if !c.served() {
		conn.Close()
		return nil, errNoService, true
	}
	k = &cellLink{l: l, conn: conn, num: t.num, ip: ip, port: portOf(conn.LocalAddr(), 4096), cause: t.cause}
	l.observe(Event{Kind: Opened, Link: t.num, Cause: t.cause, Peer: net.JoinHostPort(t.host, strconv.Itoa(t.port)), Text: kind})
	return k, nil, true
}

// errTLS says that the other side did not convince us, or we it.
var errTLS = errors.New("tls")

func handshake(l *life, conn net.Conn, config *tls.Config) (net.Conn, error, bool) {
	t := tls.Client(conn, config)
	var err error
	ok := l.wait(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
		defer cancel()
		err = t.HandshakeContext(ctx)
	})
	if err != nil || !ok {
		conn.Close()
		if err != nil {
			l.note("TLS: %v", err)
			err = errTLS
		}
		return nil, err, ok
	}
	return t, nil, true
}

// serve begins to read and write. take gets what arrives; room, if not nil,
// waits before each reading until there is room for it; ended is called once
// if the other side or the network ends the connection.
func (k *cellLink) serve(room func() bool, take func(b []byte), ended func(err error)) {
	stop := context.AfterFunc(k.l.ctx, func() { k.conn.Close() })
	k.l.task(func() { k.write(ended) })
	k.l.task(func() {
		defer stop()
		k.read(room, take, ended)
	})
}

func (k *cellLink) read(room func() bool, take func(b []byte), ended func(err error)) {
	buf := make([]byte, linkRead)
	for {
		if room != nil && !room() {
			k.close("reset")
			return
		}
		var n int
		var err error
		over := !k.l.wait(func(context.Context) { n, err = k.conn.Read(buf) })
		if over {
			k.close("reset")
			return
		}
		if k.closed {
			return
		}
		if n > 0 {
			k.l.observe(Event{Kind: Received, Link: k.num, Data: append([]byte(nil), buf[:n]...)})
			if !k.finishing {
				take(buf[:n])
			}
		}
		if err != nil && !k.closed {
			k.close("the peer or the network ended it")
			if !k.finishing {
				ended(err)
			}
			return
		}
		if k.closed {
			return
		}
		k.l.changed.Broadcast()
	}
}

func (k *cellLink) write(ended func(err error)) {
	for k.l.await(func() bool { return len(k.out) > 0 || k.finishing || k.closed }) && !k.closed {
		if len(k.out) == 0 {
			k.close("the module closed it")
			return
		}
		out := k.out
		k.out = nil
		var err error
		if k.l.wait(func(context.Context) { _, err = k.conn.Write(out) }); err != nil && !k.closed {
			k.close("writing failed")
			if !k.finishing {
				ended(err)
			}
		}
	}
}

// send queues bytes. A link whose queue is full is cut: the network has taken
// nothing for a long time.
func (k *cellLink) send(b []byte) {
	if k.closed || len(b) == 0 {
		return
	}
	if len(k.out)+len(b) > maxLinkOut {
		k.conn.Close() // the reader tells
		return
	}
	k.out = append(k.out, b...)
	k.l.observe(Event{Kind: Sent, Link: k.num, Cause: k.cause, Data: append([]byte(nil), b...)})
	k.l.changed.Broadcast()
}

// finish closes the link when everything has been written.
func (k *cellLink) finish() {
	k.finishing = true
	k.conn.SetDeadline(time.Now().Add(linkFarewell))
	k.l.changed.Broadcast()
}

// close closes the link at once; nobody is told but the observer.
func (k *cellLink) close(why string) {
	if k.closed {
		return
	}
	k.closed = true
	k.conn.Close()
	k.l.observe(Event{Kind: Closed, Link: k.num, Text: why})
	k.l.changed.Broadcast()
}

// sever loses the connection in the middle of b: half of it is written.
func (k *cellLink) sever(b []byte) {
	k.send(b[:len(b)/2])
	k.finish()
}
