package esp8266

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// Limits of the firmware [ESP8266 AT 1.7 §5, §9].
const (
	maxLinks = 5
	maxSend  = 2048
	maxHost  = 64   // AT 1.7; ESP-AT takes 128
	maxFetch = 1460 // bytes that are asked for at once
)

// lateClosed is how long a CLOSED may follow the ERROR of a failed dial. The
// identifier rests meanwhile, lest the line end another connection.
const lateClosed = 500 * time.Millisecond

// A link is one of the module's five connections.
type link struct {
	m       *Module
	id      int
	conn    *modem.Conn
	fetcher *modem.Fetcher // of passive mode, else nil
	ended   chan struct{}  // closed when the module has closed it
	once    sync.Once
}

// Dial opens a connection. network is "tcp", "udp" or "tls"; the last is the
// module's own TLS, which checks no certificate and allows one connection at a
// time: for more put crypto/tls over "tcp".
func (m *Module) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	kind := map[string]string{"tcp": "TCP", "udp": "UDP", "tls": "SSL"}[network]
	if kind == "" {
		return nil, fmt.Errorf("network %q: %w; there are tcp, udp and tls", network, errors.ErrUnsupported)
	}
	host, port, err := m.split(address)
	if err != nil {
		return nil, err
	}
	if err := m.Join(ctx); err != nil {
		return nil, err
	}
	l, err := m.links.Claim(func(id int) *link { return m.newLink(id, kind, address) })
	if err != nil {
		return nil, err
	}
	if err := l.open(ctx, kind, host, port); err != nil {
		l.conn.Lose(err)
		m.host.Tidy(func() { l.abandon(err) })
		return nil, fmt.Errorf("dial %s %s: %w", network, address, err)
	}
	return l.conn, nil
}

func (m *Module) split(address string) (host string, port int, err error) {
	host, port, err = modem.HostPort(address)
	if longest := maxHost; err == nil && len(host) > longest && !m.espAT() {
		err = fmt.Errorf("address %s: AT 1.x takes host names of up to %d bytes, this one has %d", address, longest, len(host))
	}
	return host, port, err
}

func (m *Module) newLink(id int, kind, address string) *link {
	l := &link{m: m, id: id, ended: make(chan struct{})}
	l.conn = modem.NewConn(l, modem.Addr(address), maxSend)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.passive && kind == "TCP" {
		l.fetcher = modem.NewFetcher(m.host, l.conn, "+CIPRECVDATA", id, maxFetch)
	}
	return l
}

// free gives the identifier back.
func (l *link) free() { l.m.links.Free(l.id) }

// abandon tidies up after a failed dial: it closes what may be open, and frees
// the identifier once no CLOSED can follow any more.
func (l *link) abandon(failure error) {
	defer l.free()
	defer l.stopFetching()
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	if !errors.Is(failure, modem.ErrRefused) && !errors.Is(failure, modem.ErrNotSent) {
		l.m.host.Try(ctx, "+CIPCLOSE", at.Num(l.id)) // nobody knows whether it is open
	}
	t := time.NewTimer(lateClosed)
	defer t.Stop()
	select {
	case <-l.ended:
	case <-t.C:
	case <-l.m.host.Done():
	}
}

func (l *link) open(ctx context.Context, kind, host string, port int) error {
	if kind == "SSL" && !l.m.espAT() {
		l.m.host.Try(ctx, "+CIPSSLSIZE", at.Num(4096))
	}
	err := l.m.host.SetFor(ctx, dialTime, "+CIPSTART", at.Num(l.id), at.Str(kind), at.Str(host), at.Num(port))
	if err != nil {
		return l.explain(ctx, err)
	}
	return nil
}

// explain reads why CIPSTART failed from the lines before ERROR.
func (l *link) explain(ctx context.Context, err error) error {
	e, ok := errors.AsType[*modem.Error](err)
	if !ok || errors.Is(err, modem.ErrNotSent) {
		return err
	}
	for _, line := range e.Said {
		switch line {
		case "DNS Fail":
			return fmt.Errorf("%w: %w", modem.ErrDNS, err)
		case "no ip":
			l.m.setOnline(false)
		case "ALREADY CONNECTED":
			// From before we came. Closed, the identifier can be used again.
			l.m.host.Try(ctx, "+CIPCLOSE", at.Num(l.id))
		}
	}
	return err
}

// Send sends one piece [ESP8266 AT 1.7 §5.4].
func (l *link) Send(ctx context.Context, p []byte) error {
	c, err := at.Espressif.Set("+CIPSEND", at.Num(l.id), at.Num(len(p)))
	if err != nil {
		return err
	}
	_, err = l.m.host.Ask(ctx, modem.Request{Command: c, Final: "SEND OK", Payload: p, Timeout: sendTime})
	return err
}

// Hangup closes the connection and frees its identifier.
func (l *link) Hangup(ctx context.Context) error {
	defer l.free()
	defer l.stopFetching()
	defer l.end()
	select {
	case <-l.ended:
		return nil
	case <-l.m.host.Done():
		return nil
	default:
	}
	err := l.m.host.Set(ctx, "+CIPCLOSE", at.Num(l.id))
	if errors.Is(err, modem.ErrRefused) {
		return nil // UNLINK: it is closed already
	}
	return err
}

// stopFetching waits for the fetcher of a connection that has ended.
func (l *link) stopFetching() {
	if l.fetcher != nil {
		l.fetcher.Wait()
	}
}

func (l *link) end() { l.once.Do(func() { close(l.ended) }) }

// lose ends the connection from below.
func (l *link) lose(err error) {
	l.conn.Lose(err)
	l.end()
}

func (l *link) receive(p []byte) { l.conn.Receive(p) }

// peerClosed ends the connection, in passive mode when what the module still
// keeps has been fetched.
func (l *link) peerClosed() {
	l.end()
	if l.fetcher != nil {
		l.fetcher.PeerClosed()
		return
	}
	l.conn.Lose(io.EOF)
}

// poke says that the module keeps data.
func (l *link) poke() {
	if l.fetcher != nil {
		l.fetcher.Poke()
	}
}

// Wanted is called when there is room for more.
func (l *link) Wanted() {
	if l.fetcher != nil {
		l.fetcher.Wanted()
	}
}
