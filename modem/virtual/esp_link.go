package virtual

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// maxSegment is the most that one +IPD announces: a TCP segment.
const maxSegment = 1460

// espLinks is everything about connections that a reset clears.
type espLinks struct {
	links      [5]*espLink
	mux        int
	cipMode    int
	cipStatus  int // 2 address, 3 connected, 4 closed, 5 not associated
	dinfo      int
	recvMode   int
	maxConn    int
	idle       int // seconds after which the server closes a silent client
	sslSize    int
	sslConf    int
	server     net.Listener
	serverPort int
	outbox     [][]byte // of transparent: packets on their way, the first is being sent
}

// An espLink is one connection.
type espLink struct {
	id       int
	kind     string // TCP, UDP, SSL
	conn     net.Conn
	packets  net.PacketConn // UDP
	peer     *net.UDPAddr   // UDP: where data goes
	udpMode  int            // UDP: 0 the peer stays, 1 it changes once, 2 with every datagram
	ip       string
	port     int
	local    int
	served   bool
	held     bool // data for it is being entered or sent: what comes in waits
	sending  bool // its acknowledgement is awaited: an end that came behind it waits too
	closed   bool
	buffer   []byte      // of AT+CIPRECVMODE=1
	segments espSegments // of AT+CIPSENDBUF
	cause    uint64
	lastSeen time.Time
}

// espTarget is where AT+SAVETRANSLINK connects to.
type espTarget struct {
	host, kind string
	port       int
	local      int
}

// What connecting may take, and what is printed when it fails.
const (
	connectTimeout = 20 * time.Second
	dnsTimeout     = 15 * time.Second
	dnsFails       = 800 * time.Millisecond
	refuses        = 40 * time.Millisecond
)

// maxPassive is what is kept of a link in AT+CIPRECVMODE=1 before the peer has
// to wait.
const maxPassive = 4 * maxSegment

// open connects and begins to read. why is nil when it worked.
func (e *esp) open(l *life, k *espLink, host string, port int) (why error, ok bool) {
	ip, to, err, ok := l.lookup(host, port)
	if err != nil || !ok {
		return err, ok
	}
	k.ip, k.port = ip, to
	if k.kind == "UDP" {
		return e.openUDP(l, k)
	}
	conn, err, ok := l.dial("tcp", ip, to)
	if err != nil || !ok {
		return err, ok
	}
	if k.kind == "SSL" {
		if conn, err, ok = e.secure(l, conn, host); err != nil || !ok {
			return err, ok
		}
	}
	k.conn = conn
	k.local = portOf(conn.LocalAddr(), 52104)
	e.start(l, k)
	return nil, true
}

// secure speaks TLS as old as the module's library. It looks at the server's
// certificate only where AT+CIPSSLCCONF asks for it, and then its clock has to
// be set; at the name in it never.
func (e *esp) secure(l *life, conn net.Conn, host string) (net.Conn, error, bool) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}
	if e.sslConf&2 != 0 {
		at := e.clock(l)
		config.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, l.opts.Roots, false, at) }
	}
	t := tls.Client(conn, config)
	var err error
	ok := l.wait(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		err = t.HandshakeContext(ctx)
	})
	if err != nil || !ok {
		conn.Close()
		if err != nil {
			l.note("TLS with %s: %v", host, err)
		}
		return nil, err, ok
	}
	return t, nil, true
}

func (e *esp) openUDP(l *life, k *espLink) (error, bool) {
	var err error
	var peer *net.UDPAddr
	ok := l.wait(func(ctx context.Context) {
		if peer, err = net.ResolveUDPAddr("udp", net.JoinHostPort(k.ip, strconv.Itoa(k.port))); err == nil {
			k.packets, err = l.opts.Network.ListenPacket(ctx, k.local)
		}
	})
	if err != nil || !ok {
		if k.packets != nil {
			k.packets.Close()
		}
		return err, ok
	}
	k.peer, k.local = peer, portOf(k.packets.LocalAddr(), k.local)
	e.start(l, k)
	return nil, true
}

func portOf(a net.Addr, otherwise int) int {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.Port
	case *net.UDPAddr:
		return a.Port
	}
	return otherwise
}

// start puts an open link to work.
func (e *esp) start(l *life, k *espLink) {
	e.links[k.id] = k
	e.cipStatus = 3
	k.lastSeen = time.Now()
	k.cause = e.cause
	l.observe(Event{Kind: Opened, Cause: k.cause, Link: k.id, Peer: net.JoinHostPort(k.ip, strconv.Itoa(k.port)), Text: k.kind})
	closer := io.Closer(k.conn)
	if k.packets != nil {
		closer = k.packets
	}
	stop := context.AfterFunc(l.ctx, func() { closer.Close() })
	l.task(func() {
		defer stop()
		e.readLink(l, k)
	})
}

// readLink hands over what the peer says, as fast as the host takes it.
func (e *esp) readLink(l *life, k *espLink) {
	buf := make([]byte, maxSegment)
	for {
		var n int
		var err error
		var from net.Addr
		ok := l.wait(func(ctx context.Context) {
			l.uart.room(ctx)
			if k.packets != nil {
				n, from, err = k.packets.ReadFrom(buf)
			} else {
				n, err = k.conn.Read(buf)
			}
		})
		if !ok || k.closed {
			return
		}
		if n > 0 || k.packets != nil && err == nil {
			// What comes while the host hands over data waits, and so does
			// what can only come behind the acknowledgement of that data.
			if !l.await(func() bool { return k.closed || e.listening(k) }) || k.closed {
				return
			}
			e.arrived(l, k, buf[:n], from)
		}
		if err != nil {
			if !l.await(func() bool { return k.closed || !k.sending || !errors.Is(err, io.EOF) }) || k.closed {
				return
			}
			e.lost(l, k, reason(err))
			return
		}
	}
}

func reason(err error) string {
	if errors.Is(err, io.EOF) {
		return "the peer closed it"
	}
	return err.Error()
}

// listening reports whether data of the link may be shown now.
func (e *esp) listening(k *espLink) bool {
	if k.held || e.state == entering {
		return false
	}
	return !e.passive(k) || len(k.buffer) < maxPassive
}

func (e *esp) passive(k *espLink) bool { return e.recvMode == 1 && k.kind != "UDP" && e.cipMode == 0 }

// arrived shows what the peer said.
func (e *esp) arrived(l *life, k *espLink, b []byte, from net.Addr) {
	k.lastSeen = time.Now()
	l.observe(Event{Kind: Received, Cause: k.cause, Link: k.id, Data: clone(b)})
	ip, port := k.ip, k.port
	if u, ok := from.(*net.UDPAddr); ok {
		ip, port = u.IP.String(), u.Port
		if k.udpMode > 0 {
			k.peer, k.ip, k.port = u, ip, port
			if k.udpMode == 1 {
				k.udpMode = 0
			}
		}
	}
	switch {
	case e.cipMode == 1:
		if e.state != transparent || e.throughLink() != k {
			if e.state == transparent {
				return
			}
		}
		l.print(string(b))
	case e.passive(k):
		k.buffer = append(k.buffer, b...)
		l.print(fmt.Sprintf("\r\n+IPD,%s%d\r\n", e.linkField(k), len(b)))
	default:
		l.print(fmt.Sprintf("\r\n+IPD,%s%d%s:%s", e.linkField(k), len(b), e.origin(ip, port), b))
	}
}

// linkField is the link's number where several may be open.
func (e *esp) linkField(k *espLink) string {
	if e.mux == 1 {
		return strconv.Itoa(k.id) + ","
	}
	return ""
}

// origin is the peer's address, if the host wants it.
func (e *esp) origin(ip string, port int) string {
	switch {
	case e.dinfo == 0:
		return ""
	case e.v2:
		return fmt.Sprintf(",\"%s\",%d", ip, port)
	}
	return fmt.Sprintf(",%s,%d", ip, port)
}

// close ends a link from our side, without a word.
func (e *esp) close(k *espLink, why string) {
	if k.closed {
		return
	}
	k.closed = true
	if k.conn != nil {
		k.conn.Close()
	}
	if k.packets != nil {
		k.packets.Close()
	}
	if e.links[k.id] == k {
		e.links[k.id] = nil
	}
	if e.count() == 0 && e.status == gotIP {
		e.cipStatus = 4
	}
	e.observe(Event{Kind: Closed, Cause: k.cause, Link: k.id, Text: why})
	e.changed.Broadcast()
}

// lost ends a link that has broken, and says so. In transparent mode nothing
// is said: the module connects again by itself.
func (e *esp) lost(l *life, k *espLink, why string) {
	if k.closed {
		return
	}
	e.close(k, why)
	if e.cipMode == 1 && e.state == transparent {
		l.task(func() { e.reconnect(l, k) })
		return
	}
	l.print(e.prefix(k) + "CLOSED\r\n")
}

// prefix stands before CONNECT and CLOSED where several links may be open.
func (e *esp) prefix(k *espLink) string { return e.linkField(k) }

// count counts the open links.
func (e *esp) count() (n int) {
	for _, k := range e.links {
		if k != nil {
			n++
		}
	}
	return n
}

// dropLinks ends all links, because the network has gone.
func (e *esp) dropLinks(l *life) {
	for _, k := range e.links {
		if k != nil {
			e.close(k, "the network has gone")
			if e.state != deaf && !(e.cipMode == 1 && e.state == transparent) {
				l.print(e.prefix(k) + "CLOSED\r\n")
			} else if e.state == transparent {
				l.task(func() { e.reconnect(l, k) })
			}
		}
	}
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }
