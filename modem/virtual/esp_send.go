package virtual

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/matou-iot/matou/at"
)

var espSending = map[string]espCommand{
	"+CIPSEND":   {test: func(*espCall) result { return espOK }, set: func(c *espCall) result { return espSend(c, false) }, execute: espPassthrough},
	"+CIPSENDEX": {test: func(*espCall) result { return espOK }, set: func(c *espCall) result { return espSend(c, true) }},
}

// Limits of sending.
const (
	maxESPSend   = 2048
	ackTime      = 5 * time.Millisecond // until the peer's TCP has answered
	writeTimeout = 20 * time.Second
)

// espSend is AT+CIPSEND=n and AT+CIPSENDEX=n. The order of its checks is the
// firmware's.
func espSend(c *espCall, ex bool) result {
	e := c.e
	if e.cipMode == 1 {
		return c.refuse("IPMODE=1")
	}
	id := 0
	if e.mux == 1 {
		n, ok := c.next().number()
		if !ok || !c.args.More() {
			return espError
		}
		if n < 0 || n >= len(e.links) {
			return espError
		}
		id = n
	}
	k := e.links[id]
	if k == nil {
		return c.refuse("link is not valid")
	}
	n, ok := c.next().number()
	switch {
	case !ok || n < 1:
		return c.fail(errInvalid)
	case n > maxESPSend:
		return c.refuse("too long")
	}
	to := k.peer
	if c.args.More() {
		if k.kind != "UDP" {
			return c.refuse("no tail")
		}
		if to, ok = c.datagramTo(); !ok {
			return espError
		}
	}
	k.held = true
	defer func() { k.held = false }()
	c.print(string(espOK))
	data, ok := c.enter(n, ex, "> ")
	if !ok {
		return espSilent
	}
	return c.send(k, data, to)
}

// datagramTo reads where a datagram goes instead, and says what is wrong.
func (c *espCall) datagramTo() (*net.UDPAddr, bool) {
	a := c.next()
	switch {
	case a.bad || a.Kind != at.String || !validIP(a.Text):
		c.print("ip error\r\n")
		return nil, false
	case !c.args.More():
		c.print("no port\r\n")
		return nil, false
	}
	p, ok := c.next().number()
	switch {
	case !ok:
		c.print("port error\r\n")
		return nil, false
	case p < 1 || p > 65535:
		c.print("port range error\r\n")
		return nil, false
	case !c.ended():
		c.print("no tail\r\n")
		return nil, false
	}
	return &net.UDPAddr{IP: net.ParseIP(a.Text), Port: p}, true
}

// enter shows the prompt and waits for so many bytes. ok is false when the
// host gave up, which has been said, or the life is over.
func (c *espCall) enter(n int, ex bool, prompt string) (data []byte, ok bool) {
	e := c.e
	if e.v2 {
		prompt = "\r\n>"
	}
	c.print(prompt)
	e.state, e.entry, e.need, e.ex, e.broken, e.tail = entering, nil, n, ex, false, ""
	c.starving(e.cause, n, func() (int, bool) { return len(e.entry), e.state == entering })
	if !c.await(func() bool { return e.state != entering || e.broken }) {
		return nil, false
	}
	if e.broken {
		c.print("\r\nSEND Canceled\r\n")
		return nil, false
	}
	data, e.entry = e.entry, nil
	if ex {
		data = unescape(data)
	}
	return data, true
}

// unescape takes the backslashes of AT+CIPSENDEX away.
func unescape(b []byte) []byte {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) && b[i+1] == '\\' {
			i++
		}
		out = append(out, b[i])
	}
	return out
}

// send hands data over to the peer and waits until it has it.
func (c *espCall) send(k *espLink, data []byte, to *net.UDPAddr) result {
	c.printf("\r\nRecv %d bytes\r\n", len(data))
	failed := result("SEND FAIL\r\n")
	if c.e.v2 {
		failed = "\r\nSEND FAIL\r\n"
	}
	if k.closed {
		return failed
	}
	if c.strikes(faultSendLost) {
		c.e.lost(c.life, k, "the fault "+faultSendLost)
		return failed
	}
	k.sending = true
	err, ok := c.e.write(c.life, k, data, to)
	if ok && err == nil {
		ok = c.sleep(ackTime)
	}
	k.sending = false
	switch {
	case !ok:
		return espSilent
	case err != nil:
		c.e.lost(c.life, k, err.Error())
		return failed
	case k.closed:
		return failed
	}
	return "\r\nSEND OK\r\n"
}

// write puts data on the wire.
func (e *esp) write(l *life, k *espLink, data []byte, to *net.UDPAddr) (err error, ok bool) {
	l.observe(Event{Kind: Sent, Cause: e.cause, Link: k.id, Data: clone(data)})
	k.lastSeen = time.Now()
	ok = l.wait(func(context.Context) {
		if k.packets != nil {
			_, err = k.packets.WriteTo(data, to)
			return
		}
		k.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err = k.conn.Write(data)
	})
	return err, ok
}

var espReceiving = map[string]espCommand{
	"+CIPDINFO":    {query: espDInfoQuery, set: espDInfoSet},
	"+CIPRECVMODE": {query: espRecvModeQuery, set: espRecvModeSet},
	"+CIPRECVDATA": {set: espRecvData},
	"+CIPRECVLEN":  {query: espRecvLen},
}

func espDInfoQuery(c *espCall) result {
	switch {
	case c.e.v2:
		c.printf("+CIPDINFO:%d\r\n", c.e.dinfo)
	case c.e.dinfo == 1:
		c.print("+CIPDINFO:TRUE")
	default:
		c.print("+CIPDINFO:FALSE")
	}
	return espOK
}

func espDInfoSet(c *espCall) result {
	n, ok := c.only([2]int{0, 1})
	if !ok {
		return espError
	}
	c.e.dinfo = n[0]
	return espOK
}

func espRecvModeQuery(c *espCall) result {
	c.printf("+CIPRECVMODE:%d\r\n", c.e.recvMode)
	return espOK
}

func espRecvModeSet(c *espCall) result {
	n, ok := c.only([2]int{0, 1})
	if !ok || c.e.cipMode == 1 {
		return espError
	}
	c.e.recvMode = n[0]
	return espOK
}

// espRecvLen shows what is buffered: AT 1.x 0 for links that are closed,
// ESP-AT -1.
func espRecvLen(c *espCall) result {
	line := "+CIPRECVLEN:"
	for i, k := range c.e.links {
		n := 0
		switch {
		case k != nil:
			n = len(k.buffer)
		case c.e.v2:
			n = -1
		}
		if i > 0 {
			line += ","
		}
		line += strconv.Itoa(n)
	}
	c.print(line + "\r\n")
	return espOK
}

// espRecvData hands out what is buffered.
func espRecvData(c *espCall) result {
	e := c.e
	id := 0
	if e.mux == 1 {
		n, ok := c.number(0, len(e.links)-1)
		if !ok {
			return espError
		}
		id = n
	}
	n, ok := c.only([2]int{1, 1 << 30})
	k := e.links[id]
	if !ok || k == nil || len(k.buffer) == 0 {
		return espError
	}
	data := k.buffer[:min(n[0], maxESPSend, len(k.buffer))]
	if e.v2 {
		origin := e.origin(k.ip, k.port)
		if origin != "" {
			origin = origin[1:] + ","
		}
		c.printf("+CIPRECVDATA:%d,%s%s\r\n", len(data), origin, data)
	} else {
		c.printf("\r\n+CIPRECVDATA,%d:%s", len(data), data)
	}
	k.buffer = append([]byte(nil), k.buffer[len(data):]...)
	return espOK
}
