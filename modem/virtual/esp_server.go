package virtual

import (
	"context"
	"net"
	"time"
)

var espServing = map[string]espCommand{
	"+CIPSERVER":        {set: espServe, query: espServeQuery},
	"+CIPSERVERMAXCONN": {query: espMaxConnQuery, set: espMaxConnSet},
	"+CIPSTO":           {query: espIdleQuery, set: espIdleSet},
}

const defaultServerPort = 333

func espServeQuery(c *espCall) result {
	if !c.e.v2 {
		return espError
	}
	if c.e.server == nil {
		c.print("+CIPSERVER:0\r\n")
		return espOK
	}
	c.printf("+CIPSERVER:1,%d,\"TCP\",0\r\n", c.e.serverPort)
	return espOK
}

// espServe is AT+CIPSERVER=1[,port] and =0.
func espServe(c *espCall) result {
	e := c.e
	on, ok := c.number(0, 1)
	if !ok {
		return espError
	}
	if on == 0 {
		return c.stopServing()
	}
	port, ok := c.optional(1, 65535, defaultServerPort)
	if !ok || !c.ended() || e.mux == 0 {
		return espError
	}
	if e.server != nil {
		c.print("no change\r\n")
		return espOK
	}
	var ln net.Listener
	var err error
	if !c.wait(func(ctx context.Context) { ln, err = c.opts.Network.Listen(ctx, port) }) {
		if ln != nil {
			ln.Close()
		}
		return espSilent
	}
	if err != nil {
		c.note("the module's port %d: %v", port, err)
		return espError
	}
	e.server, e.serverPort = ln, port
	c.note("the module's port %d is reached at %s", port, ln.Addr())
	stop := context.AfterFunc(c.ctx, func() { ln.Close() })
	l := c.life
	l.task(func() {
		defer stop()
		e.accept(l, ln)
	})
	return espOK
}

func (c *espCall) stopServing() result {
	e := c.e
	if c.e.v2 && c.args.More() {
		all, ok := c.number(0, 1)
		if !ok {
			return espError
		}
		for _, k := range e.links {
			if all == 1 && k != nil && k.served {
				c.closeLink(k)
			}
		}
	}
	if !c.ended() {
		return espError
	}
	if e.server == nil {
		c.print("no change\r\n")
		return espOK
	}
	e.server.Close()
	e.server = nil
	return espOK
}

// accept takes clients until the listener is closed. One for whom there is no
// link is turned away.
func (e *esp) accept(l *life, ln net.Listener) {
	for {
		var conn net.Conn
		var err error
		if !l.wait(func(context.Context) { conn, err = ln.Accept() }) || err != nil {
			if conn != nil {
				conn.Close()
			}
			return
		}
		id := e.free()
		if id < 0 || e.served() >= e.maxConn || e.server != ln {
			conn.Close()
			continue
		}
		k := &espLink{id: id, kind: "TCP", conn: conn, served: true, local: e.serverPort, ip: "127.0.0.1", port: portOf(conn.RemoteAddr(), 0)}
		if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
			k.ip = a.IP.String()
		}
		e.start(l, k)
		e.tellConnected(l, k)
		l.task(func() { e.timeOut(l, k) })
	}
}

func (e *esp) served() (n int) {
	for _, k := range e.links {
		if k != nil && k.served {
			n++
		}
	}
	return n
}

// timeOut closes a client that has been silent for AT+CIPSTO.
func (e *esp) timeOut(l *life, k *espLink) {
	for !k.closed {
		if e.idle == 0 {
			if !l.await(func() bool { return e.idle > 0 || k.closed }) {
				return
			}
			continue
		}
		left := l.scale(time.Duration(e.idle)*time.Second) - time.Since(k.lastSeen)
		if left <= 0 {
			e.lost(l, k, "silent for too long (AT+CIPSTO)")
			return
		}
		if !l.pause(l.ctx, left) {
			return
		}
	}
}

func espMaxConnQuery(c *espCall) result {
	c.printf("+CIPSERVERMAXCONN:%d", c.e.maxConn)
	if c.e.v2 {
		c.print("\r\n")
	}
	return espOK
}

func espMaxConnSet(c *espCall) result {
	n, ok := c.only([2]int{1, 5})
	if !ok || c.e.server != nil {
		return espError
	}
	c.e.maxConn = n[0]
	return espOK
}

func espIdleQuery(c *espCall) result {
	c.printf("+CIPSTO:%d\r\n", c.e.idle)
	return espOK
}

func espIdleSet(c *espCall) result {
	n, ok := c.only([2]int{0, 7200})
	if !ok || c.e.server == nil {
		return espError
	}
	c.e.idle = n[0]
	return espOK
}
