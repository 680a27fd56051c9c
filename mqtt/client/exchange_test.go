package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestPublishWaitsForItsAcknowledgement(t *testing.T) {
	for _, tt := range []struct {
		name   string
		m      Message
		script []string // client, server, client, …
	}{
		{"QoS 0: written is done", Message{Topic: "t", Payload: []byte("x")},
			[]string{published(0x30, "t", 0, "x")}},
		{"QoS 1: PUBACK [MQTT3 §4.3.2]", Message{Topic: "t", Payload: []byte("x"), QoS: 1, Retain: true},
			[]string{published(0x33, "t", 1, "x"), "\x40\x02\x00\x01"}},
		{"QoS 2: PUBREC, PUBREL, PUBCOMP [MQTT3 §4.3.3]", Message{Topic: "t", QoS: 2},
			[]string{published(0x34, "t", 1, ""), "\x50\x02\x00\x01", "\x62\x02\x00\x01", "\x70\x02\x00\x01"}},
		{"an answer to nothing means nothing", Message{Topic: "t", QoS: 1},
			[]string{published(0x32, "t", 1, ""), "\x40\x02\x00\x07\x90\x03\x00\x01\x00\x40\x02\x00\x01"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c, _ := f.start(Options{})
				f.welcome(accepted)
				done := async(func() error { return c.Publish(t.Context(), tt.m) })
				for i, s := range tt.script {
					if i%2 == 0 {
						f.want(s)
						continue
					}
					synctest.Wait()
					if len(done) > 0 {
						t.Fatalf("Publish = %v before its acknowledgement", <-done)
					}
					f.send(s)
				}
				if err := <-done; err != nil {
					t.Errorf("Publish = %v", err)
				}
			})
		})
	}
}

func TestPublishFailures(t *testing.T) {
	v5 := func(properties string) string {
		return "\x20" + string([]byte{byte(3 + len(properties))}) + "\x00\x00" + string([]byte{byte(len(properties))}) + properties
	}
	for _, tt := range []struct {
		name    string
		connack string
		m       Message
		answer  string // "" if nothing must be sent
		want    error
	}{
		{"5.0 PUBACK refuses [MQTT5 §3.4.2.1]", v5(""), Message{Topic: "t", QoS: 1}, "\x40\x03\x00\x01\x87", mqtt.NotAuthorized},
		{"5.0 PUBREC refuses [MQTT5-4.3.3-4]", v5(""), Message{Topic: "t", QoS: 2}, "\x50\x03\x00\x01\x97", mqtt.QuotaExceeded},
		{"server takes no QoS 2 [MQTT5-3.2.2-11]", v5("\x24\x01"), Message{Topic: "t", QoS: 2}, "", mqtt.QoSNotSupported},
		{"server retains nothing [MQTT5-3.2.2-14]", v5("\x25\x00"), Message{Topic: "t", Retain: true}, "", mqtt.RetainNotSupported},
		{"larger than the server takes [MQTT5-3.2.2-15]", v5("\x27\x00\x00\x00\x08"), Message{Topic: "t", QoS: 1, Payload: []byte("long")}, "", mqtt.PacketTooLarge},
		{"wildcard in a topic name [MQTT5-3.3.2-2]", v5(""), Message{Topic: "t/#"}, "", mqtt.TopicNameInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c, _ := f.start(Options{Version: mqtt.V5})
				f.welcome(tt.connack)
				done := async(func() error { return c.Publish(t.Context(), tt.m) })
				if tt.answer != "" {
					var head [2]byte
					f.read(head[:])
					f.read(make([]byte, head[1]))
					f.send(tt.answer)
				} else {
					f.wantSilence()
				}
				if err := <-done; !errors.Is(err, tt.want) {
					t.Errorf("Publish = %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestUnacknowledgedIsSentAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		version mqtt.Version
		qos     mqtt.QoS
		before  []string // client, server, …: until the connection breaks
		connack string
		after   []string
	}{
		{"QoS 1 with DUP and the same identifier [MQTT3-3.3.1-1]", mqtt.V311, 1,
			[]string{published(0x32, "t", 1, "x")}, resumed,
			[]string{published(0x3A, "t", 1, "x"), "\x40\x02\x00\x01"}},
		{"QoS 1 when the server forgot the session", mqtt.V311, 1,
			[]string{published(0x32, "t", 1, "x")}, accepted,
			[]string{published(0x3A, "t", 1, "x"), "\x40\x02\x00\x01"}},
		{"QoS 2 before PUBREC", mqtt.V311, 2,
			[]string{published(0x34, "t", 1, "x")}, resumed,
			[]string{published(0x3C, "t", 1, "x"), "\x50\x02\x00\x01", "\x62\x02\x00\x01", "\x70\x02\x00\x01"}},
		{"QoS 2 after PUBREC: PUBREL [MQTT3-4.4.0-1]", mqtt.V311, 2,
			[]string{published(0x34, "t", 1, "x"), "\x50\x02\x00\x01", "\x62\x02\x00\x01"}, resumed,
			[]string{"\x62\x02\x00\x01", "\x70\x02\x00\x01"}},
		{"QoS 2 after PUBREC, 3.1, which has no session present flag", mqtt.V31, 2,
			[]string{published(0x34, "t", 1, "x"), "\x50\x02\x00\x01", "\x62\x02\x00\x01"}, accepted,
			[]string{"\x62\x02\x00\x01", "\x70\x02\x00\x01"}},
		{"QoS 2 after PUBREC, session forgotten: the server has it", mqtt.V311, 2,
			[]string{published(0x34, "t", 1, "x"), "\x50\x02\x00\x01", "\x62\x02\x00\x01"}, accepted, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c, _ := f.start(Options{KeepSession: true, Version: tt.version})
				f.welcome(accepted)
				done := async(func() error {
					return c.Publish(t.Context(), Message{Topic: "t", Payload: []byte("x"), QoS: tt.qos})
				})
				play := func(script []string) {
					for i, s := range script {
						if i%2 == 0 {
							f.want(s)
						} else {
							f.send(s)
						}
					}
				}
				play(tt.before)
				f.conn.Close()
				f.welcome(tt.connack)
				play(tt.after)
				if err := <-done; err != nil {
					t.Errorf("Publish = %v", err)
				}
			})
		})
	}
}

func TestReceiveMaximumOfTheServerIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{Version: mqtt.V5})
		f.welcome("\x20\x06\x00\x00\x03\x21\x00\x01") // Receive Maximum 1 [MQTT5 §3.2.2.3.3]
		first := async(func() error { return c.Publish(t.Context(), Message{Topic: "a", QoS: 1}) })
		f.want("\x32\x06" + str("a") + "\x00\x01\x00")
		second := async(func() error { return c.Publish(t.Context(), Message{Topic: "b", QoS: 1}) })
		f.wantSilence()
		f.send("\x40\x02\x00\x01")
		f.want("\x32\x06" + str("b") + "\x00\x02\x00")
		f.send("\x40\x02\x00\x02")
		if err := errors.Join(<-first, <-second); err != nil {
			t.Error(err)
		}
	})
}

func TestFullQueueMakesPublishWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{MaxQueue: 1})
		f.welcome(accepted)
		first := async(func() error { return c.Publish(t.Context(), Message{Topic: "a", QoS: 1}) })
		f.want(published(0x32, "a", 1, ""))

		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Publish(short, Message{Topic: "b", QoS: 1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Publish with a full queue = %v, want its deadline", err)
		}
		third := async(func() error { return c.Publish(t.Context(), Message{Topic: "c"}) })
		f.wantSilence()
		f.send("\x40\x02\x00\x01")
		f.want(published(0x30, "c", 0, ""))
		if err := errors.Join(<-first, <-third); err != nil {
			t.Error(err)
		}
	})
}

func TestPublishWhileAwayWaitsOrIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{})
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Publish(short, Message{Topic: "gone"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Publish = %v, want its deadline", err)
		}
		done := async(func() error { return c.Publish(t.Context(), Message{Topic: "kept"}) })
		synctest.Wait()
		f.welcome(accepted)
		f.want(published(0x30, "kept", 0, ""))
		if err := <-done; err != nil {
			t.Error(err)
		}
		f.wantSilence()
	})
}

// TestOrderIsKept also when messages are sent again [MQTT3-4.6.0-1]
// [MQTT5-4.6.0-1].
func TestOrderIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{})
		var all []<-chan error
		for i := range 5 { // queued one after another while away
			all = append(all, async(func() error {
				return c.Publish(t.Context(), Message{Topic: fmt.Sprint(i), QoS: 1})
			}))
			synctest.Wait()
		}
		f.welcome(accepted)
		for i := range 5 {
			f.want(published(0x32, fmt.Sprint(i), byte(i+1), ""))
		}
		f.conn.Close()
		f.welcome(resumed)
		for i := range 5 {
			f.want(published(0x3A, fmt.Sprint(i), byte(i+1), ""))
			f.send("\x40\x02\x00" + string([]byte{byte(i + 1)}))
		}
		for _, done := range all {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestSubscribeAndHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var got []string
		note := func(who string) Handler {
			return func(_ context.Context, m Message) {
				got = append(got, fmt.Sprintf("%s %s %s q%d", who, m.Topic, m.Payload, m.QoS))
			}
		}
		c, _ := f.start(Options{OnMessage: note("default")})
		f.welcome(accepted)
		type answer struct {
			reasons []mqtt.ReasonCode
			err     error
		}
		done := make(chan answer, 1)
		go func() {
			r, err := c.Subscribe(t.Context(), note("a"), packet.Subscription{Filter: "a/#", QoS: 1}, packet.Subscription{Filter: "no"})
			done <- answer{r, err}
		}()
		f.want("\x82\x0D\x00\x01" + str("a/#") + "\x01" + str("no") + "\x00")
		f.send(published(0x31, "a/1", 0, "early")) // retained messages may overtake the SUBACK
		f.send("\x90\x04\x00\x01\x01\x80")
		if a := <-done; a.err != nil || !slices.Equal(a.reasons, []mqtt.ReasonCode{1, 0x80}) {
			t.Errorf("Subscribe = %v, want [1 0x80]", a)
		}
		f.send(published(0x32, "a/2", 9, "x"))
		f.want("\x40\x02\x00\x09")
		f.send(published(0x30, "b", 0, "y"))
		unsubscribed := async(func() error { return c.Unsubscribe(t.Context(), "a/#") })
		f.want("\xA2\x07\x00\x02" + str("a/#"))
		f.send("\xB0\x02\x00\x02")
		if err := <-unsubscribed; err != nil {
			t.Error(err)
		}
		f.send(published(0x30, "a/3", 0, "late"))
		synctest.Wait()
		want := []string{"a a/1 early q0", "a a/2 x q1", "default b y q0", "default a/3 late q0"}
		if !slices.Equal(got, want) {
			t.Errorf("handlers got %q, want %q", got, want)
		}
	})
}

func TestSubscriptionRefusedAltogetherIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{Version: mqtt.V5})
		f.welcome("\x20\x03\x00\x00\x00")
		done := async(func() error {
			_, err := c.Subscribe(t.Context(), nil, packet.Subscription{Filter: "x"})
			return err
		})
		f.want("\x82\x07\x00\x01\x00" + str("x") + "\x00")
		f.send("\x90\x04\x00\x01\x00\x87")
		if err := <-done; !errors.Is(err, mqtt.NotAuthorized) {
			t.Errorf("Subscribe = %v, want NotAuthorized", err)
		}
	})
}

func TestResubscription(t *testing.T) {
	for _, tt := range []struct {
		name, connack string
		again         bool
	}{
		{"made again when the server has no session", accepted, true},
		{"left alone when it has [MQTT3 §3.2.2.2]", resumed, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c, _ := f.start(Options{KeepSession: true})
				f.welcome(accepted)
				for i := range 9 {
					done := async(func() error {
						_, err := c.Subscribe(t.Context(), nil, packet.Subscription{Filter: fmt.Sprint(i)})
						return err
					})
					f.want("\x82\x06\x00" + string([]byte{byte(i + 1)}) + str(fmt.Sprint(i)) + "\x00")
					f.send("\x90\x03\x00" + string([]byte{byte(i + 1), 0}))
					if err := <-done; err != nil {
						t.Fatal(err)
					}
				}
				f.conn.Close()
				f.welcome(tt.connack)
				if tt.again { // eight filters, then the ninth
					eight := ""
					for i := range 8 {
						eight += str(fmt.Sprint(i)) + "\x00"
					}
					f.want("\x82\x22\x00\x0A" + eight)
					f.want("\x82\x06\x00\x0B" + str("8") + "\x00")
					f.send("\x90\x0A\x00\x0A\x00\x00\x00\x00\x00\x00\x00\x00")
					f.send("\x90\x03\x00\x0B\x00")
				}
				f.wantSilence()
			})
		})
	}
}

func TestMessageIsAcknowledgedAfterItsHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		hold := make(chan struct{})
		f.start(Options{OnMessage: func(context.Context, Message) { <-hold }})
		f.welcome(accepted)
		f.send(published(0x32, "t", 5, ""))
		f.wantSilence()
		close(hold)
		f.want("\x40\x02\x00\x05")
	})
}

func TestHandlerMayPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var c *Client
		failed := make(chan error, 1)
		c, _ = f.start(Options{OnMessage: func(ctx context.Context, m Message) {
			failed <- c.Publish(ctx, Message{Topic: "reply", QoS: 1})
		}})
		f.welcome(accepted)
		f.send(published(0x30, "ask", 0, ""))
		f.want(published(0x32, "reply", 1, ""))
		f.send("\x40\x02\x00\x01")
		if err := <-failed; err != nil {
			t.Errorf("Publish inside a handler = %v", err)
		}
	})
}

func TestExactlyOnceIsDeliveredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		got := 0
		f.start(Options{KeepSession: true, OnMessage: func(context.Context, Message) { got++ }})
		f.welcome(accepted)
		f.send(published(0x34, "t", 3, "x"))
		f.want("\x50\x02\x00\x03")
		f.conn.Close()
		f.welcome(resumed)
		f.send(published(0x3C, "t", 3, "x")) // our PUBREC was lost
		f.want("\x50\x02\x00\x03")
		f.send("\x62\x02\x00\x03")
		f.want("\x70\x02\x00\x03")
		f.send(published(0x34, "t", 3, "y")) // the identifier is free again
		f.want("\x50\x02\x00\x03")
		synctest.Wait()
		if got != 2 {
			t.Errorf("delivered %d times, want 2", got)
		}
	})
}
