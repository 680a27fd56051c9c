package aliyun

import (
	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
)

var _ dialect.Registrar = Dialect{}

// Registration reads authType=register and authType=regnwl.
func (Dialect) Registration(l *dialect.Login) *dialect.Registration {
	if l.Form != nil {
		return nil
	}
	r, ok := vendor.ParseRegistration(sent(l))
	if !ok {
		return nil
	}
	return RegistrationOf(r, "mqtt")
}

// RegistrationOf is a registration that came by some road in the words of the
// house.
func RegistrationOf(r vendor.Registration, road string) *dialect.Registration {
	return &dialect.Registration{
		Claim: dialect.Claim{Product: r.ProductKey, Device: r.DeviceName}, Free: r.Free, Road: road, As: &r,
	}
}

// Signed checks its form, road and signature.
func (Dialect) Signed(r *dialect.Registration, k dialect.Secrets) bool {
	v, ok := r.As.(*vendor.Registration)
	return ok && (v.HTTP || v.TLS) && (!v.HTTP || v.SignMethod != "") && v.DeviceName != "" && v.Verify(k.Product)
}

// DiagnoseRegistration names the mistake in a registration, or says why a right
// one is refused.
func (Dialect) DiagnoseRegistration(r *dialect.Registration, k dialect.Secrets, known dialect.Known, why *dialect.RegistrationError) *dialect.Diagnosis {
	if why != nil {
		return Diagnosis(refusedRegistration(r, why))
	}
	v, ok := r.As.(*vendor.Registration)
	if !ok {
		return nil
	}
	what := vendor.RegistrationKnown{ProductSecret: k.Product, PreviousProductSecret: k.PreviousProduct, DeviceSecret: k.Device}
	if known != nil {
		what.KnowsProduct = known.KnowsProduct
	}
	return Diagnosis(vendor.DiagnoseRegistration(*v, what))
}

func refusedRegistration(r *dialect.Registration, why *dialect.RegistrationError) *vendor.Diagnosis {
	pk, dn := r.Product, r.Device
	say := vendor.Explain
	switch why.Why {
	case dialect.ErrRegistrationOff:
		return say("aliyun-register-off", "product", pk, "a product with dynamic registration", pk)
	case dialect.ErrRegistrationFreeOff:
		return say("aliyun-register-free-off", "product", pk, "a product that registers free of pre-registration", pk)
	case dialect.ErrRegistrationFull:
		return say("aliyun-register-full", "product", pk, "", pk, why.Count)
	case dialect.ErrRegistrationUnlisted:
		return say("aliyun-register-unlisted", "device", dn, "a name on the list", dn, pk)
	case dialect.ErrRegistrationNoDevice:
		return say("aliyun-register-no-device", "device", dn, "", pk, dn)
	case dialect.ErrRegistrationName:
		return say("aliyun-register-name", "device", dn, "4 to 32 letters, digits and - _ @ . :", dn)
	case dialect.ErrRegistrationDisabled:
		return say("aliyun-register-disabled", "device", dn, "an enabled device", dn)
	case dialect.ErrRegistrationActivated:
		return say("aliyun-register-activated", "device", dn, "a device that never connected", dn)
	case dialect.ErrRegistrationTooOften:
		return say("aliyun-register-too-often", "device", dn, "", dn, why.Count)
	}
	return say("aliyun-register-unavailable", "", "", "")
}

// Welcome says the secret, or the token [aliyun-device §3.3, §3.4].
func (Dialect) Welcome(r *dialect.Registered) dialect.Downlink {
	t := vendor.Triple{ProductKey: r.Product, DeviceName: r.Device, DeviceSecret: r.Secret}
	if !r.Free {
		d := dialect.Downlink{Topic: vendor.RegisterTopic, Payload: vendor.AppendTriple(nil, t)}
		t.DeviceSecret = hidden
		d.Shown = vendor.AppendTriple(nil, t)
		return d
	}
	clientID, token := vendor.DeviceToken(t)
	return dialect.Downlink{
		Topic: vendor.RegisterFreeTopic, Payload: vendor.AppendToken(nil, r.Product, r.Device, clientID, token),
		Shown: vendor.AppendToken(nil, r.Product, r.Device, clientID, hidden),
	}
}

// hidden stands in the timeline where a secret was.
const hidden = "…"

// StillRegisters is the note on a device that registers again and again.
func (Dialect) StillRegisters(r *dialect.Registered) dialect.Note {
	d := vendor.Explain("aliyun-register-again", "device", "", "", r.Device, r.Times)
	return dialect.Note{Code: d.Code, Sentence: d.Sentence + "; " + d.Advice, SentenceZH: d.SentenceZH + "；" + d.AdviceZH}
}

// Identity is what a device is told that has nothing but its certificate. The
// official C SDKs wait for it on a first connection.
func (Dialect) Identity(c dialect.Claim) dialect.Downlink {
	return dialect.Downlink{Topic: vendor.IdentityTopic, Payload: vendor.AppendIdentity(nil, c.Product, c.Device)}
}

// Diagnosis says a vendor's diagnosis in the words of the house.
func Diagnosis(d *vendor.Diagnosis) *dialect.Diagnosis {
	if d == nil {
		return nil
	}
	out := &dialect.Diagnosis{
		Code: d.Code, Field: d.Field, Received: d.Received, Expected: d.Expected, Sentence: d.Sentence, SentenceZH: d.SentenceZH,
		Advice: d.Advice, AdviceZH: d.AdviceZH, StringToSign: d.StringToSign,
	}
	if r := d.RightLogin; r != nil {
		out.RightLogin = &dialect.Credentials{ClientID: r.ClientID, Username: r.Username, Password: r.Password, Host: r.Host, Port: r.Port}
	}
	_, _, connack := vendor.RegistrationAnswer(d.Code)
	if out.Connack = d.ReturnCode(); out.Connack == vendor.ReturnBadLogin {
		out.Connack = connack
	}
	return out
}
