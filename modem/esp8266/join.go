package esp8266

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// A JoinError says why the module is not on the Wi-Fi network.
type JoinError struct {
	SSID string
	Code int // of +CWJAP, 0 if it gave none
	Err  error
}

var joinCodes = map[int]string{
	1: "it took too long: is the signal too weak, the access point full?",
	2: "wrong password",
	3: "no access point with that name (the ESP8266 sees 2.4 GHz only)",
	4: "the access point refused: is WPA3 required, the address not allowed?",
}

func (e *JoinError) Error() string {
	reason := joinCodes[e.Code]
	if reason == "" {
		reason = e.Err.Error()
	}
	return fmt.Sprintf("join Wi-Fi %q: %s", e.SSID, reason)
}

func (e *JoinError) Unwrap() error { return e.Err }

// Join joins the Wi-Fi network. Its error is a *JoinError if the network would
// not have the module.
func (m *Module) Join(ctx context.Context) error {
	return m.ready.Ensure(ctx, m.goOnline)
}

// goOnline is Join for a module that is set up.
func (m *Module) goOnline(ctx context.Context) error {
	m.mu.Lock()
	online := m.online
	m.mu.Unlock()
	if online {
		return nil
	}
	joined, err := m.joined(ctx)
	if err != nil {
		return err
	}
	if joined {
		return m.address(ctx)
	}
	if m.o.SSID == "" {
		return errors.New("no Wi-Fi network: name one (Options.SSID, --ssid), or let the module join one by itself")
	}
	if err := m.associate(ctx); err != nil {
		return err
	}
	return m.address(ctx)
}

// joined asks whether the module is on the wanted network already: modules
// remember their network and join it when they start.
func (m *Module) joined(ctx context.Context) (bool, error) {
	ap, err := AskAccessPoint(ctx, m.host)
	if err != nil && !errors.Is(err, modem.ErrRefused) {
		return false, err
	}
	return ap != nil && (m.o.SSID == "" || ap.SSID == m.o.SSID), nil
}

// cut returns what stands behind one of the names and its colon.
func cut(line string, names ...string) (string, bool) {
	for _, name := range names {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimLeft(rest, " "), true
		}
	}
	return "", false
}

func (m *Module) associate(ctx context.Context) error {
	err := m.join(ctx, m.volatile("+CWJAP"))
	if e, ok := errors.AsType[*modem.Error](err); ok && e.Got == "ERROR" && len(e.Said) == 0 && !m.espAT() {
		err = m.join(ctx, "+CWJAP") // firmware before 1.0 has no _CUR
	}
	if err == nil || !errors.Is(err, modem.ErrRefused) {
		return err
	}
	e := &JoinError{SSID: m.o.SSID, Err: err}
	if refusal, ok := errors.AsType[*modem.Error](err); ok {
		for _, line := range refusal.Said {
			if code, found := cut(line, "+CWJAP"); found {
				e.Code, _ = strconv.Atoi(code)
			}
		}
	}
	return e
}

func (m *Module) join(ctx context.Context, name string) error {
	c, err := at.Espressif.Set(name, at.Str(m.o.SSID), at.Str(m.o.Password))
	if err != nil {
		return fmt.Errorf("Wi-Fi name or password: %w", errors.Unwrap(err))
	}
	_, err = m.host.Ask(ctx, modem.Request{Command: c, Timeout: joinTime})
	return err
}

// address waits until the module has an address. It asks from time to time,
// for the line that says so may have come before anybody listened.
func (m *Module) address(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, addressTime, &JoinError{SSID: m.o.SSID, Err: errors.New("the network gave no address within 20 s: is its DHCP server at work?")})
	defer cancel()
	for {
		m.mu.Lock()
		online, changed := m.online, m.changed
		m.mu.Unlock()
		if online {
			return nil
		}
		if ok, err := m.hasAddress(ctx); ok || err != nil {
			m.setOnline(ok)
			return err
		}
		select {
		case <-changed:
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// hasAddress asks for the address.
func (m *Module) hasAddress(ctx context.Context) (bool, error) {
	ip, mac, err := AskAddress(ctx, m.host)
	if errors.Is(err, modem.ErrRefused) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if mac != "" {
		m.mu.Lock()
		m.identity.Serial = mac
		m.mu.Unlock()
	}
	return ip != "", nil
}

// Signal is the strength of the access point's signal.
func (m *Module) Signal(ctx context.Context) (dBm int, err error) {
	ap, err := AskAccessPoint(ctx, m.host)
	if ap == nil {
		return 0, err
	}
	return ap.DBm, err
}
