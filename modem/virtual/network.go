package virtual

import (
	"context"
	"errors"
	"net"
	"path"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// A Network is the world outside a module. Its methods may be called at once.
type Network interface {
	// LookupHost finds the addresses of a name. An address is its own.
	LookupHost(ctx context.Context, host string) ([]string, error)
	// DialContext connects over tcp or udp to an address and port.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	// Listen waits for connections to a port of the module. It may listen on
	// another port of the machine instead.
	Listen(ctx context.Context, port int) (net.Listener, error)
	// ListenPacket opens a UDP port for datagrams in both directions; 0 is a
	// free one.
	ListenPacket(ctx context.Context, port int) (net.PacketConn, error)
}

// System is the machine's own network. Ports of the module are opened on the
// loopback; one that the machine refuses becomes a free one.
type System struct{}

// LookupHost asks the machine's resolver.
func (System) LookupHost(ctx context.Context, host string) ([]string, error) {
	return net.DefaultResolver.LookupHost(ctx, host)
}

// DialContext dials.
func (System) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Listen opens a port on the loopback.
func (System) Listen(ctx context.Context, port int) (net.Listener, error) {
	var c net.ListenConfig
	ln, err := c.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		ln, err = c.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return ln, err
}

// ListenPacket opens a UDP port, or a free one where that is taken.
func (System) ListenPacket(ctx context.Context, port int) (net.PacketConn, error) {
	var c net.ListenConfig
	conn, err := c.ListenPacket(ctx, "udp4", ":"+strconv.Itoa(port))
	if err != nil && port != 0 {
		conn, err = c.ListenPacket(ctx, "udp4", ":0")
	}
	return conn, err
}

// A Mapping sends a host somewhere else, so that the one in the AT command
// need not change.
type Mapping struct {
	Host string // a name, or a pattern with * and ?; without regard to case
	Addr string // host, or host:port
}

// ParseMapping reads HOST=ADDR.
func ParseMapping(text string) (Mapping, error) {
	host, addr, ok := strings.Cut(text, "=")
	m := Mapping{strings.ToLower(host), addr}
	if !ok || host == "" || addr == "" {
		return m, wording.Errorf("mapping %q: write HOST=ADDR, such as *.aliyuncs.com=127.0.0.1:1883", text)
	}
	if _, err := path.Match(m.Host, "x"); err != nil {
		return m, wording.Errorf("mapping %q: %q is no pattern: * stands for any text, ? for one character", text, host)
	}
	if _, _, err := split(addr); err != nil {
		return m, wording.Errorf("mapping %q: %w", text, err)
	}
	return m, nil
}

// split cuts an address that may have no port, 0.
func split(addr string) (host string, port int, err error) {
	if !strings.Contains(addr, ":") || strings.Count(addr, ":") > 1 && !strings.Contains(addr, "]") {
		return addr, 0, nil
	}
	if strings.HasSuffix(addr, "]") {
		return strings.Trim(addr, "[]"), 0, nil
	}
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, wording.Errorf("address %q is neither host nor host:port", addr)
	}
	if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
		return "", 0, wording.Errorf("address %q: %q is no port from 1 to 65535", addr, text)
	}
	return host, port, nil
}

// mapped is where a host really is.
func (m *Module) mapped(host string, port int) (string, int) {
	for _, to := range m.opts.Map {
		if ok, err := path.Match(strings.ToLower(to.Host), strings.ToLower(host)); err != nil || !ok {
			continue
		}
		h, p, err := split(to.Addr)
		if err != nil {
			continue
		}
		if p == 0 {
			p = port
		}
		return h, p
	}
	return host, port
}

// Why a connection was not made.
var (
	errDNS     = errors.New("name not found")
	errRefused = errors.New("connection refused")
)

// lookup finds the address of a host. The lock is not held while it waits; ok
// is false when the life is over.
func (l *life) lookup(host string, port int) (ip string, to int, err error, ok bool) {
	if l.strikes(faultDNS) {
		ok = l.sleep(dnsFails)
		return "", 0, errDNS, ok
	}
	name := host
	host, to = l.mapped(host, port)
	var found []string
	ok = l.wait(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
		defer cancel()
		found, err = l.opts.Network.LookupHost(ctx, host)
	})
	if err != nil || len(found) == 0 {
		if ok {
			l.unknownName(name, host)
		}
		return "", 0, errDNS, ok
	}
	return pick(found), to, nil, ok
}

// pick prefers IPv4, which is what most modules speak.
func pick(addresses []string) string {
	for _, a := range addresses {
		if ip := net.ParseIP(a); ip != nil && ip.To4() != nil {
			return a
		}
	}
	return addresses[0]
}

// dial connects to an address. The lock is not held while it waits.
func (l *life) dial(network, ip string, port int) (conn net.Conn, err error, ok bool) {
	if l.strikes(faultRefused) {
		ok = l.sleep(refuses)
		return nil, errRefused, ok
	}
	ok = l.wait(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		conn, err = l.opts.Network.DialContext(ctx, network, net.JoinHostPort(ip, strconv.Itoa(port)))
	})
	if !ok && conn != nil {
		conn.Close()
		conn = nil
	}
	if ok && err != nil {
		l.unreached(err)
	}
	return conn, err, ok
}
