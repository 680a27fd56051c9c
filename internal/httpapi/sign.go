package httpapi

import (
	"context"
	"strconv"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/onenet"
)

type signAliyunInput struct {
	Body struct {
		ProductKey   string `json:"productKey" minLength:"1"`
		DeviceName   string `json:"deviceName" minLength:"1"`
		DeviceSecret string `json:"deviceSecret" minLength:"1"`
		ClientID     string `json:"clientId,omitempty" doc:"The signed part; left out, ProductKey.DeviceName"`
		Timestamp    string `json:"timestamp,omitempty" doc:"Any digits; left out, none is signed"`
		Method       string `json:"method,omitempty" enum:"hmacmd5,hmacsha1,hmacsha256" doc:"hmacsha256 where it is left out"`
		TLS          bool   `json:"tls,omitempty" doc:"securemode=2 instead of 3"`
	}
}

// A signed is a login, with the text that was signed.
type signed struct {
	ClientID     string    `json:"clientId,omitempty"`
	Username     string    `json:"username,omitempty"`
	Password     string    `json:"password" doc:"The signature or token"`
	StringToSign string    `json:"stringToSign"`
	Expires      time.Time `json:"expires,omitzero"`
}

// signAliyun keeps nothing of what it is given.
func (a *api) signAliyun(_ context.Context, in *signAliyunInput) (signed, error) {
	b := &in.Body
	t := aliyun.Triple{ProductKey: b.ProductKey, DeviceName: b.DeviceName, DeviceSecret: b.DeviceSecret}
	o := aliyun.Options{ClientID: b.ClientID, Timestamp: b.Timestamp, Method: aliyun.Method(b.Method), SecureMode: 3}
	if o.Method == "" {
		o.Method = aliyun.Method("hmacsha256")
	}
	if b.TLS {
		o.SecureMode = 2
	}
	l := aliyun.Credentials(t, o)
	if o.ClientID == "" {
		o.ClientID = t.ProductKey + "." + t.DeviceName
	}
	return signed{
		ClientID: l.ClientID, Username: l.Username, Password: l.Password,
		StringToSign: aliyun.Content(o.ClientID, t.ProductKey, t.DeviceName, o.Timestamp),
	}, nil
}

type signOneNETInput struct {
	Body struct {
		ProductID  string `json:"productId" minLength:"1"`
		DeviceName string `json:"deviceName,omitempty" doc:"Left out for a token of the product"`
		Key        string `json:"key" minLength:"1" doc:"Base64: the device's, or the product's"`
		Expiry     int64  `json:"et,omitempty" minimum:"0" doc:"Unix seconds; a year from now where it is left out"`
		Method     string `json:"method,omitempty" enum:"md5,sha1,sha256" doc:"sha1 where it is left out"`
		Level      string `json:"level,omitempty" enum:"device,product" doc:"Whose resource is signed; device where it is left out"`
	}
}

// tokenLifetime is how long a token is good where nobody says.
const tokenLifetime = 365 * 24 * time.Hour

// signOneNET keeps nothing of what it is given.
func (a *api) signOneNET(_ context.Context, in *signOneNETInput) (signed, error) {
	b := &in.Body
	o := onenet.Options{ProductID: b.ProductID, DeviceName: b.DeviceName, Key: b.Key, Expiry: b.Expiry, Method: onenet.Method(b.Method)}
	if b.Level == "product" {
		o.Res = onenet.ProductRes(b.ProductID)
	} else if b.DeviceName == "" {
		return signed{}, fault.In("deviceName", fault.Invalid("a token of device level needs the device's name"))
	}
	if o.Expiry == 0 {
		o.Expiry = time.Now().Add(tokenLifetime).Unix()
	}
	t, err := onenet.NewToken(o)
	if err != nil {
		return signed{}, fault.In("key", fault.Invalid("%v", err))
	}
	et, _ := strconv.ParseInt(t.Et, 10, 64)
	return signed{
		ClientID: b.DeviceName, Username: b.ProductID, Password: t.String(),
		StringToSign: t.StringForSignature(), Expires: time.Unix(et, 0).UTC(),
	}, nil
}
