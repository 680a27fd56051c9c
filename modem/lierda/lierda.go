// Package lierda drives Lierda's NT35E and NT26 by their AT commands: their
// own MQTT client (LMQTT), which can sign for Alibaba Cloud IoT itself.
//
// This family is the least documented of those that Matou drives. The driver
// keeps to what a tutorial and shipping products are known to send, takes
// every form of answer that was seen, and asks the module for its state where
// an answer does not come. Socket commands are not known: Dial is refused.
package lierda

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

const (
	bootTries = 20 // of AT, a second each
	gap       = 20 * time.Millisecond
)

// Options say how a module is used. All may be left out.
type Options struct {
	PIN string       // of the SIM card, if it wants one
	Log *slog.Logger // nil: discard
}

// A Module is an attached module. It is a modem.Messenger.
type Module struct {
	o      Options
	host   *modem.Host
	log    *slog.Logger
	ready  *modem.Readiness
	online atomic.Bool

	mu       sync.Mutex
	identity modem.Identity
	session  *session
	inline   bool // messages go into the command: this firmware does not ask for them
}

var _ modem.Messenger = (*Module)(nil)

// Attach sets up the module at port, which it closes in the end. It waits for
// a module that is just starting, and does not join yet.
func Attach(ctx context.Context, port io.ReadWriteCloser, o Options) (*Module, error) {
	m := &Module{o: o, log: o.Log}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.host = modem.NewHost(port, modem.HostOptions{
		Dialect: at.V250, LineEnd: "\r", Gap: gap, Escape: "\x1b",
		Unsolicited: Unsolicited, Restarted: Restarted, OnEvent: m.event, OnGone: m.lose, Log: m.log,
	})
	m.ready = modem.NewReadiness(m.host, bootTries, m.configure)
	if err := m.ready.Ensure(ctx, nil); err != nil {
		m.host.Close()
		return nil, err
	}
	return m, nil
}

// Identity says what is attached.
func (m *Module) Identity() modem.Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.identity
}

// Done is closed when the port is gone or closed.
func (m *Module) Done() <-chan struct{} { return m.host.Done() }

// Close closes the port. The session ends.
func (m *Module) Close() error { return m.host.Close() }

// Dial is refused: no socket commands of this family are known.
func (m *Module) Dial(context.Context, string, string) (net.Conn, error) {
	return nil, errors.Join(errors.ErrUnsupported, errors.New("the socket commands of this module are not known: use Connect, its own MQTT client"))
}

// Signal is the strength of the signal.
func (m *Module) Signal(ctx context.Context) (dBm int, err error) {
	return modem.SignalQuality(ctx, m.host)
}

// Join waits for the SIM card and the network. The data connection is the
// module's own affair.
func (m *Module) Join(ctx context.Context) error {
	return m.ready.Ensure(ctx, m.goOnline)
}

// goOnline is Join for a module that is set up.
func (m *Module) goOnline(ctx context.Context) error {
	if m.online.Load() {
		return nil
	}
	if err := modem.WaitSIM(ctx, m.host, m.o.PIN); err != nil {
		return err
	}
	if err := modem.WaitNetwork(ctx, m.host, "+CEREG"); err != nil {
		return err
	}
	m.online.Store(true)
	return nil
}

// configure brings the module into the state that the driver works in.
func (m *Module) configure(ctx context.Context, _ bool) error {
	m.online.Store(false) // a join may have ended after the restart that this follows
	if err := m.host.Mute(ctx); err != nil {
		return err
	}
	id, err := modem.IdentifyCellular(ctx, m.host)
	if err != nil {
		return err
	}
	id.Maker = "Lierda"
	m.mu.Lock()
	defer m.mu.Unlock()
	m.identity = id
	return nil
}

// Restarted reports whether a line tells of a restart. What this module says
// when it starts is not documented; RDY is what its like say.
func Restarted(line string) bool { return line == "RDY" }

// Unsolicited reports whether a line is no answer.
func Unsolicited(line string) bool {
	for _, prefix := range []string{"+LMQTT", "+CEREG:", "+CPIN:", "+CFUN:", "+CGEV:"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return line == "RDY"
}
