package app

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The lab's own certificate authority. RSA with 2048 bits and not an elliptic
// curve, because old modules know nothing else [aliyun-device §1.4].
const (
	labKeyBits    = 2048
	labYears      = 20
	labRootFile   = "ca.pem"
	labRootKey    = "ca.key"
	labServerFile = "server.pem"
	labServerKey  = "server.key"
)

// deviceSuites are Go's secure suites and the RSA ones that old modules need.
// TLS 1.3 has its own and is not affected.
func deviceSuites() []uint16 {
	var ids []uint16
	for _, s := range tls.CipherSuites() {
		ids = append(ids, s.ID)
	}
	return append(ids,
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
		tls.TLS_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	)
}

// makeLab makes what is missing: the authority, once for all, because devices
// were told to trust it, and a server certificate by it for the names that this
// machine has now. Who took the authority's key away keeps the certificate.
func makeLab(dir, host string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	server, err := readCertificate(filepath.Join(dir, labServerFile))
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, labRootKey)); server != nil && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	root, rootKey, err := labRoot(dir)
	if err != nil {
		return err
	}
	dns, ips := names(host)
	if server != nil && server.CheckSignatureFrom(root) == nil && coversAll(server, dns, ips) {
		return nil
	}
	return makeServer(dir, root, rootKey, dns, ips)
}

// labRoot reads the authority of dir, or makes one.
func labRoot(dir string) (*x509.Certificate, crypto.Signer, error) {
	file, keyFile := filepath.Join(dir, labRootFile), filepath.Join(dir, labRootKey)
	root, err := readCertificate(file)
	if err != nil {
		return nil, nil, err
	}
	if root != nil {
		pair, err := tls.LoadX509KeyPair(file, keyFile)
		if err != nil {
			return nil, nil, fmt.Errorf("load %s with %s: %w", file, keyFile, err)
		}
		key, ok := pair.PrivateKey.(crypto.Signer)
		if !ok {
			return nil, nil, fmt.Errorf("%s cannot sign", keyFile)
		}
		return root, key, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, labKeyBits)
	if err != nil {
		return nil, nil, err
	}
	root = template("Matou lab CA")
	root.IsCA, root.BasicConstraintsValid = true, true
	root.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	// The certificate comes last: it is what says that the key is there.
	if err := writeKey(keyFile, key); err != nil {
		return nil, nil, err
	}
	if err := writeCertificates(file, der); err != nil {
		return nil, nil, err
	}
	root, err = x509.ParseCertificate(der)
	return root, key, err
}

// makeServer makes the server's certificate, and its key where there is none.
func makeServer(dir string, root *x509.Certificate, rootKey crypto.Signer, dns []string, ips []net.IP) error {
	file, keyFile := filepath.Join(dir, labServerFile), filepath.Join(dir, labServerKey)
	var key crypto.Signer
	if pair, err := tls.LoadX509KeyPair(file, keyFile); err == nil {
		key, _ = pair.PrivateKey.(crypto.Signer)
	}
	if key == nil {
		made, err := rsa.GenerateKey(rand.Reader, labKeyBits)
		if err != nil {
			return err
		}
		if err := writeKey(keyFile, made); err != nil {
			return err
		}
		key = made
	}
	leaf := template("Matou")
	leaf.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames, leaf.IPAddresses = dns, ips
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), rootKey)
	if err != nil {
		return err
	}
	return writeCertificates(file, der, root.Raw)
}

// readCertificate reads the first certificate of a file, nil where there is no
// such file.
func readCertificate(file string) (*x509.Certificate, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM file", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return cert, nil
}

// coversAll reports whether a certificate is good for all these names.
func coversAll(c *x509.Certificate, dns []string, ips []net.IP) bool {
	for _, name := range dns {
		if c.VerifyHostname(name) != nil {
			return false
		}
	}
	for _, ip := range ips {
		if c.VerifyHostname(ip.String()) != nil {
			return false
		}
	}
	return true
}

func template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Matou"}},
		NotBefore:    now.Add(-24 * time.Hour), // a device's clock may be behind
		NotAfter:     now.AddDate(labYears, 0, 0),
	}
}

// names are what the certificate is valid for: this machine by all its names.
func names(host string) (dns []string, ips []net.IP) {
	dns = []string{"localhost"}
	if h, err := os.Hostname(); err == nil && h != "localhost" {
		dns = append(dns, h)
	}
	if ip := net.ParseIP(host); ip != nil {
		ips = append(ips, ip)
	} else if host != "" {
		dns = append(dns, host)
	}
	ips = append(ips, net.IPv4(127, 0, 0, 1), net.IPv6loopback)
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP)
		}
	}
	return dns, ips
}

func writeKey(file string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writeWhole(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func writeCertificates(file string, ders ...[]byte) error {
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return writeWhole(file, out, 0o644)
}

// writeWhole writes a file that is either there whole or as it was.
func writeWhole(file string, data []byte, mode fs.FileMode) error {
	part := file + ".part"
	if err := os.WriteFile(part, data, mode); err != nil {
		return err
	}
	return os.Rename(part, file)
}

// rootCertificate is the file of the lab's authority, "" where it is not used.
func (a *App) rootCertificate() string {
	if a.config.TLS.Certificate != "" {
		return ""
	}
	return a.config.path("tls", labRootFile)
}
