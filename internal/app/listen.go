package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/matou-iot/matou/internal/access"
)

// listen takes all ports.
func (a *App) listen() error {
	for _, addr := range a.config.Devices.Listen {
		ln, err := take(addr, "--listen")
		if err != nil {
			return err
		}
		a.devices = append(a.devices, ln)
	}
	if err := a.listenCoAP(); err != nil {
		return err
	}
	ln, err := take(a.config.API.Listen, "--api")
	if err != nil {
		return err
	}
	a.apiListen = ln
	return nil
}

func take(addr, flag string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken by another program; choose another with %s", addr, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("address %s may not be used without more rights; choose a port above 1023 with %s", addr, flag)
	case err != nil:
		return nil, fmt.Errorf("listen on %s (%s): %w", addr, flag, err)
	}
	return ln, nil
}

// keepOnLoopback moves the API to loopback while nobody chose a password.
func (a *App) keepOnLoopback(ctx context.Context) error {
	if a.access.PasswordChosen(ctx) || onLoopback(a.apiListen) {
		return nil
	}
	wanted := a.apiListen.Addr().String()
	_, p, _ := net.SplitHostPort(wanted)
	a.apiListen.Close()
	ln, err := take(net.JoinHostPort("127.0.0.1", p), "--api")
	if err != nil {
		return err
	}
	a.apiListen = ln
	fmt.Fprintf(a.out, "The API stays on loopback instead of %s until an administrator password is chosen:\n  matou password, or MATOU_API_ADMIN_PASSWORD before the first start\n", wanted)
	return nil
}

func onLoopback(ln net.Listener) bool {
	ap, err := netip.ParseAddrPort(ln.Addr().String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

// publicHost is the host that devices connect to, as far as we can know: the
// configured one, the one we listen on, or this machine's address in its
// network.
func (a *App) publicHost() string {
	if a.config.Devices.Host != "" {
		return a.config.Devices.Host
	}
	if ip := a.devices[0].Addr().(*net.TCPAddr).IP; !ip.IsUnspecified() {
		return ip.String()
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

func port(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }

// localTokenFile holds the access token of the command line on this machine.
// Who can read the data directory can do everything anyway.
const localTokenFile = "local.token"

// localToken makes sure that the file holds a token that works.
func (a *App) localToken(ctx context.Context) error {
	file := a.config.path(localTokenFile)
	raw, err := os.ReadFile(file)
	if err == nil {
		if _, err := a.access.Authenticate(ctx, strings.TrimSpace(string(raw))); err == nil {
			return nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the command line's token: %w", err)
	}
	token, err := a.access.CreateToken(ctx, access.Administrator, "command line on this machine")
	if err != nil {
		return fmt.Errorf("make the command line's token: %w", err)
	}
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the command line's token: %w", err)
	}
	return nil
}
