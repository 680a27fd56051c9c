package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often, at the most, a handshake looks whether the files of
// the certificates have changed.
const lookEvery = 2 * time.Second

// expirySoon is how long before its end a certificate is warned about.
const expirySoon = 14 * 24 * time.Hour

// certificates are what devices are shown by TLS, and whose certificates of
// theirs are believed. They follow their files: whoever renews those need tell
// nobody. What cannot be loaded leaves what was there.
type certificates struct {
	dir, host string // of the lab's certificate
	log       *slog.Logger
	now       func() time.Time

	next    atomic.Int64 // when to look again, in Unix nanoseconds
	current atomic.Pointer[tls.Config]

	mu      sync.Mutex // one load at a time
	files   TLS
	stamps  []stamp
	failure string // why the files as they are now cannot be loaded, "" if they are
}

// A stamp is by what a change of a file is seen.
type stamp struct {
	modified int64
	size     int64
}

// newCertificates loads the files that are named. Where tls.certificate is not,
// the lab's certificate in dir is the first, made on the first start.
func newCertificates(files TLS, dir, host string, log *slog.Logger) (*certificates, error) {
	c := &certificates{dir: dir, host: host, log: log, now: time.Now}
	if err := c.use(files); err != nil {
		return nil, err
	}
	return c, nil
}

// config is for a listener; what it shows changes with the files.
func (c *certificates) config() *tls.Config {
	config := c.current.Load().Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c.look()
		return c.current.Load(), nil
	}
	return config
}

// look loads the files anew if they have changed. One handshake every
// lookEvery does it, the others go on with what there is.
func (c *certificates) look() {
	now := c.now()
	next := c.next.Load()
	if now.UnixNano() < next || !c.next.CompareAndSwap(next, now.Add(lookEvery).UnixNano()) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == "" && slices.Equal(stampsOf(c.files), c.stamps) {
		return
	}
	err := c.load(c.files)
	if err == nil {
		c.failure = ""
		return
	}
	if why := err.Error(); why != c.failure { // once, not at every look
		c.failure = why
		c.log.Error("changed certificate not loaded, the one before stays", "error", err)
	}
}

// use puts other files in the place of those in use. Where they cannot be
// loaded, all stays as it was.
func (c *certificates) use(files TLS) error {
	if files.Certificate == "" {
		if err := makeLab(c.dir, c.host); err != nil {
			return fmt.Errorf("make the lab's certificate in %s: %w", c.dir, err)
		}
		files.Certificate, files.Key = filepath.Join(c.dir, labServerFile), filepath.Join(c.dir, labServerKey)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.load(files); err != nil {
		return err
	}
	c.files, c.failure = files, ""
	return nil
}

// load loads files; mu is held. The stamps are taken first: what changes
// meanwhile is seen at the next look.
func (c *certificates) load(files TLS) error {
	stamps := stampsOf(files)
	config, err := deviceTLS(files)
	if err != nil {
		return err
	}
	c.stamps = stamps
	c.current.Store(config)
	for _, pair := range config.Certificates {
		leaf := pair.Leaf
		log, what := c.log.Info, "certificate loaded"
		switch now := c.now(); {
		case leaf.NotAfter.Before(now):
			log, what = c.log.Warn, "the certificate has expired: devices that check it stay away until its file is replaced"
		case leaf.NotAfter.Before(now.Add(expirySoon)):
			log, what = c.log.Warn, "the certificate expires soon: replace its file in time, it is taken up at once"
		}
		log(what, "subject", leaf.Subject.CommonName, "names", leaf.DNSNames, "expires", leaf.NotAfter)
	}
	return nil
}

// deviceTLS is the configuration for devices. A client that names the host it
// wants is shown the first certificate for it that it can use, one that names
// none or another the first of all.
func deviceTLS(files TLS) (*tls.Config, error) {
	var pairs []tls.Certificate
	for _, p := range files.pairs() {
		pair, err := p.load()
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	config := &tls.Config{
		Certificates: pairs,
		MinVersion:   tls.VersionTLS10, // shipped devices speak nothing newer [aliyun-device §1.4]
		CipherSuites: deviceSuites(),
		NextProtos:   nil, // a device that offers ALPN "mqtt" gets none and goes on
	}
	if files.ClientCA == "" {
		return config, nil
	}
	pool, err := loadAuthorities(files.ClientCA)
	if err != nil {
		return nil, err
	}
	// Asked for and not required: devices with a secret dock at the same port.
	config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, pool
	return config, nil
}

func (p Pair) load() (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(p.Certificate, p.Key)
	if err != nil {
		return pair, fmt.Errorf("load certificate %s with key %s: %w", p.Certificate, p.Key, err)
	}
	return pair, nil
}

func loadAuthorities(file string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load authorities of client certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("load authorities of client certificates %s: no certificate in it", file)
	}
	return pool, nil
}

// pairs are all certificates, the default first.
func (t *TLS) pairs() []Pair {
	var list []Pair
	if t.Certificate != "" {
		list = append(list, Pair{t.Certificate, t.Key})
	}
	return append(list, t.More...)
}

func stampsOf(files TLS) (list []stamp) {
	names := []string{files.ClientCA}
	for _, p := range files.pairs() {
		names = append(names, p.Certificate, p.Key)
	}
	for _, name := range names {
		var s stamp
		if info, err := os.Stat(name); err == nil {
			s = stamp{info.ModTime().UnixNano(), info.Size()}
		}
		list = append(list, s)
	}
	return list
}

// check finds what is wrong with the files, and says under which key.
func (t *TLS) check(bad func(key, format string, args ...any)) {
	if (t.Certificate == "") != (t.Key == "") {
		bad("tls", "certificate and key belong together")
	} else if t.Certificate != "" {
		t.checkPair("tls.certificate", Pair{t.Certificate, t.Key}, bad)
	}
	for i, p := range t.More {
		key := fmt.Sprintf("tls.more[%d]", i)
		if p.Certificate == "" || p.Key == "" {
			bad(key, "certificate and key belong together")
			continue
		}
		t.checkPair(key, p, bad)
	}
	if t.ClientCA != "" {
		if _, err := loadAuthorities(t.ClientCA); err != nil {
			bad("tls.clientCA", "%v", err)
		}
	}
}

func (*TLS) checkPair(key string, p Pair, bad func(key, format string, args ...any)) {
	if _, err := p.load(); err != nil {
		bad(key, "%v", err)
	}
}
