package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/matou-iot/matou/internal/coapgate"
	"github.com/matou-iot/matou/internal/ingest"
)

// checkCoAP finds addresses that cannot be.
func (d *Devices) checkCoAP(bad func(key, format string, args ...any)) {
	for key, list := range map[string][]string{"devices.coap": d.CoAP, "devices.coaps": d.CoAPS} {
		for _, addr := range list {
			if _, err := net.ResolveUDPAddr("udp", addr); err != nil {
				bad(key, "%q is no address: write host:port or :port", addr)
			}
		}
	}
}

// listenCoAP takes the UDP ports.
func (a *App) listenCoAP() error {
	for _, l := range []struct {
		addrs []string
		flag  string
		to    *[]*net.UDPConn
	}{
		{a.config.Devices.CoAP, "--coap", &a.datagrams}, {a.config.Devices.CoAPS, "--coaps", &a.secure},
	} {
		for _, addr := range l.addrs {
			conn, err := takeUDP(addr, l.flag)
			if err != nil {
				return err
			}
			*l.to = append(*l.to, conn)
		}
	}
	return nil
}

func takeUDP(addr, flag string) (*net.UDPConn, error) {
	conn, err := net.ListenPacket("udp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("UDP address %s is taken by another program; choose another with %s", addr, flag)
	case err != nil:
		return nil, fmt.Errorf("listen on UDP %s (%s): %w", addr, flag, err)
	}
	return conn.(*net.UDPConn), nil
}

func (a *App) newCoAP(in *ingest.Ingest) *coapgate.Server {
	limits := a.config.Devices.Limits
	return coapgate.New(coapgate.Options{
		Gate: a.gate, Uplinks: in, Router: a.broker, Log: a.log,
		Sessions: limits.CoAPSessions, Connections: limits.CoAPSConnections,
		Certificate: a.certs.named,
	})
}

// serveCoAP serves the UDP ports, if there are any, until ctx is done.
func (a *App) serveCoAP(ctx context.Context, door *errgroup.Group) {
	for _, conn := range a.datagrams {
		door.Go(func() error { return a.coap.Serve(ctx, conn) })
	}
	for _, conn := range a.secure {
		door.Go(func() error { return a.coap.ServeSecure(ctx, conn) })
	}
	door.Go(func() error { return a.coap.Run(ctx) })
}

// named is the certificate for a name that a device asks for, the first for any
// other.
func (c *certificates) named(name string) (*tls.Certificate, error) {
	c.look()
	pairs := c.current.Load().Certificates
	for i := range pairs {
		if name != "" && pairs[i].Leaf != nil && pairs[i].Leaf.VerifyHostname(name) == nil {
			return &pairs[i], nil
		}
	}
	if len(pairs) == 0 {
		return nil, errors.New("there is no certificate")
	}
	return &pairs[0], nil
}
