package esp8266_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/modem/virtual/virtualtest"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// everything is what a payload may hold.
const everything = "quotes \", OK\r\n\r\nERROR\r\n> +IPD,0,5:xx +MQTTPUB:FAIL\r\n+MQTTDISCONNECTED:0\r\n\x00\xff"

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, wait := modemtest.Play(t, "../testdata/esp8266/driver-mqtt.at")
		m := modemtest.Attach(t, port, with(home))
		got := make(chan modem.Message, 1)
		s, err := m.Connect(t.Context(), modem.Login{
			Host: "a1b2c3.iot-as-mqtt.cn-shanghai.aliyuncs.com", Port: 1883,
			ClientID: "dev1|securemode=3,signmethod=hmacsha256,x|", Username: "dev1&a1b2c3",
			Password: "7b2e3f79724bdb04e581d822a04044129a11c8cd4e8fc4bdfec69ee335de7e05", KeepAlive: time.Minute,
			Will: &modem.Message{Topic: "will", Payload: []byte(`gone, "really"`), QoS: 1},
		}, func(m modem.Message) { got <- m })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Connect(t.Context(), modem.Login{Host: "x", Port: 1}, nil); !errors.Is(err, modem.ErrInUse) {
			t.Errorf("a second session: %v", err)
		}
		if q, err := s.Subscribe(t.Context(), "back", 1); q != 1 || err != nil {
			t.Errorf("subscribe: %d, %v", q, err)
		}
		const payload = "{\"a\":1,\r\n\"b\":2}"
		if err := s.Publish(t.Context(), modem.Message{Topic: "back", Payload: []byte(payload)}); err != nil {
			t.Error(err)
		}
		if m := <-got; m.Topic != "back" || string(m.Payload) != payload {
			t.Errorf("got %q %q", m.Topic, m.Payload)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", QoS: 1, Retain: true}); err != nil {
			t.Error(err)
		}
		if err := s.Unsubscribe(t.Context(), "back"); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil || !errors.Is(s.Err(), modem.ErrClosed) {
			t.Error(err, s.Err())
		}
		wait()
	})
}

// onESPAT runs a test on a virtual ESP-AT.
func onESPAT(t *testing.T, test func(b *bench), faults ...virtual.Fault) {
	t.Helper()
	v := virtual.Options{Model: "esp8266", Firmware: "2", Faults: faults, AccessPoints: []virtual.AccessPoint{{SSID: "home", Password: "12345678"}}}
	virtualtest.Run(t, v, with(home), test)
}

func TestVirtualSession(t *testing.T) {
	onESPAT(t, func(b *bench) {
		got := make(chan modem.Message, 10)
		s := b.Connect(modem.Login{
			ClientID: "dev1|a,b|", Username: "user\"", Password: strings.Repeat("long", 50), KeepAlive: 90 * time.Second, KeepSession: true,
			Will: &modem.Message{Topic: "w", Payload: []byte("gone"), QoS: 1, Retain: true},
		}, func(m modem.Message) { got <- m })
		l := b.Broker.Logins()[0]
		if l.ClientID != "dev1|a,b|" || l.Username != "user\"" || string(l.Password) != strings.Repeat("long", 50) || l.KeepAlive != 90 || l.CleanStart ||
			l.Will == nil || l.Will.Topic != "w" || string(l.Will.Payload) != "gone" || l.Will.QoS != 1 || !l.Will.Retain {
			b.Errorf("login %+v, will %+v", l, l.Will)
		}
		for range 2 { // the second time it is no news to the module
			if q, err := s.Subscribe(b.Context(), "t/1", mqtt.AtLeastOnce); q != 1 || err != nil {
				b.Errorf("subscribe: %d, %v", q, err)
			}
		}
		for qos := range mqtt.QoS(2) {
			if err := s.Publish(b.Context(), modem.Message{Topic: "t/1", Payload: []byte(everything), QoS: qos}); err != nil {
				b.Errorf("publish at QoS %d: %v", qos, err)
			}
			if m := <-got; m.Topic != "t/1" || string(m.Payload) != everything {
				b.Errorf("got %q %q", m.Topic, m.Payload)
			}
		}
		// A connection beside it.
		b.Echo(b.Dial(virtualtest.EchoAddress), "hello")
		if err := s.Unsubscribe(b.Context(), "t/1"); err != nil {
			b.Error(err)
		}
		if err := s.Publish(b.Context(), modem.Message{Topic: strings.Repeat("t", 129), Payload: []byte("x")}); err == nil {
			b.Error("a topic that is too long was published")
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
		if err := s.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x")}); !errors.Is(err, modem.ErrClosed) {
			b.Errorf("after Close: %v", err)
		}
		b.Connect(modem.Login{ClientID: "again"}, nil).Close()
	})
}

func TestVirtualSessionRefused(t *testing.T) {
	onESPAT(t, func(b *bench) {
		connect := func(l modem.Login) error {
			_, err := b.Driver.Connect(b.Context(), l, nil)
			return err
		}
		b.Broker.Refuse(mqtt.BadUserNameOrPassword)
		if err := connect(modem.Login{Host: "broker.test", Port: 1883, ClientID: "x"}); !errors.Is(err, modem.ErrRefused) || errors.Is(err, modem.ErrDNS) {
			b.Errorf("a refused login: %v", err)
		}
		<-time.After(time.Minute)
		if err := connect(modem.Login{Host: "nowhere.test", Port: 1883, ClientID: "x"}); !errors.Is(err, modem.ErrDNS) {
			b.Errorf("a name that nobody knows: %v", err)
		}
		<-time.After(time.Minute)
		for what, l := range map[string]modem.Login{
			"password": {Host: "broker.test", Port: 1883, Password: strings.Repeat("x", 1025)},
			"will":     {Host: "broker.test", Port: 1883, Will: &modem.Message{Topic: strings.Repeat("x", 129)}},
			"host":     {Host: strings.Repeat("x", 129), Port: 1883},
			"Aliyun":   {Host: "broker.test", Port: 1883, Aliyun: &aliyun.Triple{}},
		} {
			if err := connect(l); err == nil || !strings.Contains(err.Error(), what) {
				b.Errorf("%s: %v", what, err)
			}
		}
		b.Broker.Refuse(0)
		b.Connect(modem.Login{ClientID: "x"}, nil) // nothing was left behind
	})
}

func TestVirtualSessionEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(b *bench)
		want error
	}{
		{"the broker cuts it", func(b *bench) { b.Broker.Cut() }, modem.ErrLost},
		{"the module restarts", func(b *bench) { b.Module.Reset() }, modem.ErrRestart},
		{"Wi-Fi is lost", func(b *bench) { b.Module.SetFault(virtual.Fault{Name: "no-signal", Times: 1}) }, modem.ErrLost},
		{"the driver is closed", func(b *bench) { b.Driver.Close() }, modem.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onESPAT(t, func(b *bench) {
				s := b.Connect(modem.Login{ClientID: "dev1"}, nil)
				tt.end(b)
				<-s.Done()
				if err := s.Err(); !errors.Is(err, tt.want) {
					b.Errorf("ended with %v", err)
				}
				if err := s.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x")}); !errors.Is(err, tt.want) {
					b.Errorf("publish: %v", err)
				}
				if err := s.Close(); err != nil {
					b.Error(err)
				}
				if tt.want == modem.ErrClosed {
					return
				}
				b.Module.ClearFault("no-signal")
				<-time.After(time.Minute)
				again := b.Connect(modem.Login{ClientID: "dev1"}, nil)
				if err := again.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x"), QoS: 1}); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// TestVirtualRoughSession: bytes are lost and the module restarts now and
// then, and every message gets through.
func TestVirtualRoughSession(t *testing.T) {
	onESPAT(t, func(b *bench) { b.RoughSession(50, 2) },
		virtual.Fault{Name: "lost-bytes", Value: "0.0005", After: time.Minute}, virtual.Fault{Name: "reset", Value: "97s"})
}

func TestVirtualSessionRestartUnheard(t *testing.T) { onESPAT(t, (*bench).SessionAfterUnheardRestart) }

// The connection is lost while the message is on its way, and the line that
// says so has no end.
func TestVirtualSessionLostMidSend(t *testing.T) {
	onESPAT(t, func(b *bench) {
		s := b.Connect(modem.Login{ClientID: "dev1"}, nil)
		if err := b.Module.SetFault(virtual.Fault{Name: "link-lost-mid-send", Times: 1}); err != nil {
			b.Fatal(err)
		}
		if err := s.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x"), QoS: 1}); !errors.Is(err, modem.ErrLost) {
			b.Errorf("publish: %v", err)
		}
		<-s.Done()
		s.Close()
		b.Connect(modem.Login{ClientID: "dev1"}, nil)
	})
}

// A message that is longer than the firmware's buffer comes in pieces.
func TestVirtualLongMessage(t *testing.T) {
	onESPAT(t, func(b *bench) {
		pieces := make(chan modem.Message, 10)
		s := b.Connect(modem.Login{ClientID: "dev1"}, func(m modem.Message) { pieces <- m })
		if _, err := s.Subscribe(b.Context(), "t", 0); err != nil {
			b.Fatal(err)
		}
		long := strings.Repeat("0123456789", 250)
		b.Broker.Send(packet.Publish{Topic: []byte("t"), Payload: []byte(long)})
		got := ""
		for n := 0; len(got) < len(long); n++ {
			p, want := <-pieces, modem.NextPiece
			if n == 0 {
				want = modem.FirstPiece
			}
			if p.Piece != want {
				b.Errorf("piece %d: %v, want %v", n, p.Piece, want)
			}
			got += string(p.Payload)
		}
		if got != long {
			b.Errorf("got %q", got)
		}
		b.Broker.Send(packet.Publish{Topic: []byte("t"), Payload: []byte(long[:1000])})
		if p := <-pieces; p.Piece != modem.Whole || string(p.Payload) != long[:1000] {
			b.Errorf("what follows: %v %q", p.Piece, p.Payload)
		}
	})
}

// The module's TLS takes whatever certificate it is shown.
func TestVirtualSecureSession(t *testing.T) {
	pair, _ := modemtest.SelfSigned(t)
	onESPAT(t, func(b *bench) {
		b.World.Put("tls.test:8883", func(c net.Conn) { b.Broker.Serve(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})) })
		s, err := b.Driver.Connect(b.Context(), modem.Login{Host: "tls.test", Port: 8883, TLS: true, ClientID: "dev1"}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Publish(b.Context(), modem.Message{Topic: "t", Payload: []byte("x"), QoS: 1}); err != nil {
			b.Error(err)
		}
	})
}

func TestVirtualNoSession(t *testing.T) {
	virtualtest.Run(t, virtual.Options{Model: "esp8266"}, with(home), func(b *bench) {
		if _, err := b.Driver.Connect(b.Context(), modem.Login{Host: "broker.test", Port: 1883}, nil); !errors.Is(err, errors.ErrUnsupported) {
			b.Errorf("AT 1.7: %v", err)
		}
	})
}

func TestConnectEndsWithItsContext(t *testing.T) {
	onESPAT(t, func(b *bench) {
		ctx, cancel := context.WithTimeout(b.Context(), time.Millisecond)
		defer cancel()
		if _, err := b.Driver.Connect(ctx, modem.Login{Host: "broker.test", Port: 1883}, nil); !errors.Is(err, context.DeadlineExceeded) {
			b.Errorf("%v", err)
		}
	})
}
