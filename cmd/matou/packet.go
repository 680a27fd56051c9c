package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

type packetCmd struct {
	Explain packetExplainCmd `cmd:"" help:"Say what each byte of a packet means, and what is wrong with it."`
	Build   packetBuildCmd   `cmd:"" help:"Write the bytes of a packet."`
	Replay  packetReplayCmd  `cmd:"" help:"Send a broker what a device once sent, and compare the answers."`
	Capture packetCaptureCmd `cmd:"" help:"Stand between devices and a broker, explain and record both."`
}

type packetExplainCmd struct {
	Packet  string `arg:"" optional:"" help:"Packet in hex, or a file of hex or bytes; - or nothing is standard input." placeholder:"HEX|-|FILE"`
	Version string `enum:",3.1,3.1.1,5,5.0" default:"" help:"Version of MQTT that the packets belong to; left out, it is guessed." placeholder:"VERSION"`
}

func (*packetExplainCmd) Help() string {
	return `Hex may hold spaces, line ends, 0x, commas and braces, as serial monitors and C
sources write it. A CONNECT says its version itself and for what follows it.
Exit code 1 means that something is wrong with a packet.

Examples:
  matou packet explain 'C0 00'
  matou packet explain '{0x30, 0x05, 0x00, 0x01, 0x74, 0x68, 0x69}'
  matou packet explain capture.bin --version 5
  matou packet explain '82 08 00 01 00 03 61 2f 62' --lang zh
  matou packet build ping | matou packet explain`
}

func (c *packetExplainCmd) Run(g *globals) error {
	b, err := c.bytes(g.Stdin)
	if err != nil {
		return err
	}
	e := packet.Explain(b, versionOf(c.Version))
	if err := g.emit(e, func(w io.Writer) { io.WriteString(w, explained(e, g.chinese())) }); err != nil {
		return err
	}
	for _, p := range e.Packets {
		if len(p.Faults) > 0 {
			return exitCode(exitFailed)
		}
	}
	return nil
}

// explained is an explanation for people, in one language.
func explained(x *packet.Explanation, chinese bool) string {
	if chinese {
		return x.StringZH()
	}
	return x.String()
}

// bytes reads the argument: hex itself, or a file whose content is hex or the
// bytes themselves.
func (c *packetExplainCmd) bytes(stdin io.Reader) ([]byte, error) {
	if c.Packet == "" || c.Packet == "-" {
		return contentBytes("-", stdin)
	}
	b, err := packet.ParseHex(c.Packet)
	if err == nil {
		return b, nil
	}
	content, fileErr := contentBytes(c.Packet, stdin)
	if errors.Is(fileErr, os.ErrNotExist) {
		return nil, usage("%q is neither hex (%v) nor a file", c.Packet, err)
	}
	return content, fileErr
}

func contentBytes(name string, stdin io.Reader) ([]byte, error) {
	content, err := readAll(name, stdin)
	if err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, usagef("no bytes to explain")
	}
	if b, err := packet.ParseHex(string(content)); err == nil {
		return b, nil
	}
	return content, nil
}

type packetBuildCmd struct {
	Connect    buildConnectCmd    `cmd:"" help:"A CONNECT, plain or signed for a device."`
	Publish    buildPublishCmd    `cmd:"" help:"A PUBLISH."`
	Subscribe  buildSubscribeCmd  `cmd:"" help:"A SUBSCRIBE."`
	Ping       buildPingCmd       `cmd:"" help:"A PINGREQ."`
	Disconnect buildDisconnectCmd `cmd:"" help:"A DISCONNECT."`
}

// formFlags say how bytes are written.
type formFlags struct {
	versionFlag
	Form string `enum:"hex,c,at" default:"hex" help:"hex: one line; c: a C array; at: AT+CIPSEND with the length, then hex."`
}

// built is a packet as build prints it in JSON.
type built struct {
	Type   string `json:"type"`
	Length int    `json:"length"`
	Hex    string `json:"hex"`
	C      string `json:"c"`
	AT     string `json:"at"` // the command before the bytes
}

// print writes the packet in the form asked for.
func (f *formFlags) print(g *globals, p packet.Packet) error {
	b, err := p.Append(nil, f.version())
	if err != nil {
		return usageError{err}
	}
	out := built{
		Type:   p.Type().String(),
		Length: len(b),
		Hex:    hex.EncodeToString(b),
		C:      cArray(p.Type().String(), b),
		AT:     fmt.Sprintf("AT+CIPSEND=%d", len(b)),
	}
	return g.emit(out, func(w io.Writer) {
		switch f.Form {
		case "c":
			io.WriteString(w, out.C)
		case "at":
			fmt.Fprintf(w, "%s\n%s\n", out.AT, out.Hex)
		default:
			fmt.Fprintln(w, out.Hex)
		}
	})
}

// bytesPerLine is how wide a C array is: it stays below 80 columns.
const bytesPerLine = 12

// cArray writes b as C source.
func cArray(name string, b []byte) string {
	var s strings.Builder
	fmt.Fprintf(&s, "const unsigned char %s[%d] = {\n", strings.ToLower(name), len(b))
	for i, x := range b {
		switch {
		case i%bytesPerLine == 0:
			s.WriteString("    ")
		default:
			s.WriteByte(' ')
		}
		fmt.Fprintf(&s, "0x%02x,", x)
		if i%bytesPerLine == bytesPerLine-1 || i == len(b)-1 {
			s.WriteByte('\n')
		}
	}
	s.WriteString("};\n")
	return s.String()
}

type buildConnectCmd struct {
	formFlags
	ClientID  string  `short:"i" name:"client-id" help:"Client id." placeholder:"ID"`
	Username  string  `short:"u" help:"User name." placeholder:"NAME"`
	Password  *string `short:"P" help:"Password." placeholder:"PASSWORD"`
	KeepAlive span    `short:"k" help:"Keep-alive time." default:"60s"`
	Clean     bool    `negatable:"" default:"true" help:"Clean session."`

	signFlags
	SecureMode int `group:"Signed login" enum:"2,3" default:"3" help:"Aliyun: 2 over TLS, 3 over plain TCP."`
}

func (*buildConnectCmd) Help() string {
	return `Examples:
  matou packet build connect --client-id c1
  matou packet build connect -i c1 -u user -P secret --form c
  matou packet build connect --product-key a1NightLamp --device-name lamp01 \
    --device-secret SECRET --form at
  matou packet build connect --product-id VRqhDHF2wL --device-name my_tv \
    --key KEY --et 1893456000`
}

func (c *buildConnectCmd) Run(g *globals) error {
	seconds := time.Duration(c.KeepAlive) / time.Second
	if seconds > 65535 {
		return usagef("--keep-alive %v: MQTT knows 65535 seconds at most", time.Duration(c.KeepAlive))
	}
	p := &packet.Connect{
		Version:     c.version(),
		CleanStart:  c.Clean,
		KeepAlive:   uint16(seconds),
		ClientID:    c.ClientID,
		HasUsername: c.Username != "",
		Username:    c.Username,
	}
	if c.Password != nil {
		p.HasPassword, p.Password = true, []byte(*c.Password)
	}
	login, signed, err := c.login(c.ClientID, c.SecureMode == 2)
	switch {
	case err != nil:
		return err
	case signed && (p.HasUsername || p.HasPassword):
		return usagef("--username and --password do not go with a signed login")
	case signed:
		p.ClientID, p.Username, p.Password = login.ClientID, login.Username, []byte(login.Password)
		p.HasUsername, p.HasPassword = true, true
	case p.HasPassword && !p.HasUsername && p.Version != mqtt.V5:
		return usagef("--password needs --username before MQTT 5 [MQTT3-3.1.2-22]")
	}
	return c.print(g, p)
}

type buildPublishCmd struct {
	formFlags
	messageFlags
	File string `short:"f" xor:"message" help:"Take the message from a file; - is standard input." placeholder:"FILE"`
	ID   uint16 `name:"id" help:"Packet identifier at QoS 1 and 2." default:"1"`
	Dup  bool   `help:"Say that it may have been sent before."`
}

func (*buildPublishCmd) Help() string {
	return `Examples:
  matou packet build publish -t t/1 -m hi
  matou packet build publish -t t/1 -f payload.json -q 1 --id 7 --form at`
}

func (c *buildPublishCmd) Run(g *globals) error {
	m, err := c.message(c.version())
	if err != nil {
		return err
	}
	p := &packet.Publish{Dup: c.Dup, QoS: m.QoS, Retain: m.Retain, Topic: []byte(m.Topic), Properties: m.Properties}
	switch {
	case c.Message != nil:
		p.Payload = []byte(*c.Message)
	case c.File != "":
		if p.Payload, err = readAll(c.File, g.Stdin); err != nil {
			return err
		}
	}
	if p.QoS > 0 {
		p.ID = c.ID
	}
	if c.Dup && p.QoS == 0 {
		return usagef("--dup needs --qos 1 or 2 [MQTT3-3.3.1-2]")
	}
	return c.print(g, p)
}

type buildSubscribeCmd struct {
	formFlags
	Topic []string `short:"t" required:"" sep:"none" help:"Topic filter; may be given more than once." placeholder:"FILTER"`
	QoS   int      `short:"q" name:"qos" help:"Greatest quality of service: 0, 1 or 2." enum:"0,1,2" default:"0"`
	ID    uint16   `name:"id" help:"Packet identifier." default:"1"`
}

func (*buildSubscribeCmd) Help() string {
	return `Examples:
  matou packet build subscribe -t 'a/#'
  matou packet build subscribe -t a -t b -q 1 --id 2 --form c`
}

func (c *buildSubscribeCmd) Run(g *globals) error {
	p := &packet.Subscribe{ID: c.ID}
	for _, t := range c.Topic {
		if err := mqtt.ValidFilter(t); err != nil {
			return usagef("--topic %q: %w", t, err)
		}
		p.Subscriptions = append(p.Subscriptions, packet.Subscription{Filter: t, QoS: mqtt.QoS(c.QoS)})
	}
	return c.print(g, p)
}

type buildPingCmd struct{ formFlags }

func (*buildPingCmd) Help() string { return "Examples:\n  matou packet build ping --form at" }

func (c *buildPingCmd) Run(g *globals) error { return c.print(g, &packet.Pingreq{}) }

type buildDisconnectCmd struct{ formFlags }

func (*buildDisconnectCmd) Help() string { return "Examples:\n  matou packet build disconnect" }

func (c *buildDisconnectCmd) Run(g *globals) error { return c.print(g, &packet.Disconnect{}) }
