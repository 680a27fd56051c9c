package httpapi

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// TestVisitorsBehindProxies: what a proxy wrote is read from the right end, as
// far as proxies wrote it, and what anybody else wrote is not.
func TestVisitorsBehindProxies(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	const peer = "10.0.0.1:50000"
	for _, tt := range []struct {
		name   string
		header string // that the proxies write
		from   string
		sent   http.Header
		want   string
		secure bool
	}{
		{"no proxy, no header", XForwardedFor, "192.0.2.1:40001", nil, "192.0.2.1", false},
		{"a stranger says who he is not", XForwardedFor, "192.0.2.1:40001", http.Header{XForwardedFor: {"127.0.0.1"}, Forwarded: {"for=127.0.0.1"}}, "192.0.2.1", false},
		{"a stranger says that he speaks TLS", XForwardedFor, "192.0.2.1:40001", http.Header{"X-Forwarded-Proto": {"https"}}, "192.0.2.1", false},
		{"a proxy", XForwardedFor, peer, http.Header{XForwardedFor: {"192.0.2.1"}, "X-Forwarded-Proto": {"https"}}, "192.0.2.1", true},
		{"a proxy without TLS", XForwardedFor, peer, http.Header{XForwardedFor: {"192.0.2.1"}, "X-Forwarded-Proto": {"http"}}, "192.0.2.1", false},
		{"a proxy that says nothing", XForwardedFor, peer, nil, "10.0.0.1", false},
		{"a proxy over IPv4 in IPv6", XForwardedFor, "[::ffff:10.0.0.1]:50000", http.Header{XForwardedFor: {"192.0.2.1"}}, "192.0.2.1", false},
		{"a visitor who began the list himself", XForwardedFor, peer, http.Header{XForwardedFor: {"127.0.0.1, 10.0.0.9, 192.0.2.1"}}, "192.0.2.1", false},
		{"in a line of its own", XForwardedFor, peer, http.Header{XForwardedFor: {"127.0.0.1", "192.0.2.1"}}, "192.0.2.1", false},
		{"two proxies", XForwardedFor, peer, http.Header{XForwardedFor: {"127.0.0.1, 192.0.2.1, 10.0.0.2"}}, "192.0.2.1", false},
		{"only proxies", XForwardedFor, peer, http.Header{XForwardedFor: {"10.0.0.3, 10.0.0.2"}}, "10.0.0.3", false},
		{"no address", XForwardedFor, peer, http.Header{XForwardedFor: {"192.0.2.1, <script>"}}, "10.0.0.1", false},
		{"no address before a proxy", XForwardedFor, peer, http.Header{XForwardedFor: {"unknown, 10.0.0.2"}}, "10.0.0.2", false},
		{"empty pieces", XForwardedFor, peer, http.Header{XForwardedFor: {" , 192.0.2.1,,"}}, "192.0.2.1", false},
		{"with a port", XForwardedFor, peer, http.Header{XForwardedFor: {"192.0.2.1:40001"}}, "192.0.2.1", false},
		{"IPv6", XForwardedFor, "[fd00::1]:50000", http.Header{XForwardedFor: {"2001:db8::7"}}, "2001:db8::7", false},
		{"IPv6 with a port", XForwardedFor, peer, http.Header{XForwardedFor: {"[2001:db8::7]:40001"}}, "2001:db8::7", false},
		{"the visitor's own Forwarded", XForwardedFor, peer, http.Header{XForwardedFor: {"192.0.2.1"}, Forwarded: {"for=127.0.0.1;proto=https"}}, "192.0.2.1", false},
		{"the visitor's own Forwarded alone", XForwardedFor, peer, http.Header{Forwarded: {"for=127.0.0.1"}}, "10.0.0.1", false},

		{"RFC 7239", Forwarded, peer, http.Header{Forwarded: {"for=192.0.2.1;proto=https;by=10.0.0.1"}}, "192.0.2.1", true},
		{"RFC 7239 in other letters, quoted", Forwarded, peer, http.Header{Forwarded: {`Proto=HTTPS; For="[2001:db8::7]:4711"`}}, "2001:db8::7", true},
		{"RFC 7239, begun by the visitor", Forwarded, peer, http.Header{Forwarded: {"for=127.0.0.1;proto=https", "for=192.0.2.1;proto=http"}}, "192.0.2.1", false},
		{"RFC 7239, two proxies", Forwarded, peer, http.Header{Forwarded: {"for=127.0.0.1, for=192.0.2.1;proto=https, for=10.0.0.2;proto=http"}}, "192.0.2.1", true},
		{"RFC 7239, a comma in quotes", Forwarded, peer, http.Header{Forwarded: {`for="127.0.0.1, for=192.0.2.9", for=192.0.2.1`}}, "192.0.2.1", false},
		{"RFC 7239, a quote that does not end", Forwarded, peer, http.Header{Forwarded: {`for="127.0.0.1, for=192.0.2.1`}}, "10.0.0.1", false},
		{"RFC 7239, hidden", Forwarded, peer, http.Header{Forwarded: {"for=_hidden;proto=https"}}, "10.0.0.1", false},
		{"the visitor's own X-Forwarded-For", Forwarded, peer, http.Header{Forwarded: {"for=192.0.2.1"}, XForwardedFor: {"127.0.0.1"}, "X-Forwarded-Proto": {"https"}}, "192.0.2.1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.from
			if tt.sent != nil {
				r.Header = tt.sent
			}
			Proxies{networks, tt.header}.behind(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if host, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || host != tt.want || overTLS(r) != tt.secure {
					t.Errorf("%s, TLS %t, want %s, %t (%v)", r.RemoteAddr, overTLS(r), tt.want, tt.secure, err)
				}
			}), slog.New(slog.DiscardHandler)).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}

// TestAProxyNobodyNamedIsToldOnce: who forgot the setting finds it in the log,
// and nobody fills the log with it.
func TestAProxyNobodyNamedIsToldOnce(t *testing.T) {
	var said strings.Builder
	h := Proxies{}.behind(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&said, nil)))
	for range 3 {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(XForwardedFor, "192.0.2.1")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if n := strings.Count(said.String(), "api.trustedProxies"); n != 1 {
		t.Errorf("told %d times: %s", n, said.String())
	}
}

func FuzzForwarded(f *testing.F) {
	f.Add(`for="[2001:db8::1]:1";proto=https, for=10.0.0.1`)
	f.Fuzz(func(t *testing.T, line string) {
		p := Proxies{[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Forwarded}
		peer := netip.MustParseAddr("10.0.0.1")
		if v, _ := p.forwarded(peer, []string{line, "for=192.0.2.1"}); strings.Count(line, `"`)%2 == 0 && !strings.Contains(line, `\`) && v.String() != "192.0.2.1" {
			t.Errorf("%q hides the visitor: %s", line, v)
		}
	})
}
