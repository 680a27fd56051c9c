package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matou-iot/matou/device/fleet"
	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/bench"
	"github.com/matou-iot/matou/internal/httpapi"
	"github.com/matou-iot/matou/internal/wording"
	"github.com/matou-iot/matou/internal/yamldoc"
	"github.com/matou-iot/matou/mqtt"
)

// A Config is everything that can be set. It is read from a YAML file, then
// from the environment, then from flags; the later wins. The environment
// variable of a key is its path in capitals with underscores, MATOU_ in front:
// api.listen is MATOU_API_LISTEN.
type Config struct {
	Data    string  `yaml:"data"` // directory of everything that is kept
	Demo    bool    `yaml:"demo"` // make and run the demo products
	Devices Devices `yaml:"devices"`
	API     API     `yaml:"api"`
	TLS     TLS     `yaml:"tls"`
	History History `yaml:"history"`
	Feed    Feed    `yaml:"feed"`
	Trace   Trace   `yaml:"trace"`
	Disk    Disk    `yaml:"disk"`
	OTA     OTA     `yaml:"ota"`
	Files   Files   `yaml:"files"`
	Bench   Bench   `yaml:"bench"`
	Log     Log     `yaml:"log"`
}

// Devices is where and how devices connect.
type Devices struct {
	// Listen are the addresses for devices. Each takes MQTT, MQTT over TLS,
	// WebSocket and HTTP, told apart by their first bytes.
	Listen []string `yaml:"listen"`
	// CoAP and CoAPS are the UDP addresses for devices that speak CoAP, plain
	// and over DTLS; none are taken where none are named.
	CoAP  []string `yaml:"coap"`
	CoAPS []string `yaml:"coaps"`
	// Host is what credentials and packets name as the host to connect to;
	// left out, the address of this machine in its network.
	Host string `yaml:"host"`
	// URL is what the addresses of files begin with that devices fetch, such as
	// http://iot.example.com; left out, the first device port, or port 80 where
	// that is one. Much firmware takes no port in an address.
	URL string `yaml:"url"`
	// OpenNetworks are the networks from which devices of open products may
	// come without a right signature, besides loopback.
	OpenNetworks []string `yaml:"openNetworks"`
	// ProxyProtocol are the networks of load balancers whose connections begin
	// with a PROXY header, version 1 or 2, that says where a device comes from.
	// A connection from there without one is closed; others have none.
	ProxyProtocol []string `yaml:"proxyProtocol"`
	// MaxConnections bounds connections in all; more are closed at once.
	MaxConnections int `yaml:"maxConnections"`
	// MaxPacketBytes bounds one packet; a larger one ends its connection.
	MaxPacketBytes int `yaml:"maxPacketBytes"`
	// ConnectTimeout is how long a connection may take to say CONNECT.
	ConnectTimeout time.Duration `yaml:"connectTimeout"`
	// Limits are all further bounds.
	Limits Limits `yaml:"limits"`
	// Aliyun is how much one device of Alibaba Cloud's may say and hear.
	Aliyun VendorLimits `yaml:"aliyun"`
}

// API is the address of console and REST.
type API struct {
	// Listen is on loopback until an administrator password was chosen.
	Listen string `yaml:"listen"`
	// AdminPassword is set on the first start; best given by the environment,
	// MATOU_API_ADMIN_PASSWORD.
	AdminPassword string `yaml:"adminPassword"`
	// TrustedProxies are the reverse proxies that are believed whom a request
	// is from, and whether he speaks TLS with them: addresses or networks.
	TrustedProxies []string `yaml:"trustedProxies"`
	// ProxyHeader is the header in which they say it, X-Forwarded-For or
	// Forwarded.
	ProxyHeader string `yaml:"proxyHeader"`
}

func (a *API) proxies() httpapi.Proxies {
	p := httpapi.Proxies{Networks: prefixes(a.TrustedProxies), Header: httpapi.XForwardedFor}
	if strings.EqualFold(a.ProxyHeader, httpapi.Forwarded) {
		p.Header = httpapi.Forwarded
	}
	return p
}

// TLS are the files of certificates, all of them PEM. They are loaded anew when
// they change. Without any the lab's own authority makes one on the first start.
type TLS struct {
	Certificate string `yaml:"certificate"` // the chain, the server's own first
	Key         string `yaml:"key"`
	// More are further certificates: a client that names a host is shown the
	// one for it, any other the first.
	More []Pair `yaml:"more"`
	// ClientCA are the authorities of client certificates; left out, nobody is
	// asked for one. A client need not have one, but one that it has must be
	// good.
	ClientCA string `yaml:"clientCA"`
}

// A Pair is a certificate and its key.
type Pair struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// History is how long things are remembered.
type History struct {
	Keep time.Duration `yaml:"keep"` // 0 for ever
}

// Feed bounds the durable log that consumers replay.
type Feed struct {
	Keep     time.Duration `yaml:"keep"`
	MaxBytes int64         `yaml:"maxBytes"`
}

// Trace bounds the timelines.
type Trace struct {
	MaxBytes int `yaml:"maxBytes"` // of all devices together
}

// OTA is upgrades of devices.
type OTA struct {
	// URL is what the addresses begin with from which devices fetch firmware;
	// left out, that of the first device port. The vendor's C SDK takes none
	// with a port: listen on 80, too, and name http://host.
	URL             string        `yaml:"url"`
	URLLife         time.Duration `yaml:"urlLife"`         // how long an address works
	MaxPackageBytes int64         `yaml:"maxPackageBytes"` // of all files of one package
}

// Bench bounds what people try out in the browser.
type Bench struct {
	// Allow are hosts that modules on the bench may reach besides this server's
	// device ports, as host:port. All else is refused, so that who may use the
	// bench cannot reach into the network around it.
	Allow   []string      `yaml:"allow"`
	Modules int           `yaml:"modules"` // at work at a time
	Idle    time.Duration `yaml:"idle"`    // after so long unused they end
	// FleetDevices is how many virtual devices all fleets together may have that
	// are started in the browser; 0 allows none.
	FleetDevices int `yaml:"fleetDevices"`
}

// Files bound what devices may upload. What happens at each stands in
// docs/operating.md.
type Files struct {
	MaxFileBytes  int64 `yaml:"maxFileBytes"`
	DeviceFiles   int   `yaml:"deviceFiles"`   // of one device
	DeviceBytes   int64 `yaml:"deviceBytes"`   // of one device
	DeviceUploads int   `yaml:"deviceUploads"` // under way of one device
	Uploads       int   `yaml:"uploads"`       // under way of all devices
}

// Disk is the room that Matou leaves.
type Disk struct {
	// Reserve are the bytes that have to stay free where the data is; below,
	// nothing new is stored or acknowledged.
	Reserve int64 `yaml:"reserve"`
}

// Log is what the log looks like.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

func (l *Log) level() (level slog.Level) {
	_ = level.UnmarshalText([]byte(l.Level)) // Check has seen it
	return level
}

// Logger returns what the configuration asks for, and its level, which may be
// changed later.
func (l *Log) Logger(w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(l.level())
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), level
	}
	return slog.New(slog.NewTextHandler(w, o)), level
}

// Default returns a Config that works with no file.
func Default() Config {
	return Config{
		Data: "matou-data",
		Devices: Devices{
			Listen:         []string{fmt.Sprintf(":%d", mqtt.Port), fmt.Sprintf(":%d", mqtt.TLSPort)},
			MaxConnections: 1_000_000,
			MaxPacketBytes: 1 << 20,
			ConnectTimeout: 10 * time.Second,
			Limits:         defaultLimits(),
			Aliyun:         aliyunLimits(),
		},
		API:     API{Listen: "127.0.0.1:7080", ProxyHeader: httpapi.XForwardedFor},
		History: History{Keep: 90 * 24 * time.Hour},
		Feed:    Feed{Keep: 7 * 24 * time.Hour, MaxBytes: 4 << 30},
		Trace:   Trace{MaxBytes: 64 << 20},
		Disk:    Disk{Reserve: 128 << 20},
		OTA:     OTA{URLLife: 24 * time.Hour, MaxPackageBytes: 1 << 30},
		Files:   defaultFiles(),
		Bench:   Bench{Modules: 8, Idle: 30 * time.Minute, FleetDevices: 1000},
		Log:     Log{Level: "info", Format: "text"},
	}
}

// Load reads file, if one is named, and the environment over the defaults.
// An unknown key is an error that names it.
func Load(file string, environ []string) (Config, error) {
	c := Default()
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if !saysNothing(raw) {
			if _, err := yamldoc.Read(file, raw, &c); err != nil {
				return c, err
			}
		}
	}
	return c, c.environment(environ)
}

// saysNothing reports whether a file has only blank lines and comments: then
// everything has its default.
func saysNothing(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "---" {
			return false
		}
	}
	return true
}

// environment sets what MATOU_ variables say. Variables of the command line's
// own, such as MATOU_SERVER, are not the server's business.
func (c *Config) environment(environ []string) error {
	vars := make(map[string]string)
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && strings.HasPrefix(k, "MATOU_") {
			vars[k] = v
		}
	}
	return fromVars(reflect.ValueOf(c).Elem(), "MATOU", vars)
}

// Strays are the variables that look like those of a key and are none, sorted:
// MATOU_API_LISTN for instance. Others that begin with MATOU_ are left out: they
// are the command line's, or what Kubernetes sets for a service named matou.
func Strays(environ []string) (names []string) {
	known := make(map[string]bool)
	var sections []string
	var walk func(t reflect.Type, prefix string)
	walk = func(t reflect.Type, prefix string) {
		for i := range t.NumField() {
			f := t.Field(i)
			name := prefix + "_" + upperSnake(f.Tag.Get("yaml"))
			if f.Type.Kind() == reflect.Struct {
				sections = append(sections, name+"_")
				walk(f.Type, name)
				continue
			}
			known[name] = true
		}
	}
	walk(reflect.TypeFor[Config](), "MATOU")
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		ofSection := slices.ContainsFunc(sections, func(s string) bool { return strings.HasPrefix(name, s) })
		if ofSection && !known[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func fromVars(v reflect.Value, prefix string, vars map[string]string) error {
	for i := range v.NumField() {
		name := prefix + "_" + upperSnake(v.Type().Field(i).Tag.Get("yaml"))
		f := v.Field(i)
		if f.Kind() == reflect.Struct {
			if err := fromVars(f, name, vars); err != nil {
				return err
			}
			continue
		}
		if text, ok := vars[name]; ok {
			if err := setField(f, text); err != nil {
				return wording.Errorf("environment variable %s: %w", name, err)
			}
		}
	}
	return nil
}

func setField(f reflect.Value, text string) error {
	switch f.Interface().(type) {
	case time.Duration:
		d, err := yamldoc.Duration(text)
		f.SetInt(int64(d))
		return err
	case string:
		f.SetString(text)
	case bool:
		on, err := yamldoc.Bool(text)
		f.SetBool(on)
		return err
	case int, int64:
		n, err := yamldoc.Int(text)
		f.SetInt(n)
		return err
	case []string:
		f.Set(reflect.ValueOf(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })))
	default:
		return wording.Errorf("only the file can say this: leave the variable out")
	}
	return nil
}

// upperSnake turns adminPassword into ADMIN_PASSWORD.
func upperSnake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// Check finds what cannot work before anything is started. It returns all
// mistakes at once, each naming its key.
func (c *Config) Check() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, wording.Errorf("%s: %w", key, wording.Errorf(format, args...)))
	}
	if c.Data == "" {
		bad("data", "name a directory")
	}
	if len(c.Devices.Listen) == 0 {
		bad("devices.listen", "name at least one address, such as :1883")
	}
	if !isAddress(c.API.Listen) {
		bad("api.listen", "%q is no address: write host:port or :port", c.API.Listen)
	}
	for i, a := range c.Devices.Listen {
		if !isAddress(a) {
			bad("devices.listen", "%q is no address: write host:port or :port", a)
		}
		if _, port, _ := net.SplitHostPort(a); port != "0" && slices.Contains(c.Devices.Listen[:i], a) {
			bad("devices.listen", "%q stands there twice: leave one out", a)
		}
	}
	if strings.ContainsAny(c.Devices.Host, "/ ") || strings.Count(c.Devices.Host, ":") == 1 {
		bad("devices.host", "%q is no host name or address: write it alone, without scheme and port; the port follows from devices.listen", c.Devices.Host)
	}
	if p := c.API.AdminPassword; p != "" && (utf8.RuneCountInString(p) < access.MinPassword || len(p) > access.MaxPassword) {
		bad("api.adminPassword", "a password has at least %d characters and at most %d bytes", access.MinPassword, access.MaxPassword)
	}
	c.Devices.checkCoAP(bad)
	for key, networks := range map[string][]string{
		"devices.openNetworks": c.Devices.OpenNetworks, "devices.proxyProtocol": c.Devices.ProxyProtocol, "api.trustedProxies": c.API.TrustedProxies,
	} {
		for _, n := range networks {
			if _, err := parseNetwork(n); err != nil {
				bad(key, "%q is no network: write for instance 192.168.1.0/24, or an address", n)
			}
		}
	}
	if h := c.API.ProxyHeader; !strings.EqualFold(h, httpapi.XForwardedFor) && !strings.EqualFold(h, httpapi.Forwarded) {
		bad("api.proxyHeader", "%q is neither %s nor %s", h, httpapi.XForwardedFor, httpapi.Forwarded)
	}
	if c.Demo && covers(prefixes(c.Devices.ProxyProtocol), netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
		bad("devices.proxyProtocol", "the demo's devices come from 127.0.0.1 without a PROXY header: leave out one or the other")
	}
	c.Devices.check(bad)
	c.Devices.Aliyun.check("devices.aliyun.", bad)
	if u, err := url.Parse(c.Devices.URL); c.Devices.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.HasSuffix(c.Devices.URL, "/")) {
		bad("devices.url", "%q is no address: write for instance http://iot.example.com, without a slash at the end", c.Devices.URL)
	}
	c.TLS.check(bad)
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"history.keep", int64(c.History.Keep)}, {"feed.keep", int64(c.Feed.Keep)}, {"feed.maxBytes", c.Feed.MaxBytes},
		{"trace.maxBytes", int64(c.Trace.MaxBytes)}, {"disk.reserve", c.Disk.Reserve},
	} {
		if n.value < 0 {
			bad(n.key, "it is below 0")
		}
	}
	if u, err := url.Parse(c.OTA.URL); c.OTA.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil) {
		bad("ota.url", "%q is no address: write for instance http://iot.example.com", c.OTA.URL)
	}
	if c.OTA.URLLife < time.Minute {
		bad("ota.urlLife", "must be 1m or more")
	}
	if c.OTA.MaxPackageBytes < 1 {
		bad("ota.maxPackageBytes", "must be 1 or more")
	}
	c.Files.check(bad)
	if err := (bench.Reach{Allow: c.Bench.Allow}).Check(); err != nil {
		bad("bench.allow", "%v: write for instance broker.example.com:1883", err)
	}
	if c.Bench.Modules < 1 || c.Bench.Idle < time.Minute {
		bad("bench", "modules must be 1 or more, idle 1m or more")
	}
	if c.Bench.FleetDevices < 0 || c.Bench.FleetDevices > fleet.MaxDevices {
		bad("bench.fleetDevices", "must be 0 to %d", fleet.MaxDevices)
	}
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		bad("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		bad("log.format", "%q is neither text nor json", c.Log.Format)
	}
	return errors.Join(errs...)
}

// isAddress reports whether a is host:port or :port with a port that exists.
func isAddress(a string) bool {
	_, port, err := net.SplitHostPort(a)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	return err == nil && port != ""
}

// prefixes parses networks, without those that Check complains about.
func prefixes(networks []string) (list []netip.Prefix) {
	for _, n := range networks {
		if p, err := parseNetwork(n); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// parseNetwork reads a network, or an address, which is a network of one.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

func covers(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func (c *Config) path(elem ...string) string {
	return filepath.Join(append([]string{c.Data}, elem...)...)
}
