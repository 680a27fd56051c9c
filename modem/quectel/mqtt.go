package quectel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt"
)

// Limits of the firmware [EC20 QMT §1, §3-§6].
const (
	maxClients   = 6
	qmtOpenTime  = 120 * time.Second
	qmtAckTime   = 60 * time.Second // three tries of 5 s, and room for a slow network
	qmtCloseTime = 30 * time.Second
	maxBroker    = 100
	maxTopic     = 256
	maxKeepAlive = time.Hour
)

// openResults are what +QMTOPEN reports.
var openResults = map[int]error{
	-1: errors.New("the connection failed"),
	1:  errors.New("a parameter is wrong"),
	2:  errors.New("the module's MQTT client is in use"),
	3:  errors.New("there is no data connection: see Options.APN"),
	4:  modem.ErrDNS,
	5:  errors.New("the broker refused the connection, or the network is down"),
}

// lostReasons are what +QMTSTAT reports.
var lostReasons = map[int]string{
	1: "the broker closed it", 2: "the broker did not answer PINGREQ", 3: "CONNECT could not be sent",
	4: "the broker did not answer CONNECT", 5: "logged out", 6: "sending failed again and again",
	7: "the link is dead or the broker is gone", 8: "closed by the module",
}

// A session is one of the module's six MQTT clients.
type session struct {
	m  *Module
	id int
	*modem.Client
}

// Connect logs in to a broker with the module's MQTT client. With an Aliyun
// Triple the module signs itself; it does so for good once it was told to, so
// a later login without one uses another of its six clients.
func (m *Module) Connect(ctx context.Context, login modem.Login, receive func(modem.Message)) (modem.Session, error) {
	if err := m.Limits().Login(login); err != nil {
		return nil, err
	}
	if err := m.Join(ctx); err != nil {
		return nil, err
	}
	s, err := m.client(login.Aliyun != nil, receive)
	if err != nil {
		return nil, err
	}
	if err = s.open(ctx, login); err == nil {
		err = s.login(ctx, login)
	}
	if err != nil {
		s.Abandon(err, qmtCloseTime, "+QMTCLOSE", s.free)
		return nil, fmt.Errorf("log in to %s:%d: %w", login.Host, login.Port, err)
	}
	return s, nil
}

// Limits are those that the family has in common. How large a message may be
// differs from firmware to firmware, from 1,500 bytes on.
func (m *Module) Limits() modem.Limits {
	m.mu.Lock()
	defer m.mu.Unlock()
	return limits(m.publish)
}

// Limits are what the MQTT client of any module of the family takes, before its
// firmware is known.
func Limits() modem.Limits { return limits(untried) }

func limits(f form) modem.Limits {
	l := modem.Limits{Host: maxBroker, Topic: maxTopic, Will: maxTopic, KeepAlive: maxKeepAlive, NoEmpty: true, Dialect: at.V250}
	if f == ended {
		l.Never = "\x1a\x1b" // Ctrl-Z ends a message, Escape drops it
	}
	return l
}

// client takes a free client.
func (m *Module) client(signs bool, receive func(modem.Message)) (*session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range maxClients {
		if m.sessions[id] != nil || m.signed[id] && !signs {
			continue
		}
		m.signed[id] = m.signed[id] || signs
		s := &session{m: m, id: id, Client: modem.NewClient(m.host, id, receive, m.log)}
		m.sessions[id] = s
		return s, nil
	}
	return nil, modem.ErrInUse
}

func (s *session) free() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.sessions[s.id] == s {
		s.m.sessions[s.id] = nil
	}
}

// configure sets everything that has to be set before the connection is opened.
func (s *session) configure(ctx context.Context, login modem.Login) error {
	cfg := func(key string, args ...at.Arg) error {
		return s.m.host.Set(ctx, "+QMTCFG", append([]at.Arg{at.Str(key), at.Num(s.id)}, args...)...)
	}
	// With lengths: a payload may hold quotes and line ends.
	if err := cfg("recv/mode", at.Num(0), at.Num(1)); err != nil {
		return err
	}
	if err := cfg("version", at.Num(4)); err != nil {
		return err
	}
	if err := s.configureTLS(ctx, login.TLS, cfg); err != nil {
		return err
	}
	if login.KeepAlive > 0 {
		if err := cfg("keepalive", at.Num(int(login.KeepAlive.Seconds()))); err != nil {
			return err
		}
	}
	if err := cfg("session", at.Flag(!login.KeepSession)); err != nil {
		return err
	}
	err := cfg("will", login.WillArgs()...)
	switch {
	case err != nil && login.Will != nil:
		return fmt.Errorf("will: %w", err)
	case err != nil && !errors.Is(err, modem.ErrRefused):
		return err
	}
	if t := login.Aliyun; t != nil {
		if err := cfg("aliauth", at.Str(t.ProductKey), at.Str(t.DeviceName), at.Str(t.DeviceSecret)); err != nil {
			return modem.Unsigned(err)
		}
	}
	return nil
}

// configureTLS turns the module's TLS on or off. A client keeps the setting of
// the session before.
func (s *session) configureTLS(ctx context.Context, on bool, cfg func(key string, args ...at.Arg) error) error {
	if !on {
		if err := cfg("ssl", at.Num(0)); err != nil && !errors.Is(err, modem.ErrRefused) {
			return err
		}
		return nil
	}
	if err := s.m.secure(ctx); err != nil {
		return err
	}
	return cfg("ssl", at.Num(1), at.Num(tlsContext))
}

// open opens the connection. A client that is open from before we came is
// closed first.
func (s *session) open(ctx context.Context, login modem.Login) error {
	result, err := s.openOnce(ctx, login)
	if err == nil && result == 2 || errors.Is(err, modem.ErrRefused) {
		s.ask(ctx, qmtCloseTime, "+QMTCLOSE")
		result, err = s.openOnce(ctx, login)
	}
	if err != nil || result == 0 {
		return err
	}
	if result == 3 {
		s.m.online.Store(false)
	}
	reason := openResults[result]
	if reason == nil {
		return fmt.Errorf("%w (+QMTOPEN: %d)", modem.ErrRefused, result)
	}
	return fmt.Errorf("%w: %w (+QMTOPEN: %d)", modem.ErrRefused, reason, result)
}

func (s *session) openOnce(ctx context.Context, login modem.Login) (result int, err error) {
	if err := s.configure(ctx, login); err != nil {
		return 0, err
	}
	n, err := s.ask(ctx, qmtOpenTime, "+QMTOPEN", at.Str(login.Host), at.Num(login.Port))
	if err != nil {
		return 0, err
	}
	return n[1], nil
}

// login says CONNECT.
func (s *session) login(ctx context.Context, login modem.Login) error {
	n, err := s.ask(ctx, qmtAckTime, "+QMTCONN", login.Args()...)
	if err != nil {
		return err
	}
	switch {
	case n[1] != 0:
		return fmt.Errorf("%w: the broker did not answer CONNECT", modem.ErrSilent)
	case len(n) > 2 && n[2] != 0:
		return &modem.LoginError{Code: n[2]}
	}
	return nil
}

// ask asks a command of this client and waits for its outcome. Reports of a
// retransmission (result 1) are none: the result comes later.
func (s *session) ask(ctx context.Context, timeout time.Duration, name string, args ...at.Arg) ([]int, error) {
	return s.Ask(ctx, timeout, name, func(n []int) bool { return len(n) > 1 && (n[1] != 1 || name == "+QMTOPEN") }, args...)
}

// sessionEvent takes +QMTSTAT: <client>,<reason>.
func (m *Module) sessionEvent(line string) {
	n := modem.Numbers(line, "+QMTSTAT:")
	if len(n) < 2 || n[0] < 0 || n[0] >= maxClients {
		return
	}
	m.mu.Lock()
	s := m.sessions[n[0]]
	m.mu.Unlock()
	if s != nil {
		s.End(fmt.Errorf("%w: %s (+QMTSTAT: %d)", modem.ErrLost, lostReasons[n[1]], n[1]))
	}
}

// mail hands a message to its session: +QMTRECV: 0,0,"topic",5, with the
// payload as counted data, or all of it in a line.
func (m *Module) mail(e at.Event) {
	client, message, ok := modem.Mail(strings.TrimPrefix(e.Text, "+QMTRECV:"))
	if !ok || client < 0 || client >= maxClients || message.Topic == "" {
		return
	}
	if e.Kind == at.Data {
		message.Payload = e.Data
	}
	m.mu.Lock()
	s := m.sessions[client]
	m.mu.Unlock()
	if s != nil {
		s.Deliver(message)
	}
}

// Close logs out. The receiver has returned when it does.
func (s *session) Close() error { return s.Finish(s.logout, s.free) }

func (s *session) logout() error {
	ctx, cancel := context.WithTimeout(context.Background(), qmtCloseTime)
	defer cancel()
	_, err := s.ask(ctx, qmtCloseTime, "+QMTDISC")
	if err != nil {
		_, err = s.ask(ctx, qmtCloseTime, "+QMTCLOSE")
	}
	return err
}

// Subscribe subscribes.
func (s *session) Subscribe(ctx context.Context, filter string, qos mqtt.QoS) (mqtt.QoS, error) {
	if err := s.m.Limits().Filter(filter); err != nil {
		return 0, err
	}
	n, err := s.acknowledged(ctx, "+QMTSUB", at.Str(filter), at.Num(int(qos)))
	if err != nil {
		return 0, err
	}
	granted := int(qos)
	if len(n) > 3 {
		granted = n[3]
	}
	if granted > 2 {
		return 0, fmt.Errorf("subscribe to %s: %w: the broker grants no right to it", filter, modem.ErrRefused)
	}
	return mqtt.QoS(granted), nil
}

// Unsubscribe unsubscribes.
func (s *session) Unsubscribe(ctx context.Context, filter string) error {
	_, err := s.acknowledged(ctx, "+QMTUNS", at.Str(filter))
	return err
}

// acknowledged asks a command with a packet identifier and waits for its
// outcome: <client>,<identifier>,<result>[,…].
func (s *session) acknowledged(ctx context.Context, name string, args ...at.Arg) ([]int, error) {
	done, err := s.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	id := s.Identifier()
	final := func(n []int) bool { return len(n) > 2 && n[1] == id && n[2] != 1 }
	n, err := s.Ask(ctx, qmtAckTime, name, final, append([]at.Arg{at.Num(id)}, args...)...)
	if err == nil && n[2] != 0 {
		err = fmt.Errorf("AT%s: %w: the broker did not acknowledge", name, modem.ErrSilent)
	}
	return n, err
}
