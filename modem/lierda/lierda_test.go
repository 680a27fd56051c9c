package lierda_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/lierda"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/modem/virtual/virtualtest"
	"github.com/matou-iot/matou/mqtt"
)

var triple = aliyun.Triple{ProductKey: "a1b2c3d4e5f", DeviceName: "dev1", DeviceSecret: "0123456789abcdef0123456789abcdef"}

// TestConversation: what seed 003 does, by the driver.
func TestConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, wait := modemtest.Play(t, "../testdata/nt35e/driver-mqtt.at")
		m := modemtest.Attach(t, port, attach)
		got := make(chan modem.Message, 1)
		s, err := m.Connect(t.Context(), modem.Login{
			Host: "a1b2c3d4e5f.iot-as-mqtt.cn-shanghai.aliyuncs.com", Port: 1883, ClientID: "NT35E", Aliyun: &triple,
		}, func(m modem.Message) { got <- m })
		if err != nil {
			t.Fatal(err)
		}
		const topic = "/a1b2c3d4e5f/dev1/user/COMMUTEST"
		if _, err := s.Subscribe(t.Context(), topic, mqtt.ExactlyOnce); err != nil {
			t.Error(err)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: topic, Payload: []byte(`{"a":1,"b":"2"}`), Retain: true}); err != nil {
			t.Error(err)
		}
		if m := <-got; m.Topic != topic || string(m.Payload) != `{"a":1,"b":"2"}` {
			t.Errorf("got %+v", m)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wait()
	})
}

// A bench is the driver on a virtual NT35E.
type bench = virtualtest.Bench[*lierda.Module]

func attach(ctx context.Context, port io.ReadWriteCloser) (*lierda.Module, error) {
	return lierda.Attach(ctx, port, lierda.Options{})
}

// onVirtual runs a test on a virtual module with the given quirks and faults.
func onVirtual(t *testing.T, test func(b *bench), quirks []string, faults ...virtual.Fault) {
	t.Helper()
	virtualtest.Run(t, virtual.Options{Model: "nt35e", Quirks: quirks, Faults: faults}, attach, test)
}

func TestVirtualSession(t *testing.T) {
	for _, quirks := range [][]string{nil, {"urc-before-ok"}, {"unsub-name"}, {"quoted-payload"}, {"close-ok"}} {
		t.Run(strings.Join(quirks, "+"), func(t *testing.T) {
			onVirtual(t, func(b *bench) {
				if id := b.Driver.Identity(); id.Maker != "Lierda" || id.Model != "NT35E" || id.Serial != "861111111111111" {
					b.Errorf("identity %+v", id)
				}
				b.Session(`{"id":"1","params":{"a":[1,2],"b":"x, y"}}`)
				if _, err := b.Driver.Dial(b.Context(), "tcp", "broker.test:1883"); !errors.Is(err, errors.ErrUnsupported) {
					b.Errorf("dial: %v", err)
				}
			}, quirks)
		})
	}
}

func TestVirtualInUse(t *testing.T) {
	onVirtual(t, func(b *bench) {
		defer b.Connect(modem.Login{ClientID: "dev1"}, nil).Close()
		if _, err := b.Driver.Connect(b.Context(), virtualtest.BrokerLogin("dev2"), nil); !errors.Is(err, modem.ErrInUse) {
			b.Errorf("a second session: %v", err)
		}
	}, nil)
}

func TestVirtualAliauth(t *testing.T) {
	onVirtual(t, func(b *bench) { b.SignsItself(triple) }, nil)
}

func TestVirtualRefused(t *testing.T) {
	onVirtual(t, func(b *bench) { b.Refusals(time.Minute) }, nil)
}

func TestVirtualLostAndRestarted(t *testing.T) {
	onVirtual(t, func(b *bench) {
		s := b.Connect(modem.Login{ClientID: "dev1"}, nil)
		b.Broker.Cut()
		<-s.Done()
		if err := s.Err(); !errors.Is(err, modem.ErrLost) {
			b.Errorf("%v", err)
		}
		s.Close()
		s = b.Connect(modem.Login{ClientID: "dev1"}, nil)
		b.Module.Reset()
		<-s.Done()
		if err := s.Err(); !errors.Is(err, modem.ErrRestart) {
			b.Errorf("%v", err)
		}
		s.Close()
		b.Connect(modem.Login{ClientID: "dev1"}, nil).Close()
	}, nil)
}

func TestVirtualRestartUnheard(t *testing.T) { onVirtual(t, (*bench).SessionAfterUnheardRestart, nil) }

func TestVirtualRoughLine(t *testing.T) {
	onVirtual(t, func(b *bench) { b.RoughSession(50, 2) }, nil,
		virtual.Fault{Name: "lost-bytes", Value: "0.001", After: time.Minute}, virtual.Fault{Name: "reset", Value: "97s"})
}

// up is a module on the network, login one that is logged in.
const (
	up = `
> AT\r
< \r\nOK\r\n
> ATE0\r
< \r\nOK\r\n
> AT+CGMM\r
< \r\nERROR\r\n
> AT+CGMR\r
< \r\nERROR\r\n
> AT+CGSN=1\r
< \r\nERROR\r\n
> AT+CPIN?\r
< \r\n+CPIN: READY\r\n\r\nOK\r\n
> AT+CEREG?\r
< \r\n+CEREG: 0,1\r\n\r\nOK\r\n
> AT+LMQTTDISC=0\r
< \r\nERROR\r\n
> AT+LMQTTCLOSE=0\r
< \r\nERROR\r\n
> AT+LMQTTCFG="urc",0,1\r
< \r\nERROR\r\n
> AT+LMQTTOPEN=0,"h",1883\r
< \r\nOK\r\n
! \r\n+LMQTTOPEN:0,0\r\n
> AT+LMQTTCONN=0,"c"\r
< \r\nOK\r\n
`
	login = up + "! \\r\\n+LMQTTCONN: 0,0,0\\r\\n\n"
)

func script(t *testing.T, text string) (*lierda.Module, func()) {
	t.Helper()
	port, wait := modemtest.Script(t, text)
	return modemtest.Attach(t, port, attach), wait
}

// TestLostOutcome: where +LMQTTCONN does not come, the module is asked.
func TestLostOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := script(t, up+"> AT+LMQTTCONN?\\r\n< \\r\\n+LMQTTCONN: 0,2\\r\\n\\r\\nOK\\r\\n\n> AT+LMQTTCONN?\\r\n< \\r\\n+LMQTTCONN: 0,3\\r\\n\\r\\nOK\\r\\n\n")
		if _, err := m.Connect(t.Context(), modem.Login{Host: "h", Port: 1883, ClientID: "c"}, nil); err != nil {
			t.Error(err)
		}
		wait()
	})
}

// TestInline: firmware that does not ask for the message gets it in the
// command, by its length.
func TestInline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := script(t, login+`
> AT+LMQTTPUB=0,0,0,0,"t",7\r
< \r\nERROR\r\n
> AT+LMQTTPUB=0,0,0,0,"t",7,"{"a":1}"\r
< \r\nOK\r\n
! \r\n+LMQTTPUB: 0,0,0\r\n
> AT+LMQTTPUB=0,1,1,0,"t",1,"x"\r
< \r\nOK\r\n
! \r\n+LMQTTPUB: 0,1,1,6\r\n
`)
		s, err := m.Connect(t.Context(), modem.Login{Host: "h", Port: 1883, ClientID: "c"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", Payload: []byte(`{"a":1}`)}); err != nil {
			t.Error(err)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", Payload: []byte("x"), QoS: 1}); err != nil {
			t.Error(err)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", Payload: []byte("a\r\nb")}); err == nil {
			t.Error("a line end went into a command")
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", Payload: make([]byte, 8001)}); err == nil {
			t.Error("8001 bytes")
		}
		wait()
	})
}

func TestReceiveForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := script(t, login+`
> AT+LMQTTSUBUNSUB=0,0,1,"t",0\r
< \r\nOK\r\n
! \r\n+LMQTTURC: RECV,0,0,"t",{"a":1,"b":"2"}\r\n
! \r\n+LMQTTURC: RECV,0,0,"t","quoted"\r\n
! \r\n+LMQTTURC:RECV,0,0,"t",a"b"\r\n
! \r\n+LMQTTURC: RECV,0,0\r\n
! \r\n+LMQTTURC: RECV,x\r\n
! \r\n+LMQTTURC: STATS,0,0\r\n
! \r\n+LMQTTSUBUNSUB: 0,9,0,1\r\n
! \r\n+LMQTTSUBUNSUB: 0,1,1,6\r\n
`)
		got := make(chan string, 9)
		s, err := m.Connect(t.Context(), modem.Login{Host: "h", Port: 1883, ClientID: "c"}, func(m modem.Message) { got <- string(m.Payload) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Subscribe(t.Context(), "t", 0); !errors.Is(err, modem.ErrRefused) {
			t.Errorf("a failed subscription: %v", err)
		}
		for _, want := range []string{`{"a":1,"b":"2"}`, "quoted", `a"b"`} {
			if m := <-got; m != want {
				t.Errorf("got %q, want %q", m, want)
			}
		}
		wait()
		if len(got) > 0 {
			t.Errorf("got %q as well", <-got)
		}
	})
}
