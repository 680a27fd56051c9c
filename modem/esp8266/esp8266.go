// Package esp8266 drives Espressif's Wi-Fi modules by their AT commands: AT
// 1.x of the ESP8266 (down to SDK 1.5) and ESP-AT 2 and later, which other
// chips of the family speak too. It finds out which of them is attached.
//
// Up to five connections are open at once, as the firmware allows. ESP-AT has
// an MQTT client of its own, which Connect uses; mqtt/client over Dial does
// more, and works with every firmware.
package esp8266

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// How long the module may take [ESP8266 AT 1.7 §8].
const (
	bootTries   = 5 // of AT, a second each
	bootTime    = 5 * time.Second
	joinTime    = 25 * time.Second
	addressTime = 20 * time.Second
	dialTime    = 30 * time.Second
	sendTime    = 20 * time.Second
)

// Options say how a module is used. SSID is needed for Join and Dial, unless
// the module has joined a network by itself.
type Options struct {
	SSID     string
	Password string
	// Passive lets the module keep what it received until it is read
	// (AT+CIPRECVMODE=1), so that a slow reader loses nothing. It costs a
	// command for each piece, and firmware from 1.7 on. Connections with TLS
	// cannot do it.
	Passive bool
	// KeepState leaves out the reset with which a module is set up.
	KeepState bool
	Log       *slog.Logger // nil: discard
}

// A Module is an attached ESP8266. It is a modem.Messenger where its firmware
// is ESP-AT.
type Module struct {
	o     Options
	host  *modem.Host
	log   *slog.Logger
	ready *modem.Readiness
	links *modem.Slots[link]

	session atomic.Pointer[session] // of ESP-AT's MQTT client; nil: none

	mu       sync.Mutex
	identity modem.Identity
	major    int // of the AT version
	passive  bool
	online   bool          // it has an address
	changed  chan struct{} // closed and replaced when online changes
}

var _ modem.Messenger = (*Module)(nil)

// Attach sets up the module at port, which it closes in the end. The module is
// reset unless Options say otherwise; it does not join yet.
func Attach(ctx context.Context, port io.ReadWriteCloser, o Options) (*Module, error) {
	m := &Module{o: o, log: o.Log, links: modem.NewSlots[link](maxLinks), changed: make(chan struct{})}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.host = modem.NewHost(port, modem.HostOptions{
		Dialect: at.Espressif, Headers: at.EspressifHeaders(), LineEnd: "\r\n", Escape: "+++",
		Unsolicited: Unsolicited, Restarted: Restarted, OnEvent: m.event, OnGone: m.loseAll, Log: m.log,
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

// Close closes the port. Connections end.
func (m *Module) Close() error { return m.host.Close() }

// configure brings the module into the state that the driver works in.
func (m *Module) configure(ctx context.Context, first bool) error {
	m.setOnline(false) // a join may have ended after the restart that this follows
	if first && !m.o.KeepState {
		if err := m.reset(ctx); err != nil {
			return err
		}
	}
	if err := m.host.Mute(ctx); err != nil {
		return err
	}
	if err := m.identify(ctx); err != nil {
		return err
	}
	if m.espAT() {
		m.host.Try(ctx, "+SYSSTORE", at.Num(0)) // spare the flash; unknown before 2.1
	}
	if err := m.host.Set(ctx, m.volatile("+CWMODE"), at.Num(1)); err != nil {
		if err = m.host.Set(ctx, "+CWMODE", at.Num(1)); err != nil {
			return err
		}
	}
	m.host.Try(ctx, "+CIPMODE", at.Num(0)) // left over from transparent mode
	if err := m.multiple(ctx); err != nil {
		return err
	}
	m.host.Try(ctx, "+CIPDINFO", at.Num(0))
	passive := m.o.Passive && m.host.Try(ctx, "+CIPRECVMODE", at.Num(1))
	m.mu.Lock()
	m.passive = passive
	m.mu.Unlock()
	return nil
}

// multiple turns to several connections, for which none may be open.
func (m *Module) multiple(ctx context.Context) error {
	err := m.host.Set(ctx, "+CIPMUX", at.Num(1))
	if errors.Is(err, modem.ErrRefused) {
		// "link is builded": connections from before we came.
		m.host.Ask(ctx, modem.Request{Command: at.Command{Name: "+CIPCLOSE"}})
		m.host.Try(ctx, "+CIPCLOSE", at.Num(maxLinks))
		err = m.host.Set(ctx, "+CIPMUX", at.Num(1))
	}
	return err
}

// reset restarts the module. Where "ready" is lost in the noise of its start,
// its answer to AT is as good.
func (m *Module) reset(ctx context.Context) error {
	ready := m.host.Await(func(line string) bool { return line == "ready" })
	defer ready.Cancel()
	if _, err := m.host.Ask(ctx, modem.Request{Command: at.Command{Name: "+RST"}}); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	if _, err := ready.Wait(wait); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := m.host.Attention(ctx, 3); err != nil {
			return err
		}
	}
	m.setOnline(false)
	return nil
}

// identify remembers which firmware answers.
func (m *Module) identify(ctx context.Context) error {
	id, err := Identify(ctx, m.host)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.identity, m.major = id, Major(id)
	return nil
}

// Identify reads which firmware answers [ESP8266 AT 1.7 §2, ESP-AT v2.2
// AT+GMR]. One that is not Espressif's has no Firmware.
func Identify(ctx context.Context, h *modem.Host) (modem.Identity, error) {
	id := modem.Identity{Maker: "Espressif", Model: "ESP8266"}
	answer, err := h.Ask(ctx, modem.Request{Command: at.Command{Name: "+GMR"}})
	for _, line := range answer.Lines {
		if version, found := strings.CutPrefix(line, "AT version:"); found {
			id.Firmware, version, _ = strings.Cut(version, "(")
			if chip := between(version, " - ", " - "); chip != "" {
				id.Model = chip
			}
		}
	}
	return id, err
}

// Major is the first number of the AT version: 2 and above are ESP-AT.
func Major(id modem.Identity) int {
	major, _, _ := strings.Cut(id.Firmware, ".")
	n, _ := strconv.Atoi(major)
	return n
}

func between(text, left, right string) string {
	_, text, _ = strings.Cut(text, left)
	text, _, found := strings.Cut(text, right)
	if !found {
		return ""
	}
	return text
}

// espAT reports whether the firmware is ESP-AT 2 or later.
func (m *Module) espAT() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.major >= 2
}

// volatile is the name of a setting that is not written to the flash.
func (m *Module) volatile(name string) string {
	if m.espAT() {
		return name // AT+SYSSTORE has seen to it
	}
	return name + "_CUR"
}
