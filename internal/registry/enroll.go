package registry

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"time"

	"github.com/matou-iot/matou/internal/fault"
)

// ParseFingerprint reads the SHA-256 of a certificate as people copy it, with
// or without colons, or a certificate itself in PEM.
func ParseFingerprint(s string) (string, error) {
	if block, _ := pem.Decode([]byte(s)); block != nil {
		if block.Type != "CERTIFICATE" {
			return "", fault.Invalid("this is a %s: give the certificate, and keep its key in the device", strings.ToLower(block.Type))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return "", fault.Invalid("the certificate cannot be read: %v", err)
		}
		sum := sha256.Sum256(c.Raw)
		return hex.EncodeToString(sum[:]), nil
	}
	s = strings.ToLower(strings.TrimSpace(s))
	if _, value, named := strings.Cut(s, "="); named { // openssl x509 -fingerprint -sha256
		s = value
	}
	s = strings.NewReplacer(":", "", " ", "").Replace(s)
	if !isFingerprint(s) {
		return "", fault.Invalid("give the certificate in PEM, or its SHA-256 in 64 hexadecimal digits: openssl x509 -noout -fingerprint -sha256 -in device.pem")
	}
	return s, nil
}

func isFingerprint(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// SetCertificate binds a device to the certificate with a fingerprint, which no
// other device may have; "" unbinds it. A connection that it has ends.
func (r *Registry) SetCertificate(ctx context.Context, id ID, fingerprint string) (Device, error) {
	return r.UpdateDevice(ctx, id, func(d *Device) error {
		if fingerprint != "" {
			switch other, err := r.store.DeviceByCertificate(ctx, fingerprint); {
			case err == nil && other.ID() != id:
				return fault.In("certificate", fault.Conflict("device %q has this certificate: a certificate is of one device", other.ID()))
			case err != nil && !errors.Is(err, ErrNotFound):
				return err
			}
		}
		d.Certificate = fingerprint
		return nil
	})
}

// DeviceByCertificate returns the device that is bound to a certificate.
func (r *Registry) DeviceByCertificate(ctx context.Context, fingerprint string) (*Device, error) {
	d, err := r.store.DeviceByCertificate(ctx, fingerprint)
	if errors.Is(err, ErrNotFound) {
		return nil, fault.NotFound("no device is bound to the certificate %s", fingerprint)
	}
	return d, err
}

// EnableBatch enables or disables all devices of a batch and returns how many
// were not so before.
func (r *Registry) EnableBatch(ctx context.Context, product, batch string, enabled bool) (int, error) {
	r.updating.Lock()
	defer r.updating.Unlock()
	ids, err := r.store.EnableBatch(ctx, product, batch, enabled, r.stamp())
	if err != nil {
		return 0, err
	}
	kind := DeviceEnabled
	if !enabled {
		kind = DeviceDisabled
	}
	for _, id := range ids {
		r.devices.drop(id)
		gateway, err := r.Gateway(ctx, id) // it is disabled whether its gateway hears of it or not
		if err != nil {
			r.log.Error("gateway of a device of a batch", "device", id.String(), "error", err)
		}
		r.tell(Change{kind, id, gateway})
	}
	return len(ids), nil
}

// Contacted marks that a device logged in or reported without a connection, by
// HTTP for instance: the first time activates it. It is not online for that.
func (r *Registry) Contacted(id ID, at time.Time, addr, protocol string) {
	r.change(id, func(p *Presence) {
		at = at.UTC().Truncate(time.Millisecond)
		p.activate(at)
		if p.State != Online {
			p.LastOnline, p.LastAddr, p.Protocol = at, addr, protocol
		}
	})
}

// ResetActivation makes a device as if it had never connected, so that it may
// register again. It gets another secret: what it had is of no more use.
func (r *Registry) ResetActivation(ctx context.Context, id ID) (Device, error) {
	d, err := r.ResetSecret(ctx, id, "")
	if err != nil {
		return Device{}, err
	}
	r.change(id, func(p *Presence) {
		p.ActivatedAt = time.Time{}
		if p.State != Online { // its connection is about to end
			p.State, p.Since = Inactive, r.stamp()
		}
	})
	return d, r.flush(ctx)
}
