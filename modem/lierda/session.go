package lierda

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt"
)

// What the firmware takes, and how long it may take for it [NT26 LMQTT].
const (
	client      = 0 // of five identifiers the one that works
	openTime    = 160 * time.Second
	ackTime     = 30 * time.Second
	closeTime   = 10 * time.Second
	maxHost     = 100
	maxText     = 256 // of a client identifier or topic
	maxInline   = 1024
	maxPrompted = 8000

	maxKeepAlive = time.Hour

	triesAsking = 3 // for the state, where an outcome did not come
)

var openReasons = map[int]error{
	1: errors.New("a parameter is wrong"),
	2: errors.New("the module's MQTT client is in use"),
	3: errors.New("there is no data connection"),
	4: modem.ErrDNS,
	5: errors.New("the network is down, or the broker refused"),
}

var lostReasons = map[int]string{
	1: "reset by the broker", 2: "the address is wrong", 3: "no address for the host name", 4: "an error of the protocol",
	8: "timeout", 9: "an error of the connection", 10: "a fatal error", 11: "closed", 13: "the module's buffer is full",
	14: "an error of TLS", 15: "the broker refused",
}

// A session is the module's MQTT client.
type session struct {
	m *Module
	*modem.Client
	live atomic.Bool // opened, or being opened: what is said of an earlier one does not count
}

// Connect logs in to a broker with the module's MQTT client, of which there is
// one.
func (m *Module) Connect(ctx context.Context, login modem.Login, receive func(modem.Message)) (modem.Session, error) {
	if err := m.Limits().Login(login); err != nil {
		return nil, err
	}
	if err := m.Join(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	if m.session != nil {
		m.mu.Unlock()
		return nil, modem.ErrInUse
	}
	s := &session{m: m, Client: modem.NewClient(m.host, client, receive, m.log)}
	m.session = s
	m.mu.Unlock()
	err := s.open(ctx, login)
	if err == nil {
		err = s.login(ctx, login)
	}
	if err != nil {
		s.Abandon(err, closeTime, "+LMQTTCLOSE", s.free)
		return nil, fmt.Errorf("log in to %s:%d: %w", login.Host, login.Port, err)
	}
	return s, nil
}

// Limits are those of the manuals; a firmware that does not ask for messages
// takes less.
func (m *Module) Limits() modem.Limits {
	m.mu.Lock()
	defer m.mu.Unlock()
	return limits(m.inline)
}

// Limits are what the module's MQTT client takes, before its firmware is known.
func Limits() modem.Limits { return limits(false) }

func limits(inline bool) modem.Limits {
	l := modem.Limits{
		Host: maxHost, ClientID: maxText, Topic: maxText,
		Payload: maxPrompted, KeepAlive: maxKeepAlive, NoTLS: true, Dialect: at.V250,
	}
	if inline {
		l.Payload, l.Never = maxInline, "\r\n"
	}
	return l
}

// open closes what may be open from before, for the answer to which nobody
// cares, and opens the connection. CLOSE forgets the configuration, so it is
// written each time.
func (s *session) open(ctx context.Context, login modem.Login) error {
	s.close(ctx)
	if err := s.configure(ctx, login); err != nil {
		return err
	}
	s.live.Store(true)
	n, err := s.ask(ctx, openTime, "+LMQTTOPEN", at.Str(login.Host), at.Num(login.Port))
	if err != nil || n[1] == 0 {
		return err
	}
	reason := n[1]
	if len(n) > 2 {
		reason = n[2]
	}
	if known := openReasons[reason]; known != nil {
		return fmt.Errorf("%w: %w (+LMQTTOPEN: %d)", modem.ErrRefused, known, reason)
	}
	return fmt.Errorf("%w (+LMQTTOPEN: %v)", modem.ErrRefused, n[1:])
}

func (s *session) configure(ctx context.Context, login modem.Login) error {
	cfg := func(key string, args ...at.Arg) error {
		return s.m.host.Set(ctx, "+LMQTTCFG", append([]at.Arg{at.Str(key), at.Num(client)}, args...)...)
	}
	// Without "urc" some firmware reports no outcome; other firmware does not
	// know it.
	if err := cfg("urc", at.Num(1)); err != nil && !errors.Is(err, modem.ErrRefused) {
		return err
	}
	if t := login.Aliyun; t != nil {
		if err := cfg("cloud", at.Num(2), at.Num(1)); err != nil {
			return modem.Unsigned(err)
		}
		if err := cfg("aliauth", at.Str(t.ProductKey), at.Str(t.DeviceName), at.Str(t.DeviceSecret)); err != nil {
			return modem.Unsigned(err)
		}
	}
	if login.KeepAlive > 0 {
		if err := cfg("keepalive", at.Num(int(login.KeepAlive.Seconds()))); err != nil {
			return err
		}
	}
	if login.KeepSession {
		if err := cfg("session", at.Num(0)); err != nil {
			return err
		}
	}
	if login.Will != nil {
		if err := cfg("will", login.WillArgs()...); err != nil {
			return fmt.Errorf("will: %w", err)
		}
	}
	return nil
}

// login says CONNECT. Success is a result of 0 with the code 0.
func (s *session) login(ctx context.Context, login modem.Login) error {
	n, err := s.ask(ctx, ackTime, "+LMQTTCONN", login.Args()...)
	if errors.Is(err, modem.ErrSilent) && s.connected(ctx) {
		return nil // the outcome got lost
	}
	if err != nil {
		return err
	}
	switch {
	case len(n) > 2 && 1 <= n[2] && n[2] <= 5:
		return &modem.LoginError{Code: n[2]}
	case n[1] != 0 || len(n) > 2 && n[2] != 0:
		return fmt.Errorf("%w (+LMQTTCONN: %v)", modem.ErrRefused, n[1:])
	}
	return nil
}

// connected asks the module whether it is logged in.
func (s *session) connected(ctx context.Context) bool {
	for range triesAsking {
		answer, err := s.m.host.Ask(ctx, modem.Request{
			Command: at.Command{Name: "+LMQTTCONN", Form: at.Query},
			Claims:  func(line string) bool { return len(modem.Numbers(line, "+LMQTTCONN:")) == 2 },
		})
		if err != nil {
			return false
		}
		for _, line := range answer.Lines {
			if n := modem.Numbers(line, "+LMQTTCONN:"); len(n) == 2 && n[0] == client {
				const connecting, connected = 2, 3
				if n[1] != connecting {
					return n[1] == connected
				}
			}
		}
	}
	return false
}

// Publish sends a message and waits until the module reports it done.
func (s *session) Publish(ctx context.Context, message modem.Message) error {
	if err := s.m.Limits().Message(message); err != nil {
		return err
	}
	done, err := s.Turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	id := 0
	if message.QoS > 0 {
		id = s.Identifier()
	}
	outcome := s.Await(func(n []int) bool { return len(n) > 2 && n[1] == id }, "+LMQTTPUB")
	defer outcome.Cancel()
	c, err := at.V250.Set("+LMQTTPUB", at.Num(client), at.Num(id), at.Num(int(message.QoS)), at.Flag(message.Retain), at.Str(message.Topic), at.Num(len(message.Payload)))
	if err != nil {
		return err
	}
	if err := s.send(ctx, c, message.Payload); err != nil {
		return err
	}
	n, err := outcome.Wait(ctx, ackTime)
	if err != nil {
		return err
	}
	if n[2] > 1 { // 1: sent, the acknowledgement is in doubt
		return fmt.Errorf("publish to %s: %w (+LMQTTPUB: %v)", message.Topic, modem.ErrLost, n[2:])
	}
	return nil
}

// send gives the module the message when it asks for it; a module that does
// not ask gets it inside the command, where its length delimits it.
func (s *session) send(ctx context.Context, c at.Command, payload []byte) error {
	s.m.mu.Lock()
	inline := s.m.inline
	s.m.mu.Unlock()
	if !inline && len(payload) > 0 {
		_, err := s.m.host.Ask(ctx, modem.Request{Command: c, Payload: payload, Timeout: ackTime})
		e, ok := errors.AsType[*modem.Error](err)
		if !ok || e.Err != modem.ErrRefused || e.Want == "OK" {
			return err
		}
	}
	if err := limits(true).Message(modem.Message{Payload: payload}); err != nil {
		return err
	}
	c.Params += `,"` + string(payload) + `"`
	_, err := s.m.host.Ask(ctx, modem.Request{Command: c})
	if err == nil && len(payload) > 0 {
		s.m.mu.Lock()
		s.m.inline = true
		s.m.mu.Unlock()
	}
	return err
}

// Subscribe subscribes. The module does not tell what was granted.
func (s *session) Subscribe(ctx context.Context, filter string, qos mqtt.QoS) (mqtt.QoS, error) {
	if err := s.m.Limits().Filter(filter); err != nil {
		return 0, err
	}
	return qos, s.change(ctx, 0, filter, qos)
}

// Unsubscribe unsubscribes.
func (s *session) Unsubscribe(ctx context.Context, filter string) error {
	return s.change(ctx, 1, filter, 0)
}

// change is LMQTTSUBUNSUB. Its outcome has the same name, or, where the manual
// misspells it, LMQTTUNSUNSUB.
func (s *session) change(ctx context.Context, flag int, filter string, qos mqtt.QoS) error {
	done, err := s.Turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	id := s.Identifier()
	const name, misspelt = "+LMQTTSUBUNSUB", "+LMQTTUNSUNSUB"
	outcome := s.Await(func(n []int) bool { return len(n) > 2 && n[1] == id }, name, misspelt)
	defer outcome.Cancel()
	if err := s.Set(ctx, name, at.Num(flag), at.Num(id), at.Str(filter), at.Num(int(qos))); err != nil {
		return err
	}
	n, err := outcome.Wait(ctx, ackTime)
	if err != nil {
		return err
	}
	const unsent = 6
	switch {
	case n[2] == 0:
		return nil
	case len(n) > 3 && n[3] == unsent:
		return fmt.Errorf("subscription %s: %w: %w (%s: %v)", filter, modem.ErrLost, modem.ErrRefused, name, n[2:])
	}
	return fmt.Errorf("subscription %s: %w (%s: %v)", filter, modem.ErrRefused, name, n[2:])
}

// ask asks a command of the client and waits for its outcome.
func (s *session) ask(ctx context.Context, timeout time.Duration, name string, args ...at.Arg) ([]int, error) {
	return s.Ask(ctx, timeout, name, func(n []int) bool { return len(n) > 1 }, args...)
}

// close closes whatever is open. Where nothing is, the module says ERROR.
func (s *session) close(ctx context.Context) {
	s.ask(ctx, closeTime, "+LMQTTDISC")
	s.ask(ctx, closeTime, "+LMQTTCLOSE")
}

func (s *session) free() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.session == s {
		s.m.session = nil
	}
}

// Close logs out. The receiver has returned when it does.
func (s *session) Close() error {
	return s.Finish(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*closeTime)
		defer cancel()
		s.close(ctx)
		return nil
	}, s.free)
}

// event takes what the module says unasked. It runs on the goroutine that
// reads the port.
func (m *Module) event(e at.Event, restart bool) {
	if restart {
		m.online.Store(false)
		m.lose(modem.ErrRestart)
		return
	}
	m.mu.Lock()
	s := m.session
	m.mu.Unlock()
	text, found := strings.CutPrefix(e.Text, "+LMQTTURC:")
	if !found || s == nil {
		return
	}
	text = strings.TrimLeft(text, " ")
	if mail, found := strings.CutPrefix(text, "RECV,"); found {
		if _, message, ok := modem.Mail(mail); ok && message.Payload != nil {
			s.Deliver(message)
		}
	}
	if n := modem.Numbers(text, "STATS,"); s.live.Load() && len(n) > 1 && n[0] == client && n[1] != 0 {
		s.End(fmt.Errorf("%w: %s (+LMQTTURC: %s)", modem.ErrLost, lostReasons[n[1]], text))
	}
}

func (m *Module) lose(err error) {
	m.mu.Lock()
	s := m.session
	m.mu.Unlock()
	if s != nil {
		s.End(err)
	}
}
