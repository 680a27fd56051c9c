package onenet

import (
	"crypto/subtle"
	"encoding/base64"
	"strconv"
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
	Version      mqtt.Version
}

// Keys may have signed a token; "" where there is none.
type Keys struct {
	Device, Product                 string
	PreviousDevice, PreviousProduct string
}

// A Match says which key a token was signed with.
type Match struct {
	ProductKey bool // the product's; otherwise the device's
	Token      Token
	Expiry     time.Time
}

// Verify reports whether the token is right: not expired, for this product and
// device, signed with the device's or the product's key [onenet §2.3].
func Verify(s Sent, k Keys, now time.Time) (Match, bool) {
	t, err := ParseToken(s.Password)
	if err != nil {
		return Match{}, false
	}
	et, err := strconv.ParseInt(t.Et, 10, 64)
	if err != nil || et <= now.Unix() {
		return Match{}, false
	}
	if !covers(t.Res, s.Username, s.ClientID) {
		return Match{}, false
	}
	m := Match{Token: t, Expiry: time.Unix(et, 0).UTC()}
	if signedWith(t, k.Device) {
		return m, true
	}
	m.ProductKey = true
	return m, signedWith(t, k.Product)
}

// covers reports whether a resource is the device's own or its product's.
func covers(res, pid, name string) bool {
	return pid != "" && name != "" && (res == DeviceRes(pid, name) || res == ProductRes(pid))
}

// signedWith compares decoded bytes in constant time.
func signedWith(t Token, key string) bool {
	raw, err := DecodeKey(key)
	if key == "" || err != nil {
		return false
	}
	return signs(t, raw, t.Method, StringForSignature(t.Et, t.Method, t.Res, t.Version))
}

func signs(t Token, key []byte, m Method, text string) bool {
	want := Sign(m, key, text)
	if want == nil {
		return false
	}
	got, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(t.Sign, "="))
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}
