package onenet

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/matou-iot/matou/mqtt"
)

// A Login is what a device puts into its CONNECT, and where it connects.
type Login struct {
	ClientID string `json:"clientId"`
	Username string `json:"username"`
	Password string `json:"password"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
}

// Options say who logs in and how the token is made.
type Options struct {
	ProductID  string
	DeviceName string
	Key        string // Base64: the device's key, or the product's
	Expiry     int64  // et, Unix seconds; required, for this package has no clock
	Method     Method // "": SHA1
	Version    string // "": 2018-10-31
	Res        string // "": products/{pid}/devices/{name}
	Host       string
	Port       int // 0: 1883
}

// ErrExpiry says that Options lack the token's end.
var ErrExpiry = errors.New("onenet: the token needs an expiry in Unix seconds")

// NewToken makes and signs the token of a login. The errors are ErrExpiry,
// ErrKey, or name the part that is wrong; none holds the key.
func NewToken(o Options) (Token, error) {
	t := Token{Version: o.Version, Res: o.Res, Method: o.Method, Et: strconv.FormatInt(o.Expiry, 10)}
	if t.Version == "" {
		t.Version = DeviceVersion
	}
	if t.Method == "" {
		t.Method = SHA1
	}
	if t.Res == "" {
		if o.ProductID == "" || o.DeviceName == "" {
			return Token{}, errors.New("onenet: a login needs product id and device name")
		}
		t.Res = DeviceRes(o.ProductID, o.DeviceName)
	}
	if o.Expiry <= 0 {
		return Token{}, ErrExpiry
	}
	key, err := DecodeKey(o.Key)
	if err != nil {
		return Token{}, err
	}
	return t.Signed(key)
}

// Credentials signs a login: client id is the device name, user name the
// product id, password the token [onenet §1.3]. Errors are those of NewToken.
func Credentials(o Options) (Login, error) {
	t, err := NewToken(o)
	if err != nil {
		return Login{}, err
	}
	if o.Port == 0 {
		o.Port = mqtt.Port // without TLS [onenet §1.1]
	}
	return Login{ClientID: o.DeviceName, Username: o.ProductID, Password: t.String(), Host: o.Host, Port: o.Port}, nil
}

// DeviceRes is the resource of a device [onenet §2.1].
func DeviceRes(product, device string) string {
	return fmt.Sprintf("products/%s/devices/%s", product, device)
}

// ProductRes is the resource of a product [onenet §2.1].
func ProductRes(product string) string { return "products/" + product }
