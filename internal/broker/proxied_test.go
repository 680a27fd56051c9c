package broker_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/matou-iot/matou/internal/broker"
)

// behindProxy starts a broker to which loopback is a proxy.
func behindProxy(t *testing.T, l broker.Limits) (*house, *witness) {
	w := newWitness()
	return serve(t, broker.Options{
		Rules: w, Limits: l, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.RemoteAddr)) }),
	}), w
}

const (
	header1 = "'PROXY TCP4 192.0.2.1 198.51.100.7 56324 1883' 0d0a"
	header2 = "0d0a0d0a000d0a515549540a"
	header6 = header2 + "21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 075b"
)

func TestTheProxySaysWhereAClientComesFrom(t *testing.T) {
	h, w := behindProxy(t, broker.Limits{})
	for _, tt := range []struct{ name, header, remote, local string }{
		{"version 1", header1, "192.0.2.1:56324", "198.51.100.7:1883"},
		{"version 2", header2 + "21 11 000c c0000201 c6336407 dc04 075b", "192.0.2.1:56324", "198.51.100.7:1883"},
		{"version 2, IPv6", header6, "[2001:db8::1]:56324", "[2001:db8::2]:1883"},
		{"the proxy itself", header2 + "20 00 0000", "", ""},
		{"the proxy does not know", "'PROXY UNKNOWN' 0d0a", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := h.dial()
			p.send(tt.header + connect311) // in one segment: nothing behind the header is lost
			p.want(connack)
			from := w.next(t, "connected").client.Origin()
			remote, local := p.LocalAddr().String(), p.RemoteAddr().String()
			if tt.remote != "" {
				remote, local = tt.remote, tt.local
			}
			if from.Remote.String() != remote || from.Local.String() != local || from.Transport != "tcp" {
				t.Errorf("from %v to %v over %s", from.Remote, from.Local, from.Transport)
			}
			p.send("e000")
			p.wantEnd()
			w.next(t, "closed")
		})
	}
	t.Run("in pieces", func(t *testing.T) {
		p := h.dial()
		for _, b := range wire(t, header1+connect311) {
			p.Write([]byte{b})
		}
		p.want(connack)
		if from := w.next(t, "connected").client.Origin(); from.Remote.String() != "192.0.2.1:56324" {
			t.Errorf("from %v", from.Remote)
		}
	})
}

func TestTheProxyStandsInFrontOfEverything(t *testing.T) {
	cert, pool := certificate(t)
	w := newWitness()
	h := serve(t, broker.Options{
		Rules: w, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.RemoteAddr)) }),
	})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		p := h.dial()
		p.send(header6)
		return p.Conn, nil
	}
	config := &tls.Config{RootCAs: pool, ServerName: "matou.test"}
	nc, _ := dial(t.Context(), "", "")
	inside := newPeer(t, tls.Client(nc, config))
	inside.send(connect311)
	inside.want(connack)
	if from := w.next(t, "connected").client.Origin(); from.Remote.String() != "[2001:db8::1]:56324" || from.Transport != "tls" {
		t.Errorf("from %v over %s", from.Remote, from.Transport)
	}
	inside.send("e000")
	inside.wantEnd()
	w.next(t, "closed")

	web := &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: config, DisableKeepAlives: true}, Timeout: patience}
	res, err := web.Get("http://matou.test/")
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(res.Body).ReadString(0)
	res.Body.Close()
	if line != "[2001:db8::1]:56324" {
		t.Errorf("HTTP comes from %q", line)
	}

	ws, _, err := websocket.Dial(t.Context(), "wss://matou.test/mqtt", &websocket.DialOptions{HTTPClient: web, Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, websocket.NetConn(context.Background(), ws, websocket.MessageBinary))
	p.send(connect311)
	p.want(connack)
	if from := w.next(t, "connected").client.Origin(); from.Remote.String() != "[2001:db8::1]:56324" || from.Transport != "wss" {
		t.Errorf("from %v over %s", from.Remote, from.Transport)
	}
}

func TestWithoutItsHeaderNobodyGetsPastAProxy(t *testing.T) {
	h, w := behindProxy(t, broker.Limits{})
	for i, tt := range []struct{ name, bytes, why string }{
		{"plain MQTT", connect311, "has to begin with a PROXY header"},
		{"version 1 with a mistake", "'PROXY TCP4 ::1 ::1 1 2' 0d0a" + connect311, "not of the form"},
		{"version 2 with a mistake", header2 + "21 12 000c 000000000000000000000000" + connect311, "not of a stream"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := h.dial()
			p.send(tt.bytes)
			p.wantEnd()
			if e := w.next(t, "rejected"); !strings.Contains(e.err.Error(), tt.why) {
				t.Errorf("rejected because %v", e.err)
			}
			if c := h.Counters(); c.Rejected.Load() != int64(i+1) || c.RejectedProxy.Load() != int64(i+1) {
				t.Errorf("%d rejected, %d of them by their header", c.Rejected.Load(), c.RejectedProxy.Load())
			}
		})
	}
	t.Run("a proxy that looks whether we live is no mistake", func(t *testing.T) {
		h.dial().Close()
		reset := h.dial()
		reset.Conn.(*net.TCPConn).SetLinger(0)
		reset.Close()
		for h.Counters().Accepted.Load() < 5 || h.Counters().Connections.Load() > 0 {
		}
		if len(w.events) > 0 || h.Counters().Rejected.Load() != 3 {
			t.Errorf("%d events, %d rejected", len(w.events), h.Counters().Rejected.Load())
		}
	})
}

func TestOthersHaveNoHeader(t *testing.T) {
	w := newWitness()
	h := serve(t, broker.Options{Rules: w, Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("::1/128")}})
	h.connected("dev1") // as it is
	w.next(t, "connected")
	p := h.dial() // claims to be somebody else
	p.send(header6 + connect311)
	p.wantEnd()
	w.next(t, "rejected")
	p = h.dial() // as does this one, which looks like HTTP
	p.send(header1 + connect311)
	if answer, _ := io.ReadAll(p); !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("answer %q", answer)
	}
	if n := h.Counters().RejectedProxy.Load(); n != 0 {
		t.Errorf("%d counted as a proxy's", n)
	}
}

func TestAHeaderThatDoesNotCome(t *testing.T) {
	h, w := behindProxy(t, broker.Limits{ConnectTimeout: 500 * time.Millisecond})
	for _, tt := range []struct{ name, bytes, why string }{
		{"nothing", "", "no complete PROXY header in time"},
		{"half of it", header2, "no complete PROXY header in time"},
		{"the CONNECT behind it", header1 + "1010", "no complete CONNECT in time"}, // the time is for both together
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := h.dial()
			p.send(tt.bytes)
			p.wantEnd()
			if e := w.next(t, "rejected"); e.err.Error() != tt.why {
				t.Errorf("rejected because %v", e.err)
			}
		})
	}
}

func TestLimitsOfAnAddressBehindAProxy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits broker.Limits
	}{
		{"connections", broker.Limits{ConnectionsPerAddress: 2}},
		{"their rate", broker.Limits{ConnectRatePerAddress: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, _ := behindProxy(t, tt.limits)
			for _, id := range []string{"31", "32", "33"} { // of three addresses
				p := h.dial()
				p.send("'PROXY TCP4 192.0.2." + string(id[1]) + " 198.51.100.7 1 2' 0d0a 1010 0004'MQTT' 04 02 003c 0004'dev'" + id)
				p.want(connack)
			}
			same := func() *peer {
				p := h.dial()
				p.send("'PROXY TCP4 192.0.2.9 198.51.100.7 1 2' 0d0a")
				return p
			}
			one, two := same(), same()
			one.send(connect311)
			one.want(connack)
			two.send("1010 0004'MQTT' 04 02 003c 0004'dev2'")
			two.want(connack)
			same().wantEnd()
			one.wantSilence()
			if n := h.Counters().Shed.Load(); n != 1 {
				t.Errorf("%d shed", n)
			}
		})
	}
}
