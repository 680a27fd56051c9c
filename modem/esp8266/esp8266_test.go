package esp8266_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/modem/modemtest"
)

var home = esp8266.Options{SSID: "home", Password: "12345678"}

// with attaches the driver with Options.
func with(o esp8266.Options) modemtest.Attacher[*esp8266.Module] {
	return func(ctx context.Context, port io.ReadWriteCloser) (*esp8266.Module, error) {
		return esp8266.Attach(ctx, port, o)
	}
}

func TestTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, wait := modemtest.Play(t, "../testdata/esp8266/driver-tcp.at")
		m := modemtest.Attach(t, port, with(home))
		if id := m.Identity(); id != (modem.Identity{Maker: "Espressif", Model: "ESP8266", Firmware: "1.7.4.0"}) {
			t.Errorf("identity %+v", id)
		}
		conn, err := m.Dial(t.Context(), "tcp", "broker.test:1883")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("he\r\nl")); err != nil {
			t.Error(err)
		}
		b := make([]byte, 5)
		if _, err := io.ReadFull(conn, b); string(b) != "he\r\nl" || err != nil {
			t.Errorf("read %q, %v", b, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		wait()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if _, err := m.Dial(context.Background(), "tcp", "broker.test:1883"); !errors.Is(err, modem.ErrClosed) {
			t.Errorf("dial after Close: %v", err)
		}
		<-m.Done()
	})
}
