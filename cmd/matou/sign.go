package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/matou-iot/matou/aliyun"
)

type signCmd struct {
	Aliyun signAliyunCmd `cmd:"" help:"Sign as an Aliyun device: with its DeviceSecret."`
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
		l.Port = 1883
		if tls {
			l.Port = 8883
		}
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
		t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		fmt.Fprintf(t, "client id\t%s\n", l.ClientID)
		fmt.Fprintf(t, "user name\t%s\n", l.Username)
		fmt.Fprintf(t, "password\t%s\n", l.Password)
		fmt.Fprintf(t, "host\t%s\n", l.Host)
		fmt.Fprintf(t, "port\t%d\n", l.Port)
		if l.StringToSign != "" {
			fmt.Fprintf(t, "signed text\t%q\n", l.StringToSign)
		}
		t.Flush()
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

// signFlags sign a login from a device's secret, in commands that connect.
type signFlags struct {
	ProductKey   string `group:"Signed login" help:"Aliyun: ProductKey." placeholder:"KEY"`
	DeviceName   string `group:"Signed login" help:"Aliyun and OneNET: name of the device." placeholder:"NAME"`
	DeviceSecret string `group:"Signed login" help:"Aliyun: DeviceSecret." env:"MATOU_DEVICE_SECRET" placeholder:"SECRET"`
	ProductID    string `name:"product-id" group:"Signed login" help:"OneNET: product id." placeholder:"ID"`
	Key          string `group:"Signed login" help:"OneNET: key of the device or its product." env:"MATOU_DEVICE_KEY" placeholder:"KEY"`
	Method       string `group:"Signed login" help:"Sign method: hmacmd5, hmacsha1, hmacsha256; OneNET: md5, sha1, sha256." placeholder:"METHOD"`
	Timestamp    string `group:"Signed login" help:"Aliyun: timestamp to sign." placeholder:"MS"`
}

// login signs if the flags ask for it. clientID is Aliyun's free part of the
// client id, secure whether the connection has TLS.
func (f *signFlags) login(clientID string, secure bool) (l login, asked bool, err error) {
	switch {
	case f.ProductKey != "" && f.ProductID != "":
		return l, false, usagef("--product-key is Aliyun's and --product-id is OneNET's: give one of them")
	case f.ProductKey != "":
		return f.aliyun(clientID, secure)
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
