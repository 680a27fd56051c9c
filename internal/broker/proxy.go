package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The PROXY protocol, versions 1 and 2, as HAProxy's specification of it has
// them ("The PROXY protocol, versions 1 & 2", §2): what a load balancer says in
// front of a connection about where it comes from. It is read here and not by
// a library because a header is read to its last byte and no further, so that
// nothing has to stand between the connection and its bare socket.

const (
	// proxyStart is how much of a header is read first: the signature of
	// version 2. The shortest header of version 1 has three bytes more.
	proxyStart = 12
	// maxProxyLine is the longest header of version 1, its CR LF included.
	maxProxyLine = 107
	// proxyRoom is what of a header of version 2 is read at a time. The
	// addresses of IPv6 have 36 bytes; what comes behind is skipped.
	proxyRoom = 256

	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
)

// Errors that Rules.Rejected hears of connections from a proxy.
var (
	errProxyLate    = errors.New("no complete PROXY header in time")
	errProxyCut     = errors.New("the connection ended inside its PROXY header")
	errProxyLong    = errors.New("PROXY header: no end of line within 107 bytes")
	errProxyForm    = errors.New("PROXY header: not of the form TCP4 or TCP6, two addresses, two ports")
	errProxyVersion = errors.New("PROXY header: of a version other than 1 and 2")
	errProxyCommand = errors.New("PROXY header: neither LOCAL nor PROXY")
	errProxyFamily  = errors.New("PROXY header: not of a stream over IPv4, IPv6 or a UNIX socket")
	errProxyShort   = errors.New("PROXY header: too short for its addresses")
)

// readProxy reads a PROXY header from r and not a byte more. The addresses are
// invalid where the header says none: LOCAL, UNKNOWN and what is no IP. Of a
// connection that ends before its first byte the error is io.EOF.
func readProxy(r io.Reader) (from, to netip.AddrPort, err error) {
	var room [proxyRoom]byte
	head := room[:proxyStart]
	switch n, err := io.ReadFull(r, head); {
	case err == nil:
	case isTimeout(err):
		return from, to, errProxyLate
	case n == 0:
		return from, to, io.EOF
	default:
		return from, to, noProxy(head[:n])
	}
	switch {
	case string(head) == proxySignature:
		return readProxy2(r, room[:])
	case bytes.HasPrefix(head, []byte("PROXY ")):
		return readProxy1(r, room[:])
	}
	return from, to, noProxy(head)
}

func noProxy(head []byte) error {
	return fmt.Errorf("a connection from a proxy has to begin with a PROXY header; this one begins with % x", head)
}

// readProxy1 reads the rest of a line whose first bytes are in room. As long as
// it does not end with CR at least two bytes are missing, so that none of what
// comes behind the header is read.
func readProxy1(r io.Reader, room []byte) (from, to netip.AddrPort, err error) {
	n := proxyStart
	for !bytes.HasSuffix(room[:n], []byte("\r\n")) {
		more := 2
		if room[n-1] == '\r' {
			more = 1
		}
		if n+more > maxProxyLine {
			return from, to, errProxyLong
		}
		if _, err := io.ReadFull(r, room[n:n+more]); err != nil {
			return from, to, cut(err)
		}
		n += more
	}
	return parseProxy1(string(room[:n-2]))
}

// parseProxy1 reads "PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883".
func parseProxy1(line string) (from, to netip.AddrPort, err error) {
	f := strings.Split(line, " ")
	if f[1] == "UNKNOWN" {
		return from, to, nil
	}
	if len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6" {
		return from, to, errProxyForm
	}
	from, ok := proxyAddr(f[2], f[4], f[1] == "TCP4")
	to, ok2 := proxyAddr(f[3], f[5], f[1] == "TCP4")
	if !ok || !ok2 {
		return netip.AddrPort{}, netip.AddrPort{}, errProxyForm
	}
	return from, to, nil
}

func proxyAddr(addr, port string, four bool) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Is4() != four || a.Zone() != "" {
		return netip.AddrPort{}, false
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), true
}

// readProxy2 reads what follows the signature of version 2.
func readProxy2(r io.Reader, room []byte) (from, to netip.AddrPort, err error) {
	var fixed [4]byte // version and command, family and protocol, length
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return from, to, cut(err)
	}
	if fixed[0]>>4 != 2 {
		return from, to, errProxyVersion
	}
	rest := int(binary.BigEndian.Uint16(fixed[2:]))
	body := room[:min(rest, len(room))]
	if _, err := io.ReadFull(r, body); err != nil {
		return from, to, cut(err)
	}
	from, to, err = parseProxy2(fixed[0]&0x0F, fixed[1], body)
	if err != nil {
		return from, to, err
	}
	for rest -= len(body); rest > 0; rest -= len(body) { // type-length-values that nobody here asks for
		body = room[:min(rest, len(room))]
		if _, err := io.ReadFull(r, body); err != nil {
			return netip.AddrPort{}, netip.AddrPort{}, cut(err)
		}
	}
	return from, to, nil
}

// Commands, address families and the protocol of version 2.
const (
	proxyLocal = 0 // the proxy itself is the client: it looks whether we live
	proxyProxy = 1

	proxyUnspec = 0
	proxyInet   = 1
	proxyInet6  = 2
	proxyUnix   = 3

	proxyStream = 1
)

// parseProxy2 reads the addresses at the beginning of body.
func parseProxy2(command, family byte, body []byte) (from, to netip.AddrPort, err error) {
	switch {
	case command == proxyLocal: // whatever the family says, it is to be ignored
		return from, to, nil
	case command != proxyProxy:
		return from, to, errProxyCommand
	case family == proxyUnspec<<4, family == proxyUnix<<4|proxyStream:
		return from, to, nil
	case family == proxyInet<<4|proxyStream:
		return proxyAddrs(body, 4)
	case family == proxyInet6<<4|proxyStream:
		return proxyAddrs(body, 16)
	}
	return from, to, errProxyFamily
}

// proxyAddrs reads two addresses of size bytes and two ports.
func proxyAddrs(b []byte, size int) (from, to netip.AddrPort, err error) {
	if len(b) < 2*size+4 {
		return from, to, errProxyShort
	}
	addr := func(i int) netip.AddrPort {
		a, _ := netip.AddrFromSlice(b[i*size : (i+1)*size])
		return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(b[2*size+2*i:]))
	}
	return addr(0), addr(1), nil
}

// cut names the end of a connection inside its header.
func cut(err error) error {
	if isTimeout(err) {
		return errProxyLate
	}
	return errProxyCut
}

// proxied reports whether connections from addr begin with a PROXY header.
func (b *Broker) proxied(addr netip.Addr) bool {
	for _, p := range b.proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// serveProxied reads the header of a connection from a proxy, counts the
// connection for the address that it names, and serves it.
func (l *listener) serveProxied(nc net.Conn, at place, since time.Time) {
	b, limits := l.b, l.b.limits.Load()
	origin := originOf(nc)
	nc.SetReadDeadline(since.Add(limits.ConnectTimeout))
	from, to, err := readProxy(nc)
	if err != nil {
		b.rejectProxied(origin, err)
		nc.Close()
		l.release(nc, at)
		return
	}
	if from.IsValid() {
		origin.Remote, origin.Local = from, to
		var ok bool
		if at, ok = b.addresses.enter(from.Addr(), limits, &b.counters); !ok {
			b.counters.Shed.Add(1)
			nc.Close()
			l.release(nc, at)
			return
		}
	}
	l.attend(nc, l.client(nc, origin, nil, since), at)
}

// rejectProxied tells of a header that is none. A proxy that connects and says
// nothing looks whether we live.
func (b *Broker) rejectProxied(origin Origin, err error) {
	if err == io.EOF {
		return
	}
	b.counters.reject(&b.counters.RejectedProxy)
	b.rules.Rejected(origin, nil, err)
}
