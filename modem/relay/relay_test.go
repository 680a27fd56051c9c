package relay_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/relay"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// TestConversation has every packet that a client may say, to the byte, and
// what the module is told.
func TestConversation(t *testing.T) {
	f := &fake{granted: 1}
	onFake(t, f, func(s *side) {
		s.says(hello, welcome)
		s.says("\x30\x06\x00\x01tabc", "")                                               // QoS 0
		s.says("\x33\x08\x00\x01t\x00\x07abc", "\x40\x02\x00\x07")                       // QoS 1, retained
		s.says("\x34\x08\x00\x01t\x00\x08abc", "\x50\x02\x00\x08")                       // QoS 2
		s.says("\x62\x02\x00\x08", "\x70\x02\x00\x08")                                   // PUBREL
		s.says("\x82\x0a\x00\x09\x00\x01a\x00\x00\x01b\x02", "\x90\x04\x00\x09\x00\x01") // QoS 0 and 2; granted 0 and 1
		s.says("\xa2\x08\x00\x0a\x00\x01a\x00\x01b", "\xb0\x02\x00\x0a")                 // UNSUBSCRIBE
		s.says("\xc0\x00", "\xd0\x00")                                                   // PINGREQ
		s.says("\x40\x02\x00\x01", "")                                                   // of nothing
		go f.receive(modem.Message{Topic: "x", Payload: []byte("hi\x00")})
		s.hears("\x30\x06\x00\x01xhi\x00")
		s.says("\xe0\x00", "")
		if err := s.ends(); err == nil {
			s.Error("it goes on after DISCONNECT")
		}
		s.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		slices.Sort(f.told[7:9]) // the ping is asked beside everything else
		want := []string{"connect c", `publish t "abc" 0 false`, `publish t "abc" 1 true`, `publish t "abc" 2 false`,
			"subscribe a 0", "subscribe b 2", "unsubscribe a", "signal", "unsubscribe b", "close"}
		if !slices.Equal(f.told, want) {
			s.Errorf("the module was told\n%s\nwant\n%s", strings.Join(f.told, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestLogin: all that CONNECT can say gets to the module.
func TestLogin(t *testing.T) {
	f := &fake{}
	onFake(t, f, func(s *side) {
		b, err := (&packet.Connect{
			Version: mqtt.V311, ClientID: "dev1", HasUsername: true, Username: "user", HasPassword: true, Password: []byte("secret"),
			KeepAlive: 90, Will: &packet.Will{Topic: "w", Payload: []byte("gone"), QoS: 1, Retain: true},
		}).Append(nil, mqtt.V311)
		if err != nil {
			s.Fatal(err)
		}
		s.says(string(b), welcome)
		l := f.login
		w := l.Will
		l.Will = nil
		if want := (modem.Login{Host: "broker.test", Port: 1883, ClientID: "dev1", Username: "user", Password: "secret",
			KeepAlive: 90 * time.Second, KeepSession: true}); l != want {
			s.Errorf("login %+v", l)
		}
		if w == nil || w.Topic != "w" || string(w.Payload) != "gone" || w.QoS != 1 || !w.Retain {
			s.Errorf("will %+v", w)
		}
	})
}

// TestRefusedLogin: what the broker said is said again, and why on top.
func TestRefusedLogin(t *testing.T) {
	for code := 1; code <= 6; code++ {
		f := &fake{connect: func(context.Context, modem.Login) error {
			return fmt.Errorf("log in: %w", &modem.LoginError{Code: code})
		}}
		onFake(t, f, func(s *side) {
			want := "\x20\x02\x00" + string(rune(code))
			if code > 5 {
				want = "" // 3.1.1 has no such code
			}
			s.says(hello, want)
			if e, ok := errors.AsType[*modem.LoginError](s.ends()); !ok || e.Code != code {
				s.Errorf("code %d: the connection ended with %v", code, e)
			}
		})
	}
}

// TestEnds: whatever ends a connection is what reading it says.
func TestEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name, says string
		fails      error // of what the module is told next
		want       string
	}{
		{"MQTT 5", "\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c", nil, "speaks MQTT 3.1.1 only"},
		{"MQTT 3.1", "\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01c", nil, "speaks MQTT 3.1.1 only"},
		{"no client identifier", "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", nil, "give one"},
		{"no CONNECT", "\x30\x03\x00\x01t", nil, "begins with CONNECT"},
		{"PINGREQ first", "\xc0\x00", nil, "begins with CONNECT"},
		{"no packet", "\x00\x00", nil, "reserved"},
		{"too long", "\x30\x80\x80\x10", nil, "262148 bytes, more than 65536"},
		{"the login fails", hello, broken, "broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onFake(t, &fake{connect: func(context.Context, modem.Login) error { return tt.fails }}, func(s *side) {
				s.Write([]byte(tt.says))
				if err := s.ends(); !strings.Contains(err.Error(), tt.want) {
					s.Errorf("ended with %v", err)
				}
				if _, err := s.Write([]byte("\xc0\x00")); err == nil {
					s.Error("it takes more")
				}
			})
		})
	}
	for _, tt := range []struct {
		name, says string
		fails      error
	}{
		{"a message is lost", "\x32\x06\x00\x01t\x00\x07a", modem.ErrLost},
		{"the module is silent", "\x30\x04\x00\x01ta", modem.ErrSilent},
		{"a subscription is lost", "\x82\x06\x00\x09\x00\x01a\x00", fmt.Errorf("%w: %w", modem.ErrLost, modem.ErrRefused)},
		{"no unsubscribing", "\xa2\x05\x00\x0a\x00\x01a", modem.ErrRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{}
			onFake(t, f, func(s *side) {
				s.says(hello, welcome)
				f.fails = func(string) error { return tt.fails }
				s.says(tt.says, "")
				if err := s.ends(); !errors.Is(err, tt.fails) {
					s.Errorf("ended with %v", err)
				}
			})
		})
	}
	t.Run("a second CONNECT", func(t *testing.T) {
		onFake(t, &fake{}, func(s *side) {
			s.says(hello, welcome)
			s.says(hello, "")
			if err := s.ends(); !strings.Contains(err.Error(), "once") {
				s.Errorf("ended with %v", err)
			}
		})
	})
	t.Run("the session", func(t *testing.T) {
		f := &fake{}
		onFake(t, f, func(s *side) {
			s.says(hello, welcome)
			f.lose(modem.ErrRestart)
			if err := s.ends(); !errors.Is(err, modem.ErrRestart) {
				s.Errorf("ended with %v", err)
			}
			if s.Close(); !slices.Contains(f.told, "close") {
				s.Error("the session was not given back")
			}
		})
	})
}

// TestRefusedSubscription: SUBACK says which, and the others stand.
func TestRefusedSubscription(t *testing.T) {
	f := &fake{granted: 1, fails: func(what string) error {
		if strings.HasPrefix(what, "subscribe a") {
			return modem.ErrRefused
		}
		return nil
	}}
	onFake(t, f, func(s *side) {
		s.says(hello, welcome)
		s.says("\x82\x0a\x00\x09\x00\x01a\x00\x00\x01b\x01", "\x90\x04\x00\x09\x80\x01")
	})
}

// TestNoMailBeforeConnack: a session that the broker kept delivers at once.
func TestNoMailBeforeConnack(t *testing.T) {
	f := &fake{}
	f.connect = func(context.Context, modem.Login) error {
		go f.receive(modem.Message{Topic: "x", Payload: []byte("hi")})
		synctest.Wait()
		return nil
	}
	onFake(t, f, func(s *side) { s.says(hello, welcome+"\x30\x05\x00\x01xhi") })
}

// TestCloseEndsALogin: nobody waits for a module whose client has left.
func TestCloseEndsALogin(t *testing.T) {
	f := &fake{connect: func(ctx context.Context, _ modem.Login) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}}
	onFake(t, f, func(s *side) {
		s.says(hello, "")
		s.SetDeadline(time.Now().Add(time.Minute))
		if err := s.ends(); !errors.Is(err, os.ErrDeadlineExceeded) {
			s.Errorf("%v", err)
		}
		began := time.Now()
		if err := s.Close(); err != nil || time.Since(began) > 0 {
			s.Errorf("closed with %v after %v", err, time.Since(began))
		}
	})
}

// TestLoginWaitsForTheOneBefore: what failed before may still be cleared away.
func TestLoginWaitsForTheOneBefore(t *testing.T) {
	began := time.Time{}
	f := &fake{connect: func(context.Context, modem.Login) error {
		if began.IsZero() {
			began = time.Now()
		}
		if time.Since(began) < 10*time.Second {
			return modem.ErrInUse
		}
		return nil
	}}
	onFake(t, f, func(s *side) { s.says(hello, welcome) })
	began = time.Time{}
	f.connect = func(context.Context, modem.Login) error { return modem.ErrInUse }
	onFake(t, f, func(s *side) {
		s.says(hello, "")
		if err := s.ends(); !errors.Is(err, modem.ErrInUse) {
			s.Errorf("ended with %v", err)
		}
	})
}

// TestSilentModule: a PINGREQ is answered at once, and a module that does not
// answer twice ends the connection.
func TestSilentModule(t *testing.T) {
	f := &fake{signal: modem.ErrSilent}
	onFake(t, f, func(s *side) {
		s.says(hello, welcome)
		s.says("\xc0\x00", "\xd0\x00")
		if err := s.ends(); !errors.Is(err, modem.ErrSilent) {
			s.Errorf("ended with %v", err)
		}
	})
	f = &fake{signal: modem.ErrRefused} // an answer all the same
	onFake(t, f, func(s *side) {
		s.says(hello, welcome)
		s.says("\xc0\x00", "\xd0\x00")
		s.says("\xc0\x00", "\xd0\x00")
	})
}

// TestLimits: what the module does not take is not sent.
func TestLimits(t *testing.T) {
	f := &fake{limits: modem.Limits{Topic: 3, Payload: 5, NoEmpty: true, Never: "\r\n"}}
	onFake(t, f, func(s *side) {
		c, ok := s.Conn.(client.Checker)
		if !ok {
			s.Fatal("it is no client.Checker")
		}
		for _, tt := range []struct {
			p    packet.Packet
			want string
		}{
			{&packet.Publish{Topic: []byte("t"), Payload: []byte("12345")}, "<nil>"},
			{&packet.Publish{Topic: []byte("long"), Payload: []byte("1")}, "publish: the module takes a topic of up to 3 bytes, this one has 4: choose a shorter one"},
			{&packet.Publish{Topic: []byte("t"), Payload: []byte("123456")}, "publish: the module sends messages of up to 5 bytes, this one has 6: send less at a time"},
			{&packet.Publish{Topic: []byte("t")}, "publish: the module cannot send an empty message: put something into it"},
			{&packet.Publish{Topic: []byte("t"), Payload: []byte("a\nb")}, "publish: this firmware cannot send the byte 0x0A, which is in the message: encode it, in Base64 for instance"},
			{&packet.Subscribe{Subscriptions: []packet.Subscription{{Filter: "a"}, {Filter: "long"}}}, "subscribe: the module takes a filter of up to 3 bytes, this one has 4: choose a shorter one"},
			{&packet.Unsubscribe{Filters: []string{"long"}}, "<nil>"},
		} {
			if err := c.Check(tt.p); fmt.Sprint(err) != tt.want {
				s.Errorf("%v: %v", tt.p, err)
			}
		}
	})
}

// TestRefusedTwice: a message that the module will not send is given up, and
// those behind it get through.
func TestRefusedTwice(t *testing.T) {
	for _, tt := range []struct {
		err   error
		tries int
	}{{&modem.Error{Command: "AT+X", Err: modem.ErrRefused}, 2}, {errors.Join(errors.ErrUnsupported), 1}} {
		f := &fake{fails: func(what string) error {
			if strings.Contains(what, "bad") {
				return tt.err
			}
			return nil
		}}
		synctest.Test(t, func(t *testing.T) {
			r := relay.New(relay.Options{Host: "broker.test", Port: 1883})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			c := client.New(client.Options{Dial: through(r, f), ClientID: "c"})
			go func() { ended <- c.Run(ctx) }()
			if err := c.Publish(ctx, client.Message{Topic: "t", Payload: []byte("bad"), QoS: 1}); !errors.Is(err, tt.err) || !strings.Contains(err.Error(), "given up") {
				t.Errorf("%v", err)
			}
			if err := c.Publish(ctx, client.Message{Topic: "t", Payload: []byte("good"), QoS: 1}); err != nil {
				t.Error(err)
			}
			cancel()
			<-ended
			if n := strings.Count(strings.Join(f.told, " "), "bad"); n != tt.tries {
				t.Errorf("sent %d times, want %d", n, tt.tries)
			}
		})
	}
}

// TestTheModuleSigns: of a signed login only the client identifier is used,
// without what the module adds itself.
func TestTheModuleSigns(t *testing.T) {
	f := &fake{}
	triple := &aliyun.Triple{ProductKey: "pk", DeviceName: "dn", DeviceSecret: "ds"}
	synctest.Test(t, func(t *testing.T) {
		c := relay.New(relay.Options{Host: "broker.test", Port: 1883, Aliyun: triple}).Conn(f)
		s := &side{t, c, f}
		defer c.Close()
		s.says("\x10\x19\x00\x04MQTT\x04\xc2\x00\x3c\x00\x05c|x=|\x00\x03d&p\x00\x01h", welcome)
	})
	if l := f.login; l.Aliyun != triple || l.ClientID != "c" || l.Username != "" || l.Password != "" {
		t.Errorf("%+v", l)
	}
}

// TestPiecesAreNoMessages: of a message that the module hands over in pieces
// nothing is passed on, and somebody is told.
func TestPiecesAreNoMessages(t *testing.T) {
	f := &fake{}
	var lost []string
	synctest.Test(t, func(t *testing.T) {
		c := relay.New(relay.Options{Host: "broker.test", Port: 1883, Lost: func(topic string, err error) { lost = append(lost, fmt.Sprint(topic, " ", err)) }}).Conn(f)
		s := &side{t, c, f}
		defer c.Close()
		s.says(hello, welcome)
		go func() {
			f.receive(modem.Message{Topic: "t", Payload: []byte("{"), Piece: modem.FirstPiece})
			f.receive(modem.Message{Topic: "t", Payload: []byte("}"), Piece: modem.NextPiece})
			f.receive(modem.Message{Topic: "t", Payload: []byte("x")})
		}()
		s.hears("\x30\x04\x00\x01tx")
	})
	if got, want := fmt.Sprint(lost), fmt.Sprintf("[t %v]", relay.ErrPieces); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzConn says anything; whatever it is, the connection can be closed.
func FuzzConn(f *testing.F) {
	f.Add([]byte(hello + "\x32\x06\x00\x01t\x00\x07a\xe0\x00"))
	f.Add([]byte(hello + "\x82\x06\x00\x09\x00\x01a\x00\xc0\x00"))
	f.Fuzz(func(t *testing.T, said []byte) {
		conn := relay.New(relay.Options{}).Conn(&fake{})
		go conn.Write(said)
		conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		for b := make([]byte, 64); ; {
			if _, err := conn.Read(b); err != nil {
				break
			}
		}
		conn.Close()
	})
}
