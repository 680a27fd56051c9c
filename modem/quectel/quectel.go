// Package quectel drives Quectel's LTE modules by their AT commands: EC20 and
// its relatives EC2x, EG2x, EG9x, EC200 and EC800. Their sockets become
// net.Conns, and their own MQTT client, which can sign for Alibaba Cloud IoT
// itself (aliauth), a modem.Session.
//
// TLS is best put over a "tcp" connection with crypto/tls, which checks names and
// times as well. The module's own ("tls", Login.TLS) spares the host the work.
package quectel

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// How long the module may take [EC20 §3.5, §12].
const (
	bootTries    = 20 // of AT, a second each: it starts in 13 s
	activateTime = 150 * time.Second
	gap          = 20 * time.Millisecond
)

// The ports that URCPort knows.
const (
	URCOnUART = "uart1"
	URCOnUSB  = "usbat"
	URCAsIs   = "as is"
)

// Options say how a module is used. All may be left out.
type Options struct {
	APN      string // empty: the one that the module or the network has
	User     string // of the APN
	Password string
	PIN      string // of the SIM card, if it wants one
	// URCPort is where the module reports what happens, which has to be the
	// port that the driver is attached to. Empty is URCOnUART; on USB give
	// URCOnUSB.
	URCPort string
	// Roots are the authorities, as PEM, that the module's own TLS trusts; they
	// are put into a file on the module. The module checks the chain, but
	// neither the name nor the time. None: it checks nothing.
	Roots []byte
	Log   *slog.Logger // nil: discard
}

// A Module is an attached module. It is a modem.Messenger.
type Module struct {
	o       Options
	host    *modem.Host
	log     *slog.Logger
	ready   *modem.Readiness
	online  atomic.Bool
	sockets *modem.Slots[socket]

	mu       sync.Mutex
	identity modem.Identity
	sessions [maxClients]*session
	signed   [maxClients]bool // aliauth was set and stays until a restart
	publish  form             // how this firmware publishes
}

var _ modem.Messenger = (*Module)(nil)

// Attach sets up the module at port, which it closes in the end. It waits for
// a module that is just starting, and does not join yet.
func Attach(ctx context.Context, port io.ReadWriteCloser, o Options) (*Module, error) {
	m := &Module{o: o, log: o.Log, sockets: modem.NewSlots[socket](maxSockets)}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.host = modem.NewHost(port, modem.HostOptions{
		Dialect: at.V250, Headers: at.CellularHeaders(), LineEnd: "\r", Gap: gap,
		Probe:  at.Command{Name: "Q0V1E", Form: at.Set, Params: "0"},
		Escape: "\x1b", Unsolicited: Unsolicited, Restarted: Restarted,
		OnEvent: m.event, OnGone: m.loseAll, Log: m.log,
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

// Close closes the port. Connections and sessions end.
func (m *Module) Close() error { return m.host.Close() }

// Signal is the strength of the signal.
func (m *Module) Signal(ctx context.Context) (dBm int, err error) {
	return modem.SignalQuality(ctx, m.host)
}

// configure brings the module into the state that the driver works in.
func (m *Module) configure(ctx context.Context, _ bool) error {
	m.online.Store(false) // a join may have ended after the restart that this follows
	if err := m.host.Mute(ctx); err != nil {
		return err
	}
	m.host.Try(ctx, "+CMEE", at.Num(1))
	m.host.Try(ctx, "+QISDE", at.Num(0)) // no echo of what is sent
	switch m.o.URCPort {
	case "":
		m.host.Try(ctx, "+QURCCFG", at.Str("urcport"), at.Str(URCOnUART))
	case URCAsIs:
	default:
		m.host.Try(ctx, "+QURCCFG", at.Str("urcport"), at.Str(m.o.URCPort))
	}
	id, err := Identify(ctx, m.host)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.identity = id
	return nil
}

// Identify reads model and revision, and the IMEI.
func Identify(ctx context.Context, h *modem.Host) (modem.Identity, error) {
	id := modem.Identity{Maker: "Quectel"}
	answer, err := h.Ask(ctx, modem.Request{Command: at.Command{Name: "I"}})
	if err != nil {
		return id, err
	}
	for n, line := range answer.Lines {
		if revision, found := strings.CutPrefix(line, "Revision:"); found {
			id.Firmware = strings.TrimSpace(revision)
		} else if n == 1 {
			id.Model = line
		}
	}
	answer, err = h.Ask(ctx, modem.Request{Command: at.Command{Name: "+CGSN"}})
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return id, err
	}
	for _, line := range answer.Lines {
		if len(line) == 15 && strings.Trim(line, "0123456789") == "" {
			id.Serial = line
		}
	}
	return id, nil
}
