package quectel_test

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
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/quectel"
	"github.com/matou-iot/matou/mqtt"
)

// with attaches the driver with Options.
func with(o quectel.Options) modemtest.Attacher[*quectel.Module] {
	return func(ctx context.Context, port io.ReadWriteCloser) (*quectel.Module, error) {
		return quectel.Attach(ctx, port, o)
	}
}

func attach(t *testing.T, file string) (m *quectel.Module, wait func()) {
	t.Helper()
	port, wait := modemtest.Play(t, "../testdata/ec20/"+file)
	return modemtest.Attach(t, port, with(quectel.Options{APN: "CMNET"})), wait
}

func TestSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := attach(t, "driver-socket.at")
		conn, err := m.Dial(t.Context(), "tcp", "echo.example:7")
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
		synctest.Wait()
		<-time.After(time.Second) // of the bubble: nothing is left to fetch
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		wait()
	})
}

func TestMQTT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := attach(t, "driver-mqtt.at")
		got := make(chan modem.Message, 1)
		s, err := m.Connect(t.Context(), modem.Login{
			Host: "broker.example", Port: 1883, ClientID: "dev1",
			Aliyun: &aliyun.Triple{ProductKey: "a1b2c3", DeviceName: "dev1", DeviceSecret: "0123456789abcdef0123456789abcdef"},
		}, func(m modem.Message) { got <- m })
		if err != nil {
			t.Fatal(err)
		}
		if q, err := s.Subscribe(t.Context(), "/a1b2c3/dev1/user/get", mqtt.AtMostOnce); q != 0 || err != nil {
			t.Errorf("subscribe: %d, %v", q, err)
		}
		if m := <-got; m.Topic != "/a1b2c3/dev1/user/get" || string(m.Payload) != "hello" {
			t.Errorf("got %+v", m)
		}
		err = s.Publish(t.Context(), modem.Message{
			Topic: "/sys/a1b2c3/dev1/thing/event/property/post", Payload: []byte(`{"id":"1","version":"1.0","params":{"temperature":25.5,"a":1}}`),
		})
		if err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wait()
	})
}

// up is how every script begins: a module that is on the network.
const up = `
> ATQ0V1E0\r
< \r\nOK\r\n
> ATE0\r
< \r\nOK\r\n
> AT+CMEE=1\r
< \r\nOK\r\n
> AT+QISDE=0\r
< \r\nERROR\r\n
> AT+QURCCFG="urcport","uart1"\r
< \r\nERROR\r\n
> ATI\r
< \r\nQuectel\r\nEC20F\r\nRevision: EC20CEFAGR06A05M4G\r\n\r\nOK\r\n
> AT+CGSN\r
< \r\n861111111111111\r\n\r\nOK\r\n
> AT+CPIN?\r
< \r\n+CPIN: READY\r\n\r\nOK\r\n
> AT+CEREG?\r
< \r\n+CEREG: 0,5\r\n\r\nOK\r\n
> AT+QIACT?\r
< \r\n+QIACT: 1,1,1,"10.20.30.40"\r\n\r\nOK\r\n
`

// session is a module that is logged in.
const session = up + `
> AT+QMTCFG="recv/mode",0,0,1\r
< \r\nOK\r\n
> AT+QMTCFG="version",0,4\r
< \r\nOK\r\n
> AT+QMTCFG="ssl",0,0\r
< \r\nOK\r\n
> AT+QMTCFG="session",0,1\r
< \r\nOK\r\n
> AT+QMTCFG="will",0,0\r
< \r\nOK\r\n
> AT+QMTOPEN=0,"h",1883\r
! \r\n+QMTOPEN: 0,0\r\n
< \r\nOK\r\n
> AT+QMTCONN=0,"c"\r
! \r\n+QMTCONN: 0,1,1\r\n
< \r\nOK\r\n
! \r\n+QMTCONN: 0,0,0\r\n
`

func script(t *testing.T, text string) (*quectel.Module, func()) {
	t.Helper()
	port, wait := modemtest.Script(t, text)
	return modemtest.Attach(t, port, with(quectel.Options{})), wait
}

// TestRestartWhileJoining: a module that restarts as it answers the last
// command of a join joins again.
func TestRestartWhileJoining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := script(t, strings.TrimSuffix(up, "\n")+`\r\nRDY\r\n`+up)
		for range 2 {
			if err := m.Join(t.Context()); err != nil && !errors.Is(err, modem.ErrRestart) {
				t.Error(err)
			}
		}
		wait()
	})
}

// TestReportsElsewhere: a module whose events go to another port says nothing
// of the outcome; the driver finds out and says what to do.
func TestReportsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := script(t, up+`
> AT+QIOPEN=1,0,"TCP","h",1883,0,0\r
< \r\nOK\r\n
> AT+QISTATE=1,0\r
< \r\n+QISTATE: 0,"TCP","1.2.3.4",1883,4096,2,1,0,0,"usbat"\r\n\r\nOK\r\n
> AT+QICLOSE=0\r
< \r\nOK\r\n
`)
		_, err := m.Dial(t.Context(), "tcp", "h:1883")
		if err == nil || !strings.Contains(err.Error(), "set Options.URCPort") {
			t.Errorf("%v", err)
		}
	})
}

// TestFullBuffer: SEND FAIL means that nothing was taken.
func TestFullBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := script(t, up+`
> AT+QIOPEN=1,0,"TCP","h",1883,0,0\r
< \r\nOK\r\n\r\n+QIOPEN: 0,0\r\n
> AT+QISEND=0,2\r
< \r\n>\x20
> hi
< \r\nSEND FAIL\r\n
> AT+QISEND=0,2\r
< \r\n>\x20
> hi
< \r\nSEND OK\r\n
`)
		conn, err := m.Dial(t.Context(), "tcp", "h:1883")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Write([]byte("hi")); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		wait()
	})
}

// TestOldPublish: firmware without QMTPUBEX, and one without lengths.
func TestOldPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := script(t, session+`
> AT+QMTPUBEX=0,0,0,0,"t",2\r
< \r\nERROR\r\n
> AT+QMTPUB=0,0,0,0,"t",2\r
< \r\nERROR\r\n
> AT+QMTPUB=0,0,0,0,"t"\r
< \r\n>\x20
> hi\x1a
< \r\nOK\r\n\r\n+QMTPUB: 0,0,0\r\n
> AT+QMTPUB=0,1,1,0,"t"\r
< \r\n>\x20
> ho\x1a
< \r\nOK\r\n
! \r\n+QMTPUB: 0,1,1,1\r\n
! \r\n+QMTPUB: 0,1,0\r\n
`)
		s, err := m.Connect(t.Context(), modem.Login{Host: "h", Port: 1883, ClientID: "c"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", Payload: []byte("hi")}); err != nil {
			t.Error(err)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", Payload: []byte("ho"), QoS: 1}); err != nil {
			t.Error(err)
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t", Payload: []byte("a\x1ab")}); err == nil {
			t.Error("sent a Ctrl-Z to firmware that ends messages with it")
		}
		if err := s.Publish(t.Context(), modem.Message{Topic: "t"}); err == nil {
			t.Error("sent an empty message")
		}
		wait()
	})
}

// TestReceiveForms: with length, without, over two lines; and what is none.
func TestReceiveForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, wait := script(t, session+`
> AT+QMTSUB=0,1,"t",0\r
< \r\nOK\r\n
! \r\n+QMTRECV: 0,0,"t",10,"{"a":"\r\n"}"\r\n
! \r\n+QMTRECV: 0,0,"t",2,\r\n"hi"\r\n
! \r\n+QMTRECV: 0,0,"t","{"a":5,"b":6}"\r\n
! \r\n+QMTRECV: 0,3\r\n
! \r\n+QMTRECV: 9,0,"t",1,"x"\r\n
! \r\n+QMTRECV: rubbish\r\n
! \r\n+QMTSUB: 0,7,0,0\r\n
! \r\n+QMTSUB: 0,1,0,128\r\n
`)
		got := make(chan string, 9)
		s, err := m.Connect(t.Context(), modem.Login{Host: "h", Port: 1883, ClientID: "c"}, func(m modem.Message) { got <- string(m.Payload) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Subscribe(t.Context(), "t", 0); !errors.Is(err, modem.ErrRefused) {
			t.Errorf("a refused subscription: %v", err)
		}
		for _, want := range []string{"{\"a\":\"\r\n\"}", "hi", `{"a":5,"b":6}`} {
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

func TestPINs(t *testing.T) {
	begin, _, _ := strings.Cut(up, "> AT+CPIN?")
	for _, tt := range []struct {
		name, pin, script string
		want              error
	}{
		{"none given", "", "> AT+CPIN?\\r\n< \\r\\n+CPIN: SIM PIN\\r\\n\\r\\nOK\\r\\n\n", modem.ErrPIN},
		{"wrong", "1111", "> AT+CPIN?\\r\n< \\r\\n+CPIN: SIM PIN\\r\\n\\r\\nOK\\r\\n\n> AT+CPIN=\"1111\"\\r\n< \\r\\n+CME ERROR: 16\\r\\n\n", modem.ErrPIN},
		{"taken and asked again", "1111", "> AT+CPIN?\\r\n< \\r\\n+CPIN: SIM PIN\\r\\n\\r\\nOK\\r\\n\n> AT+CPIN=\"1111\"\\r\n< \\r\\nOK\\r\\n\n> AT+CPIN?\\r\n< \\r\\n+CPIN: SIM PIN\\r\\n\\r\\nOK\\r\\n\n", modem.ErrPIN},
		{"locked", "1111", "> AT+CPIN?\\r\n< \\r\\n+CPIN: SIM PUK\\r\\n\\r\\nOK\\r\\n\n", modem.ErrPIN},
		{"no card", "", "> AT+CPIN?\\r\n< \\r\\n+CME ERROR: 10\\r\\n\n", modem.ErrSIM},
		{"busy, then gone", "", "> AT+CPIN?\\r\n< \\r\\n+CME ERROR: 14\\r\\n\n> AT+CPIN?\\r\n< \\r\\n+CME ERROR: SIM not inserted\\r\\n\n", modem.ErrSIM},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				port, wait := modemtest.Script(t, begin+tt.script)
				m := modemtest.Attach(t, port, with(quectel.Options{PIN: tt.pin}))
				if err := m.Join(t.Context()); !errors.Is(err, tt.want) {
					t.Errorf("%v", err)
				}
				wait()
			})
		})
	}
}

func TestAttachEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, _ := modemtest.Script(t, "> nothing that it would say\n")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := quectel.Attach(ctx, port, quectel.Options{}); err == nil {
			t.Error("attached to nothing")
		}
	})
}
