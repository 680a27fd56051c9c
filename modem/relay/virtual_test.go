package relay_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/matou-iot/matou/modem"
	"github.com/matou-iot/matou/modem/esp8266"
	"github.com/matou-iot/matou/modem/lierda"
	"github.com/matou-iot/matou/modem/modemtest"
	"github.com/matou-iot/matou/modem/quectel"
	"github.com/matou-iot/matou/modem/relay"
	"github.com/matou-iot/matou/modem/virtual"
	"github.com/matou-iot/matou/modem/virtual/virtualtest"
	"github.com/matou-iot/matou/mqtt/client"
	"github.com/matou-iot/matou/mqtt/packet"
)

// through dials through a relay.
func through(r *relay.Relay, m modem.Messenger) client.Dialer {
	return func(context.Context) (net.Conn, error) { return r.Conn(m), nil }
}

// TestClientThroughModules is a life of a client whose words all modules say:
// messages both ways, a restart of the module, a connection that breaks.
func TestClientThroughModules(t *testing.T) {
	t.Run("nt35e", func(t *testing.T) {
		onVirtual(t, virtual.Options{Model: "nt35e"}, func(ctx context.Context, port io.ReadWriteCloser) (*lierda.Module, error) {
			return lierda.Attach(ctx, port, lierda.Options{})
		})
	})
	t.Run("ec20", func(t *testing.T) {
		onVirtual(t, virtual.Options{Model: "ec20"}, func(ctx context.Context, port io.ReadWriteCloser) (*quectel.Module, error) {
			return quectel.Attach(ctx, port, quectel.Options{})
		})
	})
	t.Run("esp8266", func(t *testing.T) {
		v := virtual.Options{Model: "esp8266", Firmware: "2", AccessPoints: []virtual.AccessPoint{{SSID: "home", Password: "12345678"}}}
		onVirtual(t, v, func(ctx context.Context, port io.ReadWriteCloser) (*esp8266.Module, error) {
			return esp8266.Attach(ctx, port, esp8266.Options{SSID: "home", Password: "12345678"})
		})
	})
}

func onVirtual[D modem.Messenger](t *testing.T, o virtual.Options, attach modemtest.Attacher[D]) {
	t.Helper()
	virtualtest.Run(t, o, attach, life[D])
}

func life[D modem.Messenger](b *virtualtest.Bench[D]) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	got := make(chan string, 10)
	c := client.New(client.Options{
		Dial:     through(relay.New(relay.Options{Host: "broker.test", Port: 1883}), b.Driver),
		ClientID: "dev1", Username: "user", Password: []byte("secret"), KeepAlive: 90 * time.Second,
		ConnectTimeout: 3 * time.Minute,
		OnMessage:      func(_ context.Context, m client.Message) { got <- m.Topic + " " + string(m.Payload) },
	})
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	if _, err := c.Subscribe(ctx, nil, packet.Subscription{Filter: "set", QoS: 1}, packet.Subscription{Filter: "reply", QoS: 1}); err != nil {
		b.Fatal(err)
	}
	sent := 0
	exchange := func(what string) {
		b.Helper()
		payload := fmt.Sprintf(`{"n":%d,"s":"x, \"y\""}`, sent)
		sent++
		if err := c.Publish(ctx, client.Message{Topic: "report", Payload: []byte(payload), QoS: 1}); err != nil {
			b.Fatalf("%s: %v", what, err)
		}
		all := b.Broker.Messages()
		if last := all[len(all)-1]; string(last.Topic) != "report" || string(last.Payload) != payload || last.QoS != 1 {
			b.Errorf("%s: the broker got %s %q at QoS %d", what, last.Topic, last.Payload, last.QoS)
		}
		for _, topic := range []string{"set", "reply"} {
			b.Broker.Send(packet.Publish{Topic: []byte(topic), Payload: []byte(payload)})
			if m := <-got; m != topic+" "+payload {
				b.Errorf("%s: got %q", what, m)
			}
		}
	}
	again := func(what string) {
		b.Helper()
		logins := len(b.Broker.Logins())
		// What is said while the module is away waits, and comes first.
		if err := c.Publish(ctx, client.Message{Topic: "report", Payload: []byte("meanwhile"), QoS: 1}); err != nil {
			b.Fatalf("%s: %v", what, err)
		}
		if n := len(b.Broker.Logins()); n <= logins {
			b.Errorf("%s: %d logins, as before", what, n)
		}
		<-time.After(time.Minute) // of the bubble: it subscribes again
		exchange(what)
	}
	exchange("at first")
	b.Broker.Cut()
	again("after the broker cut the connection")
	b.Module.Reset()
	again("after the module restarted")
	<-time.After(10 * time.Minute) // of the bubble: nothing but pings
	exchange("after a rest")
	logins := len(b.Broker.Logins())
	b.RestartUnheard()
	<-time.After(10 * time.Minute)
	if n := len(b.Broker.Logins()); n != logins+1 {
		b.Errorf("%d logins after a restart that nobody heard of, where there were %d", n, logins)
	}
	exchange("after a restart that nobody heard of")
	l := b.Broker.Logins()[0]
	if l.ClientID != "dev1" || l.Username != "user" || string(l.Password) != "secret" || l.KeepAlive != 90 || !l.CleanStart {
		b.Errorf("login %+v", l)
	}
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	if err := c.Publish(b.Context(), client.Message{Topic: "t"}); err == nil {
		b.Error("it goes on")
	}
}
