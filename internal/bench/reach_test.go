package bench

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// TestReach: who may use a module of the bench gets nowhere but to the device
// ports of this server and what was allowed.
func TestReach(t *testing.T) {
	own, other, allowed := listen(t), listen(t), listen(t)
	var told []string
	n := Reach{Devices: []netip.AddrPort{own}, Allow: []string{allowed.String()}}.network(func(s string) { told = append(told, s) })
	for _, tt := range []struct {
		proto, address string
		ok             bool
	}{
		{"tcp", own.String(), true},
		{"tcp", allowed.String(), true},
		{"tcp", other.String(), false},
		{"udp", own.String(), false},
		{"tcp", "[::ffff:127.0.0.1]:" + port(other), false},
		{"tcp", "0.0.0.0:" + port(other), false},
		{"tcp", "192.0.2.1:" + port(own), false},
		{"tcp", "localhost:" + port(other), false},
	} {
		told = nil
		conn, err := n.DialContext(t.Context(), tt.proto, tt.address)
		if conn != nil {
			conn.Close()
		}
		if (err == nil) != tt.ok {
			t.Errorf("%s %s: %v", tt.proto, tt.address, err)
		}
		if !tt.ok && (len(told) != 1 || !strings.Contains(told[0], "bench.allow")) {
			t.Errorf("%s %s: people are told %q", tt.proto, tt.address, told)
		}
	}
	if _, err := n.LookupHost(t.Context(), "intranet.example.com"); err == nil {
		t.Error("a name that is not allowed was looked up")
	}
	if _, err := n.Listen(t.Context(), 8080); err == nil {
		t.Error("a module listens")
	}
	if _, err := n.ListenPacket(t.Context(), 0); err == nil {
		t.Error("a module has a UDP port")
	}
}

// TestAllowedName: an allowed name opens the port it was allowed with, not
// others of the same host.
func TestAllowedName(t *testing.T) {
	allowed, other := listen(t), listen(t)
	n := Reach{Allow: []string{"Localhost.:" + port(allowed)}}.network(func(string) {})
	if _, err := n.DialContext(t.Context(), "tcp", allowed.String()); err == nil {
		t.Error("an address nobody looked up was dialled")
	}
	addrs, err := n.LookupHost(context.Background(), "localhost.")
	if err != nil {
		t.Skip("this machine does not resolve localhost.: ", err)
	}
	t.Log(addrs)
	conn, err := n.DialContext(t.Context(), "tcp", allowed.String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, err := n.DialContext(t.Context(), "tcp", other.String()); err == nil {
		t.Error("another port of an allowed host was dialled")
	}
}

func TestReachCheck(t *testing.T) {
	for text, ok := range map[string]bool{"broker.example.com:1883": true, "broker.example.com": false, ":1883": false, "a:0": false, "a:x": false} {
		if err := (Reach{Allow: []string{text}}).Check(); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// listen is a listener of some other program.
func listen(t *testing.T) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

func port(a netip.AddrPort) string { _, p, _ := net.SplitHostPort(a.String()); return p }
