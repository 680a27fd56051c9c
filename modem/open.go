package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// explain adds the remedy to what the serial library says.
func explain(err error) error {
	e, ok := errors.AsType[*serial.PortError](err)
	if !ok {
		return err
	}
	remedy := map[serial.PortErrorCode]string{
		serial.PortBusy:          "another program has it open: close its terminal",
		serial.PortNotFound:      "there is no such port: is the adapter plugged in?",
		serial.PermissionDenied:  "not allowed: on Linux join the group dialout and log in again",
		serial.InvalidSpeed:      "the port cannot do that speed",
		serial.InvalidSerialPort: "it is no serial port",
	}[e.Code()]
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, remedy)
}
