// Package aliyun is Alibaba Cloud IoT Platform's device protocol without a
// socket: signing and verifying logins and naming what is wrong with them,
// topics, Alink messages, and TSL thing models.
//
// Sources are cited as [aliyun-device §n]: the project's reference of the
// device side, whose facts carry their confidence.
package aliyun

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"

	"github.com/matou-iot/matou/internal/wording"
)

// A Method is how a password is signed [aliyun-device §2.1].
type Method string

// The methods. HMACMD5 is meant where a login names none.
const (
	HMACMD5    Method = "hmacmd5"
	HMACSHA1   Method = "hmacsha1"
	HMACSHA256 Method = "hmacsha256"
)

// Methods are all methods, the usual one first.
var methods = [...]Method{HMACSHA256, HMACSHA1, HMACMD5}

// Methods returns all methods, the usual one first.
func Methods() []Method { return append([]Method(nil), methods[:]...) }

// ParseMethod reads a method in any letter case; "sha256" is an alias.
func ParseMethod(s string) (Method, error) {
	switch m := Method(strings.ToLower(s)); m {
	case HMACMD5, HMACSHA1, HMACSHA256:
		return m, nil
	case "sha256":
		return HMACSHA256, nil
	case "":
		return HMACMD5, nil
	}
	return "", wording.Errorf("aliyun: %q is no sign method: use hmacsha256, hmacsha1 or hmacmd5", s)
}

func (m Method) hash() func() hash.Hash {
	switch m {
	case HMACSHA1:
		return sha1.New
	case HMACSHA256:
		return sha256.New
	}
	return md5.New
}

// hexLength is how many digits a password has.
func (m Method) hexLength() int { return m.hash()().Size() * 2 }

// A Triple is a device's identity: ProductKey, DeviceName, DeviceSecret.
type Triple struct {
	ProductKey   string
	DeviceName   string
	DeviceSecret string
}

// Content is the text that is signed: names and values in alphabetical order
// without anything between [aliyun-device §2.1]. An empty clientID or
// timestamp is left out, name and all.
func Content(clientID, productKey, deviceName, timestamp string) string {
	var b strings.Builder
	if clientID != "" {
		b.WriteString("clientId" + clientID)
	}
	b.WriteString("deviceName" + deviceName + "productKey" + productKey)
	if timestamp != "" {
		b.WriteString("timestamp" + timestamp)
	}
	return b.String()
}

// Sign returns the lower-case hex HMAC of content.
func Sign(m Method, secret, content string) string {
	return hex.EncodeToString(mac(m, secret, content))
}

func mac(m Method, secret, content string) []byte {
	h := hmac.New(m.hash(), []byte(secret))
	h.Write([]byte(content))
	return h.Sum(nil)
}

// Options are the choices a device has; the zero value is a good one.
type Options struct {
	ClientID   string // "": productKey.deviceName
	Timestamp  string // "": none is sent or signed
	Method     Method // "": HMACSHA256
	SecureMode int    // 2 over TLS, 3 plain; 0: 3
	Host       string
	Port       int
}

// A Login is what a device puts into its CONNECT, and where it connects.
type Login struct {
	ClientID string `json:"clientId"`
	Username string `json:"username"`
	Password string `json:"password"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
}

// Credentials signs a login.
func Credentials(t Triple, o Options) Login {
	if o.ClientID == "" {
		o.ClientID = t.ProductKey + "." + t.DeviceName
	}
	if o.Method == "" {
		o.Method = HMACSHA256
	}
	if o.SecureMode == 0 {
		o.SecureMode = 3
	}
	id := o.ClientID + "|securemode=" + strconv.Itoa(o.SecureMode) + ",signmethod=" + string(o.Method)
	if o.Timestamp != "" {
		id += ",timestamp=" + o.Timestamp
	}
	return Login{
		ClientID: id + "|",
		Username: t.DeviceName + "&" + t.ProductKey,
		Password: Sign(o.Method, t.DeviceSecret, Content(o.ClientID, t.ProductKey, t.DeviceName, o.Timestamp)),
		Host:     o.Host,
		Port:     o.Port,
	}
}
