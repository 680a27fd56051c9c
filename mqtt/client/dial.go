package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Dialer opens a connection to the server. The client closes it.
type Dialer func(ctx context.Context) (net.Conn, error)

// A Checker is a connection that cannot carry every packet, such as one whose
// other end is the MQTT client of a module. Before the client sends a *Publish,
// *Subscribe or *Unsubscribe it asks Check: an error becomes that of Publish,
// Subscribe or Unsubscribe, and nothing is sent. Check must not block.
type Checker interface {
	Check(p packet.Packet) error
}

// schemes says what each scheme of DialURL stands for.
var schemes = map[string]struct {
	port   int
	tls    bool
	socket bool
}{
	"mqtt":  {mqtt.Port, false, false},
	"tcp":   {mqtt.Port, false, false},
	"mqtts": {mqtt.TLSPort, true, false},
	"ssl":   {mqtt.TLSPort, true, false},
	"tls":   {mqtt.TLSPort, true, false},
	"ws":    {80, false, true},
	"wss":   {443, true, true},
}

// Secure reports whether an address of DialURL means TLS.
func Secure(address string) bool {
	scheme, _, _ := strings.Cut(address, "://")
	return schemes[strings.ToLower(scheme)].tls
}

// DialURL returns a Dialer for an address such as mqtt://host:1883,
// mqtts://host, ws://host:8083/mqtt or wss://host. tcp is mqtt, ssl and tls
// are mqtts; a port left out is the scheme's usual one, a WebSocket path left
// out is /mqtt. config is used by the schemes with TLS and may be nil; the
// Dialer sets its ServerName where it is empty. A user name in the address is
// refused: it belongs into Options.
func DialURL(address string, config *tls.Config) (Dialer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, errors.Unwrap(err))
	}
	scheme, ok := schemes[strings.ToLower(u.Scheme)]
	if !ok {
		return nil, fmt.Errorf("address %q: scheme %q is none of mqtt, mqtts, tcp, ssl, tls, ws, wss", address, u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("address %q names no host", address)
	}
	if u.User != nil {
		return nil, errors.New("address holds a user name: give it apart from the address")
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), strconv.Itoa(scheme.port))
	}
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", host)
		if err != nil {
			return nil, err
		}
		if scheme.tls {
			if conn, err = secure(ctx, conn, config, u.Hostname()); err != nil {
				return nil, err
			}
		}
		if !scheme.socket {
			return conn, nil
		}
		ws, err := upgrade(ctx, conn, u)
		if err != nil {
			conn.Close()
			return nil, err
		}
		return ws, nil
	}, nil
}

// secure speaks TLS over conn, which it closes on failure.
func secure(ctx context.Context, conn net.Conn, config *tls.Config, host string) (net.Conn, error) {
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = host
	}
	t := tls.Client(conn, config)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("tls with %s: %w", host, err)
	}
	return t, nil
}
