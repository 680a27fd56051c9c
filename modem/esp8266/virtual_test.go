package esp8266_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/modem/virtual/virtualtest"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A bench is the driver on a virtual module.
type bench = virtualtest.Bench[*esp8266.Module]

// onVirtual runs a test on a virtual module of each firmware.
func onVirtual(t *testing.T, test func(b *bench), adjust func(*virtual.Options, *esp8266.Options)) {
	for _, firmware := range []string{"1.3.0.0", "1.7.4.0", "1.7.6.0", "2.2.0.0"} {
		t.Run(firmware, func(t *testing.T) {
			v := virtual.Options{
				Model: "esp8266", Firmware: firmware,
				AccessPoints: []virtual.AccessPoint{{SSID: "home", Password: "12345678"}},
			}
			o := home
			if adjust != nil {
				adjust(&v, &o)
			}
			virtualtest.Run(t, v, with(o), test)
		})
	}
}

func TestVirtualMQTT(t *testing.T) {
	onVirtual(t, func(b *bench) {
		got := make(chan string, 10)
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		c := client.New(client.Options{
			Dial:     func(ctx context.Context) (net.Conn, error) { return b.Driver.Dial(ctx, "tcp", "broker.test:1883") },
			ClientID: "dev1", Username: "dev1&a1b2c3", Password: []byte("secret"),
			OnMessage: func(_ context.Context, m client.Message) { got <- m.Topic + " " + string(m.Payload) },
		})
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		if _, err := c.Subscribe(ctx, nil, packet.Subscription{Filter: "t/1"}); err != nil {
			b.Fatal(err)
		}
		payload := "quotes \", OK\r\n\r\nERROR\r\n> +IPD,0,5:xx\x00\xff" + strings.Repeat("long ", 1000)
		if err := c.Publish(ctx, client.Message{Topic: "t/1", Payload: []byte(payload), QoS: 1}); err != nil {
			b.Fatal(err)
		}
		if m := <-got; m != "t/1 "+payload {
			b.Errorf("got %.60q", m)
		}
		logins := b.Broker.Logins()
		if len(logins) != 1 || logins[0].Username != "dev1&a1b2c3" || string(logins[0].Password) != "secret" {
			b.Errorf("logins %+v", logins)
		}
		cancel()
		<-ended
	}, nil)
}

// TestVirtualBulk: five connections at once carry random bytes both ways.
func TestVirtualBulk(t *testing.T) {
	for _, passive := range []bool{false, true} {
		t.Run(fmt.Sprintf("passive=%v", passive), func(t *testing.T) {
			onVirtual(t, func(b *bench) {
				var all sync.WaitGroup
				for n := range 5 {
					conn := b.Dial("echo.test:7")
					data := bytes.Repeat([]byte(fmt.Sprintf("%d\r\n> +IPD,%d,9:SEND OK\r\n", n, n)), 400)
					all.Go(func() {
						if _, err := conn.Write(data); err != nil {
							b.Errorf("connection %d: %v", n, err)
						}
					})
					all.Go(func() {
						back := make([]byte, len(data))
						if n, err := io.ReadFull(conn, back); err != nil || sha256.Sum256(back) != sha256.Sum256(data) {
							b.Errorf("connection %d: %d bytes came back, %v", n, n, err)
						}
					})
				}
				all.Wait()
				if _, err := b.Driver.Dial(b.Context(), "tcp", "echo.test:7"); !errors.Is(err, modem.ErrInUse) {
					b.Errorf("a sixth connection: %v", err)
				}
			}, func(_ *virtual.Options, o *esp8266.Options) { o.Passive = passive })
		})
	}
}

func TestVirtualRefusals(t *testing.T) {
	onVirtual(t, func(b *bench) {
		if _, err := b.Driver.Dial(b.Context(), "tcp", "nowhere.test:1883"); !errors.Is(err, modem.ErrDNS) && !errors.Is(err, modem.ErrRefused) {
			b.Errorf("unknown host: %v", err)
		}
		if _, err := b.Driver.Dial(b.Context(), "tcp", "broker.test:9"); !errors.Is(err, modem.ErrRefused) {
			b.Errorf("closed port: %v", err)
		}
		if _, err := b.Driver.Dial(b.Context(), "unix", "x:1"); !errors.Is(err, errors.ErrUnsupported) {
			b.Errorf("unknown network: %v", err)
		}
		for _, bad := range []string{"x", "x:y", "x:0", "x:65536"} {
			if _, err := b.Driver.Dial(b.Context(), "tcp", bad); err == nil {
				b.Errorf("dialled %s", bad)
			}
		}
		// What failed leaves nothing behind: all five are there.
		for range 5 {
			<-time.After(time.Second) // of the bubble: an identifier rests after a failure
			b.Dial("echo.test:7")
		}
	}, nil)
}

func TestVirtualWrongPassword(t *testing.T) {
	onVirtual(t, func(b *bench) {
		err := b.Driver.Join(b.Context())
		e, ok := errors.AsType[*esp8266.JoinError](err)
		if !ok || e.Code != 2 || err.Error() != `join Wi-Fi "home": wrong password` {
			b.Errorf("%v", err)
		}
	}, func(_ *virtual.Options, o *esp8266.Options) { o.Password = "wrong-one" })
}

func TestVirtualNoAccessPoint(t *testing.T) {
	onVirtual(t, func(b *bench) {
		e, ok := errors.AsType[*esp8266.JoinError](b.Driver.Join(b.Context()))
		if !ok || e.Code != 3 {
			b.Errorf("%v", e)
		}
	}, func(_ *virtual.Options, o *esp8266.Options) { o.SSID = "elsewhere" })
}

// TestVirtualRestart: a module that restarts by itself loses its connections
// and is used again by the next dial.
func TestVirtualRestart(t *testing.T) {
	onVirtual(t, func(b *bench) {
		conn := b.Dial("echo.test:7")
		b.Module.Reset()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, modem.ErrRestart) {
			b.Errorf("reading: %v", err)
		}
		if _, err := conn.Write([]byte("x")); !errors.Is(err, modem.ErrRestart) {
			b.Errorf("writing: %v", err)
		}
		conn.Close()
		conn = b.Dial("echo.test:7")
		b.Echo(conn, "again")
	}, nil)
}

func TestVirtualRestartUnheard(t *testing.T) {
	onVirtual(t, (*bench).SocketAfterUnheardRestart, nil)
}

func TestVirtualLinkLost(t *testing.T) {
	onVirtual(t, func(b *bench) {
		conn := b.Dial("echo.test:7")
		if err := b.Module.SetFault(virtual.Fault{Name: "link-lost"}); err != nil {
			b.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			b.Errorf("reading: %v", err)
		}
		if _, err := conn.Write([]byte("x")); !errors.Is(err, modem.ErrLost) {
			b.Errorf("writing: %v", err)
		}
		conn.Close()
		b.Echo(b.Dial("echo.test:7"), "again")
	}, nil)
}

func TestVirtualLinkLostInSend(t *testing.T) {
	onVirtual(t, func(b *bench) {
		conn := b.Dial("echo.test:7")
		if err := b.Module.SetFault(virtual.Fault{Name: "link-lost-mid-send", Times: 1}); err != nil {
			b.Fatal(err)
		}
		if n, err := conn.Write([]byte("hello")); err == nil {
			b.Errorf("wrote %d bytes into a lost connection", n)
		}
		conn.Close()
		b.Echo(b.Dial("echo.test:7"), "again")
	}, nil)
}

// TestVirtualDeadlines: a silent peer and a slow line.
func TestVirtualDeadlines(t *testing.T) {
	onVirtual(t, func(b *bench) {
		conn := b.Dial("echo.test:7")
		begun := time.Now()
		conn.SetReadDeadline(begun.Add(3 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); !isTimeout(err) || time.Since(begun) != 3*time.Second {
			b.Errorf("reading: %v after %v", err, time.Since(begun))
		}
		conn.SetReadDeadline(time.Time{})
		b.Echo(conn, "still here")
		conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
		if _, err := conn.Write(make([]byte, 2000)); !isTimeout(err) {
			b.Errorf("writing: %v", err)
		}
		conn.SetWriteDeadline(time.Time{})
		if _, err := conn.Write([]byte("x")); err == nil {
			b.Error("wrote on after half a message")
		}
		conn.Close()
		b.Echo(b.Dial("echo.test:7"), "again")
	}, nil)
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// TestVirtualRoughLine: bytes are lost in both directions and the module
// restarts now and then, and the client gets through all the same.
func TestVirtualRoughLine(t *testing.T) {
	onVirtual(t, func(b *bench) {
		for _, f := range []virtual.Fault{{Name: "lost-bytes", Value: "0.0005"}, {Name: "reset", Value: "97s"}} {
			if err := b.Module.SetFault(f); err != nil {
				b.Fatal(err)
			}
		}
		b.RoughSocket(3)
	}, nil)
}

// TestVirtualPortGone: everything ends with a clear error.
func TestVirtualPortGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := &modemtest.World{}
		world.Put("echo.test:7", modemtest.Echo)
		_, port := virtualtest.Power(t, virtual.Options{Model: "esp8266", Network: world})
		m, err := esp8266.Attach(t.Context(), port, esp8266.Options{SSID: "any"})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := m.Dial(t.Context(), "tcp", "echo.test:7")
		if err != nil {
			t.Fatal(err)
		}
		port.Close()
		<-m.Done()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, modem.ErrGone) {
			t.Errorf("reading: %v", err)
		}
		if err := m.Join(t.Context()); !errors.Is(err, modem.ErrGone) {
			t.Errorf("joining: %v", err)
		}
		conn.Close()
		m.Close()
	})
}
