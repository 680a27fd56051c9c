package virtual

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
)

// espConnections are the commands that open, list and close connections.
var espConnections = map[string]espCommand{
	"+CIPMUX":        {query: espMuxQuery, set: espMuxSet},
	"+CIPMODE":       {query: espCIPModeQuery, set: espCIPModeSet},
	"+CIPSTART":      {set: espStart},
	"+CIPSTARTEX":    {set: espStartEx, only: onlyV2},
	"+CIPSTATUS":     {test: func(*espCall) result { return espOK }, execute: espStatusShow},
	"+CIPSTATE":      {query: espLinksShow, only: onlyV2},
	"+CIPCLOSE":      {test: func(*espCall) result { return espOK }, set: espCloseOne, execute: espClose},
	"+CIPCLOSEMODE":  {set: espCloseMode, only: onlyV1},
	"+CIPSSLSIZE":    {query: func(c *espCall) result { c.printf("+CIPSSLSIZE:%d\r\n", c.e.sslSize); return espOK }, set: espSSLSize},
	"+CIPSSLCCONF":   {query: func(c *espCall) result { c.printf("+CIPSSLCCONF:%d\r\n", c.e.sslConf); return espOK }, set: espSSLConf},
	"+SAVETRANSLINK": {set: espSaveTransparent},
	"+CIPRECONNINTV": {query: espKept("%s:%d\r\n", 1), set: espKeep(1, 36000), only: onlyV2},
}

// Limits of connections.
const (
	maxESPHost   = 64
	maxESPHostV2 = 128
	maxKeepAlive = 7200
)

func (e *esp) maxHost() int {
	if e.v2 {
		return maxESPHostV2
	}
	return maxESPHost
}

func espMuxQuery(c *espCall) result {
	c.printf("+CIPMUX:%d\r\n", c.e.mux)
	return espOK
}

func espMuxSet(c *espCall) result {
	n, ok := c.only([2]int{0, 1})
	switch e := c.e; {
	case !ok:
		return espError
	case n[0] == e.mux:
		return espOK
	case e.count() > 0:
		return c.refuse("link is builded")
	case e.cipMode == 1:
		return c.refuse("IPMODE must be 0")
	case e.server != nil && n[0] == 0:
		return c.refuse("CIPSERVER must be 0")
	}
	c.e.mux = n[0]
	return espOK
}

func espCIPModeQuery(c *espCall) result {
	c.printf("+CIPMODE:%d\r\n", c.e.cipMode)
	return espOK
}

func espCIPModeSet(c *espCall) result {
	n, ok := c.only([2]int{0, 1})
	if !ok {
		return espError
	}
	if n[0] == 1 {
		if c.e.mux == 1 || c.e.server != nil {
			return c.refuse("CIPMUX and CIPSERVER must be 0")
		}
		if k := c.e.links[0]; k != nil && k.kind == "UDP" && k.udpMode != 0 {
			return espError
		}
	}
	c.e.cipMode = n[0]
	return espOK
}

// espStart is AT+CIPSTART. The order of its checks is the firmware's.
func espStart(c *espCall) result {
	e := c.e
	if e.mode == 1 && e.status != gotIP {
		return c.refuse("no ip")
	}
	id := 0
	if e.mux == 1 {
		a := c.next()
		n, ok := a.number()
		if !ok || !c.args.More() {
			return espError
		}
		if n < 0 || n >= len(e.links) {
			return c.refuse("ID ERROR")
		}
		id = n
	}
	return c.connect(id)
}

// espStartEx is AT+CIPSTARTEX, which takes the lowest free number.
func espStartEx(c *espCall) result {
	if c.e.mode == 1 && c.e.status != gotIP {
		return espError
	}
	id := c.e.free()
	if id < 0 || c.e.mux == 0 {
		return espError
	}
	return c.connect(id)
}

// free is the lowest free link, -1 for none.
func (e *esp) free() int {
	for id, k := range e.links {
		if k == nil {
			return id
		}
	}
	return -1
}

// connect reads what to connect to, and does.
func (c *espCall) connect(id int) result {
	e := c.e
	k := &espLink{id: id}
	kind := c.next()
	if kind.bad || kind.Kind != at.String || !knownKind(kind.Text, e.v2) {
		return c.refuse("Link type ERROR")
	}
	k.kind = strings.TrimSuffix(kind.Text, "v6")
	host, why := c.target(k)
	if why != "" {
		return result(why)
	}
	if e.links[id] != nil {
		return c.refuse("ALREADY CONNECTED")
	}
	if k.kind == "SSL" && e.hasSSL() {
		return espError // there is memory for one
	}
	failed, ok := e.open(c.life, k, host, k.port)
	switch {
	case !ok:
		return espSilent
	case errors.Is(failed, errDNS):
		if e.v2 {
			return c.fail(errFailed)
		}
		return c.refuse("DNS Fail")
	case failed != nil:
		c.observe(Event{Kind: Closed, Cause: e.cause, Link: id, Text: failed.Error()})
		if e.v2 {
			return espError
		}
		c.print(string(espError))
		return result(e.prefix(k) + "CLOSED\r\n")
	}
	e.tellConnected(c.life, k)
	return espOK
}

func knownKind(kind string, v2 bool) bool {
	switch kind {
	case "TCP", "UDP", "SSL":
		return true
	case "TCPv6", "UDPv6", "SSLv6":
		return v2
	}
	return false
}

// target reads host, port and what follows. why is what ends the command when
// something is wrong.
func (c *espCall) target(k *espLink) (host string, why result) {
	if !c.args.More() {
		return "", c.missing(k, "IP ERROR")
	}
	h := c.next()
	host = h.Text
	if h.bad || h.Kind != at.String || host == "" || len(host) > c.e.maxHost() {
		if k.kind == "UDP" && !h.bad && h.Kind == at.Omitted {
			return "", c.refuse("Miss param")
		}
		return "", c.refuse("IP ERROR")
	}
	if !c.args.More() {
		return "", c.missing(k, "ENTRY ERROR")
	}
	p := c.next()
	if p.Kind == at.Omitted && k.kind == "UDP" {
		return "", c.refuse("Miss param")
	}
	var ok bool
	if k.port, ok = p.number(); !ok || k.port < 1 || k.port > 65535 {
		return "", c.fail(errInvalid)
	}
	if k.kind == "UDP" {
		if k.local, ok = c.optional(0, 65535, 0); !ok {
			return "", espError
		}
		if k.udpMode, ok = c.optional(0, 2, 0); !ok {
			return "", espError
		}
	} else if _, ok = c.optional(0, maxKeepAlive, 0); !ok {
		return "", espError
	}
	if c.e.v2 && c.args.More() { // the local address
		if _, ok = c.text(64); !ok {
			return "", espError
		}
	}
	if !c.ended() {
		return "", espError
	}
	return host, ""
}

func (c *espCall) missing(k *espLink, otherwise string) result {
	if k.kind == "UDP" {
		return c.refuse("Miss param")
	}
	return c.refuse(otherwise)
}

func (e *esp) hasSSL() bool {
	for _, k := range e.links {
		if k != nil && k.kind == "SSL" {
			return true
		}
	}
	return false
}

// tellConnected is CONNECT, or the long form.
func (e *esp) tellConnected(l *life, k *espLink) {
	if e.sysmsg&msgLink == 0 {
		l.print(e.prefix(k) + "CONNECT\r\n")
		return
	}
	side := 0
	if k.served {
		side = 1
	}
	l.print(fmt.Sprintf("+LINK_CONN:0,%d,\"%s\",%d,\"%s\",%d,%d\r\n", k.id, k.kind, side, k.ip, k.port, k.local))
}

func espStatusShow(c *espCall) result {
	e := c.e
	status := e.cipStatus
	switch {
	case e.status == gotIP && status == 0:
		status = 2
	case e.status != gotIP && !(e.isAP() && e.count() > 0):
		status = 5
	}
	c.printf("STATUS:%d\r\n", status)
	c.links("+CIPSTATUS")
	return espOK
}

func espLinksShow(c *espCall) result {
	c.links("+CIPSTATE")
	return espOK
}

func (c *espCall) links(name string) {
	for _, k := range c.e.links {
		if k == nil {
			continue
		}
		side := 0
		if k.served {
			side = 1
		}
		c.printf("%s:%d,\"%s\",\"%s\",%d,%d,%d\r\n", name, k.id, k.kind, k.ip, k.port, k.local, side)
	}
}

// espClose is AT+CIPCLOSE alone.
func espClose(c *espCall) result {
	k := c.e.links[0]
	switch {
	case c.e.mux == 1:
		return c.refuse("MUX=1")
	case k == nil:
		return espError
	}
	c.e.close(k, "the host closed it")
	c.print("CLOSED\r\n")
	return espOK
}

// espCloseOne is AT+CIPCLOSE=<id>; 5 is all.
func espCloseOne(c *espCall) result {
	e := c.e
	if e.mux == 0 {
		return c.refuse("MUX=0")
	}
	n, ok := c.only([2]int{0, len(e.links)})
	if !ok {
		return espError
	}
	if n[0] < len(e.links) {
		if e.links[n[0]] == nil {
			return c.refuse("UNLINK")
		}
		return c.closeLink(e.links[n[0]])
	}
	for _, k := range e.links {
		if k != nil {
			c.closeLink(k)
		}
	}
	return espOK
}

func (c *espCall) closeLink(k *espLink) result {
	c.e.close(k, "the host closed it")
	c.print(c.e.prefix(k) + "CLOSED\r\n")
	return espOK
}

func espCloseMode(c *espCall) result {
	if c.e.mux == 1 {
		if _, ok := c.number(0, 4); !ok {
			return espError
		}
	}
	if _, ok := c.only([2]int{0, 1}); !ok {
		return espError
	}
	return espOK
}

func espSSLSize(c *espCall) result {
	n, ok := c.only([2]int{2048, 4096})
	if !ok {
		return espError
	}
	c.e.sslSize = n[0]
	return espOK
}

// espSSLConf: bit 0 our certificate, bit 1 the server's is looked at. ESP-AT
// has the link first where several may be open, and more parameters behind.
func espSSLConf(c *espCall) result {
	if c.e.v2 && c.e.mux == 1 {
		if _, ok := c.number(0, 4); !ok {
			return espError
		}
	}
	n, ok := c.number(0, 3)
	if !ok {
		return espError
	}
	for c.e.v2 && c.args.More() {
		if _, ok := c.number(0, 255); !ok {
			return espError
		}
	}
	if !c.ended() {
		return espError
	}
	c.e.sslConf = n
	return espOK
}

// espSaveTransparent is AT+SAVETRANSLINK, in force from the next start on.
func espSaveTransparent(c *espCall) result {
	mode, ok := c.number(0, 1)
	if !ok {
		return espError
	}
	if mode == 0 {
		if !c.ended() {
			return espError
		}
		c.e.flash.trans = nil
		return espOK
	}
	t := &espTarget{kind: "TCP"}
	if t.host, ok = c.text(c.e.maxHost()); !ok || t.host == "" {
		return espError
	}
	if t.port, ok = c.number(1, 65535); !ok {
		return espError
	}
	if c.args.More() {
		if t.kind, ok = c.text(3); !ok || !knownKind(t.kind, false) {
			return espError
		}
		if t.local, ok = c.optional(0, 65535, 0); !ok {
			return espError
		}
	}
	if !c.ended() {
		return espError
	}
	c.e.flash.trans = t
	return espOK
}

// clock is the module's own idea of the time: 1970 until a server told it.
func (e *esp) clock(l *life) time.Time {
	if e.synced {
		return e.opts.Now()
	}
	return time.Unix(0, 0).UTC().Add(l.uptime())
}

// validIP reports whether text is an IPv4 address.
func validIP(text string) bool { return net.ParseIP(text).To4() != nil }
