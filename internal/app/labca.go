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

// serverTLS returns the configuration for devices: the files that were named,
// else the lab's certificate in dir, made on the first start.
func serverTLS(files TLS, dir, host string) (*tls.Config, error) {
	cert, key := files.Certificate, files.Key
	if cert == "" {
		if err := makeLab(dir, host); err != nil {
			return nil, fmt.Errorf("make the lab's certificate in %s: %w", dir, err)
		}
		cert, key = filepath.Join(dir, labServerFile), filepath.Join(dir, labServerKey)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load certificate %s: %w", cert, err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS10, // shipped devices speak nothing newer [aliyun-device §1.4]
		CipherSuites: deviceSuites(),
		NextProtos:   nil, // a device that offers ALPN "mqtt" gets none and goes on
	}, nil
}

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

// makeLab makes root and server certificate where they are missing.
func makeLab(dir, host string) error {
	if _, err := os.Stat(filepath.Join(dir, labServerFile)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	rootKey, err := rsa.GenerateKey(rand.Reader, labKeyBits)
	if err != nil {
		return err
	}
	root := template("Matou lab CA")
	root.IsCA, root.BasicConstraintsValid = true, true
	root.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, labKeyBits)
	if err != nil {
		return err
	}
	leaf := template("Matou")
	leaf.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames, leaf.IPAddresses = names(host)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), rootKey)
	if err != nil {
		return err
	}
	// The server's certificate comes last: it is what says that all is there.
	return errors.Join(
		writeKey(filepath.Join(dir, labRootKey), rootKey),
		writeCertificates(filepath.Join(dir, labRootFile), rootDER),
		writeKey(filepath.Join(dir, labServerKey), key),
		writeCertificates(filepath.Join(dir, labServerFile), leafDER, rootDER),
	)
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
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func writeCertificates(file string, ders ...[]byte) error {
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return os.WriteFile(file, out, 0o644)
}

// rootCertificate is the file of the lab's authority, "" where it is not used.
func (a *App) rootCertificate() string {
	if a.config.TLS.Certificate != "" {
		return ""
	}
	return a.config.path("tls", labRootFile)
}
