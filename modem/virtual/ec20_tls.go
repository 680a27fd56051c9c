package virtual

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tlsCommands are about TLS contexts [EC2x SSL note].
var tlsCommands = cellTable{
	"+QSSLCFG": {set: (*cellTurn).qsslcfg, test: (*cellTurn).qsslcfgTest},
}

// tlsContexts is how many TLS contexts there are.
const tlsContexts = 6

// A tlsContext is what AT+QSSLCFG sets.
type tlsContext struct {
	version, level       int
	suite                string
	ca, cert, key        string // names of files
	ignoreTime, sni      int
	negotiate, sessionID int
}

var defaultTLS = tlsContext{version: 4, suite: "0XFFFF", ignoreTime: 1, negotiate: 300}

// How much of the other side is checked: see tlsContext.level.
const (
	checkNothing = iota
	checkServer
	checkBoth
)

// A tlsSetting is one name of AT+QSSLCFG.
type tlsSetting struct {
	name string
	test string
	set  func(a *cellArgs, c *tlsContext)
	show func(c *tlsContext) string
}

func tlsFile(name string, of func(*tlsContext) *string) tlsSetting {
	return tlsSetting{name, `(0-5),<path>`,
		func(a *cellArgs, c *tlsContext) { *of(c) = a.text(0, maxFileName) },
		func(c *tlsContext) string { return `"` + *of(c) + `"` }}
}

func tlsNumber(name string, low, high int, of func(*tlsContext) *int) tlsSetting {
	return tlsSetting{name, fmt.Sprintf("(0-5),(%d-%d)", low, high),
		func(a *cellArgs, c *tlsContext) { *of(c) = a.number(low, high) },
		func(c *tlsContext) string { return csv(*of(c)) }}
}

var tlsSettings = []tlsSetting{
	tlsNumber("sslversion", 0, 4, func(c *tlsContext) *int { return &c.version }),
	{"ciphersuite", "(0-5),<cipher_suites>",
		func(a *cellArgs, c *tlsContext) { c.suite = a.hex() },
		func(c *tlsContext) string { return c.suite }},
	tlsFile("cacert", func(c *tlsContext) *string { return &c.ca }),
	tlsFile("clientcert", func(c *tlsContext) *string { return &c.cert }),
	tlsFile("clientkey", func(c *tlsContext) *string { return &c.key }),
	tlsNumber("seclevel", checkNothing, checkBoth, func(c *tlsContext) *int { return &c.level }),
	tlsNumber("ignorelocaltime", 0, 1, func(c *tlsContext) *int { return &c.ignoreTime }),
	tlsNumber("negotiatetime", 10, 300, func(c *tlsContext) *int { return &c.negotiate }),
	tlsNumber("sni", 0, 1, func(c *tlsContext) *int { return &c.sni }),
	tlsNumber("session", 0, 1, func(c *tlsContext) *int { return &c.sessionID }),
}

// qsslcfg is AT+QSSLCFG="<name>",<context>[,<value>]: without a value it asks.
func (t *cellTurn) qsslcfg() cellResult {
	name := strings.ToLower(t.text(1, 32))
	n := t.number(0, tlsContexts-1)
	i := slices.IndexFunc(tlsSettings, func(s tlsSetting) bool { return s.name == name })
	if t.failed || i < 0 {
		return cellError
	}
	c := &t.ec20.tls[n]
	if !t.more() {
		t.say(fmt.Sprintf(`+QSSLCFG: "%s",%d,%s`, name, n, tlsSettings[i].show(c)))
		return cellOK
	}
	changed := *c
	tlsSettings[i].set(t.cellArgs, &changed)
	if !t.end() {
		return cellError
	}
	*c = changed
	return cellOK
}

func (t *cellTurn) qsslcfgTest() cellResult {
	for _, s := range tlsSettings {
		t.say(fmt.Sprintf(`+QSSLCFG: "%s",%s`, s.name, s.test))
	}
	return cellOK
}

// tlsVersions are the least versions by the numbers of "sslversion"; SSL 3 is
// gone from the world.
var tlsVersions = map[int][2]uint16{
	1: {tls.VersionTLS10, tls.VersionTLS10}, 2: {tls.VersionTLS11, tls.VersionTLS11},
	3: {tls.VersionTLS12, tls.VersionTLS12}, 4: {tls.VersionTLS10, tls.VersionTLS12},
}

// secure is how a context speaks TLS; nil without on.
func (c *cellular) secure(on bool, number int, host string) (*tls.Config, error) {
	if !on {
		return nil, nil
	}
	x := c.ec20.tls[number]
	versions, ok := tlsVersions[x.version]
	if !ok {
		return nil, fmt.Errorf("TLS context %d: SSL 3 is spoken by nobody any more: set sslversion to 3 or 4", number)
	}
	// The firmware checks the chain and not the name, so we do that part alone.
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: versions[0], MaxVersion: versions[1]}
	if x.sni == 1 {
		config.ServerName = host
	}
	if x.level >= checkServer {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(c.flash.files[x.ca]) {
			return nil, fmt.Errorf("TLS context %d: file %q of cacert holds no certificate: upload it with AT+QFUPL", number, x.ca)
		}
		at := c.radio.Clock().Time(c.airTime(c.life))
		config.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, roots, x.ignoreTime == 1, at) }
	}
	if x.level == checkBoth {
		pair, err := tls.X509KeyPair(c.flash.files[x.cert], c.flash.files[x.key])
		if err != nil {
			return nil, fmt.Errorf("TLS context %d: clientcert %q and clientkey %q: %w", number, x.cert, x.key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// verifyChain checks a server's certificates against roots, at the module's
// time or, with ignoreTime, at one when all of them are valid.
func verifyChain(s tls.ConnectionState, roots *x509.CertPool, ignoreTime bool, at time.Time) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: at}
	if ignoreTime {
		o.CurrentTime = time.Time{}
	}
	for i, cert := range s.PeerCertificates {
		if i > 0 {
			o.Intermediates.AddCert(cert)
		}
		if ignoreTime && cert.NotBefore.After(o.CurrentTime) {
			o.CurrentTime = cert.NotBefore
		}
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}
