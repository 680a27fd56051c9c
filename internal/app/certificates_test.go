package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An issue is a certificate with all that a test wants to do with it.
type issue struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pair tls.Certificate
}

var serial int64

// issued makes a certificate for name, signed by by or by itself.
func issued(t *testing.T, name string, by *issue, until time.Time) *issue {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial++
	form := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, BasicConstraintsValid: true, IsCA: by == nil,
	}
	parent, signer := form, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, form, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issue{cert, key, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

func soon() time.Time { return time.Now().Add(30 * 24 * time.Hour) }

// files writes certificate and key under dir and returns their paths.
func (i *issue) files(t *testing.T, dir, name string) Pair {
	t.Helper()
	p := Pair{filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")}
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.Certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})))
	write(t, p.Key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	touch(t, p.Certificate, p.Key)
	return p
}

var touched = time.Now()

// touch gives files a time of change that none had before.
func touch(t *testing.T, files ...string) {
	t.Helper()
	touched = touched.Add(time.Second)
	for _, f := range files {
		if err := os.Chtimes(f, touched, touched); err != nil {
			t.Fatal(err)
		}
	}
}

// A stand is certificates with a clock and a log of their own, behind a port.
type stand struct {
	*certificates
	t    *testing.T
	log  bytes.Buffer // of what is in force and what was refused; read between handshakes
	ln   net.Listener
	time time.Time
	seen chan tls.ConnectionState
}

func newStand(t *testing.T, files TLS) *stand {
	t.Helper()
	s := &stand{t: t, time: time.Now(), seen: make(chan tls.ConnectionState, 1)}
	var err error
	if s.certificates, err = newCertificates(files, t.TempDir(), "127.0.0.1", slog.New(slog.NewTextHandler(&s.log, nil))); err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return s.time }
	if s.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		config := s.config()
		for {
			nc, err := s.ln.Accept()
			if err != nil {
				return
			}
			tc := tls.Server(nc, config)
			if tc.Handshake() == nil {
				tc.Write([]byte("!"))
			}
			s.seen <- tc.ConnectionState()
			nc.Close()
		}
	}()
	t.Cleanup(func() { s.ln.Close(); <-done })
	return s
}

// shake shakes hands and returns what either side saw of the other; err is of
// the first byte, because a client hears of its refusal only then.
func (s *stand) shake(config *tls.Config) (client, server tls.ConnectionState, err error) {
	s.t.Helper()
	config.InsecureSkipVerify = true // it is the test that looks
	nc, err := net.Dial("tcp", s.ln.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	defer nc.Close()
	tc := tls.Client(nc, config)
	_, err = io.ReadFull(tc, make([]byte, 1))
	return tc.ConnectionState(), <-s.seen, err
}

// shown is the common name of the certificate that a client gets to see.
func (s *stand) shown(serverName string) string {
	s.t.Helper()
	c, _, err := s.shake(&tls.Config{ServerName: serverName})
	if err != nil {
		s.t.Fatal(err)
	}
	return c.PeerCertificates[0].Subject.CommonName
}

// later lets enough time pass for the next look at the files.
func (s *stand) later() { s.time = s.time.Add(lookEvery) }

func TestCertificateByServerName(t *testing.T) {
	dir := t.TempDir()
	first := issued(t, "one.test", nil, soon()).files(t, dir, "one")
	s := newStand(t, TLS{Certificate: first.Certificate, Key: first.Key, More: []Pair{
		issued(t, "two.test", nil, soon()).files(t, dir, "two"),
		issued(t, "*.three.test", nil, soon()).files(t, dir, "three"),
	}})
	for _, tt := range []struct{ name, server, want string }{
		{"its own", "two.test", "two.test"},
		{"of a wildcard", "any.three.test", "*.three.test"},
		{"the first by name", "one.test", "one.test"},
		{"a name that nobody has gets the first", "elsewhere.test", "one.test"},
		{"no name gets the first", "", "one.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.shown(tt.server); got != tt.want {
				t.Errorf("shown is %s", got)
			}
		})
	}
}

func TestTheLabIsTheFirstBesideOthers(t *testing.T) {
	s := newStand(t, TLS{More: []Pair{issued(t, "two.test", nil, soon()).files(t, t.TempDir(), "two")}})
	if a, b := s.shown(""), s.shown("two.test"); a != "Matou" || b != "two.test" {
		t.Errorf("shown are %s and %s", a, b)
	}
}

func TestCertificatesFollowTheirFiles(t *testing.T) {
	dir := t.TempDir()
	pair := issued(t, "before.test", nil, soon()).files(t, dir, "server")
	s := newStand(t, TLS{Certificate: pair.Certificate, Key: pair.Key})
	if got := s.shown(""); got != "before.test" {
		t.Fatalf("shown is %s", got)
	}
	issued(t, "after.test", nil, soon()).files(t, dir, "server")
	if got := s.shown(""); got != "before.test" {
		t.Errorf("looked again within %v: shown is %s", lookEvery, got)
	}
	s.later()
	if got := s.shown(""); got != "after.test" {
		t.Errorf("after the change shown is %s", got)
	}
}

func TestABrokenFileLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	good := issued(t, "good.test", nil, soon())
	pair := good.files(t, dir, "server")
	ca := filepath.Join(dir, "ca.pem")
	for _, tt := range []struct {
		name  string
		spoil func()
		file  string
	}{
		{"no PEM", func() { write(t, pair.Certificate, "oops"); touch(t, pair.Certificate) }, pair.Certificate},
		{"gone", func() { os.Remove(pair.Key) }, pair.Key},
		{"key of another", func() {
			issued(t, "x", nil, soon()).files(t, dir, "x")
			os.Rename(filepath.Join(dir, "x.key"), pair.Key)
		}, pair.Key},
		{"authorities without one", func() { write(t, ca, "oops"); touch(t, ca) }, ca},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good.files(t, dir, "server")
			good.files(t, dir, "ca")
			s := newStand(t, TLS{Certificate: pair.Certificate, Key: pair.Key, ClientCA: ca})
			tt.spoil()
			for range 3 {
				s.later()
				if got := s.shown(""); got != "good.test" {
					t.Fatalf("shown is %s", got)
				}
			}
			log := s.log.String()
			if n := strings.Count(log, "level=ERROR"); n != 1 || !strings.Contains(log, tt.file) {
				t.Errorf("%d errors, of which one should name %s:\n%s", n, tt.file, log)
			}
			issued(t, "mended.test", nil, soon()).files(t, dir, "server")
			good.files(t, dir, "ca")
			s.later()
			if got := s.shown(""); got != "mended.test" {
				t.Errorf("mended, and shown is %s", got)
			}
		})
	}
}

func TestClientCertificateIsAskedForAndVerified(t *testing.T) {
	dir := t.TempDir()
	pair := issued(t, "server.test", nil, soon()).files(t, dir, "server")
	old, next := issued(t, "old authority", nil, soon()), issued(t, "next authority", nil, soon())
	ca := old.files(t, dir, "ca").Certificate
	s := newStand(t, TLS{Certificate: pair.Certificate, Key: pair.Key, ClientCA: ca})
	device := issued(t, "device 7", old, soon())
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			old.files(t, dir, "ca")
			s.later()
			cache := tls.NewLRUClientSessionCache(1)
			with := func(i *issue) *tls.Config {
				return &tls.Config{ServerName: "server.test", MaxVersion: version, ClientSessionCache: cache,
					GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &i.pair, nil }}
			}
			if _, state, err := s.shake(with(device)); err != nil || len(state.VerifiedChains) != 1 || state.PeerCertificates[0].Subject.CommonName != "device 7" {
				t.Errorf("a good one: %v, %+v", err, state.PeerCertificates)
			}
			if _, state, err := s.shake(with(device)); err != nil || !state.DidResume || len(state.VerifiedChains) != 1 {
				t.Errorf("a resumed one: %v, resumed %v, %d chains", err, state.DidResume, len(state.VerifiedChains))
			}
			if _, state, err := s.shake(&tls.Config{MaxVersion: version}); err != nil || len(state.PeerCertificates) > 0 {
				t.Errorf("none: %v, %d certificates", err, len(state.PeerCertificates))
			}
			stranger := &tls.Config{MaxVersion: version, GetClientCertificate: with(next).GetClientCertificate}
			if _, _, err := s.shake(stranger); err == nil {
				t.Error("a stranger's was taken")
			}
			next.files(t, dir, "ca")
			s.later()
			if _, _, err := s.shake(with(device)); err == nil {
				t.Error("the authority is gone, but a session from before goes on with its certificate")
			}
		})
	}
}

func TestExpiryIsWarnedOf(t *testing.T) {
	for _, tt := range []struct {
		until time.Time
		want  string
	}{
		{time.Now().Add(time.Hour), "level=WARN msg=\"the certificate expires soon"},
		{time.Now().Add(-time.Hour), "level=WARN msg=\"the certificate has expired"},
		{time.Now().Add(365 * 24 * time.Hour), "level=INFO msg=\"certificate loaded"},
	} {
		pair := issued(t, "old.test", nil, tt.until).files(t, t.TempDir(), "server")
		log := newStand(t, TLS{Certificate: pair.Certificate, Key: pair.Key}).log.String()
		if !strings.Contains(log, tt.want) || !strings.Contains(log, "old.test") {
			t.Errorf("until %v the log says %s", tt.until, log)
		}
	}
}

func TestCheckNamesTheCertificate(t *testing.T) {
	dir := t.TempDir()
	good := issued(t, "good.test", nil, soon()).files(t, dir, "good")
	other := issued(t, "other.test", nil, soon()).files(t, dir, "other")
	for _, tt := range []struct {
		name string
		tls  TLS
		want string // "" for none
	}{
		{"all good", TLS{Certificate: good.Certificate, Key: good.Key, More: []Pair{other}, ClientCA: good.Certificate}, ""},
		{"one of two", TLS{Certificate: good.Certificate}, "tls: certificate and key belong together"},
		{"not a pair", TLS{Certificate: good.Certificate, Key: other.Key}, "tls.certificate: load certificate " + good.Certificate},
		{"half of another", TLS{More: []Pair{other, {Key: good.Key}}}, "tls.more[1]: certificate and key"},
		{"another not there", TLS{More: []Pair{{dir + "/none.pem", dir + "/none.key"}}}, "tls.more[0]: load certificate " + dir + "/none.pem"},
		{"authorities not there", TLS{ClientCA: dir + "/none.pem"}, "tls.clientCA: "},
		{"a key for authorities", TLS{ClientCA: good.Key}, "tls.clientCA: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			c.TLS = tt.tls
			err := c.Check()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(fmt.Sprint(err), tt.want)) {
				t.Errorf("%v", err)
			}
		})
	}
}
