package broker_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/matou-iot/matou/internal/broker"
)

// A paper collects log lines.
type paper struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Split(strings.TrimSpace(p.b.String()), "\n")
}

func TestClientCertificates(t *testing.T) {
	server, pool := certificate(t)
	stranger, _ := certificate(t)
	w, log := newWitness(), new(paper)
	h := serve(t, broker.Options{
		Rules: w, Log: slog.New(slog.NewTextHandler(log, nil)),
		TLS: &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool},
	})
	dial := func(version uint16, certs ...tls.Certificate) *peer {
		nc := h.dial()
		return newPeer(t, tls.Client(nc, &tls.Config{
			RootCAs: pool, ServerName: "matou.test", MaxVersion: version,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { // whatever authorities are asked for
				if len(certs) == 0 {
					return new(tls.Certificate), nil
				}
				return &certs[0], nil
			},
		}))
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			for name, certs := range map[string][]tls.Certificate{"with": {server}, "without": nil} {
				p := dial(version, certs...)
				p.send(connect311)
				p.want(connack)
				from := w.next(t, "connected").client.Origin()
				wantName, wantPrint := "", ""
				if certs != nil {
					sum := sha256.Sum256(server.Certificate[0])
					wantName, wantPrint = "matou.test", hex.EncodeToString(sum[:])
				}
				if from.PeerName() != wantName || from.PeerFingerprint() != wantPrint {
					t.Errorf("%s a certificate: %q, %q", name, from.PeerName(), from.PeerFingerprint())
				}
				p.send("e000")
				p.wantEnd()
				w.next(t, "closed")
			}
			before := h.Counters().RejectedTLS.Load()
			p := dial(version, stranger)
			if _, err := p.Write(wire(t, connect311)); err == nil {
				_, err = p.Read(make([]byte, 1))
				if err == nil {
					t.Error("a stranger's certificate was taken")
				}
			}
			sum := sha256.Sum256(stranger.Certificate[0])
			e := w.next(t, "rejected")
			for _, part := range []string{`client certificate "matou.test"`, hex.EncodeToString(sum[:]), "unknown authority"} {
				if !strings.Contains(e.err.Error(), part) {
					t.Errorf("%q is not in %v", part, e.err)
				}
			}
			if n := h.Counters().RejectedTLS.Load(); n != before+1 {
				t.Errorf("%d more counted", n-before)
			}
		})
	}
	lines := log.lines()
	if !strings.Contains(lines[0], "client certificate refused") || !strings.Contains(lines[0], "name=matou.test") || !strings.Contains(lines[0], "unsaid=0") {
		t.Errorf("the log says %q", lines[0])
	}
}
