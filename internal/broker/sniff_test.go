package broker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// certificate makes a certificate for "matou.test" and those who trust it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "matou.test"}, DNSNames: []string{"matou.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// secure starts a broker with TLS and plain HTTP, and notes where clients come from.
func secure(t *testing.T) (h *house, client *tls.Config, w *witness) {
	cert, pool := certificate(t)
	w = newWitness()
	h = serve(t, broker.Options{
		Rules: w, TLS: &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool},
		HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
		}),
	})
	return h, &tls.Config{RootCAs: pool, ServerName: "matou.test", Certificates: []tls.Certificate{cert}}, w
}

const (
	connect311 = "1010 0004'MQTT' 04 02 003c 0004'dev1'"
	connack    = "2002 0000"
)

func TestTLS(t *testing.T) {
	h, config, w := secure(t)
	nc, err := tls.Dial("tcp", h.addr, config)
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, nc)
	p.send(connect311)
	p.want(connack)
	from := w.next(t, "connected").client.Origin()
	if from.Transport != "tls" || from.ServerName != "matou.test" || from.TLSVersion != tls.VersionTLS13 || from.Peer == nil || from.Peer.Subject.CommonName != "matou.test" {
		t.Errorf("from %+v", from)
	}
	p.subscribe("#", 1)
	big := strings.Repeat("x", 100_000)
	p.put(mqtt.V311, &packet.Publish{Topic: []byte("t"), Payload: []byte(big), QoS: 1, ID: 9})
	if got := p.get(mqtt.V311).(*packet.Publish); string(got.Payload) != big {
		t.Errorf("%d bytes came back", len(got.Payload))
	}
	p.want("4002 0009")
	for i := range len("c000") / 2 * 3 { // byte by byte, each a TLS record
		p.send([]string{"c0", "00"}[i%2])
	}
	p.want("d000 d000 d000")
	p.send("e000")
	p.wantEnd()
	w.next(t, "publish")
	if e := w.next(t, "closed"); e.cause != broker.Disconnected {
		t.Errorf("closed because %v", e.cause)
	}
}

func TestBrokenTLS(t *testing.T) {
	h, config, w := secure(t)
	p := h.dial()
	p.send("1603010005 0000000000")
	io.ReadAll(p) // an alert
	w.next(t, "rejected")
	config.RootCAs = x509.NewCertPool()
	if _, err := tls.Dial("tcp", h.addr, config); err == nil {
		t.Error("a stranger's certificate was accepted")
	}
	w.next(t, "rejected")
}

func TestWebSocket(t *testing.T) {
	h, config, w := secure(t)
	for _, tt := range []struct {
		name, url   string
		subprotocol []string
		transport   string
	}{
		{"mqtt [MQTT3-6.0.0-4] [MQTT5-6.0.0-4]", "ws://" + h.addr + "/mqtt", []string{"mqtt"}, "ws"},
		{"mqttv3.1 at any path", "ws://" + h.addr + "/any/path?x=1", []string{"mqttv3.1"}, "ws"},
		{"no subprotocol", "ws://" + h.addr, nil, "ws"},
		{"inside TLS", "wss://" + h.addr + "/mqtt", []string{"mqtt"}, "wss"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			ws, _, err := websocket.Dial(ctx, tt.url, &websocket.DialOptions{Subprotocols: tt.subprotocol,
				HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: config}}, HTTPHeader: http.Header{"Origin": {"https://elsewhere.test"}}})
			if err != nil {
				t.Fatal(err)
			}
			if len(tt.subprotocol) > 0 && ws.Subprotocol() != tt.subprotocol[0] {
				t.Errorf("subprotocol %q", ws.Subprotocol())
			}
			p := newPeer(t, websocket.NetConn(ctx, ws, websocket.MessageBinary))
			p.send("1010 0004'MQ'") // packets and frames need not agree [MQTT3-6.0.0-2] [MQTT5-6.0.0-2]
			p.send("'TT' 04 02 003c 0004'dev1' c000")
			p.want(connack + "d000")
			p.send("c0")
			p.send("00c000")
			p.want("d000 d000")
			if from := w.next(t, "connected").client.Origin(); from.Transport != tt.transport || !from.Remote.IsValid() {
				t.Errorf("from %+v", from)
			}
			p.send("e000")
			p.wantEnd()
			w.next(t, "closed")
		})
	}
}

func TestWebSocketTextIsRefused(t *testing.T) { // [MQTT3-6.0.0-1] [MQTT5-6.0.0-1]
	h, _, w := secure(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+h.addr, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	ws.Write(ctx, websocket.MessageBinary, wire(t, connect311))
	if _, ack, err := ws.Read(ctx); err != nil || string(ack) != string(wire(t, connack)) {
		t.Fatalf("% x, %v", ack, err)
	}
	ws.Write(ctx, websocket.MessageText, []byte("hello"))
	if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("after text: %v", err)
	}
	w.next(t, "connected")
	w.next(t, "closed")
}

func TestHTTPOnTheDevicePort(t *testing.T) {
	h, config, _ := secure(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: patience}
	for _, scheme := range []string{"http", "https"} {
		res, err := client.Post(scheme+"://"+h.addr+"/auth", "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != "POST /auth hello" {
			t.Errorf("%s: %q", scheme, body)
		}
	}
	client.CloseIdleConnections()
	res, err := client.Get("http://" + serve(t, broker.Options{}).addr)
	if err != nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("without a handler: %v, %v", res, err)
	}
	if err == nil {
		res.Body.Close()
	}
	client.CloseIdleConnections()
}

func TestShutdownTellsEverybody(t *testing.T) { // [MQTT5 §4.13]
	h, config, w := secure(t)
	five := h.connected5("dev5")
	three := h.connected("dev3")
	w.next(t, "connected")
	w.next(t, "connected")
	nc, err := tls.Dial("tcp", h.addr, config)
	if err != nil {
		t.Fatal(err)
	}
	inside := newPeer(t, nc)
	inside.send("1011 0004'MQTT' 05 02 003c 00 0004'dev1'")
	inside.get(mqtt.V5)
	w.next(t, "connected")
	stopped := make(chan error)
	go func() { stopped <- h.stop() }()
	five.want("e001 8b")
	five.wantEnd()
	inside.want("e001 8b")
	inside.wantEnd()
	three.wantEnd()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	for range 3 {
		if e := w.next(t, "closed"); e.cause != broker.ServerDown {
			t.Errorf("closed because %v", e.cause)
		}
	}
	if _, err := net.Dial("tcp", h.addr); err == nil {
		t.Error("the port is still open")
	}
}

func TestHTTPKnowsWhereARequestComesFrom(t *testing.T) {
	cert, pool := certificate(t)
	h := serve(t, broker.Options{
		Rules: newWitness(), TLS: &tls.Config{Certificates: []tls.Certificate{cert}},
		HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o, ok := broker.HTTPOrigin(r)
			fmt.Fprint(w, o.TLSVersion, ok, o.Remote.String() == r.RemoteAddr)
		}),
	})
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "matou.test"}}}
	defer web.CloseIdleConnections()
	for scheme, want := range map[string]string{"http": "0 true true", "https": fmt.Sprint(tls.VersionTLS13, " true true")} {
		resp, err := web.Get(scheme + "://" + h.addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != want {
			t.Errorf("%s: %s, want %s", scheme, body, want)
		}
	}
	if _, ok := broker.HTTPOrigin(&http.Request{}); ok {
		t.Error("a request from elsewhere has an origin")
	}
}
