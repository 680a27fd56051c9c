package coapgate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/ingest"
)

const identity = "devicename|hmacsha256|a1NightLamp&lamp01|2524608000000"

// serve serves DTLS on a socket of its own until the test ends, or stop is
// called.
func (h *house) serve() (addr *net.UDPAddr, stop func()) {
	h.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.ServeSecure(ctx, conn) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				h.Error(err)
			}
		case <-time.After(waits):
			h.Error("the server does not end")
		}
		if n := h.counters.Connections.Load() + h.counters.Handshakes.Load(); n != 0 {
			h.Errorf("%d connections and handshakes are left", n)
		}
	}
	h.Cleanup(stop)
	return conn.LocalAddr().(*net.UDPAddr), stop
}

// waits is how long a test waits for an event.
const waits = 20 * time.Second

func (h *house) until(what string, happened func() bool) {
	h.Helper()
	late, tick := time.After(waits), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		h.mu.Lock()
		ok := happened()
		h.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			h.Fatalf("waited for %s", what)
		}
	}
}

func bySharedKey(identity string, key []byte) []dtls.ClientOption {
	return []dtls.ClientOption{
		dtls.WithPSK(func([]byte) ([]byte, error) { return key, nil }), dtls.WithPSKIdentityHint([]byte(identity)),
		dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8),
	}
}

// connect makes a connection and its handshake, within a while.
func connect(t *testing.T, from, to *net.UDPAddr, within time.Duration, how ...dtls.ClientOption) (*dtls.Conn, error) {
	t.Helper()
	socket, err := net.ListenUDP("udp", from)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := dtls.ClientWithOptions(socket, to, how...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return conn, conn.HandshakeContext(ctx)
}

// ask sends a datagram over a connection and returns what comes back, as hex.
func ask(t *testing.T, conn *dtls.Conn, datagram []byte) string {
	t.Helper()
	if _, err := conn.Write(datagram); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(waits))
	b := make([]byte, 2048)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b[:n])
}

func plainReport(id uint16) []byte {
	return post{id: id, path: "topic" + topic, format: 50, accept: -1, payload: []byte("x")}.bytes()
}

func TestASharedKeyInAllItsForms(t *testing.T) {
	h := newHouse(t)
	h.patience = 300 * time.Millisecond
	addr, _ := h.serve()
	for which := range 3 { // the others come in their turns, too
		p := vendor.PSKIdentity{ProductKey: pk, DeviceName: dn, Method: vendor.HMACSHA256, Timestamp: "252460800000" + string(rune('0'+which))}
		identity, key := p.String(), p.Keys(ds)[which]
		var err error
		var conn *dtls.Conn
		for tries := 0; ; tries++ {
			failed := h.counters.HandshakesFailed.Load()
			conn, err = connect(t, nil, addr, h.patience*2, bySharedKey(identity, key)...)
			if err == nil {
				break
			}
			if tries > 12 {
				t.Fatalf("form %d: %v", which, err)
			}
			h.until("the server to give up", func() bool { return h.counters.HandshakesFailed.Load() > failed })
		}
		if got := ask(t, conn, plainReport(1)); got[:16] != "6445000161626364" {
			t.Errorf("form %d: %s", which, got)
		}
		conn.Close()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.refused, "aliyun-psk-failed") || len(h.taken) != 3 {
		t.Errorf("refused %v, taken %v", h.refused, h.taken)
	}
}

func TestHandshakesThatAreRefused(t *testing.T) {
	h := newHouse(t)
	h.patience = 300 * time.Millisecond
	addr, _ := h.serve()
	key := []byte("key")
	for _, tt := range []struct {
		identity, want string
		before         func()
	}{
		{"lamp01", "aliyun-psk-identity", nil},
		{"devicename|hmacsha256|a1NightLamp&nobody|1", "device-unknown", nil},
		{identity, "aliyun-psk-failed", nil},
		{identity, "device-disabled", func() { h.device.Enabled = false }},
	} {
		if tt.before != nil {
			h.mu.Lock()
			tt.before()
			h.mu.Unlock()
		}
		if _, err := connect(t, nil, addr, time.Second, bySharedKey(tt.identity, key)...); err == nil {
			t.Errorf("%s: let in", tt.identity)
		}
		h.until("the refusal "+tt.want, func() bool { return slices.Contains(h.refused, tt.want) })
	}
	h.mu.Lock()
	h.device.Enabled, h.broken = true, errors.New("broken")
	h.mu.Unlock()
	if _, err := connect(t, nil, addr, time.Second, bySharedKey(identity, key)...); err == nil {
		t.Error("let in while the store is broken")
	}
}

func TestTokensOverDTLS(t *testing.T) {
	h := newHouse(t)
	h.answer = ingest.Taken{Entry: 7, Answers: []dialect.Downlink{{Payload: []byte("reply")}}}
	addr, _ := h.serve()
	p, _ := vendor.ParsePSKIdentity(identity)
	conn, err := connect(t, nil, addr, waits, bySharedKey(identity, p.Keys(ds)[0])...)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, conn, plainReport(1)), "64450001"+"61626364"+"e1071d37"+"ff"+hex.EncodeToString([]byte("reply")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	sign := vendor.Sign(vendor.HMACMD5, ds, "clientIda1NightLamp&lamp01deviceNamelamp01productKeya1NightLamp")
	got := ask(t, conn, h.auth(2, `{`+names+`,"sign":"`+sign+`"}`).bytes())
	body, _ := hex.DecodeString(got[len("6445000261626364c132ff"):])
	token := strings.TrimSuffix(strings.TrimPrefix(string(body), `{"token":"`), `"}`)
	if len(token) != 32 {
		t.Fatalf("login: %s", body)
	}
	with := func(id uint16, token string) []byte {
		return post{id: id, path: "topic" + topic, format: 50, accept: -1, bearer: token, payload: []byte("x")}.bytes()
	}
	if got := ask(t, conn, with(3, token)); got[2:4] != "45" {
		t.Errorf("with its token: %s", got)
	}
	// A token of the other road is none here, nor this one there.
	plain, key := h.login(4)
	if got := ask(t, conn, with(5, plain)); got != "6481000561626364" || h.lastRefusal() != "aliyun-coap-token-road" {
		t.Errorf("with a token of plain UDP: %s", got)
	}
	if got := h.one(report(6, token, key, 1, "x").bytes()); got != "6481000661626364" || h.lastRefusal() != "aliyun-coap-token-road" {
		t.Errorf("on plain UDP: %s", got)
	}
	if got := ask(t, conn, with(7, "unknown")); got != "6481000761626364" || h.lastRefusal() != "aliyun-coap-token-unknown" {
		t.Errorf("with an unknown token: %s", got)
	}
	// Who another device's names are, the handshake has said already.
	other := `{"productKey":"a1NightLamp","deviceName":"other","clientId":"x","sign":"00"}`
	if got := ask(t, conn, h.auth(8, other).bytes()); got != "6481000861626364" || h.lastRefusal() != "aliyun-coap-token-device" {
		t.Errorf("as another device: %s", got)
	}
	h.mu.Lock()
	h.device.Enabled = false
	h.mu.Unlock()
	if got := ask(t, conn, plainReport(9)); got != "6483000961626364" || h.lastRefusal() != "device-disabled" {
		t.Errorf("disabled: %s", got)
	}
}

func TestAServerCertificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"coap.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(o *Options) {
		o.Certificate = func(name string) (*tls.Certificate, error) {
			if name != "coap.example.com" {
				t.Errorf("asked for %q", name)
			}
			return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
		}
	})
	addr, stop := h.serve()
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(leaf)
	conn, err := connect(t, nil, addr, waits, dtls.WithRootCAs(pool), dtls.WithServerName("coap.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, conn, plainReport(1)); got != "6481000161626364" || h.lastRefusal() != "aliyun-coap-token-missing" {
		t.Errorf("without a login: %s", got)
	}
	stop()
	// The device is told that the server ends.
	conn.SetReadDeadline(time.Now().Add(waits))
	var late net.Error
	if _, err := conn.Read(make([]byte, 100)); err == nil || errors.As(err, &late) && late.Timeout() {
		t.Errorf("after the end: %v", err)
	}
}

// TestADeviceStartsAnewOnItsPort: with its old connection still there.
func TestADeviceStartsAnewOnItsPort(t *testing.T) {
	h := newHouse(t)
	addr, _ := h.serve()
	p, _ := vendor.ParsePSKIdentity(identity)
	key := p.Keys(ds)[0]
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	from := socket.LocalAddr().(*net.UDPAddr)
	// A device that is switched off closes nothing: its socket goes first.
	old, err := dtls.ClientWithOptions(socket, addr, bySharedKey(identity, key)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, old, plainReport(1)); got[2:4] != "45" {
		t.Fatal(got)
	}
	socket.Close()
	old.Close()
	anew, err := connect(t, from, addr, waits, bySharedKey(identity, key)...)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, anew, plainReport(1)); got[2:4] != "45" {
		t.Error(got)
	}
	h.until("the old connection to end", func() bool { return h.counters.Connections.Load() == 1 })
	if len(h.taken) != 2 {
		t.Errorf("taken %d: a message id of another connection is another", len(h.taken))
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Connections = 1 })
	addr, _ := h.serve()
	p, _ := vendor.ParsePSKIdentity(identity)
	one, err := connect(t, nil, addr, waits, bySharedKey(identity, p.Keys(ds)[0])...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, nil, addr, 300*time.Millisecond, bySharedKey(identity, p.Keys(ds)[0])...); err == nil {
		t.Error("a second connection was made")
	}
	if h.counters.ConnectionsShed.Load() == 0 {
		t.Error("nothing was shed")
	}
	if got := ask(t, one, plainReport(1)); got[2:4] != "45" {
		t.Error(got)
	}
	one.Close()
	h.until("the connection to end", func() bool { return h.counters.Connections.Load() == 0 })
	if _, err := connect(t, nil, addr, waits, bySharedKey(identity, p.Keys(ds)[0])...); err != nil {
		t.Error(err)
	}
}

// TestHandshakesAreBounded: of who only says ClientHello, from as many ports as
// he likes.
func TestHandshakesAreBounded(t *testing.T) {
	h := newHouse(t)
	h.patience = time.Hour
	addr, stop := h.serve()
	hello := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 1}, bytes.Repeat([]byte{0}, 19)...)
	const most = maxHandshakes / addressShare
	for range 2 * most {
		c, err := net.DialUDP("udp", nil, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write(hello)
	}
	h.until("all to be heard", func() bool { return h.counters.Received.Load() == 2*most })
	if n := h.counters.Connections.Load(); n > most {
		t.Errorf("%d handshakes from one address", n)
	}
	c, err := net.DialUDP("udp", nil, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, noise := range []string{"", "x", "16fefd", strings.Repeat("x", 9000)} { // no handshakes
		c.Write([]byte(noise))
	}
	stop()
}

func TestPlainUDPIsServedAndEnds(t *testing.T) {
	h := newHouse(t)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, conn) }()
	c, err := net.DialUDP("udp", nil, conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(waits))
	b := make([]byte, 2048)
	for id := range uint16(20) {
		c.Write(h.auth(id, v11).bytes())
		n, err := c.Read(b)
		if err != nil || b[1] != 0x45 {
			t.Fatalf("%x, %v", b[:n], err)
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(waits):
		t.Fatal("the server does not end")
	}
	if n := h.counters.Logins.Load(); n != 20 {
		t.Errorf("%d logins", n)
	}
}
