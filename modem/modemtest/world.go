package modemtest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
)

// A World is what is around a virtual module: peers in this process, by
// host:port. It is a virtual.Network. A host that has no peer is not found
// unless it is an address, a port that has none refuses. The zero World is
// empty.
type World struct {
	mu    sync.Mutex
	peers map[string]func(net.Conn)
}

// Put places a peer. serve is called for each connection, which is closed when
// it returns.
func (w *World) Put(address string, serve func(net.Conn)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.peers == nil {
		w.peers = make(map[string]func(net.Conn))
	}
	w.peers[address] = serve
}

// Echo is a peer that sends everything back.
func Echo(c net.Conn) { io.Copy(c, c) }

// LookupHost finds the hosts of peers.
func (w *World) LookupHost(_ context.Context, host string) ([]string, error) {
	if net.ParseIP(host) != nil {
		return []string{host}, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for address := range w.peers {
		if strings.HasPrefix(address, host+":") {
			return []string{host}, nil
		}
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// DialContext connects to a peer.
func (w *World) DialContext(_ context.Context, _, address string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	serve := w.peers[address]
	if serve == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		serve(theirs)
	}()
	return ours, nil
}

// Listen and ListenPacket are not part of this world.
func (w *World) Listen(context.Context, int) (net.Listener, error) {
	return nil, errors.ErrUnsupported
}

// ListenPacket is not part of this world.
func (w *World) ListenPacket(context.Context, int) (net.PacketConn, error) {
	return nil, errors.ErrUnsupported
}
