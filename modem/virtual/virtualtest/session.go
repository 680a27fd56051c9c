package virtualtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
)

// BrokerLogin is a login at the Broker.
func BrokerLogin(clientID string) modem.Login {
	return modem.Login{Host: "broker.test", Port: 1883, ClientID: clientID}
}

// Session checks one session from its login to its end: whatever a login can
// hold arrives, and a message comes back as it was sent.
func (b *Bench[D]) Session(payload string) {
	b.Helper()
	got := make(chan modem.Message, 10)
	s := b.Connect(modem.Login{
		ClientID: "dev1", Username: "user", Password: "secret", KeepAlive: 90 * time.Second, KeepSession: true,
		Will: &modem.Message{Topic: "w", Payload: []byte("gone"), QoS: 1, Retain: true},
	}, func(m modem.Message) { got <- m })
	l := b.Broker.Logins()[0]
	if l.ClientID != "dev1" || l.Username != "user" || string(l.Password) != "secret" || l.KeepAlive != 90 || l.CleanStart ||
		l.Will == nil || l.Will.Topic != "w" || string(l.Will.Payload) != "gone" || l.Will.QoS != 1 || !l.Will.Retain {
		b.Errorf("login %+v, will %+v", l, l.Will)
	}
	if q, err := s.Subscribe(b.Context(), "t/1", mqtt.AtLeastOnce); q != 1 || err != nil {
		b.Errorf("subscribe: %d, %v", q, err)
	}
	for qos := range mqtt.QoS(2) {
		if err := s.Publish(b.Context(), modem.Message{Topic: "t/1", Payload: []byte(payload), QoS: qos}); err != nil {
			b.Errorf("publish at QoS %d: %v", qos, err)
		}
		if m := <-got; m.Topic != "t/1" || string(m.Payload) != payload {
			b.Errorf("got %q %q", m.Topic, m.Payload)
		}
	}
	if err := s.Unsubscribe(b.Context(), "t/1"); err != nil {
		b.Error(err)
	}
	if err := s.Close(); err != nil {
		b.Error(err)
	}
	if err := s.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x")}); !errors.Is(err, modem.ErrClosed) {
		b.Errorf("after Close: %v", err)
	}
}

// SignsItself checks that the module signs for Aliyun, and that the signature
// holds.
func (b *Bench[D]) SignsItself(triple aliyun.Triple) {
	b.Helper()
	b.Connect(modem.Login{ClientID: "any", Aliyun: &triple}, nil).Close()
	l := b.Broker.Logins()[0]
	sent := aliyun.Sent{ClientID: l.ClientID, Username: l.Username, Password: l.Password}
	if _, ok := aliyun.Verify(sent, triple.DeviceSecret); !ok {
		b.Errorf("the signature does not hold: %+v", sent)
	}
}

// Refusals checks what is said of a refused login and of a broker that is not
// there, and that the module is free again a while after. Between the two it
// rests: a module with one client has to end what failed first.
func (b *Bench[D]) Refusals(rest time.Duration) {
	b.Helper()
	b.Broker.Refuse(mqtt.BadUserNameOrPassword)
	messenger := any(b.Driver).(modem.Messenger)
	_, err := messenger.Connect(b.Context(), BrokerLogin("x"), nil)
	if e, ok := errors.AsType[*modem.LoginError](err); !ok || e.Code != 4 {
		b.Errorf("%v", err)
	}
	<-time.After(rest) // of the bubble
	_, err = messenger.Connect(b.Context(), modem.Login{Host: "nowhere.test", Port: 1883, ClientID: "x"}, nil)
	if !errors.Is(err, modem.ErrDNS) {
		b.Errorf("%v", err)
	}
	<-time.After(time.Minute) // of the bubble
	b.Broker.Refuse(0)
	b.Connect(modem.Login{ClientID: "x"}, nil).Close()
}

// RoughSession publishes so many messages with the module's own client, which
// it connects again as often as need be; there must be at least so many logins.
func (b *Bench[D]) RoughSession(messages, logins int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 12*time.Hour)
	defer cancel()
	var s modem.Session
	for n := range messages {
		for {
			err := b.publish(ctx, &s, fmt.Appendf(nil, `{"n":%d}`, n))
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				b.Fatalf("message %d: %v", n, err)
			}
			<-time.After(time.Second) // of the bubble
		}
		<-time.After(5 * time.Second)
	}
	b.rough(logins)
}

// publish publishes in a session, for which it logs in if there is none. One
// that cannot is closed.
func (b *Bench[D]) publish(ctx context.Context, s *modem.Session, payload []byte) (err error) {
	if *s == nil {
		if *s, err = any(b.Driver).(modem.Messenger).Connect(ctx, BrokerLogin("dev1"), nil); err != nil {
			*s = nil
			return err
		}
	}
	if err = (*s).Publish(ctx, modem.Message{Topic: "t", Payload: payload, QoS: 1}); err != nil {
		(*s).Close()
		*s = nil
	}
	return err
}

// RoughSocket publishes a hundred messages with a client over a socket; there
// must be at least so many logins.
func (b *Bench[D]) RoughSocket(logins int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 12*time.Hour)
	defer cancel()
	c := client.New(client.Options{
		Dial:     func(ctx context.Context) (net.Conn, error) { return b.Driver.Dial(ctx, "tcp", BrokerAddress) },
		ClientID: "dev1", ConnectTimeout: 5 * time.Minute,
	})
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	for n := range 100 {
		if err := c.Publish(ctx, client.Message{Topic: "t", Payload: fmt.Appendf(nil, `{"n":%d}`, n), QoS: 1}); err != nil {
			b.Fatalf("message %d: %v", n, err)
		}
		<-time.After(5 * time.Second) // of the bubble
	}
	cancel()
	<-ended
	b.rough(logins)
}

func (b *Bench[D]) rough(logins int) {
	b.Helper()
	if n := len(b.Broker.Logins()); n < logins {
		b.Errorf("%d logins: the line was not rough", n)
	}
}

// SessionAfterUnheardRestart checks that a restart of which no word arrived is
// noticed by the next message, and the module set up again.
func (b *Bench[D]) SessionAfterUnheardRestart() {
	b.Helper()
	s := b.Connect(modem.Login{ClientID: "dev1"}, nil)
	b.RestartUnheard()
	if err := s.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x")}); !errors.Is(err, modem.ErrRestart) {
		b.Errorf("%v", err)
	}
	<-s.Done()
	if err := s.Err(); !errors.Is(err, modem.ErrRestart) {
		b.Errorf("%v", err)
	}
	s.Close()
	b.Connect(modem.Login{ClientID: "dev1"}, nil).Close()
}
