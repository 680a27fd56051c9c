package virtual

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/modem/lierda"
	"github.com/matou-iot/matou/modem/quectel"
	"github.com/matou-iot/matou/modem/relay"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A Module says through which module the device connects, if not through the
// network of this machine.
type Module struct {
	Kind string `yaml:"kind"` // esp8266, ec20 or nt35e
	Port string `yaml:"port"` // /dev/ttyUSB0, COM3, a pseudo-terminal, or tcp:host:port
	Baud int    `yaml:"baud"` // 0: 115200
	MQTT string `yaml:"mqtt"` // who speaks it: socket or own; empty: socket, if the module has any
	// AliAuth has an ec20 or nt35e that speaks MQTT itself sign for Alibaba
	// Cloud IoT itself, too; otherwise this program signs.
	AliAuth bool `yaml:"aliauth"`

	SSID     string `yaml:"ssid"`     // esp8266
	Password string `yaml:"password"` // esp8266: of the Wi-Fi
	APN      string `yaml:"apn"`      // ec20
	PIN      string `yaml:"pin"`      // ec20, nt35e

	roots string // PEM of the authorities that the module's own TLS trusts
}

// ModuleKinds are the modules that can carry a device.
var ModuleKinds = []string{"esp8266", "ec20", "nt35e"}

// Who speaks MQTT: this program over a socket of the module, or the MQTT client
// of the module itself.
const (
	overSocket = "socket"
	byItself   = "own"
)

// own reports whether the module speaks MQTT itself.
func (m *Module) own() bool { return m.MQTT == byItself || m.Kind == "nt35e" }

func (c *checker) module() {
	m := &c.Module
	if *m == (Module{}) {
		return
	}
	for name, secret := range map[string]*string{"password": &m.Password, "pin": &m.PIN} {
		if err := fromEnvironment(secret); err != nil {
			c.tell("module."+name, "%v", err)
		}
	}
	last := len(ModuleKinds) - 1
	switch kinds := strings.Join(ModuleKinds[:last], ", ") + " or " + ModuleKinds[last]; {
	case m.Kind == "":
		c.tell("module.kind", "is missing: it is %s", kinds)
	case !slices.Contains(ModuleKinds, m.Kind):
		c.tell("module.kind", "%q is not %s", m.Kind, kinds)
	}
	if m.Port == "" {
		c.tell("module.port", "is missing: name the port of the module, such as /dev/ttyUSB0, or tcp:host:port")
	}
	if m.Baud != 0 && (m.Baud < 50 || m.Baud > 5_000_000) {
		c.tell("module.baud", "%d is not from 50 to 5000000", m.Baud)
	}
	switch {
	case !slices.Contains([]string{"", overSocket, byItself}, m.MQTT):
		c.tell("module.mqtt", "%q is neither %s, MQTT of this program over a socket of the module, nor %s, the module's own", m.MQTT, overSocket, byItself)
	case m.MQTT == overSocket && m.Kind == "nt35e":
		c.tell("module.mqtt", "no socket commands of the nt35e are known: it speaks MQTT itself, with mqtt: own, or nothing")
	}
	without := func(kind, field, value, why string) {
		if m.Kind == kind && value != "" {
			c.tell("module."+field, "%s", wording.Term(why))
		}
	}
	without("esp8266", "apn", m.APN, "an esp8266 has no SIM card and no access point: it has ssid and password")
	without("esp8266", "pin", m.PIN, "an esp8266 has no SIM card: it has ssid and password")
	without("ec20", "ssid", m.SSID, "an ec20 joins no Wi-Fi: it has apn and pin")
	without("ec20", "password", m.Password, "an ec20 joins no Wi-Fi (--wifi-password): it has apn and pin")
	without("nt35e", "ssid", m.SSID, "an nt35e joins no Wi-Fi: it has pin")
	without("nt35e", "password", m.Password, "an nt35e joins no Wi-Fi (--wifi-password): it has pin")
	without("nt35e", "apn", m.APN, "how an nt35e is told its access point is not known: it takes the one of its SIM card")
	c.aliauth()
	c.moduleServer()
	c.moduleLimits()
}

// aliauth checks that there is something for the module to sign, and that
// nobody wants it signed otherwise.
func (c *checker) aliauth() {
	m, i := &c.Module, &c.Device
	if !m.AliAuth {
		return
	}
	switch {
	case m.Kind == "esp8266":
		c.tell("module.aliauth", "an esp8266 does not sign for Alibaba Cloud: leave aliauth out, and this program signs")
	case !m.own():
		c.tell("module.aliauth", "a module signs only where it speaks MQTT itself: write mqtt: %s as well, or leave aliauth out", byItself)
	case i.Dialect != "aliyun":
		c.tell("module.aliauth", "aliauth signs for devices of dialect aliyun only, this one speaks %s: leave it out", i.Dialect)
	case i.Password != "":
		c.tell("module.aliauth", "the module signs with device.deviceSecret, and there is a ready-made password: leave one of the two out")
	case i.SignMethod != "":
		c.tell("device.signMethod", "with module.aliauth the module chooses how to sign: leave it out")
	case strings.Contains(i.ClientID, "|"):
		c.tell("device.clientId", "with module.aliauth the module writes the parameters after | itself: leave them out")
	}
}

// moduleLimits tells beforehand what the module's own MQTT client would refuse
// at the login.
func (c *checker) moduleLimits() {
	m := &c.Module
	limits, known := ownLimits[m.Kind]
	u, err := url.Parse(c.Server.URL)
	if !known || !m.own() || err != nil {
		return
	}
	l := limits()
	check := func(field string, login modem.Login) {
		if err := l.Login(login); err != nil {
			c.tell(field, "%w", err)
		}
	}
	check("server.keepAlive", modem.Login{KeepAlive: c.Server.KeepAlive})
	check("server.url", modem.Login{Host: u.Hostname()})
	s, err := c.Device.Identity().Speech(client.Secure(c.Server.URL))
	if err != nil {
		return // told elsewhere
	}
	var p packet.Connect
	if err := s.Login(&p, time.Now()); err == nil && !m.AliAuth {
		check("device", modem.Login{ClientID: p.ClientID, Username: p.Username, Password: string(p.Password)})
	}
	for _, filter := range s.Filters() {
		if err := l.Filter(filter); err != nil {
			c.tell("device", "%w", err)
			return
		}
	}
}

// ownLimits are those of the modules' own MQTT clients.
var ownLimits = map[string]func() modem.Limits{"esp8266": esp8266.Limits, "ec20": quectel.Limits, "nt35e": lierda.Limits}

// moduleServer checks what the module is to do with the server's address.
func (c *checker) moduleServer() {
	m, s := &c.Module, &c.Server
	u, err := url.Parse(s.URL)
	if err != nil {
		return // told elsewhere
	}
	switch {
	case strings.HasPrefix(strings.ToLower(u.Scheme), "ws"):
		c.tell("server.url", "%s does not go through a module: use mqtt:// or mqtts://", s.URL)
	case !m.own() || !client.Secure(s.URL):
	case m.Kind == "nt35e":
		c.tell("server.url", "how an nt35e is told to use TLS is not known: use mqtt://")
	case m.Kind == "esp8266" && !s.Insecure:
		c.tell("module.mqtt", "the MQTT client of an esp8266 checks no certificate: accept that with server.insecure, or write mqtt: %s", overSocket)
	case m.Kind == "ec20" && s.CAFile == "" && !s.Insecure:
		c.tell("module.mqtt", "the MQTT client of an ec20 trusts whom server.caFile names, or with server.insecure anybody: write either, or mqtt: %s", overSocket)
	}
}

// moduleTime bounds an attempt to connect through a module: joining a Wi-Fi or
// registering with a network is part of it, and so is the module's own word on
// why it could not.
const moduleTime = 2 * time.Minute

// A line is the device's way through a module.
type line struct {
	m      Module
	server *url.URL
	port   int
	tls    *tls.Config // nil: plain TCP
	module *modem.Line
	relay  *relay.Relay // nil: over a socket
}

// newLine makes the way through a description's module. lost is told of messages
// to the device that the module cannot hand over.
func newLine(d *Description, config *tls.Config, lost func(topic string, err error)) (*line, error) {
	m := d.Module
	u, err := url.Parse(d.Server.URL)
	if err != nil {
		return nil, err
	}
	if d.Server.CAFile != "" && !d.Server.Insecure && m.own() {
		pem, err := d.open(d.Server.CAFile)
		if err != nil {
			return nil, err
		}
		m.roots = string(pem)
	}
	secure := client.Secure(d.Server.URL)
	l := &line{m: m, server: u, port: mqtt.UsualPort(secure), module: modem.NewLine(m.attach)}
	if secure {
		l.tls = config.Clone()
		if l.tls == nil {
			l.tls = &tls.Config{}
		}
		if l.tls.ServerName == "" {
			l.tls.ServerName = u.Hostname()
		}
	}
	if u.Port() != "" {
		if l.port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, err
		}
	}
	if m.own() {
		o := relay.Options{Host: u.Hostname(), Port: l.port, TLS: l.tls != nil, Lost: lost}
		if i := &d.Device; m.AliAuth {
			o.Aliyun = &aliyun.Triple{ProductKey: i.ProductKey, DeviceName: i.DeviceName, DeviceSecret: i.DeviceSecret}
		}
		l.relay = relay.New(o)
	}
	return l, nil
}

func (l *line) dial(ctx context.Context) (net.Conn, error) {
	c, err := l.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("module %s at %s: %w", l.m.Kind, l.m.Port, err)
	}
	if l.tls == nil || l.relay != nil {
		return c, nil
	}
	s := tls.Client(c, l.tls)
	if err := s.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// connect opens a socket of the module, or leads to its own MQTT client.
func (l *line) connect(ctx context.Context) (net.Conn, error) {
	if l.relay == nil {
		return l.module.Dial(ctx, "tcp", net.JoinHostPort(l.server.Hostname(), strconv.Itoa(l.port)))
	}
	m, err := l.module.Module(ctx)
	if err != nil {
		return nil, err
	}
	return l.relay.Conn(m.(modem.Messenger)), nil
}

// attach opens the port and sets up what is there.
func (m *Module) attach(ctx context.Context) (modem.Module, error) {
	port, err := modem.Open(ctx, m.Port, m.Baud)
	if err != nil {
		return nil, err
	}
	switch m.Kind {
	case "esp8266":
		return esp8266.Attach(ctx, port, esp8266.Options{SSID: m.SSID, Password: m.Password})
	case "nt35e":
		return lierda.Attach(ctx, port, lierda.Options{PIN: m.PIN})
	}
	return quectel.Attach(ctx, port, quectel.Options{APN: m.APN, PIN: m.PIN, Roots: []byte(m.roots)})
}
