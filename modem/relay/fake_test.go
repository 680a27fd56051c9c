package relay_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/relay"
	"github.com/matou-iot/matou/mqtt"
)

// A fake is a module that remembers what it was told. What is not set panics.
type fake struct {
	modem.Messenger
	limits  modem.Limits
	connect func(ctx context.Context, l modem.Login) error // nil: welcome
	fails   func(what string) error                        // of the session's commands; nil: none does
	granted mqtt.QoS
	signal  error

	mu      sync.Mutex
	login   modem.Login
	told    []string
	receive func(modem.Message)
	done    chan struct{}
	err     error
}

func (f *fake) Limits() modem.Limits { return f.limits }

func (f *fake) Signal(context.Context) (int, error) {
	f.tell("signal")
	return 0, f.signal
}

func (f *fake) Connect(ctx context.Context, l modem.Login, receive func(modem.Message)) (modem.Session, error) {
	f.login, f.receive, f.done = l, receive, make(chan struct{})
	if f.connect != nil {
		if err := f.connect(ctx, l); err != nil {
			return nil, err
		}
	}
	f.tell("connect " + l.ClientID)
	return f, nil
}

// tell remembers what was told, and is the error of it.
func (f *fake) tell(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, what)
	if f.fails != nil {
		return f.fails(what)
	}
	return nil
}

func (f *fake) Publish(_ context.Context, m modem.Message) error {
	return f.tell(fmt.Sprintf("publish %s %q %d %t", m.Topic, m.Payload, m.QoS, m.Retain))
}

func (f *fake) Subscribe(_ context.Context, filter string, qos mqtt.QoS) (mqtt.QoS, error) {
	return min(qos, f.granted), f.tell(fmt.Sprintf("subscribe %s %d", filter, qos))
}

func (f *fake) Unsubscribe(_ context.Context, filter string) error {
	return f.tell("unsubscribe " + filter)
}

func (f *fake) Done() <-chan struct{} { return f.done }

func (f *fake) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// lose ends the session.
func (f *fake) lose(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	close(f.done)
}

func (f *fake) Close() error { return f.tell("close") }

// A side is the client's end of a relay.
type side struct {
	*testing.T
	net.Conn
	f *fake
}

// onFake runs a test on a relay to a fake, inside a synctest bubble: whatever
// goroutine is left ends the test.
func onFake(t *testing.T, f *fake, test func(s *side)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &side{t, relay.New(relay.Options{Host: "broker.test", Port: 1883}).Conn(f), f}
		defer s.Conn.Close()
		test(s)
	})
}

// The packets with which most conversations begin: client "c", keep-alive 60 s.
const (
	hello   = "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"
	welcome = "\x20\x02\x00\x00"
)

// says writes packets and reads what they are answered with.
func (s *side) says(packets, want string) {
	s.Helper()
	if _, err := s.Write([]byte(packets)); err != nil {
		s.Fatal(err)
	}
	s.hears(want)
}

func (s *side) hears(want string) {
	s.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(s, got); err != nil || string(got) != want {
		s.Fatalf("heard %s(%v), want\n%s", hex.Dump(got[:n]), err, hex.Dump([]byte(want)))
	}
}

// ends reads the end of the connection.
func (s *side) ends() error {
	s.Helper()
	n, err := s.Read(make([]byte, 99))
	if n > 0 || err == nil {
		s.Fatalf("heard %d more bytes, %v", n, err)
	}
	return err
}
