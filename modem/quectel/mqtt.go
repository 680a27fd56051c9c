package quectel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt"
)

// Limits of the firmware [EC20 QMT §1, §3-§6].
const (
	maxClients    = 6
	qmtOpenTime   = 120 * time.Second
	qmtAckTime    = 60 * time.Second // three tries of 5 s, and room for a slow network
	qmtCloseTime  = 30 * time.Second
	maxIdentifier = 65535
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
	*modem.Mailbox
	busy chan struct{} // holds a token while a packet awaits its outcome

	mu       sync.Mutex
	lastID   int
	gone     bool // the module has closed it
	finished bool // Close was called
}

// Connect logs in to a broker with the module's MQTT client. With an Aliyun
// Triple the module signs itself; it does so for good once it was told to, so
// a later login without one uses another of its six clients.
func (m *Module) Connect(ctx context.Context, login modem.Login, receive func(modem.Message)) (modem.Session, error) {
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
		s.lose(err)
		m.host.Tidy(func() { s.abandon(err) })
		return nil, fmt.Errorf("log in to %s:%d: %w", login.Host, login.Port, err)
	}
	return s, nil
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
		s := &session{m: m, id: id, Mailbox: modem.NewMailbox(receive, m.log), busy: make(chan struct{}, 1)}
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
	if login.KeepAlive > 0 {
		if err := cfg("keepalive", at.Num(int(login.KeepAlive.Seconds()))); err != nil {
			return err
		}
	}
	clean := 1
	if login.KeepSession {
		clean = 0
	}
	if err := cfg("session", at.Num(clean)); err != nil {
		return err
	}
	if w := login.Will; w != nil {
		retain := 0
		if w.Retain {
			retain = 1
		}
		err := cfg("will", at.Num(1), at.Num(int(w.QoS)), at.Num(retain), at.Str(w.Topic), at.Str(string(w.Payload)))
		if err != nil {
			return fmt.Errorf("will: %w", err)
		}
	} else if err := cfg("will", at.Num(0)); err != nil && !errors.Is(err, modem.ErrRefused) {
		return err
	}
	if t := login.Aliyun; t != nil {
		return cfg("aliauth", at.Str(t.ProductKey), at.Str(t.DeviceName), at.Str(t.DeviceSecret))
	}
	return nil
}

// open opens the connection. A client that is open from before we came is
// closed first.
func (s *session) open(ctx context.Context, login modem.Login) error {
	result, err := s.openOnce(ctx, login)
	if err == nil && result == 2 || errors.Is(err, modem.ErrRefused) {
		s.ask(ctx, qmtCloseTime, "+QMTCLOSE", 2)
		result, err = s.openOnce(ctx, login)
	}
	if err != nil || result == 0 {
		return err
	}
	if result == 3 {
		s.m.setOnline(false)
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
	n, err := s.ask(ctx, qmtOpenTime, "+QMTOPEN", 2, at.Str(login.Host), at.Num(login.Port))
	if err != nil {
		return 0, err
	}
	return n[1], nil
}

// login says CONNECT.
func (s *session) login(ctx context.Context, login modem.Login) error {
	args := []at.Arg{at.Str(login.ClientID)}
	if login.Aliyun == nil && (login.Username != "" || login.Password != "") {
		args = append(args, at.Str(login.Username), at.Str(login.Password))
	}
	n, err := s.ask(ctx, qmtAckTime, "+QMTCONN", 2, args...)
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

// ask asks a command of this client and waits for its outcome, a line of the
// same name with the client's number first and at least so many numbers.
func (s *session) ask(ctx context.Context, timeout time.Duration, name string, least int, args ...at.Arg) ([]int, error) {
	outcome := s.await(name, least, nil)
	defer outcome.Cancel()
	if err := s.m.host.Set(ctx, name, append([]at.Arg{at.Num(s.id)}, args...)...); err != nil {
		return nil, err
	}
	return s.wait(ctx, timeout, outcome, name)
}

// await waits for an outcome. Reports of a retransmission (result 1) are none:
// the result comes later.
func (s *session) await(name string, least int, match func(n []int) bool) *modem.Waiter {
	result := least - 1
	return s.m.host.Await(func(line string) bool {
		n := numbers(line, name+":")
		if len(n) < least || n[0] != s.id || match != nil && !match(n) {
			return false
		}
		return n[result] != 1 || name == "+QMTOPEN"
	})
}

func (s *session) wait(ctx context.Context, timeout time.Duration, outcome *modem.Waiter, name string) ([]int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("AT%s: wanted the outcome, got nothing within %v: %w", name, timeout, modem.ErrSilent))
	defer cancel()
	line, err := s.line(ctx, outcome)
	if err != nil {
		return nil, err
	}
	return numbers(line, name+":"), nil
}

// line waits for an outcome, or for the end of the session.
func (s *session) line(ctx context.Context, outcome *modem.Waiter) (string, error) {
	ctx, stop := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-s.Done():
			stop(s.Err())
		case <-ctx.Done():
		}
	}()
	line, err := outcome.Wait(ctx)
	stop(nil)
	<-watched
	return line, err
}

// sessionEvent takes +QMTSTAT: <client>,<reason>.
func (m *Module) sessionEvent(line string) {
	n := numbers(line, "+QMTSTAT:")
	if len(n) < 2 || n[0] < 0 || n[0] >= maxClients {
		return
	}
	m.mu.Lock()
	s := m.sessions[n[0]]
	m.mu.Unlock()
	if s != nil {
		s.lose(fmt.Errorf("%w: %s (+QMTSTAT: %d)", modem.ErrLost, lostReasons[n[1]], n[1]))
	}
}

// mail hands a message to its session: +QMTRECV: 0,0,"topic",5, with the
// payload as counted data, or all of it in a line.
func (m *Module) mail(e at.Event) {
	args, topic, payload := message(e)
	if len(args) < 2 || args[0] < 0 || args[0] >= maxClients || topic == "" {
		return
	}
	m.mu.Lock()
	s := m.sessions[args[0]]
	m.mu.Unlock()
	if s != nil {
		s.Deliver(modem.Message{Topic: topic, Payload: payload})
	}
}

// lose ends the session because the module has.
func (s *session) lose(err error) {
	s.mu.Lock()
	s.gone = true
	s.mu.Unlock()
	s.End(err)
}

// abandon closes what a failed login left.
func (s *session) abandon(failure error) {
	defer s.free()
	defer s.Wait()
	if errors.Is(failure, modem.ErrNotSent) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), qmtCloseTime)
	defer cancel()
	s.m.host.Set(ctx, "+QMTCLOSE", at.Num(s.id))
}

// Close logs out. The receiver has returned when it does.
func (s *session) Close() error {
	s.mu.Lock()
	gone, finished := s.gone, s.finished
	s.finished = true
	s.mu.Unlock()
	if finished {
		return nil
	}
	defer s.free()
	var err error
	if !gone {
		ctx, cancel := context.WithTimeout(context.Background(), qmtCloseTime)
		defer cancel()
		if _, err = s.ask(ctx, qmtCloseTime, "+QMTDISC", 2); err != nil {
			_, err = s.ask(ctx, qmtCloseTime, "+QMTCLOSE", 2)
		}
	}
	s.End(modem.ErrClosed)
	s.Wait()
	return err
}

// identifier is the next packet identifier of QoS 1 and 2.
func (s *session) identifier() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID = s.lastID%maxIdentifier + 1
	return s.lastID
}

// Subscribe subscribes.
func (s *session) Subscribe(ctx context.Context, filter string, qos mqtt.QoS) (mqtt.QoS, error) {
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
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	id := s.identifier()
	outcome := s.await(name, 3, func(n []int) bool { return n[1] == id })
	defer outcome.Cancel()
	if err := s.m.host.Set(ctx, name, append([]at.Arg{at.Num(s.id), at.Num(id)}, args...)...); err != nil {
		return nil, err
	}
	n, err := s.wait(ctx, qmtAckTime, outcome, name)
	if err == nil && n[2] != 0 {
		err = fmt.Errorf("AT%s: %w: the broker did not acknowledge", name, modem.ErrSilent)
	}
	return n, err
}

// lock waits for the packet before to be done with.
func (s *session) lock(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	select {
	case s.busy <- struct{}{}:
		return nil
	case <-s.Done():
		return s.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *session) unlock() { <-s.busy }
