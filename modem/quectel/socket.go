package quectel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// Limits of the firmware [EC20 §12].
const (
	maxSockets = 12
	maxSend    = 1460
	maxFetch   = 1500
	maxHost    = 150
	openTime   = 150 * time.Second
	closeTime  = 15 * time.Second
	sendTime   = 30 * time.Second
	fullTries  = 20 // of a send into a full buffer
	fullPause  = 500 * time.Millisecond
)

// openErrors are what +QIOPEN reports [EC20 §12].
var openErrors = map[int]error{
	565: modem.ErrDNS, 564: modem.ErrDNS,
	566: errors.New("the peer refused, or cannot be reached"),
	567: modem.ErrLost,
	569: errors.New("the peer does not answer"),
	561: errors.New("there is no data connection"), 570: errors.New("there is no data connection"),
	573: errors.New("no APN is set: see Options.APN"),
}

// verbs are the commands of a kind of socket.
type verbs struct{ open, send, read, close string }

var (
	plainVerbs  = &verbs{"+QIOPEN", "+QISEND", "+QIRD", "+QICLOSE"}
	secureVerbs = &verbs{"+QSSLOPEN", "+QSSLSEND", "+QSSLRECV", "+QSSLCLOSE"}
)

// A socket is one of the module's twelve.
type socket struct {
	m       *Module
	id      int
	verbs   *verbs
	conn    *modem.Conn
	fetcher *modem.Fetcher
	dead    atomic.Bool // the module has forgotten it: it restarted, or is gone
}

// Dial opens a connection. network is "tcp", "udp" or "tls"; the last is the
// module's own TLS, which checks what Options.Roots say.
func (m *Module) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	kind, known := map[string]string{"tcp": "TCP", "udp": "UDP", "tls": ""}[network]
	if !known {
		return nil, fmt.Errorf("network %q: %w; there are tcp, udp and tls", network, errors.ErrUnsupported)
	}
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	if err := m.Join(ctx); err != nil {
		return nil, err
	}
	v := plainVerbs
	if network == "tls" {
		v = secureVerbs
		if err := m.secure(ctx); err != nil {
			return nil, fmt.Errorf("dial %s %s: %w", network, address, err)
		}
	}
	s, err := m.sockets.Claim(func(id int) *socket { return m.newSocket(id, v, address) })
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx, kind, host, port); err != nil {
		s.conn.Lose(err)
		m.host.Tidy(func() { s.abandon(err) })
		return nil, fmt.Errorf("dial %s %s: %w", network, address, err)
	}
	return s.conn, nil
}

func split(address string) (host string, port int, err error) {
	host, port, err = modem.HostPort(address)
	if err == nil && len(host) > maxHost {
		err = fmt.Errorf("address %s: the module takes host names of up to %d bytes, this one has %d", address, maxHost, len(host))
	}
	return host, port, err
}

func (m *Module) newSocket(id int, v *verbs, address string) *socket {
	s := &socket{m: m, id: id, verbs: v}
	s.conn = modem.NewConn(s, modem.Addr(address), maxSend)
	s.fetcher = modem.NewFetcher(m.host, s.conn, v.read, id, maxFetch)
	return s
}

func (s *socket) free() {
	s.fetcher.Wait()
	s.m.sockets.Free(s.id)
}

// open opens the socket. One that is open from before we came is closed first,
// and a data connection that the network took away meanwhile is opened again.
func (s *socket) open(ctx context.Context, kind, host string, port int) error {
	code, err := s.openOnce(ctx, kind, host, port)
	if err == nil && (code == 563 || code == 561 || code == 570) {
		s.m.host.SetFor(ctx, closeTime, s.verbs.close, at.Num(s.id))
		if code != 563 {
			s.m.online.Store(false)
			if err := s.m.Join(ctx); err != nil {
				return err
			}
		}
		code, err = s.openOnce(ctx, kind, host, port)
	}
	if err != nil || code == 0 {
		return err
	}
	if reason := openErrors[code]; reason != nil {
		return fmt.Errorf("%w: %w (%s: %d)", modem.ErrRefused, reason, s.verbs.open, code)
	}
	return fmt.Errorf("%w (%s: %d)", modem.ErrRefused, s.verbs.open, code)
}

func (s *socket) openOnce(ctx context.Context, kind, host string, port int) (code int, err error) {
	outcome := s.m.host.Await(func(line string) bool {
		n := modem.Numbers(line, s.verbs.open+":")
		return len(n) == 2 && n[0] == s.id
	})
	defer outcome.Cancel()
	const buffered = 0
	args := []at.Arg{at.Num(pdp), at.Num(s.id), at.Str(kind), at.Str(host), at.Num(port), at.Num(0), at.Num(buffered)}
	if s.verbs == secureVerbs {
		args = []at.Arg{at.Num(pdp), at.Num(tlsContext), at.Num(s.id), at.Str(host), at.Num(port), at.Num(buffered)}
	}
	err = s.m.host.Set(ctx, s.verbs.open, args...)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, openTime, modem.ErrSilent)
	defer cancel()
	line, err := outcome.Wait(ctx)
	if err != nil {
		return 0, s.explainSilence(ctx, err)
	}
	return modem.Numbers(line, s.verbs.open+":")[1], nil
}

// explainSilence finds out whether the socket is open and the module only
// reports it elsewhere.
func (s *socket) explainSilence(ctx context.Context, err error) error {
	if s.verbs == secureVerbs || !errors.Is(err, modem.ErrSilent) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), modem.DefaultTimeout)
	defer cancel()
	c, _ := at.V250.Set("+QISTATE", at.Num(1), at.Num(s.id))
	answer, failure := s.m.host.Ask(ask, modem.Request{Command: c})
	for _, line := range answer.Lines {
		args, ok := modem.Fields(line, "+QISTATE:")
		if ok && failure == nil && len(args) > 5 && args[5] == at.Num(2) {
			return fmt.Errorf("the connection is open, but the module did not report it here: set Options.URCPort to the port that the driver is attached to (%w)", err)
		}
	}
	return err
}

// abandon tidies up after a failed dial. A socket that failed to open has to
// be closed all the same.
func (s *socket) abandon(failure error) {
	defer s.free()
	if errors.Is(failure, modem.ErrNotSent) || s.dead.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	s.m.host.SetFor(ctx, closeTime, s.verbs.close, at.Num(s.id))
}

// Send sends one piece. While the module's buffer is full it takes nothing and
// says so.
func (s *socket) Send(ctx context.Context, p []byte) error {
	c, err := at.V250.Set(s.verbs.send, at.Num(s.id), at.Num(len(p)))
	if err != nil {
		return err
	}
	for range fullTries {
		var answer modem.Answer
		answer, err = s.m.host.Ask(ctx, modem.Request{Command: c, Final: "SEND OK", Payload: p, Timeout: sendTime})
		if answer.Result.Word != "SEND FAIL" {
			return err
		}
		t := time.NewTimer(fullPause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
	return err
}

// Hangup closes the socket. The module keeps one that its peer closed until it
// is told to.
func (s *socket) Hangup(ctx context.Context) error {
	defer s.free()
	if s.dead.Load() || s.m.host.Err() != nil {
		return nil
	}
	err := s.m.host.SetFor(ctx, closeTime, s.verbs.close, at.Num(s.id))
	if errors.Is(err, modem.ErrRefused) {
		return nil
	}
	return err
}

// Wanted is called when there is room for more.
func (s *socket) Wanted() { s.fetcher.Wanted() }
