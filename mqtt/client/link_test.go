package client

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

func TestKeepAlive(t *testing.T) {
	for _, tt := range []struct {
		name    string
		o       Options
		connack string
		every   time.Duration
	}{
		{"after 60 s of silence by default [MQTT3-3.1.2-23]", Options{}, accepted, 60 * time.Second},
		{"as asked", Options{KeepAlive: 30 * time.Second}, accepted, 30 * time.Second},
		{"as the server wants, 5.0 [MQTT5-3.1.2-20] [MQTT5-3.1.2-21] [MQTT5-3.2.2-21]", Options{Version: mqtt.V5}, "\x20\x06\x00\x00\x03\x13\x00\x05", 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				lost := make(chan error, 1)
				tt.o.OnDisconnect = func(_ context.Context, err error) { lost <- err }
				f.start(tt.o)
				f.welcome(tt.connack)
				for range 2 {
					before := time.Now()
					f.want("\xC0\x00")
					if d := time.Since(before); d != tt.every {
						t.Errorf("PINGREQ after %v, want %v", d, tt.every)
					}
					f.send("\xD0\x00")
				}
				f.want("\xC0\x00")
				before := time.Now()
				f.accept() // no answer: the client comes back
				if d, most := time.Since(before), max(tt.every/2, minPingGrace); d < most || d > most+farewell+DefaultMinBackoff {
					t.Errorf("gave up on a dead connection after %v, want %v", d, most)
				}
				if err := <-lost; !errors.Is(err, errKeepAlive) {
					t.Errorf("OnDisconnect got %v, want %v", err, errKeepAlive)
				}
			})
		})
	}
}

func TestPublishingPutsOffThePing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{})
		f.welcome(accepted)
		time.Sleep(50 * time.Second) // fake time
		done := async(func() error { return c.Publish(t.Context(), Message{Topic: "t", QoS: 1}) })
		f.want(published(0x32, "t", 1, ""))
		f.send("\x40\x02\x00\x01")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		f.want("\xC0\x00")
		if d := time.Since(before); d != 60*time.Second {
			t.Errorf("PINGREQ %v after the last packet, want 60s", d)
		}
	})
}

func TestKeepAliveOffMeansNoPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.start(Options{KeepAlive: -1})
		f.welcome(accepted)
		time.Sleep(24 * time.Hour) // fake time
		f.wantSilence()
	})
}

// TestEndIsOrderly: after DISCONNECT nothing more comes [MQTT3-3.14.4-2], and the
// connection is closed [MQTT3-3.14.4-1].
func TestEndIsOrderly(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(c *Client, stop func() error) error
	}{
		{"Disconnect", func(c *Client, _ func() error) error { return c.Disconnect(context.Background()) }},
		{"end of the context", func(_ *Client, stop func() error) error { return stop() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c, stop := f.start(Options{})
				f.welcome(accepted)
				unacknowledged := async(func() error { return c.Publish(t.Context(), Message{Topic: "t", QoS: 1}) })
				f.want(published(0x32, "t", 1, ""))
				ended := async(func() error { return tt.end(c, stop) })
				f.wantBye()
				if err := <-ended; err != nil {
					t.Errorf("end = %v", err)
				}
				if err := <-unacknowledged; !errors.Is(err, ErrStopped) {
					t.Errorf("Publish = %v, want ErrStopped", err)
				}
				if c.Connected() {
					t.Error("still connected")
				}
				stop()
			})
		})
	}
}

func TestDisconnectLetsTheHandlerFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		got := 0
		c, _ := f.start(Options{OnMessage: func(ctx context.Context, _ Message) { got++; <-ctx.Done() }})
		f.welcome(accepted)
		f.send(published(0x32, "t", 1, ""))
		f.send(published(0x32, "t", 2, ""))
		synctest.Wait()
		done := async(func() error { return c.Disconnect(t.Context()) })
		f.want("\x40\x02\x00\x01") // the second stays unacknowledged: the server keeps it
		f.wantBye()
		if err := <-done; err != nil || got != 1 {
			t.Errorf("Disconnect = %v after %d messages, want nil after 1", err, got)
		}
	})
}

func TestServerThatDoesNotReadCannotHoldTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		_, stop := f.start(Options{})
		f.welcome(accepted)
		synctest.Wait()
		before := time.Now()
		if err := stop(); err != nil { // nobody reads our DISCONNECT
			t.Error(err)
		}
		if d := time.Since(before); d != farewell {
			t.Errorf("the end took %v, want %v", d, farewell)
		}
	})
}

func TestDisconnectOfTheServerIsTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		lost := make(chan error, 1)
		f.start(Options{Version: mqtt.V5, OnDisconnect: func(_ context.Context, err error) { lost <- err }})
		f.welcome("\x20\x03\x00\x00\x00")
		f.send("\xE0\x07\x8E\x05\x1F" + str("by")) // Session taken over [MQTT5 §3.14.2.1]
		var d *Disconnected
		if err := <-lost; !errors.As(err, &d) || d.Reason != mqtt.SessionTakenOver || d.ReasonString != "by" {
			t.Errorf("OnDisconnect got %v", err)
		}
		f.wantEnd()
	})
}

// TestServerThatHangsUp is told in words; it is io.EOF all the same.
func TestServerThatHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		lost := make(chan error, 1)
		f.start(Options{OnDisconnect: func(_ context.Context, err error) { lost <- err }})
		f.welcome("\x20\x02\x00\x00")
		f.conn.Close()
		if err := <-lost; !errors.Is(err, io.EOF) || err.Error() != "the server closed the connection" {
			t.Errorf("OnDisconnect got %v", err)
		}
	})
}

func TestFaultsOfTheServerEndTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent string
		want mqtt.ReasonCode
	}{
		{"QoS 3 [MQTT5-3.3.1-4]", "\x36\x06" + str("t") + "\x00\x01\x00", mqtt.MalformedPacket},
		{"packet of the other side [MQTT5 §2.1.2]", "\xC0\x00", mqtt.ProtocolError},
		{"second CONNACK [MQTT5 §3.2]", "\x20\x03\x00\x00\x00", mqtt.ProtocolError},
		{"topic alias that was not offered [MQTT5-3.1.2-26]", "\x30\x06\x00\x00\x03\x23\x00\x01", mqtt.TopicAliasInvalid},
		{"larger than we take [MQTT5-3.1.2-24]", "\x30\xFF\x7F", mqtt.PacketTooLarge},
		{"too many for our Receive Maximum [MQTT5-3.3.4-7]",
			"\x34\x06" + str("t") + "\x00\x01\x00" + "\x34\x06" + str("t") + "\x00\x02\x00", mqtt.ReceiveMaximumExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				one := uint16(1)
				f.start(Options{Version: mqtt.V5, MaxPacketSize: 1024,
					Properties: &packet.Properties{ReceiveMaximum: &one},
					OnMessage:  func(ctx context.Context, _ Message) { <-ctx.Done() }})
				f.welcome("\x20\x03\x00\x00\x00")
				f.send(tt.sent)
				f.want("\xE0\x01" + string([]byte{byte(tt.want)}))
				f.wantEnd()
			})
		})
	}
}

func TestSlowHandlerHoldsTheServerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		hold, got := make(chan struct{}), 0
		f.start(Options{OnMessage: func(context.Context, Message) { <-hold; got++ }})
		f.welcome(accepted)
		const many = maxInbox + 100
		sent := 0
		done := async(func() error {
			for range many {
				f.send(published(0x30, "t", 0, string(make([]byte, 100))))
				sent++
			}
			return nil
		})
		synctest.Wait()
		if sent >= many {
			t.Error("the client takes any number of messages")
		}
		close(hold)
		<-done
		synctest.Wait()
		if got != many {
			t.Errorf("%d messages arrived of %d", got, many)
		}
	})
}
