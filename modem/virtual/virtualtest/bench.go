package virtualtest

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/virtual"
)

// Where the peers of a Bench are.
const (
	BrokerAddress = "broker.test:1883"
	EchoAddress   = "echo.test:7"
)

// A Bench is a driver on a virtual module. Its methods end the test where they
// fail.
type Bench[D modem.Module] struct {
	*testing.T
	Module *virtual.Module
	Driver D
	World  *modemtest.World
	Broker *modemtest.Broker // at BrokerAddress; at EchoAddress is modemtest.Echo
}

// Run runs a test on a Bench, inside a synctest bubble. Network and Baud of
// the module are the Bench's affair.
func Run[D modem.Module](t *testing.T, o virtual.Options, attach modemtest.Attacher[D], test func(b *Bench[D])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &Bench[D]{T: t, World: &modemtest.World{}, Broker: &modemtest.Broker{}}
		b.World.Put(BrokerAddress, b.Broker.Serve)
		b.World.Put(EchoAddress, modemtest.Echo)
		o.Network, o.Baud = b.World, modem.DefaultBaud
		var port net.Conn
		b.Module, port = Power(t, o)
		b.Driver = modemtest.Attach(t, port, attach)
		test(b)
	})
}

// Dial opens a connection, which the test's end closes.
func (b *Bench[D]) Dial(address string) net.Conn {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	conn, err := b.Driver.Dial(ctx, "tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}

// Echo checks that a connection to EchoAddress works.
func (b *Bench[D]) Echo(conn net.Conn, text string) {
	b.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		b.Error(err)
	}
	back := make([]byte, len(text))
	if _, err := io.ReadFull(conn, back); err != nil || string(back) != text {
		b.Errorf("%q came back as %q, %v", text, back, err)
	}
}

// Connect logs in to the Broker with the module's own client.
func (b *Bench[D]) Connect(login modem.Login, receive func(modem.Message)) modem.Session {
	b.Helper()
	login.Host, login.Port = "broker.test", 1883
	s, err := any(b.Driver).(modem.Messenger).Connect(b.Context(), login, receive)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// RestartUnheard restarts the module while nothing that it says arrives.
func (b *Bench[D]) RestartUnheard() {
	b.Helper()
	if err := b.Module.SetFault(virtual.Fault{Name: "lost-bytes", Value: "1"}); err != nil {
		b.Fatal(err)
	}
	b.Module.Reset()
	<-time.After(time.Minute) // of the bubble
	b.Module.ClearFault("lost-bytes")
}

// SocketAfterUnheardRestart checks that a restart of which no word arrived is
// noticed by the next dial, and the module set up again.
func (b *Bench[D]) SocketAfterUnheardRestart() {
	b.Helper()
	conn := b.Dial(EchoAddress)
	b.RestartUnheard()
	if _, err := b.Driver.Dial(b.Context(), "tcp", EchoAddress); !errors.Is(err, modem.ErrRestart) {
		b.Errorf("%v", err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, modem.ErrRestart) {
		b.Errorf("reading: %v", err)
	}
	b.Echo(b.Dial(EchoAddress), "again")
}
