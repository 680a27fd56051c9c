package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/onenet"
)

type signCmd struct {
	Aliyun signAliyunCmd `cmd:"" help:"Sign as an Aliyun device: with its DeviceSecret."`
	OneNET signOneNETCmd `cmd:"" name:"onenet" help:"Sign as a OneNET device: a token from its key."`
}

// A login is what a device puts into its CONNECT, and where it connects.
type login struct {
	ClientID string `json:"clientId"`
	Username string `json:"username"`
	Password string `json:"password"`
	Host     string `json:"host"`
	Port     int    `json:"port"`

	StringToSign string `json:"stringToSign,omitempty"` // only with --show-string
}

// placeFlags say where the device will connect.
type placeFlags struct {
	Host       string `help:"Host to print; left out, this machine." placeholder:"HOST"`
	Port       int    `help:"Port to print; left out, 1883, or 8883 with TLS." placeholder:"PORT"`
	ShowString bool   `help:"Print the text that is signed, too."`
}

// place fills in host and port.
func (f *placeFlags) place(l *login, tls bool) {
	l.Host, l.Port = f.Host, f.Port
	if l.Host == "" {
		l.Host = "127.0.0.1"
	}
	if l.Port == 0 {
		l.Port = mqtt.UsualPort(tls)
	}
	if !f.ShowString {
		l.StringToSign = ""
	}
}

// print shows a login; the note goes where it disturbs no program.
func (f *placeFlags) print(g *globals, l login) error {
	if f.Host == "" && !g.JSON {
		defer fmt.Fprintln(g.Stderr, "host and port are those of a Matou on this machine: --host and --port name another place")
	}
	return g.emit(l, func(w io.Writer) {
		signed := ""
		if l.StringToSign != "" {
			signed = strconv.Quote(l.StringToSign)
		}
		fields(w, "client id", l.ClientID, "user name", l.Username, "password", l.Password, "host", l.Host, "port", strconv.Itoa(l.Port), "signed text", signed)
	})
}

type signAliyunCmd struct {
	ProductKey   string `required:"" help:"ProductKey of the device's product." placeholder:"KEY"`
	DeviceName   string `required:"" help:"DeviceName." placeholder:"NAME"`
	DeviceSecret string `required:"" help:"DeviceSecret." env:"MATOU_DEVICE_SECRET" placeholder:"SECRET"`
	ClientID     string `name:"client-id" help:"Client id to sign; left out, ProductKey.DeviceName." placeholder:"ID"`
	Timestamp    string `help:"Timestamp to sign, any digits; left out, none is signed." placeholder:"MS"`
	Method       string `enum:"hmacmd5,hmacsha1,hmacsha256" default:"hmacsha256" help:"hmacmd5, hmacsha1 or hmacsha256."`
	SecureMode   int    `enum:"2,3" default:"3" help:"2 over TLS, 3 over plain TCP."`
	placeFlags
}

func (*signAliyunCmd) Help() string {
	return `Examples:
  matou sign aliyun --product-key a1NightLamp --device-name lamp01 \
    --device-secret Zk3Qw8ErT5yUiOp1AsDf7GhJkLzXcV2b
  matou sign aliyun --product-key pk --device-name device --device-secret secret \
    --client-id 12345 --timestamp 789 --method hmacsha1 --show-string
  matou sign aliyun … --json`
}

func (c *signAliyunCmd) Run(g *globals) error {
	l := signAliyun(aliyun.Triple{ProductKey: c.ProductKey, DeviceName: c.DeviceName, DeviceSecret: c.DeviceSecret},
		aliyun.Options{ClientID: c.ClientID, Timestamp: c.Timestamp, Method: aliyun.Method(c.Method), SecureMode: c.SecureMode})
	c.place(&l, c.SecureMode == 2)
	return c.print(g, l)
}

func signAliyun(t aliyun.Triple, o aliyun.Options) login {
	l := aliyun.Credentials(t, o)
	if o.ClientID == "" {
		o.ClientID = t.ProductKey + "." + t.DeviceName
	}
	return login{
		ClientID:     l.ClientID,
		Username:     l.Username,
		Password:     l.Password,
		StringToSign: aliyun.Content(o.ClientID, t.ProductKey, t.DeviceName, o.Timestamp),
	}
}

type signOneNETCmd struct {
	ProductID  string `name:"product-id" required:"" help:"Product id." placeholder:"ID"`
	DeviceName string `required:"" help:"Device name." placeholder:"NAME"`
	Key        string `required:"" help:"Key of the device, or the product's, as the platform shows it." env:"MATOU_DEVICE_KEY" placeholder:"KEY"`
	Et         int64  `help:"When the token expires, Unix seconds; left out, a year from now." placeholder:"SECONDS"`
	Method     string `enum:"md5,sha1,sha256" default:"sha1" help:"md5, sha1 or sha256."`
	Version    string `default:"2018-10-31" help:"Version that is signed."`
	Res        string `help:"Resource that is signed, not URL-encoded; left out, products/ID/devices/NAME." placeholder:"RES"`
	placeFlags
}

func (*signOneNETCmd) Help() string {
	return `The password is a token that no longer connects after --et.

Examples:
  matou sign onenet --product-id VRqhDHF2wL --device-name my_tv \
    --key KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=
  matou sign onenet --product-id VRqhDHF2wL --device-name my_tv --key KEY \
    --et 1893456000 --method md5 --res products/VRqhDHF2wL --show-string
  matou sign onenet … --json`
}

func (c *signOneNETCmd) Run(g *globals) error {
	l, err := signOneNET(onenet.Options{
		ProductID: c.ProductID, DeviceName: c.DeviceName, Key: c.Key, Expiry: c.Et,
		Method: onenet.Method(c.Method), Version: c.Version, Res: c.Res,
	})
	if err != nil { // the methods are listed: it is the key
		return usagef("--key: %w", err)
	}
	c.place(&l, false)
	return c.print(g, l)
}

// tokenLifetime is how long a token is good where nobody says.
const tokenLifetime = 365 * 24 * time.Hour

func signOneNET(o onenet.Options) (login, error) {
	if o.Expiry == 0 {
		o.Expiry = time.Now().Add(tokenLifetime).Unix()
	}
	t, err := onenet.NewToken(o)
	if err != nil {
		return login{}, err
	}
	return login{
		ClientID:     o.DeviceName,
		Username:     o.ProductID,
		Password:     t.String(),
		StringToSign: onenet.StringForSignature(t.Et, t.Method, t.Res, t.Version),
	}, nil
}

// signFlags sign a login from a device's secret, in commands that connect.
type signFlags struct {
	ProductKey   string `group:"Signed login" help:"Aliyun: ProductKey." placeholder:"KEY"`
	DeviceName   string `group:"Signed login" help:"Aliyun and OneNET: name of the device." placeholder:"NAME"`
	DeviceSecret string `group:"Signed login" help:"Aliyun: DeviceSecret." env:"MATOU_DEVICE_SECRET" placeholder:"SECRET"`
	ProductID    string `name:"product-id" group:"Signed login" help:"OneNET: product id." placeholder:"ID"`
	Key          string `group:"Signed login" help:"OneNET: key of the device or its product." env:"MATOU_DEVICE_KEY" placeholder:"KEY"`
	Method       string `group:"Signed login" help:"Sign method: hmacmd5, hmacsha1, hmacsha256; OneNET: md5, sha1, sha256." placeholder:"METHOD"`
	Timestamp    string `group:"Signed login" help:"Aliyun: timestamp to sign." placeholder:"MS"`
	Et           int64  `group:"Signed login" help:"OneNET: when the token expires, Unix seconds; left out, a year from now." placeholder:"SECONDS"`
}

// login signs if the flags ask for it. clientID is Aliyun's free part of the
// client id, secure whether the connection has TLS.
func (f *signFlags) login(clientID string, secure bool) (l login, asked bool, err error) {
	switch {
	case f.ProductKey != "" && f.ProductID != "":
		return l, false, usagef("--product-key is Aliyun's and --product-id is OneNET's: give one of them")
	case f.ProductKey != "":
		return f.aliyun(clientID, secure)
	case f.ProductID != "":
		return f.onenet()
	case f.DeviceName != "":
		return l, false, usagef("--device-name needs --product-key or --product-id")
	}
	return l, false, nil
}

func (f *signFlags) aliyun(clientID string, secure bool) (l login, asked bool, err error) {
	if f.DeviceName == "" || f.DeviceSecret == "" {
		return l, false, usagef("--product-key needs --device-name and --device-secret")
	}
	o := aliyun.Options{ClientID: clientID, Timestamp: f.Timestamp, SecureMode: 3}
	if secure {
		o.SecureMode = 2
	}
	if f.Method != "" {
		if o.Method, err = aliyun.ParseMethod(f.Method); err != nil {
			return l, false, usagef("--method: %w", err)
		}
	}
	return signAliyun(aliyun.Triple{ProductKey: f.ProductKey, DeviceName: f.DeviceName, DeviceSecret: f.DeviceSecret}, o), true, nil
}

func (f *signFlags) onenet() (l login, asked bool, err error) {
	if f.DeviceName == "" || f.Key == "" {
		return l, false, usagef("--product-id needs --device-name and --key")
	}
	if _, err := onenet.DecodeKey(f.Key); err != nil {
		return l, false, usagef("--key: %w", err)
	}
	l, err = signOneNET(onenet.Options{
		ProductID: f.ProductID, DeviceName: f.DeviceName, Key: f.Key, Expiry: f.Et, Method: onenet.Method(f.Method),
	})
	if err != nil {
		return l, false, usagef("--method: %w", err)
	}
	return l, true, nil
}
