package coapgate

import (
	"github.com/plgd-dev/go-coap/v3/message/codes"

	vendor "github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/gate"
	"github.com/matou-iot/matou/internal/registry"
)

// auth serves POST /auth [aliyun-device §7.2, §7.3].
func (x *conversation) auth() answer {
	a, err := vendor.ParseCoAPAuth(x.payload, x.format == vendor.CoAPCBOR)
	claim := dialect.Claim{Product: a.ProductKey, Device: a.DeviceName}
	missing := a.Missing()
	if missing == "" && a.Seq == "" && !x.secure() {
		missing = "seq"
	}
	switch {
	case err != nil:
		return x.refuse(codes.BadRequest, "aliyun-coap-body", "payload", "", err)
	case missing != "":
		return x.refuseOf(claim, codes.BadRequest, "aliyun-coap-missing", missing, "", missing)
	case x.who != nil && x.who.Claim != claim:
		return x.refuseOf(x.who.Claim, codes.Unauthorized, "aliyun-coap-token-device", "deviceName", claim.Session())
	}
	if a.Separate() {
		x.answerApart()
	}
	_, device, why, err := x.Gate.Login(x.ctx, dialect.Login{
		Username: a.DeviceName + "&" + a.ProductKey, Password: []byte(a.Sign), TLS: x.secure(),
		Form: &dialect.Form{ClientID: a.ClientID, Method: a.SignMethod, Timestamp: a.Timestamp, Texts: a.Texts()},
	}, x.from, x.road)
	switch {
	case err != nil:
		x.down("login", err)
		return refusal(codes.InternalServerError)
	case why != nil:
		return refusal(codeOf(why))
	}
	x.counters.Logins.Add(1)
	return x.begin(device, &a)
}

// codeOf is the answer to a login that is refused. C3 logs in again by itself
// after 5.00 only, and stops after anything else.
func codeOf(why *dialect.Diagnosis) codes.Code {
	switch why.Code {
	case gate.TooOften:
		return codes.TooManyRequests
	case "device-disabled":
		return codes.Forbidden
	}
	return codes.Unauthorized
}

// begin gives a device that has logged in its session.
func (x *conversation) begin(device *registry.Device, a *vendor.CoAPAuth) answer {
	s := &session{
		who: dialect.Claim{Product: device.Product, Device: device.Name}, token: secretText(16), secret: device.Secret, random: secretText(8),
		secure: x.secure(), apart: a.Separate(), expires: x.Now().Add(tokenLife),
	}
	s.key = vendor.NewCoAPKey(s.secret, s.random)
	x.counters.SessionsDropped.Add(int64(x.sessions.add(s)))
	cbor := x.accept == vendor.CoAPCBOR
	told := answer{code: codes.Content, format: vendor.CoAPJSON}
	if cbor {
		told.format = vendor.CoAPCBOR
	}
	if s.secure {
		told.payload = vendor.AppendCoAPToken(nil, s.token, cbor)
	} else {
		told.payload = vendor.AppendCoAPSession(nil, vendor.CoAPSession{Token: s.token, Random: s.random, SeqOffset: firstSequence}, cbor)
	}
	return told
}
