package gate

import (
	"context"
	"strings"

	"github.com/matou-iot/matou/internal/dialect"
)

// nameless reports whether a login names nobody: a device that has nothing but
// a certificate sends empty names.
func nameless(username string) bool { return strings.Trim(username, "& ") == "" }

// identifyByCertificate finds the device that is bound to the certificate which
// an applicant showed.
func (g *Gate) identifyByCertificate(ctx context.Context, a *applicant) error {
	device, err := g.Registry.DeviceByCertificate(ctx, a.from.PeerFingerprint())
	if err != nil {
		return notThere(err)
	}
	product, err := g.Registry.Product(ctx, device.Product)
	if err != nil {
		return notThere(err)
	}
	d, ok := g.Dialects.ByName(product.Dialect)
	if !ok {
		return nil
	}
	a.dialect, a.product, a.device, a.nameless = d, product, device, true
	a.claim = dialect.Claim{Product: device.Product, Device: device.Name}
	return nil
}

// verdict judges a login: by the certificate, where the device is bound to one,
// else by what it signed.
func (g *Gate) verdict(a *applicant, mode dialect.Strictness) dialect.Verdict {
	peer, bound := a.from.PeerFingerprint(), a.device.Certificate
	switch {
	case bound != "" && peer == bound:
		return dialect.Verdict{OK: true}
	case bound != "" && peer == "":
		return dialect.Verdict{Diagnosis: certificateMissing(a)}
	case bound != "":
		return dialect.Verdict{Diagnosis: certificateOther(a, peer)}
	case peer != "" && len(a.login.Password) == 0:
		return dialect.Verdict{Diagnosis: certificateUnbound(a.claim.Session(), peer)}
	}
	return a.dialect.Verify(&a.login, a.claim, secrets(a), mode, g.Now())
}

func certificateMissing(a *applicant) *dialect.Diagnosis {
	id := a.claim.Session()
	received := "TLS without a certificate"
	if a.from.TLSVersion == 0 {
		received = "no TLS"
	}
	return &dialect.Diagnosis{
		Code: "certificate-missing", Field: "certificate", Received: received, Expected: a.device.Certificate,
		Sentence:   "device " + id + " is bound to a certificate and showed none",
		SentenceZH: "设备 " + id + " 已绑定证书，但连接时没有出示证书",
		Advice:     "connect by TLS with the device's certificate and key, and let the server ask for one (tls.clientCA); or unbind it: matou device certificate clear " + id,
		AdviceZH:   "请用设备证书和私钥以 TLS 连接，并让服务器索取证书（tls.clientCA）；或解除绑定：matou device certificate clear " + id,
	}
}

func certificateOther(a *applicant, peer string) *dialect.Diagnosis {
	id := a.claim.Session()
	return &dialect.Diagnosis{
		Code: "certificate-other", Field: "certificate", Received: peer, Expected: a.device.Certificate,
		Sentence:   "device " + id + " is bound to another certificate than the one it showed (" + a.from.PeerName() + ")",
		SentenceZH: "设备 " + id + " 绑定的证书与其出示的证书（" + a.from.PeerName() + "）不同",
		Advice:     "put the right certificate into the device; if it was renewed, bind it: matou device certificate set " + id + " FILE",
		AdviceZH:   "请在设备中使用正确的证书；若证书已更新，请重新绑定：matou device certificate set " + id + " FILE",
	}
}

// certificateUnbound is of one who has nothing to show but a certificate that
// is nobody's.
func certificateUnbound(id, peer string) *dialect.Diagnosis {
	name := id
	if name == "" || name == "/" {
		name = "PRODUCT/DEVICE"
	}
	return &dialect.Diagnosis{
		Code: "certificate-unbound", Field: "certificate", Received: peer, Expected: "a certificate that a device is bound to",
		Sentence:   "the certificate " + peer + " is trusted, but the device is not bound to it and signed nothing",
		SentenceZH: "证书 " + peer + " 受信任，但设备未绑定该证书，也没有签名",
		Advice:     "bind it: matou device certificate set " + name + " " + peer,
		AdviceZH:   "请绑定证书：matou device certificate set " + name + " " + peer,
	}
}
