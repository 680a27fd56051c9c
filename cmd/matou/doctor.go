package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/refusal"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
	"github.com/matou-iot/matou/onenet"
)

type doctorCmd struct {
	Aliyun doctorAliyunCmd `cmd:"" help:"Find the mistake in the login of an Aliyun device."`
	OneNET doctorOneNETCmd `cmd:"" name:"onenet" help:"Find the mistake in the login of a OneNET device."`
}

// sentFlags say what a device sent: field by field, or as the packet.
type sentFlags struct {
	ClientID string `group:"What was sent" name:"client-id" xor:"packet-client" help:"Client id." placeholder:"TEXT"`
	Username string `group:"What was sent" xor:"packet-user" help:"User name." placeholder:"TEXT"`
	Password string `group:"What was sent" xor:"packet-password" help:"Password." placeholder:"TEXT"`
	Packet   string `group:"What was sent" xor:"packet-client,packet-user,packet-password" help:"The whole CONNECT in hex, or - for standard input, instead of the three." placeholder:"HEX"`
	TLS      bool   `group:"What was sent" name:"tls" help:"It was sent over TLS."`
}

// usualKeepAlive stands in for a keep-alive time that nobody told us.
const usualKeepAlive = 60

// connect is the CONNECT that was sent. A broken packet is explained and ends
// the command.
func (f *sentFlags) connect(g *globals) (*packet.Connect, error) {
	if f.Packet == "" {
		if f.ClientID == "" && f.Username == "" && f.Password == "" {
			return nil, usagef("nothing was sent: give --client-id, --username and --password, or --packet")
		}
		return &packet.Connect{
			Version: mqtt.V311, CleanStart: true, KeepAlive: usualKeepAlive, ClientID: f.ClientID,
			HasUsername: f.Username != "", Username: f.Username,
			HasPassword: f.Password != "", Password: []byte(f.Password),
		}, nil
	}
	b, err := f.bytes(g.Stdin)
	if err != nil {
		return nil, err
	}
	h, err := packet.ParseHeader(b)
	if err == nil && h.Type == packet.TypeConnect && len(b) == h.Size+h.Remaining {
		var c packet.Connect
		if err = c.Decode(h, b[h.Size:], 0); err == nil {
			return &c, nil
		}
	}
	e := packet.Explain(b, 0)
	fmt.Fprintln(g.Stderr, "matou: --packet is not one whole CONNECT:")
	if err := g.emit(e, func(w io.Writer) { io.WriteString(w, explained(e, g.chinese())) }); err != nil {
		return nil, err
	}
	return nil, exitCode(exitFailed)
}

func (f *sentFlags) bytes(stdin io.Reader) ([]byte, error) {
	text := f.Packet
	if text == "-" {
		content, err := readAll("-", stdin)
		if err != nil {
			return nil, err
		}
		text = string(content)
	}
	b, err := packet.ParseHex(text)
	if err != nil {
		return nil, usagef("--packet: %w", err)
	}
	return b, nil
}

// A finding is a diagnosis of any vendor, and its absence.
type finding struct {
	OK           bool   `json:"ok"`
	Code         string `json:"code,omitempty"`
	Field        string `json:"field,omitempty"`
	Received     string `json:"received,omitempty"`
	Expected     string `json:"expected,omitempty"`
	Sentence     string `json:"sentence"`
	SentenceZH   string `json:"sentenceZh"`
	Advice       string `json:"advice,omitempty"`
	AdviceZH     string `json:"adviceZh,omitempty"`
	StringToSign string `json:"stringToSign,omitempty"`
	RightLogin   *right `json:"rightLogin,omitempty"`
	Page         string `json:"page,omitempty"` // where the documentation explains the code
}

// right is the login that would have been right.
type right struct {
	ClientID string `json:"clientId"`
	Username string `json:"username"`
	Password string `json:"password"`
}

var rightLogin = finding{
	OK:         true,
	Sentence:   "this login is right",
	SentenceZH: "这个登录是正确的",
}

// print shows the finding; exit code 1 says that there is a mistake.
func (f *finding) print(g *globals, chinese bool) error {
	f.Page = refusal.Path(f.Code)
	if err := g.emit(f, func(w io.Writer) { f.tell(w, chinese) }); err != nil {
		return err
	}
	if !f.OK {
		return exitCode(exitFailed)
	}
	return nil
}

// tell writes the finding for people, in one language.
func (f *finding) tell(w io.Writer, chinese bool) {
	sentence, advice := f.Sentence, f.Advice
	words := []string{"code", "field", "received", "expected", "signed text", "right client id", "right user name", "right password", "page"}
	if chinese {
		sentence, advice = f.SentenceZH, f.AdviceZH
		words = []string{"代码", "字段", "收到", "应为", "签名原文", "正确的 clientId", "正确的 username", "正确的 password", "说明"}
	}
	fmt.Fprintln(w, sentence)
	if advice != "" {
		fmt.Fprintln(w, advice)
	}
	values := []string{f.Code, f.Field, f.Received, f.Expected, f.StringToSign, "", "", "", f.Page}
	if r := f.RightLogin; r != nil {
		values[5], values[6], values[7] = r.ClientID, r.Username, r.Password
	}
	var pairs []string
	for i, v := range values {
		pairs = append(pairs, words[i], oneLine(v))
	}
	if strings.Join(values, "") != "" {
		fmt.Fprintln(w)
	}
	fields(w, pairs...)
}

// oneLine shows line ends, as OneNET's signed text has them, as \n.
func oneLine(s string) string {
	return strings.NewReplacer("\r", `\r`, "\n", `\n`, "\t", `\t`, "\x00", `\x00`).Replace(s)
}

type doctorAliyunCmd struct {
	sentFlags
	DeviceSecret  string `group:"What is known" required:"" help:"DeviceSecret of the device." env:"MATOU_DEVICE_SECRET" placeholder:"SECRET"`
	ProductSecret string `group:"What is known" help:"ProductSecret, to find out whether it was used instead." placeholder:"SECRET"`
	ProductKey    string `group:"What is known" help:"ProductKey that the device should have." placeholder:"KEY"`
	DeviceName    string `group:"What is known" help:"DeviceName that the device should have." placeholder:"NAME"`
}

func (*doctorAliyunCmd) Help() string {
	return `Says, without any server, which mistake gives the bytes that a device sent, and
the login that would have been right. Exit code 0: the login is right; 1: a
mistake was found.

Examples:
  matou doctor aliyun --device-secret secret --username 'device&pk' \
    --client-id '12345|securemode=3,signmethod=hmacsha1,timestamp=789|' \
    --password 14b198324fe55e1d3c88f2e705e201ee
  matou doctor aliyun --device-secret SECRET --packet '10 98 01 00 04 …' --lang zh`
}

func (c *doctorAliyunCmd) Run(g *globals) error {
	hello, err := c.connect(g)
	if err != nil {
		return err
	}
	sent := aliyun.Sent{
		ClientID: hello.ClientID, Username: hello.Username, Password: hello.Password,
		KeepAlive: hello.KeepAlive, TLS: c.TLS, Version: hello.Version,
	}
	known := aliyun.Known{DeviceSecret: c.DeviceSecret, ProductSecret: c.ProductSecret}
	if c.ProductKey != "" {
		known.KnowsProduct = func(pk string) bool { return pk == c.ProductKey }
	}
	if c.DeviceName != "" {
		known.KnowsDevice = func(_, dn string) bool { return dn == c.DeviceName }
	}
	d := aliyun.Diagnose(sent, known)
	if d == nil {
		f := rightLogin
		if m, ok := aliyun.Verify(sent, c.DeviceSecret); ok {
			f.StringToSign = m.Content
			if id, err := aliyun.ParseClientID(sent.ClientID); err == nil && id.Timestamp() != "" && !strings.HasSuffix(m.Content, "timestamp"+id.Timestamp()) {
				f.Advice = "the timestamp in the client id is not signed, which the platform accepts"
				f.AdviceZH = "clientId 中的 timestamp 没有参与签名，平台允许这样"
			}
		}
		return f.print(g, g.chinese())
	}
	f := finding{
		Code: d.Code, Field: d.Field, Received: d.Received, Expected: d.Expected,
		Sentence: d.Sentence, SentenceZH: d.SentenceZH, Advice: d.Advice, AdviceZH: d.AdviceZH, StringToSign: d.StringToSign,
	}
	if l := d.RightLogin; l != nil {
		f.RightLogin = &right{l.ClientID, l.Username, l.Password}
	}
	return f.print(g, g.chinese())
}

type doctorOneNETCmd struct {
	sentFlags
	Key              string `group:"What is known" required:"" help:"Key of the device." env:"MATOU_DEVICE_KEY" placeholder:"KEY"`
	ProductKeySecret string `group:"What is known" help:"Access key of the product, to find out whether it was used instead." placeholder:"KEY"`
	ProductID        string `name:"product-id" group:"What is known" help:"Product id that the device should have." placeholder:"ID"`
	DeviceName       string `group:"What is known" help:"Device name that the device should have." placeholder:"NAME"`
	Strict           bool   `group:"What is known" help:"Hold the CONNECT to OneNET's written rules as well: keep-alive, clean session, no will."`
}

func (*doctorOneNETCmd) Help() string {
	return `Says, without any server, which mistake gives the bytes that a device sent, and
the login that would have been right. Exit code 0: the login is right; 1: a
mistake was found. A token signed with the product's access key is right, too,
if --product-key-secret is given.

Examples:
  matou doctor onenet --key KEY --client-id my_tv --username VRqhDHF2wL \
    --password 'version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=…'
  matou doctor onenet --key KEY --packet '10 98 01 00 04 …' --strict --lang zh`
}

func (c *doctorOneNETCmd) Run(g *globals) error {
	hello, err := c.connect(g)
	if err != nil {
		return err
	}
	sent := onenet.Sent{
		ClientID: hello.ClientID, Username: hello.Username, Password: hello.Password, KeepAlive: hello.KeepAlive,
		CleanSession: hello.CleanStart, Will: hello.Will != nil, TLS: c.TLS, Version: hello.Version,
	}
	known := onenet.Known{Keys: onenet.Keys{Device: c.Key, Product: c.ProductKeySecret}, Strict: c.Strict}
	if c.ProductID != "" {
		known.KnowsProduct = func(pid string) bool { return pid == c.ProductID }
	}
	if c.DeviceName != "" {
		known.KnowsDevice = func(_, name string) bool { return name == c.DeviceName }
	}
	d := onenet.Diagnose(sent, known, time.Now())
	if d == nil {
		return rightLogin.print(g, g.chinese())
	}
	f := finding{
		Code: d.Code, Field: d.Field, Received: d.Received, Expected: d.Expected,
		Sentence: d.Sentence, SentenceZH: d.SentenceZH, Advice: d.Advice, AdviceZH: d.AdviceZH, StringToSign: d.StringToSign,
	}
	if l := d.RightLogin; l != nil {
		f.RightLogin = &right{l.ClientID, l.Username, l.Password}
	}
	return f.print(g, g.chinese())
}
