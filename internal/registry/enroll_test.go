package registry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/registry"
)

func TestFingerprintsAreReadAsPeopleCopyThem(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	want := hex.EncodeToString(sum[:])
	var colons []string
	for i := 0; i < len(want); i += 2 {
		colons = append(colons, strings.ToUpper(want[i:i+2]))
	}
	for name, s := range map[string]string{
		"digits": want, "capitals": strings.ToUpper(want), "colons": strings.Join(colons, ":"),
		"openssl":   "sha256 Fingerprint=" + strings.Join(colons, ":") + "\n",
		"PEM":       string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"PEM below": "subject=CN = lamp01\n" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
	} {
		if got, err := registry.ParseFingerprint(s); err != nil || got != want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	for name, s := range map[string]string{
		"nothing": "", "SHA-1": want[:40], "other letters": "g" + want[1:],
		"key":        string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
		"broken PEM": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der[:20]})),
	} {
		if got, err := registry.ParseFingerprint(s); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestACertificateIsOfOneDevice(t *testing.T) {
	r, _ := newRegistry(t)
	one, two := add(t, r, "a1NightLamp", "one"), add(t, r, "plain", "two")
	var ended []registry.ID
	r.OnChange(func(c registry.Change) {
		if c.Kind == registry.DeviceSecretReset {
			ended = append(ended, c.ID)
		}
	})
	fingerprint := strings.Repeat("0a", 32)
	for range 2 { // a second time is no contradiction
		if d, err := r.SetCertificate(t.Context(), one.ID(), fingerprint); err != nil || d.Certificate != fingerprint {
			t.Fatalf("%+v, %v", d, err)
		}
	}
	if len(ended) != 1 || ended[0] != one.ID() {
		t.Errorf("connections ended: %v", ended)
	}
	if _, err := r.SetCertificate(t.Context(), two.ID(), fingerprint); fault.KindOf(err) != fault.KindConflict || !strings.Contains(err.Error(), "one") {
		t.Errorf("a second device: %v", err)
	}
	if _, err := r.SetCertificate(t.Context(), two.ID(), "0a"); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("half a fingerprint: %v", err)
	}
	if d, err := r.DeviceByCertificate(t.Context(), fingerprint); err != nil || d.ID() != one.ID() {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := r.SetCertificate(t.Context(), one.ID(), ""); err != nil {
		t.Error(err)
	}
	if _, err := r.DeviceByCertificate(t.Context(), fingerprint); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("unbound: %v", err)
	}
}

func TestABatchIsDisabledAsOne(t *testing.T) {
	r, _ := newRegistry(t)
	var all []registry.Device
	for _, name := range []string{"b1", "b2", "b3"} {
		all = append(all, registry.Device{Name: name, Batch: "march"})
	}
	if _, bad, err := r.CreateDevices(t.Context(), "plain", all); err != nil || bad != nil {
		t.Fatal(bad, err)
	}
	add(t, r, "plain", "other")
	if _, err := r.UpdateDevice(t.Context(), registry.ID{Product: "plain", Device: "b2"}, func(d *registry.Device) error { d.Enabled = false; return nil }); err != nil {
		t.Fatal(err)
	}
	disabled := 0
	r.OnChange(func(c registry.Change) {
		if c.Kind == registry.DeviceDisabled {
			disabled++
		}
	})
	if n, err := r.EnableBatch(t.Context(), "plain", "march", false); n != 2 || err != nil || disabled != 2 {
		t.Errorf("%d disabled, told of %d, %v", n, disabled, err)
	}
	for name, enabled := range map[string]bool{"b1": false, "b2": false, "b3": false, "other": true} {
		if d, err := r.Device(t.Context(), registry.ID{Product: "plain", Device: name}); err != nil || d.Enabled != enabled {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	if n, err := r.EnableBatch(t.Context(), "plain", "march", true); n != 3 || err != nil {
		t.Errorf("%d enabled, %v", n, err)
	}
}

func TestContactActivatesAndResetUndoesIt(t *testing.T) {
	r, _ := newRegistry(t)
	d := add(t, r, "a1NightLamp", "lamp01")
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	r.Contacted(d.ID(), at, "10.0.0.1:5", "https")
	r.Contacted(d.ID(), at.Add(time.Minute), "10.0.0.1:6", "https")
	s, err := r.Status(t.Context(), d.ID())
	if err != nil || s.State != registry.Offline || !s.ActivatedAt.Equal(at) || !s.LastOnline.Equal(at.Add(time.Minute)) || s.Protocol != "https" {
		t.Errorf("%+v, %v", s, err)
	}
	r.WentOnline(d.ID(), at, "10.0.0.2:7", "c", "MQTT 3.1.1 over tls")
	r.Contacted(d.ID(), at.Add(time.Hour), "10.0.0.1:6", "https")
	if s, _ := r.Status(t.Context(), d.ID()); s.State != registry.Online || s.LastAddr != "10.0.0.2:7" {
		t.Errorf("a connection is forgotten: %+v", s)
	}
	r.WentOffline(d.ID(), at, "lost")
	reset, err := r.ResetActivation(t.Context(), d.ID())
	if err != nil || reset.Secret == d.Secret || reset.PreviousSecret != d.Secret {
		t.Errorf("%+v, %v", reset, err)
	}
	if s, _ := r.Status(t.Context(), d.ID()); s.State != registry.Inactive || !s.ActivatedAt.IsZero() {
		t.Errorf("after the reset %+v", s)
	}
}

func TestOnlyAliyunProductsRegister(t *testing.T) {
	r, _ := newRegistry(t)
	on := func(p *registry.Product) error {
		p.Registration = registry.Registration{Enabled: true}
		return nil
	}
	if p, err := r.UpdateProduct(t.Context(), "a1NightLamp", on); err != nil || !p.Registration.Enabled || p.Registration.Bound() != registry.DefaultMaxDevices {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := r.UpdateProduct(t.Context(), "plain", on); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("plain: %v", err)
	}
	_, err := r.UpdateProduct(t.Context(), "a1NightLamp", func(p *registry.Product) error { p.Registration.MaxDevices = -1; return nil })
	if fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("below 0: %v", err)
	}
}
