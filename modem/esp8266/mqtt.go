package esp8266

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt"
)

// Limits of ESP-AT's MQTT client, and what it may take for a thing
// [ESP-AT v2.2 MQTT AT commands].
const (
	client          = 0 // the only one
	maxTopic        = 128
	maxLogin        = 1024
	maxBroker       = 128
	maxKeepAlive    = 7200 * time.Second
	mqttConnectTime = 60 * time.Second // name, TCP, TLS and CONNACK, about 10 s each
	mqttAckTime     = 60 * time.Second // it waits for an acknowledgement without limit
	mqttCleanTime   = 15 * time.Second
)

// The schemes of +MQTTUSERCFG: over TLS, no certificate is checked, for those of
// the authorities would have to be in the firmware.
const (
	overTCP = 1
	overTLS = 2
)

// A session is the firmware's MQTT client.
type session struct {
	m *Module
	*modem.Client
	live    atomic.Bool // connecting or connected: what is said of an earlier one does not count
	leaving atomic.Bool
	pieces  pieces
}

// Connect logs in to a broker with the firmware's own MQTT client, of which
// ESP-AT has one; errors.ErrUnsupported is returned for AT 1.x, which has none.
// The firmware does not say why a login failed. It hands over a message of more
// than about 1000 bytes in pieces, each of which comes as a Message that says
// so; for larger ones use mqtt/client over Dial.
func (m *Module) Connect(ctx context.Context, login modem.Login, receive func(modem.Message)) (modem.Session, error) {
	if !m.espAT() {
		return nil, fmt.Errorf("firmware %s: %w: it has no MQTT client of its own; speak MQTT over its sockets instead", m.Identity().Firmware, errors.ErrUnsupported)
	}
	if login.Aliyun != nil {
		return nil, fmt.Errorf("login: %w: the module does not sign for Aliyun; give it the signed user name and password", errors.ErrUnsupported)
	}
	if err := m.Limits().Login(login); err != nil {
		return nil, err
	}
	if err := m.Join(ctx); err != nil {
		return nil, err
	}
	s := &session{m: m, Client: modem.NewClient(m.host, client, receive, m.log)}
	if !m.session.CompareAndSwap(nil, s) {
		s.End(modem.ErrInUse)
		return nil, modem.ErrInUse
	}
	if err := s.connect(ctx, login); err != nil {
		s.leaving.Store(true)
		s.Abandon(err, mqttCleanTime, "+MQTTCLEAN", s.free)
		return nil, fmt.Errorf("log in to %s:%d: %w", login.Host, login.Port, err)
	}
	return s, nil
}

// Limits are those of ESP-AT.
func (m *Module) Limits() modem.Limits { return Limits() }

// Limits are what ESP-AT's MQTT client takes, whatever the module.
func Limits() modem.Limits {
	return modem.Limits{
		Host: maxBroker, ClientID: maxLogin, Username: maxLogin, Password: maxLogin,
		Topic: maxTopic, KeepAlive: maxKeepAlive,
		Dialect: at.Espressif,
	}
}

func (s *session) free() { s.m.session.CompareAndSwap(s, nil) }

// connect forgets what may be left of an earlier login, for the answer to which
// nobody cares, and logs in. The strings go in as counted data, in which
// nothing needs an escape and which may be longer than a command.
func (s *session) connect(ctx context.Context, l modem.Login) error {
	s.m.host.SetFor(ctx, mqttCleanTime, "+MQTTCLEAN", at.Num(client))
	none, scheme := at.Str(""), overTCP
	if l.TLS {
		scheme = overTLS
	}
	if err := s.Set(ctx, "+MQTTUSERCFG", at.Num(scheme), none, none, none, at.Num(0), at.Num(0), none); err != nil {
		return err
	}
	for _, text := range []struct{ name, value string }{
		{"+MQTTLONGCLIENTID", l.ClientID}, {"+MQTTLONGUSERNAME", l.Username}, {"+MQTTLONGPASSWORD", l.Password},
	} {
		if err := s.enter(ctx, text.name, text.value); err != nil {
			return err
		}
	}
	var w modem.Message
	if l.Will != nil {
		w = *l.Will
	}
	err := s.Set(ctx, "+MQTTCONNCFG", at.Num(int(l.KeepAlive.Seconds())), at.Flag(l.KeepSession),
		at.Str(w.Topic), at.Str(string(w.Payload)), at.Num(int(w.QoS)), at.Flag(w.Retain))
	if err != nil {
		return fmt.Errorf("keep alive and will: %w", err)
	}
	s.live.Store(true)
	const reconnect = 0 // who dials again is the caller's affair
	err = s.m.host.SetFor(ctx, mqttConnectTime, "+MQTTCONN", at.Num(client), at.Str(l.Host), at.Num(l.Port), at.Num(reconnect))
	if errors.Is(err, modem.ErrRefused) {
		return s.explain(ctx, l.Host, err)
	}
	return err
}

// enter hands over one string of the login.
func (s *session) enter(ctx context.Context, name, value string) error {
	if value == "" {
		return nil
	}
	c, err := at.Espressif.Set(name, at.Num(client), at.Num(len(value)))
	if err != nil {
		return err
	}
	_, err = s.m.host.Ask(ctx, modem.Request{Command: c, Payload: []byte(value)})
	return err
}

// explain tells a name that nobody knows from a broker that refuses.
func (s *session) explain(ctx context.Context, host string, err error) error {
	lookup := s.m.host.SetFor(ctx, dialTime, "+CIPDOMAIN", at.Str(host))
	if errors.Is(lookup, modem.ErrRefused) {
		return fmt.Errorf("%w: %w", modem.ErrDNS, err)
	}
	return fmt.Errorf("%w: %w", modem.ErrUntold, err)
}

// Publish sends a message and waits until the module reports it done: sent at
// QoS 0, acknowledged at 1 and 2 [ESP-AT v2.2 AT+MQTTPUBRAW].
func (s *session) Publish(ctx context.Context, m modem.Message) error {
	if err := s.m.Limits().Message(m); err != nil {
		return err
	}
	done, err := s.Turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	if len(m.Payload) == 0 { // there is no prompt for nothing
		return s.ask(ctx, "+MQTTPUB", at.Str(m.Topic), at.Str(""), at.Num(int(m.QoS)), at.Flag(m.Retain))
	}
	c, err := at.Espressif.Set("+MQTTPUBRAW", at.Num(client), at.Str(m.Topic), at.Num(len(m.Payload)), at.Num(int(m.QoS)), at.Flag(m.Retain))
	if err != nil {
		return err
	}
	answer, err := s.m.host.Ask(ctx, modem.Request{
		Command: c, Payload: m.Payload, Timeout: mqttAckTime,
		Ends: func(line string) bool { return line == sent || strings.HasPrefix(line, notSent) },
	})
	if err != nil {
		return s.lost(ctx, err)
	}
	if !slices.Contains(answer.Lines, sent) {
		return s.lost(ctx, fmt.Errorf("publish to %s: %w (%s)", m.Topic, modem.ErrLost, notSent))
	}
	return nil
}

// How +MQTTPUBRAW ends.
const (
	sent    = "+MQTTPUB:OK"
	notSent = "+MQTTPUB:FAIL"
)

// Subscribe subscribes, to up to ten filters. The module does not tell what
// was granted.
func (s *session) Subscribe(ctx context.Context, filter string, qos mqtt.QoS) (mqtt.QoS, error) {
	if err := s.m.Limits().Filter(filter); err != nil {
		return 0, err
	}
	return qos, s.change(ctx, "+MQTTSUB", filter, at.Num(int(qos)))
}

// Unsubscribe unsubscribes.
func (s *session) Unsubscribe(ctx context.Context, filter string) error {
	return s.change(ctx, "+MQTTUNSUB", filter)
}

func (s *session) change(ctx context.Context, name, filter string, args ...at.Arg) error {
	done, err := s.Turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := s.ask(ctx, name, append([]at.Arg{at.Str(filter)}, args...)...); err != nil {
		return fmt.Errorf("subscription %s: %w", filter, err)
	}
	return nil
}

// ask asks a command that the broker has to answer before the module does.
func (s *session) ask(ctx context.Context, name string, args ...at.Arg) error {
	err := s.m.host.SetFor(ctx, mqttAckTime, name, append([]at.Arg{at.Num(client)}, args...)...)
	return s.lost(ctx, err)
}

// lost finds out whether a refusal means that the connection has gone: the line
// that says so may be cut off, for some firmware forgets its end.
func (s *session) lost(ctx context.Context, failure error) error {
	if failure == nil || s.Err() != nil {
		return because(s.Err(), failure)
	}
	if !errors.Is(failure, modem.ErrRefused) && !errors.Is(failure, modem.ErrLost) {
		return failure
	}
	rows, err := s.m.host.Rows(ctx, at.Command{Name: "+MQTTCONN", Form: at.Query}, nil)
	const connected = 4 // and above
	if err != nil || len(rows) == 0 || len(rows[0]) < 2 {
		return failure
	}
	if state, ok := rows[0][1].Int(); ok && state < connected {
		s.End(modem.ErrLost)
		return fmt.Errorf("%w: %w", modem.ErrLost, failure)
	}
	return failure
}

// because is the failure of a command, with the end of the session if that is
// why.
func because(ended, failure error) error {
	if failure == nil || ended == nil {
		return failure
	}
	return fmt.Errorf("%w: %w", ended, failure)
}

// Close logs out. The receiver has returned when it does.
func (s *session) Close() error { return s.Finish(s.logout, s.free) }

func (s *session) logout() error {
	s.leaving.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), mqttCleanTime)
	defer cancel()
	return s.m.host.SetFor(ctx, mqttCleanTime, "+MQTTCLEAN", at.Num(client))
}

// sessionEvent takes +MQTTDISCONNECTED:0.
func (m *Module) sessionEvent() {
	if s := m.session.Load(); s != nil && s.live.Load() && !s.leaving.Load() {
		s.End(modem.ErrLost)
	}
}

// mail hands a message to its session: +MQTTSUBRECV:0,"topic",5, and the
// payload as counted data. A quote in a topic is written as it is.
func (m *Module) mail(e at.Event) {
	s := m.session.Load()
	text, _ := strings.CutPrefix(e.Text, "+MQTTSUBRECV:")
	_, topic, quoted := strings.Cut(text, `"`)
	end := strings.LastIndexByte(topic, '"')
	if s == nil || !quoted || end < 0 {
		m.log.Warn("message of no session", "header", e.Text)
		return
	}
	topic = topic[:end]
	s.Deliver(modem.Message{Topic: topic, Payload: e.Data, Piece: s.pieces.take(topic, len(e.Data), time.Now())})
}
