package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/modem/virtual"
)

// vendorHosts are the names and addresses that firmware and tutorials for the
// vendors' clouds connect to. On the bench all of them are this server.
var vendorHosts = []string{
	"*.aliyuncs.com", "*.heclouds.com",
	"183.230.40.16", "183.230.40.39", "183.230.40.96", "218.201.45.7", // OneNET
}

// A Reach is all that modules on the bench can connect to: the listeners for
// devices of this very server, and what was allowed by name. Whatever else an
// AT command names is not found or refused, without a packet.
type Reach struct {
	Devices []netip.AddrPort // this server's listeners for devices; the first stands in for the vendors
	Names   []string         // of this server
	Allow   []string         // host:port of others
}

// Check tells which entry of Allow is no host:port.
func (r Reach) Check() error {
	for _, a := range r.Allow {
		host, port, err := net.SplitHostPort(a)
		if n, perr := strconv.Atoi(port); err != nil || perr != nil || host == "" || n < 1 || n > 65535 {
			return fmt.Errorf("%q is no host:port", a)
		}
	}
	return nil
}

// mappings lead the vendors' hosts, and this server's names, to its first
// listener.
func (r Reach) mappings() (list []virtual.Mapping) {
	if len(r.Devices) == 0 {
		return nil
	}
	own := at(r.Devices[0]).String()
	for _, host := range slices.Concat(vendorHosts, r.Names) {
		if _, err := netip.ParseAddr(host); err == nil && slices.Contains(r.Names, host) {
			continue // an address of its own has several ports
		}
		list = append(list, virtual.Mapping{Host: strings.ToLower(host), Addr: own})
	}
	return list
}

// at is where a listener on this machine is reached.
func at(a netip.AddrPort) netip.AddrPort {
	switch ip := a.Addr().Unmap(); {
	case ip == netip.IPv4Unspecified() || ip == netip.IPv6Unspecified():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	default:
		return netip.AddrPortFrom(ip, a.Port())
	}
}

// Connect reaches this server's first listener for devices, as a device on this
// machine would.
func (b *Bench) Connect(ctx context.Context) (net.Conn, error) {
	if len(b.o.Reach.Devices) == 0 {
		return nil, errNoPort
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", at(b.o.Reach.Devices[0]).String())
}

var errNoPort = fault.Unavailable("this server has no port for devices")

// network is the world of one module.
func (r Reach) network(tell func(string)) *network {
	return &network{reach: r, tell: tell, found: map[netip.AddrPort]bool{}}
}

// maxFound bounds the addresses that a module is remembered to have looked up.
const maxFound = 256

// A network lets a module reach what its Reach allows.
type network struct {
	reach Reach
	tell  func(string) // is told what was refused, for people
	dial  net.Dialer

	mu    sync.Mutex
	found map[netip.AddrPort]bool // addresses of allowed hosts, as they were looked up
}

// LookupHost implements virtual.Network. Names that are not allowed are asked
// of nobody.
func (n *network) LookupHost(ctx context.Context, host string) ([]string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}, nil
	}
	if strings.EqualFold(host, "localhost") {
		return []string{"127.0.0.1"}, nil
	}
	var ports []string
	for _, a := range n.reach.Allow {
		if h, port, err := net.SplitHostPort(a); err == nil && strings.EqualFold(h, host) {
			ports = append(ports, port)
		}
	}
	if len(ports) == 0 {
		return nil, n.refuse("name " + host)
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range addrs {
		for _, port := range ports {
			if to, err := netip.ParseAddrPort(net.JoinHostPort(a, port)); err == nil && len(n.found) < maxFound {
				n.found[to] = true
			}
		}
	}
	return addrs, nil
}

// DialContext implements virtual.Network.
func (n *network) DialContext(ctx context.Context, proto, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, n.refuse(address)
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if own, ok := n.reach.own(to); ok && strings.HasPrefix(proto, "tcp") {
		return n.dial.DialContext(ctx, "tcp", own.String())
	}
	n.mu.Lock()
	allowed := n.found[to]
	n.mu.Unlock()
	if allowed || slices.Contains(n.reach.Allow, to.String()) {
		return n.dial.DialContext(ctx, proto, to.String())
	}
	return nil, n.refuse(proto + " " + address)
}

// own finds the listener of this server that an address names: itself, or any
// address of this machine where the listener takes all of them.
func (r Reach) own(to netip.AddrPort) (netip.AddrPort, bool) {
	for _, d := range r.Devices {
		if d.Port() != to.Port() {
			continue
		}
		if at(d) == to || d.Addr().IsUnspecified() && ofThisMachine(to.Addr()) {
			return at(d), true
		}
	}
	return netip.AddrPort{}, false
}

func ofThisMachine(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	all, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(all, func(a net.Addr) bool {
		own, ok := a.(*net.IPNet)
		return ok && own.IP.Equal(ip.AsSlice())
	})
}

// Listen implements virtual.Network: nobody connects to a module on the bench.
func (n *network) Listen(_ context.Context, port int) (net.Listener, error) {
	return nil, n.refuse(fmt.Sprintf("listening on port %d", port))
}

// ListenPacket implements virtual.Network: datagrams could go anywhere.
func (n *network) ListenPacket(_ context.Context, port int) (net.PacketConn, error) {
	return nil, n.refuse("UDP")
}

func (n *network) refuse(what string) error {
	n.tell(what + " is not within reach: modules on the bench reach this server's device ports and what bench.allow lists")
	return fmt.Errorf("%s is not within reach of the bench", what)
}
