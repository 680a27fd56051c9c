package httpapi

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// Proxies are the reverse proxies in front of the API. What they say of a
// request is believed, and nobody else.
type Proxies struct {
	Networks []netip.Prefix // where they are; nil: there are none
	// Header is the one that they write, X-Forwarded-For or Forwarded. Only that
	// is read: the other passes through them as the visitor wrote it.
	Header string
}

// The headers that a proxy may write.
const (
	XForwardedFor = "X-Forwarded-For"
	Forwarded     = "Forwarded" // RFC 7239
)

type tlsKey struct{}

// overTLS reports whether the visitor speaks TLS, with us or with a proxy.
func overTLS(r *http.Request) bool {
	outside, _ := r.Context().Value(tlsKey{}).(bool)
	return r.TLS != nil || outside
}

// behind gives requests of proxies the address of the visitor, on port 0.
func (p Proxies) behind(next http.Handler, log *slog.Logger) http.Handler {
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !p.has(peer.Addr()) {
			if r.Header.Get(XForwardedFor) != "" || r.Header.Get(Forwarded) != "" {
				once.Do(func() {
					log.Warn("a request names another address than it comes from, and is not believed: if a proxy of yours stands there, name it in api.trustedProxies", "from", r.RemoteAddr)
				})
			}
			next.ServeHTTP(w, r)
			return
		}
		visitor, secure := peer.Addr(), false
		if p.Header == Forwarded {
			visitor, secure = p.forwarded(visitor, r.Header.Values(Forwarded))
		} else {
			visitor = p.visitor(visitor, split(strings.Join(r.Header.Values(XForwardedFor), ","), ','), nil)
			protos := split(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ',')
			secure = len(protos) > 0 && strings.EqualFold(protos[len(protos)-1], "https")
		}
		r = r.WithContext(context.WithValue(r.Context(), tlsKey{}, secure))
		r.RemoteAddr = net.JoinHostPort(visitor.String(), "0")
		next.ServeHTTP(w, r)
	})
}

func (p Proxies) has(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, n := range p.Networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// visitor goes back along hops, of which the proxy at peer wrote the last, for
// as long as they are proxies: what stands before the first that is none was
// written by who knows whom. used hears of each hop that counts, if not nil.
func (p Proxies) visitor(peer netip.Addr, hops []string, used func(hop int)) netip.Addr {
	for i := len(hops) - 1; i >= 0; i-- {
		addr, ok := hopAddr(hops[i])
		if !ok {
			break
		}
		peer = addr
		if used != nil {
			used(i)
		}
		if !p.has(addr) {
			break
		}
	}
	return peer
}

// hopAddr reads 192.0.2.1, 192.0.2.1:40001, 2001:db8::1 and [2001:db8::1]:40001.
func hopAddr(text string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return addr.Unmap().WithZone(""), err == nil
}

// forwarded reads the header of RFC 7239: who the visitor is, and whether he
// spoke TLS with the proxy that says so.
func (p Proxies) forwarded(peer netip.Addr, lines []string) (visitor netip.Addr, secure bool) {
	elements := split(strings.Join(lines, ","), ',')
	hops, protos := make([]string, len(elements)), make([]string, len(elements))
	for i, element := range elements {
		for _, pair := range split(element, ';') {
			name, value, _ := strings.Cut(pair, "=")
			value = strings.ReplaceAll(strings.Trim(value, `"`), `\`, "")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "for":
				hops[i] = value
			case "proto":
				protos[i] = value
			}
		}
	}
	visitor = p.visitor(peer, hops, func(hop int) { secure = strings.EqualFold(protos[hop], "https") })
	return visitor, secure
}

// split cuts text at sep outside of quotes; empty pieces are left out.
func split(text string, sep byte) (pieces []string) {
	quoted, from := false, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i < len(text) && text[i] == '\\' && quoted:
			i++
		case i < len(text) && text[i] == '"':
			quoted = !quoted
		case i == len(text) || text[i] == sep && !quoted:
			if piece := strings.TrimSpace(text[from:min(i, len(text))]); piece != "" {
				pieces = append(pieces, piece)
			}
			from = i + 1
		}
	}
	return pieces
}
