package quectel_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/quectel"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/modem/virtual/virtualtest"
)

// onSecure runs a test on a world where a broker and an echo speak TLS, with a
// certificate for another name, which the module does not look at.
func onSecure(t *testing.T, roots func(own, other string) string, test func(b *bench)) {
	t.Helper()
	pair, own := modemtest.SelfSigned(t)
	_, other := modemtest.SelfSigned(t)
	o := quectel.Options{APN: "CMNET", Roots: []byte(roots(own, other))}
	virtualtest.Run(t, virtual.Options{Model: "ec20"}, with(o), func(b *bench) {
		over := func(serve func(net.Conn)) func(net.Conn) {
			return func(c net.Conn) { serve(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})) }
		}
		b.World.Put("tls.test:8883", over(b.Broker.Serve))
		b.World.Put("tls.test:7", over(modemtest.Echo))
		test(b)
	})
}

func secureLogin(b *bench) (modem.Session, error) {
	return b.Driver.Connect(b.Context(), modem.Login{Host: "tls.test", Port: 8883, TLS: true, ClientID: "dev1"}, nil)
}

// The module's TLS, checking nothing and checking the authority, carries
// sockets and sessions.
func TestModuleTLS(t *testing.T) {
	for name, roots := range map[string]func(own, other string) string{
		"unchecked": func(string, string) string { return "" },
		"checked":   func(own, _ string) string { return own },
	} {
		t.Run(name, func(t *testing.T) {
			onSecure(t, roots, func(b *bench) {
				conn, err := b.Driver.Dial(b.Context(), "tls", "tls.test:7")
				if err != nil {
					b.Fatal(err)
				}
				b.Echo(conn, strings.Repeat(everything, 200))
				b.Echo(b.Dial(virtualtest.EchoAddress), "a plain one beside it")
				if err := conn.Close(); err != nil {
					b.Error(err)
				}
				s, err := secureLogin(b)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte(everything), QoS: 1}); err != nil {
					b.Error(err)
				}
				if m := b.Broker.Messages(); len(m) != 1 || string(m[0].Payload) != everything {
					b.Errorf("the broker has %v", m)
				}
				if err := s.Close(); err != nil {
					b.Error(err)
				}
				// The next session of the same client is plain again.
				b.Connect(modem.Login{ClientID: "dev2"}, nil).Close()
				// After a restart, which forgets how TLS works.
				b.Module.Reset()
				<-time.After(time.Minute)
				if s, err = secureLogin(b); err != nil {
					b.Fatal(err)
				}
				s.Close()
			})
		})
	}
}

// A certificate of another authority is refused.
func TestModuleTLSRefuses(t *testing.T) {
	onSecure(t, func(_, other string) string { return other }, func(b *bench) {
		if conn, err := b.Driver.Dial(b.Context(), "tls", "tls.test:7"); err == nil {
			conn.Close()
			b.Error("connected to a stranger")
		}
		if s, err := secureLogin(b); err == nil {
			s.Close()
			b.Error("logged in to a stranger")
		}
		if n := len(b.Broker.Logins()); n != 0 {
			b.Errorf("%d logins", n)
		}
	})
}

// Certificates are put on the module once, for its flash wears out; half a file
// is replaced.
func TestModuleTLSUploadsOnce(t *testing.T) {
	uploads := 0
	_, own := modemtest.SelfSigned(t)
	o := virtual.Options{Model: "ec20", Observer: func(e virtual.Event) {
		if e.Kind == virtual.Line && strings.HasPrefix(string(e.Data), "AT+QFUPL=") {
			uploads++
		}
	}}
	virtualtest.Run(t, o, with(quectel.Options{APN: "CMNET", Roots: []byte(own)}), func(b *bench) {
		for range 3 {
			b.Driver.Dial(b.Context(), "tls", "echo.test:9") // refused, which is none of this test's business
		}
		b.Driver.Close()
	})
	if uploads != 1 {
		t.Errorf("%d uploads", uploads)
	}
}
