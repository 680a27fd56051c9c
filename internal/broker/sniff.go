package broker

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// tlsHandshake is the first byte of a TLS connection [RFC 8446 §5.1].
const tlsHandshake = 0x16

// sniffable reports whether a connection that begins with head may be TLS or
// HTTP. An HTTP method begins with a letter; of the control packets only
// PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK do too, and no client may begin
// with one of those.
func sniffable(head byte) bool {
	return head == tlsHandshake || head >= 'A' && head <= 'Z'
}

// A prefixed connection has its first bytes read already.
type prefixed struct {
	net.Conn
	head []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.head)
	p.head = p.head[n:]
	if len(p.head) == 0 {
		p.head = nil
	}
	return n, nil
}

// upgrade carries on with a connection that does not begin as MQTT.
func (l *listener) upgrade(nc net.Conn, origin Origin, head []byte, since time.Time) {
	pc := &prefixed{Conn: nc, head: head}
	switch {
	case head[0] != tlsHandshake:
		l.serveHTTP(pc, origin)
	case l.b.tls == nil || origin.TLSVersion != 0:
		l.b.counters.reject(&l.b.counters.RejectedTLS)
		l.b.rules.Rejected(origin, head, errNoTLS)
		nc.Close()
	default:
		l.serveTLS(pc, origin, since)
	}
}

// serveTLS does the handshake and sniffs again inside.
func (l *listener) serveTLS(nc net.Conn, origin Origin, since time.Time) {
	tc := tls.Server(nc, l.b.tls)
	ctx, cancel := context.WithDeadline(l.ctx, since.Add(l.b.limits.Load().ConnectTimeout))
	err := tc.HandshakeContext(ctx)
	cancel()
	if err != nil {
		l.b.counters.reject(&l.b.counters.RejectedTLS)
		l.b.rules.Rejected(origin, nil, l.b.clientCertificate(origin, err))
		nc.Close()
		return
	}
	state := tc.ConnectionState()
	origin.Transport, origin.ServerName, origin.TLSVersion = "tls", state.ServerName, state.Version
	if len(state.VerifiedChains) > 0 {
		origin.Peer = state.VerifiedChains[0][0]
	}
	l.serve(tc, l.client(tc, origin, func() { nc.Close() }, since))
}

// serveHTTP hands the connection to the HTTP server and waits for its end.
func (l *listener) serveHTTP(nc net.Conn, origin Origin) {
	nc.SetDeadline(time.Time{})
	hc := &httpConn{Conn: nc, origin: origin, patience: l.b.limits.Load().StallTimeout, closed: make(chan struct{}), upgraded: make(chan *websocket.Conn, 1)}
	if !l.http.hand(hc) {
		nc.Close()
		return
	}
	select {
	case <-hc.closed:
	case ws := <-hc.upgraded:
		l.serveWebSocket(ws, origin)
	}
}

// serveWebSocket reads MQTT out of binary frames [MQTT3-6.0.0-1], with whose
// borders packets need not agree [MQTT3-6.0.0-2]. NetConn refuses text.
func (l *listener) serveWebSocket(ws *websocket.Conn, origin Origin) {
	origin.Transport = "ws"
	if origin.TLSVersion != 0 {
		origin.Transport = "wss"
	}
	nc := websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
	l.serve(nc, l.client(nc, origin, func() { ws.CloseNow() }, time.Now()))
}

// stopHTTP waits for requests that are being handled, for a moment.
func (l *listener) stopHTTP(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
}

// An httpConn says when it is closed, or has become a WebSocket.
type httpConn struct {
	net.Conn
	origin   Origin
	patience time.Duration // that a peer takes nothing of an answer
	once     sync.Once
	closed   chan struct{}
	upgraded chan *websocket.Conn
}

func (c *httpConn) Write(b []byte) (int, error) {
	c.Conn.SetWriteDeadline(time.Now().Add(c.patience))
	return c.Conn.Write(b)
}

func (c *httpConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.closed) })
	return err
}

// RemoteAddr is the client's, also behind a proxy.
func (c *httpConn) RemoteAddr() net.Addr {
	if c.origin.Remote.IsValid() {
		return net.TCPAddrFromAddrPort(c.origin.Remote)
	}
	return c.Conn.RemoteAddr()
}

// httpDoor is the net.Listener of the HTTP server behind a device port: what
// it accepts is what was sniffed to be HTTP.
type httpDoor struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (d *httpDoor) hand(c net.Conn) bool {
	select {
	case d.conns <- c:
		return true
	case <-d.done:
		return false
	}
}

// Accept waits for the next connection.
func (d *httpDoor) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.done:
		return nil, net.ErrClosed
	}
}

// Close makes Accept fail.
func (d *httpDoor) Close() error {
	d.once.Do(func() { close(d.done) })
	return nil
}

// Addr is that of the device port.
func (d *httpDoor) Addr() net.Addr { return d.addr }

type connKey struct{}

// HTTPOrigin is where a request that came to Options.HTTP comes from: whether
// TLS was around it, and who the client is also behind a proxy.
func HTTPOrigin(r *http.Request) (Origin, bool) {
	hc, ok := r.Context().Value(connKey{}).(*httpConn)
	if !ok {
		return Origin{}, false
	}
	return hc.origin, true
}

// maxHTTPHeader is the most bytes that the header of a request may have.
const maxHTTPHeader = 16 << 10

// httpServer makes the server of a device port's HTTP.
func (l *listener) httpServer() *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(l.handleHTTP),
		ReadHeaderTimeout: l.b.limits.Load().ConnectTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHTTPHeader,
		BaseContext:       func(net.Listener) context.Context { return l.ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ErrorLog: l.b.httpLog,
	}
}

// handleHTTP takes WebSocket upgrades on any path and leaves the rest to
// Options.HTTP.
func (l *listener) handleHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		if r.ContentLength != 0 { // the deadline of the header is over
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(l.b.limits.Load().ConnectTimeout))
		}
		l.b.http.ServeHTTP(w, r)
		return
	}
	// Any origin: devices have none, and a browser page must know the
	// device's secret like everybody else. Subprotocols as they come in the
	// wild, or none [MQTT3-6.0.0-3].
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{"mqtt", "mqttv3.1"},
		InsecureSkipVerify: true,
	})
	if err != nil {
		return // answered by Accept
	}
	if hc, ok := r.Context().Value(connKey{}).(*httpConn); ok {
		hc.upgraded <- ws // the goroutine that sniffed goes on with it
	}
}

// addrOf is the address of a connection, invalid where it has none.
func addrOf(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
