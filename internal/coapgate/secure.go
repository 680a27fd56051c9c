package coapgate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
)

// The bounds of connections by DTLS, beside Options.Connections.
const (
	maxHandshakes    = 256
	handshakeTime    = 15 * time.Second
	idleTime         = onlineFor + time.Minute // a device that reports every ten minutes keeps its connection
	addressShare     = 8                       // of maxHandshakes an address may have a part of so many
	dtlsVersion      = 0xfefd                  // 1.2
	maxPlainOfRecord = 16 << 10                // the greatest payload of a record [RFC 6347 §4.3.1]
)

// ServeSecure serves DTLS until ctx is done, then returns nil. When it returns,
// its connections have been told, conn is closed and all goroutines are gone.
func (s *Server) ServeSecure(ctx context.Context, conn *net.UDPConn) error {
	ctx, cancel := context.WithCancel(ctx)
	var connections sync.WaitGroup
	d := newDemux(conn, &s.connections, &s.counters, func(l *link) {
		connections.Go(func() { s.serveLink(ctx, l) })
	})
	defer conn.Close()
	defer connections.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(longAgo) })()
	buffer := make([]byte, maxPlainOfRecord)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			s.Log.Debug("read a datagram", "error", err)
			continue
		}
		d.route(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), buffer[:n])
	}
}

// A handshake is what is known of a connection's beginning.
type handshake struct {
	*peer
	identity string // of the pre-shared key that was asked for, "" for none
	which    int    // of the keys that the device may have made
	psk      vendor.PSKIdentity
	refused  bool // it is written down why it cannot end well
}

// longAgo as a deadline ends a read.
var longAgo = time.Unix(1, 0)

// serveLink serves one connection, from its handshake to its end.
func (s *Server) serveLink(ctx context.Context, l *link) {
	defer l.Close()
	h := &handshake{peer: &peer{
		number: s.numbers.Add(1), road: secureRoad,
		from: broker.Origin{Remote: l.from, Local: addrOf(l.demux.conn.LocalAddr()), Transport: "coaps", TLSVersion: dtlsVersion},
	}}
	conn, err := s.shake(ctx, l, h)
	l.shaken(err == nil)
	if err != nil {
		s.counters.HandshakesFailed.Add(1)
		s.failed(ctx, h, err)
		return
	}
	defer conn.Close()
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		conn.Close()
	})
	defer func() { // the socket stays until the device has been told that the server ends
		if !stop() {
			<-told
		}
	}()
	if h.identity != "" {
		s.keys.right(h.identity, h.which)
		who, _, why, err := s.Gate.Login(ctx, dialect.Login{
			ClientID: h.identity, Username: h.psk.DeviceName + "&" + h.psk.ProductKey, TLS: true, Form: &dialect.Form{Proved: true},
		}, h.from, h.road)
		if err != nil {
			s.down("handshake", err)
		}
		if err != nil || why != nil {
			return
		}
		s.counters.Logins.Add(1)
		h.who = who
	}
	h.send = func(b []byte) { conn.Write(b) }
	buffer := make([]byte, maxPlainOfRecord)
	for {
		conn.SetReadDeadline(time.Now().Add(idleTime))
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		s.take(context.WithoutCancel(ctx), h.peer, append([]byte(nil), buffer[:n]...))
	}
}

// The cipher suites that the library has, the better first. Of those with a
// pre-shared key, CCM-8 is what RFC 7252 asks of devices and CBC what older
// stacks have.
var (
	sharedKeySuites = []dtls.CipherSuiteID{
		dtls.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256, dtls.TLS_PSK_WITH_AES_128_GCM_SHA256, dtls.TLS_PSK_WITH_AES_128_CCM,
		dtls.TLS_PSK_WITH_AES_128_CCM_8, dtls.TLS_PSK_WITH_AES_256_CCM_8, dtls.TLS_PSK_WITH_AES_128_CBC_SHA256,
	}
	certificateSuites = []dtls.CipherSuiteID{
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, dtls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
)

// shake is the handshake.
func (s *Server) shake(ctx context.Context, l *link, h *handshake) (*dtls.Conn, error) {
	options := []dtls.ServerOption{
		dtls.WithPSK(func(identity []byte) ([]byte, error) { return s.presharedKey(ctx, h, string(identity)) }),
		dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret), // C3's mbedTLS may not have it
		dtls.WithLoggerFactory(silence{}),
	}
	suites := sharedKeySuites
	if s.Certificate != nil {
		suites = append(suites[:len(suites):len(suites)], certificateSuites...)
		options = append(options, dtls.WithGetCertificate(func(hello *dtls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.Certificate(hello.ServerName)
		}))
	}
	options = append(options, dtls.WithCipherSuites(suites...))
	conn, err := dtls.ServerWithOptions(l, net.UDPAddrFromAddrPort(l.from), options...)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err := conn.HandshakeContext(within); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

var errNoKey = errors.New("there is no key for this identity")

// presharedKey finds the key of an identity.
func (s *Server) presharedKey(ctx context.Context, h *handshake, identity string) ([]byte, error) {
	psk, err := vendor.ParsePSKIdentity(identity)
	if err != nil {
		h.refused = true
		s.stranger(ctx, h.peer, "aliyun-psk-identity", "identity", clip(identity), err)
		return nil, errNoKey
	}
	claim := dialect.Claim{Product: psk.ProductKey, Device: psk.DeviceName}
	_, device, why, err := s.Gate.Known(ctx, s.aliyun, claim)
	if err != nil {
		h.refused = true
		s.down("handshake", err)
		return nil, errNoKey
	}
	if why != nil {
		h.refused = true
		s.Gate.Refuse(ctx, s.aliyun, claim, h.from, why)
		return nil, errNoKey
	}
	keys := psk.Keys(device.Secret)
	h.psk, h.identity, h.which = psk, identity, s.keys.which(identity, len(keys))
	return keys[h.which], nil
}

// failed writes down why a handshake did not end well.
func (s *Server) failed(ctx context.Context, h *handshake, err error) {
	s.Log.Debug("handshake by DTLS", "from", h.from.Remote, "identity", h.identity, "error", err)
	if h.identity == "" || h.refused || ctx.Err() != nil {
		return
	}
	s.keys.wrong(h.identity)
	x := &conversation{Server: s, peer: h.peer, ctx: ctx}
	x.refuseOf(dialect.Claim{Product: h.psk.ProductKey, Device: h.psk.DeviceName}, 0, "aliyun-psk-failed", "psk", h.identity)
}

// silence is where the library's log goes: it would write a line for whatever
// strangers send.
type silence struct{}

func (silence) NewLogger(scope string) logging.LeveledLogger {
	return logging.NewDefaultLeveledLoggerForScope(scope, logging.LogLevelDisabled, io.Discard)
}
