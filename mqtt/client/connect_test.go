package client

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestConnectIsWrittenAsTheVersionSays(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"3.1.1 by default, clean session, 60 s [MQTT3 §3.1]", Options{ClientID: "lamp"},
			"\x10\x10" + str("MQTT") + "\x04\x02\x00\x3C" + str("lamp")},
		{"3.1 has its own name [MQTT3.1 §3.1]", Options{ClientID: "lamp", Version: mqtt.V31},
			"\x10\x12" + str("MQIsdp") + "\x03\x02\x00\x3C" + str("lamp")},
		{"user name, password, kept session, keep-alive off", Options{
			ClientID: "l", Username: "u", Password: []byte("p"), KeepSession: true, KeepAlive: -1},
			"\x10\x13" + str("MQTT") + "\x04\xC0\x00\x00" + str("l") + str("u") + str("p")},
		{"will [MQTT3 §3.1.2.5]", Options{ClientID: "l", Will: &packet.Will{Topic: "t", Payload: []byte("x"), QoS: 1, Retain: true}},
			"\x10\x13" + str("MQTT") + "\x04\x2E\x00\x3C" + str("l") + str("t") + str("x")},
		{"5.0 announces its packet limit [MQTT5 §3.1.2.11.4]", Options{ClientID: "l", Version: mqtt.V5, MaxPacketSize: 1024},
			"\x10\x13" + str("MQTT") + "\x05\x02\x00\x3C" + "\x05\x27\x00\x00\x04\x00" + str("l")},
		{"Prepare has the last word", Options{ClientID: "l", Prepare: func(c *packet.Connect) error { c.ClientID = "m"; return nil }},
			"\x10\x0D" + str("MQTT") + "\x04\x02\x00\x3C" + str("m")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				_, stop := f.start(tt.o)
				f.accept()
				f.want(tt.want)
				if tt.o.Version == mqtt.V5 {
					f.send("\x20\x03\x00\x00\x00")
				} else {
					f.send(accepted)
				}
				synctest.Wait()
				bye := async(func() error { f.wantBye(); return nil })
				if err := stop(); err != nil {
					t.Errorf("Run = %v, want nil", err)
				}
				<-bye
			})
		})
	}
}

func TestRefusalIsTyped(t *testing.T) {
	for _, tt := range []struct {
		name    string
		version mqtt.Version
		connack string
		want    Refused
		says    string
	}{
		{"3.1.1 code 4 [MQTT3 §3.2.2.3]", mqtt.V311, "\x20\x02\x00\x04",
			Refused{Version: mqtt.V311, Reason: mqtt.BadUserNameOrPassword, ReturnCode: 4}, "user name or password is wrong"},
		{"3.1.1 code 5", mqtt.V311, "\x20\x02\x00\x05",
			Refused{Version: mqtt.V311, Reason: mqtt.NotAuthorized, ReturnCode: 5}, "may not connect"},
		{"5.0 with a reason string [MQTT5 §3.2.2.3.9]", mqtt.V5, "\x20\x08\x00\x86\x05\x1F" + str("no"),
			Refused{Version: mqtt.V5, Reason: mqtt.BadUserNameOrPassword, ReturnCode: 0x86, ReasonString: "no"}, "(no)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c, stop := f.start(Options{Version: tt.version, GiveUp: func(error) bool { return true }})
				waiting := async(func() error { return c.Publish(t.Context(), Message{Topic: "t"}) })
				f.welcome(tt.connack)
				for who, err := range map[string]error{"Publish": <-waiting, "Run": stop()} {
					var r *Refused
					if !errors.As(err, &r) || *r != tt.want || !errors.Is(err, tt.want.Reason) {
						t.Errorf("%s = %v, want %+v", who, err, tt.want)
					}
					if !isIn(err.Error(), tt.says) {
						t.Errorf("%s = %q, does not say %q", who, err, tt.says)
					}
				}
				if err := c.Publish(t.Context(), Message{Topic: "t"}); !errors.Is(err, ErrStopped) {
					t.Errorf("Publish after the end = %v, want ErrStopped", err)
				}
			})
		})
	}
}

func TestAttemptThatFailsSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve func(f *fake)
		says  string
	}{
		{"server hangs up", func(f *fake) { f.conn.Close() }, "without a CONNACK"},
		{"server says nothing", func(*fake) {}, "no CONNACK within 15s"},
		{"server answers with another packet", func(f *fake) { f.send("\xD0\x00") }, "answered CONNECT with PINGRESP"},
		{"server is no MQTT server", func(f *fake) { f.send("HTTP/1.1 400 Bad Request\r\n") }, "answered in HTTP"},
		{"server wants TLS", func(f *fake) { f.send("\x15\x03\x03\x00\x02\x02\x46") }, "answered in TLS"},
		{"server says nonsense", func(f *fake) { f.send("\x4F\xFF\xFF\xFF\xFF\xFF") }, "mqtt: bad PUBACK"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				_, stop := f.start(Options{GiveUp: func(error) bool { return true }})
				f.accept()
				f.read(make([]byte, 14))
				tt.serve(f)
				time.Sleep(DefaultConnectTimeout) // fake time: let the attempt time out
				synctest.Wait()
				if err := stop(); err == nil || !isIn(err.Error(), tt.says) {
					t.Errorf("Run = %v, want it to say %q", err, tt.says)
				}
				f.conn.Close()
			})
		})
	}
}

func TestReconnectWaitsExponentiallyWithinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		c := New(Options{
			Dial: func(context.Context) (net.Conn, error) {
				at = append(at, time.Now())
				return nil, io.ErrClosedPipe
			},
			MinBackoff: time.Second, MaxBackoff: 8 * time.Second,
			GiveUp: func(error) bool { return len(at) == 40 },
		})
		if err := c.Run(t.Context()); !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("Run = %v", err)
		}
		var longest time.Duration
		for i := 1; i < len(at); i++ {
			wait, bound := at[i].Sub(at[i-1]), min(8*time.Second, time.Second<<min(i-1, 10))
			longest = max(longest, wait)
			if wait >= bound {
				t.Errorf("wait %d is %v, want below %v", i, wait, bound)
			}
		}
		// Full jitter over 36 waits below 8 s: all below 2 s has odds of 4^-36.
		if longest < 2*time.Second {
			t.Errorf("the longest of %d waits is %v: it does not grow", len(at)-1, longest)
		}
	})
}

func TestSteadyBackoffWaitsForTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		last := time.Now()
		c := New(Options{
			Dial: func(context.Context) (net.Conn, error) {
				waits, last = append(waits, time.Since(last)), time.Now()
				return nil, io.ErrClosedPipe
			},
			MinBackoff: time.Second, MaxBackoff: 3 * time.Second, SteadyBackoff: true,
			GiveUp: func(error) bool { return len(waits) == 5 },
		})
		c.Run(t.Context())
		if want := []time.Duration{0, 1e9, 2e9, 3e9, 3e9}; !slices.Equal(waits, want) {
			t.Errorf("waited %v, want %v", waits, want)
		}
	})
}

func TestBackoffStartsAnewAfterAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		_, stop := f.start(Options{MinBackoff: time.Second, MaxBackoff: time.Hour})
		for range 12 { // without starting anew the bound would be more than half an hour
			f.welcome(accepted)
			f.conn.Close()
			before := time.Now()
			f.accept()
			if d := time.Since(before); d >= time.Second {
				t.Errorf("reconnected after %v, want below 1s", d)
			}
			f.conn.Close()
		}
		stop()
	})
}

func TestRunEndsOnce(t *testing.T) {
	c := New(Options{Dial: func(context.Context) (net.Conn, error) { return nil, io.EOF }})
	if err := c.Disconnect(t.Context()); err != nil {
		t.Errorf("Disconnect before Run = %v", err)
	}
	if err := c.Run(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("Run after Disconnect = %v, want ErrStopped", err)
	}
}

func TestDialURLRefusesWhatItCannotDial(t *testing.T) {
	for _, tt := range []struct{ address, says string }{
		{"http://host", "scheme"},
		{"host:1883", "scheme"},
		{"mqtt://", "names no host"},
		{"mqtt://u:secret@host", "user name"},
		{"mqtt://host:port", "port"},
	} {
		_, err := DialURL(tt.address, nil)
		if err == nil || !isIn(err.Error(), tt.says) || isIn(err.Error(), "secret") {
			t.Errorf("DialURL(%q) = %v, want it to say %q", tt.address, err, tt.says)
		}
	}
}

func TestDialURLSpeaksTLSToTheNamedHost(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	name := make(chan string, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		tls.Server(conn, &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			name <- h.ServerName
			return nil, errors.New("no certificate")
		}}).Handshake()
	}()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	dial, err := DialURL("mqtts://localhost:"+port, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t.Context()); err == nil || !isIn(err.Error(), "tls with localhost") {
		t.Errorf("dial = %v, want a TLS error", err)
	}
	if got := <-name; got != "localhost" {
		t.Errorf("server name %q, want localhost", got)
	}
}
