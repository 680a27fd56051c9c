package client

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/mqtt"
)

// TestEveryMessageIsAcknowledged, also one that nobody handles
// [MQTT3-4.5.0-2] [MQTT5-4.5.0-2], in the order of receipt: PUBACK
// [MQTT3-4.6.0-2] [MQTT5-4.6.0-2] and PUBREC [MQTT3-4.6.0-3] [MQTT5-4.6.0-3].
func TestEveryMessageIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.start(Options{})
		f.welcome(accepted)
		f.send(published(0x32, "t", 3, "") + published(0x34, "t", 2, "") + published(0x32, "t", 1, "") + published(0x34, "t", 9, ""))
		f.want("\x40\x02\x00\x03" + "\x50\x02\x00\x02" + "\x40\x02\x00\x01" + "\x50\x02\x00\x09")
	})
}

// TestReleaseInTheOrderOfPubrec [MQTT3-4.6.0-4] [MQTT5-4.6.0-4].
func TestReleaseInTheOrderOfPubrec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{})
		f.welcome(accepted)
		var done []<-chan error
		for i := range 3 {
			done = append(done, async(func() error { return c.Publish(t.Context(), Message{Topic: "t", QoS: 2}) }))
			f.want(published(0x34, "t", byte(i+1), ""))
		}
		f.send("\x50\x02\x00\x02" + "\x50\x02\x00\x03" + "\x50\x02\x00\x01")
		f.want("\x62\x02\x00\x02" + "\x62\x02\x00\x03" + "\x62\x02\x00\x01")
		f.send("\x70\x02\x00\x02" + "\x70\x02\x00\x03" + "\x70\x02\x00\x01")
		for _, d := range done {
			if err := <-d; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestFullWindowDelaysOnlyMessages: acknowledgements go out although no further
// PUBLISH may [MQTT5-3.3.4-8].
func TestFullWindowDelaysOnlyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c, _ := f.start(Options{Version: mqtt.V5, OnMessage: func(context.Context, Message) {}})
		f.welcome("\x20\x06\x00\x00\x03\x21\x00\x01") // Receive Maximum 1
		first := async(func() error { return c.Publish(t.Context(), Message{Topic: "a", QoS: 1}) })
		f.want("\x32\x06" + str("a") + "\x00\x01\x00")
		second := async(func() error { return c.Publish(t.Context(), Message{Topic: "b", QoS: 1}) })
		f.send("\x34\x06" + str("t") + "\x00\x07\x00")
		f.want("\x50\x02\x00\x07")
		f.send("\x62\x02\x00\x07")
		f.want("\x70\x02\x00\x07")
		f.wantSilence()
		f.send("\x40\x02\x00\x01")
		f.want("\x32\x06" + str("b") + "\x00\x02\x00")
		f.send("\x40\x02\x00\x02")
		if err := <-first; err != nil {
			t.Error(err)
		}
		if err := <-second; err != nil {
			t.Error(err)
		}
	})
}
