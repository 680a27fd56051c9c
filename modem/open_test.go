//go:build linux

package modem_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/matou-iot/matou/at"
	"github.com/matou-iot/matou/modem"
)

// TestSerialPortThatVanishes: an adapter that is pulled out.
func TestSerialPortThatVanishes(t *testing.T) {
	module, terminal, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	defer module.Close()
	port, err := modem.Open(t.Context(), terminal.Name(), 0)
	if err != nil {
		t.Fatal(err)
	}
	h := modem.NewHost(port, cellular)
	defer h.Close()
	go func() {
		b := make([]byte, 3)
		if _, err := io.ReadFull(module, b); string(b) != "AT\r" || err != nil {
			t.Errorf("the module heard %q, %v: is the line raw?", b, err)
		}
		io.WriteString(module, "\r\nOK\r\n")
	}()
	if _, err := h.Ask(t.Context(), modem.Request{Command: at.Command{}}); err != nil {
		t.Error(err)
	}
	terminal.Close()
	module.Close()
	<-h.Done()
	if err := h.Err(); !errors.Is(err, modem.ErrGone) {
		t.Errorf("%v", err)
	}
}

func TestOpenRefused(t *testing.T) {
	for address, want := range map[string]string{
		"/dev/no-such-port": "port /dev/no-such-port at 115200 baud: no such file or directory: is the adapter plugged in?",
		"/dev/null":         "port /dev/null at 115200 baud: ",
	} {
		if _, err := modem.Open(t.Context(), address, 0); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOpenTCP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port, err := modem.Open(t.Context(), "tcp:"+ln.Addr().String(), 0)
	if err != nil {
		t.Fatal(err)
	}
	port.Close()
}
