package app

import (
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

// lab makes the lab's certificate for host and returns what is in dir then.
func lab(t *testing.T, dir, host string) (root, server *x509.Certificate) {
	t.Helper()
	if err := makeLab(dir, host); err != nil {
		t.Fatal(err)
	}
	for file, to := range map[string]**x509.Certificate{labRootFile: &root, labServerFile: &server} {
		c, err := readCertificate(filepath.Join(dir, file))
		if err != nil || c == nil {
			t.Fatalf("%s: %v", file, err)
		}
		*to = c
	}
	return root, server
}

func TestTheLabsAuthorityStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	root, first := lab(t, dir, "192.0.2.1")
	pool := x509.NewCertPool()
	pool.AddCert(root)
	for _, name := range []string{"192.0.2.1", "localhost", "127.0.0.1", "::1"} {
		if _, err := first.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); err != nil {
			t.Errorf("for %s: %v", name, err)
		}
	}
	if _, again := lab(t, dir, "192.0.2.1"); !again.Equal(first) {
		t.Error("with the same names there is another certificate")
	}
	sameRoot, moved := lab(t, dir, "matou.example.com")
	if !sameRoot.Equal(root) || moved.Equal(first) {
		t.Error("with another name: the authority has to stay, the certificate not")
	}
	if !moved.PublicKey.(*rsa.PublicKey).Equal(first.PublicKey) {
		t.Error("the key has changed")
	}
	if _, err := moved.Verify(x509.VerifyOptions{Roots: pool, DNSName: "matou.example.com"}); err != nil {
		t.Error(err)
	}
	if _, err := (Pair{filepath.Join(dir, labServerFile), filepath.Join(dir, labServerKey)}).load(); err != nil {
		t.Error(err)
	}
	os.Remove(filepath.Join(dir, labRootKey))
	if _, kept := lab(t, dir, "elsewhere.example.com"); !kept.Equal(moved) {
		t.Error("the authority's key was taken away, and yet there is another certificate")
	}
}

func TestABrokenLabIsNamed(t *testing.T) {
	dir := t.TempDir()
	lab(t, dir, "")
	write(t, filepath.Join(dir, labServerFile), "oops")
	if err := makeLab(dir, ""); err == nil || err.Error() != filepath.Join(dir, labServerFile)+" is no PEM file" {
		t.Errorf("%v", err)
	}
}
