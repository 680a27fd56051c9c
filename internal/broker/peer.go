package broker

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxCommonName is how long a common name may be [RFC 5280 appendix A.1]; of a
// stranger's, no more is shown.
const maxCommonName = 64

// PeerName is the common name of the client's certificate, "" without one.
func (o Origin) PeerName() string {
	if o.Peer == nil {
		return ""
	}
	return o.Peer.Subject.CommonName
}

// PeerFingerprint is the SHA-256 of the client's certificate in lower-case
// hexadecimal digits, "" without one.
func (o Origin) PeerFingerprint() string {
	if o.Peer == nil {
		return ""
	}
	return fingerprint(o.Peer)
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// clientCertificate makes of a handshake's error one that says whose
// certificate was refused and why, and logs it, for the operator who put the
// wrong authority there as much as for the device. Other errors it returns as
// they are.
func (b *Broker) clientCertificate(origin Origin, err error) error {
	refused, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(refused.UnverifiedCertificates) == 0 {
		return err
	}
	leaf := refused.UnverifiedCertificates[0]
	name := leaf.Subject.CommonName
	name = name[:min(len(name), maxCommonName)]
	if unsaid, ok := b.refusedPeers.say(time.Now()); ok {
		b.log.Warn("client certificate refused", "from", origin.Remote, "name", name,
			"fingerprint", fingerprint(leaf), "error", refused.Err, "unsaid", unsaid)
	}
	return fmt.Errorf("client certificate %q, SHA-256 %s: %w", name, fingerprint(leaf), refused.Err)
}

// seldom keeps what strangers can cause from filling the log: one line a
// second, the others are counted.
type seldom struct {
	mu     sync.Mutex
	tokens bucket
	unsaid int
}

// say reports whether the next line may be logged, and how many were not since
// the last.
func (s *seldom) say(now time.Time) (unsaid int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens.since.IsZero() {
		s.tokens = fullBucket(1, now)
	}
	if !s.tokens.take(1, now) {
		s.unsaid++
		return 0, false
	}
	unsaid, s.unsaid = s.unsaid, 0
	return unsaid, true
}
