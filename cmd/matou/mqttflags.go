package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// serverFlags say which server to talk to and how.
type serverFlags struct {
	URL      string `name:"url" group:"Server" help:"Address: mqtt://host:1883, mqtts://host:8883, ws://host/mqtt or wss://host/mqtt; instead of host, port, tls and ws." placeholder:"URL"`
	Host     string `group:"Server" help:"Host of the server." default:"127.0.0.1"`
	Port     int    `group:"Server" help:"Port of the server; left out, the usual one of the transport." placeholder:"PORT"`
	TLS      bool   `name:"tls" group:"Server" help:"Speak TLS."`
	CAFile   string `name:"cafile" group:"Server" help:"PEM file of the authorities to trust; implies --tls." placeholder:"FILE"`
	Insecure bool   `group:"Server" help:"Accept any certificate; implies --tls."`
	WS       bool   `name:"ws" group:"Server" help:"Speak MQTT over WebSocket."`
}

// address is the URL that the flags amount to.
func (f *serverFlags) address() (string, error) {
	if f.URL != "" {
		if f.Port != 0 || f.TLS || f.WS {
			return "", usagef("--url says it all: leave --port, --tls and --ws out")
		}
		return f.URL, nil
	}
	if f.Port < 0 || f.Port > 65535 {
		return "", usagef("--port %d is no port", f.Port)
	}
	secure := f.TLS || f.CAFile != "" || f.Insecure
	scheme := map[[2]bool]string{
		{false, false}: "mqtt", {true, false}: "mqtts", {false, true}: "ws", {true, true}: "wss",
	}[[2]bool{secure, f.WS}]
	host := f.Host
	switch {
	case f.Port != 0:
		host = net.JoinHostPort(f.Host, strconv.Itoa(f.Port))
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return scheme + "://" + host, nil
}

func (f *serverFlags) dialer(address string) (client.Dialer, error) {
	config := &tls.Config{InsecureSkipVerify: f.Insecure}
	if f.CAFile != "" {
		pem, err := os.ReadFile(f.CAFile)
		if err != nil {
			return nil, usagef("--cafile: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("--cafile %s holds no PEM certificate", f.CAFile)
		}
	}
	dial, err := client.DialURL(address, config)
	if err != nil {
		return nil, usagef("--url: %w", err)
	}
	return dial, nil
}

// versionFlag is --version of everything that speaks MQTT.
type versionFlag struct {
	Version string `enum:"3.1,3.1.1,5,5.0" default:"3.1.1" help:"Version of MQTT: 3.1, 3.1.1 or 5."`
}

func (f versionFlag) version() mqtt.Version { return versionOf(f.Version) }

// versionOf reads what people call a version; "" is none.
func versionOf(s string) mqtt.Version {
	switch s {
	case "3.1":
		return mqtt.V31
	case "3.1.1":
		return mqtt.V311
	case "5", "5.0":
		return mqtt.V5
	}
	return 0
}

// sessionFlags say who connects.
type sessionFlags struct {
	versionFlag
	ClientID      string  `short:"i" name:"client-id" group:"Session" help:"Client id; left out, a random one." placeholder:"ID"`
	Username      string  `short:"u" group:"Session" help:"User name." placeholder:"NAME"`
	Password      *string `short:"P" group:"Session" help:"Password." env:"MATOU_MQTT_PASSWORD" placeholder:"PASSWORD"`
	KeepAlive     span    `short:"k" group:"Session" help:"Keep-alive time, for example 60s; 0 turns it off." default:"60s"`
	KeepSession   bool    `short:"c" group:"Session" help:"Ask the server to keep the session (clean session 0)."`
	SessionExpiry span    `group:"Session" help:"How long the server keeps the session, MQTT 5." placeholder:"TIME"`

	signFlags

	WillTopic   string `group:"Will" help:"Topic of the will." placeholder:"TOPIC"`
	WillPayload string `group:"Will" help:"Payload of the will." placeholder:"TEXT"`
	WillQoS     int    `name:"will-qos" group:"Will" help:"Quality of service of the will." enum:"0,1,2" default:"0"`
	WillRetain  bool   `group:"Will" help:"The server keeps the will."`
}

// options are the client's options.
func (f *sessionFlags) options(secure bool) (client.Options, error) {
	o := client.Options{
		Version:     f.version(),
		ClientID:    f.ClientID,
		Username:    f.Username,
		KeepSession: f.KeepSession,
		KeepAlive:   time.Duration(f.KeepAlive),
	}
	if f.KeepAlive == 0 {
		o.KeepAlive = -1
	}
	if f.Password != nil {
		o.Password = []byte(*f.Password)
	}
	if err := f.sign(&o, secure); err != nil {
		return o, err
	}
	if o.ClientID == "" {
		if f.KeepSession {
			return o, usagef("--keep-session needs --client-id: the session belongs to it")
		}
		o.ClientID = "matou-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	}
	if o.Password != nil && o.Username == "" && o.Version != mqtt.V5 {
		return o, usagef("--password needs --username before MQTT 5 [MQTT3-3.1.2-22]")
	}
	if f.SessionExpiry != 0 {
		if o.Version != mqtt.V5 {
			return o, usagef("--session-expiry needs --version 5")
		}
		seconds := f.SessionExpiry.seconds()
		o.Properties = &packet.Properties{SessionExpiry: &seconds}
	}
	return o, f.will(&o)
}

// sign puts the signed login of a device into the options.
func (f *sessionFlags) sign(o *client.Options, secure bool) error {
	login, ok, err := f.login(f.ClientID, secure)
	if err != nil || !ok {
		return err
	}
	if f.Username != "" || f.Password != nil {
		return usagef("--username and --password do not go with a signed login")
	}
	o.ClientID, o.Username, o.Password = login.ClientID, login.Username, []byte(login.Password)
	return nil
}

func (f *sessionFlags) will(o *client.Options) error {
	if f.WillTopic == "" {
		if f.WillPayload != "" || f.WillRetain || f.WillQoS != 0 {
			return usagef("a will needs --will-topic")
		}
		return nil
	}
	if err := mqtt.ValidTopicName(f.WillTopic); err != nil {
		return usagef("--will-topic: %w", err)
	}
	o.Will = &packet.Will{Topic: f.WillTopic, Payload: []byte(f.WillPayload), QoS: mqtt.QoS(f.WillQoS), Retain: f.WillRetain}
	return nil
}

// A session is a client that runs beside a command.
type session struct {
	*client.Client
	ended chan error
}

// connect starts a client: it gives up if it cannot connect at first or is
// refused, and comes back when a connection breaks.
func connect(g *globals, s *serverFlags, f *sessionFlags, more func(*client.Options)) (*session, error) {
	address, err := s.address()
	if err != nil {
		return nil, err
	}
	dial, err := s.dialer(address)
	if err != nil {
		return nil, err
	}
	o, err := f.options(client.Secure(address))
	if err != nil {
		return nil, err
	}
	o.Dial = dial
	var once atomic.Bool
	o.OnConnect = func(context.Context, *packet.Connack) { once.Store(true) }
	o.OnDisconnect = func(_ context.Context, err error) {
		fmt.Fprintf(g.Stderr, "matou: connection lost: %v; connecting again\n", err)
	}
	o.GiveUp = func(err error) bool {
		_, no := errors.AsType[*client.Refused](err)
		return no || !once.Load()
	}
	if more != nil {
		more(&o)
	}
	c := &session{client.New(o), make(chan error, 1)}
	go func() { c.ended <- c.Run(g.Ctx) }()
	return c, nil
}

// partingTime is how long a command waits for its client to say goodbye.
const partingTime = 3 * time.Second

// close says DISCONNECT and waits until the client has ended.
func (s *session) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), partingTime)
	defer cancel()
	s.Disconnect(ctx)
	return <-s.ended
}

// explain adds to an error what the person can do about it.
func explain(err error, f *sessionFlags) error {
	r, ok := errors.AsType[*client.Refused](err)
	if !ok {
		return err
	}
	switch r.Reason {
	case mqtt.BadUserNameOrPassword, mqtt.NotAuthorized, mqtt.ClientIdentifierNotValid:
	default:
		return r
	}
	vendor := f.vendor()
	if vendor == "" {
		return r
	}
	return fmt.Errorf("%w; 'matou doctor %s' finds the mistake in a login", r, vendor)
}

// vendor guesses whose login this is, "" for nobody's.
func (f *sessionFlags) vendor() string {
	switch {
	case f.ProductKey != "" || strings.Contains(f.Username, "&") || strings.Contains(f.ClientID, "|"):
		return "aliyun"
	case f.ProductID != "" || f.Password != nil && strings.Contains(*f.Password, "sign="):
		return "onenet"
	}
	return ""
}

// A span is a time on the command line: 1m30s, or a number of seconds.
type span time.Duration

// UnmarshalText reads a span; a negative one is refused.
func (s *span) UnmarshalText(b []byte) error {
	text := string(b)
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time: write 90s, 1m30s or a number of seconds", b)
	}
	*s = span(d)
	return nil
}

// seconds is the span as MQTT writes it.
func (s span) seconds() uint32 {
	return uint32(min(time.Duration(s)/time.Second, 1<<32-1))
}

// userProperties reads pairs of --user-property.
func userProperties(pairs []string) (out []packet.UserProperty, err error) {
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return nil, usagef("--user-property %q is not name=value", p)
		}
		out = append(out, packet.UserProperty{Name: name, Value: value})
	}
	return out, nil
}
