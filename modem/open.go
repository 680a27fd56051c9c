package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"go.bug.st/serial"
)

// DefaultBaud is the speed of all modules that Matou knows, as delivered.
const DefaultBaud = 115200

// Open opens what a module is attached to: a serial port such as /dev/ttyUSB0
// or COM3, a pseudo-terminal, or a TCP port written tcp:host:port. baud is the
// speed of a serial port, 8N1; 0 is DefaultBaud. A port that vanishes later
// ends reading with an error.
func Open(ctx context.Context, address string, baud int) (io.ReadWriteCloser, error) {
	if host, found := strings.CutPrefix(address, "tcp:"); found {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", strings.TrimPrefix(host, "//"))
	}
	if baud == 0 {
		baud = DefaultBaud
	}
	port, err := serial.Open(address, &serial.Mode{BaudRate: baud, DataBits: 8})
	if err != nil {
		return nil, fmt.Errorf("port %s at %d baud: %w", address, baud, explain(err))
	}
	return port, nil
}

// SetBaud changes the speed of a serial port that Open opened, and keeps it
// open: closing it would reset many a board. errors.ErrUnsupported is returned
// for what has no speed.
func SetBaud(port io.ReadWriteCloser, baud int) error {
	p, ok := port.(serial.Port)
	if !ok {
		return fmt.Errorf("baud rate of a port that is no serial one: %w", errors.ErrUnsupported)
	}
	if err := p.SetMode(&serial.Mode{BaudRate: baud, DataBits: 8}); err != nil {
		return fmt.Errorf("%d baud: %w", baud, explain(err))
	}
	return nil
}

// explain adds the remedy to what the serial library or the system says.
func explain(err error) error {
	remedy := ""
	e, ok := errors.AsType[*serial.PortError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		remedy = "is the adapter plugged in?"
	case errors.Is(err, fs.ErrPermission) || ok && e.Code() == serial.PermissionDenied:
		remedy = "on Linux join the group dialout and log in again"
	case ok:
		remedy = map[serial.PortErrorCode]string{
			serial.PortBusy:          "another program has it open: close its terminal",
			serial.PortNotFound:      "is the adapter plugged in?",
			serial.InvalidSpeed:      "the port cannot do that speed",
			serial.InvalidSerialPort: "it is no serial port",
		}[e.Code()]
	}
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, remedy)
}
