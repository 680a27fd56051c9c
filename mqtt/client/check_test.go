package client

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// A picky connection carries nothing about the topic or filter "no".
type picky struct{ net.Conn }

var errPicky = errors.New("not that")

func (picky) Check(p packet.Packet) error {
	switch p := p.(type) {
	case *packet.Publish:
		if string(p.Topic) == "no" {
			return errPicky
		}
	case *packet.Subscribe:
		if p.Subscriptions[0].Filter == "no" {
			return errPicky
		}
	}
	return nil
}

// TestChecker: what the connection cannot carry is not sent, and whoever
// wanted it is told why.
func TestChecker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		c := New(Options{ClientID: "c", Dial: func(ctx context.Context) (net.Conn, error) {
			conn, err := f.dial(ctx)
			return picky{conn}, err
		}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		f.welcome("\x20\x02\x00\x00")
		for qos := range mqtt.ExactlyOnce + 1 {
			if err := c.Publish(ctx, Message{Topic: "no", QoS: qos}); !errors.Is(err, errPicky) {
				t.Errorf("publish at QoS %d: %v", qos, err)
			}
		}
		if _, err := c.Subscribe(ctx, nil, packet.Subscription{Filter: "no"}); !errors.Is(err, errPicky) {
			t.Errorf("subscribe: %v", err)
		}
		published := make(chan error)
		go func() { published <- c.Publish(ctx, Message{Topic: "ye"}) }()
		f.want("\x30\x04\x00\x02ye")
		if err := <-published; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		cancel()
		f.wantBye()
		<-ended
	})
}
