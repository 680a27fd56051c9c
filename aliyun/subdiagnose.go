package aliyun

import (
	"strings"
)

// KnownSub is what the server knows about a sub-device that a gateway wants to
// add or log in.
type KnownSub struct {
	DeviceSecret   string
	PreviousSecret string // of the device, before it was reset
	ProductSecret  string
	GatewaySecret  string
}

// subPrefix is before the codes of a sub-device's signature; behind it they
// are those of a login.
const subPrefix = "aliyun-sub-"

// DiagnoseSub names the mistake in a sub-device's signature that VerifySub
// refused, nil for a right one. The fields are those of the message.
func DiagnoseSub(s SubDevice, k KnownSub) *Diagnosis {
	if VerifySub(s, k.DeviceSecret) {
		return nil
	}
	a := s.attempt(k)
	switch {
	case s.Sign == "":
		return a.say(subPrefix+"no-sign", "sign", "", "", nil)
	case a.badMethod():
		return a.say(subPrefix+"unknown-method", "signMethod", s.SignMethod, "hmacsha256", nil)
	case k.GatewaySecret != k.DeviceSecret && a.signedByAny(k.GatewaySecret):
		return a.say(subPrefix+"gateway-secret", "sign", "", "", nil)
	}
	for _, look := range []func(*attempt) *Diagnosis{
		rawPassword, strayBytes, passwordForm, otherSecret, withoutBars, otherContent, otherMethod, otherMaking,
	} {
		if d := look(a); d != nil {
			return a.ofSub(d)
		}
	}
	return a.say(subPrefix+"wrong-secret", "sign", "", "", nil)
}

// attempt sees a sub-device's signature as a login whose client id has no
// other part.
func (s *SubDevice) attempt(k KnownSub) *attempt {
	a := &attempt{
		Sent:   Sent{ClientID: s.ClientID, Username: s.DeviceName + "&" + s.ProductKey, Password: []byte(s.Sign)},
		known:  Known{DeviceSecret: k.DeviceSecret, PreviousSecret: k.PreviousSecret, ProductSecret: k.ProductSecret},
		id:     ClientID{Base: s.ClientID, Extended: true, Closed: true, Parameters: map[string]string{"timestamp": s.Timestamp, "signmethod": s.SignMethod}},
		method: HMACMD5, pk: s.ProductKey, dn: s.DeviceName, named: true, sub: s,
	}
	if m, err := s.method(); err == nil {
		a.method = m
	}
	return a
}

func (a *attempt) badMethod() bool {
	_, err := a.sub.method()
	return err != nil
}

// ofSub says a login's mistake in the words of a sub-device's message.
func (a *attempt) ofSub(d *Diagnosis) *Diagnosis {
	code, field := subPrefix+strings.TrimPrefix(d.Code, "aliyun-"), d.Field
	switch {
	case d.Code == "aliyun-wrong-method":
		field = "signMethod"
		d.Received, d.Expected = strings.TrimPrefix(d.Received, "signmethod="), strings.TrimPrefix(d.Expected, "signmethod=")
	case strings.HasPrefix(d.Code, "aliyun-timestamp-"):
		field = "timestamp"
		d.Received, d.Expected = strings.TrimPrefix(d.Received, "timestamp="), strings.TrimPrefix(d.Expected, "timestamp=")
	case field == "password":
		field = "sign"
	case field == "username":
		field = "deviceName"
	}
	return a.say(code, field, d.Received, d.Expected, nil)
}

// withoutBars finds a signature over the part of the clientId before its bars:
// right for the gateway's own login, wrong here [aliyun-device §4.16].
func withoutBars(a *attempt) *Diagnosis {
	base, _, barred := strings.Cut(a.id.Base, "|")
	if barred && a.signedWith(a.known.DeviceSecret, a.method, contents(base, a.pk, a.dn, a.id.Timestamp())...) {
		return a.say("aliyun-clientid-bars", "clientId", a.id.Base, base, nil)
	}
	return nil
}

// correctSub adds the text and the signature that would have been right.
func (a *attempt) correctSub(d *Diagnosis) {
	if d.Field == "sign" && d.Received == "" {
		d.Received = a.shown()
	}
	if a.known.DeviceSecret == "" {
		return
	}
	d.StringToSign = a.sub.Content
	if d.Field == "sign" && d.Expected == "" {
		d.Expected = Sign(a.method, a.known.DeviceSecret, a.sub.Content)
	}
}
