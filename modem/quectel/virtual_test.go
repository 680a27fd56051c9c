package quectel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/quectel"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/modem/virtual/virtualtest"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A bench is the driver on a virtual EC20.
type bench = virtualtest.Bench[*quectel.Module]

// onVirtual runs a test on a virtual module with the given quirks and faults.
func onVirtual(t *testing.T, test func(b *bench), quirks []string, faults ...virtual.Fault) {
	t.Helper()
	virtualtest.Run(t, virtual.Options{Model: "ec20", Quirks: quirks, Faults: faults}, with(quectel.Options{APN: "CMNET"}), test)
}

var everything = "quotes \", OK\r\n\r\nERROR\r\n> +QIRD: 5\r\n\x00\x1a\x1b\xff"

func TestVirtualIdentity(t *testing.T) {
	onVirtual(t, func(b *bench) {
		want := modem.Identity{Maker: "Quectel", Model: "EC20F", Firmware: "EC20CEFAGR06A05M4G", Serial: "861111111111111"}
		if id := b.Driver.Identity(); id != want {
			b.Errorf("identity %+v", id)
		}
		if dBm, err := b.Driver.Signal(b.Context()); dBm != -59 || err != nil {
			b.Errorf("signal %d dBm, %v", dBm, err)
		}
	}, nil)
}

func TestVirtualMQTTOverSocket(t *testing.T) {
	onVirtual(t, func(b *bench) {
		got := make(chan string, 10)
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		c := client.New(client.Options{
			Dial:           func(ctx context.Context) (net.Conn, error) { return b.Driver.Dial(ctx, "tcp", "broker.test:1883") },
			ConnectTimeout: 5 * time.Minute, ClientID: "dev1",
			OnMessage: func(_ context.Context, m client.Message) { got <- m.Topic + " " + string(m.Payload) },
		})
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		if _, err := c.Subscribe(ctx, nil, packet.Subscription{Filter: "t/1"}); err != nil {
			b.Fatal(err)
		}
		payload := everything + strings.Repeat("long ", 1000)
		if err := c.Publish(ctx, client.Message{Topic: "t/1", Payload: []byte(payload), QoS: 1}); err != nil {
			b.Fatal(err)
		}
		if m := <-got; m != "t/1 "+payload {
			b.Errorf("got %.60q", m)
		}
		cancel()
		<-ended
	}, nil)
}

func TestVirtualBulk(t *testing.T) {
	for _, quirks := range [][]string{nil, {"payload-echo"}} {
		onVirtual(t, func(b *bench) {
			var all sync.WaitGroup
			for n := range 6 {
				conn := b.Dial(virtualtest.EchoAddress)
				data := bytes.Repeat(fmt.Appendf(nil, "%d%s", n, everything), 300)
				all.Go(func() {
					if _, err := conn.Write(data); err != nil {
						b.Errorf("connection %d: %v", n, err)
					}
				})
				all.Go(func() {
					back := make([]byte, len(data))
					if k, err := io.ReadFull(conn, back); err != nil || !bytes.Equal(back, data) {
						b.Errorf("connection %d: %d bytes came back, %v", n, k, err)
					}
				})
			}
			all.Wait()
		}, quirks)
	}
}

func TestVirtualDialRefused(t *testing.T) {
	onVirtual(t, func(b *bench) {
		if _, err := b.Driver.Dial(b.Context(), "tcp", "nowhere.test:1883"); !errors.Is(err, modem.ErrDNS) {
			b.Errorf("unknown host: %v", err)
		}
		if _, err := b.Driver.Dial(b.Context(), "tcp", "echo.test:9"); !errors.Is(err, modem.ErrRefused) {
			b.Errorf("closed port: %v", err)
		}
		if _, err := b.Driver.Dial(b.Context(), "unix", "echo.test:7"); !errors.Is(err, errors.ErrUnsupported) {
			b.Errorf("unix: %v", err)
		}
		for range 12 {
			<-time.After(time.Second)
			b.Dial(virtualtest.EchoAddress)
		}
		if _, err := b.Driver.Dial(b.Context(), "tcp", "echo.test:7"); !errors.Is(err, modem.ErrInUse) {
			b.Errorf("a thirteenth connection: %v", err)
		}
	}, nil)
}

func TestVirtualNoNetwork(t *testing.T) {
	for fault, want := range map[string]error{
		"sim-missing": modem.ErrSIM, "registration-denied": modem.ErrDenied, "no-signal": modem.ErrNoNetwork,
	} {
		t.Run(fault, func(t *testing.T) {
			onVirtual(t, func(b *bench) {
				if err := b.Driver.Join(b.Context()); !errors.Is(err, want) {
					b.Errorf("join: %v", err)
				}
			}, nil, virtual.Fault{Name: fault})
		})
	}
}

func TestVirtualRestart(t *testing.T) {
	onVirtual(t, func(b *bench) {
		conn := b.Dial(virtualtest.EchoAddress)
		session := b.Connect(modem.Login{ClientID: "dev1"}, nil)
		b.Module.Reset()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, modem.ErrRestart) {
			b.Errorf("reading: %v", err)
		}
		<-session.Done()
		if err := session.Err(); !errors.Is(err, modem.ErrRestart) {
			b.Errorf("session: %v", err)
		}
		if err := session.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x")}); !errors.Is(err, modem.ErrRestart) {
			b.Errorf("publish: %v", err)
		}
		conn.Close()
		session.Close()
		b.Echo(b.Dial(virtualtest.EchoAddress), "again")
		b.Connect(modem.Login{ClientID: "dev1"}, nil).Close()
	}, nil)
}

func TestVirtualLinkLost(t *testing.T) {
	onVirtual(t, func(b *bench) {
		conn := b.Dial(virtualtest.EchoAddress)
		b.Echo(conn, "hello")
		if err := b.Module.SetFault(virtual.Fault{Name: "link-lost"}); err != nil {
			b.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			b.Errorf("reading: %v", err)
		}
		conn.Close()
		b.Echo(b.Dial(virtualtest.EchoAddress), "again")
		conn = b.Dial(virtualtest.EchoAddress)
		if err := b.Module.SetFault(virtual.Fault{Name: "link-lost-mid-send", Times: 1}); err != nil {
			b.Fatal(err)
		}
		conn.Write([]byte("x")) // may seem to work: SEND OK says that the module has it
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			b.Error("read from a lost connection")
		}
		conn.Close()
		b.Echo(b.Dial(virtualtest.EchoAddress), "again")
	}, nil)
}

func TestVirtualRestartUnheard(t *testing.T) {
	onVirtual(t, (*bench).SocketAfterUnheardRestart, nil)
	onVirtual(t, (*bench).SessionAfterUnheardRestart, nil)
}

func TestVirtualSession(t *testing.T) {
	for _, quirks := range [][]string{nil, {"payload-echo"}, {"no-qmtpub"}, {"open-twice-error"}} {
		t.Run(strings.Join(quirks, "+"), func(t *testing.T) {
			onVirtual(t, func(b *bench) { b.Session(everything) }, quirks)
		})
	}
}

// TestVirtualAliauth: the module signs itself, and the signature holds.
func TestVirtualAliauth(t *testing.T) {
	onVirtual(t, func(b *bench) {
		b.SignsItself(aliyun.Triple{ProductKey: "a1b2c3", DeviceName: "dev1", DeviceSecret: "0123456789abcdef0123456789abcdef"})
		// A login that brings its own password uses a client that does not sign.
		b.Connect(modem.Login{ClientID: "plain", Username: "u", Password: "p"}, nil).Close()
		if l := b.Broker.Logins()[1]; l.Username != "u" || l.ClientID != "plain" {
			b.Errorf("plain login %+v", l)
		}
	}, nil)
}

func TestVirtualLoginRefused(t *testing.T) {
	onVirtual(t, func(b *bench) {
		b.Refusals(0)
		for range 6 { // nothing was left behind
			b.Connect(modem.Login{ClientID: "x"}, nil)
		}
	}, nil)
}

func TestVirtualSessionLost(t *testing.T) {
	onVirtual(t, func(b *bench) {
		s := b.Connect(modem.Login{ClientID: "dev1"}, nil)
		b.Broker.Cut()
		<-s.Done()
		if err := s.Err(); !errors.Is(err, modem.ErrLost) || !strings.Contains(err.Error(), "the broker closed it (+QMTSTAT: 1)") {
			b.Errorf("%v", err)
		}
		s.Close()
		b.Connect(modem.Login{ClientID: "dev1"}, nil).Close()
	}, nil)
}

// TestVirtualRoughLine: lost bytes and restarts, over the socket and with the
// module's own client.
func TestVirtualRoughLine(t *testing.T) {
	rough := []virtual.Fault{{Name: "lost-bytes", Value: "0.0005", After: time.Minute}, {Name: "reset", Value: "197s"}}
	t.Run("socket", func(t *testing.T) { onVirtual(t, func(b *bench) { b.RoughSocket(3) }, nil, rough...) })
	t.Run("session", func(t *testing.T) { onVirtual(t, func(b *bench) { b.RoughSession(100, 3) }, nil, rough...) })
}
