// Package broker is the MQTT server: listeners, connections, sessions,
// subscriptions, retained messages and wills, for MQTT 3.1, 3.1.1 and 5.0 over
// TCP, TLS and WebSocket on one port. It knows no product and no vendor: what
// may connect and what a message means, it asks of Rules.
//
// # How it works
//
// A connection has one goroutine and, while idle, no buffer: it waits until
// its socket is readable, borrows a buffer, handles all whole packets in it
// and gives it back. Nobody's task is to write: what goes to a client is
// appended to its out-buffer, and whoever did that flushes it once when his
// batch of input is done, with a write that does not block. A goroutine waits
// for a socket only while it is full.
//
// The acknowledgements of a batch are written together, after what they
// promise is durable.
//
// Locks are taken in this order: session, then out-buffer or a part of the
// topics; Rules are called with none of them held.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"hash/maphash"
	"io"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// Options are what New needs. The zero value makes a broker that admits
// everybody and keeps nothing.
type Options struct {
	Rules  Rules        // nil: OpenRules
	Store  Store        // nil: nothing survives the process
	Log    *slog.Logger // nil: discard
	Limits Limits
	// Proxies are the networks whose connections begin with a PROXY header,
	// version 1 or 2, that says where they come from; others may not have one.
	Proxies []netip.Prefix
	TLS     *tls.Config  // nil: a TLS handshake is closed
	HTTP    http.Handler // plain HTTP requests on a device port; nil: 404
}

// A Broker is an MQTT server. Its methods may be called by any number of
// goroutines.
type Broker struct {
	rules    Rules
	listener Listener // rules, where they are one; nil
	store    Store
	log      *slog.Logger
	httpLog  *log.Logger
	limits   atomic.Pointer[Limits] // never nil, what it points to never changes
	proxies  []netip.Prefix
	tls      *tls.Config
	http     http.Handler
	counters Counters

	seed      maphash.Seed
	sessions  [sessionShards]sessionShard
	topics    topics
	retained  retained
	timers    timers
	addresses addresses

	refusedPeers seldom

	closing   atomic.Bool
	mu        sync.Mutex
	listeners map[*listener]struct{}
}

// New makes a broker and loads what its store remembers.
func New(o Options) (*Broker, error) {
	b := &Broker{
		rules: o.Rules, store: o.Store, log: o.Log, proxies: o.Proxies, tls: o.TLS, http: o.HTTP,
		seed: maphash.MakeSeed(), listeners: make(map[*listener]struct{}),
	}
	b.SetLimits(o.Limits)
	b.listener, _ = o.Rules.(Listener)
	if b.rules == nil {
		b.rules = OpenRules{}
	}
	if b.store == nil {
		b.store = noStore{}
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.http == nil {
		b.http = http.NotFoundHandler()
	}
	b.httpLog = slog.NewLogLogger(b.log.Handler(), slog.LevelDebug)
	b.topics.init()
	b.addresses.init()
	for i := range b.sessions {
		b.sessions[i].m = make(map[string]*session)
	}
	if err := b.load(); err != nil {
		return nil, err
	}
	return b, nil
}

// SetLimits puts l in the place of the limits that are in force, its zero
// fields being defaults. What bounds one connection (times, sizes, topics,
// messages in flight, aliases, the out-buffer) holds for connections that
// begin from now on, because a client has been told of it; everything else
// holds at once, but nothing that is there already is thrown away. The time
// for the header of an HTTP request stays what it was when Serve began.
func (b *Broker) SetLimits(l Limits) {
	l = l.withDefaults()
	b.limits.Store(&l)
}

// Limits are the limits in force, defaults filled in.
func (b *Broker) Limits() Limits { return *b.limits.Load() }

// Counters are the broker's figures.
func (b *Broker) Counters() *Counters { return &b.counters }

func (b *Broker) hash(s string) uint64 { return maphash.String(b.seed, s) }

// A listener is one call of Serve.
type listener struct {
	b     *Broker
	ln    net.Listener
	ctx   context.Context
	http  *httpDoor
	conns sync.WaitGroup

	mu     sync.Mutex
	open   map[io.Closer]struct{} // network connections
	closed bool
	loops  *loops // nil until a client is connected over a bare socket
}

// Serve accepts connections on ln until ctx is done or Shutdown is called,
// then returns nil; another error of ln is returned. When it returns, ln and
// its connections are closed and their goroutines gone.
func (b *Broker) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &listener{
		b: b, ln: ln, ctx: ctx,
		http: &httpDoor{addr: ln.Addr(), conns: make(chan net.Conn), done: make(chan struct{})},
		open: make(map[io.Closer]struct{}),
	}
	if !b.enlist(l) {
		ln.Close()
		return nil
	}
	defer b.delist(l)
	server := l.httpServer()
	var door sync.WaitGroup
	door.Go(func() { server.Serve(l.http) })
	defer door.Wait()
	defer l.stopHTTP(server)
	defer l.closeLoops()
	defer l.conns.Wait()
	defer l.http.Close()
	defer l.cut()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	return l.accept()
}

func (b *Broker) enlist(l *listener) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing.Load() {
		return false
	}
	b.listeners[l] = struct{}{}
	return true
}

func (b *Broker) delist(l *listener) {
	b.mu.Lock()
	delete(b.listeners, l)
	b.mu.Unlock()
}

// Pauses after an Accept that failed for want of something that may come back,
// file descriptors above all.
const (
	firstAcceptPause = 5 * time.Millisecond
	lastAcceptPause  = time.Second
)

func (l *listener) accept() error {
	pause := firstAcceptPause
	for {
		nc, err := l.ln.Accept()
		switch {
		case err == nil:
			pause = firstAcceptPause
			l.admit(nc)
		case l.ctx.Err() != nil || l.b.closing.Load() || errors.Is(err, net.ErrClosed):
			l.ln.Close()
			if l.ctx.Err() == nil && !l.b.closing.Load() {
				return err
			}
			return nil
		case isTemporary(err):
			l.b.log.Warn("accept", "error", err)
			if !l.rest(pause) {
				continue
			}
			pause = min(2*pause, lastAcceptPause)
		default:
			l.ln.Close()
			return err
		}
	}
}

func (l *listener) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// isTemporary reports whether Accept may work again.
func isTemporary(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && (ne.Timeout() || temporary(ne))
}

func temporary(err any) bool {
	t, ok := err.(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// admit starts the goroutine of a connection that Limits allow.
func (l *listener) admit(nc net.Conn) {
	b := l.b
	b.counters.Accepted.Add(1)
	limits := b.limits.Load()
	if b.counters.Connections.Add(1) > int64(limits.Connections) {
		b.counters.ShedConnections.Add(1)
		l.shed(nc)
		return
	}
	addr := addrOf(nc.RemoteAddr()).Addr()
	if b.proxied(addr) {
		l.start(nc, place{}, l.serveProxied)
		return
	}
	at, ok := b.addresses.enter(addr, limits, &b.counters)
	if !ok {
		l.shed(nc)
		return
	}
	l.start(nc, at, l.serveDirect)
}

// start starts the goroutine of a connection, unless none may begin any more.
func (l *listener) start(nc net.Conn, at place, serve func(net.Conn, place, time.Time)) {
	if !l.hold(nc) {
		nc.Close()
		at.leave()
		l.b.counters.Connections.Add(-1)
		return
	}
	l.conns.Go(func() { serve(nc, at, time.Now()) })
}

func (l *listener) serveDirect(nc net.Conn, at place, since time.Time) {
	l.attend(nc, l.client(nc, originOf(nc), nil, since), at)
}

// originOf is where a bare connection comes from.
func originOf(nc net.Conn) Origin {
	return Origin{Remote: addrOf(nc.RemoteAddr()), Local: addrOf(nc.LocalAddr()), Transport: "tcp"}
}

// shed closes a connection unread, because of Limits.
func (l *listener) shed(nc net.Conn) {
	l.b.counters.Shed.Add(1)
	l.b.counters.Connections.Add(-1)
	nc.Close()
}

// hold notes that nc is open; it is false where none may open any more.
func (l *listener) hold(nc net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.b.closing.Load() {
		return false
	}
	l.open[nc] = struct{}{}
	return true
}

// holdAs notes that from now on to is what nc was.
func (l *listener) holdAs(nc, to io.Closer) {
	l.mu.Lock()
	delete(l.open, nc)
	l.open[to] = struct{}{}
	closed := l.closed
	l.mu.Unlock()
	if closed {
		sever(to)
	}
}

// release notes that nc has ended.
func (l *listener) release(nc io.Closer, at place) {
	l.mu.Lock()
	delete(l.open, nc)
	l.mu.Unlock()
	at.leave()
	l.b.counters.Connections.Add(-1)
}

// client makes the client of a connection. abort closes what is below nc
// without a good-bye; since is when the client's time for its CONNECT began.
func (l *listener) client(nc net.Conn, origin Origin, abort func(), since time.Time) *Client {
	return &Client{b: l.b, limits: l.b.limits.Load(), origin: origin, l: l, since: since, t: newTransport(nc, abort)}
}

// attend serves a bare connection from its first byte to its end, and releases
// its place. Where there are event loops, one of them does so, and no goroutine
// stands here.
func (l *listener) attend(nc net.Conn, c *Client, at place) {
	c.at = at
	if l.sit(c) {
		return
	}
	l.serve(nc, c)
	l.release(nc, at)
}

// closeLoops is called when all connections have ended.
func (l *listener) closeLoops() {
	if l.loops != nil {
		l.loops.close()
	}
}

// serve receives until the connection ends.
func (l *listener) serve(nc net.Conn, c *Client) { l.after(nc, c, c.run()) }

// after ends a connection of which run has returned err, or sees what it is
// besides MQTT.
func (l *listener) after(nc net.Conn, c *Client, err error) {
	up, ok := errors.AsType[errUpgrade](err)
	switch {
	case !ok:
		c.finish(err)
	case c.origin.Transport == "ws" || c.origin.Transport == "wss":
		c.finish(ErrNoConnect)
	default:
		l.upgrade(nc, c.origin, up.head, c.since)
	}
}

// cut ends the connections, unless Shutdown is ending them in peace.
func (l *listener) cut() {
	if !l.b.closing.Load() {
		l.closeAll()
	}
}

// sever ends a network connection in both directions. Who serves it closes it, so
// that its number is nobody else's while he writes; what cannot be severed is
// closed.
func sever(c io.Closer) {
	both, ok := c.(interface {
		CloseRead() error
		CloseWrite() error
	})
	if !ok {
		c.Close()
		return
	}
	both.CloseRead()
	both.CloseWrite()
}

// closeAll severs the network connections that are open.
func (l *listener) closeAll() {
	l.mu.Lock()
	l.closed = true
	open := slices.Collect(maps.Keys(l.open))
	g := l.loops
	l.mu.Unlock()
	for _, c := range open {
		sever(c)
	}
	if g != nil {
		g.tellAll() // of a closed socket nothing is heard
	}
}

// shutdownGrace is how long clients have to read what is on its way to them.
const shutdownGrace = 2 * time.Second

// Shutdown ends the service: it stops accepting, tells 5.0 clients
// [MQTT5 §4.13], lets what is on its way be written and closes. It returns
// when all connections have ended; those that have not after two seconds are
// cut off, and so they are when ctx ends earlier, whose error is returned then. Serve returns; sessions stay.
func (b *Broker) Shutdown(ctx context.Context) error {
	b.mu.Lock()
	b.closing.Store(true)
	var all []*listener
	for l := range b.listeners {
		all = append(all, l)
		l.ln.Close()
	}
	b.mu.Unlock()
	b.eachClient(func(c *Client) { c.end(ServerDown, mqtt.ServerShuttingDown) })

	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, l := range all {
			l.conns.Wait()
		}
	}()
	grace := time.NewTimer(shutdownGrace)
	defer grace.Stop()
	var err error
	select {
	case <-done:
	case <-grace.C: // those who never sent a CONNECT, above all
	case <-ctx.Done():
		err = ctx.Err()
	}
	for _, l := range all {
		l.closeAll()
	}
	<-done
	if serr := b.store.Sync(); err == nil {
		err = serr
	}
	return err
}

// eachClient calls fn for every client that is connected, without a lock.
func (b *Broker) eachClient(fn func(*Client)) {
	for i := range b.sessions {
		sh := &b.sessions[i]
		sh.mu.Lock()
		clients := make([]*Client, 0, len(sh.m))
		for _, s := range sh.m {
			if c := s.client.Load(); c != nil {
				clients = append(clients, c)
			}
		}
		sh.mu.Unlock()
		for _, c := range clients {
			fn(c)
		}
	}
}

// Errors that Rules.Rejected hears.
var errNoTLS = errors.New("TLS is not offered here")
