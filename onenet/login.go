package onenet

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/mqtt"
)

// Sent is what a device said in its CONNECT.
type Sent struct {
	ClientID     string // the device's name
	Username     string // the product id
	Password     []byte // the token
	KeepAlive    uint16 // seconds
	CleanSession bool
	Will         bool
	TLS          bool
	Version      mqtt.Version // 0 where it is not known
}

// Keys may have signed a token, as Base64 text; "" where there is none. The
// previous ones are for Diagnose only.
type Keys struct {
	Device, Product                 string
	PreviousDevice, PreviousProduct string
}

// A Match says which key a token was signed with.
type Match struct {
	ProductKey bool // the product's; otherwise the device's
	Token      Token
	Expiry     time.Time // far in the future where et was in milliseconds
}

// A Reason is why a login is refused. The platform answers return code 4 to
// each of them [onenet §1.4].
type Reason byte

// The reasons, in the order in which they are found [onenet §2.3].
const (
	Malformed       Reason = iota + 1 // no token, or a part of it cannot be read
	Expired                           // et is not after now
	WrongResource                     // res is neither of the two forms
	ProductMismatch                   // the product in res is not the user name
	DeviceMismatch                    // the device in res is not the client id
	BadSignature                      // none of the keys made it
)

var reasons = [...]string{
	Malformed: "the password is no token", Expired: "the token has expired", WrongResource: "res is of another form",
	ProductMismatch: "res and user name differ", DeviceMismatch: "res and client id differ", BadSignature: "bad signature",
}

func (r Reason) Error() string {
	if int(r) < len(reasons) && r > 0 {
		return "onenet: " + reasons[r]
	}
	return fmt.Sprintf("onenet: reason %d", byte(r))
}

// Verify reports whether a login is right, as Judge does.
func Verify(s Sent, k Keys, now time.Time) (Match, bool) {
	m, err := Judge(s, k, now)
	return m, err == nil
}

// Judge checks a login in the platform's order: form, expiry, resource,
// product, device, signature [onenet §2.3]. A zero now waives the expiry, for
// the lab. The error wraps a Reason and, for Malformed, a *TokenError.
//
// The resource of a device may be signed with the device's key or its
// product's, that of a product with the product's key only [onenet §2.1].
func Judge(s Sent, k Keys, now time.Time) (Match, error) {
	t, err := ParseToken(s.Password)
	if err != nil {
		return Match{}, fmt.Errorf("%w: %w", Malformed, err)
	}
	et, err := t.Expiry()
	if err != nil {
		return Match{}, fmt.Errorf("%w: %w", Malformed, err)
	}
	if !now.IsZero() && et <= now.Unix() {
		return Match{}, Expired
	}
	product, device, ok := ParseRes(t.Res)
	switch {
	case !ok:
		return Match{}, WrongResource
	case product != s.Username:
		return Match{}, ProductMismatch
	case s.ClientID == "", device != "" && device != s.ClientID:
		return Match{}, DeviceMismatch
	}
	m := Match{Token: t, Expiry: time.Unix(et, 0).UTC()}
	if device != "" && signedWith(t, k.Device) {
		return m, nil
	}
	m.ProductKey = true
	if signedWith(t, k.Product) {
		return m, nil
	}
	return Match{}, BadSignature
}

// ParseRes takes the resource of a login apart: products/{pid}/devices/{name},
// or products/{pid} with device "". It reports false for any other resource.
func ParseRes(res string) (product, device string, ok bool) {
	rest, ok := strings.CutPrefix(res, "products/")
	if !ok {
		return "", "", false
	}
	product, device, hasDevice := strings.Cut(rest, "/devices/")
	if product == "" || hasDevice && device == "" || strings.Contains(product, "/") || strings.Contains(device, "/") {
		return "", "", false
	}
	return product, device, true
}

// signedWith reports whether a key, as Base64 text, made a token's signature.
func signedWith(t Token, key string) bool {
	if key == "" {
		return false
	}
	raw, err := DecodeKey(key)
	return err == nil && signs(t.Sign, raw, t.Method, t.StringForSignature())
}

// signs compares decoded bytes in constant time.
func signs(sign string, key []byte, m Method, text string) bool {
	want := Sign(m, key, text)
	got, err := decodeSign(sign)
	return err == nil && want != nil && subtle.ConstantTimeCompare(got, want) == 1
}
