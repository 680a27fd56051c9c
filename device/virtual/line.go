package virtual

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/modem/quectel"
)

// A Module says through which module the device connects, if not through the
// network of this machine.
type Module struct {
	Kind string `yaml:"kind"` // esp8266 or ec20
	Port string `yaml:"port"` // /dev/ttyUSB0, COM3, a pseudo-terminal, or tcp:host:port
	Baud int    `yaml:"baud"` // 0: 115200

	SSID     string `yaml:"ssid"`     // esp8266
	Password string `yaml:"password"` // esp8266: of the Wi-Fi
	APN      string `yaml:"apn"`      // ec20
	PIN      string `yaml:"pin"`      // ec20
}

// ModuleKinds are the modules whose sockets can carry a device.
var ModuleKinds = []string{"esp8266", "ec20"}

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
	switch kinds := strings.Join(ModuleKinds, " or "); {
	case m.Kind == "":
		c.tell("module.kind", "is missing: it is %s", kinds)
	case m.Kind == "nt35e":
		c.tell("module.kind", "no socket commands of the nt35e are known: it can be %s", kinds)
	case !slices.Contains(ModuleKinds, m.Kind):
		c.tell("module.kind", "%q is not %s", m.Kind, kinds)
	}
	if m.Port == "" {
		c.tell("module.port", "is missing: name the port of the module, such as /dev/ttyUSB0, or tcp:host:port")
	}
	if m.Baud != 0 && (m.Baud < 50 || m.Baud > 5_000_000) {
		c.tell("module.baud", "%d is not from 50 to 5000000", m.Baud)
	}
	without := func(kind, field, value, why string) {
		if m.Kind == kind && value != "" {
			c.tell("module."+field, "%s", why)
		}
	}
	without("esp8266", "apn", m.APN, "an esp8266 has no SIM card and no access point: it has ssid and password")
	without("esp8266", "pin", m.PIN, "an esp8266 has no SIM card: it has ssid and password")
	without("ec20", "ssid", m.SSID, "an ec20 joins no Wi-Fi: it has apn and pin")
	without("ec20", "password", m.Password, "an ec20 joins no Wi-Fi (--wifi-password): it has apn and pin")
	if u, err := url.Parse(c.Server.URL); err == nil && strings.HasPrefix(strings.ToLower(u.Scheme), "ws") {
		c.tell("server.url", "%s does not go through a module: use mqtt:// or mqtts://", c.Server.URL)
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
	tls    *tls.Config // nil: plain TCP
	module *modem.Line
}

func newLine(m Module, server string, config *tls.Config) (*line, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	l := &line{m: m, server: u, module: modem.NewLine(m.attach)}
	switch strings.ToLower(u.Scheme) {
	case "mqtts", "ssl", "tls":
		l.tls = config.Clone()
		if l.tls == nil {
			l.tls = &tls.Config{}
		}
		if l.tls.ServerName == "" {
			l.tls.ServerName = u.Hostname()
		}
	}
	return l, nil
}

func (l *line) dial(ctx context.Context) (net.Conn, error) {
	port := l.server.Port()
	if port == "" {
		port = "1883"
		if l.tls != nil {
			port = "8883"
		}
	}
	c, err := l.module.Dial(ctx, "tcp", net.JoinHostPort(l.server.Hostname(), port))
	if err != nil {
		return nil, fmt.Errorf("module %s at %s: %w", l.m.Kind, l.m.Port, err)
	}
	if l.tls == nil {
		return c, nil
	}
	s := tls.Client(c, l.tls)
	if err := s.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// attach opens the port and sets up what is there.
func (m *Module) attach(ctx context.Context) (modem.Module, error) {
	port, err := modem.Open(ctx, m.Port, m.Baud)
	if err != nil {
		return nil, err
	}
	if m.Kind == "esp8266" {
		return esp8266.Attach(ctx, port, esp8266.Options{SSID: m.SSID, Password: m.Password})
	}
	return quectel.Attach(ctx, port, quectel.Options{APN: m.APN, PIN: m.PIN})
}
